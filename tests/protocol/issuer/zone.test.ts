// Zones derived for locks (rule T8), for every zone that the platform knows. What a lock makes of the bytes that it is told is judged
// by the platform's own wall clocks, read another way than the issuer reads them.

import assert from "node:assert/strict";
import type { Zone } from "../../../firmware/core/calendar";
import {
  localTime,
  MAX_TRANSITIONS,
  MAX_ZONE_BYTES,
  MAX_ZONE_SETTING_BYTES,
  nextTransition,
  offsetAt,
  parseTransitions,
  parseZone,
  parseZoneSetting,
  withTransitions,
} from "../../../firmware/core/calendar";
import { type LockZone, lockZone, type OffsetOf, zoneSetting } from "../../../protocol/issuer/zone";
import { intlOffset } from "../../../tools/zone";
import { tell } from "../../support/tell";

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

/** The string that tells a zone without a table; undefined if there is none. */
function stringFor(name: string, offsetOf: OffsetOf, fromYear: number, toYear: number): string | undefined {
  const told = lockZone(name, offsetOf, fromYear, toYear);
  return told?.transitions === undefined ? told?.text : undefined;
}

/** A made-up zone: the offset from each instant on. */
function madeUp(first: number, ...changes: [string, number][]): OffsetOf {
  const turns = changes.map(([from, to]): [number, number] => [utc(from), to]);
  return (_name, t) => turns.reduce((offset, [from, to]) => (t >= from ? to : offset), first);
}

/** Older names of zones, which the platform takes but does not list. */
const LINKS: Readonly<Record<string, string>> = {
  "": `CET CST6CDT Cuba EET EST EST5EDT Egypt Eire GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland Iran Israel
    Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC ROK Singapore Turkey UCT UTC
    Universal W-SU WET Zulu`,
  "Africa/": "Asmara Timbuktu",
  "America/": `Argentina/Buenos_Aires Argentina/Catamarca Argentina/ComodRivadavia Argentina/Cordoba Argentina/Jujuy
    Argentina/Mendoza Atikokan Atka Ensenada Fort_Wayne Indiana/Indianapolis Kentucky/Louisville Knox_IN Montreal Nipigon Nuuk
    Pangnirtung Porto_Acre Rainy_River Rosario Santa_Isabel Shiprock Thunder_Bay Virgin Yellowknife`,
  "Antarctica/": "South_Pole",
  "Asia/": `Ashkhabad Choibalsan Chongqing Chungking Dacca Harbin Ho_Chi_Minh Istanbul Kashgar Kathmandu Kolkata Macao Tel_Aviv
    Thimbu Ujung_Pandang Ulan_Bator Yangon`,
  "Atlantic/": "Faroe Jan_Mayen",
  "Australia/": "ACT Canberra Currie LHI NSW North Queensland South Tasmania Victoria West Yancowinna",
  "Brazil/": "Acre DeNoronha East West",
  "Canada/": "Atlantic Central Eastern Mountain Newfoundland Pacific Saskatchewan Yukon",
  "Chile/": "Continental EasterIsland",
  "Etc/": `GMT GMT+0 GMT+1 GMT+10 GMT+11 GMT+12 GMT+2 GMT+3 GMT+4 GMT+5 GMT+6 GMT+7 GMT+8 GMT+9 GMT-0 GMT-1 GMT-10 GMT-11
    GMT-12 GMT-13 GMT-14 GMT-2 GMT-3 GMT-4 GMT-5 GMT-6 GMT-7 GMT-8 GMT-9 GMT0 Greenwich UCT UTC Universal Zulu`,
  "Europe/": "Belfast Kyiv Nicosia Tiraspol Uzhgorod Zaporozhye",
  "Mexico/": "BajaNorte BajaSur General",
  "Pacific/": "Chuuk Johnston Kanton Pohnpei Samoa Yap",
  "US/":
    "Alaska Aleutian Arizona Central East-Indiana Eastern Hawaii Indiana-Starke Michigan Mountain Pacific Samoa",
};
/** Zones that neither a string nor a table describes, each with the reason. None is known. */
const BEYOND: Readonly<Record<string, string>> = {};

/** A wall clock of the platform: local seconds since 1970, and the weekday, at an instant. */
function wallClock(name: string): (t: number) => { wall: number; weekday: string } {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    hourCycle: "h23",
    weekday: "short",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  // "Thu, 1/1/1970, 00:00:00"
  return (t) => {
    const text = format.format(t * 1000);
    const [month, day, year, hour, minute, second] = (text.match(/\d+/g) ?? []).map(Number);
    return { wall: Date.UTC(year, month - 1, day, hour, minute, second) / 1000, weekday: text.slice(0, 3) };
  };
}

/** The instants at which the platform's offset changes, found by looking every sixth day. */
function changesOf(clock: ReturnType<typeof wallClock>, from: number, to: number): number[] {
  const offset = (t: number) => clock(t).wall - t;
  const changes: number[] = [];
  let before = offset(from);
  for (let t = from; t < to; t += 6 * DAY) {
    const next = Math.min(t + 6 * DAY, to);
    const after = offset(next);
    if (after === before) continue;
    let [low, high] = [t, next];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (offset(middle) === before) low = middle;
      else high = middle;
    }
    changes.push(high);
    before = after;
  }
  return changes;
}

describe("T8 from a zone's name to a lock's local time", () => {
  const listed = Intl.supportedValuesOf("timeZone");
  const links = Object.entries(LINKS).flatMap(([area, names]) =>
    names.split(/\s+/).map((name) => area + name),
  );
  const names = [...new Set([...listed, ...links])];
  const told = new Map<string, Uint8Array>();
  const start = yearStart(FROM);
  const end = yearStart(TO + 1) - 1;

  before(() => {
    for (const name of names) {
      const setting = zoneSetting(name, intlOffset, FROM, TO);
      if (setting !== undefined) told.set(name, setting);
    }
  });

  it("has an answer for every zone that the platform knows, within the size that a lock takes", function () {
    assert.deepEqual(
      names.filter((name) => !told.has(name)),
      Object.keys(BEYOND),
    );
    for (const [name, setting] of told) assert.ok(setting.length <= MAX_ZONE_SETTING_BYTES, name);
    const tables = listed.filter((name) => told.get(name)?.includes(0));
    const counts = `${listed.length} zones and ${names.length - listed.length} older names`;
    tell(this, `${counts}; zones with a table: ${tables.join(" ")}`);
  });

  it("shows the platform's wall clock from 2024 to 2037, at every change and between", function () {
    const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    let compared = 0;
    let changes = 0;
    for (const [name, setting] of told) {
      const lock = parseZoneSetting(setting) ?? assert.fail(name);
      const clock = wallClock(name);
      const compare = (t: number): void => {
        const { wall, weekday } = clock(t);
        const local = localTime(lock, t);
        const shown = local.day * DAY + local.minute * 60 + local.second;
        if (shown !== wall || weekdays[local.weekday] !== weekday || offsetAt(lock, t) !== wall - t)
          assert.fail(`${name} at ${t}: ${shown} ${local.weekday}, wanted ${wall} ${weekday}`);
        compared++;
      };
      for (let t = start + 1234; t < end; t += 23 * DAY + 4567) compare(t);
      // An older name that the platform takes for a zone, and the issuer too, was seen with that zone.
      const { timeZone } = new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions();
      const isOld = timeZone !== name && listed.includes(timeZone);
      if (isOld && Buffer.compare(setting, told.get(timeZone) ?? assert.fail(timeZone)) === 0) continue;
      const real = changesOf(clock, start, end);
      const known: number[] = [];
      for (let t = nextTransition(lock, start); t !== 0 && t <= end; t = nextTransition(lock, t))
        known.push(t);
      assert.deepEqual(known, real, name);
      changes += real.length;
      for (const t of real) {
        // As long before and after as the hours that are skipped or come twice, and then more.
        for (let near = -2 * HOUR; near <= 2 * HOUR; near += 600) compare(t + near);
        for (const near of [-HOUR - 1, -60, -1, 1, 60, HOUR + 1]) compare(t + near);
      }
    }
    tell(this, `${compared} instants compared, ${changes} changes`);
    assert.ok(compared >= 100_000);
  });

  it("tells Morocco and Western Sahara with a table, because no string will do", () => {
    for (const name of ["Africa/Casablanca", "Africa/El_Aaiun"]) {
      assert.equal(stringFor(name, intlOffset, FROM, TO), undefined);
      assert.ok(told.get(name)?.includes(0), name);
    }
  });

  it("tells most of the world with a string alone", () => {
    const text = (name: string) => stringFor(name, intlOffset, FROM, 2025);
    assert.equal(text("Europe/Berlin"), "<+01>-1<+02>,M3.5.0,M10.5.0/3");
    assert.equal(text("America/New_York"), "<-05>5<-04>,M3.2.0,M11.1.0");
    assert.equal(text("Asia/Katmandu"), "<+0545>-5:45");
    assert.equal(text("Africa/Abidjan"), "<+00>0");
    const long = (name: string) => stringFor(name, intlOffset, FROM, TO);
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
      const text = stringFor(name, intlOffset, 2096, 2108);
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
  const text = (offsetOf: (name: string, t: number) => number) => stringFor("made up", offsetOf, 2025, 2027);

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
    assert.equal(stringFor("made up", years(), 2025, 2028), undefined);
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

describe("T8 the setting of a zone", () => {
  it("is the string, and behind a zero byte the table where there is one", () => {
    const berlin = zoneSetting("Europe/Berlin", intlOffset, FROM, TO);
    assert.deepEqual(berlin, Uint8Array.from(Buffer.from("<+01>-1<+02>,M3.5.0,M10.5.0/3")));
    const morocco = lockZone("Africa/Casablanca", intlOffset, FROM, TO);
    const setting = zoneSetting("Africa/Casablanca", intlOffset, FROM, TO);
    assert.deepEqual(
      setting,
      Uint8Array.from(Buffer.concat([Buffer.from("<+01>-1\0"), morocco?.transitions as Uint8Array])),
    );
    assert.deepEqual(parseZoneSetting(setting as Uint8Array), understood(morocco as LockZone));
  });

  it("is nothing where neither string nor table reaches", () => {
    const three = madeUp(0, ["2026-05-01T00:00:00Z", HOUR], ["2026-06-01T00:00:00Z", 2 * HOUR]);
    assert.equal(zoneSetting("made up", three, 2026, 2027), undefined);
  });

  it("throws as the offsets do for a name that they do not know", () => {
    assert.throws(() => zoneSetting("Europe/Atlantis", intlOffset, FROM, TO), RangeError);
  });

  it("has a string of 48 characters, and in place of a longer one a table", () => {
    const startingAt = (first: string, second: string, third: string) =>
      madeUp(
        -45_900,
        [first, -34_200],
        ["2025-12-28T13:15:00Z", -45_900],
        [second, -34_200],
        ["2026-12-27T13:15:00Z", -45_900],
        [third, -34_200],
        ["2027-12-26T13:15:00Z", -45_900],
      );
    const early = startingAt("2025-09-28T16:30:00Z", "2026-09-27T16:30:00Z", "2027-09-26T16:30:00Z");
    const late = startingAt("2025-09-29T12:30:00Z", "2026-09-28T12:30:00Z", "2027-09-27T12:30:00Z");
    const text = "<-1245>12:45<-0930>9:30,M9.5.0/3:45,M12.5.0/3:45";
    assert.equal(text.length, MAX_ZONE_BYTES);
    assert.equal(stringFor("made up", early, 2025, 2027), text);
    assert.equal(stringFor("made up", late, 2025, 2027), undefined);
    const lock = parseZoneSetting(zoneSetting("made up", late, 2025, 2027) ?? new Uint8Array(0));
    for (let t = yearStart(2025); t < yearStart(2028); t += 900)
      assert.equal(lock && offsetAt(lock, t), late("", t));
  });
});

describe("T8 tables of transitions", () => {
  it("hold every change of their years at which another offset than the usual one begins or ends", () => {
    const told = lockZone("Africa/Casablanca", intlOffset, 2024, 2025);
    const table = parseTransitions(told?.transitions ?? new Uint8Array(0));
    assert.ok(table);
    const expected = [
      "2024-03-10T02:00:00Z",
      "2024-04-14T02:00:00Z",
      "2025-02-23T02:00:00Z",
      "2025-04-06T02:00:00Z",
    ];
    assert.deepEqual([...table.at], expected.map(utc));
    assert.deepEqual([table.even, table.odd, told?.text], [0, HOUR, "<+01>-1"]);
  });

  it("cover a government's change of mind, and the new string stands behind them", () => {
    const moved = madeUp(2 * HOUR, ["2025-07-01T00:00:00Z", 3 * HOUR]);
    assert.equal(stringFor("made up", moved, 2025, 2030), undefined);
    const told = lockZone("made up", moved, 2025, 2030);
    assert.equal(told?.text, "<+03>-3");
    assert.equal(told?.transitions?.length, 8);
    for (let t = yearStart(2025); t < yearStart(2031); t += 3 * HOUR)
      assert.equal(offsetAt(understood(told as LockZone), t), moved("", t));
  });

  it("take 64 intervals, and there is nothing for 65", () => {
    /** So many changes in two years, and then rules that begin and end a year in summer. */
    const often = (count: number): OffsetOf => {
      const changes = Array.from({ length: count }, (_, n): [string, number] => {
        const hours = (n + 1) * 150 + (n + 1) ** 2;
        return [new Date((yearStart(2025) + hours * HOUR) * 1000).toISOString(), n % 2 === 0 ? HOUR : 0];
      });
      const sundays = ["2027-03-14", "2027-11-07", "2028-03-12", "2028-11-05", "2029-03-11", "2029-11-04"];
      const regular = sundays.map((date, i): [string, number] => [
        `${date}T01:00:00Z`,
        i % 2 === 0 ? 0 : HOUR,
      ]);
      return madeUp(0, ...changes, ["2027-01-01T00:00:00Z", HOUR], ...regular);
    };
    const offsetOf = often(63);
    const told = lockZone("made up", offsetOf, 2025, 2029) ?? assert.fail();
    assert.equal(told.transitions?.length, 6 + 2 * MAX_TRANSITIONS);
    const lock = understood(told);
    for (let t = yearStart(2025); t < yearStart(2030); t += 3 * HOUR)
      assert.equal(offsetAt(lock, t), offsetOf("", t));
    assert.equal(lockZone("made up", often(64), 2025, 2029), undefined);
  });

  it("are not made where their form does not reach", () => {
    const none = (offsetOf: OffsetOf): void => {
      assert.equal(lockZone("made up", offsetOf, 2025, 2029), undefined);
    };
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
