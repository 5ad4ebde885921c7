// Faults for tests of the door: flash that fails when told to, power that is cut in the middle of a write, and a look into what
// flash holds at that moment. A fault is a hook that sees each operation before it happens.

import { Lock } from "../../firmware/core/lock";
import { EventLog, type LockEvent } from "../../firmware/core/storage/events";
import type { Board, Flash, FlashStatus } from "../../firmware/ports";
import { type FlashImage, VirtualBoard } from "../../simulator/board/board";
import { NorFlash } from "../../simulator/board/nor";
import type { Door } from "./door";

/** An operation on flash; `bytes` is how many it reads, programs or erases. */
export type Operation = "read" | "write" | "erase";

/**
 * Sees an operation before it happens. `undefined` lets it pass; a number makes it fail, with so many of its bytes done (none of
 * a read, all or none of an erase).
 */
export type Hook = (operation: Operation, bytes: number) => number | undefined;

/** What a device reports that fails, or a program that has lost its power. */
export class FlashFault extends Error {}

/** Virtual flash behind a hook. */
export class FaultyFlash implements Flash {
  readonly #nor: NorFlash;
  readonly #hook: Hook;

  constructor(nor: NorFlash, hook: Hook) {
    this.#nor = nor;
    this.#hook = hook;
  }

  read(buffer: Uint8Array, offset: number): void {
    if (this.#hook("read", buffer.length) !== undefined) throw new FlashFault("read");
    this.#nor.read(buffer, offset);
  }

  write(buffer: Uint8Array, offset: number): void {
    const done = this.#hook("write", buffer.length);
    if (done === undefined) this.#nor.write(buffer, offset);
    else this.#nor.bytes.set(buffer.subarray(0, done), offset);
    if (done !== undefined) throw new FlashFault("write");
  }

  eraseBlock(start: number, end: number): void {
    const size = (end - start) * this.#nor.status().blockLength;
    const done = this.#hook("erase", size);
    if (done === undefined || done >= size) this.#nor.eraseBlock(start, end);
    if (done !== undefined) throw new FlashFault("erase");
  }

  status(): FlashStatus {
    return this.#nor.status();
  }
}

/** A supply that fails in the n-th write after {@link cutAt}, over both partitions; from there on nothing works. */
export class Power {
  isOn = true;
  /** Writes since {@link cutAt}, or since this was made. */
  writes = 0;
  #cutAt = Number.POSITIVE_INFINITY;
  #share = 0;

  /** From now on the write of this number, counted from 0, is cut when `share` of its bytes are programmed. */
  cutAt(write: number, share: number): void {
    this.#cutAt = write;
    this.#share = share;
    this.writes = 0;
  }

  readonly hook: Hook = (operation, bytes) => {
    if (!this.isOn) return 0;
    if (operation !== "write" || this.writes++ < this.#cutAt) return undefined;
    this.isOn = false;
    return Math.floor(bytes * this.#share);
  };
}

/** Boots the door's lock on its board, with some parts of the board replaced. */
export function bootWith(door: Door, parts: Partial<Board>): void {
  door.lock = new Lock({ ...door.board, ...parts });
  door.session = door.lock.open();
}

/** Boots with both partitions behind one hook. */
export function bootBehind(door: Door, hook: Hook, parts: Partial<Board> = {}): void {
  const { credentials, events } = door.board;
  bootWith(door, {
    credentials: new FaultyFlash(credentials, hook),
    events: new FaultyFlash(events, hook),
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
