// The terms of a person beside times and schedules (rules A10, C12, C13, C15, C16, T16, X7): what a row may say of them, the deltas that
// carry them, and what the lock's own core makes of them at the door. The codes are read from the wire by their numbers.

import { strict as assert } from "node:assert";
import { LOCK_1000 } from "../../../firmware/core/profile";
import { EVENT_NAMES } from "../../../firmware/core/storage/event-record";
import { MemoryLink } from "../../../protocol/courier/link";
import type { Cells } from "../../../protocol/issuer/changes";
import { signingKey } from "../../../protocol/issuer/encode";
import { Issuer } from "../../../protocol/issuer/issuer";
import { deliver } from "../../../protocol/issuer/mailbox";
import { Reason, reasonName } from "../../../protocol/wire/codes";
import { typePin } from "../../../simulator/board/board";
import { node } from "../../../simulator/board/crypto";
import { VirtualLock } from "../../../simulator/fleet/virtual-lock";
import { parseSheet } from "../../../tools/csv";
import { provisionLock } from "../../../tools/provisioning";
import { intlOffset } from "../../../tools/zone";
import { takeApart } from "./model-lock";
import { MemoryStore, NOW, Rig, randomFrom } from "./rig";

const ANNA = { person: "anna", name: "", role: "team", keys: "all", pin: "471108" };
const BEN = { person: "ben", name: "", role: "team", keys: "all", pin: "902817" };
const START = "2027-02-01";
const MINUTE_S = 60;
const HOUR_S = 3600;

/** Fields of put and change, by their numbers on the wire. */
const MINUTES = 11;
const HOURS = 12;
const CAPABILITIES = 13;
const FLAGS = 14;

/** Deltas of the next bundle: the op, and what it says of minutes, hours, capabilities and flags. */
async function planned(rig: Rig): Promise<number[][]> {
  const [bundle] = await rig.bundles();
  if (bundle === undefined) return [];
  const deltas = takeApart(bundle, "tumbler/1 bundle").fields.get(7) as [number, Map<number, number>][];
  const terms = [MINUTES, HOURS, CAPABILITIES, FLAGS];
  return deltas.map(([op, fields]) => [op, ...terms.map((field) => fields.get(field) ?? 0)]);
}

describe("terms in a row of a person", () => {
  const faults = async (cells: Cells) => {
    const rig = await Rig.make();
    return (await rig.issuer.addPerson({ ...ANNA, ...cells }, NOW)).map(
      ({ column, value, wanted }) => `${column}=${value}: ${wanted}`,
    );
  };
  const cases: readonly (readonly [string, Cells, RegExp])[] = [
    ["C13 no hours", { start: START, "first-use-hours": "0" }, /^first-use-hours=0: .* from 1 to 255/],
    ["C13 too many hours", { start: START, "first-use-hours": "256" }, /^first-use-hours=256: .* 1 to 255/],
    ["C13 half an hour", { start: START, "first-use-hours": "0.5" }, /^first-use-hours=0.5: /],
    ["C13 hours without a start", { "first-use-hours": "24" }, /^start=: a start, since the hours/],
    ["C12 no minutes", { "minutes-after-first-use": "0" }, /^minutes-after-first-use=0: .* 1 to 2880/],
    ["C12 too many minutes", { "minutes-after-first-use": "2881" }, /^minutes-after-first-use=2881: /],
    ["C15 neither yes nor no", { dual: "maybe" }, /^dual=maybe: yes or no/],
    ["a number for a yes", { notify: "1" }, /^notify=1: yes or no/],
    ["C16 three digits", { "duress-pin": "330" }, /^duress-pin=\*\*\*: 4 to 10 digits$/],
    ["C16 eleven digits", { "duress-pin": "33091247815" }, /^duress-pin=\*{11}: 4 to 10 digits$/],
    ["C16 one to be made", { "duress-pin": "auto" }, /^duress-pin=\*{4}: 4 to 10 digits$/],
    ["C19 a weak one", { "duress-pin": "456789" }, /^duress-pin=\*{6}: .* run up or down/],
    ["C16 one without a PIN", { pin: "", "duress-pin": "330912" }, /^pin=: a PIN, since/],
    ["C16 the PIN itself", { "duress-pin": "471108" }, /^duress-pin=\*{6}: .* stands once/],
    ["C19 the PIN but for its end", { "duress-pin": "471129" }, /^duress-pin=\*{6}: .* first four digits/],
    ["X7 an unknown capability", { capabilities: "first-out" }, /^capabilities=first-out: .*first-in/],
  ];
  for (const [name, cells, wanted] of cases)
    it(`tells of ${name}`, async () => {
      const told = await faults(cells);
      assert.equal(told.length, 1, told.join("\n"));
      assert.match(told[0], wanted);
    });

  it("take what lies at each limit", async () => {
    const good: readonly Cells[] = [
      { start: START, "first-use-hours": "1", "minutes-after-first-use": "1", "duress-pin": "3309" },
      { start: START, "first-use-hours": "255", "minutes-after-first-use": "2880" },
      { "duress-pin": "3309124781", dual: "yes", notify: "no" },
      { dual: "no", notify: "yes" },
    ];
    for (const cells of good) assert.deepEqual(await faults(cells), []);
  });

  it("C16 keep a PIN for duress from everybody else, and from the master", async () => {
    const rig = await Rig.make();
    assert.deepEqual(await rig.issuer.addPerson({ ...ANNA, "duress-pin": "330912" }, NOW), []);
    const wanted = async (cells: Cells) =>
      (await rig.issuer.addPerson({ ...BEN, ...cells }, NOW)).map(
        (error) => `${error.column}: ${error.wanted}`,
      );
    assert.match((await wanted({ pin: "330912" }))[0], /^pin: .*anna has it/);
    assert.match((await wanted({ "duress-pin": "471108" }))[0], /^duress-pin: .*anna has it/);
    assert.match((await wanted({ "duress-pin": "330946" }))[0], /^duress-pin: .* no other code at the door/);
    await assert.rejects(rig.issuer.settings.setMaster("main", "33098146"), /begin no other code/);
    assert.deepEqual(await wanted({ "duress-pin": "561203" }), []);
  });
});

describe("A10 terms on their way to a lock", () => {
  it("come with the put, and each of them that changes is one change", async () => {
    const rig = await Rig.make();
    await rig.sync();
    const step = async (cells: Cells, ...wanted: number[]) => {
      const set = rig.issuer.directory.people.has("anna") ? "changePerson" : "addPerson";
      assert.deepEqual(await rig.issuer[set]({ ...ANNA, start: START, ...cells }, NOW), []);
      assert.deepEqual(await planned(rig), [wanted]);
      await rig.sync();
      assert.ok(rig.report().isSettled);
      assert.deepEqual(rig.report().alarms, []);
      assert.equal(rig.report().digest, Buffer.from(rig.model().digest()).toString("hex"));
    };
    await step({ "minutes-after-first-use": "30", dual: "yes" }, 1, 30, 0, 0, 2);
    await step({ "minutes-after-first-use": "31", dual: "yes" }, 2, 31, 0, 0, 2);
    await step({ "first-use-hours": "24", dual: "yes" }, 2, 0, 24, 0, 2);
    await step({ "first-use-hours": "24", notify: "yes" }, 2, 0, 24, 0, 16);
    await step({ capabilities: "first-in read-log", notify: "yes", dual: "yes" }, 2, 0, 0, 72, 18);
    await step({}, 2, 0, 0, 0, 0);
    await rig.reopen();
    assert.deepEqual(await planned(rig), []);
  });

  it("C16 put a PIN for duress into a slot of its own, of the same person, and take it away again", async () => {
    const rig = await Rig.make();
    await rig.issuer.addPerson({ ...ANNA, card: "04a1b2c3", "duress-pin": "330912", notify: "yes" }, NOW);
    await rig.sync();
    const slots = () =>
      [...rig.model().state.slots.values()].map(({ fields }) => [
        fields.get(1),
        fields.get(3),
        fields.get(FLAGS),
      ]);
    assert.deepEqual(slots(), [
      [1, 6, 16],
      [1, 6, 20],
      [3, undefined, 16],
    ]);
    assert.deepEqual(new Set(rig.inside()), new Set(["anna"]));
    const states = ["anna pin confirmed", "anna duress pin confirmed", "anna card confirmed"];
    assert.deepEqual(rig.states(), states);
    // The two may change places: the digits of one are those of the other then.
    const swapped = { ...ANNA, pin: "330912", "duress-pin": "471108", card: "04a1b2c3", notify: "yes" };
    assert.deepEqual(await rig.issuer.changePerson(swapped, NOW), []);
    await rig.sync();
    assert.deepEqual(rig.states(), states);
    assert.ok(rig.model().state.codes.every((code) => code >> 4 === 0));
    assert.deepEqual(await rig.issuer.changePerson({ ...ANNA, card: "04a1b2c3" }, NOW), []);
    await rig.sync();
    assert.deepEqual(rig.states(), ["anna pin confirmed", "anna card confirmed"]);
    await rig.issuer.changePerson({ ...ANNA, "duress-pin": "330912" }, NOW);
    await rig.sync();
    await rig.issuer.revoke("anna");
    await rig.sync();
    assert.deepEqual(rig.inside(), []);
  });

  it("C16 switch a PIN for duress off and on with the person", async () => {
    const rig = await Rig.make();
    await rig.issuer.addPerson({ ...ANNA, "duress-pin": "330912" }, NOW);
    await rig.sync();
    for (const off of [true, false]) {
      await rig.issuer.switchPerson("anna", off);
      await rig.sync();
      assert.deepEqual(
        [...rig.model().state.slots.values()].map(({ disabled }) => disabled),
        [off, off],
      );
    }
    assert.deepEqual(rig.states(), ["anna pin confirmed", "anna duress pin confirmed"]);
  });
});

/** An issuer and one door whose lock is the firmware's core. */
class RealDoor {
  readonly issuer: Issuer;
  readonly virtual: VirtualLock;
  now = NOW;

  private constructor(issuer: Issuer, image: ReturnType<typeof provisionLock>["image"]) {
    this.issuer = issuer;
    const world = { now: () => this.now };
    this.virtual = new VirtualLock({ image, crypto: node, world, random: randomFrom(2) });
  }

  static async make(...people: readonly Cells[]): Promise<RealDoor> {
    const random = randomFrom(1);
    const hosts = { crypto: node, store: new MemoryStore(), random, offsetOf: intlOffset };
    const issuer = await Issuer.open(hosts);
    await issuer.begin("test");
    const doors = "door,profile,link,zone,keys\nmain,lock-1000,wifi,Europe/Berlin,all";
    await issuer.importSheets({ doors: parseSheet("doors.csv", doors) }, NOW);
    const maker = signingKey(node, new Uint8Array(32).fill(7));
    const { site, owner } = issuer.signers;
    const made = provisionLock({ profile: LOCK_1000.id, maker, owner: owner.publicKey, site, random });
    await issuer.bindLock("main", made.record);
    const door = new RealDoor(issuer, made.image);
    for (const cells of people) assert.deepEqual(await issuer.addPerson(cells, NOW), []);
    await door.sync();
    return door;
  }

  async sync(): Promise<void> {
    this.virtual.reconnect();
    const [lock] = this.issuer.locks;
    const link = new MemoryLink((message) => this.virtual.receive(message));
    const { outcome } = await deliver(
      { issuer: this.issuer, lock, now: () => this.now, firstRequest: 1 },
      link,
    );
    const { isSettled, counts, credentials } = this.issuer.report(lock);
    assert.deepEqual([outcome, isSettled, counts.confirmed], ["done", true, credentials.length]);
  }

  /** Types a PIN so many seconds after what was before; the name of the reason. */
  type(pin: string, later = 1): string {
    this.now += later;
    this.virtual.lock.tick();
    return reasonName(typePin(this.virtual.lock, pin));
  }

  /** The kinds of the events that are about somebody. */
  get events(): string[] {
    const kinds: string[] = [];
    this.virtual.lock.parts.events.read(({ kind, user }) => {
      if (user !== 0) kinds.push(EVENT_NAMES[kind]);
    });
    return kinds;
  }
}

describe("terms at the door, decided by the lock", () => {
  it("C15 lets two in together who are for two, in either order, and neither alone", async () => {
    const door = await RealDoor.make({ ...ANNA, dual: "yes" }, { ...BEN, dual: "yes" });
    assert.equal(door.type(ANNA.pin), "needs-second");
    assert.equal(door.type(ANNA.pin, 5), "needs-second");
    assert.equal(door.type(BEN.pin, 30), "granted");
    assert.equal(door.type(BEN.pin), "needs-second");
    assert.equal(door.type(ANNA.pin, 31), "needs-second");
    assert.equal(door.type(BEN.pin), "granted");
    await door.issuer.changePerson({ ...ANNA, dual: "no" }, NOW);
    await door.sync();
    assert.equal(door.type(ANNA.pin), "granted");
  });

  it("C16 opens to a PIN for duress as to the other one, and notes which it was", async () => {
    const door = await RealDoor.make({ ...ANNA, "duress-pin": "330912" });
    assert.deepEqual([door.type(ANNA.pin), door.type("330912")], ["granted", "granted"]);
    assert.deepEqual(door.events, ["granted", "duress"]);
  });

  it("C12 ends so many minutes after the first use", async () => {
    const door = await RealDoor.make({ ...ANNA, "minutes-after-first-use": "30" });
    assert.equal(door.type(ANNA.pin), "granted");
    assert.equal(door.type(ANNA.pin, 29 * MINUTE_S), "granted");
    assert.equal(door.type(ANNA.pin, 2 * MINUTE_S), "expired");
    await door.issuer.changePerson(ANNA, NOW);
    await door.sync();
    assert.equal(door.type(ANNA.pin), "granted");
  });

  it("C13 is refused where the first use did not come in time, and granted where it did", async () => {
    const start = "2027-03-01T00:00Z";
    const terms = { start, "first-use-hours": "2" };
    const door = await RealDoor.make({ ...ANNA, ...terms }, { ...BEN, ...terms });
    assert.equal(door.type(ANNA.pin, HOUR_S), "granted");
    assert.equal(door.type(BEN.pin, HOUR_S), "first-use-missed");
    assert.equal(door.type(ANNA.pin), "granted");
    await door.issuer.changePerson({ ...BEN, start, "first-use-hours": "3" }, NOW);
    await door.sync();
    assert.equal(door.type(BEN.pin), "granted");
  });

  it("T16 begins business hours with somebody who is first in, and with nobody else", async () => {
    const door = await RealDoor.make({ ...ANNA, capabilities: "first-in" }, BEN);
    const schedules = parseSheet("schedules.csv", "schedule,days,start,end\nshop,daily,00:00,24:00");
    await door.issuer.importSheets({ schedules }, NOW);
    await door.issuer.settings.setHours("main", { schedule: "shop", firstIn: true, graceMinutes: 0 });
    await door.sync();
    for (const [pin, standing] of [
      [BEN.pin, "waiting"],
      [ANNA.pin, "open"],
    ]) {
      assert.equal(door.type(pin), reasonName(Reason.granted));
      door.now += 10;
      door.virtual.lock.tick();
      assert.equal(door.virtual.lock.hours.standing, standing);
    }
  });
});
