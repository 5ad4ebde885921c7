// A bag: mail for one lock that a courier takes along, and the receipts that come back in it. It is filled at the office and works
// without a network; what it holds is signed, so nobody has to trust the bag. As bytes it is `[lock, [[type, body], …], [receipt, …]]`.

import { Reader } from "../wire/cbor";
import { type CborValue, decode, encode } from "../wire/cborx";
import { readEnvelope } from "../wire/cose";
import { LOCK_ID_BYTES, MAX_BUNDLE_BYTES } from "../wire/limits";
import { emptyBundle, readBundle, type Status, StatusFlag, Type } from "../wire/messages";
import type { Mail, Mailbox } from "./courier";

/** Mail out, receipts home. */
export interface Bag {
  /** 8 bytes. */
  readonly lock: Uint8Array;
  readonly mail: readonly Mail[];
  /** Whole receipt messages, in the order in which they came. */
  readonly receipts: Uint8Array[];
}

/** The bytes of a bag, for a file. */
export function packBag(bag: Bag): Uint8Array {
  return encode([bag.lock, bag.mail.map(({ type, body }) => [type, body]), bag.receipts]);
}

const isBytes = (value: CborValue): value is Uint8Array => value instanceof Uint8Array;

function unpackMail(value: CborValue): Mail | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [type, body] = value;
  return typeof type === "number" && isBytes(body) ? { type, body } : undefined;
}

/** The bag in these bytes; undefined when they are none. */
export function unpackBag(bytes: Uint8Array): Bag | undefined {
  const value = decode(bytes);
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [lock, list, receipts] = value;
  if (!isBytes(lock) || lock.length !== LOCK_ID_BYTES || !Array.isArray(list) || !Array.isArray(receipts))
    return undefined;
  const mail = list.map(unpackMail).filter((piece) => piece !== undefined);
  if (mail.length !== list.length || !receipts.every(isBytes)) return undefined;
  return { lock, mail, receipts };
}

/** Where a bundle stands in the log, read off its outside; undefined for what is no bundle. */
function placeOf(body: Uint8Array): { epoch: number; last: number } | undefined {
  const envelope = readEnvelope(new Reader(body), MAX_BUNDLE_BYTES);
  const bundle = emptyBundle();
  if (envelope === undefined || !readBundle(new Reader(envelope.payload), bundle)) return undefined;
  return { epoch: bundle.epoch, last: bundle.first + bundle.count - 1 };
}

function isWanted({ type, body }: Mail, status: Status): boolean {
  const isUnclaimed = (status.flags & StatusFlag.unclaimed) !== 0;
  if (type === Type.claim) return isUnclaimed;
  if (type === Type.keys) return status.keyset === 0;
  if (type !== Type.bundle) return true;
  const place = placeOf(body);
  return place !== undefined && (isUnclaimed || place.last > status.applied);
}

/** The mailbox that a bag is. `time` reaches the issuer where the courier can, for the clock of a lock that has no network. */
export function bagMailbox(bag: Bag, time: (nonce: Uint8Array) => Promise<Uint8Array | undefined>): Mailbox {
  return {
    mail: async (status) => bag.mail.filter((piece) => isWanted(piece, status)),
    time,
    receipt: async (message) => {
      bag.receipts.push(message.slice());
    },
  };
}
