// One XS machine in a process of its own, and what its engine counts. The frames are those of native/worker.c.
//
// How things are measured:
// - compute: XS's meter, one per bytecode instruction and per step inside a built-in. The same on every run, processor and build.
// - heap: slots in use × 16 bytes + bytes of chunks in use, headers included, right after a forced collection. Both are XS's
//   own counters (currentHeapCount, currentChunksSize). A 64-bit build is counted at the board's widths; because its chunks are
//   padded to 8 bytes, not 4, it then shows up to 4 bytes more for each chunk, never less. Bytecode and constant strings are not in
//   the heap: they run in place, as on the board from flash. Built-ins and a bundle's own functions are, so measure what a
//   lock adds as the difference of two heaps.
// - peak: the same sum at the worst moment. A count of all that stands in the heap would count garbage, and so tell how seldom the
//   engine collects; so it is made to collect after every so many steps, and the most that is ever left is the peak.
// - stack: slots beyond those of an idle machine, found by painting what is free.
// - bytecode: the size of the compiled script, as the engine's own compiler makes it, without symbol names.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { type Bits, workerPath } from "./engine";
import { FREEZE } from "./freeze";

/** What one evaluation or request cost. Allocations are gross, in the build's own widths, and only known if `collected` is false. */
export interface Meter {
  compute: number;
  slots: number;
  chunkBytes: number;
  /** True if the engine collected garbage meanwhile: then `slots` and `chunkBytes` are the net change. */
  collected: boolean;
  /** Bytecode of the evaluated script; 0 for a request. */
  bytecodeBytes: number;
}

export interface Heap {
  slots: number;
  /** At the board's widths. */
  chunkBytes: number;
  /** slots × 16 + chunkBytes. */
  bytes: number;
  /** chunkBytes in the widths of this build: what a fixed heap of it has to hold. */
  nativeChunkBytes: number;
  bits: Bits;
}

/** The most that was live of each at once, at the board's widths, and how deep the stack was; all while it was watched. */
export interface Peak {
  slots: number;
  chunkBytes: number;
  /** The most that slots × 16 + chunk bytes came to. */
  bytes: number;
  /** Beyond what an idle machine has on its stack. */
  stackSlots: number;
}

export interface Evaluation {
  /** The completion value: undefined, bytes as they are, anything else as String() gives it (without characters beyond U+FFFF). */
  value: string | Uint8Array | undefined;
  meter: Meter;
}

export interface Reply {
  bytes: Uint8Array;
  meter: Meter;
}

export interface MachineOptions {
  /** Start as on a lock: built-ins frozen; none of what a lock lacks or what the core must not use. See freeze.ts. */
  frozen?: boolean;
  /** A heap that cannot grow, as on the board; built-ins and the bundle are in it too. Without it there is plenty. */
  fixed?: { slots: number; nativeChunkBytes: number };
  /** Stack slots; the board's standard is 512. */
  stackSlots?: number;
  /** How long one call may take before the machine is ended, in milliseconds. */
  timeoutMs?: number;
  /** The width of the engine; left out, that of the build that every test uses. */
  bits?: Bits;
}

/** The engine stopped: memory or stack ran out, or a call took too long. The machine is gone. */
export class XsStopped extends Error {}

/** The program threw; the message is the exception's text and stack. The machine lives on. */
export class XsException extends Error {}

interface Frame {
  kind: string;
  body: Buffer;
}

interface Unreferable {
  unref(): void;
}

interface Waiting {
  resolve(frame: Frame): void;
  reject(error: Error): void;
}

export class XsMachine {
  private readonly worker: ChildProcess;
  private readonly timeoutMs: number;
  private waiting: Waiting | undefined;
  private received: Buffer = Buffer.alloc(0);
  private complaint = "";
  private stopped: XsStopped | undefined;

  private constructor(worker: ChildProcess, timeoutMs: number) {
    this.worker = worker;
    this.timeoutMs = timeoutMs;
    (worker.stdio[4] as Duplex).on("data", (data: Buffer) => this.receive(data));
    (worker.stdio[3] as Duplex).on("error", () => {}); // the exit of the worker tells more
    worker.stderr!.on("data", (data: Buffer) => {
      this.complaint += data.toString();
    });
    worker.on("close", (code, signal) => this.stop(this.complaint.trim() || "exit " + (signal ?? code)));
    // A machine that nobody closed must not keep the tests from ending; a call in progress does, by its timer.
    for (const handle of [worker, ...worker.stdio]) (handle as Unreferable | null)?.unref();
  }

  /** Starts a machine; builds the engine first if need be. */
  static async start(options: MachineOptions = {}): Promise<XsMachine> {
    const { fixed, stackSlots = 0, timeoutMs = 60_000 } = options;
    const sizes = [fixed?.slots ?? 0, fixed?.nativeChunkBytes ?? 0, stackSlots];
    const worker = spawn(await workerPath(options.bits), sizes.map(String), {
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
    });
    await once(worker, "spawn");
    const machine = new XsMachine(worker, timeoutMs);
    if (options.frozen) await machine.evaluate(FREEZE);
    return machine;
  }

  /** Runs `code` as a strict script in the machine's one realm, and its promise jobs. Throws XsException or XsStopped. */
  async evaluate(code: string): Promise<Evaluation> {
    const { kind, body } = await this.call("e", Buffer.from(code));
    const { meter, rest } = splitMeter(body);
    const value = kind === "u" ? undefined : kind === "s" ? rest.toString() : new Uint8Array(rest);
    return { value, meter };
  }

  /** Calls the global function handleRequest(bytes) and gives the bytes it returns. Throws XsException or XsStopped. */
  async request(bytes: Uint8Array): Promise<Uint8Array> {
    return (await this.meteredRequest(bytes)).bytes;
  }

  /** As `request`, with its meter. */
  async meteredRequest(bytes: Uint8Array): Promise<Reply> {
    const { kind, body } = await this.call("r", bytes);
    const { meter, rest } = splitMeter(body);
    if (kind !== "b")
      throw new XsException("handleRequest: wanted bytes back, got " + (rest.toString() || "nothing"));
    return { bytes: new Uint8Array(rest), meter };
  }

  /** Collects garbage and gives what is then in use. */
  async heap(): Promise<Heap> {
    const { body } = await this.call("h");
    return JSON.parse(body.toString());
  }

  /**
   * Makes the bundle, the global object `globalName`, like preloaded modules in flash: what it exports is frozen in depth (which is
   * stricter than flash), and every buffer, map, set and date that exists is read-only. A write to one throws a TypeError.
   */
  async preload(globalName = "bundle"): Promise<void> {
    await this.evaluate("for (const name in " + globalName + ") harden(" + globalName + "[name]);");
    await this.call("p");
  }

  /**
   * Gives the global function nextResult() what it returns from here on, call by call: for each its length, two bytes, big-endian, and its
   * bytes; 0xFFFF for undefined. Throws an XsException where the results before were not all asked for.
   */
  async prompt(results: Uint8Array): Promise<void> {
    await this.call("c", results);
  }

  /** Leaves the machine so many stack slots from here on, beyond what it has on its stack when idle; those of a load are given back. */
  async limitStack(slots: number): Promise<void> {
    await this.call("k", numberBytes(slots));
  }

  /** Collects garbage after every `interval` steps from here on, and keeps the most that is live then; 0 for not at all. */
  async watch(interval: number): Promise<void> {
    await this.peak(interval);
  }

  /** What was watched since the last call; watches on with `interval`. */
  async peak(interval = 0): Promise<Peak> {
    const { body } = await this.call("w", numberBytes(interval));
    return JSON.parse(body.toString());
  }

  /**
   * What one run of the statements `call` costs: its second run minus an empty one, so that what the first run sets up does not
   * count. The statements see the machine's globals. Deterministic.
   */
  async measure(call: string): Promise<Meter> {
    await this.loop(call, 1);
    const once = await this.loop(call, 1);
    const none = await this.loop(call, 0);
    const emptyOnce = await this.loop("", 1);
    const emptyNone = await this.loop("", 0);
    return {
      compute: once.compute - none.compute - (emptyOnce.compute - emptyNone.compute),
      slots: once.slots - none.slots,
      chunkBytes: once.chunkBytes - none.chunkBytes,
      collected: once.collected,
      bytecodeBytes: none.bytecodeBytes - emptyNone.bytecodeBytes,
    };
  }

  /** Ends the machine. */
  async close(): Promise<void> {
    if (this.stopped) return;
    this.worker.ref();
    const closed = once(this.worker, "close");
    (this.worker.stdio[3] as Duplex).end();
    await closed;
  }

  private async loop(statements: string, times: number): Promise<Meter> {
    const { meter } = await this.evaluate(
      "((n) => { for (let i = 0; i < n; i++) { " + statements + "\n} })(" + times + ")",
    );
    return meter;
  }

  private async call(kind: string, body: Uint8Array = new Uint8Array()): Promise<Frame> {
    if (this.stopped) throw this.stopped;
    if (this.waiting) throw new Error("an XS machine does one thing at a time: await the call before");
    const timer = setTimeout(() => {
      this.complaint = "no answer within " + this.timeoutMs + " ms";
      this.worker.kill("SIGKILL");
    }, this.timeoutMs);
    try {
      const frame = await new Promise<Frame>((resolve, reject) => {
        this.waiting = { resolve, reject };
        const head = Buffer.alloc(5);
        head.writeUInt32LE(body.length + 1);
        head.write(kind, 4, "latin1");
        (this.worker.stdio[3] as Duplex).write(Buffer.concat([head, body]));
      });
      if (frame.kind === "!") throw new XsException(frame.body.toString());
      return frame;
    } finally {
      clearTimeout(timer);
    }
  }

  private receive(data: Buffer): void {
    this.received = Buffer.concat([this.received, data]);
    if (this.received.length < 4) return;
    const end = 4 + this.received.readUInt32LE(0);
    if (this.received.length < end) return;
    const frame = { kind: String.fromCharCode(this.received[4]), body: this.received.subarray(5, end) };
    this.received = this.received.subarray(end);
    const waiting = this.waiting;
    this.waiting = undefined;
    waiting?.resolve(frame);
  }

  private stop(why: string): void {
    this.stopped = new XsStopped("XS stopped: " + why);
    this.waiting?.reject(this.stopped);
    this.waiting = undefined;
  }
}

function numberBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function splitMeter(body: Buffer): { meter: Meter; rest: Buffer } {
  const end = body.indexOf("\n");
  return { meter: JSON.parse(body.subarray(0, end).toString()), rest: body.subarray(end + 1) };
}
