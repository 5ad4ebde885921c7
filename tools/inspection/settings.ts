// What deltas have set of a lock as a whole, as plain values. Of a master only its length ever comes out of here, and of its tag nothing.

import type { Parts } from "../../firmware/core/parts";
import type { Table } from "../../firmware/core/storage/table";
import { DENSITY_UNITS } from "../../protocol/wire/limits";
import type { HoursPolicy, LockoutPolicy } from "../../protocol/wire/settings";
import {
  MODE_NAMES,
  parseClockBound,
  parseDensity,
  parseHours,
  parseLocalCodes,
  parseLockout,
  parseMaster,
  parseRelock,
  SETTINGS,
  Setting,
  settingName,
} from "../../protocol/wire/settings";
import { isoText } from "../ui/time";
import { type HolidayView, holidaysOf, type LostHoliday } from "./holidays";

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
  readonly holidays: readonly (HolidayView | LostHoliday)[];
}

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
    holidays: holidaysOf(table),
  };
}

/** The names of all settings that were set and cannot be read any more. */
export function lostSettings(table: Table): string[] {
  const isSetting = (id: number): boolean =>
    (id > 0 && id <= Setting.clockBound) || (id >= Setting.holiday && id < SETTINGS);
  return Array.from({ length: SETTINGS }, (_, id) => id)
    .filter((id) => isSetting(id) && table.hasLost(id))
    .map(settingName);
}
