// The air between Bluetooth centrals and peripherals, on virtual time or real. A connection moves packets at its connection events and at no other
// moment, so many each way an event; what waits for one stands in a controller's buffers, and those are few. All time over the air is
// connection events counted. Only the attribute protocol's packets are modelled, as objects with the length that they have on the air.

import type { GattOptions } from "../../firmware/ports";
import { putU16 } from "../../protocol/wire/bytes";
import type { Time } from "../fleet/real-time";

/** A packet of the attribute protocol (Core Specification 5.4, Vol 3, Part F, 3.4). */
export interface Packet {
  readonly op:
    | "mtu"
    | "mtu-answer"
    | "find"
    | "found"
    | "read"
    | "value"
    | "write"
    | "written"
    | "command"
    | "subscribe"
    | "notify"
    | "error";
  /** Which service or characteristic; "" where an answer needs none. */
  readonly uuid: string;
  readonly value: Uint8Array<ArrayBuffer>;
}

/** A number in a packet. */
export function packU16(number: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(2);
  putU16(bytes, 0, number);
  return bytes;
}

/** The end of a connection. */
export interface End {
  /** A packet came. */
  receive(packet: Packet): void;
  /** A buffer is free again after {@link Line.offer} had refused. */
  hasRoom?(): void;
  /** The connection is gone; the other end is told in the same moment. */
  lost(): void;
}

/** Which way a packet goes. */
export type Way = "toPeripheral" | "toCentral";

/** What a connection is like. */
export interface LineOptions {
  /** Seconds between connection events, 0.0075 to 4. */
  readonly intervalS: number;
  /** Link-layer packets each way in one connection event. */
  readonly packetsPerEvent: number;
  /** Link-layer packets for which a controller has buffers, each way. */
  readonly buffers: number;
  /** Called before the nth packet of the connection, from 1 on, either way: true loses it, and the connection with it. */
  readonly isCut?: (n: number, way: Way) => boolean;
}

export const USUAL_LINE: LineOptions = { intervalS: 0.03, packetsPerEvent: 4, buffers: 8 };

/** L2CAP's header, and what a link-layer packet with data length extension carries (Vol 6, Part B, 2.4). */
const L2CAP_BYTES = 4;
const LINK_PAYLOAD_BYTES = 251;
/** Preamble, access address, header and CRC of a link-layer packet on LE 1M. */
const LINK_OVERHEAD_BYTES = 1 + 4 + 2 + 3;
/** What stands before the value of a packet. */
const HEADER_BYTES: Readonly<Record<Packet["op"], number>> = {
  mtu: 3,
  "mtu-answer": 3,
  find: 7,
  found: 6,
  read: 3,
  value: 1,
  write: 3,
  written: 1,
  command: 3,
  subscribe: 3,
  notify: 3,
  error: 5,
};
const WAYS: readonly Way[] = ["toPeripheral", "toCentral"];

const lengthOf = ({ op, value }: Packet): number => L2CAP_BYTES + HEADER_BYTES[op] + value.length;
const piecesOf = (packet: Packet): number => Math.ceil(lengthOf(packet) / LINK_PAYLOAD_BYTES);

/** One connection. */
export class Line {
  /** Bytes on the air, both ways, that carried packets. */
  bytes = 0;
  /** Packets that were on the air, both ways. */
  packets = 0;
  readonly #time: Time;
  readonly #options: LineOptions;
  readonly #ends: Partial<Record<Way, End>> = {};
  readonly #queues: Record<Way, Packet[]> = { toPeripheral: [], toCentral: [] };
  readonly #refused: Record<Way, boolean> = { toPeripheral: false, toCentral: false };
  readonly #anchor: number;
  #isDue = false;
  #isDown = false;

  constructor(time: Time, options: LineOptions) {
    this.#time = time;
    this.#options = options;
    this.#anchor = time.now;
  }

  get isDown(): boolean {
    return this.#isDown;
  }

  /** Names the end at which packets of this way arrive. */
  attach(way: Way, end: End): void {
    this.#ends[way] = end;
  }

  /** Hands a packet to the controller; false where it has no buffer left. */
  offer(way: Way, packet: Packet): boolean {
    const used = this.#queues[way].reduce((sum, waiting) => sum + piecesOf(waiting), 0);
    // A packet that is longer than all buffers goes alone.
    if (used > 0 && used + piecesOf(packet) > this.#options.buffers) {
      this.#refused[way] = true;
      return false;
    }
    this.push(way, packet);
    return true;
  }

  /** Hands a packet over for which a stack keeps a buffer of its own: a request, of which there is one at a time, or its answer. */
  push(way: Way, packet: Packet): void {
    if (this.#isDown) return;
    this.#queues[way].push({ ...packet, value: packet.value.slice() });
    this.#schedule();
  }

  /** Ends the connection for both ends. */
  drop(): void {
    if (this.#isDown) return;
    this.#isDown = true;
    for (const way of WAYS) this.#ends[way]?.lost();
  }

  #schedule(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const { intervalS } = this.#options;
    // Rounding must not make an event of the one that has just been.
    const passed = Math.floor((this.#time.now - this.#anchor) / intervalS + 1e-3);
    this.#time.after(this.#anchor + (passed + 1) * intervalS - this.#time.now, () => this.#event());
  }

  /** A connection event: what was queued before it begins moves, and no more than there is room for. */
  #event(): void {
    this.#isDue = false;
    const moving = WAYS.map((way) => this.#taken(way));
    WAYS.forEach((way, n) => {
      for (const packet of moving[n]) this.#move(way, packet);
    });
    for (const way of WAYS) this.#tellRoom(way);
    if (!this.#isDown && WAYS.some((way) => this.#queues[way].length > 0)) this.#schedule();
  }

  #taken(way: Way): Packet[] {
    const queue = this.#queues[way];
    let pieces = 0;
    let count = 0;
    while (count < queue.length) {
      pieces += piecesOf(queue[count]);
      // The first one goes, however long it is: its pieces take more than one event's room only where that is very small.
      if (count > 0 && pieces > this.#options.packetsPerEvent) break;
      count++;
    }
    return queue.splice(0, count);
  }

  #move(way: Way, packet: Packet): void {
    if (this.#isDown) return;
    this.packets++;
    this.bytes += lengthOf(packet) + piecesOf(packet) * LINK_OVERHEAD_BYTES;
    if (this.#options.isCut?.(this.packets, way) === true) this.drop();
    else this.#ends[way]?.receive(packet);
  }

  #tellRoom(way: Way): void {
    if (this.#isDown || !this.#refused[way]) return;
    this.#refused[way] = false;
    // Whoever sends this way stands at the other end.
    this.#ends[way === "toCentral" ? "toPeripheral" : "toCentral"]?.hasRoom?.();
  }
}

/** What a peripheral shows. */
export interface Shown {
  /** UUIDs of services, with hyphens. */
  readonly services: readonly string[];
  /** By UUID. */
  readonly serviceData: ReadonlyMap<string, Uint8Array>;
}

/** What can be connected to. */
export interface Peripheral {
  /** A stable name of the radio, for tests and logs; an address would rotate. */
  readonly name: string;
  /** What it advertises now; undefined while it does not. */
  readonly shown: Shown | undefined;
  /** What a central finds that looks for everything. */
  readonly services: GattOptions["services"];
  /** Takes a connection: its own end of it. */
  accept(line: Line): End;
}

/** All radios that hear each other. */
export class Air {
  readonly time: Time;
  readonly #peripherals = new Set<Peripheral>();

  constructor(time: Time) {
    this.time = time;
  }

  add(peripheral: Peripheral): void {
    this.#peripherals.add(peripheral);
  }

  remove(peripheral: Peripheral): void {
    this.#peripherals.delete(peripheral);
  }

  /** All that advertise now. */
  get advertising(): readonly Peripheral[] {
    return [...this.#peripherals].filter(({ shown }) => shown !== undefined);
  }

  /** Connects a central to a peripheral that advertises; undefined where it does not. */
  connect(peripheral: Peripheral, central: End, options: LineOptions = USUAL_LINE): Line | undefined {
    if (!this.#peripherals.has(peripheral) || peripheral.shown === undefined) return undefined;
    const line = new Line(this.time, options);
    line.attach("toCentral", central);
    line.attach("toPeripheral", peripheral.accept(line));
    return line;
  }
}
