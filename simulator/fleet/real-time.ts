// Time as it passes on the machine, for what runs on virtual time in tests and has to keep up with a program outside.

import type { VirtualTime } from "./virtual-time";

/** What the air and whoever is on it need of time. */
export type Time = Pick<VirtualTime, "now" | "after">;

export class RealTime implements Time {
  readonly #start = performance.now();

  /** Seconds since the beginning. */
  get now(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /** Does a job after so many seconds, never before; what is returned calls it off. */
  after(seconds: number, job: () => void): () => void {
    const timer = setTimeout(job, Math.ceil(seconds * 1000));
    return () => clearTimeout(timer);
  }
}
