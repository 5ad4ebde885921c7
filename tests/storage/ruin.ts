// Damage beyond one bit: records, pages and sectors that are overwritten, sectors that cannot be read any more, and single reads of a
// mount that fail. The table still mounts, a slot that was hit is damaged, and nothing is ever an older truth, also not after housekeeping has gone once round.

import type { Table } from "../../firmware/core/storage/table";
import { type FaultPlan, FaultyNor } from "../../simulator/board/faulty-nor";
import { Noise } from "../../simulator/board/noise";
import { SECTOR_BYTES } from "../../simulator/board/nor";
import { PAGE_BYTES } from "../../simulator/board/power";
import { commandOf, isMine, type Job, type Progress } from "./job";
import { type Doubt, judge, unsoundSlots } from "./judge";
import { asViolation, Violation } from "./life";
import { type Summary, Tally } from "./summary";
import { nextWrite, perform, tableOn, updates } from "./workload";
import { type Lived, livedOf, referenceAfter, type Written } from "./world";

const UNIT = 16;
const TICKS = 4;
/** Every so many states are followed until each sector was erased once more; a prime, so that every kind of damage comes to it. */
const FOLLOWED = 23;
/** Updates after which every sector must have been erased, each. */
const UPDATES_A_SECTOR = 200;

/** Bytes that are ruined, and how: "unreadable" from now on, or overwritten; or, "once", the number of a read that fails. */
interface Damage {
  readonly at: number;
  readonly length: number;
  /** A name for the command line. */
  readonly how: string;
  readonly with: "garbage" | "zeros" | "unreadable" | "once";
}

/** Everything that is tried on a partition that mounts with so many reads. */
function damagesOf({ written, image }: Lived, reads: number): Damage[] {
  const damages: Damage[] = [];
  for (const { offset, length } of written)
    for (const fill of ["garbage", "zeros"] as const) {
      damages.push({ at: offset, length, how: `record-${fill}`, with: fill });
      damages.push({ at: offset, length: UNIT, how: `first-${fill}`, with: fill });
      if (length > UNIT)
        damages.push({ at: offset + length - UNIT, length: UNIT, how: `last-${fill}`, with: fill });
    }
  for (let at = 0; at < image.bytes.length; at += UNIT)
    damages.push({ at, length: UNIT, how: "block-garbage", with: "garbage" });
  for (let at = 0; at < image.bytes.length; at += PAGE_BYTES)
    for (const fill of ["garbage", "zeros"] as const)
      damages.push({ at, length: PAGE_BYTES, how: `page-${fill}`, with: fill });
  for (let at = 0; at < image.bytes.length; at += SECTOR_BYTES)
    for (const fill of ["garbage", "zeros", "unreadable"] as const)
      damages.push({ at, length: SECTOR_BYTES, how: `sector-${fill}`, with: fill });
  for (let at = 0; at < reads; at++) damages.push({ at, length: 0, how: "read-fails", with: "once" });
  return damages;
}

/** The faults of a flash that is damaged otherwise than in its bytes. */
function planOf(damage: Damage): FaultPlan {
  if (damage.with === "once") return { readErrors: [damage.at] };
  if (damage.with !== "unreadable") return {};
  return { sectors: [{ kind: "read-error", sector: damage.at / SECTOR_BYTES }] };
}

function isHit(record: Written | undefined, { at, length }: Damage): boolean {
  return record !== undefined && at < record.offset + record.length && record.offset < at + length;
}

class Ruiner {
  readonly tally = new Tally();
  readonly #job: Job;
  readonly #lived: Lived;
  /** The newest record of each slot; undefined for an empty one. */
  readonly #records: readonly (Written | undefined)[];
  /** How many reads a mount takes. */
  readonly #reads: number;

  constructor(job: Job) {
    this.#job = job;
    this.#lived = livedOf(job);
    const { flash, table } = this.#boot({});
    if (table.mount() !== "mounted") throw new Violation("mount", "the sound table");
    this.#reads = flash.reads;
    const byPlace = new Map(this.#lived.written.map((written) => [written.offset / UNIT, written]));
    const { index } = table;
    this.#records = Array.from({ length: index.slots }, (_, slot) => byPlace.get(index.place(slot)));
  }

  run(progress: Progress): void {
    const { only } = this.#job;
    const damages = damagesOf(this.#lived, this.#reads);
    damages.forEach((damage, number) => {
      const isMeant = only?.at === damage.at && (only.how ?? damage.how) === damage.how;
      if (only?.at === undefined ? !isMine(this.#job, number) : !isMeant) return;
      this.#ruin(damage);
      progress(number / damages.length, this.tally);
    });
  }

  #boot(plan: FaultPlan): { flash: FaultyNor; table: Table } {
    const flash = FaultyNor.boot(this.#lived.image, plan);
    return { flash, table: tableOn(flash, this.#lived.workload.size.profile) };
  }

  #ruin(damage: Damage): void {
    const { at, length, how } = damage;
    const { flash, table } = this.#boot(planOf(damage));
    const noise = new Noise(at, length, this.#job.seed);
    if (damage.with === "garbage" || damage.with === "zeros")
      for (let i = at; i < at + length; i++) flash.bytes[i] = damage.with === "zeros" ? 0 : noise.byte();
    this.tally.states++;
    try {
      const state = table.mount();
      if (state !== "mounted") throw new Violation("mount", state);
      if (flash.operations > 0) throw new Violation("mount-wrote", `${flash.operations} operations`);
      this.#judge(table, damage, "");
      if (table.applied === this.#lived.reference.applied) this.#goOn(flash, table, damage);
      else this.tally.note("position lost");
    } catch (error) {
      const { kind, message } = asViolation(error);
      const command = commandOf(this.#job, { at, how });
      this.tally.note(`broken by ${how}`);
      this.tally.violate(kind, `${how} at ${at}: ${message}`, command);
    }
  }

  /**
   * Nobody can tell the last record of a log, when it is ruined, from one that was never written entirely; so what it says, and that
   * alone, may be as it was before. Behind encryption that goes for all records on a ruined page at the end: cuts leave such pages, too.
   */
  #doubt(damage: Damage): Doubt | undefined {
    const { written, operations } = this.#lived;
    const isAnyPage = this.#job.mode === "scrambled" && damage.length <= PAGE_BYTES;
    const most = isAnyPage ? written.length : 1;
    let hit = 0;
    while (hit < most && isHit(written[written.length - 1 - hit], damage)) hit++;
    if (hit === 0) return undefined;
    const first = written[written.length - hit].operation;
    return { operations: operations.slice(first), before: referenceAfter(operations.slice(0, first)) };
  }

  #judge(table: Table, damage: Damage, when: string): void {
    const { damaged, differences } = judge(table, this.#lived.reference, this.#doubt(damage));
    if (differences.length > 0) {
      const [{ kind, text }] = differences;
      throw new Violation(kind, `${when}${text}, and ${differences.length - 1} more`);
    }
    const beside = damaged.filter((slot) => !isHit(this.#records[slot], damage)).length;
    this.tally.note("slots damaged", damaged.length);
    if (beside > 0) this.tally.note("slots damaged that were not hit", beside);
  }

  /** Housekeeping, a write and a boot; and, now and then, once round the ring. */
  #goOn(flash: FaultyNor, table: Table, damage: Damage): void {
    const { reference, workload } = this.#lived;
    const undo: (() => void)[] = [];
    const write = (operation: ReturnType<typeof nextWrite>): void => {
      for (let attempt = 0; !perform(table, operation); attempt++) {
        if (attempt === TICKS) throw new Violation("next-write", `${operation.op} is refused`);
        table.maintain();
      }
      undo.push(reference.apply(operation));
    };
    try {
      for (let tick = 0; tick < TICKS; tick++) table.maintain();
      write(nextWrite(reference, unsoundSlots(table)));
      if (this.tally.states % FOLLOWED === 0 || this.#job.only !== undefined)
        this.#goRound(flash, table, write);
      if (flash.nor.misuse !== undefined) throw new Violation("misuse", flash.nor.misuse.message);
      const later = tableOn(FaultyNor.boot(flash.image()), workload.size.profile);
      const state = later.mount();
      if (state !== "mounted") throw new Violation("mount after a reboot", state);
      this.#judge(later, damage, "after a reboot: ");
    } finally {
      while (undo.length > 0) undo.pop()!();
    }
  }

  /** Updates of slots that are sound, until every sector was erased. */
  #goRound(flash: FaultyNor, table: Table, write: (operation: ReturnType<typeof nextWrite>) => void): void {
    this.tally.note("followed once round");
    const { reference } = this.#lived;
    const sectors = flash.bytes.length / SECTOR_BYTES;
    const unsound = unsoundSlots(table);
    if (reference.occupied().every(({ slot }) => unsound.has(slot.slot))) return;
    let left = sectors * UPDATES_A_SECTOR;
    for (const operation of updates(reference, unsound)) {
      if (flash.nor.sectorErases.every((erases) => erases > 0)) return;
      if (left-- === 0) throw new Violation("stuck", "housekeeping does not go round");
      write(operation);
      if (left % TICKS === 0) table.maintain();
    }
  }
}

/** Tries this share of all damage. */
export function ruin(job: Job, progress: Progress): Summary {
  const ruiner = new Ruiner(job);
  ruiner.run(progress);
  return ruiner.tally.toSummary();
}
