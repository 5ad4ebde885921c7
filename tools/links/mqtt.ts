// A courier's end of MQTT (client `mqtt`, QoS 1): one connection, a link to each lock. Payloads are whole messages of the protocol, copied
// on both sides; an empty one is never sent.

import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import type { Link } from "../../protocol/courier/link";
import { ascii, toHex } from "../../protocol/wire/bytes";
import { Reader } from "../../protocol/wire/cbor";
import { readFrame } from "../../protocol/wire/messages";
import type { Broker } from "../../protocol/wire/settings";
import { type Head, packHead, topic } from "../../protocol/wire/topics";
import { Failure } from "../ui/failure";
import { parseBrokerUrl } from "./broker-url";

/** How long a client tries to reach its broker, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5000;

/** Connects to a broker; a broker that is not there is an error that says so. */
export async function connectBroker(url: string, options: IClientOptions = {}): Promise<MqttClient> {
  try {
    const settings = {
      protocolVersion: 4,
      clean: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: 0,
    };
    const client = await connectAsync(url, { ...(settings as IClientOptions), ...options }, false);
    // Messages are small and answered one by one; waiting to fill packets would cost 40 ms each.
    if (client.stream instanceof Socket) client.stream.setNoDelay(true);
    return client;
  } catch (error) {
    throw new BrokerError(url, whyOf(error));
  }
}

/** What an error of a connection says; one that stands for several has a code and no message. */
function whyOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  return message || code || "no connection";
}

/** A broker that cannot be reached, or that went away. */
export class BrokerError extends Failure {
  constructor(url: string, why: string) {
    super(`MQTT broker ${url}: ${why}`, "start a broker there, or leave --broker out for the embedded one");
  }
}

/** A broker's URL as a lock's setting has it. Throws a {@link Failure} for one that no lock can use. */
export function brokerAt(url: string): Broker {
  const place = parseBrokerUrl(url);
  if (place === undefined)
    throw new Failure(`MQTT broker ${url}: a lock speaks mqtt: and mqtts:`, "name such a broker");
  return { ...place, host: ascii(place.host) };
}

/** The number of a message's request, or −1 for bytes that are no message. */
function requestOf(message: Uint8Array): number {
  return readFrame(new Reader(message))?.request ?? -1;
}

/** Couriers' shared end: one connection, one link for each lock. */
export class MqttCourier {
  readonly #client: MqttClient;
  readonly #site: string;
  readonly #waiting = new Map<string, (answer: Uint8Array | undefined) => void>();
  /** Whether the connection to the broker was lost. */
  lost = false;
  readonly #gone: Promise<void>;

  constructor(client: MqttClient, site: string) {
    this.#client = client;
    this.#site = site;
    client.on("message", (name, payload) => this.#take(name, new Uint8Array(payload)));
    this.#gone = new Promise((resolve) => {
      client.on("close", () => {
        this.lost = true;
        this.#dropAll();
        resolve();
      });
    });
  }

  /** Listens for the answers of all locks of the site. */
  async listen(): Promise<void> {
    await this.#client.subscribeAsync(`tumbler/1/${this.#site}/+/up`, { qos: 1 });
  }

  /** Leaves the hint, retained, that there is mail for a lock up to a position (rule S14); done when the broker has it, or is gone. */
  async hint(lock: Uint8Array, head: Head): Promise<void> {
    const name = topic(this.#site, toHex(lock), "head");
    const payload = Buffer.from(packHead(head));
    const sent = this.#client.publishAsync(name, payload, { qos: 1, retain: true });
    // A broker that is gone needs no hint: it hears all of them when it is back.
    await Promise.race([sent, this.#gone]).catch(() => {});
  }

  #take(name: string, message: Uint8Array): void {
    const lock = name.split("/")[3];
    const key = `${lock}/${requestOf(message)}`;
    const resolve = this.#waiting.get(key);
    this.#waiting.delete(key);
    resolve?.(message);
  }

  #dropAll(): void {
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }

  /** The link to one lock; an answer that takes longer than `timeoutMs` counts as none. */
  link(lock: Uint8Array, timeoutMs: number): Link {
    const id = toHex(lock);
    let open = true;
    return {
      request: async (message) => {
        if (!open || !this.#client.connected) return undefined;
        const key = `${id}/${requestOf(message)}`;
        const answer = new Promise<Uint8Array | undefined>((resolve) => {
          const timer = setTimeout(() => {
            this.#waiting.delete(key);
            resolve(undefined);
          }, timeoutMs);
          this.#waiting.set(key, (bytes) => {
            clearTimeout(timer);
            resolve(bytes);
          });
        });
        this.#client.publish(topic(this.#site, id, "dn"), Buffer.from(message), { qos: 1 });
        return answer;
      },
      pause: async (seconds) => {
        await sleep(seconds * 1000);
      },
      close: async () => {
        open = false;
      },
    };
  }
}
