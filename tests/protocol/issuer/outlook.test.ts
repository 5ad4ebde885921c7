// The outlook of a lock: each delta without an answer in plain words, and where it leads, as the lock itself has it in the end.

import assert from "node:assert/strict";
import { toHex } from "../../../protocol/wire/bytes";
import { PINS } from "./rig";
import { World } from "./world";

const ADA = `ada,Ada Lovelace,resident,all,${PINS[0]},,,,,,`;
const BOB = `bob,Bob,team,all,,04AABBCCDD,,,,,`;
const all = Number.MAX_SAFE_INTEGER;

/** Signs all that is wanted of the lock, and sends nothing. */
async function sign(world: World): Promise<void> {
  const { epoch, applied } = world.report();
  await world.issuer.outbox.mail(world.id, { epoch, applied, flags: 0, keyset: 1 }, 1, all);
}

const texts = (world: World): string[] => world.issuer.outlook(world.id).changes.map(({ text }) => text);

/** The lock is where its outlook said that it would be. */
function arrived(world: World, { changes, from, epoch }: ReturnType<World["issuer"]["outlook"]>): void {
  const goal = changes.at(-1) ?? from;
  const receipt = world.door.receipt();
  assert.deepEqual(
    [receipt.epoch, receipt.applied, toHex(receipt.head), toHex(receipt.digest)],
    [epoch, goal.seq, toHex(goal.head), toHex(goal.digest)],
  );
}

describe("I4 what a visit is to make of a lock", () => {
  it("says what each change is, and tells position, chain head and digest beforehand", async () => {
    const world = await World.make(`${ADA}\n${BOB}`);
    await sign(world);
    const outlook = world.issuer.outlook(world.id);
    assert.deepEqual(texts(world), ["setting zone", "PIN of Ada Lovelace", "card of Bob"]);
    await world.sync();
    arrived(world, outlook);
    assert.deepEqual(texts(world), []);
    arrived(world, world.issuer.outlook(world.id));
  });

  it("says who loses what, by name, also of somebody who is on record no more", async () => {
    const world = await World.make(`${ADA}\n${BOB}`);
    await world.sync();
    await world.issuer.switchPerson("bob", true);
    await world.issuer.remove("ada");
    await sign(world);
    assert.deepEqual(texts(world), [
      "all access of ada, and of everyone below, revoked",
      "card of Bob, switched off",
    ]);
    const outlook = world.issuer.outlook(world.id);
    await world.sync();
    arrived(world, outlook);
  });

  it("begins with the whole new table where one is to come first", async () => {
    const world = await World.make(`${ADA}\n${BOB}`);
    await world.sync();
    await world.issuer.rebase(world.id);
    await sign(world);
    const outlook = world.issuer.outlook(world.id);
    assert.deepEqual([outlook.isNewTable, outlook.epoch, outlook.changes.length], [true, 2, 0]);
    await world.sync();
    arrived(world, outlook);
    assert.equal(world.issuer.outlook(world.id).isNewTable, false);
  });

  it("S12 tells of a lock that must hear from its issuer every few days", async () => {
    const world = await World.make(ADA);
    await world.sync();
    assert.equal(world.issuer.outlook(world.id).isLeased, false);
    await world.issuer.settings.setLeaseDays("main", 7);
    await world.sync();
    assert.equal(world.issuer.outlook(world.id).isLeased, true);
  });
});
