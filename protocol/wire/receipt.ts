// The payload of a receipt (rules K1, A47): what a lock signs of its log, its clock, its table and its events, and what it was asked to state.

import type { Reader, Writer } from "./cbor";
import {
  DIGEST_BYTES,
  HEAD_BYTES,
  LOCAL_DIGEST_BYTES,
  LOCK_ID_BYTES,
  MAX_FIRMWARE_BYTES,
  MAX_LOCAL_CODES,
  MAX_RECEIPT_ACKS,
  MAX_SEQ,
  MAX_U32,
  VERSION,
} from "./limits";
import { PAYLOAD_DEPTH, skipExtensions, takeKey } from "./maps";
import { readSigned } from "./payloads";

/** How far a lock's clock can be believed (rule T11). */
export const Trust = { unknown: 0, held: 1, set: 2 } as const;
export const TRUST_NAMES: readonly string[] = ["unknown", "held", "set"];

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
  /** What it was asked to state. */
  absence?: Absence;
  range?: RangeDigest;
  about?: About;
}

/** How many slots a user and everyone below have (rule K7): 0 proves a revocation. */
export interface Absence {
  user: number;
  slots: number;
}

/** The sum over the entries of slots `from` to before `to`, as they stand in the table digest (rule K6). */
export interface RangeDigest {
  from: number;
  to: number;
  digest: Uint8Array;
}

/** What a lock is (rule P4). */
export interface About {
  /** The number of its model. */
  profile: number;
  /** The version of its firmware, UTF-8. */
  firmware: Uint8Array;
  /** See {@link Feature}. */
  features: number;
}

/** What a lock has, as bits. */
export const Feature = { reader: 1, doorSensor: 2, heldClock: 4, network: 8 } as const;

/** Writes the payload of a receipt. */
export function writeReceipt(writer: Writer, receipt: Receipt): void {
  const timed = receipt.time > 0;
  const { absence, range, about } = receipt;
  const stated = [absence, range, about].filter((each) => each !== undefined).length;
  writer
    .map((timed ? 17 : 16) + stated)
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
  if (absence !== undefined) writer.uint(17).array(2).uint(absence.user).uint(absence.slots);
  if (range !== undefined) writer.uint(18).array(3).uint(range.from).uint(range.to).raw(range.digest);
  if (about !== undefined)
    writer.uint(19).array(3).uint(about.profile).text(about.firmware).uint(about.features);
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

type Stated = Pick<Receipt, "absence" | "range" | "about">;

/** What the lock was asked to state; `left` pairs are to come. Refuses all that is no extension behind it. */
function readStated(reader: Reader, left: number): Stated {
  const stated: Stated = {};
  let last = 16;
  if (takeKey(reader, last, 17, left)) {
    if (reader.array(2) !== 2) reader.fail();
    stated.absence = { user: reader.uint(MAX_U32), slots: reader.uint(MAX_U32) };
    if (stated.absence.user === 0) reader.fail();
    last = 17;
    left--;
  }
  if (takeKey(reader, last, 18, left)) {
    if (reader.array(3) !== 3) reader.fail();
    stated.range = { from: reader.uint(0xffff), to: reader.uint(0xffff), digest: reader.raw(DIGEST_BYTES) };
    if (stated.range.from >= stated.range.to) reader.fail();
    last = 18;
    left--;
  }
  if (takeKey(reader, last, 19, left)) {
    if (reader.array(3) !== 3) reader.fail();
    const profile = reader.uint(0xff);
    stated.about = { profile, firmware: reader.text(MAX_FIRMWARE_BYTES), features: reader.uint(MAX_U32) };
    last = 19;
    left--;
  }
  skipExtensions(reader, last, left, PAYLOAD_DEPTH);
  return stated;
}

/** Keys 10 to 12, of which the first is left out where the time is unknown. */
function readClock(reader: Reader): Pick<Receipt, "time" | "trust" | "bound"> {
  let time = 0;
  let key = reader.key(9);
  if (key === 10) {
    time = reader.uint(MAX_U32);
    if (time === 0) reader.fail();
    key = reader.key(10);
  }
  if (key !== 11) reader.fail();
  const trust = reader.uint(Trust.set);
  if (reader.key(11) !== 12) reader.fail();
  return { time, trust, bound: reader.uint(MAX_U32) };
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
  const clock = readClock(reader);
  if (clock.time > 0) pairs--;
  if (reader.key(12) !== 13) reader.fail();
  const digest = reader.raw(DIGEST_BYTES);
  if (reader.key(13) !== 14) reader.fail();
  const counts = readCounts(reader);
  if (reader.key(14) !== 15) reader.fail();
  const events = readEventHead(reader);
  if (reader.key(15) !== 16) reader.fail();
  const locals = readLocals(reader);
  const stated = readStated(reader, pairs);
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
    ...clock,
    digest,
    ...counts,
    ...events,
    ...locals,
    ...stated,
  };
}
