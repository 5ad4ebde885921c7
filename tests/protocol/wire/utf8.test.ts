// Rule X8: text on the wire is well-formed UTF-8, judged by Node's own check.

import assert from "node:assert/strict";
import { isUtf8 as oracle } from "node:buffer";
import fc from "fast-check";
import { isUtf8 } from "../../../protocol/wire/utf8";
import { characters } from "../../support/cbor";

const EDGES = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];

function agree(bytes: number[]): void {
  const array = new Uint8Array(bytes);
  if (isUtf8(array, 0, array.length) !== oracle(array)) assert.fail(Buffer.from(array).toString("hex"));
}

describe("X8 UTF-8", () => {
  it("is told as Node tells it for every text of one and two bytes", () => {
    for (let a = 0; a < 256; a++) {
      agree([a]);
      for (let b = 0; b < 256; b++) agree([a, b]);
    }
  });

  it("is told as Node tells it for every first and second byte, with edge bytes after them", () => {
    for (let a = 0xc0; a < 256; a++)
      for (let b = 0; b < 256; b++)
        for (const c of EDGES) {
          agree([a, b, c]);
          for (const d of EDGES) agree([a, b, c, d]);
        }
  });

  it("is told as Node tells it wherever it breaks in a longer text", () => {
    const texts = fc
      .string({ unit: characters, minLength: 1, maxLength: 30 })
      .map((text) => [...Buffer.from(text)]);
    fc.assert(
      fc.property(texts, fc.nat(), fc.nat({ max: 255 }), (bytes, at, byte) => {
        agree(bytes);
        agree(bytes.slice(0, at % bytes.length));
        agree(bytes.with(at % bytes.length, byte));
      }),
      { numRuns: 2000 },
    );
  });

  it("concerns only the bytes within the range", () => {
    const bytes = new Uint8Array([0xff, 0xc3, 0xbc, 0xff]);
    assert.ok(isUtf8(bytes, 1, 3));
    assert.ok(isUtf8(bytes, 1, 1));
    assert.ok(!isUtf8(bytes, 1, 2));
    assert.ok(!isUtf8(bytes, 2, 3));
  });
});
