// Records: every type mended of every single flipped bit, and nothing stale that verifies.

import assert from "node:assert/strict";
import fc from "fast-check";
import { crc32 } from "../../../../firmware/core/storage/crc";
import {
  ACK_BYTES,
  ACKS_HEAD,
  ACKS_PER_RECORD,
  bareEntry,
  CRC_BYTES,
  checkRecord,
  commits,
  HEAD,
  lengthFor,
  MAX_RECORD_BYTES,
  markEntry,
  OUTCOME_BYTES,
  POSITION_BYTES,
  putHead,
  Record,
  recordLength,
  recordType,
  SLOT_BYTES,
  SLOT_COPY_BYTES,
  seal,
  slotOf,
  UNIT,
  USAGE_BYTES,
  USAGE_GROUP,
  USAGE_RECORD_BYTES,
  wasInstalled,
} from "../../../../firmware/core/storage/records";
import { ENTRY_BYTES, emptyEntry, packEntry } from "../../../../protocol/wire/entry";
import { Dice, SEED } from "../../../support/dice";
import { LOCK_1000 } from "../../../support/door";

const LENGTHS = new Map<number, number>([
  [Record.slot, SLOT_BYTES],
  [Record.slotCopy, SLOT_COPY_BYTES],
  [Record.schedule, 64],
  [Record.scheduleCopy, 48],
  [Record.setting, 96],
  [Record.settingCopy, 80],
  [Record.removal, 160],
  [Record.outcome, OUTCOME_BYTES],
  [Record.acks, MAX_RECORD_BYTES],
  [Record.usage, USAGE_RECORD_BYTES],
  [Record.state, 32],
  [Record.erase, UNIT],
]);

/** A sealed record of this type with random content. */
function record(dice: Dice, type: number, length: number, seed: number): Uint8Array {
  const bytes = dice.bytes(length);
  if (type === Record.slot || type === Record.slotCopy) bytes[0] = (type << 4) | (bytes[0] & 7);
  else putHead(bytes, type, length, bytes[2], bytes[3]);
  seal(bytes, length, seed);
  return bytes;
}

/** The seed of a sector, as the log makes it: a CRC, so that those of neighbours are far apart. */
function seedOf(sector: number): number {
  const input = Buffer.alloc(12, 7);
  input.writeUInt32BE(sector, 8);
  return crc32(input, 0, 12, 0);
}

describe("C25 records are small", () => {
  it("a slot's record is 64 bytes with its commit and log position", () => {
    assert.ok(ENTRY_BYTES + POSITION_BYTES + CRC_BYTES <= SLOT_BYTES);
    assert.equal(SLOT_BYTES, 64);
    assert.ok(ENTRY_BYTES + CRC_BYTES <= SLOT_COPY_BYTES);
  });

  it("a removal of 1000 slots is 160 bytes, and each payload fits the length that is said of it", () => {
    assert.equal(lengthFor(2 + Math.ceil(LOCK_1000.slots / 8), true), 160);
    assert.ok(HEAD + USAGE_GROUP * USAGE_BYTES + CRC_BYTES <= USAGE_RECORD_BYTES);
    assert.ok(ACKS_HEAD + ACKS_PER_RECORD * ACK_BYTES + CRC_BYTES <= MAX_RECORD_BYTES);
    assert.ok(ACKS_HEAD + (ACKS_PER_RECORD + 1) * ACK_BYTES + CRC_BYTES > MAX_RECORD_BYTES);
    fc.assert(
      fc.property(fc.nat(200), fc.boolean(), (payload, position) => {
        const left =
          lengthFor(payload, position) - HEAD - payload - CRC_BYTES - (position ? POSITION_BYTES : 0);
        assert.ok(left >= 0 && left < UNIT);
      }),
    );
  });

  it("exactly those that carry a log position commit a delta", () => {
    const committing = [...LENGTHS.keys()].filter(commits);
    assert.deepEqual(committing, [
      Record.slot,
      Record.schedule,
      Record.setting,
      Record.removal,
      Record.outcome,
    ]);
  });
});

describe("A record verifies in its own sector and nowhere else", () => {
  for (const [type, length] of LENGTHS)
    it(`type ${type}, ${length} bytes (seed ${SEED})`, () => {
      const dice = new Dice(SEED + type);
      const bytes = record(dice, type, length, seedOf(77));
      assert.equal(recordLength(bytes, 0), length);
      assert.equal(recordType(bytes, 0), type);
      assert.equal(checkRecord(bytes, 0, length, seedOf(77), false), length);
      assert.equal(checkRecord(bytes, 0, length - 1, seedOf(77), true), 0, "one byte short");
      for (let other = 1; other < 500; other++)
        if (other !== 77)
          assert.equal(checkRecord(bytes, 0, length, seedOf(other), true), 0, `sector ${other}`);
    });

  it("no bytes of erased or zeroed flash are one", () => {
    for (const value of [0xff, 0x00]) {
      const bytes = new Uint8Array(MAX_RECORD_BYTES).fill(value);
      assert.equal(checkRecord(bytes, 0, bytes.length, 0, true), 0);
    }
  });
});

describe("A single flipped bit is mended", () => {
  for (const [type, length] of LENGTHS)
    it(`at every place of a record of type ${type}, also in type, length and CRC (seed ${SEED})`, () => {
      const whole = record(new Dice(SEED + type), type, length, 4711);
      const buffer = new Uint8Array(MAX_RECORD_BYTES + UNIT).fill(0xff);
      for (let bit = 0; bit < length * 8; bit++) {
        buffer.set(whole, UNIT);
        buffer[UNIT + (bit >> 3)] ^= 1 << (bit & 7);
        assert.equal(
          checkRecord(buffer, UNIT, buffer.length, 4711, false),
          0,
          `bit ${bit}, not to be mended`,
        );
        assert.equal(checkRecord(buffer, UNIT, buffer.length, 4711, true), length, `bit ${bit}`);
        assert.deepEqual(buffer.subarray(UNIT, UNIT + length), whole);
      }
    });

  it(`two flipped bits are never taken for a record, and nothing is changed (seed ${SEED})`, () => {
    const dice = new Dice(SEED);
    for (const [type, length] of LENGTHS)
      for (let round = 0; round < 200; round++) {
        const bytes = record(dice, type, length, round);
        const [first, second] = [dice.below(length * 8), dice.below(length * 8)];
        if (first === second) continue;
        bytes[first >> 3] ^= 1 << (first & 7);
        bytes[second >> 3] ^= 1 << (second & 7);
        const before = bytes.slice();
        assert.equal(checkRecord(bytes, 0, length, round, true), 0);
        assert.deepEqual(bytes, before);
      }
  });
});

describe("A slot's record says which slot it is, and how it was answered", () => {
  it("for every slot, without a change to the 41 bytes that the digest is made of", () => {
    const bytes = new Uint8Array(SLOT_BYTES);
    for (let slot = 0; slot < LOCK_1000.slots; slot++) {
      const entry = { ...emptyEntry(), slot, kind: 3, role: 6, minutesAfterFirstUse: 2880 };
      packEntry(entry, bytes, 0);
      const bare = bytes.slice(0, ENTRY_BYTES);
      for (const installed of [true, false]) {
        markEntry(bytes, 0, Record.slot, installed);
        assert.deepEqual(
          [slotOf(bytes, 0), recordType(bytes, 0), wasInstalled(bytes, 0)],
          [slot, 1, installed],
        );
      }
      assert.deepEqual(bareEntry(bytes, 0), bare);
    }
  });
});
