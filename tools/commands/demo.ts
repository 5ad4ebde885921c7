// `tumbler demo`: the main job. See ../demo.

import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type DemoFiles, runDemo } from "../demo/demo";
import { parseBrokerUrl } from "../links/broker-url";
import { Exit, exitHelp } from "../ui/failure";
import type { Terminal } from "../ui/terminal";

interface Options {
  readonly doors: string;
  readonly schedules: string;
  readonly people: readonly string[];
  readonly day: string;
  readonly expected: string;
  readonly broker?: string;
  readonly port: number;
  readonly out?: string;
  readonly skipBadRows: boolean;
  readonly json: boolean;
}

const EXAMPLE = join(__dirname, "..", "..", "examples", "building");
const HELP = `
Files are CSV with a line of column names; examples/building has all of them.
  doors      door, profile (lock-1000, l500i), link (wifi, courier), zone, keys
  schedules  schedule, days, start, end
  people     person, name, role, keys; as needed also pin (digits, or auto
             for one that is made), duress-pin, card, start, end, schedule,
             uses, first-use-hours, minutes-after-first-use, dual (yes),
             notify (yes), grantor, capabilities
  day        id, time, door, who, action, value; actions with a value are
             pin, card, mode, holiday (a date) and master (a PIN); others
             are sync, visit, off-air, on-air, power-cut, revoke, delete
  expected   kind (credential, attempt, door), subject, door, outcome:
             everything that must fail; nothing else may

With --out the issuer's store and each lock's flash image stay, for
\`tumbler inspect\` and \`tumbler explain\`.

Examples:
  tumbler demo
  tumbler demo --out /tmp/building && tumbler inspect /tmp/building/lobby.img
  tumbler demo --broker mqtt://127.0.0.1:1883 --json
${exitHelp("everything ended as expected", "something did not")}`;

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError("Wanted a port, 0 to 65535.");
  return port;
}

function brokerOf(text: string): string {
  const place = parseBrokerUrl(text);
  if (place === undefined) throw new InvalidArgumentError("Wanted mqtt://host or mqtt://host:port.");
  if (place.tls)
    throw new InvalidArgumentError(
      "The demo's locks know no certificate authority. Wanted mqtt://host or mqtt://host:port.",
    );
  return text;
}

/** Adds the command to the program. */
export function addDemo(program: Command, terminal: Terminal): void {
  const example = (name: string) => join(EXAMPLE, name);
  const sheet = (flags: string, summary: string, usual: string | string[]): Option =>
    new Option(flags, summary).default(usual, "that of examples/building");
  program
    .command("demo")
    .summary("run a virtual building: sign, carry, apply, acknowledge, decide")
    .description(
      "Runs a virtual building from files: every credential signed, carried, applied and acknowledged, then a day at its doors.",
    )
    .addOption(sheet("--doors <file>", "the doors", example("doors.csv")))
    .addOption(sheet("--schedules <file>", "the schedules", example("schedules.csv")))
    .addOption(
      sheet("--people <file...>", "the people, in one file or several", [
        example("people.csv"),
        example("tower.csv"),
      ]),
    )
    .addOption(sheet("--day <file>", "who does what at which door and when", example("day.csv")))
    .addOption(sheet("--expected <file>", "what must fail, and how", example("expected.csv")))
    .option("--broker <url>", "a broker of your own, mqtt://host:port; one is embedded otherwise", brokerOf)
    .option("--port <number>", "the loopback port of the embedded broker; 0 takes a free one", portOf, 0)
    .option("--out <folder>", "keep the issuer's store and the locks' flash images here")
    .option("--skip-bad-rows", "leave rows with errors out instead of stopping", false)
    .option("--json", "print nothing but the summary, as one JSON object on the last line", false)
    .addHelpText("after", HELP)
    .action(async (options: Options) => {
      const { doors, schedules, people, day, expected } = options;
      const files: DemoFiles = { doors, schedules, people, day, expected };
      const live = process.stdout.isTTY === true && !options.json;
      const summary = await runDemo({ ...options, files, terminal, live });
      if (options.json) terminal.out(`${JSON.stringify(summary)}\n`);
      terminal.exitCode = summary.ok ? Exit.fine : Exit.wrong;
    });
}
