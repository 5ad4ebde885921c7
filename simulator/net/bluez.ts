// BlueZ without a radio: what the air has stands on a D-Bus as Linux's Bluetooth daemon shows it (BlueZ, doc/org.bluez.*.rst), so that
// any program that speaks to that daemon meets virtual locks. What it does not serve: pairing, advertising, classic Bluetooth, and sockets in
// the place of writes and notifications, which clients do without.

import { Message, type MessageBus, NameFlag, RequestNameReply, Variant } from "@jellybrick/dbus-next";
import type { Air, Peripheral } from "./air";
import { BluezDevice, bluezError } from "./bluez-device";
import { Objects } from "./dbus-objects";

export const BLUEZ = "org.bluez";
const ROOT = "/org/bluez";
const ADAPTER_PATH = `${ROOT}/hci0`;
const ADAPTER = "org.bluez.Adapter1";
const ADDRESS = "00:00:5E:00:53:01";
/** How often a lock is heard while anybody looks for one, in seconds. */
const HEARD_S = 0.2;

export class Bluez {
  readonly #objects: Objects;
  readonly #air: Air;
  readonly #devices = new Map<Peripheral, BluezDevice>();
  /** Clients that look for devices. */
  readonly #looking = new Set<string>();
  #isPowered = true;
  #callOff: () => void = () => {};

  private constructor(bus: MessageBus, air: Air, onLost: () => void) {
    this.#air = air;
    this.#objects = new Objects(bus, onLost);
    const accept = () => undefined;
    this.#objects.add(ROOT, {
      "org.bluez.AgentManager1": {
        methods: { RegisterAgent: accept, UnregisterAgent: accept, RequestDefaultAgent: accept },
      },
    });
    this.#objects.add(ADAPTER_PATH, { [ADAPTER]: this.#adapter() });
    bus.on("message", ({ member, body }) => {
      if (member === "NameOwnerChanged" && body[2] === "") this.#forget(String(body[0]));
    });
  }

  /**
   * Takes BlueZ's place on a bus; undefined where it is taken. Rejects with what the bus says if it refuses. `onLost` is called when
   * the bus is found to be gone.
   */
  static async own(bus: MessageBus, air: Air, onLost: () => void): Promise<Bluez | undefined> {
    const bluez = new Bluez(bus, air, onLost);
    const rule = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'";
    await bus.call(
      new Message({
        destination: "org.freedesktop.DBus",
        path: "/org/freedesktop/DBus",
        interface: "org.freedesktop.DBus",
        member: "AddMatch",
        signature: "s",
        body: [rule],
      }),
    );
    const reply = await bus.requestName(BLUEZ, NameFlag.DO_NOT_QUEUE);
    return reply === RequestNameReply.PRIMARY_OWNER ? bluez : undefined;
  }

  #adapter() {
    return {
      properties: {
        Address: new Variant("s", ADDRESS),
        AddressType: new Variant("s", "public"),
        Name: new Variant("s", "virtual"),
        Alias: new Variant("s", "virtual"),
        Class: new Variant("u", 0),
        Powered: new Variant("b", true),
        Discoverable: new Variant("b", false),
        Pairable: new Variant("b", false),
        Discovering: new Variant("b", false),
        UUIDs: new Variant("as", []),
      },
      methods: {
        StartDiscovery: (_args: readonly unknown[], sender: string) => this.#start(sender),
        StopDiscovery: (_args: readonly unknown[], sender: string) => this.#stop(sender),
        SetDiscoveryFilter: () => undefined,
        GetDiscoveryFilters: () => ["as", ["UUIDs", "RSSI", "Transport", "DuplicateData"]] as const,
      },
      set: { Powered: (value: unknown) => this.#power(value === true) },
    };
  }

  #power(isOn: boolean): void {
    this.#isPowered = isOn;
    if (isOn) return;
    for (const client of [...this.#looking]) this.#stop(client);
    for (const device of this.#devices.values()) device.disconnect().catch(() => {});
  }

  #start(client: string): undefined {
    if (!this.#isPowered) throw bluezError("NotReady", "Resource Not Ready");
    if (this.#looking.has(client)) throw bluezError("InProgress", "Operation already in progress");
    this.#looking.add(client);
    if (this.#looking.size > 1) return;
    this.#objects.change(ADAPTER_PATH, ADAPTER, { Discovering: new Variant("b", true) });
    this.#listen();
  }

  #stop(client: string): undefined {
    if (!this.#looking.delete(client)) throw bluezError("Failed", "No discovery started");
    if (this.#looking.size > 0) return;
    this.#callOff();
    for (const device of this.#devices.values()) device.unheard();
    this.#objects.change(ADAPTER_PATH, ADAPTER, { Discovering: new Variant("b", false) });
  }

  /** Hears everything that advertises, and again in a moment, for as long as anybody looks. */
  #listen(): void {
    this.#callOff = this.#air.time.after(HEARD_S, () => {
      for (const peripheral of this.#air.advertising) this.#hear(peripheral);
      this.#listen();
    });
  }

  #hear(peripheral: Peripheral): void {
    const known = this.#devices.get(peripheral);
    if (known !== undefined) {
      known.seen();
      return;
    }
    const isReady = () => this.#isPowered;
    const shown = { adapter: ADAPTER_PATH, air: this.#air, peripheral, isReady };
    this.#devices.set(peripheral, new BluezDevice(this.#objects, shown));
  }

  #forget(client: string): void {
    if (this.#looking.has(client)) this.#stop(client);
    for (const device of this.#devices.values()) device.forget(client);
  }
}
