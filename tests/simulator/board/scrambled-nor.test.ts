// Flash behind encryption: erased is noise, a block is one thing, and what is torn is spoilt.

import assert from "node:assert/strict";
import { FaultyNor } from "../../../simulator/board/faulty-nor";
import { FlashMisuse, SECTOR_BYTES } from "../../../simulator/board/nor";
import { ERASE_TORN, PAGE_BYTES, POWER_CUT, Power, type Torn } from "../../../simulator/board/power";
import { ScrambledNor, type ScrambledOptions } from "../../../simulator/board/scrambled-nor";
import { tear } from "../../../simulator/board/tear";

const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const fresh = (options?: ScrambledOptions): ScrambledNor => new ScrambledNor(2 * SECTOR_BYTES, options);

function contentOf(flash: ScrambledNor | FaultyNor, offset: number, length: number): Uint8Array {
  const buffer = new Uint8Array(length);
  flash.read(buffer, offset);
  return buffer;
}

describe("An erased sector of a scrambled flash", () => {
  it("reads as noise, always the same, different in each place, of each key", () => {
    const flash = fresh();
    const content = contentOf(flash, 0, SECTOR_BYTES);
    assert.ok(new Set(content).size > 250);
    assert.deepEqual(contentOf(flash, 0, SECTOR_BYTES), content);
    assert.deepEqual(contentOf(fresh(), 0, SECTOR_BYTES), content);
    assert.notDeepEqual(contentOf(flash, SECTOR_BYTES, SECTOR_BYTES), content);
    assert.notDeepEqual(contentOf(fresh({ seed: 1 }), 0, SECTOR_BYTES), content);
  });

  it("reads as other noise after each erase, and the neighbour does not change", () => {
    const flash = fresh();
    const [before, neighbour] = [0, SECTOR_BYTES].map((at) => contentOf(flash, at, SECTOR_BYTES));
    flash.eraseBlock(0, 1);
    assert.notDeepEqual(contentOf(flash, 0, SECTOR_BYTES), before);
    assert.deepEqual(contentOf(flash, SECTOR_BYTES, SECTOR_BYTES), neighbour);
  });
});

describe("A block of a scrambled flash", () => {
  it("reads as programmed, whatever was there before, 0xFF too", () => {
    const flash = fresh();
    flash.write(bytes(16, 0xff), 16);
    flash.write(bytes(16, 0x00), 32);
    assert.deepEqual(contentOf(flash, 16, 32), Uint8Array.from([...bytes(16, 0xff), ...bytes(16, 0)]));
  });

  it("is programmed once between erases, over a boot too", () => {
    const flash = new FaultyNor(fresh());
    flash.write(bytes(16, 0xff), 16);
    const booted = FaultyNor.boot(flash.image());
    assert.throws(() => booted.write(bytes(16, 0xff), 16), FlashMisuse);
    booted.eraseBlock(0, 1);
    booted.write(bytes(16, 1), 16);
    assert.deepEqual(contentOf(booted, 16, 16), bytes(16, 1));
  });

  it("holds neither when it is programmed twice, as the device does", () => {
    const flash = fresh({ overwrites: "garbage" });
    flash.write(bytes(16, 0x3c), 0);
    flash.write(bytes(32, 0x3c), 0);
    assert.notDeepEqual(contentOf(flash, 0, 16), bytes(16, 0x3c));
    assert.deepEqual(contentOf(flash, 16, 16), bytes(16, 0x3c));
  });

  it("is spoilt by a flipped bit, and no other is", () => {
    const flash = fresh();
    flash.write(bytes(48, 0x3c), 0);
    flash.flip(8 * 20);
    assert.deepEqual(contentOf(flash, 0, 16), bytes(16, 0x3c));
    assert.ok(contentOf(flash, 16, 16).filter((byte) => byte !== 0x3c).length > 8);
    assert.deepEqual(contentOf(flash, 32, 16), bytes(16, 0x3c));
  });
});

describe("A cut of a scrambled flash", () => {
  /** What a program of 64 bytes at 0 leaves: for each block whether it is whole, spoilt or erased still. */
  function ends(cutBytes: number, torn: Torn): string[] {
    const power = new Power({ operation: 0, bytes: cutBytes, torn, seed: 3 });
    const flash = new FaultyNor(fresh(), { power });
    const erased = flash.bytes.slice();
    assert.throws(() => flash.write(bytes(64, 0x3c), 0), POWER_CUT);
    const after = FaultyNor.boot(flash.image());
    return [0, 16, 32, 48].map((at) => {
      const block = Buffer.from(contentOf(after, at, 16));
      const isErased = block.equals(erased.subarray(at, at + 16));
      if (!isErased) assert.throws(() => after.write(bytes(16, 0), at), FlashMisuse);
      else after.write(bytes(16, 0), at);
      return isErased ? "erased" : block.every((byte) => byte === 0x3c) ? "whole" : "spoilt";
    });
  }

  it("spoils the block at hand, and leaves those behind erased", () => {
    assert.deepEqual(ends(0, "clean"), ["erased", "erased", "erased", "erased"]);
    assert.deepEqual(ends(1, "clean"), ["spoilt", "erased", "erased", "erased"]);
    assert.deepEqual(ends(31, "clean"), ["whole", "spoilt", "erased", "erased"]);
    assert.deepEqual(ends(32, "clean"), ["whole", "whole", "erased", "erased"]);
    assert.deepEqual(ends(32, "half-byte"), ["whole", "whole", "spoilt", "erased"]);
    assert.deepEqual(ends(16, "scattered"), ["whole", "spoilt", "spoilt", "spoilt"]);
    assert.deepEqual(ends(64, "clean"), ["whole", "whole", "whole", "whole"]);
    assert.ok(ends(64, "weak").includes("spoilt"));
  });

  it("leaves each page of an erase erased anew, spoilt, flickering or untouched", () => {
    const flash = new FaultyNor(fresh());
    flash.write(bytes(SECTOR_BYTES, 0x3c), 0);
    const before = flash.image();
    flash.eraseBlock(0, 1);
    const erased = flash.bytes;
    const erase = { kind: "erase", offset: 0, length: SECTOR_BYTES } as const;
    for (const torn of ERASE_TORN) {
      const image = tear(before, erase, { operation: 0, bytes: PAGE_BYTES, torn });
      const after = FaultyNor.boot(image);
      assert.deepEqual(contentOf(after, 0, PAGE_BYTES), erased.slice(0, PAGE_BYTES), torn);
      const behind = contentOf(after, 2 * PAGE_BYTES, SECTOR_BYTES - 2 * PAGE_BYTES);
      assert.ok(
        behind.every((byte) => byte === 0x3c),
        torn,
      );
      const page = new Set(Array.from({ length: 20 }, () => contentOf(after, PAGE_BYTES, PAGE_BYTES).join()));
      assert.equal(page.size > 1, ["unstable", "begun", "nearly"].includes(torn), torn);
    }
  });

  it("a page weakly erased is spoilt in places at the second boot", () => {
    const flash = new FaultyNor(fresh());
    flash.write(bytes(PAGE_BYTES, 0x3c), 0);
    const erase = { kind: "erase", offset: 0, length: SECTOR_BYTES } as const;
    const once = FaultyNor.boot(tear(flash.image(), erase, { operation: 0, bytes: 0, torn: "weak" }));
    once.write(bytes(PAGE_BYTES, 0x3c), 0);
    assert.deepEqual(contentOf(once, 0, PAGE_BYTES), bytes(PAGE_BYTES, 0x3c));
    assert.notDeepEqual(contentOf(FaultyNor.boot(once.image()), 0, PAGE_BYTES), bytes(PAGE_BYTES, 0x3c));
  });
});
