// The SDK's class Serial with a line to something outside. As on the ESP32 both ways have 128 bytes of room: what comes on top is lost,
// what is written on top throws. Bytes are told of later from the message loop, and again only when more have come; a port that is closed
// inside its own callback is used after it was freed, which this double says by throwing.

import type { SerialConstructor, SerialOptions, SerialPort } from "../../../firmware/device/io";
import type { Pins } from "./digital";

const FIFO_BYTES = 128;
const BITS_A_BYTE = 10;
const PORTS = 3;

/** The other end of the line. */
export class SerialLine {
  /** Is given what the port has sent. */
  onBytes: (bytes: Uint8Array) => void = () => {};
  /** Bytes that were lost because nobody read them in time. */
  lost = 0;
  receive: ((bytes: Uint8Array) => void) | undefined;

  /** Sends bytes to the port. */
  send(bytes: Iterable<number>): void {
    this.receive?.(Uint8Array.from(bytes));
  }
}

/** The class, and the line that a port of it has. */
export function serialOf(pins: Pins): { readonly Serial: SerialConstructor; readonly line: SerialLine } {
  const line = new SerialLine();
  const { timers } = pins;
  class Serial implements SerialPort {
    readonly #options: SerialOptions;
    #format: string;
    #received: number[] = [];
    /** When all that was written is out, in milliseconds. */
    #sentAt = 0;
    #isClosed = false;
    #isTold = false;
    #isInside = false;

    constructor(options: SerialOptions) {
      const { receive, transmit, port = 0, baud, format = "buffer" } = options;
      for (const pin of [transmit, receive])
        if (pin !== undefined && !pins.isFree(pin)) throw new Error("in use");
      if (transmit === undefined && receive === undefined) throw new Error("invalid");
      if (port < 0 || port >= PORTS) throw new RangeError("invalid port");
      if (!(baud > 0)) throw new RangeError("invalid baud");
      if (format !== "number" && format !== "buffer") throw new RangeError("invalid format");
      this.#options = options;
      this.#format = format;
      for (const pin of [transmit, receive]) if (pin !== undefined) pins.take(pin);
      line.receive = (bytes) => this.#take(bytes);
    }

    get format(): string {
      this.#check();
      return this.#format;
    }

    set format(format: string) {
      this.#check();
      if (format !== "number" && format !== "buffer") throw new RangeError("unimplemented");
      this.#format = format;
    }

    read(): ArrayBuffer | undefined {
      this.#check();
      if (this.#received.length === 0) return undefined;
      if (this.#format === "number") return this.#received.shift() as unknown as ArrayBuffer;
      return Uint8Array.from(this.#received.splice(0)).buffer;
    }

    write(bytes: ArrayBuffer | Uint8Array): void {
      this.#check();
      const sent =
        this.#format === "number"
          ? Uint8Array.of(bytes as unknown as number)
          : new Uint8Array(bytes as ArrayBuffer);
      const msAByte = (1000 * BITS_A_BYTE) / this.#options.baud;
      const waiting = Math.ceil(Math.max(0, this.#sentAt - timers.now) / msAByte);
      if (sent.length > FIFO_BYTES - waiting) throw new Error("output full");
      this.#sentAt = Math.max(this.#sentAt, timers.now) + sent.length * msAByte;
      timers.set(() => line.onBytes(sent), Math.ceil(this.#sentAt - timers.now));
    }

    close(): void {
      if (this.#isClosed) return;
      if (this.#isInside) throw new Error("closed inside its callback: the SDK uses it after it was freed");
      this.#isClosed = true;
      line.receive = undefined;
      const { receive, transmit } = this.#options;
      for (const pin of [transmit, receive]) if (pin !== undefined) pins.free(pin);
    }

    #check(): void {
      if (this.#isClosed) throw new TypeError("no host data");
    }

    #take(bytes: Uint8Array): void {
      for (const byte of bytes) {
        if (this.#received.length < FIFO_BYTES) this.#received.push(byte);
        else line.lost++;
      }
      if (this.#isTold || this.#options.onReadable === undefined) return;
      this.#isTold = true;
      timers.post(() => this.#tell());
    }

    #tell(): void {
      this.#isTold = false;
      if (this.#isClosed || this.#received.length === 0) return;
      this.#isInside = true;
      this.#options.onReadable?.call(this, this.#received.length);
      this.#isInside = false;
    }
  }
  return { Serial, line };
}
