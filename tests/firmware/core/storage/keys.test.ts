// Keys: every record has the one that the layout says, nothing shares one that is not the same thing, and sets of them survive packing.

import assert from "node:assert/strict";
import fc from "fast-check";
import { PROFILES } from "../../../../firmware/core/profile";
import { KeySet, Keys, longestSet, MANY_KEYS, NO_KEY } from "../../../../firmware/core/storage/keys";
import { STATES, State } from "../../../../firmware/core/storage/places";
import {
  HEAD,
  lengthFor,
  MAX_RECORD_BYTES,
  markCopy,
  markEntry,
  markStaged,
  putHead,
  putOutcome,
  Record,
  SLOT_BYTES,
} from "../../../../firmware/core/storage/records";
import { emptyEntry, packEntry } from "../../../../protocol/wire/entry";
import { SETTINGS } from "../../../../protocol/wire/settings";

/** A record of a type, at an offset of its own in a buffer of noise. */
function recordOf(type: number, id: number, fourth = 1): Uint8Array {
  const bytes = new Uint8Array(64).fill(0x5a);
  putHead(bytes, type, 48, id, fourth);
  return bytes;
}

function slotRecord(type: number, slot: number): Uint8Array {
  const bytes = new Uint8Array(SLOT_BYTES);
  packEntry({ ...emptyEntry(), slot, kind: 3, role: 6, minutesAfterFirstUse: 4095 }, bytes, 0);
  markEntry(bytes, 0, type, true);
  return bytes;
}

function outcome(dropped: number): Uint8Array {
  const bytes = new Uint8Array(64);
  putOutcome(bytes, 3, 77, dropped, 5, new Uint8Array(16));
  return bytes;
}

function copyOf(record: Uint8Array): Uint8Array {
  markCopy(record);
  return record;
}

function stagedOf(record: Uint8Array): Uint8Array {
  markStaged(record, 0);
  return record;
}

for (const profile of PROFILES)
  describe(`The key of a record, ${profile.name}`, () => {
    const keys = new Keys(profile);
    const { slots, schedules } = profile;
    const groups = Math.ceil(slots / 8);

    it("follows the layout: slots, uses by groups of eight, schedules, settings, states, their copies", () => {
      const starts = [keys.usage, keys.schedules, keys.settings, keys.states, keys.mirrors, keys.size];
      const sizes = [slots, groups, schedules + 1, SETTINGS, STATES, STATES];
      let sum = 0;
      assert.deepEqual(
        starts,
        sizes.map((size) => (sum += size)),
      );
    });

    it("leaves the two special ones free, and fits the eleven bits of a link", () => {
      assert.ok(keys.size <= MANY_KEYS);
      assert.ok(MANY_KEYS < NO_KEY && NO_KEY < 2048);
    });

    it("is the slot's for a slot, its copy, a staged copy and what drops it", () => {
      for (let slot = 0; slot < slots; slot++) {
        assert.equal(keys.of(slotRecord(Record.slot, slot), 0), slot);
        assert.equal(keys.of(slotRecord(Record.slotCopy, slot), 0), slot);
        assert.equal(keys.of(stagedOf(slotRecord(Record.slotCopy, slot)), 0), slot);
        assert.equal(keys.of(outcome(slot + 1), 0), slot);
      }
    });

    it("is one for each group of uses, schedule, setting and state, also for copies of them", () => {
      for (let group = 0; group < groups; group++)
        assert.equal(keys.of(recordOf(Record.usage, group), 0), slots + group);
      for (let id = 0; id <= schedules; id++)
        for (const type of [Record.schedule, Record.scheduleCopy])
          for (const count of [0, 8])
            assert.equal(keys.of(recordOf(type, id, count), 0), slots + groups + id);
      const settings = slots + groups + schedules + 1;
      for (let id = 0; id < SETTINGS; id++)
        for (const type of [Record.setting, Record.settingCopy])
          assert.equal(keys.of(recordOf(type, id), 0), settings + id);
      for (let id = 0; id < STATES; id++) {
        if (id === State.swap) continue;
        assert.equal(keys.of(recordOf(Record.state, id), 0), settings + SETTINGS + id);
        assert.equal(keys.of(copyOf(recordOf(Record.state, id)), 0), settings + SETTINGS + STATES + id);
      }
    });

    it("stands for many where a removal, a swap or a list of damage changes many things", () => {
      assert.equal(keys.of(recordOf(Record.removal, 0), 0), MANY_KEYS);
      assert.equal(keys.of(recordOf(Record.state, State.swap), 0), MANY_KEYS);
      assert.equal(keys.of(recordOf(Record.keys, 1), 0), MANY_KEYS);
    });

    it("is none where nothing changes: a refusal, acks, where the log moved, what is blank, what was touched", () => {
      assert.equal(keys.of(outcome(0), 0), NO_KEY);
      for (const type of [Record.acks, Record.moved, Record.blank])
        for (const id of [0, 1, 7]) assert.equal(keys.of(recordOf(type, id), 0), NO_KEY);
      assert.equal(keys.of(recordOf(Record.keys, 0), 0), NO_KEY);
      for (const type of [0, 15]) assert.equal(keys.of(recordOf(type, 1), 0), NO_KEY);
    });

    it("is none past the last of each kind, never one of the next kind", () => {
      const past: Uint8Array[] = [
        slotRecord(Record.slot, slots),
        slotRecord(Record.slotCopy, 1023),
        outcome(slots + 1),
        outcome(0xffff),
        recordOf(Record.usage, groups),
        recordOf(Record.setting, SETTINGS),
        recordOf(Record.settingCopy, 255),
        recordOf(Record.state, STATES),
        copyOf(recordOf(Record.state, STATES)),
      ];
      if (schedules < 255)
        past.push(recordOf(Record.schedule, schedules + 1), recordOf(Record.scheduleCopy, 255));
      for (const record of past)
        assert.equal(keys.of(record, 0), NO_KEY, `type ${record[0] >> 4}, ${record[2]}`);
    });

    it("is read at any offset", () => {
      const bytes = new Uint8Array(128);
      bytes.set(slotRecord(Record.slot, slots - 1), 48);
      assert.equal(keys.of(bytes, 48), slots - 1);
      bytes.set(copyOf(recordOf(Record.state, 2)), 48);
      assert.equal(keys.of(bytes, 48), keys.mirrors + 2);
      bytes.set(outcome(slots), 48);
      assert.equal(keys.of(bytes, 48), slots - 1);
    });
  });

describe("A set of keys", () => {
  /** A size, and members below it; special keys and others past the size come with them. */
  const sets = fc.integer({ min: 1, max: 1500 }).chain((size) =>
    fc.record({
      size: fc.constant(size),
      members: fc.oneof(
        fc.array(fc.nat(size - 1), { maxLength: 40 }),
        fc.constant(Array.from({ length: size }, (_, key) => key)),
      ),
      strangers: fc.array(fc.constantFrom(size, size + 7, size + 8, MANY_KEYS, NO_KEY), { maxLength: 3 }),
    }),
  );

  function setOf(size: number, members: readonly number[]): KeySet {
    const set = new KeySet(size);
    for (const key of members) set.add(key);
    return set;
  }

  const membersOf = (set: KeySet): number[] =>
    Array.from({ length: set.size }, (_, key) => key).filter((key) => set.has(key));

  const sorted = (members: readonly number[]): number[] => [...new Set(members)].sort((a, b) => a - b);

  it("has exactly what was added below its size", () => {
    fc.assert(
      fc.property(sets, ({ size, members, strangers }) => {
        const set = setOf(size, [...members, ...strangers]);
        assert.deepEqual(membersOf(set), sorted(members));
        assert.equal(set.isEmpty, members.length === 0);
        for (const key of [size, size + 1, MANY_KEYS, NO_KEY])
          if (key >= size) assert.equal(set.has(key), false, `${key} of ${size}`);
      }),
    );
  });

  it("is empty when it was cleared, and takes keys again", () => {
    fc.assert(
      fc.property(sets, ({ size, members }) => {
        const set = setOf(size, members);
        set.clear();
        assert.deepEqual([set.isEmpty, membersOf(set)], [true, []]);
        set.add(size - 1);
        assert.deepEqual(membersOf(set), [size - 1]);
      }),
    );
  });

  it("comes back from its packed form, whatever the set held that takes it", () => {
    fc.assert(
      fc.property(sets, fc.array(fc.nat(1500)), fc.nat(9), ({ size, members }, others, offset) => {
        const bytes = new Uint8Array(offset + longestSet(size) + 3);
        const length = setOf(size, members).pack(bytes, offset);
        const back = setOf(size, others);
        back.unpack(bytes, offset, offset + length);
        assert.deepEqual(membersOf(back), sorted(members));
        const padded = setOf(size, others);
        padded.unpack(bytes, offset, bytes.length);
        assert.deepEqual(membersOf(padded), sorted(members), "zeros may follow");
      }),
    );
  });

  it("is packed as a mask and the bytes that are not zero, and nothing else is touched", () => {
    fc.assert(
      fc.property(sets, fc.nat(9), ({ size, members }, offset) => {
        const bytes = new Uint8Array(offset + longestSet(size) + 3);
        const length = setOf(size, members).pack(bytes, offset);
        // By hand: a bitmap, least significant bit first, then what of it is not zero.
        const bitmap: number[] = Array(Math.ceil(size / 8)).fill(0);
        for (const key of members) bitmap[Math.floor(key / 8)] |= 2 ** (key % 8);
        const mask: number[] = Array(Math.ceil(bitmap.length / 8)).fill(0);
        bitmap.forEach((byte, i) => {
          if (byte !== 0) mask[Math.floor(i / 8)] |= 2 ** (i % 8);
        });
        const wanted = [...mask, ...bitmap.filter((byte) => byte !== 0)];
        assert.deepEqual([...bytes.subarray(offset, offset + length)], wanted);
        assert.ok(bytes.subarray(0, offset).every((byte) => byte === 0));
        assert.ok(bytes.subarray(offset + length).every((byte) => byte === 0));
      }),
    );
  });

  it("is never longer than is said of it, and a full one is just that long", () => {
    fc.assert(
      fc.property(sets, ({ size, members }) => {
        const bytes = new Uint8Array(longestSet(size));
        assert.ok(setOf(size, members).pack(bytes, 0) <= longestSet(size));
        const all = Array.from({ length: size }, (_, key) => key);
        assert.equal(setOf(size, all).pack(new Uint8Array(longestSet(size)), 0), longestSet(size));
      }),
    );
  });

  it("fits one record on every profile, also when everything is in it", () => {
    for (const profile of PROFILES) {
      const { size } = new Keys(profile);
      assert.ok(lengthFor(longestSet(size), false) <= MAX_RECORD_BYTES, profile.name);
    }
  });

  it("reads no keys past the end that it is told, and never throws on noise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 240 }), fc.nat(300), (bytes, end) => {
        const set = new KeySet(1416);
        set.unpack(bytes, HEAD, Math.min(end, bytes.length));
        const mask = Math.ceil(Math.ceil(1416 / 8) / 8);
        if (end <= HEAD + mask) assert.equal(set.isEmpty, true);
      }),
    );
  });
});
