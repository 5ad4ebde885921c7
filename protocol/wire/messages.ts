// Messages: `[type, request id, body]` in deterministic CBOR, the same bytes on every link. Here are the type numbers and the bodies that
// nobody signs; what is signed is in payloads.ts and receipt.ts. A reader fills a typed value or fails its Reader; nothing downstream
// checks again.

import type { Reader } from "./cbor";
import { Writer } from "./cbor";
import {
  MAX_EVENT_SEQ,
  MAX_PAGE_BYTES,
  MAX_PAIRS,
  MAX_PART_BYTES,
  MAX_PARTS,
  MAX_SEQ,
  MAX_U32,
  NONCE_BYTES,
  VERSION,
} from "./limits";
import { BODY_DEPTH, skipExtensions, takeKey } from "./maps";

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
  heartbeat: 11,
  rebase: 12,
  part: 13,
  reset: 14,
  challenge: 15,
  nonce: 16,
  unlock: 17,
  command: 18,
  identify: 19,
  fetch: 20,
  page: 21,
  refusals: 22,
} as const;
export const MAX_REQUEST_ID = 0xffff;

/** Flags of a status. */
export const StatusFlag = {
  unclaimed: 1,
  clockUnknown: 2,
  lowBattery: 4,
  eventsWaiting: 8,
  storageFault: 16,
  urgent: 32,
} as const;

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
  if (takeKey(reader, 0, 1, left)) {
    detail = reader.uint(MAX_U32);
    left--;
  }
  skipExtensions(reader, 1, left, BODY_DEPTH);
  return reader.done() ? { code, detail } : undefined;
}

/** The body of a message that says nothing: `{}`. */
export const emptyBody = (): Uint8Array => new Uint8Array([0xa0]);

/** Reads the body of a bye, a challenge or an identify, which say nothing: `{}`. */
export function readEmpty(reader: Reader): boolean {
  skipExtensions(reader, -1, reader.map(MAX_PAIRS), BODY_DEPTH);
  return reader.done();
}

/** What a courier asks a lock to state in a receipt. */
export interface Ask {
  /** The seq of the first ack that is wanted (rule K2). */
  first: number;
  /** The user whose slots, and those of everyone below, are to be counted (rule K7); 0 for none. */
  user: number;
  /** The slots whose digest is wanted, `to` excluded (rule K6); both 0 for none. */
  from: number;
  to: number;
  /** Whether the lock is to say what it is (rule P4). */
  about: boolean;
}

/** The body of an ask: `{0: first seq, ? 1: user, ? 2: [from, to], ? 3: true}`. */
export function askBody(ask: Pick<Ask, "first"> & Partial<Ask>): Uint8Array {
  const { first, user = 0, from = 0, to = 0, about = false } = ask;
  const pairs = 1 + (user > 0 ? 1 : 0) + (to > 0 ? 1 : 0) + (about ? 1 : 0);
  const writer = new Writer(new Uint8Array(32)).map(pairs).uint(0).uint(first);
  if (user > 0) writer.uint(1).uint(user);
  if (to > 0) writer.uint(2).array(2).uint(from).uint(to);
  if (about) writer.uint(3).bool(true);
  return writer.view();
}

/** Reads the body of an ask. */
export function readAsk(reader: Reader): Ask | undefined {
  const ask: Ask = { first: 0, user: 0, from: 0, to: 0, about: false };
  let left = reader.map(MAX_PAIRS) - 1;
  let last = reader.key(-1);
  if (last !== 0) reader.fail();
  ask.first = reader.uint(MAX_SEQ);
  if (takeKey(reader, last, 1, left)) {
    ask.user = reader.uint(MAX_U32);
    if (ask.user === 0) reader.fail();
    last = 1;
    left--;
  }
  if (takeKey(reader, last, 2, left)) {
    if (reader.array(2) !== 2) reader.fail();
    ask.from = reader.uint(0xffff);
    ask.to = reader.uint(0xffff);
    if (ask.from >= ask.to) reader.fail();
    last = 2;
    left--;
  }
  if (takeKey(reader, last, 3, left)) {
    ask.about = reader.bool();
    if (!ask.about) reader.fail();
    last = 3;
    left--;
  }
  skipExtensions(reader, last, left, BODY_DEPTH);
  return reader.done() && ask.first > 0 ? ask : undefined;
}

/** One part of the table that a rebase brings, courier → lock: `{0: number from 1 on, 1: bytes}`. */
export interface Part {
  number: number;
  /** A view into the message. */
  bytes: Uint8Array;
}

export function partBody(number: number, bytes: Uint8Array): Uint8Array {
  const writer = new Writer(new Uint8Array(bytes.length + 16));
  return writer.map(2).uint(0).uint(number).uint(1).raw(bytes).view();
}

/** Reads the body of a part. */
export function readPart(reader: Reader): Part | undefined {
  const count = reader.map(MAX_PAIRS);
  if (reader.key(-1) !== 0) reader.fail();
  const number = reader.uint(MAX_PARTS);
  if (number === 0 || reader.key(0) !== 1) reader.fail();
  const bytes = reader.raw(0, MAX_PART_BYTES);
  skipExtensions(reader, 1, count - 2, BODY_DEPTH);
  return reader.done() ? { number, bytes } : undefined;
}

/** The answer to a challenge, lock → courier: a nonce for one unlock or one command (rule X6). `{0: nonce}`. */
export function nonceBody(nonce: Uint8Array): Uint8Array {
  return new Writer(new Uint8Array(NONCE_BYTES + 4)).map(1).uint(0).raw(nonce).view();
}

/** Reads the body of a nonce; a view into the message. */
export function readNonce(reader: Reader): Uint8Array | undefined {
  const count = reader.map(MAX_PAIRS);
  if (reader.key(-1) !== 0) reader.fail();
  const nonce = reader.raw(NONCE_BYTES);
  skipExtensions(reader, 0, count - 1, BODY_DEPTH);
  return reader.done() ? nonce : undefined;
}

/** The body of a fetch, courier → lock: events from this seq on are wanted (rule L3). `{0: seq}`. */
export function fetchBody(first: number): Uint8Array {
  return new Writer(new Uint8Array(8)).map(1).uint(0).uint(first).view();
}

/** Reads the body of a fetch: the seq of the first event, 0 (with the reader failed) when it is none. */
export function readFetch(reader: Reader): number {
  const count = reader.map(MAX_PAIRS);
  if (reader.key(-1) !== 0) reader.fail();
  const first = reader.uint(MAX_EVENT_SEQ);
  skipExtensions(reader, 0, count - 1, BODY_DEPTH);
  return reader.done() && first > 0 ? first : 0;
}

/** The body of a page of events, lock → courier, sealed (rule L10): `{0: nonce ‖ sealed bytes}`. */
export function pageBody(sealed: Uint8Array): Uint8Array {
  return new Writer(new Uint8Array(sealed.length + 8)).map(1).uint(0).raw(sealed).view();
}

/** Reads the body of a page; a view into the message. */
export function readPage(reader: Reader): Uint8Array | undefined {
  const count = reader.map(MAX_PAIRS);
  if (reader.key(-1) !== 0) reader.fail();
  const sealed = reader.raw(0, MAX_PAGE_BYTES);
  skipExtensions(reader, 0, count - 1, BODY_DEPTH);
  return reader.done() ? sealed : undefined;
}
