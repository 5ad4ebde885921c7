// Weekly windows (rules T1 to T3, T9, T12): when a shared schedule is open, and when that changes. Windows are wall-clock time, so
// one that lies in an hour the clock leaps over does not happen that day, and one in an hour that comes twice happens twice.
// Pure; it knows the time only as an argument. It trusts packed windows: whoever stores one has packed or unpacked it before.

import { floorMod } from "../../protocol/wire/civil";
import { MAX_WINDOWS } from "../../protocol/wire/limits";
import type { LocalTime, Zone } from "./calendar";
import { localTime, nextTransition } from "./calendar";

const DAY_MINUTES = 1440;
const WEEK_MINUTES = 7 * DAY_MINUTES;
const MINUTE_S = 60;
const EVERY_DAY = 0x7f;
/**
 * How far ahead a change is looked for. Eight days show every change, but for a window that the clock leaps over: it opens a week
 * later. The third week is reserve.
 */
const HORIZON_S = 22 * 86_400;

/** One window of each day in its mask: half-open, and of the day it starts on, across midnight and the end of the week. */
export interface Window {
  /** Bit 0 Sunday to bit 6 Saturday, at least one. */
  days: number;
  /** Minute of the day at which it opens, 0 to 1439. */
  start: number;
  /** Minutes that it stays open, 1 to 1440. */
  duration: number;
}

/** The window as an unsigned 32-bit number, `days << 22 | start << 11 | duration - 1`; undefined if a part is out of range. */
export function packWindow(days: number, start: number, duration: number): number | undefined {
  const fits =
    isWithin(days, 1, EVERY_DAY) && isWithin(start, 0, DAY_MINUTES - 1) && isWithin(duration, 1, DAY_MINUTES);
  return fits ? (days << 22) | (start << 11) | (duration - 1) : undefined;
}

/** The window of a packed number; undefined if a part is out of range or a spare bit set. */
export function unpackWindow(packed: number): Window | undefined {
  const days = daysOf(packed);
  const start = startOf(packed);
  const duration = durationOf(packed);
  return packWindow(days, start, duration) === packed ? { days, start, duration } : undefined;
}

/**
 * The packed window of a week day schedule of a Matter Door Lock cluster (rule T3): hours and minutes of the same day, the end
 * later than the start, 23:59 standing for midnight. Undefined if a part is out of range.
 */
export function packMatterWindow(
  days: number,
  startHour: number,
  startMinute: number,
  endHour: number,
  endMinute: number,
): number | undefined {
  const fits =
    isWithin(startHour, 0, 23) &&
    isWithin(startMinute, 0, 59) &&
    isWithin(endHour, 0, 23) &&
    isWithin(endMinute, 0, 59);
  if (!fits) return undefined;
  const start = startHour * 60 + startMinute;
  const end = endHour * 60 + endMinute;
  return end > start
    ? packWindow(days, start, (end === DAY_MINUTES - 1 ? DAY_MINUTES : end) - start)
    : undefined;
}

function isWithin(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}

const daysOf = (packed: number): number => (packed >>> 22) & EVERY_DAY;
const startOf = (packed: number): number => (packed >>> 11) & 0x7ff;
const durationOf = (packed: number): number => (packed & 0x7ff) + 1;

/** The days after the days in the mask. */
const dayAfter = (days: number): number => ((days << 1) | (days >>> 6)) & EVERY_DAY;

/** Whether b, on the days `b`, overlaps a, on the days `a`, where b's day begins `shift` minutes after a's. */
function meet(a: number, aDays: number, b: number, bDays: number, shift: number): boolean {
  if ((aDays & bDays) === 0) return false;
  const gap = startOf(b) + shift - startOf(a);
  return gap < durationOf(a) && 0 - gap < durationOf(b);
}

/**
 * Whether any two of the first `count` windows cover the same minute of the week; touching is no overlap (rule T2). A window
 * lasts a day at most, so it never overlaps itself, and no window of two days away.
 */
export function windowsOverlap(windows: Uint32Array, count: number): boolean {
  for (let i = 0; i < count; i++) {
    const a = windows[i];
    const days = daysOf(a);
    for (let j = 0; j < i; j++) {
      const b = windows[j];
      if (meet(a, days, b, daysOf(b), 0)) return true;
      if (meet(a, dayAfter(days), b, daysOf(b), DAY_MINUTES)) return true;
      if (meet(a, days, b, dayAfter(daysOf(b)), -DAY_MINUTES)) return true;
    }
  }
  return false;
}

/** Whether a schedule can be stored: 1 to {@link MAX_WINDOWS} windows, each well formed; overlap is another question. */
export function areWindows(windows: Uint32Array, count: number): boolean {
  if (!isWithin(count, 1, Math.min(MAX_WINDOWS, windows.length))) return false;
  for (let i = 0; i < count; i++) if (unpackWindow(windows[i]) === undefined) return false;
  return true;
}

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
