// Sockets and names as the SDK's network clients take them, made safe to hand to them. The SDK's clients run what comes from the network in
// callbacks of their own and throw in there, which would restart the board: every callback goes through the guard here. What is closed or
// broken gives nothing any more and takes everything in silence, since those clients ask on after the end. Nobody's answers are trusted.

import type { Guard } from "./guard";

/** A TCP socket (ECMA-419, clause 11.1): "number" reads bytes, "buffer" as many as asked for. */
export interface TcpSocket {
  format: string;
  read(into?: Uint8Array | number): number | ArrayBuffer | undefined;
  /** Takes all of it, or throws; gives the bytes that may be written now, nothing where the connection is lost. */
  write(bytes: Uint8Array | ArrayBuffer): number | undefined;
  close(): void;
}

/** How a TCP socket is opened. */
export interface TcpOptions {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
  /** Sends small packets at once. */
  readonly nodelay?: boolean;
  onReadable(count: number): void;
  onWritable(count: number): void;
  onError(): void;
}

export type TcpConstructor = new (options: TcpOptions) => TcpSocket;

/** A UDP socket (ECMA-419, clause 11.2). */
export interface UdpSocket {
  /** The next packet; undefined where there is none. */
  read(): ArrayBuffer | undefined;
  /** Throws where there is no way there. */
  write(bytes: Uint8Array | ArrayBuffer, address: string, port: number): void;
  close(): void;
}

/** How a UDP socket is opened. */
export interface UdpOptions {
  /** How many packets can be read. */
  onReadable(count: number): void;
}

export type UdpConstructor = new (options: UdpOptions) => UdpSocket;

/** What finds the addresses of names (ECMA-419, clause 16.1). */
export interface Resolver {
  resolve(options: ResolveOptions): void;
  close(): void;
}

export interface ResolveOptions {
  readonly host: string;
  onResolved(host: string, address: string): void;
  onError(host: string): void;
}

/** The class behind `dns.io` of the SDK's network clients, which hand it all of their `dns`. */
export type ResolverConstructor = new (options: {
  readonly servers: readonly string[];
  readonly socket: { readonly io: UdpConstructor };
}) => Resolver;

/** Who uses sockets: the client of whom all of them are. */
export interface SocketUser {
  readonly guard: Guard;
  readonly TCP: TcpConstructor;
  readonly UDP: UdpConstructor;
  readonly Resolver: ResolverConstructor;
  /** Sees what goes over its TCP connection; throws at what must not go on. */
  readonly watch?: SocketWatch;
  /** Whether nothing is to come of it any more. */
  readonly isOver: boolean;
  /** Something was thrown, or the peer did what it must not: nothing more comes of the connection. */
  failed(): void;
  /** Is told of what must be closed with it. */
  opened(socket: { close(): void }): void;
}

/** Looks at a connection's bytes, both ways. */
export interface SocketWatch {
  sent(bytes: Uint8Array): void;
  received(bytes: Uint8Array): void;
}

/** What the SDK's clients open a {@link SafeTcp} with. */
interface SafeTcpOptions extends TcpOptions {
  readonly user: SocketUser;
}

const viewOf = (bytes: Uint8Array | ArrayBuffer): Uint8Array =>
  bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;

/** A TCP socket that does not throw. */
export class SafeTcp implements TcpSocket {
  /** The SDK's TLS keeps its own count here. */
  writable = 0;
  readonly #user: SocketUser;
  readonly #options: SafeTcpOptions;
  readonly #tcp: TcpSocket;
  #isOver = false;
  #isCalling = false;
  #readable = 0;

  constructor(options: SafeTcpOptions) {
    const { user, address, port } = options;
    this.#user = user;
    this.#options = options;
    this.#tcp = new user.TCP({
      address,
      port,
      nodelay: true,
      onReadable: (count) => this.call(() => this.arrived(count)),
      onWritable: (count) => this.call(() => options.onWritable(count)),
      onError: () => this.call(() => options.onError()),
    });
    user.opened(this);
  }

  /**
   * The SDK's TLS keeps here how much it has not read. Between callbacks that is nothing: it would read on in a timer of its own, where
   * nobody catches what it throws. Here it is called until it has read all.
   */
  get readable(): number {
    return this.#isCalling ? this.#readable : 0;
  }

  set readable(count: number) {
    this.#readable = count;
  }

  private arrived(count: number): void {
    this.#readable = 0;
    this.#options.onReadable(count);
    for (let before = count; this.#readable > 0 && this.#readable < before && !this.#isOver; ) {
      before = this.#readable;
      this.#options.onReadable(before);
    }
  }

  /** What a callback throws ends the connection. */
  private call(callback: () => void): void {
    if (this.#isOver || this.#user.isOver) return;
    this.#isCalling = true;
    const isDone = this.#user.guard.run("socket", callback);
    this.#isCalling = false;
    if (!isDone) this.fail();
  }

  private fail(): void {
    this.close();
    this.#user.failed();
  }

  get format(): string {
    return this.#isOver ? "buffer" : this.#tcp.format;
  }

  set format(format: string) {
    if (!this.#isOver) this.#tcp.format = format;
  }

  read(into?: Uint8Array | number): number | ArrayBuffer | undefined {
    if (this.#isOver) return undefined;
    // An argument that is undefined is not the same as none.
    const bytes = into === undefined ? this.#tcp.read() : this.#tcp.read(into);
    const { watch } = this.#user;
    if (watch !== undefined && into instanceof Uint8Array) watch.received(into);
    return bytes;
  }

  write(bytes: Uint8Array | ArrayBuffer): number {
    if (this.#isOver) return 0;
    let room: number | undefined;
    const isDone = this.#user.guard.run("socket", () => {
      this.#user.watch?.sent(viewOf(bytes));
      room = this.#tcp.write(bytes);
    });
    if (!isDone) this.fail();
    return room ?? 0;
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#user.guard.run("socket", () => this.#tcp.close());
  }
}

/** What the SDK's clients open a {@link SafeUdp} with. */
interface SafeUdpOptions extends UdpOptions {
  readonly user: SocketUser;
  readonly target?: unknown;
}

/** A UDP socket that does not throw. */
export class SafeUdp implements UdpSocket {
  /** The SDK's resolver finds itself here. */
  readonly target: unknown;
  readonly #user: SocketUser;
  readonly #udp: UdpSocket;
  #isOver = false;

  constructor(options: SafeUdpOptions) {
    const { user, target } = options;
    this.target = target;
    this.#user = user;
    this.#udp = new user.UDP({
      onReadable: user.guard.wrap("udp", (count: number) => {
        if (!this.#isOver) options.onReadable.call(this, count);
      }),
    });
    user.opened(this);
  }

  read(): ArrayBuffer | undefined {
    return this.#isOver ? undefined : this.#udp.read();
  }

  write(bytes: Uint8Array | ArrayBuffer, address: string, port: number): void {
    if (!this.#isOver) this.#user.guard.run("udp", () => this.#udp.write(bytes, address, port));
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#user.guard.run("udp", () => this.#udp.close());
  }
}

/** What the SDK's clients make a {@link SafeResolver} with. */
interface SafeResolverOptions {
  readonly user: SocketUser;
  readonly servers: readonly string[];
}

/** A resolver whose answers reach nobody who is over. The SDK's would open its sockets by itself: it is given safe ones. */
export class SafeResolver implements Resolver {
  readonly #user: SocketUser;
  readonly #resolver: Resolver;
  #isOver = false;

  constructor({ user, servers }: SafeResolverOptions) {
    this.#user = user;
    class Udp extends SafeUdp {
      constructor(options: UdpOptions) {
        super({ ...options, user });
      }
    }
    this.#resolver = new user.Resolver({ servers, socket: { io: Udp } });
    user.opened(this);
  }

  resolve({ host, onResolved, onError }: ResolveOptions): void {
    this.#resolver.resolve({
      host,
      onResolved: (name, address) => this.tell(() => onResolved(name, address)),
      onError: (name) => this.tell(() => onError(name)),
    });
  }

  private tell(callback: () => void): void {
    if (this.#isOver || this.#user.isOver) return;
    if (!this.#user.guard.run("dns", callback)) this.#user.failed();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#user.guard.run("dns", () => this.#resolver.close());
  }
}
