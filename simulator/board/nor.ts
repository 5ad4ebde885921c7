// NOR flash, stricter than the real one: it only clears bits and refuses to be asked for more; a block of 16 bytes is programmed once
// between erases (as with flash encryption); misaligned or out-of-range access throws. It counts all that it does. Its faults are
// told to faulty-nor.ts.

import type { Flash, FlashStatus } from "../../firmware/ports";

export const SECTOR_BYTES = 4096;
/** What is programmed at once, and only once between erases. */
export const BLOCK_BYTES = 16;
const SHORT_BYTES = 128;

/** What a flash has been through. */
export interface FlashCounters {
  programs: number;
  programmedBytes: number;
  reads: number;
  readBytes: number;
  erases: number;
}

/** A breach of the device's rules: a mistake of the program, never of its input. */
export class FlashMisuse extends Error {}

export class NorFlash implements Flash {
  readonly counters: FlashCounters = { programs: 0, programmedBytes: 0, reads: 0, readBytes: 0, erases: 0 };
  /** Erases of each sector since this object was made. */
  readonly sectorErases: Uint32Array;
  /** What a read gives: the image. */
  readonly bytes: Uint8Array;
  /** Blocks programmed since their erase, 1 each; an image does not know of blocks that were programmed with 0xFF. */
  readonly programmed: Uint8Array;
  /** The first misuse: a program that takes every exception for a fault of the device would hide it. */
  misuse: FlashMisuse | undefined;

  /** `content` is an image to start from (copied); without it every cell is erased. */
  constructor(size: number, content?: Uint8Array) {
    if (size % SECTOR_BYTES !== 0 || size === 0)
      throw new FlashMisuse(`flash size: wanted whole sectors of ${SECTOR_BYTES} bytes, got ${size}`);
    if (content !== undefined && content.length !== size)
      throw new FlashMisuse(`flash image: wanted ${size} bytes, got ${content.length}`);
    this.bytes = content === undefined ? new Uint8Array(size).fill(0xff) : content.slice();
    this.sectorErases = new Uint32Array(size / SECTOR_BYTES);
    this.programmed = new Uint8Array(size / BLOCK_BYTES);
  }

  #misused(message: string): never {
    const misuse = new FlashMisuse(message);
    this.misuse ??= misuse;
    throw misuse;
  }

  #check(offset: number, length: number, unit: number): void {
    if (!Number.isInteger(offset) || offset < 0 || offset + length > this.bytes.length)
      this.#misused(`flash access at ${offset}, ${length} bytes: the partition has ${this.bytes.length}`);
    if (offset % unit !== 0 || length % unit !== 0)
      this.#misused(`flash access at ${offset}, ${length} bytes: wanted multiples of ${unit}`);
  }

  read(buffer: Uint8Array, offset: number): void {
    this.#check(offset, buffer.length, 1);
    this.counters.reads++;
    this.counters.readBytes += buffer.length;
    // For what is no longer than a record a view would cost more than the copy.
    const { bytes } = this;
    if (buffer.length > SHORT_BYTES) buffer.set(bytes.subarray(offset, offset + buffer.length));
    else for (let i = 0; i < buffer.length; i++) buffer[i] = bytes[offset + i];
  }

  write(buffer: Uint8Array, offset: number): void {
    this.#check(offset, buffer.length, BLOCK_BYTES);
    const end = (offset + buffer.length) / BLOCK_BYTES;
    for (let block = offset / BLOCK_BYTES; block < end; block++)
      if (!this.mayProgram(block))
        this.#misused(`flash write at ${block * BLOCK_BYTES}: programmed already since its erase`);
    this.counters.programs++;
    this.counters.programmedBytes += buffer.length;
    this.program(buffer, offset);
    this.programmed.fill(1, offset / BLOCK_BYTES, end);
  }

  eraseBlock(start: number, end: number): void {
    this.#check(start * SECTOR_BYTES, (end - start) * SECTOR_BYTES, SECTOR_BYTES);
    this.counters.erases += end - start;
    for (let sector = start; sector < end; sector++) this.sectorErases[sector]++;
    this.erase(start * SECTOR_BYTES, end * SECTOR_BYTES);
    this.programmed.fill(0, (start * SECTOR_BYTES) / BLOCK_BYTES, (end * SECTOR_BYTES) / BLOCK_BYTES);
  }

  status(): FlashStatus {
    return {
      size: this.bytes.length,
      blockLength: SECTOR_BYTES,
      blocks: this.bytes.length / SECTOR_BYTES,
    };
  }

  /** Flips one bit of the cells while they are at rest; bit 0 is the lowest of byte 0. */
  flip(bit: number): void {
    this.bytes[bit >>> 3] ^= 1 << (bit & 7);
  }

  // ---- what a kind of flash does in its own way

  /** Whether a block was not programmed since its erase. */
  protected mayProgram(block: number): boolean {
    if (this.programmed[block] === 1) return false;
    const start = block * BLOCK_BYTES;
    for (let i = start; i < start + BLOCK_BYTES; i++) if (this.bytes[i] !== 0xff) return false;
    return true;
  }

  /** What programming does to the cells. */
  protected program(buffer: Uint8Array, offset: number): void {
    this.bytes.set(buffer, offset);
  }

  /** What an erase from `start` to before `end`, in bytes, does to the cells. */
  protected erase(start: number, end: number): void {
    this.bytes.fill(0xff, start, end);
  }
}
