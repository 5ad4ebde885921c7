// Keeps the board in the network that is set (rules A63, S14), over the SDK's Wi-Fi: joins, joins again after waits that grow, and leaves when no
// network is set. Time comes by `tick` alone; the SDK's callback only says that a turn is due. Without a setting the SDK's object is never
// made, and the radio stays dark. The password is handed to the SDK and to nobody else: whatever the SDK throws is noted without its words.

import { equal, toHex } from "../../protocol/wire/bytes";
import type { Wifi } from "../../protocol/wire/settings";
import type { Guard } from "./guard";

/** What a connection may be (ECMA-419, network interface): the SDK's numbers. */
export const Connection = { disconnected: 200, connecting: 300, connected: 400, addressed: 500 } as const;

/** The SDK's object. */
export interface WifiInterface {
  /** Throws while it connects already, and where the driver cannot. */
  connect(options: { readonly SSID: string; readonly password?: string }): void;
  disconnect(): void;
  close(): void;
  /** One of {@link Connection}. */
  readonly connection: number;
  readonly address?: string;
  /** In dBm, while it is connected. */
  readonly RSSI?: number;
}

/** The class that `embedded:network/interface/wifi` gives. */
export type WifiConstructor = new (options: { onChanged(property: string): void }) => WifiInterface;

/** How long joining may take until there is an address, in seconds. */
export const JOIN_S = 30;
/** The first and the longest wait before the next try, in seconds: twice as long each time. */
const FIRST_WAIT_S = 1;
export const LONGEST_WAIT_S = 300;
/** Time for the driver to end what it is about; its late word would pass for one of the next try. */
const SETTLE_S = 1;
/** Nobody asks more often than this, in seconds. */
const BETWEEN_WAKES_S = 1;

/** `off`: no network is set · `waiting` for the next try · `joining` · `joined`: there is an address. */
export type WifiState = "off" | "waiting" | "joining" | "joined";

/** What can be told of it; nothing secret. */
export interface WifiReport {
  readonly state: WifiState;
  readonly address: string | undefined;
  readonly rssi: number | undefined;
  /** Tries in a row that failed. */
  readonly failures: number;
}

/** What a {@link WifiStation} is made of. */
export interface WifiParts {
  readonly WiFi: WifiConstructor;
  readonly guard: Guard;
  /** Seconds since boot. */
  uptime(): number;
  /** Fills a buffer with random bytes. */
  random(buffer: Uint8Array): void;
  /** Is told when something has changed: the lock's turn is due. */
  onEvent(): void;
}

export class WifiStation {
  readonly #parts: WifiParts;
  #network: Wifi | undefined;
  #isNew = false;
  #wifi: WifiInterface | undefined;
  #state: WifiState = "off";
  /** Seconds since boot of the last try, and of the next. */
  #triedAt = 0;
  #nextTry = 0;
  /** Seconds since boot from which on the driver may be asked again. */
  #settledAt = 0;
  #failures = 0;

  constructor(parts: WifiParts) {
    this.#parts = parts;
  }

  get state(): WifiState {
    return this.#state;
  }

  get report(): WifiReport {
    const isJoined = this.#state === "joined";
    return {
      state: this.#state,
      address: isJoined ? this.asked((wifi) => wifi.address) : undefined,
      rssi: isJoined ? this.asked((wifi) => wifi.RSSI) : undefined,
      failures: this.#failures,
    };
  }

  /** Which network to be in from the next tick on, none for undefined. */
  use(network: Wifi | undefined): void {
    if (isSame(network, this.#network)) return;
    this.#network = network;
    this.#isNew = true;
  }

  /** Tries again without waiting, as something has woken the lock (rule S14). */
  wake(): void {
    if (this.#state !== "waiting") return;
    const soonest = Math.max(this.#triedAt + BETWEEN_WAKES_S, this.#settledAt);
    this.#nextTry = Math.min(this.#nextTry, soonest);
  }

  /** Everything that it does by itself. Call it about once a second and after `onEvent`; it never throws. */
  tick(): void {
    this.#parts.guard.run("wifi", () => this.turn(this.#parts.uptime()));
  }

  private turn(at: number): void {
    if (this.#isNew) this.take(at);
    const connection = this.connection;
    if (this.#state === "joining") {
      if (connection === Connection.addressed) this.joined();
      else if (connection < Connection.connecting || at - this.#triedAt >= JOIN_S) this.fail(at);
    } else if (this.#state === "joined" && connection !== Connection.addressed) this.fail(at);
    else if (this.#state === "waiting" && at >= this.#nextTry) this.join(at);
  }

  /** Takes up another network, or none. */
  private take(at: number): void {
    this.#isNew = false;
    this.#failures = 0;
    const wasOn = this.#state === "joining" || this.#state === "joined";
    this.leave();
    if (this.#network === undefined) this.close();
    this.#state = this.#network === undefined ? "off" : "waiting";
    this.#settledAt = wasOn ? at + SETTLE_S : at;
    this.#nextTry = this.#settledAt;
  }

  private joined(): void {
    this.#state = "joined";
    this.#failures = 0;
  }

  private join(at: number): void {
    const { network, password } = this.#network as Wifi;
    this.#triedAt = at;
    this.#state = "joining";
    try {
      const { guard, onEvent } = this.#parts;
      this.#wifi ??= new this.#parts.WiFi({ onChanged: guard.wrap("wifi", () => onEvent()) });
      const SSID = textOf(network);
      this.#wifi.connect(password.length > 0 ? { SSID, password: textOf(password) } : { SSID });
    } catch {
      this.#parts.guard.noted("wifi", new Error("cannot connect"));
      this.fail(at);
    }
  }

  /** The next try comes 1, 2, 4 to 300 seconds later, and up to half of it sooner by chance, so that a house does not come back at once. */
  private fail(at: number): void {
    this.leave();
    const wait = Math.min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    const chance = new Uint8Array(1);
    this.#parts.random(chance);
    this.#settledAt = at + SETTLE_S;
    this.#nextTry = this.#settledAt + wait - (wait / 2) * (chance[0] / 256);
    this.#state = "waiting";
  }

  /** Ends whatever the driver is about: it takes no other word while it connects. */
  private leave(): void {
    this.#parts.guard.run("wifi", () => this.#wifi?.disconnect());
  }

  private close(): void {
    const wifi = this.#wifi;
    this.#wifi = undefined;
    this.#parts.guard.run("wifi", () => wifi?.close());
  }

  /** One of {@link Connection}. */
  private get connection(): number {
    return this.asked((wifi) => wifi.connection) ?? Connection.disconnected;
  }

  private asked<T>(what: (wifi: WifiInterface) => T): T | undefined {
    const wifi = this.#wifi;
    let answer: T | undefined;
    if (wifi !== undefined)
      this.#parts.guard.run("wifi", () => {
        answer = what(wifi);
      });
    return answer;
  }
}

function isSame(a: Wifi | undefined, b: Wifi | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equal(a.network, b.network) && equal(a.password, b.password);
}

/** The string that well-formed UTF-8 stands for; throws for other bytes. */
function textOf(utf8: Uint8Array): string {
  return decodeURIComponent(toHex(utf8).replace(/../g, "%$&"));
}
