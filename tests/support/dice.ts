// Chance that repeats: whole numbers that depend on a seed alone. A random test prints its seed in its title, and
// `SEED=<seed> npx mocha <file>` runs it again with the same one.

import { seededRandom } from "./door";

/** The seed of the random tests of a run: that of the environment, else 1. */
export const SEED = Number(process.env.SEED ?? 1);

/** Draws from one stream of chance. */
export class Dice {
  /** Fills a buffer with bytes of this stream. */
  readonly fill: (buffer: Uint8Array) => void;

  constructor(seed: number = SEED) {
    this.fill = seededRandom(seed);
  }

  /** `length` bytes. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.fill(bytes);
    return bytes;
  }

  /** A whole number from 0 to before `end`. */
  below(end: number): number {
    const [a, b, c, d] = this.bytes(4);
    return Math.floor(((a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / 2 ** 32) * end);
  }

  /** Whether something of this probability happens. */
  chance(probability: number): boolean {
    return this.below(1_000_000) < probability * 1_000_000;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}
