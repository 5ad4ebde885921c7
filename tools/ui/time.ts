// Instants in words: by the clock on a lock's wall, and in UTC. Seconds since 1970, as everywhere.

import type { Zone } from "../../firmware/core/calendar";
import { localTime, offsetAt, UTC0 } from "../../firmware/core/calendar";
import { dateOfDay, weekdayOfDay } from "../../protocol/wire/civil";

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

const two = (value: number): string => String(value).padStart(2, "0");

/** `2027-03-01 09:00:00` by the clock of the zone. */
export function wallText(zone: Zone, utcSeconds: number): string {
  const { day, minute, second } = localTime(zone, utcSeconds);
  return `${dateText(day)} ${hourText(minute)}:${two(second)}`;
}

/** `2027-03-01` of a date in days since 1970-01-01. */
export function dateText(day: number): string {
  const { year, month, dayOfMonth } = dateOfDay(day);
  return `${year}-${two(month)}-${two(dayOfMonth)}`;
}

/** `Mon 2027-03-01`. */
export const dayText = (day: number): string => `${WEEKDAYS[weekdayOfDay(day)]} ${dateText(day)}`;

/** `09:00` of a minute of the day; 1440 is `24:00`. */
export function hourText(minute: number): string {
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

/** `+01:00` east of UTC at an instant, with seconds only where there are any. */
export function offsetText(zone: Zone, utcSeconds: number): string {
  const offset = offsetAt(zone, utcSeconds);
  const size = Math.abs(offset);
  const seconds = size % 60 === 0 ? "" : `:${two(size % 60)}`;
  return `${offset < 0 ? "-" : "+"}${hourText(Math.floor(size / 60))}${seconds}`;
}

/** `2027-03-01T08:00:00Z`. */
export function isoText(utcSeconds: number): string {
  return `${wallText(UTC0, utcSeconds).replace(" ", "T")}Z`;
}

/** `2027-03-01T09:00:00+01:00`. */
export function localIsoText(zone: Zone, utcSeconds: number): string {
  return wallText(zone, utcSeconds).replace(" ", "T") + offsetText(zone, utcSeconds);
}

/** `Mon 2027-03-01 09:00:00 +01:00 (2027-03-01 08:00:00 UTC)`: both clocks, for people. */
export function bothClocks(zone: Zone, utcSeconds: number): string {
  const weekday = WEEKDAYS[localTime(zone, utcSeconds).weekday];
  const local = `${weekday} ${wallText(zone, utcSeconds)} ${offsetText(zone, utcSeconds)}`;
  return `${local} (${wallText(UTC0, utcSeconds)} UTC)`;
}
