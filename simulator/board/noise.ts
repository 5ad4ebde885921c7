// Chance that repeats: numbers that depend on nothing but the keys that they are asked with. A fault of flash is told by a few numbers,
// and what it does to cells is the same whenever it is told again.

/** 32 bits that depend on every key. */
export function hash32(...keys: readonly number[]): number {
  let state = 0x9e3779b9;
  for (const key of keys) {
    state = Math.imul(state ^ key, 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    state ^= state >>> 16;
  }
  return state >>> 0;
}

/** A stream of numbers from a seed (Marsaglia's xorshift of 32 bits). */
export class Noise {
  #state: number;

  constructor(...keys: readonly number[]) {
    // Zero is the one state that it never leaves.
    this.#state = hash32(...keys) || 1;
  }

  /** The next 32 bits, unsigned. */
  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }

  /** A whole number from 0 to before `end`. */
  below(end: number): number {
    return Math.floor((this.next() / 2 ** 32) * end);
  }

  /** A byte. */
  byte(): number {
    return this.next() >>> 24;
  }

  /** A byte of which each bit is set with probability 2^-`halvings`. */
  sparse(halvings: number): number {
    let byte = this.byte();
    for (let i = 1; i < halvings; i++) byte &= this.byte();
    return byte;
  }
}
