// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) and what is sealed with it (rules X5, L10): the vectors of the draft, OpenSSL's RFC 8439
// under a subkey that is computed here, and what must not open.

import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { noble } from "../../../protocol/crypto/noble";
import type { Crypto } from "../../../protocol/crypto/port";
import { pageAad, sealWith, settingAad, unsealWith } from "../../../protocol/crypto/seal";
import { node } from "../../../simulator/board/crypto";
import { hex, unhex } from "./hex";

const BACKENDS: readonly Crypto[] = [noble, node];

/** Appendix A.3.1 of the draft. */
const DRAFT = {
  plain: Buffer.from(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  ),
  aad: unhex("50515253c0c1c2c3c4c5c6c7"),
  key: unhex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
  nonce: unhex("404142434445464748494a4b4c4d4e4f5051525354555657"),
  sealed:
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39" +
    "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9" +
    "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49",
};

const rotate = (value: number, bits: number): number => ((value << bits) | (value >>> (32 - bits))) >>> 0;

/** HChaCha20 (§2.2 of the draft): the subkey of a key and the first 16 bytes of a nonce. */
function subkey(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const input = Buffer.concat([Buffer.from("expand 32-byte k"), key, nonce.subarray(0, 16)]);
  const x = Array.from({ length: 16 }, (_, i) => input.readUInt32LE(4 * i));
  const quarter = (a: number, b: number, c: number, d: number) => {
    for (const [first, second] of [
      [16, 12],
      [8, 7],
    ]) {
      x[a] = (x[a] + x[b]) >>> 0;
      x[d] = rotate(x[d] ^ x[a], first);
      x[c] = (x[c] + x[d]) >>> 0;
      x[b] = rotate(x[b] ^ x[c], second);
    }
  };
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 4; i++) quarter(i, 4 + i, 8 + i, 12 + i);
    for (let i = 0; i < 4; i++) quarter(i, 4 + ((i + 1) & 3), 8 + ((i + 2) & 3), 12 + ((i + 3) & 3));
  }
  const output = Buffer.alloc(32);
  for (const [i, word] of [...x.slice(0, 4), ...x.slice(12)].entries()) output.writeUInt32LE(word, 4 * i);
  return output;
}

/** §2.3 of the draft over OpenSSL. */
function byOpenssl(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): string {
  const short = Buffer.concat([Buffer.alloc(4), nonce.subarray(16)]);
  const cipher = createCipheriv("chacha20-poly1305", subkey(key, nonce), short, { authTagLength: 16 });
  cipher.setAAD(aad, { plaintextLength: plain.length });
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString("hex");
}

const blob = (min: number, max = min) => fc.uint8Array({ minLength: min, maxLength: max });

describe("XChaCha20-Poly1305", () => {
  it("has the oracle of these tests give the draft's own subkey (§2.2.1)", () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => i);
    const nonce = unhex("000000090000004a0000000031415927");
    assert.equal(hex(subkey(key, nonce)), "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc");
  });

  for (const crypto of BACKENDS) {
    it(`gives the vector of the draft (A.3.1): ${crypto.name}`, () => {
      const { key, nonce, aad, plain, sealed } = DRAFT;
      assert.equal(hex(crypto.seal(key, nonce, aad, plain)), sealed);
      assert.equal(byOpenssl(key, nonce, aad, plain), sealed);
      assert.equal(hex(crypto.unseal(key, nonce, aad, unhex(sealed)) ?? new Uint8Array(0)), hex(plain));
    });

    it(`seals as OpenSSL does, and opens it again: ${crypto.name}`, () => {
      fc.assert(
        fc.property(blob(32), blob(24), blob(0, 40), blob(0, 200), (key, nonce, aad, plain) => {
          const sealed = crypto.seal(key, nonce, aad, plain);
          assert.equal(hex(sealed), byOpenssl(key, nonce, aad, plain));
          assert.deepEqual(crypto.unseal(key, nonce, aad, sealed), plain);
        }),
        { numRuns: 100 },
      );
    });

    it(`does not open with one bit of anything flipped, cut or lengthened, and never throws: ${crypto.name}`, () => {
      const { key, nonce, aad, sealed } = DRAFT;
      const bytes = unhex(sealed);
      const flip = (from: Uint8Array, at: number) => from.map((byte, i) => (i === at ? byte ^ 1 : byte));
      for (let at = 0; at < bytes.length; at++)
        assert.equal(crypto.unseal(key, nonce, aad, flip(bytes, at)), undefined);
      for (let at = 0; at < 32; at++)
        assert.equal(crypto.unseal(flip(key, at), nonce, aad, bytes), undefined);
      for (let at = 0; at < 24; at++)
        assert.equal(crypto.unseal(key, flip(nonce, at), aad, bytes), undefined);
      for (let at = 0; at < aad.length; at++)
        assert.equal(crypto.unseal(key, nonce, flip(aad, at), bytes), undefined);
      for (let length = 0; length < bytes.length; length++)
        assert.equal(crypto.unseal(key, nonce, aad, bytes.subarray(0, length)), undefined, String(length));
      assert.equal(crypto.unseal(key, nonce, aad, new Uint8Array([...bytes, 0])), undefined);
    });

    it(`gives fresh arrays and leaves its inputs alone: ${crypto.name}`, () => {
      const { key, nonce, aad, plain } = DRAFT;
      const inputs = [key, nonce, aad, new Uint8Array(plain)].map((each) => each.slice());
      const [k, n, a, p] = inputs.map((each) => each.slice());
      const sealed = crypto.seal(k, n, a, p);
      const opened = crypto.unseal(k, n, a, sealed);
      assert.deepEqual([k, n, a, p], inputs);
      assert.equal(Object.getPrototypeOf(sealed), Uint8Array.prototype);
      assert.equal(Object.getPrototypeOf(opened), Uint8Array.prototype);
      assert.notEqual(opened?.buffer, sealed.buffer);
    });
  }
});

describe("what is sealed for a lock", () => {
  const lock = unhex("7b1d5a40c3e29f86");
  const key = new Uint8Array(32).fill(5);
  const nonce = new Uint8Array(24).fill(9);
  const plain = new Uint8Array(Buffer.from("front door"));

  it("X5 names its purpose, the lock and the setting", () => {
    assert.equal(
      hex(settingAad(lock, 12)),
      `${Buffer.from("tumbler/1 setting").toString("hex")}7b1d5a40c3e29f860c`,
    );
    assert.equal(hex(pageAad(lock)), `${Buffer.from("tumbler/1 page").toString("hex")}7b1d5a40c3e29f86`);
  });

  it("X5, L10 is its nonce and what is sealed, and opens for the same purpose alone", () => {
    const other = lock.map((byte, i) => (i === 7 ? byte ^ 1 : byte));
    for (const crypto of BACKENDS) {
      const value = sealWith(crypto, key, nonce, settingAad(lock, 11), plain);
      assert.equal(hex(value), hex(nonce) + byOpenssl(key, nonce, settingAad(lock, 11), plain));
      assert.deepEqual(unsealWith(crypto, key, settingAad(lock, 11), value), plain);
      for (const aad of [settingAad(lock, 12), settingAad(other, 11), pageAad(lock), new Uint8Array(0)])
        assert.equal(unsealWith(crypto, key, aad, value), undefined);
      for (let length = 0; length < value.length; length++)
        assert.equal(unsealWith(crypto, key, settingAad(lock, 11), value.subarray(0, length)), undefined);
    }
  });

  it("never throws on what was never sealed", () => {
    fc.assert(
      fc.property(blob(0, 120), (bytes) => {
        for (const crypto of BACKENDS) assert.equal(unsealWith(crypto, key, pageAad(lock), bytes), undefined);
      }),
      { numRuns: 300 },
    );
  });
});
