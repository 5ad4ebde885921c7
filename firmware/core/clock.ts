// The lock's clock (rules T11 to T14): how much of it can be believed, and how far off it may be. Only a signed answer to the
// lock's own nonce sets it. The error bound grows with the board's declared drift; above the policy the time counts as unknown.

import { getU16, getU32, putU16, putU32 } from "../../protocol/wire/bytes";
import { MAX_TIME_ANSWER_AGE_S } from "../../protocol/wire/limits";
import { Trust } from "../../protocol/wire/receipt";
import type { Clock } from "../ports";

/** Above this error bound, in seconds, a time is worth nothing to a schedule: ten minutes. */
export const MAX_BOUND_S = 600;
/** The floor rises with what issuers sign in steps of an hour. */
const FLOOR_STEP_S = 3600;
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
  /** The error bound above which the time counts as unknown, in seconds (rule T11). */
  maxBound = MAX_BOUND_S;
  readonly #clock: Clock;
  readonly #instant: Instant = { trust: Trust.unknown, now: 0, bound: 0 };
  #trust: number = Trust.unknown;
  /** The signed time that it was set to last, also before this boot; 0 for never. */
  #setTo = 0;
  #setAt = 0;
  #time = 0;
  /** The error bound at #setAt, but for its resolution. */
  #error = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What has to be kept of a floor and a time epoch, and of the time that the clock was set to last: 10 bytes. */
  stateAfter(floor: number, timeEpoch: number, setTo: number = this.#setTo): Uint8Array {
    const value = new Uint8Array(10);
    putU32(value, 0, floor);
    putU16(value, 4, timeEpoch);
    putU32(value, 6, setTo);
    return value;
  }

  /** Takes back what {@link stateAfter} made. */
  restore(value: Uint8Array): void {
    this.floor = getU32(value, 0);
    this.timeEpoch = getU16(value, 4);
    this.#setTo = getU32(value, 6);
  }

  /**
   * Goes on after a boot: nothing before `logged`, the time of an event, is believed again (rule T13); and if the board has a clock
   * that was not without power, its time is (rule T11). The time that it was set to shows how long it has drifted.
   */
  resume(logged: number): void {
    if (logged > this.floor) this.floor = logged;
    const { held } = this.#clock;
    const time = held?.read() ?? 0;
    if (held === undefined || this.#setTo === 0 || time < this.floor) return;
    this.begin(Trust.held, time, MAX_TIME_ANSWER_AGE_S + driftOver(time - this.#setTo, held.driftPpm));
  }

  /**
   * How far what an issuer signed at `issuedAt` raises the floor, by at most the clock's own bound; 0 for not at all, or by less than
   * an hour, which is not worth a record (rule T13).
   */
  floorAfter(issuedAt: number): number {
    const { trust, now, bound } = this.read();
    const floor = trust === Trust.unknown ? 0 : Math.min(issuedAt, now + bound);
    return floor >= this.floor + FLOOR_STEP_S ? floor : 0;
  }

  /** The earliest time that it can be now; the floor where the time is unknown. UTC seconds. */
  get earliest(): number {
    const { trust, now, bound } = this.read();
    return trust === Trust.unknown ? this.floor : Math.max(0, now - bound);
  }

  /** The latest time that it can be now, as far as the lock was ever told: the floor, too, where the time is unknown. UTC seconds. */
  get latest(): number {
    const { trust, now, bound } = this.read();
    return trust === Trust.unknown ? this.floor : now + bound;
  }

  /** Sets the clock that needs no power. Before the time is committed, so that what is committed is never later than what it was set to. */
  hold(time: number): void {
    this.#clock.held?.set(time);
  }

  /** Seconds since boot. */
  uptime(): number {
    return this.#clock.uptime();
  }

  /** Sets the clock from a signed answer that took `age` seconds to come: the delay widens the bound. */
  set(time: number, age: number): void {
    this.begin(Trust.set, time, age + driftOver(age, this.#clock.driftPpm));
  }

  private begin(trust: number, time: number, error: number): void {
    this.#trust = trust;
    this.#setAt = this.#clock.uptime();
    this.#time = time;
    this.#error = error;
  }

  /** What the clock says now; the same object each time. */
  read(): Instant {
    const instant = this.#instant;
    const elapsed = this.#clock.uptime() - this.#setAt;
    const seconds = Math.floor(elapsed);
    const drift = driftOver(elapsed, this.#clock.driftPpm);
    const bound = Math.ceil(RESOLUTION_S + this.#error + (elapsed - seconds) + drift);
    // In this form a bound that is no number leaves the time unknown, too.
    const isKnown = this.#time !== 0 && bound <= this.maxBound;
    instant.trust = isKnown ? this.#trust : Trust.unknown;
    instant.now = isKnown ? this.#time + seconds : 0;
    instant.bound = isKnown ? bound : 0;
    return instant;
  }
}

/** How far a clock may be off that has counted so many seconds: a slow one counts too few, so its share is higher. */
function driftOver(seconds: number, ppm: number): number {
  return (seconds * ppm) / (1e6 - ppm);
}
