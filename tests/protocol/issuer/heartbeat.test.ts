// Signs of life, leases, secret settings, phones and the consent to a reset: the issuer and the lock's own core together.

import { strict as assert } from "node:assert";
import { bagMailbox } from "../../../protocol/courier/bag";
import { carry } from "../../../protocol/courier/courier";
import { openDoor, sendCommand } from "../../../protocol/courier/phone";
import { settingAad, unsealWith } from "../../../protocol/crypto/seal";
import { signingKey } from "../../../protocol/issuer/encode";
import { fillBag } from "../../../protocol/issuer/mailbox";
import { toHex } from "../../../protocol/wire/bytes";
import { Reader } from "../../../protocol/wire/cbor";
import { codeName } from "../../../protocol/wire/codes";
import { readEnvelope } from "../../../protocol/wire/cose";
import { Type } from "../../../protocol/wire/messages";
import { CommandOp, readHeartbeat } from "../../../protocol/wire/payloads";
import { Setting } from "../../../protocol/wire/settings";
import { node } from "../../../simulator/board/crypto";
import { World } from "./world";

const ANNA = "anna,,resident,all,471108,,,,,,";
const DAY_S = 86_400;

function beatOf(world: World, now: number) {
  const body = world.issuer.outbox.heartbeat(world.id, now);
  const envelope = body && readEnvelope(new Reader(body), body.length);
  const beat = envelope && readHeartbeat(new Reader(envelope.payload));
  assert.ok(beat);
  const { epoch, issuedAt, acks, events } = beat;
  return { epoch, issuedAt, acks, events };
}

describe("K2, S12 signs of life", () => {
  it("say what has come home, and never an earlier time or other numbers at the same time", async () => {
    const world = await World.make(ANNA);
    const now = world.door.now + 1000;
    assert.deepEqual(beatOf(world, now), { epoch: 1, issuedAt: now, acks: 0, events: 1 });
    assert.equal(beatOf(world, now).issuedAt, now);
    assert.equal(beatOf(world, now - 500).issuedAt, now);
    await world.sync();
    const next = beatOf(world, now);
    const { acknowledged } = world.report();
    assert.deepEqual([next.acks, next.events], [acknowledged, world.issuer.nextEvent(world.id)]);
    assert.ok(acknowledged > 0 && next.issuedAt > now);
  });

  it("are later than every bundle, also after a restart", async () => {
    const world = await World.make(ANNA);
    const status = { epoch: 0, applied: 0, flags: 1, keyset: 0 };
    await world.issuer.outbox.mail(world.id, status, world.door.now + 50);
    assert.equal(beatOf(world, world.door.now).issuedAt, world.door.now + 51);
    await world.reopen();
    assert.equal(beatOf(world, world.door.now).issuedAt, world.door.now + 51);
  });

  it("come in every session, behind the bundles, and are taken", async () => {
    const world = await World.make(ANNA);
    for (let i = 0; i < 3; i++) {
      const carried = await world.sync();
      assert.equal(carried.heartbeatRefused, undefined, codeName(carried.heartbeatRefused ?? 0));
      assert.ok(world.types.indexOf("heartbeat") > world.types.lastIndexOf("bundle"));
    }
  });

  it("keep a lease going that ends without them", async () => {
    const world = await World.make("anna,,resident,all,471108,,,yes,,,\nben,,resident,all,902817,,,,,,");
    await world.issuer.settings.setLeaseDays("main", 7);
    await world.sync();
    assert.equal(world.door.type("471108"), "granted");
    world.door.now += 6 * DAY_S;
    await world.sync();
    assert.equal(world.door.type("471108"), "granted");
    world.door.now += 8 * DAY_S;
    await world.carry({ ...world.mailbox(), heartbeat: async () => undefined, mail: async () => [] });
    assert.deepEqual([world.door.type("471108"), world.door.type("902817")], ["lease-over", "granted"]);
  });
});

describe("A63, X5 secret settings", () => {
  it("are sealed once for the lock, so that digests agree, and anew for another claim", async () => {
    const world = await World.make(ANNA);
    await world.issuer.settings.setAlias("main", "Haustür");
    await world.issuer.settings.setWifi("main", { network: "site", password: "long enough" });
    await world.issuer.settings.setBroker("main", { host: "broker.example", port: 8883, tls: true });
    await world.issuer.settings.setResetDelay("main", 24);
    await world.issuer.settings.setOffline("main", { kinds: 1, indexes: 2 });
    const { length } = world.store.records;
    await world.issuer.settings.setAlias("main", "Haustür");
    assert.equal(world.store.records.length, length);
    await world.sync();
    const { settings, digest } = world.report();
    assert.deepEqual(
      settings.map(({ setting, state }) => `${setting} ${state}`).sort(),
      ["alias", "broker", "offline-codes", "reset-delay", "wifi", "zone"].map((name) => `${name} confirmed`),
    );
    assert.equal(toHex(world.door.receipt().digest), digest);
    const sealed = world.door.lock.parts.table.setting(Setting.alias)?.slice();
    const { lock } = world.issuer.directory.door("main");
    assert.ok(lock && sealed);
    const plain = unsealWith(node, lock.keys.sealKey, settingAad(lock.lock, Setting.alias), sealed);
    assert.equal(Buffer.from(plain ?? []).toString(), "Haustür");
    await world.reopen();
    assert.equal(world.report().isSettled, true);
  });

  it("refuses what no lock takes", async () => {
    const world = await World.make(ANNA);
    for (const wrong of ["", "x".repeat(33)])
      await assert.rejects(world.issuer.settings.setAlias("main", wrong), RangeError);
    const short = { network: "site", password: "short" };
    await assert.rejects(world.issuer.settings.setWifi("main", short), RangeError);
    const nowhere = { host: "", port: 1, tls: false };
    await assert.rejects(world.issuer.settings.setBroker("main", nowhere), RangeError);
    await assert.rejects(world.issuer.settings.setLeaseDays("main", 3651), RangeError);
    await assert.rejects(world.issuer.settings.setResetDelay("main", 673), RangeError);
    await assert.rejects(world.issuer.settings.setOffline("main", { kinds: 16, indexes: 1 }), RangeError);
    await assert.rejects(world.issuer.settings.set("main", Setting.wifi, new Uint8Array(50)), RangeError);
  });
});

describe("C7, X6 phones", () => {
  const key = signingKey(node, new Uint8Array(32).fill(5));
  const stranger = signingKey(node, new Uint8Array(32).fill(6));

  it("open with the key of a row of people, and nobody else's does", async () => {
    const world = await World.make(`anna,,resident,all,,,${toHex(key.publicKey)},,,,`);
    await world.sync();
    const { lock } = world.door.identity;
    assert.deepEqual(await openDoor(world.link(), { crypto: node, key, lock }), { outcome: "done" });
    assert.deepEqual(world.types, ["hello", "challenge", "unlock", "bye"]);
    const other = await openDoor(world.link(), { crypto: node, key: stranger, lock });
    assert.deepEqual([other.outcome, other.reason], ["refused", "unlock: unknown-key"]);
    const command = await sendCommand(
      world.link(),
      { crypto: node, key, lock },
      CommandOp.mode,
      new Uint8Array([1]),
    );
    assert.deepEqual([command.outcome, command.reason], ["refused", "command: key-not-allowed"]);
    assert.equal(
      (await sendCommand(world.link(), { crypto: node, key, lock }, CommandOp.lock)).outcome,
      "done",
    );
  });

  it("refuses a key that is none, and one that somebody has", async () => {
    const world = await World.make(ANNA);
    const take = async (cell: string) => {
      const cells = { person: "ben", name: "", role: "team", keys: "all", "phone-key": cell };
      return (await world.issuer.addPerson(cells, world.door.now)).map(({ column }) => column);
    };
    assert.deepEqual(await take("00"), ["phone-key"]);
    assert.deepEqual(await take("01".padEnd(64, "0")), ["phone-key"]);
    assert.deepEqual(await take(toHex(key.publicKey).toUpperCase()), []);
    const again = { person: "eve", name: "", role: "team", keys: "all", "phone-key": toHex(key.publicKey) };
    assert.equal((await world.issuer.addPerson(again, world.door.now)).length, 1);
  });
});

describe("X11 consent to a reset", () => {
  it("answers each session of a courier on the line, behind claim, keys and time, until it is taken back", async () => {
    const world = await World.make(ANNA);
    await world.issuer.consentToReset(world.id);
    for (let visit = 0; visit < 2; visit++) {
      assert.equal((await world.sync()).consentRefused, undefined);
      assert.equal(world.types.filter((type) => type === "reset").length, 1);
      assert.deepEqual(world.types.slice(-3), ["hello", "reset", "bye"]);
    }
    world.door.now += 601;
    assert.equal(world.door.lock.pressReset(), "refused");
    await world.issuer.consentToReset(world.id, false);
    await world.sync();
    assert.equal(world.types.includes("reset"), false);
    await world.issuer.consentToReset(world.id);
    await world.sync();
    assert.equal(world.door.lock.pressReset(), "reset");
  });

  it("is in no bag, since only the lock knows what it has to answer", async () => {
    const world = await World.make(ANNA);
    await world.issuer.consentToReset(world.id);
    await world.sync();
    world.door.reboot();
    const delivery = { issuer: world.issuer, lock: world.id, now: () => world.door.now, firstRequest: 1 };
    const bag = await fillBag(delivery);
    assert.ok(bag.mail.length > 0 && bag.mail.every(({ type }) => type !== Type.reset));
    const carried = await carry(
      world.link(),
      bagMailbox(bag, async () => undefined),
    );
    assert.equal(carried.outcome, "done");
    assert.equal(world.types.includes("reset"), false);
    assert.equal(world.door.lock.pressReset(), "refused");
  });
});
