// A GATT server that does nothing by itself: a test says who connects, subscribes and writes, which MTU is known when, and what fails. It
// notices misuse, and keeps it beside throwing it, since a lock survives what is thrown: notifications that nobody asked for or that are
// too long, calls after the end of a connection, records that no advertisement holds, a second server.

import type {
  AdvertRecords,
  GattCharacteristic,
  GattCharacteristicOptions,
  GattConnection,
  GattOptions,
  GattServer,
  Radio,
} from "../../firmware/ports";
import { Gatt } from "../../protocol/wire/advert";

const READ = 2;
const WRITES = 4 | 8;
const NOTIFY = 16;
const DEFAULT_MTU = 23;
const NOTIFY_HEADER_BYTES = 3;
const ADVERT_BYTES = 31;
const UUID_BYTES = 16;
const SERVICE_DATA = 0x21;
/** Of a segment: it carries an ack. */
const ACK = 4;

/** A characteristic: the `this` of its callbacks. */
class Characteristic {
  readonly options: GattCharacteristicOptions;

  constructor(options: GattCharacteristicOptions) {
    this.options = options;
  }
}

export class ScriptedConnection implements GattConnection {
  mtu = DEFAULT_MTU;
  /** What was notified and not taken yet. */
  notified: Uint8Array[] = [];
  /** How often the lock hung up. */
  closes = 0;
  /** Thrown by `notify`, by `close`. */
  silence: Error | undefined;
  stuck: Error | undefined;
  readonly #radio: ScriptedRadio;
  #isSubscribed = false;
  #isOver = false;
  /** Segments that were notified, and how many of them the central has said to have. */
  #segments = -1;
  #acknowledged = 0;

  constructor(radio: ScriptedRadio) {
    this.#radio = radio;
  }

  /** Whether it is there no more, whoever has ended it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Segments on their way: notified behind the handshake's answer, and in no ack that came. */
  get inFlight(): number {
    return Math.max(0, this.#segments - this.#acknowledged);
  }

  // ---- the lock's calls

  get maximumWrite(): number {
    this.#check("maximumWrite");
    return this.mtu - NOTIFY_HEADER_BYTES;
  }

  notify(characteristic: GattCharacteristic, value: Uint8Array): void {
    this.#check("notify");
    if (characteristic !== this.#radio.characteristic(Gatt.outbox))
      this.#radio.misused("notify: not the outbox");
    if (!this.#isSubscribed) this.#radio.misused("notify: nobody has subscribed");
    if (value.length === 0 || value.length > this.mtu - NOTIFY_HEADER_BYTES)
      this.#radio.misused(`notify: ${value.length} bytes`);
    if (this.silence !== undefined) throw this.silence;
    this.notified.push(value.slice());
    this.#segments++;
  }

  close(): void {
    this.#check("close");
    this.closes++;
    this.#isOver = true;
    if (this.stuck !== undefined) throw this.stuck;
  }

  #check(call: string): void {
    if (this.#isOver) this.#radio.misused(`${call}: the connection is over`);
  }

  // ---- what the script lets happen

  subscribe(): void {
    this.#isSubscribed = true;
    this.#radio.call(Gatt.outbox, "onSubscribe", this);
  }

  unsubscribe(): void {
    this.#isSubscribed = false;
    this.#radio.call(Gatt.outbox, "onUnsubscribe", this);
  }

  write(value: Uint8Array): void {
    // An ack counts, whatever else the lock thinks of its segment.
    const left = (this.#segments - 1 - value[1]) & 0xff;
    if ((value[0] & ACK) !== 0 && left < this.inFlight) this.#acknowledged = this.#segments - left;
    const buffer = value.slice().buffer as ArrayBuffer;
    this.#radio.call(Gatt.inbox, "onWrite", this, buffer);
    // A host uses the buffer again.
    new Uint8Array(buffer).fill(0xee);
  }

  read(): Uint8Array {
    return this.#radio.call(Gatt.info, "onRead", this) as Uint8Array;
  }

  /** The central leaves. */
  disconnect(): void {
    this.#radio.options.onDisconnect(this);
    this.#isOver = true;
  }

  /** What was notified since the last time. */
  taken(): Uint8Array[] {
    const values = this.notified;
    this.notified = [];
    return values;
  }
}

/** What a lock shows of itself: the service data, without its UUID. */
export interface Advertised {
  readonly flags: number | undefined;
  readonly services: readonly string[];
  readonly serviceData: Uint8Array | undefined;
}

export class ScriptedRadio implements Radio {
  /** What no lock may do, and this one did. */
  readonly misuses: string[] = [];
  readonly advertised: Advertised[] = [];
  /** Thrown by `startAdvertising`. */
  refusal: Error | undefined;
  readonly gatt = { io: this.#io() };
  #options: GattOptions | undefined;
  readonly #characteristics = new Map<string, Characteristic>();

  #io(): new (options: GattOptions) => GattServer {
    const radio = this;
    return class {
      constructor(options: GattOptions) {
        radio.#made(options);
      }

      startAdvertising(scan: AdvertRecords, response: AdvertRecords = {}): void {
        if (radio.refusal !== undefined) throw radio.refusal;
        for (const records of [scan, response])
          if (lengthOf(records) > ADVERT_BYTES) radio.misused(`${lengthOf(records)} bytes of records`);
        const data = scan[SERVICE_DATA] ?? response[SERVICE_DATA];
        const services = [...(scan.services ?? []), ...(response.services ?? [])];
        radio.advertised.push({ flags: scan.flags, services, serviceData: data?.slice(UUID_BYTES) });
      }
    };
  }

  #made(options: GattOptions): void {
    if (this.#options !== undefined) this.misused("a second server");
    this.#options = options;
    for (const { characteristics } of options.services)
      for (const one of characteristics) {
        const { properties, onRead, onWrite, onSubscribe, onUnsubscribe } = one;
        const has = (bits: number): boolean => (properties & bits) !== 0;
        if ((onRead !== undefined) !== has(READ) || (onWrite !== undefined) !== has(WRITES))
          this.misused(`${one.uuid}: not what its properties say`);
        if ((onSubscribe !== undefined) !== has(NOTIFY) || (onUnsubscribe !== undefined) !== has(NOTIFY))
          this.misused(`${one.uuid}: not what its properties say`);
        this.#characteristics.set(one.uuid, new Characteristic(one));
      }
  }

  get options(): GattOptions {
    if (this.#options === undefined) throw new Error("no server was made");
    return this.#options;
  }

  /** What it advertises now. */
  get shown(): Advertised {
    const last = this.advertised.at(-1);
    if (last === undefined) throw new Error("nothing is advertised");
    return last;
  }

  characteristic(uuid: string): Characteristic {
    const one = this.#characteristics.get(uuid);
    if (one === undefined) throw new Error(`no characteristic ${uuid}`);
    return one;
  }

  /** Calls back as a server does: the characteristic is `this`. */
  call(
    uuid: string,
    callback: "onRead" | "onWrite" | "onSubscribe" | "onUnsubscribe",
    ...rest: unknown[]
  ): unknown {
    const one = this.characteristic(uuid);
    // What a callback is given depends on its kind: a value first where one was written.
    const words = callback === "onWrite" ? [rest[1], rest[0]] : rest;
    return (one.options[callback] as ((...words: unknown[]) => unknown) | undefined)?.apply(one, words);
  }

  /** A central connects; the lock is told. */
  connect(mtu = DEFAULT_MTU): ScriptedConnection {
    const connection = new ScriptedConnection(this);
    connection.mtu = mtu;
    this.options.onConnect(connection);
    return connection;
  }

  misused(what: string): never {
    this.misuses.push(what);
    throw new Error(what);
  }
}

/** The length that records have on the air. */
function lengthOf(records: AdvertRecords): number {
  let length = 0;
  for (const [name, value] of Object.entries(records)) {
    if (name === "flags") length += 3;
    else if (name === "services") length += 2 + (value as readonly string[]).length * UUID_BYTES;
    else length += 2 + (value as Uint8Array).length;
  }
  return length;
}
