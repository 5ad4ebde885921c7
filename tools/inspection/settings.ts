// What deltas have set of a lock as a whole, as plain values. Of a master only its length ever comes out of here, and of its tag nothing.

import type { Parts } from "../../firmware/core/parts";
import type { Table } from "../../firmware/core/storage/table";
import { deniedIn, OFFLINE_KIND_NAMES } from "../../protocol/issuer/offline";
import { DENSITY_UNITS } from "../../protocol/wire/limits";
import type { HoursPolicy, LockoutPolicy } from "../../protocol/wire/settings";
import {
  MODE_NAMES,
  OFFLINE_KINDS,
  parseClockBound,
  parseDensity,
  parseHours,
  parseLeaseDays,
  parseLocalCodes,
  parseLockout,
  parseMaster,
  parseOffline,
  parseRelock,
  parseResetDelay,
  SETTINGS,
  Setting,
  settingName,
} from "../../protocol/wire/settings";
import { isoText } from "../ui/time";
import { type HolidayView, holidaysOf, type LostHoliday } from "./holidays";
import { type OfflineView, offlineView } from "./offline";

const SEALED = [Setting.alias, Setting.wifi, Setting.broker];

/** What deltas have set; null where none has, or where it is lost. */
export interface SettingsView {
  /** A POSIX TZ string. */
  readonly zone: string | null;
  /** Explicit changes of the clock, and when they end and the string is in force again. */
  readonly zoneTable: { readonly changes: number; readonly until: string } | null;
  /** The operating mode that the lock is in, "normal" where none was set. */
  readonly mode: string;
  /** 0 for never. */
  readonly relockSeconds: number | null;
  readonly master: { readonly digits: number } | null;
  /** The highest density that a put may bring about. */
  readonly densityLimit: number | null;
  readonly lockout: LockoutPolicy | null;
  readonly businessHours: HoursPolicy | null;
  /** Whether codes programmed at the keypad are allowed. */
  readonly localCodes: boolean | null;
  /** Above this error bound the clock counts as unknown, in seconds. */
  readonly clockBound: number | null;
  /** For how many days leases last, 0 for none. */
  readonly leaseDays: number | null;
  /** The secret settings that there are, by name; what they say stays in the lock. */
  readonly sealed: readonly string[];
  /** The kinds of offline codes that open, and how many of each at a time. */
  readonly offlineCodes: { readonly kinds: readonly string[]; readonly indexes: number } | null;
  /** The offline codes that are denied; null where none ever was. */
  readonly offlineDenied: readonly OfflineView[] | null;
  /** After how many hours a reset needs no consent, 0 for never. */
  readonly resetDelay: number | null;
  readonly holidays: readonly (HolidayView | LostHoliday)[];
}

function offlineOfTable(table: Table): SettingsView["offlineCodes"] {
  const policy = parsed(table, Setting.offlineCodes, parseOffline);
  if (policy === null) return null;
  const kinds = OFFLINE_KIND_NAMES.filter((_, place) => (policy.kinds & OFFLINE_KINDS[place]) !== 0);
  return { kinds, indexes: policy.indexes };
}

const deniedCodes = (value: Uint8Array): OfflineView[] => deniedIn(value).map(offlineView);

/** The setting, parsed; null for none. */
function parsed<T>(table: Table, id: number, parse: (value: Uint8Array) => T | undefined): T | null {
  const value = table.setting(id)?.slice();
  return (value && parse(value)) ?? null;
}

/** All that deltas have set. */
export function settingsOf({ table, policy }: Parts): SettingsView {
  const zone = table.setting(Setting.zone)?.slice();
  const { transitions } = policy.zone;
  const master = parsed(table, Setting.master, parseMaster)?.digits ?? 0;
  const density = parsed(table, Setting.density, parseDensity);
  const hours = parsed(table, Setting.businessHours, parseHours);
  return {
    zone: zone === undefined ? null : Buffer.from(zone).toString("latin1").split("\0")[0],
    zoneTable:
      transitions === undefined
        ? null
        : { changes: transitions.at.length - 1, until: isoText(transitions.at[transitions.at.length - 1]) },
    mode: MODE_NAMES[policy.mode],
    relockSeconds: parsed(table, Setting.relockSeconds, parseRelock),
    master: master === 0 ? null : { digits: master },
    densityLimit: density === null ? null : density / DENSITY_UNITS,
    lockout: parsed(table, Setting.lockout, parseLockout),
    businessHours: hours === null || hours.schedule === 0 ? null : hours,
    localCodes: parsed(table, Setting.localCodes, parseLocalCodes),
    clockBound: parsed(table, Setting.clockBound, parseClockBound),
    leaseDays: parsed(table, Setting.leaseDays, parseLeaseDays),
    sealed: SEALED.filter((id) => table.setting(id) !== undefined).map(settingName),
    offlineCodes: offlineOfTable(table),
    offlineDenied: parsed(table, Setting.offlineDenied, deniedCodes),
    resetDelay: parsed(table, Setting.resetDelay, parseResetDelay),
    holidays: holidaysOf(table),
  };
}

/** The names of all settings that were set and cannot be read any more. */
export function lostSettings(table: Table): string[] {
  return Array.from({ length: SETTINGS }, (_, id) => id)
    .filter((id) => id > 0 && table.hasLost(id))
    .map(settingName);
}
