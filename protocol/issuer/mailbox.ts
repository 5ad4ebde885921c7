// An issuer as a courier sees it: the mailbox of one lock, or a bag of its mail. Every delivery that ends without an answer counts as
// an attempt.

import type { Bag } from "../courier/bag";
import type { Carried, Mail, Mailbox } from "../courier/courier";
import { carry } from "../courier/courier";
import type { Link } from "../courier/link";
import { fromHex } from "../wire/bytes";
import { StatusFlag, Type } from "../wire/messages";
import type { Issuer, Received, TakenPage } from "./issuer";
import type { Alarm } from "./receipts";

/** Where to take what comes home from a lock, and whom to tell. */
export interface Homecoming {
  readonly issuer: Issuer;
  /** The lock's id in hexadecimal. */
  readonly lock: string;
  /** Called with what became of each receipt. */
  onReceipt?(received: Received): void;
  /** Called with what became of each page of events. */
  onPage?(taken: TakenPage): void;
}

/** What a delivery asks of its surroundings. */
export interface Delivery extends Homecoming {
  /** UTC seconds. */
  now(): number;
  /** A random request id to begin with: over MQTT a lock's session may have known an earlier courier. */
  readonly firstRequest: number;
  /** Called with an alarm that no receipt and no page tells of. */
  onAlarm?(alarm: Alarm): void;
}

/** Bundles handed to a courier at once: a lock is asked where it stands after as many. */
const BUNDLES_AT_ONCE = 8;

/** Takes a receipt that came home. */
async function takeReceipt(home: Homecoming, message: Uint8Array): Promise<void> {
  const received = await home.issuer.receive(home.lock, message);
  home.onReceipt?.(received);
}

/** Takes a page of events that came home; the seq of the event that is wanted next, undefined for a page that does not open. */
async function takePage(home: Homecoming, message: Uint8Array): Promise<number | undefined> {
  const taken = await home.issuer.takePage(home.lock, message);
  home.onPage?.(taken);
  return taken.refused === undefined ? taken.next : undefined;
}

/** The mailbox of one lock, for one session. */
export function mailboxOf(delivery: Delivery): Mailbox {
  const { issuer, lock } = delivery;
  const consent = issuer.outbox.consent(lock);
  return {
    mail: (status) => issuer.outbox.mail(lock, status, delivery.now(), BUNDLES_AT_ONCE),
    time: async (nonce, refusal) => issuer.outbox.timeAnswer(lock, nonce, delivery.now(), refusal),
    receipt: (message) => takeReceipt(delivery, message),
    heartbeat: async () => issuer.outbox.heartbeat(lock, delivery.now()),
    nextEvent: async () => issuer.nextEvent(lock),
    page: (message) => takePage(delivery, message),
    refused: async (piece, code) => {
      const alarm = await issuer.refused(lock, piece, code);
      if (alarm !== undefined) delivery.onAlarm?.(alarm);
    },
    ...(consent === undefined ? {} : { consent: async (nonce: Uint8Array) => consent(nonce) }),
  };
}

/**
 * Signs all that is wanted of a lock, and gives it with what is signed but not acknowledged yet: a bag for a courier. What answers the
 * lock's nonce, a time and a consent to a reset, no bag can carry.
 */
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
  const mail = await issuer.outbox.mail(
    lock,
    at(latest?.epoch ?? 0, issuer.report(lock).acknowledged),
    now(),
    all,
  );
  // Behind a whole new table its own log goes on.
  const { epoch, acknowledged } = issuer.report(lock);
  const isRebase = mail.some(({ type }) => type === Type.rebase);
  const behind = isRebase ? await issuer.outbox.mail(lock, at(epoch, acknowledged), now(), all) : [];
  const bundles = behind.filter(({ type }) => type === Type.bundle);
  const heartbeat = issuer.outbox.heartbeat(lock, now());
  const life: Mail[] = heartbeat === undefined ? [] : [{ type: Type.heartbeat, body: heartbeat }];
  return {
    lock: fromHex(lock),
    mail: [...mail, ...bundles, ...life],
    nextEvent: issuer.nextEvent(lock),
    receipts: [],
    pages: [],
  };
}

/** Takes what a bag brought home. */
export async function emptyBag(home: Homecoming, bag: Bag): Promise<void> {
  for (const receipt of bag.receipts) await takeReceipt(home, receipt);
  for (const page of bag.pages) await takePage(home, page);
}

/**
 * An installer's work at a lock without an owner, over a link of its own: claim and keyset, so that the lock has a site, and a name at a
 * broker. A lock that has an owner gets nothing.
 */
export function commission({ outbox }: Issuer, lock: string, link: Link): Promise<Carried> {
  const papers: Mail[] = [
    { type: Type.claim, body: outbox.claim(lock) },
    { type: Type.keys, body: outbox.keyset(lock) },
  ];
  return carry(link, {
    mail: async ({ flags }) => ((flags & StatusFlag.unclaimed) !== 0 ? papers : []),
    time: async () => undefined,
    receipt: async () => {},
  });
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
