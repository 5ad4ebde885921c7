// A device that fails: operations that are refused or do nothing, records that stand though their read-back failed, blocks that are
// dead. No value is lost or half written, what is dead is left out, and the log says when it cannot go on.

import assert from "node:assert/strict";
import { Purpose } from "../../../../firmware/core/storage/flash-log";
import {
  FAULT_KINDS,
  type FaultKind,
  FaultyNor,
  type SectorFault,
} from "../../../../simulator/board/faulty-nor";
import { NorFlash, SECTOR_BYTES } from "../../../../simulator/board/nor";
import { ScrambledNor } from "../../../../simulator/board/scrambled-nor";
import { steady } from "../../../../simulator/board/tear";
import { type Dice, SEED } from "../../../support/dice";
import {
  boot,
  formatted,
  HEADER,
  LOST,
  liveUntil,
  mounted,
  none,
  startOf,
  type Truths,
  textOf,
  type Values,
  valueKey,
} from "../../../support/values";

/** Whose programs fail, and how. */
const WRITE_FAULTS: readonly FaultKind[] = ["program-error", "silent"];

function faulty(sectors = 16): { flash: FaultyNor; values: Values; dice: Dice } {
  return formatted(new FaultyNor(new NorFlash(sectors * SECTOR_BYTES)));
}

/** A log on flash without faults, from the image of another. */
function rebooted({ flash, story }: { flash: FaultyNor; story: Values["story"] }): Values {
  return boot(FaultyNor.boot(flash.image()), story);
}

describe("A write that fails", () => {
  for (const kind of WRITE_FAULTS)
    for (const done of [0, 5, 16, 47])
      it(`is no value and no half of one, now or after a boot (${kind}, after ${done} bytes)`, () => {
        const { flash, values, dice } = faulty();
        for (let id = 0; id < 30; id++) assert.ok(values.write(id, 48, dice));
        const before = textOf(values.truths());
        flash.fail({ kind, done });
        assert.equal(values.write(3, 48, dice), false);
        assert.ok(values.log.faults > 0);
        assert.equal(values.log.isBroken, true);
        assert.equal(textOf(values.truths()), before);
        flash.heal();
        assert.equal(textOf(rebooted({ flash, story: values.story }).truths()), before);
        values.tidy();
        assert.ok(values.write(3, 48, dice), "goes on when the flash does");
        assert.equal(values.log.isBroken, false);
        const after = rebooted({ flash, story: values.story });
        assert.equal(textOf(after.truths()), textOf(values.truths()));
        assert.equal(after.log.damage, 0);
      });

  it("gives up the rest of its sector, and stands in the next one: what failed is never programmed again", () => {
    for (const kind of WRITE_FAULTS) {
      const { flash, values, dice } = faulty();
      assert.ok(values.write(1, 48, dice));
      flash.fail({ kind, done: 20, sector: 0 });
      assert.ok(values.write(1, 48, dice));
      assert.equal(values.log.newest, 2);
      flash.heal();
      assert.ok(values.write(2, 48, dice));
      assert.deepEqual([values.log.newest, flash.nor.misuse], [2, undefined]);
      const after = rebooted({ flash, story: values.story });
      assert.equal(textOf(after.truths()), textOf(values.truths()));
      assert.equal(after.log.damage, 0);
    }
  });

  it("costs nothing when a read fails only once: it is tried again", () => {
    const { flash, values, dice } = faulty();
    liveUntil(values, dice, 5, 1000);
    const image = flash.image();
    const counted = FaultyNor.boot(image);
    const whole = textOf(boot(counted).truths());
    for (let read = 0; read < counted.reads; read++) {
      const shaky = boot(FaultyNor.boot(image, { readErrors: [read] }));
      assert.equal(textOf(shaky.truths()), whole, `read ${read}`);
      assert.deepEqual([shaky.log.damage, shaky.log.faults], [0, 1]);
    }
  });
});

/** Flash on which a program takes, but nobody can read it back: the reads behind it fail, and all programs while it is dead. */
class Deaf extends NorFlash {
  /** Programs from now on until one is not read back; −1 for never. */
  deafAfter = -1;
  /** Whether it is dead from then on. */
  dies = false;
  #isDead = false;
  #failing = 0;

  override read(buffer: Uint8Array, offset: number): void {
    if (this.#failing > 0) {
      this.#failing--;
      throw new Error("read failed");
    }
    super.read(buffer, offset);
  }

  override write(buffer: Uint8Array, offset: number): void {
    if (this.#isDead) throw new Error("program failed");
    super.write(buffer, offset);
    if (this.deafAfter-- !== 0) return;
    this.#failing = 2;
    this.#isDead = this.dies;
  }

  heal(): void {
    this.#isDead = false;
  }
}

describe("A record whose read-back failed, but which stands in flash", () => {
  /** Slots whose records stand in an older sector. */
  const OLD = [20, 21, 37];

  function deaf(offset: number, sectors = 8): { flash: Deaf; values: Values; dice: Dice } {
    const made = formatted(new Deaf(sectors * SECTOR_BYTES));
    liveUntil(made.values, made.dice, 8, offset);
    for (const slot of OLD) assert.ok(made.values.put(slot, made.dice));
    liveUntil(made.values, made.dice, 9, offset);
    return made;
  }

  /** What is wrong with truths in which a key may be what it was, or lost, and all others must be as they were. */
  function wrongIn(truths: Truths, before: Truths, doubtful: readonly number[]): string[] {
    const wrong: string[] = [];
    for (const key of new Set([...truths.keys(), ...before.keys()])) {
      const [is, was] = [truths.get(key), before.get(key)];
      const isFine = is === was || (doubtful.includes(key) && is === LOST);
      if (!isFine) wrong.push(`key ${key} is ${is} and was ${was}`);
    }
    return wrong;
  }

  /** Lets a write fail that stands all the same. */
  function ghost(flash: Deaf, write: () => boolean): void {
    flash.deafAfter = 0;
    flash.dies = true;
    assert.equal(write(), false);
    flash.heal();
  }

  it("does not count while the lock runs", () => {
    const { flash, values, dice } = deaf(1000);
    const before = textOf(values.truths());
    ghost(flash, () => values.write(2, 48, dice));
    assert.equal(textOf(values.truths()), before);
  });

  it("is written again in the next sector where that takes it, and is no damage", () => {
    const { flash, values, dice } = deaf(1000);
    const before = values.truths();
    flash.deafAfter = 0;
    assert.ok(values.write(2, 48, dice));
    before.set(valueKey(2), values.story.serial);
    assert.equal(textOf(values.truths()), textOf(before));
    assert.equal(textOf(mounted(flash.bytes).truths()), textOf(before));
  });

  for (const [name, write, keys] of [
    ["a value", (values, dice) => values.write(2, 48, dice), [valueKey(2)]],
    ["a slot", (values, dice) => values.put(3, dice), [3]],
    ["a removal of slots", (values) => values.remove(OLD), OLD],
  ] as const satisfies readonly [string, (values: Values, dice: Dice) => boolean, readonly number[]][])
    it(`is not believed after a boot once something stands behind it (${name})`, () => {
      const { flash, values, dice } = deaf(1000);
      const before = new Map(values.truths());
      ghost(flash, () => write(values, dice));
      values.tidy();
      assert.ok(values.write(39, 48, dice));
      before.set(valueKey(39), values.story.serial);
      none(wrongIn(mounted(flash.bytes).truths(), before, keys));
    });

  it("is not believed either when what it hides stands in sectors that were compacted since", () => {
    const { flash, values, dice } = deaf(1000);
    assert.ok(values.write(2, 48, dice));
    const before = new Map(values.truths());
    ghost(flash, () => values.write(2, 48, dice));
    values.tidy();
    for (const boots of [1, 2, 3]) {
      const stop = values.log.newest + 3;
      while (values.log.newest < stop) {
        assert.ok(values.write(39, 96, dice));
        values.log.maintain(values);
      }
      const truths = mounted(flash.bytes).truths();
      truths.delete(valueKey(39));
      before.delete(valueKey(39));
      none(wrongIn(truths, before, [valueKey(2)]).map((wrong) => `boot ${boots}: ${wrong}`));
    }
  });

  it("harms nothing when the log wrote it for itself: whichever program of a lap it is", () => {
    const wrong: string[] = [];
    for (let number = 0; number < 120; number += 2) {
      const { flash, values, dice } = deaf(3500);
      flash.deafAfter = number;
      let doubtful: number[] = [];
      for (let i = 0; i < 150; i++) {
        const id = dice.below(40);
        if (!values.write(id, 48, dice)) doubtful = [valueKey(id)];
        values.log.maintain(values);
      }
      // A copy that counts as failed hides what it is a copy of, which is written again.
      const truths = values.truths();
      wrong.push(
        ...wrongIn(mounted(flash.bytes).truths(), truths, doubtful).map((each) => `${number}: ${each}`),
      );
      if (flash.misuse !== undefined) wrong.push(`${number}: ${flash.misuse.message}`);
    }
    none(wrong);
  });
});

describe("A sector that is stuck", () => {
  /** Lives for two laps with a fault. Returns how many writes were refused. */
  function live(values: Values, dice: Dice, writes: number): number {
    let refused = 0;
    for (let i = 0; i < writes; i++) {
      if (!values.write(dice.below(20), 64, dice)) refused++;
      values.log.maintain(values);
    }
    return refused;
  }

  for (const kind of ["program-error", "erase-error", "silent"] as const)
    it(`is left out, and costs no value: each of them, from different moments on (${kind})`, () => {
      for (let sector = 0; sector < 10; sector++)
        for (const from of [0, 60, 333]) {
          const { flash, values, dice } = faulty(10);
          flash.fail({ kind, sector, from: flash.operations + from });
          const refused = live(values, dice, 10 * 63 * 2);
          const place = `sector ${sector} from ${from}`;
          assert.equal(textOf(mounted(flash.bytes).truths()), textOf(values.truths()), place);
          assert.ok(values.log.faults > 0, place);
          assert.ok(refused < 20, `${place}: ${refused} refused`);
          assert.ok(values.log.newest > 12, `${place}: goes round`);
          assert.equal(flash.nor.misuse, undefined);
        }
    });

  it("whose erase fails twice is skipped, and housekeeping goes on behind it", () => {
    for (const kind of ["erase-error", "silent"] as const) {
      const { flash, values, dice } = faulty(8);
      liveUntil(values, dice, 6, 1000);
      values.tidy();
      const next = values.log.newest + 5;
      const block = (next - 1) % 8;
      flash.fail({ kind, sector: block });
      // Until this block is wanted.
      while (values.log.newest < 7) assert.ok(values.write(1, 96, dice));
      const { newest } = values.log;
      let failures = 0;
      for (let i = 0; i < 40 && values.log.wantsMaintenance; i++) {
        const { faults } = values.log;
        values.log.maintain(values);
        if (values.log.faults === faults) continue;
        failures++;
        assert.equal(values.log.isBroken, true, "says so");
      }
      assert.equal(failures, 2);
      assert.equal(values.log.sector(block).state, "bad");
      assert.deepEqual([values.log.isBroken, values.log.wantsMaintenance], [false, false]);
      liveUntil(values, dice, newest + 9, 500);
      assert.equal(textOf(mounted(flash.bytes).truths()), textOf(values.truths()));
    }
  });

  it("that takes no header is skipped: the record stands in the one behind", () => {
    for (const kind of WRITE_FAULTS) {
      const { flash, values, dice } = faulty(8);
      liveUntil(values, dice, 6, 1000);
      values.tidy();
      flash.fail({ kind, sector: 6 });
      while (values.log.newest === 6) assert.ok(values.write(dice.below(9), 96, dice));
      assert.equal(values.log.newest, 8);
      assert.ok(values.log.faults > 0);
      for (const image of [flash.image(), steady(flash.bytes)]) {
        const after = boot(FaultyNor.boot(image), values.story);
        assert.equal(textOf(after.truths()), textOf(values.truths()));
        assert.equal(after.log.damage, 0);
      }
    }
  });

  it("that takes no header is skipped also when all of the next ones are, as far as there is one", () => {
    const { flash, values, dice } = faulty(16);
    liveUntil(values, dice, 6, 1000);
    values.tidy();
    for (const sector of [6, 7, 8]) flash.fail({ kind: "program-error", sector });
    // What room there is was counted before: three sectors less may not be enough for the last write, but they harm nothing.
    for (let i = 0; i < 40 && values.log.newest === 6; i++) values.write(dice.below(9), 96, dice);
    assert.equal(values.log.newest, 10);
    assert.equal(textOf(mounted(flash.bytes).truths()), textOf(values.truths()));
  });

  it("may have many like it: five dead blocks in a row, or every third, and housekeeping still comes to an end", () => {
    for (const dead of [
      [7, 8, 9, 10, 11],
      [3, 6, 9, 12, 15],
      [6, 8, 10, 12, 14],
    ])
      for (const kind of ["erase-error", "silent"] as const) {
        const flash = new FaultyNor(new NorFlash(24 * SECTOR_BYTES));
        const { values, dice } = formatted(flash);
        for (const sector of dead) flash.fail({ kind, sector });
        for (let round = 0; round < 60; round++) {
          for (let i = 0; i < 30; i++) values.write(dice.below(20), 96, dice);
          let steps = 0;
          while (values.log.wantsMaintenance && steps < 200) {
            values.log.maintain(values);
            steps++;
          }
          assert.ok(steps < 200, `${kind}, ${dead}: no end at sector ${values.log.newest}`);
        }
        assert.equal(textOf(mounted(flash.bytes).truths()), textOf(values.truths()));
      }
  });
});

describe("Flash that is dead everywhere", () => {
  for (const kind of FAULT_KINDS)
    it(`loses nothing that stood before, and every refusal says that it is broken (${kind})`, () => {
      const { flash, values, dice } = faulty(10);
      liveUntil(values, dice, 12, 1000);
      values.tidy();
      const before = values.truths();
      flash.fail({ kind });
      let [written, refused] = [0, 0];
      for (let i = 0; i < 1200; i++) {
        if (values.live(dice)) written++;
        else refused++;
        values.log.maintain(values);
      }
      assert.ok(refused > 0);
      assert.equal(values.log.isBroken, true);
      if (kind === "erase-error") assert.ok(written > 0, "what was erased ahead is used up");
      else assert.equal(written, 0);
      flash.heal();
      const after = rebooted({ flash, story: values.story });
      // What cannot be read back may stand, and what cannot be read may be denied in memory, of which flash knows nothing.
      const truths = after.truths();
      const others = [...before].filter(([key, serial]) => truths.get(key) !== serial);
      if (kind === "read-error") assert.ok(others.length <= 1, `${others}`);
      else assert.equal(textOf(after.truths()), textOf(values.truths()));
    });

  it("goes on when the flash does, after a boot at the latest", () => {
    for (const kind of FAULT_KINDS) {
      const { flash, values, dice } = faulty(10);
      liveUntil(values, dice, 12, 1000);
      flash.fail({ kind });
      for (let i = 0; i < 600; i++) {
        values.live(dice);
        values.log.maintain(values);
      }
      flash.heal();
      const healthy = FaultyNor.boot(flash.image());
      const after = boot(healthy, values.story);
      after.tidy();
      assert.equal(after.log.isBroken, false);
      liveUntil(after, dice, after.log.newest + 12, HEADER);
      assert.equal(textOf(mounted(healthy.bytes).truths()), textOf(after.truths()));
    }
  });

  it("refuses for want of room without a word of being broken", () => {
    const { values, dice } = faulty(10);
    while (values.live(dice));
    assert.deepEqual([values.log.isBroken, values.log.faults], [false, 0]);
    assert.equal(values.log.hasRoom(96, Purpose.ordinary), false);
  });
});

describe("An erase", () => {
  it("that silently did nothing is not taken for done, whatever stands there, on plain flash and behind encryption", () => {
    for (const nor of [new NorFlash(6 * SECTOR_BYTES), new ScrambledNor(6 * SECTOR_BYTES, { seed: SEED })]) {
      const { flash, values, dice } = formatted(new FaultyNor(nor));
      liveUntil(values, dice, 8, 3000);
      values.tidy();
      flash.fail({ kind: "silent" } satisfies SectorFault);
      const states = (): string[] => Array.from({ length: 6 }, (_, block) => values.log.sector(block).state);
      const ready = states().filter((state) => state === "ready").length;
      flash.heal();
      while (values.log.newest === 8) assert.ok(values.write(1, 96, dice));
      for (let sector = 0; sector < 6; sector++)
        if ((values.log.newest - 1) % 6 !== sector) flash.fail({ kind: "silent", sector });
      for (let i = 0; i < 30; i++) values.log.maintain(values);
      assert.equal(values.log.isBroken, true);
      assert.equal(states().filter((state) => state === "ready").length, ready - 1);
    }
  });

  it("after which two reads differ is not taken for done", () => {
    /** One bit of a page reads differently every other time. */
    class Flickering extends NorFlash {
      at = -1;
      #reads = 0;

      override read(buffer: Uint8Array, offset: number): void {
        super.read(buffer, offset);
        const isThere = this.at >= offset && this.at < offset + buffer.length;
        if (isThere && this.#reads++ % 2 === 1) buffer[this.at - offset] ^= 4;
      }
    }
    for (const page of [0, 1, 7, 15])
      for (const phase of [0, 1]) {
        const { flash, values, dice } = formatted(new Flickering(8 * SECTOR_BYTES));
        liveUntil(values, dice, 6, 1000);
        values.tidy();
        // The block that is wanted next.
        flash.at = startOf(values.log.newest + 5, 8) + page * 256 + 100;
        if (phase === 1) flash.read(new Uint8Array(1), flash.at);
        while (values.log.newest === 6) assert.ok(values.write(1, 96, dice));
        for (let i = 0; i < 10 && !values.log.isBroken; i++) values.log.maintain(values);
        const block = Math.floor(flash.at / SECTOR_BYTES);
        assert.notEqual(values.log.sector(block).state, "ready", `page ${page}, phase ${phase}`);
        assert.ok(values.log.faults > 0);
      }
  });
});

describe("An oldest sector that cannot be read", () => {
  it("is tried in three rounds; then what lived there is lost for certain, and the ring goes on", () => {
    const { flash, values, dice } = faulty(8);
    liveUntil(values, dice, 12, 1000);
    const { oldest } = values.log;
    const before = values.truths();
    const inside = [...values.held].filter(([, { location }]) => values.log.numberAt(location) === oldest);
    assert.ok(inside.length > 0, "something lives there");
    flash.fail({ kind: "read-error", sector: (oldest - 1) % 8 });
    const rounds: boolean[] = [];
    const { relocate } = values;
    values.relocate = (number, from, to, atAnyCost) => {
      if (number === oldest) rounds.push(atAnyCost);
      return relocate.call(values, number, from, to, atAnyCost);
    };
    for (let i = 0; i < 400 && values.log.oldest === oldest; i++) {
      values.write(39, 96, dice);
      values.log.maintain(values);
      if (rounds.length > 0 && rounds.length < 3) assert.equal(values.log.isBroken, true);
    }
    assert.deepEqual(rounds, [false, false, true]);
    flash.heal();
    values.tidy();
    for (const after of [values, rebooted({ flash, story: values.story })]) {
      const truths = after.truths();
      for (const [key, serial] of before)
        if (key !== valueKey(39))
          assert.equal(truths.get(key), inside.some(([each]) => each === key) ? LOST : serial, `key ${key}`);
    }
  });
});
