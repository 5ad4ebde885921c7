// What a person at the door sees and hears: two lights and a buzzer (rules C6, X4). Everything is shown when the uptime says, never
// before, and by the same steps for every refusal. One pattern is shown at a time, and the two lights are never on together.

import type { Feedback } from "../ports";
import type { Guard } from "./guard";
import type { DigitalConstructor, DigitalPin, PwmConstructor, PwmPin, Timers } from "./io";

/** What a buzzer is loudest at, in hertz. */
const BUZZER_HZ = 2700;

/** One step of a pattern: what is on, and for how many milliseconds. */
interface Step {
  readonly light: "granted" | "refused" | "none";
  readonly tone: boolean;
  readonly ms: number;
}
type Pattern = readonly Step[];

const GRANTED: Pattern = [
  { light: "granted", tone: true, ms: 150 },
  { light: "granted", tone: false, ms: 1350 },
];
const REFUSED: Pattern = [
  { light: "refused", tone: true, ms: 80 },
  { light: "refused", tone: false, ms: 80 },
  { light: "refused", tone: true, ms: 80 },
  { light: "refused", tone: false, ms: 80 },
  { light: "refused", tone: true, ms: 80 },
  { light: "refused", tone: false, ms: 600 },
];
const BLINK: Pattern = [
  { light: "granted", tone: false, ms: 150 },
  { light: "none", tone: false, ms: 100 },
  { light: "refused", tone: false, ms: 150 },
  { light: "none", tone: false, ms: 100 },
];
const IDENTIFY: Pattern = [...BLINK, ...BLINK, ...BLINK, ...BLINK];

/** What a {@link LightsAndBuzzer} is made of. */
export interface LightsAndBuzzerOptions {
  readonly pins: {
    readonly buzzer: { readonly pin: number };
    readonly lights: { readonly granted: number; readonly refused: number };
  };
  readonly Digital: DigitalConstructor;
  readonly PWM: PwmConstructor;
  readonly timers: Timers;
  /** The lock's clock: seconds since boot. */
  readonly clock: { uptime(): number };
  readonly guard: Guard;
}

export class LightsAndBuzzer implements Feedback {
  readonly #options: LightsAndBuzzerOptions;
  readonly #granted: DigitalPin;
  readonly #refused: DigitalPin;
  /** A lock without a buzzer still has its lights. */
  #buzzer: PwmPin | undefined;
  readonly #next: () => void;
  /** Patterns whose time has not come. */
  #waiting = 0;
  #timer: object | undefined;
  #pattern: Pattern = [];
  #step = 0;

  /** Opens the pins, all off; throws when a light's cannot be had. */
  constructor(options: LightsAndBuzzerOptions) {
    const { pins, Digital, PWM, guard } = options;
    this.#options = options;
    this.#granted = new Digital({ pin: pins.lights.granted, mode: Digital.Output, initialValue: 0 });
    this.#refused = new Digital({ pin: pins.lights.refused, mode: Digital.Output, initialValue: 0 });
    guard.run("buzzer", () => {
      this.#buzzer = new PWM({ pin: pins.buzzer.pin, hz: BUZZER_HZ });
    });
    this.#next = guard.wrap("feedback", () => this.showNext());
  }

  granted(at: number): void {
    this.showAt(GRANTED, at);
  }

  refused(at: number): void {
    this.showAt(REFUSED, at);
  }

  /** Whoever asks who this is has no right to hide what somebody else is shown. */
  identify(at: number): void {
    if (!this.isBusy) this.showAt(IDENTIFY, at);
  }

  /** Whether something is shown or about to be: the chip stays awake. */
  get isBusy(): boolean {
    return this.#waiting > 0 || this.#timer !== undefined;
  }

  private showAt(pattern: Pattern, at: number): void {
    this.#waiting++;
    this.wait(pattern, at);
  }

  private wait(pattern: Pattern, at: number): void {
    const { timers, guard } = this.#options;
    const due = guard.wrap("feedback", () => {
      // A timer's milliseconds are coarser than the clock's.
      if (this.microsecondsTo(at) > 0) this.wait(pattern, at);
      else this.begin(pattern);
    });
    timers.set(due, Math.max(0, Math.ceil(this.microsecondsTo(at) / 1000)));
  }

  /** Whole ones: a sum of seconds is not exact, and one that is over by nothing would be waited for again and again. */
  private microsecondsTo(at: number): number {
    return Math.round((at - this.#options.clock.uptime()) * 1e6);
  }

  private begin(pattern: Pattern): void {
    this.#waiting--;
    if (this.#timer !== undefined) this.#options.timers.clear(this.#timer);
    this.#pattern = pattern;
    this.#step = 0;
    this.showNext();
  }

  private showNext(): void {
    const step = this.#pattern[this.#step++];
    // Armed before anything is switched on: whatever cannot be written, what follows switches it off.
    this.#timer = step === undefined ? undefined : this.#options.timers.set(this.#next, step.ms);
    const light = step?.light ?? "none";
    this.sound(step?.tone ?? false);
    if (light !== "granted") this.#granted.write(0);
    if (light !== "refused") this.#refused.write(0);
    if (light === "granted") this.#granted.write(1);
    if (light === "refused") this.#refused.write(1);
  }

  private sound(isOn: boolean): void {
    const buzzer = this.#buzzer;
    if (buzzer === undefined) return;
    this.#options.guard.run("buzzer", () => buzzer.write(isOn ? 1 << (buzzer.resolution - 1) : 0));
  }
}
