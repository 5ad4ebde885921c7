// Rule X8: the lock's CBOR reader and writer, judged by the vectors, by RFC 8949's own examples and by two other implementations,
// cborg and cbor-x. A failing property prints its seed and path; give them to fc.assert to repeat it.

import assert from "node:assert/strict";
import fc from "fast-check";
import vectors from "../../../protocol/vectors/cbor.json";
import { isDeterministic, Reader, Writer } from "../../../protocol/wire/cbor";
import * as cborx from "../../../protocol/wire/cborx";
import {
  canonical,
  hex,
  integers,
  isAccepted,
  sortedEntries,
  unhex,
  type Value,
  values,
} from "../../support/cbor";

const MAX = Number.MAX_SAFE_INTEGER;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A reader on the bytes written in hexadecimal. */
function on(text: string): Reader {
  return new Reader(unhex(text));
}

/** What one read gives: the value and the position after it, or "refused". */
function outcome<T>(text: string, read: (reader: Reader) => T): [T, number] | "refused" {
  const reader = on(text);
  const value = read(reader);
  return reader.ok ? [value, reader.position] : "refused";
}

function readValue(reader: Reader): Value {
  switch (reader.peek()) {
    case 0:
      return reader.uint();
    case 1:
      return reader.int(-MAX, -1);
    case 2:
      return new Uint8Array(reader.raw(0, MAX));
    case 3:
      return utf8.decode(reader.text(MAX));
    case 4:
      return Array.from({ length: reader.array(MAX) }, () => readValue(reader));
    case 5:
      return new Map(
        Array.from({ length: reader.map(MAX) }, () => [
          readValue(reader) as number | string,
          readValue(reader),
        ]),
      );
    default:
      return reader.nil() ? null : reader.bool();
  }
}

function writeValue(writer: Writer, value: Value): Writer {
  if (typeof value === "number") return writer.int(value);
  if (typeof value === "string") return writer.text(new TextEncoder().encode(value));
  if (typeof value === "boolean") return writer.bool(value);
  if (value === null) return writer.nil();
  if (value instanceof Uint8Array) return writer.raw(value);
  if (Array.isArray(value)) return value.reduce(writeValue, writer.array(value.length));
  return sortedEntries(value).flat().reduce(writeValue, writer.map(value.size));
}

function written(value: Value): Uint8Array {
  const writer = writeValue(new Writer(new Uint8Array(1 << 16)), value);
  assert.ok(writer.ok);
  return writer.bytes();
}

describe("X8 CBOR vectors", () => {
  it("hold all 81 examples of RFC 8949 appendix A and all 94 malformed items of appendix F", () => {
    const named = (name: string) =>
      [...vectors.valid.map(({ note }) => note), ...vectors.invalid.map(({ why }) => why)].filter((text) =>
        text.startsWith(name),
      ).length;
    assert.equal(named("appendix A"), 81);
    assert.equal(named("appendix F"), 94);
    const items = [...vectors.valid, ...vectors.invalid];
    assert.equal(new Set(items.map((item) => item.hex)).size, items.length);
  });

  for (const [note, items] of byReason(vectors.valid.map((item) => [item.note, item.hex])))
    it(`accept ${note}`, () => {
      for (const item of items) assert.ok(isDeterministic(unhex(item)), item);
    });

  for (const [why, items] of byReason(vectors.invalid.map((item) => [item.why, item.hex])))
    it(`refuse ${why} (${items.length})`, () => {
      for (const item of items) assert.ok(!isDeterministic(unhex(item)), item);
    });

  it("are refused when one byte is cut off or one is added", () => {
    for (const { hex: item, note } of vectors.valid) {
      for (let cut = 0; cut < item.length; cut += 2)
        assert.ok(!isDeterministic(unhex(item.slice(0, cut))), note);
      for (let byte = 0; byte < 256; byte++)
        assert.ok(!isDeterministic(new Uint8Array([...unhex(item), byte])), note);
    }
  });

  it("are judged alike by cborg", () => {
    // cborg drops a byte order mark, so it has no say on that one.
    const judged = vectors.valid.filter(({ note }) => note !== "U+FEFF, kept");
    for (const { hex: item, note } of judged) assert.ok(isAccepted(unhex(item)), note);
    for (const { hex: item, why } of vectors.invalid) assert.ok(!isAccepted(unhex(item)), why);
  });
});

/** The items of each reason; all examples of appendix A that are valid count as one. */
function byReason(items: [reason: string, item: string][]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [reason, item] of items) {
    const name = reason.replace(/^(appendix A): .*/, "$1");
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return groups;
}

describe("X8 CBOR reader", () => {
  it("reads unsigned integers up to the given maximum and not one more", () => {
    assert.deepEqual(
      outcome("1864", (r) => r.uint(100)),
      [100, 2],
    );
    assert.deepEqual(
      outcome("1864", (r) => r.uint(99)),
      "refused",
    );
    assert.deepEqual(
      outcome("00", (r) => r.uint(0)),
      [0, 1],
    );
    assert.deepEqual(
      outcome("01", (r) => r.uint(0)),
      "refused",
    );
    assert.deepEqual(
      outcome("1b001fffffffffffff", (r) => r.uint()),
      [MAX, 9],
    );
    assert.deepEqual(
      outcome("1b0020000000000000", (r) => r.uint()),
      "refused",
    );
    assert.deepEqual(
      outcome("1b0020000000000000", (r) => r.uint(Number.POSITIVE_INFINITY)),
      "refused",
    );
    assert.deepEqual(
      outcome("20", (r) => r.uint()),
      "refused",
    );
  });

  it("reads integers within the given range and not one beyond either end", () => {
    assert.deepEqual(
      outcome("3818", (r) => r.int(-25, 25)),
      [-25, 2],
    );
    assert.deepEqual(
      outcome("3819", (r) => r.int(-25, 25)),
      "refused",
    );
    assert.deepEqual(
      outcome("1819", (r) => r.int(-25, 25)),
      [25, 2],
    );
    assert.deepEqual(
      outcome("181a", (r) => r.int(-25, 25)),
      "refused",
    );
    assert.deepEqual(
      outcome("3b001ffffffffffffe", (r) => r.int(-MAX, MAX)),
      [-MAX, 9],
    );
    assert.deepEqual(
      outcome("3b001fffffffffffff", (r) => r.int(-Infinity, Infinity)),
      "refused",
    );
    assert.deepEqual(
      outcome("00", (r) => r.int(1, 2)),
      "refused",
    );
    assert.deepEqual(
      outcome("40", (r) => r.int(-25, 25)),
      "refused",
    );
  });

  it("reads byte strings from the least to the greatest length and not one beyond either end", () => {
    const bytes = (length: number) => `4${length}${"ab".repeat(length)}`;
    for (const length of [2, 3, 4]) {
      assert.deepEqual(
        outcome(bytes(length), (r) => r.raw(2, 4).length),
        [length, 1 + length],
      );
      assert.deepEqual(
        outcome(bytes(length), (r) => r.raw(length).length),
        [length, 1 + length],
      );
    }
    for (const length of [1, 5])
      assert.deepEqual(
        outcome(bytes(length), (r) => r.raw(2, 4)),
        "refused",
      );
    for (const length of [2, 4])
      assert.deepEqual(
        outcome(bytes(length), (r) => r.raw(3)),
        "refused",
      );
    assert.deepEqual(
      outcome("6161", (r) => r.raw(1)),
      "refused",
    );
  });

  it("reads texts of at most the given number of bytes", () => {
    assert.deepEqual(
      outcome("62c3bc", (r) => hex(r.text(2))),
      ["c3bc", 3],
    );
    assert.deepEqual(
      outcome("62c3bc", (r) => r.text(1)),
      "refused",
    );
    assert.deepEqual(
      outcome("60", (r) => r.text(0).length),
      [0, 1],
    );
    assert.deepEqual(
      outcome("62c328", (r) => r.text(9)),
      "refused",
    );
    assert.deepEqual(
      outcome("4161", (r) => r.text(9)),
      "refused",
    );
  });

  it("gives strings as views into the input", () => {
    const bytes = unhex("ff4201026161");
    const reader = new Reader(bytes, 1);
    const views = [reader.raw(2), reader.text(1)];
    assert.deepEqual(
      views.map((view) => [view.buffer === bytes.buffer, view.byteOffset, view.length]),
      [
        [true, 2, 2],
        [true, 5, 1],
      ],
    );
  });

  it("reads heads of arrays and maps up to the given count, and none that the input has no room for", () => {
    assert.deepEqual(
      outcome("820000", (r) => r.array(2)),
      [2, 1],
    );
    assert.deepEqual(
      outcome("820000", (r) => r.array(1)),
      "refused",
    );
    assert.deepEqual(
      outcome("8200", (r) => r.array(2)),
      "refused",
    );
    assert.deepEqual(
      outcome("a200000000", (r) => r.map(2)),
      [2, 1],
    );
    assert.deepEqual(
      outcome("a200000000", (r) => r.map(1)),
      "refused",
    );
    assert.deepEqual(
      outcome("a2000000", (r) => r.map(2)),
      "refused",
    );
    assert.deepEqual(
      outcome("a0", (r) => r.array(2)),
      "refused",
    );
    assert.deepEqual(
      outcome("80", (r) => r.map(2)),
      "refused",
    );
  });

  it("trusts no length of 4 GiB or more, in any read", () => {
    for (const rest of ["affffffff", "b0000000100000000", "b001fffffffffffff", "bffffffffffffffff"]) {
      assert.equal(
        outcome(`5${rest}00`, (r) => r.raw(0, MAX)),
        "refused",
      );
      assert.equal(
        outcome(`7${rest}00`, (r) => r.text(MAX)),
        "refused",
      );
      assert.equal(
        outcome(`9${rest}00`, (r) => r.array(MAX)),
        "refused",
      );
      assert.equal(
        outcome(`b${rest}0000`, (r) => r.map(MAX)),
        "refused",
      );
    }
  });

  it("reads map keys that rise, and refuses the same key again, a smaller one and a negative one", () => {
    assert.deepEqual(
      outcome("00", (r) => r.key(-1)),
      [0, 1],
    );
    assert.deepEqual(
      outcome("1818", (r) => r.key(23)),
      [24, 2],
    );
    assert.equal(
      outcome("1818", (r) => r.key(24)),
      "refused",
    );
    assert.equal(
      outcome("17", (r) => r.key(24)),
      "refused",
    );
    assert.equal(
      outcome("20", (r) => r.key(-1)),
      "refused",
    );
    assert.equal(
      outcome("6161", (r) => r.key(-1)),
      "refused",
    );
    assert.equal(
      outcome("1b001fffffffffffff", (r) => r.key(MAX)),
      "refused",
    );
  });

  it("reads booleans and refuses null and everything else in their place", () => {
    assert.deepEqual(
      outcome("f4", (r) => r.bool()),
      [false, 1],
    );
    assert.deepEqual(
      outcome("f5", (r) => r.bool()),
      [true, 1],
    );
    for (const other of ["f6", "f7", "f3", "00", "e0", "f814", ""])
      assert.equal(
        outcome(other, (r) => r.bool()),
        "refused",
      );
  });

  it("takes null if it is next and leaves anything else for the next read", () => {
    assert.deepEqual(
      outcome("f6", (r) => r.nil()),
      [true, 1],
    );
    for (const other of ["f5", "f7", "00", "16", ""])
      assert.deepEqual(
        outcome(other, (r) => r.nil()),
        [false, 0],
      );
  });

  it("tells the major type of the next item, and -1 at the end and after a refusal", () => {
    for (const major of [0, 1, 2, 3, 4, 5, 6, 7])
      assert.equal(on((major * 32).toString(16).padStart(2, "0")).peek(), major);
    assert.equal(on("").peek(), -1);
    const reader = on("00");
    reader.fail();
    assert.equal(reader.peek(), -1);
  });

  it("skips items 8 deep and none 9 deep, and no deeper than it is told", () => {
    for (const [open, close] of [
      ["81", "00"],
      ["a100", "00"],
      ["a1", "0000"],
    ]) {
      const nested = (depth: number) =>
        open.repeat(depth) + (close === "0000" ? "00" + "00".repeat(depth) : "00");
      assert.deepEqual(
        outcome(nested(8), (r) => r.skip()),
        [undefined, nested(8).length / 2],
      );
      assert.equal(
        outcome(nested(9), (r) => r.skip()),
        "refused",
      );
      assert.deepEqual(
        outcome(nested(2), (r) => r.skip(2)),
        [undefined, nested(2).length / 2],
      );
      assert.equal(
        outcome(nested(3), (r) => r.skip(2)),
        "refused",
      );
    }
    assert.deepEqual(
      outcome("00", (r) => r.skip(0)),
      [undefined, 1],
    );
    assert.equal(
      outcome("80", (r) => r.skip(0)),
      "refused",
    );
  });

  it("is done when everything was read, not before and not after a refusal", () => {
    const reader = on("0001");
    reader.uint();
    assert.ok(!reader.done());
    reader.uint();
    assert.ok(reader.done());
    reader.fail();
    assert.ok(!reader.done());
  });

  it("reads nothing before its start and nothing from its end on", () => {
    const bytes = unhex("43010203f4");
    assert.equal(hex(new Reader(bytes, 0, 4).raw(3)), "010203");
    assert.equal(new Reader(bytes, 0, 3).raw(3).length, 0);
    assert.equal(new Reader(bytes, 1, 2).uint(), 1);
    const cut = new Reader(unhex("1864"), 0, 1);
    assert.deepEqual([cut.uint(), cut.ok, cut.position], [0, false, 0]);
    const reader = new Reader(bytes);
    reader.end = 3;
    reader.skip();
    assert.ok(!reader.ok);
  });

  it("refuses a range that is not within the bytes", () => {
    const bytes = new Uint8Array(4);
    assert.ok(new Reader(bytes, 4, 4).ok);
    assert.ok(new Reader().done());
    for (const [start, end] of [
      [-1, 4],
      [0, 5],
      [3, 2],
      [5, 5],
      [Number.NaN, 4],
      [0, Number.NaN],
    ])
      assert.ok(!new Reader(bytes, start, end).ok, `${start} to ${end}`);
  });

  it("starts afresh on other bytes after a reset", () => {
    const reader = on("ff");
    reader.skip();
    assert.ok(!reader.ok);
    assert.equal(reader.reset(unhex("ff0102"), 1), reader);
    assert.deepEqual([reader.uint(), reader.position, reader.uint(), reader.done()], [1, 2, 2, true]);
  });
});

type Read = [read: (reader: Reader) => unknown, refused: unknown];
const EMPTY = new Uint8Array(0);
const READS: Read[] = [
  [(r) => r.uint(), 0],
  [(r) => r.uint(9), 0],
  [(r) => r.int(-9, 9), 0],
  [(r) => r.raw(2), EMPTY],
  [(r) => r.raw(0, MAX), EMPTY],
  [(r) => r.text(MAX), EMPTY],
  [(r) => r.array(MAX), 0],
  [(r) => r.map(MAX), 0],
  [(r) => r.key(-1), 0],
  [(r) => r.bool(), false],
  [(r) => r.nil(), false],
  [(r) => r.peek(), -1],
  [(r) => r.skip(), undefined],
  [(r) => r.skip(1), undefined],
];

/** Applies `edits` to a copy of `bytes`: each replaces, inserts or removes a byte, or repeats the bytes from some place on. */
function mutate(bytes: Uint8Array, edits: [kind: number, at: number, byte: number][]): Uint8Array {
  const result = [...bytes];
  for (const [kind, position, byte] of edits) {
    const at = position % (result.length + 1);
    if (kind === 0) result[Math.min(at, Math.max(0, result.length - 1))] = byte;
    else if (kind === 1) result.splice(at, 0, byte);
    else if (kind === 2) result.splice(at, 1);
    else result.splice(at, 0, ...result.slice(at, at + 1 + (byte % 8)));
  }
  return new Uint8Array(result);
}

const small = fc.sample(values, 2000).map(canonical);
const pool = [...vectors.valid.map((item) => unhex(item.hex)), ...small].filter(({ length }) => length <= 64);
const heads = Array.from({ length: 8 }, (_, major) =>
  [0, 1, 2, 23, 24, 25, 26, 27, 28, 31].map((info) => major * 32 + info),
);
const byte = fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(...heads.flat(), 0xf4, 0xf5, 0xf6, 0xf7));
const edit = fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 64 }), byte);
const mutants = fc
  .tuple(fc.constantFrom(...pool), fc.array(edit, { minLength: 1, maxLength: 3 }))
  .map(([item, edits]) => mutate(item, edits));

describe("X8 CBOR reader under any input", () => {
  it("stays refused: after the first refusal every read gives nothing and does not move", () => {
    const reads = fc.array(fc.nat({ max: READS.length - 1 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.oneof(mutants, fc.uint8Array({ maxLength: 40 })), reads, (bytes, order) => {
        const reader = new Reader(bytes);
        for (const index of order) {
          const [read, refused] = READS[index];
          const { ok, position } = reader;
          const value = read(reader);
          assert.ok(reader.position >= position && reader.position <= bytes.length);
          if (!ok) assert.deepEqual([reader.ok, reader.position, value], [false, position, refused]);
          else if (!reader.ok) assert.deepEqual(value, refused);
        }
      }),
      { numRuns: 10_000 },
    );
  });

  it("leaves the position at the item that a read refused", () => {
    const refused = vectors.invalid
      .filter(({ hex: item }) => item !== "")
      .map(({ hex: item }) => unhex(`00${item}`));
    const isSkip = (read: Read) => read[1] === undefined;
    for (const bytes of refused)
      for (const [read] of READS.filter((entry) => !isSkip(entry))) {
        const reader = new Reader(bytes, 1);
        read(reader);
        if (!reader.ok) assert.equal(reader.position, 1);
      }
  });

  it("does nothing any more after fail", () => {
    for (const [read, refused] of READS) {
      const reader = on("00f60041614100");
      reader.uint();
      reader.fail();
      assert.deepEqual([read(reader), reader.ok, reader.position, reader.done()], [refused, false, 1, false]);
    }
  });

  it("never throws, on a million inputs", () => {
    const reader = new Reader();
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 2000, maxLength: 2000 }),
        fc.array(mutants, { maxLength: 20 }),
        (noise, items) => {
          const bytes = new Uint8Array([...noise, ...items.flatMap((item) => [...item])]);
          for (let start = 0; start < bytes.length; start++) {
            reader.reset(bytes, start, Math.min(bytes.length, start + 48)).skip();
            assert.ok(reader.position <= reader.end);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("accepts exactly what cborg accepts strictly and writes again as the same bytes, on 100,000 mutants", () => {
    let accepted = 0;
    fc.assert(
      fc.property(mutants, (bytes) => {
        fc.pre(!hex(bytes).includes("efbbbf")); // cborg drops a byte order mark
        const expected = isAccepted(bytes);
        if (expected) accepted++;
        if (isDeterministic(bytes) !== expected) assert.fail(hex(bytes));
      }),
      { numRuns: 100_000 },
    );
    assert.ok(accepted > 5_000, `only ${accepted} mutants were acceptable`);
  });

  it("reads with its typed methods exactly what it accepts, but for the order of keys", () => {
    fc.assert(
      fc.property(mutants, (bytes) => {
        if (!isDeterministic(bytes)) return;
        const reader = new Reader(bytes);
        readValue(reader);
        assert.ok(reader.done());
      }),
      { numRuns: 10_000 },
    );
  });
});

describe("X8 CBOR both ways", () => {
  it("reads back what the writer wrote", () => {
    fc.assert(
      fc.property(values, (value) => {
        const reader = new Reader(written(value));
        assert.deepEqual(readValue(reader), value);
        assert.ok(reader.done());
      }),
      { numRuns: 1000 },
    );
  });

  it("writes the bytes that cbor-x and cborg write", () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = hex(written(value));
        assert.equal(bytes, hex(cborx.encode(value)));
        assert.equal(bytes, hex(canonical(value)));
      }),
      { numRuns: 1000 },
    );
  });

  it("accepts and reads what cbor-x wrote", () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = cborx.encode(value);
        assert.ok(isDeterministic(bytes));
        assert.deepEqual(readValue(new Reader(bytes)), value);
      }),
      { numRuns: 1000 },
    );
  });

  it("writes what cbor-x reads", () => {
    fc.assert(
      fc.property(values, (value) => assert.deepEqual(cborx.decode(written(value)), value)),
      { numRuns: 1000 },
    );
  });

  it("takes unsigned keys in the order of their numbers", () => {
    fc.assert(
      fc.property(fc.uniqueArray(integers.map(Math.abs), { maxLength: 40 }), (keys) => {
        const rising = [...keys].sort((a, b) => a - b);
        const reader = new Reader(written(new Map(keys.map((key) => [key, null]))));
        let previous = -1;
        for (let left = reader.map(40), i = 0; left > 0; left--, i++) {
          previous = reader.key(previous);
          assert.equal(previous, rising[i]);
          assert.ok(reader.nil());
        }
        assert.ok(reader.done());
      }),
      { numRuns: 1000 },
    );
  });
});

describe("X8 CBOR writer", () => {
  const WRITES: [text: string, write: (writer: Writer) => Writer][] = [
    ["17", (w) => w.uint(23)],
    ["1818", (w) => w.uint(24)],
    ["18ff", (w) => w.uint(255)],
    ["190100", (w) => w.uint(256)],
    ["19ffff", (w) => w.uint(65535)],
    ["1a00010000", (w) => w.uint(65536)],
    ["1affffffff", (w) => w.uint(2 ** 32 - 1)],
    ["1b0000000100000000", (w) => w.uint(2 ** 32)],
    ["1b001fffffffffffff", (w) => w.int(MAX)],
    ["3b001ffffffffffffe", (w) => w.int(-MAX)],
    ["00", (w) => w.int(-0)],
    ["20", (w) => w.int(-1)],
    ["43010203", (w) => w.raw(unhex("010203"))],
    ["62c3bc", (w) => w.text(unhex("c3bc"))],
    ["9818", (w) => w.array(24)],
    ["b90100", (w) => w.map(256)],
    ["f4f5f6", (w) => w.bool(false).bool(true).nil()],
    ["820001", (w) => w.copy(unhex("820001"))],
    ["40", (w) => w.raw(EMPTY)],
    ["60", (w) => w.text(EMPTY)],
  ];

  for (const [text, write] of WRITES)
    it(`writes ${text} into a buffer that it fills, and nothing into one that is a byte shorter`, () => {
      const size = text.length / 2;
      const buffer = new Uint8Array(size + 2).fill(0xee);
      const writer = write(new Writer(buffer.subarray(1, 1 + size)));
      assert.deepEqual([writer.ok, writer.length, hex(writer.view())], [true, size, text]);
      assert.equal(hex(buffer), `ee${text}ee`);

      const scarce = write(new Writer(buffer.subarray(0, size - 1)));
      assert.deepEqual([scarce.ok, scarce.view().length, scarce.bytes().length], [false, 0, 0]);
      assert.equal(hex(buffer.subarray(size - 1)), `ee${text}ee`.slice(2 * (size - 1)));
    });

  it("writes no part of a string that does not fit", () => {
    const buffer = new Uint8Array(4).fill(0xee);
    for (const write of [(w: Writer) => w.raw(unhex("616263")), (w: Writer) => w.text(unhex("616263"))]) {
      const writer = write(new Writer(buffer).nil());
      assert.deepEqual([writer.ok, writer.length, hex(buffer)], [false, 1, "f6eeeeee"]);
    }
  });

  it("refuses what is no integer within ±(2^53-1), a negative count and text that is not UTF-8", () => {
    const bad: ((writer: Writer) => Writer)[] = [(w) => w.uint(-1), (w) => w.array(-1), (w) => w.map(-1)];
    for (const n of [2 ** 53, -(2 ** 53), 1.5, -1.5, 0.5, Number.NaN, Infinity, -Infinity])
      bad.push(
        (w) => w.uint(n),
        (w) => w.int(n),
        (w) => w.array(n),
        (w) => w.map(n),
      );
    for (const text of ["80", "c3", "c080", "eda080", "f4908080"]) bad.push((w) => w.text(unhex(text)));
    for (const write of bad) {
      const writer = write(new Writer(new Uint8Array(20)));
      assert.deepEqual([writer.ok, writer.length], [false, 0], String(write));
    }
  });

  it("writes nothing more after a failure, until it is reset", () => {
    for (const [text, write] of WRITES) {
      const buffer = new Uint8Array(40).fill(0xee);
      const writer = write(new Writer(buffer).nil().uint(-1));
      assert.deepEqual(
        [writer.ok, writer.length, hex(writer.view()), hex(buffer.subarray(1, 3))],
        [false, 1, "", "eeee"],
      );
      assert.equal(hex(write(writer.reset()).view()), text);
    }
  });

  it("gives a view of the caller's buffer, and a copy that is the caller's own", () => {
    const buffer = new Uint8Array(8);
    const writer = new Writer(buffer).uint(1);
    const view = writer.view();
    const copy = writer.bytes();
    writer.reset().uint(2);
    assert.equal(view.buffer, buffer.buffer);
    assert.deepEqual([hex(view), hex(copy)], ["02", "01"]);
  });
});
