// What a lock advertises, and what it tells whoever connects.

import { strict as assert } from "node:assert";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import {
  isIdOf,
  packAdvert,
  packInfo,
  readAdvert,
  readInfo,
  rotatingId,
} from "../../../protocol/wire/advert";
import { node } from "../../../simulator/board/crypto";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe("S10 a lock's advertisement", () => {
  it("has an id that follows from its random part under the link key, and from no other", () => {
    fc.assert(
      fc.property(bytes(32), bytes(32), bytes(3), (key, other, random) => {
        const id = rotatingId(node, key, random);
        const mac = createHmac("sha256", key).update("tumbler/1 advert").update(random).digest();
        assert.deepEqual(Buffer.from(id), Buffer.concat([random, mac.subarray(0, 3)]));
        assert.ok(isIdOf(node, key, id));
        if (Buffer.compare(key, other) !== 0) assert.ok(!isIdOf(node, other, id));
      }),
    );
  });

  it("tells the low bits of the position, and the flags", () => {
    const id = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const packed = packAdvert({ id, applied: 0x12345, flags: 9 });
    assert.deepEqual([...packed], [1, 2, 3, 4, 5, 6, 0x23, 0x45, 9]);
    assert.deepEqual(readAdvert(packed), { id, applied: 0x2345, flags: 9 });
    for (const length of [0, 8, 10]) assert.equal(readAdvert(new Uint8Array(length)), undefined);
  });
});

describe("S10 what a lock tells whoever connects", () => {
  it("is 17 bytes of this version, or nothing", () => {
    const info = {
      profile: 2,
      shortId: Uint8Array.of(9, 8, 7, 6),
      epoch: 3,
      applied: 0x012345,
      flags: 5,
      largest: 244,
    };
    const packed = packInfo(info);
    assert.equal(Buffer.from(packed).toString("hex"), "0102090807060000000300012345" + "0500f4");
    assert.deepEqual(readInfo(packed), info);
    for (const length of [0, 16, 18]) assert.equal(readInfo(new Uint8Array(length).fill(1)), undefined);
    assert.equal(readInfo(Uint8Array.of(2, ...packed.subarray(1))), undefined);
  });
});
