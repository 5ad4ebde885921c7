// The days of a schedule in a zone, with every second that it is open (rules T1, T7, T9), as the lock's own functions tell them.

import type { LocalTime, Zone } from "../firmware/core/calendar";
import { dayStart, localTime, nextTransition, offsetAt } from "../firmware/core/calendar";
import { isOpen, nextChange } from "../firmware/core/schedule";
import { DAY_MINUTES } from "../protocol/wire/windows";

/** Dates in days since 1970-01-01, both included. */
export interface Dates {
  readonly first: number;
  readonly last: number;
}

/** Packed windows in a zone, and the dates on which they do not count. */
export interface Plan {
  readonly zone: Zone;
  readonly windows: Uint32Array;
  readonly holidays: readonly Dates[];
}

/** Open from one instant until another, in UTC seconds, the end excluded. */
export interface Opening {
  readonly from: number;
  readonly until: number;
}

/** The clock is set to another offset, in seconds east of UTC. */
export interface ClockChange {
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

/** A local date. Instants are UTC seconds, durations elapsed seconds: a day with a change of the clock has 23 or 25 hours. */
export interface Day {
  /** The date in days since 1970-01-01. */
  readonly day: number;
  readonly start: number;
  readonly end: number;
  readonly isHoliday: boolean;
  /** Those of this date; one across midnight ends here, and another begins on the next day. */
  readonly openings: readonly Opening[];
  /** Seconds open, of all openings. */
  readonly open: number;
  readonly changes: readonly ClockChange[];
}

/** A stretch of the wall clock: how many minutes of the day lie in it, and in how many the schedule is open. */
export interface Cell {
  readonly minutes: number;
  readonly open: number;
}

/** Every date from the first to the last. */
export function daysOf(plan: Plan, { first, last }: Dates): Day[] {
  return Array.from({ length: last - first + 1 }, (_, i) => dayOf(plan, first + i));
}

function dayOf({ zone, windows, holidays }: Plan, day: number): Day {
  const start = dayStart(zone, day);
  const end = dayStart(zone, day + 1);
  const isHoliday = holidays.some(({ first, last }) => day >= first && day <= last);
  const openings = isHoliday ? [] : openingsBetween(zone, windows, start, end);
  const open = openings.reduce((sum, { from, until }) => sum + until - from, 0);
  return { day, start, end, isHoliday, openings, open, changes: changesBetween(zone, start, end) };
}

function openingsBetween(zone: Zone, windows: Uint32Array, start: number, end: number): Opening[] {
  const openings: Opening[] = [];
  for (let from = start; from < end; ) {
    const change = nextChange(windows, windows.length, zone, from);
    const until = change === 0 ? end : Math.min(change, end);
    const { weekday, minute } = localTime(zone, from);
    if (isOpen(windows, windows.length, weekday, minute)) openings.push({ from, until });
    from = until;
  }
  return openings;
}

function changesBetween(zone: Zone, start: number, end: number): ClockChange[] {
  const changes: ClockChange[] = [];
  for (let at = nextTransition(zone, start - 1); at !== 0 && at < end; at = nextTransition(zone, at))
    changes.push({ at, before: offsetAt(zone, at - 1), after: offsetAt(zone, at) });
  return changes;
}

/**
 * A day by its wall clock, in cells of so many minutes. A cell that the clock leaps over has no minutes, and one that comes twice has
 * twice as many.
 */
export function cellsOf(
  { zone, windows }: Plan,
  { start, end, isHoliday }: Day,
  cellMinutes: number,
): Cell[] {
  const cells = Array.from({ length: DAY_MINUTES / cellMinutes }, () => ({ minutes: 0, open: 0 }));
  const local: LocalTime = localTime(zone, start);
  for (let t = start; t < end; t += 60) {
    const { weekday, minute } = localTime(zone, t, local);
    const cell = cells[Math.floor(minute / cellMinutes)];
    cell.minutes++;
    if (!isHoliday && isOpen(windows, windows.length, weekday, minute)) cell.open++;
  }
  return cells;
}

/** A weekday, 0 Sunday, on which the clock is not set, in cells of so many minutes. */
export function weekdayCells(windows: Uint32Array, weekday: number, cellMinutes: number): Cell[] {
  return Array.from({ length: DAY_MINUTES / cellMinutes }, (_, i) => {
    const minutes = Array.from({ length: cellMinutes }, (_minute, m) => i * cellMinutes + m);
    const open = minutes.filter((minute) => isOpen(windows, windows.length, weekday, minute)).length;
    return { minutes: cellMinutes, open };
  });
}
