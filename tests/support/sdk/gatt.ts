// What stands between the SDK's GATT server and the chip: the server's connections have a `close` that must never be called, and the chip's own
// record gives them handles. Which server that is, a scripted one or one on the air, is the test's business: both have the server's habits.

import type { GattConnection, GattOptions, GattServer } from "../../../firmware/ports";

/** The chip's record of connections, as the native functions keep it, and what a lock must not do. */
export class SdkGap {
  readonly misuses: string[] = [];
  /** What `gapListen` and `gapAddress` answer where they cannot; 0 where they can. */
  listens = 0;
  addresses = 0;
  /** The address that the lock has: 0 is the chip's own, and each one after it another random one. */
  address = 0;
  /** Ends that do not begin, though they were asked for. */
  refuses = 0;
  /** How often the stack has told the lock something and waited, and how often it was let go on. */
  told = 0;
  taken = 0;
  terminated: number[] = [];
  #isUp = false;
  #isListening = false;
  readonly #connections: (GattConnection | undefined)[] = [];
  #handles: number[] = [];
  readonly #end: (connection: GattConnection) => void;

  /** `end` ends a connection in its own time, never at once. */
  constructor(end: (connection: GattConnection) => void) {
    this.#end = end;
  }

  // ---- native functions

  gapListen(): number {
    if (!this.#isUp) this.#misused("gapListen: there is no stack yet");
    if (this.listens !== 0 || this.#isListening) return this.listens;
    this.#isListening = true;
    this.address = 1;
    return 1;
  }

  gapAddress(): number {
    if (!this.#isUp) this.#misused("gapAddress: there is no stack yet");
    if (this.#isListening && this.addresses === 0) this.address++;
    return this.addresses;
  }

  gapTaken(): void {
    this.taken++;
  }

  gapHandle(n: number): number {
    return this.#connections[n] === undefined ? -1 : this.#handles[n];
  }

  gapTerminate(handle: number): number {
    const n = this.#handles.findIndex((one, i) => one === handle && this.#connections[i] !== undefined);
    this.terminated.push(n);
    if (n < 0) this.#misused(`gapTerminate: ${handle}`);
    if (this.refuses-- > 0) return -6;
    this.refuses = 0;
    this.#end(this.#connections[n] as GattConnection);
    return 0;
  }

  // ---- what the chip sees

  /** A connection begins, of which the server may hear or not. It has the lowest handle that is free. */
  began(connection: GattConnection): void {
    if (!this.#isListening) return;
    const used = this.#handles.filter((_, i) => this.#connections[i] !== undefined);
    let handle = 0;
    while (used.includes(handle)) handle++;
    this.#handles.push(handle);
    this.#connections.push(connection);
  }

  ended(connection: GattConnection): void {
    const n = this.#connections.indexOf(connection);
    if (n >= 0) this.#connections[n] = undefined;
  }

  up(): void {
    this.#isUp = true;
  }

  closed(): never {
    return this.#misused("close: the SDK's own");
  }

  #misused(what: string): never {
    this.misuses.push(what);
    throw new Error(what);
  }
}

/** The SDK's class over a server with its habits. */
export function sdkServer(
  gap: SdkGap,
  Server: new (options: GattOptions) => GattServer,
): new (
  options: GattOptions,
) => GattServer {
  return class extends Server {
    constructor(options: GattOptions) {
      super({
        ...options,
        onReady() {
          gap.up();
          const { address } = gap;
          options.onReady();
          // It has another kind of address from now on, and is ready with it once more.
          if (gap.address !== address) options.onReady();
        },
        onConnect(connection) {
          Object.defineProperty(connection, "close", { value: () => gap.closed() });
          gap.began(connection);
          gap.told++;
          options.onConnect(connection);
        },
        onDisconnect(connection) {
          gap.ended(connection);
          gap.told++;
          options.onDisconnect(connection);
        },
      });
    }
  };
}
