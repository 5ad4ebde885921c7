// A simulated attacker at the keypad, who knows the rules and the time, cuts the power at any moment, and may know working codes.
// It plays against `Keyed`, so that the same attacker fits the lockout alone and a whole lock.

import { LockClock } from "../../firmware/core/clock";
import { Lockout } from "../../firmware/core/lockout";
import type { Flash } from "../../firmware/ports";
import { type FlashImage, VirtualBoard } from "../../simulator/board/board";
import { type Dice, SEED } from "./dice";
import { Door, type DoorOptions, MONDAY } from "./door";
import { bootWith } from "./door-faults";

export const HOUR_S = 3600;
export const DAY_S = 86_400;
export const MONTH_S = 30 * DAY_S;

/**
 * Where the power goes during an entry: "stored" after the state is in flash and before the compare, "answered" after the outcome
 * and before anything else is stored, "forgiven" after it is stored who was forgiven and before the count is.
 */
export type Cut = "stored" | "answered" | "forgiven";
export const CUTS: readonly Cut[] = ["stored", "answered", "forgiven"];

/** What an attacker can do to a lock at its keypad. */
export interface Keyed {
  /** Seconds of the world since the attack began. */
  readonly now: number;
  /** Types a code that nobody has. Whether it was looked at. */
  wrong(cut?: Cut): boolean;
  /** Types a person's working code. Whether it was looked at. */
  right(person: number, cut?: Cut): boolean;
  /** Types a code that is known and refused. Whether it was looked at. */
  known(cut?: Cut): boolean;
  /** A power loss: the lock boots from flash, and its clock is unknown. */
  cutPower(): void;
  /** Signed time reaches the lock: its clock is known. */
  setClock(): void;
  /** Lets time pass, in which the lock does its housekeeping. */
  wait(seconds: number): void;
  /** Seconds of the world until the next entry is looked at. */
  untilNext(): number;
}

/** How a lockout alone is set up. */
export interface AloneOptions {
  /** Declared drift. */
  readonly driftPpm?: number;
  /** Seconds that the lock's clock counts in a true one. */
  readonly rate?: number;
  readonly tries?: number;
  readonly leastMinutes?: number;
  /** UTC seconds at which it begins. */
  readonly start?: number;
}

/** The lockout with as much lock as it needs: flash, a clock, the order of an entry, and a tick. */
export class LockoutAlone implements Keyed {
  now = 0;
  lockout!: Lockout;
  clock!: LockClock;
  /** What flash holds. */
  state: Uint8Array | undefined;
  forgiven: Uint8Array | undefined;
  readonly #options: AloneOptions;
  #bootedAt = 0;

  constructor(options: AloneOptions = {}) {
    this.#options = options;
    this.cutPower();
  }

  cutPower(): void {
    const { driftPpm = 20, rate = 1, tries = 5, leastMinutes = 0 } = this.#options;
    this.#bootedAt = this.now;
    this.clock = new LockClock({ uptime: () => (this.now - this.#bootedAt) * rate, driftPpm });
    this.lockout = new Lockout(this.clock);
    this.lockout.configure(tries, leastMinutes);
    this.lockout.restore(this.state?.slice(), this.forgiven?.slice(), false);
  }

  setClock(): void {
    this.clock.set(Math.floor((this.#options.start ?? MONDAY) + this.now), 0);
  }

  wrong(cut?: Cut): boolean {
    return this.#enter(() => this.lockout.wrong(), cut);
  }

  right(person: number, cut?: Cut): boolean {
    return this.#enter(() => this.lockout.right(person, 1), cut);
  }

  known(cut?: Cut): boolean {
    return this.#enter(() => this.lockout.known(), cut);
  }

  #enter(outcome: () => void, cut: Cut | undefined): boolean {
    if (this.lockout.wait() > 0) return false;
    this.state = this.lockout.guess().slice();
    if (cut !== "stored") outcome();
    if (cut === "forgiven") this.#settleForgiven();
    if (cut !== undefined) this.cutPower();
    return cut !== "stored";
  }

  #settleForgiven(): void {
    if (!this.lockout.forgivenUnsettled) return;
    this.forgiven = this.lockout.forgivenState().slice();
    this.lockout.forgivenSettled();
  }

  /** What the lock does by itself. */
  tick(): void {
    this.lockout.wait();
    this.#settleForgiven();
    if (!this.lockout.unsettled) return;
    this.state = this.lockout.state().slice();
    this.lockout.settled();
  }

  wait(seconds: number): void {
    this.tick();
    this.now += seconds;
    this.tick();
  }

  untilNext(): number {
    return this.lockout.wait() / (this.#options.rate ?? 1);
  }
}

/** A whole lock with some people's codes, all of six digits, and a disabled one. Cuts take the flash as it was after a write. */
export class WholeLock implements Keyed {
  readonly door: Door;
  readonly #began: number;
  /** Flash after each write to the credentials while a cut is to come. */
  #images: FlashImage[] | undefined;
  #typed = 0;
  /** The code that is known and refused. */
  readonly #refused: string;

  constructor(people: number, options: DoorOptions = {}) {
    this.door = new Door(options);
    const { door } = this;
    for (let person = 0; person <= people; person++) door.apply(door.pin(person, codeOf(person)));
    door.apply({ op: "disable", slot: people, generation: door.seq });
    this.#refused = codeOf(people);
    door.lock.tick();
    this.#began = door.now;
    this.cutPower();
  }

  get now(): number {
    return this.door.now - this.#began;
  }

  wrong(cut?: Cut): boolean {
    return this.#type(String(900_000 + (this.#typed++ % 100_000)), cut);
  }

  right(person: number, cut?: Cut): boolean {
    return this.#type(codeOf(person), cut);
  }

  known(cut?: Cut): boolean {
    return this.#type(this.#refused, cut);
  }

  cutPower(): void {
    this.#boot(this.door.board.image());
  }

  setClock(): void {
    this.door.setTime();
  }

  wait(seconds: number): void {
    this.door.lock.tick();
    this.door.now += seconds;
    this.door.lock.tick();
  }

  untilNext(): number {
    return this.door.lock.doorway.lockout.wait();
  }

  #boot(image: FlashImage): void {
    const { door } = this;
    const { crypto, random } = door;
    door.board = new VirtualBoard({ image, crypto, world: { now: () => door.now }, random });
    bootWith(door, { credentials: this.#watched(door.board.credentials) });
  }

  #watched(flash: Flash): Flash {
    return {
      read: (buffer, offset) => flash.read(buffer, offset),
      eraseBlock: (start, end) => flash.eraseBlock(start, end),
      status: () => flash.status(),
      write: (buffer, offset) => {
        flash.write(buffer, offset);
        this.#images?.push(this.door.board.image());
      },
    };
  }

  /** Flash after the first write of some work, or as it is where it writes nothing. */
  #cutIn(work: () => void): FlashImage {
    this.#images = [];
    work();
    const image = this.#images[0] ?? this.door.board.image();
    this.#images = undefined;
    return image;
  }

  #type(digits: string, cut: Cut | undefined): boolean {
    const { door } = this;
    let reason = "";
    const type = () => {
      reason = door.type(digits);
    };
    if (cut !== "stored") {
      type();
      if (reason === "locked-out") return false;
      const isDue = cut === "forgiven" && door.lock.doorway.lockout.forgivenUnsettled;
      if (isDue) this.#boot(this.#cutIn(() => door.lock.tick()));
      else if (cut !== undefined) this.cutPower();
      return true;
    }
    const image = this.#cutIn(type);
    if (reason !== "locked-out") this.#boot(image);
    return false;
  }
}

function codeOf(person: number): string {
  return String(100_000 + 7 * person);
}

/** Plays against one lock until a month is over, and writes down when a guess was looked at. */
export class Attacker {
  readonly lock: Keyed;
  readonly guesses: number[] = [];

  constructor(lock: Keyed) {
    this.lock = lock;
  }

  get isOver(): boolean {
    return this.lock.now > MONTH_S;
  }

  guess(cut?: Cut): void {
    // What is typed after the month does not belong to it.
    const at = this.lock.now;
    if (this.lock.wrong(cut) && at <= MONTH_S) this.guesses.push(at);
  }

  /** Waits until an entry is looked at, whole seconds at a time, so that no rounding hides a second. */
  bePatient(): void {
    for (let left = this.lock.untilNext(); left > 0; left = this.lock.untilNext())
      this.lock.wait(Math.ceil(left));
  }
}

/** The most of some moments that lie within any `span` seconds, both ends included. */
export function mostWithin(moments: readonly number[], span: number): number {
  let most = 0;
  let first = 0;
  for (let last = 0; last < moments.length; last++) {
    while (moments[last] - moments[first] > span) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** A way to attack: plays until the attacker's month is over. */
export interface Strategy {
  readonly name: string;
  play(attacker: Attacker): void;
}

/** Repeats a round until the month is over. */
function rounds(name: string, round: (attacker: Attacker, lock: Keyed) => void): Strategy {
  return {
    name,
    play(attacker) {
      while (!attacker.isOver) round(attacker, attacker.lock);
    },
  };
}

/** Guesses in bursts, then the next person's code, if any, then rest. */
export function bursts(burst: number, people: number, restHours: number): Strategy {
  let turn = 0;
  return rounds(`${burst} guesses, ${people} codes, ${restHours} h rest`, (attacker, lock) => {
    for (let i = 0; i < burst; i++) {
      attacker.bePatient();
      attacker.guess();
    }
    lock.wait(restHours * HOUR_S);
    if (people === 0) return;
    attacker.bePatient();
    lock.right(turn++ % people);
    lock.wait(1);
  });
}

/** Attacks without any working code. */
export const BARE: readonly Strategy[] = [
  rounds("greedy: guesses whenever one is looked at", (attacker) => {
    attacker.bePatient();
    attacker.guess();
  }),
  rounds("cuts the power when the state is stored", (attacker, lock) => {
    attacker.bePatient();
    attacker.guess("stored");
    lock.wait(1);
  }),
  rounds("cuts the power before the answer shows", (attacker) => {
    attacker.bePatient();
    attacker.guess("answered");
  }),
  rounds("cuts the power before the answer shows, and has the clock set", (attacker, lock) => {
    lock.setClock();
    attacker.bePatient();
    attacker.guess("answered");
  }),
  rounds("cuts the power in the middle of each wait", (attacker, lock) => {
    attacker.guess();
    lock.wait(Math.ceil(lock.untilNext() / 2));
    lock.cutPower();
    attacker.bePatient();
  }),
  rounds("cuts the power in the middle of each wait, and has the clock set", (attacker, lock) => {
    lock.setClock();
    attacker.guess();
    lock.wait(Math.ceil(lock.untilNext() / 2));
    lock.cutPower();
    lock.setClock();
    attacker.bePatient();
  }),
  rounds("has the clock set and lost in turn, guessing with neither", (attacker, lock) => {
    lock.setClock();
    lock.cutPower();
    attacker.bePatient();
    attacker.guess();
    lock.setClock();
  }),
  ...[1, 2, 4, 5, 8].map((burst) => bursts(burst, 0, burst)),
];

/** Attacks by someone who knows working codes of as many people, or stands by while they come in. */
export function withCodes(people: number): Strategy[] {
  const strategies: Strategy[] = [];
  for (const burst of [1, 2, 3, 4, 5, 8]) {
    for (const rest of [0, 1, 2, 3, 8]) strategies.push(bursts(burst, people, rest));
  }
  let turn = 0;
  for (const cut of CUTS) {
    strategies.push(
      rounds(`3 guesses and a code whose power cut is "${cut}"`, (attacker, lock) => {
        for (let i = 0; i < 3; i++) {
          attacker.bePatient();
          attacker.guess();
        }
        attacker.bePatient();
        lock.right(turn++ % people, cut);
        lock.setClock();
      }),
    );
  }
  // Below the first wait a code costs no time, so that is where it is worth most; the top is kept for the last hour.
  let used = 0;
  strategies.push(
    rounds("stays below the first wait, a code every 3 guesses, the rest at the end", (attacker, lock) => {
      const isEnd = lock.now > MONTH_S - 2 * HOUR_S;
      if (!isEnd) for (let i = 0; i < 3; i++) lock.right(used++ % people) && lock.wait(1);
      while (lock.untilNext() === 0) attacker.guess();
      lock.wait(isEnd ? lock.untilNext() : HOUR_S);
    }),
  );
  return strategies;
}

/** Anything at all, in an order that the dice give. */
export function anything(dice: Dice, people: number): Strategy {
  // Some runs are careful with power and clock, or the restarts would drown all else.
  const rash = dice.pick([0, 0.02, 0.3]);
  const idle = dice.pick([0, 0.01, 0.1]);
  const codes = people === 0 ? 0 : dice.pick([0.05, 0.3]);
  const cutOrNot = () => (dice.chance(rash) ? dice.pick(CUTS) : undefined);
  return rounds(`anything, seed ${SEED}`, (attacker, lock) => {
    if (dice.chance(rash)) lock.cutPower();
    if (dice.chance(0.5)) lock.setClock();
    if (dice.chance(0.05)) lock.known(cutOrNot());
    if (dice.chance(codes)) lock.right(dice.below(people), cutOrNot());
    if (dice.chance(idle)) lock.wait(dice.pick([1, 59, 60, HOUR_S - 1, HOUR_S, 5 * HOUR_S, DAY_S]));
    if (dice.chance(0.7)) attacker.bePatient();
    attacker.guess(cutOrNot());
    lock.wait(dice.below(3));
  });
}
