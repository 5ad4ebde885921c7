// Web Bluetooth over BlueZ, as far as a courier uses it: each object of the API stands for one of BlueZ's.

import type {
  ValueChanged,
  WebCharacteristic,
  WebDevice,
  WebServer,
  WebService,
} from "../../protocol/courier/web-bluetooth";
import type { BluezBus, Values } from "./bluez-bus";

const DEVICE = "org.bluez.Device1";
const SERVICE = "org.bluez.GattService1";
const CHARACTERISTIC = "org.bluez.GattCharacteristic1";
/** How long services are looked for. */
const RESOLVE_MS = 20_000;

const isNamed = (error: unknown, name: string): boolean =>
  (error as { type?: string }).type === `org.bluez.Error.${name}`;

/** A device by its path. */
export class BluezWebDevice implements WebDevice {
  readonly id: string;
  readonly gatt: BluezServer;
  readonly #listeners = new Set<() => void>();

  constructor(bus: BluezBus, path: string) {
    this.id = String(bus.values(path, DEVICE)?.Address);
    this.gatt = new BluezServer(bus, path);
    bus.onChange((at, name, { Connected }) => {
      if (at !== path || name !== DEVICE || Connected !== false || !this.gatt.isOpen) return;
      this.gatt.isOpen = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  addEventListener(_type: "gattserverdisconnected", listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: "gattserverdisconnected", listener: () => void): void {
    this.#listeners.delete(listener);
  }
}

export class BluezServer implements WebServer {
  readonly #bus: BluezBus;
  readonly #path: string;
  readonly #characteristics = new Map<string, BluezCharacteristic>();
  /** Whether {@link connect} succeeded and nothing has ended it: what ends otherwise is a connection before it. */
  isOpen = false;
  /** Settles when nothing is on its way to an end any more. */
  ending: Promise<unknown> = Promise.resolve();

  constructor(bus: BluezBus, path: string) {
    this.#bus = bus;
    this.#path = path;
  }

  get #values(): Values {
    return this.#bus.values(this.#path, DEVICE) ?? {};
  }

  get connected(): boolean {
    return this.isOpen;
  }

  async connect(): Promise<this> {
    await this.ending;
    // BlueZ keeps the connection of a client that died, and one connection carries one handshake.
    if (this.#values.Connected === true) await this.#end();
    await this.#call("Connect");
    await this.#resolved();
    this.isOpen = true;
    return this;
  }

  /** Waits until BlueZ knows all services. */
  async #resolved(): Promise<void> {
    const until = performance.now() + RESOLVE_MS;
    while (this.#values.ServicesResolved !== true) {
      if (performance.now() > until || this.#values.Connected !== true) throw new Error("no services");
      await this.#changed(until - performance.now());
    }
  }

  /** Resolves when something of the device changes, or after so many milliseconds. */
  #changed(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        stop();
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      const stop = this.#bus.onChange((path) => {
        if (path === this.#path) done();
      });
    });
  }

  async #call(member: string): Promise<void> {
    await this.#bus.call(this.#path, DEVICE, member);
  }

  async #end(): Promise<void> {
    await this.#call("Disconnect").catch((error) => {
      if (!isNamed(error, "NotConnected")) throw error;
    });
  }

  disconnect(): void {
    this.isOpen = false;
    if (this.#values.Connected === true) this.ending = this.#end().catch(() => {});
  }

  async getPrimaryService(uuid: string): Promise<WebService> {
    const path = this.#find(SERVICE, this.#path, uuid);
    return {
      getCharacteristic: async (one) => {
        const at = this.#find(CHARACTERISTIC, path, one);
        const known = this.#characteristics.get(at) ?? new BluezCharacteristic(this.#bus, at);
        this.#characteristics.set(at, known);
        return known;
      },
    };
  }

  #find(name: string, above: string, uuid: string): string {
    const found = this.#bus
      .paths(name, `${above}/`)
      .find((path) => this.#bus.values(path, name)?.UUID === uuid);
    if (found === undefined) throw new Error(`nothing has the UUID ${uuid}`);
    return found;
  }
}

class BluezCharacteristic implements WebCharacteristic {
  value: DataView | undefined;
  readonly #bus: BluezBus;
  readonly #path: string;
  readonly #listeners = new Set<(event: ValueChanged) => void>();

  constructor(bus: BluezBus, path: string) {
    this.#bus = bus;
    this.#path = path;
    bus.onChange((at, _name, { Value }) => {
      if (at === path && Value !== undefined) this.#notified(Value as Buffer);
    });
  }

  #notified(value: Buffer): void {
    this.value = viewOf(value);
    for (const listener of [...this.#listeners]) listener({ target: this });
  }

  async readValue(): Promise<DataView> {
    const [value] = await this.#call("ReadValue", "a{sv}", [{}]);
    return viewOf(value as Buffer);
  }

  writeValueWithResponse(value: Uint8Array): Promise<void> {
    return this.#write(value, "request");
  }

  writeValueWithoutResponse(value: Uint8Array): Promise<void> {
    return this.#write(value, "command");
  }

  async #write(value: Uint8Array, type: string): Promise<void> {
    const options = { type: this.#bus.variant("s", type) };
    await this.#call("WriteValue", "aya{sv}", [Buffer.from(value), options]);
  }

  async startNotifications(): Promise<this> {
    await this.#call("StartNotify");
    return this;
  }

  async stopNotifications(): Promise<this> {
    await this.#call("StopNotify");
    return this;
  }

  #call(member: string, signature?: string, body?: unknown[]): Promise<unknown[]> {
    return this.#bus.call(this.#path, CHARACTERISTIC, member, signature, body);
  }

  addEventListener(_type: "characteristicvaluechanged", listener: (event: ValueChanged) => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: "characteristicvaluechanged", listener: (event: ValueChanged) => void): void {
    this.#listeners.delete(listener);
  }
}

/** A copy: what comes from the bus is a piece of something larger. */
const viewOf = (value: Uint8Array): DataView => new DataView(Uint8Array.from(value).buffer);
