// What is lost with records that a mount misses: their keys, where these are known; else all that their sector may have changed, and
// that was not set again behind them. What is lost must not be believed in any older form.

import { KeySet } from "./keys";
import type { LogVisitor } from "./log-mount";

export class Losses {
  /** How many were found. */
  count = 0;
  readonly #owner: LogVisitor;
  /** Keys of the sector at hand; the log goes on with those of the newest. */
  readonly #touched: KeySet;
  /** Whether records of unknown keys are missing in it, and the keys that were seen since. */
  #isIncomplete = false;
  #since: KeySet;

  constructor(owner: LogVisitor, touched: KeySet) {
    this.#owner = owner;
    this.#touched = touched;
    this.#since = new KeySet(touched.size);
  }

  /** A record was seen that sets `key`. */
  see(key: number): void {
    this.#touched.add(key);
    this.#since.add(key);
  }

  /** A record was seen that sets all these. */
  seeAll(keys: KeySet): void {
    this.#touched.addAll(keys);
    this.#since.addAll(keys);
  }

  /** A record was seen that says of these keys that they were lost already. */
  seeLost(keys: KeySet): void {
    this.loseAll(keys);
    this.#since.addAll(keys);
  }

  /** The newest record of `key` is lost. */
  lose(key: number): void {
    this.record(key, true);
  }

  /** The newest records of all these keys are lost. */
  loseAll(keys: KeySet): void {
    keys.each((key) => this.record(key, true));
  }

  /** Records are missing in the sector at hand, and nobody knows which. */
  loseUnnamed(): void {
    this.count++;
    this.doubt();
  }

  /** The same, where that is counted already. */
  doubt(): void {
    this.#isIncomplete = true;
    this.#since.clear();
  }

  /** A whole sector behind the one at hand is lost; its keys are these. */
  loseSector(keys: KeySet): void {
    if (this.#isIncomplete) this.loseUnseen();
    this.#isIncomplete = false;
    this.#since.clear();
    this.count++;
    this.loseAll(keys);
  }

  /** The newest sector is lost, and with it the only record of what it changed: nothing older can be believed. */
  loseNewest(): void {
    this.#touched.clear();
    this.loseUnnamed();
  }

  /** The sector at hand ends. `touched` are the keys that the next one says it had, undefined where nobody knows. */
  endSector(touched: KeySet | undefined): void {
    if (this.#isIncomplete && touched !== undefined)
      touched.each((key) => {
        if (!this.#since.has(key)) this.record(key, true);
      });
    else this.end();
    this.#isIncomplete = false;
    this.#since.clear();
    this.#touched.clear();
  }

  /** The log ends. */
  end(): void {
    if (this.#isIncomplete) this.loseUnseen();
  }

  /** See {@link LogMount.run}. */
  letGo(): void {
    this.#since = new KeySet(0);
  }

  private record(key: number, certainly: boolean): void {
    const isKey = key < this.#touched.size;
    if (isKey && !this.#owner.visitLost(key, certainly)) return;
    this.#touched.add(key);
    this.count++;
  }

  /** All that was not seen since may be lost. */
  private loseUnseen(): void {
    for (let key = 0; key < this.#touched.size; key++) if (!this.#since.has(key)) this.record(key, false);
  }
}
