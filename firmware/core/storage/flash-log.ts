// The log under the credential table: sectors in a ring, records appended, the oldest sector compacted first. It knows nothing of
// what records mean; the table says which of them live.
//
// Sector number s (1, 2, 3, …) always stands in physical block (s − 1) mod n, so wear is even by construction and the order of
// the log needs no search. A sector is usable because of its header, never because it reads 0xFF. An erase is announced by an
// erase record before it starts and confirmed by another after it has ended; a free sector without that confirmation is erased
// again before use. Mounting only reads. Nothing but `maintain` erases, one sector a call, and never while a person waits.

import { getU32, putU32 } from "../../../protocol/wire/bytes";
import type { Flash } from "../../ports";
import { crc32, mended } from "./crc";
import {
  checkRecord,
  MAX_RECORD_BYTES,
  putHead,
  Record,
  recordLength,
  recordType,
  seal,
  UNIT,
} from "./records";
import { isErased, PAGE, resumeAt } from "./torn";

/** A sector's header: magic | format | profile | 0 (2) | number | oldest | ready | lock id (8) | crc. */
export const HEADER_BYTES = 32;
/** "TMBL" */
const MAGIC = 0x544d424c;
/** The only format there is; a higher one was written by a newer firmware. */
export const FORMAT = 1;
/** From this many sectors on, a compaction has two sectors to itself and two more are kept erased for what comes; below, one and one. */
const ROOMY_SECTORS = 8;
/** What a compaction may need beyond the sectors it has to itself: its marks, and what a cut in it wastes. */
const COMPACTION_EXTRA_BYTES = 512;
/** Four of the longest removals can always be written (rule C22): a revocation never waits for room. */
const REMOVALS_BYTES = 4 * 160;

/** What an append is for. Each may use the room that the ones before it must leave. */
export const Purpose = { ordinary: 0, removal: 1, compaction: 2 } as const;

/** What the log calls while it mounts. `record` is valid only during the call. */
export interface LogVisitor {
  /** A record that stands in the log at `location`, oldest first. */
  visit(record: Uint8Array, offset: number, length: number, location: number): void;
  /**
   * Bytes that are no record, where one must have stood: a write that never ended, or damage. `whole` says that it was damage: the
   * write did end, since another record stands right behind.
   */
  visitDamage(record: Uint8Array, offset: number, whole: boolean): void;
}

/** What the log calls while it compacts. `record` is valid only during the call. */
export interface LogKeeper {
  /** A record of the sector that is about to be erased: append again what lives. False when that failed. */
  relocate(record: Uint8Array, length: number, location: number): boolean;
  /** All records of that sector were relocated. False when what was left to append failed. */
  relocated(): boolean;
}

/** How a mount ended. */
export type MountState = "mounted" | "unformatted" | "newer-format" | "foreign";

/** What {@link FlashLog.sector} tells of one sector. */
export interface SectorView {
  readonly number: number;
  readonly state: "live" | "head" | "ready" | "dirty";
}

export class FlashLog {
  /** Appends since boot that the flash refused, for the lock's status. */
  faults = 0;
  /** Records found damaged and not mended, for the lock's status. */
  damage = 0;
  /** Sector numbers: oldest with content, newest (where records are appended), newest whose erase was confirmed. */
  oldest = 0;
  newest = 0;
  ready = 0;
  /** Where the next record goes, in bytes from the start of the newest sector. */
  offset = 0;

  readonly #flash: Flash;
  readonly #lock: Uint8Array;
  readonly #profile: number;
  readonly #sectors: number;
  readonly #sectorBytes: number;
  /** Bytes that an append must leave, by its purpose. */
  readonly #leaves: readonly number[];
  /** The newest sector that was also seen to read erased since boot. */
  #checked = 0;
  /** The last sector whose header did not take. */
  #refused = 0;
  readonly #header = new Uint8Array(HEADER_BYTES);
  readonly #seedInput = new Uint8Array(12);
  /** Read-back of what was written, and records being compacted. */
  readonly #check = new Uint8Array(MAX_RECORD_BYTES);
  readonly #mark = new Uint8Array(UNIT);

  constructor(flash: Flash, lock: Uint8Array, profile: number) {
    const status = flash.status();
    this.#flash = flash;
    this.#lock = lock;
    this.#profile = profile;
    this.#sectors = status.blocks;
    this.#sectorBytes = status.blockLength;
    this.#seedInput.set(lock, 0);
    const sectors = status.blocks >= ROOMY_SECTORS ? 2 : 1;
    const compaction = sectors * (status.blockLength - HEADER_BYTES) + COMPACTION_EXTRA_BYTES;
    this.#leaves = [compaction + REMOVALS_BYTES, compaction, 0];
  }

  get sectors(): number {
    return this.#sectors;
  }

  get sectorBytes(): number {
    return this.#sectorBytes;
  }

  /** Makes an erased partition the empty log of this lock: the only place where a partition is formatted (at provisioning). */
  format(): void {
    this.#flash.eraseBlock(0, this.#sectors);
    this.oldest = 1;
    this.newest = 0;
    this.ready = this.#checked = this.#sectors;
    this.#open();
  }

  #start(number: number): number {
    return ((number - 1) % this.#sectors) * this.#sectorBytes;
  }

  #seed(number: number): number {
    putU32(this.#seedInput, 8, number);
    return crc32(this.#seedInput, 0, 12, 0);
  }

  /** The number of the sector in which `location` (in units) stands. */
  numberAt(location: number): number {
    const block = Math.floor((location * UNIT) / this.#sectorBytes);
    const back = (this.newest - 1 - block) % this.#sectors;
    return this.newest - (back < 0 ? back + this.#sectors : back);
  }

  #openHeader(): boolean {
    const header = this.#header;
    header.fill(0);
    putU32(header, 0, MAGIC);
    header[4] = FORMAT;
    header[5] = this.#profile;
    putU32(header, 8, this.newest);
    putU32(header, 12, this.oldest);
    putU32(header, 16, this.ready);
    header.set(this.#lock, 20);
    putU32(header, 28, crc32(header, 0, 28, 0) >>> 0);
    return this.#program(header, HEADER_BYTES, this.#start(this.newest));
  }

  /**
   * Opens the next erased sector. False when there is none, or when its header did not take: then it is erased again before a second
   * try, and left behind when that fails too.
   */
  #open(): boolean {
    while (this.newest < this.ready) {
      this.newest++;
      this.offset = HEADER_BYTES;
      if (this.#openHeader()) return true;
      this.offset = this.#sectorBytes;
      if (this.#refused === this.newest) continue;
      this.#refused = this.newest--;
      this.ready = this.#checked = this.newest;
    }
    return false;
  }

  /** Programs and reads back; a difference counts as a fault. */
  #program(bytes: Uint8Array, length: number, at: number): boolean {
    const view = bytes.subarray(0, length);
    const check = this.#check.subarray(0, length);
    try {
      this.#flash.write(view, at);
      this.#flash.read(check, at);
    } catch {
      this.faults++;
      return false;
    }
    for (let i = 0; i < length; i++) {
      if (check[i] !== view[i]) {
        this.faults++;
        return false;
      }
    }
    return true;
  }

  /** Whether a record of `length` bytes can be appended now for that purpose (see {@link Purpose}), without an erase. */
  hasRoom(length: number, purpose: number): boolean {
    // With room left in this sector nobody needs to know which others are erased, least of all a person at the door.
    if (this.#sectorBytes - this.offset >= length + this.#leaves[purpose]) return true;
    this.#checkReady();
    const sectors = (this.ready - this.newest) * (this.#sectorBytes - HEADER_BYTES);
    return this.#sectorBytes - this.offset + sectors >= length + this.#leaves[purpose];
  }

  /**
   * Appends one record (its CRC is put in here) in one program operation. Returns its location in units of 16 bytes, or 0
   * when the flash refused or there is no room for that purpose; then nothing counts as written.
   */
  append(record: Uint8Array, length: number, purpose: number = Purpose.ordinary): number {
    while (this.hasRoom(length, purpose)) {
      if (this.offset + length > this.#sectorBytes && !this.#open()) return 0;
      const at = this.#start(this.newest) + this.offset;
      seal(record, length, this.#seed(this.newest));
      if (this.#program(record, length, at)) {
        this.offset += length;
        return at / UNIT;
      }
      // A block whose program failed is never programmed again; the rest of the sector is given up with it.
      this.offset = this.#sectorBytes;
    }
    return 0;
  }

  /** Reads the record at `location` into `into`, mending one flipped bit. Returns its length, 0 when it is damaged or unreadable. */
  read(location: number, into: Uint8Array): number {
    const at = location * UNIT;
    const left = this.#sectorBytes - (at % this.#sectorBytes);
    const most = Math.min(into.length, left);
    try {
      this.#flash.read(into.subarray(0, most), at);
    } catch {
      this.faults++;
      return 0;
    }
    return checkRecord(into, 0, most, this.#seed(this.numberAt(location)), true);
  }

  /** Where the oldest record stands: something to read when there is nothing to look for. */
  get decoy(): number {
    return (this.#start(this.oldest) + HEADER_BYTES) / UNIT;
  }

  // ---- mounting

  /** Reads the header of the sector in `block`, mended. Returns its number, 0 when it is none, or a state that stops the mount. */
  #readHeader(block: number): number | MountState {
    const header = this.#header;
    try {
      this.#flash.read(header, block * this.#sectorBytes);
    } catch {
      this.faults++;
      return 0;
    }
    if (!mended(header, 0, 28, 0) || getU32(header, 0) !== MAGIC) return 0;
    if (header[4] > FORMAT) return "newer-format";
    for (let i = 0; i < this.#lock.length; i++) if (header[20 + i] !== this.#lock[i]) return "foreign";
    if (header[5] !== this.#profile) return "foreign";
    const number = getU32(header, 8);
    return number > 0 && (number - 1) % this.#sectors === block ? number : 0;
  }

  /** Finds the log and shows every record of it to `owner`, oldest first. Writes nothing. */
  mount(owner: LogVisitor): MountState {
    let stop: MountState | undefined;
    this.newest = this.oldest = this.ready = 0;
    const numbers = new Uint32Array(this.#sectors);
    for (let block = 0; block < this.#sectors; block++) {
      const number = this.#readHeader(block);
      if (typeof number === "string") {
        stop = number;
        continue;
      }
      numbers[block] = number;
      if (number > this.newest) {
        this.newest = number;
        this.oldest = getU32(this.#header, 12);
        this.ready = getU32(this.#header, 16);
      }
    }
    if (stop !== undefined) return stop;
    if (this.newest === 0) return "unformatted";
    this.#checked = this.newest;
    this.#walk(numbers, owner);
    return "mounted";
  }

  #walk(numbers: Uint32Array, owner: LogVisitor): void {
    const sector = new Uint8Array(this.#sectorBytes);
    // How far the log has moved on since its newest header was written is said by the erase records behind that header. What they
    // leave behind is being erased: nothing of it may be seen.
    if (this.#readSector(this.newest, sector)) this.#walkSector(this.newest, sector, undefined);
    this.oldest = Math.max(this.oldest, this.newest - this.#sectors + 1);
    this.ready = Math.max(this.newest, Math.min(this.ready, this.oldest + this.#sectors - 1));
    for (let number = this.oldest; number <= this.newest; number++) {
      const stands = numbers[(number - 1) % this.#sectors] === number;
      if (stands && this.#readSector(number, sector)) this.#walkSector(number, sector, owner);
      else this.damage++;
    }
  }

  #readSector(number: number, into: Uint8Array): boolean {
    try {
      this.#flash.read(into, this.#start(number));
      return true;
    } catch {
      this.faults++;
      return false;
    }
  }

  /**
   * The length of the record at `offset` in `bytes`, which stand at `at` in their sector; 0 for none. Only where a record must stand,
   * behind another or at a page's begin, is a flipped bit worth the trial: elsewhere chance would find one some day.
   */
  #recordAt(
    bytes: Uint8Array,
    offset: number,
    limit: number,
    seed: number,
    at: number,
    follows: boolean,
  ): number {
    return checkRecord(bytes, offset, limit, seed, (follows || at % PAGE === 0) && !isBlank(bytes, offset));
  }

  /** Whether a damaged record was whole once: another stands right behind, and none at a page's begin before, as after a cut. */
  #wasWhole(sector: Uint8Array, at: number, seed: number): boolean {
    const next = at + recordLength(sector, at);
    const page = Math.ceil((at + 1) / PAGE) * PAGE;
    const stands = (place: number): boolean => checkRecord(sector, place, sector.length, seed, false) > 0;
    if (next === at || next >= sector.length || (page <= next && stands(page))) return false;
    return stands(next);
  }

  /** Shows the records of one sector to `owner`; without one, it only takes note of erase records. */
  #walkSector(number: number, sector: Uint8Array, owner: LogVisitor | undefined): void {
    const seed = this.#seed(number);
    const base = this.#start(number);
    let at = HEADER_BYTES;
    let end = at;
    // Where a record must stand: behind another, also behind one that is damaged, by the length that it still claims.
    let next = at;
    while (at < this.#sectorBytes) {
      const follows = at === next;
      const length = this.#recordAt(sector, at, this.#sectorBytes, seed, at, follows);
      if (length === 0) {
        if (follows && !isBlank(sector, at)) {
          owner?.visitDamage(sector, at, this.#wasWhole(sector, at, seed));
          next = at + recordLength(sector, at);
        }
        at += UNIT;
        continue;
      }
      if (recordType(sector, at) === Record.erase) {
        this.oldest = Math.max(this.oldest, getU32(sector, at + 4));
        this.ready = Math.max(this.ready, getU32(sector, at + 8));
      } else {
        owner?.visit(sector, at, length, (base + at) / UNIT);
      }
      at += length;
      end = next = at;
    }
    if (number === this.newest) this.offset = resumeAt(sector, end);
  }

  /**
   * A sector may be opened only when its erase was confirmed and it reads erased; `maintain` erases the others again. Looked at when
   * it is first needed: between power-on and the first person at the door there is no time for it.
   */
  #checkReady(): void {
    while (this.#checked < this.ready)
      if (this.#readsErased(this.#checked + 1)) this.#checked++;
      else this.ready = this.#checked;
  }

  #readsErased(number: number): boolean {
    const page = new Uint8Array(PAGE);
    const start = this.#start(number);
    for (let at = 0; at < this.#sectorBytes; at += PAGE) {
      try {
        this.#flash.read(page, start + at);
      } catch {
        this.faults++;
        return false;
      }
      if (!isErased(page)) return false;
    }
    return true;
  }

  // ---- housekeeping

  /** Whether `maintain` has something to do. */
  get wantsMaintenance(): boolean {
    this.#checkReady();
    const spare = this.#sectors >= ROOMY_SECTORS ? 4 : 2;
    if (this.newest === 0) return false;
    return this.#hasDirty() || (this.ready - this.newest < spare && this.oldest < this.newest);
  }

  /** Whether there is a sector that is neither in use nor known to be erased. */
  #hasDirty(): boolean {
    return this.ready < this.oldest + this.#sectors - 1;
  }

  /** One step of housekeeping, with at most one erase: prepares a free sector, or compacts the oldest one. */
  maintain(owner: LogKeeper): void {
    if (!this.wantsMaintenance) return;
    if (!this.#hasDirty()) {
      if (!this.#relocateOldest(owner)) return;
      this.oldest++;
      if (!this.#announce()) {
        this.oldest--;
        return;
      }
    }
    const next = this.ready + 1;
    const block = (next - 1) % this.#sectors;
    try {
      this.#flash.eraseBlock(block, block + 1);
    } catch {
      this.faults++;
      return;
    }
    if (!this.#readsErased(next)) {
      this.faults++;
      return;
    }
    this.ready = this.#checked = next;
    this.#announce();
  }

  /** Writes an erase record: how far the log has moved on and which sectors are erased. */
  #announce(): boolean {
    putHead(this.#mark, Record.erase, UNIT, 0, 0);
    putU32(this.#mark, 4, this.oldest);
    putU32(this.#mark, 8, this.ready);
    return this.append(this.#mark, UNIT, Purpose.compaction) !== 0;
  }

  #relocateOldest(owner: LogKeeper): boolean {
    const record = new Uint8Array(MAX_RECORD_BYTES);
    const seed = this.#seed(this.oldest);
    const base = this.#start(this.oldest);
    let at = HEADER_BYTES;
    // As when mounting: what was found then must be found now.
    let next = at;
    while (at < this.#sectorBytes) {
      const most = Math.min(MAX_RECORD_BYTES, this.#sectorBytes - at);
      try {
        this.#flash.read(record.subarray(0, most), base + at);
      } catch {
        this.faults++;
        return false;
      }
      const follows = at === next;
      const length = this.#recordAt(record, 0, most, seed, at, follows);
      if (length > 0 && !owner.relocate(record, length, (base + at) / UNIT)) return false;
      if (length > 0) next = at + length;
      else if (follows) next = at + recordLength(record, 0);
      at += length > 0 ? length : UNIT;
    }
    return owner.relocated();
  }

  /** What each block of the partition holds, for `inspect`. */
  sector(block: number): SectorView {
    const back = (this.newest - 1 - block) % this.#sectors;
    const number = this.newest - (back < 0 ? back + this.#sectors : back);
    if (number === this.newest) return { number, state: "head" };
    if (number >= this.oldest) return { number, state: "live" };
    const next = number + this.#sectors;
    return { number: Math.max(number, 0), state: next <= this.ready ? "ready" : "dirty" };
  }
}

function isBlank(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + UNIT; i++) if (bytes[i] !== 0xff) return false;
  return true;
}
