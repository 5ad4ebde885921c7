// The SDK's MQTT client on its resolver and socket, and a broker for it. What they say to each other is a notation of this test's own, since
// nobody in between reads it; the habits are the SDK's: it makes its own resolver and never closes it, goes on when a name is found after
// its end and throws then, tells of an error and closes itself, acknowledges a message before it is read, reads in a timer what was left
// unread, gives up a connection after 30 seconds, and throws at a broker's nonsense inside its socket's callback.

import type { Peer } from "./internet";
import type { VirtualTimers } from "./timers";

const CONNECT_MS = 30_000;
const OVERHEAD_BYTES = 8;
/** So much of a message comes at once. */
const PIECE_BYTES = 1024;

/** A packet. */
interface Packet {
  readonly type: string;
  readonly topic?: string;
  readonly payload?: string;
  readonly retain?: boolean;
  readonly id?: number;
  readonly code?: number;
  readonly codes?: readonly number[];
  readonly topics?: readonly string[];
  readonly user?: string;
  readonly password?: string;
}

function pack(packet: Packet): Uint8Array {
  const json = Buffer.from(JSON.stringify(packet));
  return new Uint8Array([json.length >> 8, json.length & 0xff, ...json]);
}

/** Whole packets of a stream. */
class Packets {
  #bytes: Uint8Array = new Uint8Array(0);

  add(bytes: Uint8Array): Packet[] {
    this.#bytes = new Uint8Array([...this.#bytes, ...bytes]);
    const packets: Packet[] = [];
    for (;;) {
      const length = (this.#bytes[0] << 8) | this.#bytes[1];
      if (this.#bytes.length < 2 || this.#bytes.length < 2 + length) return packets;
      packets.push(JSON.parse(Buffer.from(this.#bytes.slice(2, 2 + length)).toString()));
      this.#bytes = this.#bytes.slice(2 + length);
    }
  }
}

interface Socket {
  format: string;
  read(into: Uint8Array): unknown;
  write(bytes: Uint8Array): number;
  close(): void;
}

interface SdkOptions {
  readonly host: string;
  readonly port: number;
  readonly id: string;
  readonly user: string;
  readonly password: string;
  readonly will: { readonly topic: string; readonly message: string };
  readonly dns: { readonly io: new (options: object) => Resolver };
  readonly socket: { readonly io: new (options: object) => Socket };
  onReadable(count: number, piece: object): void;
  onWritable(count: number): void;
  onControl(control: object): void;
  onError(): void;
}

interface Resolver {
  resolve(options: object): void;
}

const CONTROLS: Readonly<Record<string, number>> = { connack: 2, puback: 4, suback: 9 };

class SdkMqtt {
  readonly #timers: VirtualTimers;
  #options: SdkOptions | undefined;
  #state = "resolving";
  #socket: Socket | undefined;
  #connecting: object | undefined;
  #later: object | undefined;
  readonly #pending: Packet[] = [];
  readonly #packets = new Packets();
  #room = 0;
  #payload: Uint8Array = new Uint8Array(0);
  #begun: { topic: string; retain: boolean; id: number; left: number; pieces: Uint8Array[] } | undefined;

  constructor(timers: VirtualTimers, options: SdkOptions) {
    this.#timers = timers;
    this.#options = options;
    const dns = new options.dns.io(options.dns);
    dns.resolve({
      host: options.host,
      onResolved: (host: string, address: string) => this.#resolved(host, address),
      onError: () => this.#onError(),
    });
  }

  #resolved(host: string, address: string): void {
    this.#state = "connecting";
    const { socket, port } = this.#options as SdkOptions;
    this.#socket = new socket.io({
      ...socket,
      address,
      host,
      port,
      onReadable: (count: number) => this.#onReadable(count),
      onWritable: (count: number) => this.#onWritable(count),
      onError: () => this.#onError(),
    });
    this.#connecting = this.#timers.set(() => this.#onError(), CONNECT_MS);
  }

  #onWritable(count: number): void {
    this.#room = count;
    const { id, user, password, onWritable } = this.#options as SdkOptions;
    if (this.#state === "connecting") {
      if (this.#connecting !== undefined) this.#timers.clear(this.#connecting);
      this.#room = (this.#socket as Socket).write(pack({ type: "connect", topic: id, user, password }));
      this.#state = "login";
      return;
    }
    if (this.#state !== "connected" && this.#state !== "publishing") return;
    for (const packet of this.#pending.splice(0)) (this.#socket as Socket).write(pack(packet));
    if (this.#room > OVERHEAD_BYTES) onWritable(this.#room - OVERHEAD_BYTES);
  }

  #onReadable(count: number): void {
    const socket = this.#socket as Socket;
    socket.format = "buffer";
    const bytes = new Uint8Array(count);
    socket.read(bytes);
    for (const packet of this.#packets.add(bytes)) this.#take(packet);
  }

  #take(packet: Packet): void {
    const options = this.#options as SdkOptions;
    if (packet.type === "publish") {
      this.#published(packet);
      return;
    }
    if (packet.type === "connack" && packet.code !== 0) {
      this.#onError();
      return;
    }
    if (packet.type === "connack") this.#state = "connected";
    const operation = CONTROLS[packet.type];
    if (operation === undefined) throw new Error("bad parse state");
    options.onControl({ operation, returnCode: packet.code, payload: packet.codes });
    if (packet.type === "connack") options.onWritable(this.#room - OVERHEAD_BYTES);
  }

  #published({ topic, payload = "", id }: Packet): void {
    this.#pending.push({ type: "puback", id });
    this.#later ??= this.#timers.set(() => {
      this.#later = undefined;
      this.#onWritable(this.#room);
    }, 0);
    const bytes = new Uint8Array(Buffer.from(payload, "base64"));
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      this.#payload = bytes.slice(at, at + PIECE_BYTES);
      const more = at + PIECE_BYTES < bytes.length;
      const piece = at === 0 ? { topic, byteLength: bytes.length, QoS: 1, more } : { more };
      this.#options?.onReadable(this.#payload.length, piece);
    }
  }

  read(buffer: Uint8Array): number {
    const count = Math.min(buffer.length, this.#payload.length);
    buffer.set(this.#payload.subarray(0, count));
    this.#payload = this.#payload.slice(count);
    return count;
  }

  write(data: Uint8Array | null, options?: Record<string, unknown>): number {
    const socket = this.#socket as Socket;
    socket.format = "buffer";
    if (this.#state !== "connected" && (this.#state !== "publishing" || options !== undefined))
      throw new Error();
    if (options !== undefined && "items" in options) {
      const items = options.items as readonly { topic: string }[];
      this.#room = socket.write(
        pack({ type: "subscribe", id: options.id as number, topics: items.map(({ topic }) => topic) }),
      );
      return this.#room - OVERHEAD_BYTES;
    }
    return this.#write(socket, data as Uint8Array, options);
  }

  #write(socket: Socket, data: Uint8Array, options?: Record<string, unknown>): number {
    const { topic, retain, id, byteLength } = (options ?? {}) as Record<string, never>;
    this.#begun ??= { topic, retain, id, left: byteLength ?? data.length, pieces: [] };
    if (data.length > this.#room) throw new Error("overflow");
    this.#begun.pieces.push(data.slice());
    this.#begun.left -= data.length;
    this.#state = this.#begun.left > 0 ? "publishing" : "connected";
    this.#room -= data.length;
    if (this.#begun.left === 0) {
      const { pieces, ...packet } = this.#begun;
      this.#begun = undefined;
      const payload = Buffer.concat(pieces).toString("base64");
      this.#room = socket.write(pack({ type: "publish", payload, ...packet }));
    }
    return Math.max(0, this.#room - OVERHEAD_BYTES);
  }

  #onError(): void {
    // After its end there are no options, and it throws.
    (this.#options as SdkOptions).onError();
    this.close();
  }

  close(): void {
    for (const timer of [this.#connecting, this.#later]) if (timer !== undefined) this.#timers.clear(timer);
    this.#state = "closed";
    this.#socket?.close();
    this.#socket = undefined;
    this.#options = undefined;
  }
}

/** The SDK's class. */
export function mqttClient(timers: VirtualTimers) {
  return class extends SdkMqtt {
    constructor(options: SdkOptions) {
      super(timers, options);
    }
  };
}

/** A message that the broker has. */
export interface Had {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
}

/** A broker, at whichever address it is put. */
export class SdkBroker {
  /** Clients that are connected now, with what they subscribed to. */
  readonly clients = new Map<Peer, string[]>();
  readonly published: Had[] = [];
  readonly passwords: (string | undefined)[] = [];
  /** The return code of the next connections. */
  code = 0;
  /** Whether it says anything at all. */
  isSilent = false;

  /** Takes a connection. */
  readonly serve = (peer: Peer): void => {
    const packets = new Packets();
    peer.onData = (bytes) => {
      for (const packet of packets.add(bytes)) if (!this.isSilent) this.#take(peer, packet);
    };
  };

  #take(peer: Peer, packet: Packet): void {
    if (packet.type === "connect") {
      this.clients.set(peer, []);
      this.passwords.push(packet.password);
      peer.send(pack({ type: "connack", code: this.code }));
    } else if (packet.type === "subscribe") {
      this.clients.set(peer, [...(packet.topics ?? [])]);
      peer.send(pack({ type: "suback", id: packet.id, codes: packet.topics?.map(() => 1) }));
    } else if (packet.type === "publish") {
      const payload = new Uint8Array(Buffer.from(packet.payload ?? "", "base64"));
      this.published.push({ topic: packet.topic ?? "", payload, retain: packet.retain === true });
      peer.send(pack({ type: "puback", id: packet.id }));
    }
  }

  /** Sends a message to whoever has subscribed. */
  send(topic: string, payload: Uint8Array): void {
    for (const [peer, topics] of this.clients)
      if (topics.includes(topic) && !peer.isOver)
        peer.send(pack({ type: "publish", id: 7, topic, payload: Buffer.from(payload).toString("base64") }));
  }

  /** Says what no broker says. */
  nonsense(): void {
    for (const peer of this.clients.keys()) peer.send(pack({ type: "nonsense" }));
  }

  /** Ends all connections. */
  kill(): void {
    for (const peer of this.clients.keys()) peer.end();
    this.clients.clear();
  }

  payloads(leaf: string): Uint8Array[] {
    return this.published.filter(({ topic }) => topic.endsWith(`/${leaf}`)).map(({ payload }) => payload);
  }
}
