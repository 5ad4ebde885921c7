// The SDK's TLS socket without its cryptography: records with the headers of TLS 1.2, the messages of a handshake in their order, and what is
// "encrypted" is in the clear. Its habits are the SDK's: it keeps its counts on the socket below, reads one record at a call and the next ones in
// a timer of its own, believes every certificate, takes an alert for the end of the handshake, and throws inside the callbacks of its socket.

import type { Peer, Service } from "./internet";
import type { VirtualTimers } from "./timers";

export const CERTIFICATE = Buffer.from("the broker's certificate");
export const AUTHORITY = Buffer.from("the authority's own certificate");
const HEADER_BYTES = 5;

/** A record. */
export function record(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  return new Uint8Array([type, 3, 3, body.length >> 8, body.length & 0xff, ...body]);
}

/** A handshake message. */
export function message(type: number, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  return new Uint8Array([type, 0, body.length >> 8, body.length & 0xff, ...body]);
}

const withLength = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array([0, bytes.length >> 8, bytes.length & 0xff, ...bytes]);

/** A Certificate message. */
export const certificates = (...list: readonly Uint8Array[]): Uint8Array =>
  message(11, withLength(Buffer.concat(list.map(withLength))));

/** Takes a stream apart; gives whole records. */
class Records {
  #bytes = new Uint8Array(0);

  add(bytes: Uint8Array): Uint8Array[] {
    this.#bytes = new Uint8Array([...this.#bytes, ...bytes]);
    const records: Uint8Array[] = [];
    for (;;) {
      const length = HEADER_BYTES + ((this.#bytes[3] << 8) | this.#bytes[4]);
      if (this.#bytes.length < HEADER_BYTES || this.#bytes.length < length) return records;
      records.push(this.#bytes.slice(0, length));
      this.#bytes = this.#bytes.slice(length);
    }
  }
}

/** What a server sends first, all of it at once. */
export const FLIGHT = [
  record(22, message(2, new Uint8Array(38))),
  record(22, certificates(CERTIFICATE, AUTHORITY)),
  record(22, message(14)),
];

/** A service behind TLS. `flight` is what its server sends upon the client's first word. */
export function overTls(service: Service, flight: readonly Uint8Array[] = FLIGHT): Service {
  return (peer) => {
    const records = new Records();
    const inner: Peer = {
      onData() {},
      send: (bytes) => peer.send(record(23, bytes)),
      end: () => peer.end(),
      get isOver() {
        return peer.isOver;
      },
    };
    service(inner);
    let isGreeted = false;
    peer.onData = (bytes) => {
      for (const one of records.add(bytes)) {
        if (one[0] === 20)
          peer.send(Buffer.concat([record(20, new Uint8Array([1])), record(22, message(20))]));
        if (one[0] === 22 && !isGreeted) for (const each of flight) peer.send(each);
        isGreeted = true;
        if (one[0] === 23) inner.onData(one.slice(HEADER_BYTES));
      }
    };
  };
}

interface Below {
  readable: number;
  writable: number;
  read(into: Uint8Array): unknown;
  write(bytes: Uint8Array): number;
  close(): void;
}

interface TlsOptions {
  readonly TCP: { readonly io: new (options: object) => Below };
  onReadable(count: number): void;
  onWritable(count: number): void;
  onError(): void;
}

class SdkTls {
  format = "buffer";
  readonly #timers: VirtualTimers;
  readonly #options: TlsOptions;
  #socket: Below | undefined;
  #isGreeted = false;
  #isReady = false;
  #header = new Uint8Array(0);
  #data = new Uint8Array(0);
  #later: object | undefined;

  constructor(timers: VirtualTimers, options: TlsOptions) {
    this.#timers = timers;
    this.#options = options;
    this.#socket = new options.TCP.io({
      ...options,
      onReadable: (count: number) => this.#onReadable(count),
      onWritable: (count: number) => this.#onWritable(count),
      onError: () => options.onError(),
    });
    this.#socket.readable = this.#socket.writable = 0;
  }

  #onWritable(count: number): void {
    const socket = this.#socket as Below;
    socket.writable = count;
    if (this.#isReady) this.#options.onWritable(count - 96);
    else if (!this.#isGreeted) {
      this.#isGreeted = true;
      socket.write(record(22, message(1)));
    }
  }

  #onReadable(count: number): void {
    (this.#socket as Below).readable = count;
    if (this.#data.length === 0) this.#step();
  }

  /** One record, of which the header may have been read before. */
  #step(): void {
    const socket = this.#socket as Below;
    if (this.#header.length === 0 && socket.readable >= HEADER_BYTES)
      this.#header = this.#read(socket, HEADER_BYTES);
    const length = (this.#header[3] << 8) | this.#header[4];
    if (this.#header.length === 0 || socket.readable < length) return;
    const type = this.#header[0];
    const body = this.#read(socket, length);
    this.#header = new Uint8Array(0);
    if (type === 21 && body[1] !== 0) throw new Error("alert");
    if (type === 21 || (type === 22 && body[0] === 20)) this.#ready();
    if (type === 22 && body.at(-4) === 14) this.#keys(socket);
    if (type !== 23) return;
    if (body[0] === 0xff) throw new Error("auth failed");
    this.#data = body;
    this.#options.onReadable(body.length);
  }

  #keys(socket: Below): void {
    socket.write(record(22, message(16)));
    socket.write(record(20, new Uint8Array([1])));
    socket.write(record(22, message(20)));
  }

  #ready(): void {
    this.#isReady = true;
    this.#onWritable((this.#socket as Below).writable);
  }

  #read(socket: Below, count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count);
    if (count > 0) socket.read(bytes);
    socket.readable -= count;
    return bytes;
  }

  read(into: Uint8Array): number {
    const count = Math.min(into.length, this.#data.length);
    into.set(this.#data.subarray(0, count));
    this.#data = this.#data.slice(count);
    if (this.#data.length === 0 && (this.#socket as Below).readable > 0)
      this.#later ??= this.#timers.set(() => {
        this.#later = undefined;
        if ((this.#socket as Below).readable > 0) this.#onReadable((this.#socket as Below).readable);
      }, 0);
    return count;
  }

  write(bytes: Uint8Array): number {
    return (this.#socket as Below).write(record(23, bytes)) - 32;
  }

  close(): void {
    this.#socket?.close();
    if (this.#later !== undefined) this.#timers.clear(this.#later);
    this.#socket = undefined;
  }
}

/** The SDK's class. */
export function tlsSocket(timers: VirtualTimers) {
  return class extends SdkTls {
    constructor(options: TlsOptions) {
      super(timers, options);
    }
  };
}
