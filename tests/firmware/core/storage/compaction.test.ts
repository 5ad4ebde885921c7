// What compaction must keep: thousands of updates of a full table with everything else at its limit too, over openings and reboots.

import assert from "node:assert/strict";
import { Lock } from "../../../../firmware/core/lock";
import type { Profile } from "../../../../firmware/core/profile";
import { signKeyset } from "../../../../protocol/issuer/encode";
import { Type } from "../../../../protocol/wire/messages";
import { May } from "../../../../protocol/wire/payloads";
import { Dice, SEED } from "../../../support/dice";
import { Door, L500I, LOCK_1000 } from "../../../support/door";
import { keptAcks, outcomes, stateOf, usageOf } from "../../../support/look";
import { type Operation, ReferenceTable, ZONES } from "../../../support/reference";

const pinOf = (number: number): string => String(1_000_000_000 + number * 7919);

/** A lock at its limits in every respect, and how it is used. */
class FullLock {
  readonly door: Door;
  readonly reference: ReferenceTable;
  readonly dice = new Dice();
  /** Erases of each sector of the credentials over all reboots. */
  readonly wear: number[];
  /** How often each slot's credential opened in its generation. */
  readonly opened: number[] = [];
  readonly pins: string[] = [];
  mostErases = 0;
  #next = 0;

  constructor(profile: Profile) {
    this.door = new Door({ profile });
    this.reference = new ReferenceTable(profile);
    this.wear = Array(profile.credentialBytes / 4096).fill(0);
    this.#fill(profile);
  }

  #fill(profile: Profile): void {
    const windows = Array.from({ length: 8 }, (_, i) => ({ days: 127, start: 180 * i, duration: 60 }));
    const schedules = Array.from({ length: profile.schedules }, (_, i) => ({
      op: "put-schedule" as const,
      id: i + 1,
      windows,
    }));
    this.send(schedules);
    this.send([
      { op: "set", setting: 1, value: Buffer.from(ZONES.good[2]) },
      { op: "set", setting: 2, value: Uint8Array.of(1) },
      { op: "set", setting: 3, value: Uint8Array.of(0, 7) },
    ]);
    this.send(Array.from({ length: profile.slots }, (_, slot) => this.#put(slot)));
    assert.ok(this.reference.outcomes.every(({ code }) => code === "applied"));
  }

  #put(slot: number): Operation {
    const generation = this.reference.slots.get(slot)?.generation ?? 0;
    this.pins[slot] = pinOf(this.#next++);
    this.opened[slot] = 0;
    return this.door.pin(slot, this.pins[slot], { uses: 60_000, generation, flags: 16 });
  }

  /** One call of the lock that may erase one sector at most. */
  #call<T>(work: () => T, most = 1): T {
    const { counters } = this.door.board.credentials;
    const events = this.door.board.events.counters;
    const before = counters.erases + events.erases;
    const result = work();
    const erases = counters.erases + events.erases - before;
    assert.ok(erases <= most, `${erases} erases in one call`);
    this.mostErases = Math.max(this.mostErases, erases);
    return result;
  }

  /** Sends operations in bundles of at most 8; what the lock had no room for goes again, as an issuer does it. */
  send(operations: readonly Operation[]): void {
    const { door, reference } = this;
    for (let i = 0; i < operations.length; i += 8) {
      const some = operations.slice(i, i + 8);
      const first = reference.outcomes.length;
      for (const operation of some) reference.apply(operation, { known: true, now: Math.floor(door.now) });
      const bundle = door.bundle(some);
      let answer = this.#call(() => door.send(Type.bundle, bundle));
      for (let tries = 0; door.lock.parts.table.applied < door.seq && tries < 20; tries++)
        answer = this.#call(() => door.send(Type.bundle, bundle));
      assert.deepEqual(answer.receipt && outcomes(answer.receipt), reference.outcomes.slice(first));
    }
  }

  /** A random update of one slot. */
  update(slot: number): Operation[] {
    const roll = this.dice.below(10);
    const generation = this.reference.slots.get(slot)?.generation ?? 0;
    if (roll < 5)
      return [
        { op: "change", slot, generation, role: this.dice.below(3), capabilities: this.dice.below(128) },
      ];
    if (roll < 9) return [this.#put(slot)];
    this.pins[slot] = "";
    return [{ op: "drop", slot, generation }];
  }

  open(slot: number): void {
    if (!this.pins[slot]) return;
    const reason = this.#call(() => this.door.type(this.pins[slot]), 0);
    if (reason === "granted") this.opened[slot]++;
    else assert.equal(reason, "busy");
    // An entry counts as wrong until the next tick has put it right.
    this.tick();
    this.#call(() => this.door.lock.presentCard(Uint8Array.of(1, 2, 3, 4)), 0);
  }

  tick(): void {
    this.#call(() => this.door.lock.tick());
  }

  /** A power cycle after which everything must be as before, twice. */
  reboot(): void {
    const { door } = this;
    const before = stateOf(door.lock);
    door.board.credentials.sectorErases.forEach((erases, sector) => {
      this.wear[sector] += erases;
    });
    door.reboot();
    const { counters } = door.board.credentials;
    assert.deepEqual([counters.programs, counters.erases], [0, 0], "a mount writes nothing");
    assert.deepEqual(stateOf(door.lock), before);
    assert.deepEqual(stateOf(new Lock(door.board)), before, "a mount after a mount");
    assert.equal(door.lock.parts.table.log.damage + door.lock.parts.table.log.faults, 0);
    door.setTime();
  }

  compare(): void {
    const { door, reference } = this;
    const receipt = door.receipt();
    assert.equal(Buffer.from(receipt.digest).toString("hex"), reference.digest());
    assert.equal(receipt.applied, reference.outcomes.length);
    assert.deepEqual(receipt.head, door.head);
    const { first, acks } = keptAcks(door);
    assert.equal(first, Math.max(1, reference.outcomes.length - door.lock.parts.profile.acks + 1));
    assert.deepEqual(acks, reference.outcomes.slice(first - 1));
    for (const slot of reference.slots.keys())
      assert.equal(
        usageOf(door.lock, slot).split(" ")[1],
        String(60_000 - this.opened[slot]),
        `uses of slot ${slot}`,
      );
  }
}

/** Updates a full lock `updates` times: in bundles of 1 to `most`, with openings, few ticks, and reboots. */
function wearOut(profile: Profile, updates: number, most: number): FullLock {
  const full = new FullLock(profile);
  const { dice } = full;
  for (let done = 0, round = 0; done < updates; round++) {
    const slots = new Set(Array.from({ length: 1 + dice.below(most) }, () => dice.below(profile.slots)));
    full.send([...slots].flatMap((slot) => full.update(slot)));
    done += slots.size;
    for (let opens = dice.below(3); opens > 0; opens--) full.open(dice.below(profile.slots));
    if (dice.chance(0.5)) full.tick();
    if (dice.chance(0.02)) full.reboot();
    if (round % 200 === 0) full.compare();
  }
  full.reboot();
  full.compare();
  return full;
}

describe("K2 S4 compaction keeps everything: table, position, acks, uses, over reboots", () => {
  for (const [profile, updates, most] of [
    [L500I, 6000, 8],
    [LOCK_1000, 6000, 24],
  ] as const)
    it(`of a full ${profile.name} over ${updates} updates (seed ${SEED})`, () => {
      const { wear, door, mostErases } = wearOut(profile, updates, most);
      assert.ok(
        Math.max(...wear) - Math.min(...wear) <= 2,
        `wear ${Math.min(...wear)} to ${Math.max(...wear)}`,
      );
      assert.equal(mostErases, 1);
      assert.ok(door.lock.parts.table.log.newest > 2 * wear.length, "it went round at least twice");
    });

  it("of a lock that is only opened: 12,000 uses, and its position and acks as they were", () => {
    const full = new FullLock(L500I);
    const before = keptAcks(full.door);
    for (let round = 0; round < 12_000; round++) {
      full.open(round % 10);
      full.tick();
    }
    assert.equal(
      full.opened.reduce((sum, count) => sum + count),
      12_000,
      "nobody was refused",
    );
    full.reboot();
    full.compare();
    assert.deepEqual(keptAcks(full.door), before);
  });

  it("of a lock that is only told the time and new keysets", () => {
    const { door } = new FullLock(L500I);
    const before = stateOf(door.lock);
    const { lock } = door.identity;
    const keys = [0, 1, 2].map((i) => ({
      kid: new Uint8Array(8).fill(i),
      publicKey: door.owner.publicKey,
      may: May.time,
    }));
    const own = { kid: door.issuer.kid, publicKey: door.issuer.publicKey, may: May.bundle | May.time };
    for (let number = 2; number < 700; number++) {
      const keyset = { lock, number, keys: [own, ...keys], claim: 1 };
      door.expectDone(door.send(Type.keys, signKeyset(door.crypto, door.owner, keyset)));
      door.expectDone(door.setTime());
      door.lock.tick();
    }
    door.reboot();
    assert.deepEqual({ ...stateOf(door.lock), states: 0 }, { ...before, states: 0 });
    assert.equal(door.lock.authority.keysetNumber, 699);
    assert.equal(door.lock.authority.keys.length, 4);
  });
});
