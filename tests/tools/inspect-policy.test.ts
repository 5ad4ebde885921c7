// `tumbler inspect`, what it tells of the settings, holidays, business hours and keypad of a lock: as they were set and typed, as the
// lock then acts, and of those that are lost by name, with what that means at the door.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { State as Value } from "../../firmware/core/storage/places";
import { ascii, toHex } from "../../protocol/wire/bytes";
import { Flag, Role } from "../../protocol/wire/entry";
import {
  OfflineKind,
  packHoliday,
  packHours,
  packNone,
  SETTINGS,
  Setting,
  settingName,
} from "../../protocol/wire/settings";
import { unpackImage } from "../../simulator/board/image";
import { damageText } from "../../tools/inspection/damage";
import { Door, L500I, LOCK_1000 } from "../support/door";
import { bootFrom } from "../support/door-faults";
import { look, ruinBlock, ruinRecord, section, wear } from "./inspect-support";
import {
  dayOf,
  fullDoor,
  menu,
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

const HOUR_S = 3600;
const OFF = { schedule: 0, firstIn: false, graceMinutes: 0 };
const BY_ITSELF = { ...OFF, schedule: 1 };

describe("tumbler inspect: settings, holidays, hours and keypad", () => {
  const at = ownFolder();
  let images = 0;

  const imageOf = (door: Door, spoil?: (bytes: Uint8Array) => void): string =>
    writeImage(at(`${++images}.img`), door, spoil);

  /** Lets time pass, tells it to the lock, and ticks. */
  function pass(door: Door, seconds: number): void {
    door.now += seconds;
    door.setTime();
    door.lock.tick();
  }

  describe("settings", () => {
    it("are told by name as they were set", async () => {
      const { out, code, state } = await look(imageOf(strictDoor()));
      assert.equal(code, 0);
      assert.deepEqual(section(out, "Settings"), [
        "  zone          CET-1CEST,M3.5.0,M10.5.0/3,",
        "                with a table of 2 changes until 2028-03-26 03:00:00",
        "  mode          tour",
        "  relock        after 7 s",
        "  master        set, 8 digits",
        "  density       ρ up to 0.0005 by a put",
        "  lockout       waits from the 3rd wrong entry on, 30 min at least",
        "  hours         schedule 1, after a first-in person, 30 min early at most",
        "  local codes   allowed",
        "  clock bound   above 300 seconds the time is unknown",
        "  leases        not set: none",
        "  sealed        none",
        "  offline       not set: no code opens",
        "  denied        none",
        "  reset delay   not set: never without the owner's consent",
      ]);
      const { holidays, ...others } = state.settings;
      assert.equal(holidays.length, 3);
      assert.deepEqual(others, {
        zone: "CET-1CEST,M3.5.0,M10.5.0/3",
        zoneTable: { changes: 2, until: "2028-03-26T01:00:00Z" },
        mode: "tour",
        relockSeconds: 7,
        master: { digits: 8 },
        densityLimit: 0.0005,
        lockout: { tries: 3, leastMinutes: 30 },
        businessHours: { schedule: 1, firstIn: true, graceMinutes: 30 },
        localCodes: true,
        clockBound: 300,
        leaseDays: null,
        sealed: [],
        offlineCodes: null,
        offlineDenied: null,
        resetDelay: null,
      });
      assert.ok(widest(out) <= 80);
    });

    it("that nobody set are told with what holds, and nothing is told of what nobody made", async () => {
      const { out, state } = await look(imageOf(new Door()));
      assert.deepEqual(section(out, "Settings"), [
        "  zone          not set: UTC",
        "  mode          normal",
        "  relock        not set: after 5 s",
        "  master        none",
        "  density       not set: ρ up to 0.001 by a put",
        "  lockout       not set: waits from the 5th wrong entry on",
        "  hours         none",
        "  local codes   not set: allowed",
        "  clock bound   not set: above 600 seconds the time is unknown",
        "  leases        not set: none",
        "  sealed        none",
        "  offline       not set: no code opens",
        "  denied        none",
        "  reset delay   not set: never without the owner's consent",
      ]);
      for (const title of ["Holidays", "Business hours", "Codes programmed", "Lockout"])
        assert.ok(!out.includes(`\n${title}`), title);
      assert.deepEqual(
        [state.settings.holidays, state.businessHours, state.localCodes, state.lockout],
        [[], null, [], { wrong: 0, wait: 0 }],
      );
    });

    it("S12 X5 C23 X11 are told of leases, secrets, offline codes and the reset; no secret is", async () => {
      const door = fullDoor();
      const { out, state } = await look(imageOf(door));
      assert.deepEqual(section(out, "Settings").slice(-6), [
        "  leases        for 7 days",
        "  sealed        alias set, wifi set, broker set",
        "  offline       day, once: 3 of each at a time",
        "  denied        day 0 of 2027-03-01, once 2 of 2027-03-01,",
        "                week 1 of 2027-03-01",
        "  reset delay   after 48 h without the owner's consent",
      ]);
      const { leaseDays, sealed, offlineCodes, offlineDenied, resetDelay } = state.settings;
      assert.deepEqual(
        { leaseDays, sealed, offlineCodes, resetDelay },
        {
          leaseDays: 7,
          sealed: ["alias", "wifi", "broker"],
          offlineCodes: { kinds: ["day", "once"], indexes: 3 },
          resetDelay: 48,
        },
      );
      assert.deepEqual(offlineDenied?.[2], { kind: "week", index: 1, date: "2027-03-01" });
      for (const secret of ["Shed", "cellar", "hunter22", "broker.example"])
        assert.ok(!out.includes(secret) && !JSON.stringify(state).includes(secret), secret);
      door.apply(set(Setting.offlineDenied, packNone()), set(Setting.offlineCodes, Uint8Array.of(0, 1)));
      const { out: none } = await look(imageOf(door));
      assert.match(none, /^ {2}offline {7}no code opens$/m);
      assert.match(none, /^ {2}denied {8}none$/m);
    });

    it("that were taken back are none", async () => {
      const door = strictDoor();
      const taken = [set(Setting.master, packNone()), set(Setting.businessHours, packHours(OFF))];
      assert.deepEqual(door.apply(...taken), ["applied", "applied"]);
      const { out, state } = await look(imageOf(door));
      assert.match(out, /^ {2}master {8}none$/m);
      assert.match(out, /^ {2}hours {9}none$/m);
      assert.deepEqual([state.settings.master, state.settings.businessHours], [null, null]);
      assert.equal(state.businessHours, null);
    });

    it("T16 say when hours wait for nobody, and for whom without a grace", async () => {
      const door = strictDoor();
      for (const [firstIn, text] of [
        [false, "schedule 1, by itself"],
        [true, "schedule 1, after a first-in person"],
      ] as const) {
        door.apply(set(Setting.businessHours, packHours({ schedule: 1, firstIn, graceMinutes: 0 })));
        assert.match((await look(imageOf(door))).out, new RegExp(`^ {2}hours {9}${text}$`, "m"));
      }
    });
  });

  it("T7 tells holidays with their dates and what they do", async () => {
    const door = strictDoor();
    const every = packHoliday({ first: 0, days: 366, roles: 0x7f, mode: 0xff });
    const some = packHoliday({ first: 65_000, days: 1, roles: 0x5a, mode: 0xff });
    door.apply(set(Setting.holiday + 61, every), set(Setting.holiday + 62, some));
    const { out, state } = await look(imageOf(door));
    assert.deepEqual(section(out, "Holidays"), [
      "  id  first       last        on these dates",
      "   0  2027-12-24  2027-12-26  refused: everybody but admin",
      "   3  2027-05-06  2027-05-06  refused: team, guest",
      "  61  1970-01-01  1971-01-01  refused: everybody",
      "  62  2147-12-19  2147-12-19  refused: resident, guest, prospect,",
      "                              remote-only",
      "  63  2027-05-06  2027-05-07  the mode is resident",
    ]);
    const [, third] = state.settings.holidays;
    const dates = { first: "2027-05-06", last: "2027-05-06" };
    assert.deepEqual(third, { number: 3, lost: false, ...dates, refuses: ["team", "guest"], mode: null });
    const last = state.settings.holidays.at(-1);
    assert.deepEqual(last, {
      number: 63,
      lost: false,
      ...dates,
      last: "2027-05-07",
      refuses: [],
      mode: "resident",
    });
  });

  it("T16 tells how the hours stood at the last time that the lock knew", async () => {
    const door = strictDoor();
    const expectHours = async (standing: string, time: string, ...more: string[]): Promise<void> => {
      const { out, state } = await look(imageOf(door));
      assert.equal(state.businessHours?.standing, door.lock.hours.standing);
      assert.equal(state.businessHours?.asOf, `2027-03-01T${time}Z`);
      const local = new Date(Date.parse(`2027-03-01T${time}Z`) + HOUR_S * 1000).toISOString();
      assert.deepEqual(section(out, "Business hours"), [
        "  schedule 1    Mon–Fri 09:00–17:00",
        `  standing      ${standing}`,
        `  as of         2027-03-01 ${local.slice(11, 19)}, the last time that the lock knew`,
        ...more,
      ]);
    };
    pass(door, 0);
    await expectHours("closed", "07:00:00");
    pass(door, 1.5 * HOUR_S);
    await expectHours("waiting for first-in", "08:30:00");
    assert.equal(door.type(STRICT.owner), "granted");
    door.lock.tick();
    await expectHours("open", "08:30:00", "  first in      2027-03-01 09:30:00");
    pass(door, HOUR_S);
    menu(door, STRICT.owner, "4");
    await expectHours("relocked", "09:30:00", "  relocked      2027-03-01 10:30:00");
    menu(door, STRICT.owner, "5");
    const resumed = "  first in      2027-03-01 10:30:00";
    await expectHours("open", "09:30:00", resumed);
    menu(door, STRICT.owner, "6", "10");
    await expectHours("held", "09:30:00", resumed, "  held until    2027-03-01 20:30:00");
    door.now += 60;
    menu(door, STRICT.owner, "6", "11");
    await expectHours("held", "09:31:00", resumed, "  held until    2027-03-01 21:31:00");
    const { businessHours } = (await look(imageOf(door))).state;
    assert.deepEqual(
      [businessHours?.firstIn, businessHours?.relocked, businessHours?.heldUntil],
      ["2027-03-01T09:30:00Z", null, "2027-03-01T20:31:00Z"],
    );
    pass(door, 11 * HOUR_S);
    await expectHours("closed", "20:31:00");
  });

  it("T16 tells hours on a holiday as closed, and of a lock that never knew the time", async () => {
    const door = strictDoor();
    const today = packHoliday({ first: dayOf("2027-03-01"), days: 1, roles: 8, mode: 0xff });
    door.apply(set(Setting.holiday + 9, today), set(Setting.businessHours, packHours(BY_ITSELF)));
    pass(door, 3 * HOUR_S);
    assert.equal((await look(imageOf(door))).state.businessHours?.standing, "closed");
    door.apply(set(Setting.holiday + 9, packNone()));
    assert.equal((await look(imageOf(door))).state.businessHours?.standing, "open");
    wear(door, 1, () => 99);
    const { states } = door.lock.parts.table.places;
    const path = imageOf(door, (bytes) => {
      ruinRecord(bytes, states[Value.time]);
      bytes.fill(0xff, bytes.length - LOCK_1000.eventBytes);
    });
    const { out, state } = await look(path);
    assert.deepEqual([state.businessHours?.standing, state.businessHours?.asOf], ["unknown-time", null]);
    assert.deepEqual(section(out, "Business hours").slice(1), [
      "  standing      locked, the time was never known",
    ]);
  });

  it("C24 tells codes of the keypad, by whom, and which open, as they then do", async () => {
    const door = strictDoor();
    const path = imageOf(door);
    const { out, state } = await look(path);
    assert.deepEqual(section(out, "Codes programmed at the keypad, 4 of 10"), [
      "  place  digits  made by     opens",
      "      0       6  user 1000   yes",
      "      1       6  user 1001   while the lock knows the time: its maker ends",
      "      2       6  the master  yes",
      "      3       6  user 1002   no: its maker may not any more",
    ]);
    const backed = ["yes", "with-time", "yes", "no"];
    const users = [1000, 1001, null, 1002];
    assert.deepEqual(
      state.localCodes,
      users.map((user, place) => ({ place, lost: false, digits: 6, user, backed: backed[place] })),
    );
    for (const isKnown of [true, false]) {
      bootFrom(door, unpackImage(readFileSync(path)));
      if (isKnown) door.setTime();
      const opened = STRICT.codes.slice(0, 4).map((code) => door.type(code));
      // With the time unknown holidays refuse all but administrators.
      const good = isKnown ? "granted" : "clock-unknown";
      assert.deepEqual(opened, [good, isKnown ? good : "disabled", good, "disabled"]);
    }
  });

  it("C24 tells that codes are forbidden", async () => {
    const door = strictDoor();
    assert.deepEqual(door.apply(set(Setting.localCodes, new Uint8Array([0]))), ["applied"]);
    const { out } = await look(imageOf(door));
    assert.match(out, /^ {2}local codes {3}forbidden, those there open nothing$/m);
    assert.match(out, /^ {6}0 {7}6 {2}user 1000 {3}no: forbidden$/m);
    assert.equal(door.type(STRICT.codes[0]), "disabled");
  });

  it("X1 tells how many wrong entries count, and the wait that a boot makes of them", async () => {
    const door = strictDoor();
    const lockout = async (): Promise<unknown[]> => {
      const { out, state } = await look(imageOf(door));
      const { wrong, wait } = state.lockout;
      return [wrong, wait, ...section(out, "Lockout")];
    };
    const text = (entries: string, next: string): string => `  ${entries} of the keypad ${next}`;
    assert.equal(door.type("000000"), "unknown");
    const atOnce = "counts; the next one may be made at once";
    assert.deepEqual(await lockout(), [1, 0, text("1 wrong entry", atOnce)]);
    for (let entry = 1; entry < 3; entry++) assert.equal(door.type("000000"), "unknown");
    const half = "count; the next one waits 30 min from power-on";
    assert.deepEqual(await lockout(), [3, 1800, text("3 wrong entries", half)]);
    for (let wait = 0; wait < 4; wait++) {
      door.now += HOUR_S - 1;
      door.type("000000");
    }
    const whole = "count; the next one waits 1 h from power-on";
    assert.deepEqual(await lockout(), [6, 3600, text("6 wrong entries", whole)]);
    door.reboot();
    door.now += HOUR_S - 1;
    assert.equal(door.type(STRICT.owner), "locked-out");
  });

  for (const profile of [LOCK_1000, L500I])
    it(`C18 counts the master and the codes of the keypad in the density, ${profile.name}`, async () => {
      const door = strictDoor({ profile });
      const { out, state } = await look(imageOf(door));
      const all = 3 * 1e-6 + 1e-8 + 4 * 1e-6;
      assert.equal(Math.round(state.density.rho * 1e10), Math.round(all * 1e10));
      assert.equal(door.receipt().density, Math.round(all * 1e10));
      assert.ok(Math.abs(state.density.success - (1 - (1 - all) ** 938)) < 1e-12);
      assert.match(out, /^ {2}density {7}ρ = 0\.00000701; 938 guesses in 30 days succeed with 0\.66 %$/m);
    });

  it("L1 tells events in words, by whom they were and what was presented", async () => {
    const door = strictDoor();
    door.apply(door.pin(5, "362514", { flags: Flag.duress, role: Role.resident }));
    pass(door, 1.5 * HOUR_S);
    for (const code of ["362514", STRICT.master, STRICT.codes[0], STRICT.codes[2], STRICT.owner]) {
      assert.equal(door.type(code), "granted", code);
      door.now += 60;
    }
    door.lock.tick();
    menu(door, STRICT.master, "2", STRICT.codes[3]);
    for (let entry = 0; entry < 6; entry++) door.type("000000");
    door.now += 1801;
    door.type("000000");
    const { out } = await run(["inspect", imageOf(door), "--events", "99"]);
    const rows = [
      "setting zone +link",
      "setting holiday-63 +link",
      "programmed place 0 +keypad +1000",
      "programmed place 2 +master",
      "unprogrammed place 4 +keypad +1000",
      "granted under duress +pin +1005",
      "granted +master",
      "granted +local +1000",
      "granted +local",
      "granted +pin +1000",
      "unlocked +auto",
      "unprogrammed place 3 +master",
      "lockout for 30 min +keypad",
      "refused locked-out +keypad",
      "suppressed 2 entries +keypad",
      "refused unknown +keypad",
    ];
    const time = "\\n +\\d+ {2}2027-03-01 \\d\\d:\\d\\d:\\d\\d {2}";
    assert.match(out, new RegExp(rows.map((row) => `${time}${row}(?=\\n)`).join("[^]*?")));
    assert.ok(widest(out) <= 80);
    const { told } = {
      told: JSON.parse((await run(["inspect", imageOf(door), "--json", "--events", "99"])).out),
    };
    const views = told.state.events.last as Record<string, unknown>[];
    const view = (event: string, credential: string | null): Record<string, unknown> =>
      views.find((one) => one.event === event && one.credential === credential) ?? assert.fail(event);
    assert.deepEqual([view("granted", "master").user, view("granted", "master").generation], [null, null]);
    assert.deepEqual([view("granted", "local").user, view("granted", "local").generation], [1000, 15]);
    assert.deepEqual([view("duress", "pin").reason, view("duress", "pin").user], ["granted", 1005]);
    assert.deepEqual([view("programmed", null).user, view("programmed", "master").user], [1000, null]);
    assert.deepEqual([view("lockout", null).detail, view("suppressed", null).detail], [1800, 2]);
  });

  it("C5 tells no PIN, no tag and no key of all that", async () => {
    for (const profile of [LOCK_1000, L500I]) {
      const door = strictDoor({ profile });
      const path = imageOf(door);
      for (const more of [["--slots", "--events", "99"], ["--json"]]) {
        const { out } = await run(["inspect", path, ...more]);
        for (const secret of secretsOf(door)) assert.ok(!out.includes(secret), secret);
      }
      assert.ok(secretsOf(door).includes(toHex(door.lock.parts.policy.master.tag)));
    }
  });

  describe("what is lost", () => {
    /** What is told when these records cannot be read any more; what stands at the very end of the log is lost like a cut write. */
    async function without(door: Door, settings: readonly number[], states: readonly number[]) {
      wear(door, 1, () => 99);
      const { places } = door.lock.parts.table;
      const path = imageOf(door, (bytes) => {
        for (const id of settings) ruinRecord(bytes, places.settings[id]);
        for (const id of states) ruinRecord(bytes, places.states[id]);
      });
      const told = await look(path);
      assert.equal(told.code, 1);
      assert.ok(widest(told.out) <= 80, told.out);
      bootFrom(door, unpackImage(readFileSync(path)));
      door.setTime();
      return told;
    }

    it("of the settings is told by name, with what the lock makes of it", async () => {
      const { zone, mode, relockSeconds, master, density, lockout, businessHours, localCodes, clockBound } =
        Setting;
      const ids = [
        zone,
        mode,
        relockSeconds,
        master,
        density,
        lockout,
        businessHours,
        localCodes,
        clockBound,
      ];
      const { out, state, problems } = await without(strictDoor(), ids, []);
      assert.deepEqual(section(out, "Settings"), [
        "  zone          lost",
        "  mode          lost: resident",
        "  relock        lost: after 5 s",
        "  master        lost",
        "  density       lost: ρ up to 0.001 by a put",
        "  lockout       lost: waits from the 1st wrong entry on",
        "  hours         lost",
        "  local codes   lost: forbidden, those there open nothing",
        "  clock bound   lost: above 1 second the time is unknown",
        "  leases        not set: none",
        "  sealed        none",
        "  offline       not set: no code opens",
        "  denied        none",
        "  reset delay   not set: never without the owner's consent",
      ]);
      assert.deepEqual(state.damage.settings, [
        "zone",
        "mode",
        "relock-seconds",
        "master",
        "density",
        "lockout",
        "business-hours",
        "local-codes",
        "clock-bound",
      ]);
      assert.deepEqual(problems, [
        "the setting zone is lost: slots with a schedule are denied until the zone is set again, and the door does not unlock itself",
        "the setting mode is lost: the lock is in resident mode until a mode is set again",
        "the setting relock-seconds is lost: the lock's default holds until it is set again",
        "the master is lost: it opens nothing until it is set again",
        "the setting density is lost: the usual limit holds until it is set again",
        "the setting lockout is lost: the first wrong entry begins a wait until it is set again",
        "the setting business-hours is lost: the door does not unlock itself until they are set again",
        "the setting local-codes is lost: codes programmed at the keypad open nothing until it is set again",
        "the setting clock-bound is lost: above an error of one second the time is unknown until it is set again",
      ]);
    });

    it("S12 X5 C23 X11 of the settings of leases, secrets, offline codes and the reset is told, as it is", async () => {
      const { leaseDays, alias, wifi, broker, offlineCodes, resetDelay, offlineDenied } = Setting;
      const ids = [leaseDays, alias, wifi, broker, offlineCodes, resetDelay, offlineDenied];
      const door = fullDoor();
      const code = offlineAt(door, 1);
      assert.equal(door.type(code), "granted");
      const { out, state, problems } = await without(door, ids, []);
      assert.deepEqual(section(out, "Settings").slice(-5), [
        "  leases        lost: for 1 day",
        "  sealed        alias lost, wifi lost, broker lost",
        "  offline       lost: no code opens",
        "  denied        lost: no offline code opens",
        "  reset delay   lost: never without the owner's consent",
      ]);
      assert.deepEqual(state.damage.settings, [
        "lease-days",
        "alias",
        "wifi",
        "broker",
        "offline-codes",
        "reset-delay",
        "offline-denied",
      ]);
      assert.deepEqual(problems, [
        "the setting lease-days is lost: leases last one day until it is set again",
        "the setting alias is lost: the lock has no name until it is set again",
        "the setting wifi is lost: the lock finds no network until it is set again",
        "the setting broker is lost: the lock finds no broker until it is set again",
        "the setting offline-codes is lost: no offline code opens until it is set again",
        "the setting reset-delay is lost: a reset needs the owner's consent until it is set again",
        "the setting offline-denied is lost: no offline code opens until it is set again, since any may be denied",
      ]);
      assert.equal(door.type(code), "unknown");
      const { secrets, parts } = door.lock;
      assert.deepEqual([secrets.alias, secrets.wifi, secrets.broker], [undefined, undefined, undefined]);
      assert.deepEqual([parts.policy.leaseDays, parts.policy.resetDelay], [1, 0]);
    });

    it("C23 of the denied codes alone refuses every offline code until it is set again", async () => {
      const door = fullDoor();
      const code = offlineAt(door, 1);
      const { out, problems } = await without(door, [Setting.offlineDenied], []);
      assert.deepEqual(problems, [
        "the setting offline-denied is lost: no offline code opens until it is set again, since any may be denied",
      ]);
      assert.match(out, /^ {2}offline {7}day, once: 3 of each at a time$/m);
      assert.equal(door.type(code), "unknown");
      const { table, policy } = door.lock.parts;
      assert.ok(table.commitSetting(Setting.offlineDenied, packNone(), table.applied + 1, table.head));
      policy.read(table);
      assert.equal(door.type(code), "granted");
    });

    it("has words of its own for every setting and every value of the lock's own", () => {
      const settings = Array.from({ length: SETTINGS - 1 }, (_, i) => settingName(1 + i));
      const { swap: _, local, ...others } = Value;
      const states = [...Object.keys(others), `local-${local}`];
      const damage = { losses: 1, blocks: [], slots: [], usage: [], schedules: [], settings, states };
      const texts = damageText(damage, null, 0);
      assert.deepEqual(
        texts.filter((text) => !/is lost: |are lost: /.test(text)),
        [],
      );
      // The holidays share one, and so do the codes programmed at the keypad.
      assert.equal(texts.length, settings.length - 63 + states.length);
    });

    it("A60 A63 C23 of what was commanded and of used offline codes is told with what it means", async () => {
      const door = fullDoor();
      const { table } = door.lock.parts;
      assert.ok(table.commitState(Value.mode, Uint8Array.of(0)));
      assert.ok(table.commitState(Value.alias, Uint8Array.of(0x61)));
      door.lock.parts.policy.read(table);
      assert.equal(door.type(offlineAt(door, 1, OfflineKind.once)), "granted");
      door.lock.tick();
      const { state, problems } = await without(door, [], [Value.mode, Value.alias, Value.offline]);
      assert.deepEqual(state.damage.states, ["mode", "alias", "offline"]);
      assert.deepEqual(problems, [
        "the mode that somebody commanded is lost: the lock is in resident mode until a mode is commanded or set again",
        "the name that somebody commanded is lost: the lock goes by the name that is set",
        "what is known of used offline codes is lost: those for once and for minutes open nothing until the day is over",
      ]);
      assert.equal(state.settings.mode, "resident");
      assert.deepEqual(door.lock.secrets.alias, ascii("Shed"));
      assert.equal(door.type(offlineAt(door, 0, OfflineKind.once)), "used-up");
      assert.equal(door.type(offlineAt(door, 1)), "granted");
    });

    it("X1 C17 C24 is at the door as it is told", async () => {
      const { lockout, localCodes, master } = Setting;
      const door = strictDoor();
      await without(door, [lockout, localCodes, master], []);
      assert.equal(door.type(STRICT.codes[0]), "disabled");
      assert.equal(door.type(STRICT.master), "unknown");
      assert.equal(door.type(STRICT.owner), "locked-out");
    });

    it("T7 of holidays refuses everybody but administrators", async () => {
      const door = strictDoor();
      const { out, state, problems } = await without(door, [Setting.holiday + 3], []);
      assert.deepEqual(problems, [
        "holiday 3 is lost: everybody but administrators is refused until it is put again",
      ]);
      assert.deepEqual(section(out, "Holidays"), [
        "  id  first       last        on these dates",
        "   0  2027-12-24  2027-12-26  refused: everybody but admin",
        "  63  2027-05-06  2027-05-07  the mode is resident",
        "   3  lost                    everybody but admin is refused, always",
      ]);
      assert.deepEqual(state.settings.holidays[1], { number: 3, lost: true });
      assert.deepEqual([door.type(STRICT.codes[0]), door.type(STRICT.owner)], ["holiday", "granted"]);
    });

    it("of the lock's own values is told with what it means", async () => {
      const door = strictDoor();
      pass(door, 1.5 * HOUR_S);
      assert.equal(door.type(STRICT.owner), "granted");
      door.type("000000");
      door.type(STRICT.owner);
      door.lock.tick();
      const places = [Value.local + 1, Value.local + 4];
      const { out, state, problems } = await without(
        door,
        [],
        [Value.lockout, Value.forgiven, Value.hours, ...places],
      );
      assert.deepEqual(state.damage.states, ["lockout", "forgiven", "hours", "local-1", "local-4"]);
      assert.deepEqual(problems, [
        "the count of wrong entries is lost: the worst is assumed: an hour's wait",
        "whose wrong entries were forgiven is lost: the worst is assumed: an hour's wait, and nobody is forgiven for a day",
        "what is known of the business hours is lost: nobody was first in, and no relock and no hold is in force",
        "places 1, 4 of the codes programmed at the keypad are lost: those codes open nothing",
      ]);
      assert.deepEqual(section(out, "Codes programmed at the keypad, 3 of 10"), [
        "  place  digits  made by     opens",
        "      0       6  user 1000   yes",
        "      2       6  the master  yes",
        "      3       6  user 1002   no: its maker may not any more",
        "   1, 4                      lost, open nothing",
      ]);
      assert.match(out, /^ {2}6 wrong entries of the keypad count; the next one waits 1 h from power-on$/m);
      assert.match(out, /^ {2}standing {6}waiting for first-in$/m);
      assert.match(out, /^ {2}copies .*\n? +.*local-1 lost/m);
      assert.equal(door.type(STRICT.owner), "locked-out");
    });

    it("of one code is told alone, and a schedule with the hours that it was", async () => {
      const { problems } = await without(strictDoor(), [], [Value.local + 2]);
      assert.deepEqual(problems, [
        "place 2 of the codes programmed at the keypad is lost: that code opens nothing",
      ]);
      const door = strictDoor();
      const { places } = door.lock.parts.table;
      const path = imageOf(door, (bytes) => ruinRecord(bytes, places.schedules[1]));
      const spoilt = await look(path);
      assert.deepEqual(spoilt.problems, [
        "schedule 1 is damaged: its slots are denied, and the door does not unlock itself, until it is put again",
      ]);
      assert.deepEqual(section(spoilt.out, "Business hours")[0], "  schedule 1    damaged");
    });

    it("with a whole sector is told in few words", async () => {
      const door = strictDoor();
      wear(door, 4000, (update) => update % 1000);
      const head = (door.lock.parts.table.log.newest - 1) % 48;
      const { out, state, problems } = await look(imageOf(door, (bytes) => ruinBlock(bytes, head)));
      assert.equal(state.damage.settings.length, 80);
      assert.ok(
        problems.includes(
          "holidays 0–63 are lost: everybody but administrators is refused until they are put again",
        ),
      );
      assert.ok(
        problems.includes(
          "places 0–9 of the codes programmed at the keypad are lost: those codes open nothing",
        ),
      );
      assert.match(out, /^ {2}0–63 {2}lost +everybody but admin is refused, always$/m);
      assert.match(out, /^ {4}0–9 +lost, open nothing$/m);
      assert.ok(problems.length < 40, problems.join("\n"));
      assert.ok(widest(out) <= 80, out);
    });
  });
});
