// What a lock states when it is asked: whether somebody is gone, what some slots hold, and what it is.

import assert from "node:assert/strict";
import { L500I, LOCK_1000 } from "../../../firmware/core/profile";
import { FIRMWARE } from "../../../firmware/core/version";
import { addDigest, slotDigest } from "../../../protocol/wire/digest";
import { MAX_FIRMWARE_BYTES } from "../../../protocol/wire/limits";
import { Type } from "../../../protocol/wire/messages";
import { Feature } from "../../../protocol/wire/receipt";
import { Door } from "../../support/door";

describe("K7 the slots of a user and of everyone below", () => {
  it("are counted, and 0 proves that all of them are gone", () => {
    const door = new Door();
    door.apply(
      door.pin(1, "4711", { user: 7 }),
      door.pin(2, "4712", { user: 7 }),
      door.pin(3, "4713", { user: 8, grantor: 7 }),
      door.pin(4, "4714", { user: 9, grantor: 8 }),
      door.pin(5, "4715", { user: 5 }),
    );
    assert.deepEqual(door.ask({ user: 7 }).absence, { user: 7, slots: 4 });
    assert.deepEqual(door.ask({ user: 8 }).absence, { user: 8, slots: 2 });
    assert.deepEqual(door.ask({ user: 6 }).absence, { user: 6, slots: 0 });
    door.apply({ op: "revoke", user: 7 });
    assert.deepEqual(door.ask({ user: 7 }).absence, { user: 7, slots: 0 });
    assert.deepEqual(door.ask({ user: 5 }).absence, { user: 5, slots: 1 });
  });
});

describe("K6 the digest of some slots", () => {
  it("is the sum over the entries from the first to before the last, at any border", () => {
    const door = new Door();
    const { table } = door.lock.parts;
    for (const slot of [0, 3, 4, 999]) door.apply(door.pin(slot, `47110${slot}`));
    const sumOf = (...slots: number[]): Uint8Array => {
      const sum = new Uint8Array(32);
      for (const slot of slots) {
        assert.equal(table.load(slot), "ok");
        addDigest(sum, slotDigest(door.crypto, table.loadedBytes()));
      }
      return sum;
    };
    const range = (from: number, to: number) => door.ask({ from, to }).range;
    assert.deepEqual(range(3, 4), { from: 3, to: 4, digest: sumOf(3) });
    assert.deepEqual(range(3, 5), { from: 3, to: 5, digest: sumOf(3, 4) });
    assert.deepEqual(range(0, 3), { from: 0, to: 3, digest: sumOf(0) });
    assert.deepEqual(range(1, 3), { from: 1, to: 3, digest: new Uint8Array(32) });
    assert.deepEqual(range(0, 65_535), { from: 0, to: 65_535, digest: sumOf(0, 3, 4, 999) });
    assert.deepEqual(door.ask({ from: 0, to: 1000 }).range?.digest, door.receipt().digest);
  });
});

describe("P4 what a lock is", () => {
  it("is its model, its firmware and what its board has", () => {
    assert.deepEqual(new Door().ask({ about: true }).about, {
      profile: LOCK_1000.id,
      firmware: FIRMWARE,
      features: Feature.reader | Feature.network,
    });
    const small = new Door({ profile: L500I, rtc: true, sensor: true });
    assert.deepEqual(small.ask({ about: true }).about, {
      profile: L500I.id,
      firmware: FIRMWARE,
      features: Feature.doorSensor | Feature.heldClock,
    });
    assert.ok(FIRMWARE.length <= MAX_FIRMWARE_BYTES);
  });
});

describe("K1 a receipt", () => {
  it("states nothing that was not asked for, and everything that was", () => {
    const door = new Door();
    const plain = door.receipt();
    assert.deepEqual([plain.absence, plain.range, plain.about], [undefined, undefined, undefined]);
    const full = door.ask({ user: 0xffffffff, from: 65_534, to: 65_535, about: true });
    assert.ok(full.absence && full.range && full.about);
  });

  it("is none where the question is malformed, or nobody owns the lock", () => {
    const door = new Door();
    door.hello();
    for (const bad of ["a2000101 00", "a20001028205 05", "a2000103f4", "a10000"]) {
      const body = Uint8Array.from(Buffer.from(bad.replace(" ", ""), "hex"));
      assert.equal(door.send(Type.ask, body).result, "malformed", bad);
    }
    const nobody = new Door({ unclaimed: true });
    nobody.hello();
    assert.equal(nobody.send(Type.ask, Uint8Array.of(0xa1, 0, 1)).result, "unclaimed");
  });
});
