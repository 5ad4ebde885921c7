// One sector of the event log while it is written: where its next entry goes, and how that is known after a boot.
//
// Nothing says of a place that it is blank but what the log wrote down itself, since behind flash encryption an erased sector reads
// as noise. So the header and every entry carry a print of what lies blank right behind, to the end of that page: a boot goes on behind
// the last entry where this is 0xFF or fits the print. A write that was cut shows in it; then the log goes on in the next page that
// reads 0xFF, or whose own print is known: four bits of that stand in each entry, so that the first half of a page tells the print
// of the page after next, its second half that of the page after that, and the header that of the third. What nothing vouches for
// is left out. So a reboot costs no place, and a torn write seldom more than the rest of its page.
//
// The prints are taken when the sector is erased or found, all of them, so that an append is one program and its read-back, wherever
// the entry stands: what it takes must tell nothing but the outcome (rule C6).

import { clearPrint, isClear, PAGE, print } from "./blank";
import type { Device } from "./device";
import type { LockEvent, Remarks } from "./event-record";
import {
  announcesNext,
  bootOf,
  dateOf,
  ENTRY_BYTES,
  findEntries,
  headerFirst,
  headerNumber,
  headerPrint,
  headerThirdPrint,
  hintOf,
  packEntry,
  packHeader,
  printOf,
  seqOf,
} from "./event-record";

const UNKNOWN = -1;
/** The parts of four bits that a print comes in. */
const PARTS = 4;
const ALL_PARTS = 15;

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
  /** The time of the newest entry that knew it, UTC seconds; 0 for none. */
  latest = 0;
  announced = false;
  readonly #device: Device;
  readonly #seed: number;
  readonly #start: number;
  readonly #buffer = new Uint8Array(ENTRY_BYTES);
  readonly #remarks: Remarks = { announces: false, print: 0, hint: 0 };
  /** For each place, from the header's on, the print of what lies blank behind it; and those of all pages. */
  readonly #prints: Uint16Array;
  readonly #pagePrints: Uint16Array;
  /** A bit for each page in which something was written, though no entry took. */
  #touched = 0;

  constructor(device: Device, number: number, first: number, seed: number) {
    this.#device = device;
    this.number = number;
    this.first = first;
    this.#seed = seed;
    this.#start = ((number - 1) % device.blocks) * device.blockBytes;
    this.#prints = new Uint16Array(device.blockBytes / ENTRY_BYTES);
    this.#pagePrints = new Uint16Array(device.blockBytes / PAGE);
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
    this.takePrints(blank, 0);
    const { number, first } = this;
    const prints = { print: this.#prints[0], thirdPrint: this.#pagePrints[2] };
    packHeader({ number, first, chain, ...prints }, this.#seed, this.#buffer);
    return this.#device.program(this.#buffer, this.#start);
  }

  /** Takes over what stands in flash; `sector` is a buffer for it. False when that cannot be read. */
  load(sector: Uint8Array): boolean {
    this.giveUp();
    if (!this.#device.read(sector, this.#start) || headerNumber(sector, this.#seed) !== this.number)
      return false;
    this.first = headerFirst(sector);
    const stands = this.findEntries(sector, ENTRY_BYTES);
    const known = new KnownPrints(sector.length / PAGE);
    known.put(2, headerThirdPrint(sector));
    let print = headerPrint(sector);
    let end = ENTRY_BYTES;
    for (let at = ENTRY_BYTES; at < sector.length; at += ENTRY_BYTES) {
      if (stands[at / ENTRY_BYTES] === 0) continue;
      this.newest = seqOf(sector, at);
      if (this.oldest === 0) this.oldest = this.newest;
      this.boot = bootOf(sector, at);
      this.latest = dateOf(sector, at) || this.latest;
      this.announced = announcesNext(sector, at);
      known.putPart(pageHinted(at), partHinted(at), hintOf(sector, at));
      print = printOf(sector, at);
      end = at + ENTRY_BYTES;
    }
    this.resume(sector, end, print, known);
    return true;
  }

  /** Writes an entry into the next place, which must be there. False when it does not take: that place is never tried again. */
  append(event: LockEvent, announces: boolean): boolean {
    const at = this.offset;
    const page = pageHinted(at);
    const further = page < this.#pagePrints.length ? this.#pagePrints[page] : 0;
    const remarks = this.#remarks;
    remarks.announces = announces;
    remarks.print = this.#prints[at / ENTRY_BYTES];
    remarks.hint = (further >>> (PARTS * partHinted(at))) & ALL_PARTS;
    packEntry(event, remarks, this.#seed, this.#buffer);
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

  /** Finds where to go on in a sector that reads like `sector`; behind its last entry, at `end`, it had this print. */
  private resume(sector: Uint8Array, end: number, print: number, known: KnownPrints): void {
    let at = end;
    while (at < sector.length && !(fits(sector, at, print) && this.isSteady(sector, at))) {
      at = pageBehind(at);
      print = known.get(at / PAGE);
    }
    this.offset = at;
    if (at === sector.length) return;
    // Pages are begun in turn, so of those behind nothing is feared but what something speaks against.
    const isPlain = isClear(sector, at, pageBehind(at));
    for (let next = pageBehind(at); next < sector.length; next += PAGE) {
      const nextPrint = known.get(next / PAGE);
      if (nextPrint === UNKNOWN && !isPlain) continue;
      if (!fits(sector, next, nextPrint)) this.#touched |= 1 << (next / PAGE);
    }
    this.takePrints(sector, at);
  }

  /** Whether a page still reads as it did from `at` on: weak bits may read blank once. */
  private isSteady(sector: Uint8Array, at: number): boolean {
    const again = new Uint8Array(pageBehind(at) - at);
    if (!this.#device.read(again, this.#start + at)) return false;
    for (let i = 0; i < again.length; i++) if (again[i] !== sector[at + i]) return false;
    return true;
  }

  /** Takes the prints of all that is blank from `from` on. */
  private takePrints(sector: Uint8Array, from: number): void {
    for (let at = from; at < sector.length; at += ENTRY_BYTES) {
      const behind = at + ENTRY_BYTES;
      if (behind < sector.length) this.#prints[at / ENTRY_BYTES] = print(sector, behind, pageBehind(behind));
      if (at % PAGE === 0) this.#pagePrints[at / PAGE] = print(sector, at, pageBehind(at));
    }
  }
}

/** Prints of pages as they were put together from parts. */
class KnownPrints {
  readonly #prints: Uint16Array;
  /** A bit for each part that is there. */
  readonly #parts: Uint8Array;

  constructor(pages: number) {
    this.#prints = new Uint16Array(pages);
    this.#parts = new Uint8Array(pages);
  }

  put(page: number, print: number): void {
    for (let part = 0; part < PARTS; part++) this.putPart(page, part, (print >>> (PARTS * part)) & ALL_PARTS);
  }

  /** Every entry that tells a part of a print tells the same. */
  putPart(page: number, part: number, bits: number): void {
    if (page >= this.#prints.length) return;
    this.#prints[page] |= bits << (PARTS * part);
    this.#parts[page] |= 1 << part;
  }

  get(page: number): number {
    return this.#parts[page] === ALL_PARTS ? this.#prints[page] : UNKNOWN;
  }
}

/** Where the page behind the one of `at` begins. */
function pageBehind(at: number): number {
  return (Math.floor(at / PAGE) + 1) * PAGE;
}

/** The page of whose print the entry at `at` tells a part. */
function pageHinted(at: number): number {
  return Math.floor(at / PAGE) + (at % PAGE < PAGE / 2 ? 2 : 3);
}

/** Which part that is. */
function partHinted(at: number): number {
  return (at / ENTRY_BYTES) % PARTS;
}

/** Whether a page reads from `at` on 0xFF, or what it did when it had this print. */
function fits(sector: Uint8Array, at: number, known: number): boolean {
  const end = pageBehind(at);
  if (isClear(sector, at, end)) return true;
  // What read 0xFF then must do so now: a print may fit by chance, if seldom.
  return print(sector, at, end) === known && known !== clearPrint(end - at);
}
