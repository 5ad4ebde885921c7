// The MQTT client of a virtual board, over the npm client `mqtt`, with the habits of the one that a lock has: MQTT 3.1.1, messages in
// pieces, little room to write, no word to the broker when it is closed, deaf after an empty payload. It knows no message of the protocol.

import { Socket } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { type MqttClient as Client, connect, type IClientOptions } from "mqtt";
import type {
  MqttClient,
  MqttControl,
  MqttOptions,
  MqttPublish,
  MqttSubscribe,
  Network,
} from "../../firmware/ports";

/** Types of control packets (MQTT 3.1.1, 2.2.1). */
const CONNACK = 2;
const SUBACK = 9;
const REFUSED = 0x80;
/** What may be on its way without an acknowledgement of the broker: less than two messages of the protocol. */
const WINDOW_BYTES = 3072;
/** One TCP segment of an Ethernet: so much of a message comes at once. */
const PIECE_BYTES = 1460;
const CONNECT_TIMEOUT_MS = 30_000;
/** A client hears of a dead peer after so many times its keep-alive. */
const KEEP_ALIVE_FACTOR = 1.5;

/** What TLS needs. */
export interface TlsSetup {
  /** The site's certificate authority, PEM. */
  readonly ca: string;
  /**
   * What SNTP told the board, UTC seconds; undefined as long as it told nothing. It serves the check of the broker's certificate and
   * nothing else: the lock's clock never sees it.
   */
  wallClockForTls(): number | undefined;
}

/** What a virtual board's network is made with. */
export interface NetworkOptions {
  /** Without it no connection over TLS succeeds. */
  readonly tls?: TlsSetup;
  /** Called after whatever a client brings: what else a board does between two events. Room to write is none. */
  afterEvent?(): void;
}

/** A virtual board's network: its objects have the shape of a host's `device.network`. */
export function virtualNetwork(options: NetworkOptions = {}): Network {
  class Plain extends MqttPort {
    constructor(client: MqttOptions) {
      super(client, options, { protocol: "mqtt" });
    }
  }
  class Secure extends MqttPort {
    constructor(client: MqttOptions) {
      super(client, options, { protocol: "mqtts", ...tlsOptions(options.tls) });
    }
  }
  return { mqtt: { io: Plain }, mqtts: { io: Secure } };
}

/** TLS 1.2, which is the latest that the lock has, and a certificate that is good at the time that SNTP told. */
function tlsOptions(tls: TlsSetup | undefined): IClientOptions {
  const check = (host: string, certificate: PeerCertificate): Error | undefined => {
    const time = tls?.wallClockForTls();
    if (time === undefined) return new Error("TLS: the board does not know the time");
    const isGood =
      Date.parse(certificate.valid_from) <= time * 1000 && time * 1000 <= Date.parse(certificate.valid_to);
    return isGood
      ? checkServerIdentity(host, certificate)
      : new Error("TLS: the certificate is not good now");
  };
  return { ca: tls?.ca ?? [], maxVersion: "TLSv1.2", checkServerIdentity: check } as IClientOptions;
}

class MqttPort implements MqttClient {
  readonly #options: MqttOptions;
  readonly #network: NetworkOptions;
  readonly #client: Client;
  #isClosed = false;
  /** Bytes that were written and not acknowledged. */
  #inFlight = 0;
  /** The message that is being written, and its pieces so far. */
  #publish: MqttPublish | undefined;
  #pieces: Uint8Array[] = [];
  /** What can be read. */
  #incoming: Uint8Array = new Uint8Array(0);
  #isDeaf = false;
  #deafness: NodeJS.Timeout | undefined;

  constructor(options: MqttOptions, network: NetworkOptions, more: IClientOptions) {
    const { will } = options;
    this.#options = options;
    this.#network = network;
    this.#client = connect({
      ...more,
      host: options.host,
      port: options.port,
      clientId: options.id,
      username: options.user,
      password: options.password,
      keepalive: options.keepAlive / 1000,
      clean: options.clean,
      will: { topic: will.topic, payload: Buffer.from(will.message), qos: 1, retain: will.retain },
      protocolVersion: 4,
      reconnectPeriod: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
    });
    this.#client.on("connect", () => this.#connected());
    this.#client.on("message", (topic, payload) => this.#receive(topic, new Uint8Array(payload)));
    this.#client.on("error", () => this.#fail());
    this.#client.on("close", () => this.#fail());
  }

  // ---- what the lock does

  write(data: Uint8Array | null, options?: MqttPublish | MqttSubscribe): number {
    if (this.#isClosed || !this.#client.connected) throw new Error("mqtt: no connection");
    if (options !== undefined && "items" in options) this.#subscribe(options);
    else this.#write(data ?? new Uint8Array(0), options);
    return this.#room;
  }

  get #room(): number {
    return WINDOW_BYTES - this.#inFlight;
  }

  #subscribe({ items }: MqttSubscribe): void {
    const topics = Object.fromEntries(items.map(({ topic, QoS }) => [topic, { qos: QoS as 0 | 1 | 2 }]));
    this.#client.subscribe(topics, (error, granted = []) => {
      this.#tell({ operation: SUBACK, payload: error ? [REFUSED] : granted.map(({ qos }) => qos) });
    });
  }

  #write(data: Uint8Array, begun: MqttPublish | undefined): void {
    if (data.length > this.#room) throw new Error("mqtt: overflow");
    if ((begun === undefined) === (this.#publish === undefined))
      throw new Error("mqtt: one message at a time");
    const publish = begun ?? (this.#publish as MqttPublish);
    this.#publish = publish;
    this.#pieces.push(data.slice());
    this.#inFlight += data.length;
    const payload = Buffer.concat(this.#pieces);
    if (payload.length < publish.byteLength) return;
    this.#publish = undefined;
    this.#pieces = [];
    this.#client.publish(publish.topic, payload, { qos: 1, retain: publish.retain }, () => {
      this.#inFlight -= payload.length;
      if (!this.#isClosed) this.#options.onWritable(this.#room);
    });
  }

  read(buffer: Uint8Array): number {
    const count = Math.min(buffer.length, this.#incoming.length);
    buffer.set(this.#incoming.subarray(0, count));
    this.#incoming = this.#incoming.subarray(count);
    return count;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#deafness);
    this.#client.end(true);
  }

  // ---- what the lock is told

  /** Runs a callback of a lock that still listens, and then what else its board does. */
  #call(callback: () => void): void {
    if (this.#isClosed) return;
    callback();
    this.#network.afterEvent?.();
  }

  #tell(control: MqttControl): void {
    this.#call(() => this.#options.onControl(control));
  }

  #connected(): void {
    // Small messages would wait for each other otherwise: 40 ms a message.
    if (this.#client.stream instanceof Socket) this.#client.stream.setNoDelay(true);
    this.#tell({ operation: CONNACK, returnCode: 0 });
    this.#call(() => this.#options.onWritable(this.#room));
  }

  #receive(topic: string, payload: Uint8Array): void {
    if (payload.length === 0) this.#goDeaf();
    for (let at = 0; at < payload.length && !this.#isDeaf; at += PIECE_BYTES) {
      this.#incoming = payload.slice(at, at + PIECE_BYTES);
      const more = at + PIECE_BYTES < payload.length;
      const piece = at === 0 ? { topic, byteLength: payload.length, QoS: 1, more } : { more };
      const { length } = this.#incoming;
      this.#call(() => this.#options.onReadable(length, piece));
    }
  }

  /** An empty message wedges the parser of the lock's client: it hears nothing more, until it misses the answers to its pings. */
  #goDeaf(): void {
    if (this.#isDeaf) return;
    this.#isDeaf = true;
    this.#deafness = setTimeout(() => this.#fail(), this.#options.keepAlive * KEEP_ALIVE_FACTOR);
  }

  #fail(): void {
    if (this.#isClosed) return;
    this.close();
    this.#options.onError();
    this.#network.afterEvent?.();
  }
}
