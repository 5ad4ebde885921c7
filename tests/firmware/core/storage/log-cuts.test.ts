// What a cut leaves: the log goes on behind what was torn and never programs a page of it again; an opening that was torn is no damage;
// an erase that was cut, or did not do what it said, is not taken for done.

import assert from "node:assert/strict";
import { Purpose } from "../../../../firmware/core/storage/flash-log";
import { type FaultPlan, FaultyNor } from "../../../../simulator/board/faulty-nor";
import { NorFlash, SECTOR_BYTES } from "../../../../simulator/board/nor";
import { type Cut, type FlashOperation, PAGE_BYTES, Power, tornOf } from "../../../../simulator/board/power";
import { ScrambledNor } from "../../../../simulator/board/scrambled-nor";
import { type NorImage, tear } from "../../../../simulator/board/tear";
import { Dice, SEED } from "../../../support/dice";
import {
  boot,
  formatted,
  liveUntil,
  none,
  type Story,
  startOf,
  textOf,
  type Values,
  valueKey,
} from "../../../support/values";

const SECTORS = 4;
const BYTES = SECTORS * SECTOR_BYTES;
const MODES = ["plain", "scrambled"] as const;
type Mode = (typeof MODES)[number];

/** What a power cycle meets, and what may be believed then. */
interface Situation {
  readonly image: NorImage;
  readonly allowed: readonly string[];
}

/** A moment at which the power may go: the flash just before an operation. */
interface Moment extends Situation {
  readonly operation: FlashOperation;
}

/** Serial numbers of what is written after a boot begin here, so that none comes twice. */
const LATER: Story = Object.freeze({ serial: 100_000, written: [] });

function bootLater(image: NorImage, plan: FaultPlan = {}): Values & { readonly flash: FaultyNor } {
  return boot(FaultyNor.boot(image, plan), { ...LATER, written: [] });
}

/** A log that has lived, whose newest sector has this number and goes on at `offset`, without housekeeping since `tidied`. */
function lived(mode: Mode, sector: number, offset: number, tidied = offset): Situation {
  const nor = mode === "plain" ? new NorFlash(BYTES) : new ScrambledNor(BYTES, { seed: SEED });
  const { flash, values, dice } = formatted(new FaultyNor(nor));
  const { log } = values;
  liveUntil(values, dice, sector - 1, 3900);
  for (let id = 0; log.newest < sector || log.offset < offset; id = (id + 1) % 9) {
    assert.ok(values.write(id, 16, dice));
    if (log.newest < sector || log.offset <= tidied) log.maintain(values);
  }
  assert.deepEqual([log.newest, log.offset, nor.misuse], [sector, offset, undefined]);
  return { image: flash.image(), allowed: [textOf(values.truths())] };
}

/** Boots, does some work step by step, and tells all moments of it; what may be believed at each is what was before its step, or after. */
function watch({ image }: Situation, ...steps: ((values: Values) => void)[]): Moment[] {
  const all: Moment[] = [];
  let moments: Omit<Moment, "allowed">[] = [];
  const values = bootLater(image, {
    onOperation: (operation, before) => {
      moments.push({ image: before.image(), operation: { ...operation, bytes: operation.bytes?.slice() } });
    },
  });
  let before = textOf(values.truths());
  for (const step of steps) {
    step(values);
    const after = textOf(values.truths());
    all.push(...moments.map((moment) => ({ ...moment, allowed: [before, after] })));
    moments = [];
    before = after;
  }
  return all;
}

const write = (values: Values): void => assert.ok(values.write(5, 96, new Dice(SEED)));
const tidy = (values: Values): void => values.tidy();

/** The first and the last page of an operation. */
const pagesOf = ({ offset, length }: FlashOperation): [first: number, last: number] => [
  Math.floor(offset / PAGE_BYTES),
  Math.floor((offset + length - 1) / PAGE_BYTES),
];

/** Places of an operation at which it is cut: all, or three of them. A program goes by bytes, behind encryption by blocks. */
function placesOf({ kind, length }: FlashOperation, isThorough: boolean, mode: Mode): number[] {
  const byte = mode === "plain" ? 1 : 8;
  const step = kind === "erase" ? PAGE_BYTES : byte;
  if (!isThorough) return [0, length / 2, length - step];
  return Array.from({ length: length / step + 1 }, (_, i) => i * step);
}

/** Every end that the moments may come to, or some of each; of these every `step`-th. */
function* ends(
  moments: readonly Moment[],
  isThorough: boolean,
  mode: Mode,
  step = 1,
): Generator<[end: Situation, name: string]> {
  let turn = 0;
  for (const [number, { image, operation, allowed }] of moments.entries())
    for (const bytes of placesOf(operation, isThorough, mode))
      for (const torn of tornOf(operation.kind)) {
        if (turn++ % step !== 0) continue;
        const cut: Cut = { operation: number, bytes, torn, seed: SEED };
        const name = `${torn} at byte ${bytes} of ${operation.kind} ${number}`;
        yield [{ image: tear(image, operation, cut), allowed }, name];
      }
}

/** Boots what a cut left, goes on, and boots twice more. Returns what is wrong. */
function complaints({ image, allowed }: Situation, name: string, writes = 2): string[] {
  const dice = new Dice(SEED);
  const wrong: string[] = [];
  const values = bootLater(image);
  if (!allowed.includes(textOf(values.truths()))) wrong.push(`${name}: an older truth, or half of one`);
  if (values.log.damage + values.reported.length > 0) wrong.push(`${name}: taken for damage`);
  for (let i = 0; i < writes; i++) {
    if (!values.log.hasRoom(48, 0)) values.tidy();
    if (!values.write(3, 48, dice)) wrong.push(`${name}: write ${i} refused`);
    if (values.log.isBroken) wrong.push(`${name}: broken at write ${i}`);
    if (i % 2 === 1) values.log.maintain(values);
  }
  const truths = textOf(values.truths());
  let { flash } = values;
  for (const boots of [1, 2]) {
    if (flash.nor.misuse !== undefined) wrong.push(`${name}: ${flash.nor.misuse.message}`);
    flash = FaultyNor.boot(flash.image());
    const again = boot(flash);
    if (textOf(again.truths()) !== truths) wrong.push(`${name}: boot ${boots} believes something else`);
    if (again.log.damage > 0) wrong.push(`${name}: boot ${boots} finds damage`);
  }
  return wrong;
}

for (const mode of MODES)
  describe(`A write that is cut, on ${mode} flash`, () => {
    const start = lived(mode, 9, 1584);
    const moments = watch(start, write);

    it("is entire or never was, and no damage, at every byte and in every pattern", () => {
      assert.equal(moments.length, 1);
      none([...ends(moments, true, mode)].flatMap(([end, name]) => complaints(end, name)));
    });

    it("is never followed by another one in a page that it was torn in", () => {
      const { operation, image: before } = moments[0];
      const [first, last] = pagesOf(operation);
      for (const [{ image, allowed }, name] of ends(moments, true, mode)) {
        const isTouched = operation.bytes!.some(
          (_, i) => image.bytes[operation.offset + i] !== before.bytes[operation.offset + i],
        );
        const pages: number[] = [];
        const values = bootLater(image, { onOperation: (each) => pages.push(...pagesOf(each)) });
        const isBelieved = textOf(values.truths()) !== allowed[0];
        for (let i = 0; i < 12; i++) assert.ok(values.write(7, 48, new Dice(i)));
        if (isTouched && !isBelieved) for (const page of pages) assert.ok(page < first || page > last, name);
      }
    });

    it("may be cut again and again, each time further behind", () => {
      let { image } = start;
      const dice = new Dice(SEED);
      for (let round = 0; round < 80; round++) {
        const torn = dice.pick(tornOf("program"));
        const power = new Power({ operation: 0, bytes: dice.below(97), torn, seed: round });
        const cut = bootLater(image, { power });
        const before = textOf(cut.truths());
        cut.write(5, 96, dice);
        assert.equal(power.isOn, false);
        const after = bootLater(cut.flash.image());
        after.tidy();
        assert.ok(after.write(6, 16, dice));
        after.held.delete(valueKey(6));
        const truths = textOf(after.truths());
        const others = (text: string): string =>
          text
            .split("\n")
            .filter((line) => !/^(50|51):/.test(line))
            .join("\n");
        assert.equal(others(truths), others(before), `round ${round}`);
        assert.deepEqual([after.reported, after.log.damage, after.flash.nor.misuse], [[], 0, undefined]);
        image = after.flash.image();
      }
    });
  });

describe("What stands behind a write that was cut", () => {
  it("is mended of any single flipped bit, and the cut is no damage", () => {
    const [moment] = watch(lived("plain", 9, 1584), write);
    const torn = tear(moment.image, moment.operation, { operation: 0, bytes: 40, torn: "scattered" });
    const values = bootLater(torn);
    const at = startOf(9, SECTORS) + values.log.offset;
    assert.ok(values.write(2, 48, new Dice(SEED)));
    assert.ok(values.write(3, 48, new Dice(SEED)));
    const truths = textOf(values.truths());
    for (let bit = 0; bit < 48 * 8; bit++) {
      const { bytes, shaky } = values.flash.image();
      bytes[at + (bit >> 3)] ^= 1 << (bit & 7);
      const after = bootLater({ bytes, shaky });
      assert.equal(textOf(after.truths()), truths, `bit ${bit}`);
      assert.deepEqual([after.reported, after.log.damage], [[], 0]);
    }
  });
});

describe("The log goes on", () => {
  it("right behind the last record on flash that reads 0xFF there, and in the next page where nobody can know", () => {
    for (const [mode, next] of [
      ["plain", 1584],
      ["scrambled", 1792],
    ] as const)
      assert.equal(bootLater(lived(mode, 9, 1584).image).log.offset, next);
  });

  it("in the page behind the last one that does not read blank, whatever that holds", () => {
    for (const mode of MODES) {
      const { image, allowed } = lived(mode, 9, 1584);
      for (let page = 7; page < SECTOR_BYTES / PAGE_BYTES; page++) {
        const bytes = image.bytes.slice();
        bytes[startOf(9, SECTORS) + page * PAGE_BYTES + 77] ^= 0x10;
        const values = bootLater({ ...image, bytes });
        assert.equal(values.log.offset, (page + 1) * PAGE_BYTES);
        assert.equal(textOf(values.truths()), allowed[0]);
        write(values);
        assert.equal(values.flash.nor.misuse, undefined);
      }
    }
  });
});

for (const mode of MODES)
  describe(`The opening of a sector that is cut, on ${mode} flash`, () => {
    // The last page: what does not know whether it was begun goes on in a whole one.
    const start = lived(mode, 9, 3840);
    const moments = watch(start, write, write, write);

    it("is no damage: the closing record, the header, the keys or the record torn at any byte", () => {
      const opening = moments.slice(2);
      assert.deepEqual(
        opening
          .map(({ operation: { length } }) => length)
          .filter((length) => length !== 48 && length !== 32 && length !== 64),
        [16, 96],
      );
      none(
        [...ends(opening, true, mode, mode === "plain" ? 3 : 1)].flatMap(([end, name]) =>
          complaints(end, name),
        ),
      );
    });

    it("is none when the next attempt is cut as well", () => {
      const wrong: string[] = [];
      for (const [end, name] of ends(moments.slice(2), false, mode, 2)) {
        const again = watch(end, tidy, write);
        for (const [second, then] of ends(again, false, mode, 17))
          wrong.push(...complaints(second, `${name}, then ${then}`));
      }
      none(wrong);
    });

    it("may come again and again, also at every header in a row: housekeeping makes new ones", () => {
      let situation: Situation = lived(mode, 9, 3840);
      let torn = 0;
      for (; torn < 8; torn++) {
        // Until a header is written: that one is torn.
        const header = watch(situation, (values) => {
          for (let i = 0; i < 6; i++) values.write(5, 96, new Dice(SEED), Purpose.compaction);
        }).find(({ operation: { offset, length } }) => offset % SECTOR_BYTES === 0 && length === 32);
        if (header === undefined) break;
        const { allowed } = situation;
        situation = {
          image: tear(header.image, header.operation, { operation: 0, bytes: 20, torn: "clean" }),
          allowed,
        };
      }
      assert.ok(torn >= 2, "all that were erased ahead");
      const values = bootLater(situation.image);
      assert.deepEqual([values.reported, values.log.damage], [[], 0]);
      values.tidy();
      assert.ok(values.write(1, 48, new Dice(SEED)), "goes on");
      assert.equal(values.log.isBroken, false);
    });

    it("leaves a log that goes round", () => {
      none([...ends(moments.slice(2), false, mode)].flatMap(([end, name]) => complaints(end, name, 200)));
    });
  });

for (const mode of MODES)
  describe(`Housekeeping that is cut, on ${mode} flash`, () => {
    const start = lived(mode, 9, 2000, 0);
    const moments = watch(start, tidy);
    const erases = moments.filter(({ operation }) => operation.kind === "erase");

    it("changes no truth and takes no erase for done, at every page and in every pattern", () => {
      assert.ok(erases.length > 0);
      const wrong: string[] = [];
      for (const moment of erases) {
        const block = moment.operation.offset / SECTOR_BYTES;
        for (const [end, name] of ends([moment], true, mode)) {
          const values = bootLater(end.image);
          if (values.log.sector(block).state === "ready") wrong.push(`${name}: taken for done`);
          values.tidy();
          const isErased = values.flash.nor.sectorErases[block] > 0;
          if (values.log.sector(block).state === "ready" && !isErased)
            wrong.push(`${name}: not erased again`);
          wrong.push(...complaints(end, name, 100));
        }
      }
      none(wrong);
    });

    it("changes no truth when it is cut in any of its programs", () => {
      const programs = moments.filter(({ operation }) => operation.kind === "program");
      none([...ends(programs, false, mode)].flatMap(([end, name]) => complaints(end, name, 60)));
    });

    it("takes no erase for done either when the sector was recorded as blank before, and was touched since", () => {
      // A header that was torn: the same sector is erased again, and that is cut.
      const opening = watch(lived(mode, 9, 3840), write, write, write);
      const header = opening.find(({ operation }) => operation.offset % SECTOR_BYTES === 0)!;
      const torn = tear(header.image, header.operation, { operation: 0, bytes: 20, torn: "clean" });
      const repair = watch({ image: torn, allowed: [] }, tidy);
      const again = repair.filter(({ operation }) => operation.kind === "erase");
      assert.ok(again.length > 0);
      none([...ends(again, true, mode)].flatMap(([end, name]) => complaints(end, name, 100)));
    });
  });
