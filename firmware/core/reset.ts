// The factory reset (rules X11, A64, P3): a physical act that the owner has consented to, or that nobody has objected to for as long as
// the policy says. The owner goes first, by one record; from then on the lock obeys nobody, whatever happens. Then one record empties
// the table and takes all else that was the owner's, an event says so, and a last record ends it. A power cut anywhere leaves the lock
// as it was, or without an owner; then a tick goes on after the boot. Kept are the numbers that only rise, the time and the event log.

import type { Reader } from "../../protocol/wire/cbor";
import { Code } from "../../protocol/wire/codes";
import { Domain } from "../../protocol/wire/cose";
import { readReset } from "../../protocol/wire/payloads";
import type { Authority } from "./authority";
import type { Diary } from "./diary";
import type { Doorway } from "./doorway";
import { Bucket, type Envelopes } from "./envelopes";
import type { HoursKeeper } from "./hours-keeper";
import { checkNonce } from "./ownership";
import type { Parts } from "./parts";
import type { Session } from "./session";
import { EventKind, Method } from "./storage/events";
import { State } from "./storage/places";

/** For so long after a consent the physical act is awaited, in seconds of uptime. */
export const CONSENT_S = 600;
const HOUR_S = 3600;
const NEVER = Number.POSITIVE_INFINITY;

/** What became of pressing for a reset: done, begun to wait for an objection, or nothing. */
export type Pressed = "reset" | "waiting" | "refused";

export class Reset {
  readonly #parts: Parts;
  readonly #authority: Authority;
  readonly #diary: Diary;
  readonly #doorway: Doorway;
  readonly #hours: HoursKeeper;
  /** Until when a consent is good, and when a reset without one happens; seconds since boot. */
  #consentedUntil = -1;
  #dueAt = NEVER;
  /** The signs of life that there were when it was asked for. */
  #mark = 0;
  /** Whether the table has gone already, of a reset that is not over. */
  #isEmptied = false;

  constructor(parts: Parts, authority: Authority, diary: Diary, doorway: Doorway, hours: HoursKeeper) {
    this.#parts = parts;
    this.#authority = authority;
    this.#diary = diary;
    this.#doorway = doorway;
    this.#hours = hours;
  }

  /** Takes the owner's consent; the result code. */
  take(session: Session, reader: Reader, envelopes: Envelopes): number {
    const envelope = envelopes.read(reader);
    const order = envelope && readReset(envelopes.payload);
    if (envelope === undefined || order === undefined) return Code.malformed;
    if (!envelopes.isForUs(order.lock)) return Code.wrongLock;
    if (!this.#authority.claimed) return Code.unclaimed;
    const fresh = checkNonce(session, order.nonce, this.#parts.clock.uptime());
    if (fresh !== Code.applied) return fresh;
    const { owner, claimNumber } = this.#authority;
    const signed = envelopes.verify(session, Bucket.mail, envelope, Domain.reset, owner);
    if (signed !== Code.applied) return signed;
    session.nonceAt = -1;
    if (order.claim !== claimNumber) return Code.replayed;
    this.consent();
    return Code.applied;
  }

  /** Somebody who may has consented to a reset: for ten minutes. */
  consent(): void {
    this.#consentedUntil = this.#parts.clock.uptime() + CONSENT_S;
  }

  /** The physical act, see {@link Pressed}. */
  press(): Pressed {
    const { mounted, table, policy, clock } = this.#parts;
    const { claimed } = this.#authority;
    // A lock whose claim cannot be read has an owner whom nobody knows.
    if (!mounted || (!claimed && table.hasLostState(State.claim))) return "refused";
    if (!claimed || clock.uptime() <= this.#consentedUntil) return this.begin() ? "reset" : "refused";
    if (policy.resetDelay === 0) return "refused";
    if (this.#dueAt === NEVER) {
      this.#dueAt = clock.uptime() + policy.resetDelay * HOUR_S;
      this.#mark = this.#authority.heard.signs;
      this.#diary.note(EventKind.resetAsked, policy.resetDelay, Method.auto);
    }
    return "waiting";
  }

  /** Once a tick: a reset that nobody objected to, and what is left of one that was interrupted. */
  tick(): void {
    // An issuer that is alive objects.
    if (this.#mark !== this.#authority.heard.signs) this.#dueAt = NEVER;
    if (this.#parts.clock.uptime() >= this.#dueAt) this.begin();
    this.finish();
  }

  private begin(): boolean {
    if (this.#authority.claimed && !this.#authority.release()) return false;
    this.#consentedUntil = -1;
    this.#dueAt = NEVER;
    this.finish();
    return true;
  }

  private finish(): void {
    const { table, policy, locals, offline } = this.#parts;
    if (!this.#authority.isEnding) return;
    if (!this.#isEmptied && !table.rebase.clear()) return;
    this.#isEmptied = true;
    locals.forget();
    offline.restore();
    policy.read(table);
    this.#doorway.lockout.restart();
    this.#hours.restore();
    if (!this.#diary.note(EventKind.reset, this.#authority.claimNumber, Method.auto)) return;
    this.#isEmptied = !this.#authority.end();
  }
}
