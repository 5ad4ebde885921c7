// A bag: mail for one lock that a courier takes along, and the receipts and events that come back in it. It is filled at the office and works
// without a network; what it holds is signed or sealed, so nobody has to trust the bag. As bytes it is
// `[lock, [[type, body], …], next event, [receipt, …], [page, …]]`.

import { Reader } from "../wire/cbor";
import { type CborValue, decode, encode } from "../wire/cborx";
import { readEnvelope } from "../wire/cose";
import { LOCK_ID_BYTES, MAX_BUNDLE_BYTES } from "../wire/limits";
import { askBody, readFrame, type Status, StatusFlag, Type } from "../wire/messages";
import { emptyBundle, readBundle, readKeyset, readRebase } from "../wire/payloads";
import { readReceipt } from "../wire/receipt";
import type { Mail, Mailbox } from "./courier";

/** Mail out, receipts and events home. */
export interface Bag {
  /** 8 bytes. */
  readonly lock: Uint8Array;
  /** A sign of life among it is brought last. */
  readonly mail: readonly Mail[];
  /** The seq of the first event that is wanted, 0 for none. */
  readonly nextEvent: number;
  /** Whole receipt messages, in the order in which they came. */
  readonly receipts: Uint8Array[];
  /** Whole page messages, in the order in which they came. */
  readonly pages: Uint8Array[];
}

/** The bytes of a bag, for a file. */
export function packBag(bag: Bag): Uint8Array {
  const mail = bag.mail.map(({ type, body }) => [type, body]);
  return encode([bag.lock, mail, bag.nextEvent, bag.receipts, bag.pages]);
}

const isBytes = (value: CborValue): value is Uint8Array => value instanceof Uint8Array;

const areBytes = (value: CborValue): value is Uint8Array[] => Array.isArray(value) && value.every(isBytes);

function unpackMail(value: CborValue): Mail | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [type, body] = value;
  return typeof type === "number" && isBytes(body) ? { type, body } : undefined;
}

/** The bag in these bytes; undefined when they are none. */
export function unpackBag(bytes: Uint8Array): Bag | undefined {
  const value = decode(bytes);
  if (!Array.isArray(value) || value.length !== 5) return undefined;
  const [lock, list, nextEvent, receipts, pages] = value;
  if (!isBytes(lock) || lock.length !== LOCK_ID_BYTES || !Array.isArray(list)) return undefined;
  const mail = list.map(unpackMail).filter((piece) => piece !== undefined);
  if (mail.length !== list.length || typeof nextEvent !== "number" || nextEvent < 0) return undefined;
  if (!areBytes(receipts) || !areBytes(pages)) return undefined;
  return { lock, mail, nextEvent, receipts, pages };
}

/** The payload of a signed body, unverified. */
function payloadOf(body: Uint8Array): Reader | undefined {
  const envelope = readEnvelope(new Reader(body), MAX_BUNDLE_BYTES);
  return envelope && new Reader(envelope.payload);
}

/** Whether a lock can use a bundle: one of its epoch with something new, or one of a later epoch, which a whole new table begins. */
function isBundleWanted(payload: Reader, status: Status): boolean {
  const bundle = emptyBundle();
  if (!readBundle(payload, bundle)) return false;
  const { epoch, first, count } = bundle;
  return epoch > status.epoch || (epoch === status.epoch && first + count - 1 > status.applied);
}

/** The positions of an epoch that receipts in a bag answer. Nobody has verified them. */
function answeredIn(receipts: readonly Uint8Array[], epoch: number): Set<number> {
  const answered = new Set<number>();
  for (const message of receipts) {
    const reader = new Reader(message);
    const envelope = readFrame(reader) && readEnvelope(reader, message.length);
    const receipt = envelope && readReceipt(new Reader(envelope.payload));
    if (receipt?.epoch !== epoch) continue;
    for (let i = 0; i < receipt.codes.length; i++) answered.add(receipt.first + i);
  }
  return answered;
}

/**
 * The first position of the bag's bundles that the lock has applied and whose answer is not in the bag, 0 for none: another courier has
 * brought it, or a connection broke before its receipt came (rule K3).
 */
function firstUnanswered({ mail, receipts }: Bag, { epoch, applied }: Status): number {
  const answered = answeredIn(receipts, epoch);
  for (const { type, body } of mail) {
    const payload = type === Type.bundle ? payloadOf(body) : undefined;
    const bundle = emptyBundle();
    if (payload === undefined || !readBundle(payload, bundle) || bundle.epoch !== epoch) continue;
    const end = Math.min(bundle.first + bundle.count - 1, applied);
    for (let seq = bundle.first; seq <= end; seq++) if (!answered.has(seq)) return seq;
  }
  return 0;
}

/** What of the mail a lock with this status can use; a bag knows no more of it than its outside. */
function wantedOf(mail: readonly Mail[], status: Status): Mail[] {
  const isUnclaimed = (status.flags & StatusFlag.unclaimed) !== 0;
  let isRebased = false;
  return mail.filter(({ type, body }) => {
    const payload = payloadOf(body);
    switch (type) {
      case Type.claim:
        return isUnclaimed;
      case Type.keys:
        return isUnclaimed || (payload !== undefined && (readKeyset(payload)?.number ?? 0) > status.keyset);
      case Type.rebase:
        isRebased = payload !== undefined && (readRebase(payload)?.epoch ?? 0) > status.epoch;
        return isRebased;
      case Type.part:
        return isRebased;
      case Type.bundle:
        return payload !== undefined && (isUnclaimed || isBundleWanted(payload, status));
      default:
        return true;
    }
  });
}

/**
 * The mailbox that a bag is, for one session. `time` reaches the issuer where the courier can, for the clock of a lock that has no
 * network.
 */
export function bagMailbox(bag: Bag, time: Mailbox["time"]): Mailbox {
  const brought = new Set<Mail>();
  /** How many receipts there were when the answers from a position on were asked for. */
  const asked = new Map<number, number>();
  /** A question for answers that did not come, unless the lock had it and does not know them any more. */
  const askAgain = (status: Status): Mail[] => {
    const first = firstUnanswered(bag, status);
    const { length } = bag.receipts;
    if (first === 0 || (asked.get(first) ?? length) < length) return [];
    asked.set(first, length);
    return [{ type: Type.ask, body: askBody({ first }) }];
  };
  return {
    mail: async (status) => {
      const isDue = (piece: Mail): boolean => piece.type !== Type.heartbeat && !brought.has(piece);
      const mail = wantedOf(bag.mail, status).filter(isDue);
      // A claim and a keyset go first, and then the lock is asked again.
      const isAskedAgain = mail.some(({ type }) => type === Type.claim || type === Type.keys);
      if (isAskedAgain) return mail;
      // However often it is asked, one question for lost acks is enough.
      for (const piece of mail) if (piece.type === Type.ask) brought.add(piece);
      return [...askAgain(status), ...mail];
    },
    time,
    receipt: async (message) => {
      bag.receipts.push(message.slice());
    },
    heartbeat: async () => bag.mail.find(({ type }) => type === Type.heartbeat)?.body,
    ...(bag.nextEvent === 0 ? {} : { nextEvent: async () => bag.nextEvent }),
    page: async (message) => {
      bag.pages.push(message.slice());
      return undefined;
    },
  };
}
