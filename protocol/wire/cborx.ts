// The one place with options for cbor-x: CBOR for the issuer, the courier and the tools, never for the lock. What comes out and what is
// let in is core-deterministic (RFC 8949 §4.2.1) and within the subset of ./cbor, which is the judge here of both directions.
// The build without eval and without the native string reader behaves alike on every machine and under a page's content policy.

import { Encoder } from "cbor-x/index-no-eval";
import { equal } from "./bytes";
import { isDeterministic } from "./cbor";

/** A value on the wire: numbers are integers within ±(2^53-1), strings well-formed Unicode, keys integers or strings. */
export type CborValue =
  | number
  | Uint8Array
  | string
  | boolean
  | null
  | CborValue[]
  | Map<number | string, CborValue>;

const OPTIONS = {
  useRecords: false,
  mapsAsObjects: false,
  tagUint8Array: false,
  variableMapSize: true,
  copyBuffers: true,
  int64AsNumber: true,
};
const codec = new Encoder(OPTIONS);

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The core-deterministic encoding of `value`, whatever the order of a map's keys: a fresh array of the caller's. Throws TypeError on
 * what is not a CborValue, and RangeError on what `decode` would not give back: arrays and maps more than 8 deep in each other, and
 * texts of more than 64 bytes that begin with U+FEFF, which cbor-x drops when it reads them.
 */
export function encode(value: CborValue): Uint8Array {
  if (!isCborValue(value))
    throw new TypeError("encode: wanted a CborValue, got one that has no deterministic form");
  const bytes = write(value);
  if (decode(bytes) === undefined)
    throw new RangeError("encode: deeper than 8, or a long text that begins with U+FEFF");
  return bytes;
}

/**
 * The value of `bytes`, its byte strings as copies; undefined unless they are the very bytes that `encode` makes of it.
 * Neither keeps nor changes `bytes`.
 */
export function decode(bytes: Uint8Array): CborValue | undefined {
  if (!isDeterministic(bytes)) return undefined;
  // A copy, since cbor-x leaves a property on the array that it reads, and gives Buffers for a Buffer.
  const value: unknown = codec.decode(new Uint8Array(bytes));
  return isCborValue(value) && equal(write(value), bytes) ? value : undefined;
}

function isCborValue(value: unknown): value is CborValue {
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (typeof value === "string") return !LONE_SURROGATE.test(value);
  if (Array.isArray(value)) return Array.from(value).every(isCborValue);
  if (value instanceof Map) return [...value].every(([key, item]) => isKey(key) && isCborValue(item));
  return value === null || typeof value === "boolean" || value instanceof Uint8Array;
}

function isKey(key: unknown): boolean {
  return (typeof key === "number" || typeof key === "string") && isCborValue(key);
}

function write(value: CborValue): Uint8Array {
  return new Uint8Array(codec.encode(prepare(value)));
}

/** What cbor-x writes deterministically: sorted maps, and BigInt for integers beyond 32 bits, which it writes as floats. */
function prepare(value: CborValue): unknown {
  if (typeof value === "number") return value > 0xffffffff || value < -0x100000000 ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(prepare);
  if (value instanceof Map) {
    const pairs = Array.from(value, ([key, item]) => ({
      order: write(key),
      key: prepare(key),
      item: prepare(item),
    }));
    pairs.sort((a, b) => compare(a.order, b.order));
    return new Map(pairs.map(({ key, item }) => [key, item]));
  }
  return value;
}

/** Bytewise lexicographic order (RFC 8949 §4.2.1); no encoded key begins with another. */
function compare(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? 0 : a[at] - b[at];
}
