// Mounting the table: what each record of the log means for the index, oldest first, and what a record that is missing means. Reads
// only; what it needs of every slot once is gone when it ends. A flipped or lost record must never turn into an older truth.

import { getU16, getU24 } from "../../../protocol/wire/bytes";
import { Code } from "../../../protocol/wire/codes";
import { ENTRY_TAG } from "../../../protocol/wire/entry";
import { HEAD_BYTES } from "../../../protocol/wire/limits";
import type { LogVisitor, MountState } from "./flash-log";
import { NOWHERE } from "./places";
import {
  ACK_BYTES,
  ACKS_HEAD,
  CRC_BYTES,
  commits,
  HEAD,
  POSITION_BYTES,
  Record,
  recordType,
  slotOf,
  wasInstalled,
} from "./records";
import type { Table } from "./table";

const NOTHING = new Uint8Array(0);

export class TableMount implements LogVisitor {
  readonly #table: Table;
  /** Of each slot's newest tag the first byte, and the digits of its PIN; let go when the mount ends. */
  #buckets: Uint8Array;
  #digits: Uint8Array;
  /** Slots whose records may have been those that a gap in the positions misses. */
  readonly #suspects: number[] = [];

  constructor(table: Table) {
    this.#table = table;
    this.#buckets = new Uint8Array(table.profile.slots);
    this.#digits = new Uint8Array(table.profile.slots);
  }

  /** Reads the whole log into the table, which is empty. */
  mount(): MountState {
    const table = this.#table;
    const state = table.log.mount(this);
    if (state !== "mounted") return state;
    const tag = new Uint8Array(2);
    for (let slot = 0; slot < table.profile.slots; slot++) {
      if (table.index.place(slot) === 0 || table.index.isDamaged(slot)) continue;
      tag[0] = this.#buckets[slot];
      tag[1] = table.index.fingerprint(slot);
      table.index.link(slot, tag, 0);
      if (this.#digits[slot] > 0) table.pins[this.#digits[slot]]++;
    }
    this.#buckets = this.#digits = NOTHING;
    for (const place of table.places.schedules) if (place !== 0) table.schedules++;
    return state;
  }

  visit(record: Uint8Array, offset: number, length: number, location: number): void {
    const { places } = this.#table;
    const type = recordType(record, offset);
    if (commits(type)) this.#visitPosition(record, offset, length, location);
    switch (type) {
      case Record.slot:
      case Record.slotCopy:
        this.#visitSlot(record, offset, location);
        break;
      case Record.schedule:
      case Record.scheduleCopy:
        if (record[offset + 2] <= this.#table.profile.schedules)
          places.schedules[record[offset + 2]] = record[offset + 3] === 0 ? 0 : location;
        break;
      case Record.setting:
      case Record.settingCopy:
        if (record[offset + 2] < places.settings.length) places.settings[record[offset + 2]] = location;
        break;
      case Record.removal:
        for (let slot = 0; slot < this.#table.profile.slots; slot++)
          if ((record[offset + HEAD + 2 + (slot >> 3)] >> (slot & 7)) & 1)
            this.#table.index.setPlace(slot, 0);
        break;
      case Record.outcome:
        this.#visitOutcome(record, offset);
        break;
      case Record.acks:
        this.#visitAcks(record, offset, location);
        break;
      case Record.usage:
        if (record[offset + 2] < places.usage.length) places.usage[record[offset + 2]] = location;
        break;
      case Record.state:
        if (record[offset + 2] < places.states.length) places.states[record[offset + 2]] = location;
        break;
    }
  }

  visitDamage(record: Uint8Array, offset: number, whole: boolean): void {
    const { places } = this.#table;
    const type = recordType(record, offset);
    const slot = slotOf(record, offset);
    const isKnown = slot < this.#table.profile.slots;
    if (type === Record.slot && isKnown) this.#suspects.push(slot);
    // A commit that is missing shows in the positions behind it, and a write that was cut means nothing.
    if (!whole || commits(type)) return;
    if (type === Record.slotCopy && isKnown && this.#table.index.place(slot) === 0) {
      this.#condemn(slot);
      return;
    }
    // Uses that were counted once are never uncounted: the slots of the group are denied.
    if (type === Record.usage && record[offset + 2] < places.usage.length)
      places.usage[record[offset + 2]] = NOWHERE;
    this.#table.log.damage++;
  }

  #condemn(slot: number): void {
    this.#table.index.setPlace(slot, NOWHERE, true);
    this.#table.log.damage++;
  }

  #visitPosition(record: Uint8Array, offset: number, length: number, location: number): void {
    const at = offset + length - CRC_BYTES - POSITION_BYTES;
    const seq = getU24(record, at);
    if (seq > this.#table.applied) this.#visitNext(seq);
    if (seq === this.#table.applied) this.#table.head.set(record.subarray(at + 3, at + 3 + HEAD_BYTES));
    const type = recordType(record, offset);
    let code: number = Code.applied;
    let detail = 0;
    if (type === Record.slot && wasInstalled(record, offset)) code = Code.installed;
    if (type === Record.removal) detail = getU16(record, offset + HEAD);
    if (type === Record.outcome) {
      code = record[offset + 2];
      detail = getU16(record, offset + HEAD + 2);
    }
    this.#table.acks.put(seq, code, detail, getU16(record, at + 3), this.#sectorOf(location));
  }

  /** Positions are contiguous, so a committing record that is missing shows; what stood in its place was damaged, not torn. */
  #visitNext(seq: number): void {
    // A log that was never compacted begins with position 1; any other begins with whatever was left.
    const isWhole = this.#table.applied > 0 || this.#table.log.oldest === 1;
    const missing = isWhole ? seq - this.#table.applied - 1 : 0;
    if (missing > 0) {
      for (const slot of this.#suspects) this.#condemn(slot);
      this.#table.log.damage += Math.max(0, missing - this.#suspects.length);
    }
    this.#suspects.length = 0;
    this.#table.applied = seq;
  }

  #sectorOf(location: number): number {
    return this.#table.log.numberAt(location) & 0xff;
  }

  #visitSlot(record: Uint8Array, offset: number, location: number): void {
    const slot = slotOf(record, offset);
    if (slot >= this.#table.profile.slots) return;
    this.#table.index.setPlace(slot, location);
    this.#buckets[slot] = record[offset + ENTRY_TAG];
    this.#table.index.setFingerprint(slot, record[offset + ENTRY_TAG + 1]);
    const digits = record[offset + 4] >>> 5;
    this.#digits[slot] = digits === 0 ? 0 : digits + 3;
  }

  #visitOutcome(record: Uint8Array, offset: number): void {
    const dropped = getU16(record, offset + HEAD);
    if (dropped > 0 && dropped <= this.#table.profile.slots) this.#table.index.setPlace(dropped - 1, 0);
  }

  #visitAcks(record: Uint8Array, offset: number, location: number): void {
    const first = getU24(record, offset + HEAD);
    const sector = this.#sectorOf(location);
    for (let i = 0; i < record[offset + 2]; i++) {
      const at = offset + ACKS_HEAD + i * ACK_BYTES;
      this.#table.acks.put(first + i, record[at], getU16(record, at + 1), getU16(record, at + 3), sector);
    }
  }
}
