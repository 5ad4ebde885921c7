// Offline codes at the issuer (rule C23): for whoever holds the claim's codeKey, a code that a lock takes without any mail; and the list of
// those that a lock shall take no more. What is made opens only where a setting has switched its kind and its index on. Once in a while one
// is somebody's PIN, and the lock takes it for what is in its table first: give out another index then.

import { OFFLINE_DIGITS, offlineCode, offlineWindow } from "../crypto/offline";
import type { Crypto } from "../crypto/port";
import type { CivilDate } from "../wire/civil";
import { DAY_S, dateOfDay, dayOfDate, floorDiv } from "../wire/civil";
import type { OfflineCode } from "../wire/settings";
import {
  MAX_OFFLINE_DENIED,
  MAX_OFFLINE_INDEXES,
  OFFLINE_KINDS,
  OfflineKind,
  offlineNumber,
  offlineOf,
  packOfflineDenied,
  parseOfflineDenied,
} from "../wire/settings";
import type { OffsetOf } from "./zone";

/** The kinds by name, in the order of `OFFLINE_KINDS`. */
export const OFFLINE_KIND_NAMES: readonly string[] = Object.keys(OfflineKind);
const MAX_WINDOW = 0xffff;
const DAYS_A_WEEK = 7;
/** A date comes again where the clock is set back at midnight, and a lock's clock may be an hour behind. */
const MARGIN_S = 3 * 3600;

/**
 * The code of a kind and an index on a date by the lock's own zone, of a week on any of its dates. Throws a RangeError for numbers that
 * no code has.
 */
export function offlineCodeOn(kind: number, index: number, date: CivilDate): OfflineCode {
  if (!OFFLINE_KINDS.includes(kind)) throw new RangeError(`offline code: kind ${kind} is none`);
  if (!Number.isInteger(index) || index < 0 || index >= MAX_OFFLINE_INDEXES)
    throw new RangeError(`offline code: index ${index}: wanted 0 to ${MAX_OFFLINE_INDEXES - 1}`);
  const window = offlineWindow(kind, dayOfDate(date.year, date.month, date.dayOfMonth));
  if (window < 0 || window > MAX_WINDOW)
    throw new RangeError(`offline code: year ${date.year}: wanted 1970 to 2149`);
  return { kind, index, window };
}

/** The nine digits that open a lock by an offline code. */
export function makeOfflineCode(crypto: Crypto, codeKey: Uint8Array, code: OfflineCode): string {
  const { kind, index, window } = code;
  return offlineCode(crypto, codeKey, kind, index, window).toString().padStart(OFFLINE_DIGITS, "0");
}

/** The last local date on which a code is good, in days since 1970-01-01. */
export const lastDay = ({ kind, window }: OfflineCode): number =>
  kind === OfflineKind.week ? window + DAYS_A_WEEK - 1 : window;

/** Whether no lock in the zone takes a code any more, now or later. `now` is UTC seconds. */
export function isOver(code: OfflineCode, zone: string, offsetOf: OffsetOf, now: number): boolean {
  const then = now - MARGIN_S;
  return floorDiv(then + offsetOf(zone, then), DAY_S) > lastDay(code);
}

/** `day 3 of 2027-03-01`; a week by its Monday. */
export function offlineText({ kind, index, window }: OfflineCode): string {
  const { year, month, dayOfMonth } = dateOfDay(window);
  const date = [year, month, dayOfMonth].map((part) => String(part).padStart(2, "0")).join("-");
  return `${OFFLINE_KIND_NAMES[OFFLINE_KINDS.indexOf(kind)]} ${index} of ${date}`;
}

const numberOf = ({ kind, index, window }: OfflineCode): number =>
  offlineNumber(OFFLINE_KINDS.indexOf(kind), index, window);

/** The codes that the value of a setting denies; none for one that was never set. */
export function deniedIn(value: Uint8Array | undefined): readonly OfflineCode[] {
  const numbers = value === undefined ? [] : (parseOfflineDenied(value) ?? []);
  return numbers.flatMap((number) => offlineOf(number) ?? []);
}

/** Whether a code is among others. */
export const isAmong = (code: OfflineCode, codes: readonly OfflineCode[]): boolean =>
  codes.some((other) => numberOf(other) === numberOf(code));

/** The value of the setting that denies these codes, in any order and each once. Throws a RangeError, which names them, for too many. */
export function deniedValue(codes: readonly OfflineCode[]): Uint8Array {
  const numbers = codes.map(numberOf).sort((a, b) => a - b);
  if (numbers.length > MAX_OFFLINE_DENIED) {
    const named = codes.slice(0, MAX_OFFLINE_DENIED).map(offlineText).join(", ");
    throw new RangeError(
      `a lock keeps ${MAX_OFFLINE_DENIED} denied offline codes, and these are not over: ${named}; wanted room for ${offlineText(codes[MAX_OFFLINE_DENIED])}: allow one of them again, or switch its kind off`,
    );
  }
  return packOfflineDenied(numbers);
}
