// What the tests of CBOR measure by: the values of the wire as a fast-check arbitrary, and cborg as the independent judge of which
// bytes are core-deterministic (RFC 8949 §4.2.1) and of what a value's encoding is. It imports nothing of the project.

import type * as Cborg from "cborg";
import fc from "fast-check";

// cborg exports itself to `import` alone, and tests run as CommonJS; Node takes the file by its path.
const cborg = require("../../node_modules/cborg/cborg.js") as typeof Cborg;

export type Value = number | string | boolean | null | Uint8Array | Value[] | Map<number | string, Value>;

const MAX_DEPTH = 8;
const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowBigInt: false,
  allowInfinity: false,
  allowNaN: false,
  useMaps: true,
  rejectDuplicateMapKeys: true,
};

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function unhex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

/** The core-deterministic encoding, by cborg; only the order of the keys is made here, since cborg sorts none but scalar keys. */
export function canonical(value: unknown): Uint8Array {
  return cborg.encode(sorted(value), { mapSorter: () => 0 });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  return value instanceof Map
    ? new Map(sortedEntries(value).map(([key, item]) => [sorted(key), sorted(item)]))
    : value;
}

/** The entries of a map in the order of their keys' encodings (hexadecimal sorts as its bytes do). Throws on equal keys. */
export function sortedEntries<K, V>(map: Map<K, V>): [K, V][] {
  const entries = [...map].map(([key, value]) => ({ key, value, order: hex(canonical(key)) }));
  entries.sort((a, b) => (a.order < b.order ? -1 : 1));
  if (entries.some(({ order }, i) => i > 0 && order === entries[i - 1].order)) throw new Error("equal keys");
  return entries.map(({ key, value }) => [key, value]);
}

/**
 * Whether the bytes are one item of the subset: cborg decodes them strictly, writes the very same bytes again, and the value holds no
 * number but integers and nothing deeper than 8. It cannot judge texts that begin with U+FEFF, which its TextDecoder drops.
 */
export function isAccepted(bytes: Uint8Array): boolean {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // collecting the trace takes four times as long as the judgement
  try {
    const value = cborg.decode(bytes, STRICT);
    return isWithin(value, MAX_DEPTH) && hex(canonical(value)) === hex(bytes);
  } catch {
    return false;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function isWithin(value: unknown, depth: number): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (Array.isArray(value)) return depth > 0 && value.every((item) => isWithin(item, depth - 1));
  if (value instanceof Map) return depth > 0 && [...value].flat().every((item) => isWithin(item, depth - 1));
  return true;
}

/** Integers with the borders of every head's size, and as many small ones. */
export const integers: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: -300, max: 300 }),
  fc.maxSafeInteger(),
  fc
    .tuple(
      fc.constantFrom(0, 24, 256, 65536, 2 ** 31, 2 ** 32, 2 ** 52),
      fc.integer({ min: -2, max: 2 }),
      fc.boolean(),
    )
    .map(([border, step, negative]) => (negative ? -(border + step) : border + step) + 0),
);

const [SURROGATES, SURROGATES_END, MAX_CHARACTER] = [0xd800, 0xe000, 0x10ffff];

/** Any character of Unicode. fast-check has them too, but counts all million of them first, in each process. */
export const characters: fc.Arbitrary<string> = fc
  .nat(MAX_CHARACTER - (SURROGATES_END - SURROGATES))
  .map((n) => String.fromCodePoint(n < SURROGATES ? n : n + SURROGATES_END - SURROGATES));

const texts = fc.oneof(fc.string({ unit: characters, maxLength: 80 }), fc.string({ maxLength: 80 }));
const byteStrings = fc.uint8Array({ maxLength: 300 });
const scalars: fc.Arbitrary<Value> = fc.oneof(integers, texts, byteStrings, fc.boolean(), fc.constant(null));

/** A value with arrays and maps at most 8 deep in each other. */
export const values: fc.Arbitrary<Value> = nested(MAX_DEPTH);

function nested(depth: number): fc.Arbitrary<Value> {
  if (depth === 0) return scalars;
  const inner = nested(depth - 1);
  return fc.oneof(
    scalars,
    fc.array(inner, { maxLength: 4 }),
    fc.array(fc.tuple(fc.oneof(integers, texts), inner), { maxLength: 4 }).map((pairs) => new Map(pairs)),
  );
}
