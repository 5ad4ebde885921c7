// The sectors of the credentials partition as plain values: what each holds, how full it is, how much of that lives, and how worn its
// block is.

import type { Parts } from "../../firmware/core/parts";
import { type FlashLog, type SectorView as LogSector, Purpose } from "../../firmware/core/storage/flash-log";
import { checkRecord, Record, recordType, UNIT } from "../../firmware/core/storage/records";
import { HEADER_BYTES, Sectors } from "../../firmware/core/storage/sectors";
import { SECTOR_BYTES } from "../../simulator/board/nor";
import { type Living, sumOf } from "./space";
import { programmedBytes, turnsOf } from "./wear";

/** One sector of the partition. */
export interface SectorView {
  readonly block: number;
  /** The number of the log's sector that stands here, or stood here last; 0 before the first. */
  readonly number: number;
  /**
   * "head": records are appended here; "live": in use; "ready": erased, recorded as such, and still blank; "free": to be erased;
   * "bad": left out, since it did not take what was written; "lost": in use, and nothing in it can be read any more.
   */
  readonly state: LogSector["state"] | "lost";
  /** 0 to 1: how far it is programmed. */
  readonly fill: number;
  /** The same in bytes. */
  readonly used: number;
  /** Bytes that live: what a compaction would write again. */
  readonly live: number;
  /** Bytes that a compaction wins back: those of a sector in use that do not live, but for what can still be written. */
  readonly dead: number;
  /** How often a sector of the log was opened here. */
  readonly opens: number;
  /** How often the block was erased since the lock was provisioned; repeated erases are not seen. */
  readonly erases: number;
}

/** All sectors by block. `bytes` is the partition, `bySector` what lives in it. */
export function sectorViews(
  { table, board, profile }: Parts,
  bytes: Uint8Array,
  bySector: ReadonlyMap<number, Living>,
): SectorView[] {
  const { log } = table;
  // More than there is room for: so it looks at all that was erased ahead, whether it still is.
  log.hasRoom(bytes.length, Purpose.ordinary);
  const content = new Content(new Sectors(board.credentials, board.identity.lock, profile.id), bytes);
  return Array.from({ length: log.sectors }, (_, block) => {
    const { number, state: said } = log.sector(block);
    const used = programmedBytes(content.sector(block));
    const isInUse = said === "live" || said === "head";
    const state = isInUse ? content.stateOf(number, log, said) : said;
    const living = bySector.get(number);
    const live = living === undefined ? 0 : sumOf(living);
    const end = state === "head" ? Math.max(used, log.offset) : SECTOR_BYTES;
    const dead = isInUse && state !== "free" ? end - live : 0;
    const opens = turnsOf(number, log.sectors);
    // All blocks were erased at provisioning, and each once more before every turn; one that is ready has that behind it.
    const erases = 1 + opens + (state === "ready" ? 1 : 0);
    return { block, number, state, fill: used / SECTOR_BYTES, used, live, dead, opens, erases };
  });
}

/** What the bytes of sectors say of sectors in use. */
class Content {
  readonly #sectors: Sectors;
  readonly #bytes: Uint8Array;

  constructor(sectors: Sectors, bytes: Uint8Array) {
    this.#sectors = sectors;
    this.#bytes = bytes;
  }

  sector(block: number): Uint8Array {
    return this.#bytes.subarray(block * SECTOR_BYTES, (block + 1) * SECTOR_BYTES);
  }

  stateOf(number: number, log: FlashLog, said: "live" | "head"): SectorView["state"] {
    if (this.#records(number).length > 0 || (said === "head" && this.#hasHeader(number))) return said;
    // Moved on and erased already, where the record that says so is lost.
    if (number === log.oldest && programmedBytes(this.#sectorOf(number)) === 0) return "free";
    return this.#wasLeftOut(number, log) ? "bad" : "lost";
  }

  #hasHeader(number: number): boolean {
    const block = (number - 1) % this.#sectors.count;
    return this.#sectors.readHeader(block) === undefined && this.#sectors.header.number === number;
  }

  /** Where the intact records of sector `number` stand in it. */
  #records(number: number): number[] {
    const sector = this.#sectorOf(number);
    const seed = this.#sectors.seed(number);
    const found: number[] = [];
    let at = HEADER_BYTES;
    while (at < sector.length) {
      const length = checkRecord(sector, at, sector.length, seed, false);
      if (length > 0) found.push(at);
      at += length > 0 ? length : UNIT;
    }
    return found;
  }

  #sectorOf(number: number): Uint8Array {
    return this.sector((number - 1) % this.#sectors.count);
  }

  /** The first sector behind this one that was written to begins with the keys of the last one before it that was. */
  #wasLeftOut(number: number, log: FlashLog): boolean {
    for (let next = number + 1; next <= log.newest; next++) {
      const sector = this.#sectorOf(next);
      const keys = this.#records(next).find(
        (at) => recordType(sector, at) === Record.keys && sector[at + 2] === 0,
      );
      if (keys !== undefined) return next - sector[keys + 3] < number;
    }
    return false;
  }
}
