// Keys of a claim, credential tags and key ids, by both backends: the vectors, and Node's own HKDF as the
// judge.

import assert from "node:assert/strict";
import { hkdfSync } from "node:crypto";
import fc from "fast-check";
import {
  claimKeys,
  credentialTag,
  hkdfExpand,
  hkdfExtract,
  keyId,
  TAG_KIND,
} from "../../../protocol/crypto/derive";
import { noble } from "../../../protocol/crypto/noble";
import vectors from "../../../protocol/vectors/derive.json";
import { node } from "../../../simulator/board/crypto";
import { hex, unhex } from "./hex";

for (const crypto of [noble, node]) {
  describe("derivation by " + crypto.name, () => {
    for (const { name, secret, salt, info, length, extracted, output } of vectors.hkdfSha256) {
      it("expands the key of " + name, () => {
        assert.equal(hex(hkdfExtract(crypto, unhex(salt), unhex(secret))), extracted);
        assert.equal(hex(hkdfExpand(crypto, unhex(extracted), unhex(info), length)), output);
      });
    }

    for (const { name, deviceSecret, claimNumber, ...expected } of vectors.claimKeys) {
      it("gives the five keys of " + name, () => {
        const keys = claimKeys(crypto, unhex(deviceSecret), claimNumber);
        const asHex = Object.fromEntries(Object.entries(keys).map(([key, bytes]) => [key, hex(bytes)]));
        assert.deepEqual(asHex, expected);
      });
    }

    for (const { name, pinKey, kind, value, tag } of vectors.credentialTag) {
      it("tags " + name, () => {
        assert.equal(hex(credentialTag(crypto, unhex(pinKey), kind, unhex(value))), tag);
      });
    }

    for (const { name, publicKey, keyId: id } of vectors.keyId) {
      it("names " + name, () => {
        assert.equal(hex(keyId(crypto, unhex(publicKey))), id);
      });
    }
  });
}

describe("HKDF", () => {
  it("agrees with OpenSSL on random inputs", () => {
    const bytes = fc.uint8Array({ maxLength: 100 });
    fc.assert(
      fc.property(bytes, bytes, bytes, fc.nat({ max: 200 }), (secret, salt, info, length) => {
        const output = hkdfExpand(noble, hkdfExtract(noble, salt, secret), info, length);
        assert.equal(hex(output), hex(new Uint8Array(hkdfSync("sha256", secret, salt, info, length))));
      }),
    );
  });

  it("gives 0 to 8,160 bytes and no more", () => {
    const key = new Uint8Array(32);
    const info = new Uint8Array(0);
    assert.equal(hkdfExpand(node, key, info, 0).length, 0);
    const longest = new Uint8Array(hkdfSync("sha256", key, new Uint8Array(0), info, 8160));
    const extracted = hkdfExtract(node, new Uint8Array(0), key);
    assert.equal(hex(hkdfExpand(node, extracted, info, 8160)), hex(longest));
    assert.throws(() => hkdfExpand(node, key, info, 8161), RangeError);
    assert.throws(() => hkdfExpand(node, key, info, -1), RangeError);
  });
});

describe("the keys of a claim", () => {
  const secret = new Uint8Array(32).fill(7);

  it("are all different, from each other and from those of every other claim", () => {
    const seen = new Set<string>();
    for (const claim of [0, 1, 2, 256, 65536, 0xffffffff]) {
      for (const key of Object.values(claimKeys(node, secret, claim))) seen.add(hex(key));
    }
    assert.equal(seen.size, 6 * 5);
  });

  it("refuse a device secret of another length and a claim number beyond 32 bits", () => {
    for (const length of [31, 33])
      assert.throws(() => claimKeys(node, new Uint8Array(length), 1), RangeError);
    for (const claim of [-1, 0x100000000, 1.5, Number.NaN]) {
      assert.throws(() => claimKeys(node, secret, claim), RangeError);
    }
  });
});

describe("credential tags", () => {
  it("differ between kinds for the same bytes, so that a card never opens as a PIN", () => {
    const value = new Uint8Array(32).fill(0x31);
    const tags = Object.values(TAG_KIND).map((kind) =>
      hex(credentialTag(node, new Uint8Array(32), kind, value)),
    );
    assert.equal(new Set(tags).size, 3);
  });

  it("differ between claims, so that nothing of a former owner fits", () => {
    const secret = new Uint8Array(32).fill(7);
    const pin = new Uint8Array([0x31, 0x32, 0x33, 0x34]);
    const tags = [1, 2].map((claim) =>
      credentialTag(node, claimKeys(node, secret, claim).pinKey, TAG_KIND.typed, pin),
    );
    assert.notEqual(hex(tags[0]), hex(tags[1]));
  });
});
