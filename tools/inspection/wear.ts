// How worn the blocks of a partition are. Nothing counts erases in flash, but sector numbers go round the blocks, so the number in a
// block tells how often that block has had its turn since the lock was provisioned. An erase that had to be repeated is not seen.

/** Erases that a block of the flash takes. */
export const RATED_ERASES = 100_000;

/** Erases since provisioning, over all blocks of a partition. */
export interface WearView {
  /** Of the block with the fewest. */
  readonly least: number;
  /** Of the block with the most. */
  readonly most: number;
  /** The difference of both: 0 or 1 where no block was ever left out. */
  readonly spread: number;
  readonly total: number;
  /** 0 to 1: what the most worn block has used of the erases that it takes. */
  readonly share: number;
}

/** The wear of blocks that were erased so often. */
export function wearOf(erases: readonly number[]): WearView {
  const least = Math.min(...erases);
  const most = Math.max(...erases);
  const total = erases.reduce((sum, each) => sum + each, 0);
  return { least, most, spread: most - least, total, share: most / RATED_ERASES };
}

/** How many sectors had their turn in a block, from the number of the last one, 0 before the first. */
export function turnsOf(number: number, blocks: number): number {
  return number <= 0 ? 0 : Math.floor((number - 1) / blocks) + 1;
}

/** The highest number, at most `newest`, of a sector that stands in `block`; 0 or less before its first turn. */
export function numberIn(block: number, newest: number, blocks: number): number {
  return newest - ((((newest - 1 - block) % blocks) + blocks) % blocks);
}

/** How far a sector is programmed, in bytes: to the end of what does not read as erased. */
export function programmedBytes(sector: Uint8Array): number {
  let end = sector.length;
  while (end > 0 && sector[end - 1] === 0xff) end--;
  return end;
}
