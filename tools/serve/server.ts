// The issuer on a broker, for as long as it runs: sessions with every lock that shows up or has mail waiting, several at a time, each
// lock one at a time. It keeps nothing of its own: what matters is in the store before it goes out, so it may be killed at any moment.

import { randomInt } from "node:crypto";
import type { IClientOptions, MqttClient } from "mqtt";
import type { Carried } from "../../protocol/courier/courier";
import type { Issuer, Received, TakenPage } from "../../protocol/issuer/issuer";
import { deliver } from "../../protocol/issuer/mailbox";
import type { Alarm } from "../../protocol/issuer/receipts";
import { fromHex } from "../../protocol/wire/bytes";
import { codeName } from "../../protocol/wire/codes";
import { MAX_REQUEST_ID } from "../../protocol/wire/messages";
import { OFFLINE, parseTopic } from "../../protocol/wire/topics";
import { connectBroker, MqttCourier } from "../links/mqtt";
import { wallClock } from "../office/office";
import { type Line, newLine, poke, sessionEnded } from "./schedule";

/** What a server tells, one thing at a time. */
export type Told =
  | { readonly event: "connected" | "disconnected"; readonly broker: string; readonly why?: string }
  | { readonly event: "online" | "offline"; readonly door: string }
  | {
      readonly event: "session";
      readonly door: string;
      readonly outcome: string;
      readonly reason?: string;
      readonly bundles: number;
    }
  | {
      readonly event: "confirmed" | "failed";
      readonly door: string;
      readonly seq: number;
      readonly item: string;
      readonly code: string;
    }
  | { readonly event: "alarm"; readonly door: string; readonly alarm: Alarm }
  | { readonly event: "events"; readonly door: string; readonly count: number }
  | { readonly event: "refused-receipt" | "refused-page"; readonly door: string; readonly why: string };

/** How a server runs. */
export interface ServerOptions {
  readonly issuer: Issuer;
  readonly broker: string;
  readonly access: Pick<IClientOptions, "ca" | "username" | "password">;
  /** Sessions at a time. */
  readonly lines: number;
  /** Seconds after which a lock without mail is visited all the same. */
  readonly idleS: number;
  /** Milliseconds that an answer may take. */
  readonly answerMs: number;
  tell(told: Told): void;
}

const TICK_MS = 250;
const RECONNECT_MS: readonly number[] = [500, 1000, 2000, 5000, 10_000];

export class Server {
  readonly #options: ServerOptions;
  readonly #lines = new Map<string, Line>();
  readonly #running = new Set<Promise<void>>();
  /** The hints that this connection's broker has, as "epoch/seq" of each lock. */
  readonly #hinted = new Map<string, string>();
  #client: MqttClient | undefined;
  #courier: MqttCourier | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** Connects, and serves from then on. Throws when the broker cannot be reached at first. */
  async start(): Promise<void> {
    await this.#connect();
    this.#timer = setInterval(() => this.#pump(), TICK_MS);
  }

  /** Something may be wanted of any lock now. */
  poke(): void {
    for (const lock of this.#options.issuer.locks) poke(this.#line(lock), wallClock(), false);
    this.#pump();
  }

  /** Whether nothing waits for any lock, as far as is known. */
  get isSettled(): boolean {
    const { issuer } = this.#options;
    return this.#running.size === 0 && issuer.locks.every((lock) => issuer.isSettled(lock));
  }

  /** Ends the sessions that run, and then the connection. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#timer);
    await Promise.all(this.#running);
    await this.#client?.endAsync(true);
  }

  // ---- the broker

  async #connect(): Promise<void> {
    const { broker, access, issuer, tell } = this.#options;
    const client = await connectBroker(broker, access);
    const courier = new MqttCourier(client, issuer.signers.site);
    client.on("message", (topic, payload) => this.#see(topic, payload));
    client.on("error", () => {});
    client.once("close", () => {
      this.#courier = undefined;
      if (this.#stopping) return;
      tell({ event: "disconnected", broker });
      void this.#reconnect();
    });
    await courier.listen();
    await client.subscribeAsync(`tumbler/1/${issuer.signers.site}/+/state`, { qos: 1 });
    this.#client = client;
    this.#courier = courier;
    this.#hinted.clear();
    tell({ event: "connected", broker });
  }

  async #reconnect(): Promise<void> {
    for (let attempt = 0; !this.#stopping; attempt++) {
      const pause = RECONNECT_MS[Math.min(attempt, RECONNECT_MS.length - 1)];
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (this.#stopping) return;
      try {
        await this.#connect();
        this.poke();
        return;
      } catch {
        // Tried again, for as long as this runs: it was said once that the broker is gone.
      }
    }
  }

  #see(topic: string, payload: Uint8Array): void {
    const named = parseTopic(topic);
    const { issuer, tell } = this.#options;
    if (named?.leaf !== "state" || !issuer.locks.includes(named.lock)) return;
    const door = issuer.doorOf(named.lock);
    if (Buffer.from(payload).toString("latin1") === OFFLINE) {
      tell({ event: "offline", door });
      return;
    }
    const line = this.#line(named.lock);
    // A session of ours changes the lock's status, too.
    if (line.isBusy) return;
    tell({ event: "online", door });
    poke(line, wallClock(), true);
    this.#pump();
  }

  // ---- sessions

  #line(lock: string): Line {
    const known = this.#lines.get(lock);
    if (known !== undefined) return known;
    const line = newLine();
    this.#lines.set(lock, line);
    return line;
  }

  #pump(): void {
    const courier = this.#courier;
    if (courier === undefined || this.#stopping) return;
    const now = wallClock();
    for (const lock of this.#options.issuer.locks) {
      if (this.#running.size >= this.#options.lines) return;
      const line = this.#line(lock);
      if (line.isBusy || line.dueAt > now) continue;
      line.isBusy = true;
      const session = this.#session(courier, lock, line).finally(() => this.#running.delete(session));
      this.#running.add(session);
    }
  }

  async #session(courier: MqttCourier, lock: string, line: Line): Promise<void> {
    const { issuer, answerMs, idleS, tell } = this.#options;
    const door = issuer.doorOf(lock);
    const link = courier.link(fromHex(lock), answerMs);
    const firstRequest = randomInt(1, MAX_REQUEST_ID);
    const onReceipt = (received: Received): void => this.#told(door, received);
    const onPage = (taken: TakenPage): void => this.#toldPage(door, taken);
    let carried: Carried | undefined;
    try {
      const told = { onReceipt, onPage, onAlarm: (alarm: Alarm) => tell({ event: "alarm", door, alarm }) };
      carried = await deliver({ issuer, lock, now: wallClock, firstRequest, ...told }, link);
      const { outcome, reason, bundles } = carried;
      tell({ event: "session", door, outcome, ...(reason === undefined ? {} : { reason }), bundles });
    } finally {
      await link.close();
      await this.#hint(courier, lock);
      const answered = carried !== undefined && carried.outcome !== "silent";
      sessionEnded(line, wallClock(), answered, issuer.isSettled(lock), idleS);
    }
  }

  /** Leaves word at the broker up to where mail is signed, for a lock that is away or cannot be reached by everybody. */
  async #hint(courier: MqttCourier, lock: string): Promise<void> {
    const head = this.#options.issuer.head(lock);
    const word = `${head.epoch}/${head.seq}`;
    if (this.#hinted.get(lock) === word || courier.lost) return;
    await courier.hint(fromHex(lock), head);
    // A broker that is new, or was started again, knows of none.
    if (courier === this.#courier) this.#hinted.set(lock, word);
  }

  #told(door: string, received: Received): void {
    const { tell } = this.#options;
    if (received.refused !== undefined) {
      tell({ event: "refused-receipt", door, why: received.refused });
      return;
    }
    for (const { seq, item, code, state } of received.outcomes)
      tell({ event: state, door, seq, item, code: codeName(code) });
    for (const alarm of received.alarms) tell({ event: "alarm", door, alarm });
  }

  #toldPage(door: string, taken: TakenPage): void {
    const { tell } = this.#options;
    if (taken.refused !== undefined) {
      tell({ event: "refused-page", door, why: taken.refused });
      return;
    }
    if (taken.events > 0) tell({ event: "events", door, count: taken.events });
    for (const alarm of taken.alarms) tell({ event: "alarm", door, alarm });
  }
}
