// Keys: one number for everything that a record can change, so that what a lost record may have changed can be named. Slots come
// first, then groups of usage, schedules, settings, states and their copies. Sets of keys are bits in memory; in flash, bytes without bits are
// left out behind a mask that says which.

import { getU16 } from "../../../protocol/wire/bytes";
import { SETTINGS } from "../../../protocol/wire/settings";
import type { Profile } from "../profile";
import { STATES, State } from "./places";
import { HEAD, isCopy, Record, recordType, slotOf, USAGE_GROUP } from "./records";

/** The key of a record that changes nothing which a key names. */
export const NO_KEY = 0x7ff;
/** The key of a record that changes several things. */
export const MANY_KEYS = 0x7fe;

/** Where the keys of each kind begin. */
export class Keys {
  readonly usage: number;
  readonly schedules: number;
  readonly settings: number;
  readonly states: number;
  readonly mirrors: number;
  /** How many there are: below {@link MANY_KEYS} on every profile. */
  readonly size: number;

  constructor({ slots, schedules }: Profile) {
    this.usage = slots;
    this.schedules = this.usage + Math.ceil(slots / USAGE_GROUP);
    this.settings = this.schedules + schedules + 1;
    this.states = this.settings + SETTINGS;
    this.mirrors = this.states + STATES;
    this.size = this.mirrors + STATES;
  }

  /** The key of what the record at `offset` changes. */
  of(record: Uint8Array, offset: number): number {
    const id = record[offset + 2];
    switch (recordType(record, offset)) {
      case Record.slot:
      case Record.slotCopy:
        return below(slotOf(record, offset), 0, this.usage);
      case Record.outcome:
        // The slot that it drops, plus 1.
        return below(getU16(record, offset + HEAD) - 1, 0, this.usage);
      case Record.usage:
        return below(id, this.usage, this.schedules);
      case Record.schedule:
      case Record.scheduleCopy:
        return below(id, this.schedules, this.settings);
      case Record.setting:
      case Record.settingCopy:
        return below(id, this.settings, this.states);
      case Record.state:
        if (id === State.swap) return MANY_KEYS;
        return isCopy(record, offset)
          ? below(id, this.mirrors, this.size)
          : below(id, this.states, this.mirrors);
      case Record.removal:
        return MANY_KEYS;
      case Record.keys:
        // Of damaged things; those of the sector before change nothing.
        return id === 0 ? NO_KEY : MANY_KEYS;
      default:
        return NO_KEY;
    }
  }
}

/** Key number `id` of those from `first` to before `end`. */
function below(id: number, first: number, end: number): number {
  return id >= 0 && first + id < end ? first + id : NO_KEY;
}

/** The longest that a packed set of `size` keys can be, in bytes. */
export function longestSet(size: number): number {
  const bytes = Math.ceil(size / 8);
  return Math.ceil(bytes / 8) + bytes;
}

/** A set of keys below a size. */
export class KeySet {
  readonly size: number;
  readonly #bits: Uint8Array;

  constructor(size: number) {
    this.size = size;
    this.#bits = new Uint8Array(Math.ceil(size / 8));
  }

  /** Takes a key in; the special ones are no members. */
  add(key: number): void {
    if (key < this.size) this.#bits[key >> 3] |= 1 << (key & 7);
  }

  /** Takes in all keys below `end`. */
  addBelow(end: number): void {
    for (let key = 0; key < end; key++) this.add(key);
  }

  /** Takes in the keys of a set of the same size. */
  addAll(other: KeySet): void {
    for (let i = 0; i < this.#bits.length; i++) this.#bits[i] |= other.#bits[i];
  }

  has(key: number): boolean {
    return ((this.#bits[key >> 3] >> (key & 7)) & 1) !== 0;
  }

  /** Shows every key of the set, ascending. */
  each(see: (key: number) => void): void {
    for (let key = 0; key < this.size; key++) if (this.has(key)) see(key);
  }

  clear(): void {
    this.#bits.fill(0);
  }

  get isEmpty(): boolean {
    for (let i = 0; i < this.#bits.length; i++) if (this.#bits[i] !== 0) return false;
    return true;
  }

  /** Packs the set into `bytes`, which are zero from `offset` on. Returns how many bytes it takes. */
  pack(bytes: Uint8Array, offset: number): number {
    const bits = this.#bits;
    let at = offset + Math.ceil(bits.length / 8);
    for (let i = 0; i < bits.length; i++) {
      if (bits[i] === 0) continue;
      bytes[offset + (i >> 3)] |= 1 << (i & 7);
      bytes[at++] = bits[i];
    }
    return at - offset;
  }

  /** Takes the set from where {@link pack} put it. What would lie past `end` reads as no keys. */
  unpack(bytes: Uint8Array, offset: number, end: number): void {
    const bits = this.#bits;
    let at = offset + Math.ceil(bits.length / 8);
    for (let i = 0; i < bits.length; i++) {
      const stands = (bytes[offset + (i >> 3)] >> (i & 7)) & 1;
      bits[i] = stands && at < end ? bytes[at++] : 0;
    }
  }
}
