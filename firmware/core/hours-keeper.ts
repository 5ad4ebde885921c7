// Business hours on this lock (rule T16): gives them their schedule, the time and the holidays, and keeps in flash what must survive a
// power cut. What the hours are is the matter of business-hours.ts.

import type { HoursView } from "./business-hours";
import { BusinessHours } from "./business-hours";
import { onEachDate } from "./holidays";
import type { Parts } from "./parts";
import { State } from "./storage/places";

const NO_WINDOWS = new Uint32Array(0);

export class HoursKeeper {
  readonly #parts: Parts;
  readonly #hours = new BusinessHours();
  /** Empty on a door without business hours. */
  #windows = NO_WINDOWS;
  #windowCount = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Takes back what was kept, after a boot. */
  restore(): void {
    const { table } = this.#parts;
    const stored = table.state(State.hours);
    this.#hours.restore(stored, table.hasLostState(State.hours));
  }

  /** Reads the policy's schedule anew: after a boot, and when a setting or a schedule changed. */
  configure(): void {
    const { table, policy } = this.#parts;
    const { hours } = policy;
    this.#windowCount = 0;
    if (hours !== undefined && hours.schedule !== 0 && table.loadSchedule(hours.schedule)) {
      this.#windows = table.windows.slice();
      this.#windowCount = table.windowCount;
    }
    this.#hours.configure(hours);
  }

  /** One word for how the hours stand; see `Standing`. */
  get standing(): string {
    return this.#hours.standing;
  }

  private view(): HoursView {
    const { clock, policy } = this.#parts;
    const instant = clock.read();
    const { zone, holidays } = policy;
    const isHoliday = !onEachDate({ zone, clock: instant, holidays }, (day) => !holidays.close(day));
    const closed = policy.isZoneLost || isHoliday;
    return {
      clock: instant,
      zone,
      windows: this.#windows,
      windowCount: this.#windowCount,
      closed,
    };
  }

  /** Whether the door is to stay unlocked now. Once a tick; keeps what has changed. */
  advance(): boolean {
    const { policy, table } = this.#parts;
    if (policy.hours === undefined) return false;
    const isOpen = this.#hours.advance(this.view());
    if (this.#hours.unsettled && table.commitState(State.hours, this.#hours.state())) this.#hours.settled();
    return isOpen;
  }

  /** Somebody was let in, a first-in person or not. */
  opened(isFirstIn: boolean): void {
    if (this.#parts.policy.hours !== undefined) this.#hours.opened(this.view(), isFirstIn);
  }

  /** A first-in person locks the door until it is resumed or the next opening. False when there is nothing to lock. */
  relock(): boolean {
    return this.#hours.relock(this.view());
  }

  /** A first-in person takes a relock back. False when there was none. */
  resume(): boolean {
    return this.#hours.resume(this.view());
  }

  /** A first-in person keeps the door unlocked for so many seconds. False when the time is unknown, or it is too long. */
  hold(seconds: number): boolean {
    const view = this.view();
    return this.#hours.holdUntil(view, view.clock.now + seconds);
  }
}
