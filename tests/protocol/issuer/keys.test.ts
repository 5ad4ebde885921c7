// Keys and clocks of an issuer against the lock's own core: rotation of issuer keys, and the owner's way to mend a clock.

import { strict as assert } from "node:assert";
import { deltasOf } from "../../../protocol/issuer/log";
import { toHex } from "../../../protocol/wire/bytes";
import { StatusFlag, Type } from "../../../protocol/wire/messages";
import { World } from "./world";

const ANNA = "anna,,resident,all,471108,,,,,,";
const BEN = "ben,,resident,all,902817,,,,,,";

/** The bundles that the lock would get. */
async function bundles(world: World, applied: number): Promise<Uint8Array[]> {
  const status = { epoch: 1, applied, flags: 0, keyset: world.issuer.signers.keyset };
  const mail = await world.issuer.outbox.mail(world.id, status, world.door.now, 9);
  return mail.filter(({ type }) => type === Type.bundle).map(({ body }) => body);
}

describe("P7 rotation of issuer keys", () => {
  it("brings the new keyset first, and goes on with the new key", async () => {
    const world = await World.make(ANNA);
    await world.sync();
    assert.equal(world.door.hello().keyset, 1);
    await world.issuer.rotateKeys();
    await world.add(BEN);
    await world.sync();
    assert.deepEqual(world.types.slice(0, 5), ["hello", "keys", "hello", "time", "bundle"]);
    assert.equal(world.door.hello().keyset, 2);
    assert.deepEqual(world.states(), ["anna confirmed", "ben confirmed"]);
  });

  it("signs what is stored and not applied again: the same deltas at the same positions, also after a restart", async () => {
    const world = await World.make(ANNA);
    await world.sync();
    const { applied } = world.report();
    await world.add(BEN);
    const [before] = await bundles(world, applied);
    await world.issuer.rotateKeys();
    const [again] = await bundles(world, applied);
    const [old, fresh] = [deltasOf(before), deltasOf(again)];
    assert.notDeepEqual(again, before);
    assert.deepEqual([fresh.epoch, fresh.first, fresh.deltas], [old.epoch, old.first, old.deltas]);
    assert.equal(toHex(fresh.kid), toHex(world.issuer.signers.issuer.kid));
    await world.reopen();
    assert.deepEqual(await bundles(world, applied), [again]);
    await world.sync();
    assert.deepEqual(world.states(), ["anna confirmed", "ben confirmed"]);
  });

  it("stores the new signature before it is sent", async () => {
    const world = await World.make(ANNA);
    await bundles(world, 0);
    await world.sync();
    await world.add(BEN);
    const { applied } = world.report();
    await bundles(world, applied);
    await world.issuer.rotateKeys();
    world.store.isBroken = true;
    await assert.rejects(bundles(world, applied), /disk full/);
  });

  it("leaves stored bundles as they are where the old key stays good", async () => {
    const world = await World.make(ANNA);
    await world.sync();
    await world.add(BEN);
    const { applied } = world.report();
    const before = await bundles(world, applied);
    await world.issuer.rotateKeys(true);
    assert.deepEqual(await bundles(world, applied), before);
    assert.equal(world.issuer.signers.earlier.length, 1);
    await world.sync();
    assert.equal(world.report().isSettled, true);
  });
});

describe("T13 a clock that a wrong issuer has set", () => {
  it("is set back by the owner's root once, and by the issuer's key from then on", async () => {
    const world = await World.make(ANNA);
    await world.carry(world.mailbox(400 * 86_400));
    assert.equal((await world.carry()).timeRefused, 0x46);
    await world.issuer.raiseTimeEpoch(world.id);
    assert.equal((await world.sync()).timeRefused, undefined);
    assert.equal(world.door.receipt().time, Math.floor(world.door.now));
    // The lock has the new epoch already: the owner's answer is refused, the issuer's is taken.
    assert.equal((await world.sync()).timeRefused, undefined);
    assert.equal(world.types.filter((type) => type === "time").length, 2);
    assert.equal((await world.sync()).timeRefused, undefined);
    assert.equal(world.types.filter((type) => type === "time").length, 1);
    await world.reopen();
    assert.equal((await world.sync()).timeRefused, undefined);
    assert.equal(world.door.hello().flags & StatusFlag.clockUnknown, 0);
  });
});
