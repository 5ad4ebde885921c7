// The bars that the credential table is held to: erases, bytes, wear, memory, and what one call may do. Counts, never times.

import assert from "node:assert/strict";
import { SLOT_BYTES } from "../../firmware/core/storage/records";
import { Table } from "../../firmware/core/storage/table";
import { type Cost, costOf, hot, type Mounted, memory, mountCost, uniform, wearSpread } from "../bench/flash";
import { heapBytes } from "../bench/ram";
import { Dice, SEED } from "../support/dice";
import { L500I, LOCK_1000 } from "../support/door";
import { BusyDoor } from "./busy-door";
import { BUNDLE, endure, FullTable, lookAfterPacked, packed, revokeWhenPacked } from "./full-table";

const RECORD_BYTES = 64;
const RAM_BYTES = 6 * 1024;

/** Fails unless `value` is at most `bar`; shows both. */
function atMost(value: number, bar: number): void {
  assert.ok(value <= bar, `${value} is above ${bar}`);
}

describe("The bars of flash: what an update of a full table costs", () => {
  let even: Cost;
  before(() => {
    even = costOf(uniform);
  });

  it("is 20 erases for 1000 uniform updates at most", () => atMost(even.erasesPer1000, 20));

  it("is 1.15 times the record in programmed bytes at most", () => {
    atMost(even.programmedPerUpdate, 1.15 * RECORD_BYTES);
  });

  it("is at most a tenth above that bar where nine of ten updates are of ten slots", () => {
    atMost(costOf(hot).erasesPer1000, 1.1 * 20);
  });

  it("wears all sectors alike: 2 erases apart at most", () => atMost(wearSpread(20_000), 2));
});

describe("The bars of flash: a mount", () => {
  let mounted: Mounted;
  before(() => {
    mounted = mountCost();
  });

  it("reads the partition once at most", () => atMost(mounted.readBytes, mounted.partitionBytes));

  it("writes nothing", () => assert.equal(mounted.writes, 0));
});

describe("C1 the partitions", () => {
  it("are 192 KiB for 1000 slots and 16 KiB for 10, and have room for two whole tables", () => {
    for (const [{ slots, credentialBytes }, bytes] of [
      [LOCK_1000, 192 * 1024],
      [L500I, 16 * 1024],
    ] as const) {
      assert.equal(credentialBytes, bytes);
      atMost(2 * slots * SLOT_BYTES, credentialBytes);
    }
  });

  it("keep a slot in a record of 64 bytes, its commit in it", () => atMost(SLOT_BYTES, RECORD_BYTES));
});

describe("The bars of memory", () => {
  it("holds 6 KiB of typed arrays that grow with the slots at most, at 1000 slots", async () => {
    const { growing, growingBytes } = await memory();
    assert.ok(growing.size > 0 && growingBytes > 1000, "the measure sees nothing");
    atMost(growingBytes, RAM_BYTES);
  });

  it("holds nothing else on the heap that grows with them", () => {
    const [many, few] = [1000, 10].map((slots) => {
      const { flash, profile } = new FullTable({ ...LOCK_1000, slots });
      return heapBytes(() => {
        const table = new Table(flash, profile, FullTable.LOCK);
        assert.equal(table.mount(), "mounted");
        return table;
      });
    });
    // The least that an object of a slot's own could take is 8 bytes.
    atMost(many - few, 4 * (1000 - 10));
  });
});

describe("C22 S2 a full table", () => {
  it(`takes updates and deletes without a refusal, bundle after bundle (seed ${SEED})`, () => endure(20_000));

  it(`takes them also when all else is full, with a tick after each bundle (seed ${SEED})`, () => {
    endure(20_000, new FullTable().lade(), BUNDLE / 2);
  });

  it("revokes 999 slots in one program without an erase when the partition is full", () => {
    const full = packed();
    const before = { ...full.flash.counters };
    assert.equal(full.revoke(1), LOCK_1000.slots - 1);
    const { programs, erases } = full.flash.counters;
    assert.deepEqual([programs - before.programs, erases - before.erases], [1, 0]);
    full.reboot();
    assert.deepEqual(full.wrongSlots(), []);
    assert.equal(full.table.index.used, 1);
  });

  it("revokes four times in a full partition, each in one program without an erase", () => {
    assert.equal(revokeWhenPacked(), undefined);
  });

  it("drops a slot in a full partition without an erase", () => {
    const full = packed();
    const before = full.flash.counters.erases;
    assert.ok(full.drop(5));
    assert.equal(full.flash.counters.erases, before);
  });

  it("takes puts again after a few steps of housekeeping, each with one erase at most", () => {
    assert.equal(lookAfterPacked(), undefined);
  });

  it(`takes updates and deletes also with ten slots in 16 KiB (seed ${SEED})`, () => {
    endure(20_000, new FullTable(L500I).lade(), 4);
  });
});

describe("A lock at work, full", () => {
  it(`erases once a call at most, and never while a credential is decided (seed ${SEED})`, () => {
    const busy = new BusyDoor(new Dice());
    busy.work(300);
    assert.ok(busy.erases > 60, `${busy.erases} erases: too few to prove anything`);
    assert.ok(busy.granted > 300, `${busy.granted} openings: too few to prove anything`);
    assert.deepEqual(busy.breaches, []);
  });
});
