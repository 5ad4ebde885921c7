// `tumbler issuer`: the issuer's office: the account, doors and people from files, locks, settings, revocations, and where everything stands.

import type { Command } from "commander";
import { readSheet } from "../csv";
import { readSecret } from "../files";
import { DOOR_SETTINGS } from "../office/door-settings";
import { workAt } from "../office/office";
import type { Request } from "../office/works";
import { exitHelp, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";

interface Common {
  readonly store: string;
  readonly json?: boolean;
}

/** Where an issuer's store is when nothing else is said. */
export const USUAL_STORE = "issuer";
const MAX_RECORD_BYTES = 65_536;

const SETTINGS_HELP = Object.entries(DOOR_SETTINGS)
  .map(
    ([name, { value, isSecret }]) =>
      `  ${name.padEnd(16)}${value}${isSecret ? "; - reads it from standard input" : ""}`,
  )
  .join("\n");
const HELP = `
The store is a folder: a sealed journal and its key. Everything is written there
before it has any effect, so it may be ended at any time. While \`tumbler serve\`
has it open, these commands hand their work to it.

Examples:
  tumbler issuer begin --site north
  tumbler issuer import --doors doors.csv --schedules schedules.csv --people people.csv
  tumbler issuer bind front front.record.json
  tumbler issuer set front lease-days 14
  tumbler issuer revoke dora
  tumbler issuer show --json
${exitHelp("done", "show: there are alarms")}`;

/** Adds the command to the program. */
export function addIssuer(program: Command, terminal: Terminal): void {
  const issuer = program
    .command("issuer")
    .summary("the issuer's office: people, doors, locks, settings, revocations")
    .description("The issuer's office: who may enter where, and where that stands at the locks.")
    .addHelpText("after", HELP);
  const sub = (usage: string, summary: string): Command =>
    issuer
      .command(usage)
      .description(summary)
      .option("--store <folder>", "the issuer's store", USUAL_STORE)
      .option("--json", "print the result as JSON");
  const run = async (options: Common, request: Request): Promise<void> => {
    const reply = await workAt(options.store, request);
    terminal.out(options.json ? `${JSON.stringify(reply.value, null, 2)}\n` : reply.text);
    terminal.exitCode = reply.exitCode;
  };

  sub("begin", "begin an account, with fresh keys of owner and issuer")
    .requiredOption("--site <name>", 'the site, 1 to 16 of a-z, 0-9 and "-": part of MQTT topics')
    .action((options: Common & { site: string }) => run(options, { work: "begin", site: options.site }));
  sub("import", "take doors, schedules and people from CSV files, all or nothing")
    .option("--doors <file>", "doors.csv")
    .option("--schedules <file>", "schedules.csv")
    .option("--people <file...>", "people.csv, in one file or several")
    .action((options: Common & SheetPaths) => run(options, { work: "import", sheets: readSheets(options) }));
  sub("bind <door> <record>", "give a door the lock of a record that `tumbler provision` wrote").action(
    (door: string, path: string, options: Common) => {
      const record = Buffer.from(readSecret(path, MAX_RECORD_BYTES)).toString("utf8");
      return run(options, { work: "bind", door, path, record });
    },
  );
  for (const [work, summary] of [
    ["revoke", "end all access of a person and of everyone below; the record stays"],
    ["remove", "end all access of a person and of everyone below; the record goes"],
    ["disable", "switch a person's credentials off"],
    ["enable", "switch a person's credentials on again"],
  ] as const)
    sub(`${work} <person>`, summary).action((person: string, options: Common) =>
      run(options, { work, person }),
    );
  sub("set <door> <setting> <value>", "set one setting of a door's lock")
    .addHelpText("after", `\nSettings:\n${SETTINGS_HELP}\n`)
    .action(async (door: string, name: string, given: string, options: Common) => {
      const value = given === "-" ? await terminal.secret(`${name}: `) : given;
      return run(options, { work: "set", door, name, value });
    });
  sub("rotate-keys", "sign with a new issuer key from now on").action((options: Common) =>
    run(options, { work: "rotate" }),
  );
  sub("rebase <door>", "send a whole new table to a door's lock").action((door: string, options: Common) =>
    run(options, { work: "rebase", door }),
  );
  sub("reset <door>", "consent to a factory reset of a door's lock").action((door: string, options: Common) =>
    run(options, { work: "reset", door }),
  );
  sub("show [door]", "tell where everything stands at the locks, with every alarm").action(
    (door: string | undefined, options: Common) => run(options, { work: "show", door }),
  );
}

/** Paths of sheets, as options of a command. */
export interface SheetPaths {
  readonly doors?: string;
  readonly schedules?: string;
  readonly people?: readonly string[];
}

/** The sheets that are named. Throws a {@link Failure} where none is, or one cannot be read. */
export function readSheets({ doors, schedules, people }: SheetPaths) {
  if (doors === undefined && schedules === undefined && people === undefined)
    throw new Failure("no file is named", "add --doors, --schedules or --people");
  return {
    ...(doors === undefined ? {} : { doors: readSheet(doors) }),
    ...(schedules === undefined ? {} : { schedules: readSheet(schedules) }),
    ...(people === undefined ? {} : { people: people.map(readSheet) }),
  };
}
