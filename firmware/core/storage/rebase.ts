// A rebase (rule S9): a whole new table is built beside the old one, which goes on deciding and taking deltas; one record swaps them.
// Interrupted at any point, the old one stands. Records of the new table are marked as staged; what was staged for an attempt that
// was given up is forgotten when another begins.

import { getU32, putU32 } from "../../../protocol/wire/bytes";
import { type Entry, packEntry } from "../../../protocol/wire/entry";
import { SETTINGS } from "../../../protocol/wire/settings";
import { Purpose } from "./flash-log";
import { NOWHERE, State } from "./places";
import { markEntry, markStaged, putSchedule, putValue, Record, SLOT_COPY_BYTES } from "./records";
import type { Table } from "./table";

/** attempt (4) | epoch that stands (4) | epoch that is being built, 0 for none (4) */
const VALUE_BYTES = 12;

/** Where the records of a table that is being built stand; 0 for none, {@link NOWHERE} for one that is lost. */
export interface Staged {
  readonly slots: Uint16Array;
  readonly schedules: Uint16Array;
  readonly settings: Uint16Array;
}

/** All places of what is staged, by kind. */
export function placesOf({ slots, schedules, settings }: Staged): readonly Uint16Array[] {
  return [slots, schedules, settings];
}

export class Rebase {
  /** The epoch that the last rebase brought, 0 before the first. */
  epoch = 0;
  /** The epoch of the table that is being built, 0 for none. */
  pending = 0;
  /** Whether a swap is not yet recorded anywhere but in its own record, which goes with its sector. */
  isUnsettled = false;
  /** Takes 2 bytes a slot, only while a rebase is under way. */
  staged: Staged | undefined;
  #attempt = 0;
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /**
   * Begins to build the table of `epoch`; goes on where that epoch was begun already, also before a boot, unless something of it is
   * lost. Another one that was begun is given up. False when the flash refused.
   */
  begin(epoch: number): boolean {
    if (this.pending === epoch && this.staged !== undefined && !isSpoilt(this.staged)) return true;
    if (!this.#table.commitState(State.rebase, this.#value(this.#attempt + 1, this.epoch, epoch)))
      return false;
    this.#attempt++;
    this.pending = epoch;
    this.staged = this.#makeStaged();
    return true;
  }

  #makeStaged(): Staged {
    const { slots, schedules } = this.#table.profile;
    return {
      slots: new Uint16Array(slots),
      schedules: new Uint16Array(schedules + 1),
      settings: new Uint16Array(SETTINGS),
    };
  }

  #value(attempt: number, epoch: number, pending: number): Uint8Array {
    const value = new Uint8Array(VALUE_BYTES);
    putU32(value, 0, attempt);
    putU32(value, 4, epoch);
    putU32(value, 8, pending);
    return value;
  }

  /** Stages a slot of the new table. False when nothing is being built, or the flash refused. */
  slot(entry: Entry): boolean {
    const { record } = this.#table;
    record.fill(0, 0, SLOT_COPY_BYTES);
    packEntry(entry, record, 0);
    markEntry(record, 0, Record.slotCopy, false);
    return this.#stage(SLOT_COPY_BYTES, this.staged?.slots, entry.slot);
  }

  /** Stages a schedule. */
  schedule(id: number, windows: Uint32Array, count: number): boolean {
    const { record } = this.#table;
    const length = putSchedule(record, Record.scheduleCopy, id, windows, count);
    return this.#stage(length, this.staged?.schedules, id);
  }

  /** Stages a setting. */
  setting(id: number, value: Uint8Array): boolean {
    const { record } = this.#table;
    return this.#stage(putValue(record, Record.settingCopy, id, value), this.staged?.settings, id);
  }

  #stage(length: number, places: Uint16Array | undefined, id: number): boolean {
    if (places === undefined || id >= places.length) return false;
    const { record, log } = this.#table;
    markStaged(record, 0);
    const location = log.append(record, length);
    if (location > 0) places[id] = location;
    return location > 0;
  }

  /**
   * Swaps the tables: from here on the new one decides, its log stands at position 0 of its epoch, and the use of credentials counts
   * from the beginning. False, and nothing has changed, when the flash refused or a staged record cannot be read any more.
   */
  commit(): boolean {
    const { staged, pending } = this;
    const table = this.#table;
    if (staged === undefined || pending === 0 || !this.#isWhole(staged)) return false;
    if (!table.commitState(State.swap, this.#value(this.#attempt, pending, 0))) return false;
    table.adopt(staged);
    this.#end(pending);
    return true;
  }

  /** Whether every staged record can still be read. */
  #isWhole(staged: Staged): boolean {
    const { log, record } = this.#table;
    for (const places of placesOf(staged))
      for (const place of places)
        if (place !== 0 && (place === NOWHERE || log.read(place, record) === 0)) return false;
    return true;
  }

  #end(epoch: number): void {
    this.epoch = epoch;
    this.pending = 0;
    this.staged = undefined;
    this.isUnsettled = true;
  }

  /** Records the epoch for good: the swap's own record goes with its sector. False when the flash refused. */
  settle(): boolean {
    const { states } = this.#table.places;
    const value = this.#value(this.#attempt, this.epoch, this.pending);
    if (!this.#table.commitState(State.rebase, value, Purpose.compaction)) return false;
    states[State.swap] = 0;
    this.isUnsettled = false;
    return true;
  }

  // ---- mounting

  /** A staged record that stands at `location`; `group` says of what kind. */
  visitStaged(group: keyof Staged, id: number, location: number): void {
    this.staged ??= this.#makeStaged();
    const places = this.staged[group];
    if (id < places.length) places[id] = location;
  }

  /** What is recorded of a rebase, as its value begins at `at`: another attempt than before forgets what was staged. */
  visitValue(record: Uint8Array, at: number): void {
    const attempt = getU32(record, at);
    const pending = getU32(record, at + 8);
    const isSettled = pending === 0 && attempt === this.#attempt;
    if (attempt !== this.#attempt) this.staged = undefined;
    if (isSettled) this.#table.places.states[State.swap] = 0;
    // Moved on by a compaction it may come after the swap of its own attempt, which says more.
    if (attempt === this.#attempt && this.isUnsettled && !isSettled) return;
    this.#attempt = attempt;
    this.epoch = getU32(record, at + 4);
    this.pending = pending;
    this.isUnsettled = false;
    if (pending !== 0) this.staged ??= this.#makeStaged();
  }

  /** What begins an attempt is lost: what was staged may be of different ones. */
  visitLost(): void {
    if (this.staged === undefined) return;
    for (const places of placesOf(this.staged))
      for (let id = 0; id < places.length; id++) if (places[id] !== 0) places[id] = NOWHERE;
  }

  /** A swap: what was staged is the table now. */
  visitSwap(record: Uint8Array, at: number): Staged {
    const staged = this.staged ?? this.#makeStaged();
    this.#attempt = getU32(record, at);
    this.#end(getU32(record, at + 4));
    return staged;
  }
}

/** Whether something that was staged, or may have been, is lost. */
function isSpoilt(staged: Staged): boolean {
  return placesOf(staged).some((places) => places.includes(NOWHERE));
}
