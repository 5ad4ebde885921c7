// Settings as an owner says them → values as a lock takes them (rules A21, A34, A60, C17–C19, C24, T7, T11, T16, X1). A master is a PIN and
// business hours name a schedule: both become another value at each lock, so they are kept as they are said.

import { credentialTag, TAG_KIND } from "../crypto/derive";
import type { Crypto } from "../crypto/port";
import { ascii } from "../wire/bytes";
import { DAY_S } from "../wire/civil";
import { Code } from "../wire/codes";
import { Role } from "../wire/entry";
import { MAX_PIN_DIGITS, MAX_U32, MIN_PIN_DIGITS } from "../wire/limits";
import type { LockoutPolicy } from "../wire/settings";
import {
  checkSetting,
  MAX_CLOCK_BOUND_S,
  MAX_GRACE_MINUTES,
  MAX_HOLIDAY_DAYS,
  MAX_HOLIDAYS,
  MAX_LOCKOUT_MINUTES,
  MAX_LOCKOUT_TRIES,
  MAX_RELOCK_SECONDS,
  MODE_NAMES,
  NO_MODE,
  packClockBound,
  packDensity,
  packHoliday,
  packHours,
  packLockout,
  packMaster,
  packNone,
  packRelock,
  Setting,
  settingName,
} from "../wire/settings";
import type { Directory, Door } from "./directory";
import { opens } from "./directory";
import { prefixOf, weakness } from "./pins";
import { pinsOf } from "./rows";
import { parseWhen } from "./when";

/** Dates on which a door is another (rule T7). Either some roles are refused, or the operating mode is another. */
export interface HolidayPlan {
  /** The first date, YYYY-MM-DD at the door. */
  readonly first: string;
  /** How many dates, 1 to 366. */
  readonly days: number;
  /** The roles that are refused, of `Role`; where neither this nor `mode` is given, all but administrators. */
  readonly roles?: readonly number[];
  /** One of `Mode`. */
  readonly mode?: number;
}

/** When a door unlocks itself (rule T16). */
export interface HoursPlan {
  /** The name of a schedule of the account. */
  readonly schedule: string;
  /** Whether somebody with the capability first-in must have opened before. */
  readonly firstIn: boolean;
  /** How many minutes before the hours such an opening counts, 0 to 720. */
  readonly graceMinutes: number;
}

/** Settings that {@link directValue} does not take, and what does. */
const OWN_METHODS: ReadonlyMap<number, string> = new Map([
  [Setting.zone, "the zone comes with the door"],
  [Setting.master, "setMaster"],
  [Setting.businessHours, "setHours"],
]);

function within(value: number, low: number, high: number, what: string): number {
  if (!Number.isInteger(value) || value < low || value > high)
    throw new RangeError(`${what} ${value}: wanted a whole number from ${low} to ${high}`);
  return value;
}

/** A value that is the same at every lock. Throws RangeError for one that no lock takes. */
export function directValue(setting: number, value: Uint8Array): Uint8Array {
  const own = OWN_METHODS.get(setting);
  if (own !== undefined) throw new RangeError(`setting ${settingName(setting)}: not as bytes; ${own}`);
  if (!Number.isInteger(setting) || checkSetting(setting, value) !== Code.applied)
    throw new RangeError(`setting ${settingName(setting)}: no lock takes these ${value.length} bytes`);
  return value;
}

export const modeValue = (mode: number): Uint8Array =>
  new Uint8Array([within(mode, 0, MODE_NAMES.length - 1, "mode")]);

export const relockValue = (seconds: number): Uint8Array =>
  packRelock(within(seconds, 0, MAX_RELOCK_SECONDS, "relock seconds"));

export const densityValue = (limit: number): Uint8Array => packDensity(within(limit, 1, MAX_U32, "density"));

export const clockBoundValue = (seconds: number): Uint8Array =>
  packClockBound(within(seconds, 1, MAX_CLOCK_BOUND_S, "clock bound in seconds"));

export function lockoutValue({ tries, leastMinutes }: LockoutPolicy): Uint8Array {
  return packLockout({
    tries: within(tries, 1, MAX_LOCKOUT_TRIES, "lockout tries"),
    leastMinutes: within(leastMinutes, 0, MAX_LOCKOUT_MINUTES, "lockout minutes"),
  });
}

/** The number of the setting of holiday `n`. */
export const holidaySetting = (n: number): number =>
  Setting.holiday + within(n, 0, MAX_HOLIDAYS - 1, "holiday");

/** Who is refused on a holiday that says nothing else: all but administrators. */
const ALL_BUT_ADMINS = [1, 2, 3, 4, 5, 6];

function rolesMask(roles: readonly number[]): number {
  let mask = 0;
  for (const role of roles) mask |= 1 << within(role, 0, Role.remoteOnly, "role of a holiday");
  return mask;
}

export function holidayValue(plan: HolidayPlan | undefined): Uint8Array {
  if (plan === undefined) return packNone();
  const when = plan.first.length === "YYYY-MM-DD".length ? parseWhen(plan.first) : undefined;
  if (when === undefined) throw new RangeError(`holiday from ${plan.first}: wanted a date YYYY-MM-DD`);
  const days = within(plan.days, 1, MAX_HOLIDAY_DAYS, "days of a holiday");
  const first = when.seconds / DAY_S;
  const { roles, mode } = plan;
  if ((roles !== undefined && mode !== undefined) || roles?.length === 0)
    throw new RangeError("holiday: wanted either roles or a mode");
  if (mode !== undefined)
    return packHoliday({ first, days, roles: 0, mode: within(mode, 0, MODE_NAMES.length - 1, "mode") });
  return packHoliday({ first, days, roles: rolesMask(roles ?? ALL_BUT_ADMINS), mode: NO_MODE });
}

// ---- what depends on the lock

/**
 * Throws RangeError for a master that is no PIN, is weak, or begins as the code of somebody at the door; the error tells neither the
 * PIN nor the person.
 */
export function checkMaster(directory: Directory, door: Door, pin: string): void {
  const wrong = (wanted: string) => new RangeError(`master of ${door.row.door}: wanted ${wanted}`);
  if (!/^[0-9]+$/.test(pin) || pin.length < MIN_PIN_DIGITS || pin.length > MAX_PIN_DIGITS)
    throw wrong(`${MIN_PIN_DIGITS} to ${MAX_PIN_DIGITS} digits`);
  const weak = weakness(pin);
  if (weak !== undefined) throw wrong(`a PIN that is harder to guess; in this one ${weak}`);
  for (const { row, revoked } of directory.people.values())
    if (!revoked && opens(row, door.row) && pinsOf(row).some((own) => prefixOf(own) === prefixOf(pin)))
      throw wrong("a PIN whose first four digits begin no other code at the door");
}

/** The master as one lock takes it; an empty PIN is none. */
export function masterValue(crypto: Crypto, pinKey: Uint8Array, pin: string): Uint8Array {
  if (pin === "") return packNone();
  return packMaster({ digits: pin.length, tag: credentialTag(crypto, pinKey, TAG_KIND.typed, ascii(pin)) });
}

/** Throws RangeError for hours of a schedule that there is not, or with a grace period that no lock takes. */
export function checkHours(directory: Directory, { schedule, graceMinutes }: HoursPlan): void {
  if (!directory.schedules.has(schedule)) throw new RangeError(`hours: there is no schedule ${schedule}`);
  within(graceMinutes, 0, MAX_GRACE_MINUTES, "grace in minutes");
}

/** A door that never unlocks itself. */
export const NO_HOURS: HoursPlan = { schedule: "", firstIn: false, graceMinutes: 0 };

/** Business hours but for the number of their schedule, which the ledger of each lock knows. */
export function hoursValue({ firstIn, graceMinutes }: HoursPlan): Uint8Array {
  return packHours({ schedule: 0, firstIn, graceMinutes });
}
