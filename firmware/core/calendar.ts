// The lock's local time: zones as POSIX TZ strings, with an optional table of explicit transitions where no string will do
// (rules T8, T10, T15). Strings are those of IEEE Std 1003.1 chapter 8.3 "TZ", second form, with the hours from -167 to 167 of
// RFC 9636 section 3.3.1. Pure: it never throws, never asks for the time, and knows neither Date nor Intl.

import { getU16, getU32 } from "../../protocol/wire/bytes";
import {
  DAY_S,
  dayOfDate,
  dayOfYearStart,
  daysInMonth,
  floorDiv,
  floorMod,
  isLeapYear,
  weekdayOfDay,
  yearOfDay,
} from "../../protocol/wire/civil";

/** The longest zone string in bytes. The longest real one, of the Chatham Islands, has 45. */
export const MAX_ZONE_BYTES = 48;
/** The most intervals in a table of transitions. */
export const MAX_TRANSITIONS = 64;
/** What a table begins with: the first instant and two offsets. */
const TABLE_HEAD = 6;
/** The longest value of the setting `zone`: a string, a zero byte, and a table. */
export const MAX_ZONE_SETTING_BYTES = MAX_ZONE_BYTES + 1 + TABLE_HEAD + 2 * MAX_TRANSITIONS; // 183

const HOUR_S = 3600;
const MINUTE_S = 60;
/** What a table counts in: all clock changes of the last fifty years happened on a quarter of an hour. */
const QUARTER_S = 900;
/** No clock is further than this from UTC: 24:59:59, and one hour of daylight saving time on top. */
const MAX_OFFSET_S = 26 * HOUR_S;

/** How a rule names its day: `Mm.w.d`, `Jn` (29 February never counted), or `n` from 0 (29 February counted). */
const Form = { monthly: 0, julian: 1, ordinal: 2 } as const;

/** One yearly change of the clock. */
export interface Rule {
  /** 0 `Mm.w.d`, 1 `Jn`, 2 `n`. */
  form: number;
  /** Form 0: 1 to 12. */
  month: number;
  /** Form 0: 1 to 5, 5 is the last. */
  week: number;
  /** Form 0: weekday, 0 Sunday. Forms 1 and 2: `n`. */
  day: number;
  /** Seconds from midnight by the clock as it is before the change; from -167 h to 167 h. */
  time: number;
}

/** Explicit clock changes: two offsets take turns, from the first instant until the last. */
export interface Transitions {
  /** Instants in UTC seconds, ascending; at the last one the table ends and the zone's string is in force again. */
  readonly at: Uint32Array;
  /** Seconds east of UTC from `at[0]`, `at[2]`, … on. */
  readonly even: number;
  /** Seconds east of UTC from `at[1]`, `at[3]`, … on. */
  readonly odd: number;
}

/** A parsed zone. Offsets are seconds east of UTC. */
export interface Zone {
  readonly standard: number;
  /** Equal to `standard` in a zone without daylight saving time. */
  readonly daylight: number;
  /** When daylight saving time starts and ends; undefined, both, in a zone without. */
  readonly start: Readonly<Rule> | undefined;
  readonly end: Readonly<Rule> | undefined;
  /** Overrides the rules as far as it reaches. */
  readonly transitions: Transitions | undefined;
}

/** Coordinated universal time: the zone of a lock that was not told another. */
export const UTC0: Zone = {
  standard: 0,
  daylight: 0,
  start: undefined,
  end: undefined,
  transitions: undefined,
};

// ---- Parsing -------------------------------------------------------------------------------------------------------------

/** A cursor over the string. `ok` turns false at the first thing that is wrong, and stays so. */
interface Cursor {
  readonly text: Uint8Array;
  at: number;
  ok: boolean;
}

const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;
const LESS = 0x3c;
const GREATER = 0x3e;
const LETTER_J = 0x4a;
const LETTER_M = 0x4d;

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
const isLetter = (byte: number): boolean => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;

/** The byte under the cursor, 0 at the end. */
function peek(cursor: Cursor): number {
  return cursor.at < cursor.text.length ? cursor.text[cursor.at] : 0;
}

/** Moves over `byte` if it comes next, and says whether it did. */
function take(cursor: Cursor, byte: number): boolean {
  if (peek(cursor) !== byte) return false;
  cursor.at++;
  return true;
}

function expect(cursor: Cursor, byte: number): void {
  if (!take(cursor, byte)) cursor.ok = false;
}

/** An abbreviation: three letters or more, or between < and > letters, digits and signs. Its text means nothing to a lock. */
function skipName(cursor: Cursor): void {
  const quoted = take(cursor, LESS);
  const from = cursor.at;
  for (let byte = peek(cursor); ; byte = peek(cursor)) {
    const fits = isLetter(byte) || (quoted && (isDigit(byte) || byte === PLUS || byte === MINUS));
    if (!fits) break;
    cursor.at++;
  }
  if (cursor.at - from < 3) cursor.ok = false;
  if (quoted) expect(cursor, GREATER);
}

/** A number of one to `digits` digits between `low` and `high`. */
function readNumber(cursor: Cursor, digits: number, low: number, high: number): number {
  let value = 0;
  const from = cursor.at;
  while (cursor.at - from < digits && isDigit(peek(cursor)))
    value = value * 10 + cursor.text[cursor.at++] - 0x30;
  if (cursor.at === from || value < low || value > high) cursor.ok = false;
  return value;
}

/** Minutes or seconds behind a colon: exactly two digits; 0 where there is no colon. */
function sixtieth(cursor: Cursor): number {
  if (!take(cursor, COLON)) return 0;
  const from = cursor.at;
  const value = readNumber(cursor, 2, 0, 59);
  if (cursor.at - from !== 2) cursor.ok = false;
  return value;
}

/** `[+-]h[:mm[:ss]]` in seconds. */
function signedTime(cursor: Cursor, digits: number, maxHours: number): number {
  const negative = take(cursor, MINUS);
  if (!negative) take(cursor, PLUS);
  let seconds = readNumber(cursor, digits, 0, maxHours) * HOUR_S;
  const minutesAt = cursor.at;
  seconds += sixtieth(cursor) * MINUTE_S;
  if (cursor.at !== minutesAt) seconds += sixtieth(cursor);
  return negative ? 0 - seconds : seconds;
}

/** An offset as the string has it, west of UTC positive, turned into seconds east. */
function offsetEast(cursor: Cursor): number {
  return 0 - signedTime(cursor, 2, 24);
}

/** `date[/time]`, 02:00 where no time is given. */
function parseRule(cursor: Cursor): Rule {
  const rule: Rule = { form: Form.monthly, month: 0, week: 0, day: 0, time: 2 * HOUR_S };
  if (take(cursor, LETTER_M)) {
    rule.month = readNumber(cursor, 2, 1, 12);
    expect(cursor, DOT);
    rule.week = readNumber(cursor, 1, 1, 5);
    expect(cursor, DOT);
    rule.day = readNumber(cursor, 1, 0, 6);
  } else if (take(cursor, LETTER_J)) {
    rule.form = Form.julian;
    rule.day = readNumber(cursor, 3, 1, 365);
  } else {
    rule.form = Form.ordinal;
    rule.day = readNumber(cursor, 3, 0, 365);
  }
  if (take(cursor, SLASH)) rule.time = signedTime(cursor, 3, 167);
  return rule;
}

/**
 * The zone that a POSIX TZ string of ASCII bytes names, such as `CET-1CEST,M3.5.0,M10.5.0/3` or `<+01>-1`. Undefined for
 * anything malformed or longer than {@link MAX_ZONE_BYTES}. A zone with daylight saving time must give its rules, since the
 * standard leaves them open otherwise.
 */
export function parseZone(text: Uint8Array): Zone | undefined {
  if (text.length > MAX_ZONE_BYTES) return undefined;
  const cursor: Cursor = { text, at: 0, ok: true };
  skipName(cursor);
  const standard = offsetEast(cursor);
  let daylight = standard;
  let start: Rule | undefined;
  let end: Rule | undefined;
  if (cursor.at < text.length) {
    skipName(cursor);
    daylight = peek(cursor) === COMMA ? standard + HOUR_S : offsetEast(cursor);
    expect(cursor, COMMA);
    start = parseRule(cursor);
    expect(cursor, COMMA);
    end = parseRule(cursor);
  }
  if (!cursor.ok || cursor.at !== text.length) return undefined;
  return { standard, daylight, start, end, transitions: undefined };
}

const signedByte = (byte: number): number => (byte << 24) >> 24;

/**
 * A table of transitions from its binary form, big-endian: u32 first instant in UTC seconds, i8 even and i8 odd offset in
 * quarters of an hour east of UTC, then 1 to {@link MAX_TRANSITIONS} u16 intervals in quarters of an hour, none 0. Undefined for
 * anything malformed: another length, equal offsets or one of more than 26 hours, an end behind 2106-02-07 06:28:15.
 */
export function parseTransitions(bytes: Uint8Array): Transitions | undefined {
  const count = (bytes.length - TABLE_HEAD) / 2;
  if (bytes.length % 2 !== 0 || count < 1 || count > MAX_TRANSITIONS) return undefined;
  const even = signedByte(bytes[4]) * QUARTER_S;
  const odd = signedByte(bytes[5]) * QUARTER_S;
  if (even === odd || Math.max(Math.abs(even), Math.abs(odd)) > MAX_OFFSET_S) return undefined;
  const at = new Uint32Array(count + 1);
  let instant = getU32(bytes, 0);
  at[0] = instant;
  for (let i = 1; i <= count; i++) {
    const interval = getU16(bytes, 4 + 2 * i);
    instant += interval * QUARTER_S;
    if (interval === 0 || instant > 0xffffffff) return undefined;
    at[i] = instant;
  }
  return { at, even, odd };
}

/** The same zone with a table that overrides its rules, or with none. */
export function withTransitions(zone: Zone, transitions: Transitions | undefined): Zone {
  return { ...zone, transitions };
}

/**
 * The zone of a value of the setting `zone`: a string as {@link parseZone} takes it, or a string, one zero byte and a table as
 * {@link parseTransitions} takes it, at most {@link MAX_ZONE_SETTING_BYTES} in all. Undefined for anything malformed.
 */
export function parseZoneSetting(value: Uint8Array): Zone | undefined {
  const end = value.indexOf(0);
  if (end < 0) return parseZone(value);
  const zone = parseZone(value.subarray(0, end));
  const transitions = parseTransitions(value.subarray(end + 1));
  return zone && transitions && withTransitions(zone, transitions);
}

// ---- Offsets -------------------------------------------------------------------------------------------------------------

/** The day, since 1970-01-01, that a rule means in a year. */
function ruleDay(rule: Readonly<Rule>, year: number): number {
  if (rule.form === Form.ordinal) return dayOfYearStart(year) + rule.day;
  if (rule.form === Form.julian) {
    const leapDay = rule.day >= 60 && isLeapYear(year) ? 1 : 0;
    return dayOfYearStart(year) + rule.day - 1 + leapDay;
  }
  const first = dayOfDate(year, rule.month, 1);
  const index = floorMod(rule.day - weekdayOfDay(first), 7) + 7 * (rule.week - 1);
  return first + (index < daysInMonth(year, rule.month) ? index : index - 7);
}

/** The instant of a year's change, in UTC seconds, when the clock before it stands `offset` east. */
function changeAt(rule: Readonly<Rule>, year: number, offset: number): number {
  return ruleDay(rule, year) * DAY_S + rule.time - offset;
}

/** The last of a rule's changes until an instant. Rules reach a week into the years beside their own, so two years back is enough. */
function lastChangeOf(rule: Readonly<Rule>, offset: number, utcSeconds: number): number {
  const year = yearOfDay(floorDiv(utcSeconds, DAY_S));
  for (let y = year + 1; y > year - 2; y--) {
    const change = changeAt(rule, y, offset);
    if (change <= utcSeconds) return change;
  }
  return changeAt(rule, year - 2, offset);
}

/** The first of a rule's changes after an instant. */
function nextChangeOf(rule: Readonly<Rule>, offset: number, utcSeconds: number): number {
  const year = yearOfDay(floorDiv(utcSeconds, DAY_S));
  for (let y = year - 1; y < year + 2; y++) {
    const change = changeAt(rule, y, offset);
    if (change > utcSeconds) return change;
  }
  return changeAt(rule, year + 2, offset);
}

/**
 * The offset by the rules alone. The last change decides; a start in the very second of an end wins, which is how the standard
 * writes daylight saving time all year.
 */
function ruleOffsetAt(zone: Zone, utcSeconds: number): number {
  const { standard, daylight, start, end } = zone;
  if (start === undefined || end === undefined) return standard;
  const started = lastChangeOf(start, standard, utcSeconds);
  return started >= lastChangeOf(end, daylight, utcSeconds) ? daylight : standard;
}

/** Instants to look at before a zone counts as one that never changes: start and end coincide in seven years running at most. */
const MAX_IDLE_INSTANTS = 20;

/** The next change by the rules alone, 0 if there is none. */
function nextRuleChange(zone: Zone, utcSeconds: number): number {
  const { standard, daylight, start, end } = zone;
  if (start === undefined || end === undefined || standard === daylight) return 0;
  const before = ruleOffsetAt(zone, utcSeconds);
  let instant = utcSeconds;
  for (let i = 0; i < MAX_IDLE_INSTANTS; i++) {
    instant = Math.min(nextChangeOf(start, standard, instant), nextChangeOf(end, daylight, instant));
    if (ruleOffsetAt(zone, instant) !== before) return instant;
  }
  return 0;
}

/** How many of the table's instants have come: 0 before it begins, all of them when it has ended. */
function instantsPassed(at: Uint32Array, utcSeconds: number): number {
  let low = 0;
  let high = at.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at[middle] <= utcSeconds) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Seconds east of UTC at an instant in UTC seconds. */
export function offsetAt(zone: Zone, utcSeconds: number): number {
  const table = zone.transitions;
  if (table !== undefined) {
    const passed = instantsPassed(table.at, utcSeconds);
    if (passed > 0 && passed < table.at.length) return passed % 2 === 1 ? table.even : table.odd;
  }
  return ruleOffsetAt(zone, utcSeconds);
}

/** The first instant strictly later at which the offset changes, in UTC seconds; 0 if it never does. */
export function nextTransition(zone: Zone, utcSeconds: number): number {
  const table = zone.transitions;
  if (table === undefined) return nextRuleChange(zone, utcSeconds);
  const at = table.at;
  const last = at.length - 1;
  let passed = instantsPassed(at, utcSeconds);
  if (passed === 0) {
    const change = nextRuleChange(zone, utcSeconds);
    if (change !== 0 && change < at[0]) return change;
    if (ruleOffsetAt(zone, at[0] - 1) !== table.even) return at[0];
    passed = 1;
  }
  if (passed < last) return at[passed];
  if (passed === last && offsetAt(zone, at[last] - 1) !== ruleOffsetAt(zone, at[last])) return at[last];
  return nextRuleChange(zone, Math.max(utcSeconds, at[last]));
}

// ---- Local time ----------------------------------------------------------------------------------------------------------

/** What the clock on the wall shows. */
export interface LocalTime {
  /** 0 Sunday to 6 Saturday. */
  weekday: number;
  /** Minute of the day, 0 to 1439. */
  minute: number;
  second: number;
  /** The local date in days since 1970-01-01. */
  day: number;
}

/** The local time of an instant in UTC seconds, in `into` where one is given to be used again. */
export function localTime(
  zone: Zone,
  utcSeconds: number,
  into: LocalTime = { weekday: 0, minute: 0, second: 0, day: 0 },
): LocalTime {
  const wall = utcSeconds + offsetAt(zone, utcSeconds);
  into.day = floorDiv(wall, DAY_S);
  into.weekday = weekdayOfDay(into.day);
  const rest = wall - into.day * DAY_S;
  into.minute = floorDiv(rest, MINUTE_S);
  into.second = rest - into.minute * MINUTE_S;
  return into;
}

/**
 * The instant in UTC seconds at which a local date begins (rule A35): the first that has this date or a later one, so 01:00 where
 * the clock leaps over midnight. From one to the next are 23, 24 or 25 hours, or what the zone makes of it.
 */
export function dayStart(zone: Zone, day: number): number {
  const midnight = day * DAY_S;
  let instant = midnight - MAX_OFFSET_S;
  for (;;) {
    const start = midnight - offsetAt(zone, instant);
    if (start <= instant) return instant;
    const change = nextTransition(zone, instant);
    if (change === 0 || change > start) return start;
    instant = change;
  }
}
