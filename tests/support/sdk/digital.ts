// GPIOs with what is wired to them, and the SDK's class Digital on top. Wires are physics: whoever drives a pin drives all that it is
// connected with, pull-ups give way, and one that drives high against one that drives low is counted as a short. Digital is as in the SDK
// for the ESP32: a pin that is taken or does not exist throws, so does reading an output, writing an input, or anything but `close` on what
// is closed; edges are told later from the message loop, several as one.

import type { DigitalConstructor, DigitalOptions, DigitalPin } from "../../../firmware/device/io";
import type { VirtualTimers } from "./timers";

type Level = 0 | 1;
/** What a pin does to its wire. */
type Drive = "high" | "low" | "pull-up" | "pull-down" | "none";

const Mode = {
  input: 0,
  inputPullUp: 1,
  inputPullDown: 2,
  inputPullUpDown: 3,
  output: 8,
  outputOpenDrain: 9,
} as const;
const Edge = { rising: 1, falling: 2 } as const;
/** GPIOs of an ESP32 that do not exist, the last one, and the first one that can only be read. */
const MISSING = [24, 28, 29, 30, 31];
const LAST_PIN = 39;
const FIRST_INPUT_ONLY = 34;

/** The chip's pins and the wires outside. */
export class Pins {
  readonly Digital: DigitalConstructor;
  readonly timers: VirtualTimers;
  /** How often a pin that drives high met one that drives low. */
  shorts = 0;
  /** Called after each change of what the chip drives. */
  onDrive: () => void = () => {};
  readonly #inUse = new Set<number>();
  readonly #inside = new Map<number, Drive>();
  readonly #outside = new Map<number, Level>();
  readonly #wires = new Map<number, Set<number>>();
  readonly #watchers = new Map<number, { level: Level; changed(level: Level): void }>();

  constructor(timers: VirtualTimers) {
    this.timers = timers;
    this.Digital = digitalOf(this);
  }

  // ---- the chip's side

  /** Whether a pin exists and nobody has it. */
  isFree(pin: number): boolean {
    return (
      Number.isInteger(pin) && pin >= 0 && pin <= LAST_PIN && !MISSING.includes(pin) && !this.#inUse.has(pin)
    );
  }

  take(pin: number): void {
    this.#inUse.add(pin);
  }

  free(pin: number): void {
    this.#inUse.delete(pin);
    // As after a reset.
    this.set(pin, "pull-up");
  }

  /** What the chip does to a pin. */
  set(pin: number, drive: Drive): void {
    this.#inside.set(pin, drive);
    this.#settle(pin);
    this.onDrive();
  }

  /** Whether the chip drives a pin high. */
  isHigh(pin: number): boolean {
    return this.#inside.get(pin) === "high";
  }

  watch(pin: number, changed: (level: Level) => void): void {
    this.#watchers.set(pin, { level: this.level(pin), changed });
  }

  unwatch(pin: number): void {
    this.#watchers.delete(pin);
  }

  // ---- outside

  /** Something outside drives a pin, or lets go of it. */
  drive(pin: number, level: Level | undefined): void {
    if (level === undefined) this.#outside.delete(pin);
    else this.#outside.set(pin, level);
    this.#settle(pin);
  }

  /** A contact between two pins closes or opens. */
  connect(a: number, b: number, isClosed: boolean): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ]) {
      const others = this.#wires.get(from) ?? new Set();
      if (isClosed) others.add(to);
      else others.delete(to);
      this.#wires.set(from, others);
    }
    this.#settle(a);
  }

  /** The level of a pin; nobody's is low. */
  level(pin: number): Level {
    const net = this.#net(pin);
    const isLow = net.some((each) => this.#inside.get(each) === "low" || this.#outside.get(each) === 0);
    const isHigh = net.some((each) => this.#inside.get(each) === "high" || this.#outside.get(each) === 1);
    if (isLow && isHigh) this.shorts++;
    if (isLow) return 0;
    return isHigh || net.some((each) => this.#inside.get(each) === "pull-up") ? 1 : 0;
  }

  #net(pin: number): number[] {
    const net = [pin];
    for (const each of net)
      for (const next of this.#wires.get(each) ?? []) if (!net.includes(next)) net.push(next);
    return net;
  }

  /** Something has changed at a pin. */
  #settle(changed: number): void {
    this.level(changed);
    for (const [pin, watcher] of this.#watchers) {
      const level = this.level(pin);
      if (level === watcher.level) continue;
      watcher.level = level;
      watcher.changed(level);
    }
  }
}

/** The SDK's class for these pins. */
function digitalOf(pins: Pins): DigitalConstructor {
  return class Digital implements DigitalPin {
    static readonly Input = Mode.input;
    static readonly InputPullUp = Mode.inputPullUp;
    static readonly InputPullDown = Mode.inputPullDown;
    static readonly InputPullUpDown = Mode.inputPullUpDown;
    static readonly Output = Mode.output;
    static readonly OutputOpenDrain = Mode.outputOpenDrain;
    static readonly Rising = Edge.rising;
    static readonly Falling = Edge.falling;
    readonly #pin: number;
    readonly #mode: number;
    #isClosed = false;
    #isTriggered = false;

    constructor(options: DigitalOptions) {
      const { pin, mode, edge = 0, initialValue = 0, onReadable } = options;
      if (pin === undefined) throw new Error("invalid");
      if (!pins.isFree(pin)) throw new Error("in use");
      if (!(Object.values(Mode) as number[]).includes(mode)) throw new RangeError("invalid mode");
      const isInput = mode < Mode.output;
      if (isInput && onReadable && (edge & (Edge.rising | Edge.falling)) === 0)
        throw new RangeError("invalid edges");
      if (!isInput && pin >= FIRST_INPUT_ONLY) throw new RangeError("input only");
      this.#pin = pin;
      this.#mode = mode;
      pins.take(pin);
      if (isInput) pins.set(pin, pullOf(pin, mode));
      else this.#drive(initialValue);
      if (isInput && onReadable) pins.watch(pin, (level) => this.#edge(level, edge, onReadable));
    }

    read(): number {
      this.#check();
      if (this.#mode >= Mode.output) throw new Error("can't read output");
      return pins.level(this.#pin);
    }

    write(value: number): void {
      this.#check();
      if (this.#mode < Mode.output) throw new Error("can't write input");
      this.#drive(value);
    }

    close(): void {
      if (this.#isClosed) return;
      this.#isClosed = true;
      pins.unwatch(this.#pin);
      pins.free(this.#pin);
    }

    #check(): void {
      if (this.#isClosed) throw new TypeError("no host data");
    }

    #drive(value: number): void {
      const high = this.#mode === Mode.outputOpenDrain ? "none" : "high";
      pins.set(this.#pin, Number(value) ? high : "low");
    }

    #edge(level: Level, edge: number, onReadable: () => void): void {
      if ((edge & (level === 1 ? Edge.rising : Edge.falling)) === 0 || this.#isTriggered) return;
      this.#isTriggered = true;
      pins.timers.post(() => {
        this.#isTriggered = false;
        if (!this.#isClosed) onReadable.call(this);
      });
    }
  };
}

/** What a mode does to an input. Pins that can only be read have no resistors, and the SDK does not say so. */
function pullOf(pin: number, mode: number): Drive {
  if (pin >= FIRST_INPUT_ONLY) return "none";
  if (mode === Mode.inputPullUp) return "pull-up";
  return mode === Mode.inputPullDown ? "pull-down" : "none";
}
