// Locks over Bluetooth (rules S7, S10): finds a lock by its rotating id among those in range, and connects. A radio is this machine's, or a
// simulated one; both give devices of the Web Bluetooth API.

import { openBle } from "../../protocol/courier/ble";
import type { Link } from "../../protocol/courier/link";
import { endOf, Round } from "../../protocol/courier/round";
import type { WebDevice } from "../../protocol/courier/web-bluetooth";
import { type Advert, isIdOf, readAdvert } from "../../protocol/wire/advert";
import { equal } from "../../protocol/wire/bytes";
import { node } from "../../simulator/board/crypto";
import type { Reach, Sighting, Wanted } from "./reach";

/** A device with the service of a lock, as a scan gives it. */
export interface Found {
  readonly device: WebDevice;
  /** Signal in dBm; undefined where the machine does not say. */
  readonly rssi: number | undefined;
  /** The service data of an advertisement; undefined where there was none in it. */
  readonly serviceData: Uint8Array | undefined;
}

/** What finds devices. */
export interface Radio {
  /** Scans for so many seconds, or until `signal`; tells every advertisement that it hears. */
  scan(seconds: number, onFound: (found: Found) => void, signal?: AbortSignal): Promise<void>;
  /** Does a job after so many seconds of the radio's time; what is returned calls it off. */
  after(seconds: number, job: () => void): () => void;
  /** UTC seconds. */
  now(): number;
  /** Lets the radio's time pass until work is done. */
  run<T>(work: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** How long a lock is looked for before it counts as out of range: it advertises several times a second. */
const SEARCH_S = 10;
/** How long strangers are collected where only asking tells who they are. */
const COLLECT_S = 3;

/** Whether an advertisement may be that of a lock: by its link key, or, while it has no owner, by its lock id. */
export function isAdvertOf({ id }: Advert, { lock, linkKey }: Wanted): boolean {
  return equal(id, lock.subarray(0, id.length)) || (linkKey !== undefined && isIdOf(node, linkKey, id));
}

export class RadioReach implements Reach {
  readonly outlives = false;
  readonly #radio: Radio;
  /** What was heard last, by device. */
  readonly #heard = new Map<string, { readonly device: WebDevice; readonly sighting: Sighting }>();

  constructor(radio: Radio) {
    this.#radio = radio;
  }

  now(): number {
    return this.#radio.now();
  }

  sleep(seconds: number): Promise<void> {
    return this.#radio.run(new Promise((resolve) => void this.#radio.after(seconds, resolve)));
  }

  close(): Promise<void> {
    return this.#radio.close();
  }

  look(seconds: number, onSeen: (sighting: Sighting) => void, signal?: AbortSignal): Promise<void> {
    const onFound = ({ device, rssi, serviceData }: Found): void => {
      const advert = serviceData === undefined ? undefined : readAdvert(serviceData);
      if (advert === undefined) return;
      const sighting = { radio: device.id, rssi, advert };
      this.#heard.set(device.id, { device, sighting });
      onSeen(sighting);
    };
    return this.#radio.run(this.#radio.scan(seconds, onFound, signal));
  }

  async open(wanted: Wanted, fruitless = 0): Promise<Link | undefined> {
    // An id may have changed, and a device may be another one by now.
    if (fruitless > 0) this.#heard.clear();
    const device = this.#deviceOf(wanted) ?? (await this.#search(wanted));
    if (device !== undefined) return this.#connect(device, fruitless > 0);
    return wanted.linkKey === undefined ? this.#ask(wanted) : undefined;
  }

  #deviceOf(wanted: Wanted): WebDevice | undefined {
    for (const { device, sighting } of this.#heard.values())
      if (isAdvertOf(sighting.advert, wanted)) return device;
    return undefined;
  }

  async #search(wanted: Wanted): Promise<WebDevice | undefined> {
    const stop = new AbortController();
    const seconds = wanted.linkKey === undefined ? COLLECT_S : SEARCH_S;
    const onSeen = ({ advert }: Sighting): void => {
      if (isAdvertOf(advert, wanted)) stop.abort();
    };
    await this.look(seconds, onSeen, stop.signal);
    return this.#deviceOf(wanted);
  }

  async #connect(device: WebDevice, withResponse: boolean): Promise<Link | undefined> {
    const after = (seconds: number, job: () => void) => this.#radio.after(seconds, job);
    const link = await this.#radio.run(openBle(device, { after, withResponse }));
    if (link === undefined) return undefined;
    return {
      request: (message) => this.#radio.run(link.request(message)),
      pause: (seconds) => this.#radio.run(link.pause(seconds)),
      close: () => this.#radio.run(link.close()),
    };
  }

  /** Asks the locks in range who they are, the nearest first. */
  async #ask({ lock }: Wanted): Promise<Link | undefined> {
    const level = (rssi: number | undefined) => rssi ?? Number.NEGATIVE_INFINITY;
    const near = [...this.#heard.values()].sort((a, b) => level(b.sighting.rssi) - level(a.sighting.rssi));
    for (const { device } of near) {
      const link = await this.#connect(device, false);
      if (link === undefined) continue;
      const status = await new Round(link, 1).hello().catch((thrown) => void endOf(thrown));
      if (status !== undefined && equal(status.shortId, lock.subarray(0, status.shortId.length))) return link;
      await link.close();
    }
    return undefined;
  }
}
