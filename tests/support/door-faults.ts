// Faults for tests of the door: a lock booted on flash that fails when told to, or on another image, and a look into what flash holds
// at that moment.

import { Lock } from "../../firmware/core/lock";
import { EventLog, type LockEvent } from "../../firmware/core/storage/events";
import type { Board } from "../../firmware/ports";
import { type FlashImage, VirtualBoard } from "../../simulator/board/board";
import { type FaultPlan, FaultyNor } from "../../simulator/board/faulty-nor";
import { NorFlash } from "../../simulator/board/nor";
import type { Door } from "./door";

/** Boots the door's lock on its board, with some parts of the board replaced. */
export function bootWith(door: Door, parts: Partial<Board>): void {
  door.lock = new Lock({ ...door.board, ...parts });
  door.session = door.lock.open();
}

/** Boots with the same faults in both partitions. */
export function bootBehind(door: Door, plan: FaultPlan, parts: Partial<Board> = {}): void {
  const { credentials, events } = door.board;
  bootWith(door, {
    credentials: new FaultyNor(credentials, plan),
    events: new FaultyNor(events, plan),
    ...parts,
  });
}

/** Puts a board with this flash in place of the door's, and boots it. */
export function bootFrom(door: Door, image: FlashImage): void {
  const { crypto, random } = door;
  door.board = new VirtualBoard({ image, crypto, world: { now: () => door.now }, random });
  bootWith(door, {});
}

/** All events in an events partition, oldest first, as a fresh mount finds them. */
export function eventsIn(door: Door, partition: Uint8Array = door.board.events.bytes): LockEvent[] {
  const log = new EventLog(new NorFlash(partition.length, partition), door.crypto, door.identity.lock);
  log.mount();
  const events: LockEvent[] = [];
  log.read((event) => events.push({ ...event }));
  return events;
}

/** Where `wanted` begins in `bytes`, at every offset; an empty list where it does not. */
export function placesOf(wanted: Uint8Array, bytes: Uint8Array): number[] {
  const places: number[] = [];
  const hay = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = hay.indexOf(wanted); at >= 0; at = hay.indexOf(wanted, at + 1)) places.push(at);
  return places;
}
