// Web Bluetooth over the virtual air: a central with the API that a courier is written against, and with its habits: one operation of the
// attribute protocol at a time, values up to MTU − 3, writes without response that are lost without a word when no buffer is free.

import type {
  ValueChanged,
  WebCharacteristic,
  WebDevice,
  WebServer,
  WebService,
} from "../../protocol/courier/web-bluetooth";
import { getU16 } from "../../protocol/wire/bytes";
import {
  type Air,
  type Line,
  type LineOptions,
  type Packet,
  type Peripheral,
  packU16,
  USUAL_LINE,
} from "./air";

/** What a central is like. */
export interface CentralOptions {
  /** The MTU that it asks for, 23 to 517. */
  readonly mtu?: number;
  readonly line?: Partial<LineOptions>;
  /** Whether its stack keeps writes without response for which no buffer is free, and sends them later, as Linux's does. */
  readonly keepsWrites?: boolean;
  /** Called with each connection that it opens. */
  readonly onLine?: (line: Line) => void;
}

const DEFAULT_MTU = 23;
/** The client characteristic configuration that asks for notifications, and for none any more. */
const SUBSCRIBE = Uint8Array.of(1, 0);
const UNSUBSCRIBE = Uint8Array.of(0, 0);
const HEADER_BYTES = 3;
const NOTHING = new Uint8Array(0);

/** The devices that a central sees now. */
export function devicesIn(air: Air, options: CentralOptions = {}): VirtualDevice[] {
  return air.advertising.map((peripheral) => new VirtualDevice(air, peripheral, options));
}

/** What the API rejects with. */
class NetworkError extends Error {}

/** One lock as a central sees it. */
export class VirtualDevice implements WebDevice {
  readonly id: string;
  readonly gatt: VirtualServer;
  readonly #peripheral: Peripheral;
  readonly #listeners = new Set<() => void>();

  constructor(air: Air, peripheral: Peripheral, options: CentralOptions) {
    this.id = peripheral.name;
    this.#peripheral = peripheral;
    this.gatt = new VirtualServer(air, peripheral, options, () => {
      for (const listener of [...this.#listeners]) listener();
    });
  }

  /** The service data that it advertises now, by UUID. */
  get serviceData(): ReadonlyMap<string, Uint8Array> {
    return this.#peripheral.shown?.serviceData ?? new Map();
  }

  addEventListener(_type: "gattserverdisconnected", listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: "gattserverdisconnected", listener: () => void): void {
    this.#listeners.delete(listener);
  }
}

/** A service, with characteristics that can do a little more than a courier needs. */
interface VirtualService extends WebService {
  getCharacteristic(uuid: string): Promise<VirtualCharacteristic>;
}

/** What waits for the answer to the one operation at a time. */
interface Pending {
  resolve(packet: Packet): void;
  reject(error: Error): void;
}

class VirtualServer implements WebServer {
  mtu = DEFAULT_MTU;
  readonly #air: Air;
  readonly #peripheral: Peripheral;
  readonly #options: CentralOptions;
  readonly #onLost: () => void;
  readonly #characteristics = new Map<string, VirtualCharacteristic>();
  #line: Line | undefined;
  #pending: Pending | undefined;

  constructor(air: Air, peripheral: Peripheral, options: CentralOptions, onLost: () => void) {
    this.#air = air;
    this.#peripheral = peripheral;
    this.#options = options;
    this.#onLost = onLost;
  }

  get connected(): boolean {
    return this.#line !== undefined;
  }

  async connect(): Promise<this> {
    if (this.#line !== undefined) return this;
    const { mtu = 517, line, onLine } = this.#options;
    const end = { receive: (packet: Packet) => this.#receive(packet), lost: () => this.#lost() };
    this.#line = this.#air.connect(this.#peripheral, end, { ...USUAL_LINE, ...line });
    if (this.#line === undefined) throw new NetworkError("connection attempt failed");
    onLine?.(this.#line);
    const answer = await this.operation({ op: "mtu", uuid: "", value: packU16(mtu) });
    this.mtu = Math.max(DEFAULT_MTU, Math.min(mtu, getU16(answer.value, 0)));
    return this;
  }

  disconnect(): void {
    this.#line?.drop();
  }

  async getPrimaryService(uuid: string): Promise<VirtualService> {
    await this.#find(uuid);
    return {
      getCharacteristic: async (one) => {
        await this.#find(one);
        const known = this.#characteristics.get(one) ?? new VirtualCharacteristic(this, one);
        this.#characteristics.set(one, known);
        return known;
      },
    };
  }

  async #find(uuid: string): Promise<void> {
    const { op } = await this.operation({ op: "find", uuid, value: NOTHING });
    if (op !== "found") throw new NetworkError(`nothing has the UUID ${uuid}`);
  }

  /** A request and its answer; rejects while another one runs, and when the connection goes. */
  operation(packet: Packet): Promise<Packet> {
    if (this.#line === undefined) return Promise.reject(new NetworkError("GATT server is disconnected"));
    if (this.#pending !== undefined)
      return Promise.reject(new NetworkError("GATT operation already in progress"));
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      this.#line?.push("toPeripheral", packet);
    });
  }

  /** A write without response: lost where there is no buffer for it, and the stack does not keep it. */
  command(packet: Packet): void {
    if (this.#line === undefined) throw new NetworkError("GATT server is disconnected");
    if (this.#options.keepsWrites === true) this.#line.push("toPeripheral", packet);
    else this.#line.offer("toPeripheral", packet);
  }

  #receive(packet: Packet): void {
    if (packet.op === "notify") {
      this.#characteristics.get(packet.uuid)?.notified(packet.value);
      return;
    }
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.resolve(packet);
  }

  #lost(): void {
    this.#line = undefined;
    this.#characteristics.clear();
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.reject(new NetworkError("GATT server is disconnected"));
    this.#onLost();
  }
}

export class VirtualCharacteristic implements WebCharacteristic {
  value: DataView | undefined;
  readonly #server: VirtualServer;
  readonly #uuid: string;
  readonly #listeners = new Set<(event: ValueChanged) => void>();

  constructor(server: VirtualServer, uuid: string) {
    this.#server = server;
    this.#uuid = uuid;
  }

  async readValue(): Promise<DataView> {
    const answer = await this.#operation("read", NOTHING, "value");
    this.value = new DataView(answer.value.buffer);
    return this.value;
  }

  async writeValueWithResponse(value: Uint8Array): Promise<void> {
    this.#checkLength(value);
    await this.#operation("write", value.slice(), "written");
  }

  async writeValueWithoutResponse(value: Uint8Array): Promise<void> {
    this.#checkLength(value);
    this.#server.command({ op: "command", uuid: this.#uuid, value: value.slice() });
  }

  async startNotifications(): Promise<this> {
    await this.#operation("subscribe", SUBSCRIBE, "written");
    return this;
  }

  async stopNotifications(): Promise<this> {
    await this.#operation("subscribe", UNSUBSCRIBE, "written");
    return this;
  }

  addEventListener(_type: "characteristicvaluechanged", listener: (event: ValueChanged) => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: "characteristicvaluechanged", listener: (event: ValueChanged) => void): void {
    this.#listeners.delete(listener);
  }

  notified(value: Uint8Array<ArrayBuffer>): void {
    this.value = new DataView(value.buffer, value.byteOffset, value.length);
    for (const listener of [...this.#listeners]) listener({ target: this });
  }

  #checkLength({ length }: Uint8Array): void {
    const most = this.#server.mtu - HEADER_BYTES;
    if (length > most) throw new NetworkError(`value of ${length} bytes, at most ${most}`);
  }

  async #operation(op: Packet["op"], value: Uint8Array<ArrayBuffer>, wanted: Packet["op"]): Promise<Packet> {
    const answer = await this.#server.operation({ op, uuid: this.#uuid, value });
    if (answer.op !== wanted) throw new NetworkError("GATT operation not permitted");
    return answer;
  }
}
