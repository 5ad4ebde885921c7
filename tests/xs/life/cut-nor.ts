// The flash of a rig's board: the strict one, kept over power cycles as the chip keeps it, with a supply that goes in an operation told in
// advance. Unlike the flash of the storage suite it copies nothing, so that it fits beside a lock in a heap that cannot grow.

import { NorFlash, SECTOR_BYTES } from "../../../simulator/board/nor";
import { PAGE_BYTES, POWER_CUT } from "../../../simulator/board/power";

/** The supply of both flashes. */
export class Supply {
  isOn = true;
  /** Operations that it still lasts for; negative for all. */
  #left = -1;
  #bytes = 0;

  /** Goes in operation `number` from here on, counted from 0, after so many bytes of it; whole pages of an erase. */
  cutAt(number: number, bytes: number): void {
    this.#left = number;
    this.#bytes = bytes;
  }

  /** Comes back, and stays. */
  restore(): void {
    this.isOn = true;
    this.#left = -1;
  }

  check(): void {
    if (!this.isOn) throw POWER_CUT;
  }

  /** Bytes of an operation that still take; undefined for all of them. */
  begin(): number | undefined {
    this.check();
    if (this.#left < 0 || this.#left-- > 0) return undefined;
    this.isOn = false;
    return this.#bytes;
  }
}

export class CutNor extends NorFlash {
  readonly #supply: Supply;

  constructor(size: number, supply: Supply) {
    super(size);
    this.#supply = supply;
  }

  override read(buffer: Uint8Array, offset: number): void {
    this.#supply.check();
    super.read(buffer, offset);
  }

  override write(buffer: Uint8Array, offset: number): void {
    const bytes = this.#supply.begin();
    if (bytes === undefined) {
      super.write(buffer, offset);
      return;
    }
    this.program(buffer.subarray(0, bytes), offset);
    throw POWER_CUT;
  }

  override eraseBlock(start: number, end: number): void {
    const bytes = this.#supply.begin();
    if (bytes === undefined) {
      super.eraseBlock(start, end);
      return;
    }
    const from = start * SECTOR_BYTES;
    this.erase(from, Math.min(from + Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES, end * SECTOR_BYTES));
    throw POWER_CUT;
  }
}
