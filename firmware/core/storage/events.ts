// The event log (rules L1, L2, L4, L5, L9, L12): a ring of 32-byte entries in its own partition, numbered, never changed. A sector
// is erased ahead, so that an event of an opening is committed before the bolt moves and no erase lies between. The hash chain
// over the entries is stored at the start of each sector and computed onwards when someone asks. An entry also says whether the next
// sector was erased by then, so that a boot need not erase it again.

import type { Crypto } from "../../../protocol/crypto/port";
import { getU16, getU24, getU32, putU16, putU24, putU32 } from "../../../protocol/wire/bytes";
import { HEAD_BYTES } from "../../../protocol/wire/limits";
import type { Flash } from "../../ports";
import { crc32, mended } from "./crc";
import { isErased, resumeAt } from "./torn";

/** Kinds of event. */
export const EventKind = {
  boot: 1,
  granted: 2,
  refused: 3,
  synced: 4,
  clockSet: 5,
  claimed: 6,
  keyset: 7,
  forked: 8,
  relocked: 9,
} as const;
export const EVENT_NAMES: readonly string[] = [
  "none",
  "boot",
  "granted",
  "refused",
  "synced",
  "clock-set",
  "claimed",
  "keyset",
  "forked",
  "relocked",
];

/** How a person or a message came. */
export const Method = { none: 0, keypad: 1, card: 2, phone: 3, link: 4, auto: 5 } as const;
export const METHOD_NAMES: readonly string[] = ["none", "keypad", "card", "phone", "link", "auto"];

/** One event. `time` is UTC seconds, or seconds since boot where the trust is unknown (rule L11). */
export interface LockEvent {
  seq: number;
  kind: number;
  reason: number;
  method: number;
  trust: number;
  mode: number;
  time: number;
  boot: number;
  user: number;
  generation: number;
  credential: number;
  detail: number;
}

/** An event with nothing in it, to be filled. */
export function emptyEvent(): LockEvent {
  return {
    seq: 0,
    kind: 0,
    reason: 0,
    method: 0,
    trust: 0,
    mode: 0,
    time: 0,
    boot: 0,
    user: 0,
    generation: 0,
    credential: 0,
    detail: 0,
  };
}

const ENTRY = 32;
/** magic | sector number | first event seq | chain (16) | crc */
const HEADER = 32;
/** "TMEV" */
const MAGIC = 0x544d4556;
/** With this many places left, the next sector is made ready. */
const AHEAD = 32;
/** Where an entry says whether the next sector is ready. */
const READY = 25;

function pack(event: LockEvent, ready: boolean, bytes: Uint8Array): void {
  bytes.fill(0);
  bytes[0] = event.kind;
  bytes[1] = event.reason;
  bytes[2] = (event.method << 4) | event.trust;
  bytes[3] = (event.credential << 4) | event.mode;
  putU32(bytes, 4, event.seq);
  putU32(bytes, 8, event.time);
  putU16(bytes, 12, event.boot & 0xffff);
  putU24(bytes, 14, event.generation);
  putU32(bytes, 17, event.user);
  putU32(bytes, 21, event.detail);
  bytes[READY] = ready ? 1 : 0;
}

function unpack(bytes: Uint8Array, offset: number, event: LockEvent): void {
  event.kind = bytes[offset];
  event.reason = bytes[offset + 1];
  event.method = bytes[offset + 2] >>> 4;
  event.trust = bytes[offset + 2] & 15;
  event.credential = bytes[offset + 3] >>> 4;
  event.mode = bytes[offset + 3] & 15;
  event.seq = getU32(bytes, offset + 4);
  event.time = getU32(bytes, offset + 8);
  event.boot = getU16(bytes, offset + 12);
  event.generation = getU24(bytes, offset + 14);
  event.user = getU32(bytes, offset + 17);
  event.detail = getU32(bytes, offset + 21);
}

export class EventLog {
  /** The seq of the next event. */
  next = 1;
  /** This power cycle's number. */
  boot = 1;
  /** Whether there is a log at all; without one the lock opens for nobody who would have to be logged. */
  mounted = false;
  readonly #flash: Flash;
  readonly #crypto: Crypto;
  readonly #seed: number;
  readonly #blocks: number;
  readonly #blockBytes: number;
  readonly #entry = new Uint8Array(ENTRY);
  readonly #check = new Uint8Array(ENTRY);
  readonly #chain = new Uint8Array(HEAD_BYTES);
  /** Sector numbers 1, 2, …; number s stands in block (s − 1) mod n. */
  #newest = 0;
  #offset = 0;
  /** Whether the block after the newest is erased and may be opened. */
  #ready = false;
  /** Where the chain is computed up to: an offset in the newest sector. */
  #chained = 0;

  constructor(flash: Flash, crypto: Crypto, lock: Uint8Array) {
    const status = flash.status();
    this.#flash = flash;
    this.#crypto = crypto;
    this.#seed = crc32(lock, 0, lock.length, 0);
    this.#blocks = status.blocks;
    this.#blockBytes = status.blockLength;
  }

  /** Makes an erased partition an empty event log: at provisioning only. */
  format(): void {
    this.#flash.eraseBlock(0, this.#blocks);
    this.#newest = 0;
    this.#ready = true;
    this.#open();
  }

  #start(number: number): number {
    return ((number - 1) % this.#blocks) * this.#blockBytes;
  }

  #program(bytes: Uint8Array, at: number): boolean {
    try {
      this.#flash.write(bytes, at);
      this.#flash.read(this.#check, at);
    } catch {
      return false;
    }
    for (let i = 0; i < ENTRY; i++) if (this.#check[i] !== bytes[i]) return false;
    return true;
  }

  #close(bytes: Uint8Array): void {
    putU32(bytes, ENTRY - 4, crc32(bytes, 0, ENTRY - 4, this.#seed) >>> 0);
  }

  /** Whether an entry or a header stands at `offset`; one flipped bit of it is mended. No kind of event looks erased. */
  #valid(bytes: Uint8Array, offset: number): boolean {
    return bytes[offset] !== 0xff && mended(bytes, offset, offset + ENTRY - 4, this.#seed);
  }

  #open(): boolean {
    if (!this.#ready) return false;
    if (this.#newest > 0) this.#chainOn();
    this.#ready = false;
    this.#newest++;
    this.#offset = this.#chained = HEADER;
    const header = this.#entry;
    header.fill(0);
    putU32(header, 0, MAGIC);
    putU32(header, 4, this.#newest);
    putU32(header, 8, this.next);
    header.set(this.#chain, 12);
    this.#close(header);
    if (this.#program(header, this.#start(this.#newest))) return true;
    this.#offset = this.#blockBytes;
    return false;
  }

  /** Finds the log. Writes nothing. */
  mount(): void {
    const header = new Uint8Array(HEADER);
    for (let block = 0; block < this.#blocks; block++) {
      if (!this.#read(header, block * this.#blockBytes) || !this.#valid(header, 0)) continue;
      if (getU32(header, 0) !== MAGIC) continue;
      const number = getU32(header, 4);
      if (number <= this.#newest || (number - 1) % this.#blocks !== block) continue;
      this.#newest = number;
      this.next = getU32(header, 8);
      this.#chain.set(header.subarray(12, 12 + HEAD_BYTES));
    }
    this.mounted = this.#newest > 0 && this.#mountNewest();
  }

  /** Reads into `buffer`; false when the device reports an error, which never leaves this log as an exception. */
  #read(buffer: Uint8Array, at: number): boolean {
    try {
      this.#flash.read(buffer, at);
      return true;
    } catch {
      return false;
    }
  }

  /** Finds the end of the log in its newest sector. False when that cannot be read: then there is no log to append to. */
  #mountNewest(): boolean {
    const sector = new Uint8Array(this.#blockBytes);
    if (!this.#read(sector, this.#start(this.#newest))) return false;
    const event = emptyEvent();
    let end = HEADER;
    for (let at = HEADER; at < this.#blockBytes; at += ENTRY) {
      if (!this.#valid(sector, at)) continue;
      unpack(sector, at, event);
      this.next = event.seq + 1;
      end = at + ENTRY;
      this.#ready = sector[at + READY] === 1;
    }
    this.boot = event.boot + 1;
    if (event.seq === 0) this.boot = this.#lastBoot() + 1;
    this.#chained = HEADER;
    this.#offset = resumeAt(sector, end);
    if (this.#ready) this.#ready = this.#nextReadsErased(sector);
    return true;
  }

  /** Whether the block after the newest reads erased; `buffer` is a block long. */
  #nextReadsErased(buffer: Uint8Array): boolean {
    return this.#read(buffer, this.#start(this.#newest + 1)) && isErased(buffer);
  }

  /** The boot number in the last event of the sector before, when the newest one has none yet. */
  #lastBoot(): number {
    if (this.#newest < 2) return 0;
    const sector = new Uint8Array(this.#blockBytes);
    if (!this.#read(sector, this.#start(this.#newest - 1))) return 0;
    for (let at = this.#blockBytes - ENTRY; at >= HEADER; at -= ENTRY)
      if (this.#valid(sector, at)) return getU16(sector, at + 12);
    return 0;
  }

  /** Appends one event; its seq and boot number are put in here. False when the flash refused or no sector is ready. */
  append(event: LockEvent): boolean {
    if (!this.mounted) return false;
    event.seq = this.next;
    event.boot = this.boot;
    for (let tries = 0; tries < 3; tries++) {
      if (this.#offset + ENTRY > this.#blockBytes && !this.#open()) return false;
      pack(event, this.#ready, this.#entry);
      this.#close(this.#entry);
      const at = this.#start(this.#newest) + this.#offset;
      this.#offset += ENTRY;
      if (this.#program(this.#entry, at)) {
        this.next++;
        return true;
      }
    }
    return false;
  }

  /** Whether an event can be appended without an erase. */
  get hasRoom(): boolean {
    return this.mounted && (this.#offset + ENTRY <= this.#blockBytes || this.#ready);
  }

  /** Makes the next sector ready when it is time. Returns whether that took its one erase; never while someone waits. */
  maintain(): boolean {
    if (!this.mounted || this.#ready || this.#offset + AHEAD * ENTRY < this.#blockBytes) return false;
    const block = this.#newest % this.#blocks;
    try {
      this.#flash.eraseBlock(block, block + 1);
      this.#ready = true;
    } catch {
      this.#ready = false;
    }
    return true;
  }

  /** Computes the chain over the entries that it does not cover yet. */
  #chainOn(): void {
    const input = new Uint8Array(HEAD_BYTES + ENTRY);
    const start = this.#start(this.#newest);
    for (; this.#chained < this.#offset; this.#chained += ENTRY) {
      // An entry that cannot be read is left out, as one that was changed would be: the chain shows it.
      if (!this.#read(this.#check, start + this.#chained) || !this.#valid(this.#check, 0)) continue;
      input.set(this.#chain);
      input.set(this.#check, HEAD_BYTES);
      this.#chain.set(this.#crypto.sha256(input).subarray(0, HEAD_BYTES));
    }
  }

  /** The chain over all events so far: SHA-256(chain ‖ entry) cut to 16 bytes, from 16 zero bytes (rule L9). */
  head(): Uint8Array {
    if (this.mounted) this.#chainOn();
    return this.#chain;
  }

  /** Shows every event that is still there, oldest first; the object is the same each time. */
  read(show: (event: LockEvent) => void): void {
    const sector = new Uint8Array(this.#blockBytes);
    const event = emptyEvent();
    for (let number = Math.max(1, this.#newest - this.#blocks + 1); number <= this.#newest; number++) {
      if (!this.#read(sector, this.#start(number)) || !this.#valid(sector, 0)) continue;
      if (getU32(sector, 0) !== MAGIC || getU32(sector, 4) !== number) continue;
      for (let at = HEADER; at < this.#blockBytes; at += ENTRY) {
        if (!this.#valid(sector, at)) continue;
        unpack(sector, at, event);
        show(event);
      }
    }
  }
}
