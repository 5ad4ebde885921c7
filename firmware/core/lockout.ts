// The keypad lockout (rules X1 to X3): how many wrong entries count, how long the next one waits, and whom a right one forgives. It
// holds no flash: the lock stores what it gives, before the compare, as if the entry were wrong. So a power cut never gives a try,
// and memory is never milder than flash. Nothing here throws on stored bytes: what cannot be read is taken for the worst.

import { getU16, getU32, putU16, putU32 } from "../../protocol/wire/bytes";
import { Trust } from "../../protocol/wire/receipt";
import { MAX_LOCKOUT_TRIES } from "../../protocol/wire/settings";
import type { LockClock } from "./clock";

const MINUTE_S = 60;
const DAY_S = 86_400;
const MAX_U32 = 0xffff_ffff;

/** The waits, in seconds: the first after as many wrong entries as there are tries, the next after each further one. The last repeats. */
const WAITS_S: readonly number[] = [60, 300, 900, 3600];
const LONGEST = WAITS_S.length - 1;
/**
 * One wrong entry is forgotten each time this passes without another. Not before the longest wait has: at the top each wait
 * brings one entry back, so nobody gets further than one try an hour.
 */
const LEAK_S = WAITS_S[LONGEST];
/** Wrong entries that a right one forgives at most, and that one credential has forgiven at most in a day. */
const MAX_FORGIVEN = 3;
/**
 * Wrong entries that all credentials together have forgiven at most in a day, or people who come and go would give an attacker
 * three tries each. 30 days admit 8 + 30 × (24 + 7) = 938 wrong entries. Where one in 100,000 opens, 1005 are a risk of 1 %; the
 * difference is for a monotonic clock that is fast.
 */
const FORGIVEN_A_DAY = 7;

/** Wrong entries (u8), how many of them since the last right one, up to three (u8), date of the last (u32, 0 for none). */
const STATE_BYTES = 6;
const RUN = 1;
const DATE = 2;
/** Credential (u16), generation (u32), how many (u8), date (u32, 0 for none): once for each right entry that forgave. */
const RECORD_BYTES = 11;
const GENERATION = 2;
const AMOUNT = 6;
const RECORD_DATE = 7;
const NOBODY = 0xffff;

/** The latest that it can be now, UTC seconds; 0 where the clock does not know, or 32 bits do not hold it. */
function latest(clock: LockClock): number {
  const { trust, now, bound } = clock.read();
  return trust === Trust.unknown || now + bound > MAX_U32 ? 0 : now + bound;
}

/**
 * Seconds that have passed for certain since something was seen at `uptime` or, if that was before a power loss, since the boot.
 * A date tells more, but only while the clock is known; one that lies ahead of the clock tells nothing.
 */
function passed(clock: LockClock, uptime: number, date: number): number {
  const counted = clock.uptime() - uptime;
  if (date === 0) return counted;
  const { trust, now, bound } = clock.read();
  return trust === Trust.unknown ? counted : Math.max(counted, now - bound - date);
}

/** Who was forgiven how many wrong entries in the last 24 hours. Each forgiveness is remembered for itself. */
class Forgiven {
  readonly #clock: LockClock;
  /** As it is stored. Each record is of one entry at least, so that there are never more of them. */
  readonly #records = new Uint8Array(FORGIVEN_A_DAY * RECORD_BYTES);
  /** Uptime of each record, in seconds. */
  readonly #since = new Float64Array(FORGIVEN_A_DAY);
  #count = 0;

  constructor(clock: LockClock) {
    this.#clock = clock;
  }

  get bytes(): Uint8Array {
    return this.#records.subarray(0, this.#count * RECORD_BYTES);
  }

  /** Takes back {@link bytes}. False, and nobody is forgiven for a day, where they are none. */
  restore(bytes: Uint8Array): boolean {
    // Each record is of one at least, so that more of them than there is room for are too many as well.
    let total = bytes.length % RECORD_BYTES === 0 ? 0 : Infinity;
    for (let at = 0; at < bytes.length; at += RECORD_BYTES) total += bytes[at + AMOUNT] || Infinity;
    if (total > FORGIVEN_A_DAY) {
      this.exhaust();
      return false;
    }
    this.#records.set(bytes);
    this.#count = bytes.length / RECORD_BYTES;
    this.#since.fill(this.#clock.uptime());
    return true;
  }

  /** As if nobody ever was. */
  forget(): void {
    this.#count = 0;
  }

  /** As if all that a day has was forgiven now. */
  exhaust(): void {
    this.#count = 0;
    this.add(NOBODY, 0, FORGIVEN_A_DAY);
  }

  /** How many wrong entries a credential may have forgiven now. Drops what is older than a day. */
  allowance(id: number, generation: number): number {
    const records = this.#records;
    let kept = 0;
    let total = 0;
    let own = 0;
    for (let i = 0; i < this.#count; i++) {
      const at = i * RECORD_BYTES;
      if (passed(this.#clock, this.#since[i], getU32(records, at + RECORD_DATE)) >= DAY_S) continue;
      const amount = records[at + AMOUNT];
      total += amount;
      if (getU16(records, at) === id && getU32(records, at + GENERATION) === generation) own += amount;
      records.copyWithin(kept * RECORD_BYTES, at, at + RECORD_BYTES);
      this.#since[kept++] = this.#since[i];
    }
    this.#count = kept;
    return Math.max(0, Math.min(MAX_FORGIVEN - own, FORGIVEN_A_DAY - total));
  }

  /** Remembers a forgiveness; there is room for what {@link allowance} allows. */
  add(id: number, generation: number, amount: number): void {
    const at = this.#count * RECORD_BYTES;
    putU16(this.#records, at, id);
    putU32(this.#records, at + GENERATION, generation);
    this.#records[at + AMOUNT] = amount;
    putU32(this.#records, at + RECORD_DATE, latest(this.#clock));
    this.#since[this.#count++] = this.#clock.uptime();
  }
}

export class Lockout {
  /** Whether flash says another thing than memory: then {@link state} is to be stored, and {@link settled} called. */
  unsettled = false;
  /** The same for {@link forgivenState} and {@link forgivenSettled}. */
  forgivenUnsettled = false;
  readonly #clock: LockClock;
  readonly #forgiven: Forgiven;
  #tries = MAX_LOCKOUT_TRIES;
  #leastS = 0;
  /** Memory, in the form that is stored: the count as it was at the last wrong entry, and its date. */
  readonly #state = new Uint8Array(STATE_BYTES);
  readonly #guess = new Uint8Array(STATE_BYTES);
  /** Uptime of the last wrong entry, or of the boot. */
  #since = 0;
  /** Wrong entries to be forgiven as soon as it is stored who was. */
  #pending = 0;

  constructor(clock: LockClock) {
    this.#clock = clock;
    this.#forgiven = new Forgiven(clock);
  }

  /** The policy: which wrong entry begins the first wait, 1 to 5, and how long a wait is at least, in minutes. Never milder than the default. */
  configure(tries: number, leastMinutes: number): void {
    this.#tries = Math.max(1, Math.min(tries, MAX_LOCKOUT_TRIES));
    this.#leastS = leastMinutes * MINUTE_S;
  }

  /**
   * Takes back at boot what was stored; undefined for what never was. `lost` tells that one of the two was stored and cannot be
   * read. That, and bytes that are none of ours, mean all wrong entries that there can be, and nobody forgiven for a day.
   */
  restore(stored: Uint8Array | undefined, forgiven: Uint8Array | undefined, lost: boolean): void {
    this.#since = this.#clock.uptime();
    const top = MAX_LOCKOUT_TRIES + LONGEST;
    const isBad =
      stored !== undefined &&
      (stored.length !== STATE_BYTES || stored[0] > top || stored[RUN] > MAX_FORGIVEN);
    if (lost || isBad) {
      this.put(this.#state, top, 0);
      this.unsettled = true;
    } else if (stored !== undefined) this.#state.set(stored);
    if (lost) this.#forgiven.exhaust();
    this.forgivenUnsettled = lost || (forgiven !== undefined && !this.#forgiven.restore(forgiven));
  }

  /** Seconds until the next entry is looked at, 0 when one may be made now. Forgets what has leaked away: call it now and then. */
  wait(): number {
    if (this.#state[0] > 0 && this.count === 0) this.clear();
    const over = this.held - this.#tries;
    if (over < 0) return 0;
    return Math.max(0, Math.max(WAITS_S[over], this.#leastS) - this.passed());
  }

  /**
   * What is to be stored before the entry is compared: the state if it is wrong. Without that in flash the entry must not be
   * looked at. Changes nothing; the bytes are good until the next call.
   */
  guess(): Uint8Array {
    const run = Math.min(this.#state[RUN] + 1, MAX_FORGIVEN);
    this.put(this.#guess, Math.min(this.count + 1, this.top), run);
    return this.#guess;
  }

  /** The entry of the last {@link guess} was wrong: memory becomes what is stored. */
  wrong(): void {
    this.#state.set(this.#guess);
    this.#since = this.#clock.uptime();
    this.unsettled = false;
  }

  /** The entry was a known one that did not open (rule X3): it neither counts nor forgives. */
  known(): void {
    this.unsettled = true;
  }

  /**
   * The entry opened. The wrong ones directly before it are forgiven as far as the credential's allowance goes, but not before
   * that is stored: {@link forgivenSettled} lowers the count. A credential is a slot or a number of the lock's own, below 65535,
   * and its generation.
   */
  right(id: number, generation: number): void {
    const amount = Math.min(this.#state[RUN], this.count, this.#forgiven.allowance(id, generation));
    if (amount > 0) {
      this.#forgiven.add(id, generation, amount);
      this.#pending += amount;
      this.forgivenUnsettled = true;
    }
    this.#state[RUN] = 0;
    this.unsettled = true;
  }

  /** Forgets all wrong entries (rule X2), but not who was forgiven. */
  clear(): void {
    this.#state.fill(0);
    this.#pending = 0;
    this.unsettled = true;
  }

  /** Begins anew, as a lock does that has lost its owner: nothing counts, and nobody was forgiven. What was stored is gone. */
  restart(): void {
    this.#state.fill(0);
    this.#pending = 0;
    this.#forgiven.forget();
    this.unsettled = this.forgivenUnsettled = false;
  }

  /** What to store, 6 bytes. */
  state(): Uint8Array {
    return this.#state;
  }

  /** {@link state} is stored. */
  settled(): void {
    this.unsettled = false;
  }

  /** What to store beside, at most 77 bytes; before {@link state}, or a power cut between the two delays the forgiveness. */
  forgivenState(): Uint8Array {
    return this.#forgiven.bytes;
  }

  /** {@link forgivenState} is stored: now the wrong entries are forgiven. */
  forgivenSettled(): void {
    this.forgivenUnsettled = false;
    if (this.#pending === 0) return;
    this.#state[0] = Math.max(0, this.held - this.#pending);
    this.#pending = 0;
    this.unsettled = true;
  }

  /** Wrong entries that count now, 0 to three more than there are tries. */
  get count(): number {
    return Math.max(0, this.held - Math.floor(this.passed() / Math.max(LEAK_S, this.#leastS)));
  }

  /** The most wrong entries that count. */
  private get top(): number {
    return this.#tries + LONGEST;
  }

  /** The count at the last wrong entry; under a stricter policy than then there may be fewer to it. */
  private get held(): number {
    return Math.min(this.#state[0], this.top);
  }

  private passed(): number {
    return passed(this.#clock, this.#since, getU32(this.#state, DATE));
  }

  private put(bytes: Uint8Array, count: number, run: number): void {
    bytes[0] = count;
    bytes[RUN] = run;
    putU32(bytes, DATE, latest(this.#clock));
  }
}
