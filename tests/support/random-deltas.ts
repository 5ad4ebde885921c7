// Random deltas for one lock: mostly sensible, often enough wrong in one way, from small sets of users, PINs and schedules so that
// they meet each other.

import type { Dice } from "./dice";
import type { Door } from "./door";
import { MONDAY } from "./door";
import type { Change, Limits, Operation, Put, ReferenceTable, Window } from "./reference";
import { ZONES } from "./reference";

const HOUR = 3600;
const GUEST = 3;

/** PINs to choose from: most are long, since the density guard lets in only a few short ones. */
function pins(dice: Dice, count: number): string[] {
  return Array.from({ length: count }, () => {
    const digits = dice.chance(0.2) ? 4 + dice.below(3) : 7 + dice.below(4);
    return Array.from({ length: digits }, () => dice.below(10)).join("");
  });
}

export class RandomDeltas {
  readonly pins: readonly string[];
  readonly #dice: Dice;
  readonly #door: Door;
  readonly #table: ReferenceTable;
  readonly #limits: Limits;
  readonly #users: number;

  /** `table` is what the lock holds: slots, generations and schedules are mostly taken from it. */
  constructor(dice: Dice, door: Door, table: ReferenceTable, limits: Limits) {
    this.#dice = dice;
    this.#door = door;
    this.#table = table;
    this.#limits = limits;
    this.#users = 3 + limits.slots;
    this.pins = pins(dice, limits.slots * 2);
  }

  next(): Operation {
    const dice = this.#dice;
    const roll = dice.below(1000);
    if (roll < 480) return this.#put();
    if (roll < 640) return this.#change();
    if (roll < 700) return { op: "drop", ...this.#named() };
    if (roll < 750) return { op: "disable", ...this.#named() };
    if (roll < 800) return { op: "enable", ...this.#named() };
    if (roll < 815) return { op: "revoke", user: this.#user() };
    if (roll < 910) return { op: "put-schedule", id: this.#anySchedule(), windows: this.#windows() };
    if (roll < 940) return { op: "drop-schedule", id: this.#anySchedule() };
    if (roll < 998 || dice.chance(0.8)) return this.#set();
    return { op: "wipe" };
  }

  #user(): number {
    return 1 + this.#dice.below(this.#users);
  }

  #anySchedule(): number {
    return 1 + this.#dice.below(Math.min(255, this.#limits.schedules + 1));
  }

  /** A slot: now and then one past the last, often one that is occupied; with the generation that it has, or now and then another. */
  #named(occupied = 0.8): { slot: number; generation: number } {
    const dice = this.#dice;
    const { slots } = this.#limits;
    let slot = dice.chance(0.02) ? slots + dice.below(3) : dice.below(slots);
    const held = [...this.#table.slots.keys()];
    if (held.length > 0 && dice.chance(occupied)) slot = dice.pick(held);
    const generation = this.#table.slots.get(slot)?.generation ?? 0;
    return { slot, generation: dice.chance(0.05) ? dice.below(500) : generation };
  }

  #schedule(): number {
    const known = [...this.#table.schedules.keys()];
    return known.length === 0 || this.#dice.chance(0.1) ? this.#anySchedule() : this.#dice.pick(known);
  }

  #terms(): Omit<Put, "op" | "slot" | "kind" | "tag" | "user"> {
    const dice = this.#dice;
    const role = dice.chance(0.01) ? 7 : dice.below(7);
    const timed = role === GUEST ? 0.95 : 0.3;
    const start = dice.chance(timed) ? MONDAY + (dice.below(96) - 48) * HOUR : 0;
    return {
      role,
      schedule: dice.chance(0.3) ? this.#schedule() : 0,
      start,
      end: dice.chance(timed) ? MONDAY + (dice.below(200) + 40) * HOUR : 0,
      minutesAfterFirstUse: dice.chance(0.1) ? 1 + dice.below(2880) : 0,
      firstUseHours: dice.chance(start === 0 ? 0.01 : 0.2) ? 1 + dice.below(255) : 0,
      capabilities: dice.chance(0.2) ? dice.below(dice.chance(0.9) ? 128 : 256) : 0,
      flags: dice.chance(0.2) ? 2 * dice.below(16) + (dice.chance(0.1) ? 1 : 0) : 0,
    };
  }

  #put(): Put {
    const dice = this.#dice;
    const { slot, generation } = this.#named(0.4);
    const held = this.#table.slots.get(slot);
    // The same put again, as an issuer sends it that heard nothing.
    if (held !== undefined && dice.chance(0.2))
      return { ...held, op: "put", flags: held.flags & ~1, tag: Buffer.from(held.tag, "hex") };
    const more = {
      ...this.#terms(),
      user: this.#user(),
      generation,
      grantor: dice.chance(0.5) ? this.#user() : 0,
      uses: dice.chance(0.2) ? 1 + dice.below(65535) : 0,
    };
    if (dice.chance(0.1)) return this.#door.card(slot, Uint8Array.of(4, 0, 0, dice.below(99)), more);
    const put = this.#door.pin(slot, dice.pick(this.pins), more);
    return dice.chance(0.01) ? { ...put, kind: dice.below(6) } : put;
  }

  #change(): Change {
    return { ...this.#terms(), op: "change", ...this.#named() };
  }

  #windows(): Window[] {
    const dice = this.#dice;
    const count = dice.chance(0.6) ? 1 : 1 + dice.below(8);
    return Array.from({ length: count }, () => ({
      days: 1 << dice.below(7),
      start: dice.below(1440),
      duration: 1 + (dice.chance(0.8) ? dice.below(200) : dice.below(1440)),
    }));
  }

  #set(): Operation {
    const dice = this.#dice;
    const setting = dice.chance(0.05)
      ? 80
      : 1 + dice.below(dice.chance(0.7) ? 15 : dice.chance(0.8) ? 79 : 255);
    const value = this.#value(setting);
    const isCut = value.length > 1 && dice.chance(0.05);
    return { op: "set", setting, value: isCut ? value.slice(1) : value };
  }

  /** A value that a setting may have, or nearly. */
  #value(setting: number): Uint8Array {
    const dice = this.#dice;
    const { tag, digits = 0 } = this.#door.pin(0, dice.pick(this.pins));
    const isNone = dice.chance(0.2);
    if (setting === 1) return Buffer.from(dice.pick(dice.chance(0.8) ? ZONES.good : ZONES.bad));
    if (setting === 2) return Uint8Array.of(dice.below(4));
    if (setting === 4) return isNone ? Uint8Array.of(0) : Uint8Array.of(digits, ...tag);
    if (setting === 5) return Uint8Array.of(0, dice.below(200), dice.below(256), dice.below(256));
    if (setting === 6) return Uint8Array.of(dice.below(7), dice.below(7), dice.below(256));
    if (setting === 7)
      return Uint8Array.of(isNone ? 0 : this.#anySchedule(), dice.below(3), dice.below(4), dice.below(256));
    if (setting === 8) return Uint8Array.of(dice.below(3));
    // No kinds of offline codes: those that there are count in the density.
    if (setting === 14) return Uint8Array.of(dice.pick([0, 16]), dice.below(10));
    if (setting < 16) return Uint8Array.of(dice.below(15), dice.below(256));
    if (isNone) return Uint8Array.of(0);
    if (setting === 80) return Uint8Array.from(this.#denied());
    const isMode = dice.chance(0.4);
    const effect = isMode ? [0, dice.below(4)] : [dice.below(140), 255];
    return Uint8Array.of(81, dice.below(256), dice.below(2), dice.below(256), ...effect);
  }

  /** Offline codes to deny, mostly in order; of those of a week one in seven is there. */
  #denied(): number[] {
    const dice = this.#dice;
    const count = 1 + dice.below(9);
    return Array.from({ length: count }, (_, i) => [i * 3 + dice.below(4), 81, dice.below(256)]).flat();
  }
}
