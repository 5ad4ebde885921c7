// Card readers: whatever gives UIDs to `onCard`. The one here is a PN532 on a serial port that is asked some times a second for a card of
// ISO 14443-A at 106 kbit/s; its field is off in between. A card that lies on the reader is told once, until it was gone. A reader that does
// not answer is tried again slowly and reported; the lock goes on without it. A Wiegand reader needs native code: its pulses of 50 µs are
// coalesced by the SDK's digital pins, which call back after the fact. A UID is told and otherwise only compared.

import type { Guard } from "./guard";
import type { SerialConstructor, SerialPort, Timers } from "./io";
import type { ReaderFrame } from "./pn532-frames";
import { FrameFinder, packCommand } from "./pn532-frames";

/** What a reader is doing: "dead" is one that does not answer. */
export type ReaderState = "starting" | "ready" | "dead";

/** Something that tells of cards by the `onCard` it was made with. */
export interface CardReader {
  readonly state: ReaderState;
  /** Whether the chip has to stay awake for it. */
  readonly isBusy: boolean;
}

/** Between two looks for a card, and between two tries at a reader that does not answer, in milliseconds. */
export const LOOK_MS = 250;
export const RETRY_MS = 30_000;
/** The longest that a command may take, its acknowledgement included, in milliseconds. */
const ANSWER_MS = 200;
/** Tries at one command. */
const TRIES = 3;
/** Looks without a card after which it has left: a card at the edge of the field comes and goes. */
const GONE_LOOKS = 3;

/** Wakes the reader's serial port: a preamble that is long enough for its oscillator to start. */
const WAKE_UP = Uint8Array.of(0x55, 0x55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

interface Command {
  readonly code: number;
  readonly parameters: readonly number[];
}
/** Normal mode, without a security module. */
const SAM_CONFIGURATION: Command = { code: 0x14, parameters: [0x01, 0x14, 0x01] };
/** Item 5: looks for a card are over soon, whether there is one or not. */
const MAX_RETRIES: Command = { code: 0x32, parameters: [0x05, 0xff, 0x01, 0x02] };
/** One target at 106 kbit/s, type A. Switches the field on. */
const LIST_TARGET: Command = { code: 0x4a, parameters: [0x01, 0x00] };
/** Item 1. A card that was without a field answers the next look again. */
const FIELD_OFF: Command = { code: 0x32, parameters: [0x01, 0x00] };

/** What comes after what; the last two again and again. */
const COMMANDS: readonly Command[] = [SAM_CONFIGURATION, MAX_RETRIES, LIST_TARGET, FIELD_OFF];
const FIRST_LOOK = 2;

/** What a {@link Pn532Reader} is made of. */
export interface Pn532ReaderOptions {
  readonly pins: {
    readonly receive: number;
    readonly transmit: number;
    readonly baud: number;
    readonly port: number;
  };
  readonly Serial: SerialConstructor;
  readonly timers: Timers;
  readonly guard: Guard;
  /** Is given the UID of a card that has come: 4, 7 or 10 bytes. */
  onCard(uid: Uint8Array): void;
  /** Is told when the reader has died or come back. */
  onState?(state: ReaderState): void;
}

export class Pn532Reader implements CardReader {
  readonly #options: Pn532ReaderOptions;
  readonly #port: SerialPort;
  readonly #finder = new FrameFinder();
  readonly #turn: () => void;
  #timer: object | undefined;
  #state: ReaderState = "starting";
  /** The command in hand, of COMMANDS; and whether the reader has acknowledged it. */
  #command = 0;
  #isSent = false;
  #isAcknowledged = false;
  #tries = 0;
  /** The card that lies on the reader, and how many looks have missed it. */
  #card: Uint8Array | undefined;
  #misses = 0;

  /** Opens the port; throws when it cannot be had. */
  constructor(options: Pn532ReaderOptions) {
    const { pins, Serial, guard } = options;
    this.#options = options;
    this.#turn = guard.wrap("reader", () => this.timeOver());
    const onReadable = guard.wrap("reader", () => this.read());
    this.#port = new Serial({ ...pins, format: "buffer", onReadable });
    this.wait(0);
  }

  get state(): ReaderState {
    return this.#state;
  }

  /** Whether the reader owes an answer: the chip's serial port does not work while it sleeps. */
  get isBusy(): boolean {
    return this.#isSent;
  }

  private wait(ms: number): void {
    const { timers } = this.#options;
    if (this.#timer !== undefined) timers.clear(this.#timer);
    this.#timer = timers.set(this.#turn, ms);
  }

  /** It is time for a command, or an answer has not come. */
  private timeOver(): void {
    if (!this.#isSent || ++this.#tries < TRIES) this.send();
    else this.die();
  }

  private send(): void {
    // A write that throws is an answer that does not come.
    this.wait(ANSWER_MS);
    this.#isSent = true;
    this.#isAcknowledged = false;
    this.#finder.clear();
    if (this.#command === 0) this.#port.write(WAKE_UP);
    const { code, parameters } = COMMANDS[this.#command];
    this.#port.write(packCommand(code, parameters));
  }

  private die(): void {
    this.#isSent = false;
    this.#tries = 0;
    this.#command = 0;
    this.wait(RETRY_MS);
    this.enter("dead");
  }

  private enter(state: ReaderState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }

  private read(): void {
    const bytes = this.#port.read();
    if (bytes === undefined) return;
    for (const byte of new Uint8Array(bytes)) {
      this.#finder.push(byte);
      for (let frame = this.#finder.next(); frame !== undefined; frame = this.#finder.next())
        // What comes unasked, or late, belongs to nothing.
        if (this.#isSent) this.take(frame);
    }
  }

  private take(frame: ReaderFrame): void {
    const { code } = COMMANDS[this.#command];
    if (frame === "ack") this.#isAcknowledged = true;
    else if (frame !== "nack" && this.#isAcknowledged && frame[0] === code + 1) this.answered(frame);
  }

  /** The next command; then what the answer says, which may throw. */
  private answered(frame: Uint8Array): void {
    const command = this.#command;
    const isLook = command === FIRST_LOOK;
    const isLast = command === COMMANDS.length - 1;
    this.#isSent = false;
    this.#tries = 0;
    this.#command = isLast ? FIRST_LOOK : command + 1;
    this.wait(isLast ? LOOK_MS : 0);
    if (isLook) this.look(frame);
    if (isLook) this.enter("ready");
  }

  /** The answer to a look: 4B, how many targets; number, SENS_RES (2), SEL_RES, length of the UID, UID, and more of what it can. */
  private look(answer: Uint8Array): void {
    if (answer[1] === 1) this.seen(answer);
    else if (answer[1] === 0 && ++this.#misses >= GONE_LOOKS) this.#card = undefined;
  }

  private seen(answer: Uint8Array): void {
    const length = answer[6];
    const isUid = length === 4 || length === 7 || length === 10;
    if (!isUid || answer.length < 7 + length) return;
    this.#misses = 0;
    const uid = answer.slice(7, 7 + length);
    if (isSame(uid, this.#card)) return;
    this.#card = uid;
    this.#options.onCard(uid.slice());
  }
}

function isSame(uid: Uint8Array, other: Uint8Array | undefined): boolean {
  if (other === undefined || uid.length !== other.length) return false;
  for (let i = 0; i < uid.length; i++) if (uid[i] !== other[i]) return false;
  return true;
}
