// The sectors of the events partition as plain values, from their bytes: which events stand in each, how full it is and how worn.

import { crc32 } from "../../firmware/core/storage/crc";
import { Device } from "../../firmware/core/storage/device";
import { ENTRY_BYTES, headerNumber } from "../../firmware/core/storage/event-record";
import { EventSector } from "../../firmware/core/storage/event-sector";
import type { Board } from "../../firmware/ports";
import { SECTOR_BYTES } from "../../simulator/board/nor";
import { numberIn, programmedBytes, turnsOf } from "./wear";

/** One sector of the partition. */
export interface EventSectorView {
  readonly block: number;
  /** The number of the sector that stands here, or should; 0 before the first. */
  readonly number: number;
  /**
   * "head": events are appended here; "live": full; "ready": erased, with its header; "free": to be erased; "bad": left out, no event
   * is missing; "lost": events that stood here cannot be read any more.
   */
  readonly state: "head" | "live" | "ready" | "free" | "bad" | "lost";
  /** 0 to 1: how far it is programmed. */
  readonly fill: number;
  /** The same in bytes. */
  readonly used: number;
  /** How often the block was erased since the lock was provisioned; repeated erases are not seen. */
  readonly erases: number;
  /** Events that can be read, and the numbers of the first and last, 0 without any. */
  readonly events: number;
  readonly first: number;
  readonly last: number;
}

interface Read {
  readonly number: number;
  readonly used: number;
  readonly first: number;
  readonly last: number;
  /** Events that it still takes. */
  readonly places: number;
}

/** All sectors by block. `bytes` is the partition, `seqs` are the numbers of all events in it that can be read. */
export function eventSectorViews(
  board: Board,
  bytes: Uint8Array,
  seqs: readonly number[],
): EventSectorView[] {
  const blocks = bytes.length / SECTOR_BYTES;
  const device = new Device(board.events, ENTRY_BYTES);
  const read = Array.from({ length: blocks }, (_, block) =>
    readSector(
      device,
      board.identity.lock,
      block,
      bytes.slice(block * SECTOR_BYTES, (block + 1) * SECTOR_BYTES),
    ),
  );
  const standing = read.filter(({ number }) => number > 0).sort((a, b) => b.number - a.number);
  const head = headOf(standing);
  const top = standing[0]?.number ?? 0;
  return read.map((sector, block) => {
    const number = Math.max(0, sector.number > 0 ? sector.number : numberIn(block, top, blocks));
    let state: EventSectorView["state"] = sector.number > 0 ? "live" : absent(number, standing);
    if (sector.number >= head && head > 0) state = number === head ? "head" : "ready";
    // All blocks were erased at provisioning, and each once more before every turn but that of the very first sector.
    const erases = turnsOf(number, blocks) + (block === 0 && number > 0 ? 0 : 1);
    const { used, first, last } = sector;
    const events = last === 0 ? 0 : seqs.filter((seq) => seq >= first && seq <= last).length;
    return { block, number, state, fill: used / SECTOR_BYTES, used, erases, events, first, last };
  });
}

/** What it means that a sector, of the numbers from the oldest to the newest, does not stand; those that do are the newest first. */
function absent(number: number, standing: readonly Read[]): EventSectorView["state"] {
  const before = standing.find((one) => one.number < number && one.last > 0);
  const after = standing.findLast((one) => one.number > number && one.last > 0);
  if (before === undefined || after === undefined) return "free";
  return after.first === before.last + 1 ? "bad" : "lost";
}

function readSector(device: Device, lock: Uint8Array, block: number, bytes: Uint8Array): Read {
  const seed = crc32(lock, 0, lock.length, 0);
  const used = programmedBytes(bytes);
  const number = headerNumber(bytes, seed);
  if (number === 0 || (number - 1) % device.blocks !== block)
    return { number: 0, used, first: 0, last: 0, places: 0 };
  const sector = new EventSector(device, number, 0, seed);
  sector.load(bytes);
  return { number, used, first: sector.oldest, last: sector.newest, places: sector.places };
}

/** The number of the sector that events go to, of those that stand, newest first: an empty one waits until the one before is full. */
function headOf([top, before]: readonly Read[]): number {
  if (top === undefined) return 0;
  return top.last === 0 && before !== undefined && before.places > 0 ? before.number : top.number;
}
