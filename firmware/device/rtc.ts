// The clock that counts on without the lock's power (rule T11): a driver of ECMA-419's class pattern for clocks (clause 18) behind the
// lock's port. The drivers throw for a bus that does not answer and know when their supply has failed; here both are 0, the time that
// nobody knows, and never an exception. The PCF8563 is the one to fit: the SDK's driver of the DS3231 looks whether its oscillator is
// switched on, and not whether it had stopped.

import type { HeldClock } from "../ports";
import type { Guard } from "./guard";

/** A clock as its driver gives it. */
export interface RtcDevice {
  /** Milliseconds since 1970, UTC; undefined when it was never set or its supply failed. */
  time: number | undefined;
  close(): void;
}

/** A class of clocks. `io` is what has registers on I2C. */
export type RtcConstructor = new (options: {
  readonly clock: { readonly io: unknown; readonly data: number; readonly clock: number };
}) => RtcDevice;

/** Tries at setting: a clock that was not set goes on with the old time, and nobody will know how far that has drifted. */
const SET_TRIES = 3;
const MAX_TIME = 0xffffffff;

/** What a {@link HeldRtc} is made of. */
export interface HeldRtcOptions {
  readonly pins: { readonly data: number; readonly clock: number; readonly driftPpm: number };
  readonly RTC: RtcConstructor;
  /** The SDK's SMBus. */
  readonly io: unknown;
  readonly guard: Guard;
}

export class HeldRtc implements HeldClock {
  readonly driftPpm: number;
  readonly #options: HeldRtcOptions;
  #device: RtcDevice | undefined;
  /** Whether it did not take the time that it was last given. */
  #isWrong = false;

  constructor(options: HeldRtcOptions) {
    this.#options = options;
    this.driftPpm = options.pins.driftPpm;
  }

  read(): number {
    let time = 0;
    if (!this.#isWrong)
      this.#options.guard.run("rtc", () => {
        time = Math.floor((this.open().time ?? 0) / 1000);
      });
    return time > 0 && time <= MAX_TIME ? time : 0;
  }

  set(time: number): void {
    this.#isWrong = true;
    for (let i = 0; i < SET_TRIES && this.#isWrong; i++)
      this.#options.guard.run("rtc", () => {
        this.open().time = time * 1000;
        this.#isWrong = false;
      });
  }

  /** The driver; opened late and again, because its constructor asks the chip whether it is there. */
  private open(): RtcDevice {
    if (this.#device === undefined) {
      const { pins, RTC, io } = this.#options;
      this.#device = new RTC({ clock: { io, data: pins.data, clock: pins.clock } });
    }
    return this.#device;
  }
}
