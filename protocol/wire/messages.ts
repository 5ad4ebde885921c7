// Messages: `[type, request id, body]` in deterministic CBOR, the same bytes on every link. Here are the type numbers, the keys of
// each body or payload, and the strict readers and writers that lock, courier and issuer share. A reader fills a typed value or
// fails its Reader; nothing downstream checks again.

import type { Reader } from "./cbor";
import { Writer } from "./cbor";
import { skipDelta } from "./deltas";
import {
  DIGEST_BYTES,
  FIRST_EXTENSION_KEY,
  HEAD_BYTES,
  KEY_ID_BYTES,
  LOCAL_DIGEST_BYTES,
  LOCK_ID_BYTES,
  MAX_BUNDLE_DELTAS,
  MAX_KEYS,
  MAX_LOCAL_CODES,
  MAX_PAIRS,
  MAX_RECEIPT_ACKS,
  MAX_SEQ,
  MAX_SITE_BYTES,
  MAX_U32,
  NONCE_BYTES,
  PUBLIC_KEY_BYTES,
  VERSION,
} from "./limits";

/** Message types. Numbers are never used again for something else. */
export const Type = {
  hello: 1,
  status: 2,
  claim: 3,
  keys: 4,
  bundle: 5,
  receipt: 6,
  time: 7,
  result: 8,
  bye: 9,
  ask: 10,
} as const;
export const MAX_REQUEST_ID = 0xffff;

/** Flags of a status. */
export const StatusFlag = {
  unclaimed: 1,
  clockUnknown: 2,
  lowBattery: 4,
  eventsWaiting: 8,
  storageFault: 16,
} as const;

/** What an issuer key may sign. */
export const May = { bundle: 1, time: 2 } as const;

/** How far a lock's clock can be believed (rule T11). */
export const Trust = { unknown: 0, held: 1, set: 2 } as const;
export const TRUST_NAMES: readonly string[] = ["unknown", "held", "set"];

/** The head of a message: `body` starts at the reader's position. */
export interface Frame {
  type: number;
  request: number;
}

/** Reads `[type, request id, ` and leaves the reader at the body. Undefined, with the reader failed, for anything else. */
export function readFrame(reader: Reader): Frame | undefined {
  if (reader.array(3) !== 3) reader.fail();
  const type = reader.uint(0xff);
  const request = reader.uint(MAX_REQUEST_ID);
  return reader.ok ? { type, request } : undefined;
}

/** A whole message round an encoded body. */
export function frame(type: number, request: number, body: Uint8Array): Uint8Array {
  const writer = new Writer(new Uint8Array(body.length + 7));
  return writer.array(3).uint(type).uint(request).copy(body).view();
}

/** What may nest inside an extension of a body, which stands two deep, and of a payload, which stands one deep (eight in all). */
const BODY_DEPTH = 6;
const PAYLOAD_DEPTH = 7;

/**
 * Passes over the `left` pairs of a map behind its last known key: each has a key from 128 up, which a later version may have added;
 * an unknown key below is critical and refused (rule X9).
 */
function skipExtensions(reader: Reader, lastKey: number, left: number, depth: number): void {
  if (left < 0) reader.fail();
  for (let key = Math.max(lastKey, FIRST_EXTENSION_KEY - 1); left > 0 && reader.ok; left--) {
    key = reader.key(key);
    reader.skip(depth);
  }
}

/** courier → lock: what the courier speaks. */
export interface Hello {
  /** Whether {@link VERSION} is among the versions offered. */
  speaksOurs: boolean;
  /** The largest message that the courier takes, in bytes. */
  largest: number;
}

/** Hello, `{0: [versions], 1: largest message}`. */
export function readHello(reader: Reader): Hello | undefined {
  const count = reader.map(MAX_PAIRS);
  if (reader.key(-1) !== 0) reader.fail();
  let speaksOurs = false;
  for (let n = reader.array(16); n > 0; n--) if (reader.uint(MAX_U32) === VERSION) speaksOurs = true;
  if (reader.key(0) !== 1) reader.fail();
  const largest = reader.uint(MAX_U32);
  skipExtensions(reader, 1, count - 2, BODY_DEPTH);
  return reader.done() ? { speaksOurs, largest } : undefined;
}

/** The body of a hello for the one version there is; `largest` is the largest message that the courier takes, in bytes. */
export function helloBody(largest: number): Uint8Array {
  const writer = new Writer(new Uint8Array(16));
  return writer.map(2).uint(0).array(1).uint(VERSION).uint(1).uint(largest).view();
}

/** lock → courier, unsigned: enough to choose mail by, little for a stranger. */
export interface Status {
  /** The first 4 bytes of the lock id. */
  shortId: Uint8Array;
  epoch: number;
  applied: number;
  /** Largest message in bytes, deltas in a bundle, slots. */
  largest: number;
  deltas: number;
  slots: number;
  /** See {@link StatusFlag}. */
  flags: number;
  /** Fresh for this session; a time answer repeats it. */
  nonce: Uint8Array;
  /** The number of the keyset in force, 0 for none. */
  keyset: number;
  /** Density ρ in units of 10⁻¹⁰ (rule C18). */
  density: number;
}

/** Writes the body of a status. */
export function writeStatus(writer: Writer, status: Status): void {
  writer.map(9).uint(0).uint(VERSION).uint(1).raw(status.shortId).uint(2).uint(status.epoch);
  writer.uint(3).uint(status.applied).uint(4).array(3).uint(status.largest).uint(status.deltas);
  writer.uint(status.slots).uint(5).uint(status.flags).uint(6).raw(status.nonce).uint(7).uint(status.keyset);
  writer.uint(8).uint(status.density);
}

/** Reads the body of a status; arrays are views into the message. */
export function readStatus(reader: Reader): Status | undefined {
  const count = reader.map(MAX_PAIRS);
  if (reader.key(-1) !== 0 || reader.uint(VERSION) !== VERSION) reader.fail();
  if (reader.key(0) !== 1) reader.fail();
  const shortId = reader.raw(4);
  if (reader.key(1) !== 2) reader.fail();
  const epoch = reader.uint(MAX_U32);
  if (reader.key(2) !== 3) reader.fail();
  const applied = reader.uint(MAX_SEQ);
  if (reader.key(3) !== 4 || reader.array(3) !== 3) reader.fail();
  const largest = reader.uint(MAX_U32);
  const deltas = reader.uint(MAX_U32);
  const slots = reader.uint(MAX_U32);
  if (reader.key(4) !== 5) reader.fail();
  const flags = reader.uint(0xff);
  if (reader.key(5) !== 6) reader.fail();
  const nonce = reader.raw(NONCE_BYTES);
  if (reader.key(6) !== 7) reader.fail();
  const keyset = reader.uint(MAX_U32);
  if (reader.key(7) !== 8) reader.fail();
  const density = reader.uint(MAX_U32);
  skipExtensions(reader, 8, count - 9, BODY_DEPTH);
  return reader.done()
    ? { shortId, epoch, applied, largest, deltas, slots, flags, nonce, keyset, density }
    : undefined;
}

/** The start that all signed payloads share: `{0: version, 1: lock, …`. Returns how many keys there are; the lock id comes next. */
function readSigned(reader: Reader): number {
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

/** The owner's root to the lock (rule P7): `{0, 1, 2: keyset number, 3: [[kid, public key, may], …]}`; never empty. */
export interface Keyset {
  lock: Uint8Array;
  number: number;
  keys: IssuerKey[];
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
  skipExtensions(reader, 3, pairs - 4, PAYLOAD_DEPTH);
  return reader.done() && keys.length > 0 ? { lock, number, keys } : undefined;
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

/** The lock's signed list of acks and what it is now (rules K1, A47). */
export interface Receipt {
  lock: Uint8Array;
  epoch: number;
  applied: number;
  head: Uint8Array;
  /** The seq that `codes[0]` acknowledges. */
  first: number;
  /** One result code per delta, in order. */
  codes: Uint8Array;
  /** Pairs: index into `codes`, detail (a count or a generation). */
  details: number[];
  /** Counts receipts since boot. */
  number: number;
  boot: number;
  /** UTC seconds, 0 when the clock is unknown. */
  time: number;
  /** See {@link Trust}. */
  trust: number;
  /** How far `time` may be off, in seconds. */
  bound: number;
  /** The table digest. */
  digest: Uint8Array;
  slots: number;
  damaged: number;
  schedules: number;
  /** Density ρ in units of 10⁻¹⁰ (rule C18). */
  density: number;
  /** The seq of the next event, and the hash chain over all events before it (rule L9). */
  nextEvent: number;
  eventHead: Uint8Array;
  /** Codes programmed at the keypad: how many, and a digest of their own, 8 bytes (rule C24). */
  localCodes: number;
  localDigest: Uint8Array;
}

/** Writes the payload of a receipt. */
export function writeReceipt(writer: Writer, receipt: Receipt): void {
  const timed = receipt.time > 0;
  writer
    .map(timed ? 17 : 16)
    .uint(0)
    .uint(VERSION)
    .uint(1)
    .raw(receipt.lock);
  writer.uint(2).uint(receipt.epoch).uint(3).uint(receipt.applied).uint(4).raw(receipt.head);
  writer.uint(5).uint(receipt.first).uint(6).raw(receipt.codes);
  writer.uint(7).array(receipt.details.length);
  for (const detail of receipt.details) writer.uint(detail);
  writer.uint(8).uint(receipt.number).uint(9).uint(receipt.boot);
  if (timed) writer.uint(10).uint(receipt.time);
  writer.uint(11).uint(receipt.trust).uint(12).uint(receipt.bound).uint(13).raw(receipt.digest);
  writer.uint(14).array(4).uint(receipt.slots).uint(receipt.damaged).uint(receipt.schedules);
  writer.uint(receipt.density).uint(15).array(2).uint(receipt.nextEvent).raw(receipt.eventHead);
  writer.uint(16).array(2).uint(receipt.localCodes).raw(receipt.localDigest);
}

/** Pairs of index and detail, one behind the other. */
function readDetails(reader: Reader): number[] {
  const details: number[] = [];
  for (let n = reader.array(2 * MAX_RECEIPT_ACKS); n > 0 && reader.ok; n--)
    details.push(reader.uint(MAX_U32));
  if (details.length % 2 !== 0) reader.fail();
  return details;
}

function readCounts(reader: Reader): Pick<Receipt, "slots" | "damaged" | "schedules" | "density"> {
  if (reader.array(4) !== 4) reader.fail();
  const slots = reader.uint(MAX_U32);
  const damaged = reader.uint(MAX_U32);
  const schedules = reader.uint(MAX_U32);
  return { slots, damaged, schedules, density: reader.uint(MAX_U32) };
}

function readEventHead(reader: Reader): Pick<Receipt, "nextEvent" | "eventHead"> {
  if (reader.array(2) !== 2) reader.fail();
  const nextEvent = reader.uint(MAX_U32);
  return { nextEvent, eventHead: reader.raw(HEAD_BYTES) };
}

function readLocals(reader: Reader): Pick<Receipt, "localCodes" | "localDigest"> {
  if (reader.array(2) !== 2) reader.fail();
  const localCodes = reader.uint(MAX_LOCAL_CODES);
  return { localCodes, localDigest: reader.raw(LOCAL_DIGEST_BYTES) };
}

/** Reads the payload of a receipt; arrays are views. */
export function readReceipt(reader: Reader): Receipt | undefined {
  let pairs = readSigned(reader) - 16;
  const lock = reader.raw(LOCK_ID_BYTES);
  if (reader.key(1) !== 2) reader.fail();
  const epoch = reader.uint(MAX_U32);
  if (reader.key(2) !== 3) reader.fail();
  const applied = reader.uint(MAX_SEQ);
  if (reader.key(3) !== 4) reader.fail();
  const head = reader.raw(HEAD_BYTES);
  if (reader.key(4) !== 5) reader.fail();
  const first = reader.uint(MAX_SEQ + 1);
  if (reader.key(5) !== 6) reader.fail();
  const codes = reader.raw(0, MAX_RECEIPT_ACKS);
  if (reader.key(6) !== 7) reader.fail();
  const details = readDetails(reader);
  if (reader.key(7) !== 8) reader.fail();
  const number = reader.uint(MAX_U32);
  if (reader.key(8) !== 9) reader.fail();
  const boot = reader.uint(MAX_U32);
  let time = 0;
  let key = reader.key(9);
  if (key === 10) {
    time = reader.uint(MAX_U32);
    if (time === 0) reader.fail();
    key = reader.key(10);
    pairs--;
  }
  if (key !== 11) reader.fail();
  const trust = reader.uint(Trust.set);
  if (reader.key(11) !== 12) reader.fail();
  const bound = reader.uint(MAX_U32);
  if (reader.key(12) !== 13) reader.fail();
  const digest = reader.raw(DIGEST_BYTES);
  if (reader.key(13) !== 14) reader.fail();
  const counts = readCounts(reader);
  if (reader.key(14) !== 15) reader.fail();
  const events = readEventHead(reader);
  if (reader.key(15) !== 16) reader.fail();
  const locals = readLocals(reader);
  skipExtensions(reader, 16, pairs, PAYLOAD_DEPTH);
  if (!reader.done()) return undefined;
  return {
    lock,
    epoch,
    applied,
    head,
    first,
    codes,
    details,
    number,
    boot,
    time,
    trust,
    bound,
    digest,
    ...counts,
    ...events,
    ...locals,
  };
}

/** The answer to anything that a receipt or a status does not answer: `{0: code, ? 1: detail}`. */
export interface Result {
  code: number;
  /** For `gap`, the seq that is needed; otherwise 0. */
  detail: number;
}

/** A whole result message. */
export function resultMessage(request: number, code: number, detail = 0): Uint8Array {
  const writer = new Writer(new Uint8Array(12))
    .map(detail > 0 ? 2 : 1)
    .uint(0)
    .uint(code);
  if (detail > 0) writer.uint(1).uint(detail);
  return frame(Type.result, request, writer.view());
}

/** Reads the body of a result. */
export function readResult(reader: Reader): Result | undefined {
  let left = reader.map(MAX_PAIRS) - 1;
  if (reader.key(-1) !== 0) reader.fail();
  const code = reader.uint(0xff);
  let detail = 0;
  const at = reader.position;
  if (left > 0 && reader.key(0) === 1) {
    detail = reader.uint(MAX_U32);
    left--;
  } else reader.position = at;
  skipExtensions(reader, 1, left, BODY_DEPTH);
  return reader.done() ? { code, detail } : undefined;
}

/** The body of an ask, courier → lock: a receipt with the acks from this seq on is wanted (rule K2). `{0: first seq}`. */
export function askBody(first: number): Uint8Array {
  return new Writer(new Uint8Array(8)).map(1).uint(0).uint(first).view();
}

/** Reads the body of a bye, a map that says nothing, as it is sent: `{}`. */
export function readBye(reader: Reader): boolean {
  skipExtensions(reader, -1, reader.map(MAX_PAIRS), BODY_DEPTH);
  return reader.done();
}

/** Reads the body of an ask: the first seq wanted, 0 (with the reader failed) when it is none. */
export function readAsk(reader: Reader): number {
  const count = reader.map(MAX_PAIRS);
  if (reader.key(-1) !== 0) reader.fail();
  const first = reader.uint(MAX_SEQ);
  skipExtensions(reader, 0, count - 1, BODY_DEPTH);
  return reader.done() && first > 0 ? first : 0;
}
