// A lock under measurement on XS. Its board is as thin as a device's: flash is an array that native code copies from and to, so that
// what is counted is the lock and not a simulation. Everything is made before the first reading; only what `boot` makes is the lock's.

import type { Bluetooth } from "../../firmware/core/bluetooth";
import type { Lock } from "../../firmware/core/lock";
import type { Session } from "../../firmware/core/session";
import type { Table } from "../../firmware/core/storage/table";
import type {
  Board,
  Flash,
  FlashStatus,
  GattCharacteristic,
  GattCharacteristicOptions,
  GattConnection,
  GattOptions,
  Identity,
  Radio,
} from "../../firmware/ports";
import type { ClaimKeys } from "../../protocol/crypto/derive";
import { noble } from "../../protocol/crypto/noble";
import type { Crypto } from "../../protocol/crypto/port";
import { Gatt } from "../../protocol/wire/advert";
import { MAX_MESSAGE_BYTES } from "../../protocol/wire/limits";
import { packHandshake, Segments } from "../../protocol/wire/segments";
import type * as Core from "../xs/life/core";

const SECTOR_BYTES = 4096;
const PIN = 1;

class ArrayFlash implements Flash {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.slice();
  }

  read(buffer: Uint8Array, offset: number): void {
    buffer.set(this.#bytes.subarray(offset, offset + buffer.length));
  }

  write(buffer: Uint8Array, offset: number): void {
    this.#bytes.set(buffer, offset);
  }

  eraseBlock(start: number, end: number): void {
    this.#bytes.fill(0xff, start * SECTOR_BYTES, end * SECTOR_BYTES);
  }

  status(): FlashStatus {
    const size = this.#bytes.length;
    return { size, blockLength: SECTOR_BYTES, blocks: size / SECTOR_BYTES };
  }
}

/** A radio that takes everything, with centrals that are there and not connected yet: all of it is the host's. */
class Ether implements Radio {
  options!: GattOptions;
  readonly centrals: readonly GattConnection[];
  readonly gatt;
  readonly #outbox: GattCharacteristic = {};
  readonly #handshake: Uint8Array = packHandshake(0);
  /** The first segment of a message. */
  readonly #segment: Uint8Array;

  constructor(mtu: number, centrals: number) {
    const ether = this;
    const size = mtu - 3;
    this.centrals = Array.from({ length: centrals }, () => ({ maximumWrite: size, notify() {}, close() {} }));
    const segments = new Segments({ size, window: 6 });
    segments.send(new Uint8Array(MAX_MESSAGE_BYTES));
    this.#segment = (segments.next() as Uint8Array).slice();
    this.gatt = {
      io: class {
        constructor(options: GattOptions) {
          ether.options = options;
        }
        startAdvertising(): void {}
      },
    };
  }

  #characteristic(uuid: string): GattCharacteristicOptions {
    const one = this.options.services[0].characteristics.find((other) => other.uuid === uuid);
    if (one === undefined) throw new Error("bench: no such characteristic");
    return one;
  }

  /** Everybody connects, and writes the handshake. */
  connect(): void {
    for (const central of this.centrals) {
      this.options.onConnect(central);
      this.#characteristic(Gatt.outbox).onSubscribe?.call(this.#outbox, central);
    }
    this.#write(this.#handshake);
  }

  /** Everybody is in the middle of a message. */
  begin(): void {
    this.#write(this.#segment);
  }

  leave(): void {
    for (const central of this.centrals) this.options.onDisconnect(central);
  }

  #write(value: Uint8Array): void {
    const inbox = this.#characteristic(Gatt.inbox);
    for (const central of this.centrals)
      inbox.onWrite?.call(inbox, value.buffer.slice(0) as ArrayBuffer, central);
  }
}

/** Crypto that writes down its results, or gives those of another run again: then what is left is the lock's own work. */
export class Tape implements Crypto {
  readonly name = "tape";
  signatures = 0;
  verifications = 0;
  readonly #results: (Uint8Array | boolean)[];
  readonly #plays: boolean;
  #at = 0;

  constructor(recorded?: Tape) {
    this.#plays = recorded !== undefined;
    this.#results = recorded === undefined ? [] : recorded.#results;
  }

  #next<T extends Uint8Array | boolean>(compute: () => T): T {
    if (!this.#plays) this.#results.push(compute());
    const result = this.#results[this.#at++] as T;
    return (typeof result === "boolean" ? result : result.slice()) as T;
  }

  sha256(data: Uint8Array): Uint8Array {
    return this.#next(() => noble.sha256(data));
  }
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
    return this.#next(() => noble.hmacSha256(key, data));
  }
  ed25519PublicKey(seed: Uint8Array): Uint8Array {
    return this.#next(() => noble.ed25519PublicKey(seed));
  }
  ed25519Sign(message: Uint8Array, seed: Uint8Array): Uint8Array {
    this.signatures++;
    return this.#next(() => noble.ed25519Sign(message, seed));
  }
  ed25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
    this.verifications++;
    return this.#next(() => noble.ed25519Verify(signature, message, publicKey));
  }
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
    return this.#next(() => noble.seal(key, nonce, aad, plain));
  }
  unseal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    // What was sealed by nobody is nothing, and is never longer than what was.
    const opened = this.#next(() => noble.unseal(key, nonce, aad, sealed) ?? new Uint8Array(0));
    return opened.length > 0 ? opened : undefined;
  }
}

const LENGTHS = [8, 1, 32, 32, 32];

/** What is measured, as a global of the machine. */
export class Bench {
  /** What a request is: a part of the lock to be made, or a message for it. */
  receives: "parts" | "messages" = "parts";
  readonly parts: Uint8Array[] = [];
  board!: Board;
  lock!: Lock;
  session!: Session;
  table!: Table;
  ether!: Ether;
  bluetooth!: Bluetooth;
  readonly #core: typeof Core;

  constructor(core: typeof Core) {
    this.#core = core;
  }

  /** Takes identity, credential image and event image, in this order; then messages. */
  request(bytes: Uint8Array): Uint8Array {
    if (this.receives === "messages") return this.lock.receive(this.session, bytes);
    this.parts.push(bytes.slice());
    return new Uint8Array(0);
  }

  /** Makes the board out of the parts that came. */
  makeBoard(crypto: Crypto = noble): void {
    const [packed, credentials, events] = this.parts;
    this.board = {
      identity: unpackIdentity(packed),
      credentials: new ArrayFlash(credentials),
      events: new ArrayFlash(events),
      crypto,
      clock: { uptime: () => 100, driftPpm: 20 },
      bolt: { draw() {}, throw() {} },
      feedback: { granted() {}, refused() {} },
      random: (buffer) => buffer.fill(7),
    };
    this.receives = "messages";
  }

  boot(): void {
    this.lock = new this.#core.Lock(this.board);
    this.session = this.lock.open();
  }

  /** What a board has for Bluetooth, and so many centrals near it. */
  makeRadio(mtu: number, centrals: number): void {
    this.ether = new Ether(mtu, centrals);
  }

  switchOn(): void {
    this.bluetooth = new this.#core.Bluetooth(this.lock, this.board, this.ether);
    this.ether.options.onReady();
    this.bluetooth.tick();
  }

  /** Every central is in the middle of the longest message; throws unless each has its line. */
  fillLines(): void {
    this.ether.connect();
    this.bluetooth.tick();
    this.ether.begin();
    this.bluetooth.tick();
    if (this.bluetooth.connections !== this.ether.centrals.length) throw new Error("bench: a line is gone");
  }

  /** They all leave. */
  emptyLines(): void {
    this.ether.leave();
    this.lock.tick();
    this.bluetooth.tick();
  }

  /** A PIN that a slot has; throws unless the lock opens. */
  open(digits: Uint8Array): void {
    const reason = this.lock.enterPin(digits);
    if (reason !== 0) throw new Error("bench: refused with reason " + reason);
  }

  /** An entry of any kind; the reason. */
  enter(digits: Uint8Array): number {
    return this.lock.enterPin(digits);
  }

  /** A table alone, with so many slots. */
  mountTable(slots: number): void {
    const profile = this.#core.profileById(this.board.identity.profile);
    if (profile === undefined) throw new Error("bench: no such profile");
    this.table = new this.#core.Table(
      this.board.credentials,
      { ...profile, slots },
      this.board.identity.lock,
    );
    if (this.table.mount() !== "mounted") throw new Error("bench: the table does not mount");
  }

  get keys(): ClaimKeys {
    const { derived } = this.lock.authority;
    if (derived === undefined) throw new Error("bench: an unclaimed lock");
    return derived;
  }

  hmac(digits: Uint8Array): Uint8Array {
    return this.board.crypto.hmacSha256(this.keys.pinKey, digits);
  }

  /** What a lock does to find a PIN, its tag included. */
  lookup(digits: Uint8Array): number {
    const tag = this.#core.credentialTag(this.board.crypto, this.keys.pinKey, PIN, digits);
    return this.lock.parts.table.find(tag);
  }
}

function unpackIdentity(packed: Uint8Array): Identity {
  let at = 0;
  const [lock, [profile], seed, deviceSecret, makerRoot] = LENGTHS.map((length) => {
    at += length;
    return packed.slice(at - length, at);
  });
  return { lock, profile, seed, deviceSecret, makerRoot };
}

/** An identity as {@link Bench.request} takes it. */
export function packIdentity(identity: Identity): Uint8Array {
  const { lock, profile, seed, deviceSecret, makerRoot } = identity;
  return Uint8Array.from([...lock, profile, ...seed, ...deviceSecret, ...makerRoot]);
}
