// The battery by an analog input (rule M10): a median of some readings, and a grade that does not flutter. It is read now and then, when
// somebody asks, and never while the motor runs: a battery that is pulled down for a moment is not an empty one.

import type { Guard } from "./guard";
import type { AnalogConstructor, AnalogPin } from "./io";

/** How full a battery is. */
export type Grade = "fine" | "low" | "critical";

/** Between two measurements, in seconds. */
const INTERVAL_S = 60;
const READINGS = 5;
/** How far above a threshold a battery has to be before it counts as better again, in millivolts. */
export const HYSTERESIS_MV = 100;
/** What the SDK reads as full scale, in millivolts: its calibrated range at the attenuation that it takes unless told otherwise. */
const FULL_SCALE_MV = 2450;

/** What a {@link Battery} is made of. */
export interface BatteryOptions {
  /** Millivolts of the battery are those of the pin times `scale`. */
  readonly pins: {
    readonly pin: number;
    readonly scale: number;
    readonly lowMv: number;
    readonly criticalMv: number;
  };
  readonly Analog: AnalogConstructor;
  /** The lock's clock: seconds since boot. */
  readonly clock: { uptime(): number };
  readonly guard: Guard;
  /** Whether the motor runs. */
  isLoaded?(): boolean;
}

export class Battery {
  readonly #options: BatteryOptions;
  readonly #input: AnalogPin;
  #measuredAt = Number.NEGATIVE_INFINITY;
  #millivolts = 0;
  #grade: Grade = "fine";

  /** Opens the pin; throws when it cannot be had. */
  constructor(options: BatteryOptions) {
    this.#options = options;
    this.#input = new options.Analog({ pin: options.pins.pin });
  }

  /** The grade by the last measurement, a new one if it is time; "fine" until there was one. */
  get grade(): Grade {
    this.measure();
    return this.#grade;
  }

  /** The last measurement, a new one if it is time; 0 until there was one. */
  get millivolts(): number {
    this.measure();
    return this.#millivolts;
  }

  private measure(): void {
    const { clock, guard, isLoaded } = this.#options;
    const now = clock.uptime();
    if (now - this.#measuredAt < INTERVAL_S || isLoaded?.() === true) return;
    this.#measuredAt = now;
    guard.run("battery", () => this.take());
  }

  private take(): void {
    const { lowMv, criticalMv, scale } = this.#options.pins;
    const readings: number[] = [];
    for (let i = 0; i < READINGS; i++) {
      // The converter gives nothing while it is needed elsewhere.
      const reading: number | undefined = this.#input.read();
      if (reading !== undefined) readings.push(reading);
    }
    if (readings.length === 0) throw new Error("no reading");
    readings.sort((a, b) => a - b);
    const full = 2 ** this.#input.resolution - 1;
    const atPin = (readings[readings.length >> 1] / full) * FULL_SCALE_MV;
    this.#millivolts = Math.round(atPin * scale);
    this.#grade = this.gradeOf(lowMv, criticalMv);
  }

  private gradeOf(lowMv: number, criticalMv: number): Grade {
    const below = (limit: number, wasBelow: boolean): boolean =>
      this.#millivolts < (wasBelow ? limit + HYSTERESIS_MV : limit);
    if (below(criticalMv, this.#grade === "critical")) return "critical";
    return below(lowMv, this.#grade !== "fine") ? "low" : "fine";
  }
}
