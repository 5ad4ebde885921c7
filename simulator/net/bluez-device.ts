// A virtual lock as BlueZ shows a device (BlueZ, doc/org.bluez.Device.rst, GattService, GattCharacteristic, GattDescriptor): its objects on
// the bus stand for a central on the air. Connects once for all clients; operations go one after the other; what is read is signalled as
// well, or a client that compares values would take the next notification for the same.

import { createHash } from "node:crypto";
import { Variant } from "@jellybrick/dbus-next";
import type { GattCharacteristicOptions } from "../../firmware/ports";
import type { Air, Peripheral } from "./air";
import { BusError, type Objects, type Reply, type Served } from "./dbus-objects";
import { type VirtualCharacteristic, VirtualDevice } from "./web-bluetooth";

/** What BlueZ calls the bits of a characteristic's properties. */
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [2, "read"],
  [4, "write-without-response"],
  [8, "write"],
  [16, "notify"],
];
const NOTIFY = 16;
/** Client characteristic configuration (Core Specification 5.4, Vol 3, Part G, 3.3.3.3): clients look for it before they ask for notifications. */
const CONFIGURATION = "00002902-0000-1000-8000-00805f9b34fb";
/** Before the value of a write. */
const HEADER_BYTES = 3;
const DEFAULT_MTU = 23;
const DEVICE = "org.bluez.Device1";
const SERVICE = "org.bluez.GattService1";
const CHARACTERISTIC = "org.bluez.GattCharacteristic1";
const DESCRIPTOR = "org.bluez.GattDescriptor1";

/** An error by BlueZ's name for it. */
export const bluezError = (name: string, text: string): BusError =>
  new BusError(`org.bluez.Error.${name}`, text);

/** Decibels that the nearest lock is heard with, and how many of them the locks are spread over. */
const NEAREST_DB = -45;
const SPREAD_DB = 40;

/** A device's radio: the same address for a lock at all times, of the kind that may be anything (static random). */
function addressOf(name: string): { address: string; rssi: number } {
  const bytes = createHash("sha256").update(name).digest();
  bytes[0] |= 0xc0;
  const address = [...bytes.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  return { address: address.toUpperCase(), rssi: NEAREST_DB - (bytes[6] % SPREAD_DB) };
}

/** What a characteristic on the bus is. */
interface Characteristic {
  readonly path: string;
  readonly options: GattCharacteristicOptions;
  /** On the air, while there is a connection. */
  remote: VirtualCharacteristic | undefined;
  /** Clients that asked for notifications. */
  readonly notified: Set<string>;
}

/** What a device stands for. */
export interface BluezDeviceOptions {
  /** The path of the adapter. */
  readonly adapter: string;
  readonly air: Air;
  readonly peripheral: Peripheral;
  /** Whether the adapter has power. */
  readonly isReady: () => boolean;
}

export class BluezDevice {
  readonly path: string;
  readonly address: string;
  readonly #objects: Objects;
  readonly #peripheral: Peripheral;
  readonly #device: VirtualDevice;
  readonly #characteristics: Characteristic[] = [];
  readonly #rssi: number;
  readonly #isReady: () => boolean;
  /** Ends when all operations before it have. */
  #last: Promise<unknown> = Promise.resolve();
  #isConnecting = false;
  #seen = 0;

  constructor(objects: Objects, { adapter, air, peripheral, isReady }: BluezDeviceOptions) {
    const { address, rssi } = addressOf(peripheral.name);
    this.path = `${adapter}/dev_${address.replaceAll(":", "_")}`;
    this.address = address;
    this.#rssi = rssi;
    this.#objects = objects;
    this.#peripheral = peripheral;
    this.#isReady = isReady;
    this.#device = new VirtualDevice(air, peripheral, { keepsWrites: true });
    this.#device.addEventListener("gattserverdisconnected", () => this.#lost());
    objects.add(this.path, { [DEVICE]: this.#served(adapter) });
  }

  #served(adapter: string): Served {
    return {
      properties: {
        Address: new Variant("s", this.address),
        AddressType: new Variant("s", "random"),
        Alias: new Variant("s", this.address.replaceAll(":", "-")),
        Adapter: new Variant("o", adapter),
        UUIDs: new Variant("as", [...(this.#peripheral.shown?.services ?? [])]),
        Paired: new Variant("b", false),
        Bonded: new Variant("b", false),
        Trusted: new Variant("b", false),
        Blocked: new Variant("b", false),
        LegacyPairing: new Variant("b", false),
        Connected: new Variant("b", false),
        ServicesResolved: new Variant("b", false),
        ...this.#heard(),
      },
      methods: {
        Connect: async () => this.connect(),
        Disconnect: async () => this.disconnect(),
        Pair: () => {
          throw bluezError("NotSupported", "locks do not pair");
        },
      },
    };
  }

  /** What an advertisement says. */
  #heard(): Record<string, Variant> {
    const data = [...this.#device.serviceData].map(([uuid, bytes]) => [uuid, bytesOf(bytes)] as const);
    // No two are received equally well: a client may wait for a change.
    const rssi = this.#rssi - (this.#seen++ % 2);
    return { RSSI: new Variant("n", rssi), ServiceData: new Variant("a{sv}", Object.fromEntries(data)) };
  }

  /** An advertisement was received. */
  seen(): void {
    this.#objects.change(this.path, DEVICE, this.#heard());
  }

  /** Nobody listens any more. */
  unheard(): void {
    this.#objects.invalidate(this.path, DEVICE, ["RSSI"]);
  }

  // ---- the connection

  async connect(): Promise<undefined> {
    if (!this.#isReady()) throw bluezError("NotReady", "Resource Not Ready");
    if (this.#isConnecting) throw bluezError("InProgress", "connects already");
    if (this.#device.gatt.connected) throw bluezError("AlreadyConnected", "is connected");
    this.#isConnecting = true;
    try {
      await this.#device.gatt.connect();
      this.#objects.change(this.path, DEVICE, { Connected: new Variant("b", true) });
      await this.#resolve();
      this.#objects.change(this.path, DEVICE, { ServicesResolved: new Variant("b", true) });
    } catch (error) {
      throw bluezError("Failed", (error as Error).message);
    } finally {
      this.#isConnecting = false;
    }
  }

  async disconnect(): Promise<undefined> {
    if (!this.#device.gatt.connected) throw bluezError("NotConnected", "is not connected");
    this.#device.gatt.disconnect();
  }

  #lost(): void {
    for (const { path, notified } of this.#characteristics.filter((one) => one.notified.size > 0)) {
      notified.clear();
      this.#objects.change(path, CHARACTERISTIC, { Notifying: new Variant("b", false) });
    }
    for (const one of this.#characteristics) one.remote = undefined;
    this.#objects.change(this.path, DEVICE, { ServicesResolved: new Variant("b", false) });
    this.#objects.change(this.path, DEVICE, { Connected: new Variant("b", false) });
  }

  /** Looks for all services and characteristics; the first time they become objects of the bus. */
  async #resolve(): Promise<void> {
    let handle = 0;
    const next = (kind: string): string => `${kind}${(++handle).toString(16).padStart(4, "0")}`;
    const isKnown = this.#characteristics.length > 0;
    for (const { uuid, characteristics } of this.#peripheral.services) {
      const path = `${this.path}/${next("service")}`;
      const properties = {
        UUID: new Variant("s", uuid),
        Primary: new Variant("b", true),
        Device: new Variant("o", this.path),
        Includes: new Variant("ao", []),
      };
      if (!isKnown) this.#objects.add(path, { [SERVICE]: { properties } });
      const service = await this.#device.gatt.getPrimaryService(uuid);
      for (const options of characteristics) {
        if (!isKnown) this.#add(path, `${path}/${next("char")}`, options);
        const one = this.#characteristics.find((known) => known.options.uuid === options.uuid);
        if (one !== undefined) await this.#attach(one, await service.getCharacteristic(options.uuid));
      }
    }
  }

  async #attach(one: Characteristic, remote: VirtualCharacteristic): Promise<void> {
    one.remote = remote;
    remote.addEventListener("characteristicvaluechanged", () => {
      const { value } = remote;
      if (value !== undefined && one.notified.size > 0) this.#signal(one, value);
    });
    this.#objects.change(one.path, CHARACTERISTIC, { MTU: new Variant("q", this.#device.gatt.mtu) });
  }

  #add(service: string, path: string, options: GattCharacteristicOptions): void {
    const { uuid, properties } = options;
    const one: Characteristic = { path, options, remote: undefined, notified: new Set() };
    this.#characteristics.push(one);
    const flags = FLAGS.filter(([bit]) => (properties & bit) !== 0).map(([, name]) => name);
    const isNotifying = (properties & NOTIFY) !== 0;
    this.#objects.add(path, {
      [CHARACTERISTIC]: {
        properties: {
          UUID: new Variant("s", uuid),
          Service: new Variant("o", service),
          Value: new Variant("ay", Buffer.alloc(0)),
          Flags: new Variant("as", flags),
          MTU: new Variant("q", DEFAULT_MTU),
          ...(isNotifying ? { Notifying: new Variant("b", false) } : {}),
        },
        methods: {
          ReadValue: () => this.#read(one),
          WriteValue: ([value, written]) =>
            this.#write(one, value as Buffer, (written as Record<string, Variant>).type?.value),
          StartNotify: (_args, sender) => this.#startNotify(one, sender),
          StopNotify: (_args, sender) => this.#stopNotify(one, sender),
        },
      },
    });
    if (!isNotifying) return;
    const descriptor = {
      UUID: new Variant("s", CONFIGURATION),
      Characteristic: new Variant("o", path),
      Value: new Variant("ay", Buffer.alloc(0)),
    };
    const readOnly = (): never => {
      throw bluezError("NotPermitted", "use StartNotify");
    };
    this.#objects.add(`${path}/desc0000`, {
      [DESCRIPTOR]: { properties: descriptor, methods: { ReadValue: readOnly, WriteValue: readOnly } },
    });
  }

  // ---- operations

  #signal({ path }: Characteristic, { buffer, byteOffset, byteLength }: DataView): void {
    const value = Buffer.from(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
    this.#objects.change(path, CHARACTERISTIC, { Value: new Variant("ay", value) });
  }

  /** Does an operation on the air when those before it are done. */
  async #operation<T>(one: Characteristic, job: (remote: VirtualCharacteristic) => Promise<T>): Promise<T> {
    const work = this.#last.then(() => {
      if (one.remote === undefined || !this.#device.gatt.connected)
        throw bluezError("Failed", "Not connected");
      return job(one.remote);
    });
    this.#last = work.catch(() => {});
    return work.catch((error: Error) => {
      throw error instanceof BusError ? error : bluezError("Failed", error.message);
    });
  }

  #need({ options }: Characteristic, flag: string): void {
    if (!FLAGS.some(([bit, name]) => name === flag && (options.properties & bit) !== 0))
      throw bluezError("NotSupported", `no ${flag}`);
  }

  async #read(one: Characteristic): Promise<Reply> {
    this.#need(one, "read");
    const value = await this.#operation(one, (remote) => remote.readValue());
    this.#signal(one, value);
    return ["ay", Buffer.from(value.buffer as ArrayBuffer)];
  }

  async #write(one: Characteristic, value: Buffer, type: unknown): Promise<undefined> {
    const isCommand = type === "command";
    this.#need(one, isCommand ? "write-without-response" : "write");
    if (value.length > this.#device.gatt.mtu - HEADER_BYTES)
      throw bluezError("InvalidValueLength", `${value.length} bytes`);
    const bytes = Uint8Array.from(value);
    await this.#operation(one, (remote) =>
      isCommand ? remote.writeValueWithoutResponse(bytes) : remote.writeValueWithResponse(bytes),
    );
  }

  async #startNotify(one: Characteristic, client: string): Promise<undefined> {
    this.#need(one, "notify");
    if (one.notified.has(client)) throw bluezError("InProgress", "notifies already");
    const isFirst = one.notified.size === 0;
    one.notified.add(client);
    if (!isFirst) return;
    try {
      await this.#operation(one, (remote) => remote.startNotifications());
    } catch (error) {
      one.notified.delete(client);
      throw error;
    }
    this.#objects.change(one.path, CHARACTERISTIC, { Notifying: new Variant("b", true) });
  }

  async #stopNotify(one: Characteristic, client: string): Promise<undefined> {
    if (!one.notified.delete(client)) throw bluezError("Failed", "No notify session started");
    if (one.notified.size > 0) return;
    await this.#operation(one, (remote) => remote.stopNotifications());
    this.#objects.change(one.path, CHARACTERISTIC, { Notifying: new Variant("b", false) });
  }

  /** A client is gone from the bus: nobody asks for its notifications any more. The connection stays. */
  forget(client: string): void {
    for (const one of this.#characteristics)
      if (one.notified.has(client)) this.#stopNotify(one, client).catch(() => {});
  }
}

const bytesOf = (bytes: Uint8Array): Variant => new Variant("ay", Buffer.from(bytes));
