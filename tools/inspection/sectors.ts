// The sectors of the credentials partition as plain values: what each holds, how full it is and how worn.

import type { FlashLog, SectorView as LogSector } from "../../firmware/core/storage/flash-log";
import { SECTOR_BYTES } from "../../simulator/board/nor";

/** One sector of the partition. */
export interface SectorView {
  readonly block: number;
  /** The number of the log's sector that stands here, 0 before the first. */
  readonly number: number;
  readonly state: LogSector["state"];
  /** 0 to 1: how far it is programmed. */
  readonly fill: number;
  /** How often a sector of the log was opened here; each time but the first took an erase. */
  readonly opens: number;
}

/** All sectors by block. `bytes` is the partition. */
export function sectorViews(log: FlashLog, bytes: Uint8Array): SectorView[] {
  return Array.from({ length: log.sectors }, (_, block) => {
    const { number, state } = log.sector(block);
    // Sector numbers go round the blocks, so a number tells how often its block has had its turn.
    const opens = number === 0 ? 0 : Math.floor((number - 1) / log.sectors) + 1;
    const sector = bytes.subarray(block * SECTOR_BYTES, (block + 1) * SECTOR_BYTES);
    return { block, number, state, fill: programmed(sector) / SECTOR_BYTES, opens };
  });
}

function programmed(sector: Uint8Array): number {
  let end = sector.length;
  while (end > 0 && sector[end - 1] === 0xff) end--;
  return end;
}
