// Civil dates of the Gregorian calendar as days since 1970-01-01: what a holiday, a zone's rule and a daily code count in (rule T15).
// Whole-number arithmetic, right for every year from 1 on, so for 2038, 2100 and 2106 as for 1970. Knows no clock and no zone.

const DAYS_BEFORE_MONTH: readonly number[] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/** Seconds in a day of 24 hours. */
export const DAY_S = 86_400;

/** Quotient rounded towards minus infinity. */
export function floorDiv(dividend: number, divisor: number): number {
  return Math.floor(dividend / divisor);
}

/** Remainder that has the divisor's sign. */
export function floorMod(dividend: number, divisor: number): number {
  return dividend - divisor * Math.floor(dividend / divisor);
}

/** Whether the year has a 29 February. */
export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Days in a month, 1 January to 12 December. */
export function daysInMonth(year: number, month: number): number {
  const days = DAYS_BEFORE_MONTH[month] - DAYS_BEFORE_MONTH[month - 1];
  return month === 2 && isLeapYear(year) ? days + 1 : days;
}

/** The day of 1 January of a year. */
export function dayOfYearStart(year: number): number {
  const leapDays = floorDiv(year - 1, 4) - floorDiv(year - 1, 100) + floorDiv(year - 1, 400);
  return (year - 1970) * 365 + leapDays - 477; // 477 leap days lie before 1970
}

/** The day of a date. The month is 1 to 12, the day of the month counts from 1; neither is checked. */
export function dayOfDate(year: number, month: number, dayOfMonth: number): number {
  const leapDay = month > 2 && isLeapYear(year) ? 1 : 0;
  return dayOfYearStart(year) + DAYS_BEFORE_MONTH[month - 1] + leapDay + dayOfMonth - 1;
}

/** The year that a day lies in. */
export function yearOfDay(day: number): number {
  // 146,097 days make 400 years; the guess is off by one at most, and then too early or too late by a day or two.
  const guess = 1970 + floorDiv(day * 400, 146_097);
  if (day < dayOfYearStart(guess)) return guess - 1;
  return day < dayOfYearStart(guess + 1) ? guess : guess + 1;
}

/** The date of a day: year, month from 1, day of the month from 1. */
export interface CivilDate {
  year: number;
  month: number;
  dayOfMonth: number;
}

/** The date of a day. */
export function dateOfDay(day: number): CivilDate {
  const year = yearOfDay(day);
  let month = 1;
  let rest = day - dayOfYearStart(year);
  while (rest >= daysInMonth(year, month)) rest -= daysInMonth(year, month++);
  return { year, month, dayOfMonth: rest + 1 };
}

/** The weekday of a day, 0 Sunday to 6 Saturday; 1970-01-01 was a Thursday. */
export function weekdayOfDay(day: number): number {
  return floorMod(day + 4, 7);
}
