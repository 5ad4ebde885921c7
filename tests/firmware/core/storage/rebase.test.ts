// A rebase at the table: the new table beside the old, one record that swaps, and nothing in between.

import assert from "node:assert/strict";
import { LOCK_1000, type Profile } from "../../../../firmware/core/profile";
import { State } from "../../../../firmware/core/storage/places";
import type { Order } from "../../../../firmware/core/storage/rebase";
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

/** The order to bring the table of an epoch. */
function order(epoch: number, base = 0): Order {
  return { epoch, base, print: new Uint8Array(8).fill(epoch) };
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
    assert.equal(table.rebase.slot(entry(slot, 2)), "staged", `slot ${slot}`);
    if (slot % 20 === 0) table.maintain();
  }
  assert.equal(table.rebase.schedule(3, windows, 1), "staged");
  assert.equal(table.rebase.setting(2, Uint8Array.of(2)), "staged");
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

/** Cuts `work` in each of its operations and each way, and shows the flash after each cut to `see`. */
function cutEverywhere(
  flash: NorFlash,
  work: (table: Table) => void,
  see: (after: FaultyNor, where: string, seed: number) => void,
): void {
  let seed = 0;
  for (const { before, operation } of operationsOf(steady(flash.bytes), work)) {
    for (const torn of tornOf(operation.kind)) {
      for (const bytes of [0, 1, 15, 16, 31, 47, 48, 4096]) {
        if (bytes > operation.length && bytes !== 4096) continue;
        const image = tear(before, operation, { operation: 0, bytes, torn, seed });
        see(
          FaultyNor.boot(image, {}),
          `${operation.kind} at ${operation.offset}, ${bytes} bytes, ${torn}`,
          seed,
        );
        seed++;
      }
    }
  }
}

describe("S9 a rebase builds the new table beside the old", () => {
  it("the old one decides and takes deltas until one record swaps them, also over boots", () => {
    const flash = formatted(SMALL);
    let table = open(flash, SMALL);
    fill(table);
    assert.ok(table.rebase.begin(order(5)));
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
    assert.ok(table.rebase.begin(order(5)));
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
    assert.ok(table.rebase.begin(order(6)));
    assert.equal(table.rebase.slot(entry(7, 4)), "staged");
    assert.ok(table.rebase.commit());
    const after = open(flash, SMALL);
    assert.deepEqual([after.index.used, after.rebase.epoch, after.find(entry(7, 4).tag)], [1, 6, 7]);
  });

  it("what was staged for an attempt that was given up is in no later table", () => {
    const flash = formatted(SMALL);
    const table = open(flash, SMALL);
    fill(table);
    assert.ok(table.rebase.begin(order(5)));
    stage(table);
    assert.ok(table.rebase.begin(order(6)));
    assert.equal(table.rebase.slot(entry(9, 4)), "staged");
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
    assert.ok(table.rebase.begin(order(5)));
    for (let slot = 0; slot < 1000; slot++) {
      assert.equal(table.rebase.slot(entry(slot, 2)), "staged", `slot ${slot}`);
      if (slot % 8 === 0) table.maintain();
    }
    for (let id = 1; id <= 255; id++) {
      assert.equal(table.rebase.schedule(id, eight, 8), "staged");
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
    assert.ok(table.rebase.begin(order(5)));
    stage(table);
    const place = table.rebase.staged!.slots[6];
    flash.bytes.fill(0x55, place * 16 + 8, place * 16 + 20);
    assert.equal(table.rebase.commit(), false);
    const after = open(flash, SMALL);
    assert.equal(after.rebase.commit(), false);
    assert.equal(after.applied, 42);
    assert.ok(after.rebase.begin(order(5)));
    stage(after);
    assert.ok(after.rebase.commit(), "begun again");
  });

  it("goes on over boots for the very same order, and writes nothing that stands staged already", () => {
    const flash = formatted(SMALL);
    fill(open(flash, SMALL));
    let table = open(flash, SMALL);
    assert.ok(table.rebase.begin(order(5, 7)));
    stage(table);
    for (let ticks = 0; ticks < 9; ticks++) table.maintain();
    table = open(flash, SMALL);
    const before = flash.bytes.slice();
    assert.ok(table.rebase.begin(order(5, 7)));
    stage(table);
    assert.deepEqual(flash.bytes, before);
    assert.equal(table.rebase.slot(entry(4, 3)), "taken", "another one in the same slot");
    assert.deepEqual(flash.bytes, before);
    const { staged } = table.rebase;
    for (const other of [order(6, 7), order(5, 8), { ...order(5, 7), print: new Uint8Array(8) }]) {
      table = open(new NorFlash(flash.bytes.length, flash.bytes), SMALL);
      assert.ok(staged!.slots.some((place) => place !== 0));
      assert.ok(table.rebase.begin(other));
      assert.ok(
        table.rebase.staged!.slots.every((place) => place === 0),
        "begins anew",
      );
    }
  });

  it("what was given up takes no room, also after a boot, and the old table stands", () => {
    const flash = formatted(SMALL);
    let table = open(flash, SMALL);
    fill(table);
    assert.ok(table.rebase.begin(order(5)));
    stage(table);
    table.rebase.giveUp();
    for (const each of [table, open(flash, SMALL)]) {
      assert.deepEqual(
        [each.rebase.pending, each.rebase.staged, each.rebase.commit()],
        [0, undefined, false],
      );
      assert.equal(contentOf(each), OLD(42));
    }
    table = open(flash, SMALL);
    assert.ok(table.rebase.begin(order(5)));
    stage(table);
    assert.ok(table.rebase.commit());
    assert.equal(contentOf(open(flash, SMALL)), NEW);
  });

  for (const base of [0, 7, 40, 42, 43, 300, 0xffff00])
    it(`the log of the new table begins at ${base}, over boots and any number of compactions, whatever was applied before`, () => {
      const flash = formatted(SMALL);
      let table = open(flash, SMALL);
      fill(table);
      assert.ok(table.rebase.begin(order(5, base)));
      stage(table);
      assert.ok(table.rebase.commit());
      const standing = (each: Table): unknown[] => [
        each.applied,
        each.log.position,
        each.acks.first,
        each.acks.last,
        each.isAtBase,
        each.rebase.isDone(order(5, base)),
        each.log.damage,
      ];
      const atBase = [base, base, base + 1, base, true, true, 0];
      assert.deepEqual(standing(table), atBase);
      assert.deepEqual(standing(open(flash, SMALL)), atBase);
      // Nothing but values of the lock's own is written: the log goes round several times.
      const { oldest } = table.log;
      for (let i = 0; table.log.oldest < oldest + 40; i++) {
        assert.ok(table.commitState(State.lockout, new Uint8Array(150).fill(i)));
        table.maintain();
        if (i % 40 === 0) {
          table = open(flash, SMALL);
          assert.deepEqual(standing(table), atBase, `after ${i} records`);
          assert.equal(contentOf(table), NEW.replace(" 0 5", ` ${base} 5`));
        }
      }
      seq = base;
      put(table, 1, 3);
      for (const each of [table, open(flash, SMALL)]) {
        assert.deepEqual([each.applied, each.acks.first, each.acks.last], [base + 1, base + 1, base + 1]);
        assert.equal(each.isAtBase, false);
      }
      for (let i = 0; i < 500; i++) {
        put(table, 1, 3);
        table.maintain();
      }
      assert.deepEqual([open(flash, SMALL).applied, open(flash, SMALL).rebase.base], [base + 501, base]);
    });

  it("X11 a reset leaves a fresh table in one record, also in a full partition, and keeps what outlives an owner", () => {
    const flash = formatted(SMALL);
    const table = open(flash, SMALL);
    fill(table);
    const kept: number[] = [State.claim, State.time];
    const others = [State.keyset, State.lockout, State.hours, State.local, State.local + 3];
    for (const id of [...kept, ...others]) assert.ok(table.commitState(id, Uint8Array.of(id)));
    assert.ok(table.rebase.begin(order(5, 50)));
    stage(table);
    assert.ok(table.rebase.commit());
    assert.ok(table.rebase.begin(order(6, 60)));
    stage(table);
    seq = 50;
    while (table.commitSlot({ ...entry(1, 1), generation: seq + 1 }, Code.applied, seq + 1, HEAD)) seq++;
    const { programs, erases } = flash.counters;
    assert.ok(table.rebase.clear());
    assert.ok(flash.counters.programs <= programs + 4, "one record, and what opens a sector");
    assert.equal(flash.counters.erases, erases);
    const look = (each: Table): unknown[] => [
      each.isFresh,
      each.applied,
      each.rebase.epoch,
      each.rebase.staged === undefined,
      each.rebase.isDone(order(5, 50)),
      kept.map((id) => each.state(id)?.[0]),
      others.map((id) => each.state(id)?.[0]),
      each.log.damage,
    ];
    const fresh = [true, 0, 5, true, false, kept, others.map(() => undefined), 0];
    assert.deepEqual(look(table), fresh);
    assert.deepEqual(look(open(flash, SMALL)), fresh);
    for (let i = 0; table.log.oldest < table.log.newest || i < 60; i++) {
      table.maintain();
      if (i < 60) assert.ok(table.commitState(State.time, new Uint8Array(150).fill(State.time)));
      if (i % 10 === 0) assert.deepEqual(look(open(flash, SMALL)), fresh);
      if (i > 200) break;
    }
    seq = 0;
    put(table, 3, 4);
    assert.deepEqual([open(flash, SMALL).applied, open(flash, SMALL).find(entry(3, 4).tag)], [1, 3]);
  });

  it("cut in any operation and any way, the table is the old one or the new one", () => {
    const flash = formatted(SMALL);
    fill(open(flash, SMALL));
    let states = 0;
    const work = (table: Table): void => {
      assert.ok(table.rebase.begin(order(5)));
      stage(table);
      assert.ok(table.rebase.commit());
      for (let ticks = 0; ticks < 3; ticks++) table.maintain();
    };
    cutEverywhere(flash, work, (after, where, seed) => {
      states++;
      const table = open(after, SMALL);
      const content = contentOf(table);
      assert.ok(content === OLD(42) || content === NEW, `${where}: ${content}`);
      assert.equal(table.log.damage, 0, where);
      if (content === NEW) return;
      // Another one was begun in between, or not: taken up again, it ends.
      if (seed % 2 === 0) assert.ok(table.rebase.begin(order(4)), where);
      assert.ok(table.rebase.begin(order(5)), where);
      stage(table);
      assert.ok(table.rebase.commit(), where);
      assert.equal(contentOf(open(after, SMALL)), NEW, where);
    });
    assert.ok(states > 700, `${states} states`);
  });

  it("cut while it goes on after a cut, the table is the old one or the new one, and it ends", () => {
    const flash = formatted(SMALL);
    const table = open(flash, SMALL);
    fill(table);
    assert.ok(table.rebase.begin(order(5)));
    for (let slot = 0; slot < 24; slot += 2) assert.equal(table.rebase.slot(entry(slot, 2)), "staged");
    let states = 0;
    const work = (again: Table): void => {
      assert.ok(again.rebase.begin(order(5)));
      stage(again);
      assert.ok(again.rebase.commit());
      again.maintain();
    };
    cutEverywhere(flash, work, (after, where) => {
      states++;
      const again = open(after, SMALL);
      const content = contentOf(again);
      assert.ok(content === OLD(42) || content === NEW, `${where}: ${content}`);
      if (content !== NEW) work(again);
      assert.equal(contentOf(open(after, SMALL)), NEW, where);
    });
    assert.ok(states > 200, `${states} states`);
  });

  it("X11 a reset that is cut leaves the table as it was, or none", () => {
    const flash = formatted(SMALL);
    fill(open(flash, SMALL));
    const work = (table: Table): void => {
      assert.ok(table.rebase.clear());
      table.maintain();
    };
    const none = [Array<string>(40).fill("e"), ["-", "-"], undefined, 0, 0, 0].join(" ");
    cutEverywhere(flash, work, (after, where) => {
      const table = open(after, SMALL);
      const content = contentOf(table);
      assert.ok(content === OLD(42) || content === none, `${where}: ${content}`);
      assert.equal(table.log.damage, 0, where);
      assert.equal(table.isFresh, content === none, where);
    });
  });
});
