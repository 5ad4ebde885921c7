// PINs at the issuer (rules A21, C18, C19, X1): which are weak, which cannot stand beside each other at a door, which are made, and what a
// density means for somebody who guesses. The judge counts digits by itself.

import { strict as assert } from "node:assert";
import fc from "fast-check";
import type { ImportResult } from "../../../protocol/issuer/changes";
import { makePins } from "../../../protocol/issuer/make-pins";
import { guessRisk, weakness } from "../../../protocol/issuer/pins";
import type { DoorRow, Known, LockProfile, PersonRow } from "../../../protocol/issuer/rows";
import { ascii } from "../../../protocol/wire/bytes";
import { Role } from "../../../protocol/wire/entry";
import { MAX_GUESSES_30_DAYS } from "../../../protocol/wire/limits";
import { Weakness, weaknessOf } from "../../../protocol/wire/weakness";
import { parseSheet } from "../../../tools/csv";
import { SEED } from "../../support/dice";
import { NOW, Rig, randomFrom } from "./rig";

/** Rows of people with the key "all": `auto` in place of a PIN unless one is given. */
const rowsOf = (handles: readonly string[], pin = "auto", keys = "all") =>
  handles.map((handle) => `${handle},,team,${keys},${pin},,,,,,,`).join("\n");
const crowd = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `p${from + i}`);
const pinOf = (rig: Rig, handle: string): string => rig.issuer.directory.person(handle).row.pin;
const take = (rig: Rig, rows: string, more = {}): Promise<ImportResult> =>
  rig.issuer.importSheets({ ...more, people: [rig.sheet(rows)] }, NOW);

/** ρ of the people at a door, in units of 10⁻¹⁰. */
function densityAt(rig: Rig, key = "all"): number {
  return [...rig.issuer.directory.people.values()]
    .filter(({ row, revoked }) => !revoked && row.keys.includes(key))
    .flatMap(({ row }) => [row.pin, row.duressPin])
    .filter((pin) => pin !== "")
    .reduce((sum, pin) => sum + 10 ** (10 - pin.length), 0);
}

describe("C19 weak codes", () => {
  const cases: [number, string[]][] = [
    [Weakness.same, ["0000", "5555", "1111111111"]],
    [Weakness.run, ["1234", "4321", "7890", "9012", "3210987", "2109876543"]],
    [Weakness.few, ["1212", "1122", "1221", "11122", "1010010101"]],
    [Weakness.triple, ["471118", "0004711", "9888712", "123444", "1234447"]],
    [Weakness.repeated, ["123123", "480480480", "13571357"]],
    [
      Weakness.none,
      [
        "4711",
        "0815",
        "1223",
        "13579",
        "1357",
        "12342",
        "480481",
        "1235",
        "112233",
        "8990",
        "1902",
        "4801480",
      ],
    ],
  ];
  for (const [wanted, codes] of cases)
    it(`are told by their digits: ${Object.keys(Weakness)[wanted]}`, () => {
      for (const code of codes) {
        assert.equal(weaknessOf(ascii(code)), wanted, code);
        assert.equal(weakness(code) === undefined, wanted === Weakness.none, code);
      }
    });

  it("are those that a reference finds, among all of four digits and many longer ones", () => {
    const isWeak = (pin: string): boolean => {
      const steps = [...pin].slice(1).map((digit, i) => (Number(digit) - Number(pin[i]) + 10) % 10);
      const isRun = steps.every((step) => step === 1) || steps.every((step) => step === 9);
      return new Set(pin).size < 3 || isRun || /(.)\1\1/.test(pin) || /^(.+)\1+$/.test(pin);
    };
    for (let n = 0; n < 10_000; n++) {
      const pin = String(n).padStart(4, "0");
      assert.equal(weaknessOf(ascii(pin)) !== Weakness.none, isWeak(pin), pin);
    }
    const code = fc.array(fc.nat(9), { minLength: 4, maxLength: 10 }).map((digits) => digits.join(""));
    fc.assert(
      fc.property(code, (pin) => assert.equal(weaknessOf(ascii(pin)) !== Weakness.none, isWeak(pin), pin)),
      { numRuns: 3000 },
    );
  });
});

describe("C19 codes of one door begin with different four digits", () => {
  const DOORS = "door,profile,link,zone,keys\n";
  const door = (name: string, keys: string) => `${name},lock-1000,wifi,Europe/Berlin,${keys}`;
  const doors = (...rows: string[]) => ({ doors: parseSheet("doors.csv", DOORS + rows.join("\n")) });
  const wanted = async (errors: Promise<readonly { wanted: string }[]>) =>
    (await errors).map((error) => error.wanted);

  it("refuses a row with an error that names the door, and neither the person nor the PIN", async () => {
    const rig = await Rig.make({ people: rowsOf(["anna"], "471108") });
    const { errors } = await take(rig, rowsOf(["ben"], "4711963"));
    assert.deepEqual(errors, [
      {
        file: "people.csv",
        line: 2,
        column: "pin",
        value: "*******",
        wanted: "a PIN whose first four digits begin no other code at the door main",
      },
    ]);
    for (const word of ["anna", "471108", "4711963", "4711"])
      assert.ok(!JSON.stringify(errors).includes(word), word);
    assert.equal(rig.issuer.directory.people.has("ben"), false);
  });

  it("refuses the second of two rows of one file, and takes four digits that differ in the last", async () => {
    const rig = await Rig.make();
    const { errors } = await take(rig, `${rowsOf(["a"], "471108")}\n${rowsOf(["b"], "471129")}`);
    assert.deepEqual(
      errors.map(({ line, column }) => [line, column]),
      [[3, "pin"]],
    );
    const fine = await take(rig, `${rowsOf(["a"], "471108")}\n${rowsOf(["b"], "471208")}`);
    assert.deepEqual(fine.errors, []);
  });

  it("lets people be who never meet at a door", async () => {
    const rig = await Rig.make({ doors: { front: 1000, back: 1000 } });
    const people = `${rowsOf(["a"], "471108", "front")}\n${rowsOf(["b"], "471129", "back")}`;
    assert.deepEqual((await take(rig, people)).errors, []);
    const { errors } = await take(rig, rowsOf(["b"], "471129", "back front"));
    assert.match(errors[0].wanted, /door front$/);
  });

  it("refuses a change, and a return, that would meet another code; those who are revoked are no others", async () => {
    const rig = await Rig.make({ people: `${rowsOf(["anna"], "471108")}\n${rowsOf(["ben"], "902817")}` });
    const { issuer } = rig;
    const cells = (person: string, pin: string) => ({ person, name: "", role: "team", keys: "all", pin });
    assert.match((await wanted(issuer.changePerson(cells("ben", "471182"), NOW)))[0], /door main$/);
    assert.deepEqual(await wanted(issuer.changePerson(cells("anna", "471183"), NOW)), []);
    await issuer.revoke("anna");
    assert.deepEqual(await wanted(issuer.changePerson(cells("ben", "471182"), NOW)), []);
    assert.match((await wanted(issuer.regrant(cells("anna", "471183"), NOW)))[0], /door main$/);
    assert.deepEqual(await wanted(issuer.regrant(cells("anna", "902817"), NOW)), []);
  });

  it("refuses new keys of a door that would bring such codes together, and says so at the door", async () => {
    const rig = await Rig.make({ doors: { front: 1000, back: 1000 } });
    const people = `${rowsOf(["a"], "471108", "front")}\n${rowsOf(["b"], "471129", "back")}`;
    assert.deepEqual((await take(rig, people)).errors, []);
    const { errors } = await rig.issuer.importSheets(doors(door("front", "front back")), NOW);
    assert.deepEqual(
      errors.map(({ file, line, column, value }) => [file, line, column, value]),
      [["doors.csv", 2, "keys", "front back"]],
    );
    assert.deepEqual((await rig.issuer.importSheets(doors(door("front", "front")), NOW)).errors, []);
  });

  it("counts the master among them, both ways", async () => {
    const rig = await Rig.make({ people: rowsOf(["anna"], "471108") });
    await assert.rejects(rig.issuer.settings.setMaster("main", "47119603"), /first four digits/);
    await rig.issuer.settings.setMaster("main", "90281736");
    assert.match((await take(rig, rowsOf(["ben"], "902811"))).errors[0].wanted, /door main$/);
    await rig.issuer.settings.setMaster("main", undefined);
    assert.deepEqual((await take(rig, rowsOf(["ben"], "902811"))).errors, []);
  });
});

describe("C18 PINs that the issuer makes", () => {
  for (const [count, digits] of [
    [1, 6],
    [5, 6],
    [6, 7],
    [80, 7],
    [81, 8],
    [1000, 8],
    [1001, 9],
  ])
    it(`have ${digits} digits where ${count} are made at a door at once, and leave room for more up to 1,000`, async () => {
      const rig = await Rig.make({ seed: SEED });
      const { errors, generated } = await take(rig, rowsOf(crowd(count)));
      assert.deepEqual([errors, generated.length], [[], count]);
      assert.ok(generated.every(({ pin }) => pin.length === digits));
      assert.ok(densityAt(rig) <= 100_000);
      assert.equal(new Set(generated.map(({ pin }) => pin.slice(0, 4))).size, count);
      assert.ok(generated.every(({ pin }) => /^[0-9]+$/.test(pin) && weakness(pin) === undefined));
      assert.ok(generated.every(({ person, pin }) => pinOf(rig, person) === pin));
    });

  it("are as long as the densest of a person's doors needs, and leave room for the others there", async () => {
    const rig = await Rig.make({ doors: { tower: 1000, shed: 1000 } });
    const people = `${rowsOf(crowd(99), "auto", "tower")}\n${rowsOf(["x"], "auto", "tower shed")}\n${rowsOf(["y"], "auto", "shed")}`;
    await take(rig, people);
    assert.deepEqual([pinOf(rig, "x").length, pinOf(rig, "y").length], [8, 6]);
    assert.ok(densityAt(rig, "tower") <= 100_000 && densityAt(rig, "shed") <= 100_000);
  });

  it("count the codes that are there, the master too", async () => {
    const rig = await Rig.make({ people: rowsOf(["old"], "471108") });
    await rig.issuer.settings.setMaster("main", "902817");
    await take(rig, rowsOf(["p"]));
    assert.equal(pinOf(rig, "p").length, 6);
    await take(rig, rowsOf(crowd(8)));
    // Three of six digits leave seven tenths of the room, and eight more of six would need eight.
    assert.equal(pinOf(rig, "p0").length, 7);
  });

  it("hardly add to a door that is denser already: one digit more than its number of codes needs", async () => {
    const rig = await Rig.make({ people: rowsOf(["old"], "4711") });
    const before = densityAt(rig);
    await take(rig, rowsOf(crowd(9)));
    assert.equal(pinOf(rig, "p0").length, 7);
    for (const one of crowd(200, 9)) await take(rig, rowsOf([one]));
    assert.equal(pinOf(rig, "p208").length, 9);
    assert.ok(densityAt(rig) - before < 100_000 / 3);
  });

  it("have 6 digits where 10 are made at a lock of ten slots, one at a time or all at once", async () => {
    for (const steps of [crowd(10).map((one) => [one]), [crowd(10)]]) {
      const rig = await Rig.make({ doors: { main: 10 } });
      for (const handles of steps) await take(rig, rowsOf(handles));
      assert.ok(crowd(10).every((handle) => pinOf(rig, handle).length === 6));
      assert.equal(densityAt(rig), 100_000);
    }
  });

  it("count a code for duress, which is typed as well", async () => {
    const rig = await Rig.make({ doors: { main: 10 } });
    const people = crowd(9).map((person) => ({ person, name: "", role: "team", keys: "all", pin: "auto" }));
    await rig.issuer.addPerson({ ...people[0], "duress-pin": "471108" }, NOW);
    for (const cells of people.slice(1)) assert.deepEqual(await rig.issuer.addPerson(cells, NOW), []);
    assert.equal(densityAt(rig), 100_000);
  });

  it("are told once, and stay when the same file comes again", async () => {
    const rig = await Rig.make();
    const rows = rowsOf(crowd(3));
    const { generated } = await take(rig, rows);
    const again = await take(rig, rows);
    assert.deepEqual([again.generated, again.people], [[], 0]);
    await rig.reopen();
    assert.deepEqual(
      generated.map(({ person }) => pinOf(rig, person)),
      generated.map(({ pin }) => pin),
    );
  });

  it("leave a PIN that is there alone, and replace one that may not stay", async () => {
    const rig = await Rig.make({ doors: { front: 1000, back: 1000 } });
    await take(rig, `${rowsOf(["a"], "471108", "front")}\n${rowsOf(["b"], "471129", "back")}`);
    assert.deepEqual((await take(rig, rowsOf(["a"], "auto", "front"))).generated, []);
    const { generated } = await take(rig, rowsOf(["b"], "auto", "front back"));
    assert.deepEqual(
      generated.map(({ person }) => person),
      ["b"],
    );
    assert.notEqual(pinOf(rig, "b").slice(0, 4), "4711");
  });

  it("are new for a person who comes back, and none for one who does not", async () => {
    const rig = await Rig.make({ people: rowsOf(["anna"], "471108") });
    await rig.issuer.revoke("anna");
    assert.deepEqual((await take(rig, rowsOf(["anna"]))).generated, []);
    const cells = { person: "anna", name: "", role: "team", keys: "all", pin: "auto" };
    assert.deepEqual(await rig.issuer.regrant(cells, NOW), []);
    assert.match(pinOf(rig, "anna"), /^[0-9]{6}$/);
    assert.notEqual(pinOf(rig, "anna"), "471108");
  });

  it("open the door whose lock has them", async () => {
    const rig = await Rig.make({ people: rowsOf(crowd(3)) });
    await rig.sync();
    assert.deepEqual(rig.states(), ["p0 pin confirmed", "p1 pin confirmed", "p2 pin confirmed"]);
  });

  it("are spread evenly: every digit at every place", async () => {
    // Bytes from 250 up, were they taken, would favour 0 to 5 by 4 %.
    const random = randomFrom(SEED);
    const rig = await Rig.make({ seed: SEED });
    rig.hosts.random = random;
    await rig.reopen();
    const counts = new Array<number>(10).fill(0);
    for (let round = 0; round < 3; round++) {
      const { generated } = await take(rig, rowsOf(crowd(800, 800 * round), "auto", `all`));
      for (const { pin } of generated) for (const digit of pin) counts[Number(digit)]++;
      for (const { person } of generated) await rig.issuer.remove(person);
    }
    const mean = counts.reduce((sum, count) => sum + count) / 10;
    const chi = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
    // Nine degrees of freedom: above 27.9 by chance once in a thousand.
    assert.ok(chi < 27.9, `chi squared ${chi} with seed ${SEED}`);
  });

  it("stop where randomness does not come", async () => {
    const rig = await Rig.make();
    rig.hosts.random = (buffer) => buffer.fill(255);
    await rig.reopen();
    await assert.rejects(take(rig, rowsOf(["p"])), /none was found/);
    assert.equal(rig.issuer.directory.people.size, 0);
  });
});

describe("C18 PINs made one at a time", () => {
  const BOUND = 100_000;
  const KEYS = ["all"];

  /** One door and its people, without an account around them: a thousand additions are quick. */
  class Crowd {
    readonly pins = new Map<string, string>();
    readonly #profile: LockProfile;
    readonly #master: string;
    readonly #random = randomFrom(SEED);
    #count = 0;

    constructor(profile: LockProfile, master = "") {
      this.#profile = profile;
      this.#master = master;
    }

    get density(): number {
      const typed = this.#master === "" ? [...this.pins.values()] : [this.#master, ...this.pins.values()];
      return typed.reduce((sum, pin) => sum + 10 ** (10 - pin.length), 0);
    }

    /** Adds so many people at once, with PINs that are made; their digits. */
    add(count: number): number[] {
      const people = crowd(count, this.#count).map((person) => row(person, ""));
      this.#count += count;
      const wantPin = new Set(people.map(({ person }) => person));
      const imported = { doors: [], schedules: [], people, wantPin, errors: [] };
      const { made } = makePins(this.#known(), imported, this.#random);
      for (const { person, pin } of made) this.pins.set(person, pin);
      return made.map(({ pin }) => pin.length);
    }

    #known(): Known {
      const zoneValue = new Uint8Array(0);
      const door = { door: "main", profile: this.#profile, link: "wifi", zone: "UTC", zoneValue, keys: KEYS };
      const people = [...this.pins].map(
        ([person, pin]) => [person, { row: row(person, pin), revoked: false }] as const,
      );
      return {
        doors: new Map([["main", { row: door as DoorRow, master: this.#master }]]),
        schedules: new Map(),
        people: new Map(people),
      };
    }
  }

  function row(person: string, pin: string): PersonRow {
    const terms = {
      uses: 0,
      minutesAfterFirstUse: 0,
      firstUseHours: 0,
      dual: false,
      notify: false,
      lease: false,
      phoneKey: "",
    };
    const empty = { name: "", card: "", duressPin: "", schedule: "", grantor: "", capabilities: 0 };
    return { person, pin, role: Role.team, keys: KEYS, ...terms, ...empty };
  }

  it("get longer with their number, and a full door of 1,000 and a master keeps within 1 in 100,000", () => {
    const door = new Crowd("lock-1000", "471108");
    const upTo = new Map<number, number>();
    for (let count = 1; count <= 1000; count++) {
      const [digits] = door.add(1);
      upTo.set(digits, count);
      assert.ok(door.density <= BOUND, `${door.density} with ${count}`);
    }
    // The master is one of the first five; what is left of the bound makes some more a digit shorter.
    assert.deepEqual(
      [...upTo],
      [
        [6, 4],
        [7, 28],
        [8, 208],
        [9, 1000],
      ],
    );
  });

  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: fc.constant(1), drop: fc.constant(0), from: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ add: fc.nat(60), drop: fc.nat(40), from: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ add: fc.nat(400), drop: fc.nat(400), from: fc.nat(2) }) },
  );
  const CASES: readonly (readonly [LockProfile, number, string])[] = [
    ["lock-1000", 1000, ""],
    ["lock-1000", 1000, "471108"],
    ["l500i", 10, ""],
    ["l500i", 10, "47110896"],
  ];
  for (const [profile, slots, master] of CASES)
    it(`keep within it in any order of coming and going: ${profile} ${master === "" ? "alone" : "with a master"}`, () => {
      const life = fc.array(step, { minLength: 5, maxLength: 40 });
      fc.assert(
        fc.property(life, (steps) => {
          const door = new Crowd(profile, master);
          for (const { add, drop, from } of steps) {
            const coming = Math.min(add, slots - door.pins.size);
            if (coming > 0) door.add(coming);
            assert.ok(door.density <= BOUND, `${door.density} with ${door.pins.size}`);
            // The shortest, the longest, or those who came first go.
            const sign = [1, -1, 0][from];
            const going = [...door.pins].sort(([, a], [, b]) => sign * (a.length - b.length)).slice(0, drop);
            for (const [person] of going) door.pins.delete(person);
          }
        }),
        { numRuns: slots === 10 ? 60 : 20, seed: SEED },
      );
    }).timeout(30_000);
});

describe("C18, X1 what guessing comes to", () => {
  it("counts 938 guesses in 30 days, of which less than 1 % succeed at 1 in 100,000", () => {
    assert.equal(MAX_GUESSES_30_DAYS, 8 + 30 * (24 + 7));
    assert.ok(Math.abs(guessRisk(100_000, 30) - 0.009_336) < 1e-6);
    for (const density of [1, 100_000, 10_000_000]) {
      const opens = density / 1e10;
      const wanted = 1 - (1 - opens) ** MAX_GUESSES_30_DAYS;
      assert.ok(Math.abs(guessRisk(density, 30) - wanted) < 1e-9);
    }
  });

  it("is nothing where no code is, and certain where every guess opens", () => {
    assert.deepEqual([guessRisk(0, 30), guessRisk(1e10, 30), guessRisk(2e10, 1)], [0, 1, 1]);
  });

  it("stands in a lock's report beside the density that its receipt told", async () => {
    const rig = await Rig.make({ people: rowsOf(["anna"], "471108") });
    assert.equal(rig.report().guessRisk, undefined);
    const [bundle] = await rig.bundles();
    rig.deliver(bundle);
    const message = rig.model().receipt(1, 256, (payload) => payload.set(14, [1, 0, 0, 10_000_000]));
    await rig.issuer.receive(rig.id(), message);
    const { latest, guessRisk: risk } = rig.report();
    assert.deepEqual([latest?.density, Math.round((risk ?? 0) * 100)], [10_000_000, 61]);
  });
});
