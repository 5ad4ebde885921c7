// Virtual locks on flash images, over the virtual air: the whole Bluetooth path without a radio. Time passes only while somebody waits for
// something, as fast as it can, or at the pace of the world for who wants to watch. The images are written back when it is closed.

import { randomFillSync } from "node:crypto";
import { setTimeout as realSleep } from "node:timers/promises";
import { Gatt } from "../../protocol/wire/advert";
import { toHex } from "../../protocol/wire/bytes";
import { node } from "../../simulator/board/crypto";
import { packImage } from "../../simulator/board/image";
import { VirtualLock } from "../../simulator/fleet/virtual-lock";
import { VirtualTime } from "../../simulator/fleet/virtual-time";
import { Air } from "../../simulator/net/air";
import { devicesIn } from "../../simulator/net/web-bluetooth";
import { writeAll } from "../files";
import { readImage } from "../image";
import { Failure } from "../ui/failure";
import type { Found, Radio } from "./radio";

/** What the air is like, and what goes wrong in it. */
export interface SimOptions {
  /** Files with flash images, one for each lock. */
  readonly images: readonly string[];
  /** The MTU that the courier's radio asks for. */
  readonly mtu?: number;
  /** Between connection events. */
  readonly intervalMs?: number;
  /** The packet at which the first connection breaks, from 1 on. */
  readonly cut?: number;
  /** Whether time passes as it does for people. */
  readonly pace?: boolean;
}

/** How often a virtual radio is heard. */
const HEARD_S = 1;
/** The nearest lock, and how much less the next one has. */
const NEAREST_DBM = -45;
const STEP_DBM = 9;
const WOBBLE_DB = 3;

interface SimLock {
  readonly path: string;
  readonly virtual: VirtualLock;
}

export class SimRadio implements Radio {
  readonly #time = new VirtualTime();
  readonly #air = new Air(this.#time);
  readonly #began = Date.now() / 1000;
  readonly #locks: readonly SimLock[];
  readonly #options: SimOptions;
  #connections = 0;

  /** Switches the locks on. Throws a {@link Failure} for a file that is no image, and for two of one lock. */
  constructor(options: SimOptions) {
    this.#options = options;
    const random = (buffer: Uint8Array): void => void randomFillSync(buffer);
    const images = options.images.map((path) => ({ path, image: readImage(path) }));
    const ids = images.map(({ image }) => toHex(image.identity.lock));
    const twice = ids.findIndex((id, i) => ids.indexOf(id) !== i);
    if (twice >= 0)
      throw new Failure(`${images[twice].path}: lock ${ids[twice]} is there twice`, "name each lock once");
    const world = { now: () => this.now() };
    this.#locks = images.map(({ path, image }) => ({
      path,
      virtual: new VirtualLock({ image, crypto: node, world, random, air: this.#air }),
    }));
    this.#tick();
  }

  /** A board calls its lock once a second. */
  #tick(): void {
    for (const { virtual } of this.#locks) virtual.tick();
    this.#time.after(1, () => this.#tick());
  }

  now(): number {
    return this.#began + this.#time.now;
  }

  after(seconds: number, job: () => void): () => void {
    return this.#time.after(seconds, job);
  }

  run<T>(work: Promise<T>): Promise<T> {
    const pass = (seconds: number): Promise<void> => realSleep(1000 * seconds);
    return this.#time.run(work, this.#options.pace === true ? pass : undefined);
  }

  async scan(seconds: number, onFound: (found: Found) => void, signal?: AbortSignal): Promise<void> {
    const end = this.#time.now + seconds;
    // A lock's radio is up a moment after its power.
    await this.#time.sleep(Math.min(HEARD_S, seconds));
    for (;;) {
      this.#hear(onFound);
      if (this.#time.now + HEARD_S > end || signal?.aborted === true) return;
      await this.#time.sleep(HEARD_S);
    }
  }

  #hear(onFound: (found: Found) => void): void {
    const { mtu, intervalMs, cut } = this.#options;
    const isCut = (n: number): boolean => this.#connections === 1 && n === cut;
    const line = { isCut, ...(intervalMs === undefined ? {} : { intervalS: intervalMs / 1000 }) };
    const onLine = (): void => void this.#connections++;
    const ids = this.#locks.map(({ virtual }) => toHex(virtual.id));
    for (const device of devicesIn(this.#air, { mtu, line, onLine })) {
      const place = ids.indexOf(device.id);
      const wobble = WOBBLE_DB * Math.sin(2 * this.#time.now + place);
      const rssi = Math.round(NEAREST_DBM - STEP_DBM * place + wobble);
      onFound({ device, rssi, serviceData: device.serviceData.get(Gatt.service) });
    }
  }

  async close(): Promise<void> {
    writeAll(
      this.#locks.map(({ path, virtual }) => ({
        path,
        content: packImage(virtual.board.image()),
        replace: true,
      })),
    );
  }
}
