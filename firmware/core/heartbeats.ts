// Heartbeats at the lock (rules S12, K2, L3): an issuer's signed sign of life, which uses up no position. It renews leases to the time at
// which it was signed, frees acks that have come home, and says which events have. Bundles are signs of life as well.

import type { Reader } from "../../protocol/wire/cbor";
import { Code } from "../../protocol/wire/codes";
import { Domain } from "../../protocol/wire/cose";
import type { Heartbeat } from "../../protocol/wire/payloads";
import { May, readHeartbeat } from "../../protocol/wire/payloads";
import type { Authority } from "./authority";
import { Bucket, type Envelopes } from "./envelopes";
import type { Parts } from "./parts";
import type { Session } from "./session";
import { State } from "./storage/places";

export class Heartbeats {
  readonly #parts: Parts;
  readonly #authority: Authority;
  readonly #envelopes: Envelopes;

  constructor(parts: Parts, authority: Authority, envelopes: Envelopes) {
    this.#parts = parts;
    this.#authority = authority;
    this.#envelopes = envelopes;
  }

  /** Takes a heartbeat; the result code. */
  take(session: Session, reader: Reader): number {
    const envelope = this.#envelopes.read(reader);
    const beat = envelope && readHeartbeat(this.#envelopes.payload);
    if (envelope === undefined || beat === undefined) return Code.malformed;
    if (!this.#envelopes.isForUs(beat.lock)) return Code.wrongLock;
    const { claimed, epoch } = this.#authority;
    if (!claimed) return Code.unclaimed;
    if (beat.epoch !== epoch) return beat.epoch < epoch ? Code.staleEpoch : Code.needRebase;
    const signed = this.#envelopes.verifyIssuer(session, Bucket.mail, envelope, Domain.heartbeat, May.bundle);
    if (signed !== Code.applied) return signed;
    return this.keep(beat);
  }

  private keep(beat: Heartbeat): number {
    const { table, events } = this.#parts;
    const { heard } = this.#authority;
    // Nobody has seen what there is not yet.
    beat.acks = Math.min(beat.acks, table.applied);
    beat.events = Math.min(beat.events, events.next);
    if (beat.issuedAt < heard.issuedAt) return Code.replayed;
    if (beat.issuedAt === heard.issuedAt) return heard.says(beat) ? Code.alreadyApplied : Code.replayed;
    if (!heard.beat(beat)) return table.refusal;
    this.raiseFloor(beat.issuedAt);
    return Code.applied;
  }

  /** A bundle has verified that was signed at `signedAt`; `isNew` tells whether it brought something. */
  bundle(signedAt: number, isNew: boolean): void {
    const { heard, epoch } = this.#authority;
    heard.bundle(signedAt, isNew, epoch);
    if (isNew) this.raiseFloor(signedAt);
  }

  /** What an issuer signed was signed no later than now: no time before it is believed again (rule T13). */
  private raiseFloor(issuedAt: number): void {
    const { clock, table } = this.#parts;
    const floor = clock.floorAfter(issuedAt);
    if (floor === 0) return;
    const state = clock.stateAfter(floor, clock.timeEpoch);
    if (table.commitState(State.time, state)) clock.restore(state);
  }
}
