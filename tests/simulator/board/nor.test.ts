// The virtual flash is stricter than a real one, and counts what it does.

import assert from "node:assert/strict";
import { FlashMisuse, NorFlash, SECTOR_BYTES } from "../../../simulator/board/nor";

const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

function contentOf(flash: NorFlash, offset: number, length: number): number[] {
  const buffer = new Uint8Array(length);
  flash.read(buffer, offset);
  return [...buffer];
}

describe("The virtual NOR flash is stricter than a real one", () => {
  it("reads 0xFF where nothing was programmed, and what was programmed elsewhere", () => {
    const flash = new NorFlash(2 * SECTOR_BYTES);
    flash.write(bytes(32, 0x5a), 64);
    assert.deepEqual(contentOf(flash, 62, 4), [0xff, 0xff, 0x5a, 0x5a]);
    assert.deepEqual(contentOf(flash, 95, 2), [0x5a, 0xff]);
  });

  it("programs a block of 16 bytes once between erases, even when only bits would be cleared", () => {
    const flash = new NorFlash(SECTOR_BYTES);
    flash.write(bytes(16, 0xff), 0);
    assert.throws(() => flash.write(bytes(16, 0x00), 0), FlashMisuse);
    assert.throws(() => flash.write(bytes(32, 0x00), 0), FlashMisuse);
    flash.write(bytes(16, 0x00), 16);
  });

  it("knows after a power cycle what was programmed", () => {
    const before = new NorFlash(SECTOR_BYTES);
    before.write(bytes(16, 0xfe), 32);
    const after = new NorFlash(SECTOR_BYTES, before.bytes);
    assert.throws(() => after.write(bytes(16, 0x00), 32), FlashMisuse);
    after.write(bytes(16, 0x00), 48);
    assert.equal(before.bytes[48], 0xff);
  });

  it("erases whole sectors and no other, and counts what it did", () => {
    const flash = new NorFlash(3 * SECTOR_BYTES);
    for (const offset of [0, SECTOR_BYTES, 2 * SECTOR_BYTES]) flash.write(bytes(16, 0), offset);
    flash.eraseBlock(1, 2);
    assert.deepEqual(
      [0, SECTOR_BYTES, 2 * SECTOR_BYTES].map((offset) => contentOf(flash, offset, 1)[0]),
      [0, 0xff, 0],
    );
    flash.write(bytes(16, 1), SECTOR_BYTES);
    assert.deepEqual([...flash.sectorErases], [0, 1, 0]);
    assert.deepEqual(flash.counters, { programs: 4, programmedBytes: 64, reads: 3, readBytes: 3, erases: 1 });
  });

  it("remembers the first misuse, for those who take every exception for a fault of the device", () => {
    const flash = new NorFlash(SECTOR_BYTES);
    flash.write(bytes(16, 0), 32);
    for (const offset of [32, 8]) assert.throws(() => flash.write(bytes(16, 0), offset), FlashMisuse);
    assert.match(String(flash.misuse), /flash write at 32: programmed already/);
  });

  it("flips any bit of its cells at rest", () => {
    const flash = new NorFlash(SECTOR_BYTES);
    flash.flip(8 * 100 + 3);
    assert.equal(contentOf(flash, 100, 1)[0], 0xff ^ 8);
    flash.flip(8 * 100 + 3);
    assert.equal(contentOf(flash, 100, 1)[0], 0xff);
  });

  it("refuses misaligned writes, and any access past the end", () => {
    const flash = new NorFlash(SECTOR_BYTES);
    for (const [length, offset] of [
      [16, 8],
      [8, 16],
      [17, 0],
      [16, SECTOR_BYTES],
      [32, SECTOR_BYTES - 16],
      [16, -16],
      [16, 0.5],
    ])
      assert.throws(() => flash.write(bytes(length, 0), offset), FlashMisuse, `${length} at ${offset}`);
    assert.throws(() => flash.read(new Uint8Array(2), SECTOR_BYTES - 1), FlashMisuse);
    assert.throws(() => flash.eraseBlock(0, 2), FlashMisuse);
    flash.read(new Uint8Array(1), SECTOR_BYTES - 1);
    flash.write(bytes(16, 0), SECTOR_BYTES - 16);
  });

  it("is made of whole sectors, with an image of its size", () => {
    assert.throws(() => new NorFlash(0), FlashMisuse);
    assert.throws(() => new NorFlash(SECTOR_BYTES + 1), FlashMisuse);
    assert.throws(() => new NorFlash(SECTOR_BYTES, new Uint8Array(SECTOR_BYTES - 1)), FlashMisuse);
    assert.deepEqual(new NorFlash(2 * SECTOR_BYTES).status(), {
      size: 2 * SECTOR_BYTES,
      blockLength: SECTOR_BYTES,
      blocks: 2,
    });
  });
});
