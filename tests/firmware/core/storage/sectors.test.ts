// The sectors under the log: headers, reads and programs that are looked at, and erases that are not taken on trust.

import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { crc32 } from "../../../../firmware/core/storage/crc";
import { putLink, Record, recordLength, seal } from "../../../../firmware/core/storage/records";
import { FORMAT, HEADER_BYTES, Sectors } from "../../../../firmware/core/storage/sectors";
import { FaultyNor } from "../../../../simulator/board/faulty-nor";
import { NorFlash, SECTOR_BYTES } from "../../../../simulator/board/nor";
import { ScrambledNor } from "../../../../simulator/board/scrambled-nor";
import { Dice, SEED } from "../../../support/dice";
import { LOCK } from "../../../support/values";

const COUNT = 6;
const BYTES = COUNT * SECTOR_BYTES;
const PROFILE = 2;

function sectorsOn(flash: ConstructorParameters<typeof Sectors>[0]): Sectors {
  return new Sectors(flash, LOCK, PROFILE);
}

/** Both kinds of flash, erased. */
function* kinds(): Generator<[name: string, flash: NorFlash]> {
  yield ["plain", new NorFlash(BYTES)];
  yield ["scrambled", new ScrambledNor(BYTES, { seed: SEED })];
}

describe("The ring of sectors", () => {
  it("puts number s into block (s − 1) mod n, whatever n", () => {
    for (const count of [4, 6, 48]) {
      const sectors = sectorsOn(new NorFlash(count * SECTOR_BYTES));
      assert.deepEqual([sectors.count, sectors.bytes], [count, SECTOR_BYTES]);
      for (let number = 1; number < 200; number++)
        assert.equal(sectors.start(number), ((number - 1) % count) * SECTOR_BYTES);
    }
  });

  it("seeds the CRCs of each number and each lock differently", () => {
    const seeds = new Set<number>();
    for (const lock of [LOCK, Uint8Array.of(...LOCK.subarray(0, 7), 9)]) {
      const sectors = new Sectors(new NorFlash(BYTES), lock, PROFILE);
      for (let number = 1; number <= 5000; number++) seeds.add(sectors.seed(number));
    }
    assert.equal(seeds.size, 10_000);
  });
});

describe("A header", () => {
  /** A flash with one header. */
  function written(header = { number: 9, oldest: 7, position: 0x123456, link: 0x1234 }): NorFlash {
    const flash = new NorFlash(BYTES);
    assert.equal(sectorsOn(flash).writeHeader(header), true);
    return flash;
  }

  it("comes back as it was written", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 0xffffff }),
        fc.nat(255),
        fc.nat(0xffffff),
        fc.nat(0xffff),
        (number, back, position, link) => {
          const oldest = Math.max(1, number - back);
          const sectors = sectorsOn(written({ number, oldest, position, link }));
          assert.equal(sectors.readHeader((number - 1) % COUNT), undefined);
          assert.deepEqual({ ...sectors.header }, { number, oldest, position, link });
        },
      ),
    );
  });

  it("is laid out as documented: 32 bytes with magic, format, profile, number, position, lock, link and CRC-32", () => {
    const { bytes } = written();
    const oracle = (zlib as unknown as { crc32(data: Uint8Array): number }).crc32;
    const at = 2 * SECTOR_BYTES;
    const before = [0x54, 0x4d, 0x42, 0x4c, 1, PROFILE, 2, 0, 0, 0, 0, 9, 0x12, 0x34, 0x56, 0];
    const content = [...before, ...LOCK, 0x12, 0x34, 0, 0];
    assert.deepEqual([...bytes.subarray(at, at + 28)], content);
    assert.equal(Buffer.from(bytes).readUInt32BE(at + 28), oracle(Uint8Array.from(content)));
    assert.ok(bytes.subarray(at + HEADER_BYTES).every((byte) => byte === 0xff));
    assert.deepEqual([HEADER_BYTES, FORMAT], [32, 1]);
  });

  it("is mended of every single flipped bit", () => {
    const { bytes } = written();
    for (let bit = 0; bit < HEADER_BYTES * 8; bit++) {
      const flash = new NorFlash(BYTES, bytes);
      flash.flip(2 * SECTOR_BYTES * 8 + bit);
      const sectors = sectorsOn(flash);
      assert.equal(sectors.readHeader(2), undefined);
      assert.deepEqual(
        { ...sectors.header },
        { number: 9, oldest: 7, position: 0x123456, link: 0x1234 },
        `bit ${bit}`,
      );
    }
  });

  it("is none with two flipped bits, erased, zeroed, or in a block that is not its number's", () => {
    const dice = new Dice(SEED);
    const { bytes } = written();
    for (let round = 0; round < 300; round++) {
      const flash = new NorFlash(BYTES, bytes);
      const [first, second] = [dice.below(256), dice.below(256)];
      if (first === second) continue;
      for (const bit of [first, second]) flash.flip(2 * SECTOR_BYTES * 8 + bit);
      const sectors = sectorsOn(flash);
      assert.deepEqual(
        [sectors.readHeader(2), sectors.header.number],
        [undefined, 0],
        `bits ${first}, ${second}`,
      );
    }
    const sectors = sectorsOn(
      new NorFlash(
        BYTES,
        bytes.map((byte, i) => (i < SECTOR_BYTES ? 0 : byte)),
      ),
    );
    for (const block of [0, 1, 3, 4, 5]) {
      assert.deepEqual([sectors.readHeader(block), sectors.header.number], [undefined, 0]);
    }
    bytes.copyWithin(4 * SECTOR_BYTES, 2 * SECTOR_BYTES, 3 * SECTOR_BYTES);
    const moved = sectorsOn(new NorFlash(BYTES, bytes));
    assert.deepEqual([moved.readHeader(4), moved.header.number], [undefined, 0]);
  });

  it("stops whoever is another lock, another profile, or older than its format", () => {
    const { bytes } = written();
    const change = (at: number, byte: number): NorFlash => {
      const flash = new NorFlash(BYTES, bytes);
      const header = flash.bytes.subarray(2 * SECTOR_BYTES, 2 * SECTOR_BYTES + HEADER_BYTES);
      header[at] = byte;
      new DataView(header.buffer, header.byteOffset).setInt32(28, crc32(header, 0, 28, 0));
      return flash;
    };
    for (let i = 0; i < 8; i++) assert.equal(sectorsOn(change(16 + i, 0xee)).readHeader(2), "foreign");
    assert.equal(sectorsOn(change(5, PROFILE + 1)).readHeader(2), "foreign");
    assert.equal(sectorsOn(change(4, FORMAT + 1)).readHeader(2), "newer-format");
    assert.equal(sectorsOn(change(4, 255)).readHeader(2), "newer-format");
    assert.equal(sectorsOn(change(4, FORMAT)).readHeader(2), undefined);
  });
});

describe("Reads and programs", () => {
  it("a read that fails is tried once more, and not a third time", () => {
    for (const [readErrors, isRead] of [
      [[0], true],
      [[0, 1], false],
    ] as const) {
      const sectors = sectorsOn(new FaultyNor(new NorFlash(BYTES), { readErrors }));
      assert.equal(sectors.device.read(new Uint8Array(16), 0), isRead);
      assert.equal(sectors.device.faults, readErrors.length);
    }
  });

  it("a program counts only when it reads back as it was meant", () => {
    for (const kind of ["program-error", "silent"] as const) {
      const flash = new FaultyNor(new NorFlash(BYTES), { sectors: [{ kind, sector: 1 }] });
      const sectors = sectorsOn(flash);
      const record = new Uint8Array(32).fill(7);
      assert.equal(sectors.device.program(record.subarray(0, 32), 0), true);
      assert.equal(sectors.device.program(record.subarray(0, 32), SECTOR_BYTES), false);
      assert.equal(sectors.device.faults, 1);
    }
    const noRead = sectorsOn(new FaultyNor(new NorFlash(BYTES), { readErrors: [0, 1] }));
    assert.equal(noRead.device.program(new Uint8Array(16), 0), false);
  });

  it("a program takes as many bytes of the buffer as it is told", () => {
    const flash = new NorFlash(BYTES);
    assert.equal(sectorsOn(flash).device.program(new Uint8Array(48), 256), true);
    assert.equal(flash.bytes[256 + 47], 0);
    assert.equal(flash.bytes[256 + 48], 0xff);
  });

  it("nothing throws, whatever the device does", () => {
    for (const kind of ["program-error", "erase-error", "read-error", "silent"] as const) {
      const sectors = sectorsOn(
        new FaultyNor(new NorFlash(BYTES, new Uint8Array(BYTES)), { sectors: [{ kind }] }),
      );
      sectors.device.read(new Uint8Array(16), 0);
      sectors.device.program(new Uint8Array(16), 0);
      sectors.erase(1);
      sectors.readHeader(0);
      sectors.stillBlank(1, new Uint8Array(SECTOR_BYTES));
    }
  });
});

describe("The next sector that is known to be blank", () => {
  it("is found in the order of the ring, no further than once around", () => {
    const sectors = sectorsOn(new NorFlash(BYTES));
    for (const number of [7, 9, 10]) assert.equal(sectors.erase(number), true);
    assert.deepEqual([sectors.nextBlank(6, 6), sectors.nextBlank(7, 6), sectors.nextBlank(10, 6)], [7, 9, 0]);
    assert.equal(sectors.nextBlank(1, 1), 0, "a whole round behind");
    sectors.blanks.forget(9);
    assert.equal(sectors.nextBlank(7, 6), 10);
  });
});

describe("An erase", () => {
  it("is believed when the sector reads like an erased one, and then it is known", () => {
    for (const [name, flash] of kinds()) {
      const sectors = sectorsOn(flash);
      assert.equal(sectors.blanks.isKnown(3), false);
      assert.equal(sectors.erase(3), true, name);
      assert.deepEqual(
        [sectors.blanks.isKnown(3), sectors.blanks.isKnown(4), sectors.device.faults],
        [true, false, 0],
      );
      assert.equal(sectors.stillBlank(3, new Uint8Array(SECTOR_BYTES)), true);
    }
  });

  /** A flash whose third block holds what number 3 left there, with or without a header. */
  function used(flash: NorFlash, isHeaded: boolean): NorFlash {
    const sectors = sectorsOn(flash);
    sectors.erase(3);
    if (isHeaded) sectors.writeHeader({ number: 3, oldest: 1, position: 5, link: 0 });
    const dice = new Dice(SEED);
    for (let at = HEADER_BYTES; at + 48 <= SECTOR_BYTES; at += 48) {
      const record = dice.bytes(48);
      record[0] = Record.slotCopy << 4;
      putLink(record, recordLength(record, 0), 5);
      seal(record, 48, sectors.seed(3));
      sectors.device.program(record.subarray(0, 48), sectors.start(3) + at);
    }
    return flash;
  }

  it("that did nothing is not believed while a header or a record of its former life stands there", () => {
    for (const isHeaded of [true, false])
      for (const [name, flash] of kinds()) {
        const stuck = new FaultyNor(used(flash, isHeaded), { sectors: [{ kind: "silent" }] });
        const sectors = sectorsOn(stuck);
        assert.equal(sectors.erase(3 + COUNT), false, `${name}, headed: ${isHeaded}`);
        assert.deepEqual([sectors.blanks.isKnown(3 + COUNT), sectors.device.faults], [false, 1]);
      }
  });

  it("is not believed when the header that stands there has a flipped bit", () => {
    const [, scrambled] = [...kinds()].map(([, flash]) => flash);
    const flash = used(scrambled, true);
    flash.bytes.fill(0xa5, 2 * SECTOR_BYTES + HEADER_BYTES, 3 * SECTOR_BYTES);
    flash.bytes[2 * SECTOR_BYTES + 9] ^= 4;
    assert.equal(sectorsOn(new FaultyNor(flash, { sectors: [{ kind: "silent" }] })).erase(3 + COUNT), false);
  });

  it("is not believed when the device says that it failed, or cannot read behind it", () => {
    for (const kind of ["erase-error", "read-error"] as const) {
      const sectors = sectorsOn(new FaultyNor(new NorFlash(BYTES), { sectors: [{ kind }] }));
      assert.equal(sectors.erase(1), false);
      assert.equal(sectors.blanks.isKnown(1), false);
    }
  });

  it("that fails twice makes the block bad until the next boot, or until it takes a header", () => {
    const flash = new FaultyNor(new NorFlash(BYTES));
    const sectors = sectorsOn(flash);
    flash.fail({ kind: "erase-error", sector: 2 });
    assert.equal(sectors.isBad(3), false);
    assert.equal(sectors.erase(3), false);
    assert.equal(sectors.isBad(3), false);
    assert.equal(sectors.erase(3 + COUNT), false);
    assert.deepEqual([sectors.isBad(3), sectors.isBad(3 + COUNT), sectors.isBad(4)], [true, true, false]);
    assert.equal(sectorsOn(flash).isBad(3), false, "another boot");
    flash.heal();
    assert.equal(sectors.erase(3), true);
    assert.equal(sectors.isBad(3), true, "an erase may say so and have done nothing");
    assert.ok(sectors.writeHeader({ number: 3, oldest: 1, position: 0, link: 0 }));
    assert.equal(sectors.isBad(3), false);
  });

  it("forgets what was known of the sector, also when it fails", () => {
    const flash = new FaultyNor(new NorFlash(BYTES));
    const sectors = sectorsOn(flash);
    sectors.erase(3);
    flash.fail({ kind: "erase-error" });
    sectors.erase(3);
    assert.equal(sectors.blanks.isKnown(3), false);
  });
});
