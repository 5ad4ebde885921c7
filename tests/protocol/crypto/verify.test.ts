// The one verification function: the vectors by every backend, and its byte rules against the mathematics of
// ./reference.ts.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { noble } from "../../../protocol/crypto/noble";
import type { Crypto } from "../../../protocol/crypto/port";
import { isAcceptableKey, verifySignature } from "../../../protocol/crypto/verify";
import vectors from "../../../protocol/vectors/ed25519.json";
import { node } from "../../../simulator/board/crypto";
import { hex, unhex } from "./hex";
import { BASE, bytesOf, encode, holdsCofactored, L, multiply, pointFlaw, signatureFlaw } from "./reference";

const ROOT = join(__dirname, "../../..");
const P = 2n ** 255n - 19n;
const SIGN_BIT = 1n << 255n;

const cases = vectors.map((vector) => ({
  ...vector,
  publicKey: unhex(vector.publicKey),
  message: unhex(vector.message),
  signature: unhex(vector.signature),
}));
const named = (name: string) => cases.find((vector) => vector.name.startsWith(name)) ?? assert.fail(name);

/** A backend that accepts everything and counts how often it is asked. */
function credulous(): Crypto & { asked: number } {
  return {
    ...noble,
    asked: 0,
    ed25519Verify() {
      this.asked++;
      return true;
    },
  };
}

describe("Ed25519 vectors", () => {
  for (const { name, publicKey, message, signature, valid, flaw } of cases) {
    it(name + ": " + (valid ? "valid" : flaw), () => {
      assert.equal(signatureFlaw(signature, message, publicKey), flaw, "reference");
      assert.equal(valid, flaw === "none");
      assert.equal(verifySignature(noble, signature, message, publicKey), valid, "noble");
      assert.equal(verifySignature(node, signature, message, publicKey), valid, "node");
    });
  }

  it("hold every encoding of the eight points of small order, as key and as R, under an equation that holds", () => {
    const holding = cases.filter(({ name }) => name.endsWith("the equation holds"));
    const keys = new Set(holding.filter(({ name }) => name.startsWith("key")).map((v) => hex(v.publicKey)));
    const rs = new Set(
      holding.filter(({ name }) => name.startsWith("R")).map((v) => hex(v.signature).slice(0, 64)),
    );
    assert.equal(keys.size, 14);
    for (const key of keys) assert.notEqual(pointFlaw(unhex(key)), "none");
    assert.deepEqual([...rs].sort(), [...keys].sort());
    // Five coordinates y, of which 0 and 1 have a second form above p; each with and without the sign bit.
    for (const y of [0n, 1n, P - 1n, P, P + 1n]) {
      for (const sign of [0n, SIGN_BIT]) assert.ok(keys.has(hex(bytesOf(y | sign))));
    }
    for (const { name, signature, message, publicKey } of holding) {
      assert.ok(holdsCofactored(signature, message, publicKey), name);
    }
  });

  it("mark with `cofactor` exactly the refused ones that a cofactored equation would accept", () => {
    for (const { name, publicKey, message, signature, flaw, cofactor } of cases) {
      const differs = flaw === "equation" && holdsCofactored(signature, message, publicKey);
      assert.equal(cofactor === true, differs, name);
    }
  });
});

describe("verifySignature", () => {
  it("refuses what backends judge differently before it asks any", () => {
    const early = cases.filter(({ flaw }) =>
      ["length", "not-canonical", "small-order", "s-range"].includes(flaw),
    );
    assert.ok(early.length > 50);
    const crypto = credulous();
    for (const { name, publicKey, message, signature } of early) {
      assert.equal(verifySignature(crypto, signature, message, publicKey), false, name);
    }
    assert.equal(crypto.asked, 0);
    const { publicKey, message, signature } = named("an ordinary signature");
    assert.equal(verifySignature(crypto, signature, message, publicKey), true);
    assert.equal(crypto.asked, 1);
  });

  it("takes S = L - 1 to the backend and refuses S = L", () => {
    const { publicKey, message, signature } = named("an ordinary signature");
    const withS = (s: bigint) => new Uint8Array([...signature.subarray(0, 32), ...bytesOf(s)]);
    const crypto = credulous();
    assert.equal(verifySignature(crypto, withS(L - 1n), message, publicKey), true);
    assert.equal(verifySignature(crypto, withS(L), message, publicKey), false);
  });

  it("stands before backends that accept the neutral point as a key for every message", () => {
    const { publicKey, message, signature } = named("the neutral point as key and as R");
    for (const crypto of [noble, node]) {
      assert.equal(crypto.ed25519Verify(signature, message, publicKey), true, crypto.name + " alone");
      assert.equal(verifySignature(crypto, signature, message, publicKey), false, crypto.name);
    }
  });

  it("refuses any signature, message or key with one bit flipped, by both backends", () => {
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const messages = fc.uint8Array({ minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(seeds, messages, fc.nat(), (seed, message, at) => {
        const parts = {
          signature: node.ed25519Sign(message, seed),
          message,
          key: node.ed25519PublicKey(seed),
        };
        for (const name of ["signature", "message", "key"] as const) {
          const bit = at % (8 * parts[name].length);
          const flipped = {
            ...parts,
            [name]: parts[name].map((b, i) => (i === bit >> 3 ? b ^ (1 << (bit & 7)) : b)),
          };
          for (const crypto of [noble, node]) {
            assert.equal(verifySignature(crypto, parts.signature, message, parts.key), true);
            assert.equal(
              verifySignature(crypto, flipped.signature, flipped.message, flipped.key),
              false,
              name,
            );
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it("is the only caller of a backend's verification", () => {
    const callers: string[] = [];
    for (const folder of ["protocol", "firmware", "simulator", "tools"]) {
      for (const file of readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })) {
        const path = join(folder, file);
        if (/\.[jt]s$/.test(path) && /\.ed25519Verify\b/.test(readFileSync(join(ROOT, path), "utf8")))
          callers.push(path);
      }
    }
    assert.deepEqual(callers, ["protocol/crypto/verify.ts"]);
  });
});

describe("isAcceptableKey", () => {
  /** Curve or not is not a matter of bytes: the rule lets both through. */
  const byReference = (key: Uint8Array) => ["none", "not-on-curve"].includes(pointFlaw(key));

  it("agrees with the mathematics on every y within 40 of 0, p and 2^255, with and without the sign bit", () => {
    for (const middle of [0n, P, SIGN_BIT]) {
      for (let y = middle - 40n; y <= middle + 40n; y++) {
        if (y < 0n || y >= SIGN_BIT) continue;
        for (const sign of [0n, SIGN_BIT]) {
          const key = bytesOf(y | sign);
          assert.equal(isAcceptableKey(key), byReference(key), hex(key));
        }
      }
    }
  });

  it("agrees with the mathematics on the points of order 8 and their neighbours", () => {
    for (const { publicKey } of cases.filter(({ name }) => name.startsWith("key of order 8"))) {
      assert.equal(isAcceptableKey(publicKey), false);
      for (let bit = 0; bit < 256; bit += 5) {
        const key = publicKey.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        assert.equal(isAcceptableKey(key), byReference(key), hex(key));
      }
    }
  });

  it("agrees with the mathematics on random bytes and random keys", () => {
    const scalars = fc.bigInt({ min: 1n, max: L - 1n }).map((scalar) => encode(multiply(scalar, BASE)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ minLength: 32, maxLength: 32 }), scalars), (key) => {
        assert.equal(isAcceptableKey(key), byReference(key));
      }),
      { numRuns: 150 },
    );
  });

  it("takes 32 bytes, not 31 and not 33", () => {
    const key = named("an ordinary signature").publicKey;
    assert.equal(isAcceptableKey(key), true);
    assert.equal(isAcceptableKey(key.subarray(0, 31)), false);
    assert.equal(isAcceptableKey(new Uint8Array([...key, 0])), false);
    assert.equal(isAcceptableKey(new Uint8Array(0)), false);
  });
});
