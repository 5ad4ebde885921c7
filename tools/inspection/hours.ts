// How a lock's business hours stand (rule T16), as plain values. A lock that boots does not know the time, so what it keeps is judged
// by its own rules for the last moment that it knew.

import { BusinessHours } from "../../firmware/core/business-hours";
import { localTime } from "../../firmware/core/calendar";
import type { Parts } from "../../firmware/core/parts";
import { State } from "../../firmware/core/storage/places";
import { getU16, getU32 } from "../../protocol/wire/bytes";
import { Trust } from "../../protocol/wire/receipt";
import { isoText } from "../ui/time";

/** How the hours stood. Times are ISO 8601 in UTC. */
export interface HoursView {
  /** One word of the core: "closed", "waiting", "open", "relocked", "held", "unknown-time". */
  readonly standing: string;
  /** The moment at which it was so: the last that the lock knew; null if it never knew one. */
  readonly asOf: string | null;
  /** When somebody was first in, or relocked the door, while that counts. */
  readonly firstIn: string | null;
  readonly relocked: string | null;
  readonly heldUntil: string | null;
}

// The state of business hours: mark (1), its moment (4) and width (2), hold asked for at (4), until (4).
const STARTED = 1;
const RELOCKED = 2;
const MARK_AT = 1;
const MARK_WIDTH = 5;
const HELD_FROM = 7;
const HELD_UNTIL = 11;

/** The last moment that a lock knew, in UTC seconds, 0 for none. */
export function lastKnown({ events, clock }: Parts): number {
  return Math.max(events.latest, clock.floor);
}

/** How the hours stood, null for a door without any. */
export function hoursOf(parts: Parts): HoursView | null {
  const { table, policy } = parts;
  const { hours: rules, zone, holidays, isZoneLost } = policy;
  if (rules === undefined || rules.schedule === 0) return null;
  const hours = new BusinessHours();
  hours.configure(rules);
  hours.restore(table.state(State.hours));
  const now = Math.max(lastKnown(parts), markOf(hours.state()), getU32(hours.state(), HELD_FROM));
  if (now > 0)
    hours.advance({
      clock: { trust: Trust.set, now, bound: 0 },
      zone,
      windows: table.windows,
      windowCount: table.loadSchedule(rules.schedule) ? table.windowCount : 0,
      closed: isZoneLost || holidays.close(localTime(zone, now).day),
    });
  const state = hours.state();
  const time = (isThere: boolean, seconds: number): string | null => (isThere ? isoText(seconds) : null);
  return {
    standing: hours.standing,
    asOf: time(now > 0, now),
    firstIn: time(state[0] === STARTED, markOf(state)),
    relocked: time(state[0] === RELOCKED, markOf(state)),
    heldUntil: time(getU32(state, HELD_UNTIL) > 0, getU32(state, HELD_UNTIL)),
  };
}

/** What the clock showed at the mark: the middle of what it can have been. */
function markOf(state: Uint8Array): number {
  return getU32(state, MARK_AT) + getU16(state, MARK_WIDTH) / 2;
}
