// NOR flash behind flash encryption: reading decrypts, so an erased sector reads as noise, which stays the same until the next erase;
// a bit that flips spoils the 16 bytes that it was encrypted with; and what is programmed twice holds neither the one nor the other.
// The bytes kept here are what a read gives.

import { hash32, Noise } from "./noise";
import { BLOCK_BYTES, NorFlash, SECTOR_BYTES } from "./nor";

/** What a scrambled flash keeps beside its bytes. */
export interface Scramble {
  /** The key, as far as it matters here. */
  readonly seed: number;
  /** How often each sector was erased: its noise depends on it. */
  readonly erases: Uint32Array;
  /** Blocks programmed since their erase, 1 each. */
  readonly programmed: Uint8Array;
}

/** How a scrambled flash is made. */
export interface ScrambledOptions {
  readonly seed?: number;
  /** "misuse" throws when a block is programmed twice (the default); "garbage" does what the device does. */
  readonly overwrites?: "misuse" | "garbage";
  /** What another one left. */
  readonly content?: { readonly bytes: Uint8Array; readonly scramble: Scramble };
}

/** Fills `bytes[start..end)`, offsets in the partition and multiples of 4, with what its sectors read after their last erase. */
export function fillErased(bytes: Uint8Array, start: number, end: number, scramble: Scramble): void {
  for (let at = start; at < end; at += 4) {
    const word = hash32(scramble.seed, scramble.erases[Math.floor(at / SECTOR_BYTES)], at);
    bytes[at] = word >>> 24;
    bytes[at + 1] = word >>> 16;
    bytes[at + 2] = word >>> 8;
    bytes[at + 3] = word;
  }
}

/** Fills the block that the byte `at` is in with noise. */
export function spoilBlock(bytes: Uint8Array, at: number, noise: Noise): void {
  const start = at - (at % BLOCK_BYTES);
  for (let i = start; i < start + BLOCK_BYTES; i++) bytes[i] = noise.byte();
}

export class ScrambledNor extends NorFlash {
  readonly scramble: Scramble;
  readonly #overwrites: "misuse" | "garbage";

  constructor(size: number, options: ScrambledOptions = {}) {
    super(size, options.content?.bytes);
    const { seed = 0, erases, programmed } = options.content?.scramble ?? { seed: options.seed };
    this.#overwrites = options.overwrites ?? "misuse";
    if (programmed !== undefined) this.programmed.set(programmed);
    this.scramble = {
      seed,
      erases: erases?.slice() ?? new Uint32Array(size / SECTOR_BYTES),
      programmed: this.programmed,
    };
    if (options.content === undefined) fillErased(this.bytes, 0, size, this.scramble);
  }

  override flip(bit: number): void {
    spoilBlock(this.bytes, bit >>> 3, new Noise(this.scramble.seed, bit));
  }

  protected override mayProgram(block: number): boolean {
    return this.programmed[block] === 0 || this.#overwrites === "garbage";
  }

  protected override program(buffer: Uint8Array, offset: number): void {
    this.bytes.set(buffer, offset);
    for (let at = offset; at < offset + buffer.length; at += BLOCK_BYTES)
      if (this.programmed[at / BLOCK_BYTES] === 1)
        spoilBlock(this.bytes, at, new Noise(this.scramble.seed, at, buffer[at - offset]));
  }

  protected override erase(start: number, end: number): void {
    for (let sector = start / SECTOR_BYTES; sector < end / SECTOR_BYTES; sector++)
      this.scramble.erases[sector]++;
    fillErased(this.bytes, start, end, this.scramble);
  }
}
