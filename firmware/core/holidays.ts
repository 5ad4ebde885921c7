// Holidays (rule T7): local dates on which some roles are refused, or the lock is in another operating mode. They are read from the
// table once and kept as numbers; which of them are in force is asked by date. One that cannot be read any more is in force always
// and refuses everybody but administrators.

import { Role } from "../../protocol/wire/entry";
import { Trust } from "../../protocol/wire/receipt";
import type { Holiday } from "../../protocol/wire/settings";
import { MAX_HOLIDAYS, Mode, NO_MODE } from "../../protocol/wire/settings";
import type { LocalTime, Zone } from "./calendar";
import { localTime, nextTransition } from "./calendar";
import type { Instant } from "./clock";

const ALL_BUT_ADMIN = 0x7f & ~(1 << Role.admin);
/** Past the last date that a holiday can name. */
const END_OF_DAYS = 0xffff;
/** A day that is no holiday. */
const NO_DATE = -1;
const UNREADABLE: Holiday = { first: 0, days: END_OF_DAYS, roles: ALL_BUT_ADMIN, mode: NO_MODE };

/** Whether an operating mode admits a role at the door (rules A60, C9). The roles past the prospect's never open one. */
function admits(mode: number, role: number): boolean {
  return role < Role.prospect || (role === Role.prospect && mode !== Mode.resident);
}

export class Holidays {
  /** For each holiday its first date, the date after its last, and what it does: roles in the high byte, mode in the low one. */
  readonly #values = new Uint16Array(3 * MAX_HOLIDAYS);
  /** Holidays have numbers below this. */
  #count = 0;

  /** Forgets them all. */
  clear(): void {
    this.#values.fill(0);
    this.#count = 0;
  }

  /** Takes holiday `n` of 0 to 63; undefined for one that cannot be read. */
  put(n: number, holiday: Holiday | undefined): void {
    const { first, days, roles, mode } = holiday ?? UNREADABLE;
    this.#values[n] = first;
    this.#values[MAX_HOLIDAYS + n] = first + days;
    this.#values[2 * MAX_HOLIDAYS + n] = (roles << 8) | mode;
    this.#count = Math.max(this.#count, n + 1);
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  private first(n: number): number {
    return this.#values[n];
  }

  /** Not above the first date for no holiday. */
  private end(n: number): number {
    return this.#values[MAX_HOLIDAYS + n];
  }

  private roles(n: number): number {
    return this.#values[2 * MAX_HOLIDAYS + n] >>> 8;
  }

  private mode(n: number): number {
    return this.#values[2 * MAX_HOLIDAYS + n] & 0xff;
  }

  private isOn(n: number, day: number): boolean {
    return this.first(n) <= day && day < this.end(n);
  }

  private blocks(n: number, role: number): boolean {
    return ((this.roles(n) >> role) & 1) !== 0;
  }

  private setsMode(n: number): boolean {
    return this.mode(n) !== NO_MODE;
  }

  /** Whether any holiday matters to a role that the operating mode `mode` admits: then an unknown date refuses it. */
  concern(role: number, mode: number): boolean {
    for (let n = 0; n < this.#count; n++) {
      if (this.first(n) >= this.end(n)) continue;
      if (this.blocks(n, role)) return true;
      if (this.setsMode(n) && admits(this.mode(n), role) !== admits(mode, role)) return true;
    }
    return false;
  }

  /** Whether a role is refused on a date, in days since 1970-01-01. */
  refuse(role: number, day: number): boolean {
    for (let n = 0; n < this.#count; n++) if (this.blocks(n, role) && this.isOn(n, day)) return true;
    return false;
  }

  /** Whether anybody at all is refused on a date: then a door does not stand open either. */
  close(day: number): boolean {
    for (let n = 0; n < this.#count; n++) if (this.roles(n) !== 0 && this.isOn(n, day)) return true;
    return false;
  }

  /** Whether the lock admits a role on a date: in the modes of that day's holidays if they set any, else in `mode`. */
  admit(role: number, mode: number, day: number): boolean {
    let isSet = false;
    for (let n = 0; n < this.#count; n++) {
      if (!this.setsMode(n) || !this.isOn(n, day)) continue;
      if (!admits(this.mode(n), role)) return false;
      isSet = true;
    }
    return isSet || admits(mode, role);
  }

  /** The first date after `day` on which a holiday begins, or is over; 0 for none. One that cannot be read is never over. */
  nextDate(day: number): number {
    let next = END_OF_DAYS;
    for (let n = 0; n < this.#count; n++) {
      if (this.first(n) >= this.end(n)) continue;
      if (this.first(n) > day) next = Math.min(next, this.first(n));
      if (this.end(n) > day) next = Math.min(next, this.end(n));
    }
    return next === END_OF_DAYS ? 0 : next;
  }
}

/** What it depends on which date it is. */
interface Today {
  readonly zone: Zone;
  readonly clock: Instant;
  readonly holidays: Holidays;
}

/** Asks a question of every local date that it may be now, within the error bound, until the answer is no; of none if none matters. */
export function onEachDate({ zone, clock, holidays }: Today, ask: (day: number) => boolean): boolean {
  if (holidays.isEmpty || clock.trust === Trust.unknown) return ask(NO_DATE);
  const earliest = clock.now - clock.bound;
  const latest = clock.now + clock.bound;
  const local: LocalTime = localTime(zone, earliest);
  const first = local.day;
  if (!ask(first)) return false;
  const last = localTime(zone, latest, local).day;
  if (last !== first && !ask(last)) return false;
  // Where the clock is set back just after midnight, a date comes for a moment, goes, and comes again.
  const leap = nextTransition(zone, earliest);
  if (leap === 0 || leap > latest) return true;
  const between = localTime(zone, leap - 1, local).day;
  return between === first || between === last || ask(between);
}
