// A whole new table from the issuer to the lock's own core, over links that die, and what goes on behind it.

import { strict as assert } from "node:assert";
import { LOCK_1000, PROFILES } from "../../../firmware/core/profile";
import { bagMailbox, packBag, unpackBag } from "../../../protocol/courier/bag";
import { carry, type Mail } from "../../../protocol/courier/courier";
import { decodeFacts } from "../../../protocol/issuer/facts";
import { fillBag } from "../../../protocol/issuer/mailbox";
import { partsOf } from "../../../protocol/issuer/rebase";
import { Table } from "../../../protocol/issuer/table";
import { fitted, MODELS, tableOf } from "../../../protocol/issuer/whole-table";
import { toHex } from "../../../protocol/wire/bytes";
import { Code } from "../../../protocol/wire/codes";
import { emptyEntry, Kind } from "../../../protocol/wire/entry";
import { MAX_PART_BYTES } from "../../../protocol/wire/limits";
import { Type } from "../../../protocol/wire/messages";
import { Mode } from "../../../protocol/wire/settings";
import { node } from "../../../simulator/board/crypto";
import { parseSheet } from "../../../tools/csv";
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
    await world.issuer.settings.setMode("main", Mode.tour);
    await world.issuer.outbox.mail(
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
    const mail = await world.issuer.outbox.mail(world.id, status, world.door.now);
    await world.reopen();
    assert.deepEqual(await world.issuer.outbox.mail(world.id, status, world.door.now + 99), mail);
    await world.issuer.rebase(world.id);
    world.store.isBroken = true;
    await assert.rejects(world.issuer.outbox.mail(world.id, status, world.door.now), /disk full/);
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

describe("S9 a whole new table that the lock gives up", () => {
  /** Tells the issuer which model the lock is. */
  async function judge(world: World, profile: string): Promise<void> {
    const row = `main,${profile},wifi,Europe/Berlin,all`;
    const doors = parseSheet("doors.csv", `door,profile,link,zone,keys\n${row}`);
    assert.deepEqual((await world.issuer.importSheets({ doors }, world.door.now)).errors, []);
  }

  /** An issuer that takes a small lock for a large one, and orders a table with more slots than it has. */
  async function misjudged(): Promise<World> {
    const world = await World.make(crowd(3), true);
    await world.sync();
    await judge(world, "lock-1000");
    await world.add(crowd(9, 3));
    await world.issuer.rebase(world.id);
    return world;
  }

  const alarms = (world: World) => world.report().alarms.map(({ kind, text }) => `${kind}: ${text}`);
  const REFUSED = "rebase-refused: capacity as the answer to a whole new table";

  it("is an alarm that stands once, over restarts too, and the same bytes do not go out for ever", async () => {
    const world = await misjudged();
    const { outcome, reason } = await world.carry();
    assert.deepEqual([outcome, reason], ["refused", "part: capacity"]);
    assert.deepEqual(alarms(world), [REFUSED]);
    await world.reopen();
    await world.sync();
    const { length } = world.store.records;
    await world.sync();
    const facts = world.store.records.slice(length).flatMap(decodeFacts);
    assert.ok(
      facts.every(({ t }) => t === "page"),
      "nothing is written but the lock's events",
    );
    assert.deepEqual([alarms(world), world.types.includes("rebase")], [[REFUSED], false]);
    assert.deepEqual([world.issuer.isSettled(world.id), world.issuer.alarms(world.id).length], [true, 1]);
    assert.equal(world.door.type(PINS[2]), "granted");
  });

  it("is no alarm any more once another is ordered, and that one is sent and judged by itself", async () => {
    const world = await misjudged();
    await world.carry();
    await world.issuer.rebase(world.id);
    assert.deepEqual([alarms(world), world.issuer.isSettled(world.id)], [[], false]);
    await world.carry();
    assert.deepEqual([alarms(world), world.report().alarms[0].epoch], [[REFUSED], 3]);
    await judge(world, "l500i");
    await world.issuer.rebase(world.id);
    await world.reopen();
    await world.sync();
    const { epoch, counts } = world.report();
    assert.deepEqual([epoch, counts.confirmed, counts.failed], [4, 10, 2]);
    agree(world);
  });

  it("is a hint for people: a refusal that was made up is gone as soon as the lock proves to have the table", async () => {
    const world = await World.make(crowd(3));
    await world.sync();
    await world.issuer.rebase(world.id);
    const delivery = { issuer: world.issuer, lock: world.id, now: () => world.door.now, firstRequest: 1 };
    const bag = await fillBag(delivery);
    const parts = bag.mail.filter(({ type }) => type === Type.part);
    const liar = await world.issuer.refused(world.id, parts[0], Code.duplicate);
    assert.equal(liar?.kind, "rebase-refused");
    assert.equal(await world.issuer.refused(world.id, parts[0], Code.duplicate), undefined, "said before");
    assert.equal(world.report().alarms.length, 1);
    await carry(
      world.link(),
      bagMailbox(bag, async () => undefined),
    );
    for (const receipt of bag.receipts) await world.issuer.receive(world.id, receipt);
    agree(world);
    assert.equal(await world.issuer.refused(world.id, parts[0], Code.duplicate), undefined, "it is done");
    agree(world);
  });

  it("takes nothing for it but a final refusal of its own order or parts", async () => {
    const world = await World.make(crowd(3));
    await world.sync();
    const [older] = (await rebaseOf(world)).filter(({ type }) => type === Type.rebase);
    await world.issuer.rebase(world.id);
    const mail = await rebaseOf(world);
    const { length } = world.store.records;
    const cases: [Mail, number][] = [
      [older, Code.storageFailed],
      [{ type: Type.bundle, body: mail[0].body }, Code.capacity],
      [{ type: Type.part, body: mail[0].body }, Code.capacity],
      ...[Code.busy, Code.gap, Code.badSignature, Code.staleEpoch, Code.badState, Code.applied].map(
        (code): [Mail, number] => [mail[0], code],
      ),
    ];
    for (const [piece, code] of cases)
      assert.equal(await world.issuer.refused(world.id, piece, code), undefined, `${piece.type} ${code}`);
    assert.deepEqual([world.report().alarms, world.store.records.length], [[], length]);
    assert.equal((await world.issuer.refused(world.id, mail[0], Code.storageFailed))?.seq, 1);
  });

  /** What goes to the lock of a rebase that is ordered here, if none is under way. */
  async function rebaseOf(world: World): Promise<Mail[]> {
    await world.issuer.rebase(world.id);
    const status = { epoch: 1, applied: 4, flags: 0, keyset: 1 };
    const mail = await world.issuer.outbox.mail(world.id, status, world.door.now);
    return mail.filter(({ type }) => type === Type.rebase || type === Type.part);
  }
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
