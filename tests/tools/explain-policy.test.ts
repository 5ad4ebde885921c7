// `tumbler explain` on locks with a master, holidays, codes of the keypad and doors for two: who holds a credential, which holiday refuses it
// until when, and what comes next, as the door itself then decides.

import assert from "node:assert/strict";
import { State as Value } from "../../firmware/core/storage/places";
import { Role } from "../../protocol/wire/entry";
import { Mode, OfflineKind, packHoliday, Setting } from "../../protocol/wire/settings";
import type { Door } from "../support/door";
import { ruinRecord, wear } from "./inspect-support";
import {
  dayOf,
  fullDoor,
  offlineAt,
  ownFolder,
  run,
  STRICT,
  secretsOf,
  set,
  strictDoor,
  widest,
  writeImage,
} from "./support";

const VISITOR = "805317";

describe("tumbler explain: master, holidays, keypad, two persons", () => {
  const at = ownFolder();
  let door: Door;
  let image: string;

  before(() => {
    door = strictDoor();
    door.apply(door.pin(8, VISITOR, { role: Role.prospect }));
    image = writeImage(at("strict.img"), door);
  });

  /** The text without its title, a line each, and what the JSON says; both must agree. */
  async function ask(pin: string, time: string, more: { path?: string; bound?: number } = {}) {
    const args = [
      "explain",
      more.path ?? image,
      "--pin",
      pin,
      "--at",
      time,
      "--bound",
      String(more.bound ?? 0),
    ];
    const { out, code } = await run(args);
    const json = await run([...args, "--json"]);
    const told = JSON.parse(json.out);
    assert.equal(code, told.granted ? 0 : 1);
    assert.equal(json.code, code);
    assert.ok(widest(out) <= 80, out);
    for (const secret of secretsOf(door)) assert.ok(!(out + json.out).includes(secret), secret);
    const [title, blank, ...lines] = out.trimEnd().split("\n");
    assert.deepEqual([title, blank], [told.granted ? "Granted" : "Refused", ""]);
    return { told, lines, reason: told.reason.name };
  }

  it("C17 names the master, who opens at any time and while nobody knows it", async () => {
    const terms = [
      "  rule          granted: the door opens",
      "  advice        nothing to do",
      "  credential    the master",
      "  terms         the master opens whatever the mode and the hours are",
      "  changes       not by itself, as far as can be seen",
    ];
    for (const [time, bound] of [
      ["2027-03-01T12:00", 0],
      ["2027-05-06T12:00", 0],
      ["2027-12-25T12:00", 301],
    ] as const) {
      const { told, lines } = await ask(STRICT.master, time, { bound });
      assert.deepEqual(lines.slice(2), terms);
      const { holder, slot, code, holidays, next } = told;
      assert.deepEqual(
        { holder, slot, code, holidays, next },
        {
          holder: "master",
          slot: null,
          code: null,
          holidays: [],
          next: null,
        },
      );
    }
  });

  it("C24 names a code of the keypad, its place and who made it", async () => {
    const { told, lines } = await ask(STRICT.codes[0], "2027-03-01T12:00");
    assert.deepEqual(lines, [
      "  at            Mon 2027-03-01 12:00:00 +01:00 (2027-03-01 11:00:00 UTC)",
      "  clock         set, at most 0 s off",
      "  rule          granted: the door opens",
      "  advice        nothing to do",
      "  credential    code of 6 digits programmed at the keypad, in place 0",
      "  made by       user 1000",
      "  mode          tour",
      "  changes       Thu 2027-05-06 00:00:00 +02:00 (2027-05-05 22:00:00 UTC)",
      "  then          holiday: closed on this day",
    ]);
    const code = { place: 0, lost: false, digits: 6, user: 1000, backed: "yes" };
    assert.deepEqual([told.holder, told.slot, told.code], ["local", null, code]);
    const master = await ask(STRICT.codes[2], "2027-03-01T12:00");
    assert.ok(master.lines.includes("  made by       the master"));
    assert.equal(master.told.code.user, null);
  });

  it("C24 T17 tells when a code falls with whoever made it, at the instant that is asked about", async () => {
    const changes = async (bound: number): Promise<string[]> =>
      (await ask(STRICT.codes[1], "2027-03-31T12:00", { bound })).lines.slice(-2);
    assert.deepEqual(await changes(0), [
      "  changes       Thu 2027-04-01 02:00:00 +02:00 (2027-04-01 00:00:00 UTC)",
      "  then          disabled: the credential is switched off",
    ]);
    assert.match((await changes(300))[0], /2027-04-01 01:55:00 /);
    for (const [time, bound, reason] of [
      ["2027-03-31T23:59:59Z", 0, "granted"],
      ["2027-04-01T00:00:00Z", 0, "disabled"],
      ["2027-03-31T23:54:59Z", 300, "granted"],
      ["2027-03-31T23:55:00Z", 300, "disabled"],
      ["2027-03-31T12:00:00Z", 301, "disabled"],
    ] as const)
      assert.equal((await ask(STRICT.codes[1], time, { bound })).reason, reason, `${time} ${bound}`);
    const fell = await ask(STRICT.codes[1], "2027-04-02");
    assert.ok(
      fell.lines.includes("  made by       user 1001, who may not program any more: it fell with that"),
    );
    assert.deepEqual([fell.told.code.backed, fell.told.next], ["no", null]);
    const unknown = await ask(STRICT.codes[1], "2027-03-01T12:00", { bound: 301 });
    assert.ok(
      unknown.lines.includes("  made by       user 1001, whose access ends: nobody knows whether it did"),
    );
    const left = await ask(STRICT.codes[3], "2027-03-01T12:00");
    assert.ok(
      left.lines.includes("  made by       user 1002, who may not program any more: it fell with that"),
    );
  });

  it("C24 tells that codes of the keypad are forbidden", async () => {
    const strict = strictDoor();
    strict.apply(set(Setting.localCodes, new Uint8Array([0])));
    const path = writeImage(at("forbidden.img"), strict);
    const { reason, lines } = await ask(STRICT.codes[0], "2027-03-01T12:00", { path });
    assert.equal(reason, "disabled");
    assert.ok(lines.includes("  local codes   forbidden by the lock's setting"));
  });

  it("T7 tells which holiday refuses, until when, and what comes next", async () => {
    const one = await ask(STRICT.codes[0], "2027-05-06T12:00");
    assert.equal(one.reason, "holiday");
    assert.deepEqual(one.lines.slice(6), [
      "  holiday 3     2027-05-06",
      "                refused: team, guest",
      "  holiday 63    2027-05-06 until 2027-05-07, included",
      "                the mode is resident",
      "  mode          tour; resident by holiday 63",
      "  changes       Fri 2027-05-07 00:00:00 +02:00 (2027-05-06 22:00:00 UTC)",
      "  then          granted: the door opens",
    ]);
    assert.deepEqual(
      one.told.holidays.map(({ number }: { number: number }) => number),
      [3, 63],
    );
    const many = await ask(STRICT.user, "2027-12-24T10:00");
    assert.equal(many.reason, "holiday");
    assert.ok(many.lines.includes("  holiday 0     2027-12-24 until 2027-12-26, included"));
    assert.ok(many.lines.includes("                refused: everybody but admin"));
    const admin = await ask(STRICT.owner, "2027-12-24T10:00");
    assert.deepEqual([admin.reason, admin.told.holidays], ["granted", []]);
  });

  it("T7 T12 grows a holiday by the bound at both ends", async () => {
    for (const [time, bound, numbers] of [
      ["2027-05-05T23:59:59", 0, []],
      ["2027-05-05T23:59:59", 1, [3, 63]],
      ["2027-05-06T23:59:59", 0, [3, 63]],
      ["2027-05-07T00:01:00", 60, [63]],
      ["2027-05-07T00:01:00", 61, [3, 63]],
      ["2027-05-08T00:00:00", 0, []],
    ] as const) {
      const { told, reason } = await ask(STRICT.codes[0], time, { bound });
      const found = told.holidays.map(({ number }: { number: number }) => number);
      assert.deepEqual(found, numbers, `${time} ${bound}`);
      assert.equal(
        reason === "holiday",
        [...numbers].some((number: number) => number === 3),
        `${time} ${bound}`,
      );
    }
  });

  it("A60 tells a holiday whose mode does not admit the role", async () => {
    const { reason, lines } = await ask(VISITOR, "2027-05-07T12:00");
    assert.equal(reason, "wrong-mode");
    assert.deepEqual(lines.slice(-5), [
      "  holiday 63    2027-05-06 until 2027-05-07, included",
      "                the mode is resident",
      "  mode          tour; resident by holiday 63",
      "  changes       Sat 2027-05-08 00:00:00 +02:00 (2027-05-07 22:00:00 UTC)",
      "  then          granted: the door opens",
    ]);
  });

  it("T7 A60 tells all modes of holidays that fall on one day, on 80 columns", async () => {
    const strict = strictDoor();
    const first = dayOf("2027-03-01");
    for (let n = 10; n < 16; n++)
      strict.apply(set(Setting.holiday + n, packHoliday({ first, days: 9, roles: 0, mode: Mode.resident })));
    const { lines } = await ask(STRICT.owner, "2027-03-01T12:00", {
      path: writeImage(at("modes.img"), strict),
    });
    const mode = lines.findIndex((line) => line.startsWith("  mode"));
    assert.deepEqual(lines.slice(mode, mode + 3), [
      "  mode          tour; resident by holiday 10; resident by holiday 11;",
      "                resident by holiday 12; resident by holiday 13;",
      "                resident by holiday 14; resident by holiday 15",
    ]);
  });

  it("T11 T12 takes the time for unknown above the lock's own bound, and holidays with it", async () => {
    const known = await ask(STRICT.codes[0], "2027-03-01T12:00", { bound: 300 });
    assert.equal(known.lines[1], "  clock         set, at most 300 s off");
    const { lines, reason, told } = await ask(STRICT.codes[0], "2027-03-01T12:00", { bound: 301 });
    assert.deepEqual([reason, told.clock.known], ["clock-unknown", false]);
    assert.equal(lines[1], "  clock         unknown: its error bound is above 300 s");
    assert.ok(lines.includes("  holidays      3 holidays set: nobody knows whether it is one"));
    const admin = await ask(STRICT.owner, "2027-03-01T12:00", { bound: 301 });
    assert.ok(!admin.lines.some((line) => line.includes("holidays")));
  });

  it("C15 tells that a second person is needed", async () => {
    const { lines, reason } = await ask(STRICT.user, "2027-03-01T12:00");
    assert.equal(reason, "needs-second");
    assert.ok(lines.includes("  second        needs a second person within 30 s, not user 1003 again"));
    const early = await ask(STRICT.user, "2027-03-01T08:00");
    assert.equal(early.reason, "outside-schedule");
    assert.ok(!early.lines.some((line) => line.startsWith("  second")));
    assert.equal(
      early.lines.at(-1),
      "  then          needs-second: a second person must present a credential",
    );
  });

  it("tells holidays that are lost, and what is lost that somebody may hold", async () => {
    const strict = strictDoor();
    wear(strict, 1, () => 99);
    const { settings, states } = strict.lock.parts.table.places;
    const path = writeImage(at("lost.img"), strict, (bytes) => {
      for (const n of [0, 3]) ruinRecord(bytes, settings[Setting.holiday + n]);
      ruinRecord(bytes, settings[Setting.master]);
      for (const place of [1, 2]) ruinRecord(bytes, states[Value.local + place]);
    });
    const { lines, reason, told } = await ask(STRICT.codes[0], "2027-03-01T12:00", { path });
    assert.equal(reason, "holiday");
    assert.ok(lines.includes("  holidays      0, 3 lost: everybody but admin is refused, always"));
    assert.deepEqual(told.holidays, [
      { number: 0, lost: true },
      { number: 3, lost: true },
    ]);
    const nobody = await ask(STRICT.master, "2027-03-01T12:00", { path });
    assert.deepEqual([nobody.reason, nobody.told.holder], ["unknown", "nobody"]);
    assert.deepEqual(nobody.lines.slice(4, 7), [
      "  credential    held by nobody that can be read",
      "                the master lost, 2 codes of the keypad lost,",
      "                see `tumbler inspect`",
    ]);
    const stranger = await ask("314159", "2027-03-01T12:00");
    assert.equal(
      stranger.lines[4],
      "  credential    held by nobody: no slot, no code of the keypad, not the master",
    );
  });

  it("C23 names an offline code, one that is denied, and says when nobody knows which are", async () => {
    const full = fullDoor();
    const path = writeImage(at("full.img"), full);
    const good = await ask(offlineAt(full, 1), "2027-03-01T12:00", { path });
    assert.deepEqual(good.lines.slice(4), [
      "  credential    offline code: day 1 of 2027-03-01",
      "  mode          tour",
      "  changes       not by itself, as far as can be seen",
    ]);
    assert.deepEqual(good.told.offline, { kind: "day", index: 1, date: "2027-03-01", denied: false });
    for (const [code, name] of [
      [offlineAt(full, 0), "day 0"],
      [offlineAt(full, 2, OfflineKind.once), "once 2"],
      [offlineAt(full, 1, OfflineKind.week), "week 1"],
    ]) {
      const bad = await ask(code, "2027-03-01T12:00", { path });
      assert.deepEqual([bad.reason, bad.told.offline.denied], ["unknown", true]);
      assert.deepEqual(bad.lines.slice(4, 6), [
        `  credential    offline code: ${name} of 2027-03-01`,
        "  denied        by the issuer, to the end of its window",
      ]);
    }
    const later = await ask(offlineAt(full, 1), "2027-03-02T12:00", { path });
    assert.deepEqual([later.reason, later.told.offline], ["unknown", null]);
    wear(full, 1, () => 99);
    const { settings } = full.lock.parts.table.places;
    const lost = writeImage(at("denied-lost.img"), full, (bytes) =>
      ruinRecord(bytes, settings[Setting.offlineDenied]),
    );
    const nobody = await ask(offlineAt(full, 1), "2027-03-01T12:00", { path: lost });
    assert.equal(nobody.reason, "unknown");
    assert.ok(nobody.lines.some((line) => line.includes("the denied offline codes lost")));
  });

  it("T17 agrees with the door itself, for each credential around every edge", async () => {
    const world = strictDoor();
    const path = writeImage(at("world.img"), world);
    const edges = ["2027-04-01T00:00Z", "2027-05-05T22:00Z", "2027-05-06T22:00Z", "2027-12-23T23:00Z"];
    for (const edge of edges)
      for (const seconds of [-2, 0, 2, 3 * 3600]) {
        world.now = Date.parse(edge) / 1000 + seconds;
        world.setTime();
        world.lock.tick();
        const { now, bound } = world.lock.parts.clock.read();
        const time = new Date(now * 1000).toISOString().replace(".000", "");
        for (const pin of [
          STRICT.owner,
          STRICT.guard,
          STRICT.user,
          STRICT.master,
          ...STRICT.codes.slice(0, 4),
        ]) {
          const { reason } = await ask(pin, time, { path, bound });
          assert.equal(reason, world.type(pin), `${pin} at ${time}`);
        }
      }
  });
});
