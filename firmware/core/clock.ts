// The lock's clock (rules T11 to T14): how much of it can be believed, and how far off it may be. Only a signed answer to the
// lock's own nonce sets it. The error bound grows with the board's declared drift; above the policy the time counts as unknown.

import { getU16, getU32, putU16, putU32 } from "../../protocol/wire/bytes";
import { Trust } from "../../protocol/wire/messages";
import type { Clock } from "../ports";

/** Above this error bound, in seconds, a time is worth nothing to a schedule: ten minutes. */
export const MAX_BOUND_S = 600;
/** A time answer has whole seconds: the true time was up to one later. */
const RESOLUTION_S = 1;

/** What the clock says at one moment. */
export interface Instant {
  /** See `Trust` of the protocol. */
  trust: number;
  /** UTC seconds, 0 when unknown. */
  now: number;
  /** How far `now` may be off, in seconds, in either direction. */
  bound: number;
}

export class LockClock {
  /** No time before this one is believed again: the highest signed time, kept over power loss (rule T13). */
  floor = 0;
  /** Counts authorities over time; only the owner's root raises it. */
  timeEpoch = 0;
  readonly #clock: Clock;
  readonly #instant: Instant = { trust: Trust.unknown, now: 0, bound: 0 };
  #setAt = 0;
  #time = 0;
  #age = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What has to be kept for a floor and a time epoch: 6 bytes. */
  stateAfter(floor: number, timeEpoch: number): Uint8Array {
    const value = new Uint8Array(6);
    putU32(value, 0, floor);
    putU16(value, 4, timeEpoch);
    return value;
  }

  /** Takes back what {@link stateAfter} made. */
  restore(value: Uint8Array): void {
    this.floor = getU32(value, 0);
    this.timeEpoch = getU16(value, 4);
  }

  /** Seconds since boot. */
  uptime(): number {
    return this.#clock.uptime();
  }

  /** Sets the clock from a signed answer that took `age` seconds to come: the delay widens the bound. */
  set(time: number, age: number): void {
    this.#setAt = this.#clock.uptime();
    this.#time = time;
    this.#age = age;
  }

  /** What the clock says now; the same object each time. */
  read(): Instant {
    const instant = this.#instant;
    const elapsed = this.#clock.uptime() - this.#setAt;
    const seconds = Math.floor(elapsed);
    // A slow clock counts too few seconds, and of those that it counted the share is higher.
    const { driftPpm } = this.#clock;
    const drift = ((this.#age + elapsed) * driftPpm) / (1e6 - driftPpm);
    const bound = Math.ceil(RESOLUTION_S + this.#age + (elapsed - seconds) + drift);
    // In this form a bound that is no number leaves the time unknown, too.
    const isKnown = this.#time !== 0 && bound <= MAX_BOUND_S;
    instant.trust = isKnown ? Trust.set : Trust.unknown;
    instant.now = isKnown ? this.#time + seconds : 0;
    instant.bound = isKnown ? bound : 0;
    return instant;
  }
}
