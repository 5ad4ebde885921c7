// A rebase (rule S9): a whole new table is built beside the old one, which goes on deciding and taking deltas; one record swaps them.
// Interrupted at any point, the old one stands. Records of the new table are marked as staged; what was staged for an attempt that
// was given up is forgotten when another begins. The same swap, to a table with nothing in it, is how a lock is reset.

import { equal, getU32, putU32 } from "../../../protocol/wire/bytes";
import { type Entry, packEntry } from "../../../protocol/wire/entry";
import { SETTINGS } from "../../../protocol/wire/settings";
import { Purpose } from "./flash-log";
import { NOWHERE, State } from "./places";
import { markEntry, markStaged, putSchedule, putValue, Record, SLOT_COPY_BYTES, TAIL } from "./records";
import type { Table } from "./table";

/** How many bytes of the SHA-256 of an order tell it from others. */
export const ORDER_PRINT_BYTES = 8;
/** epoch (4) | base (4) | print (8) */
const ORDER_BYTES = 8 + ORDER_PRINT_BYTES;
/** swap: attempt (4) | the order that it was done for | 1 when the lock's own values go with the table */
const SWAP_BYTES = 5 + ORDER_BYTES;
const STANDING = 4;
const PENDING = STANDING + ORDER_BYTES;
/** rebase: attempt (4) | the order that stands | the order that is being followed, epoch 0 for none */
const VALUE_BYTES = PENDING + ORDER_BYTES;

/** What an order says of the table that it brings. */
export interface Order {
  /** The epoch of the new log; 0 for no order. */
  readonly epoch: number;
  /** The position at which that log begins. */
  readonly base: number;
  /** Tells the order from every other: {@link ORDER_PRINT_BYTES}. */
  readonly print: Uint8Array;
}

const NO_ORDER: Order = { epoch: 0, base: 0, print: new Uint8Array(ORDER_PRINT_BYTES) };

function putOrder(bytes: Uint8Array, at: number, { epoch, base, print }: Order): void {
  putU32(bytes, at, epoch);
  putU32(bytes, at + 4, base);
  bytes.set(print, at + 8);
}

function getOrder(bytes: Uint8Array, at: number): Order {
  return {
    epoch: getU32(bytes, at),
    base: getU32(bytes, at + 4),
    print: bytes.slice(at + 8, at + ORDER_BYTES),
  };
}

function isSame(a: Order, b: Order): boolean {
  return a.epoch === b.epoch && a.base === b.base && equal(a.print, b.print);
}

/** How staging an item ended; "taken" when another one is staged in its place. */
export type Staging = "staged" | "taken" | "refused";

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
  /** Whether a swap is not yet recorded anywhere but in its own record, which goes with its sector. */
  isUnsettled = false;
  /** Takes 2 bytes a slot, only while a rebase is under way. */
  staged: Staged | undefined;
  /** Swaps since this object was made, for whoever keeps something of the table. */
  swaps = 0;
  #attempt = 0;
  /** The order that brought the table that stands, and the one that is being followed. */
  #standing = NO_ORDER;
  #pending = NO_ORDER;
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** The epoch that the last rebase brought, 0 before the first. */
  get epoch(): number {
    return this.#standing.epoch;
  }

  /** The position at which the log of this table begins; 0 for one that no rebase brought. */
  get base(): number {
    return this.#standing.base;
  }

  /** The epoch of the table that is being built, 0 for none. */
  get pending(): number {
    return this.#pending.epoch;
  }

  /** Whether the table that stands is the one that this order brought. */
  isDone(order: Order): boolean {
    return order.epoch !== 0 && isSame(order, this.#standing);
  }

  /**
   * Begins to build the table of an order; goes on where that very order was begun already, also before a boot, unless something of it
   * is lost. Another one that was begun is given up. False when the flash refused.
   */
  begin(order: Order): boolean {
    if (isSame(order, this.#pending) && this.staged !== undefined && !this.isSpoilt) return true;
    if (!this.keep(this.#attempt + 1, order)) return false;
    this.staged = this.makeStaged();
    return true;
  }

  /** Gives up what was begun, if anything was: what it staged takes no room any more. Where the flash refuses, until the next boot. */
  giveUp(): void {
    if (this.pending === 0) return;
    this.keep(this.#attempt + 1, NO_ORDER);
    this.#pending = NO_ORDER;
    this.staged = undefined;
  }

  private keep(attempt: number, pending: Order): boolean {
    if (!this.#table.commitState(State.rebase, this.value(attempt, pending))) return false;
    this.#attempt = attempt;
    this.#pending = pending;
    return true;
  }

  private makeStaged(): Staged {
    const { slots, schedules } = this.#table.profile;
    return {
      slots: new Uint16Array(slots),
      schedules: new Uint16Array(schedules + 1),
      settings: new Uint16Array(SETTINGS),
    };
  }

  private value(attempt: number, pending: Order): Uint8Array {
    const value = new Uint8Array(VALUE_BYTES);
    putU32(value, 0, attempt);
    putOrder(value, STANDING, this.#standing);
    putOrder(value, PENDING, pending);
    return value;
  }

  /** Stages a slot of the new table; writes nothing where the same stands. "refused" when nothing is being built, or by the flash. */
  slot(entry: Entry): Staging {
    const { record } = this.#table;
    record.fill(0, 0, SLOT_COPY_BYTES);
    packEntry(entry, record, 0);
    markEntry(record, 0, Record.slotCopy, false);
    return this.stage(SLOT_COPY_BYTES, this.staged?.slots, entry.slot);
  }

  /** Stages a schedule. */
  schedule(id: number, windows: Uint32Array, count: number): Staging {
    const { record } = this.#table;
    const length = putSchedule(record, Record.scheduleCopy, id, windows, count);
    return this.stage(length, this.staged?.schedules, id);
  }

  /** Stages a setting. */
  setting(id: number, value: Uint8Array): Staging {
    const { record } = this.#table;
    return this.stage(putValue(record, Record.settingCopy, id, value), this.staged?.settings, id);
  }

  private stage(length: number, places: Uint16Array | undefined, id: number): Staging {
    if (places === undefined || id >= places.length) return "refused";
    const { record, log } = this.#table;
    markStaged(record, 0);
    if (places[id] !== 0) return this.stands(places, id, length);
    const location = log.append(record, length);
    places[id] = location;
    return location > 0 ? "staged" : "refused";
  }

  /** Whether the record at hand is staged at a place already, but for what the log puts in. */
  private stands(places: Uint16Array, id: number, length: number): Staging {
    const { record } = this.#table;
    const there = new Uint8Array(record.length);
    const found = this.read(places, id, there);
    // Of one that is lost nobody knows what it was.
    if (found === 0) return "refused";
    const end = length - TAIL;
    return found === length && equal(there.subarray(0, end), record.subarray(0, end)) ? "staged" : "taken";
  }

  /**
   * Swaps the tables: from here on the new one decides, its log stands at the base of its order, and the use of credentials counts
   * from the beginning; the chain head is for the caller to set. Shows the record of each new slot to `see` first. False, and nothing has
   * changed, when that does not want it, the flash refused, or a staged record cannot be read any more.
   */
  commit(see?: (slot: Uint8Array) => boolean): boolean {
    const { staged } = this;
    const order = this.#pending;
    if (staged === undefined || order.epoch === 0 || !this.isWhole(staged, see)) return false;
    if (!this.commitSwap(this.#attempt, order, false, Purpose.ordinary)) return false;
    this.end(order);
    this.#table.adopt(staged, order.base);
    return true;
  }

  /**
   * Swaps to a table with nothing in it, in one record that always fits (rule X11): no slot, schedule or setting, and of the lock's own
   * values only those that outlive an owner. The epoch stays, its log stands at 0. False when the flash refused.
   */
  clear(): boolean {
    const order: Order = { epoch: this.epoch, base: 0, print: NO_ORDER.print };
    if (!this.commitSwap(this.#attempt + 1, order, true, Purpose.removal)) return false;
    this.#attempt++;
    this.end(order);
    this.#table.adopt(this.makeStaged(), 0);
    this.#table.forgetOwn();
    return true;
  }

  private commitSwap(attempt: number, order: Order, isClear: boolean, purpose: number): boolean {
    const value = new Uint8Array(SWAP_BYTES);
    putU32(value, 0, attempt);
    putOrder(value, STANDING, order);
    value[STANDING + ORDER_BYTES] = isClear ? 1 : 0;
    return this.#table.commitState(State.swap, value, purpose);
  }

  /** Whether every staged record can still be read, and `see` wants the slots among them. */
  private isWhole(staged: Staged, see?: (slot: Uint8Array) => boolean): boolean {
    const { record } = this.#table;
    for (const places of placesOf(staged))
      for (let id = 0; id < places.length; id++) {
        if (places[id] === 0) continue;
        if (this.read(places, id, record) === 0) return false;
        if (see !== undefined && places === staged.slots && !see(record)) return false;
      }
    return true;
  }

  /** Reads a staged record; returns its length, 0 when it is lost. */
  private read(places: Uint16Array, id: number, into: Uint8Array): number {
    const length = places[id] === NOWHERE ? 0 : this.#table.log.read(places[id], into);
    if (length === 0) places[id] = NOWHERE;
    return length;
  }

  /** Whether something that was staged, or may have been, is lost: then the table must be built anew. */
  get isSpoilt(): boolean {
    return this.staged !== undefined && placesOf(this.staged).some((places) => places.includes(NOWHERE));
  }

  private end(order: Order): void {
    this.#standing = order;
    this.#pending = NO_ORDER;
    this.staged = undefined;
    this.isUnsettled = true;
    this.swaps++;
  }

  /** Records the order for good: the swap's own record goes with its sector. False when the flash refused. */
  settle(): boolean {
    const { states } = this.#table.places;
    const value = this.value(this.#attempt, this.#pending);
    if (!this.#table.commitState(State.rebase, value, Purpose.compaction)) return false;
    states[State.swap] = 0;
    this.isUnsettled = false;
    return true;
  }

  // ---- mounting

  /** A staged record that stands at `location`; `group` says of what kind. */
  visitStaged(group: keyof Staged, id: number, location: number): void {
    this.staged ??= this.makeStaged();
    const places = this.staged[group];
    if (id < places.length) places[id] = location;
  }

  /**
   * What is recorded of a rebase, as its value begins at `at`: another attempt than before forgets what was staged. Returns whether it
   * tells of a swap that was not seen: its record is lost.
   */
  visitValue(record: Uint8Array, at: number): boolean {
    const attempt = getU32(record, at);
    const pending = getOrder(record, at + PENDING);
    const isKnown = attempt === this.#attempt;
    const isSettled = pending.epoch === 0 && isKnown;
    const isMissed = isSettled && this.pending !== 0;
    if (!isKnown || isMissed) this.staged = undefined;
    if (isSettled) this.#table.places.states[State.swap] = 0;
    // Moved on by a compaction it may come after the swap of its own attempt, which says more.
    if (isKnown && this.isUnsettled && !isSettled) return false;
    this.#attempt = attempt;
    this.#standing = getOrder(record, at + STANDING);
    this.#pending = pending;
    this.isUnsettled = false;
    if (pending.epoch !== 0) this.staged ??= this.makeStaged();
    return isMissed;
  }

  /** What begins an attempt is lost: what was staged may be of different ones. */
  visitLost(): void {
    if (this.staged === undefined) return;
    for (const places of placesOf(this.staged))
      for (let id = 0; id < places.length; id++) if (places[id] !== 0) places[id] = NOWHERE;
  }

  /** A swap: what was staged is the table now. Undefined for one to a table with nothing in it. */
  visitSwap(record: Uint8Array, at: number): Staged | undefined {
    const isClear = isClearing(record, at);
    const staged = isClear ? undefined : (this.staged ?? this.makeStaged());
    this.#attempt = getU32(record, at);
    this.end(getOrder(record, at + STANDING));
    return staged;
  }
}

/** Whether the swap whose value begins at `at` takes the lock's own values with the table. */
export function isClearing(record: Uint8Array, at: number): boolean {
  return record[at + STANDING + ORDER_BYTES] !== 0;
}
