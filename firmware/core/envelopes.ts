// Signed messages at the lock: taking an envelope out of a message, and the one way to a verification, which is through the gate
// (rules S1, X5, X13).

import { equal } from "../../protocol/wire/bytes";
import { Reader } from "../../protocol/wire/cbor";
import { Code } from "../../protocol/wire/codes";
import type { Envelope } from "../../protocol/wire/cose";
import { readEnvelope, verifyEnvelope } from "../../protocol/wire/cose";
import { MAX_BUNDLE_BYTES } from "../../protocol/wire/limits";
import type { Authority } from "./authority";
import type { Gate } from "./gate";
import type { Parts } from "./parts";
import type { Session } from "./session";

export { Bucket } from "./gate";

export class Envelopes {
  /** Stands at what the envelope that was read last carries. */
  readonly payload = new Reader();
  readonly #parts: Parts;
  readonly #authority: Authority;
  readonly #gate: Gate;

  constructor(parts: Parts, authority: Authority, gate: Gate) {
    this.#parts = parts;
    this.#authority = authority;
    this.#gate = gate;
  }

  /** The one envelope that is a message's body; {@link payload} stands at what it carries. */
  read(reader: Reader): Envelope | undefined {
    const envelope = readEnvelope(reader, MAX_BUNDLE_BYTES);
    if (envelope === undefined || !reader.done()) return undefined;
    this.payload.reset(envelope.payload);
    return envelope;
  }

  /** Whether a payload names this lock. */
  isForUs(lock: Uint8Array): boolean {
    return equal(lock, this.#parts.board.identity.lock);
  }

  /**
   * Verifies as one of `Domain` under a key: applied, or the code that says why not. `bucket` is one of `Bucket`. Of a session that is
   * rate-limited nothing is verified; the third bad signature closes it.
   */
  verify(
    session: Session,
    bucket: number,
    envelope: Envelope,
    domain: Uint8Array,
    publicKey: Uint8Array,
  ): number {
    const { board, clock } = this.#parts;
    if (!this.#gate.enter(session, bucket, clock.uptime())) return Code.rateLimited;
    if (!verifyEnvelope(board.crypto, envelope, domain, publicKey)) {
      session.countBad();
      return Code.badSignature;
    }
    this.#gate.good();
    return Code.applied;
  }

  /** The same under the issuer key that the envelope names, which must be allowed to sign `may`. */
  verifyIssuer(
    session: Session,
    bucket: number,
    envelope: Envelope,
    domain: Uint8Array,
    may: number,
  ): number {
    const key = this.#authority.issuer(envelope.kid);
    if (key === undefined) return Code.unknownKey;
    if ((key.may & may) === 0) return Code.keyNotAllowed;
    return this.verify(session, bucket, envelope, domain, key.publicKey);
  }
}
