// Imports (rules A1, A2, A5, C19, T4): every fault with file, line, column and what was wanted.

import { strict as assert } from "node:assert";
import { importSheets, type Sheets } from "../../../protocol/issuer/import";
import type { Known } from "../../../protocol/issuer/rows";
import { instantOf, parseWhen } from "../../../protocol/issuer/when";
import { overlap } from "../../../protocol/issuer/windows";
import { Capability, Role } from "../../../protocol/wire/entry";
import { MAX_SETTING_BYTES } from "../../../protocol/wire/limits";
import { parseSheet } from "../../../tools/csv";
import { intlOffset } from "../../../tools/zone";

const DOORS = `door,profile,link,zone,keys
Main entrance,lock-1000,wifi,Europe/Berlin,house all
Garage,l500i,courier,Europe/Berlin,house;garage
Lisbon flat,lock-1000,wifi,Europe/Lisbon,lisbon all`;
const SCHEDULES = `schedule,days,start,end
office,mon-fri,09:00,17:00
office,sat,09:00,12:00
night,daily,22:00,06:00`;
const PEOPLE = "person,name,role,keys,pin,card,start,end,schedule,uses,grantor,capabilities";

const NOBODY: Known = { doors: new Map(), schedules: new Map(), people: new Map() };

function take(
  files: { doors?: string; schedules?: string; people?: string; tower?: string },
  known = NOBODY,
) {
  const sheets: Sheets = {
    doors: parseSheet("doors.csv", files.doors ?? DOORS),
    schedules: parseSheet("schedules.csv", files.schedules ?? SCHEDULES),
    people: [
      parseSheet("people.csv", files.people ?? PEOPLE),
      ...(files.tower === undefined ? [] : [parseSheet("tower.csv", files.tower)]),
    ],
  };
  return importSheets(sheets, known, intlOffset, 2027);
}

/** The errors of people with these rows, as "line column value". */
function faults(...rows: string[]): string[] {
  const { errors } = take({ people: [PEOPLE, ...rows].join("\n") });
  return errors.map(({ file, line, column, value }) => `${file}:${line} ${column} ${value}`);
}

/** The one error of a file, and that it says what was wanted. */
function onlyFault(files: Parameters<typeof take>[0], wanted: RegExp, known = NOBODY): string {
  const { errors } = take(files, known);
  assert.equal(errors.length, 1, JSON.stringify(errors));
  const [{ file, line, column, value }] = errors;
  assert.match(errors[0].wanted, wanted);
  return `${file}:${line} ${column}=${value}`;
}

const oneOf = (row: string) => ({ people: `${PEOPLE}\n${row}` });

describe("A51 importing a building from CSV", () => {
  it("gives typed rows, and no errors, for good files", () => {
    const { doors, schedules, people, errors } = take({
      people: `${PEOPLE}
anna,Anna Adler,admin,all garage,471108,04A1B2C3,,,,,,grant first-in
gast,"Gast, mit Komma",guest,lisbon,0815,,2027-03-01,2027-03-05T18:30,office,3,anna,`,
    });
    assert.deepEqual(errors, []);
    assert.deepEqual(
      doors.map(({ door, profile, link, zoneValue, keys }) => [
        door,
        profile,
        link,
        Buffer.from(zoneValue).toString(),
        keys,
      ]),
      [
        ["Main entrance", "lock-1000", "wifi", "<+01>-1<+02>,M3.5.0,M10.5.0/3", ["house", "all"]],
        ["Garage", "l500i", "courier", "<+01>-1<+02>,M3.5.0,M10.5.0/3", ["house", "garage"]],
        ["Lisbon flat", "lock-1000", "wifi", "<+00>0<+01>,M3.5.0/1,M10.5.0", ["lisbon", "all"]],
      ],
    );
    assert.deepEqual(schedules, [
      {
        schedule: "office",
        windows: [
          { days: 0b0111110, start: 540, duration: 480 },
          { days: 0b1000000, start: 540, duration: 180 },
        ],
      },
      { schedule: "night", windows: [{ days: 127, start: 1320, duration: 480 }] },
    ]);
    const [anna, gast] = people;
    assert.deepEqual([anna.role, anna.card, anna.keys], [Role.admin, "04a1b2c3", ["all", "garage"]]);
    assert.equal(anna.capabilities, Capability.grant | Capability.firstIn);
    assert.deepEqual(gast, {
      person: "gast",
      name: "Gast, mit Komma",
      role: Role.guest,
      keys: ["lisbon"],
      pin: "0815",
      duressPin: "",
      card: "",
      phoneKey: "",
      start: { seconds: Date.UTC(2027, 2, 1) / 1000, local: true },
      end: { seconds: Date.UTC(2027, 2, 5, 18, 30) / 1000, local: true },
      schedule: "office",
      uses: 3,
      minutesAfterFirstUse: 0,
      firstUseHours: 0,
      dual: false,
      notify: false,
      lease: false,
      grantor: "anna",
      capabilities: 0,
    });
  });

  it("reads a file with a byte order mark, other line ends and quoted line breaks, and tells real line numbers", () => {
    const people = `\ufeff${PEOPLE}\r\nanna,"Anna\r\nAdler",resident,all,4711,,,,,,,\r\n\r\nben,Ben,boss,all,,,,,,,,\r\n`;
    assert.equal(onlyFault({ people }, /admin, guest, prospect, resident, team/), "people.csv:5 role=boss");
  });

  it("leaves columns out that are empty anyway", () => {
    const { errors, people } = take({ people: "person,name,role,keys\nanna,Anna,resident,all" });
    assert.deepEqual([errors, people[0].pin, people[0].end], [[], "", undefined]);
  });

  it("collects all errors of all files in order, and stops at none", () => {
    const { errors } = take({
      doors: "door,profile,link,zone,keys\n,lock-2000,pigeon,Europe/Atlantis,all\nb,l500i,wifi,UTC,all",
      schedules: "schedule,days,start,end\noffice,noday,25:00,17:60\nok,sun,00:00,24:00",
      people: `${PEOPLE}\nan na,A,boss,none,12,xyz,2027-02-30,never,lunch,0,nobody,fly\nben,B,team,all`,
    });
    assert.deepEqual(
      errors.map(({ file, line, column }) => `${file}:${line} ${column}`),
      [
        ...["door", "profile", "link", "zone"].map((column) => `doors.csv:2 ${column}`),
        ...["days", "start", "end"].map((column) => `schedules.csv:2 ${column}`),
        ...["role", "schedule", "keys", "person", "pin", "card", "start", "end", "uses"].map(
          (column) => `people.csv:2 ${column}`,
        ),
        "people.csv:2 capabilities",
        "people.csv:2 grantor",
        "people.csv:3 ",
      ],
    );
    for (const { wanted } of errors) assert.ok(wanted.length > 5);
  });

  describe("columns and cells", () => {
    const cases: [string, Parameters<typeof take>[0], RegExp, string][] = [
      [
        "an unknown column",
        { people: "person,name,role,keys,shedule" },
        /one of the columns person, name/,
        "people.csv:1 shedule=shedule",
      ],
      ["a missing column", { people: "person,name,role" }, /a column keys/, "people.csv:1 keys="],
      ["a column twice", { people: "person,name,role,keys,name" }, /once/, "people.csv:1 name=name"],
      ["too few cells", { people: "person,name,role,keys\nanna,A,team" }, /4 cells/, "people.csv:2 =3 cells"],
      [
        "too many cells",
        { people: "person,name,role,keys\nanna,A,team,all,1" },
        /4 cells/,
        "people.csv:2 =5 cells",
      ],
      ["an empty file", { people: "" }, /names of the columns/, "people.csv:1 ="],
      [
        "a quote that never ends",
        { people: `${PEOPLE}\nanna,"A` },
        /CSV/,
        "people.csv:2 =csv-quote-not-closed",
      ],
      [
        "a quote within a cell",
        { people: `${PEOPLE}\nan"na,A` },
        /CSV/,
        "people.csv:2 =invalid-opening-quote",
      ],
    ];
    for (const [name, files, wanted, where] of cases)
      it(`tells of ${name}`, () => {
        const { errors } = take(files);
        const [{ file, line, column, value }] = errors;
        assert.match(errors[0].wanted, wanted);
        assert.equal(`${file}:${line} ${column}=${value}`, where);
      });

    it("still checks the rows of a file with an unknown column", () => {
      const { errors } = take({ people: "person,name,role,keys,shedule\nanna,A,boss,all,x" });
      assert.deepEqual(
        errors.map(({ line }) => line),
        [1, 2],
      );
    });
  });

  describe("doors", () => {
    const door = (row: string) => ({ doors: `door,profile,link,zone,keys\n${row}` });
    const cases: [string, string, RegExp, string][] = [
      ["a door without a name", ",l500i,wifi,UTC,all", /1 to 64 characters/, "doors.csv:2 door="],
      ["an unknown profile", "d,L500I,wifi,UTC,all", /lock-1000 or l500i/, "doors.csv:2 profile=L500I"],
      ["an unknown link", "d,l500i,lan,UTC,all", /wifi or courier/, "doors.csv:2 link=lan"],
      ["an unknown zone", "d,l500i,wifi,Berlin,all", /IANA/, "doors.csv:2 zone=Berlin"],
      ["a key that is no word", "d,l500i,wifi,UTC,a!", /names of keys/, "doors.csv:2 keys=a!"],
      ["a door twice", "d,l500i,wifi,UTC,all\nd,l500i,wifi,UTC,all", /line 2/, "doors.csv:3 door=d"],
    ];
    for (const [name, row, wanted, where] of cases)
      it(`tells of ${name}`, () => assert.equal(onlyFault(door(row), wanted), where));

    it("T8 takes a zone that follows the moon, with a table behind its string", () => {
      const [{ zoneValue }] = take(door("d,l500i,wifi,Africa/Casablanca,all")).doors;
      const end = zoneValue.indexOf(0);
      assert.equal(Buffer.from(zoneValue.subarray(0, end)).toString(), "<+01>-1");
      assert.ok(zoneValue.length > end + 20 && zoneValue.length <= MAX_SETTING_BYTES);
    });

    it("takes a door that no key opens", () => assert.deepEqual(take(door("d,l500i,wifi,UTC,")).errors, []));
  });

  describe("T1, T2 schedules", () => {
    const schedule = (rows: string) => ({ schedules: `schedule,days,start,end\n${rows}` });
    const windowOf = (rows: string) => {
      const { errors, schedules } = take(schedule(rows));
      assert.deepEqual(errors, []);
      return schedules[0].windows.map(({ days, start, duration }) => [days, start, duration]);
    };
    it("reads days as a range, a list, one word, and across the end of the week", () => {
      assert.deepEqual(windowOf("s,daily,00:00,24:00"), [[127, 0, 1440]]);
      assert.deepEqual(windowOf("s,mon wed;FRI,10:00,11:00"), [[0b0101010, 600, 60]]);
      assert.deepEqual(windowOf("s,fri-mon,10:00,11:00"), [[0b1100011, 600, 60]]);
      assert.deepEqual(windowOf("s,sat,23:59,00:01"), [[64, 1439, 2]]);
    });
    it("lets an end that is not after its start be one of the next day", () => {
      assert.deepEqual(windowOf("s,mon,09:00,09:00"), [[2, 540, 1440]]);
      assert.deepEqual(windowOf("s,mon,09:00,08:59"), [[2, 540, 1439]]);
    });
    const cases: [string, string, RegExp, string][] = [
      ["no name", ",mon,09:00,10:00", /a name/, "schedules.csv:2 schedule="],
      ["an unknown day", "s,monday,09:00,10:00", /mon-fri/, "schedules.csv:2 days=monday"],
      ["no day", "s,,09:00,10:00", /days such as/, "schedules.csv:2 days="],
      ["a start at 24:00", "s,mon,24:00,10:00", /00:00 to 23:59/, "schedules.csv:2 start=24:00"],
      ["an end past 24:00", "s,mon,09:00,24:01", /to 24:00/, "schedules.csv:2 end=24:01"],
      ["a time without a leading zero", "s,mon,9:00,10:00", /HH:MM/, "schedules.csv:2 start=9:00"],
      [
        "overlapping windows",
        "s,mon,09:00,12:01\ns,mon,12:00,13:00",
        /does not overlap/,
        "schedules.csv:3 start=12:00",
      ],
      [
        "a window that overlaps the next week's first",
        "s,sun,00:00,01:00\ns,sat,23:00,00:01",
        /overlap/,
        "schedules.csv:3 start=23:00",
      ],
      [
        "the same window twice",
        "s,mon,09:00,10:00\ns,mon,09:00,10:00",
        /overlap/,
        "schedules.csv:3 start=09:00",
      ],
    ];
    for (const [name, rows, wanted, where] of cases)
      it(`tells of ${name}`, () => assert.equal(onlyFault(schedule(rows), wanted), where));

    it("takes windows that touch, and 8 of them, not 9", () => {
      const rows = Array.from({ length: 8 }, (_, hour) => `s,mon,0${hour}:00,0${hour + 1}:00`);
      assert.equal(windowOf(rows.join("\n")).length, 8);
      assert.equal(
        onlyFault(schedule([...rows, "s,mon,08:00,09:00"].join("\n")), /at most 8/),
        "schedules.csv:10 schedule=s",
      );
    });
    it("takes 255 schedules, not 256, those of the account counted", () => {
      const rows = Array.from({ length: 255 }, (_, i) => `s${i},mon,09:00,10:00`);
      assert.deepEqual(take(schedule(rows.join("\n"))).errors, []);
      assert.match(onlyFault(schedule([...rows, "x,mon,09:00,10:00"].join("\n")), /at most 255/), /csv:257 /);
      const known = { ...NOBODY, schedules: new Map([["old", 1]]) };
      assert.match(onlyFault(schedule(rows.join("\n")), /at most 255/, known), /csv:256 /);
    });
    it("finds overlaps like a brute force over the minutes of a week", () => {
      let state = 12345;
      const next = (below: number) => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      for (let round = 0; round < 3000; round++) {
        const windows = Array.from({ length: 1 + next(3) }, () => ({
          days: next(4) === 0 ? 1 + next(127) : 1 << next(7),
          start: next(1440),
          duration: 1 + next(next(3) === 0 ? 1440 : 300),
        }));
        const minutes = new Uint8Array(7 * 1440);
        let isTwice = false;
        for (const { days, start, duration } of windows)
          for (let day = 0; day < 7; day++)
            for (let i = 0; i < duration && (days >> day) & 1; i++)
              if (++minutes[(day * 1440 + start + i) % minutes.length] > 1) isTwice = true;
        assert.equal(overlap(windows), isTwice, JSON.stringify(windows));
      }
    });
  });

  describe("people", () => {
    const cases: [string, string, RegExp, string][] = [
      ["a handle with a space", "an na,A,team,all,,,,,,,,", /handle/, "people.csv:2 person=an na"],
      ["no handle", ",A,team,all,,,,,,,,", /handle/, "people.csv:2 person="],
      ["an unknown role", "a,A,boss,all,,,,,,,,", /one of admin, guest/, "people.csv:2 role=boss"],
      [
        "an unknown key",
        "a,A,team,all cellar,,,,,,,,",
        /all, garage, house, lisbon/,
        "people.csv:2 keys=all cellar",
      ],
      ["A1 a PIN of 3 digits", "a,A,team,all,407,,,,,,,", /4 to 10 digits/, "people.csv:2 pin=***"],
      [
        "A1 a PIN of 11 digits",
        "a,A,team,all,40718293051,,,,,,,",
        /4 to 10 digits/,
        "people.csv:2 pin=***********",
      ],
      ["a PIN with a letter", "a,A,team,all,471a,,,,,,,", /4 to 10 digits/, "people.csv:2 pin=****"],
      ["C19 a weak PIN", "a,A,team,all,1234,,,,,,,", /run up or down/, "people.csv:2 pin=****"],
      ["C7 a card of 3 bytes", "a,A,team,all,,0A0B0C,,,,,,", /4 to 10 bytes/, "people.csv:2 card=0A0B0C"],
      [
        "C7 a card of 11 bytes",
        `a,A,team,all,,${"0a".repeat(11)},,,,,,`,
        /4 to 10 bytes/,
        `people.csv:2 card=${"0a".repeat(11)}`,
      ],
      [
        "a card with half a byte",
        "a,A,team,all,,0A0B0C0D0,,,,,,",
        /hexadecimal/,
        "people.csv:2 card=0A0B0C0D0",
      ],
      [
        "a date that is none",
        "a,A,team,all,,,2027-02-30,,,,,",
        /YYYY-MM-DD/,
        "people.csv:2 start=2027-02-30",
      ],
      [
        "a time that is none",
        "a,A,team,all,,,,2027-02-03T24:00,,,,",
        /YYYY-MM-DD/,
        "people.csv:2 end=2027-02-03T24:00",
      ],
      [
        "T4 an end at its start",
        "a,A,team,all,,,2027-02-03,2027-02-03,,,,",
        /after the start/,
        "people.csv:2 end=2027-02-03",
      ],
      ["A5 a guest without a start", "a,A,guest,all,,,,2027-02-03,,,,", /a start/, "people.csv:2 start="],
      ["A5 a guest without an end", "a,A,guest,all,,,2027-02-03,,,,,", /an end/, "people.csv:2 end="],
      ["an unknown schedule", "a,A,team,all,,,,,lunch,,,", /night, office/, "people.csv:2 schedule=lunch"],
      ["C10 no uses", "a,A,team,all,,,,,,0,,", /1 to 65535/, "people.csv:2 uses=0"],
      ["C10 too many uses", "a,A,team,all,,,,,,65536,,", /1 to 65535/, "people.csv:2 uses=65536"],
      ["an unknown grantor", "a,A,team,all,,,,,,,zoe,", /the handle of a person/, "people.csv:2 grantor=zoe"],
      [
        "a person who is the own grantor",
        "a,A,team,all,,,,,,,a,",
        /does not come from this one/,
        "people.csv:2 grantor=a",
      ],
      [
        "an unknown capability",
        "a,A,team,all,,,,,,,,grant fly",
        /read-log/,
        "people.csv:2 capabilities=grant fly",
      ],
    ];
    for (const [name, row, wanted, where] of cases)
      it(`tells of ${name}`, () => assert.equal(onlyFault(oneOf(row), wanted), where));

    it("takes what lies at each limit", () => {
      const rows = [
        `a,A,team,all,4711,${"0a".repeat(4)},,,,1,,`,
        `b,B,team,all,4071829305,${"0b".repeat(10)},,,,65535,,`,
      ];
      assert.deepEqual(faults(...rows), []);
    });

    it("A2 tells of a handle, a PIN or a card that stands twice in the account, in any file", () => {
      const people = `${PEOPLE}\na,A,team,all,4711,0a0b0c0d,,,,,,\na,A,team,all,,,,,,,,`;
      assert.equal(onlyFault({ people }, /people.csv, line 2/), "people.csv:3 person=a");
      const both = (row: string) => ({
        people: `${PEOPLE}\na,A,team,all,4711,0a0b0c0d,,,,,,`,
        tower: `${PEOPLE}\n${row}`,
      });
      assert.equal(onlyFault(both("b,B,team,all,4711,,,,,,,"), /people.csv, line 2/), "tower.csv:2 pin=****");
      assert.equal(onlyFault(both("b,B,team,all,,0A0B0C0D,,,,,,"), /once/), "tower.csv:2 card=0A0B0C0D");
    });

    it("refuses rings of grantors, of every length, and takes chains", () => {
      const row = (person: string, grantor: string) => `${person},X,team,all,,,,,,,${grantor},`;
      assert.deepEqual(faults(row("a", "b"), row("b", "c"), row("c", "a"), row("d", "a")), [
        "people.csv:2 grantor b",
        "people.csv:3 grantor c",
        "people.csv:4 grantor a",
      ]);
      assert.deepEqual(faults(row("a", "b"), row("b", "c"), row("c", ""), row("d", "a")), []);
    });

    it("checks against people who are there already", () => {
      const there = (person: string, pin: string, grantor: string, revoked = false) => {
        const { people } = take(oneOf(`${person},X,team,all,${pin},,,,,,,`));
        return [person, { row: { ...people[0], grantor }, revoked }] as const;
      };
      const known = {
        ...NOBODY,
        people: new Map([there("old", "4711", "new"), there("gone", "5823", "", true)]),
      };
      const one = (row: string, wanted: RegExp) => onlyFault(oneOf(row), wanted, known);
      assert.equal(one("b,B,team,all,4711,,,,,,,", /old has it/), "people.csv:2 pin=****");
      assert.equal(one("b,B,team,all,,,,,,,gone,", /not revoked/), "people.csv:2 grantor=gone");
      assert.equal(one("new,B,team,all,,,,,,,old,", /does not come from/), "people.csv:2 grantor=old");
      const fine = ["old,B,team,all,4711,,,,,,,", "old,B,team,all,9402,,,,,,,\nb,B,team,all,4711,,,,,,old,"];
      for (const rows of fine) assert.deepEqual(take(oneOf(rows), known).errors, []);
    });

    it("T4 compares start and end as instants at the doors concerned", () => {
      const row = (keys: string, start: string, end: string) => `a,A,guest,${keys},,,${start},${end},,,,`;
      // 12:00 in Berlin is 11:00 UTC in winter; Lisbon is at UTC.
      assert.deepEqual(faults(row("house", "2027-02-01T11:30Z", "2027-02-01T12:00")), [
        "people.csv:2 end 2027-02-01T12:00",
      ]);
      assert.deepEqual(faults(row("lisbon", "2027-02-01T11:30Z", "2027-02-01T12:00")), []);
      assert.deepEqual(faults(row("all", "2027-02-01T11:30Z", "2027-02-01T12:00")), [
        "people.csv:2 end 2027-02-01T12:00",
      ]);
      assert.deepEqual(faults(row("all", "2027-02-01T12:00+01:00", "2027-02-01T12:00:01")), []);
    });
  });

  describe("T4, T9 local times", () => {
    const at = (text: string, zone = "Europe/Berlin") => {
      const when = parseWhen(text);
      return when === undefined
        ? undefined
        : new Date(instantOf(when, zone, intlOffset) * 1000).toISOString();
    };
    it("means midnight at the door by a date, and honours offsets", () => {
      assert.equal(at("2027-01-15"), "2027-01-14T23:00:00.000Z");
      assert.equal(at("2027-07-15", "Asia/Kathmandu"), "2027-07-14T18:15:00.000Z");
      assert.equal(at("2027-07-15T08:00"), "2027-07-15T06:00:00.000Z");
      assert.equal(at("2027-07-15T08:00:09Z"), "2027-07-15T08:00:09.000Z");
      assert.equal(at("2027-07-15T08:00-03:30"), "2027-07-15T11:30:00.000Z");
      assert.equal(at("2028-02-29"), "2028-02-28T23:00:00.000Z");
    });
    it("moves a time that the clock leaps over behind the leap, and takes the first of two", () => {
      assert.equal(at("2027-03-28T02:30"), "2027-03-28T01:30:00.000Z");
      assert.equal(at("2027-10-31T02:30"), "2027-10-31T00:30:00.000Z");
      assert.equal(at("2027-10-31T03:00"), "2027-10-31T02:00:00.000Z");
      assert.equal(at("2026-10-04T02:15", "Australia/Lord_Howe"), "2026-10-03T15:45:00.000Z");
    });
    it("takes years 2000 to 2105 and refuses all that is no time", () => {
      assert.equal(at("2000-01-01", "UTC"), "2000-01-01T00:00:00.000Z");
      assert.equal(at("2105-12-31T23:59:59", "UTC"), "2105-12-31T23:59:59.000Z");
      for (const text of [
        "1999-12-31",
        "2106-01-01",
        "2027-13-01",
        "2027-00-10",
        "2027-04-31",
        "2027-02-29",
        "27-02-03",
        "2027-2-3",
        "2027-02-03 10:00",
        "2027-02-03T10",
        "2027-02-03T10:60",
        "2027-02-03T10:00:60",
        "2027-02-03T10:00+24:00",
        "2027-02-03T10:00+01:60",
        "2027-02-03T10:00+0100",
        "2027-02-03Z",
        "today",
      ])
        assert.equal(at(text), undefined, text);
    });
  });
});
