// Both backends of the crypto port against the published vectors and against each other.

import assert from "node:assert/strict";
import fc from "fast-check";
import { noble } from "../../../protocol/crypto/noble";
import type { Crypto } from "../../../protocol/crypto/port";
import hashes from "../../../protocol/vectors/derive.json";
import signatures from "../../../protocol/vectors/ed25519.json";
import { MAX_CACHED_KEYS, node } from "../../../simulator/board/crypto";
import { hex, unhex } from "./hex";
import { BASE, bytesOf, encode, L, multiply, NEUTRAL } from "./reference";

const anySeed = fc.uint8Array({ minLength: 32, maxLength: 32 });
const anyBytes = fc.uint8Array({ maxLength: 200 });

for (const crypto of [noble, node]) {
  describe("crypto backend " + crypto.name, () => {
    for (const { name, data, sha256 } of hashes.sha256) {
      it("gives the SHA-256 of " + name, () => {
        assert.equal(hex(crypto.sha256(unhex(data))), sha256);
      });
    }

    for (const { name, key, data, hmac } of hashes.hmacSha256) {
      it("gives the HMAC of " + name, () => {
        // Test case 5 is published cut to 128 bits.
        assert.equal(hex(crypto.hmacSha256(unhex(key), unhex(data))).slice(0, hmac.length), hmac);
      });
    }

    for (const { name, seed, publicKey, message, signature } of signatures) {
      if (seed === undefined) continue;
      it("makes the key and the signature of " + name, () => {
        assert.equal(hex(crypto.ed25519PublicKey(unhex(seed))), publicKey);
        assert.equal(hex(crypto.ed25519Sign(unhex(message), unhex(seed))), signature);
      });
    }

    it("returns fresh plain arrays and leaves its inputs alone", () => {
      const seed = new Uint8Array(32).fill(1);
      const data = new Uint8Array(5).fill(2);
      for (const run of outputs(crypto, seed, data)) {
        const first = run();
        const expected = hex(first);
        assert.equal(Object.getPrototypeOf(first), Uint8Array.prototype);
        first.fill(0xff);
        assert.equal(hex(run()), expected);
      }
      assert.deepEqual([seed, data], [new Uint8Array(32).fill(1), new Uint8Array(5).fill(2)]);
    });

    it("refuses a seed of 31 or 33 bytes as a programming error", () => {
      for (const length of [31, 33]) {
        assert.throws(() => crypto.ed25519PublicKey(new Uint8Array(length)), RangeError);
        assert.throws(() => crypto.ed25519Sign(new Uint8Array(0), new Uint8Array(length)), RangeError);
      }
    });

    it("takes every S below L, up to its highest bit, and none from L on", () => {
      // Under the neutral point as key, which a backend alone accepts, R = S·B is a signature of everything.
      const signed = (scalar: bigint, s: bigint) =>
        new Uint8Array([...encode(multiply(scalar, BASE)), ...bytesOf(s)]);
      const key = encode(NEUTRAL);
      const message = new Uint8Array(1);
      for (const s of [0n, 1n, 2n ** 252n, L - 1n]) {
        assert.equal(crypto.ed25519Verify(signed(s, s), message, key), true, "S = " + s);
        assert.equal(crypto.ed25519Verify(signed(s, s + L), message, key), false, "S = L + " + s);
      }
    });

    it("never throws from verification, whatever the bytes and lengths", () => {
      const around = (length: number) =>
        fc.oneof(
          fc.uint8Array({ minLength: length, maxLength: length }),
          fc.uint8Array({ maxLength: 2 * length }),
        );
      fc.assert(
        fc.property(around(64), anyBytes, around(32), (signature, message, key) => {
          assert.equal(typeof crypto.ed25519Verify(signature, message, key), "boolean");
        }),
        { numRuns: 100 },
      );
    });
  });
}

describe("crypto backends together", () => {
  it("give the same hashes, keys and signatures, and verify each other's", () => {
    fc.assert(
      fc.property(anySeed, anyBytes, (seed, data) => {
        const byNode = outputs(node, seed, data).map((run) => hex(run()));
        assert.deepEqual(
          outputs(noble, seed, data).map((run) => hex(run())),
          byNode,
        );
        const publicKey = node.ed25519PublicKey(seed);
        const signature = node.ed25519Sign(data, seed);
        assert.equal(noble.ed25519Verify(signature, data, publicKey), true);
        assert.equal(node.ed25519Verify(signature, data, publicKey), true);
      }),
      { numRuns: 60 },
    );
  });

  it("give the same HMAC for keys below, at and above the block of 64 bytes", () => {
    for (const length of [0, 1, 31, 32, 63, 64, 65, 128, 200]) {
      const key = new Uint8Array(length).fill(length);
      assert.equal(hex(noble.hmacSha256(key, key)), hex(node.hmacSha256(key, key)));
    }
  });

  it("take a view into a larger buffer for its own bytes only", () => {
    const buffer = new Uint8Array(200).map((_, i) => i);
    const seed = buffer.subarray(7, 39);
    const data = buffer.subarray(50, 100);
    for (const crypto of [noble, node]) {
      const copies = outputs(crypto, seed.slice(), data.slice()).map((run) => hex(run()));
      assert.deepEqual(
        outputs(crypto, seed, data).map((run) => hex(run())),
        copies,
      );
      const signature = new Uint8Array(70);
      signature.set(crypto.ed25519Sign(data, seed), 3);
      assert.equal(
        crypto.ed25519Verify(signature.subarray(3, 67), data, crypto.ed25519PublicKey(seed)),
        true,
      );
    }
  });
});

describe("the key cache of the node backend", () => {
  it("forgets the oldest key one past its limit and then makes the same key again", () => {
    const seedOf = (i: number) =>
      new Uint8Array(32).fill(0xc5).map((byte, at) => (at < 4 ? i >> (8 * at) : byte));
    const first = hex(node.ed25519PublicKey(seedOf(0)));
    const signature = hex(node.ed25519Sign(seedOf(1), seedOf(0)));
    for (let i = 1; i <= MAX_CACHED_KEYS; i++) node.ed25519PublicKey(seedOf(i));
    assert.equal(hex(node.ed25519PublicKey(seedOf(0))), first);
    assert.equal(hex(node.ed25519Sign(seedOf(1), seedOf(0))), signature);
    assert.notEqual(hex(node.ed25519PublicKey(seedOf(MAX_CACHED_KEYS))), first);
  });
});

function outputs(crypto: Crypto, seed: Uint8Array, data: Uint8Array): (() => Uint8Array)[] {
  return [
    () => crypto.sha256(data),
    () => crypto.hmacSha256(seed, data),
    () => crypto.ed25519PublicKey(seed),
    () => crypto.ed25519Sign(data, seed),
  ];
}
