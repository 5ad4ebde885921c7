// What is known of sectors that are erased ahead: which of their bytes were touched since, and what a record of it says.

import assert from "node:assert/strict";
import { Blanks } from "../../../../firmware/core/storage/blanks";
import { MAX_RECORD_BYTES, Record, recordLength } from "../../../../firmware/core/storage/records";
import { HEADER_BYTES } from "../../../../firmware/core/storage/sectors";
import { SECTOR_BYTES } from "../../../../simulator/board/nor";
import { Dice, SEED } from "../../../support/dice";

/** An erased sector, as plain flash reads it and as one behind encryption does. */
const KINDS = [
  ["plain", new Uint8Array(SECTOR_BYTES).fill(0xff)],
  ["scrambled", new Dice(SEED).bytes(SECTOR_BYTES)],
] as const;

function blanksWith(number: number, sector: Uint8Array): Blanks {
  const blanks = new Blanks(HEADER_BYTES);
  blanks.keep(number, sector);
  return blanks;
}

/** A record of what is known of a sector, in a buffer that held something else. */
function recordOf(blanks: Blanks, number: number): Uint8Array {
  const record = new Uint8Array(MAX_RECORD_BYTES).fill(0x77);
  return record.subarray(0, blanks.put(record, number));
}

for (const [name, erased] of KINDS)
  describe(`What is known of an erased sector, ${name}`, () => {
    const sector = erased.slice();

    it("names the part that was touched: the header, the rest of the first page, any other page", () => {
      const blanks = blanksWith(2, sector);
      for (let at = 0; at < SECTOR_BYTES; at += 4) {
        sector[at] ^= 0x20;
        const touched = Array.from({ length: 17 }, (_, i) => i).filter(
          (i) => !blanks.isUntouched(2, sector, i),
        );
        const wanted = at < HEADER_BYTES ? 0 : at < 256 ? 1 : 1 + Math.floor(at / 256);
        assert.deepEqual(touched, [wanted], `byte ${at}`);
        assert.equal(blanks.isAllUntouched(2, sector), false);
        sector[at] ^= 0x20;
      }
      assert.equal(blanks.isAllUntouched(2, sector), true);
    });

    it("sees every single bit that is another than right after the erase", () => {
      const blanks = blanksWith(2, sector);
      for (let bit = 0; bit < SECTOR_BYTES * 8; bit += 11) {
        sector[bit >> 3] ^= 1 << (bit & 7);
        assert.equal(blanks.isAllUntouched(2, sector), false, `bit ${bit}`);
        sector[bit >> 3] ^= 1 << (bit & 7);
      }
    });

    it("goes into one record, 16 bytes where it reads clear and 48 where not, and comes back from it at any offset", () => {
      const record = recordOf(blanksWith(5, sector), 5);
      assert.equal(record.length, name === "plain" ? 16 : 48);
      assert.deepEqual([record[0] >> 4, recordLength(record, 0)], [Record.blank, record.length]);
      const later = new Uint8Array(record.length + 32);
      later.set(record, 32);
      const after = new Blanks(HEADER_BYTES);
      after.takeRecord(later, 32, 3);
      assert.deepEqual(
        [after.isKnown(5), after.isKnown(4), after.isAllUntouched(5, sector)],
        [true, false, true],
      );
      assert.deepEqual(
        [after.isRecordedIn(5, 3), after.isRecordedIn(5, 4), after.isRecordedIn(4, 3)],
        [true, false, false],
      );
      sector[999] ^= 1;
      assert.equal(after.isAllUntouched(5, sector), false);
      sector[999] ^= 1;
    });

    it("is nothing once it is forgotten, and a record takes back what another said", () => {
      const blanks = blanksWith(5, sector);
      blanks.recorded(5, 3);
      blanks.forget(5);
      assert.deepEqual(
        [blanks.isKnown(5), blanks.isUntouched(5, sector, 4), blanks.isRecordedIn(5, 3)],
        [false, false, false],
      );
      assert.equal(blanks.mustRetract(5), true, "a record stands that calls it blank");
      const record = recordOf(blanks, 5);
      assert.equal(record.length, 16);
      blanks.recorded(5, 4);
      assert.equal(blanks.mustRetract(5), false);
      const after = blanksWith(5, sector);
      after.takeRecord(record, 0, 4);
      assert.deepEqual([after.isKnown(5), after.mustRetract(5)], [false, false]);
      assert.equal(after.isAllUntouched(5, sector), false);
    });

    it("need not be taken back where nothing is recorded", () => {
      const blanks = blanksWith(5, sector);
      assert.deepEqual([blanks.mustRetract(5), blanks.mustRetract(6)], [false, false]);
      blanks.forget(5);
      assert.equal(blanks.mustRetract(5), false);
    });
  });

describe("Several sectors", () => {
  const [, [, noise]] = KINDS;

  it("are known at a time: the newest and four behind it, however many blocks between them are bad", () => {
    for (const numbers of [
      [4, 5, 6, 7, 8],
      [5, 6, 7, 13, 14],
      [8, 16, 24, 32, 40],
    ]) {
      const blanks = new Blanks(HEADER_BYTES);
      const sectors = numbers.map((number) => new Dice(number).bytes(SECTOR_BYTES));
      numbers.forEach((number, i) => {
        blanks.keep(number, sectors[i]);
        blanks.recorded(number, 3);
      });
      numbers.forEach((number, i) => {
        assert.equal(blanks.isAllUntouched(number, sectors[i]), true, `${number} of ${numbers}`);
        assert.equal(blanks.isRecordedIn(number, 3), true);
      });
    }
  });

  it("are not taken for each other", () => {
    const blanks = blanksWith(3, noise);
    for (const other of [1, 2, 4, 11, 3 + 8, 3 + 256]) {
      assert.equal(blanks.isKnown(other), false, `${other}`);
      assert.equal(blanks.isAllUntouched(other, noise), false);
    }
  });

  it("make room for newer ones: a log goes round a thousand times", () => {
    const blanks = new Blanks(HEADER_BYTES);
    for (let newest = 1; newest < 1000; newest++) {
      blanks.keep(newest + 4, noise);
      blanks.recorded(newest + 4, newest);
      for (let ahead = newest === 1 ? 4 : 0; ahead <= 4; ahead++)
        if (newest + ahead >= 5) assert.equal(blanks.isKnown(newest + ahead), true, `${newest} and ${ahead}`);
    }
  });
});
