// What a lock remembers of one connection, and nothing beyond it: the nonce that it gave, and its last answer, so that a repeated
// request is answered again and not done again.

import { NONCE_BYTES } from "../../protocol/wire/limits";
import { crc32 } from "./storage/crc";

const NOTHING = new Uint8Array(0);

export class Session {
  /** Whether a hello came that this lock can speak to. */
  greeted = false;
  readonly nonce = new Uint8Array(NONCE_BYTES);
  /** Seconds since boot at which the nonce was given; −1 when there is none, or it was used. */
  nonceAt = -1;
  #request = -1;
  #length = 0;
  #crc = 0;
  #answer: Uint8Array = NOTHING;

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
