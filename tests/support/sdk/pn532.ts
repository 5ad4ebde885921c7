// A PN532 at the other end of a serial line, as its manual describes it: acknowledges a command, answers it some milliseconds later, and
// says nothing before it was woken. Its faults are knobs. Takes commands apart and makes frames with code of its own.

import type { SerialLine } from "./serial";
import type { VirtualTimers } from "./timers";

const ACK = [0, 0, 0xff, 0, 0xff, 0];

/** A card that lies on the reader. */
export interface Card {
  readonly uid: readonly number[];
  /** What a card of ISO 14443-4 adds: its length comes first. */
  readonly ats?: readonly number[];
}

/** A frame of the reader's. */
export function readerFrame(data: readonly number[]): number[] {
  const body = [0xd5, ...data];
  const sum = body.reduce((total, byte) => total + byte, 0);
  return [0, 0, 0xff, body.length, (0x100 - body.length) & 0xff, ...body, (0x100 - (sum & 0xff)) & 0xff, 0];
}

export class VirtualPn532 {
  card: Card | undefined;
  /** Without power or unplugged. */
  isDead = false;
  /** Acknowledges, and never answers. */
  isMute = false;
  /** What happens to what it sends. */
  spoil: (bytes: number[]) => number[] = (bytes) => bytes;
  /** Codes of the commands that it has got. */
  readonly commands: number[] = [];
  isFieldOn = false;
  readonly #line: SerialLine;
  readonly #timers: VirtualTimers;
  #isAwake = false;
  #isConfigured = false;

  constructor(line: SerialLine, timers: VirtualTimers) {
    this.#line = line;
    this.#timers = timers;
    line.onBytes = (bytes) => this.#take([...bytes]);
  }

  /** Loses power: it sleeps and is not configured. */
  restart(): void {
    this.#isAwake = this.#isConfigured = this.isFieldOn = false;
  }

  #take(bytes: number[]): void {
    if (this.isDead) return;
    if (bytes[0] === 0x55) {
      this.#isAwake = true;
      return;
    }
    if (!this.#isAwake) return;
    const [preamble, start, code, length, complement, speaker, command, ...rest] = bytes;
    const sum = bytes.slice(5, 5 + length + 1).reduce((total, byte) => total + byte, 0) & 0xff;
    const isGood =
      preamble === 0 && start === 0 && code === 0xff && ((length + complement) & 0xff) === 0 && sum === 0;
    if (!isGood || speaker !== 0xd4 || bytes.length !== length + 7 || bytes.at(-1) !== 0)
      throw new Error("not a command: " + bytes);
    this.commands.push(command);
    this.#send(ACK, 1);
    const answer = this.#answer(command, rest.slice(0, length - 2));
    if (!this.isMute) this.#send(readerFrame([command + 1, ...answer]), 20);
  }

  #answer(command: number, parameters: readonly number[]): number[] {
    if (command === 0x14) this.#isConfigured = true;
    if (command === 0x32 && parameters[0] === 1) this.isFieldOn = (parameters[1] & 1) === 1;
    if (command !== 0x4a) return [];
    this.isFieldOn = true;
    if (!this.#isConfigured || this.card === undefined) return [0];
    const { uid, ats = [] } = this.card;
    return [1, 1, 0, 0x04, 0x08, uid.length, ...uid, ...ats];
  }

  #send(bytes: number[], ms: number): void {
    this.#timers.set(() => {
      if (!this.isDead) this.#line.send(this.spoil([...bytes]));
    }, ms);
  }
}
