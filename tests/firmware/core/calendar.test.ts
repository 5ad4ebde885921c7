// Local time without Intl (rules T8, T9, T15), judged by Intl itself, which knows every real zone.

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Zone } from "../../../firmware/core/calendar";
import {
  dayStart,
  localTime,
  MAX_TRANSITIONS,
  MAX_ZONE_BYTES,
  MAX_ZONE_SETTING_BYTES,
  nextTransition,
  offsetAt,
  parseTransitions,
  parseZone,
  parseZoneSetting,
  UTC0,
  withTransitions,
} from "../../../firmware/core/calendar";
import { MAX_SETTING_BYTES } from "../../../protocol/wire/limits";
import { intlOffset } from "../../../tools/zone";

const HOUR = 3600;
const utc = (text: string): number => Date.parse(text) / 1000;
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));

function zone(text: string): Zone {
  const parsed = parseZone(bytes(text));
  assert.ok(parsed, text);
  return parsed;
}

// ---- A model of POSIX rules: lists every change around an instant, sorts them, and takes the last one -----------------------

interface ModelRule {
  form: "M" | "J" | "n";
  month: number;
  week: number;
  day: number;
  time: number;
}
interface ModelZone {
  standard: number;
  daylight: number;
  start: ModelRule;
  end: ModelRule;
}

function modelMidnight(rule: ModelRule, year: number): number {
  if (rule.form === "n") return Date.UTC(year, 0, 1 + rule.day) / 1000;
  if (rule.form === "J") {
    const inPlainYear = new Date(Date.UTC(2023, 0, rule.day));
    return Date.UTC(year, inPlainYear.getUTCMonth(), inPlainYear.getUTCDate()) / 1000;
  }
  const matches: number[] = [];
  for (let d = 1; d <= 31; d++) {
    const date = new Date(Date.UTC(year, rule.month - 1, d));
    if (date.getUTCMonth() === rule.month - 1 && date.getUTCDay() === rule.day)
      matches.push(date.getTime() / 1000);
  }
  return rule.week === 5 ? matches[matches.length - 1] : matches[rule.week - 1];
}

function modelChanges(model: ModelZone, fromYear: number, toYear: number): { at: number; offset: number }[] {
  const changes: { at: number; offset: number; order: number }[] = [];
  for (let year = fromYear; year <= toYear; year++) {
    const { standard, daylight, start, end } = model;
    changes.push({ at: modelMidnight(start, year) + start.time - standard, offset: daylight, order: 1 });
    changes.push({ at: modelMidnight(end, year) + end.time - daylight, offset: standard, order: 0 });
  }
  return changes.sort((a, b) => a.at - b.at || a.order - b.order);
}

function clock(seconds: number): string {
  const size = Math.abs(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const text = `${Math.floor(size / 3600)}:${two(Math.floor(size / 60) % 60)}:${two(size % 60)}`;
  return (seconds < 0 ? "-" : "") + text.replace(/:00$/, "").replace(/:00$/, "");
}

function ruleText(rule: ModelRule): string {
  const date = { M: `M${rule.month}.${rule.week}.${rule.day}`, J: `J${rule.day}`, n: `${rule.day}` }[
    rule.form
  ];
  return `${date}/${clock(rule.time)}`;
}

const modelText = (model: ModelZone): string =>
  `AAA${clock(-model.standard)}BBB${clock(-model.daylight)},${ruleText(model.start)},${ruleText(model.end)}`;

const anyTime = fc.oneof(
  fc.integer({ min: -167, max: 167 }).map((h) => h * HOUR),
  fc.integer({ min: -601_200, max: 601_200 }),
);
const anyRule: fc.Arbitrary<ModelRule> = fc
  .record({
    form: fc.constantFrom("M" as const, "J" as const, "n" as const),
    month: fc.integer({ min: 1, max: 12 }),
    week: fc.integer({ min: 1, max: 5 }),
    weekday: fc.integer({ min: 0, max: 6 }),
    julian: fc.integer({ min: 1, max: 365 }),
    ordinal: fc.integer({ min: 0, max: 365 }),
    time: anyTime,
  })
  .map(({ form, month, week, weekday, julian, ordinal, time }) => ({
    form,
    month,
    week,
    day: { M: weekday, J: julian, n: ordinal }[form],
    time,
  }));
const anyOffset = fc.oneof(
  fc.integer({ min: -96, max: 96 }).map((quarters) => quarters * 900),
  fc.integer({ min: -89_999, max: 89_999 }),
);
const anyModel: fc.Arbitrary<ModelZone> = fc
  .record({ standard: anyOffset, daylight: anyOffset, start: anyRule, end: anyRule })
  .filter((model) => modelText(model).length <= MAX_ZONE_BYTES);

/** Real strings by their shape, as the zones have had them since 2024. */
const SHAPES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  "daylight saving time in the north": [
    ["Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"],
    ["Europe/London", "GMT0BST,M3.5.0/1,M10.5.0"],
    ["Europe/Chisinau", "EET-2EEST,M3.5.0,M10.5.0/3"],
    ["Europe/Athens", "EET-2EEST,M3.5.0/3,M10.5.0/4"],
    ["America/New_York", "EST5EDT,M3.2.0,M11.1.0"],
    ["America/Los_Angeles", "PST8PDT,M3.2.0,M11.1.0"],
    ["America/Havana", "CST5CDT,M3.2.0/0,M11.1.0/1"],
    ["America/Miquelon", "<-03>3<-02>,M3.2.0,M11.1.0"],
    ["Asia/Beirut", "EET-2EEST,M3.5.0/0,M10.5.0/0"],
    ["Atlantic/Azores", "<-01>1<+00>,M3.5.0/0,M10.5.0/1"],
  ],
  "southern order, where the year begins and ends in summer": [
    ["Australia/Sydney", "AEST-10AEDT,M10.1.0,M4.1.0/3"],
    ["Australia/Adelaide", "ACST-9:30ACDT,M10.1.0,M4.1.0/3"],
    ["Pacific/Auckland", "NZST-12NZDT,M9.5.0,M4.1.0/3"],
    ["Pacific/Easter", "<-06>6<-05>,M9.1.6/22,M4.1.6/22"],
  ],
  "a winter that is the daylight saving time": [["Europe/Dublin", "IST-1GMT0,M10.5.0,M3.5.0/1"]],
  "a time before midnight of the rule's day": [["America/Godthab", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"]],
  "a time at 24 hours or beyond": [
    ["Africa/Cairo", "EET-2EEST,M4.5.5/0,M10.5.4/24"],
    ["America/Santiago", "<-04>4<-03>,M9.1.6/24,M4.1.6/24"],
    ["Asia/Jerusalem", "IST-2IDT,M3.4.4/26,M10.5.0"],
  ],
  "half hours and quarters": [
    ["America/St_Johns", "NST3:30NDT,M3.2.0,M11.1.0"],
    ["Asia/Calcutta", "IST-5:30"],
    ["Asia/Katmandu", "<+0545>-5:45"],
    ["Australia/Eucla", "<+0845>-8:45"],
    ["Pacific/Chatham", "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45"],
    ["Pacific/Marquesas", "<-0930>9:30"],
  ],
  "a leap of half an hour": [["Australia/Lord_Howe", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"]],
  "a leap of two hours": [["Antarctica/Troll", "<+00>0<+02>-2,M3.5.0/1,M10.5.0/3"]],
  "no daylight saving time": [
    ["Europe/Moscow", "MSK-3"],
    ["Africa/Johannesburg", "SAST-2"],
    ["America/Asuncion", "<-03>3"],
    ["America/Sao_Paulo", "<-03>3"],
    ["Asia/Tokyo", "JST-9"],
    ["Pacific/Kiritimati", "<+14>-14"],
    ["Pacific/Niue", "<-11>11"],
  ],
};
const REAL = Object.values(SHAPES).flat();

/** Compares a string with the platform's zone every six hours of two years, and at every change until 2037. */
function sameAsPlatform(name: string, text: string): void {
  const parsed = zone(text);
  const from = utc("2025-01-01T00:00:00Z");
  const compare = (t: number) => assert.equal(offsetAt(parsed, t), intlOffset(name, t), `${name} ${t}`);
  for (let t = from; t < utc("2027-01-01T00:00:00Z"); t += 6 * HOUR + 7) compare(t);
  const end = utc("2038-01-01T00:00:00Z");
  for (let t = nextTransition(parsed, from); t !== 0 && t < end; t = nextTransition(parsed, t))
    for (const near of [-7201, -3601, -3600, -60, -1, 0, 1, 60, 3599, 3600, 7200]) compare(t + near);
}

describe("T8 zone strings", () => {
  for (const [shape, zones] of Object.entries(SHAPES))
    it(`give the real offsets of zones with ${shape}`, () => {
      for (const [name, text] of zones) sameAsPlatform(name, text);
    });

  it("equal a model of the rules, for every form of rule, hours to 167 and offsets to the second", () => {
    fc.assert(
      fc.property(
        anyModel,
        fc.integer({ min: 1971, max: 2110 }),
        fc.array(fc.integer({ min: 0, max: 31_622_399 })),
        (model, year, more) => {
          const parsed = zone(modelText(model));
          const changes = modelChanges(model, year - 3, year + 3);
          const inYear = changes.filter(
            (change) => change.at >= Date.UTC(year) / 1000 && change.at < Date.UTC(year + 1) / 1000,
          );
          const instants = inYear.flatMap(({ at }) => [at - 1, at, at + 1]);
          for (const t of [...instants, ...more.map((second) => Date.UTC(year) / 1000 + second)]) {
            const last = changes.filter((change) => change.at <= t).pop();
            assert.equal(offsetAt(parsed, t), last?.offset, `${modelText(model)} at ${t}`);
          }
        },
      ),
      { numRuns: 1500 },
    );
  });

  it("find the next change where a model finds it", () => {
    fc.assert(
      fc.property(anyModel, fc.integer({ min: 0, max: 4_300_000_000 }), (model, t) => {
        const parsed = zone(modelText(model));
        const year = new Date(t * 1000).getUTCFullYear();
        const changes = modelChanges(model, year - 3, year + 12);
        const offsetOf = (at: number) => changes.filter((change) => change.at <= at).pop()?.offset;
        const expected = changes.find(({ at }) => at > t && offsetOf(at) !== offsetOf(t))?.at ?? 0;
        assert.equal(nextTransition(parsed, t), expected, modelText(model));
      }),
      { numRuns: 500 },
    );
  });

  it("keep daylight saving time all year where its end is its next start", () => {
    const always = zone("XXX3EDT4,0/0,J365/23");
    for (const t of [
      0,
      utc("2024-02-29T12:00:00Z"),
      utc("2026-01-01T02:59:59Z"),
      utc("2026-01-01T03:00:00Z"),
    ])
      assert.equal(offsetAt(always, t), -4 * HOUR);
    assert.equal(nextTransition(always, utc("2026-06-01T00:00:00Z")), 0);
  });

  it("find a change that comes after years in which the rules cancel each other", () => {
    const leapYearsOnly = zone("AAA0BBB,J60/0,59/1");
    assert.equal(nextTransition(leapYearsOnly, utc("2096-03-01T00:00:00Z")), utc("2104-02-29T00:00:00Z"));
    assert.equal(nextTransition(leapYearsOnly, utc("2104-02-29T00:00:00Z")), utc("2104-03-01T00:00:00Z"));
  });

  it("take an abbreviation of three letters or more, quoted or not", () => {
    for (const text of [
      "UTC0",
      "abcdefgh5",
      "<A-+9>5",
      "<+01>-1",
      "EST5EDT6,M3.2.0,M11.1.0",
      "<AAA>1<BBB>,1,2",
    ])
      assert.ok(parseZone(bytes(text)), text);
  });

  it("take numbers up to their limits", () => {
    const limits = ["AAA24:59:59", "AAA-24:59:59", "AAA+0", "AAA00", "AAA0BBB,J1,J365", "AAA0BBB,0,365"];
    const rules = [
      "AAA0BBB,M1.1.0,M12.5.6",
      "AAA0BBB,M01.1.0,M12.5.6",
      "AAA0BBB,0/-167:59:59,365/+167:59:59",
    ];
    for (const text of [...limits, ...rules]) assert.ok(parseZone(bytes(text)), text);
    assert.equal(offsetAt(zone("AAA-24:59:59"), 0), 89_999);
    assert.equal(offsetAt(zone("AAA5"), 0), -18_000);
  });

  it("take 48 bytes and refuse 49", () => {
    assert.equal(MAX_ZONE_BYTES, 48);
    assert.ok(parseZone(bytes("A".repeat(47) + "0")));
    assert.equal(parseZone(bytes("A".repeat(48) + "0")), undefined);
  });

  it("refuse everything else", () => {
    const names = [
      "",
      "0",
      "AB0",
      "<AB>0",
      "<ABC0",
      "ABC>0",
      "<A_C>0",
      "A1C0",
      "<>0",
      ":UTC0",
      "Europe/Berlin",
      "ÄBC0",
      "ABC",
    ];
    const offsets = [
      "UTC",
      "UTC+",
      "UTC-",
      "UTC--1",
      "UTC25",
      "UTC024",
      "UTC1:",
      "UTC1:2",
      "UTC1:60",
      "UTC1:00:60",
      "UTC1:00:000",
    ];
    const tails = [
      "UTC0 ",
      " UTC0",
      "UTC0\n",
      "UTC0\0",
      "UTC0,",
      "UTC0,M3.2.0,M11.1.0",
      "UTC0BBB",
      "UTC0BBB1",
      "UTC0BBB,",
    ];
    const rules = [
      "AAA0BBB,M3.2.0",
      "AAA0BBB,M3.2.0,",
      "AAA0BBB,M3.2.0,M11.1.0,",
      "AAA0BBB,M0.2.0,M11.1.0",
      "AAA0BBB,M13.2.0,M11.1.0",
      "AAA0BBB,M3.0.0,M11.1.0",
      "AAA0BBB,M3.6.0,M11.1.0",
      "AAA0BBB,M3.2.7,M11.1.0",
      "AAA0BBB,M3.2,M11.1.0",
      "AAA0BBB,m3.2.0,M11.1.0",
      "AAA0BBB,J0,J365",
      "AAA0BBB,J1,J366",
      "AAA0BBB,0,366",
      "AAA0BBB,-1,365",
      "AAA0BBB,J1/168,J365",
      "AAA0BBB,J1/-168,J365",
      "AAA0BBB,J1/0168,J365",
      "AAA0BBB,J1/,J365",
      "AAA0BBB,J1/1:0,J365",
      "AAA0BBB25,J1,J365",
      "AAA0BB,J1,J365",
    ];
    for (const text of [...names, ...offsets, ...tails, ...rules])
      assert.equal(parseZone(bytes(text)), undefined, text);
  });

  it("never throw, whatever the bytes, and never stand further than 26 hours from UTC", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (text) => {
        parseZone(text);
        parseTransitions(text);
      }),
    );
    const anyEdit = fc.record({ index: fc.nat(REAL.length - 1), at: fc.nat(44), byte: fc.nat(255) });
    fc.assert(
      fc.property(anyEdit, ({ index, at, byte }) => {
        const text = bytes(REAL[index][1]);
        text[at % text.length] = byte;
        const parsed = parseZone(text);
        if (parsed !== undefined) assert.ok(Math.abs(offsetAt(parsed, 1_750_000_000)) <= 26 * HOUR);
      }),
      { numRuns: 2000 },
    );
  });
});

/** The binary form of a table. */
function table(first: number, even: number, odd: number, intervals: readonly number[]): Uint8Array {
  const buffer = Buffer.alloc(6 + 2 * intervals.length);
  buffer.writeUInt32BE(first, 0);
  buffer.writeInt8(even, 4);
  buffer.writeInt8(odd, 5);
  intervals.forEach((interval, i) => {
    buffer.writeUInt16BE(interval, 6 + 2 * i);
  });
  return Uint8Array.from(buffer);
}

describe("T8 explicit transitions", () => {
  const start = utc("2026-02-15T02:00:00Z");

  it("override the string from their first instant until their last, to the second", () => {
    const morocco = withTransitions(
      zone("<+01>-1"),
      parseTransitions(table(start, 0, 4, [3360, 30_912, 3360])),
    );
    const at = [0, 3360, 34_272, 37_632].map((quarters) => start + 900 * quarters);
    const offsets = at.map((instant) => [offsetAt(morocco, instant - 1), offsetAt(morocco, instant)]);
    assert.deepEqual(offsets, [
      [HOUR, 0],
      [0, HOUR],
      [HOUR, 0],
      [0, HOUR],
    ]);
    const changes: number[] = [];
    for (let t = nextTransition(morocco, 0); t !== 0; t = nextTransition(morocco, t)) changes.push(t);
    assert.deepEqual(changes, at);
  });

  it("leave the rules of the string in force before and after", () => {
    const rules = zone("CET-1CEST,M3.5.0,M10.5.0/3");
    const from = utc("2026-01-01T00:00:00Z");
    const mixed = withTransitions(rules, parseTransitions(table(from, 4, 12, [9600, 9600])));
    const changes: string[] = [];
    for (let t = utc("2025-01-01T00:00:00Z"); changes.length < 7; ) {
      t = nextTransition(mixed, t);
      changes.push(`${new Date(t * 1000).toISOString().slice(0, 16)} ${offsetAt(mixed, t) / HOUR}`);
    }
    assert.deepEqual(changes, [
      "2025-03-30T01:00 2",
      "2025-10-26T01:00 1",
      "2026-04-11T00:00 3",
      "2026-07-20T00:00 2",
      "2026-10-25T01:00 1",
      "2027-03-28T01:00 2",
      "2027-10-31T01:00 1",
    ]);
    assert.equal(
      offsetAt(mixed, from - 1),
      offsetAt(mixed, from),
      "an instant that changes nothing is no change",
    );
    assert.equal(offsetAt(mixed, utc("2026-03-30T00:00:00Z")), HOUR);
    assert.equal(withTransitions(mixed, undefined).transitions, undefined);
  });

  it("hide a change of the rules that falls on their first instant, and count none where they end", () => {
    const rules = zone("CET-1CEST,M3.5.0,M10.5.0/3");
    const spring = utc("2026-03-29T01:00:00Z");
    const late = withTransitions(rules, parseTransitions(table(spring, 4, 8, [672, 96])));
    assert.equal(offsetAt(late, spring), HOUR);
    const changed = spring + 672 * 900;
    assert.equal(nextTransition(late, spring - 86_400), changed);
    assert.equal(nextTransition(late, changed - 1), changed);
    assert.equal(nextTransition(late, changed), utc("2026-10-25T01:00:00Z"));
    const autumn = withTransitions(rules, parseTransitions(table(spring, 8, 4, [12_000, 12_000])));
    const over = utc("2026-10-25T01:00:00Z");
    assert.ok(over > spring + 12_000 * 900 && over < spring + 24_000 * 900);
    assert.equal(nextTransition(autumn, over - 86_400), utc("2027-03-28T01:00:00Z"));
  });

  it("take 64 intervals and refuse 65, and none", () => {
    assert.equal(MAX_TRANSITIONS, 64);
    const many = (count: number) => table(start, 0, 4, new Array(count).fill(3000));
    assert.equal(parseTransitions(many(64))?.at.length, 65);
    assert.ok(parseTransitions(many(1)));
    assert.equal(parseTransitions(many(65)), undefined);
    assert.equal(parseTransitions(many(0)), undefined);
  });

  it("take 26 hours and refuse more", () => {
    assert.equal(parseTransitions(table(start, 104, -104, [1]))?.even, 26 * HOUR);
    assert.equal(parseTransitions(table(start, 105, 0, [1])), undefined);
    assert.equal(parseTransitions(table(start, 0, -105, [1])), undefined);
  });

  it("end at the last second of 32 bits at the latest", () => {
    const last = 0xffffffff;
    assert.equal(parseTransitions(table(last - 900, 0, 4, [1]))?.at[1], last);
    assert.equal(parseTransitions(table(last - 899, 0, 4, [1])), undefined);
    assert.equal(parseTransitions(table(last, 0, 4, [1])), undefined);
  });

  it("refuse equal offsets, an interval of nothing and another length", () => {
    assert.equal(parseTransitions(table(start, 4, 4, [1])), undefined);
    assert.equal(parseTransitions(table(start, 0, 4, [1, 0, 1])), undefined);
    const good = table(start, 0, 4, [1, 2]);
    for (let length = 0; length <= good.length; length++)
      assert.equal(parseTransitions(good.subarray(0, length)) !== undefined, length === 8 || length === 10);
    assert.equal(parseTransitions(Uint8Array.of(...good, 0)), undefined);
  });
});

describe("T8 the setting of a zone", () => {
  const start = utc("2026-02-15T02:00:00Z");
  const setting = (text: string, ...rest: readonly number[]) => Uint8Array.of(...bytes(text), ...rest);

  it("is a string alone", () => {
    for (const [, text] of REAL)
      assert.deepEqual(parseZoneSetting(bytes(text)), parseZone(bytes(text)), text);
  });

  it("is a string, a zero byte and a table", () => {
    const binary = table(start, 0, 4, [3360, 30_912, 3360]);
    const morocco = parseZoneSetting(setting("<+01>-1", 0, ...binary));
    assert.deepEqual(morocco, withTransitions(zone("<+01>-1"), parseTransitions(binary)));
    assert.deepEqual(
      [start - 1, start].map((t) => offsetAt(morocco ?? UTC0, t)),
      [HOUR, 0],
    );
  });

  it("has 183 bytes at most, a string of 48 and a table of 64 intervals", () => {
    assert.equal(MAX_ZONE_SETTING_BYTES, 183);
    assert.ok(MAX_ZONE_SETTING_BYTES <= MAX_SETTING_BYTES);
    const longest = "A".repeat(47) + "0";
    const most = (count: number) => table(start, 0, 4, new Array(count).fill(3000));
    const full = setting(longest, 0, ...most(64));
    assert.equal(full.length, MAX_ZONE_SETTING_BYTES);
    assert.ok(parseZoneSetting(full));
    assert.equal(parseZoneSetting(setting(`A${longest}`, 0, ...most(64))), undefined);
    assert.equal(parseZoneSetting(setting(longest, 0, ...most(65))), undefined);
  });

  it("is nothing with one of the two missing or malformed, or with more between or behind them", () => {
    const good = table(start, 0, 4, [1, 2]);
    const bad: Uint8Array[] = [
      new Uint8Array(0),
      Uint8Array.of(0),
      setting("UTC0", 0),
      Uint8Array.of(0, ...good),
      Uint8Array.of(...good),
      setting("UTC", 0, ...good),
      setting("UTC0", ...good),
      setting("UTC0", 0, 0, ...good),
      setting("UTC0", 1, ...good),
      setting("UTC0", 0, ...good, 0),
      setting("UTC0", 0, ...good, 0, 0),
      setting("UTC0", 0, ...table(start, 4, 4, [1])),
    ];
    assert.ok(parseZoneSetting(setting("UTC0", 0, ...good)));
    for (const value of bad) assert.equal(parseZoneSetting(value), undefined, String(value));
  });

  it("never throws, whatever the bytes", () => {
    const anyValue = fc
      .tuple(fc.constantFrom(...REAL), fc.uint8Array({ maxLength: 140 }))
      .map(([[, text], rest]) => setting(text, 0, ...rest));
    fc.assert(
      fc.property(fc.oneof(anyValue, fc.uint8Array({ maxLength: 200 })), (value) => {
        const parsed = parseZoneSetting(value);
        if (parsed !== undefined) assert.ok(Math.abs(offsetAt(parsed, 1_800_000_000)) <= 26 * HOUR);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("T8 local time", () => {
  const berlin = zone("CET-1CEST,M3.5.0,M10.5.0/3");

  it("is what the wall clock shows, one second before, at and after both changes", () => {
    const show = (t: number) => {
      const local = localTime(berlin, t);
      return [local.weekday, Math.floor(local.minute / 60), local.minute % 60, local.second];
    };
    const spring = utc("2026-03-29T01:00:00Z");
    assert.deepEqual(
      [-1, 0, 1].map((s) => show(spring + s)),
      [
        [0, 1, 59, 59],
        [0, 3, 0, 0],
        [0, 3, 0, 1],
      ],
    );
    const autumn = utc("2026-10-25T01:00:00Z");
    assert.deepEqual(
      [-1, 0, 1].map((s) => show(autumn + s)),
      [
        [0, 2, 59, 59],
        [0, 2, 0, 0],
        [0, 2, 0, 1],
      ],
    );
  });

  it("changes its date and weekday at local midnight", () => {
    const midnight = utc("2026-06-30T22:00:00Z");
    const july1 = Date.UTC(2026, 6, 1) / 86_400_000;
    assert.deepEqual(localTime(berlin, midnight - 1), {
      weekday: 2,
      minute: 1439,
      second: 59,
      day: july1 - 1,
    });
    assert.deepEqual(localTime(berlin, midnight), { weekday: 3, minute: 0, second: 0, day: july1 });
  });

  it("fills the object that it is given", () => {
    const into = { weekday: -1, minute: -1, second: -1, day: -1 };
    assert.equal(localTime(UTC0, 86_399, into), into);
    assert.deepEqual(into, { weekday: 4, minute: 1439, second: 59, day: 0 });
  });

  it("follows offsets with seconds, east and west", () => {
    assert.deepEqual(localTime(zone("LMT0:44:30"), 0), { weekday: 3, minute: 1395, second: 30, day: -1 });
    assert.deepEqual(localTime(zone("LMT-0:44:30"), 0), { weekday: 4, minute: 44, second: 30, day: 0 });
  });
});

describe("T15 far dates", () => {
  it("keep their rules across 2038, 2100 and 2106, to the second", () => {
    const cases = [
      ["CET-1CEST,M3.5.0,M10.5.0/3", "2038-03-28T01:00:00Z", "2038-10-31T01:00:00Z"],
      ["CET-1CEST,M3.5.0,M10.5.0/3", "2100-03-28T01:00:00Z", "2100-10-31T01:00:00Z"],
      ["EST5EDT,M3.2.0,M11.1.0", "2100-03-14T07:00:00Z", "2100-11-07T06:00:00Z"],
      ["EST5EDT,M3.2.0,M11.1.0", "2106-03-14T07:00:00Z", "2106-11-07T06:00:00Z"],
      ["AEST-10AEDT,M10.1.0,M4.1.0/3", "2106-04-03T16:00:00Z", "2106-10-02T16:00:00Z"],
      ["AAA0BBB,J60/0,59/0", "2100-02-28T23:00:00Z", "2100-03-01T00:00:00Z"],
    ];
    for (const [text, first, second] of cases) {
      const parsed = zone(text);
      const before = utc(`${first.slice(0, 4)}-01-02T00:00:00Z`);
      assert.equal(nextTransition(parsed, before), utc(first), text);
      assert.equal(nextTransition(parsed, utc(first) - 1), utc(first), text);
      assert.equal(nextTransition(parsed, utc(first)), utc(second), text);
      assert.notEqual(offsetAt(parsed, utc(first)), offsetAt(parsed, utc(first) - 1), text);
    }
  });

  it("give the right weekday on 29 February and around the day that 2100 lacks", () => {
    const weekdayAndDay = (text: string) => {
      const local = localTime(UTC0, utc(text));
      return [local.weekday, local.day * 86_400 === utc(text)];
    };
    assert.deepEqual(weekdayAndDay("2024-02-29T00:00:00Z"), [4, true]);
    assert.deepEqual(weekdayAndDay("2096-02-29T00:00:00Z"), [3, true]);
    assert.deepEqual(weekdayAndDay("2100-02-28T00:00:00Z"), [0, true]);
    assert.deepEqual(weekdayAndDay("2100-03-01T00:00:00Z"), [1, true]);
    assert.deepEqual(weekdayAndDay("2106-02-07T00:00:00Z"), [0, true]);
  });

  it("pass the ends of 31 and 32 bits in steps of a second", () => {
    for (const edge of [0x7fffffff, 0xffffffff]) {
      const before = localTime(UTC0, edge);
      const after = localTime(UTC0, edge + 1);
      const total = (local: typeof before) => local.day * 86_400 + local.minute * 60 + local.second;
      assert.equal(total(before), edge);
      assert.equal(total(after), edge + 1);
    }
  });
});

describe("A35 local days", () => {
  const dayOf = (text: string): number => Date.parse(text) / 86_400_000;
  const hours = (text: string, day: string): number => {
    const parsed = zone(text);
    return (dayStart(parsed, dayOf(day) + 1) - dayStart(parsed, dayOf(day))) / HOUR;
  };

  it("have 23, 24 or 25 hours", () => {
    const berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
    assert.deepEqual(
      [hours(berlin, "2026-03-28"), hours(berlin, "2026-03-29"), hours(berlin, "2026-10-25")],
      [24, 23, 25],
    );
    assert.equal(hours("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2026-04-05"), 24.5);
  });

  it("begin at 01:00 where the clock leaps over midnight", () => {
    const cairo = zone("EET-2EEST,M4.5.5/0,M10.5.4/24");
    const start = dayStart(cairo, dayOf("2026-04-24"));
    assert.equal(start, utc("2026-04-23T22:00:00Z"));
    assert.equal(localTime(cairo, start).minute, 60);
    assert.equal(hours("EET-2EEST,M4.5.5/0,M10.5.4/24", "2026-04-24"), 23);
  });

  it("begin after the second pass where the clock goes back at midnight", () => {
    const nuuk = zone("<-02>2<-01>,M3.5.0/-1,M10.5.0/0");
    const start = dayStart(nuuk, dayOf("2026-10-25"));
    assert.equal(start, utc("2026-10-25T02:00:00Z"));
    assert.equal(hours("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-10-24"), 25);
  });

  it("begin at the first instant of their date, in every zone and on every day of two years", () => {
    for (const [name, text] of REAL) {
      const parsed = zone(text);
      for (let day = dayOf("2024-01-01"); day < dayOf("2026-01-01"); day++) {
        const start = dayStart(parsed, day);
        assert.equal(localTime(parsed, start).day, day, name);
        assert.equal(localTime(parsed, start - 1).day, day - 1, name);
      }
    }
  });
});
