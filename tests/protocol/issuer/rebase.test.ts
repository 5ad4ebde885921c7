// A whole new table from the issuer to the lock's own core, over links that die, and what goes on behind it.

import { strict as assert } from "node:assert";
import { LOCK_1000, PROFILES } from "../../../firmware/core/profile";
import { bagMailbox, packBag, unpackBag } from "../../../protocol/courier/bag";
import { carry } from "../../../protocol/courier/courier";
import { fillBag } from "../../../protocol/issuer/mailbox";
import { partsOf } from "../../../protocol/issuer/rebase";
import { Table } from "../../../protocol/issuer/table";
import { fitted, MODELS, tableOf } from "../../../protocol/issuer/whole-table";
import { toHex } from "../../../protocol/wire/bytes";
import { emptyEntry, Kind } from "../../../protocol/wire/entry";
import { MAX_PART_BYTES } from "../../../protocol/wire/limits";
import { Mode } from "../../../protocol/wire/settings";
import { node } from "../../../simulator/board/crypto";
import { PINS } from "./rig";
import { World } from "./world";

const crowd = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `p${from + i},,team,all,${PINS[from + i]},,,,,,`).join("\n");

/** The issuer and the lock agree on position, head and table. */
function agree(world: World): void {
  const { epoch, applied, digest, isSettled, alarms } = world.report();
  const receipt = world.door.receipt();
  assert.deepEqual([receipt.epoch, receipt.applied, toHex(receipt.digest)], [epoch, applied, digest]);
  assert.deepEqual([isSettled, alarms], [true, []]);
}

describe("S9 a whole new table", () => {
  it("folds in what is not signed and what is not applied, and is confirmed by the receipt of the swap", async () => {
    const world = await World.make(crowd(100));
    await world.sync();
    await world.add(crowd(20, 100));
    await world.issuer.setMode("main", Mode.tour);
    await world.issuer.mail(
      world.id,
      { epoch: 1, applied: world.report().applied, flags: 0, keyset: 1 },
      1,
      1,
    );
    await world.issuer.revoke("p7");
    await world.issuer.rebase(world.id);
    assert.equal(world.report().isSettled, false);
    await world.sync();
    assert.deepEqual([...new Set(world.types)].slice(0, 4), ["hello", "time", "rebase", "part"]);
    assert.equal(world.report().epoch, 2);
    assert.equal(world.report().counts.confirmed, 119);
    agree(world);
    await world.reopen();
    agree(world);
    assert.deepEqual([world.door.type(PINS[7]), world.door.type(PINS[8])], ["unknown", "granted"]);
  });

  it("is nothing but what is wanted until the lock has it, and the old table decides as long", async () => {
    const world = await World.make(crowd(80));
    await world.sync();
    await world.add(crowd(1, 80));
    await world.issuer.rebase(world.id);
    assert.equal((await world.carry(world.mailbox(), 4)).outcome, "silent");
    assert.deepEqual([world.report().epoch, world.door.receipt().epoch], [2, 1]);
    assert.deepEqual(world.states().slice(-1), ["p80 pending"]);
    assert.equal(world.door.type(PINS[80]), "unknown");
    await world.sync();
    assert.deepEqual(world.states().slice(-1), ["p80 confirmed"]);
    agree(world);
  });

  it("comes in one piece over links that die at any message, a power cut among them (rule K3)", async () => {
    for (const cut of [3, 4, 5, 6]) {
      const world = await World.make(crowd(80));
      await world.sync();
      await world.issuer.rebase(world.id);
      await world.carry(world.mailbox(), cut);
      if (cut === 5) world.door.reboot();
      await world.reopen();
      await world.sync();
      assert.equal(world.report().epoch, 2);
      agree(world);
    }
  });

  it("is the same bytes after a restart, and stored before it is sent", async () => {
    const world = await World.make(crowd(3));
    await world.sync();
    await world.issuer.rebase(world.id);
    const status = { epoch: 1, applied: 4, flags: 0, keyset: 1 };
    const mail = await world.issuer.mail(world.id, status, world.door.now);
    await world.reopen();
    assert.deepEqual(await world.issuer.mail(world.id, status, world.door.now + 99), mail);
    await world.issuer.rebase(world.id);
    world.store.isBroken = true;
    await assert.rejects(world.issuer.mail(world.id, status, world.door.now), /disk full/);
  });

  it("lets the log go on behind it: changes, revocations, and another whole table", async () => {
    const world = await World.make(crowd(5));
    await world.sync();
    await world.issuer.rebase(world.id);
    await world.sync();
    await world.issuer.revoke("p1");
    await world.add(`${crowd(1, 5)}\np2,,team,all,${PINS[9]},,,,,,`);
    await world.sync();
    assert.equal(world.door.type(PINS[1]), "unknown");
    assert.deepEqual([world.door.type(PINS[9]), world.door.type(PINS[5])], ["granted", "granted"]);
    agree(world);
    await world.issuer.rebase(world.id);
    await world.sync();
    assert.equal(world.report().epoch, 3);
    agree(world);
  });

  it("goes in a bag, with the bundles behind it", async () => {
    const world = await World.make(crowd(5));
    await world.sync();
    await world.issuer.rebase(world.id);
    const delivery = { issuer: world.issuer, lock: world.id, now: () => world.door.now, firstRequest: 1 };
    await fillBag(delivery);
    await world.issuer.revoke("p1");
    const bag = unpackBag(packBag(await fillBag(delivery)));
    assert.ok(bag);
    const carried = await carry(
      world.link(),
      bagMailbox(bag, async () => undefined),
    );
    assert.deepEqual([carried.outcome, carried.bundles], ["done", 1]);
    for (const receipt of bag.receipts) await world.issuer.receive(world.id, receipt);
    assert.equal(world.door.type(PINS[1]), "unknown");
    agree(world);
  });

  it("leaves out what the model refuses; that is signed behind it and refused by itself", async () => {
    const world = await World.make("anna,,team,all,471108,,,,,,", true);
    await world.sync();
    await world.add("ben,,team,all,902817,04a1b2c3,,,,,");
    await world.issuer.rebase(world.id);
    await world.sync();
    assert.deepEqual(world.states(), ["anna confirmed", "ben confirmed", "ben failed"]);
    agree(world);
  });
});

describe("S9 parts", () => {
  it("hold a full table of the largest model, in messages that fit, and read back as it was", () => {
    const table = new Table();
    for (let slot = 0; slot < LOCK_1000.slots; slot++) {
      const tag = node.sha256(new Uint8Array([slot & 255, slot >> 8])).slice(0, 12);
      table.slots.set(slot, { ...emptyEntry(), slot, kind: Kind.phone, user: slot + 1, generation: 1, tag });
    }
    table.settings.set(2, new Uint8Array([1]));
    table.schedules.set(7, [0x0f90e1df]);
    const parts = partsOf(table);
    assert.ok(parts.length <= 30 && parts.every(({ length }) => length <= MAX_PART_BYTES));
    const back = tableOf(node, parts);
    assert.deepEqual(
      [back.slots.size, back.settings, back.schedules],
      [1000, table.settings, table.schedules],
    );
    assert.deepEqual(back.slots.get(999), table.slots.get(999));
    assert.deepEqual(partsOf(new Table()), []);
  });

  it("are cut to the limits of each model as its firmware has them", () => {
    for (const { name, slots, schedules, holidays, reader } of PROFILES) {
      const model = MODELS[name as keyof typeof MODELS];
      const { network: _, ...limits } = model;
      assert.deepEqual(limits, { slots, schedules, holidays, reader });
      const table = new Table();
      for (const slot of [slots - 1, slots])
        table.slots.set(slot, {
          ...emptyEntry(),
          slot,
          kind: Kind.phone,
          user: 1,
          tag: new Uint8Array(12).fill(slot & 255),
        });
      assert.deepEqual([...fitted(table, new Table(), model).slots.keys()], [slots - 1]);
    }
  });

  it("never rise above the density limit; what the lock has already goes first", () => {
    const has = new Table();
    const table = new Table();
    for (let slot = 0; slot < 12; slot++) {
      const pin = {
        ...emptyEntry(),
        slot,
        kind: Kind.pin,
        digits: 4,
        user: 1,
        tag: new Uint8Array(12).fill(slot),
      };
      table.slots.set(slot, pin);
      if (slot >= 6) has.slots.set(slot, pin);
    }
    const kept = [...fitted(table, has, MODELS["lock-1000"]).slots.keys()].sort((a, b) => a - b);
    assert.deepEqual(kept, [0, 1, 2, 3, 6, 7, 8, 9, 10, 11]);
  });
});
