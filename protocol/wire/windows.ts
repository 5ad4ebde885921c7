// Weekly windows as both ends keep them (rules T1, T2, T3): one packed number each, what makes one well formed, and the overlap that no
// schedule may have. When a window is open is the lock's part.

import { MAX_WINDOWS } from "./limits";

export const DAY_MINUTES = 1440;
const EVERY_DAY = 0x7f;

/** One window of each day in its mask: half-open, and of the day it starts on, across midnight and the end of the week. */
export interface Window {
  /** Bit 0 Sunday to bit 6 Saturday, at least one. */
  readonly days: number;
  /** Minute of the day at which it opens, 0 to 1439. */
  readonly start: number;
  /** Minutes that it stays open, 1 to 1440. */
  readonly duration: number;
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

/** The mask of days of a packed window. */
export const daysOf = (packed: number): number => (packed >>> 22) & EVERY_DAY;
/** The minute of the day at which a packed window opens. */
export const startOf = (packed: number): number => (packed >>> 11) & 0x7ff;
/** The minutes that a packed window stays open. */
export const durationOf = (packed: number): number => (packed & 0x7ff) + 1;

/** The days after the days in the mask. */
export const dayAfter = (days: number): number => ((days << 1) | (days >>> 6)) & EVERY_DAY;

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
