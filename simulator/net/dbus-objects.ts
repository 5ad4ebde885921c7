// The objects of a service on a D-Bus, with the standard interfaces of whoever has more than one: ObjectManager and Properties (D-Bus
// specification, "Standard Interfaces"). Knows nothing of what the objects are.

import { Message, type MessageBus, MessageType, Variant } from "@jellybrick/dbus-next";

const MANAGER = "org.freedesktop.DBus.ObjectManager";
const PROPERTIES = "org.freedesktop.DBus.Properties";
const UNKNOWN = "org.freedesktop.DBus.Error.Unknown";
const NO_REPLY_EXPECTED = 1;

/** What a method answers with: nothing, or a signature and its values. */
export type Reply = readonly [signature: string, ...body: unknown[]] | undefined;

/** A method; `sender` is the unique name of the connection that calls. May throw a {@link BusError}. */
export type Method = (args: readonly unknown[], sender: string) => Promise<Reply> | Reply;

/** An interface of an object as it is added. */
export interface Served {
  readonly properties?: Readonly<Record<string, Variant>>;
  readonly methods?: Readonly<Record<string, Method>>;
  /** Called when a client sets one of these properties. */
  readonly set?: Readonly<Record<string, (value: unknown) => void>>;
}

/** An error with a name on the bus. */
export class BusError extends Error {
  readonly type: string;

  constructor(type: string, text: string) {
    super(text);
    this.type = type;
  }
}

interface Interface extends Served {
  readonly values: Record<string, Variant>;
}

export class Objects {
  readonly #bus: MessageBus;
  readonly #objects = new Map<string, ReadonlyMap<string, Interface>>();

  readonly #onLost: () => void;

  /** Answers calls to this connection from now on; `onLost` is called when nothing can be sent any more. */
  constructor(bus: MessageBus, onLost: () => void) {
    this.#bus = bus;
    this.#onLost = onLost;
    bus.addMethodHandler((message) => this.#handle(message));
  }

  /** Adds an object, and tells of it. */
  add(path: string, interfaces: Readonly<Record<string, Served>>): void {
    const made = Object.entries(interfaces).map(
      ([name, served]) => [name, { ...served, values: { ...served.properties } }] as const,
    );
    this.#objects.set(path, new Map(made));
    this.#signal("/", MANAGER, "InterfacesAdded", "oa{sa{sv}}", [path, this.#valuesOf(path)]);
  }

  /** Changes properties of an object, and tells of it: also of those that have the same value as before. */
  change(path: string, name: string, values: Readonly<Record<string, Variant>>): void {
    Object.assign(this.#find(path, name).values, values);
    this.#signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [name, values, []]);
  }

  /** Takes properties away from an object, and tells of it. */
  invalidate(path: string, name: string, names: readonly string[]): void {
    const { values } = this.#find(path, name);
    for (const one of names) delete values[one];
    this.#signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [name, {}, names]);
  }

  /** The value of a property, undefined where it has none. */
  value(path: string, name: string, property: string): unknown {
    return this.#find(path, name).values[property]?.value;
  }

  #signal(path: string, name: string, member: string, signature: string, body: unknown[]): void {
    this.#send(Message.newSignal(path, name, member, signature, body));
  }

  #send(message: Message): void {
    try {
      this.#bus.send(message);
    } catch {
      this.#onLost();
    }
  }

  #valuesOf(path: string): Record<string, Record<string, Variant>> {
    const values = [...(this.#objects.get(path) ?? [])].map(([name, one]) => [name, one.values]);
    return Object.fromEntries(values);
  }

  #find(path: string, name: string): Interface {
    const object = this.#objects.get(path);
    if (object === undefined) throw new BusError(`${UNKNOWN}Object`, `no object ${path}`);
    const found = object.get(name);
    if (found === undefined) throw new BusError(`${UNKNOWN}Interface`, `${path} has no ${name}`);
    return found;
  }

  /** Whether a call is answered here, now or later. */
  #handle(message: Message): boolean {
    if (message.type !== MessageType.METHOD_CALL) return false;
    if (message.interface !== MANAGER && !this.#objects.has(message.path)) return false;
    this.#call(message).then(
      (reply) => this.#reply(message, Message.newMethodReturn(message, reply?.[0], reply?.slice(1))),
      (error: unknown) => {
        const type = error instanceof BusError ? error.type : "org.freedesktop.DBus.Error.Failed";
        this.#reply(message, Message.newError(message, type, (error as Error).message));
      },
    );
    return true;
  }

  #reply({ flags }: Message, reply: Message): void {
    if ((flags & NO_REPLY_EXPECTED) === 0) this.#send(reply);
  }

  async #call({ path, interface: name, member, body, sender }: Message): Promise<Reply> {
    if (name === MANAGER && member === "GetManagedObjects") {
      const all = [...this.#objects.keys()].map((one) => [one, this.#valuesOf(one)]);
      return ["a{oa{sa{sv}}}", Object.fromEntries(all)];
    }
    if (name === PROPERTIES) return this.#property(path, member, body as [string, string, Variant]);
    const method = this.#find(path, name).methods?.[member];
    if (method === undefined) throw new BusError(`${UNKNOWN}Method`, `${name} has no ${member}`);
    return method(body, sender);
  }

  #property(path: string, member: string, [name, property, wanted]: [string, string, Variant]): Reply {
    const { values, set } = this.#find(path, name);
    if (member === "GetAll") return ["a{sv}", values];
    const value = values[property];
    if (value === undefined) throw new BusError(`${UNKNOWN}Property`, `${name} has no ${property}`);
    if (member === "Get") return ["v", value];
    const setter = set?.[property];
    if (setter === undefined || wanted.signature !== value.signature)
      throw new BusError("org.freedesktop.DBus.Error.PropertyReadOnly", `${property} cannot be set so`);
    setter(wanted.value);
    this.change(path, name, { [property]: new Variant(value.signature, wanted.value) });
    return undefined;
  }
}
