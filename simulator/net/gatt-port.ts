// The GATT server of a virtual board, with the habits of the one that a lock has (Moddable's, over NimBLE): one a boot; both kinds of write
// arrive in one callback; a notification needs the characteristic's own object, waits in one queue for all connections, and is cut to
// what the connection takes; whether anybody has subscribed is known of a characteristic and not of a connection, so whoever leaves takes the
// others' notifications along; after `close` nothing is told, and advertising does not begin again by itself.

import type {
  AdvertRecords,
  GattCharacteristic,
  GattCharacteristicOptions,
  GattConnection,
  GattOptions,
  GattServer,
  Radio,
} from "../../firmware/ports";
import { getU16 } from "../../protocol/wire/bytes";
import { type Air, type End, type Line, type Packet, type Peripheral, packU16, type Shown } from "./air";

/** Properties of a characteristic. */
const READ = 2;
const WRITES = 4 | 8;
const NOTIFY = 16;
const DEFAULT_MTU = 23;
/** Before the value of a notification. */
const NOTIFY_HEADER_BYTES = 3;
const ADVERT_BYTES = 31;
const NOTHING = new Uint8Array(0);
const WRITTEN: Packet = { op: "written", uuid: "", value: NOTHING };
const REFUSED: Packet = { op: "error", uuid: "", value: NOTHING };

/** A board's radio and what a test does with it. */
export interface VirtualRadio extends Radio {
  /** What others see of it. */
  readonly peripheral: Peripheral;
  /** Power is gone: connections are lost, and nothing is advertised. */
  off(): void;
}

/** What a radio is made with. */
export interface RadioOptions {
  readonly name: string;
  /** Connections at a time. */
  readonly connections?: number;
  /** Called after whatever a callback brought: what else a board does between two events. */
  readonly afterEvent?: () => void;
}

/** A virtual board's radio, of one boot. */
export function virtualRadio(air: Air, options: RadioOptions): VirtualRadio {
  let server: Server | undefined;
  const peripheral: Peripheral = {
    name: options.name,
    get shown() {
      return server?.shown;
    },
    get services() {
      return server?.services ?? [];
    },
    accept: (line) => (server as Server).accept(line),
  };
  class Io extends Server {
    constructor(gatt: GattOptions) {
      if (server !== undefined) throw new Error("only one");
      super(air, options, gatt);
      server = this;
    }
  }
  air.add(peripheral);
  return {
    gatt: { io: Io },
    peripheral,
    off() {
      air.remove(peripheral);
      server?.off();
    },
  };
}

/** A characteristic: the `this` of its callbacks. */
class Characteristic {
  readonly options: GattCharacteristicOptions;
  /** Of whichever connection changed it last. */
  isSubscribed = false;

  constructor(options: GattCharacteristicOptions) {
    this.options = options;
    const { properties, onRead, onWrite, onSubscribe, onUnsubscribe } = options;
    if ((onRead === undefined) !== ((properties & READ) === 0)) throw new Error("inconsistent read");
    if ((onWrite === undefined) !== ((properties & WRITES) === 0)) throw new Error("inconsistent write");
    const notifies = (properties & NOTIFY) !== 0;
    if ((onUnsubscribe !== undefined) !== notifies || (onSubscribe !== undefined) !== notifies)
      throw new Error("inconsistent onSubscribe");
  }
}

class Connection implements GattConnection {
  readonly server: Server;
  readonly line: Line;
  mtu = DEFAULT_MTU;
  isClosed = false;
  readonly subscribed = new Set<Characteristic>();

  constructor(server: Server, line: Line) {
    this.server = server;
    this.line = line;
  }

  get maximumWrite(): number {
    this.#check();
    return this.mtu - NOTIFY_HEADER_BYTES;
  }

  notify(characteristic: GattCharacteristic, value: Uint8Array): void {
    this.#check();
    if (!(characteristic instanceof Characteristic)) throw new Error("not a characteristic");
    if (!characteristic.isSubscribed) throw new Error("disabled");
    this.server.queue(this, characteristic.options.uuid, value.slice(0, this.maximumWrite));
  }

  close(): void {
    this.#check();
    this.isClosed = true;
    this.server.forget(this);
    this.line.drop();
  }

  #check(): void {
    if (this.isClosed) throw new Error("connection is gone");
  }
}

class Server implements GattServer {
  readonly #air: Air;
  readonly #radio: RadioOptions;
  readonly #options: GattOptions;
  readonly #characteristics = new Map<string, Characteristic>();
  readonly #connections: Connection[] = [];
  /** Notifications of all connections, one after the other. */
  readonly #waiting: { connection: Connection; uuid: string; value: Uint8Array<ArrayBuffer> }[] = [];
  #records: Shown | undefined;
  /** Whether the stack advertises now. */
  #isOnAir = false;
  #isOff = false;

  constructor(air: Air, radio: RadioOptions, options: GattOptions) {
    this.#air = air;
    this.#radio = radio;
    this.#options = options;
    for (const { characteristics } of options.services)
      for (const one of characteristics) this.#characteristics.set(one.uuid, new Characteristic(one));
    this.#post(() => options.onReady());
  }

  get shown(): Shown | undefined {
    return this.#isOnAir ? this.#records : undefined;
  }

  get services(): GattOptions["services"] {
    return this.#options.services;
  }

  startAdvertising(scan: AdvertRecords, response: AdvertRecords = {}): void {
    this.#records = shownBy(scan, response);
    this.#ensureAdvertising();
  }

  #ensureAdvertising(): void {
    this.#isOnAir = this.#connections.length < (this.#radio.connections ?? 3) && this.#records !== undefined;
  }

  /** What the stack tells the lock's own task comes a moment later, and in order. */
  #post(callback: () => void): void {
    this.#air.time.after(0, () => this.#call(callback));
  }

  /** A callback of the lock's, and whatever its board does afterwards. */
  #call(callback: () => void): void {
    if (this.#isOff) return;
    callback();
    this.#radio.afterEvent?.();
  }

  // ---- connections

  accept(line: Line): End {
    const connection = new Connection(this, line);
    this.#connections.push(connection);
    this.#isOnAir = false;
    this.#post(() => this.#options.onConnect(connection));
    this.#ensureAdvertising();
    return {
      receive: (packet) => this.#receive(connection, packet),
      hasRoom: () => this.#sendOn(),
      lost: () => this.#air.time.after(0, () => this.#lost(connection)),
    };
  }

  #lost(connection: Connection): void {
    // Each subscription ends, and with it that of all others.
    for (const characteristic of connection.subscribed) {
      characteristic.isSubscribed = false;
      if (!connection.isClosed)
        this.#call(() => characteristic.options.onUnsubscribe?.call(characteristic, connection));
    }
    if (connection.isClosed) return;
    this.#call(() => this.#options.onDisconnect(connection));
    connection.isClosed = true;
    this.forget(connection);
    this.#ensureAdvertising();
  }

  forget(connection: Connection): void {
    const at = this.#connections.indexOf(connection);
    if (at >= 0) this.#connections.splice(at, 1);
    for (let i = this.#waiting.length - 1; i >= 0; i--)
      if (this.#waiting[i].connection === connection) this.#waiting.splice(i, 1);
    this.#sendOn();
  }

  off(): void {
    this.#isOff = true;
    this.#isOnAir = false;
    for (const { line } of [...this.#connections]) line.drop();
  }

  // ---- packets

  #receive(connection: Connection, packet: Packet): void {
    if (connection.isClosed) return;
    const answer = this.#answer(connection, packet);
    if (answer !== undefined && !connection.isClosed) connection.line.push("toCentral", answer);
  }

  #answer(connection: Connection, { op, uuid, value }: Packet): Packet | undefined {
    const characteristic = this.#characteristics.get(uuid);
    switch (op) {
      case "mtu":
        connection.mtu = Math.max(DEFAULT_MTU, Math.min(getU16(value, 0), this.#options.mtu));
        return { op: "mtu-answer", uuid: "", value: packU16(connection.mtu) };
      case "find": {
        const isService = this.#options.services.some((one) => one.uuid === uuid);
        return { op: isService || characteristic !== undefined ? "found" : "error", uuid, value: NOTHING };
      }
      case "read":
        return this.#read(connection, characteristic);
      case "command":
        this.#write(connection, characteristic, value);
        return undefined;
      case "write":
        return this.#write(connection, characteristic, value) ? WRITTEN : REFUSED;
      case "subscribe":
        return this.#subscribe(connection, characteristic, value[0] !== 0) ? WRITTEN : REFUSED;
      default:
        return undefined;
    }
  }

  #read(connection: Connection, characteristic: Characteristic | undefined): Packet {
    const onRead = characteristic?.options.onRead;
    if (characteristic === undefined || onRead === undefined) return REFUSED;
    let value = NOTHING;
    this.#call(() => {
      value = onRead.call(characteristic, connection).slice();
    });
    return { op: "value", uuid: "", value };
  }

  #write(
    connection: Connection,
    characteristic: Characteristic | undefined,
    value: Uint8Array<ArrayBuffer>,
  ): boolean {
    const onWrite = characteristic?.options.onWrite;
    if (characteristic === undefined || onWrite === undefined) return false;
    this.#call(() => onWrite.call(characteristic, value.buffer, connection));
    return true;
  }

  #subscribe(connection: Connection, characteristic: Characteristic | undefined, isOn: boolean): boolean {
    if (characteristic === undefined || (characteristic.options.properties & NOTIFY) === 0) return false;
    const { onSubscribe, onUnsubscribe } = characteristic.options;
    // What a connection says again is no event.
    if (connection.subscribed.has(characteristic) === isOn) return true;
    characteristic.isSubscribed = isOn;
    if (isOn) connection.subscribed.add(characteristic);
    else connection.subscribed.delete(characteristic);
    this.#call(() => (isOn ? onSubscribe : onUnsubscribe)?.call(characteristic, connection));
    return true;
  }

  queue(connection: Connection, uuid: string, value: Uint8Array<ArrayBuffer>): void {
    this.#waiting.push({ connection, uuid, value });
    this.#sendOn();
  }

  #sendOn(): void {
    for (;;) {
      const first = this.#waiting[0];
      if (first === undefined) return;
      const { connection, uuid, value } = first;
      if (!connection.line.offer("toCentral", { op: "notify", uuid, value })) return;
      this.#waiting.shift();
    }
  }
}

// ---- what is advertised

/** AD types (Core Specification Supplement, Part A). */
const SERVICE_DATA_128 = 0x21;
const UUID_BYTES = 16;

/** The length that records have on the air: more than 31 bytes are refused, as a controller does. */
function lengthOf(records: AdvertRecords): number {
  let length = 0;
  for (const [name, value] of Object.entries(records)) {
    if (name === "flags") length += 3;
    else if (name === "services") length += 2 + (value as readonly string[]).length * UUID_BYTES;
    else length += 2 + (value as Uint8Array).length;
  }
  return length;
}

function shownBy(scan: AdvertRecords, response: AdvertRecords): Shown {
  if (lengthOf(scan) > ADVERT_BYTES || lengthOf(response) > ADVERT_BYTES) throw new Error("invalid adv");
  const serviceData = new Map<string, Uint8Array>();
  for (const records of [scan, response]) {
    const record = records[SERVICE_DATA_128];
    if (record !== undefined) serviceData.set(uuidOf(record), record.slice(UUID_BYTES));
  }
  return { services: [...(scan.services ?? []), ...(response.services ?? [])], serviceData };
}

function uuidOf(record: Uint8Array): string {
  const hex = Buffer.from(record.slice(0, UUID_BYTES).reverse()).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
