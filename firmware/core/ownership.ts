// Whose lock it is, as messages tell it (rules P1, P7, T13, T14): claim tickets, keysets and time answers. What becomes of them in flash is
// the matter of authority.ts and clock.ts.

import { equal } from "../../protocol/wire/bytes";
import type { Reader } from "../../protocol/wire/cbor";
import { Code } from "../../protocol/wire/codes";
import { Domain } from "../../protocol/wire/cose";
import { MAX_TIME_ANSWER_AGE_S } from "../../protocol/wire/limits";
import { May, readClaim, readKeyset, readTime } from "../../protocol/wire/payloads";
import { Trust } from "../../protocol/wire/receipt";
import type { Desk } from "./desk";
import { Bucket } from "./envelopes";
import type { Session } from "./session";
import { EventKind, Method } from "./storage/events";
import { State } from "./storage/places";

export class Ownership {
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Takes a claim ticket; the result code. */
  claim(session: Session, reader: Reader): number {
    const envelope = this.#desk.envelopes.read(reader);
    const claim = envelope && readClaim(this.#desk.envelopes.payload);
    if (envelope === undefined || claim === undefined) return Code.malformed;
    if (!this.#desk.envelopes.isForUs(claim.lock)) return Code.wrongLock;
    const { makerRoot } = this.#desk.parts.board.identity;
    const signed = this.#desk.envelopes.verify(session, Bucket.mail, envelope, Domain.claim, makerRoot);
    if (signed !== Code.applied) return signed;
    const code = this.#desk.authority.claim(claim, this.#desk.parts.events.next);
    if (code === Code.applied) this.#desk.diary.note(EventKind.claimed, claim.number);
    return code;
  }

  /** Takes a keyset; the result code. */
  keys(session: Session, reader: Reader): number {
    const envelope = this.#desk.envelopes.read(reader);
    const keyset = envelope && readKeyset(this.#desk.envelopes.payload);
    if (envelope === undefined || keyset === undefined) return Code.malformed;
    if (!this.#desk.envelopes.isForUs(keyset.lock)) return Code.wrongLock;
    if (!this.#desk.authority.claimed) return Code.unclaimed;
    const { owner } = this.#desk.authority;
    const signed = this.#desk.envelopes.verify(session, Bucket.mail, envelope, Domain.keys, owner);
    if (signed !== Code.applied) return signed;
    const code = this.#desk.authority.setKeys(keyset, this.#desk.parts.clock);
    if (code === Code.applied) this.#desk.diary.note(EventKind.keyset, keyset.number);
    return code;
  }

  /** Takes a time answer; the result code. */
  time(session: Session, reader: Reader): number {
    const { clock, table } = this.#desk.parts;
    const envelope = this.#desk.envelopes.read(reader);
    const answer = envelope && readTime(this.#desk.envelopes.payload);
    if (envelope === undefined || answer === undefined) return Code.malformed;
    if (!this.#desk.envelopes.isForUs(answer.lock)) return Code.wrongLock;
    if (!this.#desk.authority.claimed) return Code.unclaimed;
    const fresh = checkNonce(session, answer.nonce, clock.uptime());
    if (fresh !== Code.applied) return fresh;
    const age = clock.uptime() - session.nonceAt;
    // Only the owner's root may turn time back, by raising the time epoch.
    const byOwner = answer.timeEpoch > clock.timeEpoch;
    if (answer.timeEpoch < clock.timeEpoch || (!byOwner && answer.time < clock.floor)) return Code.replayed;
    const code = byOwner
      ? this.#desk.envelopes.verify(session, Bucket.time, envelope, Domain.time, this.#desk.authority.owner)
      : this.#desk.envelopes.verifyIssuer(session, Bucket.time, envelope, Domain.time, May.time);
    if (code !== Code.applied) return code;
    session.nonceAt = -1;
    const before = clock.read();
    const correction = before.trust === Trust.unknown ? 0 : Math.abs(answer.time - before.now);
    const floor = byOwner ? answer.time : Math.max(clock.floor, answer.time);
    const state = clock.stateAfter(floor, answer.timeEpoch, answer.time);
    // What was heard while the clock was wrong may be of a time that has not come, either.
    if (byOwner && !this.#desk.authority.heard.cut(answer.time, answer.time)) return table.refusal;
    clock.hold(answer.time);
    if (!table.commitState(State.time, state)) return table.refusal;
    clock.restore(state);
    clock.set(answer.time, age);
    // In the place of a user stands the uptime, by which older events of this boot can be dated (rule L11).
    const user = Math.floor(clock.uptime());
    this.#desk.diary.done(EventKind.clockSet, correction, Method.link, { user, generation: 0 });
    return Code.applied;
  }
}

/**
 * Whether something answers the nonce of the session that it came in, in time and for the first time: applied, or the code that says why
 * not. Whoever finds its signature good uses the nonce up: it sets `nonceAt` to −1. `now` in seconds since boot.
 */
export function checkNonce(session: Session, nonce: Uint8Array, now: number): number {
  if (session.nonceAt < 0 || !equal(nonce, session.nonce)) return Code.replayed;
  return now - session.nonceAt > MAX_TIME_ANSWER_AGE_S ? Code.timeout : Code.applied;
}
