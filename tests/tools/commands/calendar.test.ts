// `tumbler calendar`: open hours by the lock's own functions, judged by a count through every quarter of an hour of a year with the
// platform's clocks; the pictures, and what is said to what cannot be drawn.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { run, widest } from "../support";

const QUARTER_S = 900;
const DAY_S = 86_400;
const OFFICE = "Mon-Fri 09:00-17:00; Sat 10:00-14:00";

interface Told {
  zone: { name: string; told: string };
  windows: string[];
  year: number;
  month: number | null;
  holidays: { first: string; last: string }[];
  openSeconds: number;
  days: ToldDay[];
}
interface ToldDay {
  date: string;
  seconds: number;
  holiday: boolean;
  openSeconds: number;
  openings: { from: ToldInstant; until: ToldInstant }[];
  clockChanges: { at: ToldInstant; offsetBefore: number; offsetAfter: number }[];
}
interface ToldInstant {
  seconds: number;
  utc: string;
  local: string;
}

async function tell(...args: string[]): Promise<Told> {
  const { out, err, code } = await run(["calendar", ...args, "--json"]);
  assert.deepEqual([code, err], [0, ""]);
  return JSON.parse(out);
}

async function draw(...args: string[]): Promise<string> {
  const { out, err, code } = await run(["calendar", ...args]);
  assert.deepEqual([code, err], [0, ""]);
  assert.ok(widest(out) <= 80, out);
  return out;
}

/** The lines of a drawing from the one that begins with `first` on, up to an empty one. */
function part(text: string, first: string): string[] {
  const lines = text.split("\n");
  const from = lines.findIndex((line) => line.startsWith(first));
  assert.ok(from >= 0, `${first} in\n${text}`);
  return lines.slice(from, lines.indexOf("", from));
}

// ---- The count ---------------------------------------------------------------------------------------------------------------

/** A window as the count takes it: weekdays, 0 Sunday, and minutes of the day; the end may lie on the day after. */
interface Hours {
  readonly days: readonly number[];
  readonly from: number;
  readonly until: number;
}
/** What the count finds of a date: seconds, open seconds, and runs of open quarters. */
interface Counted {
  seconds: number;
  open: number;
  runs: [number, number][];
}

/** Walks a year and two days on either side by quarters of an hour, looking at the platform's wall clock at each. */
function countYear(zone: string, year: number, hours: readonly Hours[]): Map<string, Counted> {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  const isOpen = (weekday: number, minute: number): boolean =>
    hours.some(({ days, from, until }) => {
      const isToday = days.includes(weekday) && minute >= from && minute < until;
      return isToday || (days.includes((weekday + 6) % 7) && minute + 1440 < until);
    });
  const dates = new Map<string, Counted>();
  const end = Date.UTC(year + 1, 0, 3) / 1000;
  for (let t = Date.UTC(year - 1, 11, 30) / 1000; t < end; t += QUARTER_S) {
    const [date, clock] = format.format(t * 1000).split(", ");
    const minute = Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
    const counted = dates.get(date) ?? { seconds: 0, open: 0, runs: [] };
    dates.set(date, counted);
    counted.seconds += QUARTER_S;
    if (!isOpen(new Date(`${date}T00:00:00Z`).getUTCDay(), minute)) continue;
    counted.open += QUARTER_S;
    const last = counted.runs.at(-1);
    if (last !== undefined && last[1] === t) last[1] = t + QUARTER_S;
    else counted.runs.push([t, t + QUARTER_S]);
  }
  return dates;
}

const WORKDAYS = [1, 2, 3, 4, 5];
const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];
const NIGHTS: [string, Hours[]] = ["daily 22:00-06:00", [{ days: EVERY_DAY, from: 1320, until: 1800 }]];
const EARLY: [string, Hours[]] = [
  "sun 02:00-02:45; sat 23:30-00:30; daily 03:15-04:00",
  [
    { days: [0], from: 120, until: 165 },
    { days: [6], from: 1410, until: 1470 },
    { days: EVERY_DAY, from: 195, until: 240 },
  ],
];
const DAYS: [string, Hours[]] = [
  OFFICE,
  [
    { days: WORKDAYS, from: 540, until: 1020 },
    { days: [6], from: 600, until: 840 },
  ],
];

describe("tumbler calendar", () => {
  const cases: [string, number, [string, Hours[]]][] = [
    ["Europe/Berlin", 2027, DAYS],
    ["Europe/Berlin", 2027, EARLY],
    ["America/New_York", 2028, NIGHTS],
    ["Africa/Casablanca", 2027, NIGHTS],
    ["Africa/Casablanca", 2030, EARLY],
    ["Australia/Lord_Howe", 2027, EARLY],
    ["America/Santiago", 2027, EARLY],
    ["Africa/Cairo", 2028, NIGHTS],
    ["America/Godthab", 2027, EARLY],
    ["Antarctica/Troll", 2027, EARLY],
    ["Asia/Katmandu", 2028, DAYS],
    ["Pacific/Kiritimati", 2027, NIGHTS],
  ];
  for (const [zone, year, [schedule, hours]] of cases)
    it(`T9 counts what a walk through ${zone} in ${year} counts, for ${schedule}`, async () => {
      const { days, openSeconds } = await tell(zone, schedule, "--year", String(year));
      assert.equal(days.length, year % 4 === 0 ? 366 : 365);
      const counted = countYear(zone, year, hours);
      for (const { date, seconds, openSeconds: open, openings } of days) {
        const runs = openings.map(({ from, until }) => [from.seconds, until.seconds]);
        assert.deepEqual({ date, seconds, open, runs }, { date, ...counted.get(date) });
      }
      assert.equal(
        openSeconds,
        days.reduce((sum, day) => sum + day.openSeconds, 0),
      );
    });

  it("T9 tells the days on which the clock is set, at either end of the leap", async () => {
    const changed = async (zone: string, year: string) => {
      const { days } = await tell(zone, "daily 00:00-24:00", "--year", year);
      return days.flatMap(({ date, seconds, clockChanges }) =>
        clockChanges.map(({ at, offsetBefore, offsetAfter }) => {
          assert.equal(Date.parse(at.local), at.seconds * 1000);
          assert.equal(Date.parse(at.utc), at.seconds * 1000);
          return `${date} ${seconds / 3600} h ${at.utc} ${offsetBefore / 3600} ${offsetAfter / 3600}`;
        }),
      );
    };
    assert.deepEqual(await changed("Europe/Berlin", "2027"), [
      "2027-03-28 23 h 2027-03-28T01:00:00Z 1 2",
      "2027-10-31 25 h 2027-10-31T01:00:00Z 2 1",
    ]);
    assert.deepEqual(await changed("Africa/Cairo", "2027"), [
      "2027-04-30 23 h 2027-04-29T22:00:00Z 2 3",
      "2027-10-28 25 h 2027-10-28T21:00:00Z 3 2",
    ]);
    assert.deepEqual(await changed("Australia/Lord_Howe", "2027"), [
      "2027-04-04 24.5 h 2027-04-03T15:00:00Z 11 10.5",
      "2027-10-03 23.5 h 2027-10-02T15:30:00Z 10.5 11",
    ]);
    assert.deepEqual(await changed("Asia/Tokyo", "2027"), []);
  });

  it("T8 takes a POSIX TZ string as a lock does", async () => {
    const named = await tell("Europe/Berlin", OFFICE, "--year", "2027");
    const posix = await tell("CET-1CEST,M3.5.0,M10.5.0/3", OFFICE, "--year", "2027");
    assert.deepEqual(posix.days, named.days);
    assert.equal(posix.zone.told, "CET-1CEST,M3.5.0,M10.5.0/3");
    assert.equal(named.zone.told, "<+01>-1<+02>,M3.5.0,M10.5.0/3");
  });

  it("T15 reaches from 2000 to 2105", async () => {
    for (const [year, days] of [
      ["2000", 366],
      ["2100", 365],
      ["2105", 365],
    ] as const)
      for (const zone of ["America/Los_Angeles", "Pacific/Auckland"]) {
        const told = await tell(zone, "daily 00:00-24:00", "--year", year);
        assert.deepEqual([told.days.length, told.openSeconds], [days, days * DAY_S], `${zone} ${year}`);
      }
  });

  it("T7 closes the dates of holidays, and no others", async () => {
    const args = ["Europe/Berlin", "daily 22:00-06:00", "--year", "2027"];
    const dates = ["--holiday", "2027-12-31..2028-01-02", "--holiday", "2027-05-01"];
    const { days, holidays } = await tell(...args, ...dates);
    const plain = await tell(...args);
    assert.deepEqual(holidays, [
      { first: "2027-05-01", last: "2027-05-01" },
      { first: "2027-12-31", last: "2028-01-02" },
    ]);
    const closed = ["2027-05-01", "2027-12-31"];
    for (const [i, day] of days.entries()) {
      const expected = closed.includes(day.date)
        ? { ...plain.days[i], holiday: true, openings: [], openSeconds: 0 }
        : plain.days[i];
      assert.deepEqual(day, expected);
    }
  });

  it("T1 reads a schedule as the import does, and as `tumbler inspect` writes it", async () => {
    const windows = async (text: string) => (await tell("UTC", text, "--year", "2027")).windows;
    const office = ["Mon–Fri 09:00–17:00", "Sat 10:00–14:00"];
    assert.deepEqual(await windows(OFFICE), office);
    assert.deepEqual(await windows(office.join("; ")), office);
    assert.deepEqual(await windows(office.join("\n")), office);
    assert.deepEqual(await windows("MON, wed fri  08:00 - 09:00;"), ["Mon, Wed, Fri 08:00–09:00"]);
    assert.deepEqual(await windows("fri-mon 22:00-06:00"), ["Mon, Fri–Sun 22:00–06:00 on the day after"]);
    assert.deepEqual(await windows("daily 00:00-24:00"), ["every day all day"]);
  });

  it("shows this year where none is given", async () => {
    const { year, days } = await tell("UTC", OFFICE);
    assert.ok(Math.abs(year - new Date().getUTCFullYear()) <= 1);
    assert.equal(days[0].date, `${year}-01-01`);
  });

  it("gives the days of one month", async () => {
    const { month, days } = await tell("UTC", OFFICE, "--year", "2028", "--month", "2");
    assert.deepEqual([month, days.length, days[0].date, days[28].date], [2, 29, "2028-02-01", "2028-02-29"]);
  });
});

describe("tumbler calendar, the pictures", () => {
  it("draw a year, a week, the changes of the clock and the holidays", async () => {
    const args = ["Europe/Berlin", OFFICE, "--year", "2027"];
    const out = await draw(...args, "--holiday", "2027-12-24..2027-12-26", "--holiday", "2027-05-01");
    assert.equal(
      out,
      `Europe/Berlin in 2027

  zone          <+01>-1<+02>,M3.5.0,M10.5.0/3
  open          Mon–Fri 09:00–17:00
                Sat 10:00–14:00

       1       5         10        15        20        25        30
  Jan  █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ ·     188 h
  Feb  █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ ·           176 h
  Mar  █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ ·!█ █ █     200 h
  Apr  █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █       192 h
  May  x · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █     184 h
  Jun  █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █       192 h
  Jul  █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄     196 h
  Aug  · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █     192 h
  Sep  █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █       192 h
  Oct  █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ ·!    188 h
  Nov  █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █       192 h
  Dec  █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ █ ▄ · █ █ █ █ x x x █ █ █ █ █     188 h
  █ 8 h   ▄ 4 h   · closed   x holiday   ! the clock changes

A week by the half hour
       0     3     6     9     12    15    18    21    24
  Mon  ··················████████████████··············      8 h
  Tue  ··················████████████████··············      8 h
  Wed  ··················████████████████··············      8 h
  Thu  ··················████████████████··············      8 h
  Fri  ··················████████████████··············      8 h
  Sat  ····················████████····················      4 h
  Sun  ················································      0 h
  █ open   · closed

The clock changes
  Sun 2027-03-28  02:00 → 03:00, a day of 23 h; open 0 h
  Sun 2027-10-31  03:00 → 02:00, a day of 25 h; open 0 h

Holidays
  Sat 2027-05-01  closed, 1 day
  Fri 2027-12-24 to Sun 2027-12-26  closed, 3 days

Open 2,280 h, on 310 of 365 days.
`,
    );
  });

  it("T9 show in a month the hours that the clock leaps over, and those that come twice", async () => {
    const night = "daily 22:00-06:00";
    const march = await draw("America/New_York", night, "--year", "2027", "--month", "3");
    const november = await draw("America/New_York", night, "--year", "2027", "--month", "11");
    const row = (text: string, label: string) => part(text, `  ${label}`)[0];
    assert.equal(row(march, "Sat 13"), `  Sat 13  ${"█".repeat(12)}${"·".repeat(32)}████      8 h`);
    assert.equal(row(march, "Sun 14"), `  Sun 14  ████  ██████${"·".repeat(32)}████      7 h !`);
    assert.equal(row(november, "Sun  7"), `  Sun  7  ██▓▓${"█".repeat(8)}${"·".repeat(32)}████      9 h !`);
    assert.match(march, /^ {2}█ open {3}· closed {3}blank: the clock leaps over it {3}! the clock changes$/m);
    assert.match(november, /^ {2}█ open {3}· closed {3}▓ open, comes twice {3}! the clock changes$/m);
    assert.deepEqual(part(march, "The clock")[1], "  Sun 2027-03-14  02:00 → 03:00, a day of 23 h; open 7 h");
    assert.match(march, /^Open 247 h, on 31 of 31 days\.$/m);
  });

  it("T9 mark closed hours that come twice, half hours that are leapt over, and parts of half hours", async () => {
    const closed = await draw("Europe/Berlin", "mon 09:10-17:00", "--year", "2027", "--month", "10");
    assert.equal(part(closed, "  Sun 31")[0], `  Sun 31  ····::${"·".repeat(42)}      0 h !`);
    assert.equal(
      part(closed, "  Mon  4")[0].slice(10, 58),
      `${"·".repeat(18)}▌${"█".repeat(15)}${"·".repeat(14)}`,
    );
    assert.match(closed, /▌ a part of the half hour/);
    const island = await draw("Australia/Lord_Howe", "daily 00:00-24:00", "--year", "2027", "--month", "10");
    assert.equal(part(island, "  Sun  3")[0], `  Sun  3  ████ ${"█".repeat(43)}   23.5 h !`);
  });

  it("A35 name both dates where the clock is set over midnight", async () => {
    const out = await draw("America/Santiago", OFFICE, "--year", "2027");
    assert.deepEqual(part(out, "The clock").slice(1), [
      "  Sat 2027-04-03  2027-04-04 00:00 → 2027-04-03 23:00, a day of 25 h; open 4 h",
      "  Sun 2027-09-05  00:00 → 01:00, a day of 23 h; open 0 h",
    ]);
  });

  it("tell a holiday that is not in what is shown", async () => {
    const args = ["UTC", OFFICE, "--year", "2027", "--holiday", "2026-12-24", "--holiday", "2027-05-03"];
    assert.deepEqual(part(await draw(...args), "Holidays").slice(1), [
      "  Thu 2026-12-24  not in 2027",
      "  Mon 2027-05-03  closed, 1 day",
    ]);
    const may = await draw(...args, "--month", "5");
    assert.match(may, /^ {2}Thu 2026-12-24 {2}not in May 2027$/m);
    assert.match(may, /^ {2}Mon {2}3 {2}x{48} {6}0 h$/m);
  });

  it("stay on 80 columns with many holidays, eight windows and a long zone", async () => {
    const windows = Array.from({ length: 8 }, (_, i) => `mon wed fri sun 0${i}:00-0${i}:${17 + i}`);
    const zone = "<-1245>12:45<-0930>9:30,M9.5.0/3:45,M12.5.0/3:45";
    const many = Array.from({ length: 64 }, (_, i) => [
      "--holiday",
      `2027-03-${String((i % 28) + 1).padStart(2, "0")}`,
    ]);
    await draw(zone, windows.join(";"), "--year", "2027", ...many.flat());
    await draw(zone, windows.join(";"), "--year", "2027", "--month", "12");
  });

  it("draw a year in which every day is a holiday", async () => {
    const out = await draw("UTC", OFFICE, "--year", "2028", "--holiday", "2028-01-01..2028-12-31");
    assert.match(out, /^ {2}Feb {2}(x ){29} {4} {6}0 h$/m);
    assert.match(out, /^Open 0 h, on 0 of 366 days\.$/m);
  });

  it("have plain characters for terminals without blocks", async () => {
    const args = ["Europe/Berlin", OFFICE, "--year", "2027"];
    const plain = await draw(...args, "--plain");
    const picture = [...part(plain, "       1"), ...part(plain, "A week")].join("\n");
    assert.match(picture, /^ {2}Jan {2}# = \. # # # # # = \. /m);
    assert.match(picture, /^ {2}Sat {2}\.{20}#{8}\.{20} {6}4 h$/m);
    assert.match(picture, /^[\x20-\x7e\n]*$/);
    const blocks = await draw(...args);
    const swapped = blocks.replace(/[█▄·]/g, (glyph) => ({ "█": "#", "▄": "=", "·": "." })[glyph] ?? "");
    assert.equal(plain, swapped);
  });

  it("say the same in colours", async () => {
    for (const more of [[], ["--month", "3"], ["--plain"]]) {
      const args = [
        "calendar",
        "Europe/Berlin",
        OFFICE,
        "--year",
        "2027",
        "--holiday",
        "2027-03-29",
        ...more,
      ];
      const plain = await run(args);
      const coloured = await run(args, "", true);
      assert.notEqual(coloured.out, plain.out);
      assert.equal(stripVTControlCharacters(coloured.out), plain.out);
    }
  });
});

describe("tumbler calendar, what it cannot draw", () => {
  async function refused(wanted: RegExp, ...args: string[]): Promise<void> {
    const { code, out, err } = await run(["calendar", ...args]);
    assert.match(err, wanted);
    assert.deepEqual([code, out], [2, ""]);
  }

  it("tells of zones, with names that were perhaps meant", async () => {
    await refused(
      /^error: zone Berlin: wanted an IANA name .*\n\(Did you mean Europe\/Berlin\?\)\n$/,
      "Berlin",
      OFFICE,
    );
    await refused(/Did you mean America\/New_York\?/, "new york", OFFICE);
    await refused(
      /^error: zone Mars\/Base: wanted an IANA name .* or a POSIX TZ string .*"\n$/,
      "Mars/Base",
      OFFICE,
    );
    await refused(/48 characters at most, and with daylight saving time both its rules/, "CET-1CEST", OFFICE);
    await refused(/zone : wanted an IANA name/, "", OFFICE);
    await refused(
      /zone Pacific\/Apia: no lock can follow its clock around 2011\n\(give another --year/,
      "Pacific/Apia",
      OFFICE,
      "--year",
      "2011",
    );
  });

  it("tells of schedules, with the window and what was wanted", async () => {
    const cases: [string, RegExp][] = [
      ["", /schedule "": wanted days and hours/],
      [" ; ", /schedule " ; ": wanted days and hours/],
      ["mon", /schedule, window 1, "mon": wanted days and hours, such as "Mon-Fri 09:00-17:00"/],
      ["mon 09:00-10:00; 11:00-12:00", /schedule, window 2, "11:00-12:00": wanted days and hours/],
      ["noday 09:00-10:00", /schedule, window 1, days "noday": wanted days such as "daily"/],
      ["mon 9:00-10:00", /schedule, window 1, start "9:00": wanted a time HH:MM from 00:00 to 23:59/],
      ["mon 09:00-25:00", /schedule, window 1, end "25:00": wanted a time HH:MM from 00:00 to 24:00/],
      ["mon 09:00-12:00; mon 11:59-13:00", /window 2, start "11:59": wanted a window that does not overlap/],
      [
        Array.from({ length: 9 }, (_, i) => `mon 0${i}:00-0${i}:30`).join(";"),
        /schedule, window 9: wanted at most 8 windows in a schedule/,
      ],
    ];
    for (const [schedule, wanted] of cases) await refused(wanted, "UTC", schedule);
    await refused(
      /window 1, days "x".*\n {7}schedule, window 2, start "y"/,
      "UTC",
      "x 09:00-10:00; mon y-10:00",
    );
  });

  it("tells of options, at each limit and one past it", async () => {
    for (const year of ["1999", "2106", "27", "now", "2027.5"])
      await refused(/--year <year>.*wanted 2000 to 2105/, "UTC", OFFICE, "--year", year);
    for (const month of ["0", "13", "mar"])
      await refused(/--month <month>.*wanted 1 to 12/, "UTC", OFFICE, "--month", month);
    for (const dates of [
      "2027-02-30",
      "2027-5-1",
      "2027-05-02..2027-05-01",
      "..",
      "2027-01-01..",
      "today",
      "",
    ])
      await refused(/--holiday <dates>.*wanted YYYY-MM-DD, or/, "UTC", OFFICE, "--holiday", dates);
    const year = (last: string) => ["UTC", OFFICE, "--year", "2027", "--holiday", `2027-01-01..${last}`];
    await tell(...year("2028-01-01"));
    await refused(/wanted at most 366 days, as a lock takes/, ...year("2028-01-02"));
    const many = (count: number) => Array.from({ length: count }, () => ["--holiday", "2027-05-01"]).flat();
    await tell("UTC", OFFICE, ...many(64));
    await refused(/wanted at most 64 holidays, as a lock takes/, "UTC", OFFICE, ...many(65));
    await refused(/missing required argument 'schedule'/, "UTC");
  });
});

describe("tumbler calendar, its help", () => {
  it("fits 80 columns, and its examples run, as do those of the README", async () => {
    const { code, out, err } = await run(["calendar", "--help"]);
    assert.deepEqual([code, err], [0, ""]);
    assert.ok(widest(out) <= 80, out);
    assert.match(out, /Exit codes: 0 .*\n2 usage, or not readable; 3 a fault of the program itself\.\n/);
    const readme = readFileSync(resolve(__dirname, "../../../README.md"), "utf8");
    const lines = `${out}\n${readme}`.replaceAll("\\\n", " ").split("\n");
    const commands = lines.filter(
      (line) => /^ *(npx )?tumbler calendar /.test(line) && !line.includes("<zone>"),
    );
    assert.equal(commands.length, 5);
    for (const command of commands) {
      const words = command.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', "")) ?? [];
      const ran = await run(words.slice(words.indexOf("calendar")));
      assert.deepEqual([ran.code, ran.err], [0, ""], command);
    }
  });
});
