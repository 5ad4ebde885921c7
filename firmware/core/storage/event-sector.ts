// One sector of the event log while it is written: where its next entry goes, and how that is known after a boot.
//
// Nothing says of a place that it is blank but what the log wrote down itself, since behind flash encryption an erased sector reads
// as noise. So every entry carries a print of what lies blank behind it: the first five of a page that of the rest of their page, the
// last three those of the next three pages, and a header that of the second page. After a boot the log goes on behind its last entry
// if the rest of that page reads 0xFF or fits its print, otherwise in the next page that does; what nothing vouches for is left
// out. So neither a reboot after every event nor a torn write here and there costs a sector more than a part of its places.
//
// The prints are taken when the sector is erased or found, all of them, so that an append is one program and its read-back, wherever
// the entry stands: what it takes must tell nothing but the outcome (rule C6).

import { isClear, PAGE, print } from "./blank";
import type { Device } from "./device";
import type { LockEvent } from "./event-record";
import {
  announcesNext,
  bootOf,
  ENTRY_BYTES,
  findEntries,
  headerFirst,
  headerNumber,
  headerPrint,
  packEntry,
  packHeader,
  printOf,
  seqOf,
} from "./event-record";

const UNKNOWN = -1;
/** From this entry of a page on (counted from 0), prints are of the pages that follow. */
const FAR = 5;

/** The first number behind those that entries of a sector may have: its own places, and what the one before had left, at most. */
export function endOfNumbers(first: number, blockBytes: number): number {
  return first + 2 * (blockBytes / ENTRY_BYTES - 1);
}

export class EventSector {
  readonly number: number;
  /** The chain in its header covers all events before this one; its entries have this number or a higher one. */
  first: number;
  /** Where the next entry goes. */
  offset = ENTRY_BYTES;
  /** Where the chain goes on. */
  chained = ENTRY_BYTES;
  /** The numbers of the oldest and the newest entry, 0 without any. */
  oldest = 0;
  newest = 0;
  /** The boot of the newest entry, and whether that says that another sector stood ready. */
  boot = 0;
  announced = false;
  readonly #device: Device;
  readonly #seed: number;
  readonly #start: number;
  readonly #buffer = new Uint8Array(ENTRY_BYTES);
  /** For each place, from the header's on, the print that it is to carry. */
  readonly #prints: Uint16Array;
  /** A bit for each page in which something was written, though no entry took. */
  #touched = 0;

  constructor(device: Device, number: number, first: number, seed: number) {
    this.#device = device;
    this.number = number;
    this.first = first;
    this.#seed = seed;
    this.#start = ((number - 1) % device.blocks) * device.blockBytes;
    this.#prints = new Uint16Array(device.blockBytes / ENTRY_BYTES);
  }

  /** Places that are left, at most. */
  get places(): number {
    return (this.#device.blockBytes - this.offset) / ENTRY_BYTES;
  }

  /** Writes nothing here any more. */
  giveUp(): void {
    this.offset = this.#device.blockBytes;
  }

  /** Begins a sector that was just erased and reads like `blank`. False when its header does not take. */
  begin(chain: Uint8Array, blank: Uint8Array): boolean {
    this.#takePrints(blank, 0);
    packHeader(this.number, this.first, chain, this.#prints[0], this.#seed, this.#buffer);
    return this.#device.program(this.#buffer, this.#start);
  }

  /** Takes over what stands in flash; `sector` is a buffer for it. False when that cannot be read. */
  load(sector: Uint8Array): boolean {
    this.giveUp();
    if (!this.#device.read(sector, this.#start) || headerNumber(sector, this.#seed) !== this.number)
      return false;
    this.first = headerFirst(sector);
    const stands = this.findEntries(sector, ENTRY_BYTES);
    const known = new Int32Array(sector.length / PAGE).fill(UNKNOWN);
    known[1] = headerPrint(sector);
    let rest = UNKNOWN;
    let end = ENTRY_BYTES;
    for (let at = ENTRY_BYTES; at < sector.length; at += ENTRY_BYTES) {
      if (stands[at / ENTRY_BYTES] === 0) continue;
      this.newest = seqOf(sector, at);
      if (this.oldest === 0) this.oldest = this.newest;
      this.boot = bootOf(sector, at);
      this.announced = announcesNext(sector, at);
      rest = UNKNOWN;
      if (isOfRest(at)) rest = printOf(sector, at);
      else known[pageOfPrint(at, sector.length)] = printOf(sector, at);
      end = at + ENTRY_BYTES;
    }
    this.#resume(sector, end, rest, known);
    return true;
  }

  /** Writes an entry into the next place, which must be there. False when it does not take: that place is never tried again. */
  append(event: LockEvent, announces: boolean): boolean {
    const at = this.offset;
    packEntry(event, announces, this.#prints[at / ENTRY_BYTES], this.#seed, this.#buffer);
    const done = this.#device.program(this.#buffer, this.#start + at);
    // A place that does not take says nothing good of its page.
    this.offset = done ? at + ENTRY_BYTES : pageBehind(at);
    while ((this.#touched >>> (this.offset / PAGE)) & 1) this.offset = pageBehind(this.offset);
    return done;
  }

  /** What the chain does not cover yet; undefined when that cannot be read. */
  readUnchained(): Uint8Array | undefined {
    const entries = new Uint8Array(this.offset - this.chained);
    return this.#device.read(entries, this.#start + this.chained) ? entries : undefined;
  }

  /** Which places of something that was read from this sector hold entries of it; see {@link findEntries}. */
  findEntries(bytes: Uint8Array, from: number): Uint8Array {
    return findEntries(
      bytes,
      from,
      this.first,
      endOfNumbers(this.first, this.#device.blockBytes),
      this.#seed,
    );
  }

  // ---- what is blank

  /** Finds where to go on in a sector that reads like `sector` and whose last entry ends at `end`. */
  #resume(sector: Uint8Array, end: number, rest: number, known: Int32Array): void {
    let at = end;
    let print = rest;
    if (at % PAGE === 0) print = at < sector.length ? known[at / PAGE] : UNKNOWN;
    while (at < sector.length && !(fits(sector, at, print) && this.#isSteady(sector, at))) {
      at = pageBehind(at);
      print = at < sector.length ? known[at / PAGE] : UNKNOWN;
    }
    this.offset = at;
    if (at === sector.length) return;
    // Pages are begun in turn, so of those behind nothing is feared but what something speaks against.
    const isPlain = isClear(sector, at, pageBehind(at));
    for (let next = pageBehind(at); next < sector.length; next += PAGE) {
      const isUnknown = known[next / PAGE] === UNKNOWN && !isPlain;
      if (!isUnknown && !fits(sector, next, known[next / PAGE])) this.#touched |= 1 << (next / PAGE);
    }
    this.#takePrints(sector, at);
  }

  /** Whether a page still reads as it did from `at` on: weak bits may read blank once. */
  #isSteady(sector: Uint8Array, at: number): boolean {
    const again = new Uint8Array(pageBehind(at) - at);
    if (!this.#device.read(again, this.#start + at)) return false;
    for (let i = 0; i < again.length; i++) if (again[i] !== sector[at + i]) return false;
    return true;
  }

  /** Takes the prints for all places from `from` on. */
  #takePrints(sector: Uint8Array, from: number): void {
    for (let at = from; at < sector.length; at += ENTRY_BYTES) {
      const begin = isOfRest(at) ? at + ENTRY_BYTES : pageOfPrint(at, sector.length) * PAGE;
      this.#prints[at / ENTRY_BYTES] = print(sector, begin, pageBehind(begin));
    }
  }
}

/** Where the page behind the one of `at` begins. */
function pageBehind(at: number): number {
  return (Math.floor(at / PAGE) + 1) * PAGE;
}

/** Whether the print in the entry at `at` is of the rest of its page. */
function isOfRest(at: number): boolean {
  return at > 0 && at % PAGE < FAR * ENTRY_BYTES;
}

/** The page that the print in the entry or header at `at` is of otherwise. */
function pageOfPrint(at: number, sectorBytes: number): number {
  const ahead = at === 0 ? 1 : (at % PAGE) / ENTRY_BYTES - FAR + 1;
  return Math.min(Math.floor(at / PAGE) + ahead, sectorBytes / PAGE - 1);
}

/** Whether a page reads from `at` on 0xFF, or what it did when it had this print. */
function fits(sector: Uint8Array, at: number, known: number): boolean {
  const end = pageBehind(at);
  if (isClear(sector, at, end)) return true;
  // What read 0xFF then must do so now: a print may fit by chance, if seldom.
  return (
    print(sector, at, end) === known && known !== print(new Uint8Array(end - at).fill(0xff), 0, end - at)
  );
}
