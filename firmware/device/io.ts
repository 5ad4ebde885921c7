// What the device's files need of the host, in the shapes of ECMA-419 and of the SDK's timer: they are injected, so that every file runs
// with doubles as well.

/** The SDK's module `timer`, as far as it is used. Times are in milliseconds. */
export interface Timers {
  /** Calls back once. */
  set(callback: () => void, ms: number): object;
  /** Calls back again and again. */
  repeat(callback: () => void, ms: number): object;
  clear(timer: object): void;
}

/** A digital pin (ECMA-419, clause 10): 0 or 1. */
export interface DigitalPin {
  read(): number;
  write(value: number): void;
  close(): void;
}

/** How a digital pin is opened. */
export interface DigitalOptions {
  readonly pin: number;
  /** One of the modes of the constructor. */
  readonly mode: number;
  /** The edges that `onReadable` is called for: bits of the constructor's Rising and Falling. */
  readonly edge?: number;
  readonly initialValue?: number;
  onReadable?(): void;
}

/** The class Digital (ECMA-419, clause 10.2). */
export interface DigitalConstructor {
  new (options: DigitalOptions): DigitalPin;
  readonly Input: number;
  readonly InputPullUp: number;
  readonly InputPullDown: number;
  readonly Output: number;
  readonly OutputOpenDrain: number;
  readonly Rising: number;
  readonly Falling: number;
}

/** A pulse-width modulator (ECMA-419, clause 10.5). */
export interface PwmPin {
  /** The resolution in bits: the duty cycle goes from 0 to 2^resolution − 1. */
  readonly resolution: number;
  write(duty: number): void;
  close(): void;
}

/** The class PWM. */
export type PwmConstructor = new (options: { readonly pin: number; readonly hz: number }) => PwmPin;

/** An analog input (ECMA-419, clause 10.4). */
export interface AnalogPin {
  /** The resolution in bits: readings go from 0 to 2^resolution − 1. */
  readonly resolution: number;
  read(): number;
  close(): void;
}

/** The class Analog. */
export type AnalogConstructor = new (options: { readonly pin: number }) => AnalogPin;

/** A serial port (ECMA-419, clause 10.7). */
export interface SerialPort {
  /** "number" for single bytes, "buffer" for as many as there are. */
  format: string;
  /** The bytes that are there, undefined for none. */
  read(): ArrayBuffer | undefined;
  write(bytes: ArrayBuffer | Uint8Array): void;
  close(): void;
}

/** How a serial port is opened. */
export interface SerialOptions {
  readonly receive?: number;
  readonly transmit?: number;
  readonly baud: number;
  readonly port?: number;
  readonly format?: string;
  /** Called with how many bytes can be read. */
  onReadable?(count: number): void;
  /** Called with how many bytes may be written. */
  onWritable?(count: number): void;
}

/** The class Serial. */
export type SerialConstructor = new (options: SerialOptions) => SerialPort;
