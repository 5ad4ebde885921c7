// The keypad: a matrix of four rows and three columns (rule S14: a touch wakes the lock). It sleeps with all rows low, so that any key
// pulls its column down; that edge begins the scanning, row by row, until all keys are released for certain. A key counts once, when two
// scans in a row have seen it and nothing else since the last release; several keys at once cannot be told from ghosts, and none of
// them counts. What was pressed is told and forgotten: no digit is kept here, noted or shown.

import { Key } from "../core/keypad";
import type { Guard } from "./guard";
import type { DigitalConstructor, DigitalPin, Timers } from "./io";

/** Between two scans, in milliseconds: longer than contacts bounce once, and two of them are shorter than any touch. */
const SCAN_MS = 10;
/** After so many scans that saw the same, a key is stuck or leant upon, and is looked at less often. */
const PATIENT_SCANS = 1000;
const PATIENT_MS = 250;
/** The keys, row by row. */
const KEYS: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, Key.clear, 0, Key.confirm];

/** What a {@link MatrixKeypad} is made of. */
export interface MatrixKeypadOptions {
  readonly pins: { readonly rows: readonly number[]; readonly columns: readonly number[] };
  readonly Digital: DigitalConstructor;
  readonly timers: Timers;
  readonly guard: Guard;
  /** Is given the number of a key, see `Key`, when it is pressed. */
  onKey(key: number): void;
}

export class MatrixKeypad {
  /** Pins that are low while a key is held and the keypad sleeps: any of them wakes the chip. */
  readonly wakePins: readonly number[];
  readonly #options: MatrixKeypadOptions;
  readonly #rows: readonly DigitalPin[];
  readonly #columns: readonly DigitalPin[];
  readonly #turn: () => void;
  #timer: object | undefined;
  /** Keys as bits in the order of {@link KEYS}: of the last scan, and those that two scans have agreed on. */
  #seen = 0;
  #held = 0;
  /** Whether this touch has counted, or cannot any more. */
  #isSpent = false;
  #sameScans = 0;

  /** Opens the pins; throws when one cannot be had. A key that is held already counts: it may have woken the chip. */
  constructor(options: MatrixKeypadOptions) {
    const { pins, Digital, guard } = options;
    this.#options = options;
    this.wakePins = pins.columns;
    this.#turn = guard.wrap("keypad", () => this.scanOnce());
    const wake = guard.wrap("keypad", () => this.wake());
    this.#rows = pins.rows.map((pin) => new Digital({ pin, mode: Digital.OutputOpenDrain, initialValue: 0 }));
    this.#columns = pins.columns.map(
      (pin) => new Digital({ pin, mode: Digital.InputPullUp, edge: Digital.Falling, onReadable: wake }),
    );
    if (this.readColumns() !== 0) this.wake();
  }

  /** Whether somebody is pressing keys: the chip stays awake. A key that is stuck keeps nobody awake. */
  get isBusy(): boolean {
    return this.#timer !== undefined && this.#sameScans <= PATIENT_SCANS;
  }

  /** Begins to scan, if it does not already: for an edge, and for whoever was woken by one that nobody could see. */
  wake(): void {
    // Scanning makes edges of its own, and they are told late: whatever comes during a scan is in the next one.
    if (this.#timer !== undefined) return;
    this.#seen = 0;
    this.#sameScans = 0;
    this.#turn();
  }

  private scanOnce(): void {
    const { timers } = this.#options;
    this.#timer = timers.set(this.#turn, this.#sameScans > PATIENT_SCANS ? PATIENT_MS : SCAN_MS);
    const keys = this.scan();
    if (keys !== this.#seen) {
      this.#seen = keys;
      this.#sameScans = 0;
      return;
    }
    this.#sameScans++;
    if (keys === 0) this.sleep();
    if (keys !== this.#held) this.settle(keys);
  }

  private scan(): number {
    let keys = 0;
    this.writeRows(1);
    for (let i = 0; i < this.#rows.length; i++) {
      this.#rows[i].write(0);
      keys |= this.readColumns() << (i * this.#columns.length);
      this.#rows[i].write(1);
    }
    return keys;
  }

  /** Columns that are low, as bits. */
  private readColumns(): number {
    let low = 0;
    for (let i = 0; i < this.#columns.length; i++) if (this.#columns[i].read() === 0) low |= 1 << i;
    return low;
  }

  private writeRows(value: number): void {
    for (const row of this.#rows) row.write(value);
  }

  /** Two scans agree on something new. */
  private settle(keys: number): void {
    this.#held = keys;
    const isNew = keys !== 0 && !this.#isSpent;
    this.#isSpent = keys !== 0;
    const isOne = (keys & (keys - 1)) === 0;
    if (isNew && isOne) this.#options.onKey(KEYS[31 - Math.clz32(keys)]);
  }

  /** A key that has come down since the scan pulls its column down now, and that edge begins the next one. */
  private sleep(): void {
    this.writeRows(0);
    if (this.#timer !== undefined) this.#options.timers.clear(this.#timer);
    this.#timer = undefined;
  }
}
