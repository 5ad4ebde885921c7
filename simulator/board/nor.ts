// NOR flash, stricter than the real one: it only clears bits and refuses to be asked for more; a block of 16 bytes is programmed once
// between erases (as with flash encryption); misaligned or out-of-range access throws. It counts all that it does.

import type { Flash, FlashStatus } from "../../firmware/ports";

export const SECTOR_BYTES = 4096;
const BLOCK_BYTES = 16;

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
  /** What the cells hold: the image. */
  readonly bytes: Uint8Array;
  readonly #written: Uint8Array;

  /** `content` is an image to start from (copied); without it every cell is erased. */
  constructor(size: number, content?: Uint8Array) {
    if (size % SECTOR_BYTES !== 0 || size === 0)
      throw new FlashMisuse(`flash size: wanted whole sectors of ${SECTOR_BYTES} bytes, got ${size}`);
    if (content !== undefined && content.length !== size)
      throw new FlashMisuse(`flash image: wanted ${size} bytes, got ${content.length}`);
    this.bytes = content === undefined ? new Uint8Array(size).fill(0xff) : content.slice();
    this.sectorErases = new Uint32Array(size / SECTOR_BYTES);
    this.#written = new Uint8Array(size / BLOCK_BYTES);
    for (let block = 0; block < this.#written.length; block++) {
      const start = block * BLOCK_BYTES;
      for (let i = start; i < start + BLOCK_BYTES && this.#written[block] === 0; i++)
        if (this.bytes[i] !== 0xff) this.#written[block] = 1;
    }
  }

  #check(offset: number, length: number, unit: number): void {
    if (!Number.isInteger(offset) || offset < 0 || offset + length > this.bytes.length)
      throw new FlashMisuse(
        `flash access at ${offset}, ${length} bytes: the partition has ${this.bytes.length}`,
      );
    if (offset % unit !== 0 || length % unit !== 0)
      throw new FlashMisuse(`flash access at ${offset}, ${length} bytes: wanted multiples of ${unit}`);
  }

  read(buffer: Uint8Array, offset: number): void {
    this.#check(offset, buffer.length, 1);
    this.counters.reads++;
    this.counters.readBytes += buffer.length;
    buffer.set(this.bytes.subarray(offset, offset + buffer.length));
  }

  write(buffer: Uint8Array, offset: number): void {
    this.#check(offset, buffer.length, BLOCK_BYTES);
    for (let block = offset / BLOCK_BYTES; block < (offset + buffer.length) / BLOCK_BYTES; block++) {
      if (this.#written[block] === 1)
        throw new FlashMisuse(`flash write at ${block * BLOCK_BYTES}: programmed already since its erase`);
      this.#written[block] = 1;
    }
    this.counters.programs++;
    this.counters.programmedBytes += buffer.length;
    for (let i = 0; i < buffer.length; i++) {
      if ((buffer[i] & ~this.bytes[offset + i]) !== 0)
        throw new FlashMisuse(`flash write at ${offset + i}: would set a bit that is 0`);
      this.bytes[offset + i] &= buffer[i];
    }
  }

  eraseBlock(start: number, end: number): void {
    this.#check(start * SECTOR_BYTES, (end - start) * SECTOR_BYTES, SECTOR_BYTES);
    this.bytes.fill(0xff, start * SECTOR_BYTES, end * SECTOR_BYTES);
    this.#written.fill(0, (start * SECTOR_BYTES) / BLOCK_BYTES, (end * SECTOR_BYTES) / BLOCK_BYTES);
    this.counters.erases += end - start;
    for (let sector = start; sector < end; sector++) this.sectorErases[sector]++;
  }

  status(): FlashStatus {
    return {
      size: this.bytes.length,
      blockLength: SECTOR_BYTES,
      blocks: this.bytes.length / SECTOR_BYTES,
    };
  }
}
