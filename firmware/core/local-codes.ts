// Codes programmed at the keypad (rule C24): ten of them, in places of their own beside the slots, kept as tags like every other
// credential. Each was made by an administrator's credential and falls with it: it opens only while that one stands. Nothing here
// knows digits, or decides who may program.

import type { Crypto } from "../../protocol/crypto/port";
import { equal, getU16, getU24, getU32, putU16, putU24, putU32 } from "../../protocol/wire/bytes";
import type { Entry } from "../../protocol/wire/entry";
import { emptyEntry, Flag, Kind, Role } from "../../protocol/wire/entry";
import { LOCAL_DIGEST_BYTES, MAX_LOCAL_CODES, TAG_BYTES } from "../../protocol/wire/limits";
import { State } from "./storage/places";
import type { Table } from "./storage/table";
import { dependsOnUse } from "./storage/uses";

/** tag (12) | digits (1) | maker's slot (2) | its generation (3) | maker's user (4) */
const VALUE_BYTES = TAG_BYTES + 10;
const DIGITS = TAG_BYTES;
const NOTHING = new Uint8Array(0);

/** In place of the slot of whoever made a code: the master, who falls with nobody. */
export const MASTER_SLOT = 0xffff;

/** Who makes a code. */
export interface Maker {
  /** {@link MASTER_SLOT} for the master. */
  readonly slot: number;
  readonly generation: number;
  readonly user: number;
}

export class LocalCodes {
  /** How many there are. */
  count = 0;
  /** Who has no slot, as the decision takes them: the code that {@link load} read last, or the master. */
  readonly entry: Entry = emptyEntry();
  readonly #table: Table;
  /** One after the other as they are kept; a code of no digits is none. */
  readonly #values = new Uint8Array(MAX_LOCAL_CODES * VALUE_BYTES);

  constructor(table: Table) {
    this.#table = table;
  }

  private value(place: number): Uint8Array {
    return this.#values.subarray(place * VALUE_BYTES, (place + 1) * VALUE_BYTES);
  }

  /** The number of digits of the code in a place, 0 for none there. */
  digits(place: number): number {
    return this.#values[place * VALUE_BYTES + DIGITS];
  }

  /** Reads them all back: after a mount, and when they are gone. One that cannot be read any more opens nothing. */
  restore(): void {
    this.count = 0;
    this.#values.fill(0);
    for (let place = 0; place < MAX_LOCAL_CODES; place++) {
      const value = this.#table.state(State.local + place);
      if (value === undefined || value.length !== VALUE_BYTES) continue;
      this.value(place).set(value);
      this.count++;
    }
  }

  /** The place of the code with this tag, −1 for none. Looks at all of them, found or not (rule C6). */
  find(tag: Uint8Array): number {
    let found = -1;
    for (let place = 0; place < MAX_LOCAL_CODES; place++) {
      const isThis = equal(this.value(place).subarray(0, TAG_BYTES), tag);
      if (isThis && this.digits(place) > 0) found = place;
    }
    return found;
  }

  /** Keeps a new code. Returns its place, −1 when all are taken or the flash refused. */
  add(tag: Uint8Array, digits: number, maker: Maker): number {
    for (let place = 0; place < MAX_LOCAL_CODES; place++) {
      if (this.digits(place) > 0) continue;
      const value = new Uint8Array(VALUE_BYTES);
      value.set(tag);
      value[DIGITS] = digits;
      putU16(value, DIGITS + 1, maker.slot);
      putU24(value, DIGITS + 3, maker.generation);
      putU32(value, DIGITS + 6, maker.user);
      if (!this.#table.commitState(State.local + place, value)) return -1;
      this.value(place).set(value);
      this.count++;
      return place;
    }
    return -1;
  }

  /** Takes a code away. What the flash refuses is gone until the next boot all the same, and false. */
  remove(place: number): boolean {
    this.value(place).fill(0);
    this.count--;
    return this.#table.commitState(State.local + place, NOTHING);
  }

  /** Forgets all codes in memory: their records are dead, or the lock denies them. */
  forget(): void {
    this.#values.fill(0);
    this.count = 0;
  }

  /** Makes {@link entry} the master's, who is nobody's user. */
  loadMaster(): Entry {
    const { entry } = this;
    entry.role = Role.admin;
    entry.user = entry.generation = 0;
    return entry;
  }

  /** Reads a code into {@link entry}: one of the team, without limits, attributed to its maker. */
  load(place: number): Entry {
    const value = this.value(place);
    const { entry } = this;
    entry.slot = place;
    entry.kind = Kind.pin;
    entry.role = Role.team;
    entry.digits = value[DIGITS];
    entry.tag.set(value.subarray(0, TAG_BYTES));
    entry.generation = getU24(value, DIGITS + 3);
    entry.user = getU32(value, DIGITS + 6);
    return entry;
  }

  /**
   * Whether the credential that made a code still stands: it is in its slot, in the same generation, one that may program, enabled,
   * and not past `latest`, the latest that it may be now in UTC seconds (undefined when unknown: then one with an end stands no more).
   */
  isBacked(place: number, latest: number | undefined): boolean {
    const slot = getU16(this.value(place), DIGITS + 1);
    if (slot === MASTER_SLOT) return true;
    const generation = getU24(this.value(place), DIGITS + 3);
    if (slot >= this.#table.profile.slots || this.#table.load(slot) !== "ok") return false;
    const { entry } = this.#table;
    if (entry.generation !== generation || !mayProgram(entry) || (entry.flags & Flag.disabled) !== 0)
      return false;
    const hasBegun = entry.start === 0 || (latest !== undefined && latest >= entry.start);
    return hasBegun && (entry.end === 0 || (latest !== undefined && latest < entry.end));
  }

  /** What a receipt says of them beside their number: SHA-256 over all ten places, cut to 8 bytes. */
  digest(crypto: Crypto): Uint8Array {
    return crypto.sha256(this.#values).subarray(0, LOCAL_DIGEST_BYTES);
  }
}

/**
 * Whether a credential may program codes (rules A17, C9): an administrator's, or one for programming only. Not one that is good for some
 * uses or minutes, since the code would outlive it.
 */
export function mayProgram(entry: Entry): boolean {
  return !dependsOnUse(entry) && (entry.role === Role.admin || entry.role === Role.programmingOnly);
}
