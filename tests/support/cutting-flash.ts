// A flash whose power goes in the middle of an operation: a program that ends after some bytes, an erase that ends somewhere. From
// then on nothing answers; what stands in the cells is what the next boot finds.

import { NorFlash, SECTOR_BYTES } from "../../simulator/board/nor";
import type { Dice } from "./dice";

/** How the cells look that an operation was at when the power went. */
export const TORN = ["clean", "half a byte", "scattered"] as const;
export type Torn = (typeof TORN)[number];

/** Where to cut: in which operation, counted from 0 over all flashes of a board, after how many bytes of it, and how. */
export interface Cut {
  readonly operation: number;
  readonly bytes: number;
  readonly torn: Torn;
}

/** One operation that changed a flash. */
export interface Operation {
  readonly kind: "program" | "erase";
  readonly bytes: number;
}

/** What an operation without power ends with: one for all, since a trace of each would take longer than the rest. */
export const POWER_CUT = new Error("no power");

/** The supply of a board: counts operations, and goes at the cut. */
export class Power {
  on = true;
  readonly operations: Operation[] = [];
  readonly dice: Dice;
  readonly #cut: Cut | undefined;

  constructor(dice: Dice, cut?: Cut) {
    this.dice = dice;
    this.#cut = cut;
  }

  check(): void {
    if (!this.on) throw POWER_CUT;
  }

  /** Notes an operation. Returns the cut that falls into it. */
  next(kind: Operation["kind"], bytes: number): Cut | undefined {
    this.check();
    this.operations.push({ kind, bytes });
    if (this.#cut?.operation !== this.operations.length - 1) return undefined;
    this.on = false;
    return this.#cut;
  }
}

export class CuttingFlash extends NorFlash {
  readonly #power: Power;

  constructor(image: Uint8Array, power: Power) {
    super(image.length, image);
    this.#power = power;
  }

  override read(buffer: Uint8Array, offset: number): void {
    this.#power.check();
    super.read(buffer, offset);
  }

  override write(buffer: Uint8Array, offset: number): void {
    const cut = this.#power.next("program", buffer.length);
    if (cut === undefined) {
      super.write(buffer, offset);
      return;
    }
    for (let i = 0; i < buffer.length; i++) this.bytes[offset + i] &= buffer[i] | this.#unprogrammed(cut, i);
    throw POWER_CUT;
  }

  /** The bits of byte `i` that the program did not come to. */
  #unprogrammed(cut: Cut, i: number): number {
    const { dice } = this.#power;
    if (i < cut.bytes) return 0;
    if (cut.torn === "half a byte") return i === cut.bytes ? dice.below(256) : 0xff;
    // Of what lies behind, an eighth of the bits took.
    return cut.torn === "scattered" ? dice.below(256) | dice.below(256) | dice.below(256) : 0xff;
  }

  override eraseBlock(start: number, end: number): void {
    const cut = this.#power.next("erase", (end - start) * SECTOR_BYTES);
    if (cut === undefined) {
      super.eraseBlock(start, end);
      return;
    }
    for (let i = 0; i < (end - start) * SECTOR_BYTES; i++)
      this.bytes[start * SECTOR_BYTES + i] |= this.#erased(cut, i);
    throw POWER_CUT;
  }

  /** The bits of byte `i` that the erase came to. */
  #erased(cut: Cut, i: number): number {
    const { dice } = this.#power;
    if (i < cut.bytes) return 0xff;
    if (cut.torn === "half a byte") return i === cut.bytes ? dice.below(256) : 0;
    return cut.torn === "scattered" ? dice.below(256) : 0;
  }
}
