// `tumbler door check` (rule I1): how a door is, in one look, and which of it the lock has signed.

import type { Command } from "commander";
import { endOf, Round } from "../../protocol/courier/round";
import { toHex } from "../../protocol/wire/bytes";
import { askBody, type Status, StatusFlag, Type } from "../../protocol/wire/messages";
import { checkDoor, checkText, isSound } from "../door/check";
import { addDoorOptions, type DoorArguments } from "../door/options";
import { standingOf } from "../door/standing";
import { atLock, firstRequest } from "../links/open-reach";
import { Exit, exitHelp, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";
import { doorsOf, readWorkList } from "../worklist/work-list";

const HELP = `
Asks the lock what it is and where it stands, and changes nothing. What no lock
of this version tells, such as its battery, is unknown: never taken as fine.

Example:
  tumbler door check front --work doors.work --link sim --image front.img
${exitHelp("nothing is wrong", "something is")}`;

/** Adds the command. */
export function addCheck(door: Command, terminal: Terminal): void {
  addDoorOptions(
    door
      .command("check")
      .description("how a door is: position, clock, slots, flash, what it is")
      .argument("<door>", "the door"),
  )
    .addHelpText("after", HELP)
    .action((name: string, options: DoorArguments) => run(name, options, terminal));
}

async function run(name: string, options: DoorArguments, terminal: Terminal): Promise<void> {
  const list = readWorkList(options.work);
  const [door] = doorsOf(list, [name]);
  const told = await atLock(options, { ...door, site: list.site }, name, async (link, reach) => {
    const seen = await look(new Round(link, firstRequest(reach)), name);
    return { ...seen, now: reach.now() };
  });
  const refused = standingOf(list, door).refused.length;
  const lines = checkDoor({ door, ...told, refused });
  const result = { door: name, lock: toHex(door.lock), sound: isSound(lines), lines };
  terminal.out(options.json ? `${JSON.stringify(result)}\n` : checkText(name, lines, terminal));
  terminal.exitCode = result.sound ? Exit.fine : Exit.wrong;
}

/** The lock's status, and the message with its receipt where it has an owner. Throws a {@link Failure} for a lock that does not answer. */
async function look(
  round: Round,
  name: string,
): Promise<{ status: Status; receipt: Uint8Array | undefined }> {
  try {
    const status = await round.hello();
    if ((status.flags & StatusFlag.unclaimed) !== 0) return { status, receipt: undefined };
    const question = askBody({ first: Math.max(1, status.applied), about: true });
    const { type, message } = await round.exchange(Type.ask, question);
    return { status, receipt: type === Type.receipt ? message : undefined };
  } catch (thrown) {
    endOf(thrown);
    throw new Failure(`${name}: the lock does not answer`, "go nearer, wake it up, and try again");
  }
}
