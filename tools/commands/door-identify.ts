// `tumbler door identify`: the lock shows which one it is.

import type { Command } from "commander";
import { emptyBody, Type } from "../../protocol/wire/messages";
import { greet } from "../door/greet";
import { addDoorOptions, type DoorArguments } from "../door/options";
import { openReach } from "../links/open-reach";
import { Exit, exitHelp } from "../ui/failure";
import type { Terminal } from "../ui/terminal";
import { doorsOf, readWorkList } from "../worklist/work-list";

const HELP = `
Example:
  tumbler door identify front --work doors.work
${exitHelp("the lock blinks, if it can", "it does not, and why")}`;

/** Adds the command. */
export function addIdentify(door: Command, terminal: Terminal): void {
  addDoorOptions(
    door
      .command("identify")
      .description("let the lock of a door blink")
      .argument("<door>", "a door of the work list"),
  )
    .addHelpText("after", HELP)
    .action((name: string, options: DoorArguments) => run(name, options, terminal));
}

async function run(name: string, options: DoorArguments, terminal: Terminal): Promise<void> {
  const list = readWorkList(options.work);
  const [door] = doorsOf(list, [name]);
  const reach = await openReach(options, list.site);
  try {
    const { why } = await greet(reach, door, async (round) => {
      await round.deliver(Type.identify, emptyBody());
    });
    const text = why === "" ? "blinks now" : why;
    const value = { door: name, identified: why === "", why: why === "" ? null : why };
    terminal.out(options.json ? `${JSON.stringify(value)}\n` : `${name}: ${text}\n`);
    terminal.exitCode = why === "" ? Exit.fine : Exit.wrong;
  } finally {
    await reach.close();
  }
}
