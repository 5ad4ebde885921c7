// Settings: what `set` deltas name, and the bytes of each value, for both ends of the wire: the issuer packs, the lock parses. A
// parser gives a typed value, or undefined for bytes that are no value of this setting; nothing downstream checks again.

import { getU16, getU24, getU32, putU16, putU24, putU32 } from "./bytes";
import { weekdayOfDay } from "./civil";
import { Code } from "./codes";
import {
  MAX_ALIAS_BYTES,
  MAX_LEASE_DAYS,
  MAX_PIN_DIGITS,
  MAX_SETTING_BYTES,
  MIN_PIN_DIGITS,
  SEAL_NONCE_BYTES,
  SEAL_TAG_BYTES,
  TAG_BYTES,
} from "./limits";
import { isUtf8 } from "./utf8";

/** Numbers of settings. Holiday n of 0 to 63 is setting `holiday + n`. */
export const Setting = {
  zone: 1,
  mode: 2,
  relockSeconds: 3,
  master: 4,
  density: 5,
  lockout: 6,
  businessHours: 7,
  localCodes: 8,
  clockBound: 9,
  leaseDays: 10,
  alias: 11,
  wifi: 12,
  broker: 13,
  offlineCodes: 14,
  resetDelay: 15,
  holiday: 16,
  offlineDenied: 80,
} as const;
/** Names of the settings before the holidays, by number. */
const NAMES: readonly string[] = [
  "none",
  "zone",
  "mode",
  "relock-seconds",
  "master",
  "density",
  "lockout",
  "business-hours",
  "local-codes",
  "clock-bound",
  "lease-days",
  "alias",
  "wifi",
  "broker",
  "offline-codes",
  "reset-delay",
];
/** How many holidays there are (rule T7). */
export const MAX_HOLIDAYS = 64;
/** Settings have numbers below this. */
export const SETTINGS = Setting.offlineDenied + 1;

/** Whether a setting is one of the holidays. */
export const isHoliday = (id: number): boolean =>
  id >= Setting.holiday && id < Setting.holiday + MAX_HOLIDAYS;

/** The name of a setting; `setting-<n>` for one that this version does not know. */
export function settingName(id: number): string {
  if (isHoliday(id)) return `holiday-${id - Setting.holiday}`;
  if (id === Setting.offlineDenied) return "offline-denied";
  return NAMES[id] ?? `setting-${id}`;
}

/** Operating modes (rules A60, M2). */
export const Mode = { normal: 0, tour: 1, resident: 2 } as const;
export const MODE_NAMES: readonly string[] = ["normal", "tour", "resident"];

/** The longest automatic relock, in seconds. */
export const MAX_RELOCK_SECONDS = 3600;

/** The one byte that takes a master, a holiday or all denied codes away. */
const NONE = 0;
const isNone = (value: Uint8Array): boolean => value.length === 1 && value[0] === NONE;

/** What takes a master, a holiday or all denied codes away. */
export const packNone = (): Uint8Array => new Uint8Array([NONE]);

function packU16(value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  putU16(bytes, 0, value);
  return bytes;
}

/** A u16 between two limits that is a whole value; undefined for anything else. */
function parseU16(value: Uint8Array, low: number, high: number): number | undefined {
  if (value.length !== 2) return undefined;
  const number = getU16(value, 0);
  return number >= low && number <= high ? number : undefined;
}

// ---- mode and relock (rules A60, M6)

/** The operating mode; undefined for none that this version knows. */
export function parseMode(value: Uint8Array): number | undefined {
  return value.length === 1 && value[0] <= Mode.resident ? value[0] : undefined;
}

/** Seconds until the door locks itself again, 0 for never. */
export const parseRelock = (value: Uint8Array): number | undefined => parseU16(value, 0, MAX_RELOCK_SECONDS);
export const packRelock = packU16;

// ---- the master (rule C17)

/** The code that opens whatever the mode and the hours are. */
export interface Master {
  /** 4 to 10, 0 for no master. */
  readonly digits: number;
  /** 12 bytes, a view; empty for no master. */
  readonly tag: Uint8Array;
}

/** digits ‖ tag, or one byte 0. */
export function parseMaster(value: Uint8Array): Master | undefined {
  if (isNone(value)) return { digits: 0, tag: value.subarray(1) };
  const fits = value.length === 1 + TAG_BYTES && value[0] >= MIN_PIN_DIGITS && value[0] <= MAX_PIN_DIGITS;
  return fits ? { digits: value[0], tag: value.subarray(1) } : undefined;
}

export function packMaster({ digits, tag }: Master): Uint8Array {
  const bytes = new Uint8Array(1 + TAG_BYTES);
  bytes[0] = digits;
  bytes.set(tag, 1);
  return bytes;
}

// ---- the density guard (rule C18)

/** The highest density ρ that a put may bring about, in units of 10⁻¹⁰. */
export function parseDensity(value: Uint8Array): number | undefined {
  const limit = value.length === 4 ? getU32(value, 0) : 0;
  return limit > 0 ? limit : undefined;
}

export function packDensity(limit: number): Uint8Array {
  const bytes = new Uint8Array(4);
  putU32(bytes, 0, limit);
  return bytes;
}

// ---- the lockout (rule X1)

/** Wrong entries before the first wait: no policy may allow more. */
export const MAX_LOCKOUT_TRIES = 5;
/** The longest that a policy may make every wait: a day. */
export const MAX_LOCKOUT_MINUTES = 1440;

/** How strict the keypad is with wrong entries; never laxer than the rule. */
export interface LockoutPolicy {
  /** The wrong entry that begins the first wait, 1 to 5. */
  readonly tries: number;
  /** No wait is shorter, in minutes, 0 to 1440. */
  readonly leastMinutes: number;
}

/** tries ‖ least wait in minutes, u16 */
export function parseLockout(value: Uint8Array): LockoutPolicy | undefined {
  if (value.length !== 3 || value[0] < 1 || value[0] > MAX_LOCKOUT_TRIES) return undefined;
  const leastMinutes = getU16(value, 1);
  return leastMinutes <= MAX_LOCKOUT_MINUTES ? { tries: value[0], leastMinutes } : undefined;
}

export function packLockout({ tries, leastMinutes }: LockoutPolicy): Uint8Array {
  const bytes = new Uint8Array(3);
  bytes[0] = tries;
  putU16(bytes, 1, leastMinutes);
  return bytes;
}

// ---- business hours (rule T16)

/** The longest grace period, in minutes: half a day. */
export const MAX_GRACE_MINUTES = 720;
const FIRST_IN_NEEDED = 1;

/** When the door unlocks itself, and whom it waits for. */
export interface HoursPolicy {
  /** The schedule of the hours, 0 for none. */
  readonly schedule: number;
  /** Whether a first-in person must have opened before the door unlocks itself. */
  readonly firstIn: boolean;
  /** How long before the start a first-in counts, in minutes. */
  readonly graceMinutes: number;
}

/** schedule ‖ flags ‖ grace in minutes, u16 */
export function parseHours(value: Uint8Array): HoursPolicy | undefined {
  if (value.length !== 4 || value[1] > FIRST_IN_NEEDED) return undefined;
  const graceMinutes = getU16(value, 2);
  if (graceMinutes > MAX_GRACE_MINUTES) return undefined;
  return { schedule: value[0], firstIn: value[1] === FIRST_IN_NEEDED, graceMinutes };
}

export function packHours({ schedule, firstIn, graceMinutes }: HoursPolicy): Uint8Array {
  const bytes = new Uint8Array(4);
  bytes[0] = schedule;
  bytes[1] = firstIn ? FIRST_IN_NEEDED : 0;
  putU16(bytes, 2, graceMinutes);
  return bytes;
}

// ---- codes programmed at the keypad (rule C24)

/** Whether an administrator may program codes at the keypad, and whether those that are there open. */
export function parseLocalCodes(value: Uint8Array): boolean | undefined {
  return value.length === 1 && value[0] <= 1 ? value[0] === 1 : undefined;
}

export const packLocalCodes = (allowed: boolean): Uint8Array => new Uint8Array([allowed ? 1 : 0]);

// ---- the clock (rule T11)

/** The laxest policy for the error bound of the clock, in seconds: above an hour no schedule means anything. */
export const MAX_CLOCK_BOUND_S = 3600;

/** The error bound above which the clock counts as unknown, in seconds. */
export const parseClockBound = (value: Uint8Array): number | undefined =>
  parseU16(value, 1, MAX_CLOCK_BOUND_S);
export const packClockBound = packU16;

// ---- leases and reset (rules S12, X11)

/** For how many days an issuer's word is good for slots with the flag lease, 0 for ever. */
export const parseLeaseDays = (value: Uint8Array): number | undefined => parseU16(value, 0, MAX_LEASE_DAYS);
export const packLeaseDays = packU16;

/** The longest delay of a factory reset without the owner's consent, in hours: four weeks. */
export const MAX_RESET_DELAY_H = 672;

/** After how many hours of power a factory reset at the lock happens without the owner's consent, 0 for never. */
export const parseResetDelay = (value: Uint8Array): number | undefined =>
  parseU16(value, 0, MAX_RESET_DELAY_H);
export const packResetDelay = packU16;

// ---- offline codes (rule C23)

/** Kinds of offline codes, as bits. */
export const OfflineKind = { day: 1, minutes: 2, once: 4, week: 8 } as const;
/** The same by their places. */
export const OFFLINE_KINDS: readonly number[] = [
  OfflineKind.day,
  OfflineKind.minutes,
  OfflineKind.once,
  OfflineKind.week,
];
const ALL_OFFLINE_KINDS = 15;
/** Codes of one kind that open at a time. */
export const MAX_OFFLINE_INDEXES = 8;

/** Which offline codes open. */
export interface OfflinePolicy {
  /** Bits of {@link OfflineKind}, 0 for none. */
  readonly kinds: number;
  /** Indexes 0 to before this are good. */
  readonly indexes: number;
}

/** kinds ‖ indexes */
export function parseOffline(value: Uint8Array): OfflinePolicy | undefined {
  if (value.length !== 2 || value[0] > ALL_OFFLINE_KINDS) return undefined;
  const fits = value[1] >= 1 && value[1] <= MAX_OFFLINE_INDEXES;
  return fits ? { kinds: value[0], indexes: value[1] } : undefined;
}

export const packOffline = ({ kinds, indexes }: OfflinePolicy): Uint8Array =>
  new Uint8Array([kinds, indexes]);

/** One offline code. */
export interface OfflineCode {
  /** One of {@link OfflineKind}. */
  readonly kind: number;
  /** 0 to 7. */
  readonly index: number;
  /** The local date on which it is good, or the Monday of the week, in days since 1970-01-01. */
  readonly window: number;
}

const WINDOWS = 0x10000;
const MONDAY = 1;

/** The number of an offline code, also in events: (place of its kind × 8 + index) × 2¹⁶ + the low 16 bits of its window. */
export function offlineNumber(place: number, index: number, window: number): number {
  return (place * MAX_OFFLINE_INDEXES + index) * WINDOWS + (window % WINDOWS);
}

/** What has this number, of windows up to 65535; undefined where no code has it. */
export function offlineOf(number: number): OfflineCode | undefined {
  const kind = OFFLINE_KINDS[Math.floor(number / (MAX_OFFLINE_INDEXES * WINDOWS))];
  const window = number % WINDOWS;
  if (kind === undefined || (kind === OfflineKind.week && weekdayOfDay(window) !== MONDAY)) return undefined;
  return { kind, index: Math.floor(number / WINDOWS) % MAX_OFFLINE_INDEXES, window };
}

/** Codes that are denied at a time. */
export const MAX_OFFLINE_DENIED = 8;
const DENIED_BYTES = 3;

/** The numbers of the codes that are denied though their kind is switched on, strictly ascending, 3 bytes each; or one byte 0 for none. */
export function parseOfflineDenied(value: Uint8Array): readonly number[] | undefined {
  const numbers: number[] = [];
  if (isNone(value)) return numbers;
  if (!isDeniedLength(value.length)) return undefined;
  let last = -1;
  for (let at = 0; at < value.length; at += DENIED_BYTES) {
    const number = getU24(value, at);
    if (number <= last || offlineOf(number) === undefined) return undefined;
    numbers.push(number);
    last = number;
  }
  return numbers;
}

const isDeniedLength = (length: number): boolean =>
  length > 0 && length % DENIED_BYTES === 0 && length <= DENIED_BYTES * MAX_OFFLINE_DENIED;

/** The numbers must ascend. */
export function packOfflineDenied(numbers: readonly number[]): Uint8Array {
  if (numbers.length === 0) return packNone();
  const bytes = new Uint8Array(DENIED_BYTES * numbers.length);
  for (let i = 0; i < numbers.length; i++) putU24(bytes, DENIED_BYTES * i, numbers[i]);
  return bytes;
}

// ---- what is sealed on its way (rules X5, P5, A63): the value is nonce ‖ sealed bytes, and this is what is in them

/** Whether a setting's value is sealed for its lock. */
export const isSealed = (id: number): boolean =>
  id === Setting.alias || id === Setting.wifi || id === Setting.broker;

/** A lock's name, 1 to 32 bytes of UTF-8. */
export function parseAlias(plain: Uint8Array): Uint8Array | undefined {
  const fits = plain.length >= 1 && plain.length <= MAX_ALIAS_BYTES && isUtf8(plain, 0, plain.length);
  return fits ? plain : undefined;
}

/** IEEE 802.11: 1 to 32 bytes name a network; a WPA passphrase has 8 to 63, an open network none. */
export interface Wifi {
  readonly network: Uint8Array;
  readonly password: Uint8Array;
}
const MAX_NETWORK_BYTES = 32;
const MIN_PASSWORD_BYTES = 8;
const MAX_PASSWORD_BYTES = 63;

/** length of the name ‖ name ‖ password */
export function parseWifi(plain: Uint8Array): Wifi | undefined {
  const length = plain.length > 0 ? plain[0] : 0;
  if (length < 1 || length > MAX_NETWORK_BYTES || plain.length < 1 + length) return undefined;
  const password = plain.subarray(1 + length);
  const isOpen = password.length === 0;
  if (!isOpen && (password.length < MIN_PASSWORD_BYTES || password.length > MAX_PASSWORD_BYTES))
    return undefined;
  return { network: plain.subarray(1, 1 + length), password };
}

export function packWifi({ network, password }: Wifi): Uint8Array {
  const bytes = new Uint8Array(1 + network.length + password.length);
  bytes[0] = network.length;
  bytes.set(network, 1);
  bytes.set(password, 1 + network.length);
  return bytes;
}

/** Where the broker of the site is. */
export interface Broker {
  readonly port: number;
  readonly tls: boolean;
  /** A host name or an address, ASCII. */
  readonly host: Uint8Array;
}
const MAX_HOST_BYTES = 64;

/** port, u16 ‖ 1 for TLS, else 0 ‖ host */
export function parseBroker(plain: Uint8Array): Broker | undefined {
  if (plain.length < 4 || plain.length > 3 + MAX_HOST_BYTES || plain[2] > 1) return undefined;
  const port = getU16(plain, 0);
  const host = plain.subarray(3);
  for (const byte of host) if (byte <= 0x20 || byte >= 0x7f) return undefined;
  return port > 0 ? { port, tls: plain[2] === 1, host } : undefined;
}

export function packBroker({ port, tls, host }: Broker): Uint8Array {
  const bytes = new Uint8Array(3 + host.length);
  putU16(bytes, 0, port);
  bytes[2] = tls ? 1 : 0;
  bytes.set(host, 3);
  return bytes;
}

/** Whether the plain bytes of a sealed setting mean something. */
export function isPlain(id: number, plain: Uint8Array): boolean {
  if (id === Setting.alias) return parseAlias(plain) !== undefined;
  if (id === Setting.wifi) return parseWifi(plain) !== undefined;
  return parseBroker(plain) !== undefined;
}

// ---- holidays (rule T7)

/** The most days of one holiday: a leap year. */
export const MAX_HOLIDAY_DAYS = 366;
const HOLIDAY_BYTES = 6;
/** Bits of the roles that there are. */
const ALL_ROLES = 0x7f;
/** In place of a mode. */
export const NO_MODE = 0xff;

/** Local dates on which the lock is another: either some roles are refused, or the operating mode is another. */
export interface Holiday {
  /** The first date in days since 1970-01-01. */
  readonly first: number;
  /** How many dates, 0 for no holiday. */
  readonly days: number;
  /** A bit for each `Role` that is refused, 0 for none. */
  readonly roles: number;
  /** The operating mode, {@link NO_MODE} where it stays as it is. */
  readonly mode: number;
}

/** first day, u16 ‖ days, u16 ‖ roles ‖ mode, or one byte 0 */
export function parseHoliday(value: Uint8Array): Holiday | undefined {
  if (isNone(value)) return { first: 0, days: 0, roles: 0, mode: NO_MODE };
  if (value.length !== HOLIDAY_BYTES) return undefined;
  const holiday = { first: getU16(value, 0), days: getU16(value, 2), roles: value[4], mode: value[5] };
  const { first, days, roles, mode } = holiday;
  if (days < 1 || days > MAX_HOLIDAY_DAYS || first + days > 0xffff) return undefined;
  const blocks = roles !== 0 && (roles & ~ALL_ROLES) === 0 && mode === NO_MODE;
  const changes = roles === 0 && mode <= Mode.resident;
  return blocks || changes ? holiday : undefined;
}

export function packHoliday({ first, days, roles, mode }: Holiday): Uint8Array {
  const bytes = new Uint8Array(HOLIDAY_BYTES);
  putU16(bytes, 0, first);
  putU16(bytes, 2, days);
  bytes[4] = roles;
  bytes[5] = mode;
  return bytes;
}

// ---- all of them

const ONE_BYTE = 1;

/** Whether a value has a length that its setting can have. */
function hasLength(id: number, length: number): boolean {
  if (isHoliday(id)) return length === HOLIDAY_BYTES || length === ONE_BYTE;
  if (isSealed(id)) return length > SEAL_NONCE_BYTES + SEAL_TAG_BYTES && length <= MAX_SETTING_BYTES;
  switch (id) {
    case Setting.mode:
    case Setting.localCodes:
      return length === ONE_BYTE;
    case Setting.relockSeconds:
    case Setting.clockBound:
    case Setting.leaseDays:
    case Setting.offlineCodes:
    case Setting.resetDelay:
      return length === 2;
    case Setting.master:
      return length === 1 + TAG_BYTES || length === ONE_BYTE;
    case Setting.lockout:
      return length === 3;
    case Setting.offlineDenied:
      return isDeniedLength(length) || length === ONE_BYTE;
    default:
      return length === 4;
  }
}

/** Whether a value of the right length means something. */
function hasMeaning(id: number, value: Uint8Array): boolean {
  if (isHoliday(id)) return parseHoliday(value) !== undefined;
  switch (id) {
    case Setting.relockSeconds:
      return parseRelock(value) !== undefined;
    case Setting.master:
      return parseMaster(value) !== undefined;
    case Setting.density:
      return parseDensity(value) !== undefined;
    case Setting.lockout:
      return parseLockout(value) !== undefined;
    case Setting.businessHours:
      return parseHours(value) !== undefined;
    case Setting.localCodes:
      return parseLocalCodes(value) !== undefined;
    case Setting.leaseDays:
      return parseLeaseDays(value) !== undefined;
    case Setting.offlineCodes:
      return parseOffline(value) !== undefined;
    case Setting.offlineDenied:
      return parseOfflineDenied(value) !== undefined;
    case Setting.resetDelay:
      return parseResetDelay(value) !== undefined;
    case Setting.clockBound:
      return parseClockBound(value) !== undefined;
    default:
      // What is sealed only the lock can open.
      return true;
  }
}

/**
 * What a lock answers to a value as such: applied, bad-format for a wrong length, range, or unsupported for a setting or a mode of
 * another version. The zone has a grammar of its own, and whether a schedule is there or a master is in use is for the table to say.
 */
export function checkSetting(id: number, value: Uint8Array): number {
  if (id === Setting.zone) return Code.applied;
  if (id <= 0 || id >= SETTINGS) return Code.unsupported;
  if (!hasLength(id, value.length)) return Code.badFormat;
  if (id === Setting.mode) return parseMode(value) === undefined ? Code.unsupported : Code.applied;
  return hasMeaning(id, value) ? Code.applied : Code.range;
}
