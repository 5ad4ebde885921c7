// Sectors that are lost under the table: what stands in two of them survives, what stood in one is denied for good, and what may have
// stood there is never taken for what was before.

import assert from "node:assert/strict";
import { L500I, type Profile } from "../../../../firmware/core/profile";
import { State } from "../../../../firmware/core/storage/places";
import { Table } from "../../../../firmware/core/storage/table";
import type { Flash } from "../../../../firmware/ports";
import { Code } from "../../../../protocol/wire/codes";
import { type Entry, emptyEntry, Kind } from "../../../../protocol/wire/entry";
import { Setting } from "../../../../protocol/wire/settings";
import { FaultyNor } from "../../../../simulator/board/faulty-nor";
import { NorFlash, SECTOR_BYTES } from "../../../../simulator/board/nor";
import { steady } from "../../../../simulator/board/tear";
import { Dice, SEED } from "../../../support/dice";
import { hex } from "../../../support/look";
import { LOCK, ruin } from "../../../support/values";

const SECTORS = 8;
const PROFILE: Profile = { ...L500I, credentialBytes: SECTORS * SECTOR_BYTES };
/** A setting that only fills the log. */
const FILLER = 9;
const STATES = [State.claim, State.keyset, State.time] as const;

/** A table, and what is committed to it. */
class Owner {
  readonly table: Table;
  readonly flash: Flash;
  readonly dice = new Dice(SEED);

  constructor(flash: Flash) {
    this.flash = flash;
    this.table = new Table(flash, PROFILE, LOCK);
  }

  get #seq(): number {
    return this.table.applied + 1;
  }

  put(slot: number, more: Partial<Entry> = {}): void {
    const entry = { ...emptyEntry(), slot, kind: Kind.phone, tag: this.dice.bytes(12), user: slot + 1 };
    const done = this.table.commitSlot(
      { ...entry, generation: this.#seq, ...more },
      Code.applied,
      this.#seq,
      this.dice.bytes(16),
    );
    assert.ok(done);
  }

  set(id: number, value: Uint8Array): void {
    assert.ok(this.table.commitSetting(id, value, this.#seq, this.dice.bytes(16)));
  }

  schedule(id: number): void {
    assert.ok(this.table.commitSchedule(id, Uint32Array.of(5, 6, 7), 3, this.#seq, this.dice.bytes(16)));
  }

  keep(id: number): string {
    const value = this.dice.bytes(20 + id);
    assert.ok(this.table.commitState(id, value));
    return hex(value);
  }

  use(slot: number, generation: number): void {
    assert.ok(this.table.commitUsage(slot, generation, { used: true, left: 0, firstUse: 77 }));
  }

  /** Fills the log up to a sector, with housekeeping. */
  fillTo(sector: number, bytes = 0): void {
    const { log } = this.table;
    while (log.newest < sector || (log.newest === sector && log.offset < bytes)) {
      this.set(FILLER, this.dice.bytes(30));
      this.table.maintain();
    }
  }

  states(): string[] {
    return STATES.map((id) =>
      this.table.hasLostState(id) ? "lost" : hex(this.table.state(id) ?? new Uint8Array(0)),
    );
  }
}

function fresh(): { owner: Owner; nor: NorFlash } {
  const nor = new NorFlash(PROFILE.credentialBytes);
  const owner = new Owner(nor);
  owner.table.log.format();
  return { owner, nor };
}

function boot(flash: Flash): Owner {
  const owner = new Owner(flash);
  assert.equal(owner.table.mount(), "mounted");
  return owner;
}

/** Boots without a sector: it cannot be read, or holds noise. */
function* bootsWithout(image: Uint8Array, sector: number): Generator<[how: string, owner: Owner]> {
  const block = (sector - 1) % SECTORS;
  yield [
    "unreadable",
    boot(FaultyNor.boot(steady(image), { sectors: [{ kind: "read-error", sector: block }] })),
  ];
  const noise = image.slice();
  ruin(noise, block * SECTOR_BYTES, (block + 1) * SECTOR_BYTES, new Dice(SEED));
  yield ["ruined", boot(new NorFlash(noise.length, noise))];
}

describe("The lock's own values stand in two sectors once the log has moved on", () => {
  it("and losing either of them loses nothing", () => {
    const { owner, nor } = fresh();
    const { table } = owner;
    const wanted = STATES.map((id) => owner.keep(id));
    owner.fillTo(3, 500);
    for (const id of STATES) {
      const { states, mirrors } = table.places;
      assert.notEqual(mirrors[id], 0, `state ${id} has no copy`);
      assert.notEqual(table.log.numberAt(mirrors[id]), table.log.numberAt(states[id]));
      assert.notEqual(table.log.numberAt(mirrors[id]), table.log.newest);
    }
    for (let sector = 1; sector < table.log.newest; sector++)
      for (const [how, after] of bootsWithout(nor.bytes, sector))
        assert.deepEqual(after.states(), wanted, `${how}, sector ${sector}`);
  });

  it("over many laps, whatever is written anew, at every moment after housekeeping", () => {
    const { owner, nor } = fresh();
    const wanted = STATES.map((id) => owner.keep(id));
    for (let round = 0; round < 150; round++) {
      const { log } = owner.table;
      for (let i = 0; i < 12; i++) owner.set(FILLER, owner.dice.bytes(30));
      if (round % 7 === 0) {
        const id = owner.dice.pick(STATES);
        wanted[STATES.indexOf(id)] = owner.keep(id);
      }
      for (let i = 0; i < 4; i++) owner.table.maintain();
      assert.deepEqual(owner.states(), wanted);
      const sector = log.oldest + owner.dice.below(log.newest - log.oldest + 1);
      if (sector === log.newest) continue;
      for (const [how, after] of bootsWithout(nor.bytes, sector))
        assert.deepEqual(
          after.states(),
          wanted,
          `${how}, round ${round}, sector ${sector} before ${log.newest}`,
        );
    }
  });

  it("and the copy is read when the first becomes unreadable while the lock runs", () => {
    const nor = new NorFlash(PROFILE.credentialBytes);
    const flash = new FaultyNor(nor);
    const owner = new Owner(flash);
    owner.table.log.format();
    const wanted = STATES.map((id) => owner.keep(id));
    owner.fillTo(3, 500);
    flash.fail({ kind: "read-error", sector: 0 });
    assert.deepEqual(owner.states(), wanted);
  });

  it("but an old copy never stands in for a newer value that is lost", () => {
    const { owner, nor } = fresh();
    for (const id of STATES) owner.keep(id);
    owner.fillTo(3, 500);
    owner.keep(State.claim);
    const at = owner.table.places.states[State.claim] * 16;
    owner.set(FILLER, owner.dice.bytes(30));
    const image = nor.bytes.slice();
    ruin(image, at, at + 16, owner.dice);
    const after = boot(new NorFlash(image.length, image));
    assert.equal(after.table.hasLostState(State.claim), true);
    assert.equal(after.table.state(State.claim), undefined);
    assert.equal(after.table.hasLostState(State.keyset), false);
  });
});

describe("An oldest sector that cannot be read any more", () => {
  /** A table whose first sector holds one of everything, and cannot be read from now on. */
  function dying(): { owner: Owner; flash: FaultyNor } {
    const flash = new FaultyNor(new NorFlash(PROFILE.credentialBytes));
    const owner = new Owner(flash);
    owner.table.log.format();
    for (let slot = 0; slot < 6; slot++) owner.put(slot, { uses: slot });
    owner.use(4, owner.table.index.place(4) > 0 ? 5 : 0);
    owner.schedule(1);
    owner.schedule(2);
    owner.set(Setting.mode, Uint8Array.of(2));
    for (const id of STATES) owner.keep(id);
    owner.fillTo(2, 500);
    owner.put(6);
    owner.put(0);
    flash.fail({ kind: "read-error", sector: 0 });
    return { owner, flash };
  }

  function loads(owner: Owner): string[] {
    return Array.from({ length: 8 }, (_, slot) => owner.table.load(slot));
  }

  const WANTED = ["ok", ...Array(5).fill("damaged"), "ok", "empty"];

  it("is given up after three attempts to compact it; then what lived there is damaged, and all else is not", () => {
    const { owner, flash } = dying();
    const { table } = owner;
    const states = owner.states();
    let steps = 0;
    while (table.log.oldest === 1 && steps < 2000) {
      owner.set(FILLER, owner.dice.bytes(30));
      table.maintain();
      steps++;
    }
    assert.equal(table.log.oldest, 2);
    for (let i = 0; i < 8; i++) table.maintain();
    flash.heal();
    for (const each of [owner, boot(FaultyNor.boot(flash.image()))]) {
      assert.deepEqual(loads(each), WANTED);
      assert.equal(each.table.index.damaged, 5);
      assert.deepEqual([each.table.hasSchedule(1), each.table.loadSchedule(1)], [true, false]);
      assert.equal(each.table.hasLost(Setting.mode), true);
      assert.deepEqual(each.states(), states);
      assert.ok(each.table.log.damage > 0);
    }
  });

  it("leaves its damage recorded: it stays over laps and boots, and a put mends it", () => {
    const { owner, flash } = dying();
    for (let i = 0; i < 600; i++) {
      owner.set(FILLER, owner.dice.bytes(30));
      owner.table.maintain();
    }
    flash.heal();
    let after = boot(FaultyNor.boot(flash.image()));
    for (let lap = 0; lap < 3; lap++) {
      after.fillTo(after.table.log.newest + SECTORS, 100);
      after = boot(FaultyNor.boot((after.flash as FaultyNor).image()));
      assert.deepEqual(loads(after), WANTED, `lap ${lap}`);
      assert.equal(after.table.hasLost(Setting.mode), true);
    }
    after.put(3);
    after.set(Setting.mode, Uint8Array.of(1));
    after = boot(FaultyNor.boot((after.flash as FaultyNor).image()));
    assert.deepEqual([after.table.load(3), after.table.load(4)], ["ok", "damaged"]);
    assert.equal(after.table.hasLost(Setting.mode), false);
  });

  it("is noticed at a boot as well: what lived there is damaged from then on", () => {
    const { flash } = dying();
    const image = flash.image();
    for (const [how, after] of bootsWithout(image.bytes, 1)) {
      assert.deepEqual(loads(after), WANTED, how);
      assert.equal(after.table.hasLost(Setting.mode), true, how);
      assert.deepEqual([after.table.hasSchedule(1), after.table.loadSchedule(1)], [true, false], how);
    }
  });
});

describe("What may have been lost in the newest sector, of which no list exists", () => {
  /** Ruins two neighbours, so that nobody knows what they were, and boots. */
  function bootWithoutTwo(nor: NorFlash, from: number, to: number): Owner {
    const image = nor.bytes.slice();
    ruin(image, from, to, new Dice(SEED));
    return boot(new NorFlash(image.length, image));
  }

  it("a use that was counted is never uncounted, also when it was the first of its group (rule C10)", () => {
    const { owner, nor } = fresh();
    owner.put(0, { uses: 1 });
    const generation = owner.table.applied;
    const from = owner.table.log.offset;
    owner.use(0, generation);
    owner.set(FILLER, owner.dice.bytes(30));
    const to = owner.table.log.offset;
    // A change comes behind them, so that the slot itself is known; then another record.
    owner.put(0, { uses: 1, generation });
    owner.set(FILLER, owner.dice.bytes(30));
    assert.equal(boot(nor).table.load(0), "ok");
    const { table } = bootWithoutTwo(nor, from, to);
    const isDenied =
      table.load(0) === "damaged" || !table.loadUsage(0, generation, 1) || table.usage.left === 0;
    assert.ok(isDenied, "the one use is there again");
  });

  it("a mode that was set is not taken for one that never was", () => {
    const { owner, nor } = fresh();
    const from = owner.table.log.offset;
    owner.set(Setting.mode, Uint8Array.of(2));
    owner.set(FILLER, owner.dice.bytes(30));
    const to = owner.table.log.offset;
    owner.put(0);
    const { table } = bootWithoutTwo(nor, from, to);
    assert.equal(table.load(0), "ok", "it was put since");
    assert.equal(table.hasLost(Setting.mode), true);
  });

  it("a claim that was written is not taken for one that never was", () => {
    const { owner, nor } = fresh();
    const from = owner.table.log.offset;
    owner.keep(State.claim);
    owner.set(FILLER, owner.dice.bytes(30));
    const to = owner.table.log.offset;
    owner.put(0);
    assert.equal(bootWithoutTwo(nor, from, to).table.hasLostState(State.claim), true);
  });
});
