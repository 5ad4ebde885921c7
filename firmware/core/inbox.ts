// Puts a message that an MQTT client hands over in pieces together again. One buffer takes whatever may come: what is too long, or not
// asked for, is read past and forgotten (rule X8).

import { MAX_MESSAGE_BYTES } from "../../protocol/wire/limits";
import type { MqttClient, MqttPiece } from "../ports";

/** What nobody wants is read in pieces of this many bytes. */
const SCRAP_BYTES = 64;

/** A message that came; `payload` is the inbox's own buffer, good until the next piece. */
export interface Received {
  readonly topic: string;
  readonly payload: Uint8Array;
}

export class Inbox {
  readonly #buffer = new Uint8Array(MAX_MESSAGE_BYTES);
  readonly #scrap = new Uint8Array(SCRAP_BYTES);
  /** The topic of the message that is coming in; undefined for one that is read past. */
  #topic: string | undefined;
  #length = 0;
  #filled = 0;

  /** Forgets what had come of a message: its connection is gone. */
  clear(): void {
    this.#topic = undefined;
  }

  /** Reads one piece, all of it. Gives the message when this was its last, and it is one of `topics` and not too long. */
  take(client: MqttClient, count: number, piece: MqttPiece, topics: readonly string[]): Received | undefined {
    if (piece.topic !== undefined) this.begin(piece.topic, piece.byteLength ?? count, topics);
    const topic = this.#topic;
    if (topic === undefined || this.#filled + count > this.#length) {
      this.clear();
      this.skip(client, count);
      return undefined;
    }
    client.read(this.#buffer.subarray(this.#filled, this.#filled + count));
    this.#filled += count;
    if (piece.more === true) return undefined;
    this.clear();
    return this.#filled === this.#length
      ? { topic, payload: this.#buffer.subarray(0, this.#length) }
      : undefined;
  }

  private begin(topic: string, length: number, topics: readonly string[]): void {
    const isWanted = length > 0 && length <= MAX_MESSAGE_BYTES && topics.includes(topic);
    this.#topic = isWanted ? topic : undefined;
    this.#length = length;
    this.#filled = 0;
  }

  private skip(client: MqttClient, count: number): void {
    for (let left = count; left > 0; left -= SCRAP_BYTES)
      client.read(left < SCRAP_BYTES ? this.#scrap.subarray(0, left) : this.#scrap);
  }
}
