// The lock's end of MQTT (rules S3, S7, S14, X5): one connection to the broker of its site, over which any courier may bring any mail. It
// shows its status, answers what comes to its own topic, and connects again for as long as it takes. The broker is a courier like all
// others: it is believed in nothing, nothing is kept for it, and it cannot make the lock use more memory than is set aside here.
// Time comes by `tick` alone. Callbacks of the client catch everything, since the board restarts on what they throw, and a client is
// closed by `tick` only, since it goes on working after a callback returns.

import { brokerPassword } from "../../protocol/crypto/derive";
import { equal, toHex } from "../../protocol/wire/bytes";
import type { Broker } from "../../protocol/wire/settings";
import type { Head, Leaf } from "../../protocol/wire/topics";
import { OFFLINE, readHead, topic } from "../../protocol/wire/topics";
import type { Board, MqttClient, MqttControl, MqttPiece, Network } from "../ports";
import { Inbox } from "./inbox";
import type { Lock } from "./lock";
import { Outbox } from "./outbox";
import type { Session } from "./session";

/** Control packets of MQTT 3.1.1 (2.2.1) that an uplink is told of. */
export const Packet = { connack: 2, suback: 9 } as const;

/** The first and the longest wait before the next try, in seconds: twice as long each time. */
const FIRST_WAIT_S = 1;
export const LONGEST_WAIT_S = 300;
/** A connection that stood this long in seconds was a good one: the next wait is a short one again. */
export const STABLE_S = 60;
/** How long a broker may take for connection and subscription, in seconds; a TLS handshake on the lock takes some of them. */
export const CONNECT_S = 30;
/** How long a message that is begun may find no room, in seconds. */
export const STALLED_S = 60;
/** A lost peer is noticed after one and a half of this; a client whose parser an empty message has wedged, too. */
const KEEP_ALIVE_MS = 60_000;
/** Messages that wait for their answers. A courier sends one at a time and repeats what was dropped. */
export const MAX_WAITING = 4;
const FIRST_REFUSAL = 0x80;
const QOS = 1;
const NOTHING = new Uint8Array(0);

/** What an uplink needs of its lock. */
export interface UplinkLock extends Pick<Lock, "authority" | "receive" | "status"> {
  readonly parts: { readonly table: { readonly applied: number } };
  open(medium: "network"): Session | undefined;
}

/**
 * `off`: no owner, or no broker is set · `waiting` for the next try · `connecting` · `subscribing` · `online`: the lock takes messages.
 */
export type UplinkState = "off" | "waiting" | "connecting" | "subscribing" | "online";

/** Which broker, and who the lock is there. */
interface Place {
  readonly broker: Broker;
  readonly claim: number;
  readonly site: string;
  readonly password: string;
}

export class Uplink {
  readonly #lock: UplinkLock;
  readonly #board: Board;
  readonly #network: Network;
  readonly #user: string;
  readonly #inbox = new Inbox();
  readonly #outbox = new Outbox();
  /** Messages that found the line busy. */
  readonly #waiting: Uint8Array[] = [];
  /** A session that never says hello: its status has no nonce, and differs only when the lock does. */
  readonly #showing: Session | undefined;
  #broker: Broker | undefined;
  #place: Place | undefined;
  #session: Session | undefined;
  #client: MqttClient | undefined;
  #state: UplinkState = "off";
  /** Tells the callbacks of this client from those of the one before. */
  #turn = 0;
  #failed = false;
  /** Seconds since boot at which the state was entered, at which the last try began, and of the next one. */
  #since = 0;
  #triedAt = 0;
  #nextTry = 0;
  #failures = 0;
  #shown: Uint8Array = NOTHING;
  #head: Head | undefined;
  #isSubscribed = false;

  constructor(lock: UplinkLock, board: Board, network: Network) {
    this.#lock = lock;
    this.#board = board;
    this.#network = network;
    this.#user = toHex(board.identity.lock);
    this.#showing = lock.open("network");
  }

  get state(): UplinkState {
    return this.#state;
  }

  /**
   * Whether all is said and done: the lock is online, and the last hint knows of no mail that it lacks. Its board may sleep until
   * something wakes it (rule S14).
   */
  get isIdle(): boolean {
    const isQuiet = this.#outbox.isEmpty && this.#waiting.length === 0 && !this.lacksMail;
    return this.#state === "online" && isQuiet;
  }

  private get lacksMail(): boolean {
    if (this.#head === undefined) return false;
    const { authority, parts } = this.#lock;
    const { epoch, seq } = this.#head;
    return epoch > authority.epoch || (epoch === authority.epoch && seq > parts.table.applied);
  }

  /** Which broker to use from the next tick on, none for undefined. */
  use(broker: Broker | undefined): void {
    if (!isSame(broker, this.#broker)) this.#broker = broker;
  }

  /** Tries again without waiting, as something has woken the lock (rule S14); once a second at most. */
  wake(): void {
    if (this.#state === "waiting") this.#nextTry = this.#triedAt + FIRST_WAIT_S;
  }

  /** Everything that an uplink does by itself. Call it about once a second; it never throws. */
  tick(): void {
    const at = this.#board.clock.uptime();
    this.settle();
    if (this.isOver(at)) this.fail(at);
    if (this.#state === "waiting" && at >= this.#nextTry) this.connect(at);
    if (this.#state !== "online") return;
    this.guard(this.#turn, () => {
      this.show();
      this.pump();
    });
  }

  // ---- where to connect

  /** Takes up another broker, or another claim, which is another user and another site. */
  private settle(): void {
    const { authority } = this.#lock;
    const claim = authority.claimed ? authority.claimNumber : 0;
    if (this.#place?.broker === this.#broker && (this.#place?.claim ?? 0) === claim) return;
    this.#place = this.placeOf(claim);
    if (this.#state === "off" && this.#place === undefined) return;
    this.hangUp();
    this.#failures = 0;
    this.#state = this.#place === undefined ? "off" : "waiting";
    this.#nextTry = 0;
  }

  private placeOf(claim: number): Place | undefined {
    const { site, derived } = this.#lock.authority;
    if (this.#broker === undefined || claim === 0 || derived === undefined) return undefined;
    const password = brokerPassword(this.#board.crypto, derived.linkKey);
    return { broker: this.#broker, claim, site: textOf(site), password };
  }

  private topic(leaf: Leaf): string {
    return topic(this.#place?.site ?? "", this.#user, leaf);
  }

  // ---- the connection

  private connect(at: number): void {
    const { broker, password } = this.#place as Place;
    const turn = ++this.#turn;
    this.enter("connecting", at);
    this.#triedAt = at;
    this.#session = this.#lock.open("network");
    this.#shown = NOTHING;
    this.#head = undefined;
    this.#isSubscribed = false;
    const service = broker.tls ? this.#network.mqtts : this.#network.mqtt;
    try {
      this.#client = new service.io({
        ...service,
        host: textOf(broker.host),
        port: broker.port,
        id: this.#user,
        user: this.#user,
        password,
        keepAlive: KEEP_ALIVE_MS,
        clean: true,
        will: { topic: this.topic("state"), message: OFFLINE, QoS: QOS, retain: true },
        onReadable: (count, piece) => this.guard(turn, () => this.read(count, piece ?? {})),
        onWritable: (count) => this.guard(turn, () => this.pump(count)),
        onControl: (control) => this.guard(turn, () => this.take(control)),
        onError: () => {
          if (turn === this.#turn) this.#failed = true;
        },
      });
    } catch {
      this.#failed = true;
    }
  }

  private enter(state: UplinkState, at: number): void {
    this.#state = state;
    this.#since = at;
  }

  /** Runs what a callback of this turn's client asks for; whatever it throws ends the connection, and nothing else. */
  private guard(turn: number, act: () => void): void {
    if (turn !== this.#turn || this.#failed || this.#client === undefined) return;
    try {
      act();
    } catch {
      this.#failed = true;
    }
  }

  /** Whether the connection has failed, or does not get on. */
  private isOver(at: number): boolean {
    if (this.#state === "connecting" || this.#state === "subscribing")
      return this.#failed || at - this.#since >= CONNECT_S;
    return this.#state === "online" && (this.#failed || this.#outbox.isStalled(at, STALLED_S));
  }

  /** Ends the connection, and sets the next try: 1, 2, 4 to 300 seconds later, and up to half of it sooner by chance. */
  private fail(at: number): void {
    if (this.#state === "online" && at - this.#since >= STABLE_S) this.#failures = 0;
    this.hangUp();
    const wait = Math.min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    const chance = new Uint8Array(1);
    this.#board.random(chance);
    this.#nextTry = at + wait - (wait / 2) * (chance[0] / 256);
    this.enter("waiting", at);
  }

  private hangUp(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#turn++;
    this.#failed = false;
    this.#inbox.clear();
    this.#outbox.clear();
    this.#waiting.length = 0;
    try {
      client?.close();
    } catch {
      // It is closed as well as it can be.
    }
  }

  // ---- what comes

  private take({ operation, returnCode, payload }: MqttControl): void {
    if (operation === Packet.connack && this.#state === "connecting") {
      if ((returnCode ?? 0) !== 0) this.#failed = true;
      else this.enter("subscribing", this.#since);
    } else if (operation === Packet.suback && this.#state === "subscribing") {
      if (payload?.some((code) => code >= FIRST_REFUSAL)) this.#failed = true;
      else this.begin();
    }
  }

  /** The lock takes messages from here on; its status says so, and goes before any answer. */
  private begin(): void {
    this.enter("online", this.#board.clock.uptime());
    this.show();
    this.pump();
  }

  private read(count: number, piece: MqttPiece): void {
    const topics = [this.topic("dn"), this.topic("head")];
    const received = this.#inbox.take(this.#client as MqttClient, count, piece, topics);
    if (received === undefined) return;
    const { payload } = received;
    const isFree = this.#state === "online" && this.#outbox.isEmpty && this.#waiting.length === 0;
    if (received.topic === topics[1]) this.takeHint(payload);
    else if (isFree) this.answer(payload);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(payload.slice());
  }

  /** A hint of mail that the lock lacks makes it show its status again: an issuer sends upon that. */
  private takeHint(payload: Uint8Array): void {
    this.#head = readHead(payload) ?? this.#head;
    if (this.lacksMail) this.#shown = NOTHING;
  }

  // ---- what goes

  /** Writes on, and answers one message that waits: others at the lock have their turn between two. `room` is what may be written. */
  private pump(room?: number): void {
    const client = this.#client as MqttClient;
    const outbox = this.#outbox;
    if (room !== undefined) outbox.room = room;
    if (this.#state === "subscribing" && !this.#isSubscribed)
      this.#isSubscribed = outbox.subscribe(client, [this.topic("dn"), this.topic("head")]);
    if (this.#state !== "online" || !outbox.flush(client, this.#board.clock.uptime())) return;
    const message = this.#waiting.shift();
    if (message !== undefined) this.answer(message);
  }

  private answer(message: Uint8Array): void {
    if (this.#session === undefined || this.#session.closed) this.#session = this.#lock.open("network");
    if (this.#session === undefined) return;
    this.send("up", this.#lock.receive(this.#session, message), false);
  }

  /** Shows the status, if it is another than the broker has; retained, so that an issuer who comes later sees it, too. */
  private show(): void {
    if (!this.#outbox.isEmpty || this.#showing === undefined) return;
    const status = this.#lock.status(this.#showing);
    if (equal(status, this.#shown)) return;
    this.#shown = status.slice();
    this.send("state", status, true);
  }

  private send(leaf: Leaf, payload: Uint8Array, retain: boolean): void {
    const at = this.#board.clock.uptime();
    this.#outbox.put(this.#client as MqttClient, { topic: this.topic(leaf), payload, retain }, at);
  }
}

function isSame(a: Broker | undefined, b: Broker | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.port === b.port && a.tls === b.tls && equal(a.host, b.host);
}

/** The string that well-formed UTF-8 stands for. */
function textOf(utf8: Uint8Array): string {
  return decodeURIComponent(toHex(utf8).replace(/../g, "%$&"));
}
