// Weekly windows (rules T1 to T3, T9, T12): when a shared schedule is open, and when that changes. Windows are wall-clock time, so
// one that lies in an hour the clock leaps over does not happen that day, and one in an hour that comes twice happens twice.
// Pure; it knows the time only as an argument. It trusts packed windows: whoever stores one has packed or unpacked it before.

import { floorMod } from "../../protocol/wire/civil";
import { DAY_MINUTES, dayAfter, daysOf, durationOf, startOf } from "../../protocol/wire/windows";
import type { LocalTime, Zone } from "./calendar";
import { localTime, nextTransition } from "./calendar";

const WEEK_MINUTES = 7 * DAY_MINUTES;
const MINUTE_S = 60;
/**
 * How far ahead a change is looked for. Eight days show every change, but for a window that the clock leaps over: it opens a week
 * later. The third week is reserve.
 */
const HORIZON_S = 22 * 86_400;

/**
 * Whether one of the first `count` windows covers a minute of the wall clock (rule T1): weekday 0 Sunday to 6, minute of the day 0
 * to 1439. No windows, never open.
 */
export function isOpen(windows: Uint32Array, count: number, weekday: number, minute: number): boolean {
  for (let i = 0; i < count; i++) {
    const window = windows[i];
    const passed = minute - startOf(window);
    const days = daysOf(window);
    if (((days >>> weekday) & 1) !== 0 && passed >= 0 && passed < durationOf(window)) return true;
    if (((dayAfter(days) >>> weekday) & 1) !== 0 && passed + DAY_MINUTES < durationOf(window)) return true;
  }
  return false;
}

/** Minutes from a minute of the week to the next minute of the week in which a window begins or has ended, 1 to a week. */
function minutesToEdge(windows: Uint32Array, count: number, weekMinute: number): number {
  let nearest = WEEK_MINUTES;
  for (let i = 0; i < count; i++) {
    const days = daysOf(windows[i]);
    for (let weekday = 0; weekday < 7; weekday++) {
      if (((days >>> weekday) & 1) === 0) continue;
      const toStart = weekday * DAY_MINUTES + startOf(windows[i]) - weekMinute;
      nearest = Math.min(nearest, floorMod(toStart - 1, WEEK_MINUTES) + 1);
      nearest = Math.min(nearest, floorMod(toStart + durationOf(windows[i]) - 1, WEEK_MINUTES) + 1);
    }
  }
  return nearest;
}

/**
 * The first instant in (from, to] at which the schedule opens or closes, 0 if there is none. Between two changes of the offset the
 * wall clock runs evenly, so only edges of windows and changes of the offset need a look.
 */
function changeWithin(windows: Uint32Array, count: number, zone: Zone, from: number, to: number): number {
  const local = localTime(zone, from);
  const before = isOpen(windows, count, local.weekday, local.minute);
  let leap = nextTransition(zone, from);
  let instant = from;
  for (;;) {
    const weekMinute = local.weekday * DAY_MINUTES + local.minute;
    instant += minutesToEdge(windows, count, weekMinute) * MINUTE_S - local.second;
    if (leap !== 0 && leap <= instant) {
      instant = leap;
      leap = nextTransition(zone, instant);
    }
    if (!(instant <= to)) return 0; // in this form a time that is no number ends the search, too
    localTime(zone, instant, local);
    if (isOpen(windows, count, local.weekday, local.minute) !== before) return instant;
  }
}

/**
 * The first instant strictly after `utcSeconds` at which the schedule opens or closes by the wall clock of the zone, to the second;
 * 0 if nothing changes within 22 days, so for a schedule that is always open or never.
 */
export function nextChange(windows: Uint32Array, count: number, zone: Zone, utcSeconds: number): number {
  return changeWithin(windows, count, zone, utcSeconds, utcSeconds + HORIZON_S);
}

/**
 * Whether the schedule is open at every instant from `from` to `to`, both included: how a lock shrinks its windows by the error
 * bound of its clock (rule T12).
 */
export function openDuring(
  windows: Uint32Array,
  count: number,
  zone: Zone,
  from: number,
  to: number,
): boolean {
  const local: LocalTime = localTime(zone, from);
  return (
    isOpen(windows, count, local.weekday, local.minute) && changeWithin(windows, count, zone, from, to) === 0
  );
}
