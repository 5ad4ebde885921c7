// Runs the day: every step of the script on a virtual clock, deliveries with three attempts, people at keypads and readers. It collects
// what happened and judges nothing.

import type { Issuer } from "../../protocol/issuer/issuer";
import { instantOf } from "../../protocol/issuer/when";
import { fromHex } from "../../protocol/wire/bytes";
import { reasonName } from "../../protocol/wire/codes";
import { MODE_NAMES } from "../../protocol/wire/settings";
import { typePin } from "../../simulator/board/board";
import { Failure } from "../ui/failure";
import { intlOffset } from "../zone";
import type { Building, OnReceipt, VirtualDoor } from "./building";
import type { Step } from "./script";

/** How often a delivery is tried (rule A38). */
const ATTEMPTS = 3;
/** Seconds of virtual time in which a lock that opened locks itself again, at the latest. */
const SETTLE_S = 1;

/** What came of one attempt at a door. */
export interface Attempt {
  readonly step: Step;
  /** The name of the reason, "granted" when the door opened. */
  readonly reason: string;
  /** Whether the bolt was drawn. */
  readonly opened: boolean;
  /** Seconds for which the keypad looks at no entry now. */
  readonly wait: number;
}

/** The clock on the wall of the simulation, UTC seconds. */
export interface SettableClock {
  now(): number;
  set(seconds: number): void;
}

/** What the day tells while it runs. */
export interface DayListener {
  step(step: Step, seconds: number): void;
  attempt(attempt: Attempt, seconds: number): void;
  delivered(door: VirtualDoor, text: string): void;
  syncing(doors: readonly VirtualDoor[]): void;
  synced(): void;
  readonly receipt: OnReceipt;
}

/** What a day leaves behind for the summary. */
export interface DayRecord {
  readonly attempts: Attempt[];
  /** Doors with credentials that were unconfirmed after three attempts, at some moment of the day. */
  readonly unconfirmed: Set<string>;
}

export class Day {
  readonly record: DayRecord = { attempts: [], unconfirmed: new Set() };
  readonly #building: Building;
  readonly #issuer: Issuer;
  readonly #clock: SettableClock;
  readonly #listener: DayListener;

  constructor(building: Building, issuer: Issuer, clock: SettableClock, listener: DayListener) {
    this.#building = building;
    this.#issuer = issuer;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Runs all steps in order. */
  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      const seconds = instantOf(step.when, this.#building.near(step.door).row.zone, intlOffset);
      this.#advance(seconds);
      this.#listener.step(step, seconds);
      await this.#take(step, seconds);
    }
  }

  /** Moves the clock; locks do what they do by themselves on the way. */
  #advance(seconds: number): void {
    this.#clock.set(Math.max(seconds, this.#clock.now()));
    for (const { virtual } of this.#building.doors.values()) virtual.tick();
  }

  #door(name: string): VirtualDoor {
    const door = this.#building.doors.get(name);
    if (door === undefined) throw new Error(`step: no door ${name}`);
    return door;
  }

  async #take(step: Step, seconds: number): Promise<void> {
    switch (step.action) {
      case "pin":
      case "card":
        this.#attempt(step, seconds);
        break;
      case "sync":
        await this.#sync();
        break;
      case "visit":
        await this.#visit(this.#door(step.door));
        break;
      case "off-air":
        this.#door(step.door).disconnect();
        break;
      case "on-air":
        await this.#door(step.door).connect();
        break;
      case "power-cut":
        await this.#door(step.door).powerCut();
        break;
      case "revoke":
        await this.#issuer.revoke(step.who);
        break;
      case "delete":
        await this.#issuer.remove(step.who);
        break;
      case "mode":
        await this.#issuer.settings.setMode(step.door, MODE_NAMES.indexOf(step.value));
        break;
      case "holiday":
        await this.#issuer.settings.setHoliday(
          step.door,
          0,
          step.value === "" ? undefined : { first: step.value, days: 1 },
        );
        break;
      case "master":
        await this.#setMaster(step);
        break;
    }
  }

  async #setMaster({ id, door, value }: Step): Promise<void> {
    try {
      await this.#issuer.settings.setMaster(door, value === "" ? undefined : value);
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown;
      throw new Failure(`${id}: ${thrown.message}`, "choose another master for this line of the day");
    }
  }

  #attempt(step: Step, seconds: number): void {
    const { virtual } = this.#door(step.door);
    const before = virtual.board.bolt.moves;
    const { lock } = virtual;
    const code = step.action === "pin" ? typePin(lock, step.value) : lock.presentCard(fromHex(step.value));
    const { drawn, moves } = virtual.board.bolt;
    const opened = drawn && moves > before;
    const attempt = { step, reason: reasonName(code), opened, wait: lock.doorway.lockout.wait() };
    this.record.attempts.push(attempt);
    this.#listener.attempt(attempt, seconds);
    this.#advance(seconds + SETTLE_S);
  }

  /** Delivers to every Wi-Fi door at once, each with up to three attempts. */
  async #sync(): Promise<void> {
    const doors = [...this.#building.doors.values()].filter(({ row }) => row.link === "wifi");
    this.#listener.syncing(doors);
    await Promise.all(doors.map((door) => this.#deliver(door)));
    this.#listener.synced();
  }

  async #deliver(door: VirtualDoor): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const carried = await this.#building.deliver(door, this.#listener.receipt);
      if (carried.outcome === "done") return;
      const what = carried.reason === undefined ? carried.outcome : `${carried.outcome} (${carried.reason})`;
      this.#listener.delivered(door, `attempt ${attempt} of ${ATTEMPTS}: ${what}`);
    }
    if (this.#issuer.report(door.id).counts.unconfirmed > 0) this.record.unconfirmed.add(door.row.door);
  }

  async #visit(door: VirtualDoor): Promise<void> {
    this.#listener.syncing([door]);
    const carried = await this.#building.visit(door, this.#listener.receipt);
    this.#listener.synced();
    if (carried.outcome !== "done")
      this.#listener.delivered(door, `visit: ${carried.reason ?? carried.outcome}`);
  }
}
