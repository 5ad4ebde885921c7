// A sector as a mount reads it: all of it at once, and then its records, one behind the other.

import { isClear, PAGE } from "./blank";
import { checkRecord, linkOf, recordLength, UNIT } from "./records";
import { HEADER_BYTES, type Sectors } from "./sectors";

export class SectorScan {
  /** The sector that was read last, 0 for none, and its bytes without those of its header. */
  number = 0;
  bytes: Uint8Array;
  /** Bytes since the last record that are neither blank nor a record. */
  noise = 0;
  readonly #sectors: Sectors;

  constructor(sectors: Sectors) {
    this.#sectors = sectors;
    this.bytes = new Uint8Array(sectors.bytes);
  }

  /** Reads a sector. False when the device reports an error. */
  read(number: number): boolean {
    this.number = number;
    return this.#sectors.readBody(number, this.bytes);
  }

  /** Shows every record. One with a flipped bit is mended, but only where `follows` says of its link that it is the right one. */
  run(follows: (link: number) => boolean, show: (at: number, length: number) => void): void {
    const { bytes, number } = this;
    const seed = this.#sectors.seed(number);
    this.noise = 0;
    let at = HEADER_BYTES;
    // Where a record must stand: behind another, also behind one that is damaged, by the length that it still claims.
    let next = at;
    while (at < bytes.length) {
      if (at % PAGE === 0 && this.#sectors.blanks.isUntouched(number, bytes, at / PAGE + 1)) {
        at += PAGE;
        continue;
      }
      const isBlank = isClear(bytes, at, at + UNIT);
      // Only where a record must stand is a flipped bit worth the trial: elsewhere chance would find one some day.
      const isDue = (at === next || at % PAGE === 0) && !isBlank;
      const length = this.recordAt(at, seed, isDue, follows);
      if (length > 0) {
        show(at, length);
        this.noise = 0;
        at += length;
        next = at;
        continue;
      }
      if (at === next && isDue) next = at + recordLength(bytes, at);
      if (!isBlank) this.noise += UNIT;
      at += UNIT;
    }
  }

  /** See {@link LogMount.run}. */
  letGo(): void {
    this.bytes = new Uint8Array(0);
  }

  /** The length of the record at `at`, 0 for none. One that has to be mended must link to the one before, or it is a chance. */
  private recordAt(at: number, seed: number, mayMend: boolean, follows: (link: number) => boolean): number {
    const { bytes } = this;
    const length = checkRecord(bytes, at, bytes.length, seed, false);
    if (length > 0 || !mayMend) return length;
    const mended = checkRecord(bytes, at, bytes.length, seed, true);
    return mended > 0 && follows(linkOf(bytes, at, mended)) ? mended : 0;
  }
}
