// Settings as an owner says them → values as a lock takes them (rules A21, A34, A60, C17–C19, C24, T7, T11, T16, X1). A master is a PIN and
// business hours name a schedule: both become another value at each lock, so they are kept as they are said.

import { credentialTag, TAG_KIND } from "../crypto/derive";
import type { Crypto } from "../crypto/port";
import { ascii } from "../wire/bytes";
import { Reader } from "../wire/cbor";
import { encode } from "../wire/cborx";
import { DAY_S } from "../wire/civil";
import { Code } from "../wire/codes";
import { Role } from "../wire/entry";
import { MAX_ALIAS_BYTES, MAX_LEASE_DAYS, MAX_PIN_DIGITS, MAX_U32, MIN_PIN_DIGITS } from "../wire/limits";
import type { LockoutPolicy, OfflinePolicy } from "../wire/settings";
import {
  checkSetting,
  isPlain,
  MAX_CLOCK_BOUND_S,
  MAX_GRACE_MINUTES,
  MAX_HOLIDAY_DAYS,
  MAX_HOLIDAYS,
  MAX_LOCKOUT_MINUTES,
  MAX_LOCKOUT_TRIES,
  MAX_OFFLINE_INDEXES,
  MAX_RELOCK_SECONDS,
  MAX_RESET_DELAY_H,
  MODE_NAMES,
  NO_MODE,
  packBroker,
  packClockBound,
  packDensity,
  packHoliday,
  packHours,
  packLeaseDays,
  packLockout,
  packMaster,
  packNone,
  packOffline,
  packRelock,
  packResetDelay,
  packWifi,
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

const MAX_PORT = 0xffff;
/** Bits of `OfflineKind`. */
const ALL_OFFLINE_KINDS = 15;
/** Longer than anything that is sealed may be. */
const MAX_TEXT_BYTES = 1024;

/** Settings that {@link directValue} does not take, and what does. */
const OWN_METHODS: ReadonlyMap<number, string> = new Map([
  [Setting.zone, "the zone comes with the door"],
  [Setting.master, "setMaster"],
  [Setting.businessHours, "setHours"],
  [Setting.alias, "setAlias"],
  [Setting.wifi, "setWifi"],
  [Setting.broker, "setBroker"],
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

export const leaseDaysValue = (days: number): Uint8Array =>
  packLeaseDays(within(days, 0, MAX_LEASE_DAYS, "lease in days"));

export const resetDelayValue = (hours: number): Uint8Array =>
  packResetDelay(within(hours, 0, MAX_RESET_DELAY_H, "reset delay in hours"));

export function offlineValue({ kinds, indexes }: OfflinePolicy): Uint8Array {
  return packOffline({
    kinds: within(kinds, 0, ALL_OFFLINE_KINDS, "kinds of offline codes"),
    indexes: within(indexes, 1, MAX_OFFLINE_INDEXES, "indexes of offline codes"),
  });
}

// ---- what is sealed for the lock (rules X5, P5, A63)

/** A network, by its name; an empty password for an open one. */
export interface WifiPlan {
  readonly network: string;
  readonly password: string;
}

/** Where a broker is. */
export interface BrokerPlan {
  /** A host name or an address. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** The UTF-8 bytes of a text. */
function utf8(text: string): Uint8Array {
  return new Reader(encode(text)).text(MAX_TEXT_BYTES).slice();
}

/** Plain bytes that a lock takes for a sealed setting. */
function plainOf(setting: number, plain: Uint8Array, wanted: string): Uint8Array {
  if (!isPlain(setting, plain)) throw new RangeError(`${settingName(setting)}: wanted ${wanted}`);
  return plain;
}

export const aliasValue = (alias: string): Uint8Array =>
  plainOf(Setting.alias, utf8(alias), `a name of 1 to ${MAX_ALIAS_BYTES} bytes`);

export function wifiValue({ network, password }: WifiPlan): Uint8Array {
  const plain = packWifi({ network: utf8(network), password: utf8(password) });
  return plainOf(Setting.wifi, plain, "a network of 1 to 32 bytes, and a password of 8 to 63 or none");
}

export function brokerValue({ host, port, tls }: BrokerPlan): Uint8Array {
  const plain = packBroker({ port: within(port, 1, MAX_PORT, "port of the broker"), tls, host: utf8(host) });
  return plainOf(Setting.broker, plain, "a host of 1 to 64 characters of ASCII");
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
