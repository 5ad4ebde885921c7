// The log under the table: formatting, mounting, flips, foreign and ruined partitions.

import assert from "node:assert/strict";
import { crc32 } from "../../../../firmware/core/storage/crc";
import {
  FlashLog,
  HEADER_BYTES,
  type LogKeeper,
  type LogVisitor,
  Purpose,
} from "../../../../firmware/core/storage/flash-log";
import { putHead, Record } from "../../../../firmware/core/storage/records";
import { NorFlash, SECTOR_BYTES } from "../../../../simulator/board/nor";
import { Dice, SEED } from "../../../support/dice";
import { hex } from "../../../support/look";

const LOCK = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const PROFILE = 2;
const SECTORS = 4;

/** An owner to whom each of a few numbered values matters, the newest record of each. */
class Values implements LogVisitor, LogKeeper {
  readonly newest = new Map<number, { text: string; location: number }>();
  readonly seen: string[] = [];
  readonly damaged: boolean[] = [];
  readonly flash: NorFlash;
  readonly log: FlashLog;

  constructor(flash: NorFlash, lock = LOCK, profile = PROFILE) {
    this.flash = flash;
    this.log = new FlashLog(flash, lock, profile);
  }

  visit(record: Uint8Array, offset: number, length: number, location: number): void {
    const text = hex(record.subarray(offset + 4, offset + length - 4));
    this.seen.push(text);
    this.newest.set(record[offset + 2], { text, location });
  }

  visitDamage(_record: Uint8Array, _offset: number, whole: boolean): void {
    this.damaged.push(whole);
  }

  relocate(record: Uint8Array, length: number, location: number): boolean {
    const value = this.newest.get(record[2]);
    if (value?.location !== location) return true;
    value.location = this.log.append(record, length, Purpose.compaction);
    return value.location !== 0;
  }

  relocated(): boolean {
    return true;
  }

  /** Writes value `id` anew, `length` bytes in all. */
  write(id: number, length: number, dice: Dice, purpose: number = Purpose.ordinary): boolean {
    const record = dice.bytes(length);
    putHead(record, Record.state, length, id, 0);
    const location = this.log.append(record, length, purpose);
    if (location !== 0) this.newest.set(id, { text: hex(record.subarray(4, length - 4)), location });
    return location !== 0;
  }

  /** What all values are, read back from flash. */
  read(): string {
    const into = new Uint8Array(240);
    const texts = [...this.newest].map(([id, { location }]) => {
      const length = this.log.read(location, into);
      return `${id}: ${hex(into.subarray(4, Math.max(4, length - 4)))}`;
    });
    return texts.sort().join("\n");
  }
}

function formatted(sectors = SECTORS): { flash: NorFlash; values: Values } {
  const flash = new NorFlash(sectors * SECTOR_BYTES);
  const values = new Values(flash);
  values.log.format();
  return { flash, values };
}

function mounted(flash: NorFlash): Values {
  const values = new Values(new NorFlash(flash.bytes.length, flash.bytes));
  assert.equal(values.log.mount(values), "mounted");
  return values;
}

/** A log that has gone round a few times. */
function busy(sectors = SECTORS, rounds = 3): { flash: NorFlash; values: Values; dice: Dice } {
  const made = formatted(sectors);
  const dice = new Dice(SEED);
  while (made.values.log.newest < rounds * sectors) {
    assert.ok(made.values.write(dice.below(20), 16 * (1 + dice.below(6)), dice));
    made.values.log.maintain(made.values);
  }
  return { ...made, dice };
}

const flip = (bytes: Uint8Array, bit: number): void => {
  bytes[bit >> 3] ^= 1 << (bit & 7);
};

describe("An unknown or ruined partition is never formatted by itself", () => {
  it("one that is erased or holds anything else is unformatted", () => {
    const dice = new Dice(SEED);
    for (const image of [
      undefined,
      new Uint8Array(SECTORS * SECTOR_BYTES),
      dice.bytes(SECTORS * SECTOR_BYTES),
    ]) {
      const flash = new NorFlash(SECTORS * SECTOR_BYTES, image);
      const values = new Values(flash);
      assert.equal(values.log.mount(values), "unformatted");
      assert.equal(values.seen.length, 0);
      assert.equal(flash.counters.programs + flash.counters.erases, 0);
    }
  });

  it("one of another lock, or of another profile, is foreign", () => {
    const { flash } = busy();
    const otherLock = new Values(flash, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 9));
    assert.equal(otherLock.log.mount(otherLock), "foreign");
    const otherProfile = new Values(flash, LOCK, 1);
    assert.equal(otherProfile.log.mount(otherProfile), "foreign");
    assert.equal(otherLock.seen.length + otherProfile.seen.length, 0);
  });

  it("X14 one of a newer format is said to be one", () => {
    const { flash } = busy();
    for (let block = 0; block < SECTORS; block++) {
      const header = flash.bytes.subarray(block * SECTOR_BYTES, block * SECTOR_BYTES + HEADER_BYTES);
      header[4] = 2;
      new DataView(header.buffer, header.byteOffset).setInt32(28, crc32(header, 0, 28, 0));
    }
    const values = new Values(flash);
    assert.equal(values.log.mount(values), "newer-format");
  });
});

describe("A mount", () => {
  it("finds every value in its newest form, and again the same when it is mounted twice", () => {
    const { flash, values } = busy();
    const once = mounted(flash);
    assert.equal(once.read(), values.read());
    const twice = mounted(flash);
    assert.deepEqual(twice.seen, once.seen);
    assert.deepEqual([once.damaged, once.log.damage, once.log.faults], [[], 0, 0]);
  });

  it("writes nothing, and reads the partition at most once", () => {
    for (const sectors of [SECTORS, 16]) {
      const { flash } = busy(sectors);
      const again = new NorFlash(flash.bytes.length, flash.bytes);
      const values = new Values(again);
      values.log.mount(values);
      assert.deepEqual([again.counters.programs, again.counters.erases], [0, 0]);
      assert.ok(again.counters.readBytes <= flash.bytes.length, `${again.counters.readBytes} bytes read`);
    }
  });

  it("never sees what was written in the former life of a sector", () => {
    const { flash, values, dice } = busy();
    const { log } = values;
    const block = (log.newest - 1) % SECTORS;
    const old = flash.bytes.slice(block * SECTOR_BYTES, (block + 1) * SECTOR_BYTES);
    // Until the same block is the newest again, with little in it.
    const before = log.newest;
    while (log.newest < before + SECTORS) {
      values.write(dice.below(20), 96, dice);
      log.maintain(values);
    }
    const behind = Math.ceil(log.offset / 256) * 256;
    flash.bytes.set(old.subarray(behind), block * SECTOR_BYTES + behind);
    const after = mounted(flash);
    assert.equal(after.read(), values.read());
  });

  it(`mends a flipped bit anywhere in a header (seed ${SEED})`, () => {
    const { flash, values } = busy();
    for (let block = 0; block < SECTORS; block++)
      for (let bit = 0; bit < HEADER_BYTES * 8; bit++) {
        flip(flash.bytes, block * SECTOR_BYTES * 8 + bit);
        const after = mounted(flash);
        assert.equal(after.read(), values.read(), `block ${block}, bit ${bit}`);
        assert.deepEqual([after.log.oldest, after.log.newest], [values.log.oldest, values.log.newest]);
        flip(flash.bytes, block * SECTOR_BYTES * 8 + bit);
      }
  });

  it(`is blind to any one flipped bit of the partition (4,000 of them, seed ${SEED})`, () => {
    const { flash, values, dice } = busy();
    for (let round = 0; round < 4000; round++) {
      const bit = dice.below(flash.bytes.length * 8);
      flip(flash.bytes, bit);
      const after = mounted(flash);
      assert.equal(after.read(), values.read(), `bit ${bit}`);
      after.log.maintain(after);
      assert.ok(after.write(99, 48, dice), `bit ${bit}: the next write`);
      flip(flash.bytes, bit);
    }
  });

  it("mends a record that stands behind a write that was cut", () => {
    const { flash, values, dice } = busy();
    const { log } = values;
    while (log.offset % 256 < 32 || log.offset % 256 > 128 || log.offset > 3000) values.write(1, 16, dice);
    const cut = ((log.newest - 1) % SECTORS) * SECTOR_BYTES + log.offset;
    flash.bytes.set([0xb0, 0x03, 0x07], cut);
    const again = new Values(new NorFlash(flash.bytes.length, flash.bytes));
    again.log.mount(again);
    assert.equal(again.log.offset % 256, 0);
    assert.ok(again.write(2, 48, dice));
    assert.ok(again.write(3, 48, dice));
    const image = again.flash.bytes;
    for (let bit = 0; bit < 48 * 8; bit++) {
      const flipped = image.slice();
      flip(flipped, (Math.floor(cut / 256) + 1) * 256 * 8 + bit);
      const after = mounted(new NorFlash(flipped.length, flipped));
      assert.equal(after.read(), again.read(), `bit ${bit}`);
      assert.deepEqual(after.damaged, [false], "the write that was cut is no damage");
    }
  });

  it("mends a record that stands behind a damaged one, and a compaction carries it on", () => {
    const { flash, values } = formatted();
    const dice = new Dice(SEED);
    for (let id = 0; id < 4; id++) values.write(id, 48, dice);
    const before = values.read().split("\n");
    flash.bytes[HEADER_BYTES + 48 + 20] ^= 0x11;
    flash.bytes[HEADER_BYTES + 96 + 20] ^= 0x01;
    const after = mounted(flash);
    for (let i = 0; after.log.oldest === 1 && i < 1000; i++) {
      after.write(9, 96, dice);
      after.log.maintain(after);
    }
    assert.ok(after.log.oldest > 1);
    for (const id of [0, 2, 3]) assert.ok(after.read().includes(before[id]), `value ${id}`);
    assert.equal(mounted(after.flash).read(), after.read());
  });

  it("tells a record that is damaged beyond mending from a write that was cut: another stands right behind it", () => {
    const { flash, values, dice } = busy();
    const { log } = values;
    while (log.offset % 256 < 32 || log.offset % 256 > 96 || log.offset > 3000) values.write(1, 16, dice);
    const at = ((log.newest - 1) % SECTORS) * SECTOR_BYTES + log.offset;
    values.write(2, 48, dice);
    values.write(3, 48, dice);
    flash.bytes[at + 20] ^= 0x11;
    assert.deepEqual(mounted(flash).damaged, [true]);
  });
});

describe("Room", () => {
  /** Writes 16 bytes at a time until the log refuses; returns how many bytes fitted. */
  function fill(values: Values, purpose: number, dice: Dice): number {
    let bytes = 0;
    while (values.write(1, 16, dice, purpose)) bytes += 16;
    return bytes;
  }

  it("C22 is kept for four of the longest removals, and behind them for a compaction", () => {
    const { values } = formatted();
    const dice = new Dice(SEED);
    fill(values, Purpose.ordinary, dice);
    assert.equal(values.log.hasRoom(16, Purpose.ordinary), false);
    for (let i = 0; i < 4; i++) assert.ok(values.write(2, 160, dice, Purpose.removal));
    assert.equal(values.log.hasRoom(160, Purpose.removal), false);
    const left = fill(values, Purpose.compaction, dice);
    assert.ok(left >= SECTOR_BYTES - HEADER_BYTES, `${left} bytes for a compaction`);
    assert.equal(values.log.hasRoom(16, Purpose.compaction), false);
  });

  it("is made again from a log that is as full as it can be, whatever stands in it", () => {
    for (const [sectors, values] of [
      [4, 20],
      [16, 120],
    ]) {
      const { values: owner } = formatted(sectors);
      const dice = new Dice(SEED);
      for (let round = 0; round < 40; round++) {
        for (let id = 0; owner.log.hasRoom(240, Purpose.ordinary); id++) owner.write(id % values, 96, dice);
        while (owner.log.hasRoom(160, Purpose.removal)) owner.write(200, 160, dice, Purpose.removal);
        for (let steps = 0; owner.log.wantsMaintenance && steps < 2 * sectors; steps++)
          owner.log.maintain(owner);
        assert.equal(owner.log.wantsMaintenance, false);
        assert.ok(owner.log.hasRoom(2048, Purpose.ordinary), `round ${round} of ${sectors} sectors`);
      }
    }
  });

  it("is not taken away by a record that finds none: nothing counts as written", () => {
    const { values, flash } = formatted();
    const dice = new Dice(SEED);
    fill(values, Purpose.ordinary, dice);
    const before = flash.bytes.slice();
    assert.equal(values.write(7, 64, dice), false);
    assert.deepEqual(flash.bytes, before);
    assert.equal(values.log.faults, 0, "a full log is no fault of the flash");
  });
});

describe("Housekeeping", () => {
  it("erases one sector a call at most, and none when there is nothing to do", () => {
    const { flash, values, dice } = busy(16);
    for (let round = 0; round < 3000; round++) {
      values.write(dice.below(60), 64, dice);
      const before = flash.counters.erases;
      const wanted = values.log.wantsMaintenance;
      values.log.maintain(values);
      assert.ok(flash.counters.erases - before <= (wanted ? 1 : 0));
    }
  });

  it("wears all sectors alike, within two erases", () => {
    const { flash, values, dice } = busy(16, 40);
    assert.ok(values.write(1, 64, dice));
    assert.ok(Math.max(...flash.sectorErases) - Math.min(...flash.sectorErases) <= 2);
  });

  it("prepares a sector again whose erase was not confirmed, or that does not read erased", () => {
    const { flash, values } = busy();
    const next = values.log.newest % SECTORS;
    flash.bytes[next * SECTOR_BYTES + 700] = 0;
    const after = mounted(flash);
    assert.equal(after.log.wantsMaintenance, true);
    for (let steps = 0; after.log.wantsMaintenance && steps < SECTORS; steps++) after.log.maintain(after);
    assert.equal(after.log.wantsMaintenance, false);
    assert.equal(after.flash.bytes[next * SECTOR_BYTES + 700], 0xff);
    assert.equal(after.read(), values.read());
  });
});

describe("A flash that fails", () => {
  class Faulty extends NorFlash {
    failing: "no" | "program" | "silent-program" | "erase" | "silent-erase" = "no";
    /** The one sector that fails; −1 for all. */
    only = -1;

    /** What a sector does with an operation: "do" it, "throw", or nothing. */
    #fate(operation: "program" | "erase", sector: number): "do" | "throw" | "nothing" {
      if (this.only >= 0 && this.only !== sector) return "do";
      if (this.failing === operation) return "throw";
      return this.failing === `silent-${operation}` ? "nothing" : "do";
    }

    override write(buffer: Uint8Array, offset: number): void {
      const fate = this.#fate("program", Math.floor(offset / SECTOR_BYTES));
      if (fate === "throw") throw new Error("program failed");
      if (fate === "do") super.write(buffer, offset);
    }

    override eraseBlock(start: number, end: number): void {
      const fate = this.#fate("erase", start);
      if (fate === "throw") throw new Error("erase failed");
      if (fate === "do") super.eraseBlock(start, end);
    }
  }

  function faulty(): { flash: Faulty; values: Values; dice: Dice } {
    const flash = new Faulty(16 * SECTOR_BYTES);
    const values = new Values(flash);
    values.log.format();
    return { flash, values, dice: new Dice(SEED) };
  }

  for (const failing of ["program", "silent-program"] as const)
    it(`never makes a value lost or half written (${failing})`, () => {
      const { flash, values, dice } = faulty();
      for (let id = 0; id < 30; id++) assert.ok(values.write(id, 48, dice));
      const before = values.read();
      flash.failing = failing;
      assert.equal(values.write(3, 48, dice), false);
      assert.ok(values.log.faults > 0);
      flash.failing = "no";
      assert.equal(values.read(), before);
      assert.equal(mounted(flash).read(), before);
    });

  for (const failing of ["erase", "silent-erase"] as const)
    it(`never lets a sector be used that was not erased (${failing})`, () => {
      const { flash, values, dice } = faulty();
      flash.failing = failing;
      let written = 0;
      for (; values.write(dice.below(20), 64, dice); written++) values.log.maintain(values);
      assert.ok(values.log.faults > 0);
      assert.ok(written > 10 * 63);
      assert.equal(mounted(flash).read(), values.read());
      flash.failing = "no";
      for (let steps = 0; steps < 20; steps++) values.log.maintain(values);
      assert.ok(values.write(1, 64, dice), "goes on when the flash does");
    });

  for (const failing of ["program", "silent-program", "erase", "silent-erase"] as const)
    it(`costs a sector that is stuck for ever, and no value (${failing})`, () => {
      for (let stuck = 0; stuck < 16; stuck++) {
        const { flash, values, dice } = faulty();
        flash.only = stuck;
        flash.failing = failing;
        let refused = 0;
        for (let round = 0; round < 16 * 63 * 2; round++) {
          if (!values.write(dice.below(20), 64, dice)) refused++;
          values.log.maintain(values);
        }
        assert.equal(mounted(flash).read(), values.read(), `sector ${stuck}`);
        if (failing.endsWith("program")) assert.ok(refused < 20, `sector ${stuck}: ${refused} refused`);
        assert.ok(values.log.faults > 0);
      }
    });
});
