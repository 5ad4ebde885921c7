// The SDK's class Analog on pins of a double: as on the ESP32 a pin without a converter throws, readings end at both ends of the calibrated
// range, and a converter that is needed elsewhere gives nothing.

import type { AnalogConstructor, AnalogPin } from "../../../firmware/device/io";
import type { Pins } from "./digital";

const RESOLUTION = 12;
/** The calibrated range at the usual attenuation, in millivolts. */
const MIN_MV = 150;
const MAX_MV = 2450;
const ANALOG_PINS = [36, 37, 38, 39, 32, 33, 34, 35, 4, 0, 2, 15, 13, 12, 14, 27, 25, 26];

/** What is at the inputs. */
export interface AnalogWorld {
  /** Millivolts of a pin at a reading; undefined for a converter that fails. */
  millivolts: (pin: number) => number | undefined;
  /** How often anything was read. */
  reads: number;
}

/** The class, and what it reads. */
export function analogOf(pins: Pins): { readonly Analog: AnalogConstructor; readonly world: AnalogWorld } {
  const world: AnalogWorld = { millivolts: () => 0, reads: 0 };
  class Analog implements AnalogPin {
    readonly #pin: number;
    #isClosed = false;

    constructor({ pin }: { readonly pin: number }) {
      if (!pins.isFree(pin)) throw new RangeError("in use");
      if (!ANALOG_PINS.includes(pin)) throw new RangeError("not analog pin");
      this.#pin = pin;
      pins.take(pin);
    }

    get resolution(): number {
      return RESOLUTION;
    }

    read(): number {
      if (this.#isClosed) throw new TypeError("no host data");
      world.reads++;
      const millivolts = world.millivolts(this.#pin);
      if (millivolts === undefined) return undefined as unknown as number;
      const seen = Math.min(Math.max(Math.trunc(millivolts), MIN_MV), MAX_MV);
      return Math.trunc((seen * (2 ** RESOLUTION - 1)) / MAX_MV);
    }

    close(): void {
      if (this.#isClosed) return;
      this.#isClosed = true;
      pins.free(this.#pin);
    }
  }
  return { Analog, world };
}
