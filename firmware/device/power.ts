// When a lock may sleep, and how deeply (rule S14): a pure decision from what is going on. Light sleep keeps the radio's connections and
// advertisements, wakes by itself for each, and costs nothing that anybody notices. Deep sleep is for a lock that waits in its box, and for
// one whose battery is nearly empty: it wakes by a touch or the heartbeat, and boots. Whatever is drawn, moving or half done keeps it awake.

/** What is going on at a lock. */
export interface Going {
  /** Seconds since boot. */
  readonly now: number;
  /** Whether the bolt is thrown and rests: nothing waits to be thrown. */
  readonly isLocked: boolean;
  /** Whether keys are held, a button is pressed, something moves or is shown, an image is on trial, or somebody is connected by radio. */
  readonly isBusy: boolean;
  /** Whether all mail that the lock knows of is done with. */
  readonly isIdle: boolean;
  /** Seconds since boot at which somebody touched it last; 0 for the boot itself. */
  readonly touchedAt: number;
  readonly isClaimed: boolean;
  /** Whether the battery is nearly empty. */
  readonly isCritical: boolean;
}

/** What a lock does until its next turn. */
export type Rest = "awake" | "light" | "deep";

/** How long a lock stays awake after a touch, in seconds: the next key comes at once. */
export const AFTER_TOUCH_S = 10;
/** How long a lock without an owner waits for one before it sleeps in its box, in seconds. */
export const BOXED_S = 15 * 60;
/** How long a lock with a nearly empty battery stays reachable after a touch, in seconds: time for a courier and a door check. */
export const CRITICAL_S = 60;

/** How a lock rests. */
export function restOf(going: Going): Rest {
  const { now, isLocked, isBusy, isIdle, touchedAt, isClaimed, isCritical } = going;
  const quiet = now - touchedAt;
  if (isBusy || quiet < AFTER_TOUCH_S) return "awake";
  const isSpent = isCritical ? quiet >= CRITICAL_S : !isClaimed && quiet >= BOXED_S;
  if (isSpent && isLocked) return "deep";
  // Light sleep is deaf to the cable: a lock at the factory, or with its installer, hears it.
  return isClaimed && (isIdle || isSpent) ? "light" : "awake";
}

/** The shortest and the longest deep sleep, in seconds: a timer's unit on one side, and a heartbeat that is never far on the other. */
export const LEAST_SLEEP_S = 60;
export const LONGEST_SLEEP_S = 24 * 3600;

/**
 * How long a deep sleep lasts unless something wakes the lock before, in seconds: 0 for a lock in its box, which only a touch wakes.
 * `heartbeatS` is the board's, 0 for none.
 */
export function sleepSeconds(isClaimed: boolean, heartbeatS: number): number {
  if (!isClaimed) return 0;
  return Math.min(Math.max(heartbeatS, LEAST_SLEEP_S), LONGEST_SLEEP_S);
}

/** How long the network may take for one heartbeat, in seconds. */
export const VISIT_S = 90;

/**
 * When a battery's lock has its network on (rule S14): once a heartbeat and after a touch, until all mail is done with or the time for it
 * is over. With a heartbeat of 0 it is on all the time.
 */
export class NetworkHours {
  readonly #heartbeatS: number;
  #nextAt = 0;
  #until = 0;

  constructor(heartbeatS: number) {
    this.#heartbeatS = heartbeatS;
  }

  /** Somebody touched the lock: the network comes on with the next look. */
  wake(now: number): void {
    this.#nextAt = Math.min(this.#nextAt, now);
  }

  /** Whether the network is on from now on; `isIdle` says whether all mail is done with. */
  isOn(now: number, isIdle: boolean): boolean {
    if (this.#heartbeatS === 0) return true;
    if (now >= this.#nextAt) {
      this.#nextAt = now + this.#heartbeatS;
      this.#until = now + VISIT_S;
      return true;
    }
    if (isIdle) this.#until = now;
    return now < this.#until;
  }
}
