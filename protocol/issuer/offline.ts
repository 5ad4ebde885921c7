// The issuer's making of offline codes (rule C23): for whoever holds the claim's codeKey, a code that a lock takes without any mail. What it
// makes opens only where a setting has switched its kind and its index on. Some codes in ten thousand are weak, or are somebody's
// PIN: the lock takes them for what is in its table first, so give out another index then.

import { OFFLINE_DIGITS, offlineCode, offlineWindow } from "../crypto/offline";
import type { Crypto } from "../crypto/port";
import type { CivilDate } from "../wire/civil";
import { dayOfDate } from "../wire/civil";
import { MAX_OFFLINE_INDEXES, OfflineKind } from "../wire/settings";

const KINDS: readonly number[] = Object.values(OfflineKind);

/**
 * The nine digits that open a lock by an offline code. `kind` is one of `OfflineKind`, `index` from 0 on, `date` a date by the lock's own
 * zone: the one on which the code is good, or any of the week for a code of a week. Throws a RangeError for other numbers.
 */
export function makeOfflineCode(
  crypto: Crypto,
  codeKey: Uint8Array,
  kind: number,
  index: number,
  date: CivilDate,
): string {
  if (!KINDS.includes(kind)) throw new RangeError(`offline code: kind ${kind} is none`);
  if (!Number.isInteger(index) || index < 0 || index >= MAX_OFFLINE_INDEXES)
    throw new RangeError(`offline code: index ${index}: wanted 0 to ${MAX_OFFLINE_INDEXES - 1}`);
  const window = offlineWindow(kind, dayOfDate(date.year, date.month, date.dayOfMonth));
  return offlineCode(crypto, codeKey, kind, index, window).toString().padStart(OFFLINE_DIGITS, "0");
}
