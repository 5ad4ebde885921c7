// Door syncs over the virtual air: what a lock and its couriers do when connections break, at which packet ever.

import { strict as assert } from "node:assert";
import { FAREWELL_S, IDLE_S } from "../../firmware/core/bluetooth";
import { L500I } from "../../firmware/core/profile";
import { STRANGER_S } from "../../firmware/core/session";
import { openDoor, type Phone } from "../../protocol/courier/phone";
import { Round } from "../../protocol/courier/round";
import { signingKey, signKeyset } from "../../protocol/issuer/encode";
import { Gatt, isIdOf, readAdvert, readInfo } from "../../protocol/wire/advert";
import { toHex } from "../../protocol/wire/bytes";
import { Code } from "../../protocol/wire/codes";
import { StatusFlag, Type } from "../../protocol/wire/messages";
import { node } from "../../simulator/board/crypto";
import { devicesIn } from "../../simulator/net/web-bluetooth";
import { NOW, PINS } from "../protocol/issuer/rig";
import { BleSite, peopleWithPins } from "../support/ble-site";
import { HABITS, type Habit, Stranger } from "../support/ble-stranger";
import { Dice, SEED } from "../support/dice";

const MTUS = [23, 185, 247, 517] as const;
const PEOPLE = peopleWithPins(12);

async function site(people = PEOPLE, seed = 1): Promise<BleSite> {
  const made = await BleSite.make({ people, seed });
  // Until the lock's radio is up.
  await made.run(made.time.sleep(1));
  return made;
}

/** Everything is at the lock and known to be there, each delta once. */
function converged(made: BleSite, deltas: number): void {
  const report = made.issuer.report(made.id);
  assert.ok(report.isSettled, "everything is confirmed");
  assert.deepEqual(report.alarms, []);
  assert.equal(made.virtual.lock.parts.table.applied, deltas);
  const seqs = made.outcomes.map((text) => text.split(" ")[0]);
  assert.equal(new Set(seqs).size, seqs.length, "each delta comes out once");
  assert.equal(seqs.length, deltas);
  assert.ok(
    made.outcomes.every((text) => text.endsWith(" 0")),
    "and is applied",
  );
}

describe("S5 a sync over Bluetooth", () => {
  for (const mtu of MTUS)
    it(`brings everything at MTU ${mtu}, and the first tap opens`, async () => {
      const made = await site();
      assert.equal(made.type(PINS[3]), "unknown");
      const visited = await made.run(made.visit({ mtu }));
      assert.equal(visited.outcome, "done");
      assert.equal(visited.attempts, 1);
      converged(made, 13);
      assert.equal(made.type(PINS[3]), "granted");
    });

  for (const mtu of MTUS)
    it(`survives a disconnect at every packet of a session at MTU ${mtu}`, async function () {
      this.timeout(120_000);
      const whole = await site();
      await whole.run(whole.visit({ mtu }));
      const { packets } = whole.lines[0];
      assert.ok(packets > 20);
      for (let n = 1; n <= packets; n++) {
        const made = await site();
        const isCut = (at: number) => made.lines.length === 1 && at === n;
        const visited = await made.run(made.visit({ mtu, line: { isCut } }));
        const told = `cut at packet ${n} of ${packets}`;
        assert.equal(visited.outcome, "done", `${told}: ${visited.reason}`);
        assert.ok(visited.attempts <= 2, `${told}: ${visited.attempts} attempts`);
        converged(made, 13);
      }
    });

  it("goes on where the lock lost power, also in the middle of a bundle", async () => {
    for (let n = 20; n <= 120; n += 10) {
      const made = await site();
      const isCut = (at: number): boolean => {
        if (made.lines.length === 1 && at === n) made.virtual.powerCut();
        return false;
      };
      const visited = await made.run(made.visit({ mtu: 23, line: { isCut } }));
      assert.equal(visited.outcome, "done", `power cut at packet ${n}: ${visited.reason}`);
      converged(made, 13);
    }
  });

  it("is shared by two couriers at once: everything comes once", async () => {
    for (const mtus of [
      [23, 517],
      [185, 23],
      [247, 247],
    ] as const) {
      const made = await site(peopleWithPins(80));
      const visits = mtus.map((mtu) => made.visit({ mtu }));
      const visited = await made.run(Promise.all(visits));
      assert.deepEqual(
        visited.map(({ outcome }) => outcome),
        ["done", "done"],
      );
      converged(made, 81);
    }
  });

  it("of a courier who dies is finished by another phone", async () => {
    const made = await site(peopleWithPins(80));
    const dead = made.visit({ mtu: 23, line: { isCut: (n) => n === 200 }, attempts: 1 });
    assert.equal((await made.run(dead)).outcome, "silent");
    const { applied } = made.virtual.lock.parts.table;
    assert.ok(applied > 0 && applied < 81, `${applied} applied`);
    assert.equal((await made.run(made.visit({ mtu: 23 }))).outcome, "done");
    converged(made, 81);
  });

  it("goes on where another courier's leaving ended the notifications of all", async () => {
    const made = await site(peopleWithPins(80));
    const visiting = made.visit({ mtu: 23 });
    const comeAndGo = async (): Promise<void> => {
      for (let n = 0; n < 5; n++) {
        const link = await made.link({ mtu: 185 });
        await link?.close();
        await made.time.sleep(0.5);
      }
    };
    const [visited] = await made.run(Promise.all([visiting, comeAndGo()]));
    assert.equal(visited.outcome, "done");
    assert.equal(visited.attempts, 1);
    converged(made, 81);
  });

  it("is shared by two couriers, one of whom loses the connection over and over", async () => {
    for (const mtus of [
      [23, 23],
      [185, 23],
      [517, 247],
    ] as const)
      for (let n = 1; n < 60; n += 9) {
        const made = await site();
        let packets = 0;
        const isCut = (): boolean => ++packets % 97 === n;
        const flaky = made.visit({ mtu: mtus[0], line: { isCut } });
        const [, steady] = await made.run(Promise.all([flaky, made.visit({ mtu: mtus[1] })]));
        assert.equal(steady.outcome, "done", `MTU ${mtus}, ${n}: ${steady.reason}`);
        converged(made, 13);
      }
  });

  it("waits for each write where a phone drops what it cannot keep", async () => {
    const made = await site(peopleWithPins(40));
    const visited = await made.run(made.visit({ mtu: 23, line: { buffers: 2 } }));
    assert.equal(visited.outcome, "done");
    assert.ok(visited.attempts > 1);
    converged(made, 41);
  });

  it("takes as many connection events at any interval: time doubles with it", async () => {
    const seconds = await Promise.all(
      [0.015, 0.03, 0.06].map(async (intervalS) => {
        const made = await site();
        const began = made.time.now;
        await made.run(made.visit({ mtu: 185, line: { intervalS } }));
        return made.time.now - began;
      }),
    );
    const events = seconds.map((s, n) => Math.round(s / (0.015 * 2 ** n)));
    assert.equal(events[1], events[0]);
    assert.equal(events[2], events[0]);
  });

  it("of 1,000 puts takes at most 60 s at MTU 247 and an interval of 30 ms", async function () {
    this.timeout(60_000);
    const made = await site(peopleWithPins(1000));
    const began = made.time.now;
    const visited = await made.run(made.visit({ mtu: 247 }));
    assert.equal(visited.outcome, "done");
    assert.ok(made.time.now - began <= 60, `${made.time.now - began} s`);
    converged(made, 1001);
  });

  it("brings a lock of ten slots its ten, and an answer for each it has no room for", async () => {
    const made = await BleSite.make({ people: peopleWithPins(11), profile: L500I });
    await made.run(made.time.sleep(1));
    const visited = await made.run(made.visit({ mtu: 23 }));
    assert.equal(visited.outcome, "done");
    assert.equal(made.outcomes.filter((text) => text.endsWith(" 0")).length, 11);
  });
});

describe("X13 the lines of a door", () => {
  it("are three, and a fourth connection finds nobody to talk to", async () => {
    const made = await site();
    const links = await made.run(Promise.all([1, 2, 3].map(() => made.link({ mtu: 185 }))));
    assert.ok(links.every((link) => link !== undefined));
    assert.equal(made.air.advertising.length, 0);
    assert.equal(await made.run(made.link({ mtu: 185 })), undefined);
    await links[0]?.close();
    await made.run(made.time.sleep(1));
    assert.equal(made.air.advertising.length, 1);
    assert.ok(await made.run(made.link({ mtu: 185 })));
  });

  it("are free again after 8 s where a stranger holds them, and shown to be", async () => {
    const made = await site();
    await made.run(Promise.all([1, 2, 3].map(() => made.link({ mtu: 185 }))));
    await made.run(made.time.sleep(STRANGER_S + 2));
    assert.equal(made.virtual.bluetooth?.connections, 0);
    assert.equal(made.air.advertising.length, 1);
    assert.equal((await made.run(made.visit({ mtu: 185 }))).outcome, "done");
  });

  it("are free again after 30 s without a message, whoever holds them", async () => {
    const made = await site();
    const visited = await made.run(made.visit({ mtu: 185 }));
    assert.equal(visited.outcome, "done");
    const link = await made.run(made.link({ mtu: 185 }));
    // A courier with good mail is no stranger.
    await made.run(made.known(link!));
    await made.run(made.time.sleep(IDLE_S - 2));
    assert.equal(made.virtual.bluetooth?.connections, 1);
    await made.run(made.time.sleep(4));
    assert.equal(made.virtual.bluetooth?.connections, 0);
  });

  it("are not held by whoever writes what is no segment", async () => {
    const made = await site();
    const [device] = devicesIn(made.air, { mtu: 185 });
    await made.run(device.gatt.connect());
    const service = await made.run(device.gatt.getPrimaryService(Gatt.service));
    const inbox = await made.run(service.getCharacteristic(Gatt.inbox));
    await made.run(inbox.writeValueWithResponse(Uint8Array.of(1, 2, 3)).catch(() => {}));
    await made.run(made.time.sleep(1));
    assert.equal(made.virtual.bluetooth?.connections, 0);
    assert.equal(made.air.advertising.length, 1);
  });
});

/** Whoever belongs to the door is heard within so many seconds, whatever strangers do. */
const HEARD_S = 15;
const STRANGERS = 3;

/** Three strangers who take each line again and again; the seconds until a courier's mail and a phone's unlock were both heard. */
async function heardAmong(habits: readonly Habit[], seed: number): Promise<number[]> {
  const made = await site(PEOPLE, seed);
  const phone = { crypto: node, key: signingKey(node, new Uint8Array(32).fill(9)), lock: made.virtual.id };
  const ada = {
    person: "ada",
    name: "Ada",
    role: "resident",
    keys: "all",
    "phone-key": toHex(phone.key.publicKey),
  };
  assert.deepEqual(await made.issuer.addPerson(ada, NOW), []);
  assert.equal((await made.run(made.visit({ mtu: 185 }))).outcome, "done");
  const strangers = Array.from({ length: STRANGERS }, (_, n) => {
    return new Stranger(made, new Dice(seed * 100 + n), habits);
  });
  const all = strangers.map((stranger) => stranger.stay());
  await made.run(made.time.sleep(10));
  await made.run(allTaken(made));
  assert.deepEqual(
    await made.issuer.addPerson(
      { person: "bob", name: "Bob", role: "resident", keys: "all", pin: PINS[20] },
      NOW,
    ),
    [],
  );
  const began = made.time.now;
  const carrying = made.visit({ mtu: 185, isPatient: true }).then(({ outcome }) => {
    assert.equal(outcome, "done");
    return made.time.now - began;
  });
  const opening = opened(made, phone).then(() => made.time.now - began);
  const seconds = await made.run(Promise.all([carrying, opening]));
  assert.equal(made.type(PINS[20]), "granted");
  for (const stranger of strangers) {
    assert.ok(stranger.connections > 1, "a stranger has its turns");
    stranger.leave();
  }
  await made.run(Promise.all(all));
  await made.run(made.time.sleep(STRANGER_S + 2));
  assert.equal(made.virtual.bluetooth?.connections, 0);
  assert.equal(made.air.advertising.length, 1);
  return seconds;
}

/** The moment at which the last line is taken, the worst to come at; or ten seconds later, where none is kept. */
async function allTaken({ air, time }: BleSite): Promise<void> {
  const until = time.now + 10;
  const isFree = () => air.advertising.length > 0;
  while (!isFree() && time.now < until) await time.sleep(0.05);
  while (isFree() && time.now < until) await time.sleep(0.05);
}

/** A phone that tries until the door opens. */
async function opened(made: BleSite, phone: Phone): Promise<void> {
  for (;;) {
    const link = await made.link({ mtu: 185, isPatient: true });
    const answer = link && (await openDoor(link, phone));
    await link?.close();
    if (answer?.outcome === "done") return;
    assert.notEqual(answer?.outcome, "refused", answer?.reason);
    await made.time.sleep(0.2);
  }
}

describe(`X13 a courier and a phone among strangers on every line (seed ${SEED})`, () => {
  for (const habits of [...HABITS.map((habit) => [habit]), HABITS])
    it(`are heard within ${HEARD_S} s where strangers are ${habits.join(", ")}`, async () => {
      for (const seed of [SEED, SEED + 1, SEED + 2])
        for (const seconds of await heardAmong(habits, seed))
          assert.ok(seconds <= HEARD_S, `seed ${seed}: ${seconds} s`);
    });
});

describe("X5 somebody with bad signatures", () => {
  for (const mtu of MTUS)
    it(`hears the third refused as well, at MTU ${mtu}, and is hung up then`, async () => {
      const made = await site();
      const link = await made.run(made.link({ mtu }));
      const round = new Round(link!, 1);
      await made.run(round.hello());
      const liar = signingKey(node, new Uint8Array(32).fill(3));
      const { claimNumber } = made.virtual.lock.authority;
      const codes: (number | undefined)[] = [];
      for (let n = 1; n <= 3; n++) {
        const keyset = {
          lock: made.virtual.id,
          number: 9 + n,
          keys: [{ ...liar, may: 1 }],
          claim: claimNumber,
        };
        const { result } = await made.run(round.exchange(Type.keys, signKeyset(node, liar, keyset)));
        codes.push(result?.code);
      }
      assert.deepEqual(codes, [Code.badSignature, Code.badSignature, Code.badSignature]);
      await made.run(made.time.sleep(FAREWELL_S + 1));
      assert.equal(made.virtual.bluetooth?.connections, 0);
      assert.ok(link?.isOver);
    });
});

describe("S10 a lock on the air", () => {
  const advert = (made: BleSite) => readAdvert(devicesIn(made.air)[0].serviceData.get(Gatt.service)!)!;

  it("is known to those with its link key alone, by an id that is new every 15 minutes", async () => {
    const made = await site();
    const { linkKey } = made.issuer.directory.door("front").lock!.keys;
    const first = advert(made);
    assert.ok(isIdOf(node, linkKey, first.id));
    assert.ok(!isIdOf(node, new Uint8Array(32), first.id));
    await made.run(made.time.sleep(890));
    assert.deepEqual(advert(made).id, first.id);
    await made.run(made.time.sleep(12));
    assert.notDeepEqual(advert(made).id, first.id);
    assert.ok(isIdOf(node, linkKey, advert(made).id));
  });

  it("shows its position and what it wants, before and after a visit", async () => {
    const made = await site();
    assert.deepEqual([advert(made).applied, advert(made).flags & StatusFlag.unclaimed], [0, 0]);
    await made.run(made.visit({ mtu: 185 }));
    await made.run(made.time.sleep(2));
    assert.equal(advert(made).applied, 13);
    assert.equal(advert(made).flags & StatusFlag.clockUnknown, 0);
  });

  it("tells whoever connects what it is, and how long a segment may be", async () => {
    const made = await site();
    const [device] = devicesIn(made.air, { mtu: 185 });
    await made.run(device.gatt.connect());
    const service = await made.run(device.gatt.getPrimaryService(Gatt.service));
    const value = await made.run((await made.run(service.getCharacteristic(Gatt.info))).readValue());
    const info = readInfo(new Uint8Array(value.buffer))!;
    assert.equal(info.largest, 182);
    assert.deepEqual(info.shortId, made.virtual.id.slice(0, 4));
    assert.equal(info.epoch, 1);
  });
});
