// CRC-32 against zlib, and the trial that finds a flipped bit.

import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { crc32, flippedBit, mended } from "../../../../firmware/core/storage/crc";

// Node has it since 20.15; its types came later.
const oracle = (zlib as unknown as { crc32(data: Uint8Array, value?: number): number }).crc32;
const messages = fc.uint8Array({ minLength: 1, maxLength: 236 });

function sealed(message: Uint8Array, seed: number): Uint8Array {
  const bytes = new Uint8Array(message.length + 4);
  bytes.set(message);
  new DataView(bytes.buffer).setInt32(message.length, crc32(message, 0, message.length, seed));
  return bytes;
}

describe("The CRC of records", () => {
  it("is the CRC-32 of IEEE 802.3, as zlib computes it, for seed 0 and every other", () => {
    assert.equal(crc32(Buffer.from("123456789"), 0, 9, 0) >>> 0, 0xcbf43926);
    fc.assert(
      fc.property(messages, fc.nat(0xffffffff), (message, seed) => {
        assert.equal(crc32(message, 0, message.length, 0) >>> 0, oracle(message));
        assert.equal(crc32(message, 0, message.length, seed) >>> 0, oracle(message, seed));
      }),
    );
  });

  it("covers what lies between start and end and nothing else", () => {
    fc.assert(
      fc.property(messages, fc.nat(), fc.nat(), (message, a, b) => {
        const [start, end] = [a % message.length, b % message.length].sort((x, y) => x - y);
        assert.equal(crc32(message, start, end, 7) >>> 0, oracle(message.subarray(start, end), 7));
      }),
    );
  });

  it("verifies under no seed but its own", () => {
    fc.assert(
      fc.property(messages, fc.nat(0xffffffff), fc.nat(0xffffffff), (message, seed, other) => {
        fc.pre(seed !== other);
        assert.notEqual(crc32(message, 0, message.length, seed), crc32(message, 0, message.length, other));
      }),
    );
  });

  it("finds the place of any single flipped bit from the difference of two CRCs", () => {
    const message = new Uint8Array(236).fill(0x35);
    const right = crc32(message, 0, message.length, 9);
    for (let bit = 0; bit < message.length * 8; bit++) {
      const at = message.length - 1 - (bit >> 3);
      message[at] ^= 0x80 >> (bit & 7);
      const syndrome = crc32(message, 0, message.length, 9) ^ right;
      message[at] ^= 0x80 >> (bit & 7);
      assert.equal(flippedBit(syndrome, message.length * 8), bit);
      assert.equal(flippedBit(syndrome, bit), -1, "one bit short");
    }
  });

  it("mends every single flipped bit of message and CRC, and says so", () => {
    fc.assert(
      fc.property(messages, fc.nat(0xffffffff), (message, seed) => {
        const whole = sealed(message, seed);
        for (let bit = 0; bit < whole.length * 8; bit++) {
          const flipped = whole.slice();
          flipped[bit >> 3] ^= 1 << (bit & 7);
          assert.ok(mended(flipped, 0, message.length, seed));
          assert.deepEqual(flipped, whole);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("never takes two flipped bits for none or one: the code's distance is above three at these lengths", () => {
    const whole = sealed(new Uint8Array(60).fill(0xc3), 5);
    const bits = whole.length * 8;
    for (let first = 0; first < bits; first++)
      for (let second = first + 1; second < bits; second++) {
        const flipped = whole.slice();
        flipped[first >> 3] ^= 1 << (first & 7);
        flipped[second >> 3] ^= 1 << (second & 7);
        assert.equal(mended(flipped, 0, whole.length - 4, 5), false, `${first} and ${second}`);
      }
  });
});
