// What goes to a lock beside bundles, and what comes back: bodies of messages, for `frame` of protocol/wire/messages, and the one check
// that a receipt must pass before anybody looks into it.

import type { Mail } from "../courier/courier";
import type { Crypto } from "../crypto/port";
import { equal } from "../wire/bytes";
import { Reader } from "../wire/cbor";
import { Domain, readEnvelope, verifyEnvelope } from "../wire/cose";
import { askBody, readFrame, Type } from "../wire/messages";
import { May } from "../wire/payloads";
import type { Receipt } from "../wire/receipt";
import { readReceipt } from "../wire/receipt";
import type { BoundLock, Signers } from "./account";
import { signKeyset, signReset } from "./encode";
import type { LockRecord } from "./facts";

/** The keyset of an account for a claim of a lock (rule P7): each key signs bundles and time. */
export function keysetBody(crypto: Crypto, signers: Signers, { lock, claim }: LockRecord): Uint8Array {
  const { owner, issuer, earlier, keyset } = signers;
  const may = May.bundle | May.time;
  const keys = [issuer, ...earlier].map(({ kid, publicKey }) => ({ kid, publicKey, may }));
  return signKeyset(crypto, owner, { lock, number: keyset, keys, claim });
}

/** Whether a lock with the newest keyset takes what a key with this id signed. */
export function isGoodKey({ issuer, earlier }: Signers, kid: Uint8Array): boolean {
  return [issuer, ...earlier].some((key) => equal(key.kid, kid));
}

/** A question for the acks from `first` on (rule K2). */
export function askMail(first: number): Mail {
  return { type: Type.ask, body: askBody({ first }) };
}

/** Why something is not a receipt of this lock. */
export type NoReceipt = "malformed" | "wrong-lock" | "bad-signature";

/** The receipt in a whole message, and the envelope that proves it; or why it is none of this lock. */
export function openReceipt(
  crypto: Crypto,
  { lock, publicKey }: Pick<LockRecord, "lock" | "publicKey">,
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

/** Signs the owner's consent to a factory reset of a lock, in answer to the nonce of its status (rule X11). */
export type SignConsent = (nonce: Uint8Array) => Uint8Array;

/** How to sign the owner's consent for a lock; undefined where there is none. */
export function consentOf(
  crypto: Crypto,
  { owner }: Signers,
  { record, consentsToReset }: BoundLock,
): SignConsent | undefined {
  const { lock, claim } = record;
  return consentsToReset ? (nonce) => signReset(crypto, owner, { lock, claim, nonce }) : undefined;
}
