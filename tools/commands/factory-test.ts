// `tumbler factory-test`: checks every part of a lock over its serial port, with a person's hands where they are needed.

import { existsSync } from "node:fs";
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { CHECKS, type FactoryRecord, factoryTest } from "../factory/factory-test";
import { FactoryScreen } from "../factory/screen";
import { type Line, openSerial } from "../factory/serial";
import { writeAll } from "../files";
import { numberFrom } from "../links/options";
import { Exit, exitHelp, Failure } from "../ui/failure";
import { hanging } from "../ui/live";
import type { Terminal } from "../ui/terminal";

interface Options {
  readonly port: string;
  readonly board?: string;
  readonly only?: readonly string[];
  readonly record?: string;
  readonly force?: boolean;
  readonly wait: number;
  readonly yes?: boolean;
  readonly development?: boolean;
  readonly json?: boolean;
}

/** Opens the line to a lock. */
type Open = (port: string) => Promise<Line>;

const USUAL_WAIT_S = 30;
const MAX_WAIT_S = 60;
const NAME_COLUMNS = 14;

const checkLines = CHECKS.map(({ name, what, hands }) => {
  const text = hands === undefined ? what : `${what} (you ${hands})`;
  return `  ${name.padEnd(NAME_COLUMNS - 2)}${hanging(text, NAME_COLUMNS)}`;
}).join("\n");

const HELP = `
The lock's firmware is a release build, and the lock is not claimed: a claimed
one answers with its public facts and nothing else, so that only the first four
checks can be made. The bolt moves in the last check, after you agreed at the
lock's keypad, or at once with --yes. What is not fitted is skipped.

Checks:
${checkLines}

Examples:
  tumbler factory-test --port /dev/ttyUSB0 --board lock-secure \\
      --record 0042.json
  tumbler factory-test --port /dev/ttyUSB0 --only keypad,bolt --yes
  tumbler factory-test --port COM4 --development --json
${exitHelp("every check passed or was not wanted", "a check failed, or the lock is claimed")}`;

/** Adds the command to the program. `open` opens the port. */
export function addFactoryTest(program: Command, terminal: Terminal, open: Open = openSerial): void {
  program
    .command("factory-test")
    .summary("check every part of a lock over its serial port")
    .description("Checks every part of a lock over its serial port, before anybody owns it.")
    .requiredOption("--port <path>", "the serial port, such as /dev/ttyUSB0")
    .option("--board <name>", "the board that it has to be: lock, lock-secure, l500i")
    .option("--only <names>", "these checks alone, with commas between them", namesOf)
    .option("--record <file>", "write a report of all values, as JSON")
    .option("--force", "replace the file of an older report")
    .option("--wait <seconds>", "for each thing that you do", numberFrom(1, MAX_WAIT_S), USUAL_WAIT_S)
    .option("--yes", "let the bolt move without asking")
    .option("--development", "do not ask for flash encryption and secure boot")
    .option("--json", "print the report as JSON, and what you have to do on stderr")
    .addHelpText("after", HELP)
    .action((options: Options) => run(options, terminal, open));
}

function namesOf(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !CHECKS.some((check) => check.name === name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(
      `There is no check "${unknown}". Wanted some of ${CHECKS.map(({ name }) => name).join(", ")}.`,
    );
  return names;
}

async function run(options: Options, terminal: Terminal, open: Open): Promise<void> {
  const { port, board, only, wait, record: path } = options;
  const replace = options.force === true;
  // Before anybody has pressed a key, and not after.
  if (path !== undefined && !replace && existsSync(path))
    throw new Failure(
      `${path}: exists already, and is not overwritten`,
      "choose another name, or add --force",
    );
  const screen = new FactoryScreen(terminal, options.json === true);
  const line = await open(port);
  let record: FactoryRecord;
  try {
    const test = {
      port,
      board,
      only,
      waitS: Math.floor(wait),
      isAgreed: options.yes === true,
      isDevelopment: options.development === true,
    };
    record = await factoryTest(line.stream, test, screen);
  } finally {
    await line.close();
  }
  const text = `${JSON.stringify(record, null, 2)}\n`;
  if (path !== undefined) writeAll([{ path, content: text, replace }]);
  if (options.json === true) terminal.out(text);
  else screen.summary(record);
  terminal.exitCode = record.isFine ? Exit.fine : Exit.wrong;
}
