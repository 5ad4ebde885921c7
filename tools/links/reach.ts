// Ways to locks: what can be seen from here, and a connection to one of them. What a way is like, a radio, a broker, a folder, stays
// behind it; who uses one knows only this.

import type { Link } from "../../protocol/courier/link";
import type { Advert } from "../../protocol/wire/advert";

/** A lock that somebody wants to talk to. */
export interface Wanted {
  /** 8 bytes. */
  readonly lock: Uint8Array;
  /** What its rotating id is known by; without it, locks in range are asked one after the other who they are. */
  readonly linkKey?: Uint8Array;
}

/** An advertisement that was heard. */
export interface Sighting {
  /** Which radio it was, as this machine names it; nothing of the lock's. */
  readonly radio: string;
  /** Signal in dBm; undefined where the machine does not say. */
  readonly rssi: number | undefined;
  readonly advert: Advert;
}

/** A way to locks. One thing at a time. */
export interface Reach {
  /** Listens for so many seconds, or until `signal`; left out where locks do not show themselves. */
  look?(seconds: number, onSeen: (sighting: Sighting) => void, signal?: AbortSignal): Promise<void>;
  /** Connects; undefined where the lock is not to be had. `fruitless` says how many tries before it, in a row, brought nothing. */
  open(wanted: Wanted, fruitless?: number): Promise<Link | undefined>;
  /** Waits, by the clock of the way. */
  sleep(seconds: number): Promise<void>;
  /** UTC seconds, by the clock of the way. */
  now(): number;
  /** Whether a lock's session outlives the courier's, so that request ids must begin anywhere. */
  readonly outlives: boolean;
  close(): Promise<void>;
}
