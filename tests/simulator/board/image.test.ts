// The file format of a virtual lock's flash: what is written is read back, and nothing else is read. The checksum is judged by zlib's.

import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { L500I, LOCK_1000 } from "../../../firmware/core/profile";
import type { Identity } from "../../../firmware/ports";
import { blankImage } from "../../../simulator/board/board";
import {
  IDENTITY_BYTES,
  ImageError,
  type ImageFault,
  imageBytes,
  packImage,
  unpackImage,
} from "../../../simulator/board/image";
import { Door } from "../../support/door";

const IDENTITY_END = 116;
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

function assertFault(bytes: Uint8Array, fault: ImageFault, text: RegExp): void {
  assert.throws(
    () => unpackImage(bytes),
    (error: unknown) => {
      assert.ok(error instanceof ImageError, String(error));
      assert.equal(error.fault, fault);
      assert.match(error.message, text);
      return true;
    },
  );
}

/** The image with bytes changed and a checksum that fits again. */
function forged(bytes: Uint8Array, change: (bytes: Uint8Array) => void): Uint8Array {
  const copy = bytes.slice();
  change(copy);
  new DataView(copy.buffer).setUint32(CRC_AT, crc32(copy.subarray(0, CRC_AT)));
  return copy;
}

describe("flash images", () => {
  for (const profile of [LOCK_1000, L500I]) {
    it(`give back what was packed, ${profile.name}`, () => {
      const door = new Door({ profile });
      door.apply(door.pin(0, "135790"));
      const image = door.board.image();
      const bytes = packImage(image);
      assert.equal(bytes.length, imageBytes(profile));
      assert.deepEqual(unpackImage(bytes), image);
    });
  }

  it("hold identity, credentials and events one after another", () => {
    const image = blankImage(identityOf(L500I.id));
    image.credentials.fill(0xc0);
    image.events.fill(0xe0);
    const bytes = packImage(image);
    assert.equal(IDENTITY_BYTES, 4096);
    assert.equal(Buffer.from(bytes.subarray(0, 4)).toString("latin1"), "TMID");
    assert.deepEqual([...bytes.subarray(4, 8)], [1, L500I.id, 0, 0]);
    assert.deepEqual(
      [...bytes.subarray(8, CRC_AT)],
      [1, 2, 3, 4, 5, 6, 7, 8, ...Array.from({ length: 96 }, (_, i) => 32 + i)],
    );
    assert.equal(Buffer.from(bytes).readUInt32BE(CRC_AT), crc32(bytes.subarray(0, CRC_AT)));
    assert.ok(bytes.subarray(IDENTITY_END, 4096).every((byte) => byte === 0xff));
    assert.ok(bytes.subarray(4096, 4096 + 16 * 1024).every((byte) => byte === 0xc0));
    assert.ok(bytes.subarray(4096 + 16 * 1024).every((byte) => byte === 0xe0));
    assert.equal(bytes.length, 4096 + 16 * 1024 + 24 * 1024);
  });

  it("are copies: changing one side changes nothing on the other", () => {
    const image = blankImage(identityOf(L500I.id));
    for (const bytes of [packImage(image), Buffer.from(packImage(image))]) {
      const unpacked = unpackImage(bytes);
      bytes.fill(0);
      assert.deepEqual(unpacked, image);
    }
  });

  it("say what is not an image, and what was wanted", () => {
    assertFault(new Uint8Array(0), "not-an-image", /^not a Tumbler image: wanted "TMID".*got nothing$/);
    assertFault(Buffer.from("\x89PNG\r\n", "latin1"), "not-an-image", /got 89504e47$/);
    assertFault(blankImage(identityOf(2)).credentials, "not-an-image", /got ffffffff$/);
  });

  it("are refused one byte short, one byte long, and with the other profile's size", () => {
    const bytes = packImage(blankImage(identityOf(L500I.id)));
    const wanted =
      /wrong size: wanted 45056 bytes for l500i \(identity 4096, credentials 16384, events 24576\), got /;
    assertFault(bytes.subarray(0, -1), "wrong-size", wanted);
    assertFault(Buffer.concat([bytes, new Uint8Array(1)]), "wrong-size", wanted);
    assertFault(Buffer.concat([bytes, new Uint8Array(528_384 - 45_056)]), "wrong-size", wanted);
    assertFault(bytes.subarray(0, 4095), "wrong-size", /wanted an identity of 4096 bytes first, got 4095/);
    assertFault(bytes.subarray(0, 4096), "wrong-size", wanted);
  });

  it("are refused with any single bit of the identity flipped", () => {
    const bytes = packImage(blankImage(identityOf(L500I.id)));
    for (let bit = 0; bit < IDENTITY_END * 8; bit++) {
      const copy = bytes.slice();
      copy[bit >> 3] ^= 1 << (bit & 7);
      assert.throws(() => unpackImage(copy), ImageError, `bit ${bit}`);
    }
    for (const at of [8, CRC_AT, IDENTITY_END, 4095]) {
      const copy = bytes.slice();
      copy[at] ^= 1;
      assertFault(copy, "damaged-identity", /^damaged identity/);
    }
  });

  it("name an unknown profile and a newer format", () => {
    const bytes = packImage(blankImage(identityOf(L500I.id)));
    const strange = forged(bytes, (copy) => {
      copy[5] = 7;
    });
    assertFault(strange, "unknown-profile", /^unknown profile 7: wanted 1 \(lock-1000\) or 2 \(l500i\)$/);
    const newer = forged(bytes, (copy) => {
      copy[4] = 2;
    });
    assertFault(newer, "newer-format", /^identity of format 2: this version reads format 1$/);
  });

  it("never come of random bytes, which are refused with a typed error", () => {
    const head = packImage(blankImage(identityOf(L500I.id))).subarray(0, 200);
    const inputs = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }),
      fc.uint8Array({ maxLength: 5000 }).map((tail) => Buffer.concat([head, tail])),
    );
    fc.assert(
      fc.property(inputs, (bytes) => {
        assert.throws(() => unpackImage(bytes), ImageError);
      }),
    );
  });

  it("are not packed of parts of another size: that is a mistake of the program", () => {
    const image = blankImage(identityOf(L500I.id));
    const { identity } = image;
    const short = new Uint8Array(31);
    assert.throws(
      () => packImage({ ...image, events: image.credentials }),
      /events: wanted 24576 bytes, got 16384/,
    );
    assert.throws(() => packImage({ ...image, credentials: image.events }), RangeError);
    assert.throws(() => packImage({ ...image, identity: { ...identity, profile: 9 } }), /unknown profile 9/);
    for (const field of ["lock", "seed", "deviceSecret", "makerRoot"])
      assert.throws(() => packImage({ ...image, identity: { ...identity, [field]: short } }), RangeError);
  });
});
