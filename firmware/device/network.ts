// The board's network as the uplink wants it (rules X5, T14), over the SDK's MQTT client. The SDK's own code runs on what a broker sends and throws at
// some of it, goes on after its end, and forgets to stop its resolver: each client here has a user of its own who owns all sockets, hears of all
// that is thrown, and after whose end nothing is told. Over TLS a client is refused until SNTP has told the date, while a central is
// connected, and without the site's certificate authority, which is a part of the build: nobody else's is believed.

import type { MqttClient, MqttOptions, MqttPublish, MqttSubscribe, Network } from "../ports";
import type { Guard } from "./guard";
import type { Timers } from "./io";
import type { RadioTurns } from "./radio-turns";
import {
  type ResolverConstructor,
  SafeResolver,
  SafeTcp,
  type SocketUser,
  type SocketWatch,
  type TcpConstructor,
  type UdpConstructor,
} from "./sockets";
import { type Authority, TlsWatch } from "./tls-watch";

/** What the SDK's MQTT client is made with beside {@link MqttOptions}: it makes a resolver and a socket, and hands each its own part. */
export interface SdkMqttOptions extends MqttOptions {
  readonly dns: {
    readonly io: typeof SafeResolver;
    readonly user: SocketUser;
    readonly servers: readonly string[];
  };
  readonly socket: SdkSocket;
}

/** A plain socket, or TLS over one. */
export type SdkSocket =
  | { readonly io: typeof SafeTcp; readonly user: SocketUser }
  | {
      readonly io: SdkTls;
      readonly TCP: { readonly io: typeof SafeTcp };
      readonly user: SocketUser;
      readonly secure: { readonly certificate: Uint8Array; readonly cache: false };
    };

/** The class of `embedded:network/mqtt/client`. */
export type SdkMqtt = new (options: SdkMqttOptions) => MqttClient;
/** The class of `embedded:io/socket/tcp/tls`: handed over as it is. */
export type SdkTls = new (options: never) => object;

/** What TLS takes. */
export interface SecureParts {
  readonly TLSSocket: SdkTls;
  /** The site's certificate authority; undefined where the build has none. */
  readonly authority: Authority | undefined;
  /** Whether the date is known. */
  isDateSet(): boolean;
  readonly turns: RadioTurns;
}

/** What a {@link SafeNetwork} is made of. */
export interface NetworkParts {
  readonly MQTTClient: SdkMqtt;
  readonly TCP: TcpConstructor;
  readonly UDP: UdpConstructor;
  readonly Resolver: ResolverConstructor;
  /** Addresses of name servers. */
  readonly nameServers: readonly string[];
  readonly secure: SecureParts;
  readonly timers: Timers;
  readonly guard: Guard;
  /** Is told after every callback: the lock's turn is due. */
  onEvent(): void;
}

/** A client that keeps the contract of the port, and the owner of everything that the SDK opens for it. */
class SafeClient implements MqttClient, SocketUser {
  readonly guard: Guard;
  readonly TCP: TcpConstructor;
  readonly UDP: UdpConstructor;
  readonly Resolver: ResolverConstructor;
  readonly watch: SocketWatch | undefined;
  readonly #parts: NetworkParts;
  #sdk: MqttClient | undefined;
  readonly #onError: () => void;
  #opened: { close(): void }[] = [];
  /** Whether nothing is told any more. */
  #isOver = false;
  /** Whether the uplink wants to hear nothing any more. */
  #isClosed = false;

  constructor(parts: NetworkParts, options: MqttOptions, authority?: Authority) {
    const { guard, onEvent } = parts;
    checkHost(options.host);
    this.#parts = parts;
    this.guard = guard;
    this.TCP = parts.TCP;
    this.UDP = parts.UDP;
    this.Resolver = parts.Resolver;
    this.watch = authority && new TlsWatch(authority);
    this.#onError = () => options.onError();
    const tell = (callback: () => void): void => {
      if (this.#isOver) return;
      guard.run("mqtt", callback);
      guard.run("mqtt", onEvent);
    };
    try {
      this.#sdk = new parts.MQTTClient({
        ...options,
        dns: { io: SafeResolver, user: this, servers: parts.nameServers },
        socket: this.socket(authority),
        onReadable: (count, piece) => tell(() => options.onReadable(count, piece)),
        onWritable: (count) => tell(() => options.onWritable(count)),
        onControl: (control) => tell(() => options.onControl(control)),
        onError: () => this.failed(),
      });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  private socket(authority: Authority | undefined): SdkSocket {
    if (authority === undefined) return { io: SafeTcp, user: this };
    const { TLSSocket } = this.#parts.secure;
    // A session that is taken up again has no certificate to look at.
    const secure = { certificate: authority.certificate, cache: false } as const;
    return { io: TLSSocket, TCP: { io: SafeTcp }, user: this, secure };
  }

  // ---- what the uplink does

  write(data: Uint8Array | null, options?: MqttPublish | MqttSubscribe): number {
    if (this.#isOver || this.#sdk === undefined) throw new Error("mqtt: no connection");
    return this.#sdk.write(data, options);
  }

  read(buffer: Uint8Array): number | undefined {
    return this.#isOver ? undefined : this.#sdk?.read(buffer);
  }

  /** May be called twice, and after an error. */
  close(): void {
    this.#isClosed = true;
    this.#isOver = true;
    this.release();
  }

  /** Gives back whatever the SDK has opened; its resolver goes on by itself otherwise. Not to be called inside a callback. */
  release(): void {
    const sdk = this.#sdk;
    this.#sdk = undefined;
    this.guard.run("mqtt", () => sdk?.close());
    for (const socket of this.#opened) socket.close();
    this.#opened = [];
  }

  // ---- what its sockets tell

  get isOver(): boolean {
    return this.#isOver;
  }

  opened(socket: { close(): void }): void {
    this.#opened.push(socket);
  }

  /** Gives everything back and tells the uplink, both later: the SDK is at work just now, and the uplink may be writing. */
  failed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { guard, timers, onEvent } = this.#parts;
    timers.set(() => {
      this.release();
      if (!this.#isClosed) guard.run("mqtt", this.#onError);
      guard.run("mqtt", onEvent);
    }, 0);
  }
}

/** The network of a board. */
export class SafeNetwork implements Network {
  readonly mqtt: Network["mqtt"];
  readonly mqtts: Network["mqtts"];
  #secure: SafeClient | undefined;

  constructor(parts: NetworkParts) {
    const network = this;
    class Plain extends SafeClient {
      constructor(options: MqttOptions) {
        super(parts, options);
      }
    }
    class Secure extends SafeClient {
      constructor(options: MqttOptions) {
        const { authority, isDateSet, turns } = parts.secure;
        if (authority === undefined) throw new Error("TLS: no certificate authority in this build");
        if (!isDateSet()) throw new Error("TLS: the date is not known");
        if (!turns.askTls()) throw new Error("TLS: a central is connected");
        super(parts, options, authority);
        network.#secure = this;
        turns.tls(true);
      }

      override release(): void {
        super.release();
        if (network.#secure !== this) return;
        network.#secure = undefined;
        parts.secure.turns.tls(false);
      }
    }
    this.mqtt = { io: Plain };
    this.mqtts = { io: Secure };
  }

  /** Ends the TLS session that there is, now; the uplink hears of an error a moment later. Not to be called inside a callback. */
  hangUp(): void {
    const secure = this.#secure;
    secure?.failed();
    secure?.release();
  }
}

/** Labels of 1 to 63 characters: of others the SDK's resolver would make a packet that means something else. */
function checkHost(host: string): void {
  for (const label of host.split("."))
    if (label.length < 1 || label.length > 63) throw new Error("mqtt: no name of a host");
}
