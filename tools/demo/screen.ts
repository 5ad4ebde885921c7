// What a person sees while the day runs: progress bars per door that count acknowledged deltas, each attempt with its reason, and the
// table at the end. Bars only on a terminal; elsewhere a line for each door that is done.

import { MultiBar, type SingleBar } from "cli-progress";
import type { LockReport } from "../../protocol/issuer/report";
import { columns } from "../ui/table";
import type { Colours, Terminal } from "../ui/terminal";
import type { VirtualDoor } from "./building";
import type { Attempt } from "./day";
import type { Step } from "./script";
import type { DoorSummary, Summary } from "./summary";

/** Deltas that a lock still needs, as far as they are known: signed ones without an ack, and wishes that are not signed. */
function remaining(report: LockReport): number {
  return report.signed - report.acknowledged + (report.isSettled ? 0 : report.counts.pending);
}

export class Screen {
  readonly #terminal: Terminal;
  readonly #colours: Colours;
  readonly #live: boolean;
  readonly #quiet: boolean;
  #bars: MultiBar | undefined;
  readonly #barOf = new Map<VirtualDoor, SingleBar>();
  readonly #startOf = new Map<VirtualDoor, number>();
  /** Lines that wait until the bars are done. */
  #later: string[] = [];

  /** `live` draws bars; `quiet` shows nothing at all. */
  constructor(terminal: Terminal, live: boolean, quiet: boolean) {
    this.#terminal = terminal;
    this.#colours = terminal.colours;
    this.#live = live;
    this.#quiet = quiet;
  }

  line(text: string): void {
    if (this.#quiet) return;
    if (this.#bars === undefined) this.#terminal.out(`${text}\n`);
    else this.#later.push(text);
  }

  /** A delivery begins for these doors. */
  syncing(doors: readonly VirtualDoor[], reportOf: (door: VirtualDoor) => LockReport): void {
    for (const door of doors) this.#startOf.set(door, reportOf(door).acknowledged);
    if (!this.#live || this.#quiet) return;
    this.#bars = new MultiBar({
      format: "  {door} {bar} {value}/{total} acknowledged",
      barsize: 30,
      hideCursor: true,
      clearOnComplete: false,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      emptyOnZero: true,
    });
    for (const door of doors) {
      const left = remaining(reportOf(door));
      if (left > 0) this.#barOf.set(door, this.#bars.create(left, 0, { door: door.row.door.padEnd(18) }));
    }
  }

  /** A receipt of a door was verified. */
  progress(door: VirtualDoor, report: LockReport): void {
    const bar = this.#barOf.get(door);
    if (bar === undefined) return;
    const done = report.acknowledged - (this.#startOf.get(door) ?? 0);
    bar.setTotal(done + remaining(report));
    bar.update(done);
  }

  /** The delivery is over. */
  synced(doors: readonly VirtualDoor[], reportOf: (door: VirtualDoor) => LockReport): void {
    this.#bars?.stop();
    this.#bars = undefined;
    this.#barOf.clear();
    for (const line of this.#later) this.line(line);
    this.#later = [];
    if (this.#live) return;
    for (const door of doors) {
      const report = reportOf(door);
      const done = report.acknowledged - (this.#startOf.get(door) ?? 0);
      const left = remaining(report);
      if (done > 0 || left > 0)
        this.line(`  ${door.row.door.padEnd(18)} ${done} of ${done + left} deltas acknowledged`);
    }
  }

  /** A step that is no attempt; a master is not shown. */
  step(step: Step, time: string): void {
    const { bold } = this.#colours;
    const value = step.action === "master" ? "" : step.value;
    const what = [step.action, step.door, step.who, value].filter((word) => word !== "").join(" ");
    this.line(`${time}  ${bold(what)}`);
  }

  attempt({ step, reason, opened, wait }: Attempt, time: string): void {
    const { green, red } = this.#colours;
    const who = (step.who || "a stranger").padEnd(13);
    const verdict = opened ? green("granted") : red("refused");
    const waits = wait > 0 && step.action === "pin" ? `, wait ${Math.ceil(wait)} s` : "";
    const why = reason === "granted" ? "" : `  ${reason}${waits}`;
    this.line(`${time}  ${step.door.padEnd(17)} ${who} ${step.action.padEnd(5)} ${verdict}${why}`);
  }

  summary(summary: Summary): void {
    const { green, red, bold } = this.#colours;
    const rows = summary.doors.map((door) => [
      door.door,
      `${door.slots}/${door.capacity}`,
      String(door.applied),
      String(door.confirmed),
      String(door.removed),
      failures(door),
      door.digestsEqual ? green("yes") : red("NO"),
    ]);
    const head = ["door", "slots", "applied", "confirmed", "removed", "failed", "equal"];
    this.line("");
    this.line(columns(head, rows, [1, 2, 3, 4], this.#colours).trimEnd());
    const { granted, refused } = summary.attempts;
    this.line("");
    this.line(`${granted + refused} attempts at the doors: ${granted} granted, ${refused} refused.`);
    for (const difference of summary.differences) this.line(red(`not as expected: ${difference}`));
    this.line(summary.ok ? green(bold("Everything ended as expected.")) : red(bold("Not as expected.")));
  }
}

/** `1 capacity, 2 unsupported` */
function failures({ failed }: DoorSummary): string {
  const counts = new Map<string, number>();
  for (const { code } of failed) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts.size === 0 ? "–" : [...counts].map(([code, number]) => `${number} ${code}`).join(", ");
}
