// Starts and ends as people write them: a date or a local time, which means another instant at a door in another zone, or a
// time with its offset (rule T4). Knows no clock; the offsets of zones come from whoever calls.

import { DAY_S, dayOfDate, daysInMonth } from "../wire/civil";
import type { OffsetOf } from "./zone";

/** An instant, or a time on the wall that becomes one in a zone. */
export interface When {
  /** UTC seconds, or for a local time the seconds as if it were UTC. */
  readonly seconds: number;
  readonly local: boolean;
}

const FORM = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2}))?(?:(Z)|([+-])(\d{2}):(\d{2}))?)?$/;
const FIRST_YEAR = 2000;
/** The last whole year of an unsigned 32-bit second (rule T15). */
const LAST_YEAR = 2105;

/** What {@link parseWhen} takes, in words. */
export const WHEN_WANTED =
  "a date YYYY-MM-DD (its midnight at the door), or YYYY-MM-DDTHH:MM[:SS], local or with Z or ±hh:mm, of 2000 to 2105";

/** Undefined for anything that is not such a time, 30 February included. */
export function parseWhen(text: string): When | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12) return undefined;
  if (day < 1 || day > daysInMonth(year, month) || hour > 23 || minute > 59 || second > 59) return undefined;
  const wall = dayOfDate(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
  const [zulu, sign, offsetHours, offsetMinutes] = match.slice(7, 11);
  if (zulu === undefined && sign === undefined) return { seconds: wall, local: true };
  const offset = Number(offsetHours ?? 0) * 3600 + Number(offsetMinutes ?? 0) * 60;
  if (Number(offsetHours ?? 0) > 23 || Number(offsetMinutes ?? 0) > 59) return undefined;
  return { seconds: wall - (sign === "-" ? 0 - offset : offset), local: false };
}

/**
 * UTC seconds of a time at a door. A local time that the clock leaps over means as much later as the leap is long, and one that comes
 * twice means its first coming, so that a start and an end at the same time are one instant.
 */
export function instantOf(when: When, zone: string, offsetOf: OffsetOf): number {
  if (!when.local) return when.seconds;
  // No zone changes its clock twice within a day, so the offsets a day before and a day after are the only candidates.
  const before = when.seconds - offsetOf(zone, when.seconds - DAY_S);
  const after = when.seconds - offsetOf(zone, when.seconds + DAY_S);
  if (before + offsetOf(zone, before) === when.seconds) return before;
  if (after + offsetOf(zone, after) === when.seconds) return after;
  return before;
}
