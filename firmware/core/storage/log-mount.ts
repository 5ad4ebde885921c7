// Finding the log in flash and reading all of it, oldest record first. Writes nothing. Every record links to the one before, and every
// sector begins with the keys that the one before touched, so that each record that is missing is noticed, and what it changed is
// reported as lost: it must not be believed in any older form. What a cut left is not missing: nothing ever linked to it.

import { isClear, PAGE } from "./blank";
import { KeySet, type Keys, MANY_KEYS, NO_KEY } from "./keys";
import { LogFinder } from "./log-finder";
import { Losses } from "./losses";
import {
  countOfLink,
  HEAD,
  keyOfLink,
  linkOf,
  MAX_RECORD_BYTES,
  makeLink,
  Record,
  recordLength,
  recordType,
  TAIL,
  UNIT,
} from "./records";
import type { SectorScan } from "./sector-scan";
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
  /** The sector whose keys the log must write first, 0 for none. */
  owed = 0;
  /** The key of the last record, and how many there were, modulo 32. */
  lastKey = NO_KEY;
  records = 0;

  readonly #sectors: Sectors;
  readonly #owner: LogVisitor;
  readonly #keys: Keys;
  readonly #losses: Losses;
  readonly #finder: LogFinder;
  /** The sector at hand; and the last one with a record in it. */
  #sector: SectorScan;
  #current = 0;
  /** The keys of the last record of keys, and those of the last record of many. */
  #set: KeySet;
  #many: KeySet;
  /** Whether it is unknown what the next record links to. */
  #isLoose = true;
  /** Whether a record said that another sector follows the one at hand. */
  #isClosed = false;
  /** Where the last record ends. */
  #end = HEADER_BYTES;
  #boundary: Boundary = { link: -1, run: undefined, gap: 0, noise: 0, isRuined: false };

  constructor(sectors: Sectors, owner: LogVisitor, keys: Keys, touched: KeySet) {
    this.#sectors = sectors;
    this.#keys = keys;
    this.#owner = owner;
    this.#losses = new Losses(owner, touched);
    this.#finder = new LogFinder(sectors);
    this.#sector = this.#finder.other;
    this.#set = new KeySet(touched.size);
    this.#many = new KeySet(touched.size);
  }

  /** Losses that were found. */
  get damage(): number {
    return this.#losses.count;
  }

  /** Mounts. Anything but "mounted" has shown nothing to the visitor. */
  run(): "mounted" | "unformatted" | Stop {
    const stop = this.#finder.find();
    this.newest = this.#finder.newest;
    this.oldest = this.#finder.oldest;
    if (stop !== undefined) return stop;
    for (let number = this.oldest; number <= this.newest; number++) this.walk(number);
    this.finish();
    this.letGo();
    return "mounted";
  }

  /** What only a mount needs must not wait for the collector: at a boot there is nothing to spare. */
  private letGo(): void {
    this.#finder.letGo();
    this.#losses.letGo();
    this.#set = this.#many = new KeySet(0);
  }

  // ---- one sector

  private walk(number: number): void {
    const isNewest = number === this.newest;
    this.#boundary = this.endOf(number);
    this.#isClosed = false;
    this.#end = HEADER_BYTES;
    this.offset = this.#sectors.bytes;
    if (isNewest) this.#sector = this.#finder.last;
    if (!(isNewest ? this.#finder.isRead : this.#sector.read(number))) return;
    this.#owner.visitSector(number, this.#finder.positionOf(number));
    this.#sector.run(
      (link) => this.#isLoose || link === this.expected,
      (at, length) => this.see(number, at, length),
    );
    if (isNewest) this.offset = this.resume(number);
  }

  /** What there is to say of the end of the sector before `number`, while it is still in the buffer. */
  private endOf(number: number): Boundary {
    const { bytes } = this.#sectors;
    const held = this.#sector;
    const isHeld = held.number > 0 && held.number === this.#current;
    let link = this.#finder.linkOf(number);
    // Without a header, the record that closed the sector before says as well that nothing is missing there.
    if (link < 0 && isHeld && this.#isClosed) link = this.expected;
    const run = isHeld && link >= 0 ? this.runTo(link, bytes) : undefined;
    const isRuined = isHeld && this.hasRuins(held.number, bytes);
    return { link, run, gap: bytes - this.#end, noise: isHeld ? held.noise : bytes, isRuined };
  }

  /** Where the log goes on in the newest sector: never where it is not known that nothing was programmed since the erase. */
  private resume(number: number): number {
    const sector = this.#sector.bytes;
    if (this.#isClosed) return sector.length;
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

  private see(number: number, at: number, length: number): void {
    const sector = this.#sector.bytes;
    const link = linkOf(sector, at, length);
    const isKeys = recordType(sector, at) === Record.keys;
    if (isKeys) this.#set.unpack(sector, at + HEAD, at + length - TAIL);
    if (number !== this.#current)
      this.begin(number, isKeys && sector[at + 2] === 0 ? number - sector[at + 3] : 0, link);
    if (!this.#isLoose && link !== this.expected) this.miss(link, at - this.#end, this.runTo(link, at));
    else if (this.hasRuins(number, at)) this.#losses.loseUnnamed();
    this.#isLoose = false;
    this.lastKey = this.#keys.of(sector, at);
    this.records = countOfLink(link) + 1;
    this.take(number, at, length, this.lastKey);
    this.#end = at + length;
  }

  /** The first record of sector `number` was found; it links to `link`, and brings the keys of sector `about`, 0 for none. */
  private begin(number: number, about: number, link: number): void {
    if (about > this.#current && about >= this.oldest) {
      this.#losses.loseSector(this.#set);
      this.#isLoose = true;
    }
    // What the header says of the sector before goes for all that is missing there, also where the first record here is missing.
    const { link: said, run, gap, noise, isRuined } = this.#boundary;
    const before = said >= 0 ? said : link;
    if (!this.#isLoose && before !== this.expected) {
      const isGhost = this.missing(before) === 31 && noise <= 2 * PAGE;
      if (isGhost) this.loseGhost();
      else this.miss(before, gap, run);
    } else if (isRuined) this.#losses.loseUnnamed();
    if (said >= 0) this.#isLoose = false;
    const isFirst = this.#current === 0;
    this.lastKey = keyOfLink(before);
    this.records = countOfLink(before);
    this.#losses.endSector(about === this.#current ? this.#set : undefined);
    this.#current = number;
    // Where the log begins without a header nobody knows what the first record there was.
    if (isFirst && said < 0) this.#losses.doubt();
  }

  private get expected(): number {
    return makeLink(this.lastKey, this.records);
  }

  /** How many records are missing before one with this link, modulo 32. */
  private missing(link: number): number {
    return (countOfLink(link) - this.records) & 31;
  }

  /** Takes what a record says, whose key is `key`. */
  private take(number: number, at: number, length: number, key: number): void {
    const sector = this.#sector.bytes;
    switch (recordType(sector, at)) {
      case Record.blank:
        this.#sectors.blanks.takeRecord(sector, at, number);
        return;
      case Record.moved:
        this.#isClosed = sector[at + 2] !== 0;
        return;
      case Record.keys:
        if (key !== MANY_KEYS) return;
        this.#many.clear();
        this.#losses.seeLost(this.#set);
        return;
    }
    this.#owner.visit(sector, at, length, (this.#sectors.start(number) + at) / UNIT);
    this.#losses.see(key);
    if (key !== MANY_KEYS) return;
    this.#many.clear();
    this.#owner.addKeys(sector, at, this.#many);
    this.#losses.seeAll(this.#many);
  }

  // ---- what is missing

  /** Records are missing before one with this link; `gap` bytes may have held them; `run` are their keys, if these are known. */
  private miss(link: number, gap: number, run: readonly number[] | undefined): void {
    if (run !== undefined) {
      for (const key of run) this.#losses.lose(key);
      return;
    }
    const key = keyOfLink(link);
    this.#losses.lose(key);
    // Where so much is gone that the count may have gone round (33 records of 16 bytes), only the sector's keys tell what it was.
    if (this.missing(link) !== 1 || key === MANY_KEYS || gap > 2 * PAGE) this.#losses.doubt();
  }

  /**
   * The last record of a sector was counted as failed, and stands all the same: what it says was never committed, and what it hides
   * is not known.
   */
  private loseGhost(): void {
    if (this.lastKey !== MANY_KEYS) this.#losses.lose(this.lastKey);
    else this.#losses.loseAll(this.#many);
  }

  /**
   * The keys of several damaged records in a row, the last of which is the one that `link` names: if each is still as long as it says
   * and ends before `limit`, and each names the one before it as that names itself. Undefined when not.
   */
  private runTo(link: number, limit: number): number[] | undefined {
    const missing = this.missing(link);
    const sector = this.#sector.bytes;
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

  /**
   * Whether more stands between the last record and `limit`, where there is none, than cuts and one flipped bit can have left: a cut
   * leaves one record at most, the first right there, others at the begin of a page. Behind encryption nobody can tell.
   */
  private hasRuins(number: number, limit: number): boolean {
    if (!this.#sectors.blanks.isClear(number)) return false;
    const sector = this.#sector.bytes;
    let bits = 0;
    for (let at = this.#end + MAX_RECORD_BYTES; at < limit; at++) {
      if (sector[at] === 0xff || at % PAGE < MAX_RECORD_BYTES) continue;
      for (let left = ~sector[at] & 0xff; left !== 0; left &= left - 1) bits++;
    }
    return bits > 1;
  }

  private finish(): void {
    const wasRead = this.#current === this.newest;
    if (wasRead && this.hasRuins(this.newest, this.#sectors.bytes)) this.#losses.loseUnnamed();
    const isOpened = !wasRead && this.offset < this.#sectors.bytes && this.#finder.stands(this.newest);
    if (isOpened) this.owed = this.#current;
    else if (!wasRead) this.#losses.loseNewest();
    this.#losses.end();
  }
}
