// What the tests of messages and payloads have in common: the fields of each map with values at their limits and one past them, as plain
// CBOR values that cborg encodes. It imports nothing of the project.

import { canonical, type Value } from "../../support/cbor";

export type Pairs = Map<number | string, Value>;

/** A field's values that fit, each at a limit, and those that do not. */
export interface Field {
  readonly fits: readonly Value[];
  readonly not: readonly Value[];
}

/** One map of the protocol. */
export interface Shape {
  readonly name: string;
  /** The rule of protocol.cddl that describes {@link wrap}'s bytes. */
  readonly rule: string;
  /** All its pairs, those that may be left out included. */
  readonly usual: Pairs;
  /** Keys that may be left out. */
  readonly optional?: readonly number[];
  readonly fields: ReadonlyMap<number, Field>;
  /** How deep an extension may nest. */
  readonly depth: number;
  /** The bytes that the map travels as. */
  wrap(map: Uint8Array): Uint8Array;
  /** What the reader makes of them; undefined when it refuses. */
  read(bytes: Uint8Array): unknown;
  /** Whether a map of the right form breaks a condition that ties several of its parts together. */
  isTorn?(map: Pairs): boolean;
}

/** Whole numbers from `min` to `max`. */
export const uint = (min: number, max: number): Field => ({
  fits: [min, max],
  not: [min - 1, max + 1, -1, "1", new Uint8Array(1), null],
});

/** Byte strings of `min` to `max` bytes. */
export function bytes(min: number, max = min): Field {
  const lengths = [max + 1, ...(min > 0 ? [min - 1] : [])];
  const not: Value[] = [...lengths.map((length) => new Uint8Array(length)), "a".repeat(min), 0, null];
  return { fits: [new Uint8Array(min).fill(7), new Uint8Array(max).fill(7)], not };
}

/** Texts of `min` to `max` bytes of UTF-8. */
export function text(min: number, max: number): Field {
  const not: Value[] = ["a".repeat(max + 1), `${"a".repeat(max - 1)}é`, new Uint8Array(max), 0];
  if (min > 0) not.push("a".repeat(min - 1));
  return { fits: ["a".repeat(min), "a".repeat(max), `${"a".repeat(max - 2)}é`], not };
}

/** The pairs of an object by numbers. */
export const pairs = (fields: Readonly<Record<number, Value>>): Pairs =>
  new Map(Object.entries(fields).map(([key, value]) => [Number(key), value]));

/** The encoding of a map with some of its pairs changed, added, or (undefined) left out. */
export function changed(map: Pairs, changes: readonly (readonly [number | string, Value | undefined])[]) {
  const copy = new Map(map);
  for (const [key, value] of changes) {
    if (value === undefined) copy.delete(key);
    else copy.set(key, value);
  }
  return canonical(copy);
}

/** Arrays `depth` deep in each other. */
export function nested(depth: number): Value {
  let value: Value = 0;
  for (let n = 0; n < depth; n++) value = [value];
  return value;
}
