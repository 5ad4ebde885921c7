// An offline code that somebody asks about (rule C23), as plain values: which one it is, and whether the issuer has denied it. A code that is
// not good now shows as what it is only where it is denied: which codes may come is the issuer's to know. The code itself never comes out.

import { localTime } from "../../firmware/core/calendar";
import type { Instant } from "../../firmware/core/clock";
import type { Lock, Why } from "../../firmware/core/lock";
import { offlineWindow } from "../../protocol/crypto/offline";
import { makeOfflineCode, OFFLINE_KIND_NAMES } from "../../protocol/issuer/offline";
import {
  MAX_OFFLINE_INDEXES,
  OFFLINE_KINDS,
  type OfflineCode,
  offlineOf,
} from "../../protocol/wire/settings";
import { dateText } from "../ui/time";

/** An offline code. */
export interface OfflineView {
  readonly kind: string;
  readonly index: number;
  /** Its local date, or the Monday of its week. */
  readonly date: string;
}

/** What an answer of the lock is about, where that is an offline code; `digits` are ASCII. */
export interface OfflineAnswer extends OfflineView {
  readonly denied: boolean;
}

/** A code by name and date. */
export function offlineView({ kind, index, window }: OfflineCode): OfflineView {
  return { kind: OFFLINE_KIND_NAMES[OFFLINE_KINDS.indexOf(kind)], index, date: dateText(window) };
}

/** The offline code that an answer is about, undefined where it is about none. */
export function offlineAsked(
  lock: Lock,
  why: Why,
  digits: Uint8Array,
  clock: Instant,
): OfflineAnswer | undefined {
  const { zone, offlineDenied } = lock.parts.policy;
  if (why.holder === "offline") {
    const kind = OFFLINE_KINDS[Math.floor(why.slot / MAX_OFFLINE_INDEXES)];
    const window = offlineWindow(kind, localTime(zone, clock.now).day);
    return { ...offlineView({ kind, index: why.slot % MAX_OFFLINE_INDEXES, window }), denied: false };
  }
  const keys = lock.authority.derived;
  if (why.holder !== "nobody" || keys === undefined || offlineDenied === undefined) return undefined;
  const { crypto } = lock.parts.board;
  const text = String.fromCharCode(...digits);
  for (const number of offlineDenied) {
    const code = offlineOf(number);
    if (code !== undefined && makeOfflineCode(crypto, keys.codeKey, code) === text)
      return { ...offlineView(code), denied: true };
  }
  return undefined;
}
