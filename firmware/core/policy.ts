// What deltas have set of the lock as a whole, as numbers: read from the table once, and again when a setting changes. Where a
// setting cannot be read any more, the lock takes the value that lets in the fewest.

import { DENSITY_LIMIT } from "../../protocol/wire/limits";
import type { HoursPolicy, LockoutPolicy, Master, OfflinePolicy } from "../../protocol/wire/settings";
import {
  MAX_HOLIDAYS,
  MAX_LOCKOUT_TRIES,
  Mode,
  parseClockBound,
  parseDensity,
  parseHoliday,
  parseHours,
  parseLeaseDays,
  parseLocalCodes,
  parseLockout,
  parseMaster,
  parseMode,
  parseOffline,
  parseOfflineDenied,
  parseRelock,
  parseResetDelay,
  Setting,
} from "../../protocol/wire/settings";
import type { Zone } from "./calendar";
import { parseZoneSetting, UTC0 } from "./calendar";
import { MAX_BOUND_S } from "./clock";
import { Holidays } from "./holidays";
import { commandedMode } from "./overlay";
import type { Table } from "./storage/table";

/** A door locks itself again after this many seconds, unless its setting says otherwise (rule M6). */
const DEFAULT_RELOCK_S = 5;
/** As good as no clock: what a lock takes that does not know any more how far off its clock may be. */
const STRICTEST_BOUND_S = 1;
/** What a lock takes that does not know any more how long its leases are. */
const SHORTEST_LEASE_DAYS = 1;
const NO_OFFLINE: OfflinePolicy = { kinds: 0, indexes: 1 };
const NONE_DENIED: readonly number[] = [];
const NO_MASTER: Master = { digits: 0, tag: new Uint8Array(0) };
const USUAL_LOCKOUT: LockoutPolicy = { tries: MAX_LOCKOUT_TRIES, leastMinutes: 0 };
const STRICTEST_LOCKOUT: LockoutPolicy = { tries: 1, leastMinutes: 0 };

export class Policy {
  zone: Zone = UTC0;
  /** Whether the zone was set and cannot be read any more: then no schedule can be judged. */
  isZoneLost = false;
  /** See `Mode` of the protocol. */
  mode: number = Mode.normal;
  /** 0 for never. */
  relockSeconds = DEFAULT_RELOCK_S;
  master: Master = NO_MASTER;
  /** The highest density that a put may bring about, in units of 10⁻¹⁰ (rule C18). */
  densityLimit = DENSITY_LIMIT;
  lockout: LockoutPolicy = USUAL_LOCKOUT;
  /** Undefined for a door without business hours. */
  hours: HoursPolicy | undefined;
  /** Whether codes programmed at the keypad open (rule C24). */
  localCodes = true;
  /** The error bound above which the clock counts as unknown, in seconds (rule T11). */
  clockBound = MAX_BOUND_S;
  /** Which offline codes open (rule C23). */
  offline: OfflinePolicy = NO_OFFLINE;
  /** Numbers of those that are denied all the same; undefined for all of them. */
  offlineDenied: readonly number[] | undefined = NONE_DENIED;
  /** After how many hours a factory reset that nobody objects to happens, 0 for never (rule X11). */
  resetDelay = 0;
  /** For how many days the issuer's word is good for slots with the flag lease, 0 for ever (rule S12). */
  leaseDays = 0;
  readonly holidays = new Holidays();
  /** Counts readings, for whoever keeps something that depends on them. */
  version = 0;

  /** Reads everything anew. */
  read(table: Table): void {
    this.version++;
    const zone = table.setting(Setting.zone);
    this.zone = (zone && parseZoneSetting(zone)) ?? UTC0;
    this.isZoneLost = table.hasLost(Setting.zone);
    const commanded = commandedMode(table);
    this.mode = commanded ?? settingOr(table, Setting.mode, parseMode, Mode.normal, Mode.resident);
    this.relockSeconds = settingOr(
      table,
      Setting.relockSeconds,
      parseRelock,
      DEFAULT_RELOCK_S,
      DEFAULT_RELOCK_S,
    );
    const master = table.setting(Setting.master);
    this.master = (master && parseMaster(master.slice())) ?? NO_MASTER;
    this.densityLimit = settingOr(table, Setting.density, parseDensity, DENSITY_LIMIT, DENSITY_LIMIT);
    this.lockout = settingOr(table, Setting.lockout, parseLockout, USUAL_LOCKOUT, STRICTEST_LOCKOUT);
    const hours = table.setting(Setting.businessHours);
    this.hours = hours && parseHours(hours);
    this.localCodes = settingOr(table, Setting.localCodes, parseLocalCodes, true, false);
    this.clockBound = settingOr(table, Setting.clockBound, parseClockBound, MAX_BOUND_S, STRICTEST_BOUND_S);
    this.offline = settingOr(table, Setting.offlineCodes, parseOffline, NO_OFFLINE, NO_OFFLINE);
    this.offlineDenied = settingOr(table, Setting.offlineDenied, parseOfflineDenied, NONE_DENIED, undefined);
    this.resetDelay = settingOr(table, Setting.resetDelay, parseResetDelay, 0, 0);
    this.leaseDays = settingOr(table, Setting.leaseDays, parseLeaseDays, 0, SHORTEST_LEASE_DAYS);
    this.holidays.clear();
    for (let n = 0; n < MAX_HOLIDAYS; n++) this.readHoliday(table, n);
  }

  private readHoliday(table: Table, n: number): void {
    const value = table.setting(Setting.holiday + n);
    const isLost = value === undefined && table.hasLost(Setting.holiday + n);
    if (value !== undefined || isLost) this.holidays.put(n, value && parseHoliday(value));
  }
}

/** A setting's value: `unset` where no delta set it, `lost` where it cannot be read any more. */
function settingOr<T, L extends T | undefined>(
  table: Table,
  id: number,
  parse: (value: Uint8Array) => T | undefined,
  unset: T,
  lost: L,
): T | L {
  const value = table.setting(id);
  if (value !== undefined) return parse(value) ?? lost;
  return table.hasLost(id) ? lost : unset;
}
