// The date for certificates (rule T14): asked of SNTP servers, one after the other, and given to the host, whose TLS reads it there. The lock's
// own clock never sees it: whoever answers here could say anything. It uses the SDK's NTP client, which shares its sockets and its resolver with
// MQTT (the SDK's other one wants a second network stack), and looks at each answer before that client does: it would believe any packet.

import type { Guard } from "./guard";
import {
  type ResolverConstructor,
  SafeResolver,
  SafeUdp,
  type SocketUser,
  type TcpConstructor,
  type UdpConstructor,
  type UdpOptions,
  type UdpSocket,
} from "./sockets";

/** How long a date is good for, in seconds. */
export const DAY_S = 86_400;
/** The first and the longest wait after nobody has answered, in seconds: twice as long each time. */
export const RETRY_S = 60;
const LONGEST_RETRY_S = 3600;
/** No build is older: an earlier date is a lie, 2025-01-01 in seconds since 1970. */
export const EARLIEST = 1_735_689_600;
/** The SDK's clock counts in 32 bits, and so do the seconds of SNTP, which begin anew in 2036. */
const ERA_S = 2 ** 32;

/** A packet (RFC 5905, 7.3). */
const PACKET_BYTES = 48;
const MODE_BITS = 7;
const SERVER = 4;
const HIGHEST_STRATUM = 15;
const ORIGIN_AT = 24;
const TRANSMIT_AT = 40;
const STAMP_BYTES = 8;

/** What the SDK's NTP client is made with. */
export interface SdkNtpOptions {
  readonly servers: readonly string[];
  readonly dns: {
    readonly io: typeof SafeResolver;
    readonly user: SocketUser;
    readonly servers: readonly string[];
  };
  readonly socket: { readonly io: typeof NtpSocket; readonly user: NtpUser };
}

/** The SDK's NTP client, `embedded:network/ntp/client`. */
export interface NtpClient {
  /** Asks the servers in turn; calls back once, with an error or milliseconds since 1970. */
  getTime(callback: (error: unknown, time?: number) => void): void;
  close(): void;
}

export type SdkNtp = new (options: SdkNtpOptions) => NtpClient;

/** What a {@link DateKeeper} is made of. */
export interface DateParts {
  readonly NTP: SdkNtp;
  readonly UDP: UdpConstructor;
  readonly Resolver: ResolverConstructor;
  /** Names or addresses of time servers. */
  readonly servers: readonly string[];
  /** Addresses of name servers. */
  readonly nameServers: readonly string[];
  readonly guard: Guard;
  /** Seconds since boot. */
  uptime(): number;
  /** Fills a buffer with random bytes. */
  random(buffer: Uint8Array): void;
  /** Sets the host's date, seconds since 1970. */
  setDate(seconds: number): void;
  /** Is told when an answer came: the lock's turn is due. */
  onEvent(): void;
}

/** Who the sockets of one question belong to. */
interface NtpUser extends SocketUser {
  random(buffer: Uint8Array): void;
}

/**
 * The socket of the SDK's client. What goes out carries a random number in place of our time, which nobody learns that way, and an answer is
 * one only with that number in it.
 */
export class NtpSocket implements UdpSocket {
  readonly #udp: SafeUdp;
  readonly #user: NtpUser;
  readonly #asked = new Uint8Array(STAMP_BYTES);
  #answer: ArrayBuffer | undefined;
  #hasAsked = false;

  constructor(options: UdpOptions & { readonly user: NtpUser }) {
    this.#user = options.user;
    this.#udp = new SafeUdp({
      user: options.user,
      onReadable: (count) => {
        for (let i = 0; i < count; i++) this.take(this.#udp.read());
        if (this.#answer !== undefined) options.onReadable(1);
      },
    });
  }

  private take(packet: ArrayBuffer | undefined): void {
    if (packet !== undefined && this.#hasAsked && isAnswer(new Uint8Array(packet), this.#asked))
      this.#answer = packet;
  }

  read(): ArrayBuffer | undefined {
    const answer = this.#answer;
    this.#answer = undefined;
    return answer;
  }

  write(packet: Uint8Array, address: string, port: number): void {
    this.#user.random(this.#asked);
    this.#hasAsked = true;
    packet.set(this.#asked, TRANSMIT_AT);
    this.#udp.write(packet, address, port);
  }

  close(): void {
    this.#udp.close();
  }
}

/** Whether it is a synchronized server's answer to the question with this number. */
function isAnswer(packet: Uint8Array, asked: Uint8Array): boolean {
  if (packet.length < PACKET_BYTES || (packet[0] & MODE_BITS) !== SERVER) return false;
  if (packet[1] < 1 || packet[1] > HIGHEST_STRATUM) return false;
  return asked.every((byte, i) => packet[ORIGIN_AT + i] === byte);
}

const noTcp: TcpConstructor = class {
  constructor() {
    throw new Error("sntp: no TCP");
  }
} as unknown as TcpConstructor;

/** One question and its sockets. */
class Question implements NtpUser {
  readonly guard: Guard;
  readonly TCP = noTcp;
  readonly UDP: UdpConstructor;
  readonly Resolver: ResolverConstructor;
  isOver = false;
  /** What came of it: seconds since 1970, or "nothing". */
  answer: number | "nothing" | undefined;
  readonly random: (buffer: Uint8Array) => void;
  #client: NtpClient | undefined;
  #opened: { close(): void }[] = [];

  constructor(parts: DateParts) {
    const { NTP, guard, servers, nameServers, onEvent } = parts;
    this.guard = guard;
    this.UDP = parts.UDP;
    this.Resolver = parts.Resolver;
    this.random = (buffer) => parts.random(buffer);
    this.#client = new NTP({
      servers,
      dns: { io: SafeResolver, user: this, servers: nameServers },
      socket: { io: NtpSocket, user: this },
    });
    this.#client.getTime((error, time) => {
      this.answer = error === null && time !== undefined ? time / 1000 : "nothing";
      guard.run("sntp", onEvent);
    });
  }

  opened(socket: { close(): void }): void {
    this.#opened.push(socket);
  }

  failed(): void {
    this.answer ??= "nothing";
  }

  close(): void {
    this.isOver = true;
    this.guard.run("sntp", () => this.#client?.close());
    for (const socket of this.#opened) socket.close();
    this.#opened = [];
  }
}

/** Keeps the host's date. */
export class DateKeeper {
  readonly #parts: DateParts;
  #question: Question | undefined;
  #isSet = false;
  #failures = 0;
  /** Seconds since boot. */
  #nextAsk = 0;

  constructor(parts: DateParts) {
    this.#parts = parts;
  }

  /** Whether the date has been told since boot. */
  get isSet(): boolean {
    return this.#isSet;
  }

  /** Asks in the next tick, where the date was never told. */
  wake(): void {
    if (!this.#isSet && this.#question === undefined) this.#nextAsk = 0;
  }

  /** Everything that it does by itself. Call it about once a second and after `onEvent`, with whether there is a network; it never throws. */
  tick(isOnline: boolean): void {
    this.#parts.guard.run("sntp", () => this.turn(isOnline, this.#parts.uptime()));
  }

  private turn(isOnline: boolean, at: number): void {
    const answer = this.#question?.answer;
    if (!isOnline) this.drop();
    else if (answer !== undefined) this.settle(answer, at);
    else if (this.#question === undefined && at >= this.#nextAsk) this.ask(at);
  }

  private ask(at: number): void {
    try {
      this.#question = new Question(this.#parts);
    } catch (error) {
      this.#parts.guard.noted("sntp", error);
      this.settle("nothing", at);
    }
  }

  private settle(answer: number | "nothing", at: number): void {
    this.drop();
    const date = answer === "nothing" || answer >= EARLIEST ? answer : answer + ERA_S;
    if (date === "nothing" || date >= ERA_S) {
      this.#nextAsk = at + Math.min(LONGEST_RETRY_S, RETRY_S * 2 ** Math.min(this.#failures++, 30));
      return;
    }
    this.#failures = 0;
    this.#nextAsk = at + DAY_S;
    this.#parts.setDate(Math.floor(date));
    this.#isSet = true;
  }

  private drop(): void {
    this.#question?.close();
    this.#question = undefined;
  }
}
