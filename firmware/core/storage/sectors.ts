// The sectors under the log. Sector number s (1, 2, 3, …) always stands in physical block (s − 1) mod n, so wear is even by
// construction. A sector is used because of its header, and because it is known to have been erased.

import { getU16, getU24, getU32, putU16, putU24, putU32 } from "../../../protocol/wire/bytes";
import type { Flash } from "../../ports";
import { Blanks } from "./blanks";
import { crc32, mended } from "./crc";
import { Device } from "./device";
import { holdsRecord, MAX_RECORD_BYTES } from "./records";

/** A sector's header: see {@link Sectors.writeHeader}. */
export const HEADER_BYTES = 32;
/** "TMBL" */
const MAGIC = 0x544d424c;
/** The only format there is; a higher one was written by a newer firmware. */
export const FORMAT = 1;
/** A block that fails so often since boot is left out. */
const MAX_FAILURES = 2;

/** What a header says. */
export interface Header {
  number: number;
  /** The oldest sector with content when this one was opened. */
  oldest: number;
  /** The position of the log then, and the link that the first record of this sector has. */
  position: number;
  link: number;
}

/** Why no log may be made of what was found. */
export type Stop = "newer-format" | "foreign";

export class Sectors {
  /** How many there are, and the length of each in bytes. */
  readonly count: number;
  readonly bytes: number;
  readonly header: Header = { number: 0, oldest: 0, position: 0, link: 0 };
  readonly blanks = new Blanks(HEADER_BYTES);
  readonly device: Device;
  readonly #lock: Uint8Array;
  readonly #profile: number;
  readonly #seedInput = new Uint8Array(12);
  readonly #buffer = new Uint8Array(HEADER_BYTES);
  /** Failures of each block since boot. */
  readonly #failures: Uint8Array;

  constructor(flash: Flash, lock: Uint8Array, profile: number) {
    this.device = new Device(flash, MAX_RECORD_BYTES);
    this.#lock = lock;
    this.#profile = profile;
    this.count = this.device.blocks;
    this.bytes = this.device.blockBytes;
    this.#seedInput.set(lock, 0);
    this.#failures = new Uint8Array(this.count);
  }

  /** The block in which sector `number` stands. */
  block(number: number): number {
    return (number - 1) % this.count;
  }

  /** Where sector `number` begins, in bytes. */
  start(number: number): number {
    return this.block(number) * this.bytes;
  }

  /** What the CRCs of its records are seeded with. */
  seed(number: number): number {
    putU32(this.#seedInput, 8, number);
    return crc32(this.#seedInput, 0, 12, 0);
  }

  /** Reads a whole sector. */
  readSector(number: number, into: Uint8Array): boolean {
    return this.device.read(into, this.start(number));
  }

  /** Reads a sector into a buffer as long as it, without its header. */
  readBody(number: number, into: Uint8Array): boolean {
    return this.device.read(into.subarray(HEADER_BYTES), this.start(number) + HEADER_BYTES);
  }

  // ---- erasing

  /**
   * Erases a sector and looks whether it is: it must read the same twice, like an erased one, and nothing of the sector that stood
   * there before may verify. Then it is known to be blank. False when it is not erased.
   */
  erase(number: number): boolean {
    const block = this.block(number);
    const sector = new Uint8Array(this.bytes);
    this.blanks.forget(number);
    if (this.device.erase(block)) {
      if (this.device.looksErased(block, sector) && !this.holdsFormer(number, sector)) {
        this.blanks.keep(number, sector);
        return true;
      }
      this.device.faults++;
    }
    this.#failures[block]++;
    return false;
  }

  /** Erases all of them without looking: at provisioning. False when the device refused one. */
  eraseAll(): boolean {
    let done = true;
    for (let block = 0; block < this.count; block++) done = this.device.erase(block) && done;
    return done;
  }

  /** Whether its block failed so often that it is left out until the next boot. */
  isBad(number: number): boolean {
    return this.#failures[this.block(number)] >= MAX_FAILURES;
  }

  private holdsFormer(number: number, sector: Uint8Array): boolean {
    const header = this.#buffer;
    header.set(sector.subarray(0, HEADER_BYTES));
    if (mended(header, 0, HEADER_BYTES - 4, 0) && getU32(header, 0) === MAGIC) return true;
    return number > this.count && holdsRecord(sector, HEADER_BYTES, this.seed(number - this.count));
  }

  /** Reads a sector into `buffer`; whether all of it reads as when it was erased. */
  stillBlank(number: number, buffer: Uint8Array): boolean {
    return this.readSector(number, buffer) && this.blanks.isAllUntouched(number, buffer);
  }

  /** The first sector after `number` that is known to have been erased, when `newest` is the newest; 0 for none. */
  nextBlank(number: number, newest: number): number {
    for (let next = number + 1; next < newest + this.count; next++)
      if (this.blanks.isKnown(next)) return next;
    return 0;
  }

  // ---- headers

  /** Programs a header: magic | format | profile | back to oldest | 0 | number (4) | position (3) | 0 | lock (8) | link (2) | 0 (2) | crc. */
  writeHeader({ number, oldest, position, link }: Header): boolean {
    const header = this.#buffer;
    header.fill(0);
    putU32(header, 0, MAGIC);
    header[4] = FORMAT;
    header[5] = this.#profile;
    header[6] = number - oldest;
    putU32(header, 8, number);
    putU24(header, 12, position);
    header.set(this.#lock, 16);
    putU16(header, 24, link);
    putU32(header, 28, crc32(header, 0, 28, 0) >>> 0);
    const block = this.block(number);
    const taken = this.device.program(header, this.start(number));
    // An erase that reports success may have done nothing: only what takes a header is good.
    this.#failures[block] = taken ? 0 : this.#failures[block] + 1;
    return taken;
  }

  /** Reads the header in `block` into {@link header}, mended; its number is 0 when there is none. What stops a mount is returned. */
  readHeader(block: number): Stop | undefined {
    const bytes = this.#buffer;
    this.header.number = 0;
    if (!this.device.read(bytes, block * this.bytes)) return undefined;
    if (!mended(bytes, 0, 28, 0) || getU32(bytes, 0) !== MAGIC) return undefined;
    if (bytes[4] > FORMAT) return "newer-format";
    for (let i = 0; i < this.#lock.length; i++) if (bytes[16 + i] !== this.#lock[i]) return "foreign";
    if (bytes[5] !== this.#profile) return "foreign";
    const number = getU32(bytes, 8);
    if (number === 0 || this.block(number) !== block) return undefined;
    this.header.number = number;
    this.header.oldest = number - bytes[6];
    this.header.position = getU24(bytes, 12);
    this.header.link = getU16(bytes, 24);
    return undefined;
  }
}
