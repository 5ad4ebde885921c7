// The gate before every verification (rules X5, X13): bad signatures are counted in separate buckets, so that no flood of one kind keeps
// another kind waiting, and who found a bucket empty comes first when it has a token again. A verification that succeeds costs nothing.
// A flood therefore slows down whoever sends it, and an honest sender waits for one token at most.

import type { Session } from "./session";

/** What bad signatures are counted by: mail of issuers and owner, time answers, and phones at the door. */
export const Bucket = { mail: 0, time: 1, phone: 2 } as const;

/** Bad signatures that a bucket takes at once. */
export const BUCKET_TOKENS = 6;
/** Seconds of uptime after which a token comes back. */
export const REFILL_S = 2;
/** Sessions that wait for a token of one bucket; more are turned away without a place. */
export const MAX_WAITING = 4;
/** Seconds for which a token is kept for the session that waits longest. */
export const RESERVED_S = 3;

class TokenBucket {
  #tokens = BUCKET_TOKENS;
  #refilledAt = 0;
  /** Sessions that found no token, the one that waits longest first. */
  readonly #waiting: Session[] = [];
  /** Since when there has been a token for the first of them. */
  #offeredAt = 0;

  take(session: Session, now: number): boolean {
    this.#refill(now);
    this.#passOver(now);
    this.#forgetClosed();
    const place = this.#waiting.indexOf(session);
    const ahead = place < 0 ? this.#waiting.length : place;
    if (this.#tokens > ahead) {
      this.#tokens--;
      if (place >= 0) this.#waiting.splice(place, 1);
      if (place === 0) this.#offeredAt = now;
      return true;
    }
    if (place < 0 && ahead < MAX_WAITING) this.#waiting.push(session);
    return false;
  }

  giveBack(): void {
    this.#tokens++;
  }

  #refill(now: number): void {
    const steps = Math.max(0, Math.floor((now - this.#refilledAt) / REFILL_S));
    if (this.#tokens === 0 && steps > 0) this.#offeredAt = this.#refilledAt + REFILL_S;
    this.#tokens = Math.min(BUCKET_TOKENS, this.#tokens + steps);
    this.#refilledAt = this.#tokens === BUCKET_TOKENS ? now : this.#refilledAt + steps * REFILL_S;
  }

  /** Whoever hangs up gives up their place: else a few who come and go would keep all places taken. The first loses it by {@link #passOver}. */
  #forgetClosed(): void {
    for (let place = this.#waiting.length - 1; place > 0; place--)
      if (this.#waiting[place].closed) this.#waiting.splice(place, 1);
  }

  /** Whoever does not come for their token loses it to the next. */
  #passOver(now: number): void {
    while (this.#waiting.length > 0 && this.#tokens > 0) {
      const isLate = now - this.#offeredAt >= RESERVED_S;
      if (!isLate && !this.#waiting[0].closed) return;
      this.#offeredAt = isLate ? this.#offeredAt + RESERVED_S : now;
      this.#waiting.shift();
    }
  }
}

export class Gate {
  readonly #buckets: readonly TokenBucket[] = [new TokenBucket(), new TokenBucket(), new TokenBucket()];

  /** Whether a signature of this session may be verified now, `now` in seconds of uptime. Takes a token of one of {@link Bucket}. */
  enter(session: Session, bucket: number, now: number): boolean {
    return this.#buckets[bucket].take(session, now);
  }

  /** Gives the token back: the signature was good. */
  giveBack(bucket: number): void {
    this.#buckets[bucket].giveBack();
  }
}
