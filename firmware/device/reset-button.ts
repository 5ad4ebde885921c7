// The button inside that is the physical act of a factory reset (rule X11): held long enough it counts once, and again only after it was
// let go. A button that is down when the lock boots has not been pressed by anybody, and does not count. What becomes of the act is for
// the lock to decide.

import type { Guard } from "./guard";
import type { DigitalConstructor, DigitalPin, Timers } from "./io";

/** How often a pressed button is looked at, in milliseconds, and one that is still down after it has counted. */
const POLL_MS = 20;
const PATIENT_MS = 250;
/** Looks that must find it up before it is let go: a finger does not press evenly. */
const UP_LOOKS = 2;

/** What a {@link ResetButton} is made of. */
export interface ResetButtonOptions {
  /** Low while it is pressed; for so many milliseconds. */
  readonly pins: { readonly pin: number; readonly holdMs: number };
  readonly Digital: DigitalConstructor;
  readonly timers: Timers;
  readonly guard: Guard;
  onHeld(): void;
}

export class ResetButton {
  readonly #options: ResetButtonOptions;
  readonly #pin: DigitalPin;
  readonly #look: () => void;
  #timer: object | undefined;
  /** Looks since it was pressed, and how many of the last ones found it up. */
  #looks = 0;
  #ups = 0;
  #hasCounted = false;

  /** Opens the pin; throws when it cannot be had. */
  constructor(options: ResetButtonOptions) {
    const { pins, Digital, guard } = options;
    this.#options = options;
    this.#look = guard.wrap("reset", () => this.lookOnce());
    this.#pin = new Digital({
      pin: pins.pin,
      mode: Digital.InputPullUp,
      edge: Digital.Falling,
      onReadable: guard.wrap("reset", () => this.begin()),
    });
  }

  /** Whether it is being held: the chip stays awake. */
  get isBusy(): boolean {
    return this.#timer !== undefined && !this.#hasCounted;
  }

  private begin(): void {
    if (this.#timer !== undefined) return;
    this.#looks = 0;
    this.#ups = 0;
    this.#hasCounted = false;
    this.wait();
  }

  /** Each look is timed after the one before: time that the lock was busy counts as little as one look. */
  private wait(): void {
    this.#timer = this.#options.timers.set(this.#look, this.#hasCounted ? PATIENT_MS : POLL_MS);
  }

  private lookOnce(): void {
    this.#timer = undefined;
    this.#ups = this.#pin.read() === 0 ? 0 : this.#ups + 1;
    if (this.#ups >= UP_LOOKS) return;
    this.#looks++;
    const isHeld = !this.#hasCounted && this.#ups === 0 && this.#looks * POLL_MS >= this.#options.pins.holdMs;
    if (isHeld) this.#hasCounted = true;
    this.wait();
    if (isHeld) this.#options.onHeld();
  }
}
