// Lines over a serial port: what comes is gathered up to its end, what goes is written as the port has room. A line longer than the port's
// own buffer of 128 bytes could not be had whole while the lock verifies a signature, so none may be; what is not the beginning of a
// request is noise, and dropped without a word. Never echoes.

import type { Guard } from "./guard";
import type { SerialConstructor, SerialPort } from "./io";

/** The longest line that is taken, in bytes without its end. */
export const MAX_LINE_BYTES = 96;
/** So much may wait to be written; whatever comes then is dropped: nobody reads. */
const MAX_UNSENT_BYTES = 4096;
const BAUD = 115_200;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const OPENING_BRACE = 0x7b;

/** Where the port is. */
export interface LinePins {
  readonly receive: number;
  readonly transmit: number;
  readonly port: number;
}

export class LinePort {
  readonly #serial: SerialPort;
  readonly #onLine: () => void;
  readonly #line = new Uint8Array(MAX_LINE_BYTES);
  /** Bytes of the line that comes, of which only as many are kept as there is room for. */
  #length = 0;
  /** A line that came and was not taken: until it is, others are dropped. */
  #whole = "";
  #isTooLong = false;
  #unsent: Uint8Array[] = [];
  #unsentBytes = 0;
  /** How many bytes the port has room for. */
  #room = 0;

  /** Opens the port; throws where it cannot, as in a debug build, whose debugger has it. `onLine` only takes note. */
  constructor(serial: SerialConstructor, pins: LinePins, guard: Guard, onLine: () => void) {
    this.#onLine = onLine;
    this.#serial = new serial({
      receive: pins.receive,
      transmit: pins.transmit,
      port: pins.port,
      baud: BAUD,
      format: "buffer",
      onReadable: guard.wrap("console", () => this.read()),
      onWritable: guard.wrap("console", (count: number) => {
        this.#room = count;
        this.write();
      }),
    });
  }

  /** The line that came, once; undefined for none, "" for one that was too long. */
  take(): string | undefined {
    if (this.#isTooLong) {
      this.#isTooLong = false;
      return "";
    }
    const line = this.#whole;
    this.#whole = "";
    return line === "" ? undefined : line;
  }

  /** Writes a line, now or when there is room. What is not ASCII becomes a question mark. */
  send(text: string): void {
    if (this.#unsentBytes + text.length >= MAX_UNSENT_BYTES) return;
    const bytes = new Uint8Array(text.length + 1);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      bytes[i] = code < 0x20 || code > 0x7e ? 0x3f : code;
    }
    bytes[text.length] = LINE_FEED;
    this.#unsent.push(bytes);
    this.#unsentBytes += bytes.length;
    this.write();
  }

  close(): void {
    this.#serial.close();
  }

  private read(): void {
    const buffer = this.#serial.read();
    if (buffer === undefined) return;
    const bytes = new Uint8Array(buffer);
    for (let i = 0; i < bytes.length; i++) this.byte(bytes[i]);
  }

  private byte(byte: number): void {
    if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
      this.end();
      return;
    }
    if (this.#length < MAX_LINE_BYTES) this.#line[this.#length] = byte;
    this.#length++;
  }

  private end(): void {
    const length = this.#length;
    this.#length = 0;
    if (length === 0 || this.#line[0] !== OPENING_BRACE || this.#whole !== "") return;
    this.#isTooLong = length > MAX_LINE_BYTES;
    if (!this.#isTooLong) for (let i = 0; i < length; i++) this.#whole += String.fromCharCode(this.#line[i]);
    this.#onLine();
  }

  private write(): void {
    while (this.#room > 0 && this.#unsent.length > 0) {
      const first = this.#unsent[0];
      const count = Math.min(this.#room, first.length);
      this.#room -= count;
      this.#unsentBytes -= count;
      if (count === first.length) this.#unsent.shift();
      else this.#unsent[0] = first.slice(count);
      this.#serial.write(count === first.length ? first : first.slice(0, count));
    }
  }
}
