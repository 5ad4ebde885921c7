// What is ruined beyond mending, in one record, several, a sector or anywhere: exactly what may have changed there is lost, where that
// can be known, and all that may have where it cannot. Never an older truth.

import assert from "node:assert/strict";
import { Record } from "../../../../firmware/core/storage/records";
import { FaultyNor } from "../../../../simulator/board/faulty-nor";
import { NorFlash, SECTOR_BYTES } from "../../../../simulator/board/nor";
import { steady } from "../../../../simulator/board/tear";
import { Dice, SEED } from "../../../support/dice";
import {
  believed,
  boot,
  busy,
  contents,
  formatted,
  HEADER,
  type Known,
  LOST,
  liveUntil,
  mounted,
  none,
  plain,
  ruin,
  startOf,
  type Truths,
  textOf,
  type Values,
  valueKey,
  type Written,
} from "../../../support/values";

const SECTORS = 8;
/** The ways to ruin a record: its begin, its end, all of it. */
const WAYS = ["first 16 bytes", "last 16 bytes", "all bytes"] as const;

type Range = readonly [start: number, end: number];

/** A log of several full sectors and one that is being filled, shared by tests that do not change it. */
const { flash, values } = busy(SECTORS);
const { oldest, newest } = values.log;
const records = contents(flash.bytes, values);
const whole = values.truths();
/** What something links to: all but the very last. */
const linked = records.slice(0, -1);
const byIndex = new Map(records.map((record, i) => [record, i]));

function ruined(ranges: readonly Range[], seed = 0): Uint8Array {
  const image = flash.bytes.slice();
  const dice = new Dice(SEED + seed);
  for (const [start, end] of ranges) ruin(image, start, end, dice);
  return image;
}

const rangeOf = ({ at, length }: Written): Range => [at, at + length];

/** What must be believed without a run of records. */
function without(missing: readonly Written[], how: "exact" | "vague"): Truths {
  const last = missing[missing.length - 1];
  const known = (record: Written): Known =>
    !missing.includes(record) ? "whole" : how === "vague" && record === last ? "named" : how;
  return believed(records, newest, known);
}

/** A record's place in words. */
function placeOf(record: Written): string {
  const nth = byIndex.get(record)! - records.findIndex(({ sector }) => sector === record.sector);
  return `record ${nth} of sector ${record.sector} (${oldest} to ${newest}), ${record.effect}`;
}

/** Whether nobody can know any more where the log begins: what went with the oldest sector then counts as lost. */
const hidesBegin = (run: readonly Written[]): boolean =>
  run.some(({ serial, effect, sector }) => effect === "none" && serial === Record.moved && sector === newest);

/** Where what is believed differs from what should be; nothing when it does not. */
function complaint(got: Truths, wanted: Truths, place: string, mayLoseMore = false): string[] {
  let tooMany = 0;
  let older = 0;
  for (const key of new Set([...got.keys(), ...wanted.keys()]))
    if (got.get(key) !== wanted.get(key)) got.get(key) === LOST ? tooMany++ : older++;
  if (older === 0 && (tooMany === 0 || mayLoseMore)) return [];
  return [`${place}: ${tooMany} keys too many are lost, and ${older} are not that must be`];
}

describe("A log that the tests of damage begin with", () => {
  it("has several sectors that are full, and one that is not", () => {
    assert.ok(newest - oldest >= 3);
    assert.equal(flash.misuse, undefined);
    assert.equal(textOf(without([], "exact")), textOf(whole));
    assert.equal(textOf(mounted(flash.bytes).truths()), textOf(whole));
  });
});

describe("A record that is ruined beyond mending", () => {
  for (const way of WAYS) {
    const image = (record: Written): Uint8Array => {
      const [start, end] = rangeOf(record);
      return ruined([
        [way.startsWith("last") ? end - 16 : start, way.startsWith("first") ? start + 16 : end],
      ]);
    };

    it(`loses its key for certain and nothing else, wherever it stands (${way}, seed ${SEED})`, () => {
      const wrong: string[] = [];
      for (const record of linked) {
        if (record.effect !== "set") continue;
        const after = mounted(image(record));
        const isRight =
          textOf(after.truths()) === textOf(without([record], "exact")) &&
          after.reported.join() === `${record.keys[0]},true` &&
          after.log.damage === 1;
        if (!isRight) wrong.push(placeOf(record));
      }
      none(wrong);
    });

    it(`loses nothing when the log wrote it for itself (${way}, seed ${SEED})`, () => {
      const own = linked.filter(({ effect }) => effect === "none");
      assert.deepEqual(
        new Set(own.map(({ serial }) => serial)),
        new Set([Record.moved, Record.blank, Record.keys]),
      );
      assert.deepEqual(
        own.flatMap((record) => complaint(mounted(image(record)).truths(), whole, placeOf(record))),
        [],
      );
    });

    it(`loses all that its sector touched and that was not seen since, when it was of many keys (${way}, seed ${SEED})`, () => {
      const removals = linked.filter(({ effect }) => effect === "remove");
      assert.ok(removals.length > 5);
      assert.deepEqual(
        removals.flatMap((record) =>
          complaint(mounted(image(record)).truths(), without([record], "vague"), placeOf(record)),
        ),
        [],
      );
    });
  }

  it("is as if it had never been when it is the very last: a write that was cut looks the same", () => {
    const after = mounted(ruined([rangeOf(records[records.length - 1])]));
    assert.equal(textOf(after.truths()), textOf(believed(linked, newest, () => "whole")));
    assert.deepEqual([after.reported, after.log.damage], [[], 0]);
  });
});

describe("A record with a flipped bit", () => {
  it(`is lost with its neighbour when that is ruined, and nothing else is (seed ${SEED})`, () => {
    const wrong: string[] = [];
    for (let i = 1; i < linked.length - 1; i++) {
      const [neighbour, record] = linked.slice(i, i + 2);
      if (neighbour.sector !== record.sector || [neighbour, record].some(({ effect }) => effect !== "set"))
        continue;
      const image = ruined([[neighbour.at + 4, neighbour.at + neighbour.length - 6]], i);
      image[record.at + 8] ^= 4;
      const { keys } = record;
      // Whether it is mended or lost: no older truth, and nobody else is concerned.
      const got = mounted(image).truths();
      const wanted = without([neighbour], "exact");
      const isMended = complaint(got, wanted, "").length === 0;
      if (!isMended)
        wrong.push(
          ...complaint(got, without([neighbour, record], "exact"), `${placeOf(record)}, key ${keys}`),
        );
    }
    none(wrong);
  });
});

describe("Neighbours that are ruined together", () => {
  /** All runs of so many records within one sector, from every so manieth on. */
  function runs(count: number, step = 1): Written[][] {
    const all: Written[][] = [];
    for (let i = 0; i + count <= linked.length; i += step) {
      const run = linked.slice(i, i + count);
      if (run.every(({ sector }) => sector === run[0].sector)) all.push(run);
    }
    return all;
  }

  for (const count of [2, 3]) {
    it(`lose exactly their keys while each still says what it is and what it links to (${count}, seed ${SEED})`, () => {
      const some = runs(count).filter((run) => run.every(({ effect }) => effect !== "remove"));
      const wrong = some.flatMap((run) => {
        const image = ruined(run.map(({ at, length }) => [at + 4, at + length - 6]));
        return complaint(mounted(image).truths(), without(run, "exact"), placeOf(run[0]), hidesBegin(run));
      });
      none(wrong);
    });

    it(`lose all that their sector touched and that was not seen since, when nothing is left of them (${count}, seed ${SEED})`, () => {
      const wrong = runs(count).flatMap((run) =>
        complaint(
          mounted(ruined(run.map(rangeOf))).truths(),
          without(run, "vague"),
          placeOf(run[0]),
          hidesBegin(run),
        ),
      );
      none(wrong);
    });
  }

  it(`do so however many they are, also when links have counted round (4 to 70, seed ${SEED})`, () => {
    const wrong: string[] = [];
    for (let count = 4; count <= 70; count++)
      for (const run of runs(count, 29))
        wrong.push(
          ...complaint(
            mounted(ruined(run.map(rangeOf))).truths(),
            without(run, "vague"),
            `${count} from ${placeOf(run[0])}`,
            hidesBegin(run),
          ),
        );
    none(wrong);
  });
});

describe("Thirty-two records in a row, after which links count the same again", () => {
  for (const [place, stop] of [
    ["the newest sector", 1],
    ["a sector that is closed", 3],
  ] as const)
    for (const length of [16, 48])
      it(`are missed also when the last has the key of the one before them, in ${place} (${length} bytes each)`, () => {
        const { flash: nor, values: living, dice } = plain(SECTORS);
        for (let id = 0; id < 5; id++) assert.ok(living.write(id, length, dice));
        const from = living.log.offset;
        for (let i = 0; i < 32; i++) assert.ok(living.write(i === 31 ? 4 : i % 4, length, dice));
        const to = living.log.offset;
        while (living.log.newest < stop || living.log.offset < 2500) assert.ok(living.write(9, length, dice));
        const image = nor.bytes.slice();
        ruin(image, from, to, dice);
        const truths = mounted(image).truths();
        for (let id = 0; id < 5; id++) assert.equal(truths.get(valueKey(id)), LOST, `value ${id}`);
      });
});

describe("The end of a full sector", () => {
  it(`that is ruined from any record on takes with it what its sector touched and what was not seen since (seed ${SEED})`, () => {
    const wrong: string[] = [];
    for (let sector = oldest; sector < newest; sector++) {
      const all = linked.filter((record) => record.sector === sector);
      for (let from = all.length - 2; from > 0; from--) {
        const tail = all.slice(from);
        const image = ruined(tail.map(rangeOf), from);
        wrong.push(...complaint(mounted(image).truths(), without(tail, "vague"), placeOf(tail[0])));
      }
    }
    none(wrong);
  });
});

describe("A sector that is lost as a whole", () => {
  const LIVE = Array.from({ length: newest - oldest + 1 }, (_, i) => oldest + i);
  const MIDDLE = LIVE.slice(1, -1);
  const dice = new Dice(SEED);

  /** The ways to lose it: a boot that cannot read it, or finds anything else there. */
  const BOOTS: readonly (readonly [name: string, boot: (sector: number) => Values])[] = [
    ["unreadable", (sector) => boot(unreadable(sector))],
    ["ruined", (sector) => mounted(filled(sector, (cell) => cell ^ (1 + dice.below(255))))],
    ["zeroed", (sector) => mounted(filled(sector, () => 0))],
  ];

  function unreadable(sector: number): FaultyNor {
    const fault = { kind: "read-error", sector: startOf(sector, SECTORS) / SECTOR_BYTES } as const;
    return FaultyNor.boot(steady(flash.bytes), { sectors: [fault] });
  }

  function filled(sector: number, cell: (before: number) => number): Uint8Array {
    const image = flash.bytes.slice();
    const start = startOf(sector, SECTORS);
    for (let at = start; at < start + SECTOR_BYTES; at++) image[at] = cell(image[at]);
    return image;
  }

  /** What must be believed without a sector: what it touched is known from the next one. */
  const withoutSector = (lost: number): Truths =>
    believed(records, newest, ({ sector }) => (sector === lost ? "vague" : "whole"));

  for (const [name, bootWithout] of BOOTS) {
    it(`takes with it what it touched and what was not seen since, in the middle (${name}, seed ${SEED})`, () => {
      const wrong = MIDDLE.flatMap((sector) =>
        complaint(bootWithout(sector).truths(), withoutSector(sector), `sector ${sector} of ${LIVE}`),
      );
      none(wrong);
    });

    it(`takes the same with it when it is the oldest (${name}, seed ${SEED})`, () => {
      assert.deepEqual(complaint(bootWithout(oldest).truths(), withoutSector(oldest), "the oldest"), []);
    });

    it(`takes everything with it when it is the newest (${name}, seed ${SEED})`, () => {
      const before = believed(
        records.filter(({ sector }) => sector !== newest),
        newest - 1,
        () => "whole",
      );
      const after = bootWithout(newest);
      const truths = after.truths();
      for (const key of before.keys()) assert.equal(truths.get(key), LOST, `key ${key}`);
      assert.deepEqual(new Set(truths.values()), new Set([LOST]), "nothing at all is believed");
      assert.ok(after.log.damage > 0);
    });
  }

  it("is damage that shows", () => {
    for (const [name, bootWithout] of BOOTS)
      for (const sector of LIVE) assert.ok(bootWithout(sector).log.damage > 0, `${name}, sector ${sector}`);
  });
});

describe("A header that is ruined", () => {
  it(`takes nothing with it while the records behind it are whole (seed ${SEED})`, () => {
    for (let sector = oldest; sector <= newest; sector++) {
      const start = startOf(sector, SECTORS);
      const after = mounted(ruined([[start, start + HEADER]], sector), values.story);
      assert.equal(textOf(after.truths()), textOf(whole), `sector ${sector}`);
      assert.deepEqual([after.log.newest, after.log.oldest], [newest, oldest]);
      assert.equal(after.log.offset, values.log.offset);
    }
  });

  it("takes nothing with it at any moment of a log's life, not even that of the newest sector", () => {
    const { flash: other, values: living, dice } = busy(SECTORS, 2);
    const wrong: string[] = [];
    for (let round = 0; round < 400; round++) {
      assert.ok(living.live(dice));
      if (round % 3 === 0) living.log.maintain(living);
      if (round % 5 !== 0) continue;
      const image = other.bytes.slice();
      const start = startOf(living.log.newest, SECTORS);
      ruin(image, start, start + HEADER, dice);
      const place = `round ${round}, ${living.log.offset} bytes of sector ${living.log.newest}, the oldest is ${living.log.oldest}`;
      wrong.push(...complaint(mounted(image).truths(), living.truths(), place));
    }
    none(wrong);
  });

  it("takes nothing with it when the sector before it was skipped", () => {
    const faulty = new FaultyNor(new NorFlash(flash.bytes.length));
    const { values: living, dice } = formatted(faulty);
    liveUntil(living, dice, 6, 1000);
    living.tidy();
    faulty.fail({ kind: "program-error", sector: 6 });
    while (living.log.newest === 6) assert.ok(living.live(dice));
    for (let i = 0; i < 20; i++) assert.ok(living.live(dice));
    assert.equal(living.log.newest, 8);
    const image = faulty.bytes.slice();
    ruin(image, 7 * SECTOR_BYTES, 7 * SECTOR_BYTES + HEADER, dice);
    none(complaint(mounted(image).truths(), living.truths(), "sector 8 behind 6"));
  });

  it("does not keep the log from going on behind the newest record", () => {
    const start = startOf(newest, SECTORS);
    const after = mounted(ruined([[start, start + HEADER]]), { ...values.story, written: [] });
    const dice = new Dice(SEED);
    for (let i = 0; i < 200; i++) {
      assert.ok(after.live(dice));
      after.log.maintain(after);
      if (i % 20 === 0) assert.equal(textOf(mounted(after.flash.bytes).truths()), textOf(after.truths()));
    }
    assert.equal(after.flash.misuse, undefined);
  });
});

describe("Whatever is ruined, nothing older is believed", () => {
  /** Keys of which something older is believed. What is taken for absent is denied as what is lost is. */
  function older(after: Values): string[] {
    const truths = after.truths();
    return [...whole].flatMap(([key, serial]) => {
      const truth = truths.get(key);
      return truth === serial || truth === LOST || truth === undefined
        ? []
        : [`key ${key} is ${truth} and was ${serial}`];
    });
  }

  /** What is believed of a key that does not stand, is believed of nothing: a removal that is forgotten is an older truth as well. */
  function returned(after: Values): string[] {
    return [...after.truths()].flatMap(([key, truth]) =>
      truth === LOST || whole.has(key) ? [] : [`key ${key} is ${truth} and was removed`],
    );
  }

  const end = startOf(newest, SECTORS) + records[records.length - 1].at - startOf(newest, SECTORS);

  for (const [name, spread] of [
    ["a few bytes", 40],
    ["hundreds of bytes", 700],
    ["thousands of bytes", 3900],
  ] as const)
    it(`${name} in a row, anywhere before the last record (seed ${SEED})`, () => {
      const dice = new Dice(SEED);
      const wrong: string[] = [];
      for (let round = 0; round < 250; round++) {
        const sector = oldest + dice.below(newest - oldest + 1);
        const start = startOf(sector, SECTORS) + dice.below(SECTOR_BYTES);
        const stop = Math.min(start + 1 + dice.below(spread), startOf(sector, SECTORS) + SECTOR_BYTES + 200);
        if (sector === newest && stop > end) continue;
        if (stop > flash.bytes.length) continue;
        const after = mounted(ruined([[start, stop]], round));
        const found = [...older(after), ...returned(after)];
        const place = `sector ${sector} (${oldest} to ${newest}), bytes ${start % SECTOR_BYTES} and ${stop - start}`;
        if (found.length > 0) wrong.push(`${place}: ${found.length}, ${found[0]}`);
      }
      none(wrong);
    });
});

describe("What is lost", () => {
  it(`stays lost over compactions and boots until it is written again (seed ${SEED})`, () => {
    const dice = new Dice(SEED);
    for (let round = 0; round < 12; round++) {
      const run = linked.slice(dice.below(linked.length - 3)).slice(0, 1 + (round % 3));
      let after = mounted(ruined(run.map(rangeOf), round), { ...values.story, written: [] });
      const wanted = after.truths();
      const stop = after.log.newest + SECTORS;
      for (let i = 0; after.log.newest < stop; i++) {
        assert.ok(after.write(255, 96, dice));
        after.log.maintain(after);
        if (i % 100 === 0) after = mounted(after.flash.bytes, after.story);
      }
      const truths = after.truths();
      for (const [key, truth] of wanted) assert.equal(truths.get(key), truth, `round ${round}, key ${key}`);
      // What was removed where much is lost may count as lost once that sector is closed; nothing else comes to it.
      for (const [key, truth] of truths)
        if (key !== valueKey(255) && !wanted.has(key))
          assert.equal(truth, LOST, `round ${round}, key ${key}`);
    }
  });
});
