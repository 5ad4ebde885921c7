// The MQTT ends (client `mqtt`, QoS 1): a courier's link to one lock, and a virtual lock's own connection. Payloads are whole
// messages of the protocol, copied on both sides; an empty one is never sent.

import { Socket } from "node:net";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import type { Link } from "../../protocol/courier/link";
import { toHex } from "../../protocol/wire/bytes";
import { Reader } from "../../protocol/wire/cbor";
import { readFrame } from "../../protocol/wire/messages";
import { OFFLINE, topic } from "../../protocol/wire/topics";
import { Failure } from "../ui/failure";

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

  constructor(client: MqttClient, site: string) {
    this.#client = client;
    this.#site = site;
    client.on("message", (name, payload) => this.#take(name, new Uint8Array(payload)));
    client.on("close", () => {
      this.lost = true;
      this.#dropAll();
    });
  }

  /** Listens for the answers of all locks of the site. */
  async listen(): Promise<void> {
    await this.#client.subscribeAsync(`tumbler/1/${this.#site}/+/up`, { qos: 1 });
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
      close: async () => {
        open = false;
      },
    };
  }
}

/** What a virtual lock's connection needs of its lock. */
export interface LockEnd {
  readonly lock: Uint8Array;
  receive(message: Uint8Array): Uint8Array;
  status(): Uint8Array;
}

/** Connects a virtual lock to its broker: it announces its status, answers each message, and leaves "offline" as its will. */
export async function connectLock(url: string, site: string, end: LockEnd): Promise<MqttClient> {
  const id = toHex(end.lock);
  const state = topic(site, id, "state");
  const client = await connectBroker(url, {
    clientId: id,
    will: { topic: state, payload: Buffer.from(OFFLINE), qos: 1, retain: true },
  });
  const up = topic(site, id, "up");
  client.on("message", (_name, payload) => {
    client.publish(up, Buffer.from(end.receive(new Uint8Array(payload))), { qos: 1 });
  });
  await client.subscribeAsync(topic(site, id, "dn"), { qos: 1 });
  await client.publishAsync(state, Buffer.from(end.status()), { qos: 1, retain: true });
  return client;
}
