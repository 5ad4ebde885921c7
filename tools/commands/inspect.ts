// `tumbler inspect`: tells and draws all that a flash image, or a dump of a whole flash, says about its lock. Never changes the file, never shows a secret, a PIN or
// a tag.

import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { identityOption, nvsKeysOption } from "../flash-map/options";
import { type DumpFiles, mountFailure, openLock, readFlash } from "../image";
import { inspect } from "../inspection/inspection";
import { Exit, exitHelp } from "../ui/failure";
import { inspectionText } from "../ui/inspection";
import type { Terminal } from "../ui/terminal";

interface Options extends DumpFiles {
  readonly json?: boolean;
  readonly slots?: boolean;
  readonly events: number;
}

const USUAL_EVENTS = 10;
const HELP = `
Slots and sectors of the flash are drawn in plain characters, with their meaning
below each picture; colours say nothing more. A sector is a column: what lives
in it, what is dead until it is compacted, what is erased. Wear is counted from
the sectors' own numbers, since provisioning.

Times are by the clock on the lock's wall. An event from before the clock was
set has the number of its boot and the seconds since.

A dump of a board's flash (esptool read-flash 0 ALL front.bin) is read like an
image: its own partition table says where the lock is in it. A chip that
encrypts its flash gives no dump that anybody could read.

Examples:
  tumbler inspect front.img
  tumbler inspect front.img --slots --events 50
  tumbler inspect front.img --json | jq .state.slots
  tumbler inspect front.bin --nvs-keys nvs_keys.bin
${exitHelp("nothing wrong", "something in it is damaged")}`;

/** Adds the command to the program. */
export function addInspect(program: Command, terminal: Terminal): void {
  program
    .command("inspect")
    .summary("tell what a flash image says about its lock")
    .description("Tells all that a flash image says about its lock. Never changes the file.")
    .argument("<image>", "flash image, as `tumbler provision` makes it, or a dump of a board's flash")
    .option("--slots", "list the slots that are used")
    .option("--events <n>", "show the last n events", wholeNumber, USUAL_EVENTS)
    .addOption(nvsKeysOption())
    .addOption(identityOption())
    .option("--json", "print everything as JSON: slots, sectors, damage")
    .addHelpText("after", HELP)
    .action((path: string, options: Options) => {
      inspectFile(path, options, terminal);
    });
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("wanted a whole number, 0 or more");
  return Number(text);
}

function inspectFile(path: string, options: Options, terminal: Terminal): void {
  const { json, slots, events } = options;
  const image = readFlash(path, options);
  const lock = openLock(image);
  const inspection = inspect(lock, image, events);
  if (json) terminal.out(`${JSON.stringify(inspection, null, 2)}\n`);
  else terminal.out(inspectionText(inspection, lock.parts.policy, slots === true, terminal.colours));
  const failure = mountFailure(path, lock);
  if (failure !== undefined) throw failure;
  terminal.exitCode = inspection.problems.length > 0 ? Exit.wrong : Exit.fine;
}
