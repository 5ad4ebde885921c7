// The rule about offline codes (C23), with what proves it.

import { finds, type Rule, rule } from "./rule";

const TESTS = "firmware/core/offline-codes";
const CODES = "firmware/core/offline-codes";
const POLICY = "firmware/core/policy";
const MADE = "protocol/crypto/offline";
const SETTINGS = "protocol/wire/settings";
const ISSUER = "protocol/issuer/offline";

export const OFFLINE_RULES: readonly Rule[] = [
  rule(
    "C23",
    "Codes by a date open without any mail where a setting has switched them on, in their window and in no other, and never what is denied.",
    finds(
      [TESTS, "is what RFC 4226 makes of an HMAC-SHA256"],
      "takes the code of other bytes of the MAC",
      MADE,
      "mac[LAST_BYTE] & 0x0f",
      "mac[0] & 0x0f",
    ),
    finds(
      [TESTS, "opens nothing until its kind and its index are switched on"],
      "opens by kinds that are off",
      CODES,
      "if ((kinds & kind) === 0) continue;",
    ),
    finds(
      [TESTS, "never takes its neighbour"],
      "goes by the first date that it may be, not by all of them",
      CODES,
      "return window === offlineWindow(kind, this.#lastDay) ? window : NOBODY;",
      "return window;",
    ),
    finds(
      [TESTS, "goes by the date of the lock's own zone"],
      "goes by the date in UTC",
      CODES,
      "const first = localTime(zone, now - bound).day;",
      "const first = Math.floor((now - bound) / 86400);",
    ),
    finds(
      [TESTS, "opens nothing without a known time"],
      "opens without a known time",
      CODES,
      "if (isZoneLost || trust === Trust.unknown) return false;",
      "if (isZoneLost) return false;",
    ),
    finds(
      [TESTS, "good once is used up, over a reboot"],
      "forgets what was used",
      CODES,
      "value[ONCE] |= 1 << (code & 7);",
      "value[ONCE] |= 0;",
    ),
    finds(
      [TESTS, "good once is not good again when the clock is set back"],
      "takes a code of an earlier day for one that was not used",
      CODES,
      "this.#isInDoubt || this.#firstDay < day",
      "this.#isInDoubt",
    ),
    finds(
      [TESTS, "after its first use, less the error bound, over a reboot"],
      "lets minutes go on",
      CODES,
      "OFFLINE_MINUTES_S = 900",
      "OFFLINE_MINUTES_S = 90_000",
    ),
    finds(
      [TESTS, "whose uses are lost is refused until the day is over"],
      "takes a lost use for none",
      CODES,
      "this.#table.hasLostState(State.offline)",
      "false",
    ),
    finds(
      [TESTS, "is one that nobody has, of every kind"],
      "opens by a code that is denied",
      CODES,
      "denied?.includes(offlineNumber(place, index, window)) === false",
      "true",
    ),
    finds(
      [TESTS, "is one that nobody has, of every kind"],
      "denies the code on every date",
      CODES,
      "denied?.includes(offlineNumber(place, index, window)) === false",
      "!denied?.some((each) => each >> 16 === place * 8 + index)",
    ),
    finds(
      [TESTS, "of a week is denied on all of its days"],
      "denies a week by its dates",
      CODES,
      "denied?.includes(offlineNumber(place, index, window)) === false",
      "denied?.includes(offlineNumber(place, index, this.#firstDay)) === false",
    ),
    finds(
      [TESTS, "does not open any more while its minutes go on"],
      "lets a code for minutes go on that is denied",
      CODES,
      "denied?.includes(offlineNumber(place, index, window)) === false",
      "(KINDS[place] === OfflineKind.minutes || denied?.includes(offlineNumber(place, index, window)) === false)",
    ),
    finds(
      [TESTS, "is not known any more when the setting is lost"],
      "takes a lost list for none",
      POLICY,
      "parseOfflineDenied, NONE_DENIED, undefined);",
      "parseOfflineDenied, NONE_DENIED, NONE_DENIED);",
    ),
    finds(
      [TESTS, "one more for each kind and index, whatever is typed"],
      "does not compute what is denied",
      CODES,
      "const isThis = offlineCode(",
      "const isThis = isGood && offlineCode(",
    ),
    finds(
      [TESTS, "may be denied before its window comes, up to eight"],
      "takes nine denied codes",
      SETTINGS,
      "MAX_OFFLINE_DENIED = 8",
      "MAX_OFFLINE_DENIED = 9",
    ),
    finds(
      ["protocol/wire/settings", "C23 denied codes: 1 to 8 of them"],
      "takes denied codes in any order",
      SETTINGS,
      "if (number <= last || ",
      "if (",
    ),
    finds(
      ["protocol/issuer/offline", "and never before their window is over"],
      "forgets at midnight, which may come twice",
      ISSUER,
      "MARGIN_S = 3 * 3600",
      "MARGIN_S = 0",
    ),
  ),
];
