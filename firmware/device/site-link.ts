// The lock's way to its site's network: Wi-Fi, the date for certificates, and the uplink over them, for models that have one. It takes what the
// issuer has set, in the lock's own turn, and rests between two heartbeats where the board asks for that (rule S14). While a courier is
// connected over Bluetooth no TLS session is: there is memory for one of them.

import type { Lock } from "../core/lock";
import { Uplink } from "../core/uplink";
import type { Board } from "../ports";
import type { Guard } from "./guard";
import type { Hosts } from "./hosts";
import { SafeNetwork } from "./network";
import { NetworkHours } from "./power";
import { RadioTurns } from "./radio-turns";
import { DateKeeper } from "./sntp";
import { WifiStation } from "./wifi";

/** What a {@link SiteLink} is made of. */
export interface SiteOptions {
  readonly hosts: Hosts;
  readonly guard: Guard;
  readonly lock: Lock;
  readonly board: Board;
  /** Something happened: the lock's turn is due. */
  onEvent(): void;
}

export class SiteLink {
  readonly wifi: WifiStation;
  readonly uplink: Uplink;
  readonly #lock: Lock;
  readonly #board: Board;
  readonly #date: DateKeeper;
  readonly #network: SafeNetwork;
  readonly #turns = new RadioTurns();
  readonly #hours: NetworkHours;
  /** The reading of the policy that network and broker were taken of. */
  #version = -1;
  #isOn = false;
  #wasDateSet = false;

  constructor({ hosts, guard, lock, board, onEvent }: SiteOptions) {
    const { config, net, timers } = hosts;
    const { nameServers } = config;
    const uptime = () => board.clock.uptime();
    const random = (buffer: Uint8Array) => board.random(buffer);
    const common = { guard, uptime, random, onEvent };
    this.#lock = lock;
    this.#board = board;
    this.#hours = new NetworkHours(config.heartbeatS);
    this.wifi = new WifiStation({ ...common, WiFi: net.WiFi });
    const setDate = (seconds: number) => net.setDate(seconds);
    const { NTP, UDP, Resolver } = net;
    this.#date = new DateKeeper({
      ...common,
      NTP,
      UDP,
      Resolver,
      servers: config.timeServers,
      nameServers,
      setDate,
    });
    const { TLSSocket, authority } = net;
    const secure = { TLSSocket, authority, isDateSet: () => this.#date.isSet, turns: this.#turns };
    const { MQTTClient, TCP } = net;
    this.#network = new SafeNetwork({
      MQTTClient,
      TCP,
      UDP,
      Resolver,
      nameServers,
      secure,
      timers,
      guard,
      onEvent,
    });
    this.uplink = new Uplink(lock, board, this.#network);
  }

  /** Whether nothing is left to be done over the network. */
  get isIdle(): boolean {
    return !this.#isOn || this.uplink.state === "off" || this.uplink.isIdle;
  }

  /** Somebody touched the lock, or something else is new: tries at once. */
  wake(): void {
    this.#hours.wake(this.#board.clock.uptime());
    this.wifi.wake();
    this.#date.wake();
    this.uplink.wake();
  }

  /** Everything that it does by itself, with how many centrals are connected over Bluetooth. It throws only what is a mistake. */
  tick(centrals: number): void {
    const isOn = this.#hours.isOn(this.#board.clock.uptime(), this.isIdle && this.#isOn);
    if (isOn !== this.#isOn || this.#version !== this.#lock.parts.policy.version) this.take(isOn);
    this.wifi.tick();
    const isJoined = this.wifi.state === "joined";
    this.#date.tick(isJoined);
    const order = this.#turns.centrals(centrals);
    if (order === "hang-up") this.#network.hangUp();
    this.uplink.tick();
    // After the tick: a try that has just failed waits only from there on.
    const isDateNew = this.#date.isSet && !this.#wasDateSet;
    this.#wasDateSet = this.#date.isSet;
    if (order === "connect" || isDateNew) this.uplink.wake();
  }

  private take(isOn: boolean): void {
    this.#isOn = isOn;
    this.#version = this.#lock.parts.policy.version;
    const { secrets } = this.#lock;
    this.wifi.use(isOn ? secrets.wifi : undefined);
    this.uplink.use(isOn ? secrets.broker : undefined);
  }
}
