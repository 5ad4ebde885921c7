// A lock's holidays (rule T7) as plain values: all of them, and those that are in force at an instant.

import { localTime, nextTransition, type Zone } from "../../firmware/core/calendar";
import type { Instant } from "../../firmware/core/clock";
import type { Parts } from "../../firmware/core/parts";
import type { Table } from "../../firmware/core/storage/table";
import { ROLE_NAMES, Role } from "../../protocol/wire/entry";
import { Trust } from "../../protocol/wire/receipt";
import {
  type Holiday,
  MAX_HOLIDAYS,
  MODE_NAMES,
  NO_MODE,
  parseHoliday,
  Setting,
} from "../../protocol/wire/settings";
import { dateText } from "../ui/time";

/** A holiday. Dates are local, such as 2027-12-24, the last one included. */
export interface HolidayView {
  readonly number: number;
  readonly lost: false;
  readonly first: string;
  readonly last: string;
  /** The roles that it refuses; with none it sets the mode. */
  readonly refuses: readonly string[];
  readonly mode: string | null;
}

/** A holiday that cannot be read any more: it refuses everybody but administrators, always. */
export interface LostHoliday {
  readonly number: number;
  readonly lost: true;
}

/** A holiday by its number, as it is set; undefined for none, "lost" for one that cannot be read. */
function holidayOf(table: Table, number: number): Holiday | "lost" | undefined {
  const value = table.setting(Setting.holiday + number);
  if (value === undefined) return table.hasLost(Setting.holiday + number) ? "lost" : undefined;
  const holiday = parseHoliday(value);
  return holiday === undefined || holiday.days === 0 ? undefined : holiday;
}

/** The holidays of one kind, by number. */
function holidaysWhere(
  table: Table,
  isWanted: (holiday: Holiday | "lost") => boolean,
): (HolidayView | LostHoliday)[] {
  const views: (HolidayView | LostHoliday)[] = [];
  for (let number = 0; number < MAX_HOLIDAYS; number++) {
    const holiday = holidayOf(table, number);
    if (holiday !== undefined && isWanted(holiday)) views.push(viewOf(number, holiday));
  }
  return views;
}

/** All holidays that are set, by number. */
export const holidaysOf = (table: Table): (HolidayView | LostHoliday)[] => holidaysWhere(table, () => true);

/**
 * The holidays that are in force on any of the dates that it may be, and that refuse the role or set a mode; none for no role, and
 * while the time is unknown only those that are lost, which are in force always.
 */
export function holidaysInForce(
  { table, policy }: Parts,
  role: number | undefined,
  clock: Instant,
): (HolidayView | LostHoliday)[] {
  if (role === undefined) return [];
  const days = datesOf(policy.zone, clock);
  return holidaysWhere(table, (holiday) => {
    if (holiday === "lost") return role !== Role.admin;
    const { first, roles, mode } = holiday;
    if (((roles >> role) & 1) === 0 && mode === NO_MODE) return false;
    return days.some((day) => day >= first && day < first + holiday.days);
  });
}

/** The local dates that it may be, within the error bound; none while the time is unknown. */
function datesOf(zone: Zone, { trust, now, bound }: Instant): number[] {
  if (trust === Trust.unknown) return [];
  const instants = [now - bound, now + bound];
  // Where the clock is set back just after midnight, a date comes for a moment, goes, and comes again.
  const leap = nextTransition(zone, now - bound);
  if (leap !== 0 && leap <= now + bound) instants.push(leap - 1);
  return instants.map((instant) => localTime(zone, instant).day);
}

/** The numbers of those that are lost. */
export function lostNumbers(holidays: readonly (HolidayView | LostHoliday)[]): number[] {
  return holidays.flatMap(({ lost, number }) => (lost ? [number] : []));
}

function viewOf(number: number, holiday: Holiday | "lost"): HolidayView | LostHoliday {
  if (holiday === "lost") return { number, lost: true };
  const { first, days, roles, mode } = holiday;
  return {
    number,
    lost: false,
    first: dateText(first),
    last: dateText(first + days - 1),
    refuses: ROLE_NAMES.filter((_, role) => ((roles >> role) & 1) !== 0),
    mode: mode === NO_MODE ? null : MODE_NAMES[mode],
  };
}
