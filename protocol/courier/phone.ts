// A phone at the door (rules S8, X6, A61, X7): hello, a challenge, and an answer to it that the phone's own key signs. The key stays in the
// phone; what passes is of no use a second time.

import type { Crypto } from "../crypto/port";
import type { SigningKey } from "../issuer/encode";
import { signCommand, signUnlock } from "../issuer/encode";
import { Reader } from "../wire/cbor";
import { codeName, reasonName } from "../wire/codes";
import { emptyBody, readFrame, readNonce, Type } from "../wire/messages";
import type { Link } from "./link";
import type { Outcome } from "./round";
import { Ended, endOf, Round } from "./round";

/** A phone, and the lock that it is at. */
export interface Phone {
  readonly crypto: Crypto;
  readonly key: SigningKey;
  /** The lock id, 8 bytes. */
  readonly lock: Uint8Array;
}

/** What became of what a phone wanted. */
export interface PhoneAnswer {
  readonly outcome: Outcome;
  /** The result code of a refusal. */
  readonly code?: number;
  /** The door's reason, where it was the door that refused. */
  readonly denial?: number;
  /** In words: what was refused, and why. */
  readonly reason?: string;
}

/** Asks the lock to open. `firstRequest` as for `carry`. */
export function openDoor(link: Link, phone: Phone, firstRequest = 1): Promise<PhoneAnswer> {
  return answerChallenge(link, firstRequest, Type.unlock, (nonce) =>
    signUnlock(phone.crypto, phone.key, { lock: phone.lock, nonce }),
  );
}

/** Sends a command; `op` is one of `CommandOp`. */
export function sendCommand(
  link: Link,
  phone: Phone,
  op: number,
  argument: Uint8Array = NOTHING,
  firstRequest = 1,
): Promise<PhoneAnswer> {
  return answerChallenge(link, firstRequest, Type.command, (nonce) =>
    signCommand(phone.crypto, phone.key, { lock: phone.lock, nonce, op, argument }),
  );
}

const NOTHING = new Uint8Array(0);

async function answerChallenge(
  link: Link,
  firstRequest: number,
  type: number,
  sign: (nonce: Uint8Array) => Uint8Array,
): Promise<PhoneAnswer> {
  const round = new Round(link, firstRequest);
  const ended = await run(round, type, sign).then(() => undefined, endOf);
  await round.exchange(Type.bye, emptyBody()).catch(endOf);
  if (ended === undefined) return { outcome: "done" };
  const { outcome, step, code, detail } = ended;
  if (code === undefined) return { outcome, reason: step };
  if (detail === 0) return { outcome, code, reason: `${step}: ${codeName(code)}` };
  return { outcome, code, denial: detail, reason: `${step}: ${codeName(code)}, ${reasonName(detail)}` };
}

async function run(round: Round, type: number, sign: (nonce: Uint8Array) => Uint8Array): Promise<void> {
  await round.hello();
  const { result, message } = await round.deliver(Type.challenge, emptyBody(), Type.nonce);
  const reader = new Reader(message);
  const nonce = result === undefined && readFrame(reader) !== undefined ? readNonce(reader) : undefined;
  if (nonce === undefined) throw new Ended("garbled", "challenge");
  await round.deliver(type, sign(nonce));
}
