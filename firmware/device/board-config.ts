// What differs from board to board: pins, times and what is fitted, as the board's manifest says in `config.lock`. Whatever is missing or
// makes no sense is refused before any pin is touched.

/** A board. Pins are numbers of GPIOs. */
export interface BoardConfig {
  /** Its name, as reports say it. */
  readonly board: string;
  /** Rows are driven low one at a time, columns have pull-ups. The keys are 1 2 3, 4 5 6, 7 8 9, call 0 confirm. */
  readonly keypad: { readonly rows: readonly number[]; readonly columns: readonly number[] };
  /** A card reader on a serial port. */
  readonly reader?: {
    readonly receive: number;
    readonly transmit: number;
    readonly baud: number;
    readonly port: number;
  };
  readonly bolt: BoltConfig;
  /** A reed switch that is closed, and low, while the door is closed. */
  readonly door?: { readonly closed: number };
  /** A switch at the inside handle, low while it is turned. It opens the door by mechanics alone; this only looks on. */
  readonly handle?: { readonly turned: number };
  readonly buzzer: { readonly pin: number };
  /** High is on. */
  readonly lights: { readonly granted: number; readonly refused: number };
  /** An analog input: millivolts are the reading in volts of the pin times `scale`. */
  readonly battery?: {
    readonly pin: number;
    readonly scale: number;
    readonly lowMv: number;
    readonly criticalMv: number;
  };
  /** A clock with a supply of its own, on I2C. */
  readonly rtc?: { readonly data: number; readonly clock: number; readonly driftPpm: number };
  /** The button inside that is the physical act of a factory reset (rule X11), low while it is pressed. */
  readonly reset: { readonly pin: number; readonly holdMs: number };
  /** How far the chip's clock may drift while it is awake, in parts per million. */
  readonly driftPpm: number;
  /** Seconds from one visit to the network to the next (rule S14); 0 for a lock that is always online. */
  readonly heartbeatS: number;
  /** The serial port of the console. */
  readonly console: { readonly receive: number; readonly transmit: number; readonly port: number };
  /** Addresses of name servers, and names or addresses of time servers, where the network's own are not to be asked. */
  readonly nameServers: readonly string[];
  readonly timeServers: readonly string[];
}

/** A motor behind a bridge of two inputs (high is on), and two switches that are low at the ends of the way. */
export interface BoltConfig {
  readonly draw: number;
  readonly throw: number;
  readonly drawn: number;
  readonly thrown: number;
  /** The longest that a motion may take, in milliseconds. */
  readonly timeoutMs: number;
  /** How long the motor rests before it turns round, in milliseconds. */
  readonly restMs: number;
}

/** Pins as the bits of two words: of the GPIOs 0 to 31, and of those from 32 on. */
export function pinMask(pins: readonly number[]): readonly [low: number, high: number] {
  let low = 0;
  let high = 0;
  for (const pin of pins) {
    if (pin < 32) low |= 1 << pin;
    else high |= 1 << (pin - 32);
  }
  return [low >>> 0, high >>> 0];
}

/** The pins that somebody who presses a key or the reset button pulls low: they wake the chip from light sleep. */
export function touchMask({ keypad, reset }: BoardConfig): readonly [low: number, high: number] {
  return pinMask([...keypad.columns, reset.pin]);
}

/** What is wrong with a board's manifest, in words; undefined for nothing. Whoever builds a board reads it at its first boot. */
export function faultOfConfig(config: BoardConfig): string | undefined {
  const { keypad, bolt, lights, buzzer } = config;
  if (keypad.rows.length !== 4 || keypad.columns.length !== 3) return "config.lock.keypad: 4 rows, 3 columns";
  const pins = [...keypad.rows, ...keypad.columns, bolt.draw, bolt.throw, bolt.drawn, bolt.thrown];
  pins.push(lights.granted, lights.refused, buzzer.pin, config.reset.pin);
  pins.push(config.console.receive, config.console.transmit);
  if (config.reader !== undefined) pins.push(config.reader.receive, config.reader.transmit);
  if (config.door !== undefined) pins.push(config.door.closed);
  if (config.handle !== undefined) pins.push(config.handle.turned);
  if (config.battery !== undefined) pins.push(config.battery.pin);
  if (config.rtc !== undefined) pins.push(config.rtc.data, config.rtc.clock);
  for (const [i, pin] of pins.entries()) {
    if (!Number.isInteger(pin) || pin < 0 || pin > 39) return `config.lock: no such pin: ${pin}`;
    if (pins.indexOf(pin) !== i) return `config.lock: pin ${pin} has two uses`;
  }
  const isTimed = bolt.timeoutMs > 0 && bolt.restMs > 0 && config.reset.holdMs > 0;
  return isTimed ? undefined : "config.lock: times must be above 0";
}
