// The entry at the keypad (rule C4): digits until the confirm key; exact match only, never a prefix. A pause of more than five
// seconds discards what was typed. The key that wakes a sleeping keypad counts as typed. Two times the clear key before the digits
// call the menu for whoever they belong to.

import { MAX_PIN_DIGITS } from "../../protocol/wire/limits";

/** The longest pause between two keys, in seconds. */
export const MAX_PAUSE_S = 5;
const DIGIT_0 = 0x30;
/** Times that the clear key is pressed to call the menu. */
const CALL_CLEARS = 2;

/** Keys of the pad: 0 to 9, and these. */
export const Key = { confirm: 10, clear: 11 } as const;

/** What a key did. An entry that calls the menu is "called". */
export type Pressed = "typing" | "cleared" | "entered" | "called";

export class Keypad {
  /** ASCII digits of the entry that was confirmed; empty for one of more than ten. */
  entry: Uint8Array = new Uint8Array(0);
  readonly #digits = new Uint8Array(MAX_PIN_DIGITS);
  #count = 0;
  #clears = 0;
  #lastAt = 0;

  /** Takes one key at `uptime` seconds. After "entered" and "called", {@link entry} holds what was typed. */
  press(key: number, uptime: number): Pressed {
    if (uptime - this.#lastAt > MAX_PAUSE_S) this.#count = this.#clears = 0;
    this.#lastAt = uptime;
    if (key === Key.clear) {
      this.#clears = this.#count === 0 ? this.#clears + 1 : 1;
      this.#count = 0;
      return "cleared";
    }
    if (key === Key.confirm) {
      const isCall = this.#clears >= CALL_CLEARS;
      this.entry = this.#digits.subarray(0, this.#count <= MAX_PIN_DIGITS ? this.#count : 0);
      this.#count = this.#clears = 0;
      return isCall ? "called" : "entered";
    }
    // Digits past the tenth are counted but not kept, so that the entry is bad and not a shorter one.
    if (this.#count < MAX_PIN_DIGITS) this.#digits[this.#count] = DIGIT_0 + key;
    this.#count++;
    return "typing";
  }
}
