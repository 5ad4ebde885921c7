// Finding the log in flash: what a mount shows and what it may not do, which partitions are none, and single flipped bits, of which
// none has any effect.

import assert from "node:assert/strict";
import { crc32 } from "../../../../firmware/core/storage/crc";
import { Record } from "../../../../firmware/core/storage/records";
import { NorFlash, SECTOR_BYTES } from "../../../../simulator/board/nor";
import { ScrambledNor } from "../../../../simulator/board/scrambled-nor";
import { Dice, SEED } from "../../../support/dice";
import {
  allRecords,
  boot,
  busy,
  formatted,
  HEADER,
  LOCK,
  LOST,
  liveUntil,
  mounted,
  none,
  PROFILE,
  plain,
  type Standing,
  Story,
  startOf,
  textOf,
  Values,
} from "../../../support/values";

const SECTORS = 4;
const BYTES = SECTORS * SECTOR_BYTES;

/** Puts right the CRC of a header that was changed. */
function sealHeader(header: Uint8Array): void {
  new DataView(header.buffer, header.byteOffset).setInt32(28, crc32(header, 0, 28, 0));
}

describe("An unknown or ruined partition is never formatted by itself", () => {
  it("one that is erased or holds anything else is unformatted", () => {
    const dice = new Dice(SEED);
    for (const image of [undefined, new Uint8Array(BYTES), dice.bytes(BYTES)]) {
      const flash = new NorFlash(BYTES, image);
      const values = new Values(flash);
      assert.equal(values.log.mount(values), "unformatted");
      assert.deepEqual([values.seen, values.reported], [[], []]);
      assert.equal(flash.counters.programs + flash.counters.erases, 0);
    }
  });

  it("one of another lock, or of another profile, is foreign", () => {
    const { flash } = busy(SECTORS);
    for (const options of [
      { lock: Uint8Array.of(...LOCK.subarray(0, 7), 9) },
      { lock: Uint8Array.of(0, ...LOCK.subarray(1)) },
      { profile: { ...PROFILE, id: 1 } },
    ]) {
      const other = new Values(flash, new Story(), options);
      assert.equal(other.log.mount(other), "foreign");
      assert.deepEqual([other.seen, other.reported], [[], []]);
    }
  });

  it("X14 one of a newer format is said to be one", () => {
    const { flash } = busy(SECTORS);
    for (let block = 0; block < SECTORS; block++) {
      const header = flash.bytes.subarray(block * SECTOR_BYTES, block * SECTOR_BYTES + HEADER);
      if (header[4] !== 1) continue;
      header[4] = 2;
      sealHeader(header);
    }
    const values = new Values(flash);
    assert.equal(values.log.mount(values), "newer-format");
    assert.deepEqual(values.seen, []);
  });

  it("a header that stands in another block than its number belongs to is none", () => {
    const { flash, values } = plain(SECTORS);
    assert.ok(values.write(1, 16, new Dice(SEED)));
    flash.bytes.copyWithin(2 * SECTOR_BYTES, 0, SECTOR_BYTES);
    assert.equal(textOf(mounted(flash.bytes).truths()), textOf(values.truths()));
    flash.bytes.fill(0xff, 0, SECTOR_BYTES);
    const other = new Values(flash);
    assert.equal(other.log.mount(other), "unformatted");
  });
});

describe("A mount", () => {
  it("finds every value in its newest form, and the same again when it is mounted twice", () => {
    const { flash, values } = busy(SECTORS);
    const once = mounted(flash.bytes);
    assert.equal(textOf(once.truths()), textOf(values.truths()));
    const twice = boot(once.flash);
    assert.deepEqual(twice.seen, once.seen);
    for (const { log } of [once, twice]) {
      assert.deepEqual(
        [log.oldest, log.newest, log.offset],
        [values.log.oldest, values.log.newest, values.log.offset],
      );
      assert.deepEqual([log.damage, log.faults, log.isBroken], [0, 0, false]);
    }
  });

  it("writes nothing, and reads the partition at most once, at any moment of a log's life", () => {
    for (const sectors of [SECTORS, 16]) {
      const { flash, values, dice } = plain(sectors);
      for (let i = 0; i < 3000; i++) {
        assert.ok(values.live(dice));
        if (i % 3 === 0) values.log.maintain(values);
        if (i % 30 !== 0) continue;
        const after = mounted(flash.bytes);
        assert.deepEqual([after.flash.counters.programs, after.flash.counters.erases], [0, 0]);
        const { readBytes } = after.flash.counters;
        assert.ok(
          readBytes <= flash.bytes.length,
          `${readBytes} of ${flash.bytes.length} bytes, record ${i}`,
        );
      }
    }
  });

  it("shows records in the order in which they were written", () => {
    const { flash, values } = busy(8);
    const { written } = values.story;
    const { seen } = mounted(flash.bytes);
    const live = written.filter(({ sector }) => sector >= values.log.oldest).map(({ serial }) => serial);
    assert.deepEqual(seen, live);
  });

  it("takes what was written in the former life of a sector for damage, and never for a truth", () => {
    const { flash, values, dice } = busy(SECTORS);
    const { newest } = values.log;
    const start = startOf(newest, SECTORS);
    const old = flash.bytes.slice(start, start + SECTOR_BYTES);
    // Until the same block is the newest again, with little in it.
    liveUntil(values, dice, newest + SECTORS, 300);
    const behind = Math.ceil(values.log.offset / 256) * 256;
    flash.bytes.set(old.subarray(behind), start + behind);
    const after = mounted(flash.bytes);
    const truths = values.truths();
    for (const [key, truth] of after.truths())
      assert.ok(truth === LOST || truth === truths.get(key), `key ${key}`);
    assert.ok(after.log.damage > 0, "an erase leaves nothing");
  });

  it("carries values over many laps and boots, on plain flash and behind encryption", () => {
    for (const flash of [new NorFlash(BYTES), new ScrambledNor(BYTES, { seed: SEED })]) {
      let { values, dice } = formatted(flash);
      for (let lap = 1; lap <= 30; lap++) {
        const last = values.log.newest + 1 + dice.below(3);
        liveUntil(values, dice, last, HEADER + dice.below(3500));
        const truths = textOf(values.truths());
        values = boot(flash, values.story);
        assert.equal(textOf(values.truths()), truths, `lap ${lap}`);
        assert.deepEqual([values.log.damage, values.log.faults, values.reported], [0, 0, []]);
      }
      assert.ok(values.log.newest > 8 * SECTORS);
      assert.equal(flash.misuse, undefined);
    }
  });
});

describe("A single flipped bit has no effect at all", () => {
  const { flash, values } = busy(SECTORS);
  const truths = textOf(values.truths());
  const { seen } = mounted(flash.bytes);
  const records = allRecords(flash.bytes, values.log);

  /** Mounts with one bit flipped, counted from byte `at`. Returns what is wrong then. */
  function wrongWith(at: number, bit: number): string[] {
    const flipped = new NorFlash(flash.bytes.length, flash.bytes);
    flipped.flip(at * 8 + bit);
    const after = boot(flipped);
    const isRight =
      textOf(after.truths()) === truths &&
      after.seen.length === seen.length &&
      after.reported.length + after.log.damage + after.log.faults === 0 &&
      after.log.oldest === values.log.oldest &&
      after.log.newest === values.log.newest;
    return isRight
      ? []
      : [`bit ${bit} from byte ${at % SECTOR_BYTES} of block ${Math.floor(at / SECTOR_BYTES)}`];
  }

  function allBits(at: number, length: number): string[] {
    return Array.from({ length: length * 8 }, (_, bit) => wrongWith(at, bit)).flat();
  }

  it("in any header", () => {
    for (let block = 0; block < SECTORS; block++) none(allBits(block * SECTOR_BYTES, HEADER));
  });

  const kinds: readonly (readonly [name: string, type: number])[] = [
    ["a slot's copy", Record.slotCopy],
    ["a value", Record.schedule],
    ["a removal", Record.removal],
    ["where the log has moved on to", Record.moved],
    ["what is blank", Record.blank],
    ["the keys of a sector", Record.keys],
  ];

  /** The oldest and the newest of a type. */
  function endsOf(type: number): Standing[] {
    const all = records.filter((record) => record.type === type);
    assert.ok(all.length > 1);
    return [all[0], all[all.length - 1]];
  }

  for (const [name, type] of kinds)
    it(`in a record of type ${type}, ${name}: the oldest and the newest`, () => {
      for (const { at, length } of endsOf(type)) none(allBits(at, length));
    });

  it("in the last record before a sector's end, and in the first and the last of the log", () => {
    const closing = records.findIndex(({ sector }) => sector === values.log.newest) - 1;
    for (const i of [0, closing, closing + 1, records.length - 1])
      none(allBits(records[i].at, records[i].length));
  });

  it(`anywhere, 1,000 times; and what is written, compacted and mounted next is right too (seed ${SEED})`, () => {
    const dice = new Dice(SEED);
    const wrong: string[] = [];
    for (let round = 0; round < 1000; round++) {
      const bit = dice.below(flash.bytes.length * 8);
      wrong.push(...wrongWith(bit >> 3, bit & 7));
      const flipped = new NorFlash(flash.bytes.length, flash.bytes);
      flipped.flip(bit);
      const after = boot(flipped);
      after.tidy(2);
      assert.ok(after.write(0, 48, dice), `bit ${bit}: the next write`);
      const again = mounted(flipped.bytes);
      if (textOf(again.truths()) !== textOf(after.truths()) || flipped.misuse !== undefined)
        wrong.push(`bit ${bit}, after the next write`);
    }
    none(wrong);
  });

  it(`in what is carried on by a compaction: the copy is whole (seed ${SEED})`, () => {
    const { flash, values } = plain(SECTORS);
    const dice = new Dice(SEED);
    for (let id = 0; id < 20; id++) assert.ok(values.write(id, 48, dice));
    const before = textOf(values.truths());
    for (const { at } of allRecords(flash.bytes, values.log)) flash.flip((at + 9) * 8 + dice.below(8));
    const after = mounted(flash.bytes, values.story);
    while (after.log.oldest === 1) {
      assert.ok(after.put(9, dice));
      after.log.maintain(after);
    }
    const again = mounted(after.flash.bytes);
    again.held.delete(9);
    assert.equal(textOf(again.truths()), before);
    assert.equal(after.log.damage + again.log.damage, 0);
  });
});
