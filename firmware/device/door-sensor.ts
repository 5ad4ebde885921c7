// The reed switch that sees whether the door is closed (rule M8): the bolt is never thrown while it stands open. A door that has just
// come to is not closed yet: the contact bounces, and so does the door.

import type { DoorSensor } from "../ports";
import type { Guard } from "./guard";
import type { DigitalConstructor, DigitalPin } from "./io";

/** How long nothing may have changed before the door counts as closed, in milliseconds. */
export const SETTLE_MS = 300;

/** What a {@link ReedSensor} is made of. */
export interface ReedSensorOptions {
  /** Low while the door is closed. */
  readonly pins: { readonly closed: number };
  readonly Digital: DigitalConstructor;
  readonly guard: Guard;
  /** Milliseconds since boot. */
  uptimeMs(): number;
  /** Is told that the switch has changed: the lock's turn should come soon. */
  onChange?(): void;
}

export class ReedSensor implements DoorSensor {
  readonly #options: ReedSensorOptions;
  readonly #pin: DigitalPin;
  #changedAt = Number.NEGATIVE_INFINITY;

  /** Opens the pin; throws when it cannot be had. */
  constructor(options: ReedSensorOptions) {
    const { pins, Digital, guard } = options;
    this.#options = options;
    this.#pin = new Digital({
      pin: pins.closed,
      mode: Digital.InputPullUp,
      edge: Digital.Rising | Digital.Falling,
      onReadable: guard.wrap("door", () => {
        this.#changedAt = options.uptimeMs();
        options.onChange?.();
      }),
    });
  }

  /** Never throws: a sensor that cannot be read is as none at all, and the door locks. */
  isClosed(): boolean {
    let isClosed = true;
    this.#options.guard.run("door", () => {
      isClosed = this.#pin.read() === 0 && this.#options.uptimeMs() - this.#changedAt >= SETTLE_MS;
    });
    return isClosed;
  }
}
