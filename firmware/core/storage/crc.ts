// CRC-32 (the reflected polynomial of IEEE 802.3) for records in flash, with a seed in place of the usual initial value, and the
// trial that finds a single flipped bit. The table is a constant of its module: on a lock it lies in flash.

import { getU32, putU32 } from "../../../protocol/wire/bytes";

const POLYNOMIAL = 0xedb88320 | 0;

function byteTable(): Int32Array {
  const table = new Int32Array(256);
  for (let i = 0; i < 256; i++) {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    table[i] = value;
  }
  return table;
}

const TABLE = byteTable();

/** The CRC of `bytes[start..end)` begun with `seed`, as a signed 32-bit integer (which XS keeps without a heap number). */
export function crc32(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let value = ~seed;
  for (let i = start; i < end; i++) value = TABLE[(value ^ bytes[i]) & 255] ^ (value >>> 8);
  return ~value;
}

/**
 * Which single bit of `bits` CRC-protected bits, if flipped, explains `syndrome` (computed CRC xor stored CRC). Returns the
 * bit's number counted back from the last bit before the CRC, or -1 when no single bit does. A CRC is linear, so the
 * syndrome of a bit depends on its place only.
 */
export function flippedBit(syndrome: number, bits: number): number {
  let trial = POLYNOMIAL;
  for (let i = 0; i < bits; i++) {
    if (trial === syndrome) return i;
    trial = trial & 1 ? (trial >>> 1) ^ POLYNOMIAL : trial >>> 1;
  }
  return -1;
}

/**
 * Whether the CRC that stands at `end` fits `bytes[start..end)`. Where a single flipped bit explains why it does not, that bit is
 * corrected in `bytes` first: a flip must never turn into an older truth.
 */
export function mended(bytes: Uint8Array, start: number, end: number, seed: number): boolean {
  const syndrome = crc32(bytes, start, end, seed) ^ getU32(bytes, end);
  if (syndrome === 0) return true;
  if ((syndrome & (syndrome - 1)) === 0) {
    // The flipped bit is in the CRC itself: what it protects is right.
    putU32(bytes, end, (getU32(bytes, end) ^ syndrome) >>> 0);
    return true;
  }
  const bit = flippedBit(syndrome, (end - start) * 8);
  if (bit < 0) return false;
  bytes[end - 1 - (bit >>> 3)] ^= 0x80 >>> (bit & 7);
  return true;
}
