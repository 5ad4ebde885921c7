// What an event is (rule L1), and how events and the headers of their sectors stand in flash: 32 bytes each, numbered, closed with a
// CRC-32 that mends one flipped bit. Only bytes here, no flash.

import { getU16, getU24, getU32, putU16, putU24, putU32 } from "../../../protocol/wire/bytes";
import type { LockEvent } from "../../../protocol/wire/event";
import { EVENT_NAMES, kindOf, seqOf, unpackEvent } from "../../../protocol/wire/event";
import { HEAD_BYTES } from "../../../protocol/wire/limits";
import { Trust } from "../../../protocol/wire/receipt";
import { crc32, mended } from "./crc";

export type { LockEvent } from "../../../protocol/wire/event";
export {
  bootOf,
  CREDENTIAL_NAMES,
  Credential,
  EVENT_NAMES,
  EventKind,
  emptyEvent,
  METHOD_NAMES,
  Method,
  seqOf,
} from "../../../protocol/wire/event";

/** The length of an entry, and of a header. */
export const ENTRY_BYTES = 32;
/** Boots are counted modulo 2^23: so many bits are free beside the flag. */
export const BOOTS = 2 ** 23;
const CRC = ENTRY_BYTES - 4;
/** "E" */
const MAGIC = 0x45;

// ---- entries: hint (2 bits), kind (6) | reason | method (4), hint (2), trust (2) | credential, mode | seq (4) | time (4) |
// boot, low (2) | generation (3) | user (4) | detail (4) | boot, high (7), next stands (1) | print (2) | crc (4)

function close(bytes: Uint8Array, seed: number): void {
  putU32(bytes, CRC, crc32(bytes, 0, CRC, seed) >>> 0);
}

/** What an entry says beside its event. */
export interface Remarks {
  /** Whether another sector stands ready. */
  announces: boolean;
  /** A print of what lies blank behind it. */
  print: number;
  /** Four bits of the print of a page further on. */
  hint: number;
}

/** Packs an event into 32 bytes. Kinds go up to 62, levels of trust to 3. */
export function packEntry(event: LockEvent, remarks: Remarks, seed: number, bytes: Uint8Array): void {
  bytes[0] = ((remarks.hint >>> 2) << 6) | event.kind;
  bytes[1] = event.reason;
  bytes[2] = (event.method << 4) | ((remarks.hint & 3) << 2) | event.trust;
  bytes[3] = (event.credential << 4) | event.mode;
  putU32(bytes, 4, event.seq);
  putU32(bytes, 8, event.time);
  putU16(bytes, 12, event.boot);
  putU24(bytes, 14, event.generation);
  putU32(bytes, 17, event.user);
  putU32(bytes, 21, event.detail);
  bytes[25] = ((event.boot >>> 16) << 1) | (remarks.announces ? 1 : 0);
  putU16(bytes, 26, remarks.print);
  close(bytes, seed);
}

/** Takes an event out of an entry. */
export const unpackEntry = unpackEvent;

/** The time of an entry in UTC seconds, 0 where the clock was unknown. */
export const dateOf = (bytes: Uint8Array, at: number): number =>
  (bytes[at + 2] & 3) === Trust.unknown ? 0 : getU32(bytes, at + 8);
export const announcesNext = (bytes: Uint8Array, at: number): boolean => (bytes[at + 25] & 1) === 1;
export const printOf = (bytes: Uint8Array, at: number): number => getU16(bytes, at + 26);
export const hintOf = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] >>> 6) << 2) | ((bytes[at + 2] >>> 2) & 3);
/** Whether 32 bytes hold an entry; one flipped bit is mended. Of noise one place in 2^26 does: the number must fit as well. */
function verifies(bytes: Uint8Array, at: number, seed: number): boolean {
  // No kind of event looks erased, not even with a flipped bit.
  if (bytes[at] === 0xff) return false;
  if (crc32(bytes, at, at + CRC, seed) >>> 0 === getU32(bytes, at + CRC)) return kindOf(bytes, at) > 0;
  return mended(bytes, at, at + CRC, seed) && kindOf(bytes, at) > 0 && kindOf(bytes, at) < EVENT_NAMES.length;
}

/**
 * Which places of `bytes` from `from` on hold entries with numbers from `first` to before `end`, ascending: a 1 for each, counted
 * from the begin of `bytes`. Of two with one number, which a write leaves that was thought to have failed, the later one counts.
 * Chance finds no entry in noise: its CRC, its number and its kind must fit.
 */
export function findEntries(
  bytes: Uint8Array,
  from: number,
  first: number,
  end: number,
  seed: number,
): Uint8Array {
  const stands = new Uint8Array(bytes.length / ENTRY_BYTES);
  for (let at = bytes.length - ENTRY_BYTES; at >= from; at -= ENTRY_BYTES) {
    if (!verifies(bytes, at, seed) || seqOf(bytes, at) < first || seqOf(bytes, at) >= end) continue;
    stands[at / ENTRY_BYTES] = 1;
    end = seqOf(bytes, at);
  }
  return stands;
}

// ---- headers: print (2) | print of the third page (2) | magic | number (3) | first (4) | chain (16) | crc (4)

/** What a header says. */
export interface HeaderFields {
  number: number;
  /** The chain covers all events before this one. */
  first: number;
  chain: Uint8Array;
  /** A print of what lies blank behind it in its page, and one of the third page. */
  print: number;
  thirdPrint: number;
}

/** Packs a header into 32 bytes. */
export function packHeader(fields: HeaderFields, seed: number, bytes: Uint8Array): void {
  putU16(bytes, 0, fields.print);
  putU16(bytes, 2, fields.thirdPrint);
  putU32(bytes, 4, fields.number);
  bytes[4] = MAGIC;
  putU32(bytes, 8, fields.first);
  bytes.set(fields.chain, 12);
  close(bytes, seed);
}

/** The number of the sector whose header `bytes` begin with, one flipped bit mended; 0 where there is none. */
export function headerNumber(bytes: Uint8Array, seed: number): number {
  return mended(bytes, 0, CRC, seed) && bytes[4] === MAGIC ? getU24(bytes, 5) : 0;
}

export const headerPrint = (bytes: Uint8Array): number => getU16(bytes, 0);
export const headerThirdPrint = (bytes: Uint8Array): number => getU16(bytes, 2);
export const headerFirst = (bytes: Uint8Array): number => getU32(bytes, 8);
export const headerChain = (bytes: Uint8Array): Uint8Array => bytes.subarray(12, 12 + HEAD_BYTES);
