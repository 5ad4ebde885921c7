// Access as a Matter Door Lock cluster says it (rule T3) → a schedule and a time for a row of people. Week day schedules open within a day
// in local time, year day schedules between two local times; where a user has both kinds, both must be open.

import { MAX_WINDOWS } from "../wire/limits";
import type { Window } from "../wire/windows";
import { DAY_MINUTES, packMatterWindow, unpackWindow } from "../wire/windows";
import type { When } from "./when";

/** A week day schedule; 23:59 as its end means midnight. */
export interface MatterWeekDay {
  /** Bit 0 Sunday to bit 6 Saturday. */
  readonly daysMask: number;
  readonly startHour: number;
  readonly startMinute: number;
  readonly endHour: number;
  readonly endMinute: number;
}

/** A year day schedule: seconds since 2000-01-01T00:00:00, local; the end is the first second that is too late. */
export interface MatterYearDay {
  readonly localStartTime: number;
  readonly localEndTime: number;
}

/** What a person may: within the windows, always where there are none, from the start until before the end. */
export interface MatterAccess {
  readonly windows: readonly Window[];
  readonly start?: When;
  readonly end?: When;
}

/** 2000-01-01 in seconds since 1970-01-01. */
const MATTER_EPOCH_S = 946_684_800;
const WEEK = [0, 1, 2, 3, 4, 5, 6];

/** Half-open. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Spans that neither touch nor overlap, in order, and cover what the given ones do. */
function merge(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last === undefined || span.from > last.to) merged.push(span);
    else merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
  }
  return merged;
}

function windowOf(schedule: MatterWeekDay): Window {
  const { daysMask, startHour, startMinute, endHour, endMinute } = schedule;
  const packed = packMatterWindow(daysMask, startHour, startMinute, endHour, endMinute);
  const window = packed === undefined ? undefined : unpackWindow(packed);
  if (window === undefined)
    throw new RangeError(
      `week day schedule ${daysMask}, ${startHour}:${startMinute} to ${endHour}:${endMinute}: wanted days, and an end later on the same day`,
    );
  return window;
}

/** The windows of a week: the same times on several days are one window, and no two overlap. */
function windowsOf(schedules: readonly MatterWeekDay[]): Window[] {
  const given = schedules.map(windowOf);
  const windows = new Map<number, Window>();
  for (const day of WEEK) {
    const spans = given
      .filter(({ days }) => (days >> day) & 1)
      .map(({ start, duration }) => ({ from: start, to: start + duration }));
    for (const { from, to } of merge(spans)) {
      const key = from * (DAY_MINUTES + 1) + to;
      const days = (windows.get(key)?.days ?? 0) | (1 << day);
      windows.set(key, { days, start: from, duration: to - from });
    }
  }
  return [...windows.values()];
}

const local = (seconds: number): When => ({ seconds: seconds + MATTER_EPOCH_S, local: true });

/**
 * The access of a user with these schedules; undefined for none at all, which in Matter is no access. Throws RangeError for a schedule
 * that is none, for week days that need more than 8 windows, and for year days with a gap between them, since a credential has one
 * start and one end.
 */
export function matterAccess(
  weekDays: readonly MatterWeekDay[],
  yearDays: readonly MatterYearDay[],
): MatterAccess | undefined {
  if (weekDays.length === 0 && yearDays.length === 0) return undefined;
  const windows = windowsOf(weekDays);
  if (windows.length > MAX_WINDOWS)
    throw new RangeError(`week day schedules: ${windows.length} windows, wanted at most ${MAX_WINDOWS}`);
  const spans = merge(
    yearDays.map(({ localStartTime, localEndTime }) => {
      if (!(localStartTime < localEndTime))
        throw new RangeError(
          `year day schedule from ${localStartTime} to ${localEndTime}: wanted a later end`,
        );
      return { from: localStartTime, to: localEndTime };
    }),
  );
  if (spans.length > 1)
    throw new RangeError(`year day schedules: ${spans.length} times with gaps, wanted one`);
  return spans.length === 0 ? { windows } : { windows, start: local(spans[0].from), end: local(spans[0].to) };
}
