// The board's Bluetooth (rules S5, S14), over the SDK's GATT server, whose habits are mended here. Whatever a callback throws is caught; a read
// is always given bytes, since the stack takes nothing else. The SDK's own `close` of a connection is never called: it leaves the connection
// in the stack's hands while its record is freed. A connection is ended by its handle instead, which the chip's own listener has kept in the
// order of connecting, and its record stays until the SDK says goodbye; the core hears nothing more of it meanwhile. The lock's address on the
// air is random, and changes together with the id that it shows (rule S7): whoever follows one of them loses both at once.

import { equal } from "../../protocol/wire/bytes";
import { shownId } from "../core/bluetooth";
import type {
  AdvertRecords,
  GattCharacteristic,
  GattCharacteristicOptions,
  GattConnection,
  GattOptions,
  GattServer,
  Radio,
} from "../ports";
import type { Guard } from "./guard";
import type { Timers } from "./io";

/** How long a connection may take to end before it is ended once more, in milliseconds. */
export const HANG_UP_MS = 1000;
/** Advertising may stop without a word, when a connection fails before it stands: it is begun anew so often, in milliseconds. */
export const ADVERTISE_MS = 10_000;
/** Connections in a row of which the SDK may have lost word. */
const MOST_MISSED = 8;
/** Before the value of a notification. */
const NOTIFY_HEADER_BYTES = 3;
/** Every connection takes an MTU of 23. */
const LEAST_WRITE_BYTES = 20;
const NOTHING: Uint8Array = new Uint8Array(0);

/** The chip's own record of connections: native functions. */
export interface Gap {
  /**
   * Begins to keep handles and to hide the chip's address; positive where the server will be ready once more for that, negative where it
   * cannot. Needs the stack, which is there once the server is ready.
   */
  gapListen(): number;
  /** Stops advertising, and has another address for what is advertised next; negative where it cannot. */
  gapAddress(): number;
  /** The beginning or the end of a connection has been dealt with: the stack waits for that. */
  gapTaken(): void;
  /** The handle of the nth connection since boot, from 0 on; negative when it is over, or never was. */
  gapHandle(n: number): number;
  /** Ends a connection; 0 where that has begun. */
  gapTerminate(handle: number): number;
}

/** What a {@link SafeRadio} is made of. */
export interface RadioParts {
  /** The SDK's class; its connections have a `close` that is left alone. */
  readonly GATTServer: new (
    options: GattOptions,
  ) => GattServer;
  readonly gap: Gap;
  readonly timers: Timers;
  readonly guard: Guard;
  /** Is told after every callback: the lock's turn is due. It must not take the turn at once, since the stack stands still meanwhile. */
  onEvent(): void;
}

/** One central's connection, as the core has it. */
class Link implements GattConnection {
  readonly sdk: GattConnection;
  readonly #server: SafeServer;
  /** Which connection since boot. */
  readonly number: number;
  /** Whether the core still has to do with it. */
  isOpen = true;
  /** Whether the SDK has said goodbye. */
  isGone = false;
  /** Whether its handle was unknown already when it was to be ended. */
  isLost = false;

  constructor(sdk: GattConnection, number: number, server: SafeServer) {
    this.sdk = sdk;
    this.number = number;
    this.#server = server;
  }

  /** What can be notified now; of a connection that the stack has just lost, the SDK gives a number that no MTU has. */
  get maximumWrite(): number {
    this.check();
    const bytes = this.sdk.maximumWrite;
    return Math.max(LEAST_WRITE_BYTES, Math.min(bytes, this.#server.mtu - NOTIFY_HEADER_BYTES));
  }

  notify(characteristic: GattCharacteristic, value: Uint8Array): void {
    this.check();
    this.sdk.notify(characteristic, value);
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#server.hangUp(this);
  }

  private check(): void {
    if (!this.isOpen) throw new Error("the connection is over");
  }
}

class SafeServer implements GattServer {
  readonly mtu: number;
  readonly #parts: RadioParts;
  readonly #options: GattOptions;
  readonly #sdk: GattServer;
  readonly #links: Link[] = [];
  /** Connections since boot. */
  #connects = 0;
  #shown: readonly [AdvertRecords, AdvertRecords | undefined] | undefined;
  /** The id that was shown last. */
  #id = NOTHING;

  constructor(parts: RadioParts, options: GattOptions) {
    this.#parts = parts;
    this.#options = options;
    this.mtu = options.mtu;
    const services = options.services.map(({ uuid, characteristics }) => ({
      uuid,
      characteristics: characteristics.map((one) => this.wrap(one)),
    }));
    this.#sdk = new parts.GATTServer({
      mtu: options.mtu,
      services,
      onReady: () => this.event(() => this.ready()),
      onConnect: (sdk) => {
        this.event(() => this.connected(sdk));
        this.taken();
      },
      onDisconnect: (sdk) => {
        this.event(() => this.disconnected(sdk));
        // The SDK takes its record out of its list after this, and the stack must not walk through it meanwhile.
        parts.timers.set(() => this.taken(), 0);
      },
    });
    parts.timers.repeat(
      parts.guard.wrap("bluetooth", () => this.renew()),
      ADVERTISE_MS,
    );
  }

  /** Centrals that are connected, also those that the lock has hung up on. */
  get centrals(): number {
    return this.#links.length;
  }

  /** Whether the lock shows itself. */
  get isAdvertising(): boolean {
    return this.#shown !== undefined;
  }

  startAdvertising(scan: AdvertRecords, response?: AdvertRecords): void {
    this.hide(response);
    this.#sdk.startAdvertising(scan, response);
    this.#shown = [scan, response];
  }

  /** Another address for another id, also while somebody is connected: two ids under one address would be two names of one lock. */
  private hide(response: AdvertRecords | undefined): void {
    const { gap, guard } = this.#parts;
    const id = shownId(response);
    if (id === undefined || equal(id, this.#id)) return;
    this.#id = id;
    const error = gap.gapAddress();
    if (error < 0) guard.noted("bluetooth", new Error(`no address: ${error}`));
  }

  private renew(): void {
    if (this.#shown !== undefined) this.#sdk.startAdvertising(...this.#shown);
  }

  // ---- callbacks

  private event(work: () => void): void {
    const { guard, onEvent } = this.#parts;
    guard.run("bluetooth", work);
    guard.run("bluetooth", onEvent);
  }

  private wrap(one: GattCharacteristicOptions): GattCharacteristicOptions {
    const server = this;
    const { uuid, properties, onRead, onWrite, onSubscribe, onUnsubscribe } = one;
    return {
      uuid,
      properties,
      onRead:
        onRead &&
        function (this: GattCharacteristic, sdk: GattConnection): Uint8Array {
          let value: Uint8Array = NOTHING;
          server.ofLink(sdk, (link) => {
            value = onRead.call(this, link) ?? NOTHING;
          });
          return value;
        },
      onWrite:
        onWrite &&
        function (this: GattCharacteristic, value: ArrayBuffer, sdk: GattConnection): void {
          server.ofLink(sdk, (link) => onWrite.call(this, value, link));
        },
      onSubscribe:
        onSubscribe &&
        function (this: GattCharacteristic, sdk: GattConnection): void {
          server.ofLink(sdk, (link) => onSubscribe.call(this, link));
        },
      onUnsubscribe:
        onUnsubscribe &&
        function (this: GattCharacteristic, sdk: GattConnection): void {
          server.ofLink(sdk, (link) => onUnsubscribe.call(this, link));
        },
    };
  }

  /** Does something for a connection that the core still has to do with; what comes of others is dropped. */
  private ofLink(sdk: GattConnection, work: (link: Link) => void): void {
    const link = this.#links.find((one) => one.sdk === sdk);
    if (link?.isOpen) this.event(() => work(link));
  }

  private ready(): void {
    const { gap, guard } = this.#parts;
    const listens = gap.gapListen();
    if (listens < 0) guard.noted("bluetooth", new Error(`no listener: ${listens}`));
    if (listens <= 0) this.#options.onReady();
  }

  private taken(): void {
    const { gap, guard } = this.#parts;
    guard.run("bluetooth", () => gap.gapTaken());
  }

  private connected(sdk: GattConnection): void {
    const link = new Link(sdk, this.newest(), this);
    this.#connects = link.number + 1;
    this.#links.push(link);
    try {
      this.#options.onConnect(link);
    } catch (error) {
      // Nobody would ever hang up on it.
      link.close();
      throw error;
    }
  }

  /**
   * The number of the connection that begins now. The stack waits meanwhile, so it is the last one that has a handle: where the SDK has lost
   * word of others before, they have been counted all the same.
   */
  private newest(): number {
    let number = this.#connects;
    for (let n = number; n < this.#connects + MOST_MISSED; n++)
      if (this.#parts.gap.gapHandle(n) >= 0) number = n;
    return number;
  }

  private disconnected(sdk: GattConnection): void {
    const link = this.#links.find((one) => one.sdk === sdk);
    if (link === undefined) return;
    this.forget(link);
    if (!link.isOpen) return;
    link.isOpen = false;
    this.#options.onDisconnect(link);
  }

  // ---- ends

  /** Ends a connection, and again until the SDK says that it is over. */
  hangUp(link: Link): void {
    const { gap, guard, timers } = this.#parts;
    timers.set(
      guard.wrap("bluetooth", () => this.look(link)),
      HANG_UP_MS,
    );
    const handle = gap.gapHandle(link.number);
    link.isLost = handle < 0;
    if (handle >= 0) gap.gapTerminate(handle);
  }

  /** The SDK's goodbye needs memory, and can be lost for want of it. */
  private look(link: Link): void {
    if (link.isGone) return;
    if (link.isLost) this.forget(link);
    else this.hangUp(link);
  }

  private forget(link: Link): void {
    link.isGone = true;
    const at = this.#links.indexOf(link);
    if (at >= 0) this.#links.splice(at, 1);
  }
}

/** The board's radio. There is one GATT server a boot: a second `new` throws. */
export class SafeRadio implements Radio {
  readonly gatt: Radio["gatt"];
  #server: SafeServer | undefined;

  constructor(parts: RadioParts) {
    const radio = this;
    class Io extends SafeServer {
      constructor(options: GattOptions) {
        if (radio.#server !== undefined) throw new Error("one GATT server a boot");
        super(parts, options);
        radio.#server = this;
      }
    }
    this.gatt = { io: Io };
  }

  /** How many centrals are connected now. */
  get centrals(): number {
    return this.#server?.centrals ?? 0;
  }

  /** Whether the lock shows itself. */
  get isAdvertising(): boolean {
    return this.#server?.isAdvertising ?? false;
  }
}
