// CRC-32 (the reflected polynomial of IEEE 802.3) for records in flash, with a seed in place of the usual initial value, and the
// trial that finds a single flipped bit. A nibble at a time: 16 table words instead of 256, on a chip that has to keep them.

const POLYNOMIAL = 0xedb88320 | 0;

function nibbleTable(): Int32Array {
  const table = new Int32Array(16);
  for (let i = 0; i < 16; i++) {
    let value = i;
    for (let bit = 0; bit < 4; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    table[i] = value;
  }
  return table;
}

const TABLE = nibbleTable();

/** The CRC of `bytes[start..end)` begun with `seed`, as a signed 32-bit integer (which XS keeps without a heap number). */
export function crc32(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let value = ~seed;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    value = TABLE[(value ^ byte) & 15] ^ (value >>> 4);
    value = TABLE[(value ^ (byte >>> 4)) & 15] ^ (value >>> 4);
  }
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
