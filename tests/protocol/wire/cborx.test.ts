// Rule X8 on the issuer's side: cbor-x, with its options, writes and takes core-deterministic CBOR only.

import assert from "node:assert/strict";
import fc from "fast-check";
import vectors from "../../../protocol/vectors/cbor.json";
import { type CborValue, decode, encode } from "../../../protocol/wire/cborx";
import { canonical, hex, unhex, type Value, values } from "../../support/cbor";

const MAX = Number.MAX_SAFE_INTEGER;

describe("X8 cbor-x", () => {
  it("encodes as cborg does, and decodes what it encoded", () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encode(value);
        assert.equal(hex(bytes), hex(canonical(value)));
        assert.deepEqual(decode(bytes), value);
      }),
      { numRuns: 1000 },
    );
  });

  it("sorts the keys of every map, in whatever order they were set", () => {
    const inner = () =>
      new Map<number | string, CborValue>([
        ["b", 1],
        ["", 2],
        [-1, 3],
        [24, 4],
        [2 ** 32, 5],
        [5, 6],
      ]);
    const map = new Map<number | string, CborValue>([
      ["aa", inner()],
      ["z", [inner()]],
      [-1, 0],
      [100, 0],
      [10, 0],
    ]);
    const sorted = "a6050618180 41b0000000100000000052003600261620 1".replaceAll(" ", "");
    assert.equal(hex(encode(map)), `a50a00186400200061 7a81${sorted}626161${sorted}`.replaceAll(" ", ""));
  });

  it("writes integers in their shortest form and never as floats, on both sides of every border", () => {
    const borders: [number, string][] = [
      [23, "17"],
      [24, "1818"],
      [255, "18ff"],
      [256, "190100"],
      [65535, "19ffff"],
      [65536, "1a00010000"],
      [2 ** 31, "1a80000000"],
      [2 ** 32 - 1, "1affffffff"],
      [2 ** 32, "1b0000000100000000"],
      [MAX, "1b001fffffffffffff"],
      [-0, "00"],
      [-24, "37"],
      [-25, "3818"],
      [-256, "38ff"],
      [-257, "390100"],
      [-(2 ** 31) - 1, "3a80000000"],
      [-(2 ** 32), "3affffffff"],
      [-(2 ** 32) - 1, "3b0000000100000000"],
      [-MAX, "3b001ffffffffffffe"],
    ];
    for (const [value, text] of borders) {
      assert.equal(hex(encode(value)), text);
      assert.equal(hex(encode(new Map([[value, value]]))), `a1${text}${text}`);
      assert.equal(decode(unhex(text)), value + 0);
    }
  });

  it("writes strings, arrays and maps of every length with the shortest head", () => {
    for (const length of [0, 1, 23, 24, 255, 256, 3000, 8192, 65535, 65536, 100_000]) {
      const lists: Value[] = [new Uint8Array(length).fill(7), "é".repeat(length), "a".repeat(length)];
      if (length < 10_000)
        lists.push(new Array(length).fill(1), new Map(Array.from({ length }, (_, i) => [`k${i}`, i])));
      for (const value of lists) {
        assert.equal(hex(encode(value)), hex(canonical(value)));
        assert.deepEqual(decode(encode(value)), value);
      }
    }
  });

  it("gives a fresh array from encode, untouched by the next call", () => {
    const first = encode([1, 2]);
    const before = hex(first);
    encode([3, 4, new Uint8Array(100)]);
    assert.equal(first.constructor, Uint8Array);
    assert.equal(first.buffer.byteLength, first.length);
    assert.equal(hex(first), before);
  });

  it("gives byte strings as plain arrays of their own, from a Buffer too, and leaves the input as it was", () => {
    for (const bytes of [unhex("8242010243030405"), Buffer.from("8242010243030405", "hex")]) {
      const names = Object.getOwnPropertyNames(bytes).length;
      const value = decode(bytes) as Uint8Array[];
      assert.deepEqual(value, [new Uint8Array([1, 2]), new Uint8Array([3, 4, 5])]);
      assert.deepEqual(
        value.map((item) => [item.constructor === Uint8Array, item.buffer.byteLength]),
        [
          [true, 2],
          [true, 3],
        ],
      );
      bytes.fill(0);
      assert.equal(hex(value[0]), "0102");
      assert.equal(Object.getOwnPropertyNames(bytes).length, names);
    }
  });

  it("encodes a Buffer as a byte string", () => {
    assert.equal(hex(encode(Buffer.from([1, 2]))), "420102");
  });

  it("decodes what the vectors call valid, where keys are integers or text, to what encodes to the same bytes", () => {
    const otherKeys =
      /keys?\b.*(byte string|null)|byte string key|null key|sorted bytewise|key of a map|order of RFC/;
    for (const { hex: item, note } of vectors.valid) {
      const value = decode(unhex(item));
      if (otherKeys.test(note)) assert.equal(value, undefined, note);
      else assert.equal(value === undefined ? "undefined" : hex(encode(value)), item, note);
    }
  });

  it("gives undefined for everything that the vectors call invalid", () => {
    for (const { hex: item, why } of vectors.invalid) assert.equal(decode(unhex(item)), undefined, why);
  });

  it("gives undefined or the value of the very bytes, and never throws, on any input", () => {
    const near = fc.tuple(values, fc.nat(), fc.nat({ max: 255 })).map(([value, at, byte]) => {
      const bytes = canonical(value);
      return bytes.with(at % bytes.length, byte);
    });
    fc.assert(
      fc.property(fc.oneof(near, fc.uint8Array({ maxLength: 30 })), (bytes) => {
        const value = decode(bytes);
        if (value !== undefined) assert.equal(hex(encode(value)), hex(bytes));
      }),
      { numRuns: 3000 },
    );
  });

  it("takes 8 levels and throws on 9", () => {
    const nested = (depth: number): CborValue =>
      depth === 0 ? 0 : depth % 2 ? [nested(depth - 1)] : new Map([[0, nested(depth - 1)]]);
    assert.deepEqual(decode(encode(nested(8))), nested(8));
    assert.throws(() => encode(nested(9)), RangeError);
  });

  it("throws on what has no deterministic form", () => {
    const sparse: unknown[] = [];
    sparse[1] = 0;
    const bad: unknown[] = [
      1.5,
      Number.NaN,
      Infinity,
      2 ** 53,
      -(2 ** 53),
      1n,
      undefined,
      Symbol.iterator,
      () => 0,
      sparse,
    ];
    bad.push(
      {},
      { a: 1 },
      new Date(0),
      new Set([1]),
      /a/,
      new Uint16Array(2),
      new ArrayBuffer(2),
      new DataView(new ArrayBuffer(2)),
    );
    bad.push(
      "\ud800",
      "\udc00a",
      `${"a".repeat(100)}\ud800`,
      new Map([[null, 1]]),
      new Map([[new Uint8Array(1), 1]]),
    );
    bad.push(new Map([["\ud800", 1]]), new Map([[1.5, 1]]));
    for (const value of bad)
      for (const place of [value, [value], new Map([[1, value]])])
        assert.throws(() => encode(place as CborValue), TypeError, String(value));
  });

  it("keeps a byte order mark in texts up to 64 bytes and refuses it at the start of longer ones, both ways", () => {
    const text = (bytes: number) => `\ufeff${"a".repeat(bytes - 3)}`;
    for (const length of [3, 15, 16, 63, 64]) assert.equal(decode(encode(text(length))), text(length));
    for (const length of [65, 300]) {
      assert.throws(() => encode(text(length)), RangeError);
      assert.equal(decode(canonical(text(length))), undefined);
      assert.equal(decode(encode(`a${text(length)}`)), `a${text(length)}`);
    }
  });
});
