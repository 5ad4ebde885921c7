// What both logs know of writes that were cut: where it is safe to go on, and what counts as erased.

/** A page of NOR flash, in bytes: what one program operation of the chip may disturb. */
export const PAGE = 256;

/** Whether all of `bytes`, a buffer of its own of whole words, reads erased. */
export function isErased(bytes: Uint8Array): boolean {
  const words = new Int32Array(bytes.buffer);
  for (let i = 0; i < words.length; i++) if (words[i] !== -1) return false;
  return true;
}

/**
 * Where to go on in a sector whose last record ends at `end`: right there when all behind it reads erased, else in the page after
 * the last byte that does not, because a write that was cut may have left weak bits around it.
 */
export function resumeAt(sector: Uint8Array, end: number): number {
  let last = sector.length - 1;
  while (last >= end && sector[last] === 0xff) last--;
  if (last < end) return end;
  return Math.min(sector.length, Math.ceil((last + 1) / PAGE) * PAGE);
}
