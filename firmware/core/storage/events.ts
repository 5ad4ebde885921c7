// The event log (rules L1, L2, L4, L5, L9, L12): a ring of 32-byte entries in its own partition, numbered, never changed.
//
// Sector number s (1, 2, 3, …) stands in block (s − 1) mod n. While the newest sector still has room, the next one is erased, looked
// at, and given its header, all in one call of `maintain`. That header is the only proof that the erase came to its end: an erase
// that was cut, or did nothing, leaves no header of that number, and is done again. So an append is one program operation, also the
// first in a sector: no erase and no header lies between a person and the bolt. A block whose erase fails twice, or that does not
// take its header, is left out, and its number with it.
//
// Entries say whether another sector stands ready, and the last place of a sector is kept for one that does. So a full sector with
// no successor means that the successor is lost, whatever its block reads like: numbering goes on behind what it could have held,
// and no number is given twice. Where entries may go after a boot is the matter of event-sector.ts.
//
// The hash chain (rule L9, event-chain.ts) over all events before a sector's `first` is in its header, and computed onwards from
// there. Mounting writes nothing. Nothing here throws.

import type { Crypto } from "../../../protocol/crypto/port";
import type { Flash } from "../../ports";
import { isClear } from "./blank";
import { crc32 } from "./crc";
import { Device } from "./device";
import { EventChain } from "./event-chain";
import { type EventPage, EventPages } from "./event-pages";
import type { LockEvent } from "./event-record";
import {
  BOOTS,
  ENTRY_BYTES,
  emptyEvent,
  findEntries,
  headerChain,
  headerFirst,
  headerNumber,
  unpackEntry,
} from "./event-record";
import { EventSector, endOfNumbers } from "./event-sector";

export type { LockEvent } from "./event-record";
export {
  CREDENTIAL_NAMES,
  Credential,
  EVENT_NAMES,
  EventKind,
  emptyEvent,
  METHOD_NAMES,
  Method,
} from "./event-record";

/** With this many places left, the next sector is made ready. */
const AHEAD = 32;
/** Entries that one call of `maintain` takes into the chain. */
const CHAINED_A_CALL = 16;
/** Places that one event may be tried in. */
const TRIES = 3;
/** Erases of one block, one after another, before it is left out. */
const ERASES_A_BLOCK = 2;
/** Erases in one call of `maintain` when there is no room, and so nobody is let in who could wait for it. */
const ERASES_WITHOUT_ROOM = 4;
/** After blocks in a row that did not take their headers, or all of them failed: an hour. Each try costs the oldest events. */
const PAUSE_CALLS = 3600;
/** Sectors that are read from the newest on back, while a person waits: some 1,900 events. */
const MAX_BACK_SECTORS = 16;

export class EventLog {
  /** The seq of the next event. */
  next = 1;
  /** This power cycle's number, modulo 2^23. */
  boot = 1;
  /** When the newest event was, UTC seconds, among those that a mount found and that knew the time; 0 for none (rule T13). */
  latest = 0;
  /** Whether there is a log at all; without one the lock opens for nobody who would have to be logged. */
  mounted = false;
  readonly #device: Device;
  readonly #chain: EventChain;
  readonly #pages: EventPages;
  readonly #seed: number;
  /** Entries that a sector holds. */
  readonly #capacity: number;
  /** Where entries go; before {@link mount} a sector that takes none. */
  #newest: EventSector;
  /** The sector that stands ready to follow. */
  #ahead: EventSector | undefined;
  /** The sector before the newest, while the chain does not cover it. */
  #previous: EventSector | undefined;
  /** Whether the newest sector refused an event, so that another had better be ready. */
  #isSuspect = false;
  /** The sector to make ready, how often its erase failed, and how many headers in a row were refused. */
  #candidate = 1;
  #failures = 0;
  #refusals = 0;
  /** Calls of `maintain` to let pass. */
  #pause = 0;

  constructor(flash: Flash, crypto: Crypto, lock: Uint8Array) {
    this.#device = new Device(flash, ENTRY_BYTES);
    this.#chain = new EventChain(crypto);
    this.#seed = crc32(lock, 0, lock.length, 0);
    this.#pages = new EventPages(this.#device, crypto, this.#seed);
    this.#capacity = this.#device.blockBytes / ENTRY_BYTES - 1;
    this.#newest = this.sector(1);
    this.#newest.giveUp();
  }

  /** Flash operations since boot that were refused, or whose result was not what it should be; for the lock's status. */
  get faults(): number {
    return this.#device.faults;
  }

  private sector(number: number): EventSector {
    return new EventSector(this.#device, number, this.next, this.#seed);
  }

  private block(number: number): number {
    return (number - 1) % this.#device.blocks;
  }

  private start(number: number): number {
    return this.block(number) * this.#device.blockBytes;
  }

  /** Makes a partition an empty event log: at provisioning only. Without any block that works, a mount finds none. */
  format(): void {
    const { blocks } = this.#device;
    for (let block = 0; block < blocks; block++) this.#device.erase(block);
    // A block that is stuck keeps what it held: number its sector out of the ring.
    const { top } = this.findHeaders();
    const first = top === 0 ? 1 : top + blocks;
    const blank = new Uint8Array(this.#device.blockBytes);
    this.#chain.restart(1);
    for (let number = first; number < first + blocks; number++)
      if (this.isErased(number, blank) && this.sector(number).begin(this.#chain.value, blank)) return;
  }

  // ---- boot

  /** The highest two sector numbers that headers have, 0 for none. The chain of the highest is taken over. */
  private findHeaders(): { top: number; below: number } {
    const found = { top: 0, below: 0 };
    const header = new Uint8Array(ENTRY_BYTES);
    for (let block = 0; block < this.#device.blocks; block++) {
      const at = block * this.#device.blockBytes;
      if (!this.#device.read(header, at)) continue;
      const number = headerNumber(header, this.#seed);
      if (number === 0 || this.start(number) !== at) continue;
      if (number < found.top) {
        if (number > found.below) found.below = number;
        continue;
      }
      found.below = found.top;
      found.top = number;
      this.#chain.value.set(headerChain(header));
      this.#chain.end = headerFirst(header);
    }
    return found;
  }

  /** Finds the log. Writes nothing; reads every header and two sectors, seldom a third. */
  mount(): void {
    const numbers = this.findHeaders();
    if (numbers.top === 0) return;
    this.mounted = true;
    const buffer = new Uint8Array(this.#device.blockBytes);
    const top = this.sector(numbers.top);
    top.first = this.#chain.end;
    const isRead = top.load(buffer);
    const before = this.sector(Math.max(1, numbers.below));
    const isThere = numbers.below > Math.max(0, top.number - this.#device.blocks) && before.load(buffer);
    // A block may have been left out between the two, so what is in them has to tell whether a third is missing.
    const isLinked = isThere && (before.number === top.number - 1 || before.newest >= top.first - 1);
    const lost = this.lostSectors(top, isRead, isLinked ? before : undefined) * this.#capacity;

    const isAhead = top.newest === 0 && isLinked && before.places > 0;
    this.#newest = isAhead ? before : top;
    if (isAhead && top.places > 0) this.#ahead = top;
    if (!isAhead && isLinked) this.#previous = before;
    this.#candidate = top.number + (lost > 0 && top.newest > 0 ? 2 : 1);
    this.next = Math.max(top.first, top.newest + 1, isLinked ? before.newest + 1 : 1) + lost;
    if (lost > 0) this.#chain.restart(this.next);
    else if (!isLinked && top.oldest > top.first) this.#chain.restart(top.oldest);
    this.latest = top.latest || (isThere ? before.latest : 0);
    this.boot = (this.lastBoot(top, isThere ? before : top, buffer) + 1 + lost) % BOOTS;
  }

  /** How many sectors there must have been whose events cannot be found behind those that can. */
  private lostSectors(top: EventSector, isRead: boolean, before: EventSector | undefined): number {
    if (top.newest > 0) {
      const header = new Uint8Array(ENTRY_BYTES);
      const hadNext = top.announced || !this.#device.read(header, this.start(top.number + 1));
      return top.places === 0 && hadNext ? 1 : 0;
    }
    if (before === undefined) return (isRead ? 0 : 1) + (top.first > 1 ? 1 : 0);
    return before.places === 0 && !isRead ? 1 : 0;
  }

  /** The boot of the newest event that is found in these two, or in the sector before them; 0 for none. */
  private lastBoot(top: EventSector, before: EventSector, buffer: Uint8Array): number {
    if (top.newest > 0) return top.boot;
    if (before.newest > 0) return before.boot;
    if (before.number === 1) return 0;
    const third = this.sector(before.number - 1);
    return third.load(buffer) ? third.boot : 0;
  }

  // ---- writing

  /** Whether the newest sector takes another entry. Its last place is for one that says that the next sector stands ready. */
  private get hasPlace(): boolean {
    return this.#newest.places >= (this.#ahead === undefined ? 2 : 1);
  }

  /** Whether an event can be appended without an erase. */
  get hasRoom(): boolean {
    return this.mounted && (this.hasPlace || this.#ahead !== undefined);
  }

  /** Appends one event; its seq and boot number are put in here. False when the flash refused or no sector is ready. */
  append(event: LockEvent): boolean {
    if (!this.mounted) return false;
    event.seq = this.next;
    event.boot = this.boot;
    for (let tries = 0; tries < TRIES; tries++) {
      // Two pages that do not take an entry are enough of a sector.
      const isOver = tries === TRIES - 1 || !this.hasPlace;
      if (isOver && !this.goAhead()) break;
      const done = this.#newest.append(event, this.#ahead !== undefined);
      // What did not take may still read as an entry some day: its number is not for another event.
      this.next = event.seq + 1;
      if (done) return true;
    }
    this.#isSuspect = true;
    return false;
  }

  private goAhead(): boolean {
    if (this.#ahead === undefined) return false;
    this.#previous = this.#newest;
    this.#newest = this.#ahead;
    this.#ahead = undefined;
    return true;
  }

  // ---- housekeeping

  /**
   * Makes the next sector ready when it is time. Returns whether that took an erase: one, or a few while there is no room; none
   * for an hour where trying on would only cost more of the oldest events. Never while someone waits.
   */
  maintain(): boolean {
    if (!this.mounted) return false;
    this.extendChain(CHAINED_A_CALL);
    if (this.#ahead !== undefined || (this.#newest.places > AHEAD && !this.#isSuspect)) return false;
    if (this.#pause > 0) {
      this.#pause--;
      return false;
    }
    const most = this.hasRoom ? 1 : ERASES_WITHOUT_ROOM;
    for (let erases = 0; erases < most && this.#ahead === undefined && this.#pause === 0; erases++)
      this.prepare();
    return true;
  }

  /** Erases the candidate and writes its header, or counts the failure. */
  private prepare(): void {
    const chain = this.head();
    const sector = this.sector(this.#candidate);
    const blank = new Uint8Array(this.#device.blockBytes);
    const isErased = this.#device.erase(this.block(sector.number)) && this.isErased(sector.number, blank);
    if (!isErased && ++this.#failures < ERASES_A_BLOCK) return;
    this.#failures = 0;
    // Ready or left out: a number whose header may stand is not erased for again.
    this.#candidate++;
    if (isErased && sector.begin(chain, blank)) {
      this.#ahead = sector;
      this.#isSuspect = false;
      this.#refusals = 0;
      return;
    }
    if (isErased && ++this.#refusals > 1) this.#pause = PAUSE_CALLS;
    if (this.#candidate < this.#newest.number + this.#device.blocks) return;
    this.#candidate = this.#newest.number + 1;
    this.#pause = PAUSE_CALLS;
  }

  /** Whether a block is erased indeed, so that nothing of what stood there verifies. Its bytes are in `sector` then. */
  private isErased(number: number, sector: Uint8Array): boolean {
    const isErased = this.#device.looksErased(this.block(number), sector) && !this.holdsAny(sector);
    if (!isErased) this.#device.faults++;
    return isErased;
  }

  /** Whether a header or an entry stands in a sector. */
  private holdsAny(sector: Uint8Array): boolean {
    if (isClear(sector, 0, sector.length)) return false;
    const entries = findEntries(sector, ENTRY_BYTES, 1, this.next, this.#seed);
    return headerNumber(sector, this.#seed) > 0 || entries.includes(1);
  }

  // ---- the chain

  /** Takes events that the chain does not cover yet into it, `most` of them. */
  private extendChain(most: number): void {
    if (this.#previous !== undefined) most = this.#chain.extend(this.#previous, most);
    if (most === 0) return;
    this.#previous = undefined;
    this.#chain.extend(this.#newest, most);
  }

  /** The chain over all events so far; valid until the next call of anything. */
  head(): Uint8Array {
    if (this.mounted) this.extendChain(Number.POSITIVE_INFINITY);
    return this.#chain.value;
  }

  // ---- reading

  /** A page of raw entries from the first one on that stands and is not before `from` (rules L3, L9); none without a log. */
  page(from: number): EventPage {
    // Brings the chain up to the last event.
    const head = this.head();
    const top = this.#ahead ?? this.#newest;
    if (!this.mounted) return { first: this.next, head: head.slice(), entries: new Uint8Array(0) };
    return this.#pages.read(from, top.number, this.next, this.#chain);
  }

  /**
   * Shows the events that can still be read, newest first, until `show` gives false; the object is the same each time. Looks at no more
   * than {@link MAX_BACK_SECTORS} sectors, in the memory of one.
   */
  readBack(show: (event: LockEvent) => boolean): void {
    if (!this.mounted) return;
    const { blocks, blockBytes } = this.#device;
    const sector = new Uint8Array(blockBytes);
    const event = emptyEvent();
    const last = this.#newest.number;
    let before = this.next;
    for (let number = last; number > Math.max(0, last - Math.min(blocks, MAX_BACK_SECTORS)); number--) {
      if (!this.#device.read(sector, this.start(number))) continue;
      if (headerNumber(sector, this.#seed) !== number) continue;
      const first = headerFirst(sector);
      const end = Math.min(endOfNumbers(first, blockBytes), before);
      const stands = findEntries(sector, ENTRY_BYTES, first, end, this.#seed);
      for (let at = blockBytes - ENTRY_BYTES; at > 0; at -= ENTRY_BYTES) {
        if (stands[at / ENTRY_BYTES] === 0) continue;
        unpackEntry(sector, at, event);
        before = event.seq;
        if (!show(event)) return;
      }
    }
  }

  /**
   * Shows every event that is still there, oldest first; the object is the same each time. Where numbers are left out, events were
   * overwritten or cannot be read any more.
   */
  read(show: (event: LockEvent) => void): void {
    if (!this.mounted) return;
    const { blocks, blockBytes } = this.#device;
    const sector = new Uint8Array(blockBytes);
    const event = emptyEvent();
    const last = this.#newest.number;
    for (let number = Math.max(1, last - blocks + 1); number <= last; number++) {
      if (!this.#device.read(sector, this.start(number))) continue;
      if (headerNumber(sector, this.#seed) !== number) continue;
      const first = headerFirst(sector);
      const end = endOfNumbers(first, blockBytes);
      const stands = findEntries(sector, ENTRY_BYTES, Math.max(first, event.seq + 1), end, this.#seed);
      for (let at = ENTRY_BYTES; at < blockBytes; at += ENTRY_BYTES) {
        if (stands[at / ENTRY_BYTES] === 0) continue;
        unpackEntry(sector, at, event);
        show(event);
      }
    }
  }
}
