// A bolt of iron behind a motor: its position follows what the two inputs of the bridge drive, in milliseconds, and closes switches at
// the ends. It can be blocked, its switches can be broken, and it stays where it is when the power goes. It judges whoever drives it, so
// it knows nothing of them.

import type { Pins } from "./digital";
import type { VirtualTimers } from "./timers";

export const BOLT_PINS = { draw: 25, throw: 26, drawn: 32, thrown: 33 } as const;
/** From one end to the other, in milliseconds. */
export const TRAVEL_MS = 600;
/** How near to an end its switch closes. */
const SWITCH_AT = 0.02;

/** What a switch does. */
export type SwitchFault = "none" | "open" | "closed";

export class BoltModel {
  /** 0 is drawn, 1 is thrown. */
  position: number;
  /** Something that the bolt cannot pass, from either side. */
  wall: number | undefined;
  drawnFault: SwitchFault = "none";
  thrownFault: SwitchFault = "none";
  /** Milliseconds with the motor on: in all since {@link mark}, and the longest at a stretch. */
  onMs = 0;
  longestMs = 0;
  /** How often both inputs were high at once. */
  clashes = 0;
  /** The shortest rest before the motor turned round, in milliseconds. */
  shortestRestMs = Number.POSITIVE_INFINITY;
  /** How often the motor began to run. */
  starts = 0;
  #pins: Pins;
  #runMs = 0;
  #time = 0;
  #offAt = Number.NEGATIVE_INFINITY;
  #direction = 0;
  #lastDirection = 0;

  constructor(pins: Pins, position: number) {
    this.#pins = pins;
    this.position = position;
    this.plug(pins);
  }

  /** Goes on with another chip: the power was cut, and has come back. */
  plug(pins: Pins): void {
    this.#pins = pins;
    pins.onDrive = () => this.#driven();
    this.#switch();
    this.#driven();
  }

  /** Counts from here. */
  mark(): void {
    this.onMs = this.longestMs = 0;
  }

  /** Lets one chip and the iron live for so long. */
  run(timers: VirtualTimers, ms: number): void {
    for (let i = 0; i < ms; i++) {
      this.#time++;
      timers.advance(1);
      this.#live();
    }
  }

  /** Lets the iron alone live: the chip is busy, or has no power. */
  pass(ms: number): void {
    for (let i = 0; i < ms; i++) {
      this.#time++;
      this.#live();
    }
  }

  get isOn(): boolean {
    return this.#direction !== 0;
  }

  #driven(): void {
    const [draw, thrown] = [this.#pins.isHigh(BOLT_PINS.draw), this.#pins.isHigh(BOLT_PINS.throw)];
    if (draw && thrown) this.clashes++;
    const direction = Number(thrown) - Number(draw);
    if (direction === this.#direction) return;
    if (direction !== 0) {
      this.starts++;
      const isTurn = direction === -this.#lastDirection;
      if (isTurn) this.shortestRestMs = Math.min(this.shortestRestMs, this.#time - this.#offAt);
      this.#lastDirection = direction;
      this.#runMs = 0;
    } else this.#offAt = this.#time;
    this.#direction = direction;
  }

  #live(): void {
    this.#move();
    this.#switch();
  }

  #move(): void {
    if (this.#direction === 0) return;
    this.onMs++;
    this.longestMs = Math.max(this.longestMs, ++this.#runMs);
    const next = Math.min(1, Math.max(0, this.position + this.#direction / TRAVEL_MS));
    const { wall } = this;
    const isStopped =
      wall !== undefined && (this.position - wall) * (next - wall) <= 0 && next !== this.position;
    if (!isStopped) this.position = next;
  }

  #switch(): void {
    const closed = (isThere: boolean, fault: SwitchFault) =>
      fault === "none" ? isThere : fault === "closed";
    const drawn = closed(this.position <= SWITCH_AT, this.drawnFault);
    const thrown = closed(this.position >= 1 - SWITCH_AT, this.thrownFault);
    this.#pins.drive(BOLT_PINS.drawn, drawn ? 0 : undefined);
    this.#pins.drive(BOLT_PINS.thrown, thrown ? 0 : undefined);
  }
}
