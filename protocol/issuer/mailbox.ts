// An issuer as a courier sees it: the mailbox of one lock, or a bag of its mail. Every delivery that ends without an answer counts as
// an attempt.

import type { Bag } from "../courier/bag";
import type { Carried, Mail, Mailbox } from "../courier/courier";
import { carry } from "../courier/courier";
import type { Link } from "../courier/link";
import { fromHex } from "../wire/bytes";
import { StatusFlag, Type } from "../wire/messages";
import type { Issuer, Received, TakenPage } from "./issuer";

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
  /** Called with what became of each page of events. */
  onPage?(taken: TakenPage): void;
}

/** Bundles handed to a courier at once: a lock is asked where it stands after as many. */
const BUNDLES_AT_ONCE = 8;

/** Takes a receipt that came home. */
async function takeReceipt(delivery: Delivery, message: Uint8Array): Promise<void> {
  const received = await delivery.issuer.receive(delivery.lock, message);
  delivery.onReceipt?.(received);
}

/** Takes a page of events that came home; the seq of the event that is wanted next, undefined for a page that does not open. */
async function takePage(delivery: Delivery, message: Uint8Array): Promise<number | undefined> {
  const taken = await delivery.issuer.takePage(delivery.lock, message);
  delivery.onPage?.(taken);
  return taken.refused === undefined ? taken.next : undefined;
}

/** The mailbox of one lock, for one session. */
export function mailboxOf(delivery: Delivery): Mailbox {
  const { issuer, lock } = delivery;
  let hasErrands = true;
  return {
    mail: async (status): Promise<readonly Mail[]> => {
      const mail = await issuer.mail(lock, status, delivery.now(), BUNDLES_AT_ONCE);
      const isClaimed = (status.flags & StatusFlag.unclaimed) === 0;
      // A claim and a keyset go first, and then the lock is asked again.
      const isReady = isClaimed && !mail.some(({ type }) => type === Type.claim || type === Type.keys);
      if (!hasErrands || !isReady) return mail;
      hasErrands = false;
      return [...issuer.errands(lock), ...mail];
    },
    time: async (nonce, refusal) => issuer.timeAnswer(lock, nonce, delivery.now(), refusal),
    receipt: (message) => takeReceipt(delivery, message),
    heartbeat: async () => issuer.heartbeat(lock, delivery.now()),
    nextEvent: async () => issuer.nextEvent(lock),
    page: (message) => takePage(delivery, message),
  };
}

/** Signs all that is wanted of a lock, and gives it with what is signed but not acknowledged yet: a bag for a courier. */
export async function fillBag({ issuer, lock, now }: Delivery): Promise<Bag> {
  const { latest } = issuer.report(lock);
  // What the lock was when it was last heard of; the courier finds out what it is.
  const isNew = latest === undefined;
  const at = (epoch: number, applied: number) => {
    // A keyset after the first may be news to the lock; the courier finds that out too.
    const keyset = isNew || issuer.signers.keyset > 1 ? 0 : 1;
    return { epoch, applied, flags: isNew ? StatusFlag.unclaimed : 0, keyset };
  };
  const all = Number.MAX_SAFE_INTEGER;
  const mail = await issuer.mail(lock, at(latest?.epoch ?? 0, issuer.report(lock).acknowledged), now(), all);
  // Behind a whole new table its own log goes on.
  const { epoch, acknowledged } = issuer.report(lock);
  const isRebase = mail.some(({ type }) => type === Type.rebase);
  const behind = isRebase ? await issuer.mail(lock, at(epoch, acknowledged), now(), all) : [];
  const bundles = behind.filter(({ type }) => type === Type.bundle);
  const heartbeat = issuer.heartbeat(lock, now());
  const life: Mail[] = heartbeat === undefined ? [] : [{ type: Type.heartbeat, body: heartbeat }];
  return {
    lock: fromHex(lock),
    mail: [...mail, ...bundles, ...issuer.errands(lock), ...life],
    nextEvent: issuer.nextEvent(lock),
    receipts: [],
    pages: [],
  };
}

/** Takes what a bag brought home. */
export async function emptyBag(delivery: Delivery, bag: Bag): Promise<void> {
  for (const receipt of bag.receipts) await takeReceipt(delivery, receipt);
  for (const page of bag.pages) await takePage(delivery, page);
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
