// Messages in pieces over Bluetooth (rules S5, S8): a link writes and notifies values of 20 to 512 bytes, a message has up to 2,064. One
// machine for both ends. Every segment is numbered and acknowledged, and no more are on their way than the other end has room for, so
// that neither end nor the queues between them grow. A segment that is missing, or says what cannot be, breaks the connection: nobody
// guesses, and a courier connects again.
// As in Matter's BTP (Matter Core Specification §4.19), but for the byte order, the handshake, and acks that need no timer.

import { getU16, putU16 } from "./bytes";
import { MAX_MESSAGE_BYTES, VERSION } from "./limits";

/** Bits of a segment's first byte. */
const BEGIN = 1;
const END = 2;
const ACK = 4;
const HANDSHAKE = 0x40;
const KNOWN = BEGIN | END | ACK;

/** The smallest and the largest segment: what one write takes at MTU 23, and what a characteristic holds (Core Specification 5.4, Vol 3, Part F, 3.2.9). */
export const MIN_SEGMENT_BYTES = 20;
export const MAX_SEGMENT_BYTES = 512;
/** Segments on their way that were not acknowledged yet, the last place of them for a segment that carries an ack. */
export const WINDOW = 6;
/** With fewer, two ends that acknowledge acks alone would never come to rest. */
export const MIN_WINDOW = 3;

/** What an end makes of a segment. */
export const Taken = { more: 0, message: 1, broken: 2 } as const;

/** The two ends' agreement. */
export interface Agreement {
  /** The largest segment in bytes. */
  readonly size: number;
  readonly window: number;
}

/** What a courier asks for. */
export interface Handshake {
  /** Whether it speaks version 1. */
  readonly speaksOurs: boolean;
  /** The largest segment that it can write and be notified of, in bytes; 0 where it has no way to know. */
  readonly largest: number;
  readonly window: number;
}

const REQUEST_BYTES = 5;

/** A courier's first write: 0x40 ‖ versions, bit n for version n + 1 ‖ largest segment u16 ‖ window. */
export function packHandshake(largest: number, window = WINDOW): Uint8Array {
  const bytes = Uint8Array.of(HANDSHAKE, 1 << (VERSION - 1), 0, 0, window);
  putU16(bytes, 2, largest);
  return bytes;
}

/** Reads what {@link packHandshake} made; undefined for anything else. */
export function readHandshake(bytes: Uint8Array): Handshake | undefined {
  if (bytes.length !== REQUEST_BYTES || bytes[0] !== HANDSHAKE) return undefined;
  const largest = getU16(bytes, 2);
  const window = bytes[4];
  if ((largest !== 0 && largest < MIN_SEGMENT_BYTES) || window < MIN_WINDOW) return undefined;
  return { speaksOurs: (bytes[1] & (1 << (VERSION - 1))) !== 0, largest, window };
}

/** A lock's answer: 0x40 ‖ version ‖ size of a segment u16 ‖ window; version 0 where it speaks none of the courier's. */
export function packAgreement(agreement: Agreement | undefined): Uint8Array {
  if (agreement === undefined) return Uint8Array.of(HANDSHAKE, 0, 0, 0, 0);
  const bytes = Uint8Array.of(HANDSHAKE, VERSION, 0, 0, agreement.window);
  putU16(bytes, 2, agreement.size);
  return bytes;
}

/** Reads what {@link packAgreement} made; undefined for anything else, and for no agreement. */
export function readAgreement(bytes: Uint8Array): Agreement | undefined {
  if (bytes.length !== REQUEST_BYTES || bytes[0] !== HANDSHAKE || bytes[1] !== VERSION) return undefined;
  const size = getU16(bytes, 2);
  const window = bytes[4];
  if (size < MIN_SEGMENT_BYTES || size > MAX_SEGMENT_BYTES || window < MIN_WINDOW || window > WINDOW)
    return undefined;
  return { size, window };
}

/** What a lock agrees to that can notify `largest` bytes at once (MTU − 3). */
export function agree(asked: Handshake, largest: number): Agreement {
  const theirs = asked.largest === 0 ? MAX_SEGMENT_BYTES : asked.largest;
  return {
    size: Math.max(MIN_SEGMENT_BYTES, Math.min(theirs, largest, MAX_SEGMENT_BYTES)),
    window: Math.min(asked.window, WINDOW),
  };
}

const NOTHING = new Uint8Array(0);

/** One end of a connection behind its handshake. */
export class Segments {
  readonly #size: number;
  readonly #window: number;
  /** The message that is coming in. */
  readonly #room: Uint8Array;
  #expected = 0;
  #filled = 0;
  #isBroken = false;
  /** Number of the segment that comes next, and how many came since the last ack. */
  #nextIn = 0;
  #unacked = 0;
  /** Whether any of these carried a piece of a message. */
  #hasCarried = false;
  /** Number of the segment that goes next, and how many are on their way. */
  #nextOut = 0;
  #inFlight = 0;
  #message: Uint8Array = NOTHING;
  #sent = 0;
  readonly #out: Uint8Array;

  /**
   * `room` holds the largest message: 2,064 bytes; it is used for all that come in, one after the other. `out` holds a segment at least, and
   * may be that of other connections, too, where each lets go of a segment before any of them makes the next.
   */
  constructor(
    { size, window }: Agreement,
    room: Uint8Array = new Uint8Array(MAX_MESSAGE_BYTES),
    out: Uint8Array = new Uint8Array(size),
  ) {
    this.#size = size;
    this.#window = window;
    this.#room = room;
    this.#out = out;
  }

  // ---- in

  /** Takes a segment: one of {@link Taken}. After `broken` nothing is taken any more. */
  take(segment: Uint8Array): number {
    if (this.#isBroken || !this.read(segment)) {
      this.#isBroken = true;
      return Taken.broken;
    }
    return this.#expected > 0 && this.#filled === this.#expected ? Taken.message : Taken.more;
  }

  /** The message that is complete, until {@link done}: a view of the room. */
  get message(): Uint8Array {
    return this.#room.subarray(0, this.#expected);
  }

  /** The complete message was read: its room is free for the next. */
  done(): void {
    this.#expected = 0;
    this.#filled = 0;
  }

  private read(segment: Uint8Array): boolean {
    const flags = segment[0];
    if (segment.length < 2 || segment.length > this.#size || (flags & ~KNOWN) !== 0) return false;
    let at = 1;
    if ((flags & ACK) !== 0 && !this.acknowledge(segment[at++])) return false;
    if (at >= segment.length || segment[at++] !== this.#nextIn) return false;
    this.#nextIn = (this.#nextIn + 1) & 0xff;
    // Whoever sends more than there is room for does not count.
    if (++this.#unacked > this.#window) return false;
    if (at === segment.length) return flags === ACK;
    this.#hasCarried = true;
    return this.fill(flags, segment, at);
  }

  /** Takes an ack: it names a segment that is on its way, and all before it. */
  private acknowledge(number: number): boolean {
    const left = (this.#nextOut - 1 - number) & 0xff;
    if (left >= this.#inFlight) return false;
    this.#inFlight = left;
    return true;
  }

  private fill(flags: number, segment: Uint8Array, from: number): boolean {
    let at = from;
    if ((flags & BEGIN) !== 0) {
      if (this.#expected !== 0 || at + 2 > segment.length) return false;
      this.#expected = getU16(segment, at);
      at += 2;
      if (this.#expected === 0 || this.#expected > this.#room.length) return false;
    }
    const end = this.#filled + segment.length - at;
    const isEnd = (flags & END) !== 0;
    // Behind a complete message nothing fits, and without a beginning nothing was expected.
    if (segment.length === at || end > this.#expected || isEnd !== (end === this.#expected)) return false;
    this.#room.set(segment.subarray(at), this.#filled);
    this.#filled = end;
    return true;
  }

  // ---- out

  /** Whether a message is still to be sent on. */
  get isSending(): boolean {
    return this.#sent < this.#message.length;
  }

  /** Begins to send a message of at least one byte; the one before must have gone. It is read until it has gone. */
  send(message: Uint8Array): void {
    this.#message = message;
    this.#sent = 0;
  }

  /** The segment that may go now, undefined for none: a view that is good until the next call. */
  next(): Uint8Array | undefined {
    const isOwed = this.#unacked > 0;
    const places = this.#window - this.#inFlight;
    if (this.isSending && places > (isOwed ? 0 : 1)) return this.piece(isOwed);
    return this.isDue && places > 0 ? this.piece(true) : undefined;
  }

  /**
   * Whether an ack goes though there is nothing to say: soon enough for the other end to go on, and seldom enough for two ends with nothing
   * to say to come to rest.
   */
  private get isDue(): boolean {
    return this.#unacked >= this.#window - (this.#hasCarried ? 2 : 1);
  }

  private piece(withAck: boolean): Uint8Array {
    const out = this.#out;
    let at = 1;
    out[0] = withAck ? ACK : 0;
    if (withAck) out[at++] = (this.#nextIn - 1) & 0xff;
    out[at++] = this.#nextOut;
    this.#nextOut = (this.#nextOut + 1) & 0xff;
    this.#inFlight++;
    if (withAck) {
      this.#unacked = 0;
      this.#hasCarried = false;
    }
    return out.subarray(0, this.isSending ? this.append(at) : at);
  }

  /** Puts the next bytes of the message behind a segment's head; where the segment ends. */
  private append(from: number): number {
    const out = this.#out;
    let at = from;
    if (this.#sent === 0) {
      out[0] |= BEGIN;
      putU16(out, at, this.#message.length);
      at += 2;
    }
    const end = Math.min(this.#message.length, this.#sent + this.#size - at);
    out.set(this.#message.subarray(this.#sent, end), at);
    at += end - this.#sent;
    this.#sent = end;
    if (end === this.#message.length) {
      out[0] |= END;
      this.#message = NOTHING;
      this.#sent = 0;
    }
    return at;
  }
}
