// The crypto port in C on all vectors of the project and against the other backends, compiled here with the system's libsodium; and the
// same port over the double, which shows what it passes through the bridge.

import assert from "node:assert/strict";
import fc from "fast-check";
import { nativeCrypto } from "../../../../firmware/device/crypto";
import type { NativeCrypto } from "../../../../firmware/device/native";
import manifest from "../../../../firmware/device/native/manifest.json";
import { claimKeys, credentialTag, hkdfExpand, hkdfExtract, keyId } from "../../../../protocol/crypto/derive";
import { noble } from "../../../../protocol/crypto/noble";
import type { Crypto } from "../../../../protocol/crypto/port";
import { verifySignature } from "../../../../protocol/crypto/verify";
import derived from "../../../../protocol/vectors/derive.json";
import signatures from "../../../../protocol/vectors/ed25519.json";
import { node } from "../../../../simulator/board/crypto";
import { hex, unhex } from "../../../protocol/crypto/hex";
import { Door } from "../../../support/door";
import { missingForC, NativeProcess } from "../../../support/native-process";
import { ChipModel } from "../../../support/sdk/native";

/** Appendix A.3.1 of draft-irtf-cfrg-xchacha-03. */
const DRAFT = {
  plain: new Uint8Array(
    Buffer.from(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    ),
  ),
  aad: unhex("50515253c0c1c2c3c4c5c6c7"),
  key: unhex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
  nonce: unhex("404142434445464748494a4b4c4d4e4f5051525354555657"),
  sealed: unhex(
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39" +
      "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9" +
      "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49",
  ),
};

const blob = (min: number, max = min) => fc.uint8Array({ minLength: min, maxLength: max });
const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));

/** The same bytes in the middle of a larger buffer. */
function within(bytes: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(bytes.length + 12).fill(0xee);
  buffer.set(bytes, 5);
  return buffer.subarray(5, 5 + bytes.length);
}

/** What every implementation of the port behind the bridge has to do. */
function suite(crypto: () => Crypto): void {
  it("gives every hash, derived key and tag of the vectors", () => {
    const c = crypto();
    for (const { data, sha256 } of derived.sha256) assert.equal(hex(c.sha256(unhex(data))), sha256);
    for (const { key, data, hmac } of derived.hmacSha256)
      assert.equal(hex(c.hmacSha256(unhex(key), unhex(data))).slice(0, hmac.length), hmac);
    for (const { secret, salt, info, length, extracted, output } of derived.hkdfSha256) {
      assert.equal(hex(hkdfExtract(c, unhex(salt), unhex(secret))), extracted);
      assert.equal(hex(hkdfExpand(c, unhex(extracted), unhex(info), length)), output);
    }
    for (const { name, deviceSecret, claimNumber, ...expected } of derived.claimKeys) {
      const keys = Object.entries(claimKeys(c, unhex(deviceSecret), claimNumber));
      assert.deepEqual(Object.fromEntries(keys.map(([key, bytes]) => [key, hex(bytes)])), expected, name);
    }
    for (const { pinKey, kind, value, tag } of derived.credentialTag)
      assert.equal(hex(credentialTag(c, unhex(pinKey), kind, unhex(value))), tag);
    for (const { publicKey, keyId: id } of derived.keyId) assert.equal(hex(keyId(c, unhex(publicKey))), id);
  });

  for (const { name, seed, publicKey, message, signature, valid, flaw } of signatures) {
    it(`Ed25519, ${name}: ${valid ? "valid" : flaw}`, () => {
      const c = crypto();
      assert.equal(verifySignature(c, unhex(signature), unhex(message), unhex(publicKey)), valid);
      if (seed === undefined) return;
      assert.equal(hex(c.ed25519PublicKey(unhex(seed))), publicKey);
      assert.equal(hex(c.ed25519Sign(unhex(message), unhex(seed))), signature);
    });
  }

  it("seals and opens the vector of XChaCha20-Poly1305, and opens nothing that differs in one bit or byte", () => {
    const { key, nonce, aad, plain, sealed } = DRAFT;
    const c = crypto();
    assert.deepEqual(c.seal(key, nonce, aad, plain), sealed);
    assert.deepEqual(c.unseal(key, nonce, aad, sealed), plain);
    for (let at = 0; at < sealed.length; at++)
      assert.equal(c.unseal(key, nonce, aad, flip(sealed, at)), undefined);
    for (let at = 0; at < 32; at++) assert.equal(c.unseal(flip(key, at), nonce, aad, sealed), undefined);
    for (let at = 0; at < 24; at++) assert.equal(c.unseal(key, flip(nonce, at), aad, sealed), undefined);
    for (let at = 0; at < aad.length; at++)
      assert.equal(c.unseal(key, nonce, flip(aad, at), sealed), undefined);
    for (let length = 0; length < sealed.length; length++)
      assert.equal(c.unseal(key, nonce, aad, sealed.subarray(0, length)), undefined);
    assert.equal(c.unseal(key, nonce, aad, new Uint8Array([...sealed, 0])), undefined);
    assert.equal(c.unseal(key.subarray(1), nonce, aad, sealed), undefined);
    assert.equal(c.unseal(key, nonce.subarray(1), aad, sealed), undefined);
  });

  it("gives the bytes of the other backends for whatever comes, in the middle of larger buffers, and changes nothing", () => {
    const bytes = blob(0, 300);
    fc.assert(
      fc.property(blob(32), blob(24), bytes, bytes, (key, nonce, aad, data) => {
        const c = crypto();
        const [k, n, a, d] = [key, nonce, aad, data].map(within);
        assert.deepEqual(c.sha256(d), node.sha256(data));
        assert.deepEqual(c.hmacSha256(a, d), node.hmacSha256(aad, data));
        assert.deepEqual(c.ed25519PublicKey(k), node.ed25519PublicKey(key));
        const signature = c.ed25519Sign(d, k);
        assert.deepEqual(signature, node.ed25519Sign(data, key));
        const publicKey = within(node.ed25519PublicKey(key));
        assert.equal(c.ed25519Verify(within(signature), d, publicKey), true);
        assert.equal(c.ed25519Verify(flip(signature, data.length % 64), d, publicKey), false);
        const sealed = c.seal(k, n, a, d);
        assert.deepEqual(sealed, noble.seal(key, nonce, aad, data));
        assert.deepEqual(c.unseal(k, n, a, within(sealed)), data);
        assert.equal(c.unseal(k, n, a, flip(sealed, data.length % sealed.length)), undefined);
        for (const [part, was] of [
          [k, key],
          [n, nonce],
          [a, aad],
          [d, data],
        ])
          assert.deepEqual(new Uint8Array(part.buffer), new Uint8Array(within(was).buffer));
      }),
      { numRuns: 60 },
    );
  });

  it("gives the HMAC of node for keys below, at and above the block of 64 bytes", () => {
    for (const length of [0, 1, 31, 32, 33, 63, 64, 65, 128, 300]) {
      const key = new Uint8Array(length).fill(length);
      assert.deepEqual(crypto().hmacSha256(key, key), node.hmacSha256(key, key));
    }
  });

  it("gives fresh plain arrays", () => {
    const c = crypto();
    const seed = new Uint8Array(32).fill(1);
    const { key, nonce, aad, sealed } = DRAFT;
    const makers = [() => c.sha256(seed), () => c.hmacSha256(seed, seed), () => c.ed25519PublicKey(seed)];
    makers.push(
      () => c.ed25519Sign(seed, seed),
      () => c.seal(key, nonce, aad, seed),
    );
    makers.push(() => c.unseal(key, nonce, aad, sealed) ?? assert.fail());
    for (const make of makers) {
      const first = make();
      const expected = hex(first);
      assert.equal(Object.getPrototypeOf(first), Uint8Array.prototype);
      assert.equal(first.byteLength, first.buffer.byteLength);
      first.fill(0xff);
      assert.equal(hex(make()), expected);
    }
  });

  it("refuses a seed, key or nonce of another length as a programming error, and never throws from verification", () => {
    const c = crypto();
    const { key, nonce, aad, plain } = DRAFT;
    for (const length of [0, 31, 33]) {
      const wrong = new Uint8Array(length);
      assert.throws(() => c.ed25519PublicKey(wrong), RangeError);
      assert.throws(() => c.ed25519Sign(plain, wrong), RangeError);
      assert.throws(() => c.seal(wrong, nonce, aad, plain), RangeError);
      assert.throws(() => c.seal(key, wrong, aad, plain), RangeError);
    }
    fc.assert(
      fc.property(blob(0, 130), blob(0, 40), blob(0, 70), (signature, message, publicKey) => {
        assert.equal(c.ed25519Verify(signature, message, publicKey), false);
      }),
      { numRuns: 40 },
    );
  });
}

describe("The lock's crypto over the bridge", () => {
  suite(() => nativeCrypto(new ChipModel().native));

  it("does not start on a chip whose library does not", () => {
    for (const cryptoError of [-1, -2])
      assert.throws(() => nativeCrypto(new ChipModel({ cryptoError }).native), /libsodium does not start: -/);
  });
});

describe("The lock's crypto in C", function () {
  this.timeout(20_000);
  let running: NativeProcess;
  let crypto: Crypto;

  before(function () {
    const missing = missingForC("sodium.h");
    if (missing !== undefined) {
      console.log(`    skipped: ${missing}`);
      this.skip();
    }
    running = new NativeProcess(["crypto.c"], Object.keys(manifest.ffi.functions));
    crypto = nativeCrypto(running.functions<NativeCrypto>());
  });
  after(() => running?.close());

  suite(() => crypto);

  it("runs a lock: claimed, filled, opened, refused, read, rebooted, as node runs it", () => {
    const life = (c: Crypto): unknown[] => {
      const door = new Door({ crypto: c });
      const seen: unknown[] = [door.apply(door.pin(0, "4711080"), door.card(1, new Uint8Array(7).fill(9)))];
      seen.push(door.type("4711080"), door.type("4711081"), door.page(1).entries.map(hex));
      door.reboot();
      return [...seen, door.setTime(), door.type("4711080"), door.events(), hex(door.head)];
    };
    assert.deepEqual(life(crypto), life(node));
  });
});
