// Who falls with whom (rules A53, C22): the slots of a user and of everyone whose access comes from that user, at any depth, found
// on the lock alone. Works in any order of slots and ends on cycles, because a slot is taken once.

import type { Table } from "./storage/table";

/** Bits that tell quickly that nobody has a user as grantor. */
const FILTER_BITS = 2048;

/**
 * Sets in `bitmap` (one bit a slot, all clear before) the slots of `user` and of all below. Returns how many. Holds 6 bytes a slot
 * while it works. A damaged slot has no readable grantor and is left: it opens nothing.
 */
export function descendants(table: Table, user: number, bitmap: Uint8Array): number {
  const slots = table.profile.slots;
  const grantors = new Uint32Array(slots);
  const queue = new Uint16Array(slots);
  const filter = new Uint8Array(FILTER_BITS / 8);
  let count = 0;
  for (let slot = 0; slot < slots; slot++) {
    if (table.load(slot) !== "ok") continue;
    const { grantor } = table.entry;
    grantors[slot] = grantor;
    const bit = grantor % FILTER_BITS;
    filter[bit >> 3] |= 1 << (bit & 7);
    if (table.entry.user !== user) continue;
    bitmap[slot >> 3] |= 1 << (slot & 7);
    queue[count++] = slot;
  }
  // The user may hold no slot of their own here and yet have guests: they are looked for in any case.
  count = takeGuests(grantors, user, bitmap, queue, count);
  for (let next = 0; next < count; next++) {
    if (table.load(queue[next]) !== "ok") continue;
    const above = table.entry.user;
    const bit = above % FILTER_BITS;
    if ((filter[bit >> 3] >> (bit & 7)) & 1) count = takeGuests(grantors, above, bitmap, queue, count);
  }
  return count;
}

function takeGuests(
  grantors: Uint32Array,
  user: number,
  bitmap: Uint8Array,
  queue: Uint16Array,
  count: number,
): number {
  for (let slot = 0; slot < grantors.length; slot++) {
    if (grantors[slot] !== user || (bitmap[slot >> 3] >> (slot & 7)) & 1) continue;
    bitmap[slot >> 3] |= 1 << (slot & 7);
    queue[count++] = slot;
  }
  return count;
}
