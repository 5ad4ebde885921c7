// The locks in range, as they come and go (rule S10): named by the link keys of a work list, sorted by what they need and then by their
// signal, which is smoothed.

import type { Advert } from "../../protocol/wire/advert";
import { toHex } from "../../protocol/wire/bytes";
import { StatusFlag } from "../../protocol/wire/messages";
import { isAdvertOf } from "../links/radio";
import type { Reach, Sighting } from "../links/reach";
import type { WorkDoor, WorkList } from "../worklist/work-list";
import type { SeenEvent, Tell } from "./events";
import { byNeed, type Need, needOf, needText } from "./need";
import { type Standing, standingOf } from "./standing";

/** A lock in range. */
export interface Seen {
  readonly radio: string;
  readonly advert: Advert;
  readonly door: WorkDoor | undefined;
  /** Undefined for a lock that is not in the list. */
  readonly need: Need | undefined;
  /** Smoothed, in dBm; undefined where the machine does not say. */
  readonly signal: number | undefined;
  /** Seconds, by the clock of the way. */
  readonly heardAt: number;
}

/** How much a new reading of the signal counts. */
const SMOOTHING = 0.3;
/** Who is not heard for so long has gone; a lock advertises several times a second. */
const GONE_S = 10;

/** All that is seen in a scan. */
export class Sightings {
  readonly #list: WorkList;
  readonly #seen = new Map<string, Seen>();
  /** Nothing comes home while somebody only looks; receipts are verified once. */
  readonly #standings = new Map<WorkDoor, Standing>();

  constructor(list: WorkList) {
    this.#list = list;
  }

  /** Takes an advertisement; what is known of its lock now. */
  take({ radio, rssi, advert }: Sighting, now: number): Seen {
    const before = this.#seen.get(radio);
    const isSame = before !== undefined && toHex(before.advert.id) === toHex(advert.id);
    const door = isSame ? before.door : this.#list.doors.find((each) => isAdvertOf(advert, each));
    const need = door && needOf(door, this.#standing(door), advert);
    const last = before?.signal;
    const signal =
      rssi === undefined || last === undefined ? (rssi ?? last) : last + SMOOTHING * (rssi - last);
    // Where an id is new, the lock may have come back under another name of its radio.
    if (door !== undefined && !isSame)
      for (const other of this.#seen.values()) if (other.door === door) this.#seen.delete(other.radio);
    const seen = { radio, advert, door, need, signal, heardAt: now };
    this.#seen.set(radio, seen);
    return seen;
  }

  #standing(door: WorkDoor): Standing {
    const standing = this.#standings.get(door) ?? standingOf(this.#list, door);
    this.#standings.set(door, standing);
    return standing;
  }

  /** Forgets who was not heard for a while; who that is. */
  forget(now: number): Seen[] {
    const gone = [...this.#seen.values()].filter(({ heardAt }) => now - heardAt > GONE_S);
    for (const { radio } of gone) this.#seen.delete(radio);
    return gone;
  }

  /** The locks in range: most in need first, and of these the nearest. */
  sorted(): Seen[] {
    const level = ({ signal }: Seen): number => signal ?? Number.NEGATIVE_INFINITY;
    const both = (a: Seen, b: Seen): number => byNeed(a.need, b.need) || Math.sign(level(b) - level(a)) || 0;
    return [...this.#seen.values()].sort(both);
  }
}

/** What is told of a lock that was seen. */
export function seenEvent({ radio, advert, door, need, signal }: Seen): SeenEvent {
  const has = (flag: number): boolean => (advert.flags & flag) !== 0;
  const isUnowned = has(StatusFlag.unclaimed);
  return {
    event: "seen",
    radio,
    is: door !== undefined ? "door" : isUnowned ? "unowned" : "unknown",
    door: door?.door ?? null,
    lock: door !== undefined ? toHex(door.lock) : isUnowned ? toHex(advert.id) : null,
    waiting: need?.waiting ?? null,
    unanswered: need?.unanswered ?? null,
    events: need === undefined ? null : need.events,
    clockUnknown: has(StatusFlag.clockUnknown),
    lowBattery: has(StatusFlag.lowBattery),
    storageFault: has(StatusFlag.storageFault),
    needs: need === undefined ? null : needText(need),
    signal: signal === undefined ? null : Math.round(signal),
  };
}

/** How a scan is done. */
export interface Scanning {
  readonly list: WorkList;
  readonly reach: Reach;
  readonly seconds: number;
  readonly signal?: AbortSignal;
  readonly tell: Tell;
  /** Called with all that is in range after each advertisement. */
  onChange?(seen: readonly Seen[]): void;
}

/** Looks around, and tells who comes, shows something new, or goes. Gives who is there in the end; undefined where nobody can be seen. */
export async function scan(scanning: Scanning): Promise<readonly Seen[] | undefined> {
  const { list, reach, seconds, signal, tell, onChange } = scanning;
  if (reach.look === undefined) return undefined;
  const sightings = new Sightings(list);
  const told = new Map<string, string>();
  const onSeen = (sighting: Sighting): void => {
    const now = reach.now();
    const seen = sightings.take(sighting, now);
    const event = seenEvent(seen);
    // A signal is never the same twice; it alone is no news.
    const news = JSON.stringify({ ...event, signal: null });
    if (told.get(seen.radio) !== news) tell(event);
    told.set(seen.radio, news);
    for (const { radio, door } of sightings.forget(now)) {
      told.delete(radio);
      tell({ event: "gone", radio, door: door?.door ?? null });
    }
    onChange?.(sightings.sorted());
  };
  await reach.look(seconds, onSeen, signal);
  return sightings.sorted();
}
