// Settings of doors at the issuer (rules A21, A30, A34, A60, C17, C18, C24, T7, T11, T16, X1): what each method takes, the bytes that the lock
// is told, the order of the deltas, and that nothing of a master leaves the journal but its tag.

import { strict as assert } from "node:assert";
import { createHmac } from "node:crypto";
import type { Issuer } from "../../../protocol/issuer/issuer";
import { Code } from "../../../protocol/wire/codes";
import { Role } from "../../../protocol/wire/entry";
import { Mode, packHours, Setting } from "../../../protocol/wire/settings";
import { parseSheet } from "../../../tools/csv";
import { hex } from "../../support/cbor";
import { takeApart } from "./model-lock";
import { NOW, Rig } from "./rig";

const SCHEDULES = "schedule,days,start,end\nshop,mon-fri,09:00,18:00\nnight,daily,22:00,06:00";

/** Deltas of the next bundle in few words: the op, and what it is about. */
async function planned(rig: Rig): Promise<string[]> {
  const [bundle] = await rig.bundles();
  if (bundle === undefined) return [];
  const deltas = takeApart(bundle, "tumbler/1 bundle").fields.get(7) as [number, Map<number, unknown>][];
  const words = [
    "",
    "put",
    "change",
    "drop",
    "",
    "",
    "revoke",
    "put-schedule",
    "drop-schedule",
    "",
    "",
    "set",
  ];
  return deltas.map(([op, fields]) => (op === 1 ? "put" : `${words[op]} ${fields.get(op === 6 ? 4 : 0)}`));
}

/** The values of settings at the lock of "main", in hexadecimal. */
async function synced(rig: Rig): Promise<ReadonlyMap<number, string>> {
  await rig.sync();
  assert.ok(rig.report().isSettled);
  return rig.model().state.settings;
}

const stateOf = (rig: Rig, name: string) => rig.report().settings.find(({ setting }) => setting === name);
const refuses = (done: Promise<void>, wanted: RegExp) =>
  assert.rejects(done, (error: unknown) => error instanceof RangeError && wanted.test(error.message));

describe("settings of a door: what is taken", () => {
  const cases: [
    string,
    [string, (issuer: Issuer) => Promise<void>][],
    ((issuer: Issuer) => Promise<void>)[],
  ][] = [
    [
      "A60 mode",
      [["02", (issuer) => issuer.settings.setMode("main", Mode.resident)]],
      [(issuer) => issuer.settings.setMode("main", 3), (issuer) => issuer.settings.setMode("main", -1)],
    ],
    [
      "M6 relock",
      [
        ["0e10", (issuer) => issuer.settings.setRelock("main", 3600)],
        ["0000", (issuer) => issuer.settings.setRelock("main", 0)],
      ],
      [
        (issuer) => issuer.settings.setRelock("main", 3601),
        (issuer) => issuer.settings.setRelock("main", 1.5),
      ],
    ],
    [
      "C18 density",
      [
        ["00000001", (issuer) => issuer.settings.setDensity("main", 1)],
        ["ffffffff", (issuer) => issuer.settings.setDensity("main", 0xffffffff)],
      ],
      [
        (issuer) => issuer.settings.setDensity("main", 0),
        (issuer) => issuer.settings.setDensity("main", 2 ** 32),
      ],
    ],
    [
      "X1 lockout",
      [
        ["010000", (issuer) => issuer.settings.setLockout("main", { tries: 1, leastMinutes: 0 })],
        ["0505a0", (issuer) => issuer.settings.setLockout("main", { tries: 5, leastMinutes: 1440 })],
      ],
      [
        (issuer) => issuer.settings.setLockout("main", { tries: 0, leastMinutes: 0 }),
        (issuer) => issuer.settings.setLockout("main", { tries: 6, leastMinutes: 0 }),
        (issuer) => issuer.settings.setLockout("main", { tries: 5, leastMinutes: 1441 }),
        (issuer) => issuer.settings.setLockout("main", { tries: 5, leastMinutes: -1 }),
      ],
    ],
    [
      "C24 local codes",
      [
        ["00", (issuer) => issuer.settings.setLocalCodes("main", false)],
        ["01", (issuer) => issuer.settings.setLocalCodes("main", true)],
      ],
      [],
    ],
    [
      "T11 clock bound",
      [
        ["0001", (issuer) => issuer.settings.setClockBound("main", 1)],
        ["0e10", (issuer) => issuer.settings.setClockBound("main", 3600)],
      ],
      [
        (issuer) => issuer.settings.setClockBound("main", 0),
        (issuer) => issuer.settings.setClockBound("main", 3601),
      ],
    ],
    [
      "T7 holiday",
      [
        // 24 December 2027 is day 21,176; all but administrators are refused where nothing else is said.
        ["52b800037eff", (issuer) => issuer.settings.setHoliday("main", 0, { first: "2027-12-24", days: 3 })],
        [
          "52b8016e18ff",
          (issuer) =>
            issuer.settings.setHoliday("main", 63, {
              first: "2027-12-24",
              days: 366,
              roles: [Role.guest, Role.prospect],
            }),
        ],
        [
          "52b800010001",
          (issuer) =>
            issuer.settings.setHoliday("main", 0, { first: "2027-12-24", days: 1, mode: Mode.tour }),
        ],
        ["00", (issuer) => issuer.settings.setHoliday("main", 0, undefined)],
      ],
      [
        (issuer) => issuer.settings.setHoliday("main", 64, undefined),
        (issuer) => issuer.settings.setHoliday("main", -1, undefined),
        (issuer) => issuer.settings.setHoliday("main", 0, { first: "2027-12-24", days: 0 }),
        (issuer) => issuer.settings.setHoliday("main", 0, { first: "2027-12-24", days: 367 }),
        (issuer) => issuer.settings.setHoliday("main", 0, { first: "2027-02-29", days: 1 }),
        (issuer) => issuer.settings.setHoliday("main", 0, { first: "2027-12-24T00:00", days: 1 }),
        (issuer) => issuer.settings.setHoliday("main", 0, { first: "2027-12-24", days: 1, roles: [] }),
        (issuer) => issuer.settings.setHoliday("main", 0, { first: "2027-12-24", days: 1, roles: [7] }),
        (issuer) => issuer.settings.setHoliday("main", 0, { first: "2027-12-24", days: 1, mode: 3 }),
        (issuer) =>
          issuer.settings.setHoliday("main", 0, { first: "2027-12-24", days: 1, roles: [3], mode: 1 }),
      ],
    ],
    [
      "T16 business hours",
      [
        [
          "010102d0",
          (issuer) =>
            issuer.settings.setHours("main", { schedule: "shop", firstIn: true, graceMinutes: 720 }),
        ],
        ["00000000", (issuer) => issuer.settings.setHours("main", undefined)],
      ],
      [
        (issuer) => issuer.settings.setHours("main", { schedule: "shop", firstIn: true, graceMinutes: 721 }),
        (issuer) => issuer.settings.setHours("main", { schedule: "shop", firstIn: true, graceMinutes: -1 }),
        (issuer) => issuer.settings.setHours("main", { schedule: "lunch", firstIn: true, graceMinutes: 0 }),
        (issuer) => issuer.settings.setHours("main", { schedule: "", firstIn: true, graceMinutes: 0 }),
      ],
    ],
    [
      "any of them as bytes",
      [["0010", (issuer) => issuer.settings.set("main", Setting.relockSeconds, new Uint8Array([0, 16]))]],
      [
        ...[0, 10, 15, 81, 256, 1.5].map(
          (id) => (issuer: Issuer) => issuer.settings.set("main", id, new Uint8Array([0])),
        ),
        ...[0, 2, 65].map(
          (size) => (issuer: Issuer) => issuer.settings.set("main", Setting.mode, new Uint8Array(size)),
        ),
        // These come with the door, and with methods of their own.
        (issuer) => issuer.settings.set("main", Setting.zone, new Uint8Array([85, 84, 67, 48])),
        (issuer) => issuer.settings.set("main", Setting.master, new Uint8Array([0])),
        (issuer) =>
          issuer.settings.set(
            "main",
            Setting.businessHours,
            packHours({ schedule: 1, firstIn: true, graceMinutes: 0 }),
          ),
      ],
    ],
  ];
  for (const [name, good, bad] of cases)
    it(`${name}: the limits, and none past them`, async () => {
      const rig = await Rig.make({ schedules: SCHEDULES });
      const told: string[] = [];
      for (const [wanted, set] of good) {
        const before = new Map(await synced(rig));
        await set(rig.issuer);
        const changed = [...(await synced(rig))].filter(([id, value]) => before.get(id) !== value);
        assert.deepEqual(
          changed.map(([, value]) => value),
          [wanted],
        );
        told.push(wanted);
        const { length } = rig.store.records;
        await set(rig.issuer);
        assert.equal(rig.store.records.length, length, "nothing new");
      }
      const before = rig.store.records.length;
      for (const set of bad) await refuses(set(rig.issuer), /./);
      assert.deepEqual([rig.store.records.length, told.length], [before, good.length]);
    });

  it("of a door that there is not is nothing", async () => {
    const { issuer } = await Rig.make();
    await refuses(issuer.settings.setMode("attic", 0), /none of this name/);
    await refuses(issuer.settings.setMaster("attic", "902817"), /none of this name/);
    await refuses(issuer.settings.setHours("attic", undefined), /none of this name/);
  });

  it("is told of a setting in the report: pending, confirmed, or why it failed", async () => {
    const rig = await Rig.make();
    await rig.issuer.settings.setLockout("main", { tries: 3, leastMinutes: 5 });
    assert.deepEqual(stateOf(rig, "lockout"), { setting: "lockout", state: "pending" });
    await rig.sync();
    assert.deepEqual(stateOf(rig, "lockout"), { setting: "lockout", state: "confirmed" });
    rig.model().refuse = (fields, op) => (op === 11 && fields.get(0) === 5 ? Code.unsupported : undefined);
    await rig.issuer.settings.setDensity("main", 100_000);
    await rig.sync();
    assert.deepEqual(stateOf(rig, "density"), {
      setting: "density",
      state: "failed",
      code: Code.unsupported,
    });
    assert.ok(rig.report().isSettled);
    await rig.issuer.settings.setClockBound("main", 60);
    await rig.bundles();
    for (let i = 0; i < 3; i++) await rig.issuer.attemptFailed(rig.id());
    assert.equal(stateOf(rig, "clock-bound")?.state, "unconfirmed");
  });
});

describe("C17, A21 the master of a door", () => {
  const tagAt = (rig: Rig, pin: string, door = "main") => {
    const { pinKey } = rig.issuer.directory.door(door).lock?.keys ?? {};
    return createHmac("sha256", pinKey ?? "")
      .update(`\x01${pin}`)
      .digest("hex")
      .slice(0, 24);
  };

  it("comes to the lock as its digits and a tag under the lock's own key, and goes as one byte", async () => {
    const rig = await Rig.make({ doors: { main: 1000, shed: 10 } });
    await rig.issuer.settings.setMaster("main", "902817");
    await rig.issuer.settings.setMaster("shed", "902817");
    assert.equal((await synced(rig)).get(Setting.master), `06${tagAt(rig, "902817")}`);
    await rig.sync("shed");
    assert.equal(rig.model("shed").master, tagAt(rig, "902817", "shed"));
    assert.notEqual(rig.model("shed").master, rig.model().master);
    await rig.issuer.settings.setMaster("main", undefined);
    assert.equal((await synced(rig)).get(Setting.master), "00");
  });

  it("has 4 to 10 digits and is not weak; the error does not tell it", async () => {
    const { issuer } = await Rig.make();
    for (const pin of ["", "471", "47110896235", "47 11", "4711a", "４７１１"])
      await refuses(issuer.settings.setMaster("main", pin), /master of main: wanted 4 to 10 digits/);
    for (const pin of ["4444", "456789", "470007", "471471"]) {
      await refuses(issuer.settings.setMaster("main", pin), /master of main: .* harder to guess/);
      await refuses(issuer.settings.setMaster("main", pin), new RegExp(`^(?!.*${pin})`));
    }
    await issuer.settings.setMaster("main", "4711");
    await issuer.settings.setMaster("main", "4711089623");
  });

  it("is no PIN of anybody at the door, and no such beginning, and the other way round", async () => {
    const people = "anna,Anna,team,all,471108,,,,,,,\nben,Ben,team,shed,902817,,,,,,,";
    const rig = await Rig.make({ doors: { main: 1000, shed: 1000 }, people });
    const wanted = /^master of main: wanted a PIN whose first four digits begin no other code at the door$/;
    for (const pin of ["471108", "4711", "4711965"])
      await refuses(rig.issuer.settings.setMaster("main", pin), wanted);
    // Ben does not open this door.
    await rig.issuer.settings.setMaster("main", "902817");
    const row = { person: "cleo", name: "", role: "team", keys: "all", pin: "902811" };
    const elsewhere = { ...row, keys: "shed", pin: "902899" };
    const errors = await rig.issuer.addPerson(row, NOW);
    assert.match(errors[0].wanted, /begin no other code at the door main$/);
    assert.match((await rig.issuer.addPerson(elsewhere, NOW))[0].wanted, /at the door shed$/);
    await rig.issuer.revoke("anna");
    await rig.issuer.settings.setMaster("main", "471108");
  });

  it("takes over the PIN that somebody had until now: that slot is emptied first", async () => {
    const rig = await Rig.make({ people: "anna,Anna,team,all,471108,,,,,,," });
    await rig.issuer.settings.setMaster("main", "902817");
    await rig.sync();
    await rig.issuer.settings.setMaster("main", undefined);
    const row = { person: "anna", name: "", role: "team", keys: "all", pin: "902817" };
    assert.deepEqual(await rig.issuer.changePerson(row, NOW), []);
    await rig.issuer.settings.setMaster("main", "471108");
    assert.deepEqual(await planned(rig), ["drop 0", `set ${Setting.master}`, "put"]);
    await synced(rig);
    assert.equal(rig.model().master, tagAt(rig, "471108"));
    assert.deepEqual([rig.inside(), rig.states()], [["anna"], ["anna pin confirmed"]]);
  });

  it("is told anew, with another tag, to the lock that the door gets next", async () => {
    const rig = await Rig.make();
    await rig.issuer.settings.setMaster("main", "902817");
    await rig.sync();
    const before = rig.model().master;
    await rig.bind("main", 1000, 2);
    await rig.sync();
    assert.equal(rig.model().master, tagAt(rig, "902817"));
    assert.notEqual(rig.model().master, before);
  });

  it("stands as digits in no mail, no report and no error", async () => {
    const rig = await Rig.make();
    await rig.issuer.settings.setMaster("main", "90281736");
    const told = [...(await rig.mail()).map(({ body }) => Buffer.from(body).toString("latin1"))];
    await rig.sync();
    told.push(JSON.stringify(rig.report()), JSON.stringify([...rig.model().state.settings]));
    for (const text of told)
      assert.ok(!text.includes("90281736") && !text.includes(hex(Buffer.from("90281736"))));
  });

  it("says when the lock refuses it, as one that makes guessing too easy", async () => {
    const rig = await Rig.make();
    rig.model().refuse = (fields, op) => (op === 11 && fields.get(0) === 4 ? Code.pinTooShort : undefined);
    await rig.issuer.settings.setMaster("main", "4711");
    await rig.sync();
    assert.deepEqual(stateOf(rig, "master"), { setting: "master", state: "failed", code: Code.pinTooShort });
    rig.model().refuse = undefined;
    await rig.issuer.settings.setMaster("main", "471108");
    await rig.sync();
    assert.equal(stateOf(rig, "master")?.state, "confirmed");
  });
});

describe("T16, A30 business hours and their schedule", () => {
  const hours = (schedule: string) => ({ schedule, firstIn: true, graceMinutes: 15 });

  it("put their schedule first, and keep it while they name it", async () => {
    const rig = await Rig.make({ schedules: SCHEDULES, people: "anna,,team,all,471108,,,,shop,,," });
    await rig.sync();
    await rig.issuer.settings.setHours("main", hours("night"));
    assert.deepEqual(await planned(rig), ["put-schedule 2", `set ${Setting.businessHours}`]);
    await rig.issuer.revoke("anna");
    assert.equal((await synced(rig)).get(Setting.businessHours), "0201000f");
    assert.deepEqual([...rig.model().state.schedules.keys()], [2]);
    await rig.issuer.settings.setHours("main", undefined);
    assert.deepEqual(await planned(rig), [`set ${Setting.businessHours}`, "drop-schedule 2"]);
    await synced(rig);
    assert.deepEqual([...rig.model().state.schedules.keys()], []);
  });

  it("follow their schedule: an edit is one delta, and a part of a shared one another id", async () => {
    const rig = await Rig.make({
      schedules: `${SCHEDULES}\nalso shop,mon-fri,09:00,18:00`,
      people: "anna,,team,all,471108,,,,also shop,,,",
    });
    await rig.issuer.settings.setHours("main", hours("shop"));
    assert.equal((await synced(rig)).get(Setting.businessHours), "0101000f");
    const edit = (text: string) => ({
      schedules: parseSheet("schedules.csv", `schedule,days,start,end\n${text}`),
    });
    await rig.issuer.importSheets(edit("shop,mon-fri,10:00,18:00"), NOW);
    assert.equal((await synced(rig)).get(Setting.businessHours), "0201000f");
    assert.deepEqual([...rig.model().state.schedules.keys()], [1, 2]);
    await rig.issuer.importSheets(edit("shop,mon-fri,10:00,19:00"), NOW);
    assert.deepEqual(await planned(rig), ["put-schedule 2"]);
    await synced(rig);
  });

  it("keep the schedule of the hours that the lock has, when it refuses other ones", async () => {
    const rig = await Rig.make({ schedules: SCHEDULES, people: "anna,,team,all,471108,,,,shop,,," });
    await rig.issuer.settings.setHours("main", hours("shop"));
    await rig.sync();
    rig.model().refuse = (fields, op) => (op === 11 && fields.get(0) === 7 ? Code.unsupported : undefined);
    await rig.issuer.settings.setHours("main", hours("night"));
    await rig.sync();
    assert.equal(stateOf(rig, "business-hours")?.state, "failed");
    assert.equal(rig.model().state.settings.get(Setting.businessHours), "0101000f");
    await rig.issuer.switchPerson("anna", true);
    await rig.issuer.changePerson({ person: "anna", name: "", role: "team", keys: "" }, NOW);
    assert.deepEqual(await planned(rig), ["drop 0"]);
    await rig.sync();
    assert.ok(rig.model().state.schedules.has(1));
  });

  it("are told anew to the lock that the door gets next", async () => {
    const rig = await Rig.make({ schedules: SCHEDULES, doors: { main: 10 } });
    await rig.issuer.settings.setHours("main", hours("night"));
    await rig.sync();
    await rig.bind("main", 10, 2);
    assert.equal((await synced(rig)).get(Setting.businessHours), "0101000f");
    assert.deepEqual([...rig.model().state.schedules.values()], [[[127, 1320, 480]]]);
  });
});

describe("settings in the journal", () => {
  it("give the same issuer again", async () => {
    const rig = await Rig.make({ schedules: SCHEDULES, people: "anna,,team,all,471108,,,,shop,,," });
    await rig.issuer.settings.setMaster("main", "902817");
    await rig.issuer.settings.setHours("main", { schedule: "night", firstIn: false, graceMinutes: 0 });
    await rig.issuer.settings.setHoliday("main", 5, { first: "2027-12-24", days: 2 });
    await rig.sync();
    await rig.issuer.settings.setMaster("main", undefined);
    const view = () => [structuredClone(rig.issuer.directory), rig.report()];
    const before = view();
    await rig.reopen();
    assert.deepEqual(view(), before);
    await synced(rig);
  });
});
