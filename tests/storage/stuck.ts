// Sectors that fail while a table is in use: one of them from some moment on, or all of them as they wear out. Whatever the table took
// is there after the next boot, or said to be damaged; what it could not take it refused.

import type { Table } from "../../firmware/core/storage/table";
import { Code } from "../../protocol/wire/codes";
import { FAULT_KINDS, type FaultPlan, FaultyNor } from "../../simulator/board/faulty-nor";
import { SECTOR_BYTES } from "../../simulator/board/nor";
import { commandOf, isMine, type Job, type Only, type Progress } from "./job";
import { judge } from "./judge";
import { asViolation, Violation } from "./life";
import { isDelta, type Operation, type ReferenceTable } from "./reference-table";
import { type Summary, Tally } from "./summary";
import { perform, tableOn, updates } from "./workload";
import { bootWorld, performAll, referenceAfter, type Setting, settingOf } from "./world";

/** From so many moments of the workload on a sector fails, evenly spread. */
const ONSETS = 8;
/** So often housekeeping is done, and the same asked again, before a refusal is taken for an answer. */
const TRIES = 4;
/** Erases after which a sector is worn out. */
const LIFETIMES = [1, 2, 3, 5];
/** Updates to wear all sectors out with: a sector is erased about once in sixty of them. */
const UPDATES_A_SECTOR = 100;

/** What an operation says something of: a later one of the same kind makes an earlier one that was refused irrelevant. */
function subjectOf(operation: Operation): string {
  if (isDelta(operation)) return "delta";
  return operation.op === "use"
    ? `use ${operation.slot}`
    : operation.op === "state"
      ? `state ${operation.id}`
      : "";
}

/** A table on failing flash. */
class Failing {
  readonly #setting: Setting;
  readonly #flash: FaultyNor;
  readonly #reference: ReferenceTable;
  readonly #tally: Tally;
  #table: Table;
  /** What was refused, by its subject: it may or may not have taken. */
  readonly #refused = new Map<string, Operation>();

  constructor(setting: Setting, plan: FaultPlan, tally: Tally) {
    this.#setting = setting;
    this.#tally = tally;
    this.#flash = FaultyNor.boot(setting.image, plan);
    this.#reference = referenceAfter(setting.before);
    this.#table = this.#boot();
  }

  #boot(): Table {
    const table = tableOn(this.#flash, this.#setting.workload.size.profile);
    const state = table.mount();
    if (state !== "mounted") throw new Violation("mount", state);
    return table;
  }

  get reference(): ReferenceTable {
    return this.#reference;
  }

  /** Does operations until a delta is refused for good: then the lock says so, and its issuer never goes past it. */
  perform(operations: Iterable<Operation>, most = Number.POSITIVE_INFINITY): boolean {
    let done = 0;
    for (const wanted of operations) {
      if (done++ >= most) return true;
      const operation = this.#asLockWould(wanted);
      if (operation === undefined) continue;
      if (this.#try(operation)) {
        this.#refused.delete(subjectOf(operation));
        this.#reference.apply(operation);
        continue;
      }
      this.#refused.set(subjectOf(operation), operation);
      this.#tally.note(`refused for good: ${isDelta(operation) ? "a delta" : operation.op}`);
      if (isDelta(operation)) return false;
    }
    return true;
  }

  /** What a lock does when it is asked for this: nobody uses a slot that is damaged, and a change of it is refused. */
  #asLockWould(operation: Operation): Operation | undefined {
    const slot =
      operation.op === "use"
        ? operation.slot
        : operation.op === "change"
          ? operation.content.slot
          : undefined;
    if (slot === undefined || this.#table.load(slot) === "ok") return operation;
    if (!isDelta(operation)) return undefined;
    return { op: "refuse", code: Code.staleGeneration, detail: 0, seq: operation.seq, head: operation.head };
  }

  #try(operation: Operation): boolean {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (perform(this.#table, operation)) return true;
      this.#table.maintain();
    }
    return false;
  }

  /** Judges the table as it runs, then boots it and judges it again. False when nothing can go on behind. */
  reboot(): boolean {
    this.#judge("before a boot");
    this.#table = this.#boot();
    const delta = this.#refused.get("delta");
    // A delta that was refused, and is found applied all the same, is one that was applied.
    if (delta !== undefined && isDelta(delta) && this.#table.applied === delta.seq) {
      this.#reference.apply(delta);
      this.#refused.delete("delta");
    }
    this.#judge("after a boot");
    return this.#table.applied === this.#reference.applied;
  }

  #judge(when: string): void {
    const doubt = { operations: [...this.#refused.values()], before: this.#reference };
    const { damaged, differences } = judge(this.#table, this.#reference, doubt);
    if (damaged.length > 0) this.#tally.note(`tables with damaged slots ${when}`);
    if (differences.length > 0) {
      const [{ kind, text }] = differences;
      throw new Violation(kind, `${when}: ${text}, and ${differences.length - 1} more`);
    }
    const { misuse } = this.#flash.nor;
    if (misuse !== undefined) throw new Violation("misuse", misuse.message);
  }
}

/** Lives a case, and notes which rule it broke. */
function live(job: Job, tally: Tally, only: Only, plan: FaultPlan, work: (table: Failing) => void): void {
  tally.states++;
  try {
    work(new Failing(settingOf(job), plan, tally));
  } catch (error) {
    const { kind, message } = asViolation(error);
    tally.violate(kind, message, commandOf(job, only));
  }
}

const isMeant = (wanted: Only | undefined, case_: Only): boolean =>
  Object.entries(case_).every(([name, value]) => (wanted?.[name as keyof Only] ?? value) === value);

/** How many operations the workload does on sound flash. */
function operationsOf(job: Job): number {
  const { flash, table } = bootWorld(job, {});
  performAll(table, settingOf(job).operations);
  return flash.operations;
}

/** Each sector stuck in each way from each of some moments on, with a boot half way and one at the end. */
export function stuck(job: Job, progress: Progress): Summary {
  const tally = new Tally();
  const { operations, image } = settingOf(job);
  const sectors = image.bytes.length / SECTOR_BYTES;
  const total = operationsOf(job);
  const half = Math.floor(operations.length / 2);
  for (let number = 0; number < sectors * FAULT_KINDS.length * ONSETS; number++) {
    const sector = Math.floor(number / FAULT_KINDS.length / ONSETS);
    const kind = FAULT_KINDS[Math.floor(number / ONSETS) % FAULT_KINDS.length];
    const onset = Math.floor((total * (number % ONSETS)) / ONSETS);
    const only = { sector, kind, onset };
    if (job.only?.sector === undefined ? !isMine(job, number) : !isMeant(job.only, only)) continue;
    live(job, tally, only, { sectors: [{ sector, kind, from: onset }] }, (table) => {
      const goesOn = table.perform(operations.slice(0, half));
      if (table.reboot() && goesOn) table.perform(operations.slice(half));
      table.reboot();
    });
    progress(number / (sectors * FAULT_KINDS.length * ONSETS), tally);
  }
  return tally.toSummary();
}

/** All sectors wear out, each after so many erases, in each way. */
export function wear(job: Job, progress: Progress): Summary {
  const tally = new Tally();
  const sectors = settingOf(job).image.bytes.length / SECTOR_BYTES;
  for (let number = 0; number < LIFETIMES.length * FAULT_KINDS.length; number++) {
    const erases = LIFETIMES[Math.floor(number / FAULT_KINDS.length)];
    const kind = FAULT_KINDS[number % FAULT_KINDS.length];
    if (job.only?.erases === undefined ? !isMine(job, number) : !isMeant(job.only, { erases, kind }))
      continue;
    live(job, tally, { erases, kind }, { wear: { erases, kind } }, (table) => {
      const most = (erases + 1) * sectors * UPDATES_A_SECTOR;
      if (table.perform(updates(table.reference, new Set()), most)) tally.note("outlived");
      table.reboot();
    });
    progress(number / (LIFETIMES.length * FAULT_KINDS.length), tally);
  }
  return tally.toSummary();
}
