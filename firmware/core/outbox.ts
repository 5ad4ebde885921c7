// Writes messages to an MQTT client, one at a time and in pieces, as far as there is room: a TLS socket may take less than a message at
// once. Nothing empty is ever written: an empty payload wedges the parsers of some clients.

import type { MqttClient } from "../ports";

/** The type of a SUBSCRIBE packet (MQTT 3.1.1, 3.8.1). */
const SUBSCRIBE = 8;
const QOS = 1;
const MAX_PACKET_ID = 0xffff;
/** What stands before a payload, with a topic of 49 bytes, the longest: type (1), length (2), topic (2 + 49), packet id (2). */
const PUBLISH_BYTES = 56;
/** A SUBSCRIBE of two topics: type (1), length (1), packet id (2), and each topic with its length and its QoS (2 + 49 + 1). */
const SUBSCRIBE_BYTES = 108;
/** Acknowledgements and pings, 4 bytes each, go out by themselves in between. */
const RESERVE_BYTES = 32;

/** A message to publish. */
export interface Outgoing {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
}

export class Outbox {
  /** Bytes that the client takes now. */
  room = 0;
  #message: Outgoing | undefined;
  #written = 0;
  /** Seconds since boot at which the last piece was written, or the message came. */
  #movedAt = 0;
  #packet = 0;

  get isEmpty(): boolean {
    return this.#message === undefined;
  }

  /** Forgets everything: the connection is gone. */
  clear(): void {
    this.#message = undefined;
    this.room = 0;
  }

  /** Whether a message has found no room for so many seconds. */
  isStalled(at: number, seconds: number): boolean {
    return !this.isEmpty && at - this.#movedAt >= seconds;
  }

  /** Takes a message, the box being empty. What there is no room for yet is copied; empty ones are forgotten. */
  put(client: MqttClient, message: Outgoing, at: number): void {
    if (message.payload.length === 0) return;
    this.#message = message;
    this.#written = 0;
    this.#movedAt = at;
    if (!this.flush(client, at)) this.#message = { ...message, payload: message.payload.slice() };
  }

  /** Writes what there is room for. Whether nothing is left. */
  flush(client: MqttClient, at: number): boolean {
    while (this.#message !== undefined) {
      const { payload } = this.#message;
      const isFirst = this.#written === 0;
      const room = this.room - RESERVE_BYTES - (isFirst ? PUBLISH_BYTES : 0);
      if (room <= 0) return false;
      const end = Math.min(payload.length, this.#written + room);
      if (!this.write(client, payload.subarray(this.#written, end), isFirst)) return false;
      this.#movedAt = at;
      this.#written = end;
      if (end === payload.length) this.#message = undefined;
    }
    return true;
  }

  /** Whether the client took a piece; if there was no room after all, it will say when there is. */
  private write(client: MqttClient, piece: Uint8Array, isFirst: boolean): boolean {
    const { topic, payload, retain } = this.#message as Outgoing;
    const id = this.nextId();
    try {
      this.room = isFirst
        ? client.write(piece, { topic, retain, QoS: QOS, id, byteLength: payload.length })
        : client.write(piece);
      return true;
    } catch {
      this.room = 0;
      return false;
    }
  }

  /** Subscribes to two topics. Whether there was room. */
  subscribe(client: MqttClient, topics: readonly string[]): boolean {
    if (this.room < SUBSCRIBE_BYTES) return false;
    const items = topics.map((topic) => ({ topic, QoS: QOS }));
    this.room = client.write(null, { operation: SUBSCRIBE, id: this.nextId(), items });
    return true;
  }

  /** Packet identifiers are 1 to 65535 (MQTT 3.1.1, 2.3.1); a client that counts on beyond sends a 0. */
  private nextId(): number {
    this.#packet = (this.#packet % MAX_PACKET_ID) + 1;
    return this.#packet;
  }
}
