// Records: what the credential partition's log is made of. Lengths are multiples of 16 bytes; nothing written is ever touched
// again. The first four bits are the type. The last six bytes are a link to the record before, and a CRC-32 that is seeded with the
// sector's number, so that stale or foreign bytes never verify. A record that commits a delta carries the log position in the 17
// bytes before these: the low byte of its seq, since positions are contiguous, and the chain head.
//
//   slot        64  entry (41) | seq (1) | head (16) | link | crc            commits a put, change, enable or disable
//   slot copy   48  entry (41) | 0 (1) | link | crc                          the same slot, carried on, or staged by a rebase
//   schedule    ..  type | units | id | count | count × window (4) | 0 | seq | head | link | crc   and its copy without seq and head
//   setting     ..  type | units | id | length | value | 0 | seq | head | link | crc                and its copy
//   removal     ..  type | units | code | 1 with the codes of the keypad | count (2) | bitmap of slots | 0 | seq | head | link | crc
//   outcome     32  type | units | code | 0 | slot dropped + 1 (2) | detail (2) | 0 | seq | head | link | crc
//   acks        ..  type | units | count | 0 | first seq (3) | 0 | count × (code, detail (2), fingerprint of head (2)) | 0 | link | crc
//   usage       96  type | units | group | 0 | 8 × (generation (3), used (1), uses left (2), first use (4)) | 0 | link | crc
//   state       ..  type, copy (1 bit) | units | id | length | value | 0 | link | crc
//   moved       16  type | units | next sector, so far ahead, 0 for none yet | 0 | oldest sector (4) | print of the next (2) | link | crc
//   blank       ..  type | units | 0 prints, 1 clear, 2 no longer | 0 | sector (4) | 17 prints (2 each) if any | 0 | link | crc
//   keys        ..  type | units | damaged (1) | sectors back (1) | packed set of keys | 0 | link | crc

import { getU16, getU32, putU16, putU32 } from "../../../protocol/wire/bytes";
import { ENTRY_BYTES } from "../../../protocol/wire/entry";
import { crc32, mended } from "./crc";

/** Record types. 0 and 15 are what unprogrammed and zeroed flash look like, and never a type. */
export const Record = {
  slot: 1,
  slotCopy: 2,
  schedule: 3,
  scheduleCopy: 4,
  setting: 5,
  settingCopy: 6,
  removal: 7,
  outcome: 8,
  acks: 9,
  usage: 10,
  state: 11,
  moved: 12,
  blank: 13,
  keys: 14,
} as const;

export const UNIT = 16;
export const MAX_RECORD_BYTES = 15 * UNIT;
export const SLOT_BYTES = 64;
export const SLOT_COPY_BYTES = 48;
export const OUTCOME_BYTES = 32;
/** Where the record that closes a sector has the print of the next one's first page, behind its header. */
export const CLOSING_PRINT = 8;
/** The longest record of a blank sector. */
export const BLANK_BYTES = 48;
/** One window of a schedule. */
export const WINDOW_BYTES = 4;
export const CRC_BYTES = 4;
/** The key of the record before (11 bits) and the number of this one, modulo 32: just before the CRC of every record. */
export const LINK_BYTES = 2;
/** What every record ends with. */
export const TAIL = LINK_BYTES + CRC_BYTES;
/** seq (1) and head (16), just before the tail of a committing record. */
export const POSITION_BYTES = 17;
/** The head of every record but a slot's. */
export const HEAD = 4;
/** Slots that share one usage record, and the bytes of each in it. */
export const USAGE_GROUP = 8;
export const USAGE_BYTES = 10;
export const USAGE_RECORD_BYTES = 96;
/** One ack in an acks record. */
export const ACK_BYTES = 5;
export const ACKS_HEAD = 8;
/** Acks in one record: what fits 240 bytes with head and tail. */
export const ACKS_PER_RECORD = 45;

/** The type of the record at `offset`. */
export function recordType(bytes: Uint8Array, offset: number): number {
  return bytes[offset] >>> 4;
}

/** The length in bytes that the record at `offset` claims, 0 when there can be no record. */
export function recordLength(bytes: Uint8Array, offset: number): number {
  const type = bytes[offset] >>> 4;
  if (type === Record.slot) return SLOT_BYTES;
  if (type === Record.slotCopy) return SLOT_COPY_BYTES;
  if (type < Record.schedule || type > Record.keys) return 0;
  const units = bytes[offset + 1];
  return units >= 1 && units <= 15 ? units * UNIT : 0;
}

/** Whether a record of this type commits a delta. */
export function commits(type: number): boolean {
  return (
    type === Record.slot ||
    type === Record.schedule ||
    type === Record.setting ||
    type === Record.removal ||
    type === Record.outcome
  );
}

/** Marks a state's record as a copy of one that stands before it. */
export function markCopy(bytes: Uint8Array): void {
  bytes[0] |= 1;
}

/** Whether a state's record is a copy. */
export function isCopy(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset] & 1) !== 0;
}

/** In the first byte of a copy: it belongs to a table that is being built. */
const STAGED = 8;

/** Marks a copy of a slot, schedule or setting as staged. */
export function markStaged(bytes: Uint8Array, offset: number): void {
  bytes[offset] |= STAGED;
}

/** Whether a record is a copy that was staged. */
export function isStaged(bytes: Uint8Array, offset: number): boolean {
  const type = bytes[offset] >>> 4;
  const isOne = type === Record.slotCopy || type === Record.scheduleCopy || type === Record.settingCopy;
  return isOne && (bytes[offset] & STAGED) !== 0;
}

/** The smallest record length for `payload` bytes behind the head, with or without a log position. */
export function lengthFor(payload: number, position: boolean): number {
  const bytes = HEAD + payload + (position ? POSITION_BYTES : 0) + TAIL;
  return Math.ceil(bytes / UNIT) * UNIT;
}

/** The length of a record that removes any of so many slots: 160 bytes for a thousand. */
export function removalBytes(slots: number): number {
  return lengthFor(2 + Math.ceil(slots / 8), true);
}

/** Puts the head of a record that is not a slot's: type, units and the two bytes that its type defines. */
export function putHead(
  bytes: Uint8Array,
  type: number,
  length: number,
  third: number,
  fourth: number,
): void {
  bytes[0] = type << 4;
  bytes[1] = length / UNIT;
  bytes[2] = third;
  bytes[3] = fourth;
}

/** The link of the record of `length` bytes at `offset`. */
export function linkOf(bytes: Uint8Array, offset: number, length: number): number {
  return getU16(bytes, offset + length - TAIL);
}

/** The link that a record has whose predecessor changed `key` and was the `number`-th of the log, counted anyhow. */
export function makeLink(key: number, number: number): number {
  return ((number & 31) << 11) | key;
}

/** The key of the record before, from a link. */
export function keyOfLink(link: number): number {
  return link & 0x7ff;
}

/** How many records there were before, modulo 32, from a link. */
export function countOfLink(link: number): number {
  return link >>> 11;
}

/** Puts the link of a record of `length` bytes. */
export function putLink(bytes: Uint8Array, length: number, link: number): void {
  putU16(bytes, length - TAIL, link);
}

/** Closes a record: its CRC under `seed` in its last four bytes. */
export function seal(bytes: Uint8Array, length: number, seed: number): void {
  putU32(bytes, length - CRC_BYTES, crc32(bytes, 0, length - CRC_BYTES, seed) >>> 0);
}

function intact(bytes: Uint8Array, offset: number, length: number, seed: number): boolean {
  const end = offset + length - CRC_BYTES;
  return (crc32(bytes, offset, end, seed) ^ getU32(bytes, end)) === 0;
}

/**
 * The length of the intact record at `offset`, 0 when there is none. With `mend`, a record with a single flipped bit is
 * corrected in `bytes` first. `limit` is where the record must end at the latest.
 */
export function checkRecord(
  bytes: Uint8Array,
  offset: number,
  limit: number,
  seed: number,
  mend: boolean,
): number {
  const length = recordLength(bytes, offset);
  if (length > 0 && offset + length <= limit && intact(bytes, offset, length, seed)) return length;
  if (!mend) return 0;
  // A flip in type or length hides where the CRC stands, so these sixteen bits are tried one by one.
  for (let bit = 0; bit < 16; bit++) {
    const at = offset + (bit >>> 3);
    const mask = 1 << (bit & 7);
    bytes[at] ^= mask;
    const trial = recordLength(bytes, offset);
    if (trial > 0 && offset + trial <= limit && intact(bytes, offset, trial, seed)) return trial;
    bytes[at] ^= mask;
  }
  const fits = length > 0 && offset + length <= limit;
  return fits && mended(bytes, offset, offset + length - CRC_BYTES, seed) ? length : 0;
}

/** Whether any intact record under `seed` stands in a sector, from `start` on. */
export function holdsRecord(sector: Uint8Array, start: number, seed: number): boolean {
  for (let at = start; at < sector.length; at += UNIT)
    if (checkRecord(sector, at, sector.length, seed, false) > 0) return true;
  return false;
}

/** The slot number of a slot record or its copy. */
export function slotOf(bytes: Uint8Array, offset: number): number {
  return (getU32(bytes, offset) >>> 17) & 0x3ff;
}

/** Marks an entry at `offset` as a record of `type`, with the result it was answered with (`installed` or `applied`). */
export function markEntry(bytes: Uint8Array, offset: number, type: number, installed: boolean): void {
  bytes[offset] = (bytes[offset] & 0x07) | (type << 4) | (installed ? 0x08 : 0);
}

/** Whether a slot record says that it was answered with `installed`. */
export function wasInstalled(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset] & 0x08) !== 0;
}

/** Takes the store's own bits out of an entry, so that its 41 bytes are what the digest is made of. */
export function bareEntry(bytes: Uint8Array, offset: number): Uint8Array {
  bytes[offset] &= 0x07;
  return bytes.subarray(offset, offset + ENTRY_BYTES);
}

/** Puts the log position of a committing record of `length` bytes where it belongs. */
export function putPosition(bytes: Uint8Array, length: number, seq: number, head: Uint8Array): void {
  const at = length - TAIL - POSITION_BYTES;
  bytes[at] = seq & 0xff;
  bytes.set(head, at + 1);
}

/** Puts a schedule's record or its copy, but for position and tail. Returns its length. */
export function putSchedule(
  bytes: Uint8Array,
  type: number,
  id: number,
  windows: Uint32Array,
  count: number,
): number {
  const length = lengthFor(WINDOW_BYTES * count, commits(type));
  bytes.fill(0, 0, length);
  putHead(bytes, type, length, id, count);
  for (let i = 0; i < count; i++) putU32(bytes, HEAD + WINDOW_BYTES * i, windows[i]);
  return length;
}

/** Puts the record of a setting, its copy, or a state, but for position and tail. Returns its length. */
export function putValue(bytes: Uint8Array, type: number, id: number, value: Uint8Array): number {
  const length = lengthFor(value.length, commits(type));
  // First: it may be a view of these very bytes.
  bytes.set(value, HEAD);
  bytes.fill(0, HEAD + value.length, length);
  putHead(bytes, type, length, id, value.length);
  return length;
}

/** Puts a whole outcome record, but for its CRC. `dropped` is the number of the slot that it drops plus 1, 0 for none. */
export function putOutcome(
  bytes: Uint8Array,
  code: number,
  detail: number,
  dropped: number,
  seq: number,
  head: Uint8Array,
): void {
  bytes.fill(0, 0, OUTCOME_BYTES);
  putHead(bytes, Record.outcome, OUTCOME_BYTES, code, 0);
  putU16(bytes, HEAD, dropped);
  putU16(bytes, HEAD + 2, detail);
  putPosition(bytes, OUTCOME_BYTES, seq, head);
}
