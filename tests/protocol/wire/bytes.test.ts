// Bytes helpers against Node's Buffer.

import assert from "node:assert/strict";
import fc from "fast-check";
import * as bytes from "../../../protocol/wire/bytes";

describe("bytes", () => {
  it("turn ASCII text into bytes and refuse any other character", () => {
    assert.deepEqual(
      bytes.ascii("tumbler/1 \0\x7f"),
      new Uint8Array(Buffer.from("tumbler/1 \0\x7f", "latin1")),
    );
    assert.throws(() => bytes.ascii("a\x80"), RangeError);
    assert.throws(() => bytes.ascii("ü"), RangeError);
  });

  it("become hexadecimal and come back", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (data) => {
        const text = Buffer.from(data).toString("hex");
        assert.equal(bytes.toHex(data), text);
        assert.deepEqual(bytes.fromHex(text), data);
        assert.deepEqual(bytes.fromHex(text.toUpperCase()), data);
      }),
    );
  });

  it("refuse hexadecimal of odd length or with another character", () => {
    for (const text of ["a", "abc", "0g", "g0", "0x", " 0", "/0", ":0", "@0", "`0", "é0"]) {
      assert.throws(() => bytes.fromHex(text), RangeError, text);
    }
  });

  it("are equal when length and every byte are", () => {
    const three = Uint8Array.of(1, 2, 3);
    assert.equal(bytes.equal(three, Uint8Array.of(1, 2, 3)), true);
    assert.equal(bytes.equal(new Uint8Array(0), new Uint8Array(0)), true);
    for (const other of [[1, 2], [1, 2, 3, 0], [0, 2, 3], [1, 2, 131], []]) {
      assert.equal(bytes.equal(three, Uint8Array.from(other)), false);
    }
  });

  it("hold big-endian numbers of 16, 24 and 32 bits at any offset, and touch no other byte", () => {
    const kinds = [
      { size: 2, get: bytes.getU16, put: bytes.putU16 },
      { size: 3, get: bytes.getU24, put: bytes.putU24 },
      { size: 4, get: bytes.getU32, put: bytes.putU32 },
    ];
    for (const { size, get, put } of kinds) {
      const limit = 2 ** (8 * size);
      const values = fc.oneof(
        fc.constantFrom(0, 1, limit / 2 - 1, limit / 2, limit - 1),
        fc.nat({ max: limit - 1 }),
      );
      fc.assert(
        fc.property(values, fc.nat({ max: 4 }), (value, offset) => {
          const actual = new Uint8Array(8).fill(0xee);
          const expected = Buffer.alloc(8, 0xee);
          put(actual, offset, value);
          expected.writeUIntBE(value, offset, size);
          assert.deepEqual(actual, new Uint8Array(expected));
          assert.equal(get(actual, offset), value);
        }),
      );
    }
  });

  it("read as zeros beyond their end", () => {
    assert.equal(bytes.getU32(Uint8Array.of(1), 0), 0x01000000);
    assert.equal(bytes.getU16(new Uint8Array(0), 5), 0);
  });
});
