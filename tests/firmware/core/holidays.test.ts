// Holidays (rule T7): what the lock keeps of them, and what they do to the decision, by the second: at midnights of days of every length,
// by every role, by mode, with an error bound, without a clock, and where one cannot be read. No lock and no flash take part.

import assert from "node:assert/strict";
import { Holidays } from "../../../firmware/core/holidays";
import { ROLE_NAMES, Role as RoleNumber } from "../../../protocol/wire/entry";
import { MAX_HOLIDAY_DAYS, MAX_HOLIDAYS, Mode as ModeNumber, NO_MODE } from "../../../protocol/wire/settings";
import { explained, reasonOf, situation, utc } from "../../support/judge-decision";
import type { Clock, Credential, Holiday, Mode, Role, Situation } from "../../support/reference-decision";

const DAY_S = 86_400;
const BOUNDS = [0, 1, 90, 600, 3600];
const DOOR_ROLES: readonly Role[] = ["admin", "resident", "team", "guest", "prospect"];
const ALL_BUT_ADMIN = (ROLE_NAMES as readonly Role[]).slice(1);

/** A holiday of some dates, both included, on which `roles` are refused. */
const closed = (first: string, last = first, roles: readonly Role[] = ALL_BUT_ADMIN): Holiday => ({
  number: 3,
  first,
  last,
  blocks: roles,
});
const inMode = (mode: Mode, first: string, last = first): Holiday => ({ number: 40, first, last, mode });

type Told = Partial<Situation> & { readonly holidays: readonly Holiday[] };

/** The reason for a resident, or whom `more` says, at an instant. */
const at = (now: number, more: Told, bound = 0): string =>
  reasonOf(situation({ clock: { now, bound }, ...more }));

/** The reasons one second before an instant, at it, and one after. */
const around = (instant: string, more: Told, bound = 0): string[] =>
  [-1, 0, 1].map((away) => at(utc(instant) + away, more, bound));

const BEGINS = ["granted", "holiday", "holiday"];
const ENDS = ["holiday", "granted", "granted"];

/** A holiday that closes a door, and the instants in true time from which it does and no longer does. */
interface Closing {
  readonly what: string;
  readonly zone: string;
  readonly holiday: Holiday;
  readonly from: string;
  readonly to: string;
}

const CLOSINGS: readonly Closing[] = [
  {
    what: "one day in UTC",
    zone: "UTC",
    holiday: closed("2026-05-01"),
    from: "2026-05-01T00:00:00Z",
    to: "2026-05-02T00:00:00Z",
  },
  {
    what: "two days in winter",
    zone: "Europe/Berlin",
    holiday: closed("2026-12-25", "2026-12-26"),
    from: "2026-12-24T23:00:00Z",
    to: "2026-12-26T23:00:00Z",
  },
  {
    what: "a day of 23 hours",
    zone: "Europe/Berlin",
    holiday: closed("2026-03-29"),
    from: "2026-03-28T23:00:00Z",
    to: "2026-03-29T22:00:00Z",
  },
  {
    what: "a day of 25 hours",
    zone: "Europe/Berlin",
    holiday: closed("2026-10-25"),
    from: "2026-10-24T22:00:00Z",
    to: "2026-10-25T23:00:00Z",
  },
  {
    what: "a day whose midnight the clock leaps over",
    zone: "America/Havana",
    holiday: closed("2026-03-08"),
    from: "2026-03-08T05:00:00Z",
    to: "2026-03-09T04:00:00Z",
  },
  {
    what: "a day before whose midnight the clock goes back by an hour",
    zone: "Asia/Beirut",
    holiday: closed("2026-10-25"),
    from: "2026-10-24T22:00:00Z",
    to: "2026-10-25T22:00:00Z",
  },
  {
    what: "a day of 24 hours and a half",
    zone: "Australia/Lord_Howe",
    holiday: closed("2026-04-05"),
    from: "2026-04-04T13:00:00Z",
    to: "2026-04-05T13:30:00Z",
  },
  {
    what: "a day in a fast that a table of changes tells",
    zone: "Africa/Casablanca",
    holiday: closed("2026-02-15"),
    from: "2026-02-14T23:00:00Z",
    to: "2026-02-16T00:00:00Z",
  },
  {
    what: "a day after one that Samoa left out",
    zone: "Pacific/Apia",
    holiday: closed("2011-12-31"),
    from: "2011-12-30T10:00:00Z",
    to: "2011-12-31T10:00:00Z",
  },
  {
    what: "the turn of the year, east of all others",
    zone: "Pacific/Kiritimati",
    holiday: closed("2026-12-31", "2027-01-01"),
    from: "2026-12-30T10:00:00Z",
    to: "2027-01-01T10:00:00Z",
  },
  {
    what: "the 29 February",
    zone: "America/New_York",
    holiday: closed("2028-02-29"),
    from: "2028-02-29T05:00:00Z",
    to: "2028-03-01T05:00:00Z",
  },
  {
    what: "the longest, a leap year",
    zone: "UTC",
    holiday: closed("2028-01-01", "2028-12-31"),
    from: "2028-01-01T00:00:00Z",
    to: "2029-01-01T00:00:00Z",
  },
];

describe("T7 holidays last from local midnight to local midnight, to the second", () => {
  for (const { what, zone, holiday, from, to } of CLOSINGS)
    it(`T7, T8, T12, A35 ${what}, grown by the error bound at both ends`, () => {
      const told = { zone, holidays: [holiday] };
      for (const bound of BOUNDS) {
        const begins = new Date((utc(from) - bound) * 1000).toISOString();
        const ends = new Date((utc(to) + bound) * 1000).toISOString();
        assert.deepEqual(around(begins, told, bound), BEGINS, `begins, bound ${bound}`);
        assert.deepEqual(around(ends, told, bound), ENDS, `ends, bound ${bound}`);
      }
    });

  it("T7 is of its year: the same date two years later, one later and one before are ordinary days", () => {
    const told = { zone: "Europe/Berlin", holidays: [closed("2026-12-24")] };
    const noon = ["2024-12-24", "2025-12-24", "2026-12-24", "2027-12-24", "2028-12-24"].map((date) =>
      at(utc(`${date}T12:00:00Z`), told),
    );
    assert.deepEqual(noon, ["granted", "granted", "holiday", "granted", "granted"]);
  });

  it("T7 a date that a zone left out closes the door at no second", () => {
    const told = { zone: "Pacific/Apia", holidays: [closed("2011-12-30")] };
    const leap = utc("2011-12-30T10:00:00Z");
    for (let now = leap - 7200; now < leap + 7200; now++)
      if (at(now, told) !== "granted") assert.fail(new Date(now * 1000).toISOString());
  });

  it("T7 a date that comes for a minute, goes and comes again closes the door both times", () => {
    const told = { zone: "America/St_Johns", holidays: [closed("2007-11-04")] };
    assert.deepEqual(around("2007-11-04T02:30:00Z", told), BEGINS);
    assert.deepEqual(around("2007-11-04T02:31:00Z", told), ENDS);
    assert.deepEqual(around("2007-11-04T03:30:00Z", told), BEGINS);
    assert.deepEqual(around("2007-11-05T03:30:00Z", told), ENDS);
    // The minute alone is in reach: neither end of the bound is on that date.
    assert.equal(at(utc("2007-11-04T02:30:30Z"), told, 90), "holiday");
  });

  it("T7 touching holidays leave no second between them", () => {
    const holidays = [closed("2026-12-24"), { ...closed("2026-12-25"), number: 63 }];
    assert.deepEqual(around("2026-12-25T00:00:00Z", { holidays }), ["holiday", "holiday", "holiday"]);
  });
});

describe("T7 holidays that refuse roles", () => {
  const NOON = utc("2026-12-25T12:00:00Z");
  const reasons = (blocks: readonly Role[]): string[] =>
    DOOR_ROLES.map((role) =>
      at(NOON, { credential: { role }, holidays: [closed("2026-12-25", "2026-12-25", blocks)] }),
    );

  it("T7 exempt the administrator where the issuer leaves the role out", () => {
    assert.deepEqual(reasons(ALL_BUT_ADMIN), ["granted", "holiday", "holiday", "holiday", "holiday"]);
  });

  it("T7 refuse the administrator where the mask says so", () => {
    assert.deepEqual(reasons(["admin"]), ["holiday", "granted", "granted", "granted", "granted"]);
  });

  it("T7 refuse each role by its own bit, several holidays together", () => {
    for (const [i, role] of DOOR_ROLES.entries())
      assert.deepEqual(
        reasons([role]),
        DOOR_ROLES.map((_, j) => (i === j ? "holiday" : "granted")),
      );
    const holidays = [closed("2026-12-25", "2026-12-25", ["team"]), { ...closed("2026-12-25"), number: 0 }];
    assert.equal(at(NOON, { credential: { role: "team" }, holidays }), "holiday");
  });

  it("T7 beat weekly windows, inside and outside them", () => {
    const credential: Credential = { role: "team", schedule: [{ days: [5], minute: 540, lasts: 480 }] };
    const told = { credential, holidays: [closed("2026-12-25")] };
    assert.deepEqual([at(NOON, told), at(NOON + 9 * 3600, told)], ["holiday", "holiday"]);
    assert.deepEqual([at(NOON - 7 * DAY_S, told), at(NOON + DAY_S, told)], ["granted", "outside-schedule"]);
  });
});

describe("T7, M2 holidays in another mode", () => {
  const prospect: Credential = { role: "prospect" };

  it("T7 admit a prospect where the set mode does not, from midnight to midnight", () => {
    const told: Told = {
      credential: prospect,
      mode: "resident",
      holidays: [inMode("tour", "2026-06-06", "2026-06-07")],
    };
    assert.deepEqual(around("2026-06-06T00:00:00Z", told), ["wrong-mode", "granted", "granted"]);
    assert.deepEqual(around("2026-06-08T00:00:00Z", told), ["granted", "wrong-mode", "wrong-mode"]);
  });

  it("T7 refuse a prospect where the set mode does not, from midnight to midnight", () => {
    const told: Told = {
      credential: prospect,
      mode: "tour",
      holidays: [inMode("resident", "2026-06-06", "2026-06-07")],
    };
    assert.deepEqual(around("2026-06-06T00:00:00Z", told), ["granted", "wrong-mode", "wrong-mode"]);
    assert.deepEqual(around("2026-06-08T00:00:00Z", told), ["wrong-mode", "granted", "granted"]);
  });

  it("T7, T12 in doubt of the date the stricter mode is in force", () => {
    for (const bound of BOUNDS) {
      const seen = (mode: Mode, holiday: Mode, instant: string, away: number): string[] => {
        const told: Told = {
          credential: prospect,
          mode,
          holidays: [inMode(holiday, "2026-06-06", "2026-06-07")],
        };
        return [-1, 0].map((second) => at(utc(instant) + away + second, told, bound));
      };
      const [begins, ends] = ["2026-06-06T00:00:00Z", "2026-06-08T00:00:00Z"];
      assert.deepEqual(seen("resident", "tour", begins, bound), ["wrong-mode", "granted"], `${bound}`);
      assert.deepEqual(seen("resident", "tour", ends, -bound), ["granted", "wrong-mode"], `${bound}`);
      assert.deepEqual(seen("tour", "resident", begins, -bound), ["granted", "wrong-mode"], `${bound}`);
      assert.deepEqual(seen("tour", "resident", ends, bound), ["wrong-mode", "granted"], `${bound}`);
    }
  });

  it("T7 with several in force a role must be admitted by each, whatever the set mode and their order", () => {
    const noon = utc("2026-06-06T12:00:00Z");
    const pair: Holiday[] = [
      { ...inMode("tour", "2026-06-06"), number: 1 },
      { ...inMode("resident", "2026-06-06"), number: 2 },
    ];
    for (const mode of ["normal", "tour", "resident"] as const) {
      for (const holidays of [pair, [...pair].reverse()])
        assert.equal(at(noon, { credential: prospect, mode, holidays }), "wrong-mode");
      assert.equal(at(noon, { credential: prospect, mode, holidays: [pair[0]] }), "granted");
      assert.equal(at(noon, { credential: prospect, mode, holidays: [pair[1]] }), "wrong-mode");
      assert.equal(at(noon, { mode, holidays: pair }), "granted", "a resident minds neither");
    }
  });

  it("T7, C9 open for no role that never opens", () => {
    for (const role of ["programming-only", "remote-only"] as const)
      for (const mode of ["normal", "tour", "resident"] as const)
        assert.equal(
          at(utc("2026-06-06T12:00:00Z"), { credential: { role }, holidays: [inMode(mode, "2026-06-06")] }),
          "wrong-mode",
        );
  });
});

describe("T7, T12 holidays without a clock", () => {
  const ask = (more: Told): string => reasonOf(situation({ clock: "unknown", ...more }));
  const past = "2020-01-01";

  it("T7, T12 one that refuses the role may be today, whenever it is", () => {
    const holidays = [closed(past, past, ["guest"])];
    assert.equal(ask({ credential: { role: "guest" }, holidays }), "clock-unknown");
    assert.equal(ask({ credential: { role: "team" }, holidays }), "granted");
  });

  it("T7, T12 one whose mode refuses the role may be today", () => {
    const holidays = [inMode("resident", past)];
    assert.equal(ask({ credential: { role: "prospect" }, mode: "tour", holidays }), "clock-unknown");
    assert.equal(ask({ credential: { role: "guest" }, mode: "tour", holidays }), "granted");
    const same = [inMode("normal", past)];
    assert.equal(ask({ credential: { role: "prospect" }, mode: "tour", holidays: same }), "granted");
  });

  it("T7, T12 one whose mode would admit the role is not supposed to be today: the set mode refuses", () => {
    const holidays = [inMode("tour", past)];
    assert.equal(ask({ credential: { role: "prospect" }, mode: "resident", holidays }), "wrong-mode");
  });
});

describe("T7 a holiday that cannot be read any more", () => {
  const holidays: readonly Holiday[] = [{ number: 17, unreadable: true }];

  it("T7 refuses everybody but administrators, on every date", () => {
    for (const date of ["1970-01-08", "2026-06-01", "2038-01-19", "2106-02-07"])
      assert.deepEqual(
        DOOR_ROLES.map((role) => at(utc(`${date}T06:00:00Z`), { credential: { role }, holidays })),
        ["granted", "holiday", "holiday", "holiday", "holiday"],
        date,
      );
  });

  it("T7, T12 refuses them without a clock", () => {
    const ask = (role: Role): string =>
      reasonOf(situation({ credential: { role }, holidays, clock: "unknown" }));
    assert.deepEqual(DOOR_ROLES.map(ask), ["granted", ...Array(4).fill("clock-unknown")]);
  });

  it("T7, T17 is never over", () => {
    const clock: Clock = { now: utc("2026-06-01T12:00:00Z"), bound: 9 };
    assert.deepEqual(explained(situation({ holidays, clock })), {
      reason: "holiday",
      next: "never",
      after: "holiday",
    });
  });
});

describe("T7, T17 what is said of a holiday to come", () => {
  const tell = (now: string, bound: number, more: Told): string[] =>
    Object.values(explained(situation({ clock: { now: utc(now), bound }, ...more })));

  it("T17 names its beginning, then its end, grown by the error bound", () => {
    const told = { zone: "Europe/Berlin", holidays: [closed("2026-12-25", "2026-12-26")] };
    assert.deepEqual(tell("2026-06-01T12:00:00Z", 60, told), [
      "granted",
      "2026-12-24T22:59:00.000Z",
      "holiday",
    ]);
    assert.deepEqual(tell("2026-12-25T12:00:00Z", 60, told), [
      "holiday",
      "2026-12-26T23:01:00.000Z",
      "granted",
    ]);
    assert.deepEqual(tell("2026-12-27T12:00:00Z", 60, told), ["granted", "never", "granted"]);
  });

  it("T17 names the end of a mode that admits as early, and its beginning as late, as the clock may err", () => {
    const credential: Credential = { role: "prospect" };
    const told: Told = { credential, mode: "resident", holidays: [inMode("tour", "2026-06-06")] };
    assert.deepEqual(tell("2026-06-01T12:00:00Z", 60, told), [
      "wrong-mode",
      "2026-06-06T00:01:00.000Z",
      "granted",
    ]);
    assert.deepEqual(tell("2026-06-06T12:00:00Z", 60, told), [
      "granted",
      "2026-06-06T23:59:00.000Z",
      "wrong-mode",
    ]);
  });

  it("T17 sees through touching holidays to the end of the last", () => {
    const holidays = [closed("2026-12-24"), { ...closed("2026-12-25", "2027-12-25"), number: 4 }];
    assert.deepEqual(tell("2026-12-24T12:00:00Z", 0, { holidays }), [
      "holiday",
      "2027-12-26T00:00:00.000Z",
      "granted",
    ]);
  });

  it("T17 sees that a clock set back after midnight brings the day before again, and that midnight again", () => {
    const told = { zone: "America/St_Johns", holidays: [closed("2007-11-04")] };
    assert.deepEqual(tell("2007-11-04T02:30:30Z", 0, told), [
      "holiday",
      "2007-11-04T02:31:00.000Z",
      "granted",
    ]);
    assert.deepEqual(tell("2007-11-04T02:31:30Z", 0, told), [
      "granted",
      "2007-11-04T03:30:00.000Z",
      "holiday",
    ]);
    const over = { zone: "America/St_Johns", holidays: [closed("2007-11-03")] };
    assert.deepEqual(tell("2007-11-04T02:30:30Z", 0, over), [
      "granted",
      "2007-11-04T02:31:00.000Z",
      "holiday",
    ]);
  });
});

describe("T7 what the lock keeps of holidays", () => {
  const GUEST = 1 << RoleNumber.guest;
  const blocking = (first: number, days: number) => ({ first, days, roles: GUEST, mode: NO_MODE });

  it(`T7 has room for ${MAX_HOLIDAYS}, each on its own date`, () => {
    const holidays = new Holidays();
    assert.ok(holidays.isEmpty);
    for (let n = 0; n < MAX_HOLIDAYS; n++) holidays.put(n, blocking(1000 + 2 * n, 1));
    for (let n = 0; n < MAX_HOLIDAYS; n++) {
      const day = 1000 + 2 * n;
      const found = [day - 1, day, day + 1].map((each) => holidays.refuse(RoleNumber.guest, each));
      assert.deepEqual(found, [false, true, false]);
    }
    assert.ok(!holidays.refuse(RoleNumber.team, 1000));
  });

  it("T7 keeps the last that was put under a number, and none where none was", () => {
    const holidays = new Holidays();
    holidays.put(63, blocking(1000, 5));
    holidays.put(63, blocking(1002, 1));
    const days = () => [1001, 1002, 1003].map((day) => holidays.refuse(RoleNumber.guest, day));
    assert.deepEqual(days(), [false, true, false]);
    holidays.put(63, { first: 0, days: 0, roles: 0, mode: NO_MODE });
    assert.deepEqual(days(), [false, false, false]);
    assert.ok(
      !holidays.concern(RoleNumber.guest, ModeNumber.normal),
      "one that was taken away concerns nobody",
    );
    assert.ok(!holidays.close(1002));
    assert.equal(holidays.nextDate(0), 0);
  });

  it("T7 forgets them all", () => {
    const holidays = new Holidays();
    holidays.put(5, undefined);
    holidays.put(6, blocking(1000, 9));
    holidays.clear();
    assert.ok(holidays.isEmpty);
    holidays.put(63, blocking(3000, 1));
    assert.deepEqual([holidays.close(0), holidays.close(1004), holidays.close(3000)], [false, false, true]);
  });

  it("T7 counts the first and the last date that a holiday can name", () => {
    const holidays = new Holidays();
    holidays.put(0, blocking(0, 1));
    holidays.put(1, blocking(0xffff - MAX_HOLIDAY_DAYS, MAX_HOLIDAY_DAYS));
    const found = [0, 1, 0xffff - MAX_HOLIDAY_DAYS - 1, 0xffff - MAX_HOLIDAY_DAYS, 0xfffe, 0xffff];
    assert.deepEqual(
      found.map((day) => holidays.refuse(RoleNumber.guest, day)),
      [true, false, false, true, true, false],
    );
  });

  it("T16 closes the door itself on a date that refuses anybody, not on one in another mode", () => {
    const holidays = new Holidays();
    holidays.put(0, blocking(1000, 1));
    holidays.put(1, { first: 1001, days: 1, roles: 0, mode: ModeNumber.resident });
    assert.deepEqual(
      [999, 1000, 1001].map((day) => holidays.close(day)),
      [false, true, false],
    );
    holidays.put(2, undefined);
    assert.ok(holidays.close(999), "one that cannot be read closes it always");
  });

  it("T17 names the next date on which one begins or is over", () => {
    const holidays = new Holidays();
    holidays.put(9, blocking(1000, 3));
    holidays.put(2, { first: 1001, days: 1, roles: 0, mode: ModeNumber.tour });
    holidays.put(30, undefined);
    const next = [0, 999, 1000, 1001, 1002, 1003].map((day) => holidays.nextDate(day));
    assert.deepEqual(next, [1000, 1000, 1001, 1002, 1003, 0]);
  });
});
