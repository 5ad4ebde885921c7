// The table digest (rules A47, K6): the sum modulo 2^256 of the SHA-256 of every slot, schedule and setting as deltas set them. A sum
// can be kept as the table changes, whatever the order of the changes. It never covers counters, lockout or codes of the lock's own.
//
// An item is a byte that says what it is, and its content:
//   1 ‖ entry, 41 bytes    2 ‖ schedule id ‖ packed windows, u32 each    3 ‖ setting id ‖ value

import type { Crypto } from "../crypto/port";
import { putU32 } from "./bytes";
import { ENTRY_BYTES } from "./entry";
import { DIGEST_BYTES } from "./limits";

/** The first byte of an item. */
export const Item = { slot: 1, schedule: 2, setting: 3 } as const;
/** In the first byte of an entry: the bits that are not a store's own. */
const ENTRY_BITS = 0x07;

/** Adds `hash` to `sum`, both 32 bytes big-endian, modulo 2^256. */
export function addDigest(sum: Uint8Array, hash: Uint8Array): void {
  let carry = 0;
  for (let i = DIGEST_BYTES - 1; i >= 0; i--) {
    carry += sum[i] + hash[i];
    sum[i] = carry;
    carry >>= 8;
  }
}

/** Subtracts `hash` from `sum`, both 32 bytes big-endian, modulo 2^256. */
export function subtractDigest(sum: Uint8Array, hash: Uint8Array): void {
  let carry = 0;
  for (let i = DIGEST_BYTES - 1; i >= 0; i--) {
    carry += sum[i] - hash[i];
    sum[i] = carry;
    carry >>= 8;
  }
}

/** The item hash of an occupied slot: of the 41 bytes of its entry at `offset`, without the bits that are a store's own. */
export function slotDigest(crypto: Crypto, entry: Uint8Array, offset = 0): Uint8Array {
  const item = new Uint8Array(1 + ENTRY_BYTES);
  item[0] = Item.slot;
  item.set(entry.subarray(offset, offset + ENTRY_BYTES), 1);
  item[1] &= ENTRY_BITS;
  return crypto.sha256(item);
}

/** The item hash of a schedule: of the first `count` packed windows. */
export function scheduleDigest(
  crypto: Crypto,
  id: number,
  windows: ArrayLike<number>,
  count = windows.length,
): Uint8Array {
  const item = new Uint8Array(2 + 4 * count);
  item[0] = Item.schedule;
  item[1] = id;
  for (let i = 0; i < count; i++) putU32(item, 2 + 4 * i, windows[i]);
  return crypto.sha256(item);
}

/** The item hash of a setting that a delta has set. */
export function settingDigest(crypto: Crypto, id: number, value: Uint8Array): Uint8Array {
  const item = new Uint8Array(2 + value.length);
  item[0] = Item.setting;
  item[1] = id;
  item.set(value, 2);
  return crypto.sha256(item);
}
