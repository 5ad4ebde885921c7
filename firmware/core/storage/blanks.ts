// What is known of sectors that are erased ahead, until they are full: how each of their pages read right after the erase, and in which
// sector that is recorded. A sector that no record calls blank, or that reads otherwise by now, is erased again before it is used.

import { getU16, getU32, putU16, putU32 } from "../../../protocol/wire/bytes";
import { clearPrint, isClear, PAGE, print } from "./blank";
import { HEAD, lengthFor, putHead, Record } from "./records";

/** Prints of a sector: its header, the rest of the first page, and every other page. */
const PRINTS = 17;
/** Sectors of which something is known at a time: the newest, four ahead, and some that failed. */
const KEPT = 8;
/** What the record of a sector says: see its prints; it read 0xFF throughout; it is no longer blank. */
const Says = { prints: 0, clear: 1, nothing: 2 } as const;

export class Blanks {
  readonly #headerBytes: number;
  /** Numbers of sectors, 0 for a free place; what is said of each; and where that is recorded, 0 for nowhere. */
  readonly #numbers = new Uint32Array(KEPT);
  readonly #says = new Uint8Array(KEPT);
  readonly #recordedIn = new Uint32Array(KEPT);
  readonly #prints = new Uint16Array(KEPT * PRINTS);

  constructor(headerBytes: number) {
    this.#headerBytes = headerBytes;
  }

  private find(number: number): number {
    return this.#numbers.indexOf(number);
  }

  /** A place for `number`: its own, or that of the lowest one. */
  private take(number: number): number {
    const own = this.find(number);
    if (own >= 0) return own;
    let lowest = 0;
    for (let i = 1; i < KEPT; i++) if (this.#numbers[i] < this.#numbers[lowest]) lowest = i;
    this.#numbers[lowest] = number;
    this.#recordedIn[lowest] = 0;
    return lowest;
  }

  /** Whether this sector is known to have been erased. */
  isKnown(number: number): boolean {
    const at = this.find(number);
    return at >= 0 && this.#says[at] !== Says.nothing;
  }

  /** Whether this sector read 0xFF throughout after its erase. */
  isClear(number: number): boolean {
    const at = this.find(number);
    return at >= 0 && this.#says[at] === Says.clear;
  }

  /** Believes no longer that a sector is blank. A record that says so may still stand. */
  forget(number: number): void {
    const at = this.find(number);
    if (at >= 0) this.#says[at] = Says.nothing;
  }

  /** Whether a record stands that calls this sector blank, though it is not believed: it must be taken back before an erase. */
  mustRetract(number: number): boolean {
    const at = this.find(number);
    return at >= 0 && this.#recordedIn[at] !== 0;
  }

  /** Takes prints of a sector that was just erased. */
  keep(number: number, sector: Uint8Array): void {
    const at = this.take(number);
    this.#says[at] = isClear(sector, 0, sector.length) ? Says.clear : Says.prints;
    if (this.#says[at] === Says.clear) return;
    for (let i = 0; i < PRINTS; i++)
      this.#prints[at * PRINTS + i] = print(sector, this.startOf(i), this.endOf(i));
  }

  /** A print of the first page, behind its header, of a sector that is known to be blank. */
  firstPrint(number: number): number {
    const at = this.find(number);
    if (this.#says[at] === Says.clear) return clearPrint(PAGE - this.#headerBytes);
    return this.#prints[at * PRINTS + 1];
  }

  /** Whether the part of `sector` with print `index` still reads as when it was erased. 0 is the header, 1 the rest of page 0. */
  isUntouched(number: number, sector: Uint8Array, index: number): boolean {
    const at = this.find(number);
    if (at < 0 || this.#says[at] === Says.nothing) return false;
    const start = this.startOf(index);
    const end = this.endOf(index);
    if (this.#says[at] === Says.clear) return isClear(sector, start, end);
    return this.#prints[at * PRINTS + index] === print(sector, start, end);
  }

  /** Whether all of a sector still reads as when it was erased. */
  isAllUntouched(number: number, sector: Uint8Array): boolean {
    for (let i = 0; i < PRINTS; i++) if (!this.isUntouched(number, sector, i)) return false;
    return true;
  }

  private startOf(index: number): number {
    return index === 1 ? this.#headerBytes : Math.max(0, index - 1) * PAGE;
  }

  private endOf(index: number): number {
    return index === 0 ? this.#headerBytes : index * PAGE;
  }

  /** Puts the record that says what is known of a sector, but for its tail. Returns its length. */
  put(record: Uint8Array, number: number): number {
    const at = this.find(number);
    const says = at < 0 ? Says.nothing : this.#says[at];
    const length = lengthFor(4 + (says === Says.prints ? 2 * PRINTS : 0), false);
    record.fill(0, 0, length);
    putHead(record, Record.blank, length, says, 0);
    putU32(record, HEAD, number);
    if (says === Says.prints)
      for (let i = 0; i < PRINTS; i++) putU16(record, HEAD + 4 + 2 * i, this.#prints[at * PRINTS + i]);
    return length;
  }

  /** Takes back what {@link put} put, from a record that stands in sector `where`. */
  takeRecord(record: Uint8Array, offset: number, where: number): void {
    const number = getU32(record, offset + HEAD);
    const at = this.take(number);
    this.#says[at] = record[offset + 2];
    if (this.#says[at] === Says.prints)
      for (let i = 0; i < PRINTS; i++)
        this.#prints[at * PRINTS + i] = getU16(record, offset + HEAD + 4 + 2 * i);
    this.recorded(number, where);
  }

  /** Remembers in which sector it is recorded what is known of `number`. */
  recorded(number: number, where: number): void {
    const at = this.find(number);
    if (at >= 0) this.#recordedIn[at] = this.#says[at] === Says.nothing ? 0 : where;
  }

  /** Whether it is recorded in sector `where` that `number` is blank, and true. */
  isRecordedIn(number: number, where: number): boolean {
    return this.isKnown(number) && this.#recordedIn[this.find(number)] === where;
  }
}
