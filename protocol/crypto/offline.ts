// Offline codes (rule C23): nine digits that a lock and its issuer compute from the same key for a kind, an index and a date, so that an
// issuer can let somebody in without any mail reaching the lock. The truncation is that of RFC 4226, section 5.3, over HMAC-SHA256.

import { ascii, putU32 } from "../wire/bytes";
import { weekdayOfDay } from "../wire/civil";
import { OfflineKind } from "../wire/settings";
import type { Crypto } from "./port";

/** Digits of every offline code, leading zeros included. */
export const OFFLINE_DIGITS = 9;
const CODES = 1_000_000_000;
const TEXT = ascii("tumbler/1 code");
const LAST_BYTE = 31;
const DAYS_A_WEEK = 7;
const SUNDAY_LAST = 6;

/** The window of a kind that a local date lies in, in days since 1970-01-01: the date itself, or the Monday of its week. */
export function offlineWindow(kind: number, day: number): number {
  if (kind !== OfflineKind.week) return day;
  return day - ((weekdayOfDay(day) + SUNDAY_LAST) % DAYS_A_WEEK);
}

/**
 * The code of a kind and index in a window, 0 to 999,999,999: from HMAC-SHA256(codeKey, "tumbler/1 code" ‖ kind ‖ index ‖ window as 4
 * bytes) the four bytes that its last four bits point at, without their highest bit, modulo 10⁹.
 */
export function offlineCode(
  crypto: Crypto,
  codeKey: Uint8Array,
  kind: number,
  index: number,
  window: number,
): number {
  const text = new Uint8Array(TEXT.length + 6);
  text.set(TEXT);
  text[TEXT.length] = kind;
  text[TEXT.length + 1] = index;
  putU32(text, TEXT.length + 2, window >>> 0);
  const mac = crypto.hmacSha256(codeKey, text);
  const at = mac[LAST_BYTE] & 0x0f;
  const bits = ((mac[at] & 0x7f) << 24) | (mac[at + 1] << 16) | (mac[at + 2] << 8) | mac[at + 3];
  return bits % CODES;
}
