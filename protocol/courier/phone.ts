// A phone at the door (rules S8, X6, A61, X7): hello, a challenge, and an answer to it that the phone's own key signs. The key stays in the
// phone; what passes is of no use a second time.

import type { Crypto } from "../crypto/port";
import type { SigningKey } from "../issuer/encode";
import { signCommand, signUnlock } from "../issuer/encode";
import { Reader } from "../wire/cbor";
import { codeName, reasonName } from "../wire/codes";
import { emptyBody, readFrame, readNonce, Type } from "../wire/messages";
import { CommandOp } from "../wire/payloads";
import type { Refusal } from "../wire/refusals";
import { readRefusals } from "../wire/refusals";
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

/** The same of a question why the door stayed shut. */
export interface RefusalsAnswer extends PhoneAnswer {
  /** What the lock told, newest first; undefined where it told nothing. */
  readonly refusals?: readonly Refusal[];
}

/** Asks the lock to open. `firstRequest` as for `carry`. */
export async function openDoor(link: Link, phone: Phone, firstRequest = 1): Promise<PhoneAnswer> {
  const { answer } = await answerChallenge(link, firstRequest, Type.unlock, (nonce) =>
    signUnlock(phone.crypto, phone.key, { lock: phone.lock, nonce }),
  );
  return answer;
}

/** Sends a command that is answered by a result; `op` is one of `CommandOp`. */
export async function sendCommand(
  link: Link,
  phone: Phone,
  op: number,
  argument: Uint8Array = NOTHING,
  firstRequest = 1,
): Promise<PhoneAnswer> {
  const { answer } = await answerChallenge(link, firstRequest, Type.command, (nonce) =>
    signCommand(phone.crypto, phone.key, { lock: phone.lock, nonce, op, argument }),
  );
  return answer;
}

/** Asks why the door stayed shut (rule I2): the lock tells it to a phone with the capability to read its log. Nobody signs what it tells. */
export async function askRefusals(link: Link, phone: Phone, firstRequest = 1): Promise<RefusalsAnswer> {
  const what = { lock: phone.lock, op: CommandOp.refusals, argument: NOTHING };
  const sign = (nonce: Uint8Array) => signCommand(phone.crypto, phone.key, { ...what, nonce });
  const { answer, told } = await answerChallenge(link, firstRequest, Type.command, sign, Type.refusals);
  if (answer.outcome !== "done") return answer;
  const reader = new Reader(told ?? NOTHING);
  const refusals = readFrame(reader)?.type === Type.refusals ? readRefusals(reader) : undefined;
  return refusals === undefined ? { outcome: "garbled", reason: "command" } : { ...answer, refusals };
}

const NOTHING = new Uint8Array(0);

/** How it ended, and the message that was the answer in the end. */
interface Answered {
  readonly answer: PhoneAnswer;
  readonly told?: Uint8Array;
}

async function answerChallenge(
  link: Link,
  firstRequest: number,
  type: number,
  sign: (nonce: Uint8Array) => Uint8Array,
  ...answers: number[]
): Promise<Answered> {
  const round = new Round(link, firstRequest);
  const ended = await run(round, type, sign, answers).catch(endOf);
  await round.exchange(Type.bye, emptyBody()).catch(endOf);
  if (!(ended instanceof Ended)) return { answer: { outcome: "done" }, told: ended };
  return { answer: answerOf(ended) };
}

function answerOf({ outcome, step, code, detail }: Ended): PhoneAnswer {
  if (code === undefined) return { outcome, reason: step };
  if (detail === 0) return { outcome, code, reason: `${step}: ${codeName(code)}` };
  return { outcome, code, denial: detail, reason: `${step}: ${codeName(code)}, ${reasonName(detail)}` };
}

/** The lock's answer to what is signed. */
async function run(
  round: Round,
  type: number,
  sign: (nonce: Uint8Array) => Uint8Array,
  answers: number[],
): Promise<Uint8Array> {
  await round.hello();
  const { result, message } = await round.deliver(Type.challenge, emptyBody(), Type.nonce);
  const reader = new Reader(message);
  const nonce = result === undefined && readFrame(reader) !== undefined ? readNonce(reader) : undefined;
  if (nonce === undefined) throw new Ended("garbled", "challenge");
  const answer = await round.deliver(type, sign(nonce), ...answers);
  return answer.message;
}
