// A real-time clock with a supply of its own: it counts on while the lock has no power, some parts per million too fast or too slow,
// until its supply fails.

import type { HeldClock } from "../../firmware/ports";
import type { WorldClock } from "./board";

/** A usual crystal on a backup cell. */
const USUAL_DRIFT_PPM = 20;

/** How a clock is made. */
export interface RtcOptions {
  readonly world: WorldClock;
  /** Drift that it declares, in parts per million. */
  readonly driftPpm?: number;
  /** How fast it is in truth, in parts per million; negative for slow. */
  readonly errorPpm?: number;
}

export class VirtualRtc implements HeldClock {
  readonly driftPpm: number;
  readonly #world: WorldClock;
  readonly #rate: number;
  #setAt = 0;
  #time = 0;

  constructor({ world, driftPpm = USUAL_DRIFT_PPM, errorPpm = 0 }: RtcOptions) {
    this.#world = world;
    this.driftPpm = driftPpm;
    this.#rate = 1 + errorPpm / 1e6;
  }

  read(): number {
    if (this.#time === 0) return 0;
    return Math.floor(this.#time + (this.#world.now() - this.#setAt) * this.#rate);
  }

  set(time: number): void {
    this.#time = time;
    this.#setAt = this.#world.now();
  }

  /** Its supply fails: what it knew is gone. */
  fail(): void {
    this.#time = 0;
  }
}
