// A courier's link over Bluetooth, against the Web Bluetooth API (rules S5, S7, S8): connects, shakes hands, and carries messages in
// segments. Whatever goes wrong ends the link, and the courier connects again; nothing is mended in the middle of a connection.

import { Gatt } from "../wire/advert";
import { packHandshake, readAgreement, Segments, Taken } from "../wire/segments";
import type { Link } from "./link";
import type { ValueChanged, WebCharacteristic, WebDevice } from "./web-bluetooth";

/** How a link over Bluetooth is made. */
export interface BleOptions {
  /** Does a job after so many seconds; what is returned calls it off. */
  readonly after: (seconds: number, job: () => void) => () => void;
  /** How long an answer may take, in seconds. */
  readonly answerS?: number;
  /**
   * Whether every segment is acknowledged by the stack as well: slower by half or more, and for machines that drop what is written
   * without it.
   */
  readonly withResponse?: boolean;
}

const ANSWER_S = 10;
/** Where nothing at all comes for so long, in seconds, a courier subscribes anew: another one that left may have silenced the lock. */
const QUIET_S = 1;

/** Connects to a lock; undefined where that fails, or no agreement comes in time. */
export async function openBle(device: WebDevice, options: BleOptions): Promise<BleLink | undefined> {
  const link = new BleLink(device, options);
  const isOpen = await link.open().catch(() => false);
  if (isOpen) return link;
  await link.close();
  return undefined;
}

/** A connection to one lock. Made by {@link openBle}. */
export class BleLink implements Link {
  readonly #device: WebDevice;
  readonly #options: BleOptions;
  #inbox: WebCharacteristic | undefined;
  #outbox: WebCharacteristic | undefined;
  #segments: Segments | undefined;
  #isOver = false;
  /** Called with the answer, or with nothing when there will be none. */
  #settle: ((answer: Uint8Array | undefined) => void) | undefined;
  #callOff: (() => void) | undefined;
  #callOffWatch: (() => void) | undefined;
  /** Writes go one after the other. */
  #isWriting = false;

  constructor(device: WebDevice, options: BleOptions) {
    this.#device = device;
    this.#options = options;
  }

  /** Whether the connection is over: a request is answered by nothing. */
  get isOver(): boolean {
    return this.#isOver;
  }

  readonly #onLost = (): void => this.#end();

  readonly #onValue = ({ target }: ValueChanged): void => {
    const { value } = target as WebCharacteristic;
    if (value !== undefined) this.#take(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  };

  /** Connects and shakes hands; whether both succeeded. Rejects as the API does. */
  async open(): Promise<boolean> {
    this.#device.addEventListener("gattserverdisconnected", this.#onLost);
    const server = await this.#device.gatt?.connect();
    const service = await server?.getPrimaryService(Gatt.service);
    this.#inbox = await service?.getCharacteristic(Gatt.inbox);
    this.#outbox = await service?.getCharacteristic(Gatt.outbox);
    if (this.#inbox === undefined || this.#outbox === undefined) return false;
    this.#outbox.addEventListener("characteristicvaluechanged", this.#onValue);
    await this.#outbox.startNotifications();
    const answer = this.#answer();
    this.#isWriting = true;
    await this.#inbox.writeValueWithResponse(packHandshake(0));
    this.#isWriting = false;
    await answer;
    return this.#segments !== undefined;
  }

  /** What {@link #settle} is called with next, or nothing after a while, with which the link ends. */
  #answer(): Promise<Uint8Array | undefined> {
    // A connection may go between two steps of opening it; nothing would ever come of waiting then.
    if (this.#isOver) return Promise.resolve(undefined);
    this.#callOff = this.#options.after(this.#options.answerS ?? ANSWER_S, () => this.#end());
    this.#watch();
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  #watch(): void {
    this.#callOffWatch?.();
    this.#callOffWatch = this.#options.after(QUIET_S, () => {
      this.#watch();
      void this.#subscribeAnew();
    });
  }

  async #subscribeAnew(): Promise<void> {
    if (this.#isWriting || this.#isOver) return;
    this.#isWriting = true;
    try {
      await this.#outbox?.stopNotifications();
      await this.#outbox?.startNotifications();
    } catch {
      this.#end();
    } finally {
      this.#isWriting = false;
    }
    void this.#write();
  }

  #settled(answer: Uint8Array | undefined): void {
    this.#callOff?.();
    this.#callOffWatch?.();
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(answer);
  }

  #take(value: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#settle !== undefined) this.#watch();
    if (this.#segments === undefined) this.#agree(value);
    else this.#read(this.#segments, value);
  }

  #agree(value: Uint8Array): void {
    const agreement = readAgreement(value);
    if (agreement === undefined) {
      this.#end();
      return;
    }
    this.#segments = new Segments(agreement);
    this.#settled(undefined);
  }

  #read(segments: Segments, value: Uint8Array): void {
    const taken = segments.take(value);
    if (taken === Taken.broken) {
      this.#end();
      return;
    }
    if (taken === Taken.message) {
      const answer = segments.message.slice();
      segments.done();
      this.#settled(answer);
    }
    void this.#write();
  }

  async request(message: Uint8Array): Promise<Uint8Array | undefined> {
    const segments = this.#segments;
    if (this.#isOver || segments === undefined || this.#settle !== undefined) return undefined;
    segments.send(message.slice());
    const answer = this.#answer();
    void this.#write();
    return answer;
  }

  /** Writes all segments that may go now. */
  async #write(): Promise<void> {
    const { withResponse = false } = this.#options;
    if (this.#isWriting) return;
    this.#isWriting = true;
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next())
        if (withResponse) await this.#inbox?.writeValueWithResponse(next);
        else await this.#inbox?.writeValueWithoutResponse(next);
    } catch {
      this.#end();
    } finally {
      this.#isWriting = false;
    }
  }

  #next(): Uint8Array | undefined {
    // A copy: not every implementation is done with a value when it says so.
    return this.#isOver ? undefined : this.#segments?.next()?.slice();
  }

  pause(seconds: number): Promise<void> {
    return new Promise((resolve) => void this.#options.after(seconds, resolve));
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#device.removeEventListener("gattserverdisconnected", this.#onLost);
    this.#outbox?.removeEventListener("characteristicvaluechanged", this.#onValue);
    this.#settled(undefined);
    try {
      this.#device.gatt?.disconnect();
    } catch {
      // It is disconnected.
    }
  }

  async close(): Promise<void> {
    this.#end();
  }
}
