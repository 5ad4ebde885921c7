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
