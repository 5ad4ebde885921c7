// A rebase at the table: the new table beside the old, one record that swaps, and nothing in between.

import assert from "node:assert/strict";
import { LOCK_1000, type Profile } from "../../../../firmware/core/profile";
import { Table } from "../../../../firmware/core/storage/table";
import { Code } from "../../../../protocol/wire/codes";
import { type Entry, emptyEntry, Kind } from "../../../../protocol/wire/entry";
import { FaultyNor } from "../../../../simulator/board/faulty-nor";
import { NorFlash } from "../../../../simulator/board/nor";
import { type FlashOperation, tornOf } from "../../../../simulator/board/power";
import { type NorImage, steady, tear } from "../../../../simulator/board/tear";

const LOCK = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const SMALL: Profile = {
  ...LOCK_1000,
  id: 99,
  slots: 40,
  schedules: 8,
  acks: 64,
  credentialBytes: 10 * 4096,
};
const HEAD = new Uint8Array(16).fill(9);

function entry(slot: number, mark: number): Entry {
  const made = emptyEntry();
  made.slot = slot;
  made.kind = Kind.card;
  made.user = 100 * mark + slot + 1;
  made.tag[0] = slot;
  made.tag[1] = mark;
  return made;
}

function open(flash: NorFlash | FaultyNor, profile: Profile): Table {
  const table = new Table(flash, profile, LOCK);
  assert.equal(table.mount(), "mounted");
  return table;
}

function formatted(profile: Profile): NorFlash {
  const flash = new NorFlash(profile.credentialBytes);
  new Table(flash, profile, LOCK).log.format();
  return flash;
}

let seq = 0;

function put(table: Table, slot: number, mark: number): void {
  const made = entry(slot, mark);
  made.generation = ++seq;
  assert.ok(table.commitSlot(made, Code.applied, seq, HEAD), `put ${seq}`);
}

const windows = Uint32Array.of(7, 8);

/** A table with all slots of mark 1, schedule 1, setting 2 = 1. */
function fill(table: Table): void {
  seq = 0;
  for (let slot = 0; slot < table.profile.slots; slot++) {
    put(table, slot, 1);
    if (slot % 20 === 0) table.maintain();
  }
  assert.ok(table.commitSchedule(1, windows, 2, ++seq, HEAD));
  assert.ok(table.commitSetting(2, Uint8Array.of(1), ++seq, HEAD));
}

/** Stages every second slot with mark 2, schedule 3 and setting 2 = 2, with housekeeping as a lock does it. */
function stage(table: Table): void {
  for (let slot = 0; slot < table.profile.slots; slot += 2) {
    assert.ok(table.rebase.slot(entry(slot, 2)), `staged ${slot}`);
    if (slot % 20 === 0) table.maintain();
  }
  assert.ok(table.rebase.schedule(3, windows, 1));
  assert.ok(table.rebase.setting(2, Uint8Array.of(2)));
}

/** All that a table holds, as text. */
function contentOf(table: Table): string {
  const slots: string[] = [];
  for (let slot = 0; slot < table.profile.slots; slot++) {
    const state = table.load(slot);
    slots.push(state === "ok" ? String(table.entry.user) : state[0]);
    const wanted = table.entry.tag.slice();
    if (state === "ok") assert.equal(table.find(wanted), slot, "its tag finds it");
  }
  const schedules = [1, 3].map((id) => (table.loadSchedule(id) ? table.windowCount : "-"));
  return [slots, schedules, table.setting(2)?.[0], table.schedules, table.applied, table.rebase.epoch].join(
    " ",
  );
}

const OLD = (applied: number): string =>
  [Array.from({ length: 40 }, (_, slot) => 101 + slot), [2, "-"], 1, 1, applied, 0].join(" ");
const NEW = [
  Array.from({ length: 40 }, (_, slot) => (slot % 2 === 0 ? 201 + slot : "e")),
  ["-", 1],
  2,
  1,
  0,
  5,
].join(" ");

/** Runs `work` on a flash; returns every operation of it with the image before, and the image after it. */
function operationsOf(
  image: NorImage,
  work: (table: Table) => void,
): { before: NorImage; operation: FlashOperation }[] {
  const found: { before: NorImage; operation: FlashOperation }[] = [];
  const flash = FaultyNor.boot(image, {
    onOperation: (operation: FlashOperation, behind: FaultyNor) => {
      found.push({ before: behind.image(), operation: { ...operation, bytes: operation.bytes?.slice() } });
    },
  });
  work(open(flash, SMALL));
  return found;
}

describe("S9 a rebase builds the new table beside the old", () => {
  it("the old one decides and takes deltas until one record swaps them, also over boots", () => {
    const flash = formatted(SMALL);
    let table = open(flash, SMALL);
    fill(table);
    assert.ok(table.rebase.begin(5));
    stage(table);
    put(table, 3, 1);
    table = open(flash, SMALL);
    assert.equal(table.rebase.pending, 5);
    assert.equal(contentOf(table), OLD(43));
    assert.ok(table.rebase.commit());
    assert.equal(contentOf(table), NEW);
    table = open(flash, SMALL);
    assert.equal(contentOf(table), NEW);
    table.maintain();
    assert.equal(table.rebase.isUnsettled, false);
    assert.equal(contentOf(open(flash, SMALL)), NEW);
  });

  it("the new table lives on through compactions, takes deltas from position 1, and can be rebased again", () => {
    const flash = formatted(SMALL);
    const table = open(flash, SMALL);
    fill(table);
    assert.ok(table.rebase.begin(5));
    stage(table);
    assert.ok(table.rebase.commit());
    seq = 0;
    for (let i = 0; i < 2500; i++) {
      put(table, 1, 3);
      if (i % 8 === 0) table.maintain();
      if (i % 500 === 0) assert.equal(contentOf(open(flash, SMALL)), contentOf(table));
    }
    assert.equal(table.applied, 2500);
    assert.ok(table.log.oldest > 10);
    assert.ok(table.rebase.begin(6));
    assert.ok(table.rebase.slot(entry(7, 4)));
    assert.ok(table.rebase.commit());
    const after = open(flash, SMALL);
    assert.deepEqual([after.index.used, after.rebase.epoch, after.find(entry(7, 4).tag)], [1, 6, 7]);
  });

  it("what was staged for an attempt that was given up is in no later table", () => {
    const flash = formatted(SMALL);
    const table = open(flash, SMALL);
    fill(table);
    assert.ok(table.rebase.begin(5));
    stage(table);
    assert.ok(table.rebase.begin(6));
    assert.ok(table.rebase.slot(entry(9, 4)));
    for (const each of [open(flash, SMALL), table]) {
      if (each === table) assert.ok(table.rebase.commit());
      else assert.equal(each.rebase.staged?.slots.filter((place) => place !== 0).length, 1);
    }
    assert.equal(open(flash, SMALL).index.used, 1);
  });

  it("two whole tables of a thousand slots and all schedules fit the partition", () => {
    const flash = formatted(LOCK_1000);
    const table = open(flash, LOCK_1000);
    const eight = Uint32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    seq = 0;
    for (let slot = 0; slot < 1000; slot++) {
      put(table, slot, 1);
      if (slot % 8 === 0) table.maintain();
    }
    for (let id = 1; id <= 255; id++) {
      assert.ok(table.commitSchedule(id, eight, 8, ++seq, HEAD));
      table.maintain();
    }
    assert.ok(table.rebase.begin(5));
    for (let slot = 0; slot < 1000; slot++) {
      assert.ok(table.rebase.slot(entry(slot, 2)), `staged ${slot}`);
      if (slot % 8 === 0) table.maintain();
    }
    for (let id = 1; id <= 255; id++) {
      assert.ok(table.rebase.schedule(id, eight, 8));
      table.maintain();
    }
    for (let i = 0; i < 1000; i++) {
      put(table, (i * 7) % 1000, 1);
      if (i % 8 === 0) table.maintain();
    }
    assert.ok(table.rebase.commit());
    const after = open(flash, LOCK_1000);
    assert.deepEqual([after.index.used, after.index.damaged, after.schedules], [1000, 0, 255]);
  });

  it("a staged record that is ruined keeps the rebase from its end", () => {
    const flash = formatted(SMALL);
    const table = open(flash, SMALL);
    fill(table);
    assert.ok(table.rebase.begin(5));
    stage(table);
    const place = table.rebase.staged!.slots[6];
    flash.bytes.fill(0x55, place * 16 + 8, place * 16 + 20);
    assert.equal(table.rebase.commit(), false);
    const after = open(flash, SMALL);
    assert.equal(after.rebase.commit(), false);
    assert.equal(after.applied, 42);
    assert.ok(after.rebase.begin(5));
    stage(after);
    assert.ok(after.rebase.commit(), "begun again");
  });

  it("cut in any operation and any way, the table is the old one or the new one", () => {
    const flash = formatted(SMALL);
    fill(open(flash, SMALL));
    let states = 0;
    const work = (table: Table): void => {
      assert.ok(table.rebase.begin(5));
      if (table.rebase.staged!.slots.every((place) => place === 0)) stage(table);
      assert.ok(table.rebase.commit());
      for (let ticks = 0; ticks < 3; ticks++) table.maintain();
    };
    for (const { before, operation } of operationsOf(steady(flash.bytes), work)) {
      for (const torn of tornOf(operation.kind)) {
        for (const bytes of [0, 1, 15, 16, 31, 47, 48, 4096]) {
          if (bytes > operation.length && bytes !== 4096) continue;
          const after = FaultyNor.boot(
            tear(before, operation, { operation: 0, bytes, torn, seed: states }),
            {},
          );
          const table = open(after, SMALL);
          const where = `${operation.kind} at ${operation.offset}, ${bytes} bytes, ${torn}`;
          const content = contentOf(table);
          assert.ok(content === OLD(42) || content === NEW, `${where}: ${content}`);
          assert.equal(table.log.damage, 0, where);
          states++;
          if (content === NEW) continue;
          // Begun again from the start, it ends.
          assert.ok(table.rebase.begin(table.rebase.pending === 5 ? 4 : 5), where);
          assert.ok(table.rebase.begin(5), where);
          stage(table);
          assert.ok(table.rebase.commit(), where);
          assert.equal(contentOf(open(after, SMALL)), NEW, where);
        }
      }
    }
    assert.ok(states > 700, `${states} states`);
  });
});
