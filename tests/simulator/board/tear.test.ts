// What a cut leaves in the cells: the fault model is judged like everything else.

import assert from "node:assert/strict";
import { SECTOR_BYTES } from "../../../simulator/board/nor";
import {
  type Cut,
  ERASE_TORN,
  type EraseTorn,
  type FlashOperation,
  PAGE_BYTES,
  PROGRAM_TORN,
  type ProgramTorn,
} from "../../../simulator/board/power";
import { type NorImage, steady, tear } from "../../../simulator/board/tear";

const AT = 512;
const LENGTH = 64;
/** No byte of it is 0xFF, so that each shows where it took. */
const DATA = Uint8Array.from({ length: LENGTH }, (_, i) => (i * 37 + 11) % 251);
const PROGRAM: FlashOperation = { kind: "program", offset: AT, length: LENGTH, bytes: DATA };
const ERASE: FlashOperation = { kind: "erase", offset: SECTOR_BYTES, length: SECTOR_BYTES };
const HELD = 0x5a;
const PAGES = SECTOR_BYTES / PAGE_BYTES;

const blank = (): NorImage => steady(new Uint8Array(3 * SECTOR_BYTES).fill(0xff));
const full = (): NorImage => steady(new Uint8Array(3 * SECTOR_BYTES).fill(HELD));
const cut = (bytes: number, torn: Cut["torn"], seed = 0): Cut => ({ operation: 7, bytes, torn, seed });
const program = (bytes: number, torn: ProgramTorn, seed = 0): Uint8Array =>
  tear(blank(), PROGRAM, cut(bytes, torn, seed)).bytes;
const erase = (page: number, torn: EraseTorn, seed = 0): NorImage =>
  tear(full(), ERASE, cut(page * PAGE_BYTES, torn, seed));

function bitsOf(bytes: Uint8Array): number {
  let bits = 0;
  for (const byte of bytes) for (let rest = byte; rest !== 0; rest >>= 1) bits += rest & 1;
  return bits;
}

/** Bits that the data clears and the cells did not. */
const missing = (cells: Uint8Array, from: number, to: number): number =>
  bitsOf(cells.slice(AT + from, AT + to).map((byte, i) => byte & ~DATA[from + i]));

describe("A program that is cut", () => {
  it("leaves the image before it alone, and all outside it", () => {
    const before = blank();
    for (const torn of PROGRAM_TORN) {
      const { bytes, shaky } = tear(before, PROGRAM, cut(33, torn));
      bytes.fill(0xff, AT, AT + LENGTH);
      assert.deepEqual(bytes, before.bytes, torn);
      assert.deepEqual(shaky, []);
    }
  });

  it("clean: ends after any byte", () => {
    for (let bytes = 0; bytes <= LENGTH; bytes++) {
      const cells = program(bytes, "clean").subarray(AT, AT + LENGTH);
      assert.deepEqual(cells.subarray(0, bytes), DATA.subarray(0, bytes));
      assert.ok(cells.subarray(bytes).every((byte) => byte === 0xff));
    }
  });

  it("half-byte: some bits of the next one took, and nothing behind it", () => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 50; seed++) {
      const cells = program(21, "half-byte", seed);
      assert.equal(missing(cells, 0, 21), 0);
      assert.equal(cells[AT + 21] & DATA[21], DATA[21], "no bit is cleared that the data sets");
      assert.ok(cells.subarray(AT + 22, AT + LENGTH).every((byte) => byte === 0xff));
      seen.add(cells[AT + 21]);
    }
    assert.ok(seen.size > 5);
  });

  it("scattered: about an eighth of the bits behind took", () => {
    const all = bitsOf(DATA.slice(20).map((byte) => ~byte));
    let took = 0;
    for (let seed = 0; seed < 50; seed++) {
      const cells = program(20, "scattered", seed);
      assert.equal(missing(cells, 0, 20), 0);
      took += all - missing(cells, 20, LENGTH);
    }
    assert.ok(took / (50 * all) > 0.09 && took / (50 * all) < 0.16, `${took / (50 * all)}`);
  });

  it("weak: one, two, three or many bits of the prefix did not take, and nothing behind it", () => {
    const counts = new Map<number, number>();
    for (let seed = 0; seed < 200; seed++) {
      const cells = program(40, "weak", seed);
      assert.ok(cells.subarray(AT + 40, AT + LENGTH).every((byte) => byte === 0xff));
      const count = Math.min(4, missing(cells, 0, 40));
      counts.set(count, (counts.get(count) ?? 0) + 1);
    }
    for (const count of [1, 2, 3, 4]) assert.ok((counts.get(count) ?? 0) > 10, `${count} bits`);
  });

  it("is all there at its length and beyond, and clears no bit twice", () => {
    for (const torn of ["clean", "half-byte", "scattered"] as const)
      for (const bytes of [LENGTH, LENGTH + 1, 9999])
        assert.deepEqual(program(bytes, torn).slice(AT, AT + LENGTH), DATA);
  });

  it("depends on the cut alone", () => {
    for (const torn of PROGRAM_TORN) assert.deepEqual(program(31, torn, 5), program(31, torn, 5));
    for (const torn of ["half-byte", "scattered", "weak"] as const) {
      const ends = Array.from({ length: 8 }, (_, seed) => program(31, torn, seed).join());
      assert.ok(new Set(ends).size > 1, torn);
    }
  });
});

describe("An erase that is cut", () => {
  it("erased the pages before, and none behind or in another sector", () => {
    for (const torn of ERASE_TORN)
      for (let page = 0; page <= PAGES; page++) {
        const { bytes } = erase(page, torn);
        const at = SECTOR_BYTES + page * PAGE_BYTES;
        assert.ok(bytes.subarray(0, SECTOR_BYTES).every((byte) => byte === HELD));
        assert.ok(bytes.subarray(SECTOR_BYTES, at).every((byte) => byte === 0xff));
        assert.ok(bytes.subarray(at + PAGE_BYTES).every((byte) => byte === HELD));
      }
  });

  it("leaves the page at hand as it was, full of noise, flickering or weakly erased", () => {
    const page = (torn: EraseTorn): { bytes: Uint8Array; image: NorImage } => {
      const image = erase(3, torn);
      return { image, bytes: image.bytes.subarray(SECTOR_BYTES + 3 * PAGE_BYTES).subarray(0, PAGE_BYTES) };
    };
    for (const torn of ["clean", "begun", "unstable"] as const)
      assert.ok(
        page(torn).bytes.every((byte) => byte === HELD),
        torn,
      );
    for (const torn of ["nearly", "weak"] as const)
      assert.ok(
        page(torn).bytes.every((byte) => byte === 0xff),
        torn,
      );
    assert.ok(new Set(page("random").bytes).size > 100);
    for (const torn of ["clean", "random"] as const) assert.deepEqual(page(torn).image.shaky, []);
    for (const [torn, kind] of [
      ["begun", "flickers"],
      ["nearly", "flickers"],
      ["unstable", "flickers"],
      ["weak", "falls"],
    ] as const) {
      const [shaky] = page(torn).image.shaky;
      assert.equal(shaky.kind, kind);
      assert.equal(shaky.offset, SECTOR_BYTES + 3 * PAGE_BYTES);
    }
  });

  it("one to three bits flicker in a page just begun or nearly done, half of them in between", () => {
    for (let seed = 0; seed < 30; seed++) {
      for (const torn of ["begun", "nearly"] as const) {
        const bits = bitsOf(erase(0, torn, seed).shaky[0].mask);
        assert.ok(bits >= 1 && bits <= 3);
      }
      const bits = bitsOf(erase(0, "unstable", seed).shaky[0].mask);
      assert.ok(bits > 900 && bits < 1150, `${bits}`);
    }
  });

  it("is done at its length, and forgets what an earlier cut left in its pages", () => {
    const once = erase(2, "unstable");
    const twice = tear(once, ERASE, cut(SECTOR_BYTES, "weak"));
    assert.deepEqual(twice.shaky, []);
    assert.equal(once.shaky.length, 1);
    assert.ok(twice.bytes.subarray(SECTOR_BYTES, 2 * SECTOR_BYTES).every((byte) => byte === 0xff));
    const behind = tear(once, ERASE, cut(2 * PAGE_BYTES, "clean"));
    assert.equal(behind.shaky.length, 1, "a page that it did not come to");
  });
});
