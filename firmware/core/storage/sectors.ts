// The sectors under the log, and manners in touching them: every program is read back, every read error is tried once more, nothing
// throws. Sector number s (1, 2, 3, …) always stands in physical block (s − 1) mod n, so wear is even by construction. What is
// known of erased sectors, a print of each of their pages, is kept here until they are full.

import { getU16, getU24, getU32, putU16, putU24, putU32 } from "../../../protocol/wire/bytes";
import type { Flash } from "../../ports";
import { canBeErased, isClear, PAGE, print } from "./blank";
import { crc32, mended } from "./crc";
import { checkRecord, HEAD, lengthFor, MAX_RECORD_BYTES, putHead, Record, UNIT } from "./records";

/** A sector's header: magic | format | profile | back to oldest | skipped | number (4) | position (3) | 0 | lock (8) | 0 (4) | crc. */
export const HEADER_BYTES = 32;
/** "TMBL" */
const MAGIC = 0x544d424c;
/** The only format there is; a higher one was written by a newer firmware. */
export const FORMAT = 1;
/** Prints of a sector: its header, the rest of the first page, and every other page. */
const PRINTS = 17;
/** Sectors of which prints are kept: the newest, and those that are erased ahead. A power of two. */
const KEPT = 8;
/** A block that fails so often since boot is left out. */
const MAX_FAILURES = 2;

/** What a header says. */
export interface Header {
  number: number;
  /** The oldest sector with content when this one was opened. */
  oldest: number;
  /** The position of the log then. */
  position: number;
}

/** Why no log may be made of what was found. */
export type Stop = "newer-format" | "foreign";

export class Sectors {
  /** Operations that the device refused since boot, or whose result was not what it should be. */
  faults = 0;
  /** How many there are, and the length of each in bytes. */
  readonly count: number;
  readonly bytes: number;
  readonly header: Header = { number: 0, oldest: 0, position: 0 };
  readonly #flash: Flash;
  readonly #lock: Uint8Array;
  readonly #profile: number;
  readonly #seedInput = new Uint8Array(12);
  readonly #check = new Uint8Array(MAX_RECORD_BYTES);
  readonly #buffer = new Uint8Array(HEADER_BYTES);
  /** Failures of each block since boot. */
  readonly #failures: Uint8Array;
  /** Of every sector that is known to be erased: its number, the sector in which that is recorded, and its prints. */
  readonly #blank = new Uint32Array(KEPT);
  readonly #recordedIn = new Uint32Array(KEPT);
  readonly #prints = new Uint16Array(KEPT * PRINTS);
  /** Whether it read 0xFF throughout, which says more than a print. */
  readonly #isClear = new Uint8Array(KEPT);

  constructor(flash: Flash, lock: Uint8Array, profile: number) {
    const status = flash.status();
    this.#flash = flash;
    this.#lock = lock;
    this.#profile = profile;
    this.count = status.blocks;
    this.bytes = status.blockLength;
    this.#seedInput.set(lock, 0);
    this.#failures = new Uint8Array(this.count);
  }

  #block(number: number): number {
    return (number - 1) % this.count;
  }

  /** Where sector `number` begins, in bytes. */
  start(number: number): number {
    return this.#block(number) * this.bytes;
  }

  /** What the CRCs of its records are seeded with. */
  seed(number: number): number {
    putU32(this.#seedInput, 8, number);
    return crc32(this.#seedInput, 0, 12, 0);
  }

  // ---- the device

  /** Fills `into` from `at`; a read that fails is tried once more. False when the device reports an error twice. */
  read(into: Uint8Array, at: number): boolean {
    for (let tries = 0; tries < 2; tries++) {
      try {
        this.#flash.read(into, at);
        return true;
      } catch {
        this.faults++;
      }
    }
    return false;
  }

  /** Reads a whole sector. */
  readSector(number: number, into: Uint8Array): boolean {
    return this.read(into, this.start(number));
  }

  /** Programs and reads back. False when the device refused, or when what stands there is something else. */
  program(bytes: Uint8Array, length: number, at: number): boolean {
    const view = bytes.subarray(0, length);
    const check = this.#check.subarray(0, length);
    try {
      this.#flash.write(view, at);
    } catch {
      this.faults++;
      return false;
    }
    if (!this.read(check, at)) return false;
    for (let i = 0; i < length; i++) {
      if (check[i] !== view[i]) {
        this.faults++;
        return false;
      }
    }
    return true;
  }

  /**
   * Erases a sector and looks whether it is: it must read the same twice, like an erased one, and nothing of the sector that stood
   * there before may verify. Its prints are kept. False when it is not erased.
   */
  erase(number: number): boolean {
    const block = this.#block(number);
    const sector = new Uint8Array(this.bytes);
    this.forget(number);
    let done = false;
    try {
      this.#flash.eraseBlock(block, block + 1);
      done = this.readSector(number, sector) && this.#looksErased(number, sector);
    } catch {
      // Counted below, like an erase that did nothing.
    }
    if (done) {
      this.#keepPrints(number, sector);
      done = this.stillBlank(number, sector);
    }
    if (done) {
      this.#failures[block] = 0;
      return true;
    }
    this.forget(number);
    this.faults++;
    this.#failures[block]++;
    return false;
  }

  /** Erases all of them without looking: at provisioning. */
  eraseAll(): void {
    this.#flash.eraseBlock(0, this.count);
  }

  /** Whether its block failed so often that it is left out until the next boot. */
  isBad(number: number): boolean {
    return this.#failures[this.#block(number)] >= MAX_FAILURES;
  }

  #looksErased(number: number, sector: Uint8Array): boolean {
    if (isClear(sector, 0, sector.length)) return true;
    if (!canBeErased(sector)) return false;
    const header = this.#buffer;
    header.set(sector.subarray(0, HEADER_BYTES));
    if (mended(header, 0, HEADER_BYTES - 4, 0) && getU32(header, 0) === MAGIC) return false;
    if (number <= this.count) return true;
    const seed = this.seed(number - this.count);
    for (let at = HEADER_BYTES; at < this.bytes; at += UNIT)
      if (checkRecord(sector, at, this.bytes, seed, false) > 0) return false;
    return true;
  }

  // ---- blank sectors

  #printOf(sector: Uint8Array, index: number): number {
    return print(sector, startOf(index), endOf(index));
  }

  #keepPrints(number: number, sector: Uint8Array): void {
    const kept = number % KEPT;
    this.#blank[kept] = number;
    this.#recordedIn[kept] = 0;
    this.#isClear[kept] = isClear(sector, 0, sector.length) ? 1 : 0;
    if (this.#isClear[kept] === 1) return;
    for (let i = 0; i < PRINTS; i++) this.#prints[kept * PRINTS + i] = this.#printOf(sector, i);
  }

  /** Whether this sector is known to have been erased, and its prints are. */
  isKnown(number: number): boolean {
    return this.#blank[number % KEPT] === number;
  }

  /** The first sector after `number` that is known to have been erased, when `newest` is the newest; 0 for none. */
  nextKnown(number: number, newest: number): number {
    for (let next = number + 1; next < newest + this.count; next++) if (this.isKnown(next)) return next;
    return 0;
  }

  /** Lets go of what is known of a sector. */
  forget(number: number): void {
    if (this.isKnown(number)) this.#blank[number % KEPT] = 0;
  }

  /** Whether the part of `sector` with print `index` still reads as when it was erased. 0 is the header, 1 the rest of page 0. */
  isUntouched(number: number, sector: Uint8Array, index: number): boolean {
    if (!this.isKnown(number)) return false;
    const kept = number % KEPT;
    if (this.#isClear[kept] === 1) return isClear(sector, startOf(index), endOf(index));
    return this.#prints[kept * PRINTS + index] === this.#printOf(sector, index);
  }

  /** Reads a sector into `buffer`; whether all of it reads as when it was erased. */
  stillBlank(number: number, buffer: Uint8Array): boolean {
    if (!this.readSector(number, buffer)) return false;
    for (let i = 0; i < PRINTS; i++) if (!this.isUntouched(number, buffer, i)) return false;
    return true;
  }

  /** The record that says that a sector is erased, but for its tail. Returns its length. */
  putBlank(record: Uint8Array, number: number): number {
    const kept = number % KEPT;
    const length = lengthFor(4 + (this.#isClear[kept] === 1 ? 0 : 2 * PRINTS), false);
    record.fill(0, 0, length);
    putHead(record, Record.blank, length, this.#isClear[kept], 0);
    putU32(record, HEAD, number);
    if (this.#isClear[kept] === 1) return length;
    for (let i = 0; i < PRINTS; i++) putU16(record, HEAD + 4 + 2 * i, this.#prints[kept * PRINTS + i]);
    return length;
  }

  /** Takes back what {@link putBlank} put, from a record that stands in sector `where`. */
  takeBlank(record: Uint8Array, offset: number, where: number): void {
    const number = getU32(record, offset + HEAD);
    const kept = number % KEPT;
    this.#blank[kept] = number;
    this.#isClear[kept] = record[offset + 2];
    const at = offset + HEAD + 4;
    if (this.#isClear[kept] !== 1)
      for (let i = 0; i < PRINTS; i++) this.#prints[kept * PRINTS + i] = getU16(record, at + 2 * i);
    this.recordedIn(number, where);
  }

  /** Remembers in which sector it is recorded that `number` is erased. */
  recordedIn(number: number, where: number): void {
    this.#recordedIn[number % KEPT] = where;
  }

  /** Whether the record that `number` is erased stands in sector `where`. */
  isRecordedIn(number: number, where: number): boolean {
    return this.isKnown(number) && this.#recordedIn[number % KEPT] === where;
  }

  // ---- headers

  /** Programs the header of a sector. */
  writeHeader({ number, oldest, position }: Header): boolean {
    const header = this.#buffer;
    header.fill(0);
    putU32(header, 0, MAGIC);
    header[4] = FORMAT;
    header[5] = this.#profile;
    header[6] = number - oldest;
    putU32(header, 8, number);
    putU24(header, 12, position);
    header.set(this.#lock, 16);
    putU32(header, 28, crc32(header, 0, 28, 0) >>> 0);
    return this.program(header, HEADER_BYTES, this.start(number));
  }

  /** Reads the header in `block` into {@link header}, mended; its number is 0 when there is none. What stops a mount is returned. */
  readHeader(block: number): Stop | undefined {
    const bytes = this.#buffer;
    this.header.number = 0;
    if (!this.read(bytes, block * this.bytes)) return undefined;
    if (!mended(bytes, 0, 28, 0) || getU32(bytes, 0) !== MAGIC) return undefined;
    if (bytes[4] > FORMAT) return "newer-format";
    for (let i = 0; i < this.#lock.length; i++) if (bytes[16 + i] !== this.#lock[i]) return "foreign";
    if (bytes[5] !== this.#profile) return "foreign";
    const number = getU32(bytes, 8);
    if (number === 0 || this.#block(number) !== block) return undefined;
    this.header.number = number;
    this.header.oldest = number - bytes[6];
    this.header.position = getU24(bytes, 12);
    return undefined;
  }
}

/** Where the part of a sector begins that the print `index` is of, and where it ends. */
function startOf(index: number): number {
  return index === 1 ? HEADER_BYTES : Math.max(0, index - 1) * PAGE;
}

function endOf(index: number): number {
  return index === 0 ? HEADER_BYTES : index * PAGE;
}
