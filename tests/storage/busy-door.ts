// A whole lock with a full table, at work: bundles, PINs, cards, ticks, power cycles. It counts what every single call erases.

import type { Delta } from "../../protocol/issuer/encode";
import { Type } from "../../protocol/wire/messages";
import type { Dice } from "../support/dice";
import { Door } from "../support/door";

const SLOTS = 1000;
const MOST_DELTAS = 32;
const USES = 60_000;
/** A courier tries again so often; each try is a step of housekeeping. */
const TRIES = 8;
const pinOf = (number: number): string => String(1_000_000_000 + number * 7919);

export class BusyDoor {
  readonly door = new Door();
  readonly dice: Dice;
  /** Calls that erased more than they may. */
  readonly breaches: string[] = [];
  erases = 0;
  granted = 0;
  readonly #pins: string[] = [];
  #next = 0;

  constructor(dice: Dice) {
    this.dice = dice;
    for (let slot = 0; slot < SLOTS; slot += MOST_DELTAS) {
      const count = Math.min(MOST_DELTAS, SLOTS - slot);
      this.#send(Array.from({ length: count }, (_, i) => this.#put(slot + i)));
    }
  }

  #put(slot: number): Delta {
    const { table } = this.door.lock.parts;
    const generation = table.load(slot) === "ok" ? table.entry.generation : 0;
    this.#pins[slot] = pinOf(this.#next++);
    return this.door.pin(slot, this.#pins[slot], { generation, uses: USES });
  }

  /** One call of the lock that may erase `most` sectors. */
  #call<T>(name: string, most: number, work: () => T): T {
    const { credentials, events } = this.door.board;
    const before = credentials.counters.erases + events.counters.erases;
    const result = work();
    const erases = credentials.counters.erases + events.counters.erases - before;
    this.erases += erases;
    if (erases > most) this.breaches.push(`${name}: ${erases} erases`);
    return result;
  }

  #send(deltas: readonly Delta[]): void {
    const { door } = this;
    if (!door.session.greeted) door.hello();
    const bundle = door.bundle(deltas);
    for (let tries = 0; door.lock.parts.table.applied < door.seq; tries++) {
      if (tries === TRIES) throw new Error("a bundle was refused again and again");
      this.#call("bundle", 1, () => door.send(Type.bundle, bundle));
    }
  }

  #type(slot: number): void {
    const { door } = this;
    for (const digit of this.#pins[slot]) this.#call("key", 0, () => door.lock.press(Number(digit)));
    if (this.#call("PIN", 0, () => door.type("")) === "granted") this.granted++;
  }

  #reboot(): void {
    this.door.reboot();
    this.#call("the first PIN after a boot", 0, () => this.door.type(this.#pins[0]));
    this.#call("time", 1, () => this.door.setTime());
  }

  /** Rounds of a bundle, some people at the door, and now and then a tick or a power cycle. */
  work(rounds: number): void {
    const { door, dice } = this;
    for (let round = 0; round < rounds; round++) {
      const slots = new Set(Array.from({ length: 1 + dice.below(MOST_DELTAS) }, () => dice.below(SLOTS)));
      this.#send([...slots].map((slot) => this.#put(slot)));
      for (let people = dice.below(5); people >= 0; people--) this.#type(dice.below(SLOTS));
      this.#call("card", 0, () => door.lock.presentCard(dice.bytes(7)));
      this.#call("receipt", 1, () => door.receipt());
      if (dice.chance(0.3)) this.#call("tick", 1, () => door.lock.tick());
      if (dice.chance(0.1)) this.#reboot();
      door.now += 1 + dice.below(40);
    }
  }
}
