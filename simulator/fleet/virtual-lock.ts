// A virtual lock: the very core of the firmware on a virtual board. It answers messages and people; a power cut leaves it nothing but
// its flash bytes. Whatever link it hangs on calls `receive`; its connection to a broker it keeps up by itself.

import { Bluetooth } from "../../firmware/core/bluetooth";
import { Lock } from "../../firmware/core/lock";
import type { Session } from "../../firmware/core/session";
import { Uplink } from "../../firmware/core/uplink";
import type { Crypto } from "../../protocol/crypto/port";
import { toHex } from "../../protocol/wire/bytes";
import type { Broker } from "../../protocol/wire/settings";
import { type FlashImage, VirtualBoard, type WorldClock } from "../board/board";
import type { Air } from "../net/air";
import { type VirtualRadio, virtualRadio } from "../net/gatt-port";
import { type TlsSetup, virtualNetwork } from "../net/mqtt-port";

/** What a virtual lock is made with. */
export interface VirtualLockOptions {
  readonly image: FlashImage;
  readonly crypto: Crypto;
  readonly world: WorldClock;
  /** Fills a buffer with random bytes. */
  readonly random: (buffer: Uint8Array) => void;
  /** What its network needs for a broker with TLS. */
  readonly tls?: TlsSetup;
  /** Where its radio is heard; without one it has none. */
  readonly air?: Air;
}

export class VirtualLock {
  lock!: Lock;
  board: VirtualBoard;
  uplink!: Uplink;
  bluetooth: Bluetooth | undefined;
  readonly #options: VirtualLockOptions;
  #session!: Session;
  #radio: VirtualRadio | undefined;
  #broker: Broker | undefined;
  #onlookers: (() => void)[] = [];

  constructor(options: VirtualLockOptions) {
    this.#options = options;
    this.board = new VirtualBoard(options);
    this.#boot();
  }

  #boot(): void {
    this.lock = new Lock(this.board);
    this.#session = this.lock.open();
    const network = virtualNetwork({ tls: this.#options.tls, afterEvent: () => this.tick() });
    this.uplink = new Uplink(this.lock, this.board, network);
    this.uplink.use(this.#broker);
    this.#switchOn();
    this.tick();
  }

  #switchOn(): void {
    const { air } = this.#options;
    if (air === undefined) return;
    this.#radio = virtualRadio(air, { name: toHex(this.id), afterEvent: () => this.tick() });
    this.bluetooth = new Bluetooth(this.lock, this.board, this.#radio);
  }

  get id(): Uint8Array {
    return this.board.identity.lock;
  }

  /** A new connection: the lock forgets the one before. */
  reconnect(): void {
    this.#session = this.lock.open();
  }

  /** Answers one message, and does its own housekeeping afterwards. */
  receive(message: Uint8Array): Uint8Array {
    const answer = this.lock.receive(this.#session, message.slice()).slice();
    this.tick();
    return answer;
  }

  /** What a lock does by itself; its board does it once a second and after whatever happens. */
  tick(): void {
    this.lock.tick();
    this.uplink.tick();
    this.bluetooth?.tick();
    if (this.uplink.state !== "online") return;
    for (const tell of this.#onlookers) tell();
    this.#onlookers = [];
  }

  /** Sets the broker that the lock keeps up a connection to, undefined for none: the access point is dead. */
  join(broker: Broker | undefined): void {
    this.#broker = broker;
    this.uplink.use(broker);
    this.tick();
  }

  /** Whether the lock is online, now or within so many milliseconds of real time. */
  async online(withinMs: number): Promise<boolean> {
    if (this.uplink.state === "online") return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), withinMs);
      this.#onlookers.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  /** Power goes and comes back: a new lock from the bytes of the flash alone. */
  powerCut(): void {
    this.uplink.use(undefined);
    this.uplink.tick();
    this.#radio?.off();
    this.board = new VirtualBoard({ ...this.#options, image: this.board.image() });
    this.#boot();
  }
}
