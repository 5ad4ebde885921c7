// Records: every type mended of every single flipped bit, links that say what stands before, and nothing stale that verifies.

import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { PROFILES } from "../../../../firmware/core/profile";
import { crc32 } from "../../../../firmware/core/storage/crc";
import { Keys, MANY_KEYS, NO_KEY } from "../../../../firmware/core/storage/keys";
import {
  ACK_BYTES,
  ACKS_HEAD,
  ACKS_PER_RECORD,
  bareEntry,
  CRC_BYTES,
  checkRecord,
  commits,
  HEAD,
  isCopy,
  isStaged,
  LINK_BYTES,
  lengthFor,
  linkOf,
  MAX_RECORD_BYTES,
  makeLink,
  markCopy,
  markEntry,
  markStaged,
  OUTCOME_BYTES,
  POSITION_BYTES,
  putHead,
  putLink,
  putOutcome,
  putPosition,
  Record,
  recordLength,
  recordType,
  removalBytes,
  SLOT_BYTES,
  SLOT_COPY_BYTES,
  seal,
  slotOf,
  TAIL,
  UNIT,
  USAGE_BYTES,
  USAGE_GROUP,
  USAGE_RECORD_BYTES,
  WINDOW_BYTES,
  wasInstalled,
} from "../../../../firmware/core/storage/records";
import { ENTRY_BYTES, emptyEntry, packEntry } from "../../../../protocol/wire/entry";
import { MAX_WINDOWS } from "../../../../protocol/wire/limits";
import { Dice, SEED } from "../../../support/dice";
import { L500I, LOCK_1000 } from "../../../support/door";

/** Every type with lengths that it comes in. */
const LENGTHS: readonly (readonly [type: number, length: number])[] = [
  [Record.slot, SLOT_BYTES],
  [Record.slotCopy, SLOT_COPY_BYTES],
  [Record.schedule, 32],
  [Record.schedule, 64],
  [Record.scheduleCopy, 16],
  [Record.scheduleCopy, 48],
  [Record.setting, 96],
  [Record.settingCopy, 80],
  [Record.removal, 32],
  [Record.removal, 160],
  [Record.outcome, OUTCOME_BYTES],
  [Record.acks, MAX_RECORD_BYTES],
  [Record.usage, USAGE_RECORD_BYTES],
  [Record.state, 32],
  [Record.moved, UNIT],
  [Record.blank, UNIT],
  [Record.blank, 48],
  [Record.keys, 80],
  [Record.keys, 208],
];

/** A sealed record of this type with random content and link. */
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

const lengths = fc.integer({ min: 1, max: 15 }).map((units) => units * UNIT);
const seeds = fc.nat(0xffffffff);

/** A sealed record of any type and length, and its seed. */
const sealed = fc
  .record({
    type: fc.integer({ min: Record.slot, max: Record.keys }),
    variable: lengths,
    seed: seeds,
    content: fc.uint8Array({ minLength: MAX_RECORD_BYTES, maxLength: MAX_RECORD_BYTES }),
  })
  .map(({ type, variable, seed, content }) => {
    const fixed = LENGTHS.find(([each]) => each === type && each <= Record.slotCopy)?.[1];
    const bytes = content.slice(0, fixed ?? variable);
    if (fixed === undefined) putHead(bytes, type, bytes.length, content[2], content[3]);
    else bytes[0] = (type << 4) | (bytes[0] & 15);
    seal(bytes, bytes.length, seed);
    return { bytes, seed };
  });

describe("C25 records are small", () => {
  it("a slot's record is 64 bytes with its commit and log position", () => {
    assert.equal(TAIL, LINK_BYTES + CRC_BYTES);
    assert.ok(ENTRY_BYTES + POSITION_BYTES + TAIL <= SLOT_BYTES);
    assert.equal(SLOT_BYTES, 64);
    assert.ok(ENTRY_BYTES + 1 + TAIL <= SLOT_COPY_BYTES);
    assert.ok(HEAD + 4 + POSITION_BYTES + TAIL <= OUTCOME_BYTES);
  });

  it("a removal of 1000 slots is 160 bytes, of 10 it is 32", () => {
    assert.deepEqual([removalBytes(LOCK_1000.slots), removalBytes(L500I.slots)], [160, 32]);
    for (const { slots } of PROFILES)
      assert.ok(HEAD + 2 + Math.ceil(slots / 8) + POSITION_BYTES + TAIL <= removalBytes(slots));
  });

  it("a schedule is as long as its windows make it: 32 to 64 bytes, its copy 16 to 48", () => {
    const counts = Array.from({ length: MAX_WINDOWS + 1 }, (_, count) => count);
    const withPosition = counts.map((count) => lengthFor(WINDOW_BYTES * count, true));
    assert.deepEqual(withPosition, [32, 32, 48, 48, 48, 48, 64, 64, 64]);
    const copies = counts.map((count) => lengthFor(WINDOW_BYTES * count, false));
    assert.deepEqual(copies, [16, 16, 32, 32, 32, 32, 48, 48, 48]);
  });

  it("each payload fits the length that is said of it, and one more ack would not", () => {
    assert.ok(HEAD + USAGE_GROUP * USAGE_BYTES + TAIL <= USAGE_RECORD_BYTES);
    assert.ok(ACKS_HEAD + ACKS_PER_RECORD * ACK_BYTES + TAIL <= MAX_RECORD_BYTES);
    assert.ok(ACKS_HEAD + (ACKS_PER_RECORD + 1) * ACK_BYTES + TAIL > MAX_RECORD_BYTES);
    fc.assert(
      fc.property(fc.nat(200), fc.boolean(), (payload, position) => {
        const length = lengthFor(payload, position);
        const left = length - HEAD - payload - TAIL - (position ? POSITION_BYTES : 0);
        assert.ok(left >= 0 && left < UNIT && length % UNIT === 0);
      }),
    );
  });

  it("exactly those that carry a log position commit a delta", () => {
    const types = Array.from({ length: 16 }, (_, type) => type);
    assert.deepEqual(types.filter(commits), [
      Record.slot,
      Record.schedule,
      Record.setting,
      Record.removal,
      Record.outcome,
    ]);
  });
});

describe("A record says how long it is", () => {
  it("of every first two bytes: a multiple of 16 up to 240, or that there is none", () => {
    const bytes = new Uint8Array(2);
    for (let first = 0; first < 256; first++)
      for (let second = 0; second < 256; second++) {
        bytes.set([first, second]);
        const type = first >> 4;
        let wanted = second >= 1 && second <= 15 ? 16 * second : 0;
        if (type === 0 || type === 15) wanted = 0;
        if (type === Record.slot) wanted = 64;
        if (type === Record.slotCopy) wanted = 48;
        assert.equal(recordLength(bytes, 0), wanted, `${first} ${second}`);
        assert.equal(recordType(bytes, 0), type);
      }
  });
});

describe("A link says what stands before", () => {
  it("a key of eleven bits and a number modulo 32, and gives both back", () => {
    fc.assert(
      fc.property(fc.nat(0x7ff), fc.nat(1_000_000), (key, number) => {
        const link = makeLink(key, number);
        assert.ok(link >= 0 && link <= 0xffff);
        assert.equal(link & 0x7ff, key);
        assert.equal(link >>> 11, number % 32);
      }),
    );
  });

  it("holds every key of every profile, and the two that stand for none and for many", () => {
    for (const profile of PROFILES) assert.ok(new Keys(profile).size <= MANY_KEYS, profile.name);
    for (const key of [MANY_KEYS, NO_KEY]) assert.equal(makeLink(key, 31) & 0x7ff, key);
    assert.ok(NO_KEY < 1 << 11);
  });

  it("stands right before the CRC, is covered by it, and touches nothing else", () => {
    fc.assert(
      fc.property(sealed, fc.nat(0xffff), ({ bytes, seed }, link) => {
        const before = bytes.slice();
        putLink(bytes, bytes.length, link);
        assert.equal(linkOf(bytes, 0, bytes.length), link);
        assert.deepEqual([...bytes.subarray(-6, -4)], [link >> 8, link & 0xff]);
        assert.deepEqual(bytes.subarray(0, -6), before.subarray(0, -6));
        const isSame = link === linkOf(before, 0, before.length);
        assert.equal(checkRecord(bytes, 0, bytes.length, seed, false) > 0, isSame);
      }),
    );
  });

  it("is read at any offset", () => {
    const bytes = new Uint8Array(64);
    bytes.set([0x12, 0x34], 16 + 32 - TAIL);
    assert.equal(linkOf(bytes, 16, 32), 0x1234);
  });
});

describe("A sealed record", () => {
  it("ends with the CRC-32 of all before it, begun with the seed, as zlib computes it", () => {
    const oracle = (zlib as unknown as { crc32(data: Uint8Array, value?: number): number }).crc32;
    fc.assert(
      fc.property(sealed, ({ bytes, seed }) => {
        const stored = Buffer.from(bytes).readUInt32BE(bytes.length - 4);
        assert.equal(stored, oracle(bytes.subarray(0, -4), seed));
        assert.equal(checkRecord(bytes, 0, bytes.length, seed, false), bytes.length);
      }),
    );
  });

  for (const [type, length] of LENGTHS)
    it(`verifies in its own sector and nowhere else: type ${type}, ${length} bytes (seed ${SEED})`, () => {
      const dice = new Dice(SEED + type);
      const bytes = record(dice, type, length, seedOf(77));
      assert.equal(recordLength(bytes, 0), length);
      assert.equal(recordType(bytes, 0), type);
      assert.equal(checkRecord(bytes, 0, length, seedOf(77), false), length);
      assert.equal(checkRecord(bytes, 0, length - 1, seedOf(77), true), 0, "one byte short");
      for (let other = 1; other < 400; other++)
        if (other !== 77)
          assert.equal(checkRecord(bytes, 0, length, seedOf(other), true), 0, `sector ${other}`);
    });

  it("is no bytes of erased or zeroed flash", () => {
    for (const value of [0xff, 0x00]) {
      const bytes = new Uint8Array(MAX_RECORD_BYTES).fill(value);
      for (const seed of [0, -1, seedOf(1)])
        assert.equal(checkRecord(bytes, 0, bytes.length, seed, true), 0, `${value}`);
    }
  });
});

describe("A single flipped bit is mended", () => {
  for (const [type, length] of LENGTHS)
    it(`at every place of a record of type ${type} of ${length} bytes, also in type, length, link and CRC (seed ${SEED})`, () => {
      const whole = record(new Dice(SEED + type), type, length, 4711);
      const buffer = new Uint8Array(MAX_RECORD_BYTES + UNIT).fill(0xff);
      for (let bit = 0; bit < length * 8; bit++) {
        buffer.set(whole, UNIT);
        buffer[UNIT + (bit >> 3)] ^= 1 << (bit & 7);
        const unmended = checkRecord(buffer, UNIT, buffer.length, 4711, false);
        assert.equal(unmended, 0, `bit ${bit}, not to be mended`);
        assert.equal(checkRecord(buffer, UNIT, buffer.length, 4711, true), length, `bit ${bit}`);
        assert.deepEqual(buffer.subarray(UNIT, UNIT + length), whole);
        assert.ok(buffer.subarray(UNIT + length).every((byte) => byte === 0xff));
      }
    });

  it("in any record under any seed", () => {
    fc.assert(
      fc.property(sealed, fc.nat(), ({ bytes, seed }, at) => {
        const flipped = bytes.slice();
        const bit = at % (bytes.length * 8);
        flipped[bit >> 3] ^= 1 << (bit & 7);
        assert.equal(checkRecord(flipped, 0, flipped.length, seed, true), bytes.length);
        assert.deepEqual(flipped, bytes);
      }),
      { numRuns: 500 },
    );
  });

  it(`two are never taken for a record, and nothing is changed (seed ${SEED})`, () => {
    const dice = new Dice(SEED);
    for (const [type, length] of LENGTHS)
      for (let round = 0; round < 150; round++) {
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

  it("as a copy, whether it was staged, which changes neither its slot nor its 41 bytes", () => {
    const bytes = new Uint8Array(SLOT_COPY_BYTES);
    packEntry({ ...emptyEntry(), slot: 999, kind: 2 }, bytes, 0);
    const bare = bytes.slice(0, ENTRY_BYTES);
    markEntry(bytes, 0, Record.slotCopy, false);
    assert.equal(isStaged(bytes, 0), false);
    markStaged(bytes, 0);
    assert.deepEqual(
      [isStaged(bytes, 0), slotOf(bytes, 0), recordType(bytes, 0)],
      [true, 999, Record.slotCopy],
    );
    assert.deepEqual(bareEntry(bytes, 0), bare);
  });
});

describe("Marks in the first byte", () => {
  it("only copies of slots, schedules and settings are ever staged: an answer is not mistaken for it", () => {
    const bytes = new Uint8Array(SLOT_BYTES);
    for (const [type, length] of LENGTHS) {
      putHead(bytes, type, length, 1, 1);
      assert.equal(isStaged(bytes, 0), false);
      markStaged(bytes, 0);
      const copies: number[] = [Record.slotCopy, Record.scheduleCopy, Record.settingCopy];
      assert.equal(isStaged(bytes, 0), copies.includes(type));
      assert.equal(recordType(bytes, 0), type);
    }
  });

  it("a state is a copy when it is marked as one, and keeps type and length", () => {
    const bytes = new Uint8Array(32);
    putHead(bytes, Record.state, 32, 1, 1);
    assert.equal(isCopy(bytes, 0), false);
    markCopy(bytes);
    assert.deepEqual(
      [isCopy(bytes, 0), recordType(bytes, 0), recordLength(bytes, 0)],
      [true, Record.state, 32],
    );
  });
});

describe("A log position", () => {
  it("stands in the 17 bytes before the link of every committing record, and leaves link and CRC alone", () => {
    fc.assert(
      fc.property(
        sealed.filter(({ bytes }) => bytes.length >= 32),
        fc.nat(1_000_000),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        ({ bytes }, seq, head) => {
          const before = bytes.slice();
          putPosition(bytes, bytes.length, seq, head);
          const at = bytes.length - 23;
          assert.equal(bytes[at], seq % 256);
          assert.deepEqual(bytes.slice(at + 1, at + 17), head);
          assert.deepEqual(bytes.subarray(at + 17), before.subarray(at + 17));
          assert.deepEqual(bytes.subarray(0, at), before.subarray(0, at));
        },
      ),
    );
  });

  it("goes with an outcome: code, detail, the slot that is dropped, and no trace of what the buffer held", () => {
    const head = new Dice(SEED).bytes(16);
    const bytes = new Uint8Array(MAX_RECORD_BYTES).fill(0xaa);
    putOutcome(bytes, 17, 0x1234, 1000, 0x1ff, head);
    const wanted = [0x80, 2, 17, 0, 0x03, 0xe8, 0x12, 0x34, 0, 0xff, ...head];
    assert.deepEqual([...bytes.subarray(0, 26)], wanted);
    assert.ok(bytes.subarray(OUTCOME_BYTES).every((byte) => byte === 0xaa));
  });
});
