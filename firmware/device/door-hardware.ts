// What a person at the door touches and sees, and what moves: every part that the board's manifest names, made and held together. Callbacks
// only take note of keys and cards; the lock's turn takes them. A part that cannot be had is noted and missed, but for the bolt: a lock
// that cannot move its bolt opens for nobody, and says so.

import { Battery } from "./battery";
import { MotorBolt } from "./bolt";
import type { BoltState } from "./bolt-motion";
import { Pn532Reader } from "./card-reader";
import { ReedSensor } from "./door-sensor";
import { LightsAndBuzzer } from "./feedback";
import type { Guard } from "./guard";
import type { Hosts } from "./hosts";
import type { DigitalPin } from "./io";
import { MatrixKeypad } from "./keypad";
import { ResetButton } from "./reset-button";
import { HeldRtc } from "./rtc";

/** Keys that wait for the lock's turn; a hand is slower than any turn, and what comes when nobody looks is forgotten. */
const MAX_KEYS = 32;

/** Waits for something once, in the place of the lock; what it gives ends the waiting. */
export type Tap<T> = (told: (what: T) => void) => () => void;

/** What the door's parts are made of. */
export interface DoorOptions {
  readonly hosts: Hosts;
  readonly guard: Guard;
  readonly clock: { uptime(): number };
  /** Whether this model reads cards. */
  readonly hasReader: boolean;
  /** Something happened: the lock's turn is due. */
  onEvent(): void;
}

/** One waiting of a tap. */
class Tapped<T> {
  told: ((what: T) => void) | undefined;

  /** Whether somebody waited for it. */
  take(what: T): boolean {
    const { told } = this;
    this.told = undefined;
    told?.(what);
    return told !== undefined;
  }

  readonly wait: Tap<T> = (told) => {
    this.told = told;
    return () => {
      if (this.told === told) this.told = undefined;
    };
  };
}

export class DoorHardware {
  readonly bolt: MotorBolt;
  readonly feedback: LightsAndBuzzer;
  readonly door: ReedSensor | undefined;
  readonly rtc: HeldRtc | undefined;
  readonly battery: Battery | undefined;
  readonly reader: Pn532Reader | undefined;
  readonly keypad: MatrixKeypad | undefined;
  /** Taps of the factory's test: what they take never reaches the lock. */
  readonly keyTap = new Tapped<number>();
  readonly cardTap = new Tapped<number>();
  readonly resetTap = new Tapped<void>();
  /** Seconds since boot at which somebody touched the lock last. */
  touchedAt = 0;
  readonly #options: DoorOptions;
  readonly #reset: ResetButton | undefined;
  readonly #handle: DigitalPin | undefined;
  readonly #keys: number[] = [];
  #card: Uint8Array | undefined;
  #isResetHeld = false;

  constructor(options: DoorOptions) {
    this.#options = options;
    const { hosts, guard, clock, onEvent } = options;
    const { config, Digital, PWM, timers } = hosts;
    const uptimeMs = () => hosts.native.uptimeMs();
    this.bolt = new MotorBolt({
      pins: config.bolt,
      Digital,
      timers,
      guard,
      uptimeMs,
      onState: (state) => this.moved(state),
    });
    this.feedback = new LightsAndBuzzer({ pins: config, Digital, PWM, timers, clock, guard });
    this.door = this.made("door", config.door, (pins) => {
      return new ReedSensor({ pins, Digital, guard, uptimeMs, onChange: onEvent });
    });
    this.rtc = this.made("rtc", config.rtc, (pins) => {
      return new HeldRtc({ pins, RTC: hosts.RTC, io: hosts.SMBus, guard });
    });
    this.battery = this.made("battery", config.battery, (pins) => {
      const isLoaded = () => this.bolt.isMoving;
      return new Battery({ pins, Analog: hosts.Analog, clock, guard, isLoaded });
    });
    this.#handle = this.made("handle", config.handle, ({ turned }) => {
      return new Digital({ pin: turned, mode: Digital.InputPullUp });
    });
    this.keypad = this.made("keypad", config.keypad, (pins) => {
      return new MatrixKeypad({ pins, Digital, timers, guard, onKey: (key) => this.keyed(key) });
    });
    this.#reset = this.made("reset", config.reset, (pins) => {
      return new ResetButton({ pins, Digital, timers, guard, onHeld: () => this.resetHeld() });
    });
    const reader = options.hasReader ? config.reader : undefined;
    this.reader = this.made("reader", reader, (pins) => {
      const { Serial } = hosts;
      return new Pn532Reader({ pins, Serial, timers, guard, onCard: (uid) => this.carded(uid) });
    });
  }

  /** A part, where the board has it and it can be had. */
  private made<P, T>(name: string, pins: P | undefined, make: (pins: P) => T): T | undefined {
    return pins && this.#options.guard.attempt(name, () => make(pins));
  }

  /** Whoever was let in and finds the door shut shall know that it is the door's fault (rule M9). */
  private moved(state: BoltState): void {
    const { clock, onEvent } = this.#options;
    if (state === "jammed" || state === "fault") this.feedback.refused(clock.uptime());
    onEvent();
  }

  private touched(): void {
    this.touchedAt = this.#options.clock.uptime();
    this.#options.onEvent();
  }

  private keyed(key: number): void {
    this.touched();
    if (!this.keyTap.take(key) && this.#keys.length < MAX_KEYS) this.#keys.push(key);
  }

  private carded(uid: Uint8Array): void {
    this.touched();
    if (!this.cardTap.take(uid.length)) this.#card = uid;
  }

  private resetHeld(): void {
    this.touched();
    if (!this.resetTap.take()) this.#isResetHeld = true;
  }

  /** The next key that the lock is to take. */
  nextKey(): number | undefined {
    return this.#keys.shift();
  }

  /** The card that was presented last, once. */
  nextCard(): Uint8Array | undefined {
    const card = this.#card;
    this.#card = undefined;
    return card;
  }

  /** Whether the reset button was held since this was asked last. */
  wasResetHeld(): boolean {
    const wasHeld = this.#isResetHeld;
    this.#isResetHeld = false;
    return wasHeld;
  }

  /** Whether the inside handle is turned; undefined on boards that do not look. */
  get isHandleTurned(): (() => boolean) | undefined {
    const handle = this.#handle;
    return handle && (() => handle.read() === 0);
  }

  /** Whether something goes on that sleep would break. */
  get isBusy(): boolean {
    const isHeld = this.keypad?.isBusy === true || this.#reset?.isBusy === true;
    return isHeld || this.bolt.isMoving || this.feedback.isBusy || this.reader?.isBusy === true;
  }

  /** Whether the battery is nearly empty. */
  get isCritical(): boolean {
    return this.battery?.grade === "critical";
  }
}
