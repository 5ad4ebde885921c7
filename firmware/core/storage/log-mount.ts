// Finding the log in flash and reading all of it, oldest record first. Writes nothing. Every record links to the one before, and every
// sector begins with the keys that the one before touched, so that each record that is missing is noticed, and what it changed is
// reported as lost: it must not be believed in any older form. What a cut left is not missing: nothing ever linked to it.

import { getU32 } from "../../../protocol/wire/bytes";
import { isClear, PAGE } from "./blank";
import { KeySet, type Keys, MANY_KEYS, NO_KEY } from "./keys";
import { checkRecord, HEAD, linkOf, makeLink, Record, recordLength, recordType, TAIL, UNIT } from "./records";
import { HEADER_BYTES, type Sectors, type Stop } from "./sectors";

/** What is shown of the log while it mounts. `record` is valid only during the call. */
export interface LogVisitor {
  /** Sector `number` begins; when it was opened, the log stood at `position`, 0 where that is not known. */
  visitSector(number: number, position: number): void;
  /** A record that stands in the log at `location`, oldest first. */
  visit(record: Uint8Array, offset: number, length: number, location: number): void;
  /** Adds to `keys` what a record of many keys changes. */
  addKeys(record: Uint8Array, offset: number, keys: KeySet): void;
  /**
   * The newest record of `key` so far is lost. Without `certainly` it may be: then what does not stand needs no mention. Returns
   * whether something is lost indeed.
   */
  visitLost(key: number, certainly: boolean): boolean;
}

/** Links count records modulo 32: a difference of so many and more means a record that stands where none was taken. */
const MOST_MISSING = 24;

export class LogMount {
  newest = 0;
  oldest = 0;
  offset = 0;
  /** Losses that were found. */
  damage = 0;
  /** The sector whose keys the log must write first, 0 for none. */
  owed = 0;
  /** The key of the last record, and how many there were, modulo 32. */
  lastKey = NO_KEY;
  records = 0;

  readonly #sectors: Sectors;
  readonly #owner: LogVisitor;
  readonly #keys: Keys;
  /** Keys of the sector at hand; the log goes on with those of the newest. */
  readonly #touched: KeySet;
  /** Keys that were seen since records of unknown keys were lost in the sector at hand. */
  readonly #since: KeySet;
  readonly #set: KeySet;
  readonly #sector: Uint8Array;
  /** Positions in headers, by block. */
  readonly #positions: Uint32Array;
  readonly #numbers: Uint32Array;
  /** The last sector with a record in it, and whether records of unknown keys are missing there. */
  #current = 0;
  #isIncomplete = false;
  /** Whether it is unknown what the next record links to. */
  #isLoose = true;
  /** Whether the sector at hand was closed, and where its last record ends. */
  #isClosed = false;
  #end = HEADER_BYTES;
  /** Bytes behind the last record of the sector before, until the first one of this. */
  #unused = 0;

  constructor(sectors: Sectors, owner: LogVisitor, keys: Keys, touched: KeySet) {
    this.#sectors = sectors;
    this.#keys = keys;
    this.#owner = owner;
    this.#touched = touched;
    this.#since = new KeySet(touched.size);
    this.#set = new KeySet(touched.size);
    this.#sector = new Uint8Array(sectors.bytes);
    this.#positions = new Uint32Array(sectors.count);
    this.#numbers = new Uint32Array(sectors.count);
  }

  /** Mounts. Anything but "mounted" has shown nothing to the visitor. */
  run(): "mounted" | "unformatted" | Stop {
    const stop = this.#readHeaders();
    if (stop !== undefined) return stop;
    if (this.newest === 0) return "unformatted";
    this.#readMoves();
    for (let number = this.oldest; number <= this.newest; number++) this.#walk(number);
    for (let next = this.#successor(); next > 0; next = this.#successor()) {
      this.newest = next;
      this.#walk(next);
    }
    this.#finish();
    return "mounted";
  }

  #readHeaders(): Stop | undefined {
    let stop: Stop | undefined;
    const { header } = this.#sectors;
    for (let block = 0; block < this.#sectors.count; block++) {
      stop = this.#sectors.readHeader(block) ?? stop;
      this.#numbers[block] = header.number;
      this.#positions[block] = header.position;
      if (header.number <= this.newest) continue;
      this.newest = header.number;
      this.oldest = header.oldest;
    }
    return stop;
  }

  /** How far the log has moved on since its newest header was written: what it left behind is being erased, and not to be seen. */
  #readMoves(): void {
    const { newest } = this;
    if (this.#sectors.readSector(newest, this.#sector))
      this.#scan(newest, (at) => {
        if (recordType(this.#sector, at) !== Record.moved) return;
        const oldest = getU32(this.#sector, at + HEAD);
        if (oldest <= newest) this.oldest = Math.max(this.oldest, oldest);
      });
    this.oldest = Math.max(1, this.oldest, newest - this.#sectors.count + 1);
  }

  // ---- one sector

  /** Shows every record in the sector that was read. */
  #scan(number: number, show: (at: number, length: number) => void): void {
    const sector = this.#sector;
    const seed = this.#sectors.seed(number);
    let at = HEADER_BYTES;
    // Where a record must stand: behind another, also behind one that is damaged, by the length that it still claims.
    let next = at;
    while (at < sector.length) {
      if (at % PAGE === 0 && this.#sectors.isUntouched(number, sector, at / PAGE + 1)) {
        at += PAGE;
        continue;
      }
      // Only where a record must stand is a flipped bit worth the trial: elsewhere chance would find one some day.
      const isDue = (at === next || at % PAGE === 0) && !isClear(sector, at, at + UNIT);
      const length = this.#recordAt(at, seed, isDue);
      if (length > 0) show(at, length);
      else if (at === next && isDue) next = at + recordLength(sector, at);
      at += length > 0 ? length : UNIT;
      if (length > 0) next = at;
    }
  }

  /** The length of the record at `at`, 0 for none. One that has to be mended must link to the one before, or it is a chance. */
  #recordAt(at: number, seed: number, mayMend: boolean): number {
    const sector = this.#sector;
    const length = checkRecord(sector, at, sector.length, seed, false);
    if (length > 0 || !mayMend) return length;
    const mended = checkRecord(sector, at, sector.length, seed, true);
    const fits = this.#isLoose || linkOf(sector, at, mended) === makeLink(this.lastKey, this.records);
    return mended > 0 && fits ? mended : 0;
  }

  #stands(number: number): boolean {
    return this.#numbers[(number - 1) % this.#sectors.count] === number;
  }

  #walk(number: number): void {
    this.#isClosed = false;
    this.#unused = this.#sectors.bytes - this.#end;
    this.#end = HEADER_BYTES;
    this.offset = this.#sectors.bytes;
    if (!this.#sectors.readSector(number, this.#sector)) return;
    const position = this.#stands(number) ? this.#positions[(number - 1) % this.#sectors.count] : 0;
    this.#owner.visitSector(number, position);
    this.#scan(number, (at, length) => this.#see(number, at, length));
    if (number === this.newest) this.offset = this.#resume(number);
  }

  /** Where the log goes on in the newest sector: never where it is not known that nothing was programmed since the erase. */
  #resume(number: number): number {
    const sector = this.#sector;
    if (this.#isClosed) return sector.length;
    const page = Math.ceil(this.#end / PAGE);
    for (let last = sector.length / PAGE - 1; last >= page; last--) {
      const isBlank = this.#sectors.isKnown(number)
        ? this.#sectors.isUntouched(number, sector, last + 1)
        : isClear(sector, last * PAGE, (last + 1) * PAGE);
      if (!isBlank) return (last + 1) * PAGE;
    }
    return isClear(sector, this.#end, page * PAGE) ? this.#end : page * PAGE;
  }

  /** The sector behind the newest, if that is full and this was in use, though its header is ruined; 0 if not. */
  #successor(): number {
    const isFull = this.#isClosed || this.offset + UNIT > this.#sectors.bytes;
    const next = isFull ? this.#sectors.nextKnown(this.newest, this.newest) : 0;
    if (next === 0 || !this.#sectors.readSector(next, this.#sector)) return next;
    // A cut while it was being opened has touched the header at most, and a flipped bit only one of both.
    const isOpened = !this.#sectors.isUntouched(next, this.#sector, 0);
    return isOpened && !this.#sectors.isUntouched(next, this.#sector, 1) ? next : 0;
  }

  // ---- one record

  #see(number: number, at: number, length: number): void {
    const sector = this.#sector;
    const type = recordType(sector, at);
    const isKeys = type === Record.keys;
    if (isKeys) this.#set.unpack(sector, at + HEAD, at + length - TAIL);
    const about = isKeys && sector[at + 2] === 0 ? number - sector[at + 3] : 0;
    if (this.#current > 0 && about > this.#current) this.#loseSector();
    this.#follow(linkOf(sector, at, length), at);
    if (number !== this.#current) this.#enter(number, about);
    this.lastKey = this.#keys.of(sector, at);
    this.#take(number, at, length, this.lastKey);
    this.records = (this.records + 1) & 31;
    this.#end = at + length;
    this.#unused = 0;
  }

  /** Takes what a record says, whose key is `key`. */
  #take(number: number, at: number, length: number, key: number): void {
    const sector = this.#sector;
    switch (recordType(sector, at)) {
      case Record.blank:
        this.#sectors.takeBlank(sector, at, number);
        return;
      case Record.moved:
        this.#isClosed = sector[at + 2] !== 0;
        return;
      case Record.keys:
        if (key === MANY_KEYS) this.#takeDamaged();
        return;
    }
    this.#owner.visit(sector, at, length, (this.#sectors.start(number) + at) / UNIT);
    this.#touched.add(key);
    this.#since.add(key);
    if (key !== MANY_KEYS) return;
    this.#owner.addKeys(sector, at, this.#touched);
    this.#owner.addKeys(sector, at, this.#since);
  }

  /** Keys of which it was known at that time that their records were lost. */
  #takeDamaged(): void {
    for (let key = 0; key < this.#set.size; key++) {
      if (!this.#set.has(key)) continue;
      this.#lose(key, true);
      this.#since.add(key);
    }
  }

  // ---- what is missing

  /** Compares what a record links to with what stands before it. */
  #follow(link: number, at: number): void {
    const expected = makeLink(this.lastKey, this.records);
    if (!this.#isLoose && link !== expected) this.#miss(link, at);
    this.records = link >>> 11;
    this.#isLoose = false;
  }

  #miss(link: number, at: number): void {
    const key = link & 0x7ff;
    const missing = ((link >>> 11) - this.records) & 31;
    if (missing === 0 || missing > MOST_MISSING) {
      // The record before was written, but counted as failed: what it says was never committed, and what it hides is not known.
      this.#lose(this.lastKey, true);
      if (this.lastKey === MANY_KEYS) this.#forgetMany();
      return;
    }
    if (missing > 1 && this.#loseRun(missing, at, link)) return;
    this.#lose(key, true);
    // Where so much is gone that the count may have gone round (33 records of 16 bytes), only the sector's keys tell what it was.
    const gap = this.#unused + at - this.#end;
    if (missing > 1 || key === MANY_KEYS || gap > 2 * PAGE) this.#forgetMany();
  }

  /**
   * Several damaged records in a row, the last of which is the one that `link` names: if each is still as long as it says up to the
   * intact one at `at`, and each names the one before it as that names itself, then it is known what they were. False when not.
   */
  #loseRun(missing: number, at: number, link: number): boolean {
    const sector = this.#sector;
    let place = this.#end;
    for (let i = 1; i <= missing; i++) {
      const key = this.#keys.of(sector, place);
      const next = place + recordLength(sector, place);
      if (next === place || next > at || (i === missing) !== (next === at) || key === MANY_KEYS) return false;
      const named = next === at ? link : linkOf(sector, next, recordLength(sector, next));
      if (named !== makeLink(key, this.records + i)) return false;
      place = next;
    }
    for (place = this.#end; place < at; place += recordLength(sector, place))
      this.#lose(this.#keys.of(sector, place), true);
    return true;
  }

  #forgetMany(): void {
    this.#isIncomplete = true;
    this.#since.clear();
  }

  #lose(key: number, certainly: boolean): void {
    const isKey = key < this.#touched.size;
    if (isKey && !this.#owner.visitLost(key, certainly)) return;
    this.#touched.add(key);
    this.damage++;
  }

  /** All that was not seen since may be lost. */
  #loseAll(): void {
    for (let key = 0; key < this.#touched.size; key++) if (!this.#since.has(key)) this.#lose(key, false);
  }

  /** A whole sector that stood between the last one and this is lost; its keys are in the set. */
  #loseSector(): void {
    if (this.#isIncomplete) this.#loseAll();
    this.#forgetMany();
    this.#isLoose = true;
    this.damage++;
    for (let key = 0; key < this.#set.size; key++) if (this.#set.has(key)) this.#lose(key, true);
    this.#isIncomplete = false;
  }

  /** The first record of a sector: it should bring the keys of the sector before, which is `about`. */
  #enter(number: number, about: number): void {
    if (this.#isIncomplete && about === this.#current) {
      for (let key = 0; key < this.#set.size; key++)
        if (this.#set.has(key) && !this.#since.has(key)) this.#lose(key, true);
    } else if (this.#isIncomplete) this.#loseAll();
    this.#isIncomplete = false;
    this.#since.clear();
    this.#touched.clear();
    this.#current = number;
  }

  #finish(): void {
    const wasRead = this.#current === this.newest;
    const isOpened = !wasRead && this.offset < this.#sectors.bytes && this.#stands(this.newest);
    if (!wasRead && !isOpened) {
      // The newest sector is lost, and with it the only record of what it changed: nothing older can be believed.
      this.#since.clear();
      this.#touched.clear();
      this.damage++;
    }
    if (this.#isIncomplete || !(wasRead || isOpened)) this.#loseAll();
    if (isOpened) this.owed = this.#current;
  }
}
