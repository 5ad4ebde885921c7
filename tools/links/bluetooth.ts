// This machine's Bluetooth: on Linux, by BlueZ.

import { Gatt } from "../../protocol/wire/advert";
import { Failure } from "../ui/failure";
import { BluezBus, type Values } from "./bluez-bus";
import { BluezWebDevice } from "./bluez-web";
import type { Found, Radio } from "./radio";

const ADAPTER = "org.bluez.Adapter1";
const DEVICE = "org.bluez.Device1";

/** Opens this machine's radio. Throws a {@link Failure} where there is none, or it is off. */
export async function openBluetooth(): Promise<BluetoothRadio> {
  const bus = await BluezBus.open();
  const adapters = bus.paths(ADAPTER);
  const adapter = adapters.find((path) => bus.values(path, ADAPTER)?.Powered === true);
  if (adapter !== undefined) return new BluetoothRadio(bus, adapter);
  bus.close();
  if (adapters.length === 0) throw new Failure("no Bluetooth adapter", "plug one in, or use another --link");
  throw new Failure("Bluetooth is off", "run: bluetoothctl power on");
}

export class BluetoothRadio implements Radio {
  readonly #bus: BluezBus;
  readonly #adapter: string;
  /** By path. */
  readonly #devices = new Map<string, BluezWebDevice>();

  constructor(bus: BluezBus, adapter: string) {
    this.#bus = bus;
    this.#adapter = adapter;
  }

  async scan(seconds: number, onFound: (found: Found) => void, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return;
    const stop = this.#bus.onChange((path, name, changed) => {
      // Whatever else changes was not heard on the air.
      const isHeard = changed.RSSI !== undefined || changed.ServiceData !== undefined;
      if (name !== DEVICE || !isHeard || !path.startsWith(`${this.#adapter}/`)) return;
      const found = this.#found(path);
      if (found !== undefined) onFound(found);
    });
    try {
      await this.#discover("SetDiscoveryFilter", "a{sv}", [this.#filter()]);
      await this.#discover("StartDiscovery");
      await passed(seconds, signal);
      await this.#discover("StopDiscovery");
    } finally {
      stop();
    }
  }

  #filter() {
    return {
      UUIDs: this.#bus.variant("as", [Gatt.service]),
      Transport: this.#bus.variant("s", "le"),
      DuplicateData: this.#bus.variant("b", true),
    };
  }

  async #discover(member: string, signature?: string, body?: unknown[]): Promise<void> {
    try {
      await this.#bus.call(this.#adapter, ADAPTER, member, signature, body);
    } catch (error) {
      throw new Failure(
        `Bluetooth: ${member}: ${(error as Error).message}`,
        "is it on? bluetoothctl power on",
      );
    }
  }

  #found(path: string): Found | undefined {
    const values: Values = this.#bus.values(path, DEVICE) ?? {};
    const data = values.ServiceData as Record<string, { value: Buffer }> | undefined;
    const own = data?.[Gatt.service]?.value;
    if (own === undefined) return undefined;
    const device = this.#devices.get(path) ?? new BluezWebDevice(this.#bus, path);
    this.#devices.set(path, device);
    return { device, rssi: values.RSSI as number | undefined, serviceData: new Uint8Array(own) };
  }

  after(seconds: number, job: () => void): () => void {
    const timer = setTimeout(job, 1000 * seconds);
    return () => clearTimeout(timer);
  }

  now(): number {
    return Date.now() / 1000;
  }

  run<T>(work: Promise<T>): Promise<T> {
    return work;
  }

  /** Waits for connections that are being ended: whoever leaves before that leaves them open. */
  async close(): Promise<void> {
    await Promise.all([...this.#devices.values()].map(({ gatt }) => gatt.ending));
    this.#bus.close();
  }
}

/** Resolves after so many seconds, or upon the signal. */
function passed(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, 1000 * seconds);
    signal?.addEventListener("abort", done);
  });
}
