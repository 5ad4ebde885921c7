// The gate before every verification, and before every receipt that a question alone is answered by (rules X5, X13): what costs a lock much
// is counted in separate buckets, so that no flood of one kind keeps another kind waiting, and who found a bucket empty comes first when it
// has enough again. A signature that brings something new costs nothing. A flood of forgeries, replays or questions therefore slows
// down whoever sends it, and an honest sender waits for one turn at most.

import type { Session } from "./session";

/** What is counted apart: mail of issuers and owner, time answers, phones at the door, and questions. */
export const Bucket = { mail: 0, time: 1, phone: 2, ask: 3 } as const;

/** Units in a full bucket. */
export const BUCKET_UNITS = 24;
/** Seconds of uptime in which a unit comes back. */
export const REFILL_S = 0.5;
/** Units that a verification needs, and that a bad signature costs. */
export const VERIFY_UNITS = 4;
/** Units that a good signature costs where it brings nothing new. */
export const REPLAY_UNITS = 1;
/** Units that a question needs and costs. */
export const ASK_UNITS = 1;
/** Sessions that wait for a turn at one bucket; more are turned away without a place. */
export const MAX_WAITING = 4;
/** Seconds for which a turn is kept for the session that waits longest. */
export const RESERVED_S = 3;

const NOBODY: readonly Session[] = [];

/** Its times are seconds of uptime, and a turn is the units that an entrance needs. */
class UnitBucket {
  /** When it was empty, or would have been: since then it fills. */
  #emptyAt = -BUCKET_UNITS * REFILL_S;
  /** Sessions that found too little, the one that waits longest first. */
  #waiting = NOBODY;
  /** From when on there is a turn for the first of them. */
  #offeredAt = 0;

  enter(session: Session, turn: number, now: number): boolean {
    this.#emptyAt = Math.max(this.#emptyAt, now - BUCKET_UNITS * REFILL_S);
    this.passOver(now);
    const place = this.#waiting.indexOf(session);
    const ahead = place < 0 ? this.#waiting.length : place;
    if (now >= this.#emptyAt + (ahead + 1) * turn * REFILL_S) {
      if (place >= 0) this.#waiting = this.#waiting.filter((other) => other !== session);
      if (place === 0) this.#offeredAt = now;
      return true;
    }
    if (place < 0 && ahead < MAX_WAITING) this.#waiting = [...this.#waiting, session];
    return false;
  }

  charge(units: number, turn: number, now: number): void {
    this.#emptyAt += units * REFILL_S;
    const next = this.#emptyAt + turn * REFILL_S;
    if (next > now) this.#offeredAt = next;
  }

  /**
   * Whoever does not come for their turn loses it to the next, and whoever hangs up gives up their place: else a few who come and go would
   * keep all places taken.
   */
  private passOver(now: number): void {
    while (this.#waiting.length > 0) {
      const isLate = now - this.#offeredAt >= RESERVED_S;
      if (!isLate && !this.#waiting[0].closed) break;
      this.#offeredAt = isLate ? this.#offeredAt + RESERVED_S : Math.max(this.#offeredAt, now);
      this.#waiting = this.#waiting.slice(1);
    }
    if (this.#waiting.some(({ closed }) => closed))
      this.#waiting = this.#waiting.filter(({ closed }) => !closed);
  }
}

export class Gate {
  readonly #buckets: readonly UnitBucket[] = Object.values(Bucket).map(() => new UnitBucket());
  /** The bucket of whoever is inside, and the units that this will cost. */
  #entered: number = Bucket.mail;
  #owed = 0;

  /**
   * Whether a signature of this session may be verified now, or its question answered; `now` in seconds of uptime. What it costs one of
   * {@link Bucket} is settled when the message was answered.
   */
  enter(session: Session, bucket: number, now: number): boolean {
    if (!this.#buckets[bucket].enter(session, turnOf(bucket), now)) return false;
    this.#entered = bucket;
    this.#owed = turnOf(bucket);
    return true;
  }

  /** The signature was good. */
  good(): void {
    this.#owed = Math.min(this.#owed, REPLAY_UNITS);
  }

  /** The message was answered. What brought something new costs nothing. */
  settle(isNew: boolean, now: number): void {
    if (this.#owed > 0 && !isNew) this.#buckets[this.#entered].charge(this.#owed, turnOf(this.#entered), now);
    this.#owed = 0;
  }
}

const turnOf = (bucket: number): number => (bucket === Bucket.ask ? ASK_UNITS : VERIFY_UNITS);
