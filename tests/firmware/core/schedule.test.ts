// Weekly windows (rules T1 to T3, T9), against references that go minute by minute.

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Zone } from "../../../firmware/core/calendar";
import {
  localTime,
  parseTransitions,
  parseZone,
  UTC0,
  withTransitions,
} from "../../../firmware/core/calendar";
import { isOpen, nextChange, openDuring } from "../../../firmware/core/schedule";
import { lockZone } from "../../../protocol/issuer/zone";
import type { Window } from "../../../protocol/wire/windows";
import {
  areWindows,
  packMatterWindow,
  packWindow,
  unpackWindow,
  windowsOverlap,
} from "../../../protocol/wire/windows";
import { intlOffset } from "../../../tools/zone";

const DAY = 1440;
const WEEK = 7 * DAY;
const [SUN, MON, TUE, WED, THU, FRI, SAT] = [1, 2, 4, 8, 16, 32, 64];
const WEEKDAYS = MON | TUE | WED | THU | FRI;
const utc = (text: string): number => Date.parse(text) / 1000;
const minutes = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

function packed(...windows: Window[]): Uint32Array {
  return Uint32Array.from(windows, ({ days, start, duration }) => {
    const window = packWindow(days, start, duration);
    assert.ok(window !== undefined);
    return window;
  });
}

/** A window from one time of day until another, the next day if it is not later. */
function window(days: number, from: string, until: string): Window {
  const start = minutes(from);
  return { days, start, duration: ((minutes(until) - start + DAY - 1) % DAY) + 1 };
}

function zoneOf(name: string): Zone {
  const told = lockZone(name, intlOffset, 2024, 2037);
  const zone = told && parseZone(Uint8Array.from(Buffer.from(told.text)));
  assert.ok(told && zone, name);
  return told.transitions === undefined ? zone : withTransitions(zone, parseTransitions(told.transitions));
}

// ---- The reference: a week of minutes, ticked one by one, and the platform's own zones ----------------------------------------

/** How many windows cover each minute of the week, from Sunday 00:00. */
function coverage(windows: readonly Window[]): Uint8Array {
  const week = new Uint8Array(WEEK);
  for (const { days, start, duration } of windows)
    for (let weekday = 0; weekday < 7; weekday++)
      if (days & (1 << weekday))
        for (let k = 0; k < duration; k++) week[(weekday * DAY + start + k) % WEEK]++;
  return week;
}

const offsets = new Map<string, number>();

/** The platform's offset; it changes on quarters of an hour only. */
function platformOffset(name: string, t: number): number {
  const quarter = Math.floor(t / 900);
  const key = `${name} ${quarter}`;
  const offset = offsets.get(key) ?? intlOffset(name, quarter * 900);
  offsets.set(key, offset);
  return offset;
}

function referenceOpen(week: Uint8Array, name: string, t: number): boolean {
  const wall = new Date((t + platformOffset(name, t)) * 1000);
  return week[wall.getUTCDay() * DAY + wall.getUTCHours() * 60 + wall.getUTCMinutes()] > 0;
}

/** Minute by minute over nine days; 0 if nothing changes. */
function referenceChange(week: Uint8Array, name: string, t: number): number {
  const before = referenceOpen(week, name, t);
  for (let minute = Math.floor(t / 60) + 1; minute * 60 <= t + 9 * 86_400; minute++)
    if (referenceOpen(week, name, minute * 60) !== before) return minute * 60;
  return 0;
}

const anyWindow: fc.Arbitrary<Window> = fc.record({
  days: fc.oneof(
    fc.integer({ min: 1, max: 127 }),
    fc.nat(6).map((day) => 1 << day),
  ),
  start: fc.oneof(
    fc.nat(1439),
    fc.integer({ min: 0, max: 16 }).map((q) => q * 15),
  ),
  duration: fc.oneof(fc.integer({ min: 1, max: 1440 }), fc.integer({ min: 1, max: 90 })),
});
const anyWindows = fc.array(anyWindow, { minLength: 1, maxLength: 8 });

/** Zones with every kind of change: an hour, half an hour, two hours, at midnight, backwards, by table. */
const ZONES = [
  "Europe/Berlin",
  "Europe/Dublin",
  "America/New_York",
  "America/Godthab",
  "America/Santiago",
  "Africa/Cairo",
  "Africa/Casablanca",
  "Antarctica/Troll",
  "Asia/Beirut",
  "Asia/Katmandu",
  "Australia/Lord_Howe",
  "Pacific/Chatham",
].map((name) => ({ name, zone: zoneOf(name) }));

function openAt(windows: Uint32Array, zone: Zone, t: number): boolean {
  const local = localTime(zone, t);
  return isOpen(windows, windows.length, local.weekday, local.minute);
}

describe("T1 weekly windows", () => {
  it("pack into 29 bits and come back the same", () => {
    fc.assert(
      fc.property(anyWindow, (one) => {
        const [number] = packed(one);
        assert.equal(number, one.days * 2 ** 22 + one.start * 2 ** 11 + one.duration - 1);
        assert.deepEqual(unpackWindow(number), { ...one });
      }),
    );
  });

  it("take each part at its limits and refuse it one past", () => {
    const good: [number, number, number][] = [
      [1, 0, 1],
      [127, 1439, 1440],
    ];
    for (const parts of good) assert.ok(packWindow(...parts) !== undefined, String(parts));
    const bad: [number, number, number][] = [
      [0, 0, 1],
      [128, 0, 1],
      [-1, 0, 1],
      [1, -1, 1],
      [1, 1440, 1],
      [1, 0, 0],
      [1, 0, 1441],
      [1.5, 0, 1],
      [1, 0.5, 1],
      [1, 0, 1.5],
      [Number.NaN, 0, 1],
    ];
    for (const parts of bad) assert.equal(packWindow(...parts), undefined, String(parts));
  });

  it("refuse packed numbers with a part out of range or a spare bit set", () => {
    const number = (days: number, start: number, duration: number): number =>
      days * 2 ** 22 + start * 2 ** 11 + duration;
    for (const good of [number(1, 0, 0), number(127, 1439, 1439)]) assert.ok(unpackWindow(good));
    const bad = [
      number(0, 0, 0),
      number(1, 1440, 0),
      number(1, 2047, 0),
      number(1, 0, 1440),
      number(1, 0, 2047),
    ];
    for (const one of [
      ...bad,
      number(128, 0, 0),
      2 ** 31 + number(1, 0, 0),
      2 ** 32 + number(1, 0, 0),
      -1,
      0.5,
    ])
      assert.equal(unpackWindow(one), undefined, String(one));
  });

  it("are open from the first second of the start until the last before the end", () => {
    const office = packed(window(WEEKDAYS, "09:00", "17:00"));
    const at = (text: string) => openAt(office, UTC0, utc(text));
    assert.deepEqual(["2026-06-01T08:59:59Z", "2026-06-01T09:00:00Z", "2026-06-01T09:00:01Z"].map(at), [
      false,
      true,
      true,
    ]);
    assert.deepEqual(["2026-06-01T16:59:59Z", "2026-06-01T17:00:00Z", "2026-06-01T17:00:01Z"].map(at), [
      true,
      false,
      false,
    ]);
    assert.deepEqual(["2026-05-31T12:00:00Z", "2026-06-06T12:00:00Z"].map(at), [false, false]);
  });

  it("belong to the day they start on, across midnight", () => {
    const night = packed(window(FRI, "22:00", "02:00"));
    assert.equal(isOpen(night, 1, 5, 1320), true);
    assert.equal(isOpen(night, 1, 6, 119), true);
    assert.equal(isOpen(night, 1, 6, 120), false);
    assert.equal(isOpen(night, 1, 5, 60), false);
    assert.equal(isOpen(night, 1, 6, 1320), false);
  });

  it("cross the end of the week: Saturday 22:00 and 480 minutes cover Sunday until 06:00", () => {
    const windows = packed({ days: SAT, start: 1320, duration: 480 });
    assert.equal(isOpen(windows, 1, 6, 1319), false);
    assert.equal(isOpen(windows, 1, 6, 1320), true);
    assert.equal(isOpen(windows, 1, 0, 0), true);
    assert.equal(isOpen(windows, 1, 0, 359), true);
    assert.equal(isOpen(windows, 1, 0, 360), false);
  });

  it("may last one minute or a whole day", () => {
    const minute = packed({ days: WED, start: 1439, duration: 1 });
    assert.deepEqual(
      [isOpen(minute, 1, 3, 1438), isOpen(minute, 1, 3, 1439), isOpen(minute, 1, 4, 0)],
      [false, true, false],
    );
    const day = packed({ days: WED, start: 1, duration: 1440 });
    const hits = [0, 1, 1439].map((at) => isOpen(day, 1, 3, at));
    assert.deepEqual(hits, [false, true, true]);
    assert.deepEqual([isOpen(day, 1, 4, 0), isOpen(day, 1, 4, 1)], [true, false]);
  });

  it("are open exactly in the minutes of a week that a tick by tick reference covers", () => {
    fc.assert(
      fc.property(anyWindows, (list) => {
        const week = coverage(list);
        const windows = packed(...list);
        for (let k = 0; k < WEEK; k++)
          if (isOpen(windows, list.length, Math.floor(k / DAY), k % DAY) !== week[k] > 0)
            assert.fail(`minute ${k}`);
      }),
      { numRuns: 60 },
    );
  });
});

describe("T2 several windows", () => {
  it("are a union, and only the first of them count", () => {
    const windows = packed(
      window(MON, "08:00", "10:00"),
      window(MON, "12:00", "13:00"),
      window(MON, "15:00", "16:00"),
    );
    const open = (count: number) => [540, 660, 750, 930].map((at) => isOpen(windows, count, 1, at));
    assert.deepEqual(open(3), [true, false, true, true]);
    assert.deepEqual(open(2), [true, false, true, false]);
    assert.deepEqual(open(0), [false, false, false, false]);
  });

  it("may touch and may not overlap, by a single minute", () => {
    const overlap = (...list: Window[]) => windowsOverlap(packed(...list), list.length);
    const morning = window(MON, "08:00", "12:00");
    assert.equal(overlap(morning, window(MON, "12:00", "17:00")), false);
    assert.equal(overlap(morning, window(MON, "11:59", "17:00")), true);
    assert.equal(overlap(window(MON, "07:00", "08:00"), morning), false);
    assert.equal(overlap(window(MON, "07:00", "08:01"), morning), true);
    assert.equal(overlap(morning, window(TUE, "08:00", "12:00")), false);
    assert.equal(overlap(morning, morning), true);
    assert.equal(overlap(morning), false);
    assert.equal(overlap(), false);
  });

  it("are found to overlap across midnight and across the end of the week", () => {
    const overlap = (...list: Window[]) => windowsOverlap(packed(...list), list.length);
    const late = { days: SAT, start: 1320, duration: 480 };
    for (const order of [
      (...list: Window[]) => overlap(...list),
      (...list: Window[]) => overlap(...list.reverse()),
    ]) {
      assert.equal(order(late, window(SUN, "06:00", "07:00")), false);
      assert.equal(order(late, window(SUN, "05:59", "07:00")), true);
      assert.equal(order(window(WED, "22:00", "06:00"), window(THU, "05:59", "07:00")), true);
      assert.equal(order(window(WED, "22:00", "06:00"), window(THU, "06:00", "07:00")), false);
      assert.equal(
        order({ days: WED, start: 1439, duration: 1440 }, { days: THU, start: 1439, duration: 1 }),
        false,
      );
      assert.equal(
        order({ days: WED, start: 1439, duration: 1440 }, { days: THU, start: 1438, duration: 1 }),
        true,
      );
    }
  });

  it("never overlap themselves: a whole day, every day, touches", () => {
    for (const start of [0, 1, 1439])
      assert.equal(windowsOverlap(packed({ days: 127, start, duration: 1440 }), 1), false);
  });

  it("overlap exactly where a tick by tick reference counts two", () => {
    const short = fc.record({
      days: fc.integer({ min: 1, max: 127 }),
      start: fc.nat(1439),
      duration: fc.integer({ min: 1, max: 700 }),
    });
    const lists = fc.oneof(
      anyWindows,
      fc.array(short, { minLength: 2, maxLength: 3 }),
      fc.array(anyWindow, { minLength: 2, maxLength: 2 }),
    );
    const seen = [0, 0];
    fc.assert(
      fc.property(lists, (list) => {
        const expected = coverage(list).some((count) => count > 1);
        seen[expected ? 1 : 0]++;
        assert.equal(windowsOverlap(packed(...list), list.length), expected);
      }),
      { numRuns: 1500 },
    );
    assert.ok(seen[0] > 100 && seen[1] > 100, `both kinds came up: ${seen}`);
  });

  it("are 1 to 8, each well formed", () => {
    const nine = packed(...new Array(9).fill(window(MON, "08:00", "09:00")));
    assert.deepEqual(
      [0, 1, 8, 9, -1, 1.5].map((count) => areWindows(nine, count)),
      [false, true, true, false, false, false],
    );
    assert.equal(areWindows(nine.subarray(0, 2), 3), false);
    assert.equal(areWindows(Uint32Array.of(nine[0], 0), 1), true);
    assert.equal(areWindows(Uint32Array.of(nine[0], 0), 2), false);
  });
});

describe("T3 Matter's week day schedules", () => {
  it("become windows, with 23:59 for midnight", () => {
    assert.equal(packMatterWindow(WEEKDAYS, 9, 0, 17, 0), packWindow(WEEKDAYS, 540, 480));
    assert.equal(packMatterWindow(SUN, 0, 0, 23, 59), packWindow(SUN, 0, 1440));
    assert.equal(packMatterWindow(SUN, 23, 58, 23, 59), packWindow(SUN, 1438, 2));
    assert.equal(packMatterWindow(SUN, 0, 0, 23, 58), packWindow(SUN, 0, 1438));
  });

  it("are refused with a part out of range or an end that is not later", () => {
    const bad: [number, number, number, number, number][] = [
      [0, 9, 0, 17, 0],
      [128, 9, 0, 17, 0],
      [1, 24, 0, 24, 1],
      [1, 9, 60, 17, 0],
      [1, 9, 0, 24, 0],
      [1, 9, 0, 17, 60],
      [1, -1, 0, 17, 0],
      [1, 9, 0, 9, 0],
      [1, 9, 1, 9, 0],
      [1, 22, 0, 6, 0],
      [1, 23, 59, 23, 59],
    ];
    for (const parts of bad) assert.equal(packMatterWindow(...parts), undefined, String(parts));
  });
});

describe("T9 windows are wall-clock time", () => {
  const berlin = zoneOf("Europe/Berlin");
  /** Berlin leaps from 02:00 to 03:00 at this instant, a Sunday. */
  const spring = utc("2026-03-29T01:00:00Z");
  /** Berlin goes back from 03:00 to 02:00 at this instant, a Sunday. */
  const autumn = utc("2026-10-25T01:00:00Z");
  const changes = (windows: Uint32Array, from: number, count: number): string[] => {
    const found: string[] = [];
    for (let t = from; found.length < count; ) {
      t = nextChange(windows, windows.length, berlin, t);
      found.push(
        `${new Date(t * 1000).toISOString().slice(5, 16)} ${openAt(windows, berlin, t) ? "open" : "shut"}`,
      );
    }
    return found;
  };

  it("a window inside the gap never matches that day", () => {
    const windows = packed(window(SUN, "02:15", "02:45"));
    for (let t = spring - 7200; t <= spring + 7200; t += 60) assert.equal(openAt(windows, berlin, t), false);
    assert.deepEqual(changes(windows, spring - 86_400, 2), ["04-05T00:15 open", "04-05T00:45 shut"]);
  });

  it("a window inside the gap is a fortnight away when the last one has just ended", () => {
    const windows = packed(window(SUN, "02:15", "02:45"));
    const ended = utc("2026-03-22T01:45:00Z");
    assert.equal(nextChange(windows, 1, berlin, ended - 1), ended);
    assert.equal(nextChange(windows, 1, berlin, ended), utc("2026-04-05T00:15:00Z"));
  });

  it("two changes of the clock within a week are both followed", () => {
    const back = utc("2040-10-24T00:00:00Z");
    const bytes = Uint8Array.of(0, 0, 0, 0, 8, 12, 0x01, 0x1c);
    new DataView(bytes.buffer).setUint32(0, back);
    const zone = withTransitions({ ...UTC0, standard: 10_800, daylight: 10_800 }, parseTransitions(bytes));
    // For 71 hours the zone stands at +02; then, on Saturday, the clock leaps from 01:00 to 02:00.
    const forth = utc("2040-10-26T23:00:00Z");
    assert.equal(nextChange(packed(window(SAT, "01:30", "05:00")), 1, zone, back - 43_200), forth);
    assert.equal(
      nextChange(packed(window(SAT, "01:30", "01:45")), 1, zone, back - 43_200),
      forth + 7 * 86_400 - 1800,
    );
    assert.equal(nextChange(packed(window(THU, "12:00", "13:00")), 1, zone, back - 43_200), back + 34 * 3600);
  });

  it("a window inside the repeated hour matches both passes", () => {
    const windows = packed(window(SUN, "02:15", "02:45"));
    const expected = ["10-25T00:15 open", "10-25T00:45 shut", "10-25T01:15 open", "10-25T01:45 shut"];
    assert.deepEqual(changes(windows, autumn - 86_400, 4), expected);
  });

  it("a window from 09:00 to 17:00 is eight hours of wall time every day", () => {
    const windows = packed(window(127, "09:00", "17:00"));
    const spans = (from: number, days: number): string[] => changes(windows, from, 2 * days);
    assert.deepEqual(spans(spring - 86_400 - 7200, 2), [
      "03-28T08:00 open",
      "03-28T16:00 shut",
      "03-29T07:00 open",
      "03-29T15:00 shut",
    ]);
  });

  it("a window over the change is an hour shorter or longer", () => {
    const windows = packed(window(SUN, "01:00", "04:00"));
    assert.deepEqual(changes(windows, spring - 86_400, 2), ["03-29T00:00 open", "03-29T02:00 shut"]);
    assert.deepEqual(changes(windows, autumn - 86_400, 2), ["10-24T23:00 open", "10-25T03:00 shut"]);
  });

  it("opens or shuts at the very second of the change where the clock leaps over the edge", () => {
    const ends = packed(window(SUN, "01:00", "02:30"));
    assert.equal(nextChange(ends, 1, berlin, spring - 1), spring);
    assert.deepEqual(
      [spring - 1, spring].map((t) => openAt(ends, berlin, t)),
      [true, false],
    );
    const starts = packed(window(SUN, "02:30", "05:00"));
    assert.equal(nextChange(starts, 1, berlin, spring - 3600), spring);
    assert.deepEqual(
      [spring - 1, spring].map((t) => openAt(starts, berlin, t)),
      [false, true],
    );
    const before = packed(window(SUN, "01:00", "03:00"));
    assert.equal(nextChange(before, 1, berlin, autumn - 3600), autumn + 3600);
  });

  it("T15 a window comes on 29 February 2024, and in 2038, 2100 and 2106", () => {
    const windows = packed(window(127 - SUN, "12:00", "13:00"));
    for (const text of ["2024-02-29", "2038-01-19", "2100-03-01", "2106-02-08"]) {
      const noon = utc(`${text}T11:00:00Z`);
      assert.equal(nextChange(windows, 1, berlin, noon - 1), noon);
      assert.equal(nextChange(windows, 1, berlin, noon), noon + 3600);
    }
  });
});

describe("T1 the next change", () => {
  it("is the one that a minute by minute reference finds in nine days, in zones of every kind", () => {
    const from = utc("2024-01-01T00:00:00Z");
    const instants = fc.oneof(
      fc.integer({ min: 0, max: 13 * 366 * 86_400 }).map((seconds) => from + seconds),
      // Where clocks change: the weeks around the ends of March and October of all these years.
      fc
        .record({
          year: fc.integer({ min: 2024, max: 2036 }),
          month: fc.constantFrom(2, 9),
          seconds: fc.nat(16 * 86_400),
        })
        .map(({ year, month, seconds }) => Date.UTC(year, month, 20) / 1000 + seconds),
    );
    const cases = fc.record({ list: anyWindows, where: fc.nat(ZONES.length - 1), t: instants });
    fc.assert(
      fc.property(cases, ({ list, where, t }) => {
        const { name, zone } = ZONES[where];
        const week = coverage(list);
        const windows = packed(...list);
        assert.equal(openAt(windows, zone, t), referenceOpen(week, name, t));
        const found = nextChange(windows, list.length, zone, t);
        const expected = referenceChange(week, name, t);
        if (expected !== 0) assert.equal(found, expected, name);
        else assert.ok(found === 0 || found > t + 9 * 86_400, name);
        if (found !== 0) assert.notEqual(openAt(windows, zone, found - 1), openAt(windows, zone, found));
      }),
      { numRuns: 1000 },
    );
  });

  it("is strictly later, to the second", () => {
    const office = packed(window(WEEKDAYS, "09:00", "17:00"));
    const opens = utc("2026-06-01T09:00:00Z");
    const next = (t: number) => nextChange(office, 1, UTC0, t);
    assert.deepEqual([opens - 1, opens, opens + 1].map(next), [opens, opens + 28_800, opens + 28_800]);
    assert.equal(next(utc("2026-06-05T17:00:00Z")), utc("2026-06-08T09:00:00Z"));
  });

  it("passes over edges at which windows touch", () => {
    const windows = packed(window(MON, "08:00", "12:00"), window(MON, "12:00", "17:00"));
    assert.equal(nextChange(windows, 2, UTC0, utc("2026-06-01T09:00:00Z")), utc("2026-06-01T17:00:00Z"));
  });

  it("is 0 where it never comes", () => {
    const always = packed({ days: 127, start: 300, duration: 1440 });
    assert.equal(nextChange(always, 1, zoneOf("Europe/Berlin"), utc("2026-03-28T12:00:00Z")), 0);
    assert.equal(nextChange(always, 0, zoneOf("Europe/Berlin"), utc("2026-03-28T12:00:00Z")), 0);
    assert.equal(nextChange(always, 1, UTC0, Number.NaN), 0);
  });

  it("follows offsets with seconds", () => {
    const zone = parseZone(Uint8Array.from(Buffer.from("LMT-0:44:30")));
    assert.ok(zone);
    assert.equal(
      nextChange(packed(window(MON, "09:00", "10:00")), 1, zone, utc("2026-06-01T00:00:00Z")),
      utc("2026-06-01T08:15:30Z"),
    );
  });
});

describe("T12 a schedule open for a span of time", () => {
  const office = packed(window(WEEKDAYS, "09:00", "17:00"));
  const opens = utc("2026-06-01T09:00:00Z");
  const shuts = utc("2026-06-01T17:00:00Z");
  const during = (from: number, to: number) => openDuring(office, 1, UTC0, from, to);

  it("counts both ends", () => {
    assert.equal(during(opens, shuts - 1), true);
    assert.equal(during(opens - 1, shuts - 1), false);
    assert.equal(during(opens, shuts), false);
    assert.equal(during(opens, opens), true);
    assert.equal(during(shuts, shuts), false);
  });

  it("shrinks a window by the error bound on both sides", () => {
    const bound = 600;
    const around = (t: number) => during(t - bound, t + bound);
    assert.deepEqual([opens + bound - 1, opens + bound].map(around), [false, true]);
    assert.deepEqual([shuts - bound - 1, shuts - bound].map(around), [true, false]);
  });

  it("is open at every second of it and no other, also where the clock changes", () => {
    const span = fc.record({
      list: anyWindows,
      where: fc.nat(ZONES.length - 1),
      year: fc.integer({ min: 2024, max: 2036 }),
      month: fc.constantFrom(2, 9),
      seconds: fc.nat(16 * 86_400),
      bound: fc.nat(600),
    });
    fc.assert(
      fc.property(span, ({ list, where, year, month, seconds, bound }) => {
        const { name, zone } = ZONES[where];
        const t = Date.UTC(year, month, 20) / 1000 + seconds;
        const week = coverage(list);
        let expected = true;
        for (let s = t - bound; s <= t + bound && expected; s++) expected = referenceOpen(week, name, s);
        assert.equal(openDuring(packed(...list), list.length, zone, t - bound, t + bound), expected);
      }),
      { numRuns: 400 },
    );
  });
});
