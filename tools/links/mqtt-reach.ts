// Locks at a broker: one connection to it, made when the first lock is wanted, and a link to each lock. Locks there do not show themselves.

import { setTimeout as sleep } from "node:timers/promises";
import type { IClientOptions, MqttClient } from "mqtt";
import type { Link } from "../../protocol/courier/link";
import { connectBroker, MqttCourier } from "./mqtt";
import type { Reach, Wanted } from "./reach";

/** Who somebody is at a broker. */
export type BrokerAccess = Pick<IClientOptions, "ca" | "username" | "password">;

/** A broker, and who somebody is there. */
export interface BrokerPlaced extends BrokerAccess {
  readonly url: string;
  /** The site in its topics. */
  readonly site: string;
}

/** How long an answer is waited for. */
const ANSWER_MS = 10_000;

export class MqttReach implements Reach {
  readonly outlives = true;
  readonly #access: BrokerPlaced;
  #client: MqttClient | undefined;
  #courier: MqttCourier | undefined;

  constructor(access: BrokerPlaced) {
    this.#access = access;
  }

  now(): number {
    return Date.now() / 1000;
  }

  sleep(seconds: number): Promise<void> {
    return sleep(1000 * seconds);
  }

  async open({ lock }: Wanted): Promise<Link> {
    if (this.#courier === undefined || this.#courier.lost) await this.#connect();
    return (this.#courier as MqttCourier).link(lock, ANSWER_MS);
  }

  async #connect(): Promise<void> {
    const { url, site, ...options } = this.#access;
    this.#client = await connectBroker(url, options);
    this.#courier = new MqttCourier(this.#client, site);
    await this.#courier.listen();
  }

  async close(): Promise<void> {
    await this.#client?.endAsync(true);
  }
}
