// A network whose MQTT clients do nothing by themselves: a test says what the broker answers, when there is room, and what fails. Clients
// notice misuse: writes without a connection or beyond the room, an empty message, a call after closing.

import type {
  MqttClient,
  MqttOptions,
  MqttPiece,
  MqttPublish,
  MqttSubscribe,
  Network,
} from "../../firmware/ports";

/** Control packets of MQTT 3.1.1. */
const CONNACK = 2;
const SUBSCRIBE = 8;
const SUBACK = 9;
const PLENTY = 1_000_000;

/** A message that was published, put together. */
export interface Published {
  /** The leaf of its topic. */
  readonly leaf: string;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
}

export class ScriptedClient implements MqttClient {
  readonly options: MqttOptions;
  readonly isSecure: boolean;
  readonly published: Published[] = [];
  subscribed: string[] = [];
  readonly packetIds: number[] = [];
  closes = 0;
  /** Thrown by everything that the lock calls. */
  thrown: Error | undefined;
  isConnected = false;
  room = 0;
  #begun: MqttPublish | undefined;
  #pieces: Uint8Array[] = [];
  #incoming: Uint8Array = new Uint8Array(0);

  constructor(options: MqttOptions, isSecure: boolean) {
    this.options = options;
    this.isSecure = isSecure;
  }

  // ---- the lock's calls

  write(data: Uint8Array | null, options?: MqttPublish | MqttSubscribe): number {
    if (this.thrown !== undefined) throw this.thrown;
    if (!this.isConnected || this.closes > 0) throw new Error("no connection");
    if (options !== undefined) this.packetIds.push(options.id);
    if (options !== undefined && "items" in options) {
      if (options.operation !== SUBSCRIBE) throw new Error("wanted a SUBSCRIBE");
      this.subscribed = options.items.map(({ topic, QoS }) => `${topic} ${QoS}`);
      return this.#spend(4 + options.items.reduce((sum, { topic }) => sum + topic.length + 3, 0));
    }
    if (data === null || data.length === 0) throw new Error("nothing to write");
    if ((options === undefined) === (this.#begun === undefined)) throw new Error("one message at a time");
    const begun = options ?? (this.#begun as MqttPublish);
    const left = this.#spend(data.length + (options === undefined ? 0 : 7 + begun.topic.length));
    this.#pieces.push(data.slice());
    const payload = Buffer.concat(this.#pieces);
    this.#begun = payload.length < begun.byteLength ? begun : undefined;
    if (this.#begun !== undefined) return left;
    this.#pieces = [];
    const { topic, retain } = begun;
    const leaf = topic.split("/").at(-1) ?? "";
    this.published.push({ leaf, topic, payload: new Uint8Array(payload), retain });
    return left;
  }

  #spend(bytes: number): number {
    if (bytes > this.room) throw new Error("overflow");
    this.room -= bytes;
    return this.room;
  }

  read(buffer: Uint8Array): number {
    if (this.thrown !== undefined) throw this.thrown;
    const count = Math.min(buffer.length, this.#incoming.length);
    buffer.set(this.#incoming.subarray(0, count));
    this.#incoming = this.#incoming.subarray(count);
    return count;
  }

  close(): void {
    this.closes++;
    this.isConnected = false;
    if (this.thrown !== undefined) throw this.thrown;
  }

  // ---- what the script lets happen

  connack(returnCode = 0): void {
    this.isConnected = returnCode === 0;
    this.options.onControl({ operation: CONNACK, returnCode });
  }

  suback(...payload: number[]): void {
    this.options.onControl({ operation: SUBACK, payload });
  }

  writable(room: number): void {
    this.room = room;
    this.options.onWritable(room);
  }

  error(): void {
    this.isConnected = false;
    this.options.onError();
  }

  /** A broker that takes everything. */
  accept(room = PLENTY): this {
    this.connack();
    this.writable(room);
    this.suback(1, 1);
    return this;
  }

  /** A message comes, in pieces of so many bytes. Returns how many bytes the lock left unread. */
  deliver(topic: string, payload: Uint8Array, pieceBytes = payload.length): number {
    let unread = 0;
    for (let at = 0; at < payload.length; at += pieceBytes) {
      this.#incoming = payload.slice(at, at + pieceBytes);
      const more = at + pieceBytes < payload.length;
      const first = at === 0 ? { topic, byteLength: payload.length } : {};
      this.piece(this.#incoming, { ...first, more });
      unread += this.#incoming.length;
    }
    return unread;
  }

  /** One piece by itself. */
  piece(bytes: Uint8Array, piece?: MqttPiece): void {
    this.#incoming = bytes.slice();
    this.options.onReadable(bytes.length, piece);
  }

  payloads(leaf: string): Uint8Array[] {
    return this.published.filter((message) => message.leaf === leaf).map(({ payload }) => payload);
  }
}

export class ScriptedNetwork implements Network {
  readonly clients: ScriptedClient[] = [];
  /** Thrown by the constructors of clients. */
  refusal: Error | undefined;
  readonly mqtt = { io: this.#constructorOf(false) };
  readonly mqtts = { io: this.#constructorOf(true) };

  get last(): ScriptedClient {
    const last = this.clients.at(-1);
    if (last === undefined) throw new Error("no client was made");
    return last;
  }

  #constructorOf(isSecure: boolean): new (options: MqttOptions) => MqttClient {
    const made = (options: MqttOptions): ScriptedClient => {
      if (this.refusal !== undefined) throw this.refusal;
      const client = new ScriptedClient(options, isSecure);
      this.clients.push(client);
      return client;
    };
    return class {
      constructor(options: MqttOptions) {
        // biome-ignore lint/correctness/noConstructorReturn: a constructor as a host has it, whose objects the test can reach
        return made(options);
      }
    } as unknown as new (
      options: MqttOptions,
    ) => MqttClient;
  }
}
