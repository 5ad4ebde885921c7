// A client's view of BlueZ, Linux's Bluetooth daemon (BlueZ, doc/org.bluez.*.rst): its objects on the system bus, kept up to date by its
// signals, and calls of their methods.

import type { EventEmitter } from "node:events";
import type { Message, MessageBus, Variant } from "@jellybrick/dbus-next";
import { loadOptional } from "../optional";
import { Failure } from "../ui/failure";

const PACKAGE = "@jellybrick/dbus-next";
const BLUEZ = "org.bluez";
const MANAGER = "org.freedesktop.DBus.ObjectManager";
const SYSTEM_BUS = "unix:path=/var/run/dbus/system_bus_socket";
/** BlueZ itself gives up on a connection after less. */
const ANSWER_MS = 45_000;

/** Values of an interface's properties, by name. */
export type Values = Readonly<Record<string, unknown>>;
/** Called with what changed. */
export type OnChange = (path: string, name: string, changed: Values) => void;

type Variants = Record<string, Variant>;
type Library = typeof import("@jellybrick/dbus-next");

const plain = (variants: Variants): Record<string, unknown> =>
  Object.fromEntries(Object.entries(variants).map(([name, { value }]) => [name, value]));

export class BluezBus {
  readonly #library: Library;
  readonly #bus: MessageBus;
  readonly #objects = new Map<string, Map<string, Record<string, unknown>>>();
  readonly #listeners = new Set<OnChange>();

  /** Rejects once the bus has ended: no call is answered any more. */
  readonly #ended: Promise<never>;

  private constructor(library: Library, bus: MessageBus) {
    this.#library = library;
    this.#bus = bus;
    // Only the connection below the bus tells of its end.
    const { _connection: connection } = bus as unknown as { readonly _connection?: EventEmitter };
    this.#ended = new Promise((_resolve, reject) => {
      connection?.once("end", () => reject(new Error("the bus is gone")));
    });
    this.#ended.catch(() => {});
  }

  /** Connects to the system bus, or what the environment says is one. Throws a {@link Failure} where there is no BlueZ. */
  static async open(): Promise<BluezBus> {
    const library = await loadOptional(PACKAGE, () => import("@jellybrick/dbus-next"));
    const busAddress = process.env.DBUS_SYSTEM_BUS_ADDRESS || SYSTEM_BUS;
    const bus = library.sessionBus({ busAddress });
    const why = await new Promise<string | undefined>((resolve) => {
      bus.on("connect", () => resolve(undefined));
      // The types of the package leave this event out.
      (bus as EventEmitter).on("error", (error: Error) => resolve(error.message || String(error)));
    });
    if (why !== undefined)
      throw new Failure(
        `no Bluetooth: ${busAddress}: ${why}`,
        process.env.DBUS_SYSTEM_BUS_ADDRESS
          ? "DBUS_SYSTEM_BUS_ADDRESS names no bus: does `tumbler sim --bluez` still run?"
          : "needs Linux with BlueZ (Debian: apt install bluez); without a radio: --link sim",
      );
    const client = new BluezBus(library, bus);
    try {
      await client.#begin();
      return client;
    } catch (error) {
      bus.disconnect();
      throw new Failure(
        `no Bluetooth: ${(error as Error).message}`,
        "start BlueZ: systemctl start bluetooth",
      );
    }
  }

  async #begin(): Promise<void> {
    this.#bus.on("message", (message) => this.#take(message));
    const rule = `type='signal',sender='${BLUEZ}'`;
    const daemon = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus" };
    await this.#send({
      ...daemon,
      interface: daemon.destination,
      member: "AddMatch",
      signature: "s",
      body: [rule],
    });
    const [all] = await this.call("/", MANAGER, "GetManagedObjects");
    for (const [path, interfaces] of Object.entries(all as Record<string, Record<string, Variants>>))
      this.#added(path, interfaces);
  }

  /** Calls a method of an object. Rejects with BlueZ's error, or when no answer comes. */
  call(path: string, name: string, member: string, signature = "", body: unknown[] = []): Promise<unknown[]> {
    return this.#send({ destination: BLUEZ, path, interface: name, member, signature, body });
  }

  async #send(message: ConstructorParameters<Library["Message"]>[0]): Promise<unknown[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`${message.member}: no answer`)), ANSWER_MS);
    });
    const answer = this.#bus.call(new this.#library.Message(message));
    const reply = await Promise.race([answer, late, this.#ended]).finally(() => clearTimeout(timer));
    return reply?.body ?? [];
  }

  /** A value for where any type may stand. */
  variant(signature: string, value: unknown): Variant {
    return new this.#library.Variant(signature, value);
  }

  /** The properties of an object's interface, undefined where it has none. */
  values(path: string, name: string): Values | undefined {
    return this.#objects.get(path)?.get(name);
  }

  /** Paths of the objects under `above` that have an interface, in order. */
  paths(name: string, above = ""): string[] {
    const found = [...this.#objects].filter(
      ([path, interfaces]) => path.startsWith(above) && interfaces.has(name),
    );
    return found.map(([path]) => path).sort();
  }

  /** Calls `listener` with whatever changes from now on; what is returned ends that. */
  onChange(listener: OnChange): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #take({ path, member, body }: Message): void {
    if (member === "InterfacesAdded") this.#added(String(body[0]), body[1] as Record<string, Variants>);
    if (member === "InterfacesRemoved")
      for (const name of body[1] as string[]) this.#objects.get(String(body[0]))?.delete(name);
    if (member === "PropertiesChanged")
      this.#changed(path, String(body[0]), body[1] as Variants, body[2] as string[]);
  }

  #added(path: string, interfaces: Record<string, Variants>): void {
    for (const [name, variants] of Object.entries(interfaces)) this.#changed(path, name, variants, []);
  }

  #changed(path: string, name: string, variants: Variants, gone: readonly string[]): void {
    const object = this.#objects.get(path) ?? new Map<string, Record<string, unknown>>();
    const values = object.get(name) ?? {};
    const changed = plain(variants);
    Object.assign(values, changed);
    for (const one of gone) delete values[one];
    object.set(name, values);
    this.#objects.set(path, object);
    for (const listener of [...this.#listeners]) listener(path, name, changed);
  }

  close(): void {
    this.#bus.disconnect();
  }
}
