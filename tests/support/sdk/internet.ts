// The SDK's sockets and resolver on an internet in memory. As there: callbacks come from the message loop and never inside a call; whoever throws
// in one restarts the chip, which here ends the test; whatever is called after `close` throws; a socket that is not connected yet, or is
// lost, throws "not ready" or takes everything in silence; the resolver believes any packet and throws at one that is none.

import type { VirtualTimers } from "./timers";

/** What a TCP socket may send without an acknowledgement. */
const ROOM_BYTES = 5760;
const DNS_PORT = 53;

/** The other end of a TCP connection. */
export interface Peer {
  /** What came from the board. */
  onData(bytes: Uint8Array): void;
  send(bytes: Uint8Array): void;
  /** Ends the connection. */
  end(): void;
  readonly isOver: boolean;
}

/** What answers at an address and a port: given the other end, whose `onData` it sets. */
export type Service = (peer: Peer) => void;

/** What answers UDP packets: the answers, each by itself. */
export type UdpService = (packet: Uint8Array) => readonly Uint8Array[];

interface Callbacks {
  onReadable(count: number): void;
  onWritable(count: number): void;
  onError(): void;
}

export class Internet {
  readonly timers: VirtualTimers;
  /** By "address:port". */
  readonly tcp = new Map<string, Service>();
  readonly udp = new Map<string, UdpService>();
  /** Addresses by name. */
  readonly names = new Map<string, string>();
  /** Whether there is a way to anybody. */
  isUp = true;
  /** Sockets that are open. */
  open = 0;
  readonly TCP: ReturnType<typeof tcpOf>;
  readonly UDP: ReturnType<typeof udpOf>;
  readonly Resolver: ReturnType<typeof resolverOf>;

  constructor(timers: VirtualTimers) {
    this.timers = timers;
    this.TCP = tcpOf(this);
    this.UDP = udpOf(this);
    this.Resolver = resolverOf(this);
    this.udp.set("192.0.2.53:53", (packet) => [this.#name(packet)]);
  }

  #name(packet: Uint8Array): Uint8Array {
    const [id, name] = Buffer.from(packet).toString().split(" ");
    return Buffer.from(`${id} ${name} ${this.names.get(name) ?? "none"}`);
  }
}

class SdkTcp {
  #format = "buffer";
  readonly #internet: Internet;
  readonly #callbacks: Callbacks;
  #incoming = new Uint8Array(0);
  #isReady = false;
  #isLost = false;
  #isClosed = false;
  #peer: Peer | undefined;

  constructor(internet: Internet, options: Callbacks & { readonly address: string; readonly port: number }) {
    if (!/^\d+\.\d+\.\d+\.\d+$/.test(options.address)) throw new Error("invalid address");
    this.#internet = internet;
    this.#callbacks = options;
    internet.open++;
    const service = internet.isUp ? internet.tcp.get(`${options.address}:${options.port}`) : undefined;
    if (service !== undefined) this.#tell(() => this.#connected(service));
    else internet.timers.set(() => this.#lost(), 20_000);
  }

  #tell(callback: () => void): void {
    this.#internet.timers.post(() => {
      if (!this.#isClosed) callback();
    });
  }

  #connected(service: Service): void {
    this.#isReady = true;
    this.#peer = this.#peerOf();
    service(this.#peer);
    this.#callbacks.onWritable(ROOM_BYTES);
  }

  #peerOf(): Peer {
    const isOver = (): boolean => this.#isClosed || this.#isLost;
    return {
      onData() {},
      send: (bytes) => this.#arrived(bytes),
      end: () => this.#lost(),
      get isOver() {
        return isOver();
      },
    };
  }

  #arrived(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#incoming.length + bytes.length);
    joined.set(this.#incoming);
    joined.set(bytes, this.#incoming.length);
    this.#incoming = joined;
    this.#tell(() => {
      if (this.#incoming.length > 0) this.#callbacks.onReadable(this.#incoming.length);
    });
  }

  #lost(): void {
    this.#tell(() => {
      if (this.#isLost) return;
      this.#isLost = true;
      this.#isReady = false;
      this.#callbacks.onError();
    });
  }

  #check(): void {
    if (this.#isClosed) throw new Error("invalid host data");
  }

  get format(): string {
    this.#check();
    return this.#format;
  }

  set format(format: string) {
    this.#check();
    this.#format = format;
  }

  read(...words: (Uint8Array | number | undefined)[]): number | ArrayBuffer | undefined {
    this.#check();
    if (this.#incoming.length === 0) return undefined;
    if (this.#format === "number") return this.#taken(1)[0];
    const [into] = words;
    const wanted = into instanceof Uint8Array ? into.length : (into ?? 0);
    const count = words.length === 0 ? this.#incoming.length : wanted;
    if (count <= 0 || count > this.#incoming.length) throw new Error("invalid");
    const bytes = this.#taken(count);
    if (!(into instanceof Uint8Array)) return bytes.buffer as ArrayBuffer;
    into.set(bytes);
    return count;
  }

  #taken(count: number): Uint8Array {
    const bytes = this.#incoming.slice(0, count);
    this.#incoming = this.#incoming.slice(count);
    return bytes;
  }

  write(bytes: Uint8Array | ArrayBuffer): number | undefined {
    this.#check();
    if (this.#isLost) return undefined;
    if (!this.#isReady) throw new Error("not ready");
    const copy = new Uint8Array(bytes instanceof ArrayBuffer ? bytes : bytes.slice());
    if (copy.length > ROOM_BYTES) throw new Error("would block");
    this.#internet.timers.post(() => {
      if (this.#isClosed || this.#isLost) return;
      this.#peer?.onData(copy);
      this.#tell(() => {
        if (!this.#isLost) this.#callbacks.onWritable(ROOM_BYTES);
      });
    });
    return ROOM_BYTES - copy.length;
  }

  close(): void {
    if (!this.#isClosed) this.#internet.open--;
    this.#isClosed = true;
  }
}

class SdkUdp {
  readonly #internet: Internet;
  readonly #options: { onReadable?(this: SdkUdp, count: number): void };
  readonly #packets: Uint8Array[] = [];
  #isDue = false;
  #isClosed = false;

  constructor(internet: Internet, options: { onReadable?(this: SdkUdp, count: number): void }) {
    this.#internet = internet;
    this.#options = options;
    internet.open++;
  }

  read(): ArrayBuffer | undefined {
    this.#check();
    return this.#packets.shift()?.slice().buffer as ArrayBuffer | undefined;
  }

  write(packet: Uint8Array | ArrayBuffer, address: string, port: number): void {
    this.#check();
    if (!this.#internet.isUp) throw new Error("UDP send failed");
    const answers = this.#internet.udp.get(`${address}:${port}`)?.(new Uint8Array(packet)) ?? [];
    for (const answer of answers) this.receive(answer);
  }

  /** A packet comes, whoever has sent it. */
  receive(packet: Uint8Array): void {
    this.#packets.push(new Uint8Array(packet));
    if (this.#isDue) return;
    this.#isDue = true;
    this.#internet.timers.post(() => {
      this.#isDue = false;
      if (!this.#isClosed && this.#packets.length > 0)
        this.#options.onReadable?.call(this, this.#packets.length);
    });
  }

  close(): void {
    if (!this.#isClosed) this.#internet.open--;
    this.#isClosed = true;
  }

  #check(): void {
    if (this.#isClosed) throw new Error("invalid host data");
  }
}

/** What is asked of a resolver. */
interface Asked {
  readonly host: string;
  onResolved(host: string, address: string): void;
  onError(host: string): void;
}

interface DnsSocket {
  readonly target: SdkResolver;
  read(): ArrayBuffer;
  write(packet: Uint8Array, address: string, port: number): void;
  close(): void;
}

interface ResolverOptions {
  readonly servers: readonly string[];
  readonly socket: { readonly io: new (options: object) => unknown };
}

class SdkResolver {
  readonly #timers: VirtualTimers;
  readonly #options: ResolverOptions;
  #asked: (Asked & { id: number; tries: number })[] = [];
  #socket: DnsSocket | undefined;
  #timer: object | undefined;
  #isClosed = false;

  constructor(timers: VirtualTimers, options: ResolverOptions) {
    this.#timers = timers;
    this.#options = options;
  }

  resolve(asked: Asked): void {
    if (this.#isClosed || asked.host === "") throw new Error();
    this.#asked.push({ ...asked, id: this.#asked.length + 1, tries: 0 });
    this.#timer ??= this.#timers.repeat(() => this.#task(), 1000);
    this.#timers.post(() => this.#task());
  }

  #task(): void {
    for (const asked of [...this.#asked]) {
      if (/^\d+\.\d+\.\d+\.\d+$/.test(asked.host)) {
        this.#remove(asked);
        asked.onResolved(asked.host, asked.host);
      } else if (++asked.tries === 5 * this.#options.servers.length) {
        this.#remove(asked);
        asked.onError(asked.host);
      } else this.#send(asked);
    }
  }

  #send({ id, host }: { id: number; host: string }): void {
    this.#socket ??= new this.#options.socket.io({
      target: this,
      onReadable(this: DnsSocket, count: number) {
        while (count-- > 0) this.target.receive(this.read());
      },
    }) as DnsSocket;
    this.#socket.write(Buffer.from(`${id} ${host}`), this.#options.servers[0], DNS_PORT);
  }

  receive(packet: ArrayBuffer): void {
    const words = Buffer.from(packet).toString().split(" ");
    if (words.length !== 3) throw new Error("malformed packet");
    const [id, name, address] = words;
    const asked = this.#asked.find((one) => String(one.id) === id && one.host === name);
    if (asked === undefined) return;
    this.#remove(asked);
    if (address === "none") asked.onError(name);
    else asked.onResolved(name, address);
  }

  #remove(asked: object): void {
    this.#asked = this.#asked.filter((one) => one !== asked);
    if (this.#asked.length > 0) return;
    this.#socket?.close();
    if (this.#timer !== undefined) this.#timers.clear(this.#timer);
    this.#socket = undefined;
    this.#timer = undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#asked = [];
    this.#remove(this);
  }
}

function tcpOf(internet: Internet) {
  return class extends SdkTcp {
    constructor(options: Callbacks & { readonly address: string; readonly port: number }) {
      super(internet, options);
    }
  };
}

function udpOf(internet: Internet) {
  return class extends SdkUdp {
    constructor(options: { onReadable?(count: number): void }) {
      super(internet, options);
    }
  };
}

function resolverOf(internet: Internet) {
  return class extends SdkResolver {
    constructor(options: ResolverOptions) {
      super(internet.timers, options);
    }
  };
}
