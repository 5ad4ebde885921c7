// What goes to a lock beside bundles, and what comes back: bodies of messages, for `frame` of protocol/wire/messages, and the one check
// that a receipt must pass before anybody looks into it.

import type { Mail } from "../courier/courier";
import type { Crypto } from "../crypto/port";
import { equal } from "../wire/bytes";
import { Reader } from "../wire/cbor";
import { Domain, readEnvelope, verifyEnvelope } from "../wire/cose";
import type { Receipt } from "../wire/messages";
import { askBody, May, readFrame, readReceipt, Type } from "../wire/messages";
import type { Signers } from "./account";
import { signKeyset, signTime } from "./encode";
import type { LockRecord } from "./facts";

/** The number of the only keyset there is: one key, which signs bundles and time. */
export const KEYSET_NUMBER = 1;

/** The keyset of an account for a lock (rule P7). */
export function keysetBody(crypto: Crypto, { owner, issuer }: Signers, lock: Uint8Array): Uint8Array {
  const keys = [{ kid: issuer.kid, publicKey: issuer.publicKey, may: May.bundle | May.time }];
  return signKeyset(crypto, owner, { lock, number: KEYSET_NUMBER, keys });
}

/** The answer to the nonce of a lock's status (rule T14). */
export function timeBody(
  crypto: Crypto,
  { issuer }: Signers,
  lock: Uint8Array,
  nonce: Uint8Array,
  time: number,
): Uint8Array {
  return signTime(crypto, issuer, { lock, nonce, time, timeEpoch: 0 });
}

/** A question for the acks from `first` on (rule K2). */
export function askMail(first: number): Mail {
  return { type: Type.ask, body: askBody(first) };
}

/** Why something is not a receipt of this lock. */
export type NoReceipt = "malformed" | "wrong-lock" | "bad-signature";

/** The receipt in a whole message, and the envelope that proves it; or why it is none of this lock. */
export function openReceipt(
  crypto: Crypto,
  { lock, publicKey }: LockRecord,
  message: Uint8Array,
): { receipt: Receipt; envelope: Uint8Array } | NoReceipt {
  const reader = new Reader(message);
  if (readFrame(reader)?.type !== Type.receipt) return "malformed";
  const start = reader.position;
  const envelope = readEnvelope(reader, message.length);
  if (envelope === undefined || !reader.done()) return "malformed";
  const receipt = readReceipt(new Reader(envelope.payload));
  if (receipt === undefined) return "malformed";
  if (!equal(receipt.lock, lock) || !equal(envelope.kid, lock)) return "wrong-lock";
  if (!verifyEnvelope(crypto, envelope, Domain.receipt, publicKey)) return "bad-signature";
  return { receipt, envelope: message.slice(start) };
}
