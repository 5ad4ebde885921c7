// The log under the table: formatting, appending, the room that each purpose must leave, and housekeeping.

import assert from "node:assert/strict";
import { L500I, LOCK_1000, type Profile } from "../../../../firmware/core/profile";
import { FlashLog, Purpose } from "../../../../firmware/core/storage/flash-log";
import { Keys } from "../../../../firmware/core/storage/keys";
import { putHead, Record } from "../../../../firmware/core/storage/records";
import { FAULT_KINDS, FaultyNor } from "../../../../simulator/board/faulty-nor";
import { NorFlash, SECTOR_BYTES } from "../../../../simulator/board/nor";
import { ScrambledNor } from "../../../../simulator/board/scrambled-nor";
import { steady } from "../../../../simulator/board/tear";
import { Dice, SEED } from "../../../support/dice";
import {
  boot,
  busy,
  formatted,
  HEADER,
  LOCK,
  liveUntil,
  mounted,
  none,
  plain,
  startOf,
  textOf,
  Values,
  valueKey,
} from "../../../support/values";

const SECTORS = 4;
const BYTES = SECTORS * SECTOR_BYTES;
const PURPOSES = [Purpose.ordinary, Purpose.refusal, Purpose.removal, Purpose.compaction];

describe("Formatting", () => {
  it("makes an empty log of whatever stood there, with sectors that are ready for what comes", () => {
    const dice = new Dice(SEED);
    const { flash: old } = busy(SECTORS);
    for (const image of [new Uint8Array(BYTES), dice.bytes(BYTES), old.bytes])
      for (const flash of [
        new NorFlash(BYTES, image),
        new ScrambledNor(BYTES, { content: { bytes: image, scramble: new ScrambledNor(BYTES).scramble } }),
      ]) {
        const { values } = formatted(flash);
        const after = boot(flash);
        assert.deepEqual([after.held.size, after.seen.length, after.log.damage], [0, 0, 0]);
        assert.deepEqual([after.log.oldest, after.log.newest], [1, 1]);
        assert.equal(values.log.wantsMaintenance, false);
        assert.ok(after.write(1, 240, dice));
        assert.equal(textOf(boot(flash).truths()), textOf(after.truths()));
        assert.equal(flash.misuse, undefined);
      }
  });

  it("formats a log that was in use anew: numbers begin again, and nothing old comes back", () => {
    const { flash, values, dice } = busy(SECTORS);
    values.log.format();
    assert.deepEqual([values.log.oldest, values.log.newest], [1, 1]);
    assert.ok(values.write(1, 48, dice));
    const after = mounted(flash.bytes);
    assert.deepEqual([...after.held.keys()], [valueKey(1)]);
    assert.equal(after.log.damage, 0);
  });

  for (const kind of FAULT_KINDS)
    it(`throws on flash that does not take it, no matter when that begins (${kind})`, () => {
      const { flash: old } = busy(SECTORS);
      const kinds: string[] = [];
      new Values(
        FaultyNor.boot(steady(old.bytes), { onOperation: (operation) => kinds.push(operation.kind) }),
      ).log.format();
      const wrong: string[] = [];
      for (let from = 0; from < kinds.length; from++) {
        // Erases that fail are met only while some are still to come.
        if (kind === "erase-error" && !kinds.includes("erase", from)) continue;
        const flash = FaultyNor.boot(steady(old.bytes), { sectors: [{ kind, from }] });
        try {
          new Values(flash).log.format();
          wrong.push(`from operation ${from} of ${kinds.length}, ${kinds[from]}`);
        } catch (error) {
          assert.ok(error instanceof Error);
        }
      }
      none(wrong);
    });

  it("throws when a single one of the sectors that must be erased ahead cannot be", () => {
    for (const kind of ["erase-error", "silent"] as const)
      for (const sector of [0, 1, 2, 3, 4]) {
        const nor = new NorFlash(8 * SECTOR_BYTES, new Uint8Array(8 * SECTOR_BYTES));
        const values = new Values(new FaultyNor(nor, { sectors: [{ kind, sector }] }));
        assert.throws(() => values.log.format(), /format/, `${kind}, sector ${sector}`);
      }
  });
});

describe("Appending", () => {
  it("programs each record once, whole, and never what was programmed before", () => {
    const { flash, values, dice } = plain(SECTORS);
    for (const length of [16, 48, 96, 240]) {
      const { programs, programmedBytes } = flash.counters;
      assert.ok(values.write(1, length, dice));
      assert.deepEqual(
        [flash.counters.programs - programs, flash.counters.programmedBytes - programmedBytes],
        [1, length],
      );
    }
    assert.equal(flash.misuse, undefined);
  });

  it("never erases, whatever is appended", () => {
    const { flash, values, dice } = plain(SECTORS);
    const { erases } = flash.counters;
    while (values.live(dice));
    assert.equal(flash.counters.erases, erases);
  });

  it("keeps the end of a sector free for the record that closes it", () => {
    const { flash, values, dice } = plain(SECTORS);
    while (values.log.newest === 1) assert.ok(values.write(dice.below(9), 16, dice));
    const end = startOf(1, SECTORS) + SECTOR_BYTES;
    assert.deepEqual([...flash.bytes.subarray(end - 16, end - 13)], [Record.moved << 4, 1, 1]);
  });

  it("goes on in the next sector with what does not fit, up to the longest record", () => {
    for (let fill = 16; fill <= 256; fill += 16) {
      const { flash, values, dice } = plain(SECTORS);
      while (values.log.offset < SECTOR_BYTES - 16 - fill) assert.ok(values.write(1, 16, dice));
      assert.ok(values.write(2, 240, dice));
      assert.equal(values.log.newest, fill < 240 ? 2 : 1);
      assert.equal(textOf(mounted(flash.bytes).truths()), textOf(values.truths()));
    }
  });
});

describe("Room", () => {
  /** A log of a profile's own, formatted, that writes records of no meaning. */
  function logOf(profile: Profile): {
    log: FlashLog;
    flash: NorFlash;
    write: (length: number, purpose: number) => boolean;
  } {
    const flash = new NorFlash(profile.credentialBytes);
    const log = new FlashLog(flash, LOCK, profile.id, new Keys(profile));
    log.format();
    const record = new Uint8Array(240);
    const write = (length: number, purpose: number): boolean => {
      putHead(record, Record.schedule, length, 1, 0);
      return log.append(record, length, purpose) > 0;
    };
    return { log, flash, write };
  }

  /** The most bytes for which there is room, −1 when there is none even for nothing. */
  function room(log: FlashLog, purpose: number): number {
    let [fits, fails] = [-1, 1 << 20];
    while (fails - fits > 1) {
      const middle = (fits + fails) >> 1;
      if (log.hasRoom(middle, purpose)) fits = middle;
      else fails = middle;
    }
    return fits;
  }

  for (const { profile, removal, compaction } of [
    { profile: L500I, removal: 32, compaction: 4064 + 640 },
    { profile: LOCK_1000, removal: 160, compaction: 2 * 4064 + 640 },
  ]) {
    it(`C22 is kept for eight refusals, four of the longest removals, and a compaction behind them (${profile.name})`, () => {
      const { log, write } = logOf(profile);
      for (let i = 0; i < 100; i++) {
        const [ordinary, refusals, removals, all] = PURPOSES.map((purpose) => room(log, purpose));
        assert.equal(refusals - ordinary, 8 * 32);
        assert.equal(removals - refusals, 4 * removal);
        assert.equal(all - removals, compaction);
        write(64, Purpose.ordinary);
      }
    });

    it(`is used up to the last byte by each purpose, and not beyond (${profile.name})`, () => {
      const { log, flash, write } = logOf(profile);
      for (const purpose of PURPOSES) {
        while (room(log, purpose) >= 240 + 16) assert.ok(write(16, purpose));
        const fits = room(log, purpose) & ~15;
        const before = flash.bytes.slice();
        assert.equal(write(fits + 16, purpose), false, "one unit past it");
        assert.deepEqual(flash.bytes, before, "nothing counts as written");
        assert.deepEqual([log.isBroken, log.faults], [false, 0], "a full log is no fault of the flash");
        if (purpose === Purpose.compaction) continue;
        if (fits > 0) assert.ok(write(fits, purpose), "at it");
        assert.equal(write(16, purpose), false);
      }
    });

    it(`serves those in front no more, but all behind, when it is used up (${profile.name})`, () => {
      const { log, write } = logOf(profile);
      while (write(16, Purpose.ordinary));
      for (let i = 0; i < 8; i++) assert.ok(write(32, Purpose.refusal));
      while (write(16, Purpose.refusal));
      assert.equal(log.hasRoom(16, Purpose.ordinary), false);
      for (let i = 0; i < 4; i++) assert.ok(write(removal, Purpose.removal));
      while (write(16, Purpose.removal));
      assert.equal(log.hasRoom(32, Purpose.refusal), false);
      let bytes = 0;
      while (write(16, Purpose.compaction)) bytes += 16;
      assert.ok(bytes >= compaction - 16, `${bytes} bytes for a compaction`);
    });
  }

  it("is made again from a log that is as full as it can be, whatever stands in it", () => {
    for (const [sectors, values] of [
      [4, 20],
      [16, 120],
    ]) {
      const { values: owner, dice, flash } = plain(sectors);
      for (let round = 0; round < 25; round++) {
        for (let id = 0; owner.log.hasRoom(240, Purpose.ordinary); id++) owner.write(id % values, 96, dice);
        while (owner.write(200, 160, dice, Purpose.removal));
        owner.tidy();
        assert.deepEqual([owner.log.wantsMaintenance, owner.log.isBroken], [false, false]);
        assert.ok(owner.log.hasRoom(1024, Purpose.ordinary), `round ${round} of ${sectors} sectors`);
      }
      assert.equal(textOf(mounted(flash.bytes).truths()), textOf(owner.truths()));
    }
  });

  it("is counted the same after a boot", () => {
    const { flash, values, dice } = busy(SECTORS);
    while (values.log.hasRoom(240, Purpose.ordinary)) {
      values.write(dice.below(20), 64, dice);
      const after = mounted(flash.bytes);
      for (const purpose of PURPOSES) assert.equal(room(after.log, purpose), room(values.log, purpose));
    }
  });
});

describe("Housekeeping", () => {
  it("erases one sector a call at most, and none when there is nothing to do", () => {
    const { flash, values, dice } = plain(16);
    for (let round = 0; round < 3000; round++) {
      assert.ok(values.live(dice));
      const before = flash.counters.erases;
      const wanted = values.log.wantsMaintenance;
      values.log.maintain(values);
      assert.ok(flash.counters.erases - before <= (wanted ? 1 : 0));
    }
  });

  it("comes to an end: two sectors are ready in a small partition, four in one of eight and more", () => {
    for (const [sectors, spare] of [
      [4, 2],
      [7, 2],
      [8, 4],
      [16, 4],
    ]) {
      const { values, dice } = plain(sectors);
      liveUntil(values, dice, 3 * sectors, 2000);
      values.tidy();
      assert.equal(values.log.wantsMaintenance, false);
      const states = Array.from({ length: sectors }, (_, block) => values.log.sector(block).state);
      assert.equal(states.filter((state) => state === "ready").length, spare, `${sectors}: ${states}`);
      assert.equal(states.filter((state) => state === "head").length, 1);
    }
  });

  it("wears all sectors alike, within two erases", () => {
    const { flash, values, dice } = plain(16);
    liveUntil(values, dice, 500, 1000);
    assert.ok(Math.max(...flash.sectorErases) - Math.min(...flash.sectorErases) <= 2);
  });

  it("does not erase anew after a boot what was erased before it", () => {
    for (const flash of [new NorFlash(8 * SECTOR_BYTES), new ScrambledNor(8 * SECTOR_BYTES)]) {
      const { values, dice } = formatted(flash);
      liveUntil(values, dice, 20, 1000);
      values.tidy();
      const { erases } = flash.counters;
      const after = boot(flash, values.story);
      after.tidy();
      assert.equal(flash.counters.erases, erases);
      assert.ok(after.write(1, 48, dice));
    }
  });

  it("erases a sector again that no longer reads as when it was erased, by a bit anywhere in it", () => {
    const dice = new Dice(SEED);
    for (let round = 0; round < 40; round++)
      for (const nor of [new NorFlash(BYTES), new ScrambledNor(BYTES, { seed: SEED })]) {
        const { flash, values } = formatted(new FaultyNor(nor));
        liveUntil(values, dice, 6, 1000);
        values.tidy();
        const block = values.log.newest % SECTORS;
        assert.equal(values.log.sector(block).state, "ready");
        nor.flip(block * SECTOR_BYTES * 8 + (round === 0 ? 0 : dice.below(SECTOR_BYTES * 8)));
        const after = boot(FaultyNor.boot(flash.image()), values.story);
        assert.equal(textOf(after.truths()), textOf(values.truths()));
        assert.equal(after.log.wantsMaintenance, true);
        assert.notEqual(after.log.sector(block).state, "ready");
        after.tidy();
        assert.equal(after.log.sector(block).state, "ready");
        assert.equal(after.flash.nor.sectorErases[block], 1);
        assert.deepEqual([after.log.damage, after.log.isBroken], [0, false]);
        liveUntil(after, dice, after.log.newest + 2, HEADER);
        assert.equal(after.flash.nor.misuse, undefined);
        assert.equal(textOf(boot(FaultyNor.boot(after.flash.image())).truths()), textOf(after.truths()));
      }
  });
});

describe("The view of a partition", () => {
  it("names every block by what it holds, and each number once", () => {
    const { values, dice } = plain(8);
    for (let round = 0; round < 60; round++) {
      for (let i = 0; i < 40; i++) assert.ok(values.live(dice));
      values.log.maintain(values);
      const views = Array.from({ length: 8 }, (_, block) => values.log.sector(block));
      const { oldest, newest } = values.log;
      for (const [block, { number, state }] of views.entries()) {
        if (number > 0) assert.equal((number - 1) % 8, block);
        if (number === newest) assert.equal(state, "head");
        else if (number >= oldest) assert.equal(state, "live");
        else assert.ok(state === "ready" || state === "free");
      }
    }
  });
});
