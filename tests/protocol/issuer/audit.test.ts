// Audits of a lock's table by range digests, and proofs of revocation that anyone can verify.

import { strict as assert } from "node:assert";
import { findDiverged } from "../../../protocol/issuer/audit";
import { NOT_COVERED, verifyProof } from "../../../protocol/issuer/proof";
import { Table } from "../../../protocol/issuer/table";
import { addDigest, Item, slotDigest } from "../../../protocol/wire/digest";
import { ENTRY_BYTES, emptyEntry, packEntry } from "../../../protocol/wire/entry";
import { frame, Type } from "../../../protocol/wire/messages";
import type { Receipt } from "../../../protocol/wire/receipt";
import { node } from "../../../simulator/board/crypto";
import { PINS } from "./rig";
import { World } from "./world";

function itemOf(slot: number, user: number): Uint8Array {
  const item = new Uint8Array(1 + ENTRY_BYTES);
  item[0] = Item.slot;
  packEntry({ ...emptyEntry(), slot, kind: 2, user, generation: 1 }, item, 1);
  return item;
}

/** A table of so many slots, with other users where `others` says so; slots of user 0 are empty. */
function tableOf(count: number, others: ReadonlyMap<number, number> = new Map(), setting = 1): Table {
  const table = new Table(node);
  for (let slot = 0; slot < count; slot++) {
    const user = others.get(slot) ?? slot + 1;
    if (user > 0) table.add(itemOf(slot, user));
  }
  table.add(new Uint8Array([Item.setting, 2, setting]));
  return table;
}

/** A lock with this table, as its receipts tell of it. */
function lockWith(table: Table) {
  return async (from: number, to: number): Promise<Receipt> => {
    const digest = new Uint8Array(32);
    for (const slot of table.slots.values())
      if (slot.slot >= from && slot.slot < to) {
        const entry = new Uint8Array(ENTRY_BYTES);
        packEntry(slot, entry, 0);
        addDigest(digest, slotDigest(node, entry));
      }
    return { digest: table.sum, range: { from, to, digest } } as Receipt;
  };
}

describe("K6 the audit of a table", () => {
  const own = tableOf(1000);

  it("finds any one slot of 1,000 with at most 10 questions: changed, missing, the first and the last", async () => {
    for (const [slot, user] of [
      [0, 5],
      [999, 5],
      [998, 0],
      [512, 9],
      [500, 0],
      [501, 7],
    ]) {
      const lock = lockWith(tableOf(1000, new Map([[slot, user]])));
      const audit = await findDiverged(node, own, 1000, lock);
      assert.ok(audit.isDone);
      assert.deepEqual([audit.slots, audit.rest], [[slot], false]);
      assert.ok(audit.questions <= 10, `${audit.questions} questions for slot ${slot}`);
    }
  });

  it("finds several, and tells schedules and settings from slots", async () => {
    const others = new Map([
      [3, 9],
      [400, 0],
      [999, 4],
    ]);
    const both = await findDiverged(node, own, 1000, lockWith(tableOf(1000, others, 2)));
    assert.ok(both.isDone);
    assert.deepEqual([both.slots, both.rest], [[3, 400, 999], true]);
    const rest = await findDiverged(node, own, 1000, lockWith(tableOf(1000, new Map(), 2)));
    assert.deepEqual(rest, { isDone: true, slots: [], rest: true, questions: 10 });
    const none = await findDiverged(node, own, 1000, lockWith(own));
    assert.deepEqual(none, { isDone: true, slots: [], rest: false, questions: 1 });
  });

  it("ends without a finding where the table moves meanwhile, or no answer comes", async () => {
    const before = lockWith(tableOf(1000, new Map([[3, 9]])));
    const after = lockWith(tableOf(1000, new Map([[3, 8]])));
    let asked = 0;
    const moving = (from: number, to: number) => (++asked < 4 ? before : after)(from, to);
    assert.deepEqual(await findDiverged(node, own, 1000, moving), { isDone: false, questions: 4 });
    const silent = async () => undefined;
    assert.deepEqual(await findDiverged(node, own, 1000, silent), { isDone: false, questions: 1 });
  });

  it("asks a real lock, which agrees", async () => {
    const world = await World.make("anna,,resident,all,471108,,,,,,");
    await world.sync();
    const link = world.link();
    await link.request(frame(Type.hello, 1, new Uint8Array([0xa2, 0, 0x81, 1, 1, 0x19, 8, 0x10])));
    let request = 1;
    const ask = (body: Uint8Array) => link.request(frame(Type.ask, ++request, body));
    const audit = await world.issuer.audit(world.id, ask);
    assert.deepEqual(audit, { isDone: true, slots: [], rest: false, questions: 1 });
  });
});

describe("K7 proof of a revocation", () => {
  const PEOPLE = `anna,,resident,all,471108,,,,,,
gus,,guest,all,${PINS[3]},,,,anna,2027-02-01,2027-05-01`;

  async function proof(world: World): Promise<Uint8Array> {
    const question = world.issuer.absenceQuestion(world.id, "anna");
    assert.ok(question);
    const link = world.link();
    await link.request(frame(Type.hello, 1, new Uint8Array([0xa2, 0, 0x81, 1, 1, 0x19, 8, 0x10])));
    const answer = await link.request(frame(Type.ask, 2, question.body));
    assert.ok(answer);
    return answer;
  }

  it("is a receipt that no slot of a user or below is left, for whoever knows the lock's key", async () => {
    const world = await World.make(PEOPLE);
    await world.sync();
    const { lock, users } = world.issuer.directory.door("main");
    const user = users.get("anna") ?? 0;
    assert.ok(lock);
    assert.deepEqual(verifyProof(node, await proof(world), lock, user), {
      isProof: false,
      reason: "slots-left",
      slots: 2,
    });
    await world.issuer.revoke("anna");
    await world.sync();
    const receipt = await proof(world);
    assert.deepEqual(verifyProof(node, receipt, lock, user), {
      isProof: true,
      lock: world.id,
      user,
      epoch: 1,
      seq: world.report().applied,
      time: Math.floor(world.door.now),
      bound: world.door.receipt().bound,
      localCodes: 0,
      notCovered: NOT_COVERED,
    });
    const bad = receipt.slice();
    bad[bad.length - 1] ^= 1;
    assert.deepEqual(verifyProof(node, bad, lock, user), { isProof: false, reason: "bad-signature" });
    assert.deepEqual(verifyProof(node, receipt, lock, user + 1), { isProof: false, reason: "not-stated" });
    const other = { ...lock, lock: new Uint8Array(8) };
    assert.deepEqual(verifyProof(node, receipt, other, user), { isProof: false, reason: "wrong-lock" });
  });

  it("can be asked for also when the person's record is gone", async () => {
    const world = await World.make(PEOPLE);
    await world.sync();
    await world.issuer.remove("anna");
    await world.sync();
    assert.ok(world.issuer.absenceQuestion(world.id, "anna"));
    assert.equal(world.issuer.absenceQuestion(world.id, "nobody"), undefined);
  });
});
