// Offline codes at the lock (rule C23): codes that follow from a key and the local date, without any mail. Off until a setting switches a
// kind on. A code is good while the whole error interval of the clock lies in its window, and never in the next one; a lock that does
// not know the time, or its zone, knows none. Those that are good once, or for some minutes, are remembered for the last day on which one was
// used: that is all that can be in use, and codes of an earlier day, should the clock be set back, count as used. A code that the issuer has
// denied is one that nobody has; while it is not known which those are, all of them are.

import { OFFLINE_DIGITS, offlineCode, offlineWindow } from "../../protocol/crypto/offline";
import type { Crypto } from "../../protocol/crypto/port";
import { getU16, getU32, putU16, putU32 } from "../../protocol/wire/bytes";
import { Reason } from "../../protocol/wire/codes";
import type { Entry } from "../../protocol/wire/entry";
import { emptyEntry, Kind, Role } from "../../protocol/wire/entry";
import { Trust } from "../../protocol/wire/receipt";
import type { OfflinePolicy } from "../../protocol/wire/settings";
import {
  OFFLINE_KINDS as KINDS,
  MAX_OFFLINE_INDEXES,
  OfflineKind,
  offlineNumber,
} from "../../protocol/wire/settings";
import type { Zone } from "./calendar";
import { localTime, nextTransition } from "./calendar";
import type { Instant } from "./clock";
import { State } from "./storage/places";
import type { Table } from "./storage/table";

/** How long a code for minutes is good after its first use. */
export const OFFLINE_MINUTES_S = 900;
/** day (2) | codes of kind once that were used (1) | first use of each code for minutes, UTC seconds, 0 for none (4 each) */
const ONCE = 2;
const FIRST_USES = 3;
const VALUE_BYTES = FIRST_USES + 4 * MAX_OFFLINE_INDEXES;
const NOBODY = -1;
const DIGIT_0 = 0x30;

/** What decides which codes are good, as the policy has it. */
export interface OfflineView {
  readonly offline: OfflinePolicy;
  readonly offlineDenied: readonly number[] | undefined;
  readonly zone: Zone;
  readonly isZoneLost: boolean;
}

export class OfflineCodes {
  /** The code that {@link load} was asked for last, as the decision takes it. */
  readonly entry: Entry = emptyEntry();
  readonly #table: Table;
  #value: Uint8Array = new Uint8Array(VALUE_BYTES);
  /** Whether what was used is lost: then no code that it would matter for is good, until the day is over. */
  #isInDoubt = false;
  /** The first and the last local date that it may be. */
  #firstDay = 0;
  #lastDay = 0;

  constructor(table: Table) {
    this.#table = table;
    this.entry.kind = Kind.pin;
    this.entry.role = Role.guest;
    this.entry.digits = OFFLINE_DIGITS;
  }

  /** Reads back what was used: after a mount, and when it is gone. */
  restore(): void {
    const stored = this.#table.state(State.offline);
    const isWhole = stored !== undefined && stored.length === VALUE_BYTES;
    this.#value = isWhole ? stored.slice() : new Uint8Array(VALUE_BYTES);
    this.#isInDoubt = !isWhole && (stored !== undefined || this.#table.hasLostState(State.offline));
  }

  /** What is lost is settled when the date is known: all codes of that day were used. Once a tick. */
  settle(view: OfflineView, clock: Instant): void {
    if (!this.#isInDoubt || !this.locate(view, clock)) return;
    const value = new Uint8Array(VALUE_BYTES).fill(1);
    putU16(value, 0, this.#lastDay);
    value[ONCE] = 0xff;
    if (this.commit(value)) this.#isInDoubt = false;
  }

  /** Finds the local dates that it may be. False when the time is unknown. */
  private locate({ zone, isZoneLost }: OfflineView, { trust, now, bound }: Instant): boolean {
    if (isZoneLost || trust === Trust.unknown) return false;
    const first = localTime(zone, now - bound).day;
    const last = localTime(zone, now + bound).day;
    // Where the clock is set back just after midnight, a date comes for a moment, goes, and comes again.
    const leap = nextTransition(zone, now - bound);
    const between = leap === 0 || leap > now + bound ? last : localTime(zone, leap - 1).day;
    this.#firstDay = Math.min(first, last, between);
    this.#lastDay = Math.max(first, last, between);
    return true;
  }

  /** The window of a kind that it is for certain, as {@link #locate} has found; −1 for none. */
  private window(kind: number): number {
    const window = offlineWindow(kind, this.#firstDay);
    return window === offlineWindow(kind, this.#lastDay) ? window : NOBODY;
  }

  /**
   * Which code these digits are now, as place of its kind × 8 + index; −1 for none. Computes every code that is switched on, found or not,
   * denied or not, and whether the time is known or not (rule C6).
   */
  find(crypto: Crypto, codeKey: Uint8Array, digits: Uint8Array, view: OfflineView, clock: Instant): number {
    const { offline, offlineDenied: denied } = view;
    const { kinds, indexes } = offline;
    if (kinds === 0) return NOBODY;
    const isLocated = this.locate(view, clock) && denied !== undefined;
    const typed = numberOf(digits);
    let found = NOBODY;
    for (let place = 0; place < KINDS.length; place++) {
      const kind = KINDS[place];
      if ((kinds & kind) === 0) continue;
      const window = isLocated ? this.window(kind) : NOBODY;
      for (let index = 0; index < indexes; index++) {
        const isGood = window >= 0 && denied?.includes(offlineNumber(place, index, window)) === false;
        const isThis = offlineCode(crypto, codeKey, kind, index, window) === typed;
        if (isThis && isGood && found === NOBODY) found = place * MAX_OFFLINE_INDEXES + index;
      }
    }
    return found;
  }

  /** Makes {@link entry} that of a code which was just found: a guest's without any terms. */
  load(code: number): Entry {
    this.entry.generation = offlineNumber(code >> 3, code & 7, this.window(KINDS[code >> 3]));
    return this.entry;
  }

  /** Whether a code that was just found may open, as a reason. */
  judge(code: number, { now, bound }: Instant): number {
    const kind = KINDS[code >> 3];
    if (kind === OfflineKind.once) return this.isUsed(code) ? Reason.usedUp : Reason.granted;
    if (kind !== OfflineKind.minutes) return Reason.granted;
    const isOver = this.isUsed(code) && !(now + bound < this.firstUse(code) + OFFLINE_MINUTES_S);
    return isOver ? Reason.expired : Reason.granted;
  }

  /** Whether a code that is good once, or for minutes, was used; if so for minutes, {@link #firstUse} tells when. */
  private isUsed(code: number): boolean {
    const day = getU16(this.#value, 0);
    if (this.#isInDoubt || this.#firstDay < day) return true;
    if (this.#firstDay > day) return false;
    if (KINDS[code >> 3] === OfflineKind.minutes) return this.firstUse(code) > 0;
    return ((this.#value[ONCE] >> (code & 7)) & 1) === 1;
  }

  /** UTC seconds of the first use of a code for minutes on the day that is remembered; 0 where it was not, or on no other day. */
  private firstUse(code: number): number {
    const isToday = !this.#isInDoubt && this.#firstDay === getU16(this.#value, 0);
    return isToday ? getU32(this.#value, FIRST_USES + 4 * (code & 7)) : 0;
  }

  /** Keeps that a code which was just judged is used: before the bolt moves. False when the flash refused. */
  use(code: number, clock: Instant): boolean {
    const kind = KINDS[code >> 3];
    if (kind !== OfflineKind.once && kind !== OfflineKind.minutes) return true;
    if (this.isUsed(code)) return kind === OfflineKind.minutes;
    const isToday = this.#firstDay === getU16(this.#value, 0);
    const value = isToday ? this.#value.slice() : new Uint8Array(VALUE_BYTES);
    putU16(value, 0, this.#firstDay);
    if (kind === OfflineKind.once) value[ONCE] |= 1 << (code & 7);
    // The earliest that it can be: the minutes end no later than in true time.
    else putU32(value, FIRST_USES + 4 * (code & 7), clock.now - clock.bound);
    return this.commit(value);
  }

  private commit(value: Uint8Array): boolean {
    if (!this.#table.commitState(State.offline, value)) return false;
    this.#value = value;
    return true;
  }
}

/** How many codes open at a time, for the density (rule C18). */
export function offlineCount({ kinds, indexes }: OfflinePolicy): number {
  let count = 0;
  for (const kind of KINDS) if ((kinds & kind) !== 0) count += indexes;
  return count;
}

/** What nine digits say, −1 for any other number of digits. */
function numberOf(digits: Uint8Array): number {
  if (digits.length !== OFFLINE_DIGITS) return NOBODY;
  let value = 0;
  for (const digit of digits) value = value * 10 + digit - DIGIT_0;
  return value;
}
