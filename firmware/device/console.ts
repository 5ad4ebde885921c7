// The lock's end of the factory's test: answers questions that come over its serial port (firmware/console-lines.ts), one at a time, in
// the lock's own turn. What moves the bolt, reads a key or writes is done for a lock that nobody has claimed, and for no other; a claimed
// lock tells its public facts and refuses the rest, also what it was asked before it was claimed. Never echoes, never tells a secret.

import type { Crypto } from "../../protocol/crypto/port";
import { toHex } from "../../protocol/wire/bytes";
import type {
  Ask,
  BoltState,
  ConsoleAnswers,
  ConsoleRefusal,
  FlashFacts,
  LockReport,
} from "../console-lines";
import type { Flash, HeldClock } from "../ports";
import type { Guard } from "./guard";
import type { SerialConstructor, Timers } from "./io";
import { type LinePins, LinePort } from "./line-port";
import { CRYPTO_TESTS, passesCryptoTest } from "./self-test";

/** Is told once what became of it; undefined, with a reason in a few words, when it failed. */
export type Told<T> = (facts: T | undefined, why?: string) => void;
/** Waits for what a person does and tells it once; what it gives ends the waiting, and may be called after that too. */
export type Await<T> = (told: (what: T) => void) => () => void;

/** The lock, as far as the console reaches it. Parts that are not fitted are left out. */
export interface ConsoleFacade {
  /** Whether anybody has claimed the lock. True whenever that is not certain, as for an identity whose flash cannot be read. */
  isClaimed(): boolean;
  /** Milliseconds since boot. */
  uptimeMs(): number;
  report(): LockReport;
  readonly crypto: Crypto;
  random(buffer: Uint8Array): void;
  readonly credentials: Flash;
  readonly events: Flash;
  /** The next key, a number of firmware/core/keypad.ts, in place of the lock's getting it. */
  readonly awaitKey: Await<number>;
  /** The length of the next card's UID in bytes. */
  readonly awaitCard?: Await<number>;
  /** The reset button, pressed however short. */
  readonly awaitReset: Await<void>;
  /** Moves the bolt and tells where it is when the motor rests. */
  moveBolt(to: "draw" | "throw", told: Told<BoltState>): void;
  readonly isDoorClosed?: () => boolean;
  readonly isHandleTurned?: () => boolean;
  /** Shows it now. */
  feedback(show: "granted" | "refused" | "identify"): void;
  readonly batteryMv?: () => number;
  readonly heldClock?: HeldClock;
  /** Looks for Wi-Fi networks and tells how many there are; joins none. */
  readonly countNetworks?: (told: Told<number>) => void;
  isAdvertising(): boolean;
  /** Sleeps lightly for so many seconds, and tells for how many milliseconds it did. */
  sleep(seconds: number, told: Told<number>): void;
  /** Seconds until the watchdog restarts the chip; 0 when it is off. */
  watchdogSeconds(): number;
}

/** What a console is made of. */
export interface ConsoleOptions {
  readonly serial: SerialConstructor;
  readonly pins: LinePins;
  readonly timers: Timers;
  readonly guard: Guard;
  readonly facade: ConsoleFacade;
  /** A question came: {@link Console.tick} is to be called soon. */
  onLine(): void;
}

export const MAX_RANDOM_BYTES = 64;
export const MAX_WAIT_S = 60;
export const MAX_SLEEP_S = 10;
/** The longest that a motion, a look for networks, or waking up may take, in milliseconds. */
const PATIENCE_MS = 15_000;
const RTC_MS = 2000;
/** What a clock that was never set is set to for the test: 2000-01-01, before any time that a lock takes for true. */
const TEST_TIME = 946_684_800;
const FLASH_STEP_BYTES = 512;
const MAX_ID = 65_535;

/** A request as it was read: of every argument only what has its type. */
interface Request {
  readonly ask?: unknown;
  readonly id?: unknown;
  readonly bytes?: unknown;
  readonly seconds?: unknown;
  readonly to?: unknown;
  readonly show?: unknown;
}

/** A question that is being answered. */
interface Pending {
  readonly id: number;
  readonly beganMs: number;
  timer?: object;
  stop?: () => void;
}

export class Console {
  readonly #options: ConsoleOptions;
  readonly #facade: ConsoleFacade;
  #port: LinePort | undefined;
  #pending: Pending | undefined;

  /** Opens the port. Where it cannot be had, that is noted, and the lock goes on without a console. */
  constructor(options: ConsoleOptions) {
    this.#options = options;
    this.#facade = options.facade;
    const { serial, pins, guard } = options;
    guard.run("console", () => {
      this.#port = new LinePort(serial, pins, guard, () => options.onLine());
    });
  }

  /** Whether there is a port. */
  get isOpen(): boolean {
    return this.#port !== undefined;
  }

  /** Answers what has come. Never throws. */
  tick(): void {
    this.#options.guard.run("console", () => {
      if (this.#pending !== undefined && this.isClaimed()) this.refusePending();
      const line = this.#port?.take();
      if (line !== undefined) this.request(line);
    });
  }

  /** Gives the port back. Not from inside its callbacks: the SDK would go on with a port that was freed. */
  close(): void {
    this.release();
    this.#port?.close();
    this.#port = undefined;
  }

  private request(line: string): void {
    const request = line === "" ? undefined : parsed(line);
    const id = request?.id;
    if (request === undefined || !isWhole(id, 0, MAX_ID)) {
      this.refuse(null, line === "" ? "too-long" : "not-a-request");
      return;
    }
    if (request.ask !== "report" && this.isClaimed()) this.refuse(id, "claimed");
    else if (request.ask !== "report" && this.#pending !== undefined) this.refuse(id, "busy");
    else this.begin(id, request);
  }

  private begin(id: number, request: Request): void {
    const pending: Pending = { id, beganMs: this.#facade.uptimeMs() };
    if (request.ask === "report") {
      const isRun = this.#options.guard.run("console", () => this.ok(pending, this.#facade.report()));
      if (!isRun) this.failed(pending, "fault");
      return;
    }
    this.#pending = pending;
    let refusal: ConsoleRefusal | undefined;
    const isRun = this.#options.guard.run("console", () => {
      refusal = this.answer(pending, request);
    });
    if (!isRun) this.end(pending, () => this.failed(pending, "fault"));
    else if (refusal !== undefined) {
      const why = refusal;
      this.end(pending, () => this.refuse(id, why));
    }
  }

  /** Answers, or begins to: gives a refusal where it does neither. */
  private answer(pending: Pending, request: Request): ConsoleRefusal | undefined {
    const facade = this.#facade;
    const { seconds, bytes } = request;
    const isWait = isWhole(seconds, 1, MAX_WAIT_S);
    switch (request.ask) {
      case "crypto":
        return this.done<"crypto">(pending, this.testCrypto());
      case "random":
        if (!isWhole(bytes, 1, MAX_RANDOM_BYTES)) return "bad-argument";
        return this.done<"random">(pending, { bytes: this.random(bytes) });
      case "flash": {
        const facts = { credentials: readThrough(facade.credentials), events: readThrough(facade.events) };
        return this.done<"flash">(pending, facts);
      }
      case "keypad":
        if (!isWait) return "bad-argument";
        return this.wait(pending, facade.awaitKey, seconds, (key): ConsoleAnswers["keypad"] => ({
          key: key ?? null,
        }));
      case "card":
        if (!isWait) return "bad-argument";
        return this.wait(pending, facade.awaitCard, seconds, (length): ConsoleAnswers["card"] => ({
          uidBytes: length ?? null,
        }));
      case "reset":
        if (!isWait) return "bad-argument";
        return this.wait(pending, facade.awaitReset, seconds, (_, isSeen): ConsoleAnswers["reset"] => ({
          pressed: isSeen,
        }));
      case "door":
        if (facade.isDoorClosed === undefined) return "absent";
        return this.done<"door">(pending, { closed: facade.isDoorClosed() });
      case "handle":
        if (facade.isHandleTurned === undefined) return "absent";
        return this.done<"handle">(pending, { turned: facade.isHandleTurned() });
      case "battery":
        if (facade.batteryMv === undefined) return "absent";
        return this.done<"battery">(pending, { mv: facade.batteryMv() });
      case "bluetooth":
        return this.done<"bluetooth">(pending, { advertising: facade.isAdvertising() });
      case "watchdog":
        return this.done<"watchdog">(pending, { seconds: facade.watchdogSeconds() });
      default:
        return this.act(pending, request);
    }
  }

  /** The rest of {@link #answer}: what does something to the lock. */
  private act(pending: Pending, { ask, to, show, seconds }: Request): ConsoleRefusal | undefined {
    const facade = this.#facade;
    switch (ask) {
      case "bolt":
        if (to !== "draw" && to !== "throw") return "bad-argument";
        this.limit(pending);
        facade.moveBolt(
          to,
          this.told<"bolt", BoltState>(pending, (state) => ({ state })),
        );
        return undefined;
      case "feedback":
        if (show !== "granted" && show !== "refused" && show !== "identify") return "bad-argument";
        facade.feedback(show);
        return this.done<"feedback">(pending, { shown: true });
      case "rtc":
        if (facade.heldClock === undefined) return "absent";
        this.watchClock(pending, facade.heldClock);
        return undefined;
      case "wifi":
        if (facade.countNetworks === undefined) return "absent";
        this.limit(pending);
        facade.countNetworks(this.told<"wifi", number>(pending, (networks) => ({ networks })));
        return undefined;
      case "sleep":
        if (!isWhole(seconds, 1, MAX_SLEEP_S)) return "bad-argument";
        this.limit(pending, PATIENCE_MS + 1000 * seconds);
        facade.sleep(
          seconds,
          this.told<"sleep", number>(pending, (sleptMs) => ({ sleptMs })),
        );
        return undefined;
      default:
        return "unknown";
    }
  }

  private testCrypto(): ConsoleAnswers["crypto"] {
    const { crypto } = this.#facade;
    const passed: string[] = [];
    const wrong: string[] = [];
    for (const name of CRYPTO_TESTS) (passesCryptoTest(crypto, name) ? passed : wrong).push(name);
    return { backend: crypto.name, passed, wrong };
  }

  private random(count: number): string {
    const buffer = new Uint8Array(count);
    this.#facade.random(buffer);
    return toHex(buffer);
  }

  /** Looks twice at a clock. One that was never set is set for it, to a time that no lock takes for true. */
  private watchClock(pending: Pending, held: HeldClock): void {
    const wasSet = held.read() !== 0;
    if (!wasSet) held.set(TEST_TIME);
    const first = held.read();
    pending.timer = this.after(RTC_MS, pending, () => {
      this.done<"rtc">(pending, { wasSet, ticked: held.read() - first });
    });
  }

  /** Waits for what a person does; tells `undefined` when the time is over. */
  private wait<T>(
    pending: Pending,
    begin: Await<T> | undefined,
    seconds: number,
    answer: (what: T | undefined, isSeen: boolean) => ConsoleAnswers[Ask],
  ): ConsoleRefusal | undefined {
    if (begin === undefined) return "absent";
    pending.timer = this.after(1000 * seconds, pending, () => this.done(pending, answer(undefined, false)));
    const told = this.#options.guard.wrap("console", (what: T) => this.done(pending, answer(what, true)));
    const stop = begin(told);
    // Whoever tells at once has nothing left to stop.
    if (this.#pending === pending) pending.stop = stop;
    else stop();
    return undefined;
  }

  private limit(pending: Pending, ms = PATIENCE_MS): void {
    pending.timer = this.after(ms, pending, () => {
      this.end(pending, () => this.failed(pending, "no answer from the part"));
    });
  }

  private after(ms: number, pending: Pending, then: () => void): object {
    const { timers, guard } = this.#options;
    const onTime = guard.wrap("console", () => {
      pending.timer = undefined;
      if (!guard.run("console", then)) this.end(pending, () => this.failed(pending, "fault"));
    });
    return timers.set(onTime, ms);
  }

  private told<A extends Ask, T>(pending: Pending, answer: (facts: T) => ConsoleAnswers[A]): Told<T> {
    return this.#options.guard.wrap("console", (facts: T | undefined, why?: string) => {
      if (facts !== undefined) this.done(pending, answer(facts));
      else this.end(pending, () => this.failed(pending, why ?? "failed"));
    });
  }

  /** Tells the facts, unless the question is over, or the lock was claimed meanwhile. */
  private done<A extends Ask>(pending: Pending, facts: ConsoleAnswers[A]): undefined {
    this.end(pending, () => this.ok(pending, facts));
    return undefined;
  }

  private end(pending: Pending, tell: () => void): void {
    if (this.#pending !== pending) return;
    if (this.isClaimed()) this.refusePending();
    else {
      this.release();
      tell();
    }
  }

  private refusePending(): void {
    const id = this.#pending?.id;
    this.release();
    if (id !== undefined) this.refuse(id, "claimed");
  }

  /** Ends waiting; whatever is told after this is nobody's. */
  private release(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    const { timers, guard } = this.#options;
    if (pending.timer !== undefined) timers.clear(pending.timer);
    if (pending.stop !== undefined) guard.run("console", pending.stop);
  }

  private isClaimed(): boolean {
    let isClaimed = true;
    this.#options.guard.run("console", () => {
      isClaimed = this.#facade.isClaimed() !== false;
    });
    return isClaimed;
  }

  private ok({ id, beganMs }: Pending, ok: ConsoleAnswers[Ask]): void {
    this.send({ tumbler: id, ms: this.#facade.uptimeMs() - beganMs, ok });
  }

  private failed({ id, beganMs }: Pending, failed: string): void {
    this.send({ tumbler: id, ms: this.#facade.uptimeMs() - beganMs, failed });
  }

  private refuse(id: number | null, refused: ConsoleRefusal): void {
    this.send({ tumbler: id, refused });
  }

  private send(reply: object): void {
    this.#options.guard.run("console", () => this.#port?.send(JSON.stringify(reply)));
  }
}

/** An object that a line holds; undefined when it holds none. */
function parsed(line: string): Request | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

/** Reads a partition from end to end, a piece at a time. Throws where it cannot be read. */
function readThrough(flash: Flash): FlashFacts {
  const { size, blockLength, blocks } = flash.status();
  const buffer = new Uint8Array(FLASH_STEP_BYTES);
  let read = 0;
  for (; read + FLASH_STEP_BYTES <= size; read += FLASH_STEP_BYTES) flash.read(buffer, read);
  return { size, blockLength, blocks, read };
}
