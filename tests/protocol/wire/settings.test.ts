// Settings on the wire: what each takes at its limits and one past them, what comes back of what was packed, and what a lock answers.

import { strict as assert } from "node:assert";
import fc from "fast-check";
import { fromHex } from "../../../protocol/wire/bytes";
import { Code, codeName } from "../../../protocol/wire/codes";
import {
  checkSetting,
  type Holiday,
  MODE_NAMES,
  packClockBound,
  packDensity,
  packHoliday,
  packHours,
  packLocalCodes,
  packLockout,
  packMaster,
  packNone,
  packRelock,
  parseClockBound,
  parseDensity,
  parseHoliday,
  parseHours,
  parseLocalCodes,
  parseLockout,
  parseMaster,
  parseMode,
  parseRelock,
  SETTING_NAMES,
  SETTINGS,
  Setting,
  settingName,
} from "../../../protocol/wire/settings";

const TAG = "a02b5c60daddc00937707333";
const PLAIN = { noNullPrototype: true } as const;

/** The name of the answer to a value in hexadecimal. */
const answer = (id: number, hex: string): string => codeName(checkSetting(id, fromHex(hex)));

/** Values with what a lock answers to each; `.` stands for applied. */
function expects(id: number, values: Readonly<Record<string, string>>): void {
  for (const [hex, code] of Object.entries(values))
    assert.equal(answer(id, hex), code === "." ? "applied" : code, `setting ${id}: ${hex}`);
}

describe("settings: what a lock answers to each value", () => {
  it("A60 mode: one byte of 0 to 2, and unsupported for a mode of a later version", () => {
    expects(Setting.mode, {
      "00": ".",
      "02": ".",
      "03": "unsupported",
      ff: "unsupported",
      "0000": "bad-format",
    });
  });

  it("M6 relock: 0 to 3,600 seconds", () => {
    expects(Setting.relockSeconds, { "0000": ".", "0e10": ".", "0e11": "range", "05": "bad-format" });
    assert.equal(answer(Setting.relockSeconds, "000000"), "bad-format");
  });

  it("C17 master: 4 to 10 digits and a tag of 12 bytes, or one byte 0", () => {
    expects(Setting.master, {
      "00": ".",
      "01": "range",
      "0000": "bad-format",
      [`03${TAG}`]: "range",
      [`04${TAG}`]: ".",
      [`0a${TAG}`]: ".",
      [`0b${TAG}`]: "range",
      [`06${TAG}00`]: "bad-format",
      [`06${TAG.slice(2)}`]: "bad-format",
    });
  });

  it("C18 density: four bytes, at least 1", () => {
    expects(Setting.density, { "00000000": "range", "00000001": ".", ffffffff: ".", "000001": "bad-format" });
  });

  it("X1 lockout: never laxer than five tries, at most a day", () => {
    expects(Setting.lockout, {
      "000000": "range",
      "010000": ".",
      "050000": ".",
      "060000": "range",
      "0505a0": ".",
      "0505a1": "range",
      "0500": "bad-format",
    });
  });

  it("T16 business hours: two flags, up to 720 minutes of grace", () => {
    expects(Setting.businessHours, {
      "00000000": ".",
      ff0102d0: ".",
      ff0102d1: "range",
      "01020000": "range",
      "010000": "bad-format",
    });
  });

  it("C24 local codes: allowed or not", () => {
    expects(Setting.localCodes, { "00": ".", "01": ".", "02": "range", "0001": "bad-format" });
  });

  it("T11 clock bound: 1 to 3,600 seconds", () => {
    expects(Setting.clockBound, {
      "0000": "range",
      "0001": ".",
      "0e10": ".",
      "0e11": "range",
      "01": "bad-format",
    });
  });

  it("T7 holiday: roles or a mode, not both and not neither, 1 to 366 days that 16 bits hold", () => {
    for (const id of [Setting.holiday, Setting.holiday + 63])
      expects(id, {
        "00": ".",
        "01": "range",
        "4e0a000101ff": ".",
        "4e0a00017fff": ".",
        "4e0a000180ff": "range",
        "4e0a00010000": ".",
        "4e0a00010002": ".",
        "4e0a00010003": "range",
        "4e0a000101fe": "range",
        "4e0a00010101": "range",
        "4e0a000100ff": "range",
        "4e0a000001ff": "range",
        "4e0a016e01ff": ".",
        "4e0a016f01ff": "range",
        fffe000101ff: ".",
        ffff000101ff: "range",
        "4e0a000101": "bad-format",
        "4e0a000101ff00": "bad-format",
      });
  });

  it("knows no setting below 1, from 10 to 15, or from 80 on", () => {
    const known = Array.from({ length: 300 }, (_, id) => id - 1).filter(
      (id) => checkSetting(id, new Uint8Array(200)) !== Code.unsupported,
    );
    // A mode of 200 bytes is bad-format, like all others.
    const all = [
      ...Array.from({ length: 9 }, (_, i) => 1 + i),
      ...Array.from({ length: 64 }, (_, n) => 16 + n),
    ];
    assert.deepEqual([known, SETTINGS], [all, 80]);
  });

  it("leaves the zone to those who know its grammar", () =>
    assert.equal(answer(Setting.zone, "ff"), "applied"));

  it("says so of every other value: applied where it has a meaning, else bad-format, range or unsupported", () => {
    const parsers: [number, (value: Uint8Array) => unknown][] = [
      [Setting.mode, parseMode],
      [Setting.relockSeconds, parseRelock],
      [Setting.master, parseMaster],
      [Setting.density, parseDensity],
      [Setting.lockout, parseLockout],
      [Setting.businessHours, parseHours],
      [Setting.localCodes, parseLocalCodes],
      [Setting.clockBound, parseClockBound],
      [Setting.holiday + 7, parseHoliday],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...parsers), fc.uint8Array({ maxLength: 16 }), ([id, parse], value) => {
        assert.equal(checkSetting(id, value) === Code.applied, parse(value) !== undefined);
      }),
      { numRuns: 5000 },
    );
  });
});

describe("settings: what is packed comes back", () => {
  const u16 = (min: number, max: number) => fc.integer({ min, max });
  const back = <T>(
    value: fc.Arbitrary<T>,
    pack: (value: T) => Uint8Array,
    parse: (bytes: Uint8Array) => unknown,
  ) => fc.assert(fc.property(value, (given) => assert.deepEqual(parse(pack(given)), given)));

  it("M6, C18, T11, C24 numbers", () => {
    back(u16(0, 3600), packRelock, parseRelock);
    back(u16(1, 3600), packClockBound, parseClockBound);
    back(fc.integer({ min: 1, max: 0xffffffff }), packDensity, parseDensity);
    back(fc.boolean(), packLocalCodes, parseLocalCodes);
  });

  it("C17 a master, and none", () => {
    const tag = fc.uint8Array({ minLength: 12, maxLength: 12 });
    back(fc.record({ digits: u16(4, 10), tag }, PLAIN), packMaster, parseMaster);
    assert.deepEqual(parseMaster(packNone()), { digits: 0, tag: new Uint8Array(0) });
  });

  it("X1 a lockout policy", () => {
    back(fc.record({ tries: u16(1, 5), leastMinutes: u16(0, 1440) }, PLAIN), packLockout, parseLockout);
  });

  it("T16 business hours", () => {
    const hours = fc.record(
      { schedule: u16(0, 255), firstIn: fc.boolean(), graceMinutes: u16(0, 720) },
      PLAIN,
    );
    back(hours, packHours, parseHours);
  });

  it("T7 a holiday, and none", () => {
    const date = fc.record({ first: u16(0, 0xffff - 366), days: u16(1, 366) });
    const effect = fc.oneof(
      fc.record({ roles: u16(1, 127), mode: fc.constant(0xff) }),
      fc.record({ roles: fc.constant(0), mode: u16(0, MODE_NAMES.length - 1) }),
    );
    const holiday: fc.Arbitrary<Holiday> = fc.tuple(date, effect).map(([a, b]) => ({ ...a, ...b }));
    back(holiday, packHoliday, parseHoliday);
    assert.equal(parseHoliday(packNone())?.days, 0);
  });
});

describe("settings: names", () => {
  it("has one for each, and a number for what it does not know", () => {
    assert.deepEqual([1, 9, 15, 16, 79, 80].map(settingName), [
      "zone",
      "clock-bound",
      "setting-15",
      "holiday-0",
      "holiday-63",
      "setting-80",
    ]);
    const { holiday, ...others } = Setting;
    const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    for (const [name, id] of Object.entries(others)) assert.equal(SETTING_NAMES[id], kebab(name));
    assert.equal(holiday, 16);
  });
});
