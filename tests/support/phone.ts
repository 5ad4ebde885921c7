// A phone for tests: a key of its own, the put that lets it in, and what it says at a door. It signs what it is told to, also what no app
// would.

import type { Session } from "../../firmware/core/session";
import { credentialTag } from "../../protocol/crypto/derive";
import {
  type PutDelta,
  type SigningKey,
  signCommand,
  signingKey,
  signUnlock,
} from "../../protocol/issuer/encode";
import { Reader } from "../../protocol/wire/cbor";
import { Code, codeName, reasonName } from "../../protocol/wire/codes";
import { Kind, Role } from "../../protocol/wire/entry";
import { emptyBody, frame, readFrame, readNonce, readResult, Type } from "../../protocol/wire/messages";
import { CommandOp } from "../../protocol/wire/payloads";
import { type Refusal, readRefusals } from "../../protocol/wire/refusals";
import { Dice } from "./dice";
import type { Door } from "./door";

/** Requests of phones have ids from here on, so that none is taken for one of the door's. */
const FIRST_REQUEST = 0x8000;

export class Phone {
  readonly key: SigningKey;
  readonly door: Door;
  /** What is said instead of the door's own id. */
  lock: Uint8Array;
  #request = FIRST_REQUEST;

  constructor(door: Door, seed = 100) {
    this.door = door;
    this.lock = door.identity.lock;
    this.key = signingKey(door.crypto, new Dice(seed).bytes(32));
  }

  get tag(): Uint8Array {
    return credentialTag(this.door.crypto, this.door.pinKey, Kind.phone, this.key.publicKey);
  }

  /** The put that lets this phone in. */
  put(slot: number, more: Partial<PutDelta> = {}): PutDelta {
    return {
      op: "put",
      slot,
      kind: Kind.phone,
      tag: this.tag,
      user: 1000 + slot,
      role: Role.resident,
      ...more,
    };
  }

  /** Sends a body and returns the type of the answer, the reader standing at its body. */
  exchange(
    type: number,
    body: Uint8Array,
    session: Session = this.door.session,
  ): { type: number; reader: Reader } {
    this.#request = FIRST_REQUEST + ((this.#request + 1) % FIRST_REQUEST);
    const reader = new Reader(this.door.lock.receive(session, frame(type, this.#request, body)).slice());
    const head = readFrame(reader);
    if (head === undefined || head.request !== this.#request) throw new Error("answer: not to this request");
    return { type: head.type, reader };
  }

  /**
   * Sends a body that a result answers: the name of its code, and of the reason in "not-allowed", as in "not-allowed expired". What is asked
   * for and told counts as applied.
   */
  say(type: number, body: Uint8Array, session?: Session): string {
    const answer = this.exchange(type, body, session);
    if (answer.type === Type.refusals) return codeName(Code.applied);
    const result = answer.type === Type.result ? readResult(answer.reader) : undefined;
    if (result === undefined) throw new Error("answer: not a result");
    return codeName(result.code) + (result.detail > 0 ? ` ${reasonName(result.detail)}` : "");
  }

  /** Asks for a nonce. */
  nonce(session: Session = this.door.session): Uint8Array {
    if (!session.greeted) this.door.hello();
    const answer = this.exchange(Type.challenge, emptyBody(), session);
    const nonce = answer.type === Type.nonce ? readNonce(answer.reader) : undefined;
    if (nonce === undefined) throw new Error("answer: not a nonce");
    return nonce.slice();
  }

  /** The signed body of an unlock. */
  unlockBody(nonce: Uint8Array): Uint8Array {
    return signUnlock(this.door.crypto, this.key, { lock: this.lock, nonce });
  }

  /** The signed body of a command. */
  commandBody(nonce: Uint8Array, op: number, argument: Uint8Array = new Uint8Array(0)): Uint8Array {
    return signCommand(this.door.crypto, this.key, { lock: this.lock, nonce, op, argument });
  }

  /** Opens the door, as an app does. */
  unlock(): string {
    return this.say(Type.unlock, this.unlockBody(this.nonce()));
  }

  command(op: number, argument?: Uint8Array): string {
    return this.say(Type.command, this.commandBody(this.nonce(), op, argument));
  }

  /** Asks why the door stayed shut; the list that the lock tells. */
  refusals(): Refusal[] {
    const { type, reader } = this.exchange(Type.command, this.commandBody(this.nonce(), CommandOp.refusals));
    const refusals = type === Type.refusals ? readRefusals(reader) : undefined;
    if (refusals === undefined) throw new Error("answer: no refusals");
    return refusals;
  }
}
