// What the lock last heard from its issuer (rules S12, K2, L3): when that was signed, which acks have come home, and which events. It is
// a value of the lock's own, of one claim: a new owner's lock has heard nothing yet. Positions of acks count in one epoch only. When it is
// lost, leases are over and nothing counts as seen: both are safe.

import { getU24, getU32, putU24, putU32 } from "../../protocol/wire/bytes";
import type { Heartbeat } from "../../protocol/wire/payloads";
import { State } from "./storage/places";
import type { Table } from "./storage/table";

/** signed at (4) | heartbeat issued at (4) | acks (3) | events (4) | epoch (4) */
const HEARD_BYTES = 19;
const ISSUED = 4;
const ACKS = 8;
const EVENTS = 11;
const EPOCH = 15;
const DAY_S = 86_400;
/** What brings nothing new is worth a record when it was signed so much later than what is kept. */
const STEP_S = 3600;
/** The end of a lease of which the issuer never gave a sign: the first second that is one. */
const LONG_OVER = 1;

export class Heard {
  /** UTC seconds at which the issuer signed the newest of what was heard; 0 for never. */
  signedAt = 0;
  /** UTC seconds at which the newest heartbeat was issued; 0 for none. */
  issuedAt = 0;
  /** All acks up to this seq of epoch {@link epoch} have come home. */
  acks = 0;
  /** The first event that has not, 0 for nobody knows. */
  events = 0;
  epoch = 0;
  /** Signs of life of owner and issuer since boot: it rises with each, and with nothing else (rule X11). */
  signs = 0;
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** Nothing was heard yet: a claim begins. */
  forget(): void {
    this.signedAt = this.issuedAt = this.acks = this.events = this.epoch = 0;
  }

  /** Reads it back after a mount; `claimEpoch` is the epoch that the claim in force began with. */
  restore(claimEpoch: number, epoch: number): void {
    this.forget();
    const value = this.#table.state(State.heard);
    if (value === undefined || value.length !== HEARD_BYTES || getU32(value, EPOCH) < claimEpoch) return;
    this.use(value);
    this.free(epoch);
  }

  private use(value: Uint8Array): void {
    this.signedAt = getU32(value, 0);
    this.issuedAt = getU32(value, ISSUED);
    this.acks = getU24(value, ACKS);
    this.events = getU32(value, EVENTS);
    this.epoch = getU32(value, EPOCH);
  }

  private free(epoch: number): void {
    if (this.epoch === epoch) this.#table.acks.free(this.acks);
  }

  private commit(value: Uint8Array): boolean {
    if (!this.#table.commitState(State.heard, value)) return false;
    this.use(value);
    return true;
  }

  private value(signedAt: number): Uint8Array {
    const value = new Uint8Array(HEARD_BYTES);
    putU32(value, 0, signedAt);
    putU32(value, ISSUED, this.issuedAt);
    putU24(value, ACKS, this.acks);
    putU32(value, EVENTS, this.events);
    putU32(value, EPOCH, this.epoch);
    return value;
  }

  /** Keeps a heartbeat of the lock's epoch that is newer than the last, its numbers no higher than they can be. False when the flash refused. */
  beat({ issuedAt, acks, events, epoch }: Omit<Heartbeat, "lock">): boolean {
    const value = this.value(Math.max(issuedAt, this.signedAt));
    putU32(value, ISSUED, issuedAt);
    // An issuer whose store is an old copy has forgotten what it saw. The lock has not.
    putU24(value, ACKS, epoch === this.epoch ? Math.max(acks, this.acks) : acks);
    putU32(value, EVENTS, Math.max(events, this.events));
    putU32(value, EPOCH, epoch);
    if (!this.commit(value)) return false;
    this.signs++;
    this.free(epoch);
    return true;
  }

  /**
   * Whether a heartbeat, its numbers no higher than they can be, is of the second of the one that is kept and says nothing that is not
   * kept. Numbers below the kept ones are nothing new: the lock never takes them, the first time neither.
   */
  says({ issuedAt, acks, events, epoch }: Omit<Heartbeat, "lock">): boolean {
    const isSame = issuedAt === this.issuedAt && epoch === this.epoch;
    return isSame && acks <= this.acks && events <= this.events;
  }

  /** Takes a bundle for the sign of life that it is: each that brings something new, and any other once an hour (rule S12). */
  bundle(signedAt: number, isNew: boolean, epoch: number): void {
    if (isNew) this.signs++;
    if (signedAt <= this.signedAt || (!isNew && signedAt < this.signedAt + STEP_S)) return;
    const value = this.value(signedAt);
    if (epoch !== this.epoch) putU24(value, ACKS, 0);
    putU32(value, EPOCH, epoch);
    if (this.commit(value) && !isNew) this.signs++;
  }

  /**
   * Cuts back what cannot be true (rule P7): an issuer's key that was stolen may have signed for a day to come, after which no lease would
   * end and nothing that is signed now would be news. A time above `latest` becomes `earliest`, between which it is now, so that the next
   * heartbeat is taken; acks and events stay. Writes nothing where all can be true. False when the flash refused.
   */
  cut(latest: number, earliest: number): boolean {
    const isTrue = (time: number): boolean => time <= latest;
    if (isTrue(this.signedAt) && isTrue(this.issuedAt)) return true;
    const value = this.value(isTrue(this.signedAt) ? this.signedAt : earliest);
    if (!isTrue(this.issuedAt)) putU32(value, ISSUED, earliest);
    return this.commit(value);
  }

  /**
   * UTC seconds from which slots with the flag lease are refused, where the issuer's word is good for so many days; 0 for never, since
   * the lock has no leases.
   */
  leaseEnd(days: number): number {
    if (days === 0) return 0;
    return this.signedAt === 0 ? LONG_OVER : this.signedAt + days * DAY_S;
  }
}
