// Zones derived for locks (rule T8), for every zone that Node knows.

import assert from "node:assert/strict";
import type { Zone } from "../../../firmware/core/calendar";
import {
  MAX_TRANSITIONS,
  MAX_ZONE_BYTES,
  nextTransition,
  offsetAt,
  parseTransitions,
  parseZone,
  withTransitions,
} from "../../../firmware/core/calendar";
import type { LockZone } from "../../../protocol/issuer/zone";
import { lockZone, posixZone, transitionTable } from "../../../protocol/issuer/zone";
import { MAX_SETTING_BYTES } from "../../../protocol/wire/limits";
import { intlOffset } from "../../../tools/zone";

const FROM = 2024;
const TO = 2037;
const HOUR = 3600;
const DAY = 86_400;
const yearStart = (year: number): number => Date.UTC(year, 0, 1) / 1000;
const utc = (text: string): number => Date.parse(text) / 1000;

/** The zone as a lock understands what it is told. */
function understood({ text, transitions }: LockZone): Zone {
  const zone = parseZone(Uint8Array.from(Buffer.from(text)));
  const table = transitions && parseTransitions(transitions);
  assert.ok(zone, text);
  assert.equal(table === undefined, transitions === undefined, text);
  return withTransitions(zone, table);
}

/** A made-up zone: the offset from each instant on. */
const madeUp =
  (first: number, ...changes: [string, number][]) =>
  (_name: string, t: number): number =>
    changes.reduce((offset, [from, to]) => (t >= utc(from) ? to : offset), first);

describe("T8 from a zone's name to a lock's local time", () => {
  const names = Intl.supportedValuesOf("timeZone");
  const told = new Map<string, LockZone>();

  before(() => {
    for (const name of names) {
      const zone = lockZone(name, intlOffset, FROM, TO);
      if (zone !== undefined) told.set(name, zone);
    }
  });

  it("has an answer for every zone that the platform knows, within the sizes that a lock takes", () => {
    for (const name of names) {
      const zone = told.get(name);
      assert.ok(zone, name);
      assert.ok(zone.text.length <= MAX_ZONE_BYTES, name);
      assert.ok((zone.transitions?.length ?? 0) <= MAX_SETTING_BYTES, name);
    }
    const tables = names.filter((name) => told.get(name)?.transitions !== undefined);
    console.log(`      ${names.length} zones, ${tables.length} need a table: ${tables.join(" ")}`);
  });

  it("gives no other offset than the platform, around every change from 2024 to 2037 and between", () => {
    let compared = 0;
    let changes = 0;
    for (const [name, zone] of told) {
      const lock = understood(zone);
      const compare = (t: number): void => {
        if (offsetAt(lock, t) !== intlOffset(name, t)) assert.fail(`${name} at ${t}: ${zone.text}`);
        compared++;
      };
      for (let t = yearStart(FROM) + 1234; t < yearStart(TO + 1); t += 17 * DAY + 4567) compare(t);
      const last = yearStart(TO + 1) - 2 * HOUR;
      for (let t = nextTransition(lock, yearStart(FROM)); t !== 0 && t < last; t = nextTransition(lock, t)) {
        changes++;
        for (let near = -2 * HOUR; near <= 2 * HOUR; near += 900) compare(t + near);
        for (const near of [-HOUR - 1, -60, -1, 1, 60, HOUR + 1]) compare(t + near);
      }
    }
    console.log(`      ${compared} instants compared, ${changes} changes`);
    assert.ok(compared >= 100_000);
  });

  it("tells Morocco and Western Sahara with a table, because no string will do", () => {
    for (const name of ["Africa/Casablanca", "Africa/El_Aaiun"]) {
      assert.equal(posixZone(name, intlOffset, FROM, TO), undefined);
      assert.ok(told.get(name)?.transitions, name);
    }
  });

  it("tells most of the world with a string alone", () => {
    const text = (name: string) => posixZone(name, intlOffset, FROM, 2025);
    assert.equal(text("Europe/Berlin"), "<+01>-1<+02>,M3.5.0,M10.5.0/3");
    assert.equal(text("America/New_York"), "<-05>5<-04>,M3.2.0,M11.1.0");
    assert.equal(text("Asia/Katmandu"), "<+0545>-5:45");
    assert.equal(text("Africa/Abidjan"), "<+00>0");
    const long = (name: string) => posixZone(name, intlOffset, FROM, TO);
    assert.equal(long("Asia/Jerusalem"), "<+02>-2<+03>,M3.4.4/26,M10.5.0");
    assert.equal(long("Antarctica/Troll"), "<+00>0<+02>-2,M3.5.0/1,M10.5.0/3");
    assert.equal(long("Australia/Lord_Howe"), "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0");
    assert.equal(long("Pacific/Chatham"), "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45");
  });

  it("reaches behind 2100 and 2106", () => {
    for (const name of [
      "Europe/Berlin",
      "America/New_York",
      "Australia/Sydney",
      "America/Santiago",
      "Africa/Cairo",
    ]) {
      const text = posixZone(name, intlOffset, 2096, 2108);
      assert.ok(text, name);
      const lock = understood({ text, transitions: undefined });
      for (let t = nextTransition(lock, yearStart(2096)); t < yearStart(2109); t = nextTransition(lock, t))
        for (const near of [-HOUR, -1, 0, 1, HOUR])
          assert.equal(offsetAt(lock, t + near), intlOffset(name, t + near));
    }
  });
});

describe("T8 irregular years", () => {
  /** Daylight saving time from the second Sunday of March to the first of November, but for what is put in its place. */
  function years(...instead: [string, string][]): (name: string, t: number) => number {
    const sundays = [
      "2025-03-09T02",
      "2025-11-02T01",
      "2026-03-08T02",
      "2026-11-01T01",
      "2027-03-14T02",
      "2027-11-07T01",
    ];
    const hours = sundays.map((hour) => instead.find(([from]) => hour.startsWith(from))?.[1] ?? hour);
    return madeUp(0, ...hours.map((hour, i): [string, number] => [`${hour}:00:00Z`, i % 2 === 0 ? HOUR : 0]));
  }
  const text = (offsetOf: (name: string, t: number) => number) => posixZone("made up", offsetOf, 2025, 2027);

  it("have a string only if all years follow the same rule", () => {
    assert.equal(text(years()), "<+00>0<+01>,M3.2.0,M11.1.0");
    assert.equal(text(years(["2026-03", "2026-03-08T03"])), undefined);
    assert.equal(text(years(["2026-03", "2026-03-09T02"])), undefined);
    assert.equal(text(years(["2026-03", "2026-03-22T02"])), undefined);
    assert.equal(text(years(["2026-03", "2026-04-12T02"])), undefined);
    assert.equal(text(years(["2026-11", "2026-12-06T01"])), undefined);
    assert.equal(text(years(["2026-11", "2027-01-03T01"])), undefined);
  });

  it("have none with a third offset, or a year without a change", () => {
    const regular = years();
    const third = (name: string, t: number) =>
      t >= utc("2026-06-01T00:00:00Z") && t < utc("2026-07-01T00:00:00Z") ? 2 * HOUR : regular(name, t);
    assert.equal(text(third), undefined);
    assert.equal(posixZone("made up", years(), 2025, 2028), undefined);
  });

  it("are followed change by change even where two come within a few hours", () => {
    const twice = madeUp(
      0,
      ["2025-05-01T00:00:00Z", HOUR],
      ["2025-05-01T09:00:00Z", 2 * HOUR],
      ["2025-08-01T00:00:00Z", HOUR],
    );
    assert.equal(text(twice), undefined);
    assert.equal(lockZone("made up", twice, 2025, 2027), undefined);
  });
});

describe("T8 tables of transitions", () => {
  it("hold every change of their years", () => {
    const table = transitionTable("Africa/Casablanca", intlOffset, 2024, 2025);
    const zone = parseTransitions(table ?? new Uint8Array(0));
    assert.ok(zone);
    const expected = [
      "2024-01-01T00:00:00Z",
      "2024-03-10T02:00:00Z",
      "2024-04-14T02:00:00Z",
      "2025-02-23T02:00:00Z",
    ];
    assert.deepEqual([...zone.at], [...expected, "2025-04-06T02:00:00Z", "2026-01-01T00:00:00Z"].map(utc));
    assert.deepEqual([zone.even, zone.odd], [HOUR, 0]);
  });

  it("cover a government's change of mind, and the new string stands behind them", () => {
    const moved = madeUp(2 * HOUR, ["2025-07-01T00:00:00Z", 3 * HOUR]);
    assert.equal(posixZone("made up", moved, 2025, 2030), undefined);
    const told = lockZone("made up", moved, 2025, 2030);
    assert.equal(told?.text, "<+03>-3");
    assert.equal(told?.transitions?.length, 8);
    for (let t = yearStart(2025); t < yearStart(2031); t += 3 * HOUR)
      assert.equal(offsetAt(understood(told as LockZone), t), moved("", t));
  });

  it("take 64 intervals, and there is nothing for 65", () => {
    const often = (count: number) => {
      const changes: [string, number][] = [];
      for (let i = 1; i <= count; i++) {
        const at = new Date((yearStart(2025) + i * 150 * HOUR + i * i * HOUR) * 1000).toISOString();
        changes.push([at, i % 2 === 0 ? 0 : HOUR]);
      }
      return madeUp(0, ...changes);
    };
    const told = transitionTable("made up", often(63), 2025, 2027);
    assert.equal(told?.length, 6 + 2 * MAX_TRANSITIONS);
    assert.equal(parseTransitions(told as Uint8Array)?.at.length, 65);
    assert.equal(transitionTable("made up", often(64), 2025, 2027), undefined);
  });

  it("are not made where their form does not reach", () => {
    const none = (offsetOf: (name: string, t: number) => number): void => {
      assert.equal(transitionTable("made up", offsetOf, 2025, 2029), undefined);
    };
    none(madeUp(HOUR));
    none(madeUp(0, ["2025-05-01T00:00:00Z", HOUR], ["2026-05-01T00:00:00Z", 2 * HOUR]));
    none(madeUp(0, ["2025-05-01T00:00:00Z", HOUR], ["2028-05-01T00:00:00Z", 0]));
    none(madeUp(0, ["2025-05-01T00:00:01Z", HOUR], ["2026-05-01T00:00:00Z", 0]));
    none(madeUp(1, ["2025-05-01T00:00:00Z", HOUR], ["2026-05-01T00:00:00Z", 1]));
  });

  it("give up, and never lie, where neither string nor table reaches", () => {
    const three = madeUp(
      0,
      ["2025-05-01T00:00:00Z", HOUR],
      ["2026-05-01T00:00:00Z", 2 * HOUR],
      ["2029-02-01T00:00:00Z", 0],
    );
    assert.equal(lockZone("made up", three, 2025, 2029), undefined);
  });
});

describe("T8 the platform's offsets", () => {
  it("read hours, minutes and seconds, east and west", () => {
    const t = utc("2024-01-01T00:00:00Z");
    assert.equal(intlOffset("UTC", t), 0);
    assert.equal(intlOffset("Asia/Katmandu", t), 5 * HOUR + 45 * 60);
    assert.equal(intlOffset("America/St_Johns", t), -(3 * HOUR + 30 * 60));
    assert.equal(intlOffset("Africa/Monrovia", 0), -(44 * 60 + 30));
  });

  it("throw for a name that the platform does not know", () => {
    assert.throws(() => intlOffset("Europe/Atlantis", 0), RangeError);
  });
});
