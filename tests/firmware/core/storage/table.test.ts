// What a table makes of damage: one flipped bit is nothing; a slot whose newest record is ruined is denied, and never its former self.

import assert from "node:assert/strict";
import { Lock } from "../../../../firmware/core/lock";
import { Record, recordLength, recordType } from "../../../../firmware/core/storage/records";
import { type FlashImage, VirtualBoard } from "../../../../simulator/board/board";
import { SECTOR_BYTES } from "../../../../simulator/board/nor";
import { Dice, SEED } from "../../../support/dice";
import { Door, L500I } from "../../../support/door";
import { hex, stateOf } from "../../../support/look";

const pinOf = (slot: number): string => `4829134${slot}`;
const text = (lock: Lock): string => JSON.stringify(stateOf(lock));

function bootFrom(door: Door, credentials: Uint8Array): Lock {
  const image: FlashImage = { ...door.board.image(), credentials };
  const world = { now: () => door.now };
  return new Lock(new VirtualBoard({ image, crypto: door.crypto, world, random: door.random }));
}

/** A ten-slot lock with records of every type in its flash, originals and copies. */
function lived(): Door {
  const door = new Door({ profile: L500I });
  const windows = [{ days: 127, start: 0, duration: 1440 }];
  for (let id = 1; id <= 12; id++) door.apply({ op: "put-schedule", id, windows });
  door.apply({ op: "set", setting: 3, value: Uint8Array.of(0, 9) });
  for (let slot = 0; slot < 10; slot++) door.apply(door.pin(slot, pinOf(slot), { uses: 99, schedule: slot }));
  const generation = (slot: number): number =>
    door.lock.parts.table.load(slot) === "ok" ? door.lock.parts.table.entry.generation : 0;
  for (let i = 0; i < 250; i++) {
    const slot = i % 6;
    door.apply({ op: "change", slot, generation: generation(slot), role: 1, capabilities: 1 + (i % 99) });
    if (i % 3 === 0) door.type(pinOf(i % 10));
    door.lock.tick();
  }
  door.apply({ op: "revoke", user: 1009 }, { op: "drop", slot: 8, generation: generation(8) });
  door.apply(
    { op: "put-schedule", id: 12, windows: [{ days: 1, start: 0, duration: 9 }] },
    { op: "set", setting: 2, value: Uint8Array.of(1) },
  );
  door.apply(door.pin(8, pinOf(8)), { op: "drop", slot: 8, generation: 1 }, { op: "revoke", user: 1 });
  return door;
}

/** Where records stand in the live sectors of a partition: by type. */
function recordsOf(door: Door): Map<number, { at: number; length: number }[]> {
  const { log } = door.lock.parts.table;
  const { bytes } = door.board.credentials;
  const found = new Map<number, { at: number; length: number }[]>();
  for (let number = log.oldest; number <= log.newest; number++) {
    const start = ((number - 1) % log.sectors) * SECTOR_BYTES;
    const end = number === log.newest ? log.offset : SECTOR_BYTES;
    for (let at = 32; at < end; ) {
      const length = recordLength(bytes, start + at);
      if (length === 0) break;
      const list = found.get(recordType(bytes, start + at)) ?? [];
      found.set(recordType(bytes, start + at), [...list, { at: start + at, length }]);
      at += length;
    }
  }
  return found;
}

const flip = (bytes: Uint8Array, at: number, bit: number): void => {
  bytes[at + (bit >> 3)] ^= 1 << (bit & 7);
};

describe("A single flipped bit of the credentials partition has no effect at all", () => {
  let door: Door;
  let whole: string;
  let records: ReturnType<typeof recordsOf>;

  before(() => {
    door = lived();
    whole = text(door.lock);
    records = recordsOf(door);
  });

  for (const [name, type] of Object.entries(Record))
    it(`at any place of a record of type ${name}: the oldest one, and the newest`, () => {
      const all = records.get(type);
      assert.ok(all !== undefined, "there is one in the partition");
      for (const { at, length } of [all[0], all[all.length - 1]])
        for (let bit = 0; bit < length * 8; bit++) {
          const image = door.board.credentials.bytes.slice();
          flip(image, at, bit);
          const lock = bootFrom(door, image);
          assert.equal(text(lock), whole, `bit ${bit}`);
          assert.equal(lock.parts.table.log.damage, 0);
        }
    });

  it(`anywhere, 800 times; and what is written and compacted next is right too (seed ${SEED})`, () => {
    const dice = new Dice();
    for (let round = 0; round < 800; round++) {
      const image = door.board.credentials.bytes.slice();
      const bit = dice.below(image.length * 8);
      flip(image, 0, bit);
      const lock = bootFrom(door, image);
      assert.equal(text(lock), whole, `bit ${bit}`);
      for (let ticks = 0; ticks < 3; ticks++) lock.tick();
      assert.equal(text(lock), whole, `bit ${bit}, compacted`);
      assert.equal(
        text(bootFrom(door, (lock.parts.board as VirtualBoard).credentials.bytes)),
        whole,
        `bit ${bit}, compacted and mounted`,
      );
    }
  });
});

describe("A slot whose newest record is ruined", () => {
  /** Ruins the newest record of a slot in an image. */
  function ruin(door: Door, image: Uint8Array, slot: number): void {
    const at = door.lock.parts.table.index.place(slot) * 16;
    flip(image, at, 250);
    flip(image, at, 130);
    flip(image, at, 101);
  }

  /** A lock of which slots 0 to 5 were changed again and again, so that older records of them stand before the newest. */
  function changed(): Door {
    const door = new Door({ profile: L500I });
    for (let slot = 0; slot < 6; slot++) door.apply(door.pin(slot, pinOf(slot)));
    for (let slot = 0; slot < 6; slot++) door.apply({ op: "disable", slot, generation: slot + 1 });
    door.apply({ op: "revoke", user: 77 });
    return door;
  }

  it("is damaged and denied, and never what it was before", () => {
    const door = changed();
    for (let slot = 0; slot < 6; slot++) {
      const image = door.board.credentials.bytes.slice();
      ruin(door, image, slot);
      const lock = bootFrom(door, image);
      const { table } = lock.parts;
      assert.equal(table.load(slot), "damaged");
      assert.equal(table.index.damaged, 1);
      assert.equal(table.applied, 13);
      for (let other = 0; other < 6; other++) if (other !== slot) assert.equal(table.load(other), "ok");
    }
  });

  it("is so for several that stand side by side", () => {
    const door = changed();
    const image = door.board.credentials.bytes.slice();
    for (const slot of [1, 2, 3]) ruin(door, image, slot);
    const { table } = bootFrom(door, image).parts;
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((slot) => table.load(slot)),
      ["ok", "damaged", "damaged", "damaged", "ok", "ok"],
    );
  });

  it("shows in receipts and status, is left by a revoke, and is whole again when it is put", () => {
    const door = changed();
    const whole = hex(door.receipt().digest);
    ruin(door, door.board.credentials.bytes, 2);
    door.reboot();
    assert.notEqual(hex(door.receipt().digest), whole);
    assert.deepEqual([door.receipt().damaged, door.receipt().slots, door.hello().flags & 16], [1, 6, 16]);
    assert.deepEqual(door.apply({ op: "enable", slot: 2, generation: 3 }), ["stale-generation"]);
    assert.deepEqual(door.apply({ op: "revoke", user: 1002 }), ["unchanged"]);
    assert.equal(door.type(pinOf(2)), "unknown");
    assert.deepEqual(door.apply(door.pin(2, pinOf(2), { generation: 3 })), ["applied"]);
    assert.equal(door.type(pinOf(2)), "granted");
    assert.equal(door.receipt().damaged, 0);
  });

  it("is found while the lock runs, too", () => {
    const door = changed();
    door.apply({ op: "enable", slot: 4, generation: 5 }, { op: "revoke", user: 77 });
    assert.equal(door.type(pinOf(4)), "granted");
    ruin(door, door.board.credentials.bytes, 4);
    assert.notEqual(door.type(pinOf(4)), "granted");
    const { damaged, digest } = door.receipt();
    assert.equal(damaged, 1);
    door.reboot();
    assert.equal(hex(door.receipt().digest), hex(digest), "the digest is that of what is left");
    assert.deepEqual(door.apply({ op: "drop", slot: 4, generation: 5 }), ["applied"]);
    assert.equal(door.receipt().damaged, 0);
    assert.equal(hex(door.receipt().digest), hex(digest));
  });

  it("makes nobody else's credential wrong: wiped and filled again, the lock is as new", () => {
    const door = changed();
    for (const slot of [0, 5]) ruin(door, door.board.credentials.bytes, slot);
    door.reboot();
    assert.deepEqual(door.apply({ op: "wipe" }), ["applied"]);
    assert.equal(door.receipt().slots, 0);
    const puts = Array.from({ length: 10 }, (_, slot) => door.pin(slot, pinOf(slot)));
    assert.ok(door.apply(...puts).every((code) => code === "applied"));
    for (let slot = 0; slot < 10; slot++) assert.equal(door.type(pinOf(slot)), "granted");
  });
});

describe("A schedule or a setting that is ruined", () => {
  it("denies the slots of the schedule rather than opening to them always", () => {
    const door = new Door({ profile: L500I });
    door.apply({ op: "put-schedule", id: 1, windows: [{ days: 127, start: 0, duration: 1440 }] });
    door.apply(door.pin(0, pinOf(0), { schedule: 1 }), { op: "revoke", user: 1 });
    assert.equal(door.type(pinOf(0)), "granted");
    const [{ at }] = recordsOf(door).get(Record.schedule) ?? [];
    flip(door.board.credentials.bytes, at, 40);
    flip(door.board.credentials.bytes, at, 90);
    assert.equal(door.type(pinOf(0)), "damaged");
  });

  it("is not believed when it is a copy either", () => {
    const door = lived();
    const copies = recordsOf(door).get(Record.scheduleCopy) ?? [];
    const { table } = door.lock.parts;
    for (const { at } of copies) {
      const id = door.board.credentials.bytes[at + 2];
      if (!table.loadSchedule(id)) continue;
      const [{ at: newest }] = [
        ...copies.filter((copy) => door.board.credentials.bytes[copy.at + 2] === id),
      ].reverse();
      flip(door.board.credentials.bytes, newest, 40);
      flip(door.board.credentials.bytes, newest, 90);
      assert.equal(table.loadSchedule(id), false, `schedule ${id}`);
      return;
    }
    assert.fail("no copy of a schedule");
  });
});
