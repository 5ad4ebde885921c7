// Weekly windows at the issuer (rules T1, T2): packing, equality, and the overlap that no lock takes. Minutes of the week count from
// Sunday midnight, and a window may run over the end of the week.

import type { Window } from "./encode";

const DAY_MINUTES = 1440;
const WEEK_MINUTES = 7 * DAY_MINUTES;

/** A window as the lock and the table digest keep it. */
export function packWindow({ days, start, duration }: Window): number {
  return ((days << 22) | (start << 11) | (duration - 1)) >>> 0;
}

/** The window of a packed number. */
export function unpackWindow(packed: number): Window {
  return { days: packed >>> 22, start: (packed >>> 11) & 0x7ff, duration: (packed & 0x7ff) + 1 };
}

/** Whether two lists hold the same windows in the same order. */
export function sameWindows(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((packed, i) => packed === b[i]);
}

/** Each day's part of a window as minutes of the week; the end may lie beyond the week. */
function spans(window: Window): [number, number][] {
  const found: [number, number][] = [];
  for (let day = 0; day < 7; day++) {
    const start = day * DAY_MINUTES + window.start;
    if ((window.days >> day) & 1) found.push([start, start + window.duration]);
  }
  return found;
}

/** Whether any two windows, or two days of one, share a minute. Windows that touch do not. */
export function overlap(windows: readonly Window[]): boolean {
  const all = windows.flatMap(spans).sort((a, b) => a[0] - b[0]);
  if (all.length < 2) return false;
  const wrapped: [number, number] = [all[0][0] + WEEK_MINUTES, all[0][1] + WEEK_MINUTES];
  const ring = [...all, wrapped];
  return ring.some(([, end], i) => i + 1 < ring.length && ring[i + 1][0] < end);
}
