// The payloads of signed messages to a lock: the maker's, the owner's, issuers' and phones'. Each begins with the version and the lock id.
// A reader gives a typed value or fails its Reader; whether a signature is good is cose.ts's matter, and what it may do the lock's.

import type { Reader } from "./cbor";
import { skipDelta } from "./deltas";
import {
  HEAD_BYTES,
  KEY_ID_BYTES,
  LOCK_ID_BYTES,
  MAX_BUNDLE_DELTAS,
  MAX_COMMAND_BYTES,
  MAX_EVENT_SEQ,
  MAX_KEYS,
  MAX_PAIRS,
  MAX_PARTS,
  MAX_SEQ,
  MAX_SITE_BYTES,
  MAX_U32,
  NONCE_BYTES,
  PART_PRINT_BYTES,
  PUBLIC_KEY_BYTES,
  VERSION,
} from "./limits";
import { PAYLOAD_DEPTH, skipExtensions, takeKey } from "./maps";

/** What an issuer key may sign. */
export const May = { bundle: 1, time: 2 } as const;

/** The start that all signed payloads share: `{0: version, 1: lock, …`. Returns how many keys there are; the lock id comes next. */
export function readSigned(reader: Reader): number {
  const count = reader.map(MAX_PAIRS);
  if (reader.key(-1) !== 0 || reader.uint(VERSION) !== VERSION) reader.fail();
  if (reader.key(0) !== 1) reader.fail();
  return count;
}

/** The maker's root to an unowned lock (rule P1): `{0, 1, 2: claim number, 3: owner's root, 4: site}`. */
export interface Claim {
  lock: Uint8Array;
  number: number;
  owner: Uint8Array;
  site: Uint8Array;
}

/** Whether `site` can be one level of an MQTT topic: not empty, no control character, none of `#`, `+` and `/`. */
export function isSite(site: Uint8Array): boolean {
  for (const byte of site)
    if (byte < 0x20 || byte === 0x23 || byte === 0x2b || byte === 0x2f || byte === 0x7f) return false;
  return site.length > 0 && site.length <= MAX_SITE_BYTES;
}

/** Reads the payload of a claim ticket. */
export function readClaim(reader: Reader): Claim | undefined {
  const count = readSigned(reader);
  const lock = reader.raw(LOCK_ID_BYTES);
  if (reader.key(1) !== 2) reader.fail();
  const number = reader.uint(MAX_U32);
  if (number === 0 || reader.key(2) !== 3) reader.fail();
  const owner = reader.raw(PUBLIC_KEY_BYTES);
  if (reader.key(3) !== 4) reader.fail();
  const site = reader.text(MAX_SITE_BYTES);
  skipExtensions(reader, 4, count - 5, PAYLOAD_DEPTH);
  return reader.done() && isSite(site) ? { lock, number, owner, site } : undefined;
}

/** One issuer key. */
export interface IssuerKey {
  kid: Uint8Array;
  publicKey: Uint8Array;
  /** See {@link May}. */
  may: number;
}

/** The owner's root to the lock (rule P7): `{0, 1, 2: keyset number, 3: [[kid, public key, may], …], 4: claim number}`; never empty. */
export interface Keyset {
  lock: Uint8Array;
  number: number;
  keys: IssuerKey[];
  /** The claim that it is for: numbers count anew in each. */
  claim: number;
}

/** Reads the payload of a keyset; two keys never share a kid. */
export function readKeyset(reader: Reader): Keyset | undefined {
  const pairs = readSigned(reader);
  const lock = reader.raw(LOCK_ID_BYTES);
  if (reader.key(1) !== 2) reader.fail();
  const number = reader.uint(MAX_U32);
  if (number === 0 || reader.key(2) !== 3) reader.fail();
  const keys: IssuerKey[] = [];
  for (let n = reader.array(MAX_KEYS); n > 0 && reader.ok; n--) {
    if (reader.array(3) !== 3) reader.fail();
    const kid = reader.raw(KEY_ID_BYTES);
    const publicKey = reader.raw(PUBLIC_KEY_BYTES);
    const may = reader.uint(0xff);
    for (const earlier of keys) if (earlier.kid.every((byte, i) => byte === kid[i])) reader.fail();
    keys.push({ kid, publicKey, may });
  }
  if (reader.key(3) !== 4) reader.fail();
  const claim = reader.uint(MAX_U32);
  if (claim === 0) reader.fail();
  skipExtensions(reader, 4, pairs - 5, PAYLOAD_DEPTH);
  return reader.done() && keys.length > 0 ? { lock, number, keys, claim } : undefined;
}

/** The issuer's answer to a nonce: `{0, 1, 2: nonce, 3: time, 4: time epoch}`. */
export interface TimeAnswer {
  lock: Uint8Array;
  nonce: Uint8Array;
  /** UTC seconds. */
  time: number;
  timeEpoch: number;
}

/** Reads the payload of a time answer. */
export function readTime(reader: Reader): TimeAnswer | undefined {
  const count = readSigned(reader);
  const lock = reader.raw(LOCK_ID_BYTES);
  if (reader.key(1) !== 2) reader.fail();
  const nonce = reader.raw(NONCE_BYTES);
  if (reader.key(2) !== 3) reader.fail();
  const time = reader.uint(MAX_U32);
  if (time === 0 || reader.key(3) !== 4) reader.fail();
  const timeEpoch = reader.uint(0xffff);
  skipExtensions(reader, 4, count - 5, PAYLOAD_DEPTH);
  return reader.done() ? { lock, nonce, time, timeEpoch } : undefined;
}

/** A signed run of deltas: `{0, 1, 2: epoch, 3: first seq, 4: head before it, 5: issued at, ? 6: not applied after, 7: deltas}`. */
export interface Bundle {
  lock: Uint8Array;
  epoch: number;
  first: number;
  before: Uint8Array;
  issuedAt: number;
  /** UTC seconds after which puts and enables of this bundle are consumed as expired; 0 for never. */
  notAfter: number;
  count: number;
  /** Where each delta starts in the payload, and where the last one ends: `count + 1` numbers that count. */
  offsets: Uint16Array;
}

/** A bundle with nothing in it, to be filled by {@link readBundle}. */
export function emptyBundle(): Bundle {
  const none = new Uint8Array(0);
  const offsets = new Uint16Array(MAX_BUNDLE_DELTAS + 1);
  return { lock: none, epoch: 0, first: 0, before: none, issuedAt: 0, notAfter: 0, count: 0, offsets };
}

/** Reads the payload of a bundle; every delta has the form of one. False, with the reader failed, otherwise. */
export function readBundle(reader: Reader, bundle: Bundle): boolean {
  let pairs = readSigned(reader) - 7;
  bundle.lock = reader.raw(LOCK_ID_BYTES);
  if (reader.key(1) !== 2) reader.fail();
  bundle.epoch = reader.uint(MAX_U32);
  if (reader.key(2) !== 3) reader.fail();
  bundle.first = reader.uint(MAX_SEQ);
  if (bundle.first === 0 || reader.key(3) !== 4) reader.fail();
  bundle.before = reader.raw(HEAD_BYTES);
  if (reader.key(4) !== 5) reader.fail();
  bundle.issuedAt = reader.uint(MAX_U32);
  bundle.notAfter = 0;
  let key = reader.key(5);
  if (key === 6) {
    bundle.notAfter = reader.uint(MAX_U32);
    if (bundle.notAfter === 0) reader.fail();
    key = reader.key(6);
    pairs--;
  }
  if (key !== 7) reader.fail();
  bundle.count = reader.array(MAX_BUNDLE_DELTAS);
  for (let i = 0; i < bundle.count && reader.ok; i++) {
    bundle.offsets[i] = reader.position;
    skipDelta(reader);
  }
  bundle.offsets[bundle.count] = reader.position;
  skipExtensions(reader, 7, pairs, PAYLOAD_DEPTH);
  return reader.done() && bundle.count > 0 && bundle.first + bundle.count - 1 <= MAX_SEQ;
}

/** An issuer's sign of life: `{0, 1, 2: epoch, 3: issued at, 4: acks seen, 5: events seen}`; consumes no position (rules S12, K2, L3). */
export interface Heartbeat {
  lock: Uint8Array;
  epoch: number;
  issuedAt: number;
  /** All acks up to this seq have come home. */
  acks: number;
  /** The seq of the first event that has not. */
  events: number;
}

/** Reads the payload of a heartbeat. */
export function readHeartbeat(reader: Reader): Heartbeat | undefined {
  const count = readSigned(reader);
  const lock = reader.raw(LOCK_ID_BYTES);
  if (reader.key(1) !== 2) reader.fail();
  const epoch = reader.uint(MAX_U32);
  if (reader.key(2) !== 3) reader.fail();
  const issuedAt = reader.uint(MAX_U32);
  if (issuedAt === 0 || reader.key(3) !== 4) reader.fail();
  const acks = reader.uint(MAX_SEQ);
  if (reader.key(4) !== 5) reader.fail();
  const events = reader.uint(MAX_EVENT_SEQ);
  if (events === 0) reader.fail();
  skipExtensions(reader, 5, count - 6, PAYLOAD_DEPTH);
  return reader.done() ? { lock, epoch, issuedAt, acks, events } : undefined;
}

/** The owner's root replaces the whole table (rule S9): `{0, 1, 2: new epoch, 3: issued at, 4: base, 5: [print, …]}`. */
export interface RebaseOrder {
  lock: Uint8Array;
  epoch: number;
  issuedAt: number;
  /** The position at which the new log begins; no generation in the table is above it. */
  base: number;
  /** SHA-256[0..16) of each part, one behind the other; a view. */
  prints: Uint8Array;
}

/** Reads the payload of a rebase; the prints are copied together. */
export function readRebase(reader: Reader): RebaseOrder | undefined {
  const count = readSigned(reader);
  const lock = reader.raw(LOCK_ID_BYTES);
  if (reader.key(1) !== 2) reader.fail();
  const epoch = reader.uint(MAX_U32);
  if (epoch === 0 || reader.key(2) !== 3) reader.fail();
  const issuedAt = reader.uint(MAX_U32);
  if (reader.key(3) !== 4) reader.fail();
  const base = reader.uint(MAX_SEQ);
  if (reader.key(4) !== 5) reader.fail();
  const parts = reader.array(MAX_PARTS);
  const prints = new Uint8Array(parts * PART_PRINT_BYTES);
  for (let i = 0; i < parts && reader.ok; i++) {
    const print = reader.raw(PART_PRINT_BYTES);
    if (reader.ok) prints.set(print, i * PART_PRINT_BYTES);
  }
  skipExtensions(reader, 5, count - 6, PAYLOAD_DEPTH);
  return reader.done() ? { lock, epoch, issuedAt, base, prints } : undefined;
}

/** The owner's root consents to a factory reset (rule X11): `{0, 1, 2: number of the claim that ends, 3: nonce}`. */
export interface ResetConsent {
  lock: Uint8Array;
  claim: number;
  /** That of the session, as in a time answer: a consent that was kept is worth nothing later. */
  nonce: Uint8Array;
}

/** Reads the payload of a reset. */
export function readReset(reader: Reader): ResetConsent | undefined {
  const count = readSigned(reader);
  const lock = reader.raw(LOCK_ID_BYTES);
  if (reader.key(1) !== 2) reader.fail();
  const claim = reader.uint(MAX_U32);
  if (claim === 0 || reader.key(2) !== 3) reader.fail();
  const nonce = reader.raw(NONCE_BYTES);
  skipExtensions(reader, 3, count - 4, PAYLOAD_DEPTH);
  return reader.done() ? { lock, claim, nonce } : undefined;
}

/** A phone at the door (rules S8, X6): `{0, 1, 2: nonce, 3: public key}`. */
export interface Unlock {
  lock: Uint8Array;
  nonce: Uint8Array;
  /** The credential: its tag names the slot. */
  publicKey: Uint8Array;
}

function readPhone(reader: Reader): Unlock {
  const lock = reader.raw(LOCK_ID_BYTES);
  if (reader.key(1) !== 2) reader.fail();
  const nonce = reader.raw(NONCE_BYTES);
  if (reader.key(2) !== 3) reader.fail();
  return { lock, nonce, publicKey: reader.raw(PUBLIC_KEY_BYTES) };
}

/** Reads the payload of an unlock. */
export function readUnlock(reader: Reader): Unlock | undefined {
  const count = readSigned(reader);
  const unlock = readPhone(reader);
  skipExtensions(reader, 3, count - 4, PAYLOAD_DEPTH);
  return reader.done() ? unlock : undefined;
}

/** What a phone may ask a lock to do beside opening (rules A61, X7). Numbers are never used again for something else. */
export const CommandOp = { lock: 1, mode: 2, rename: 3, resetCodes: 4, resetLock: 5, refusals: 6 } as const;

/** A phone's command: `{0, 1, 2: nonce, 3: public key, 4: op, ? 5: argument}`. */
export interface Command extends Unlock {
  /** See {@link CommandOp}; a number of a later version is unsupported. */
  op: number;
  /** mode: one byte · rename: UTF-8 text · empty for the others; a view. */
  argument: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Reads the payload of a command. */
export function readCommand(reader: Reader): Command | undefined {
  let left = readSigned(reader) - 5;
  const phone = readPhone(reader);
  if (reader.key(3) !== 4) reader.fail();
  const op = reader.uint(0xff);
  let last = 4;
  let argument: Uint8Array = NOTHING;
  if (takeKey(reader, last, 5, left)) {
    argument = reader.raw(0, MAX_COMMAND_BYTES);
    last = 5;
    left--;
  }
  skipExtensions(reader, last, left, PAYLOAD_DEPTH);
  return reader.done() ? { ...phone, op, argument } : undefined;
}
