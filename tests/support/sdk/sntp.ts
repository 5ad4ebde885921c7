// The SDK's NTP client on its resolver and socket. As there: servers in turn, each asked five times, two seconds apart; it believes any packet,
// throws at a short one, and calls back once. A time server answers beside it, truly or not.

import type { VirtualTimers } from "./timers";

const TRIES = 5;
const WAIT_MS = 2000;
const PORT = 123;
/** Seconds from 1900 to 1970. */
const EPOCH_S = 2_208_988_800;

interface Socket {
  read(): ArrayBuffer;
  write(packet: Uint8Array, address: string, port: number): void;
  close(): void;
}

interface Resolver {
  resolve(options: object): void;
  close(): void;
}

interface NtpOptions {
  readonly servers: readonly string[];
  readonly dns: { readonly io: new (options: object) => Resolver };
  readonly socket: { readonly io: new (options: object) => Socket };
}

type Callback = (error: unknown, time?: number) => void;

class SdkNtp {
  readonly #timers: VirtualTimers;
  readonly #servers: readonly string[];
  #dns: Resolver | undefined;
  #socket: Socket | undefined;
  #callback: Callback | undefined;
  #timer: object | undefined;
  #index = 0;
  #tries = 0;
  #address: string | undefined;

  constructor(timers: VirtualTimers, { servers, dns, socket }: NtpOptions) {
    this.#timers = timers;
    this.#servers = servers;
    this.#dns = new dns.io(dns);
    this.#socket = new socket.io({ ...socket, onReadable: (count: number) => this.#onReadable(count) });
  }

  getTime(callback: Callback): void {
    if (this.#callback !== undefined) throw new Error("in use");
    this.#callback = callback;
    this.#next();
  }

  #next(): void {
    this.#clear();
    if (this.#address !== undefined && this.#tries++ < TRIES) {
      const packet = new Uint8Array(48);
      packet[0] = (4 << 3) | 3;
      (this.#socket as Socket).write(packet, this.#address, PORT);
      this.#timer = this.#timers.set(() => this.#next(), WAIT_MS);
      return;
    }
    this.#address = undefined;
    this.#tries = 0;
    if (this.#index === this.#servers.length) {
      this.#answer(new Error());
      return;
    }
    (this.#dns as Resolver).resolve({
      host: this.#servers[this.#index++],
      onResolved: (_: string, address: string) => {
        this.#address = address;
        this.#next();
      },
      onError: () => this.#next(),
    });
  }

  #onReadable(count: number): void {
    const packet = new DataView((this.#socket as Socket).read());
    while (--count > 0) this.#socket?.read();
    this.#clear();
    this.#answer(null, (packet.getUint32(40) - EPOCH_S) * 1000);
  }

  #answer(error: unknown, time?: number): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.(error, time);
  }

  #clear(): void {
    if (this.#timer !== undefined) this.#timers.clear(this.#timer);
    this.#timer = undefined;
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#dns?.close();
    this.#dns = undefined;
    this.#clear();
  }
}

/** The SDK's class. */
export function ntpClient(timers: VirtualTimers) {
  return class extends SdkNtp {
    constructor(options: NtpOptions) {
      super(timers, options);
    }
  };
}

/** What a server answers a question with. */
export function ntpAnswer(
  question: Uint8Array,
  time: number,
  changes: { stratum?: number; mode?: number } = {},
) {
  const packet = new Uint8Array(48);
  packet[0] = (4 << 3) | (changes.mode ?? 4);
  packet[1] = changes.stratum ?? 2;
  packet.set(question.subarray(40, 48), 24);
  new DataView(packet.buffer).setUint32(40, (time + EPOCH_S) % 2 ** 32);
  return packet;
}
