// Chance that repeats: bytes and whole numbers that depend on a seed alone. A random test prints its seed in its title, and
// `SEED=<seed> npx mocha <file>` runs it again with the same one.

/** The seed of the random tests of a run: that of the environment, else 1. */
export const SEED = Number(process.env.SEED ?? 1);

/** Bytes that only look random: the same for the same seed, from a small generator (mulberry32). */
function seededRandom(seed: number): (buffer: Uint8Array) => void {
  let state = seed >>> 0;
  return (buffer) => {
    for (let i = 0; i < buffer.length; i++) {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      buffer[i] = (mixed ^ (mixed >>> 14)) >>> 24;
    }
  };
}

/** Draws from one stream of chance. */
export class Dice {
  /** Fills a buffer with bytes of this stream. */
  readonly fill: (buffer: Uint8Array) => void;
  readonly #word = new Uint8Array(4);

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
    this.fill(this.#word);
    const [a, b, c, d] = this.#word;
    return Math.floor(((a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / 2 ** 32) * end);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** Whether something of this probability happens. */
  chance(probability: number): boolean {
    return this.below(1_000_000) < probability * 1_000_000;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}
