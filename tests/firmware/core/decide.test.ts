// The decision (rules T17, T4 to T7, T9 to T12, C9 to C16, M2, A26 to A36): against an independent reference in random situations, by
// the second at every kind of limit, by every trust in the clock, and in its order of reasons. No lock and no flash take part.

import assert from "node:assert/strict";
import { decide, explain } from "../../../firmware/core/decide";
import { reasonName } from "../../../protocol/wire/codes";
import { Flag, ROLE_NAMES } from "../../../protocol/wire/entry";
import { Trust } from "../../../protocol/wire/receipt";
import { MODE_NAMES } from "../../../protocol/wire/settings";
import { SEED } from "../../support/dice";
import {
  explained,
  explanationFlaw,
  judgeDecision,
  reasonOf,
  situation,
  utc,
} from "../../support/judge-decision";
import type {
  Clock,
  Credential,
  Holiday,
  Mode,
  Opening,
  Past,
  Role,
  Situation,
} from "../../support/reference-decision";
import { PLACES, questionOf, situationOf } from "../../support/situations";

const DECISIONS = 100_000;
const EXPLANATIONS = 1000;
const DAY_S = 86_400;
const BOUNDS = [0, 1, 90, 600];
const NEW: Past = { used: false, usesLeft: 0 };

const again = (n: number): string => `npm run test:long -- decision --seed ${SEED} --case ${n}`;

describe("T17 the decision", () => {
  it(`is that of an independent reference in ${DECISIONS} random situations (seed ${SEED})`, () => {
    const counts = new Map<string, number>();
    for (let n = 0; n < DECISIONS; n++) {
      const { reason, flaw } = judgeDecision(situationOf(SEED, n));
      if (flaw !== undefined) assert.fail(`${flaw}\n${again(n)}`);
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    assert.equal(counts.size, 12, "every reason comes up");
    for (const [reason, count] of counts) assert.ok(count > DECISIONS / 200, `${reason}: ${count}`);
  });
});

describe("T17 explain", () => {
  it(`gives a next change that is one, in ${DECISIONS / 10} random situations (seed ${SEED})`, () => {
    for (let n = 0; n < DECISIONS / 10; n++) {
      const one = situationOf(SEED + 1, n);
      const told = explain(questionOf(one));
      assert.equal(told.reason, decide(questionOf(one)));
      if (told.next === 0) assert.equal(told.nextReason, told.reason);
      if (told.next === 0 || one.clock === "unknown") continue;
      const { now, bound } = one.clock;
      const at = (second: number) => reasonOf({ ...one, clock: { now: second, bound } });
      const found = [told.next > now, at(told.next - 1), at(told.next), told.nextReason === told.reason];
      const wanted = [true, reasonName(told.reason), reasonName(told.nextReason), false];
      assert.deepEqual(found, wanted, JSON.stringify(one));
    }
  });

  it(`is that of a brute force over nine days, and one second around each limit, ${EXPLANATIONS} times (seed ${SEED})`, () => {
    let changes = 0;
    for (let n = 0; n < EXPLANATIONS; n++) {
      const one = situationOf(SEED, n);
      const flaw = explanationFlaw(one);
      if (flaw !== undefined) assert.fail(`${flaw}\n${again(n)}`);
      if (explain(questionOf(one)).next !== 0) changes++;
    }
    assert.ok(changes > EXPLANATIONS / 4, `only ${changes} changes came up`);
  });

  const now = utc("2026-06-01T12:00:00Z");
  /** Eight windows of ten minutes on every day: 224 instants a week at which an error bound meets an edge. */
  const busy: Opening[] = [0, 1, 2, 3, 4, 5, 6, 7].map((hour) => ({
    days: [0, 1, 2, 3, 4, 5, 6],
    minute: hour * 120,
    lasts: 10,
  }));

  it("sees a start behind weeks of windows", () => {
    const credential: Credential = { role: "guest", start: utc("2026-07-01T12:05:30Z"), schedule: busy };
    const told = explained(situation({ credential, clock: { now, bound: 5 } }));
    assert.deepEqual(told, {
      reason: "not-yet-valid",
      next: "2026-07-01T12:05:35.000Z",
      after: "granted",
    });
  });

  it("sees an end behind months of openings that the error bound leaves nothing of", () => {
    const credential: Credential = { role: "guest", end: utc("2026-09-01T00:00:00Z"), schedule: busy };
    const told = explained(situation({ credential, clock: { now, bound: 300 } }));
    assert.deepEqual(told, {
      reason: "outside-schedule",
      next: "2026-08-31T23:55:00.000Z",
      after: "expired",
    });
    const shorter = explained(situation({ credential, clock: { now, bound: 299 } }));
    assert.deepEqual(shorter, {
      reason: "outside-schedule",
      next: "2026-06-01T12:04:59.000Z",
      after: "granted",
    });
  });

  it("passes over openings that are too short for one that is not", () => {
    const long: Opening = { days: [0], minute: 15 * 60, lasts: 11 };
    const schedule = [...busy.slice(0, 7), long];
    const told = explained(situation({ credential: { role: "team", schedule }, clock: { now, bound: 300 } }));
    assert.deepEqual(told, {
      reason: "outside-schedule",
      next: "2026-06-07T15:05:00.000Z",
      after: "granted",
    });
  });

  it("says never where nothing is in sight", () => {
    const never = (credential: Credential, more: Partial<Situation> = {}) =>
      explained(situation({ credential, clock: { now, bound: 2 }, ...more })).next;
    assert.equal(never({ role: "resident" }), "never");
    assert.equal(never({ role: "resident", disabled: true, end: now + 60 }), "never");
    assert.equal(never({ role: "prospect", end: now + 60 }, { mode: "resident" }), "never");
    assert.equal(never({ role: "guest", end: now - 60, schedule: busy }), "never");
    assert.equal(never({ role: "guest", end: now + 60 }, { clock: "unknown" }), "never");
    assert.equal(never({ role: "guest", uses: 1 }, { past: { used: true, usesLeft: 0 } }), "never");
    assert.equal(
      never({ role: "team", schedule: [{ days: [0, 1, 2, 3, 4, 5, 6], minute: 0, lasts: 1440 }] }),
      "never",
    );
  });
});

/** One limit and what lies on both sides of it: the opening of the credential in true time, end excluded. */
interface Limit {
  readonly rule: string;
  readonly credential: Credential;
  readonly past?: Past;
  readonly zone?: string;
  readonly opens?: { readonly at: string; readonly before: string };
  readonly shuts?: { readonly at: string; readonly after: string };
}

const MONDAY = 1;
const SATURDAY = 6;
const SUNDAY = 0;
const office: Opening = { days: [MONDAY], minute: 9 * 60, lasts: 8 * 60 };
const morning: Opening = { days: [MONDAY], minute: 8 * 60, lasts: 4 * 60 };
const afternoon: Opening = { days: [MONDAY], minute: 13 * 60, lasts: 5 * 60 };
const LIMITS: readonly Limit[] = [
  {
    rule: "T4, T5 a start",
    credential: { role: "resident", start: utc("2026-06-01T10:00:00Z") },
    opens: { at: "2026-06-01T10:00:00Z", before: "not-yet-valid" },
  },
  {
    rule: "T4, T6 an end",
    credential: { role: "resident", end: utc("2026-06-01T18:00:00Z") },
    shuts: { at: "2026-06-01T18:00:00Z", after: "expired" },
  },
  {
    rule: "A5, T4 a guest's stay",
    credential: { role: "guest", start: utc("2026-06-01T15:00:01Z"), end: utc("2026-06-08T11:00:07Z") },
    opens: { at: "2026-06-01T15:00:01Z", before: "not-yet-valid" },
    shuts: { at: "2026-06-08T11:00:07Z", after: "expired" },
  },
  {
    rule: "A29 limits of an administrator",
    credential: {
      role: "admin",
      start: utc("2026-06-01T10:00:00Z"),
      end: utc("2026-06-03T10:00:00Z"),
      schedule: [],
    },
    opens: { at: "2026-06-01T10:00:00Z", before: "not-yet-valid" },
    shuts: { at: "2026-06-03T10:00:00Z", after: "expired" },
  },
  {
    rule: "C12 minutes after first use",
    credential: { role: "resident", minutesAfterFirstUse: 61 },
    past: { used: true, usesLeft: 0, firstUse: utc("2026-06-01T10:00:30Z") },
    shuts: { at: "2026-06-01T11:01:30Z", after: "expired" },
  },
  {
    rule: "C12 minutes after first use, the most",
    credential: { role: "resident", minutesAfterFirstUse: 2880, uses: 2 },
    past: { used: true, usesLeft: 1, firstUse: utc("2026-06-01T10:00:30Z") },
    shuts: { at: "2026-06-03T10:00:30Z", after: "expired" },
  },
  {
    rule: "C12 minutes after first use, the fewest",
    credential: { role: "guest", minutesAfterFirstUse: 1 },
    past: { used: true, usesLeft: 0, firstUse: utc("2026-06-01T10:00:30Z") },
    shuts: { at: "2026-06-01T10:01:30Z", after: "expired" },
  },
  {
    rule: "C13, A36 the first use within a day of the start",
    credential: { role: "resident", start: utc("2026-06-01T10:00:00Z"), hoursToFirstUse: 24 },
    opens: { at: "2026-06-01T10:00:00Z", before: "not-yet-valid" },
    shuts: { at: "2026-06-02T10:00:00Z", after: "first-use-missed" },
  },
  {
    rule: "T1 a window",
    credential: { role: "team", schedule: [office] },
    opens: { at: "2026-06-01T09:00:00Z", before: "outside-schedule" },
    shuts: { at: "2026-06-01T17:00:00Z", after: "outside-schedule" },
  },
  {
    rule: "T1 a window across midnight and the end of the week",
    credential: { role: "team", schedule: [{ days: [SATURDAY], minute: 22 * 60, lasts: 480 }] },
    opens: { at: "2026-06-06T22:00:00Z", before: "outside-schedule" },
    shuts: { at: "2026-06-07T06:00:00Z", after: "outside-schedule" },
  },
  {
    rule: "T2 windows that touch",
    credential: {
      role: "team",
      schedule: [office, { days: [MONDAY], minute: 17 * 60, lasts: 60 }],
    },
    opens: { at: "2026-06-01T09:00:00Z", before: "outside-schedule" },
    shuts: { at: "2026-06-01T18:00:00Z", after: "outside-schedule" },
  },
  {
    rule: "T2, A28 the first of two windows with an hour between",
    credential: { role: "team", schedule: [morning, afternoon] },
    opens: { at: "2026-06-01T08:00:00Z", before: "outside-schedule" },
    shuts: { at: "2026-06-01T12:00:00Z", after: "outside-schedule" },
  },
  {
    rule: "T2, A28 the second of two windows with an hour between",
    credential: { role: "team", schedule: [morning, afternoon] },
    opens: { at: "2026-06-01T13:00:00Z", before: "outside-schedule" },
    shuts: { at: "2026-06-01T18:00:00Z", after: "outside-schedule" },
  },
  {
    rule: "A30 Monday to Friday, on the Monday",
    credential: { role: "team", schedule: [{ ...office, days: [1, 2, 3, 4, 5] }] },
    opens: { at: "2026-06-08T09:00:00Z", before: "outside-schedule" },
    shuts: { at: "2026-06-08T17:00:00Z", after: "outside-schedule" },
  },
  {
    rule: "A30 Monday to Friday, on the Friday",
    credential: { role: "team", schedule: [{ ...office, days: [1, 2, 3, 4, 5] }] },
    opens: { at: "2026-06-05T09:00:00Z", before: "outside-schedule" },
    shuts: { at: "2026-06-05T17:00:00Z", after: "outside-schedule" },
  },
  {
    rule: "A31, A32 a start and an end of any second, whatever the zone",
    credential: { role: "resident", start: utc("2026-03-29T00:59:59Z"), end: utc("2026-10-25T01:00:01Z") },
    zone: "Europe/Berlin",
    opens: { at: "2026-03-29T00:59:59Z", before: "not-yet-valid" },
    shuts: { at: "2026-10-25T01:00:01Z", after: "expired" },
  },
  {
    rule: "A35 a local day of 23 hours",
    credential: { role: "guest", schedule: [{ days: [SUNDAY], minute: 0, lasts: 1440 }] },
    zone: "Europe/Berlin",
    opens: { at: "2026-03-28T23:00:00Z", before: "outside-schedule" },
    shuts: { at: "2026-03-29T22:00:00Z", after: "outside-schedule" },
  },
  {
    rule: "A35 a local day of 25 hours",
    credential: { role: "guest", schedule: [{ days: [SUNDAY], minute: 0, lasts: 1440 }] },
    zone: "Europe/Berlin",
    opens: { at: "2026-10-24T22:00:00Z", before: "outside-schedule" },
    shuts: { at: "2026-10-25T23:00:00Z", after: "outside-schedule" },
  },
  {
    rule: "A36 a one-time code of one day that ends at close of business",
    credential: {
      role: "prospect",
      uses: 1,
      start: utc("2026-06-01T00:00:00Z"),
      end: utc("2026-06-01T17:00:00Z"),
    },
    past: { used: false, usesLeft: 1 },
    opens: { at: "2026-06-01T00:00:00Z", before: "not-yet-valid" },
    shuts: { at: "2026-06-01T17:00:00Z", after: "expired" },
  },
  {
    rule: "T2, T4 a window that the end cuts off",
    credential: { role: "guest", end: utc("2026-06-01T12:34:56Z"), schedule: [office] },
    opens: { at: "2026-06-01T09:00:00Z", before: "outside-schedule" },
    shuts: { at: "2026-06-01T12:34:56Z", after: "expired" },
  },
  {
    rule: "T9 a window in winter time",
    credential: { role: "team", schedule: [office] },
    zone: "Europe/Berlin",
    opens: { at: "2026-03-23T08:00:00Z", before: "outside-schedule" },
    shuts: { at: "2026-03-23T16:00:00Z", after: "outside-schedule" },
  },
  {
    rule: "T9 the same window in summer time",
    credential: { role: "team", schedule: [office] },
    zone: "Europe/Berlin",
    opens: { at: "2026-03-30T07:00:00Z", before: "outside-schedule" },
    shuts: { at: "2026-03-30T15:00:00Z", after: "outside-schedule" },
  },
  {
    rule: "T9 a window that begins in the gap",
    credential: { role: "team", schedule: [{ days: [SUNDAY], minute: 150, lasts: 90 }] },
    zone: "Europe/Berlin",
    opens: { at: "2026-03-29T01:00:00Z", before: "outside-schedule" },
    shuts: { at: "2026-03-29T02:00:00Z", after: "outside-schedule" },
  },
  {
    rule: "T9 a window in the repeated hour, first pass",
    credential: { role: "team", schedule: [{ days: [SUNDAY], minute: 135, lasts: 30 }] },
    zone: "Europe/Berlin",
    opens: { at: "2026-10-25T00:15:00Z", before: "outside-schedule" },
    shuts: { at: "2026-10-25T00:45:00Z", after: "outside-schedule" },
  },
  {
    rule: "T9 a window in the repeated hour, second pass",
    credential: { role: "team", schedule: [{ days: [SUNDAY], minute: 135, lasts: 30 }] },
    zone: "Europe/Berlin",
    opens: { at: "2026-10-25T01:15:00Z", before: "outside-schedule" },
    shuts: { at: "2026-10-25T01:45:00Z", after: "outside-schedule" },
  },
  {
    rule: "T9 a window over the gap",
    credential: { role: "team", schedule: [{ days: [SUNDAY], minute: 60, lasts: 180 }] },
    zone: "Europe/Berlin",
    opens: { at: "2026-03-29T00:00:00Z", before: "outside-schedule" },
    shuts: { at: "2026-03-29T02:00:00Z", after: "outside-schedule" },
  },
  {
    rule: "T9 a window over a clock that goes back by half an hour",
    credential: { role: "team", schedule: [{ days: [SUNDAY], minute: 90, lasts: 60 }] },
    zone: "Australia/Lord_Howe",
    opens: { at: "2026-04-04T14:30:00Z", before: "outside-schedule" },
    shuts: { at: "2026-04-04T16:00:00Z", after: "outside-schedule" },
  },
];

describe("T4, T5, T6, T9, T12, C12, C13, A28 to A36 limits by the second, shrunk by the error bound", () => {
  for (const { rule, credential, past = NEW, zone = "UTC", opens, shuts } of LIMITS) {
    it(`${rule}: one second before, at it, one after`, () => {
      for (const bound of BOUNDS) {
        const at = (now: number) => reasonOf(situation({ credential, past, zone, clock: { now, bound } }));
        if (opens !== undefined) {
          const first = utc(opens.at) + bound;
          assert.deepEqual(
            [at(first - 1), at(first), at(first + 1)],
            [opens.before, "granted", "granted"],
            `opens, bound ${bound}`,
          );
        }
        if (shuts !== undefined) {
          const first = utc(shuts.at) - bound;
          assert.deepEqual(
            [at(first - 2), at(first - 1), at(first), at(first + 1)],
            ["granted", "granted", shuts.after, shuts.after],
            `shuts, bound ${bound}`,
          );
        }
      }
    });
  }

  it("T9 a window inside the gap opens at no second of that day", () => {
    const credential: Credential = {
      role: "team",
      schedule: [{ days: [SUNDAY], minute: 135, lasts: 30 }],
    };
    const leap = utc("2026-03-29T01:00:00Z");
    for (let now = leap - 4 * 3600; now < leap + 4 * 3600; now++) {
      const one = situation({ credential, zone: "Europe/Berlin", clock: { now, bound: 0 } });
      if (reasonOf(one) !== "outside-schedule") assert.fail(new Date(now * 1000).toISOString());
    }
  });

  it("an opening of twice the bound and one second opens for one second, a shorter one never", () => {
    const start = utc("2026-06-01T09:00:00Z");
    const opens = (end: number, bound: number): number => {
      let seconds = 0;
      for (let now = start - 700; now <= end + 700; now++) {
        const one = situation({ credential: { role: "guest", start, end }, clock: { now, bound } });
        if (reasonOf(one) === "granted") seconds++;
      }
      return seconds;
    };
    assert.deepEqual([opens(start + 121, 60), opens(start + 120, 60), opens(start + 1, 0)], [1, 0, 1]);
  });

  it("C13 lets in for good who came once in time", () => {
    const start = utc("2026-06-01T10:00:00Z");
    const credential: Credential = { role: "resident", start, hoursToFirstUse: 1 };
    const used: Past = { used: true, usesLeft: 0, firstUse: start + 60 };
    const clock = { now: start + 100 * DAY_S, bound: 9 };
    assert.equal(reasonOf(situation({ credential, clock })), "first-use-missed");
    assert.equal(reasonOf(situation({ credential, past: used, clock })), "granted");
  });
});

describe("T10 another zone", () => {
  it("moves windows at once, and no absolute limit", () => {
    const start = utc("2026-06-01T10:00:00Z");
    const windowed: Credential = { role: "team", schedule: [office] };
    for (const zone of PLACES.keys()) {
      const at = (now: number, credential: Credential) =>
        reasonOf(situation({ credential, zone, clock: { now, bound: 0 } }));
      const limited: Credential = { role: "team", start };
      assert.deepEqual([at(start - 1, limited), at(start, limited)], ["not-yet-valid", "granted"], zone);
    }
    const now = utc("2026-06-01T07:00:00Z");
    const inZone = (zone: string) =>
      reasonOf(situation({ credential: windowed, zone, clock: { now, bound: 0 } }));
    assert.equal(inZone("Europe/Berlin"), "granted");
    assert.equal(inZone("UTC"), "outside-schedule");
  });
});

describe("A26 no restriction", () => {
  it("opens at every second around changes of the clock and of the year", () => {
    for (const [zone, { from }] of PLACES)
      for (const bound of BOUNDS)
        for (let now = from; now < from + 400 * DAY_S; now += 3 * 3600 + 1)
          assert.equal(reasonOf(situation({ zone, clock: { now, bound } })), "granted");
  });
});

describe("C10, C11, A27 uses", () => {
  const left = (uses: number | undefined, usesLeft: number, clock: Clock): string => {
    const past = { used: usesLeft !== uses, usesLeft };
    return reasonOf(situation({ credential: { role: "guest", uses }, past, clock }));
  };
  it("opens while any are left, whatever the clock is", () => {
    for (const clock of ["unknown", { now: 1_780_000_000, bound: 600 }] as const) {
      const found = [left(1, 1, clock), left(1, 0, clock), left(65_535, 1, clock), left(65_535, 0, clock)];
      assert.deepEqual(found, ["granted", "used-up", "granted", "used-up"]);
      assert.equal(left(undefined, 0, clock), "granted", "not counted");
    }
  });
});

const NOW = utc("2026-06-01T12:00:00Z");
/** Each condition that time can set, none of which refuses at NOW. */
const CONDITIONS: ReadonlyMap<string, Partial<Credential>> = new Map([
  ["start", { start: NOW - DAY_S }],
  ["end", { end: NOW + DAY_S }],
  ["minutes after first use", { minutesAfterFirstUse: 60 }],
  ["hours to first use", { start: NOW - 3600, hoursToFirstUse: 24 }],
]);
const SCHEDULE = { schedule: [office] };
const YEARS_AGO = { number: 9, first: "2020-02-01", last: "2020-02-03" };
const DOOR_ROLES: readonly Role[] = ["admin", "resident", "team", "guest", "prospect"];

describe("T11, T12 trust in the clock", () => {
  const ask = (credential: Credential, trust: number, holidays: readonly Holiday[] = []): string => {
    const clock = trust === Trust.unknown ? { now: 0, bound: 0 } : { now: NOW, bound: 30 };
    const question = questionOf(situation({ credential, holidays, clock: { now: NOW, bound: 30 } }));
    return reasonName(decide({ ...question, clock: { trust, ...clock } }));
  };
  const trusts = [Trust.unknown, Trust.held, Trust.set];

  for (const role of DOOR_ROLES) {
    it(`of ${role}: without a condition on time every trust opens`, () => {
      assert.deepEqual(
        trusts.map((trust) => ask({ role }, trust)),
        ["granted", "granted", "granted"],
      );
      assert.deepEqual(
        trusts.map((trust) => ask({ role, uses: 1 }, trust)),
        ["used-up", "used-up", "used-up"],
        "uses need no clock",
      );
    });

    it(`of ${role}: with any condition on time an unknown clock refuses`, () => {
      for (const [name, condition] of CONDITIONS)
        assert.deepEqual(
          trusts.map((trust) => ask({ role, ...condition }, trust)),
          ["clock-unknown", "granted", "granted"],
          name,
        );
    });

    it(`of ${role}: a holiday of any date that would refuse it needs a clock, another does not (T7)`, () => {
      const others = DOOR_ROLES.filter((each) => each !== role);
      const cases: readonly [Holiday, boolean][] = [
        [{ ...YEARS_AGO, blocks: [role] }, true],
        [{ ...YEARS_AGO, blocks: others }, false],
        [{ ...YEARS_AGO, mode: "resident" }, role === "prospect"],
        [{ ...YEARS_AGO, mode: "tour" }, false],
      ];
      for (const [holiday, matters] of cases)
        assert.deepEqual(
          trusts.map((trust) => ask({ role }, trust, [holiday])),
          [matters ? "clock-unknown" : "granted", "granted", "granted"],
          JSON.stringify(holiday),
        );
    });

    it(`of ${role}: a schedule needs a clock, but an administrator's does not count (A29)`, () => {
      const unknown = role === "admin" ? "granted" : "clock-unknown";
      assert.deepEqual(
        trusts.map((trust) => ask({ role, ...SCHEDULE }, trust)),
        [unknown, "granted", "granted"],
      );
      const closed = { ...SCHEDULE, schedule: [{ days: [SUNDAY], minute: 0, lasts: 60 }] };
      const outside = role === "admin" ? "granted" : "outside-schedule";
      assert.deepEqual(
        trusts.map((trust) => ask({ role, ...closed }, trust)),
        [unknown, outside, outside],
      );
    });
  }
});

describe("C9, M2 roles and modes", () => {
  const table: Readonly<Record<string, readonly string[]>> = {
    admin: ["granted", "granted", "granted"],
    resident: ["granted", "granted", "granted"],
    team: ["granted", "granted", "granted"],
    guest: ["granted", "granted", "granted"],
    prospect: ["granted", "granted", "wrong-mode"],
    "programming-only": ["wrong-mode", "wrong-mode", "wrong-mode"],
    "remote-only": ["wrong-mode", "wrong-mode", "wrong-mode"],
  };
  it("every role in every mode, with and without a clock", () => {
    assert.deepEqual(Object.keys(table), ROLE_NAMES);
    for (const role of ROLE_NAMES)
      for (const clock of ["unknown", { now: NOW, bound: 3 }] as const) {
        const at = (mode: string) =>
          reasonOf(situation({ credential: { role: role as Role }, mode: mode as Mode, clock }));
        assert.deepEqual(MODE_NAMES.map(at), table[role], role);
      }
  });

  it("a role number that does not exist opens in no mode", () => {
    const question = questionOf(situation({ clock: { now: NOW, bound: 3 } }));
    for (let mode = 0; mode < MODE_NAMES.length; mode++) {
      const entry = { ...question.entry, role: ROLE_NAMES.length };
      assert.equal(reasonName(decide({ ...question, mode, entry })), "wrong-mode");
    }
  });
});

describe("C14 a credential that is switched off", () => {
  it("opens for nobody, in no mode, by no clock", () => {
    for (const role of ROLE_NAMES as readonly Role[])
      for (const mode of MODE_NAMES as readonly Mode[])
        for (const clock of ["unknown", { now: NOW, bound: 3 }] as const)
          assert.equal(
            reasonOf(situation({ credential: { role, disabled: true }, mode, clock })),
            "disabled",
          );
  });
});

describe("C15 a credential for two", () => {
  const ask = (credential: Credential, second: boolean, clock: Clock, past: Past = NEW): string =>
    reasonOf(situation({ credential, second, clock, past }));

  it("opens after another person's, and never by itself, with and without a clock", () => {
    for (const role of DOOR_ROLES)
      for (const clock of ["unknown", { now: NOW, bound: 3 }] as const) {
        assert.equal(ask({ role, dual: true }, false, clock), "needs-second", role);
        assert.equal(ask({ role, dual: true }, true, clock), "granted", role);
        assert.equal(ask({ role }, true, clock), "granted", "an ordinary one needs nobody and minds nobody");
      }
  });

  it("is refused for anything else though a second person is there", () => {
    const clock = { now: NOW, bound: 3 };
    assert.equal(ask({ role: "guest", dual: true, end: NOW + 3 }, true, clock), "expired");
    assert.equal(ask({ role: "guest", dual: true, end: NOW + 4 }, true, clock), "granted");
    assert.equal(ask({ role: "guest", dual: true, end: NOW + 3 }, true, "unknown"), "clock-unknown");
    const spent = { used: true, usesLeft: 0 };
    assert.equal(ask({ role: "guest", dual: true, uses: 2 }, true, clock, spent), "used-up");
  });
});

describe("C16 a credential under duress", () => {
  it("opens as any other, and is refused as any other", () => {
    for (const end of [0, NOW]) {
      const question = questionOf(situation({ clock: { now: NOW, bound: 3 } }));
      const plain = { ...question.entry, end };
      const forced = { ...plain, flags: Flag.duress | Flag.notify };
      assert.equal(decide({ ...question, entry: forced }), decide({ ...question, entry: plain }));
    }
  });
});

/** A flaw that a situation can have beside others. */
interface Flaw {
  readonly credential?: Partial<Credential>;
  readonly past?: Partial<Past>;
  readonly mode?: Mode;
  readonly holidays?: readonly Holiday[];
  readonly clock?: Clock;
}

/** In the order of the decision. */
const FLAWS: readonly (readonly [string, Flaw])[] = [
  ["disabled", { credential: { disabled: true } }],
  ["wrong-mode", { credential: { role: "prospect" }, mode: "resident" }],
  ["clock-unknown", { credential: { minutesAfterFirstUse: 60 }, clock: "unknown" }],
  ["not-yet-valid", { credential: { start: NOW - 7200 }, clock: { now: NOW - 7201, bound: 0 } }],
  ["expired", { credential: { end: NOW - 7200 } }],
  ["first-use-missed", { credential: { start: NOW - 7200, hoursToFirstUse: 1 } }],
  ["holiday", { holidays: [{ number: 0, first: "2026-06-01", last: "2026-06-01", blocks: DOOR_ROLES }] }],
  ["outside-schedule", { credential: { schedule: [{ days: [SUNDAY], minute: 0, lasts: 60 }] } }],
  ["used-up", { credential: { uses: 3 }, past: { usesLeft: 0 } }],
  ["needs-second", { credential: { dual: true } }],
];

describe("C9 to C15, T4 to T7, T12 of several reasons the first in the order of the decision is given", () => {
  const flawed = (...flaws: readonly Flaw[]): Situation => ({
    ...situation({ clock: flaws.find((flaw) => flaw.clock)?.clock ?? { now: NOW, bound: 2 } }),
    credential: Object.assign(
      { role: "resident", start: NOW - 7200 },
      ...flaws.map((flaw) => flaw.credential),
    ),
    past: Object.assign({ ...NEW }, ...flaws.map((flaw) => flaw.past)),
    mode: flaws.find((flaw) => flaw.mode)?.mode ?? "normal",
    holidays: flaws.flatMap((flaw) => flaw.holidays ?? []),
  });

  it("each flaw alone has its reason", () => {
    assert.equal(reasonOf(flawed()), "granted");
    for (const [reason, flaw] of FLAWS) assert.equal(reasonOf(flawed(flaw)), reason);
  });

  for (let i = 0; i < FLAWS.length; i++)
    for (let j = i + 1; j < FLAWS.length; j++)
      it(`${FLAWS[i][0]} before ${FLAWS[j][0]}`, () => {
        assert.equal(reasonOf(flawed(FLAWS[i][1], FLAWS[j][1])), FLAWS[i][0]);
      });
});
