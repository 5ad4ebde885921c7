// The SDK's timers and message queue in virtual time: nothing waits, and a run is the same every time. As in the SDK, a turn first marks
// whoever is due and then calls them in the order in which they were made, a repeated timer does not drift, one that is repeated after 0 ms
// fires once, clearing a timer that is over is nothing, and whatever a callback throws ends the run: on the chip it restarts it.

import type { Timers } from "../../../firmware/device/io";

/** So many turns at one instant are a loop that never ends. */
const MAX_TURNS = 100_000;

class VirtualTimer {
  readonly callback: () => void;
  readonly interval: number;
  due: number;
  isDue = false;
  isOver = false;

  constructor(callback: () => void, due: number, interval: number) {
    this.callback = callback;
    this.due = due;
    this.interval = interval;
  }
}

/** Timers whose time passes in {@link advance} only. */
export class VirtualTimers implements Timers {
  /** Milliseconds since the start. A callback may add to it: then it took that long, and others are called late. */
  now = 0;
  #timers: VirtualTimer[] = [];
  #messages: (() => void)[] = [];

  /** How many timers are set. */
  get count(): number {
    return this.#timers.length;
  }

  set(callback: () => void, ms = 0): object {
    return this.#add(callback, ms, 0);
  }

  repeat(callback: () => void, ms: number): object {
    return this.#add(callback, ms, Math.trunc(ms));
  }

  clear(timer?: object): void {
    if (timer instanceof VirtualTimer) this.#remove(timer);
  }

  /** Calls back from the message loop, as the SDK does after an interrupt: at this instant, but never inside whoever asks. */
  post(callback: () => void): void {
    this.#messages.push(callback);
  }

  /** Lets so many milliseconds pass; `advance(0)` does what is due at once. */
  advance(ms: number): void {
    const end = this.now + ms;
    this.#turns();
    for (let next = this.#next(); next <= end; next = this.#next()) {
      this.now = Math.max(this.now, next);
      this.#turns();
    }
    this.now = Math.max(this.now, end);
  }

  #add(callback: () => void, ms: number, interval: number): VirtualTimer {
    if (!Number.isFinite(ms) || ms < 0 || ms >= 2 ** 31) throw new RangeError(`a timer after ${ms} ms`);
    const timer = new VirtualTimer(callback, this.now + Math.trunc(ms), interval);
    this.#timers.push(timer);
    return timer;
  }

  #remove(timer: VirtualTimer): void {
    timer.isOver = true;
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  #next(): number {
    return this.#timers.reduce((least, { due }) => Math.min(least, due), Number.POSITIVE_INFINITY);
  }

  /** Turns of the loop until there is nothing more to do now. */
  #turns(): void {
    for (let turn = 0; this.#messages.length > 0 || this.#next() <= this.now; turn++) {
      if (turn > MAX_TURNS) throw new Error(`no end of callbacks at ${this.now} ms`);
      this.#fire();
      const messages = this.#messages;
      this.#messages = [];
      for (const message of messages) message();
    }
  }

  #fire(): void {
    const due = this.#timers.filter((timer) => timer.due <= this.now);
    for (const timer of due) timer.isDue = true;
    for (const timer of due) {
      if (timer.isOver || !timer.isDue) continue;
      timer.isDue = false;
      timer.due += timer.interval;
      if (timer.interval === 0) this.#remove(timer);
      timer.callback();
    }
  }
}
