// The issuer as tools see it: people in, mail out, receipts back, and everything again from the journal.

import { strict as assert } from "node:assert";
import type * as Cborg from "cborg";
import type { Mail } from "../../../protocol/courier/courier";
import { Issuer } from "../../../protocol/issuer/issuer";
import { Code } from "../../../protocol/wire/codes";
import { Op } from "../../../protocol/wire/deltas";
import { Capability, Role } from "../../../protocol/wire/entry";
import { MAX_BUNDLE_BYTES } from "../../../protocol/wire/limits";
import { StatusFlag, Type } from "../../../protocol/wire/messages";
import { Setting } from "../../../protocol/wire/settings";
import { parseSheet } from "../../../tools/csv";
import { hex } from "../../support/cbor";
import { deltasIn, takeApart } from "./model-lock";
import { MemoryStore, NOW, PEOPLE, PINS, Rig } from "./rig";

const cborg = require("../../../node_modules/cborg/cborg.js") as typeof Cborg;

const OPS = new Map<number, string>(Object.entries(Op).map(([name, op]) => [op, name]));

/** The ops of a bundle. */
function opsOf(bundle: Uint8Array): string[] {
  return deltasIn(bundle).deltas.map((delta) => {
    const [op] = cborg.decode(delta, { useMaps: true }) as [number];
    return OPS.get(op) ?? String(op);
  });
}

/** Rows of people with a PIN and the key "all". */
function crowd(count: number, from = 0): string {
  return Array.from({ length: count }, (_, i) => `p${from + i},,team,all,${PINS[from + i]},,,,,,,`).join(
    "\n",
  );
}

const family = `anna,Anna,resident,all,471108,,,,,,,
gus,Guest,guest,all,081599,,2027-02-01,2027-04-01,,,anna,
zoe,Below,guest,all,330912,,2027-02-01,2027-04-01,,,gus,
ben,Ben,resident,all,902817,,,,,,,`;

describe("A37 from a row to a green tick", () => {
  it("is pending until a receipt that verifies names it, and confirmed then", async () => {
    const rig = await Rig.make({ people: "anna,Anna,resident,all,471108,04a1b2c3,,,,,," });
    assert.deepEqual(rig.states(), ["anna pin pending", "anna card pending"]);
    const [bundle] = await rig.bundles();
    const receipt = rig.deliver(bundle);
    assert.deepEqual(rig.states(), ["anna pin pending", "anna card pending"]);
    const taken = await rig.issuer.receive(rig.id(), receipt);
    assert.ok(taken.refused === undefined);
    assert.deepEqual(
      taken.outcomes.map(({ seq, op, state }) => [seq, op, state]),
      [
        [1, Op.set, "confirmed"],
        [2, Op.put, "confirmed"],
        [3, Op.put, "confirmed"],
      ],
    );
    assert.deepEqual(rig.states(), ["anna pin confirmed", "anna card confirmed"]);
    const { isSettled, digest, applied, latest, counts } = rig.report();
    assert.deepEqual([isSettled, digest, applied], [true, hex(rig.model().digest()), 3]);
    assert.deepEqual([latest?.slots, counts.confirmed], [2, 2]);
  });

  it("tells the lock nothing but numbers and a tag: no name, no handle, no PIN", async () => {
    const rig = await Rig.make({ people: "anna,Anna Adler,resident,all,471108,,,,,,," });
    const [bundle] = await rig.bundles();
    for (const word of ["anna", "Anna", "Adler", "471108"])
      assert.equal(Buffer.from(bundle).includes(Buffer.from(word)), false);
  });

  it("sends settings first, then the schedules in use, then puts", async () => {
    const rig = await Rig.make({
      schedules:
        "schedule,days,start,end\nunused,sun,10:00,11:00\nday,mon-fri,08:00,18:00\nsame,mon-fri,08:00,18:00",
      people: "anna,,resident,all,471108,,,,day,,,grant\nben,,team,all,902817,,,,same,2,,",
    });
    await rig.issuer.settings.set("main", Setting.mode, new Uint8Array([1]));
    const [bundle] = await rig.bundles();
    assert.deepEqual(opsOf(bundle), ["set", "set", "putSchedule", "put", "put"]);
    rig.deliver(bundle);
    const { schedules, slots, settings } = rig.model().state;
    assert.deepEqual([...schedules], [[1, [[0b0111110, 480, 600]]]]);
    assert.equal(
      Buffer.from(settings.get(Setting.zone) ?? "", "hex").toString(),
      "<+01>-1<+02>,M3.5.0,M10.5.0/3",
    );
    const [anna, ben] = [0, 1].map((slot) => slots.get(slot)?.fields ?? new Map());
    assert.deepEqual([anna.get(5), anna.get(7), anna.get(13)], [Role.resident, 1, Capability.grant]);
    assert.deepEqual([ben.get(5), ben.get(7), ben.get(10)], [Role.team, 1, 2]);
  });

  it("takes 1,000 people through bundles of at most 32 deltas and 2,048 bytes", async () => {
    const rig = await Rig.make({ people: crowd(1000) });
    let bundles = 0;
    for (let mail = await rig.bundles(); mail.length > 0; mail = await rig.bundles(), bundles++) {
      assert.ok(mail[0].length <= MAX_BUNDLE_BYTES && opsOf(mail[0]).length <= 32);
      await rig.issuer.receive(rig.id(), rig.deliver(mail[0]));
    }
    assert.equal(rig.report().counts.confirmed, 1000);
    assert.ok(bundles <= 40, `${bundles} bundles`);
  });
});

describe("S2, S13 positions", () => {
  it("signs revocations and drops before everything else that is not signed yet", async () => {
    const rig = await Rig.make({ people: `${family}\n${crowd(40)}` });
    await rig.sync();
    await rig.issuer.importSheets({ people: [rig.sheet(crowd(40, 40))] }, NOW);
    await rig.issuer.changePerson({ person: "p1", name: "", role: "admin", keys: "all", pin: "712104" }, NOW);
    await rig.issuer.changePerson({ person: "p2", name: "", role: "team", keys: "", pin: "713915" }, NOW);
    await rig.issuer.switchPerson("p3", true);
    await rig.issuer.revoke("anna");
    const ops = opsOf((await rig.bundles())[0]);
    assert.deepEqual(ops.slice(0, 4), ["revoke", "drop", "disable", "change"]);
    assert.ok(ops.slice(4).every((op) => op === "put"));
  });

  it("never moves what is signed: a later revocation waits behind it", async () => {
    const rig = await Rig.make({ people: family });
    const [first] = await rig.bundles();
    await rig.issuer.revoke("anna");
    const [again, next] = await rig.bundles("main", 2);
    assert.deepEqual(again, first);
    assert.deepEqual(opsOf(next), ["revoke"]);
    await rig.sync();
    assert.deepEqual(rig.inside(), ["ben"]);
  });

  it("cancels a put that was never signed together with its drop", async () => {
    const rig = await Rig.make({ people: "ben,,team,all,902817,,,,,,," });
    await rig.sync();
    await rig.issuer.addPerson({ person: "eve", name: "", role: "team", keys: "all", pin: "330912" }, NOW);
    assert.equal(rig.report().isSettled, false);
    await rig.issuer.revoke("eve");
    assert.deepEqual(await rig.bundles(), []);
    assert.deepEqual([rig.report().isSettled, rig.states()], [true, ["ben pin confirmed"]]);
  });

  it("sends stored bytes again, whole, to a lock that has them in part", async () => {
    const rig = await Rig.make({ people: crowd(40) });
    const [first, second] = await rig.bundles("main", 2);
    rig.now += 3600;
    for (const applied of [0, 1, deltasIn(second).first - 2]) {
      rig.model().state.applied = applied;
      assert.deepEqual(await rig.bundles(), [first]);
    }
    rig.model().state.applied = deltasIn(second).first - 1;
    assert.deepEqual(await rig.bundles(), [second]);
  });

  it("signs nothing twice when the same mail is asked for at once", async () => {
    const rig = await Rig.make({ people: crowd(10) });
    const answers = await Promise.all([rig.bundles(), rig.bundles(), rig.bundles()]);
    assert.deepEqual(answers[1], answers[0]);
    assert.deepEqual(answers[2], answers[0]);
    assert.equal(rig.report().signed, 11);
  });

  it("stores a bundle before it hands it out, and hands out nothing that is not stored", async () => {
    const rig = await Rig.make({ people: crowd(3) });
    const before = rig.store.records.length;
    rig.store.isBroken = true;
    await assert.rejects(rig.mail(), /disk full/);
    assert.deepEqual([rig.report().signed, rig.store.records.length], [0, before]);
    rig.store.isBroken = false;
    const [bundle] = await rig.bundles();
    assert.ok(Buffer.from(rig.store.records[before]).includes(Buffer.from(bundle)));
  });
});

describe("A8, A10, C20 changes at a lock", () => {
  const row = { person: "anna", name: "", role: "team", keys: "all", pin: "471108" };

  it("changes terms without touching the credential, and puts a new PIN into the same slot", async () => {
    const rig = await Rig.make({ people: "anna,,team,all,471108,,,,,,," });
    await rig.sync();
    const [{ slot, generation }] = rig.report().credentials;
    await rig.issuer.changePerson({ ...row, end: "2027-05-01" }, NOW);
    assert.deepEqual(opsOf((await rig.bundles())[0]), ["change"]);
    await rig.sync();
    assert.deepEqual(
      [rig.report().credentials[0].slot, rig.report().credentials[0].generation],
      [slot, generation],
    );
    await rig.issuer.changePerson({ ...row, pin: "330912", end: "2027-05-01" }, NOW);
    assert.deepEqual(opsOf((await rig.bundles())[0]), ["put"]);
    await rig.sync();
    assert.equal(rig.report().credentials[0].slot, slot);
    assert.equal(rig.report().credentials[0].generation, rig.report().signed);
    assert.equal(rig.model().state.slots.size, 1);
  });

  it("gives a slot another generation when access is granted again after a revocation in the same bundle", async () => {
    const rig = await Rig.make({ people: "anna,,team,all,471108,,,,,,," });
    await rig.sync();
    const { generation } = rig.report().credentials[0];
    await rig.issuer.revoke("anna");
    assert.deepEqual(await rig.issuer.regrant(row, NOW), []);
    assert.deepEqual(opsOf((await rig.bundles())[0]), ["revoke", "put"]);
    await rig.sync();
    assert.deepEqual(rig.states(), ["anna pin confirmed"]);
    assert.ok(rig.report().credentials[0].generation > generation);
  });

  it("does nothing for a row that says nothing new, also after a restart", async () => {
    const rig = await Rig.make({ people: family });
    await rig.sync();
    for (const reopen of [false, true]) {
      if (reopen) await rig.reopen();
      const before = rig.store.records.length;
      const { people } = await rig.issuer.importSheets({ people: [rig.sheet(family)] }, NOW);
      assert.deepEqual([people, rig.store.records.length], [0, before]);
    }
  });

  it("lets two people swap their PINs", async () => {
    const rig = await Rig.make({ people: "anna,,team,all,471108,,,,,,,\nben,,team,all,902817,,,,,,," });
    await rig.sync();
    const swapped = "anna,,team,all,902817,,,,,,,\nben,,team,all,471108,,,,,,,";
    assert.deepEqual((await rig.issuer.importSheets({ people: [rig.sheet(swapped)] }, NOW)).errors, []);
    await rig.sync();
    assert.deepEqual(rig.states(), ["anna pin confirmed", "ben pin confirmed"]);
    assert.deepEqual(
      rig.model().state.codes.filter((code) => code >> 4 !== 0),
      [],
    );
  });

  it("A75 switches a person off and on, and puts nobody who is off", async () => {
    const rig = await Rig.make({ people: "anna,,team,all,471108,,,,,,," });
    await rig.sync();
    await rig.issuer.switchPerson("anna", true);
    await rig.issuer.changePerson({ ...row, card: "04a1b2c3" }, NOW);
    assert.deepEqual(opsOf((await rig.bundles())[0]), ["disable"]);
    await rig.sync();
    assert.equal(rig.model().state.slots.get(0)?.disabled, true);
    await rig.issuer.switchPerson("anna", false);
    assert.deepEqual(opsOf((await rig.bundles())[0]).sort(), ["enable", "put"]);
    await rig.sync();
    assert.deepEqual(rig.states(), ["anna pin confirmed", "anna card confirmed"]);
  });

  it("A30 moves all users of a schedule with one delta, and splits a shared one", async () => {
    const day = "schedule,days,start,end\nday,mon-fri,08:00,18:00";
    const people = ["a", "b", "c"].map(
      (name, i) => `${name},,team,all,${471_108 + 9_001 * i},,,,${i < 2 ? "day" : "same"},,,`,
    );
    const rig = await Rig.make({ schedules: `${day}\nsame,mon-fri,08:00,18:00`, people: people.join("\n") });
    await rig.sync();
    const schedules = (text: string) =>
      rig.issuer.importSheets({ schedules: parseSheet("schedules.csv", text) }, NOW);
    await schedules("schedule,days,start,end\nsame,sat,08:00,18:00");
    assert.deepEqual(opsOf((await rig.bundles())[0]), ["putSchedule", "change"]);
    await rig.sync();
    await schedules("schedule,days,start,end\nday,sun,10:00,11:00");
    assert.deepEqual(opsOf((await rig.bundles())[0]), ["putSchedule"]);
    await rig.sync();
    await schedules("schedule,days,start,end\nday,sat,08:00,18:00");
    assert.deepEqual(opsOf((await rig.bundles())[0]), ["change", "change", "dropSchedule"]);
    await rig.sync();
    assert.deepEqual([...rig.model().state.schedules.values()], [[[64, 480, 600]]]);
    assert.equal(rig.report().isSettled, true);
  });

  it("T2 gives a new schedule no id that slots at the lock still name", async () => {
    const text = "schedule,days,start,end\nday,mon,08:00,18:00\nother,sat,08:00,18:00\nnew,sun,08:00,18:00";
    const people = "a,,team,all,471108,,,,day,,,\nb,,team,all,902817,,,,other,,,";
    const rig = await Rig.make({ schedules: text, people });
    await rig.sync();
    const moved = parseSheet("schedules.csv", "schedule,days,start,end\nday,sat,08:00,18:00");
    await rig.issuer.importSheets({ schedules: moved }, NOW);
    await rig.issuer.importSheets({ people: [rig.sheet("c,,team,all,330912,,,,new,,,")] }, NOW);
    const [bundle] = await rig.bundles();
    assert.deepEqual(opsOf(bundle), ["putSchedule", "change", "put", "dropSchedule"]);
    await rig.sync();
    assert.deepEqual([...rig.model().state.schedules.keys()], [2, 3]);
  });

  it("A14 gives and takes doors with the keys of a person", async () => {
    const rig = await Rig.make({
      doors: { main: 1000, garage: 10 },
      people: "anna,,team,main,471108,,,,,,,",
    });
    assert.deepEqual([rig.states("main"), rig.states("garage")], [["anna pin pending"], []]);
    await rig.issuer.changePerson({ ...row, keys: "garage" }, NOW);
    await rig.sync("main");
    await rig.sync("garage");
    assert.deepEqual([rig.inside("main"), rig.inside("garage")], [[], ["anna"]]);
    await rig.issuer.importSheets(
      {
        doors: parseSheet(
          "doors.csv",
          "door,profile,link,zone,keys\nmain,lock-1000,wifi,Europe/Lisbon,garage",
        ),
      },
      NOW,
    );
    await rig.sync("main");
    assert.deepEqual(rig.inside("main"), ["anna"]);
    assert.match(
      Buffer.from(rig.model("main").state.settings.get(Setting.zone) ?? "", "hex").toString(),
      /^<\+00>0/,
    );
  });

  it("T4 means local times by the zone of each door", async () => {
    const rig = await Rig.make({ doors: { main: 1000 } });
    await rig.issuer.importSheets(
      {
        doors: parseSheet("doors.csv", "door,profile,link,zone,keys\nfar,l500i,courier,Asia/Tokyo,all"),
        people: [rig.sheet("gus,,guest,all,471108,,2027-06-01,2027-06-02,,,,")],
      },
      NOW,
    );
    await rig.bind("far", 10);
    for (const [door, hours] of [
      ["main", 2],
      ["far", 9],
    ] as const) {
      await rig.sync(door);
      const fields = rig.model(door).state.slots.get(0)?.fields;
      assert.equal(fields?.get(8), Date.UTC(2027, 5, 1, -hours) / 1000);
      assert.equal(fields?.get(9), Date.UTC(2027, 5, 2, -hours) / 1000);
    }
  });
});

describe("A52–A54, C22 revoking with everyone below", () => {
  it("takes one delta at each lock that had any of them, and none at others", async () => {
    const rig = await Rig.make({
      doors: { main: 1000, garage: 10, attic: 10 },
      people: `anna,,resident,main,471108,,,,,,,
gus,,guest,garage,081599,,2027-02-01,2027-04-01,,,anna,
ben,,resident,all,902817,,,,,,,`,
    });
    for (const door of ["main", "garage", "attic"]) await rig.sync(door);
    await rig.issuer.revoke("anna");
    const ops = async (door: string) => (await rig.bundles(door)).flatMap(opsOf);
    assert.deepEqual(
      [await ops("main"), await ops("garage"), await ops("attic")],
      [["revoke"], ["revoke"], []],
    );
    for (const door of ["main", "garage"]) await rig.sync(door);
    for (const door of ["main", "garage", "attic"]) assert.deepEqual(rig.inside(door), ["ben"]);
    assert.equal(rig.issuer.directory.person("gus").revoked, true);
  });

  it("reaches guests of guests by the lock's own chain, and those whose grantor has no slot there", async () => {
    const rig = await Rig.make({ doors: { main: 1000, garage: 10 }, people: family });
    await rig.issuer.changePerson(
      {
        person: "gus",
        name: "",
        role: "guest",
        keys: "main",
        pin: "081599",
        start: "2027-02-01",
        end: "2027-04-01",
        grantor: "anna",
      },
      NOW,
    );
    for (const door of ["main", "garage"]) await rig.sync(door);
    assert.deepEqual(
      [rig.inside("main"), rig.inside("garage")],
      [
        ["anna", "ben", "gus", "zoe"],
        ["anna", "ben", "zoe"],
      ],
    );
    await rig.issuer.revoke("anna");
    assert.deepEqual((await rig.bundles("main")).flatMap(opsOf), ["revoke"]);
    for (const door of ["main", "garage"]) {
      await rig.sync(door);
      assert.deepEqual(rig.inside(door), ["ben"]);
      assert.deepEqual(rig.report(door).alarms, []);
    }
  });

  it("cancels puts of everyone below that are not signed, and revokes those that are on their way", async () => {
    const rig = await Rig.make({ people: "anna,,resident,all,471108,,,,,,,\nben,,team,all,902817,,,,,,," });
    await rig.bundles();
    await rig.issuer.importSheets({ people: [rig.sheet(family.split("\n").slice(1, 3).join("\n"))] }, NOW);
    await rig.issuer.revoke("anna");
    await rig.sync();
    assert.deepEqual(rig.inside(), ["ben"]);
    assert.deepEqual(rig.model().state.codes.length, 4);
  });

  it("revokes once, whoever is revoked again, and keeps the records; removing forgets them", async () => {
    const rig = await Rig.make({ people: family });
    await rig.sync();
    await rig.issuer.revoke("gus");
    await rig.issuer.revoke("gus");
    assert.deepEqual((await rig.bundles()).flatMap(opsOf), ["revoke"]);
    await rig.sync();
    assert.deepEqual(rig.inside(), ["anna", "ben"]);
    await rig.issuer.remove("anna");
    await rig.sync();
    assert.deepEqual(rig.inside(), ["ben"]);
    assert.deepEqual([...rig.issuer.directory.people.keys()], ["gus", "zoe", "ben"]);
    await assert.rejects(rig.issuer.remove("anna"), /nobody with this handle/);
  });

  it("L5 gives somebody new of the same handle another user id, and keeps the old one's name", async () => {
    const rig = await Rig.make({ people: "anna,,team,all,471108,,,,,,," });
    const door = rig.issuer.directory.door("main");
    const before = door.users.get("anna") as number;
    await rig.issuer.remove("anna");
    await rig.issuer.addPerson({ person: "anna", name: "", role: "team", keys: "all", pin: "471108" }, NOW);
    const after = door.users.get("anna") as number;
    assert.notEqual(after, before);
    assert.deepEqual([door.handles.get(before), door.handles.get(after)], ["anna", "anna"]);
  });

  it("does not let a file bring back who is revoked, but says so", async () => {
    const rig = await Rig.make({ people: family });
    await rig.sync();
    await rig.issuer.revoke("anna");
    const again = await rig.issuer.importSheets(
      { people: [rig.sheet(family.split("\n").slice(0, 1).join("\n"))] },
      NOW,
    );
    assert.deepEqual([again.errors, again.revoked], [[], ["anna"]]);
    await rig.sync();
    assert.deepEqual(rig.inside(), ["ben"]);
  });

  it("raises an alarm when the lock could not remove somebody", async () => {
    const rig = await Rig.make({ people: family });
    await rig.sync();
    rig.model().refuse = (_, op) => (op === Op.revoke ? Code.storageFailed : undefined);
    await rig.issuer.revoke("anna");
    await rig.issuer.receive(rig.id(), rig.deliver((await rig.bundles())[0]));
    assert.deepEqual(
      rig.report().alarms.map(({ kind, text }) => [kind, text]),
      [["not-removed", "storage-failed as the answer to 6"]],
    );
    rig.model().refuse = undefined;
    await rig.sync();
    assert.deepEqual(rig.inside(), ["ben"]);
  });
});

describe("A4, K5 refusals and attempts", () => {
  it("fails the eleventh at a lock of ten at once, never sends it again, and gives its slot to the next", async () => {
    const rig = await Rig.make({ doors: { main: 10 }, people: crowd(11) });
    await rig.sync();
    assert.deepEqual(rig.states()[10], "p10 pin failed 30");
    assert.deepEqual(rig.report().counts, {
      pending: 0,
      confirmed: 10,
      removed: 0,
      failed: 1,
      unconfirmed: 0,
    });
    await rig.issuer.revoke("p3");
    await rig.sync();
    assert.equal(rig.states()[10] ?? rig.states()[9], "p10 pin failed 30");
    assert.equal(rig.report().isSettled, true);
    await rig.issuer.addPerson({ person: "late", name: "", role: "team", keys: "all", pin: "330912" }, NOW);
    await rig.sync();
    assert.equal(rig.report().credentials.find(({ who }) => who === "late")?.slot, 3);
    const puts = rig.model().state.codes.filter((code) => code === Code.capacity);
    assert.equal(puts.length, 1);
  });

  it("A10 tries again when a person wants it: with another row, or revoked and granted again", async () => {
    const rig = await Rig.make({ doors: { main: 10 }, people: crowd(11) });
    await rig.sync();
    await rig.issuer.revoke("p3");
    const p10 = { person: "p10", name: "", role: "team", keys: "all", pin: String(710_293 + 18_110) };
    await rig.issuer.changePerson({ ...p10, end: "2028-01-01" }, NOW);
    await rig.sync();
    assert.equal(rig.states().includes("p10 pin confirmed"), true);
  });

  it("fails a card at a lock without a reader, and goes on with the rest", async () => {
    const rig = await Rig.make({ doors: { main: 10 }, people: "anna,,team,all,471108,04a1b2c3,,,,,," });
    await rig.sync();
    assert.deepEqual(rig.states(), ["anna pin confirmed", "anna card failed 38"]);
  });

  it("uses the slots that refused cards leave free before it calls a lock of ten full", async () => {
    const [first, ...rest] = crowd(10).split("\n");
    const carded = first.replace(/,(\d+),,/, ",$1,04a1b2c3,");
    const rig = await Rig.make({ doors: { main: 10 }, people: [carded, ...rest].join("\n") });
    await rig.sync();
    assert.deepEqual(rig.report().counts, {
      pending: 0,
      confirmed: 10,
      removed: 0,
      failed: 1,
      unconfirmed: 0,
    });
    assert.equal(rig.states().includes("p0 card failed 38"), true);
  });

  it("A38 is unconfirmed after three attempts without an answer, which is not failed, and confirmed by a later receipt", async () => {
    const rig = await Rig.make({ people: "anna,,team,all,471108,,,,,,," });
    await rig.issuer.attemptFailed(rig.id());
    const [bundle] = await rig.bundles();
    for (const expected of ["pending", "pending", "unconfirmed", "unconfirmed"]) {
      await rig.issuer.attemptFailed(rig.id());
      assert.deepEqual(rig.states(), [`anna pin ${expected}`]);
    }
    await rig.reopen();
    assert.deepEqual(rig.states(), ["anna pin unconfirmed"]);
    assert.deepEqual(await rig.bundles(), [bundle]);
    await rig.issuer.receive(rig.id(), rig.deliver(bundle));
    assert.deepEqual(rig.states(), ["anna pin confirmed"]);
  });

  it("plans again what was refused only because a put before it had failed", async () => {
    const rig = await Rig.make({ people: "anna,,team,all,471108,,,,,,," });
    rig.model().refuse = (fields, op) => (op === Op.put && !fields.has(9) ? Code.duplicate : undefined);
    const first = await rig.bundles();
    await rig.issuer.changePerson(
      { person: "anna", name: "", role: "team", keys: "all", pin: "471108", end: "2028-01-01" },
      NOW,
    );
    const [, second] = await rig.bundles("main", 2);
    assert.deepEqual(opsOf(second), ["change"]);
    await rig.issuer.receive(rig.id(), rig.deliver(first[0]));
    await rig.issuer.receive(rig.id(), rig.deliver(second));
    assert.deepEqual(rig.model().state.codes, [Code.applied, Code.duplicate, Code.staleGeneration]);
    await rig.sync();
    assert.deepEqual(rig.states(), ["anna pin confirmed"]);
    assert.deepEqual(rig.report().alarms, []);
  });
});

describe("K1, A47, S11 receipts", () => {
  async function synced(): Promise<Rig> {
    const rig = await Rig.make({ people: family });
    await rig.sync();
    return rig;
  }
  const kinds = (rig: Rig) => rig.report().alarms.map(({ kind, epoch, seq }) => `${kind} ${epoch}/${seq}`);

  it("change nothing and are told apart when they do not verify", async () => {
    const rig = await synced();
    const before = rig.store.records.length;
    const good = rig.model().receipt(1);
    const model = rig.model();
    const cases: [string, Uint8Array][] = [
      ["malformed", new Uint8Array([1, 2, 3])],
      ["malformed", good.slice(0, -1)],
      ["malformed", new Uint8Array([...good, 0])],
      [
        "wrong-lock",
        model.sign(
          new Map(takeApart((cborg.decode(good) as Uint8Array[])[2] && body(good), "").fields),
          new Uint8Array(8),
        ),
      ],
      ["wrong-lock", model.receipt(1, 256, (payload) => payload.set(1, new Uint8Array(8)))],
    ];
    const forged = good.slice();
    forged[forged.length - 1] ^= 1;
    cases.push(["bad-signature", forged]);
    const other = model.sign(takeApart(body(good), "").fields, model.id, new Uint8Array(32).fill(1));
    cases.push(["bad-signature", other]);
    for (const [refused, message] of cases)
      assert.deepEqual(await rig.issuer.receive(rig.id(), message), { refused });
    assert.equal(rig.store.records.length, before);
  });

  it("raise rolled-back when the lock was put back to an earlier state, and the lock catches up with the same bytes", async () => {
    const rig = await synced();
    const old = rig.model().snapshot();
    await rig.issuer.importSheets({ people: [rig.sheet(crowd(3))] }, NOW);
    await rig.sync();
    const { boot, receipts, events } = rig.model().state;
    rig.model().state = { ...old, boot: boot + 1, receipts, events: events + 1 };
    await rig.issuer.receive(rig.id(), rig.model().receipt(1));
    assert.deepEqual(kinds(rig), ["rolled-back 1/5"]);
    await rig.sync();
    assert.deepEqual(kinds(rig), ["rolled-back 1/5"]);
    assert.equal(rig.report().digest, hex(rig.model().digest()));
    await rig.reopen();
    assert.deepEqual(kinds(rig), ["rolled-back 1/5"]);
  });

  it("raise nothing when they are only late", async () => {
    const rig = await Rig.make({ people: crowd(100) });
    const receipts: Uint8Array[] = [];
    for (const bundle of await rig.bundles("main", 9)) {
      receipts.push(rig.deliver(bundle));
      rig.model().reboot();
    }
    for (const receipt of receipts.reverse()) await rig.issuer.receive(rig.id(), receipt);
    assert.deepEqual([kinds(rig), rig.report().counts.confirmed], [[], 100]);
  });

  it("raise rolled-back by a trusted clock, where the counters of an exchanged device are lower", async () => {
    const rig = await synced();
    const timed = (seconds: number) => (payload: Map<number, unknown>) => {
      payload.set(10, seconds);
      payload.set(11, 2);
      payload.set(12, 1);
    };
    await rig.issuer.receive(rig.id(), rig.model().receipt(1, 256, timed(NOW)));
    const { id, seed } = rig.model();
    const clone = new (rig.model().constructor as typeof import("./model-lock").ModelLock)(id, seed, 1000);
    await rig.issuer.receive(rig.id(), clone.receipt(1, 256, timed(NOW + 2)));
    assert.deepEqual(kinds(rig), []);
    await rig.issuer.receive(rig.id(), clone.receipt(1, 256, timed(NOW + 3)));
    assert.deepEqual(kinds(rig), ["rolled-back 1/0"]);
  });

  it("raise fork when the lock's chain is another, or longer than what was signed; nothing more is signed then", async () => {
    for (const patch of [
      (payload: Map<number, unknown>) => payload.set(4, new Uint8Array(16)),
      (payload: Map<number, unknown>) => payload.set(3, 6),
    ]) {
      const rig = await synced();
      await rig.issuer.receive(rig.id(), rig.model().receipt(1, 5, patch));
      assert.match(kinds(rig).join(), /^fork 1\/[56]$/);
      await rig.issuer.importSheets({ people: [rig.sheet(crowd(3))] }, NOW);
      assert.deepEqual(await rig.bundles(), []);
      assert.equal(rig.report().isSettled, false);
    }
  });

  it("raise fork in an issuer that was restored from a backup", async () => {
    const rig = await synced();
    const backup = rig.store.records.slice();
    await rig.issuer.importSheets({ people: [rig.sheet(crowd(3))] }, NOW);
    await rig.sync();
    rig.store.records = backup;
    await rig.reopen();
    const mail = await rig.mail();
    assert.deepEqual(
      mail.map(({ type }) => type),
      [Type.ask],
    );
    await rig.issuer.receive(rig.id(), rig.model().receipt(6));
    assert.deepEqual(kinds(rig), ["fork 1/8"]);
  });

  it("raise divergence when the table is not what the acks add up to, now or once they are known", async () => {
    const wrong = (payload: Map<number, unknown>) => payload.set(13, new Uint8Array(32));
    const rig = await synced();
    await rig.issuer.receive(rig.id(), rig.model().receipt(1, 256, wrong));
    assert.deepEqual(kinds(rig), ["divergence 1/5"]);
    const late = await Rig.make({ people: crowd(40) });
    const [first, second] = await late.bundles("main", 2);
    late.deliver(first);
    late.deliver(second);
    await late.issuer.receive(late.id(), late.model().receipt(deltasIn(second).first, 256, wrong));
    assert.deepEqual(kinds(late), []);
    await late.issuer.receive(late.id(), late.model().receipt(1));
    assert.deepEqual(kinds(late), ["divergence 1/41"]);
  });

  it("raise contradiction when an ack changes, or is none", async () => {
    const rig = await synced();
    await rig.issuer.receive(
      rig.id(),
      rig.model().receipt(1, 256, (payload) => payload.set(6, new Uint8Array([0, 0x30]))),
    );
    assert.deepEqual(kinds(rig), ["contradiction 1/2"]);
    assert.deepEqual(rig.states(), [
      "anna pin confirmed",
      "gus pin confirmed",
      "zoe pin confirmed",
      "ben pin confirmed",
    ]);
    const other = await Rig.make({ people: family });
    other.deliver((await other.bundles())[0]);
    await other.issuer.receive(
      other.id(),
      other.model().receipt(1, 256, (payload) => payload.set(6, new Uint8Array([0x10]))),
    );
    assert.deepEqual([kinds(other), other.report().acknowledged], [["contradiction 1/1"], 0]);
  });

  it("raise foreign-epoch for an epoch that nobody here began", async () => {
    const rig = await synced();
    await rig.issuer.receive(
      rig.id(),
      rig.model().receipt(1, 0, (payload) => payload.set(2, 2)),
    );
    assert.deepEqual(kinds(rig), ["foreign-epoch 2/5"]);
    assert.deepEqual(await rig.bundles(), []);
  });

  it("ask for acks that were lost, before they send what comes next", async () => {
    const rig = await Rig.make({ people: crowd(40) });
    const [first] = await rig.bundles();
    rig.deliver(first);
    const mail = await rig.mail();
    assert.deepEqual(
      mail.map(({ type }) => type),
      [Type.ask, Type.bundle],
    );
    assert.deepEqual(mail[0].body, new Uint8Array([0xa1, 0, 1]));
    await rig.issuer.receive(rig.id(), rig.model().receipt(1));
    assert.deepEqual(
      (await rig.mail()).map(({ type }) => type),
      [Type.bundle],
    );
  });

  it("prove by the whole table what became of deltas whose acks the lock has forgotten", async () => {
    const rig = await Rig.make({ people: crowd(100) });
    rig.model().kept = 40;
    for (const bundle of await rig.bundles("main", 9)) rig.deliver(bundle);
    rig.now += 60;
    const taken = await rig.issuer.receive(rig.id(), rig.model().receipt(1));
    assert.ok(taken.refused === undefined);
    assert.deepEqual(
      taken.outcomes.map(({ seq }) => seq),
      Array.from({ length: 101 }, (_, i) => i + 1),
    );
    assert.deepEqual([rig.report().counts.confirmed, rig.report().isSettled, kinds(rig)], [100, true, []]);
    rig.model().kept = 1000;
    await rig.issuer.receive(rig.id(), rig.model().receipt(1));
    assert.deepEqual(kinds(rig), []);
  });

  it("raise lost-acks where the table shows that a forgotten answer was a refusal", async () => {
    const rig = await Rig.make({ doors: { main: 10 }, people: crowd(12) });
    rig.model().kept = 1;
    for (const bundle of await rig.bundles("main", 9)) rig.deliver(bundle);
    await rig.issuer.receive(rig.id(), rig.model().receipt(1));
    assert.deepEqual(kinds(rig), ["lost-acks 1/1"]);
    assert.equal(rig.report().isSettled, false);
  });

  function body(message: Uint8Array): Uint8Array {
    const [, , envelope] = cborg.decode(message, { useMaps: true }) as [number, number, unknown];
    return cborg.encode(envelope);
  }
});

describe("P1, P3, P7 claiming", () => {
  const status = (flags: number, epoch: number, keyset: number) => ({ epoch, applied: 0, flags, keyset });
  const types = (mail: Mail[]) => mail.map(({ type }) => type);

  it("sends claim, keyset and bundles to a lock without an owner in one go", async () => {
    const rig = await Rig.make({ people: family });
    const mail = await rig.issuer.outbox.mail(rig.id(), status(StatusFlag.unclaimed, 0, 0), NOW);
    assert.deepEqual(types(mail), [Type.claim, Type.keys, Type.bundle]);
    assert.deepEqual(mail[0].body, rig.issuer.outbox.claim(rig.id()));
    assert.deepEqual(mail[1].body, rig.issuer.outbox.keyset(rig.id()));
    const { fields } = takeApart(mail[1].body, "tumbler/1 keys");
    const { issuer } = rig.issuer.signers;
    assert.deepEqual(
      fields.get(3),
      [[Buffer.from(issuer.kid), Buffer.from(issuer.publicKey), 3]].map((key) =>
        key.map((part) => (part instanceof Buffer ? new Uint8Array(part) : part)),
      ),
    );
    const again = await rig.issuer.outbox.mail(rig.id(), status(0, 1, 0), NOW);
    assert.deepEqual(types(again), [Type.keys, Type.bundle]);
  });

  it("follows the lock into the epoch that its claim began, and signs everything for it", async () => {
    const rig = await Rig.make({ people: family });
    await rig.bundles();
    await rig.bind("main", 1000, 1);
    const lock = new (rig.model().constructor as typeof import("./model-lock").ModelLock)(
      rig.model().id,
      rig.model().seed,
      1000,
      { epoch: 7 },
    );
    rig.models.set("main", lock);
    assert.deepEqual(types(await rig.mail()), [Type.ask]);
    await rig.issuer.receive(rig.id(), lock.receipt(1));
    await rig.sync();
    assert.deepEqual([rig.report().epoch, rig.report().counts.confirmed, rig.report().alarms], [7, 4, []]);
  });

  it("begins a new epoch with new tags when a lock is claimed again after a reset", async () => {
    const rig = await Rig.make({ people: family });
    await rig.sync();
    const tag = (slot: number) => hex(rig.model().state.slots.get(slot)?.fields.get(2) as Uint8Array);
    const before = tag(0);
    const late = rig.model().receipt(1);
    assert.deepEqual(types(await rig.issuer.outbox.mail(rig.id(), status(StatusFlag.unclaimed, 1, 0), NOW)), [
      Type.claim,
      Type.keys,
    ]);
    await rig.bind("main", 1000, 2);
    await rig.issuer.receive(rig.id(), late);
    await rig.sync();
    assert.deepEqual([rig.report().epoch, rig.report().counts.confirmed, rig.report().alarms], [2, 4, []]);
    assert.notEqual(tag(0), before);
  });

  it("T14 answers a nonce with a signed time", async () => {
    const rig = await Rig.make();
    const nonce = new Uint8Array(8).fill(3);
    const { fields } = takeApart(rig.issuer.outbox.timeAnswer(rig.id(), nonce, NOW), "tumbler/1 time");
    assert.deepEqual([...fields.values()], [1, new Uint8Array(rig.model().id), nonce, NOW, 0]);
  });
});

describe("the journal", () => {
  it("gives exactly the same issuer after every record", async () => {
    const rig = await Rig.make({
      doors: { main: 1000, garage: 10 },
      schedules: "schedule,days,start,end\nday,mon-fri,08:00,18:00",
      people: `${family}\n${crowd(12)}`,
    });
    await rig.sync();
    await rig.issuer.revoke("anna");
    await rig.issuer.attemptFailed(rig.id("garage"));
    await rig.sync("garage");
    await rig.issuer.switchPerson("ben", true);
    await rig.issuer.remove("gus");
    await rig.bundles();
    const view = (issuer: Issuer) => ({
      directory: structuredClone(issuer.directory),
      reports: issuer.locks.map((lock) => issuer.report(lock)),
      signers: issuer.signers,
    });
    const before = view(rig.issuer);
    await rig.reopen();
    assert.deepEqual(view(rig.issuer), before);
  });

  it("keeps a change whole: an import is one record", async () => {
    const rig = await Rig.make();
    const before = rig.store.records.length;
    await rig.issuer.importSheets({ people: [rig.sheet(crowd(200))] }, NOW);
    assert.equal(rig.store.records.length, before + 1);
  });

  it("does nothing at all for an import with an error", async () => {
    const rig = await Rig.make();
    const before = rig.store.records.length;
    const { errors, people } = await rig.issuer.importSheets(
      { people: [rig.sheet(`${crowd(3)}\nx,,boss,all,,,,,,,,`)] },
      NOW,
    );
    assert.deepEqual([errors.length, people, rig.store.records.length], [1, 0, before]);
    assert.equal(rig.issuer.directory.people.size, 0);
  });

  it("refuses single rows that do not fit their purpose", async () => {
    const rig = await Rig.make({ people: family });
    const cells = { person: "anna", name: "", role: "team", keys: "all" };
    const wanted = async (errors: Promise<readonly { wanted: string }[]>) =>
      (await errors).map((error) => error.wanted);
    assert.deepEqual(await wanted(rig.issuer.addPerson(cells, NOW)), ["a handle that nobody has yet"]);
    assert.match((await wanted(rig.issuer.regrant(cells, NOW)))[0], /is revoked/);
    assert.match((await wanted(rig.issuer.changePerson({ ...cells, person: "eve" }, NOW)))[0], /not revoked/);
    assert.match((await wanted(rig.issuer.addPerson({}, NOW)))[0], /a column person/);
    assert.equal(PEOPLE.split(",").length, 12);
  });

  it("refuses locks with keys of a wrong size", async () => {
    const rig = await Rig.make();
    const { issuer } = rig;
    const before = rig.store.records.length;
    const { lock: record } = issuer.directory.door("main");
    assert.ok(record !== undefined);
    const { keys } = record;
    for (const bad of [
      { ...record, lock: new Uint8Array(7) },
      { ...record, publicKey: new Uint8Array(31) },
      { ...record, claim: 0 },
      { ...record, keys: { ...keys, pinKey: new Uint8Array(33) } },
    ])
      await assert.rejects(issuer.bindLock("main", bad), /lock record/);
    assert.equal(rig.store.records.length, before);
  });

  it("grants nothing where a door's new zone leaves no time between start and end", async () => {
    const rig = await Rig.make({ people: "gus,,guest,all,471108,,2027-06-01T12:00,2027-06-01T11:00Z,,,," });
    await rig.sync();
    assert.deepEqual(rig.inside(), ["gus"]);
    const moved = "door,profile,link,zone,keys\nmain,lock-1000,wifi,Europe/Lisbon,all";
    await rig.issuer.importSheets({ doors: parseSheet("doors.csv", moved) }, NOW);
    await rig.sync();
    assert.deepEqual([rig.inside(), rig.report().isSettled], [[], true]);
  });

  it("begins an account once, with keys of its own", async () => {
    const store = new MemoryStore();
    const rig = await Rig.make();
    const issuer = await Issuer.open({ ...rig.hosts, store });
    assert.throws(() => issuer.signers, /no account yet/);
    await assert.rejects(issuer.begin("Not A Site"), /wanted 1 to 16/);
    await issuer.begin("house-7");
    await assert.rejects(issuer.begin("again"), /already/);
    assert.deepEqual([issuer.isBegun, issuer.signers.site], [true, "house-7"]);
    assert.notDeepEqual(issuer.signers.owner.publicKey, issuer.signers.issuer.publicKey);
  });
});
