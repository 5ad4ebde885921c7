// The virtual building: a lock on a virtual board for each door, each on its own link. Wi-Fi doors hang on the broker with a client
// of their own, after an installer has given them an owner; the others are reached only by a courier who stands in front of them. Nothing
// here knows what anyone may do.

import { randomFillSync, randomInt } from "node:crypto";
import { parseZoneSetting, UTC0, type Zone } from "../../firmware/core/calendar";
import { PROFILES } from "../../firmware/core/profile";
import { type Bag, bagMailbox, packBag, unpackBag } from "../../protocol/courier/bag";
import { type Carried, carry } from "../../protocol/courier/courier";
import { MemoryLink } from "../../protocol/courier/link";
import type { SigningKey } from "../../protocol/issuer/encode";
import type { Issuer, Received } from "../../protocol/issuer/issuer";
import { commission, deliver, emptyBag, fillBag } from "../../protocol/issuer/mailbox";
import type { DoorRow } from "../../protocol/issuer/rows";
import { toHex } from "../../protocol/wire/bytes";
import { MAX_REQUEST_ID } from "../../protocol/wire/messages";
import type { WorldClock } from "../../simulator/board/board";
import { node } from "../../simulator/board/crypto";
import { VirtualLock } from "../../simulator/fleet/virtual-lock";
import { BrokerError, brokerAt, type MqttCourier } from "../links/mqtt";
import { provisionLock } from "../provisioning";

/** How long a lock on the air may take to answer, in milliseconds of real time. */
const ANSWER_MS = 5000;
/** How long an answer of a lock that is known to be off the air is waited for. */
const SILENCE_MS = 300;

/** One door of the building. */
export class VirtualDoor {
  readonly row: DoorRow;
  readonly virtual: VirtualLock;
  /** The lock's id in hexadecimal. */
  readonly id: string;
  /** The zone on the door's wall. */
  readonly zone: Zone;
  offAir = false;
  readonly #url: string;

  constructor(row: DoorRow, virtual: VirtualLock, url: string) {
    this.row = row;
    this.virtual = virtual;
    this.id = toHex(virtual.id);
    this.zone = parseZoneSetting(row.zoneValue) ?? UTC0;
    this.#url = url;
  }

  /** Puts the lock on the air: it keeps up a connection of its own to the broker. */
  async connect(): Promise<void> {
    this.offAir = false;
    this.virtual.join(brokerAt(this.#url));
    if (!(await this.virtual.online(ANSWER_MS)))
      throw new BrokerError(this.#url, `lock ${this.id} gets no connection`);
  }

  /** Takes it off the air, as a dead access point would. */
  disconnect(): void {
    this.offAir = true;
    this.virtual.join(undefined);
  }

  /** Power goes and comes back; on the air the lock connects again. */
  async powerCut(): Promise<void> {
    this.virtual.powerCut();
    if (this.row.link === "wifi" && !this.offAir) await this.connect();
  }
}

/** What a delivery reports while it runs. */
export type OnReceipt = (door: VirtualDoor, received: Received) => void;

export class Building {
  readonly doors = new Map<string, VirtualDoor>();
  readonly #issuer: Issuer;
  readonly #courier: MqttCourier;
  readonly #world: WorldClock;

  constructor(issuer: Issuer, courier: MqttCourier, world: WorldClock) {
    this.#issuer = issuer;
    this.#courier = courier;
    this.#world = world;
  }

  /** Provisions the lock of a door, binds it to the door at the issuer, and puts it on its link. */
  async install(row: DoorRow, maker: SigningKey, url: string): Promise<VirtualDoor> {
    const profile = PROFILES.find(({ name }) => name === row.profile);
    if (profile === undefined) throw new Error(`door ${row.door}: unknown profile ${row.profile}`);
    const { site, owner } = this.#issuer.signers;
    const made = provisionLock({
      profile: profile.id,
      maker,
      owner: owner.publicKey,
      site,
      random: randomFillSync,
    });
    await this.#issuer.bindLock(row.door, made.record);
    const options = { image: made.image, crypto: node, world: this.#world, random: randomFillSync };
    const door = new VirtualDoor(row, new VirtualLock(options), url);
    this.doors.set(row.door, door);
    if (row.link === "wifi") {
      await this.#commission(door);
      await door.connect();
    }
    return door;
  }

  /** The installer at the door: a lock without an owner has no site, and no name at a broker. */
  async #commission(door: VirtualDoor): Promise<void> {
    const link = new MemoryLink((message) => door.virtual.receive(message));
    const carried = await commission(this.#issuer, door.id, link);
    await link.close();
    if (carried.outcome !== "done") throw new Error(`door ${door.row.door}: ${carried.reason}`);
  }

  /** The door of this name; for what is about no door, the first one, whose wall has the building's clock. */
  near(name: string): VirtualDoor {
    const [first] = this.doors.values();
    return this.doors.get(name) ?? first;
  }

  /** Delivers what waits for a Wi-Fi door over MQTT, once. */
  async deliver(door: VirtualDoor, onReceipt: OnReceipt): Promise<Carried> {
    const link = this.#courier.link(door.virtual.id, door.offAir ? SILENCE_MS : ANSWER_MS);
    const carried = await deliver(this.#delivery(door, onReceipt), link);
    await link.close();
    return carried;
  }

  /**
   * A courier's visit: a bag filled at the office, carried as bytes to the door, emptied into the lock, and handed back with the
   * receipts. Only the answer to the lock's nonce comes over the courier's own phone.
   */
  async visit(door: VirtualDoor, onReceipt: OnReceipt): Promise<Carried> {
    const delivery = this.#delivery(door, onReceipt);
    const taken = reopen(packBag(await fillBag(delivery)));
    const time = async (nonce: Uint8Array) => this.#issuer.outbox.timeAnswer(door.id, nonce, this.#now());
    door.virtual.reconnect();
    const link = new MemoryLink((message) => door.virtual.receive(message));
    const carried = await carry(link, bagMailbox(taken, time));
    await link.close();
    await emptyBag(delivery, reopen(packBag(taken)));
    return carried;
  }

  #now(): number {
    return Math.floor(this.#world.now());
  }

  #delivery(door: VirtualDoor, onReceipt: OnReceipt) {
    return {
      issuer: this.#issuer,
      lock: door.id,
      now: () => this.#now(),
      firstRequest: randomInt(1, MAX_REQUEST_ID),
      onReceipt: (received: Received) => onReceipt(door, received),
    };
  }

  /** Takes every lock off its link. */
  async close(): Promise<void> {
    for (const door of this.doors.values()) door.disconnect();
  }
}

/** A bag's bytes, opened by someone who has only the bytes. */
function reopen(bytes: Uint8Array): Bag {
  const bag = unpackBag(bytes.slice());
  if (bag === undefined) throw new Error("bag: bytes that were packed do not unpack");
  return bag;
}
