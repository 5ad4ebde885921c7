// An issuer as a courier sees it: the mailbox of one lock, or a bag of its mail. Every delivery that ends without an answer counts as
// an attempt.

import type { Bag } from "../courier/bag";
import type { Carried, Mail, Mailbox } from "../courier/courier";
import { carry } from "../courier/courier";
import type { Link } from "../courier/link";
import { fromHex } from "../wire/bytes";
import { StatusFlag } from "../wire/messages";
import type { Issuer, Received } from "./issuer";
import { KEYSET_NUMBER } from "./mail";

/** What a delivery asks of its surroundings. */
export interface Delivery {
  readonly issuer: Issuer;
  /** The lock's id in hexadecimal. */
  readonly lock: string;
  /** UTC seconds. */
  now(): number;
  /** A random request id to begin with: over MQTT a lock's session may have known an earlier courier. */
  readonly firstRequest: number;
  /** Called with what became of each receipt. */
  onReceipt?(received: Received): void;
}

/** Bundles handed to a courier at once: a lock is asked where it stands after as many. */
const BUNDLES_AT_ONCE = 8;

/** The mailbox of one lock. */
export function mailboxOf(delivery: Delivery): Mailbox {
  const { issuer, lock } = delivery;
  return {
    mail: async (status): Promise<readonly Mail[]> =>
      issuer.mail(lock, status, delivery.now(), BUNDLES_AT_ONCE),
    time: async (nonce) => issuer.timeAnswer(lock, nonce, delivery.now()),
    receipt: async (message) => {
      const received = await issuer.receive(lock, message);
      delivery.onReceipt?.(received);
    },
  };
}

/** Signs all that is wanted of a lock, and gives it with what is signed but not acknowledged yet: a bag for a courier. */
export async function fillBag({ issuer, lock, now }: Delivery): Promise<Bag> {
  const { epoch, acknowledged, latest } = issuer.report(lock);
  // What the lock was when it was last heard of; the courier finds out what it is.
  const isNew = latest === undefined;
  const status = {
    epoch,
    applied: acknowledged,
    flags: isNew ? StatusFlag.unclaimed : 0,
    keyset: isNew ? 0 : KEYSET_NUMBER,
  };
  const mail = await issuer.mail(lock, status, now(), Number.MAX_SAFE_INTEGER);
  return { lock: fromHex(lock), mail, receipts: [] };
}

/**
 * Delivers everything there is for one lock over a link. Where no answer comes, what waits is signed and the attempt is noted for all of
 * it (rules A38, K5); as long as answers come, nothing is signed before its turn (rule S13).
 */
export async function deliver(delivery: Delivery, link: Link): Promise<Carried> {
  const carried = await carry(link, mailboxOf(delivery), delivery.firstRequest);
  if (carried.outcome !== "silent") return carried;
  await fillBag(delivery);
  await delivery.issuer.attemptFailed(delivery.lock);
  return carried;
}
