// One life of a table after something happened to its flash: it boots, is compared, goes on, and is compared once more after another
// boot. The rules it is held to are those of a cut: it mounts and writes nothing by that, what was in flight is there entirely or not
// at all, everything else is exact, no damage is reported, and the next write works and lasts.

import type { Table } from "../../firmware/core/storage/table";
import { type FaultPlan, FaultyNor } from "../../simulator/board/faulty-nor";
import type { NorImage } from "../../simulator/board/tear";
import { type Difference, difference, slotDiffers } from "./judge";
import type { Operation, ReferenceTable } from "./reference-table";
import { nextWrite, perform, SIZES, type SizeName, tableOn } from "./workload";

/**
 * All slots were compared before a table recovers. After that every so many are, and those that were written: that none is missing,
 * too many or damaged is told by what the table counts.
 */
const SPARED_SLOTS = 8;
/** Steps of housekeeping after a boot, before what was in flight is done again. */
const TICKS = 4;

/** A rule that was broken. */
export class Violation extends Error {
  readonly kind: string;

  constructor(kind: string, text: string) {
    super(text);
    this.kind = kind;
  }
}

/** What was thrown, as a rule that was broken: no exception ever leaves a table. */
export function asViolation(error: unknown): Violation {
  if (error instanceof Violation) return error;
  const lines = error instanceof Error ? (error.stack ?? error.message).split("\n") : [String(error)];
  return new Violation("exception", lines.slice(0, 4).join(" "));
}

export class Life {
  readonly flash: FaultyNor;
  readonly table: Table;
  /** How many operations in flight are known to be done. */
  confirmed = 0;
  readonly #size: SizeName;
  readonly #reference: ReferenceTable;
  readonly #undo: (() => void)[] = [];
  /** Slots that were put or changed in this life. */
  readonly #written: number[] = [];

  /** `reference` is what was there before the operations in flight; {@link end} leaves it as it was. */
  constructor(image: NorImage, size: SizeName, reference: ReferenceTable, plan: FaultPlan = {}) {
    this.#size = size;
    this.#reference = reference;
    this.flash = FaultyNor.boot(image, plan);
    this.table = tableOn(this.flash, SIZES[size].profile);
  }

  /** Mounts. Throws a {@link Violation} when that fails, or writes. */
  mount(): void {
    const state = this.table.mount();
    if (state !== "mounted") throw new Violation("mount", state);
    if (this.flash.operations > 0) throw new Violation("mount-wrote", `${this.flash.operations} operations`);
  }

  /** Finds how many of the operations in flight took, at least `least`. Throws a {@link Violation} when no number of them fits. */
  settle(pending: readonly Operation[], least: number): void {
    let found: Difference | undefined;
    for (let taken = 0; taken <= pending.length; taken++) {
      if (taken > 0) this.#undo.push(this.#reference.apply(pending[taken - 1]));
      if (taken < least) continue;
      const differs = difference(this.table, this.#reference);
      if (differs === undefined) {
        this.confirmed = taken;
        this.#expectNoDamage();
        return;
      }
      // Whatever took, the position tells how much; another difference says more.
      if (found === undefined || found.kind === "position") found = differs;
    }
    throw new Violation(found!.kind, found!.text);
  }

  #expectNoDamage(): void {
    const { log, index } = this.table;
    if (log.damage + index.damaged > 0)
      throw new Violation("damage-reported", `${log.damage} records, ${index.damaged} slots`);
  }

  /** Housekeeping, what was in flight, one more write, housekeeping. Returns that write. */
  recover(pending: readonly Operation[]): Operation {
    for (let tick = 0; tick < TICKS; tick++) this.table.maintain();
    for (const operation of pending.slice(this.confirmed)) this.#do(operation);
    const next = nextWrite(this.#reference);
    this.#do(next);
    this.table.maintain();
    const { misuse } = this.flash.nor;
    if (misuse !== undefined) throw new Violation("misuse", misuse.message);
    return next;
  }

  #do(operation: Operation): void {
    if (!perform(this.table, operation)) throw new Violation("next-write", `${operation.op} is refused`);
    this.#undo.push(this.#reference.apply(operation));
    this.confirmed++;
    if (operation.op === "put" || operation.op === "change") this.#written.push(operation.content.slot);
  }

  /** Boots again: everything must still be there. */
  reboot(): void {
    const again = new Life(this.flash.image(), this.#size, this.#reference);
    again.mount();
    const differs =
      difference(again.table, this.#reference, { every: SPARED_SLOTS }) ?? this.#lastDiffers(again);
    if (differs !== undefined) throw new Violation(`${differs.kind} after a reboot`, differs.text);
    again.#expectNoDamage();
  }

  /** What was written last is looked at in any case. */
  #lastDiffers({ table }: Life): Difference | undefined {
    for (const slot of this.#written) {
      const differs = slotDiffers(table, slot, this.#reference.slots[slot]);
      if (differs !== undefined) return differs;
    }
    return undefined;
  }

  /** Takes back what was done to the reference. */
  end(): void {
    while (this.#undo.length > 0) this.#undo.pop()!();
  }
}
