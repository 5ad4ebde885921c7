// X10: the record that a board keeps its identity in. The checksum is judged by zlib's.

import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import {
  IDENTITY_RECORD_BYTES,
  type IdentityFault,
  packIdentity,
  unpackIdentity,
} from "../../../firmware/core/identity-record";
import { L500I, LOCK_1000 } from "../../../firmware/core/profile";
import type { Identity } from "../../../firmware/ports";

const CRC_AT = 112;

function identityOf(profile: number): Identity {
  const filled = (length: number, first: number) => new Uint8Array(length).map((_, i) => first + i);
  return {
    lock: filled(8, 1),
    profile,
    seed: filled(32, 32),
    deviceSecret: filled(32, 64),
    makerRoot: filled(32, 96),
  };
}

const RECORD = packIdentity(identityOf(L500I.id));

/** The record with bytes changed and a checksum that fits again. */
function forged(change: (bytes: Uint8Array) => void, length = IDENTITY_RECORD_BYTES): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(RECORD.subarray(0, length));
  change(bytes);
  if (length >= IDENTITY_RECORD_BYTES)
    new DataView(bytes.buffer).setUint32(CRC_AT, crc32(bytes.subarray(0, CRC_AT)));
  return bytes;
}

const withByte = (at: number, value: number): Uint8Array =>
  forged((bytes) => {
    bytes[at] = value;
  });

describe("X10 the identity record", () => {
  it("gives back what was packed, for every profile, as copies", () => {
    for (const { id } of [LOCK_1000, L500I]) {
      const bytes = Buffer.from(packIdentity(identityOf(id)));
      assert.equal(bytes.length, 116);
      const identity = unpackIdentity(bytes);
      bytes.fill(0);
      assert.deepEqual(identity, identityOf(id));
    }
  });

  it("has its fields where a lock of the field has them", () => {
    const fields = [...identityOf(L500I.id).lock, ...Array.from({ length: 96 }, (_, i) => 32 + i)];
    const head = Buffer.from([...Buffer.from("TMID"), 1, L500I.id, 0, 0, ...fields]);
    assert.deepEqual(Buffer.from(RECORD.subarray(0, CRC_AT)), head);
    assert.equal(Buffer.from(RECORD).readUInt32BE(CRC_AT), crc32(head));
  });

  it("says what is wrong with others", () => {
    const faults: [Uint8Array, IdentityFault][] = [
      [new Uint8Array(0), "not-an-identity"],
      [new Uint8Array(3), "not-an-identity"],
      [new Uint8Array(116).fill(0xff), "not-an-identity"],
      [withByte(4, 2), "newer-format"],
      [forged((bytes) => bytes.fill(9, 4, 5), 5), "newer-format"],
      [withByte(4, 0), "damaged-identity"],
      [withByte(6, 1), "damaged-identity"],
      [withByte(7, 1), "damaged-identity"],
      [RECORD.subarray(0, 4), "damaged-identity"],
      [RECORD.subarray(0, 115), "damaged-identity"],
      [forged(() => {}, 117), "damaged-identity"],
      [withByte(5, 0), "unknown-profile"],
      [withByte(5, 3), "unknown-profile"],
    ];
    for (const [bytes, fault] of faults)
      assert.equal(unpackIdentity(bytes), fault, Buffer.from(bytes).toString("hex"));
  });

  it("is refused with any single bit flipped", () => {
    for (let bit = 0; bit < 8 * RECORD.length; bit++) {
      const bytes = RECORD.slice();
      bytes[bit >> 3] ^= 1 << (bit & 7);
      assert.equal(typeof unpackIdentity(bytes), "string", `bit ${bit}`);
    }
  });

  it("never comes of random bytes, which are never an exception", () => {
    const tails = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 111 }), tails, (kept, tail) => {
        assert.equal(typeof unpackIdentity(tail), "string");
        const bytes = Buffer.concat([RECORD.subarray(0, kept), tail]);
        if (!bytes.equals(RECORD)) assert.equal(typeof unpackIdentity(bytes), "string");
      }),
    );
  });

  it("is not packed of parts of another size: that is a mistake of the program", () => {
    const identity = identityOf(L500I.id);
    assert.throws(() => packIdentity({ ...identity, profile: 9 }), /unknown profile 9/);
    for (const field of ["lock", "seed", "deviceSecret", "makerRoot"])
      for (const length of [0, 31, 33])
        assert.throws(() => packIdentity({ ...identity, [field]: new Uint8Array(length) }), RangeError);
  });
});
