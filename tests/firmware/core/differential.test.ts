// The table against an independent one, delta by delta, over random deltas, door openings and reboots.

import assert from "node:assert/strict";
import { Type } from "../../../protocol/wire/messages";
import { Dice, SEED } from "../../support/dice";
import { Door, L500I, LOCK_1000 } from "../../support/door";
import { heldSlots, hex, keptAcks, outcomes } from "../../support/look";
import { RandomDeltas } from "../../support/random-deltas";
import { entryBytes, ReferenceTable } from "../../support/reference";

function expectedSlots(reference: ReferenceTable): Map<number, string> {
  const sorted = [...reference.slots.values()].sort((a, b) => a.slot - b.slot);
  return new Map(sorted.map((slot) => [slot.slot, hex(entryBytes(slot))]));
}

/** One door and its reference, side by side. */
class Pair {
  readonly door: Door;
  readonly reference: ReferenceTable;
  readonly #dice: Dice;
  readonly #deltas: RandomDeltas;
  #clockKnown = true;

  constructor(profile: typeof L500I, seed: number) {
    this.#dice = new Dice(seed);
    this.door = new Door({ profile, seed });
    this.reference = new ReferenceTable(profile);
    this.#deltas = new RandomDeltas(this.#dice, this.door, this.reference, profile);
  }

  /** Sends one bundle of random deltas and compares the acks; returns how many deltas it had. */
  bundle(): number {
    const { door, reference } = this;
    const first = reference.outcomes.length;
    // Later deltas of a bundle refer to what earlier ones of it did, so the reference goes first.
    const lapsed = this.#clockKnown && this.#dice.chance(0.05);
    const when = { known: this.#clockKnown, now: Math.floor(door.now), lapsed };
    const deltas = Array.from({ length: 1 + this.#dice.below(24) }, () => {
      const delta = this.#deltas.next();
      reference.apply(delta, when);
      return delta;
    });
    const { receipt } = door.send(Type.bundle, door.bundle(deltas, lapsed ? when.now - 1 : 0));
    assert.deepEqual(receipt && outcomes(receipt), reference.outcomes.slice(first));
    return deltas.length;
  }

  /** What happens at a door between bundles: housekeeping, people, time, power cuts. */
  between(): void {
    const { door } = this;
    for (let ticks = this.#dice.below(3); ticks > 0; ticks--) door.lock.tick();
    for (let tries = this.#dice.below(3); tries > 0; tries--) door.type(this.#dice.pick(this.#deltas.pins));
    if (this.#dice.chance(0.1)) door.now += this.#dice.below(3 * 3600);
    if (this.#dice.chance(0.05)) {
      door.reboot();
      door.hello();
      this.#clockKnown = false;
      door.lock.tick();
    }
    if (!this.#clockKnown && this.#dice.chance(0.7)) {
      door.expectDone(door.setTime());
      this.#clockKnown = true;
    }
  }

  compare(): void {
    const { door, reference } = this;
    const receipt = door.receipt();
    assert.equal(hex(receipt.digest), reference.digest());
    assert.equal(receipt.applied, reference.outcomes.length);
    assert.equal(receipt.slots, reference.slots.size);
    assert.equal(receipt.schedules, reference.schedules.size);
    assert.equal(receipt.density, reference.density());
    assert.equal(receipt.damaged, 0);
    assert.deepEqual(heldSlots(door), expectedSlots(reference));
    this.compareAcks();
  }

  /** Every ack that the lock keeps is the one that was given; it keeps as many as its profile says. */
  compareAcks(): void {
    const { door, reference } = this;
    const { first, acks } = keptAcks(door);
    const { profile } = door.lock.parts;
    assert.equal(first, Math.max(1, reference.outcomes.length - profile.acks + 1));
    assert.deepEqual(acks, reference.outcomes.slice(first - 1));
  }
}

function run(profile: typeof L500I, deltas: number, seed: number): void {
  const pair = new Pair(profile, seed);
  let sent = 0;
  for (let bundles = 0; sent < deltas; bundles++) {
    sent += pair.bundle();
    pair.between();
    if (bundles % 20 === 0) pair.compare();
  }
  pair.compare();
  pair.door.reboot();
  pair.compare();
}

describe("F5 F6 the table equals an independent one: codes, slots, digest, acks", () => {
  it(`on the ten-slot profile, over 5,000 random deltas and reboots (seed ${SEED})`, () =>
    run(L500I, 5000, SEED));
  it(`on the 1000-slot profile, over 5,000 random deltas and reboots (seed ${SEED})`, () =>
    run(LOCK_1000, 5000, SEED));
});
