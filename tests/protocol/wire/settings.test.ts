// Settings on the wire: what each takes at its limits and one past them, what comes back of what was packed, and what a lock answers.

import { strict as assert } from "node:assert";
import fc from "fast-check";
import { fromHex, toHex } from "../../../protocol/wire/bytes";
import { Code, codeName } from "../../../protocol/wire/codes";
import {
  type Broker,
  checkSetting,
  type Holiday,
  isHoliday,
  isPlain,
  isSealed,
  MAX_OFFLINE_DENIED,
  MODE_NAMES,
  OfflineKind,
  offlineNumber,
  offlineOf,
  packBroker,
  packClockBound,
  packDensity,
  packHoliday,
  packHours,
  packLeaseDays,
  packLocalCodes,
  packLockout,
  packMaster,
  packNone,
  packOffline,
  packOfflineDenied,
  packRelock,
  packResetDelay,
  packWifi,
  parseAlias,
  parseBroker,
  parseClockBound,
  parseDensity,
  parseHoliday,
  parseHours,
  parseLeaseDays,
  parseLocalCodes,
  parseLockout,
  parseMaster,
  parseMode,
  parseOffline,
  parseOfflineDenied,
  parseRelock,
  parseResetDelay,
  parseWifi,
  SETTINGS,
  Setting,
  settingName,
  type Wifi,
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

  it("S12 lease: 0 to 3,650 days", () => {
    expects(Setting.leaseDays, {
      "0000": ".",
      "0007": ".",
      "0e42": ".",
      "0e43": "range",
      "07": "bad-format",
    });
    assert.equal(answer(Setting.leaseDays, "000007"), "bad-format");
  });

  it("C23 offline codes: four kinds, 1 to 8 indexes", () => {
    expects(Setting.offlineCodes, {
      "0001": ".",
      "0f08": ".",
      "1001": "range",
      "0100": "range",
      "0109": "range",
      "0f": "bad-format",
      "0f0800": "bad-format",
    });
  });

  it("C23 denied codes: 1 to 8 of them, ascending, a week by its Monday, or one byte 0", () => {
    // 2027-03-01, day 518e in hexadecimal, is a Monday.
    const eight = Array.from({ length: 9 }, (_, i) => `0${i}518e`);
    expects(Setting.offlineDenied, {
      "00": ".",
      "01": "range",
      "000000": ".",
      "00ffff": ".",
      "17518e": ".",
      "18518e": ".",
      "1f518e": ".",
      "18518f": "range",
      "18518d": "range",
      "20518e": "range",
      ffffff: "range",
      "00518e00518f": ".",
      "00518e01518d": ".",
      "00518e00518e": "range",
      "00518f00518e": "range",
      "01518e00518f": "range",
      [eight.slice(0, 8).join("")]: ".",
      [eight.join("")]: "bad-format",
      "0000": "bad-format",
      "00518e00": "bad-format",
      "00518e0051": "bad-format",
    });
  });

  it("X11 reset delay: 0 to 672 hours", () => {
    expects(Setting.resetDelay, { "0000": ".", "02a0": ".", "02a1": "range", "00": "bad-format" });
    assert.equal(answer(Setting.resetDelay, "000000"), "bad-format");
  });

  it("X5 alias, wifi and broker: sealed, so more than nonce and tag, and the rest is for the lock that opens them", () => {
    for (const id of [Setting.alias, Setting.wifi, Setting.broker]) {
      assert.equal(answer(id, "00".repeat(40)), "bad-format");
      assert.equal(answer(id, "00".repeat(41)), "applied");
      assert.equal(answer(id, "00".repeat(183)), "applied");
      assert.equal(answer(id, "00".repeat(184)), "bad-format");
      assert.equal(answer(id, "00"), "bad-format");
    }
    const sealed = Array.from({ length: 300 }, (_, id) => id).filter(isSealed);
    assert.deepEqual(sealed, [Setting.alias, Setting.wifi, Setting.broker]);
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

  it("knows no setting below 1 or from 81 on", () => {
    const known = Array.from({ length: 300 }, (_, id) => id - 1).filter(
      (id) => checkSetting(id, new Uint8Array(184)) !== Code.unsupported,
    );
    // A mode of 184 bytes is bad-format, like all others.
    const all = [
      ...Array.from({ length: 15 }, (_, i) => 1 + i),
      ...Array.from({ length: 64 }, (_, n) => 16 + n),
      80,
    ];
    assert.deepEqual([known, SETTINGS], [all, 81]);
    assert.deepEqual(all.filter(isHoliday), all.slice(15, 79));
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
      [Setting.leaseDays, parseLeaseDays],
      [Setting.offlineCodes, parseOffline],
      [Setting.offlineDenied, parseOfflineDenied],
      [Setting.resetDelay, parseResetDelay],
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

describe("settings: what is in those that are sealed", () => {
  const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
  const isFine = (id: number, plain: Uint8Array): boolean => isPlain(id, plain);

  it("A63 alias: 1 to 32 bytes of UTF-8", () => {
    for (const [plain, fits] of [
      ["", false],
      ["a", true],
      ["a".repeat(32), true],
      ["a".repeat(33), false],
      [`${"a".repeat(30)}é`, true],
      [`${"a".repeat(31)}é`, false],
    ] as const) {
      assert.equal(isFine(Setting.alias, bytes(plain)), fits, plain);
      assert.deepEqual(parseAlias(bytes(plain)), fits ? bytes(plain) : undefined);
    }
    assert.ok(!isFine(Setting.alias, fromHex("ff")));
    assert.ok(!isFine(Setting.alias, fromHex("c3")));
  });

  it("P5 wifi: a name of 1 to 32 bytes, and a password of 8 to 63 or none", () => {
    const wifi = (name: number, password: number): Uint8Array =>
      packWifi({ network: new Uint8Array(name).fill(0x61), password: new Uint8Array(password).fill(0x62) });
    for (const [name, password, fits] of [
      [1, 0, true],
      [32, 0, true],
      [0, 8, false],
      [33, 8, false],
      [1, 7, false],
      [1, 8, true],
      [32, 63, true],
      [32, 64, false],
    ] as const)
      assert.equal(isFine(Setting.wifi, wifi(name, password)), fits, `${name}, ${password}`);
    assert.ok(!isFine(Setting.wifi, new Uint8Array(0)));
    assert.ok(!isFine(Setting.wifi, fromHex("0561616161")));
  });

  it("P5 broker: a port, TLS or not, and a host of 1 to 64 printable ASCII characters", () => {
    for (const [hex, fits] of [
      ["22b30161", true],
      ["00010061", true],
      ["ffff0061", true],
      ["00000161", false],
      ["22b30261", false],
      ["22b301", false],
      [`22b301${"61".repeat(64)}`, true],
      [`22b301${"61".repeat(65)}`, false],
      ["22b30120", false],
      ["22b30121", true],
      ["22b3017e", true],
      ["22b3017f", false],
      ["22b301c3a9", false],
      ["", false],
    ] as const)
      assert.equal(isFine(Setting.broker, fromHex(hex)), fits, hex);
  });

  it("never throws, and agrees with each parser", () => {
    const parsers = [
      [Setting.alias, parseAlias],
      [Setting.wifi, parseWifi],
      [Setting.broker, parseBroker],
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...parsers), fc.uint8Array({ maxLength: 110 }), ([id, parse], plain) => {
        assert.equal(isFine(id, plain), parse(plain) !== undefined);
      }),
      { numRuns: 2000 },
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

  it("S12, X11, C23 leases, reset delays and offline codes", () => {
    back(u16(0, 3650), packLeaseDays, parseLeaseDays);
    back(u16(0, 672), packResetDelay, parseResetDelay);
    back(fc.record({ kinds: u16(0, 15), indexes: u16(1, 8) }, PLAIN), packOffline, parseOffline);
  });

  it("C23 denied codes, each with what it is", () => {
    const { day, minutes, once, week } = OfflineKind;
    const numbers = fc.uniqueArray(u16(0, 24 * 0x10000 - 1), { maxLength: MAX_OFFLINE_DENIED });
    back(
      numbers.map((some) => some.sort((a, b) => a - b)),
      packOfflineDenied,
      parseOfflineDenied,
    );
    assert.equal(toHex(packOfflineDenied([0x00518e, 0x18518e])), "00518e18518e");
    [day, minutes, once, week].forEach((kind, place) => {
      for (const index of [0, 7])
        assert.deepEqual(offlineOf(offlineNumber(place, index, 0x518e)), { kind, index, window: 0x518e });
    });
    assert.equal(offlineNumber(3, 7, 0x518e), 0x1f518e);
    for (const nothing of [0x20518e, 0x18518f, 0xffffff]) assert.equal(offlineOf(nothing), undefined);
  });

  it("P5 networks and brokers", () => {
    const blob = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
    const password = fc.oneof(blob(0, 0), blob(8, 63));
    const wifi: fc.Arbitrary<Wifi> = fc.record({ network: blob(1, 32), password }, PLAIN);
    back(wifi, packWifi, parseWifi);
    const host = fc.uint8Array({ minLength: 1, maxLength: 64, min: 0x21, max: 0x7e });
    const broker: fc.Arbitrary<Broker> = fc.record({ port: u16(1, 0xffff), tls: fc.boolean(), host }, PLAIN);
    back(broker, packBroker, parseBroker);
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
    assert.deepEqual([1, 9, 10, 15, 16, 79, 80, 81].map(settingName), [
      "zone",
      "clock-bound",
      "lease-days",
      "reset-delay",
      "holiday-0",
      "holiday-63",
      "offline-denied",
      "setting-81",
    ]);
    const { holiday, ...others } = Setting;
    const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    for (const [name, id] of Object.entries(others)) assert.equal(settingName(id), kebab(name));
    assert.equal(holiday, 16);
  });
});
