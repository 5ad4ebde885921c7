// The supply of a board, and how it goes: in which operation, how far into it, and what the cells look like that were being changed.

/** A page, in bytes: an erase that is cut ends in one of them. */
export const PAGE_BYTES = 256;

/** What may become of the cells of a program that is cut, beyond the bytes that it came to. */
export const PROGRAM_TORN = [
  /** Nothing: an exact prefix. */
  "clean",
  /** Some bits of the next byte took. */
  "half-byte",
  /** Of all that lies behind, an eighth of the bits took. */
  "scattered",
  /** Bits of the prefix did not take: one, two, three or many. */
  "weak",
] as const;

/** What may become of the page that an erase was at; those before are erased, those behind untouched. */
export const ERASE_TORN = [
  /** Nothing: the page is as it was. */
  "clean",
  /** It holds noise. */
  "random",
  /** About half of its bits flicker: two reads differ, until it is erased. */
  "unstable",
  /** It holds what it held, but one to three bits flicker. */
  "begun",
  /** It reads erased, but one to three bits flicker. */
  "nearly",
  /** It reads erased, but at the second boot from now some of its bits fall, whatever was programmed there. */
  "weak",
] as const;

export type ProgramTorn = (typeof PROGRAM_TORN)[number];
export type EraseTorn = (typeof ERASE_TORN)[number];
export type Torn = ProgramTorn | EraseTorn;

/** An operation that changes a flash. */
export interface FlashOperation {
  readonly kind: "program" | "erase";
  /** In bytes from the begin of the partition. */
  readonly offset: number;
  readonly length: number;
  /** What is programmed: valid only while the operation is shown. */
  readonly bytes?: Uint8Array;
}

/** Where and how the power goes. */
export interface Cut {
  /** The number of the operation, counted from 0 over all flashes of the supply. */
  readonly operation: number;
  /** How far into it, in bytes; all of its length or more: it ended, but nobody heard of it. An erase goes by whole pages. */
  readonly bytes: number;
  /** A pattern of the operation's kind; any other counts as "clean". */
  readonly torn: Torn;
  /** Whatever is left to chance depends on this and the three above; 0 where it is left out. */
  readonly seed?: number;
}

/** The ways in which an operation of a kind may be torn. */
export function tornOf(kind: FlashOperation["kind"]): readonly Torn[] {
  return kind === "program" ? PROGRAM_TORN : ERASE_TORN;
}

/** What everything without power ends with: one for all, since a trace of each would take longer than the rest. */
export const POWER_CUT = new Error("no power");

/** The supply of a board, shared by its flashes: counts what changes them, and goes at the cut. */
export class Power {
  isOn = true;
  /** What changed a flash since this was made, or since {@link cutAt}; without the bytes. */
  operations: FlashOperation[] = [];
  #cut: Cut | undefined;

  constructor(cut?: Cut) {
    this.#cut = cut;
  }

  /** Plans a cut: its operations are counted from here on. */
  cutAt(cut: Cut | undefined): void {
    this.#cut = cut;
    this.operations = [];
  }

  /** Throws {@link POWER_CUT} when the power has gone. */
  check(): void {
    if (!this.isOn) throw POWER_CUT;
  }

  /** Notes an operation that begins. Returns the cut that falls into it: then the power is gone. */
  begin({ kind, offset, length }: FlashOperation): Cut | undefined {
    this.check();
    this.operations.push({ kind, offset, length });
    if (this.#cut?.operation !== this.operations.length - 1) return undefined;
    this.isOn = false;
    return this.#cut;
  }
}
