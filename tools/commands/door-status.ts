// `tumbler door status`: what a lock says of itself to whoever connects, next to what the work list says of it.

import type { Command } from "commander";
import { toHex } from "../../protocol/wire/bytes";
import { StatusFlag } from "../../protocol/wire/messages";
import { type Greeting, greet } from "../door/greet";
import { addDoorOptions, type DoorArguments } from "../door/options";
import { standingOf } from "../door/standing";
import { openReach } from "../links/open-reach";
import { Exit, exitHelp } from "../ui/failure";
import { fields } from "../ui/table";
import type { Colours, Terminal } from "../ui/terminal";
import { doorsOf, goalOf, readWorkList, type WorkDoor, type WorkList } from "../worklist/work-list";

/** What --json prints for each door, one object a line. What is not known is null. */
export interface StatusLine {
  readonly door: string;
  readonly lock: string;
  /** Whether the lock answered; all below is null where it did not. */
  readonly reached: boolean;
  readonly epoch: number | null;
  readonly seq: number | null;
  /** How many changes of the list it lacks; null also for a lock in another epoch. */
  readonly behind: number | null;
  readonly hasOwner: boolean | null;
  readonly clockUnknown: boolean | null;
  readonly eventsWaiting: boolean | null;
  readonly lowBattery: boolean | null;
  readonly storageFault: boolean | null;
  readonly slots: number | null;
  /** Of the last receipt in the work list, where it is of this very position. */
  readonly freeSlots: number | null;
}

const HELP = `
A status is not signed: it says what a lock, or whoever answers for it, says.

Examples:
  tumbler door status --work doors.work
  tumbler door status front --work doors.work --json
${exitHelp("all locks answered", "one did not")}`;

/** Adds the command. */
export function addStatus(door: Command, terminal: Terminal): void {
  addDoorOptions(
    door
      .command("status")
      .description("connect, and say where the lock stands")
      .argument("[door...]", "doors of the work list; all of them if none is named"),
  )
    .addHelpText("after", HELP)
    .action((names: readonly string[], options: DoorArguments) => run(names, options, terminal));
}

async function run(names: readonly string[], options: DoorArguments, terminal: Terminal): Promise<void> {
  const list = readWorkList(options.work);
  const doors = doorsOf(list, names);
  const reach = await openReach(options, list.site);
  try {
    for (const door of doors) {
      const greeting = await greet(reach, door);
      const line = statusOf(list, door, greeting);
      if (!line.reached) terminal.exitCode = Exit.wrong;
      terminal.out(
        options.json ? `${JSON.stringify(line)}\n` : textOf(door, line, greeting, terminal.colours),
      );
    }
  } finally {
    await reach.close();
  }
}

const NOTHING = {
  reached: false,
  epoch: null,
  seq: null,
  behind: null,
  hasOwner: null,
  clockUnknown: null,
  eventsWaiting: null,
  lowBattery: null,
  storageFault: null,
  slots: null,
  freeSlots: null,
} as const;

function statusOf(list: WorkList, door: WorkDoor, { status }: Greeting): StatusLine {
  const named = { door: door.door, lock: toHex(door.lock) };
  if (status === undefined) return { ...named, ...NOTHING };
  const { epoch, applied, flags, slots } = status;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const hasOwner = !has(StatusFlag.unclaimed);
  const { latest } = standingOf(list, door);
  const isSame = latest?.epoch === epoch && latest.seq === applied;
  return {
    ...named,
    reached: true,
    epoch,
    seq: applied,
    behind: behindOf(door, epoch, applied, hasOwner),
    hasOwner,
    clockUnknown: has(StatusFlag.clockUnknown),
    eventsWaiting: has(StatusFlag.eventsWaiting),
    lowBattery: has(StatusFlag.lowBattery),
    storageFault: has(StatusFlag.storageFault),
    slots,
    freeSlots: isSame ? slots - latest.receipt.slots : null,
  };
}

function behindOf(door: WorkDoor, epoch: number, applied: number, hasOwner: boolean): number | null {
  if (!hasOwner) return door.changes.length;
  return epoch === door.epoch ? Math.max(0, goalOf(door).seq - applied) : null;
}

function positionText(door: WorkDoor, { epoch, seq, behind, hasOwner }: StatusLine): string {
  const goal = goalOf(door).seq;
  if (hasOwner === false) return `none yet; ${goal} of epoch ${door.epoch} wait for it`;
  const where = `${seq} of epoch ${epoch}`;
  if (behind === null) return `${where}; the work list is of epoch ${door.epoch}`;
  if (behind > 0) return `${where}; ${behind} behind`;
  return `${where}; ${(seq as number) > goal ? "further than the work list goes" : "nothing behind"}`;
}

function textOf(door: WorkDoor, line: StatusLine, { why }: Greeting, colours: Colours): string {
  const head = `${door.door}, lock ${line.lock}`;
  if (!line.reached) return `${head}: ${colours.red(why)}\n`;
  const { yellow } = colours;
  const rows: [string, string][] = [
    ["owner", line.hasOwner ? "has one" : yellow("none yet")],
    ["position", positionText(door, line)],
    ["clock", line.clockUnknown ? yellow("unknown: access with hours is refused") : "set"],
    [
      "events",
      line.eventsWaiting ? "some that the office has not confirmed" : "none but what the office has",
    ],
    ["battery", line.lowBattery ? yellow("low") : "no complaint"],
    ["flash", line.storageFault ? yellow("a fault") : "no complaint"],
    [
      "slots",
      `${line.slots}, ${line.freeSlots === null ? "how many are free is not known" : `${line.freeSlots} free`}`,
    ],
  ];
  return `${head}\n${fields(rows, colours)}`;
}
