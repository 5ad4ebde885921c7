// What an erased sector looks like: prints of pages, what reads clear, and what can be an erased sector behind encryption.

import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { canBeErased, isClear, PAGE, print } from "../../../../firmware/core/storage/blank";
import { NorFlash, SECTOR_BYTES } from "../../../../simulator/board/nor";
import { ScrambledNor } from "../../../../simulator/board/scrambled-nor";
import { Dice, SEED } from "../../../support/dice";

// Node has it since 20.15; its types came later.
const oracle = (zlib as unknown as { crc32(data: Uint8Array, value?: number): number }).crc32;
const pages = fc.uint8Array({ minLength: PAGE, maxLength: PAGE });

describe("The print of a page", () => {
  it("is its CRC-32, as zlib computes it, folded to 16 bits", () => {
    fc.assert(
      fc.property(pages, fc.nat(PAGE), fc.nat(PAGE), (page, a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const crc = oracle(page.subarray(start, end));
        assert.equal(print(page, start, end), (crc >>> 16) ^ (crc & 0xffff));
      }),
    );
  });

  it("changes with every single bit of a page, whatever it holds", () => {
    for (const page of [new Uint8Array(PAGE), new Uint8Array(PAGE).fill(0xff), new Dice(SEED).bytes(PAGE)])
      for (const start of [0, 32]) {
        const whole = print(page, start, PAGE);
        for (let bit = start * 8; bit < PAGE * 8; bit++) {
          page[bit >> 3] ^= 1 << (bit & 7);
          assert.notEqual(print(page, start, PAGE), whole, `bit ${bit}`);
          page[bit >> 3] ^= 1 << (bit & 7);
        }
      }
  });

  it(`is kept by a page of other noise about once in 65,536 times (seed ${SEED})`, () => {
    const dice = new Dice(SEED);
    const seen = new Uint32Array(65_536);
    const rounds = 20_000;
    let pairs = 0;
    for (let round = 0; round < rounds; round++) pairs += seen[print(dice.bytes(32), 0, 32)]++;
    const expected = (rounds * (rounds - 1)) / 2 / 65_536;
    assert.ok(Math.abs(pairs - expected) < expected / 4, `${pairs} pairs, ${expected} expected`);
  });
});

describe("What reads clear", () => {
  it("is 0xFF throughout what is looked at, and nothing else is looked at", () => {
    fc.assert(
      fc.property(fc.nat(64), fc.nat(64), fc.nat(63), fc.integer({ min: 0, max: 254 }), (a, b, at, byte) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const bytes = new Uint8Array(64).fill(0xff);
        bytes[at] = byte;
        assert.equal(isClear(bytes, start, end), at < start || at >= end);
      }),
    );
    assert.equal(isClear(new Uint8Array(64).fill(0xff), 0, 64), true);
  });
});

describe("What is not clear", () => {
  /** A sector of noise of which so many bytes read like plain flash. */
  function sectorWith(plain: number, byte: number): Uint8Array {
    const sector = new Dice(SEED).bytes(SECTOR_BYTES).map((noise) => 1 + (noise % 254));
    for (let i = 0; i < plain; i++) sector[(i * 37) % SECTOR_BYTES] = byte;
    return sector;
  }

  it("can be an erased sector while fewer than a sixteenth of its bytes read 0xFF or 0", () => {
    for (const byte of [0xff, 0])
      for (const [plain, can] of [
        [0, true],
        [32, true],
        [255, true],
        [256, false],
        [4096, false],
      ] as const)
        assert.equal(canBeErased(sectorWith(plain, byte)), can, `${plain} bytes of ${byte}`);
  });

  it("can be one wherever a sector was erased behind encryption", () => {
    for (let seed = 0; seed < 50; seed++) {
      const flash = new ScrambledNor(2 * SECTOR_BYTES, { seed });
      for (let erases = 0; erases < 10; erases++) {
        flash.eraseBlock(0, 1);
        const sector = new Uint8Array(SECTOR_BYTES);
        flash.read(sector, 0);
        assert.equal(canBeErased(sector), true);
        assert.equal(isClear(sector, 0, SECTOR_BYTES), false);
      }
    }
  });

  it("cannot be one where a plain sector was erased but for a page", () => {
    const flash = new NorFlash(SECTOR_BYTES);
    const sector = new Uint8Array(SECTOR_BYTES);
    for (let page = 0; page < SECTOR_BYTES; page += PAGE) {
      flash.read(sector, 0);
      sector.set(new Dice(page).bytes(PAGE), page);
      assert.equal(canBeErased(sector), false);
    }
  });
});
