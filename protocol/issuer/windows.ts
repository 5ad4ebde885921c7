// Weekly windows at the issuer (rules T1, T2): lists of them between the form that people write and the packed one of the wire.

import type { Window } from "../wire/windows";
import { packWindow as pack, unpackWindow as unpack, windowsOverlap } from "../wire/windows";

/** A window as the lock and the table digest keep it. Throws RangeError for one that an import would have refused. */
export function packWindow({ days, start, duration }: Window): number {
  const packed = pack(days, start, duration);
  if (packed === undefined) throw new RangeError(`window ${days}, ${start}, ${duration}: out of range`);
  return packed;
}

/** The window of a packed number. Throws RangeError for a number that is none. */
export function unpackWindow(packed: number): Window {
  const window = unpack(packed);
  if (window === undefined) throw new RangeError(`packed window ${packed}: out of range`);
  return window;
}

/** Whether two lists hold the same windows in the same order. */
export function sameWindows(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((packed, i) => packed === b[i]);
}

/** Whether any two windows share a minute. Windows that touch do not. */
export function overlap(windows: readonly Window[]): boolean {
  return windowsOverlap(Uint32Array.from(windows, packWindow), windows.length);
}
