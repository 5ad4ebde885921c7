// Proof of a revocation (rule K7): anyone who knows a lock's public key can see from one of its receipts that at a position of its log no
// slot of a user, or of anyone below, was left. It takes no account, no store and no trust in whoever shows it.

import type { Crypto } from "../crypto/port";
import { toHex } from "../wire/bytes";
import type { NoReceipt } from "./mail";
import { openReceipt } from "./mail";

/** What opens doors and is no slot, so that no such proof covers it. */
export const NOT_COVERED: readonly string[] = [
  "offline codes",
  "the master",
  "codes programmed at the keypad",
];

/** What a receipt proves of a user. */
export type ProofVerdict =
  | {
      readonly isProof: true;
      /** The lock id in hexadecimal. */
      readonly lock: string;
      readonly user: number;
      readonly epoch: number;
      readonly seq: number;
      /** The lock's own time in UTC seconds and how far it may be off; both 0 where the lock did not know it. */
      readonly time: number;
      readonly bound: number;
      /** Codes programmed at the keypad that were there. */
      readonly localCodes: number;
      readonly notCovered: readonly string[];
    }
  | {
      readonly isProof: false;
      /** What is wrong with the receipt; that it says nothing of the user; or that slots are left. */
      readonly reason: NoReceipt | "not-stated" | "slots-left";
      /** How many slots are left. */
      readonly slots?: number;
    };

/** Judges a whole receipt message. `publicKey` is the lock's, `user` the user's id at that lock. */
export function verifyProof(
  crypto: Crypto,
  message: Uint8Array,
  lock: { readonly lock: Uint8Array; readonly publicKey: Uint8Array },
  user: number,
): ProofVerdict {
  const opened = openReceipt(crypto, lock, message);
  if (typeof opened === "string") return { isProof: false, reason: opened };
  const { absence, epoch, applied, time, bound, localCodes } = opened.receipt;
  if (absence === undefined || absence.user !== user) return { isProof: false, reason: "not-stated" };
  if (absence.slots > 0) return { isProof: false, reason: "slots-left", slots: absence.slots };
  const where = { lock: toHex(lock.lock), user, epoch, seq: applied, time, bound };
  return { isProof: true, ...where, localCodes, notCovered: NOT_COVERED };
}
