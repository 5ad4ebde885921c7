// A lock as its serial port shows it: the console with a facade whose parts a test moves, on a double of the SDK's class Serial that loses
// what nobody reads in time, throws when it is written to without room, and says when there is room again.

import { Duplex } from "node:stream";
import type { LockReport } from "../../firmware/console-lines";
import { Console, type ConsoleFacade } from "../../firmware/device/console";
import { Guard } from "../../firmware/device/guard";
import type { SerialConstructor, SerialOptions, SerialPort, Timers } from "../../firmware/device/io";
import { node as nodeCrypto } from "../../simulator/board/crypto";
import { NorFlash } from "../../simulator/board/nor";

export const FIFO_BYTES = 128;
/** The port tells of room when no more than this waits to be sent. */
const LOW_BYTES = 10;

/** Runs something soon, and not inside the call. */
type Post = (job: () => void) => void;

/** The double, and the other end of its line. */
export class SerialDouble {
  readonly Serial: SerialConstructor;
  options: SerialOptions | undefined;
  /** Is given what the lock sends. */
  onBytes: (bytes: Uint8Array) => void = () => {};
  lost = 0;
  isClosed = false;
  readonly #post: Post;
  #received: number[] = [];
  #sending: number[] = [];

  constructor(post: Post) {
    this.#post = post;
    const line = this;
    this.Serial = class implements SerialPort {
      format = "buffer";
      constructor(options: SerialOptions) {
        line.options = options;
        post(() => options.onWritable?.call(this, FIFO_BYTES));
      }
      read(): ArrayBuffer | undefined {
        return line.#received.length === 0 ? undefined : Uint8Array.from(line.#received.splice(0)).buffer;
      }
      write(bytes: ArrayBuffer | Uint8Array): void {
        line.#write(new Uint8Array(bytes));
      }
      close(): void {
        line.isClosed = true;
      }
    };
  }

  /** Bytes from the other end, all at once: more than there is room for are lost. */
  send(bytes: Iterable<number>): void {
    for (const byte of bytes) {
      if (this.#received.length < FIFO_BYTES) this.#received.push(byte);
      else this.lost++;
    }
    this.#post(() => {
      if (this.#received.length > 0) this.options?.onReadable?.(this.#received.length);
    });
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length > FIFO_BYTES - this.#sending.length) throw new Error("output full");
    this.#sending.push(...bytes);
    if (this.#sending.length === bytes.length) this.#post(() => this.#drain());
  }

  #drain(): void {
    const sent = Uint8Array.from(this.#sending.splice(0, Math.max(1, this.#sending.length - LOW_BYTES)));
    this.onBytes(sent);
    if (this.#sending.length > LOW_BYTES) this.#post(() => this.#drain());
    else this.#rest();
  }

  #rest(): void {
    this.onBytes(Uint8Array.from(this.#sending.splice(0)));
    this.options?.onWritable?.(FIFO_BYTES);
  }
}

/** What a healthy lock that nobody has claimed reports. */
export const REPORT: LockReport = {
  firmware: "tumbler 0.1.0",
  board: "bench",
  profile: "lock-1000",
  lock: "00112233aabbccdd",
  publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
  mounted: true,
  claimed: false,
  uptime: 12,
  resetReason: "power-on",
  faults: 0,
  lastFault: "",
  freeHeap: 61_000,
  flashEncryption: true,
  secureBoot: true,
  securityVersion: 1,
  batteryMv: 5900,
  bolt: "drawn",
  doorClosed: true,
  rtc: 0,
  advertising: true,
  network: "off",
};

/** Settings of a lock for a test. */
export type Parts = { -readonly [Name in keyof ConsoleFacade]: ConsoleFacade[Name] };

/** A lock on a bench. */
export class ConsoleLock {
  readonly guard = new Guard();
  readonly serial: SerialDouble;
  readonly console: Console;
  /** What is exchanged here, a test has replaced. */
  readonly parts: Parts;
  claimed = false;
  report: LockReport = REPORT;
  /** What was done to the lock, in its order. */
  readonly done: string[] = [];
  onKey: ((key: number) => void) | undefined;
  onCard: ((bytes: number) => void) | undefined;
  onReset: (() => void) | undefined;
  rtcTime = 0;

  constructor(timers: Timers, post: Post, now: () => number) {
    this.serial = new SerialDouble(post);
    this.parts = this.#facade(timers, now);
    this.console = new Console({
      serial: this.serial.Serial,
      pins: { receive: 3, transmit: 1, port: 0 },
      timers,
      guard: this.guard,
      facade: this.parts,
      onLine: () => post(() => this.console.tick()),
    });
  }

  #facade(timers: Timers, now: () => number): Parts {
    const began = now();
    return {
      isClaimed: () => this.claimed,
      uptimeMs: () => now() - began,
      report: () => {
        const uptime = this.report.uptime + (now() - began) / 1000;
        return { ...this.report, uptime, claimed: this.claimed };
      },
      crypto: nodeCrypto,
      random: (buffer) => void globalThis.crypto.getRandomValues(buffer),
      credentials: new NorFlash(192 * 1024),
      events: new NorFlash(320 * 1024),
      awaitKey: (told) => {
        this.onKey = told;
        return () => {
          this.onKey = undefined;
        };
      },
      awaitCard: (told) => {
        this.onCard = told;
        return () => {
          this.onCard = undefined;
        };
      },
      awaitReset: (told) => {
        this.onReset = told;
        return () => {
          this.onReset = undefined;
        };
      },
      moveBolt: (to, told) => {
        this.done.push(to);
        timers.set(() => told(to === "draw" ? "drawn" : "thrown"), 300);
      },
      isDoorClosed: () => true,
      isHandleTurned: () => false,
      feedback: (show) => void this.done.push(show),
      batteryMv: () => 5900,
      heldClock: {
        driftPpm: 20,
        read: () => (this.rtcTime === 0 ? 0 : this.rtcTime + Math.floor(now() / 1000)),
        set: (time) => {
          this.rtcTime = time - Math.floor(now() / 1000);
        },
      },
      countNetworks: (told) => void timers.set(() => told(3), 100),
      isAdvertising: () => true,
      sleep: (seconds, told) => void timers.set(() => told(1000 * seconds + 4), 1000 * seconds),
      watchdogSeconds: () => 20,
    };
  }
}

/** A lock in real time, and the stream at the other end of its line. */
export function lockOnStream(): { readonly lock: ConsoleLock; readonly stream: Duplex } {
  const timers: Timers = {
    set: (callback, ms) => setTimeout(callback, ms),
    repeat: (callback, ms) => setInterval(callback, ms),
    clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
  };
  const lock = new ConsoleLock(timers, (job) => void setImmediate(job), Date.now);
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      lock.serial.send(chunk);
      done();
    },
  });
  lock.serial.onBytes = (bytes) => void stream.push(Buffer.from(bytes));
  return { lock, stream };
}
