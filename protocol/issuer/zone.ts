// From the name of an IANA zone to what a lock understands (rule T8): a POSIX TZ string where one reproduces the zone, and a table
// of explicit transitions where none does (Morocco, whose clock follows the moon). The offsets come from whoever calls; no clock and
// no time zone database of its own. What it returns reproduces the asked years to the second, or it returns nothing.

import { ascii, putU16, putU32 } from "../wire/bytes";
import { DAY_S, dateOfDay, dayOfYearStart, daysInMonth, floorDiv, weekdayOfDay } from "../wire/civil";

/** Seconds east of UTC in the named zone at an instant in UTC seconds. */
export type OffsetOf = (zoneName: string, utcSeconds: number) => number;

/** What a lock is told about its local time. */
export interface LockZone {
  /** A POSIX TZ string. */
  text: string;
  /** The binary table that overrides the string from the first of the asked years until the string is right. */
  transitions: Uint8Array | undefined;
}

/** A change of the clock, seen from outside. */
interface Change {
  /** UTC seconds. */
  at: number;
  before: number;
  after: number;
}

/** The course of a zone from the start of one year to the end of another, in UTC. */
interface Course {
  fromYear: number;
  toYear: number;
  /** The offset at the very start. */
  first: number;
  changes: Change[];
}

const QUARTER_S = 900;
const HOUR_S = 3600;
/** How often to look for a change: since 1970 no zone has changed its clock twice within 6.9 days. */
const PROBE_S = 5 * DAY_S;
/** Characters in a string: as many as a lock takes. */
const MAX_TEXT_BYTES = 48;
/** Intervals in a table: as many as a lock takes. */
const MAX_INTERVALS = 64;
/** Years in which rules must have held before they are believed to hold on. */
const MIN_RULE_YEARS = 3;
const LAST_WEEK = 5;

const yearStart = (year: number): number => dayOfYearStart(year) * DAY_S;

// ---- Probing -------------------------------------------------------------------------------------------------------------

/** The instant between `low` and `high` from which the offset is no longer `before`. */
function changeBetween(name: string, offsetOf: OffsetOf, low: number, high: number, before: number): number {
  while (high - low > 1) {
    const middle = low + floorDiv(high - low, 2);
    if (offsetOf(name, middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

/** The course of a zone, seen by a look every {@link PROBE_S}. */
function probe(name: string, offsetOf: OffsetOf, fromYear: number, toYear: number): Course {
  const end = yearStart(toYear + 1);
  const first = offsetOf(name, yearStart(fromYear));
  const changes: Change[] = [];
  let before = first;
  let t = yearStart(fromYear);
  while (t < end - 1) {
    const next = Math.min(t + PROBE_S, end - 1);
    if (offsetOf(name, next) === before) {
      t = next;
      continue;
    }
    t = changeBetween(name, offsetOf, t, next, before);
    const after = offsetOf(name, t);
    changes.push({ at: t, before, after });
    before = after;
  }
  return { fromYear, toYear, first, changes };
}

/** The part of a course in some of its years. */
function courseBetween(course: Course, fromYear: number, toYear: number): Course {
  const start = yearStart(fromYear);
  const end = yearStart(toYear + 1);
  const earlier = course.changes.filter((change) => change.at <= start);
  const first = earlier.length === 0 ? course.first : earlier[earlier.length - 1].after;
  return { fromYear, toYear, first, changes: course.changes.filter(({ at }) => at > start && at < end) };
}

// ---- Fitting -------------------------------------------------------------------------------------------------------------

/** `[-]h[:mm[:ss]]`. */
function timeText(seconds: number): string {
  const size = Math.abs(seconds);
  const parts = [floorDiv(size, HOUR_S), floorDiv(size, 60) % 60, size % 60];
  while (parts.length > 1 && parts[parts.length - 1] === 0) parts.pop();
  const [hours, ...rest] = parts;
  return (seconds < 0 ? "-" : "") + [String(hours), ...rest.map(twoDigits)].join(":");
}

const twoDigits = (value: number): string => String(value).padStart(2, "0");

/** A numeric name and the offset, such as `<+0545>-5:45`; POSIX counts west of UTC positive. */
function offsetText(offset: number, isNamedOnly = false): string {
  const size = Math.abs(offset);
  const minutes = floorDiv(size, 60) % 60;
  const name =
    (offset < 0 ? "-" : "+") + twoDigits(floorDiv(size, HOUR_S)) + (minutes === 0 ? "" : twoDigits(minutes));
  return isNamedOnly ? `<${name}>` : `<${name}>${timeText(0 - offset)}`;
}

/** The week of the month, 5 the last, that holds all these days in their months; undefined if none does. */
function commonWeek(days: readonly number[]): number | undefined {
  const dates = days.map(dateOfDay);
  if (dates.every((date) => date.dayOfMonth > daysInMonth(date.year, date.month) - 7)) return LAST_WEEK;
  const week = floorDiv(dates[0].dayOfMonth + 6, 7);
  return dates.every((date) => floorDiv(date.dayOfMonth + 6, 7) === week) ? week : undefined;
}

/**
 * The rule `Mm.w.d[/time]` that all changes follow when each is counted from the midnight `shift` days after its own, one in each
 * year from `fromYear` on; undefined if there is none.
 */
function fitShifted(changes: readonly Change[], fromYear: number, shift: number): string | undefined {
  const walls = changes.map((change) => change.at + change.before);
  const days = walls.map((wall) => floorDiv(wall, DAY_S) + shift);
  const time = walls[0] - days[0] * DAY_S;
  const { month } = dateOfDay(days[0]);
  const weekday = weekdayOfDay(days[0]);
  const isRegular = days.every((day, i) => {
    const date = dateOfDay(day);
    const isYearly = date.year === fromYear + i && date.month === month;
    return isYearly && weekdayOfDay(day) === weekday && walls[i] - day * DAY_S === time;
  });
  const week = isRegular ? commonWeek(days) : undefined;
  if (week === undefined) return undefined;
  return `,M${month}.${week}.${weekday}` + (time === 2 * HOUR_S ? "" : "/" + timeText(time));
}

/**
 * The rule of one change a year. A day such as "the Friday before the last Sunday" is no week of the month; it is written as a
 * Thursday and 26 hours, so days beside are tried, the nearest first. Times reach to 167 hours, so six days are enough.
 */
function fitRule(changes: readonly Change[], fromYear: number): string | undefined {
  for (const shift of [0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6]) {
    const rule = fitShifted(changes, fromYear, shift);
    if (rule !== undefined) return rule;
  }
  return undefined;
}

/**
 * The string that reproduces a course, undefined if there is none with yearly rules that a lock takes. Abbreviations are numbers,
 * such as `<+01>-1<+02>,M3.5.0,M10.5.0/3`.
 */
function ruleString(course: Course): string | undefined {
  const { changes, fromYear, toYear, first } = course;
  if (changes.length === 0) return offsetText(first);
  const standard = Math.min(changes[0].before, changes[0].after);
  const daylight = Math.max(changes[0].before, changes[0].after);
  const starts = changes.filter((change) => change.before === standard && change.after === daylight);
  const ends = changes.filter((change) => change.before === daylight && change.after === standard);
  const years = toYear - fromYear + 1;
  if (starts.length !== years || ends.length !== years || changes.length !== 2 * years) return undefined;
  const start = fitRule(starts, fromYear);
  const end = fitRule(ends, fromYear);
  if (start === undefined || end === undefined) return undefined;
  const text = offsetText(standard) + offsetText(daylight, daylight === standard + HOUR_S) + start + end;
  return text.length <= MAX_TEXT_BYTES ? text : undefined;
}

// ---- Tables --------------------------------------------------------------------------------------------------------------

/** Two offsets that take turns at these instants, UTC seconds ascending; the last instant only ends the last turn. */
interface Turns {
  first: number;
  other: number;
  instants: number[];
}

/** A course as turns; undefined if there are no changes, or more than two offsets. */
function turnsOf(course: Course): Turns | undefined {
  const { changes, first } = course;
  if (changes.length === 0) return undefined;
  const other = changes[0].after;
  if (!changes.every((change, i) => change.after === (i % 2 === 0 ? other : first))) return undefined;
  const start = yearStart(course.fromYear);
  return {
    first,
    other,
    instants: [start, ...changes.map((change) => change.at), yearStart(course.toYear + 1)],
  };
}

/** The turns without those at the ends in which a zone that always stands at `offset` is right anyway. */
function trim(turns: Turns, offset: number): Turns {
  const { first, other, instants } = turns;
  const last = instants.length % 2 === 0 ? first : other;
  const rest = last === offset ? instants.slice(0, -1) : instants;
  return first === offset
    ? { first: other, other: first, instants: rest.slice(1) }
    : { first, other, instants: rest };
}

/**
 * Turns in the form that a lock reads: u32 first instant, i8 first and i8 other offset in quarters of an hour, then u16 intervals
 * in quarters of an hour. Undefined with more than {@link MAX_INTERVALS}, with more than 682 days between two instants, or with one
 * that is not on a quarter of an hour.
 */
function encodeTurns(turns: Turns): Uint8Array | undefined {
  const { first, other, instants } = turns;
  const intervals = instants.slice(1).map((instant, i) => (instant - instants[i]) / QUARTER_S);
  const fits =
    intervals.length <= MAX_INTERVALS &&
    intervals.every((interval) => Number.isInteger(interval) && interval > 0 && interval <= 0xffff);
  if (!fits || first % QUARTER_S !== 0 || other % QUARTER_S !== 0) return undefined;
  const bytes = new Uint8Array(6 + 2 * intervals.length);
  putU32(bytes, 0, instants[0]);
  bytes[4] = first / QUARTER_S;
  bytes[5] = other / QUARTER_S;
  intervals.forEach((interval, i) => {
    putU16(bytes, 6 + 2 * i, interval);
  });
  return bytes;
}

/** The offset that holds longest in a course: the best guess for what comes after it. */
function usualOffset(course: Course): number {
  const turns = [...course.changes.map((change) => change.at), yearStart(course.toYear + 1)];
  const held = new Map<number, number>();
  let since = yearStart(course.fromYear);
  turns.forEach((until, i) => {
    const offset = i === 0 ? course.first : course.changes[i - 1].after;
    held.set(offset, (held.get(offset) ?? 0) + until - since);
    since = until;
  });
  return [...held].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
}

/** The table for the years of `course`, beside a string that stands at `offset` throughout, or changes by rules. */
function besideString(course: Course, text: string, offset: number | undefined): LockZone | undefined {
  const turns = turnsOf(course);
  if (turns === undefined) return undefined;
  const transitions = encodeTurns(offset === undefined ? turns : trim(turns, offset));
  return transitions === undefined ? undefined : { text, transitions };
}

/**
 * What to tell a lock in this zone so that its clock is right in all of these years (in UTC, both included): a string alone, or a
 * table for the years at the start that no string reproduces, and the string for the years behind it. Undefined where the table's
 * form does not reach: with three offsets, or where {@link encodeTurns} has none.
 */
export function lockZone(
  name: string,
  offsetOf: OffsetOf,
  fromYear: number,
  toYear: number,
): LockZone | undefined {
  const course = probe(name, offsetOf, fromYear, toYear);
  const text = ruleString(course);
  if (text !== undefined) return { text, transitions: undefined };
  for (let year = fromYear + 1; year <= toYear + 1 - MIN_RULE_YEARS; year++) {
    const later = courseBetween(course, year, toYear);
    const rules = ruleString(later);
    if (rules === undefined) continue;
    const isFixed = later.changes.length === 0;
    return besideString(courseBetween(course, fromYear, year - 1), rules, isFixed ? later.first : undefined);
  }
  const usual = usualOffset(course);
  return besideString(course, offsetText(usual), usual);
}

/**
 * The value of the setting `zone` for a lock in this zone, right in all of these years (in UTC, both included): the string's
 * bytes, and where there is a table, one zero byte and the table. Undefined where {@link lockZone} has nothing.
 */
export function zoneSetting(
  name: string,
  offsetOf: OffsetOf,
  fromYear: number,
  toYear: number,
): Uint8Array | undefined {
  const told = lockZone(name, offsetOf, fromYear, toYear);
  if (told === undefined) return undefined;
  const text = ascii(told.text);
  return told.transitions === undefined ? text : Uint8Array.of(...text, 0, ...told.transitions);
}
