// The bolt's motor behind a bridge with two inputs, and the two switches at the ends of its way (rules M9 to M12). How it moves is in
// bolt-motion.ts; this file has the pins and the timer. Both inputs are never high at once, and whatever is thrown here switches the motor
// off first. A boot moves nothing. The bridge's inputs need pull-downs on the board: while the chip is held in reset, nobody drives them.
// The inside handle is mechanical: nothing here can hold it (rule M13).

import type { Bolt } from "../ports";
import type { BoltConfig } from "./board-config";
import type { BoltState, Drive, Switches, Way } from "./bolt-motion";
import { BoltMotion } from "./bolt-motion";
import type { Guard } from "./guard";
import type { DigitalConstructor, DigitalPin, Timers } from "./io";

/** How often the switches are looked at while the motor runs, in milliseconds. */
const POLL_MS = 5;

/** What a {@link MotorBolt} is made of. */
export interface MotorBoltOptions {
  readonly pins: BoltConfig;
  readonly Digital: DigitalConstructor;
  readonly timers: Timers;
  readonly guard: Guard;
  /** Milliseconds since boot; never goes back. */
  uptimeMs(): number;
  /** Is told when the state has changed by a motion: the lock's turn may report it. */
  onState?(state: BoltState): void;
}

export class MotorBolt implements Bolt {
  readonly #options: MotorBoltOptions;
  readonly #motion: BoltMotion;
  readonly #draw: DigitalPin;
  readonly #throw: DigitalPin;
  readonly #drawn: DigitalPin;
  readonly #thrown: DigitalPin;
  readonly #turn: () => void;
  #timer: object | undefined;
  #drive: Drive = "off";
  #reported: BoltState;

  /** Opens the pins, the motor off. Throws when a pin cannot be had. */
  constructor(options: MotorBoltOptions) {
    const { pins, Digital, guard } = options;
    this.#options = options;
    this.#draw = new Digital({ pin: pins.draw, mode: Digital.Output, initialValue: 0 });
    this.#throw = new Digital({ pin: pins.throw, mode: Digital.Output, initialValue: 0 });
    this.#drawn = new Digital({ pin: pins.drawn, mode: Digital.InputPullUp });
    this.#thrown = new Digital({ pin: pins.thrown, mode: Digital.InputPullUp });
    this.#motion = new BoltMotion(pins);
    this.#turn = guard.wrap("bolt", () => this.step());
    this.#reported = this.#motion.state(this.switches());
  }

  draw(): void {
    this.command("draw");
  }

  throw(): void {
    this.command("throw");
  }

  /** Switches the motor off, at once and whatever else fails, and forgets the command: for whoever is about to restart the chip. */
  stop(): void {
    this.#options.guard.run("bolt", () => this.off());
    this.#motion.end(this.#options.uptimeMs());
    this.rearm();
  }

  /** Where the bolt is; a jam and a fault last until the next command. */
  get state(): BoltState {
    let state: BoltState = "fault";
    this.#options.guard.run("bolt", () => {
      state = this.#motion.state(this.switches());
    });
    return state;
  }

  /** Whether the motor runs, or is about to: the chip stays awake. */
  get isMoving(): boolean {
    return this.#motion.isMoving;
  }

  private command(way: Way): void {
    this.#motion.command(way);
    this.#turn();
  }

  private step(): void {
    const { uptimeMs, guard } = this.#options;
    try {
      this.apply(this.#motion.step(uptimeMs(), this.switches()));
      this.rearm();
    } catch (error) {
      guard.run("bolt", () => this.off());
      this.#motion.end(uptimeMs(), "fault");
      this.report("fault");
      throw error;
    }
    this.report(this.#motion.state(this.switches()));
  }

  private switches(): Switches {
    return { drawn: this.#drawn.read() === 0, thrown: this.#thrown.read() === 0 };
  }

  private apply(drive: Drive): void {
    if (drive === this.#drive) return;
    this.off();
    if (drive === "draw") this.#draw.write(1);
    if (drive === "throw") this.#throw.write(1);
    this.#drive = drive;
  }

  /** One input that cannot be written leaves the other one low all the same. */
  private off(): void {
    this.#drive = "off";
    try {
      this.#draw.write(0);
    } finally {
      this.#throw.write(0);
    }
  }

  private rearm(): void {
    const { timers } = this.#options;
    if (this.#timer !== undefined) timers.clear(this.#timer);
    this.#timer = this.#motion.isMoving ? timers.set(this.#turn, POLL_MS) : undefined;
  }

  private report(state: BoltState): void {
    if (state === this.#reported) return;
    this.#reported = state;
    this.#options.onState?.(state);
  }
}
