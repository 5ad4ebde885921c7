// Finding the log in flash and reading all of it, oldest record first. Writes nothing. Every record links to the one before, and every
// sector begins with the keys that the one before touched, so that each record that is missing is noticed, and what it changed is
// reported as lost: it must not be believed in any older form. What a cut left is not missing: nothing ever linked to it.

import { getU16, getU32 } from "../../../protocol/wire/bytes";
import { isClear, PAGE, print } from "./blank";
import { KeySet, type Keys, MANY_KEYS, NO_KEY } from "./keys";
import {
  CLOSING_PRINT,
  checkRecord,
  HEAD,
  linkOf,
  MAX_RECORD_BYTES,
  makeLink,
  Record,
  recordLength,
  recordType,
  TAIL,
  UNIT,
} from "./records";
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

/** What is known where one sector ends and the next begins. */
interface Boundary {
  /** What the next one's header says that its first record links to; −1 when there is no header. */
  readonly link: number;
  /** The keys of records that are damaged at the end, if these are known. */
  readonly run: readonly number[] | undefined;
  /** Bytes behind the last record, and how many of them are neither blank nor a record. */
  readonly gap: number;
  readonly noise: number;
  /** Whether that is more than cuts can have left. */
  readonly isRuined: boolean;
}

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
  #since: KeySet;
  #set: KeySet;
  /** The keys of the last record of many. */
  #many: KeySet;
  /** The sector at hand, another that is looked at, and the newest, which is read once. Headers are read by themselves. */
  #sector: Uint8Array;
  #other: Uint8Array;
  #last: Uint8Array;
  #isRead = false;
  /** Positions and links in headers, by block. */
  #positions: Uint32Array;
  #links: Uint16Array;
  #numbers: Uint32Array;
  /** The last sector with a record in it, and whether records of unknown keys are missing there. */
  #current = 0;
  /** The sector that is in the buffer. */
  #held = 0;
  #isIncomplete = false;
  /** Whether it is unknown what the next record links to. */
  #isLoose = true;
  /** The sector that follows the one at hand, 0 while that is not closed, and how it read while it was blank. */
  #next = 0;
  #nextPrint = 0;
  /** Where the last record ends. */
  #end = HEADER_BYTES;
  /** Bytes since the last record that are neither blank nor a record. */
  #noise = 0;
  #boundary: Boundary = { link: -1, run: undefined, gap: 0, noise: 0, isRuined: false };

  constructor(sectors: Sectors, owner: LogVisitor, keys: Keys, touched: KeySet) {
    this.#sectors = sectors;
    this.#keys = keys;
    this.#owner = owner;
    this.#touched = touched;
    this.#since = new KeySet(touched.size);
    this.#set = new KeySet(touched.size);
    this.#many = new KeySet(touched.size);
    this.#sector = this.#last = new Uint8Array(sectors.bytes);
    this.#other = new Uint8Array(sectors.bytes);
    this.#positions = new Uint32Array(sectors.count);
    this.#links = new Uint16Array(sectors.count);
    this.#numbers = new Uint32Array(sectors.count);
  }

  /** Mounts. Anything but "mounted" has shown nothing to the visitor. */
  run(): "mounted" | "unformatted" | Stop {
    const stop = this.#readHeaders();
    if (stop !== undefined) return stop;
    if (this.newest === 0) return "unformatted";
    this.#readMoves();
    for (let number = this.oldest; number <= this.newest; number++) this.#walk(number);
    this.#finish();
    this.#letGo();
    return "mounted";
  }

  /** What only a mount needs must not wait for the collector: at a boot there is nothing to spare. */
  #letGo(): void {
    this.#sector = this.#other = this.#last = new Uint8Array(0);
    this.#positions = this.#numbers = new Uint32Array(0);
    this.#links = new Uint16Array(0);
    this.#since = this.#set = this.#many = new KeySet(0);
  }

  #readHeaders(): Stop | undefined {
    let stop: Stop | undefined;
    const { header } = this.#sectors;
    for (let block = 0; block < this.#sectors.count; block++) {
      stop = this.#sectors.readHeader(block) ?? stop;
      this.#numbers[block] = header.number;
      this.#positions[block] = header.position;
      this.#links[block] = header.link;
      if (header.number <= this.newest) continue;
      this.newest = header.number;
      this.oldest = header.oldest;
    }
    return stop;
  }

  /**
   * Finds sectors behind the newest whose headers are ruined, and how far the log has moved on since that was opened: what it left
   * behind is being erased, and not to be seen.
   */
  #readMoves(): void {
    const { count } = this.#sectors;
    for (let next = this.newest; next > 0; next = this.#successor()) {
      this.newest = next;
      this.#next = 0;
      this.#isRead = this.#sectors.readBody(next, this.#sector);
      if (!this.#isRead) break;
      this.#scan(next, (at) => this.#readMove(next, at));
    }
    this.oldest = Math.max(1, this.oldest, this.newest - count + 1);
    this.#last = this.#sector;
    this.#sector = this.#other;
  }

  #readMove(number: number, at: number): void {
    const type = recordType(this.#sector, at);
    if (type !== Record.moved && type !== Record.blank) return;
    if (type === Record.moved) this.#takeMoved(number, at);
    // A sector that was erased has left its place to the one that is count numbers higher.
    const named = getU32(this.#sector, at + HEAD);
    const oldest = type === Record.moved ? named : named - this.#sectors.count + 1;
    if (oldest <= this.newest) this.oldest = Math.max(this.oldest, oldest);
  }

  #takeMoved(number: number, at: number): void {
    const ahead = this.#sector[at + 2];
    this.#next = ahead === 0 ? 0 : number + ahead;
    this.#nextPrint = getU16(this.#sector, at + CLOSING_PRINT);
  }

  /** A sector behind the newest that was in use, though its header is ruined; 0 for none. */
  #successor(): number {
    const last = Math.min(this.newest + 2, this.oldest + this.#sectors.count - 1);
    for (let next = this.newest + 1; next <= last; next++)
      if (this.#sectors.readBody(next, this.#other) && this.#holdsRecord(next)) return next;
    // Nothing of it is left, if it was in use: that it was is known from the record that closed this one.
    if (this.#next === 0) return 0;
    if (!this.#sectors.readSector(this.#next, this.#other)) return this.#next;
    // A cut while it was being opened has touched the header at most, and a flipped bit only one of both.
    if (isClear(this.#other, 0, HEADER_BYTES)) return 0;
    return print(this.#other, HEADER_BYTES, PAGE) === this.#nextPrint ? 0 : this.#next;
  }

  #holdsRecord(number: number): boolean {
    const sector = this.#other;
    const seed = this.#sectors.seed(number);
    for (let at = HEADER_BYTES; at < sector.length; at += UNIT)
      if (checkRecord(sector, at, sector.length, seed, false) > 0) return true;
    return false;
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
      if (at % PAGE === 0 && this.#sectors.blanks.isUntouched(number, sector, at / PAGE + 1)) {
        at += PAGE;
        continue;
      }
      // Only where a record must stand is a flipped bit worth the trial: elsewhere chance would find one some day.
      const isDue = (at === next || at % PAGE === 0) && !isClear(sector, at, at + UNIT);
      const length = this.#recordAt(at, seed, isDue);
      if (length > 0) show(at, length);
      else if (at === next && isDue) next = at + recordLength(sector, at);
      if (length === 0 && !isClear(sector, at, at + UNIT)) this.#noise += UNIT;
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
    const fits = this.#isLoose || linkOf(sector, at, mended) === this.#expected;
    return mended > 0 && fits ? mended : 0;
  }

  #block(number: number): number {
    return (number - 1) % this.#sectors.count;
  }

  #stands(number: number): boolean {
    return this.#numbers[this.#block(number)] === number;
  }

  #walk(number: number): void {
    this.#boundary = this.#endOf(number);
    this.#next = 0;
    this.#end = HEADER_BYTES;
    this.#noise = 0;
    this.offset = this.#sectors.bytes;
    this.#held = number;
    if (number === this.newest) this.#sector = this.#last;
    if (!(number === this.newest ? this.#isRead : this.#sectors.readBody(number, this.#sector))) return;
    this.#owner.visitSector(number, this.#stands(number) ? this.#positions[this.#block(number)] : 0);
    this.#scan(number, (at, length) => this.#see(number, at, length));
    if (number === this.newest) this.offset = this.#resume(number);
  }

  /** What there is to say of the end of the sector before `number`, while it is still in the buffer. */
  #endOf(number: number): Boundary {
    const { bytes } = this.#sectors;
    const isHeld = this.#held > 0 && this.#held === this.#current;
    // Without a header, the record that closed the sector before says as well that nothing is missing there.
    const isClosed = isHeld && this.#next > 0;
    const link = this.#stands(number) ? this.#links[this.#block(number)] : isClosed ? this.#expected : -1;
    const run = isHeld && link >= 0 ? this.#runTo(link, bytes) : undefined;
    const isRuined = isHeld && this.#hasRuins(this.#held, bytes);
    return { link, run, gap: bytes - this.#end, noise: isHeld ? this.#noise : bytes, isRuined };
  }

  /** Where the log goes on in the newest sector: never where it is not known that nothing was programmed since the erase. */
  #resume(number: number): number {
    const sector = this.#sector;
    if (this.#next > 0) return sector.length;
    const page = Math.ceil(this.#end / PAGE);
    for (let last = sector.length / PAGE - 1; last >= page; last--) {
      const isBlank = this.#sectors.blanks.isKnown(number)
        ? this.#sectors.blanks.isUntouched(number, sector, last + 1)
        : isClear(sector, last * PAGE, (last + 1) * PAGE);
      if (!isBlank) return (last + 1) * PAGE;
    }
    return isClear(sector, this.#end, page * PAGE) ? this.#end : page * PAGE;
  }

  // ---- one record

  #see(number: number, at: number, length: number): void {
    const sector = this.#sector;
    const link = linkOf(sector, at, length);
    const isKeys = recordType(sector, at) === Record.keys;
    if (isKeys) this.#set.unpack(sector, at + HEAD, at + length - TAIL);
    if (number !== this.#current)
      this.#begin(number, isKeys && sector[at + 2] === 0 ? number - sector[at + 3] : 0, link);
    if (!this.#isLoose && link !== this.#expected) this.#miss(link, at - this.#end, this.#runTo(link, at));
    else if (this.#hasRuins(number, at)) this.#loseUnnamed();
    this.#isLoose = false;
    this.lastKey = this.#keys.of(sector, at);
    this.records = ((link >>> 11) + 1) & 31;
    this.#take(number, at, length, this.lastKey);
    this.#end = at + length;
    this.#noise = 0;
  }

  /** The first record of sector `number` was found; it links to `link`, and brings the keys of sector `about`, 0 for none. */
  #begin(number: number, about: number, link: number): void {
    if (about > this.#current && about >= this.oldest) this.#loseSector();
    // What the header says of the sector before goes for all that is missing there, also where the first record here is missing.
    const { link: said, run, gap, noise, isRuined } = this.#boundary;
    const before = said >= 0 ? said : link;
    if (!this.#isLoose && before !== this.#expected) {
      const isGhost = ((before >>> 11) - this.records + 1) % 32 === 0 && noise <= 2 * PAGE;
      if (isGhost) this.#loseGhost();
      else this.#miss(before, gap, run);
    } else if (isRuined) this.#loseUnnamed();
    if (said >= 0) this.#isLoose = false;
    const isFirst = this.#current === 0;
    this.lastKey = before & 0x7ff;
    this.records = before >>> 11;
    this.#enter(number, about);
    // Where the log begins without a header nobody knows what the first record there was.
    if (isFirst && said < 0) this.#forgetMany();
  }

  get #expected(): number {
    return makeLink(this.lastKey, this.records);
  }

  /** Takes what a record says, whose key is `key`. */
  #take(number: number, at: number, length: number, key: number): void {
    const sector = this.#sector;
    switch (recordType(sector, at)) {
      case Record.blank:
        this.#sectors.blanks.takeRecord(sector, at, number);
        return;
      case Record.moved:
        this.#takeMoved(number, at);
        return;
      case Record.keys:
        if (key !== MANY_KEYS) return;
        this.#many.clear();
        this.#takeDamaged();
        return;
    }
    this.#owner.visit(sector, at, length, (this.#sectors.start(number) + at) / UNIT);
    this.#touched.add(key);
    this.#since.add(key);
    if (key !== MANY_KEYS) return;
    this.#many.clear();
    for (const set of [this.#touched, this.#since, this.#many]) this.#owner.addKeys(sector, at, set);
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

  /** Records are missing before one with this link; `gap` bytes may have held them; `run` are their keys, if these are known. */
  #miss(link: number, gap: number, run: readonly number[] | undefined): void {
    if (run !== undefined) {
      for (const key of run) this.#lose(key, true);
      return;
    }
    const key = link & 0x7ff;
    const missing = ((link >>> 11) - this.records) & 31;
    this.#lose(key, true);
    // Where so much is gone that the count may have gone round (33 records of 16 bytes), only the sector's keys tell what it was.
    if (missing !== 1 || key === MANY_KEYS || gap > 2 * PAGE) this.#forgetMany();
  }

  /**
   * The last record of a sector was counted as failed, and stands all the same: what it says was never committed, and what it hides
   * is not known.
   */
  #loseGhost(): void {
    if (this.lastKey !== MANY_KEYS) this.#lose(this.lastKey, true);
    else for (let key = 0; key < this.#many.size; key++) if (this.#many.has(key)) this.#lose(key, true);
  }

  /**
   * The keys of several damaged records in a row, the last of which is the one that `link` names: if each is still as long as it says
   * and ends before `limit`, and each names the one before it as that names itself. Undefined when not.
   */
  #runTo(link: number, limit: number): number[] | undefined {
    const missing = ((link >>> 11) - this.records) & 31;
    const sector = this.#sector;
    const keys: number[] = [];
    let place = this.#end;
    for (let i = 1; i <= missing; i++) {
      const next = place + recordLength(sector, place);
      if (next === place || next > limit) return undefined;
      const key = this.#keys.of(sector, place);
      const named = i === missing ? link : linkOf(sector, next, recordLength(sector, next));
      if (key === MANY_KEYS || named !== makeLink(key, this.records + i)) return undefined;
      keys.push(key);
      place = next;
    }
    return keys.length > 1 && (limit === this.#sectors.bytes || place === limit) ? keys : undefined;
  }

  /** Records are missing that no link tells of. */
  #loseUnnamed(): void {
    this.damage++;
    this.#forgetMany();
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

  /**
   * Whether more stands between the last record and `limit`, where there is none, than cuts and one flipped bit can have left: a cut
   * leaves one record at most, the first right there, others at the begin of a page. Behind encryption nobody can tell.
   */
  #hasRuins(number: number, limit: number): boolean {
    if (!this.#sectors.blanks.isClear(number)) return false;
    const sector = this.#sector;
    let bits = 0;
    for (let at = this.#end + MAX_RECORD_BYTES; at < limit; at++) {
      if (sector[at] === 0xff || at % PAGE < MAX_RECORD_BYTES) continue;
      for (let left = ~sector[at] & 0xff; left !== 0; left &= left - 1) bits++;
    }
    return bits > 1;
  }

  #finish(): void {
    const wasRead = this.#current === this.newest;
    if (wasRead && this.#hasRuins(this.newest, this.#sectors.bytes)) this.#loseUnnamed();
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
