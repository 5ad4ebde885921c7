// `tumbler door scan`: the locks in range, most in need first.

import type { Command } from "commander";
import type { DoorEvent, GoneEvent, SeenEvent } from "../door/events";
import { addDoorOptions, type DoorArguments, untilInterrupted } from "../door/options";
import { type Seen, scan, seenEvent } from "../door/scan";
import { openReach } from "../links/open-reach";
import { numberFrom } from "../links/options";
import { exitHelp, Failure } from "../ui/failure";
import { LiveArea, padded } from "../ui/live";
import type { Terminal } from "../ui/terminal";
import { readWorkList } from "../worklist/work-list";

interface Options extends DoorArguments {
  readonly seconds?: number;
}

const HELP = `
Runs until Ctrl-C, or for --seconds. Doors of the work list have their names;
"unknown lock" is one that is not in it, and only a lock without an owner shows
its id. Most changes first, then events, then clocks that are not set; then the
nearest. What is not known is shown as –.

Where nobody watches, a line for each change; the type of what --json prints is
SeenEvent and GoneEvent in tools/door/events.ts.

Examples:
  tumbler door scan --work doors.work
  tumbler door scan --work doors.work --seconds 10 --json
${exitHelp("ended")}`;

const DAY_S = 86_400;

/** Adds the command. */
export function addScan(door: Command, terminal: Terminal): void {
  addDoorOptions(
    door
      .command("scan")
      .description("show the locks in range, most in need first")
      .option("--seconds <n>", "end after so many seconds", numberFrom(1, DAY_S)),
  )
    .addHelpText("after", HELP)
    .action((options: Options) => run(options, terminal));
}

async function run(options: Options, terminal: Terminal): Promise<void> {
  const list = readWorkList(options.work);
  // Virtual time would be over at once where nobody says how much of it there is.
  const reach = await openReach(
    { ...options, pace: options.pace ?? options.seconds === undefined },
    list.site,
  );
  const isLive = terminal.isLive === true && options.json !== true;
  const live = isLive ? new LiveArea(terminal) : undefined;
  const tell = (event: DoorEvent): void => {
    if (options.json === true) terminal.out(`${JSON.stringify(event)}\n`);
    else if (live === undefined) terminal.out(`${lineOf(event as SeenEvent | GoneEvent)}\n`);
  };
  try {
    const onChange = (all: readonly Seen[]): void => live?.draw([HEAD, ...all.map(rowOf)]);
    const seconds = options.seconds ?? DAY_S;
    live?.draw(["  looking for locks in range"]);
    const seen = await untilInterrupted((signal) => scan({ list, reach, seconds, signal, tell, onChange }));
    if (seen === undefined)
      throw new Failure(`--link ${options.link}: locks do not show themselves there`, "scan with --link ble");
    if (seen.length === 0) live?.clear();
    if (seen.length === 0 && options.json !== true) terminal.out("No lock is in range.\n");
  } finally {
    await reach.close();
  }
}

const DOOR_COLUMNS = 22;
const NEED_COLUMNS = 44;
const HEAD = `  ${padded("door", DOOR_COLUMNS)}${padded("needs", NEED_COLUMNS)}   signal`;

const nameOf = ({ is, door, lock }: SeenEvent): string =>
  is === "door" ? String(door) : is === "unowned" ? `unowned ${lock}` : "unknown lock";

const signalText = (signal: number | null): string => (signal === null ? "–" : `${signal} dBm`);

/** One line of the list, of 80 columns at most. */
function rowOf(seen: Seen): string {
  const event = seenEvent(seen);
  const name = padded(nameOf(event), DOOR_COLUMNS - 1);
  return `  ${name} ${padded(event.needs ?? "–", NEED_COLUMNS)} ${signalText(event.signal).padStart(8)}`;
}

function lineOf(event: SeenEvent | GoneEvent): string {
  if (event.event === "gone") return `${event.door ?? `radio ${event.radio}`}: not heard any more`;
  return `${nameOf(event)}: ${event.needs ?? "needs –"}, signal ${signalText(event.signal)}`;
}
