// Core-deterministic CBOR (RFC 8949 §4.2.1) for the lock: a strict pull reader, validator and typed decoder in one pass, and a small
// encoder (rule X8). The subset: integers within ±(2^53-1), byte and text strings, arrays, maps, false, true and null; shortest heads,
// definite lengths, sorted unique keys, valid UTF-8. Never an exception on input: a reader that refuses stays refused.
// Major types (RFC 8949 §3.1): 0 unsigned, 1 negative, 2 byte string, 3 text, 4 array, 5 map, 7 simple (20 false, 21 true, 22 null).

import { isUtf8 } from "./utf8";

const MAX = Number.MAX_SAFE_INTEGER;

/**
 * Reads items from `bytes`, at `position` and before `end` (at most `bytes.length`). The first item that is not what was asked for sets
 * `ok` to false for good: every later read gives 0, an empty array or false, and `position` stays at the item that was refused.
 */
export class Reader {
  ok = true;
  position = 0;
  end = 0;
  bytes!: Uint8Array;

  constructor(bytes: Uint8Array = new Uint8Array(0), start = 0, end = bytes.length) {
    this.reset(bytes, start, end);
  }

  /** Starts again on the bytes from `start` to before `end`; allocates nothing. A range that is not within them is refused. */
  reset(bytes: Uint8Array, start = 0, end = bytes.length): this {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.ok = start >= 0 && start <= end && end <= bytes.length;
    return this;
  }

  /** Refuses the input, for a reason that the caller knows. */
  fail(): void {
    this.ok = false;
  }

  /** An unsigned integer of at most `max`. */
  uint(max = MAX): number {
    return this.head(0, max);
  }

  /** An integer from `min` to `max`. */
  int(min: number, max: number): number {
    const at = this.position;
    const value = this.peek() === 1 ? -1 - this.head(1, MAX - 1) : this.head(0, MAX);
    return this.ok && value >= min && value <= max ? value : this.refuse(at);
  }

  /** A byte string of `min` to `max` bytes: a view into the input, not a copy. */
  raw(min: number, max = min): Uint8Array {
    const length = this.string(2, min, max);
    return this.bytes.subarray(this.position - length, this.position);
  }

  /** The bytes of a text string, at most `max` of them and valid UTF-8: a view into the input, not a copy. */
  text(max: number): Uint8Array {
    const length = this.string(3, 0, max);
    return this.bytes.subarray(this.position - length, this.position);
  }

  /** The head of an array or a map: how many items or pairs follow, at most `max`, and no more than the input has room for. */
  array(max: number): number {
    return this.head(4, max);
  }
  map(max: number): number {
    return this.head(5, max);
  }

  /** An unsigned map key above `previous`, which is -1 before the first: so keys are sorted and unique. */
  key(previous: number): number {
    return this.int(previous + 1, MAX);
  }

  bool(): boolean {
    const next = this.peek() === 7 ? this.bytes[this.position] : 0;
    if (next === 0xf4 || next === 0xf5) this.position++;
    else this.ok = false;
    return next === 0xf5;
  }

  /** Takes the next item and gives true if it is null; leaves it otherwise, and refuses nothing. */
  nil(): boolean {
    if (this.peek() !== 7 || this.bytes[this.position] !== 0xf6) return false;
    this.position++;
    return true;
  }

  /** The major type of the next item, 0 to 7; -1 at the end and after a refusal. */
  peek(): number {
    return this.ok && this.position < this.end ? this.bytes[this.position] >> 5 : -1;
  }

  /** Passes over one item of the subset, whatever it is, with arrays and maps at most `depth` deep in each other. */
  skip(depth = 8): void {
    const major = this.peek();
    if (major === 0 || major === 1) this.head(major, MAX - major);
    else if (major === 2 || major === 3) this.string(major, 0, MAX);
    else if (major === 4 && depth > 0)
      for (let left = this.array(MAX); left > 0 && this.ok; left--) this.skip(depth - 1);
    else if (major === 5 && depth > 0) this.skipPairs(this.map(MAX), depth - 1);
    else if (!this.nil()) this.bool();
  }

  /** Whether nothing was refused and nothing is left. */
  done(): boolean {
    return this.ok && this.position === this.end;
  }

  private refuse(at: number): 0 {
    this.position = at;
    this.ok = false;
    return 0;
  }

  /** The argument of a head in its shortest form, at most `max`. No length is trusted: what it counts must have room in the input. */
  private head(major: number, max: number): number {
    const at = this.position;
    if (!this.ok || at >= this.end) return this.refuse(at);
    const first = this.bytes[at];
    const info = first & 31;
    // Most heads are one byte; what a count or a length announces must have room behind it.
    if (first >> 5 === major && info < 24 && info <= max) {
      if (major < 2 || info * (major === 5 ? 2 : 1) < this.end - at) {
        this.position = at + 1;
        return info;
      }
    }
    const size = info < 24 ? 0 : 1 << (info - 24);
    const left = this.end - at - 1 - size;
    if (first >> 5 !== major || info > 27 || left < 0) return this.refuse(at);
    let argument = size === 0 ? info : 0;
    for (let i = 1; i <= size; i++) argument = argument * 256 + this.bytes[at + i];
    const least = size === 0 ? 0 : size === 1 ? 24 : 2 ** (size * 4);
    const most = major < 2 ? MAX : major === 5 ? left / 2 : left;
    if (!(argument >= least && argument <= most && argument <= max)) return this.refuse(at);
    this.position = at + 1 + size;
    return argument;
  }

  /** Passes over a string and gives its length in bytes. */
  private string(major: number, min: number, max: number): number {
    const at = this.position;
    const length = this.head(major, max);
    const end = this.position + length;
    if (!(length >= min) || (major === 3 && !isUtf8(this.bytes, this.position, end))) return this.refuse(at);
    this.position = end;
    return length;
  }

  private skipPairs(count: number, depth: number): void {
    for (let left = count, previous = -1, previousEnd = 0; left > 0 && this.ok; left--) {
      const at = this.position;
      this.skip(depth);
      if (previous >= 0 && !isBefore(this.bytes, previous, previousEnd, at, this.position)) this.refuse(at);
      previous = at;
      previousEnd = this.position;
      this.skip(depth);
    }
  }
}

/** Whether `bytes` are exactly one item of the subset, with arrays and maps at most 8 deep in each other. */
export function isDeterministic(bytes: Uint8Array): boolean {
  const reader = new Reader(bytes);
  reader.skip();
  return reader.done();
}

/** Bytewise lexicographic order of two encoded keys; each is a whole item, so neither begins with the other. */
function isBefore(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  for (; a < aEnd && b < bEnd; a++, b++) if (bytes[a] !== bytes[b]) return bytes[a] < bytes[b];
  return false;
}

/**
 * Writes items into the caller's buffer, `length` bytes so far, heads in their shortest form. What does not fit, an integer beyond
 * ±(2^53-1) and text that is not UTF-8 set `ok` to false for good, and nothing more is written. Counts and key order are the caller's.
 */
export class Writer {
  ok = true;
  length = 0;
  private readonly buffer: Uint8Array;
  constructor(buffer: Uint8Array) {
    this.buffer = buffer;
  }

  /** Starts again at the beginning of the same buffer. */
  reset(): this {
    this.ok = true;
    this.length = 0;
    return this;
  }

  uint(value: number): this {
    return this.head(0, value);
  }
  int(value: number): this {
    this.ok &&= Number.isSafeInteger(value);
    return value < 0 ? this.head(1, -1 - value) : this.head(0, value);
  }
  bool(value: boolean): this {
    return this.head(7, value ? 21 : 20);
  }
  nil(): this {
    return this.head(7, 22);
  }

  /** A byte string, and a text string by its UTF-8 bytes. */
  raw(bytes: Uint8Array): this {
    return this.head(2, bytes.length, bytes.length).copy(bytes);
  }
  text(utf8: Uint8Array): this {
    this.ok &&= isUtf8(utf8, 0, utf8.length);
    return this.head(3, utf8.length, utf8.length).copy(utf8);
  }

  /** The head of an array of `count` items, and of a map of `count` pairs. */
  array(count: number): this {
    return this.head(4, count);
  }
  map(count: number): this {
    return this.head(5, count);
  }

  /** Items that are encoded already, as they are. */
  copy(encoded: Uint8Array): this {
    this.ok &&= encoded.length <= this.buffer.length - this.length;
    if (!this.ok) return this;
    this.buffer.set(encoded, this.length);
    this.length += encoded.length;
    return this;
  }

  /** What was written, as a view and as a copy; empty after a failure. */
  view(): Uint8Array {
    return this.buffer.subarray(0, this.ok ? this.length : 0);
  }
  bytes(): Uint8Array {
    return new Uint8Array(this.view());
  }

  /** A head, if it and the `payload` bytes that follow it have room. */
  private head(major: number, argument: number, payload = 0): this {
    const info =
      argument < 24 ? argument : argument < 256 ? 24 : argument < 65536 ? 25 : argument < 2 ** 32 ? 26 : 27;
    const size = info < 24 ? 0 : 1 << (info - 24);
    this.ok &&=
      Number.isSafeInteger(argument) &&
      argument >= 0 &&
      1 + size + payload <= this.buffer.length - this.length;
    if (!this.ok) return this;
    this.buffer[this.length] = major * 32 + info;
    for (let i = size, rest = argument; i > 0; i--, rest = Math.floor(rest / 256))
      this.buffer[this.length + i] = rest % 256;
    this.length += 1 + size;
    return this;
  }
}
