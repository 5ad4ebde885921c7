// What a lock remembers of one connection, and nothing beyond it: the nonce that it gave, its last answer, so that a repeated request is
// answered again and not done again, and whether this is a stranger, or somebody who sends bad signatures (rules X5, X13).

import { NONCE_BYTES } from "../../protocol/wire/limits";
import { crc32 } from "./storage/crc";

/** What a session came over: a radio that anybody near the door can reach, or a network of the site. */
export type Medium = "network" | "radio";

/** Bad signatures with which a session is over. */
export const MAX_BAD_SIGNATURES = 3;
/** Radio sessions at a time. */
export const MAX_RADIO_SESSIONS = 3;
/** Seconds for which a stranger may keep a radio session. */
export const STRANGER_S = 8;

const NOTHING = new Uint8Array(0);

export class Session {
  /** Whether a hello came that this lock can speak to. */
  greeted = false;
  /** Whether it is over: every message is answered `idle`, and the link had better hang up. */
  closed = false;
  /** Whether a good signature came, or the tag of a credential that the lock has. */
  known = false;
  /** For one time answer, or one consent to a reset. */
  readonly nonce = new Uint8Array(NONCE_BYTES);
  /** Seconds since boot at which the nonce was given; −1 when there is none, or it was used. */
  nonceAt = -1;
  /** The nonce for one unlock or one command, and when it was given, as above. */
  readonly challenge = new Uint8Array(NONCE_BYTES);
  challengedAt = -1;
  readonly medium: Medium;
  /** Seconds since boot. */
  readonly openedAt: number;
  #bad = 0;
  #request = -1;
  #length = 0;
  #crc = 0;
  #answer: Uint8Array = NOTHING;

  constructor(medium: Medium, openedAt: number) {
    this.medium = medium;
    this.openedAt = openedAt;
  }

  /** Counts a bad signature; the third is the last. */
  countBad(): void {
    if (++this.#bad >= MAX_BAD_SIGNATURES) this.closed = true;
  }

  /** The answer that was given to exactly this message as request `request`, if it was the last one. */
  repeated(request: number, message: Uint8Array): Uint8Array | undefined {
    const same = request === this.#request && message.length === this.#length;
    return same && crc32(message, 0, message.length, 0) === this.#crc ? this.#answer : undefined;
  }

  /** Keeps the last answer. */
  remember(request: number, message: Uint8Array, answer: Uint8Array): void {
    this.#request = request;
    this.#length = message.length;
    this.#crc = crc32(message, 0, message.length, 0);
    this.#answer = answer;
  }
}

/** The sessions of the radio, which a stranger may not hold for long (rule X13). */
export class RadioSessions {
  readonly #open: Session[] = [];

  /** A new session; undefined while there are as many as there can be. */
  open(now: number): Session | undefined {
    this.sweep(now);
    if (this.#open.length >= MAX_RADIO_SESSIONS) return undefined;
    const session = new Session("radio", now);
    this.#open.push(session);
    return session;
  }

  /** Closes those of strangers whose time is up, and forgets the closed ones; `now` in seconds since boot. */
  sweep(now: number): void {
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const session = this.#open[i];
      if (!session.known && now - session.openedAt >= STRANGER_S) session.closed = true;
      if (session.closed) this.#open.splice(i, 1);
    }
  }
}
