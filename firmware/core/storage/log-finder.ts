// Where the log begins and ends in flash: from the headers of all sectors, and from what the newest one says of others.

import { getU16, getU32 } from "../../../protocol/wire/bytes";
import { isClear, PAGE, print } from "./blank";
import { CLOSING_PRINT, HEAD, holdsRecord, Record, recordType } from "./records";
import { SectorScan } from "./sector-scan";
import { HEADER_BYTES, type Sectors, type Stop } from "./sectors";

export class LogFinder {
  /** The newest sector with content, 0 for none, and the oldest. */
  newest = 0;
  oldest = 0;
  /** The newest sector as it was read, if it could be: it is read once. */
  readonly last: SectorScan;
  isRead = false;
  readonly #sectors: Sectors;
  /** Another sector, that is looked at; free when the log was found. */
  readonly other: SectorScan;
  /** Numbers, positions and links in headers, by block. */
  #numbers: Uint32Array;
  #positions: Uint32Array;
  #links: Uint16Array;
  /** The sector that follows the one at hand, 0 while that is not closed, and how it read while it was blank. */
  #next = 0;
  #nextPrint = 0;

  constructor(sectors: Sectors) {
    this.#sectors = sectors;
    this.last = new SectorScan(sectors);
    this.other = new SectorScan(sectors);
    this.#numbers = new Uint32Array(sectors.count);
    this.#positions = new Uint32Array(sectors.count);
    this.#links = new Uint16Array(sectors.count);
  }

  /** Finds the log. What stops a mount is returned. */
  find(): Stop | "unformatted" | undefined {
    const stop = this.readHeaders();
    if (stop !== undefined) return stop;
    if (this.newest === 0) return "unformatted";
    this.readMoves();
    return undefined;
  }

  /** Whether a sector has its header. */
  stands(number: number): boolean {
    return this.#numbers[this.#sectors.block(number)] === number;
  }

  /** What the header of a sector says that its first record links to; −1 when there is none. */
  linkOf(number: number): number {
    return this.stands(number) ? this.#links[this.#sectors.block(number)] : -1;
  }

  /** The position of the log when a sector was opened, 0 where it is not known. */
  positionOf(number: number): number {
    return this.stands(number) ? this.#positions[this.#sectors.block(number)] : 0;
  }

  /** See {@link LogMount.run}. */
  letGo(): void {
    this.last.letGo();
    this.other.letGo();
    this.#positions = this.#numbers = new Uint32Array(0);
    this.#links = new Uint16Array(0);
  }

  private readHeaders(): Stop | undefined {
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
  private readMoves(): void {
    for (let next = this.newest; next > 0; next = this.successor()) {
      this.newest = next;
      this.#next = 0;
      this.isRead = this.last.read(next);
      if (!this.isRead) break;
      this.last.run(
        () => true,
        (at) => this.readMove(at),
      );
    }
    this.oldest = Math.max(1, this.oldest, this.newest - this.#sectors.count + 1);
  }

  private readMove(at: number): void {
    const { bytes } = this.last;
    const type = recordType(bytes, at);
    if (type !== Record.moved && type !== Record.blank) return;
    if (type === Record.moved) {
      const ahead = bytes[at + 2];
      this.#next = ahead === 0 ? 0 : this.newest + ahead;
      this.#nextPrint = getU16(bytes, at + CLOSING_PRINT);
    }
    // A sector that was erased has left its place to the one that is count numbers higher.
    const named = getU32(bytes, at + HEAD);
    const oldest = type === Record.moved ? named : named - this.#sectors.count + 1;
    if (oldest <= this.newest) this.oldest = Math.max(this.oldest, oldest);
  }

  /** A sector behind the newest that was in use, though its header is ruined; 0 for none. */
  private successor(): number {
    const { bytes } = this.other;
    const last = Math.min(this.newest + 2, this.oldest + this.#sectors.count - 1);
    for (let next = this.newest + 1; next <= last; next++)
      if (this.other.read(next) && holdsRecord(bytes, HEADER_BYTES, this.#sectors.seed(next))) return next;
    // Nothing of it is left, if it was in use: that it was is known from the record that closed this one.
    if (this.#next === 0) return 0;
    if (!this.#sectors.readSector(this.#next, bytes)) return this.#next;
    // A cut while it was being opened has touched the header at most, and a flipped bit only one of both.
    if (isClear(bytes, 0, HEADER_BYTES)) return 0;
    return print(bytes, HEADER_BYTES, PAGE) === this.#nextPrint ? 0 : this.#next;
  }
}
