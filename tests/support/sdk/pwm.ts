// The SDK's class PWM on pins of a double: as on the ESP32 there are four channels, a pin that is taken throws, a duty cycle beyond the
// resolution throws, and so does anything but `close` on what is closed.

import type { PwmConstructor, PwmPin } from "../../../firmware/device/io";
import type { Pins } from "./digital";

const RESOLUTION = 10;
const CHANNELS = 4;
/** The slowest that a timer can be at this resolution, in hertz. */
const MIN_HZ = 17;

/** The class, and the duty cycles that its pins have now. */
export function pwmOf(pins: Pins): { readonly PWM: PwmConstructor; readonly duties: Map<number, number> } {
  const duties = new Map<number, number>();
  class PWM implements PwmPin {
    readonly #pin: number;
    #isClosed = false;

    constructor({ pin, hz = 1024 }: { readonly pin: number; readonly hz?: number }) {
      if (!pins.isFree(pin)) throw new Error("in use");
      if (hz <= 0) throw new RangeError("invalid hz");
      if (hz < MIN_HZ) throw new RangeError("invalid combination of hz and resolution");
      if (duties.size === CHANNELS) throw new Error("no ledc channel");
      this.#pin = pin;
      pins.take(pin);
      duties.set(pin, 0);
    }

    get resolution(): number {
      this.#check();
      return RESOLUTION;
    }

    write(duty: number): void {
      this.#check();
      if (duty < 0 || duty > 2 ** RESOLUTION - 1) throw new RangeError("invalid value");
      duties.set(this.#pin, Math.trunc(duty));
    }

    close(): void {
      if (this.#isClosed) return;
      this.#isClosed = true;
      duties.delete(this.#pin);
      pins.free(this.#pin);
    }

    #check(): void {
      if (this.#isClosed) throw new TypeError("no host data");
    }
  }
  return { PWM, duties };
}
