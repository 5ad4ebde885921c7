// The log under the credential table: sectors in a ring, records appended, the oldest sector compacted first. It knows nothing of
// what records mean; the table says which of them live. README.md beside this file tells why each recovery is right.
//
// A sector is used only when its erase was recorded with a print of every page, and it still reads so. What is full is closed by a
// record before the next sector is opened, and the next one begins with the keys of all that the one before may have changed. So
// whatever is lost, it is known what else must not be believed. Mounting only reads. Nothing but `maintain` erases, one sector a
// call, and never while a person waits.

import { putU16, putU32 } from "../../../protocol/wire/bytes";
import type { Flash } from "../../ports";
import { KeySet, type Keys, longestSet, NO_KEY } from "./keys";
import type { LogVisitor } from "./log-mount";
import { LogMount } from "./log-mount";
import {
  BLANK_BYTES,
  CLOSING_PRINT,
  checkRecord,
  HEAD,
  lengthFor,
  MAX_RECORD_BYTES,
  makeLink,
  OUTCOME_BYTES,
  putHead,
  putLink,
  Record,
  removalBytes,
  seal,
  UNIT,
} from "./records";
import { HEADER_BYTES, Sectors, type Stop } from "./sectors";

/** From this many sectors on, a compaction has two sectors to itself and two more are kept erased for what comes; below, one and one. */
const ROOMY_SECTORS = 8;
/** What a compaction may need beyond the sectors it has to itself: its marks, what does not fit at a sector's end, and what a cut wastes. */
const COMPACTION_EXTRA_BYTES = 640;
/** So many of the longest removals can always be written (rule C22): a revocation never waits for room. */
const REMOVALS = 4;
/** And so many refusals: a put that meets a storage fault must not stand in the way of the revocations behind it. */
const REFUSALS = 8;
/** A sector that cannot be read is given up for lost when so many compactions of it have failed. */
const MAX_COMPACTIONS = 3;

/** What an append is for. Each may use the room that the ones before it must leave. */
export const Purpose = { ordinary: 0, refusal: 1, removal: 2, compaction: 3 } as const;

/** What the log calls while it compacts. */
export interface LogKeeper {
  /**
   * Appends again all that lives from unit `from` to before `to`, the records of sector `number`. With `atAnyCost`, what cannot be
   * read is recorded as damaged; without it, that makes this fail. False when it failed.
   */
  relocate(number: number, from: number, to: number, atAnyCost: boolean): boolean;
}

/** How a mount ended. */
export type MountState = "mounted" | "unformatted" | Stop;

/** What {@link FlashLog.sector} tells of one sector. */
export interface SectorView {
  readonly number: number;
  readonly state: "live" | "head" | "ready" | "free" | "bad";
}

export class FlashLog {
  /** Records found damaged and not mended, for the lock's status. */
  damage = 0;
  /** Sector numbers: oldest with content, and newest, where records are appended. */
  oldest = 0;
  newest = 0;
  /** Where the next record goes, in bytes from the start of the newest sector. */
  offset = 0;
  /** The position of the log, for headers; kept by the table. */
  position = 0;
  /** The keys of all that records in the newest sector may have changed; those of the sector before until they are written there. */
  readonly touched: KeySet;

  readonly #sectors: Sectors;
  readonly #keys: Keys;
  /** Bytes that an append must leave, by its purpose. */
  readonly #leaves: readonly number[];
  /** Bytes of a sector that are no records of the table's. */
  readonly #overhead: number;
  /** Whether something of the last housekeeping failed. */
  #stalled = false;
  /** Whether the last append failed for another reason than want of room. */
  #refused = false;
  /** Sectors up to this number were looked at since boot, whether they are still blank. */
  #checked = 0;
  /** The sector whose keys must be written before anything else, 0 for none: until then they are the touched ones. */
  #owed = 0;
  /** The link of the next record. */
  #lastKey = NO_KEY;
  #records = 0;
  #failedCompactions = 0;
  /** The record of the keys that are owed: it is written while another waits. */
  readonly #set = new Uint8Array(MAX_RECORD_BYTES);

  /** `keys` name what records change. */
  constructor(flash: Flash, lock: Uint8Array, profile: number, keys: Keys) {
    this.#sectors = new Sectors(flash, lock, profile);
    this.#keys = keys;
    this.touched = new KeySet(keys.size);
    const { count, bytes } = this.#sectors;
    this.#overhead = HEADER_BYTES + lengthFor(longestSet(keys.size), false) + UNIT;
    const compaction = (count >= ROOMY_SECTORS ? 2 : 1) * (bytes - HEADER_BYTES) + COMPACTION_EXTRA_BYTES;
    const removal = compaction + REMOVALS * removalBytes(keys.usage);
    this.#leaves = [removal + REFUSALS * OUTCOME_BYTES, removal, compaction, 0];
  }

  get sectors(): number {
    return this.#sectors.count;
  }

  get sectorBytes(): number {
    return this.#sectors.bytes;
  }

  /** Operations that the device refused since boot, for the lock's status. */
  get faults(): number {
    return this.#sectors.device.faults;
  }

  /** Whether writing fails for a fault of the device, and not for room that housekeeping will make. */
  get isBroken(): boolean {
    return this.#stalled || this.#refused;
  }

  private get spare(): number {
    return this.#sectors.count >= ROOMY_SECTORS ? 4 : 2;
  }

  /** Makes a partition the empty log of this lock: the only place where one is formatted (at provisioning). Throws when it does not take it. */
  format(): void {
    this.#checked = this.oldest = 1;
    this.newest = this.#owed = 0;
    let done = this.#sectors.eraseAll() && this.#sectors.erase(1) && this.open() && this.recordBlank(1);
    for (let number = 2; done && number <= 1 + this.spare; number++)
      done = this.#sectors.erase(number) && this.recordBlank(number);
    if (!done) throw new Error("format: the flash does not take it");
  }

  /** The number of the sector in which `location` (in units) stands. */
  numberAt(location: number): number {
    return this.numberIn(Math.floor((location * UNIT) / this.#sectors.bytes));
  }

  /** The number, at most that of the newest, of the sector in `block`. */
  private numberIn(block: number): number {
    const { count } = this.#sectors;
    const back = (this.newest - 1 - block) % count;
    return this.newest - (back < 0 ? back + count : back);
  }

  // ---- room

  /** The next sector that may be opened after `number`, 0 for none. */
  private nextBlank(number: number): number {
    return this.#sectors.nextBlank(number, this.newest);
  }

  /** Sectors erased before this boot are looked at when they are first needed: a person at the door has no time for it. */
  private checkBlank(): void {
    const last = this.newest + this.#sectors.count - 1;
    let buffer: Uint8Array | undefined;
    for (let next = Math.max(this.newest, this.#checked) + 1; next <= last; next++) {
      if (!this.#sectors.blanks.isKnown(next)) continue;
      buffer ??= new Uint8Array(this.#sectors.bytes);
      if (!this.#sectors.stillBlank(next, buffer)) this.#sectors.blanks.forget(next);
    }
    this.#checked = last;
  }

  private left(): number {
    return Math.max(0, this.#sectors.bytes - UNIT - this.offset);
  }

  /** Whether a record of `length` bytes can be appended now for that purpose (see {@link Purpose}), without an erase. */
  hasRoom(length: number, purpose: number): boolean {
    const needed = length + this.#leaves[purpose];
    // With room left in this sector nobody needs to know which others are erased, least of all a person at the door.
    let room = this.left();
    if (room >= needed) return true;
    this.checkBlank();
    for (let next = this.nextBlank(this.newest); next > 0 && room < needed; next = this.nextBlank(next))
      room += this.#sectors.bytes - this.#overhead;
    return room >= needed;
  }

  // ---- appending

  /**
   * Appends one record (its link and CRC are put in here) in one program operation. Returns its location in units of 16 bytes, or 0
   * when the flash refused or there is no room for that purpose; then nothing counts as written.
   */
  append(record: Uint8Array, length: number, purpose: number = Purpose.ordinary): number {
    this.#refused = false;
    while (this.hasRoom(length, purpose)) {
      if (this.#owed > 0 && this.offset < this.#sectors.bytes) {
        this.payKeys();
      } else if (this.left() >= length) {
        const location = this.put(record, length);
        if (location > 0) return location;
        this.#refused = true;
      } else if (!this.open()) {
        this.#refused = true;
        break;
      }
    }
    return 0;
  }

  /** Programs a record where the log goes on, if it takes it. */
  private put(record: Uint8Array, length: number): number {
    const at = this.#sectors.start(this.newest) + this.offset;
    putLink(record, length, makeLink(this.#lastKey, this.#records));
    seal(record, length, this.#sectors.seed(this.newest));
    if (!this.#sectors.device.program(record.subarray(0, length), at)) {
      // A block whose program failed is never programmed again; the rest of the sector is given up with it.
      this.offset = this.#sectors.bytes;
      return 0;
    }
    this.offset += length;
    this.#lastKey = this.#keys.of(record, 0);
    this.#records++;
    this.touched.add(this.#lastKey);
    return at / UNIT;
  }

  /** Closes the newest sector and opens the next one. False when there is none that takes a header. */
  private open(): boolean {
    this.checkBlank();
    if (this.newest > 0) this.close();
    for (let next = this.nextBlank(this.newest); next > 0; next = this.nextBlank(this.newest)) {
      const link = makeLink(this.#lastKey, this.#records);
      const header = { number: next, oldest: this.oldest, position: this.position, link };
      if (this.#sectors.writeHeader(header)) {
        this.newest = next;
        this.offset = HEADER_BYTES;
        return true;
      }
      this.#sectors.blanks.forget(next);
    }
    return false;
  }

  /** Says in the newest sector which one follows, and how that reads while it is blank; it must begin with the keys of this one. */
  private close(): void {
    const next = this.nextBlank(this.newest);
    if (this.offset + UNIT <= this.#sectors.bytes && next > 0) {
      const mark = this.markOf(next - this.newest);
      putU16(mark, CLOSING_PRINT, this.#sectors.blanks.firstPrint(next));
      this.put(mark, UNIT);
    }
    this.offset = this.#sectors.bytes;
    // A sector that never got so far as to pay for the one before has touched nothing itself.
    if (this.#owed === 0) this.#owed = this.newest;
  }

  private payKeys(): void {
    const length = this.putKeys(this.#set, this.touched, false, this.newest - this.#owed);
    if (this.put(this.#set, length) === 0) return;
    this.#owed = 0;
    this.touched.clear();
  }

  /** Puts the record of a set of keys, but for its tail: those that sector "`back` before" touched, or those that are damaged. */
  putKeys(record: Uint8Array, keys: KeySet, damaged: boolean, back: number): number {
    record.fill(0);
    const length = lengthFor(keys.pack(record, HEAD), false);
    putHead(record, Record.keys, length, damaged ? 1 : 0, back);
    return length;
  }

  /** The record of where the log begins; as the last one of a sector it says how far ahead the next one is. */
  private markOf(ahead: number): Uint8Array {
    const mark = new Uint8Array(UNIT);
    putHead(mark, Record.moved, UNIT, ahead, 0);
    putU32(mark, HEAD, this.oldest);
    return mark;
  }

  /** Records what is known of a sector: that it is blank, or that it is so no longer. */
  private recordBlank(number: number): boolean {
    const record = new Uint8Array(BLANK_BYTES);
    if (this.append(record, this.#sectors.blanks.put(record, number), Purpose.compaction) === 0) return false;
    this.#sectors.blanks.recorded(number, this.newest);
    return true;
  }

  // ---- reading

  /** Reads the record at `location` into `into`, mending one flipped bit. Returns its length, 0 when it is damaged or unreadable. */
  read(location: number, into: Uint8Array): number {
    const at = location * UNIT;
    const most = Math.min(into.length, this.#sectors.bytes - (at % this.#sectors.bytes));
    if (!this.#sectors.device.read(into.subarray(0, most), at)) return 0;
    return checkRecord(into, 0, most, this.#sectors.seed(this.numberAt(location)), true);
  }

  /** Where the oldest record stands: something to read when there is nothing to look for. */
  get decoy(): number {
    return (this.#sectors.start(this.oldest) + HEADER_BYTES) / UNIT;
  }

  /** Finds the log and shows every record of it to `owner`, oldest first. Writes nothing. */
  mount(owner: LogVisitor): MountState {
    const mount = new LogMount(this.#sectors, owner, this.#keys, this.touched);
    const state = mount.run();
    this.newest = this.#checked = mount.newest;
    this.oldest = mount.oldest;
    this.offset = mount.offset;
    this.damage += mount.damage;
    this.#owed = mount.owed;
    this.#lastKey = mount.lastKey;
    this.#records = mount.records;
    return state;
  }

  // ---- housekeeping

  /** The number of the sector that should be erased next, 0 for none. */
  private target(): number {
    if (this.newest === 0) return 0;
    this.checkBlank();
    let wanted = this.spare;
    const last = this.newest + this.#sectors.count - 1;
    for (let number = this.newest + 1; number <= last; number++) {
      if (this.#sectors.isBad(number)) continue;
      if (!this.#sectors.blanks.isKnown(number)) return this.canReach(number) ? number : 0;
      if (--wanted === 0) return 0;
    }
    return 0;
  }

  /** Whether nothing stands in the way of erasing `number`, or a compaction can clear it away. */
  private canReach(number: number): boolean {
    return number < this.oldest + this.#sectors.count || this.oldest < this.newest;
  }

  /** Whether `maintain` has something to do. */
  get wantsMaintenance(): boolean {
    return this.target() > 0;
  }

  /** One step of housekeeping, with at most one erase: compacts the oldest sector if its place is needed, and prepares a free one. */
  maintain(owner: LogKeeper): void {
    const target = this.target();
    if (target === 0) return;
    if (target >= this.oldest + this.#sectors.count && !this.compact(owner)) {
      this.#stalled = true;
      return;
    }
    if (target >= this.oldest + this.#sectors.count) return;
    const { blanks } = this.#sectors;
    // Recorded as blank once and touched since: if the erase is cut, nobody may take it for a sector that was in use.
    // Where there is no place left to write that, it must be erased all the same, or there never would be.
    this.#stalled =
      blanks.mustRetract(target) && !this.recordBlank(target) && this.nextBlank(this.newest) > 0;
    if (this.#stalled) return;
    this.#stalled = !this.#sectors.erase(target);
    // Erased, but not recorded: it would be erased again after a boot, and must be now.
    if (!this.#stalled && !this.recordBlank(target)) blanks.forget(target);
  }

  private compact(owner: LogKeeper): boolean {
    const { oldest } = this;
    const base = this.#sectors.start(oldest);
    const from = (base + HEADER_BYTES) / UNIT;
    const to = (base + this.#sectors.bytes) / UNIT;
    const atAnyCost = ++this.#failedCompactions >= MAX_COMPACTIONS;
    if (!this.relocateBlanks(oldest) || !owner.relocate(oldest, from, to, atAnyCost)) return false;
    this.#failedCompactions = 0;
    this.oldest++;
    // Announced before the erase: what is being erased must not be seen.
    if (this.append(this.markOf(0), UNIT, Purpose.compaction) > 0) return true;
    this.oldest--;
    return false;
  }

  /** What is recorded of erased sectors lives until they are full. */
  private relocateBlanks(oldest: number): boolean {
    for (let number = this.newest; number < this.newest + this.#sectors.count; number++)
      if (this.#sectors.blanks.isRecordedIn(number, oldest) && !this.recordBlank(number)) return false;
    return true;
  }

  /** What each block of the partition holds, for `inspect`. */
  sector(block: number): SectorView {
    const number = this.numberIn(block);
    if (number === this.newest) return { number, state: "head" };
    if (number >= this.oldest) return { number, state: "live" };
    const next = number + this.#sectors.count;
    const state = this.#sectors.blanks.isKnown(next) ? "ready" : this.#sectors.isBad(next) ? "bad" : "free";
    return { number: Math.max(number, 0), state };
  }
}
