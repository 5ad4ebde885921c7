// `tumbler door sync`, and `tumbler deliver` as couriers call it: brings to each door what the work list has for it, and its answers home.

import type { Command } from "commander";
import { toHex } from "../../protocol/wire/bytes";
import type { DoorEvent, SummaryEvent } from "../door/events";
import { addJsonOption, addWorkOption, type DoorArguments, untilInterrupted } from "../door/options";
import { reportCsv } from "../door/report";
import { SyncScreen } from "../door/screen";
import type { Round } from "../door/sync";
import { syncDoors } from "../door/sync";
import { writeAll } from "../files";
import { openReach } from "../links/open-reach";
import { addLinkOptions, numberFrom } from "../links/options";
import { inOffice, wallClock } from "../office/office";
import { Exit, exitHelp } from "../ui/failure";
import type { Terminal } from "../ui/terminal";
import { doorsOf, readWorkList, type WorkDoor } from "../worklist/work-list";

interface Options extends DoorArguments {
  readonly all?: boolean;
  readonly seconds: number;
  readonly store?: string;
  readonly csv?: string;
}

const HELP = `
Visits the doors in range that need it, the most needy first, or the named ones.
A door is left out when its lock shows that it has everything; --all visits it.
Where a connection breaks it goes on by itself, five tries in a row; nothing is
lost and nothing done twice. A visit that ends early is simply done again.

Every receipt is in the work list's file before the next message goes out, and
counts as not yet reported until \`tumbler receipts\` has handed it in. A green
tick says that the lock signed the position and the table that the office
expects. A clock that is not set needs the office: --store, where it is at hand.

With --json one object a line: DoorEvent in tools/door/events.ts.

Examples:
  tumbler door sync --work doors.work
  tumbler door sync front back --work doors.work --csv today.csv
  tumbler door sync --work doors.work --link mqtt --broker mqtts://broker.lan
  tumbler door sync --work doors.work --link sim --image front.img --cut 40

The exit code is that of the worst door. A change that was refused, a door that
was not reached, and a lock that signed what the office does not expect are 1.
${exitHelp("all have everything", "one has not, or refused something")}`;

const DELIVER_HELP = `
The same round as \`tumbler door sync\`, whose help says more.

Examples:
  tumbler deliver doors.work
  tumbler deliver doors.work front --link mqtt --broker mqtts://broker.lan
  tumbler deliver doors.work --link folder --folder /media/usb
${exitHelp("all have everything", "one has not, or refused something")}`;

const USUAL_SECONDS = 5;
const MAX_SECONDS = 3600;

const SUMMARY = "bring doors what waits for them, and their answers home";

/** Adds the command of an installer. */
export function addSync(door: Command, terminal: Terminal): void {
  const command = door
    .command("sync")
    .description(SUMMARY)
    .argument("[door...]", "doors of the work list; all of them if none is named");
  addRoundOptions(addWorkOption(command))
    .addHelpText("after", HELP)
    .action((names: readonly string[], options: Options) => run(names, options, terminal));
}

/** Adds the command of a courier with files, between `tumbler issue` and `tumbler receipts`: the same round. */
export function addDeliver(program: Command, terminal: Terminal): void {
  const command = program
    .command("deliver")
    .description(SUMMARY)
    .argument("<file>", "the work list, a secret file that `tumbler issue` wrote")
    .argument("[door...]", "doors of it; all of them if none is named");
  addRoundOptions(addJsonOption(command))
    .addHelpText("after", DELIVER_HELP)
    .action((work: string, names: readonly string[], options: Omit<Options, "work">) =>
      run(names, { ...options, work }, terminal),
    );
}

function addRoundOptions(command: Command): Command {
  return addLinkOptions(command)
    .option("--all", "visit also doors that have everything")
    .option("--seconds <n>", "look for doors so long", numberFrom(1, MAX_SECONDS), USUAL_SECONDS)
    .option("--store <folder>", "the issuer's store, where it is at hand: sets clocks as well")
    .option("--csv <file>", "write each change and its answer to this file");
}

async function run(names: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const { store } = options;
  const summary = await (store === undefined
    ? sync(names, options, terminal)
    : inOffice(store, (issuer) =>
        sync(names, options, terminal, ({ lock }) => {
          const id = toHex(lock);
          return async (nonce, refusal) => issuer.outbox.timeAnswer(id, nonce, wallClock(), refusal);
        }),
      ));
  const { wrong, notInRange } = summary;
  terminal.exitCode = wrong + notInRange === 0 ? Exit.fine : Exit.wrong;
}

async function sync(
  names: readonly string[],
  options: Options,
  terminal: Terminal,
  timeOf?: Round["timeOf"],
): Promise<SummaryEvent> {
  const list = readWorkList(options.work);
  const doors: readonly WorkDoor[] = doorsOf(list, names);
  const { all = false, seconds, csv } = options;
  const reach = await openReach(options, list.site);
  const screen = new SyncScreen(terminal, options.work);
  const tell = (event: DoorEvent): void => {
    if (options.json === true) terminal.out(`${JSON.stringify(event)}\n`);
    else screen.tell(event);
  };
  if (reach.look !== undefined && options.json !== true) screen.looking(seconds);
  const round = { list, doors, reach, seconds, all, tell, ...(timeOf && { timeOf }) };
  try {
    return await untilInterrupted((signal) => syncDoors({ ...round, signal }));
  } finally {
    await reach.close();
    if (csv !== undefined) writeAll([{ path: csv, content: reportCsv(list, doors), replace: true }]);
  }
}
