// What deltas have set of a lock, its holidays, its business hours and its keypad, as sections of a page.

import type { Zone } from "../../firmware/core/calendar";
import type { Policy } from "../../firmware/core/policy";
import { DENSITY_UNITS } from "../../protocol/wire/limits";
import { type HolidayView, type LostHoliday, lostNumbers } from "../inspection/holidays";
import type { HoursView } from "../inspection/hours";
import type { LocalCodeView, LockoutView, LostLocalCode } from "../inspection/keypad";
import type { SettingsView } from "../inspection/settings";
import { rangesText, wrapped } from "./numbers";
import { columns, fields, paragraphs } from "./table";
import type { Colours } from "./terminal";
import { wallText } from "./time";
import { count, durationText, rolesText } from "./words";

/** What fits behind the dates of a holiday, indented twice. */
const DEED_COLUMNS = 46;
/** What fits before the dates, or in the column of a place. */
const NUMBER_COLUMNS = 6;
const ORDINALS = ["", "1st", "2nd", "3rd", "4th", "5th"] as const;

/** Every setting with what the lock makes of it. `lost` are the names of those that cannot be read. */
export function settingRows(
  settings: SettingsView,
  policy: Policy,
  lost: readonly string[],
  { red }: Colours,
): [string, string][] {
  const { master, densityLimit, lockout, localCodes, clockBound, relockSeconds } = settings;
  const isLost = (name: string): boolean => lost.includes(name);
  /** What holds, after a word on where it comes from. */
  const told = (name: string, value: unknown, text: string): string => {
    if (isLost(name)) return `${red("lost")}: ${text}`;
    return value === null ? `not set: ${text}` : text;
  };
  const none = (name: string): string => (isLost(name) ? red("lost") : "none");
  const codes = policy.localCodes ? "allowed" : "forbidden, those there open nothing";
  const wait = policy.lockout.leastMinutes;
  const waits = `waits from the ${ORDINALS[policy.lockout.tries]} wrong entry on`;
  return [
    ["zone", isLost("zone") ? red("lost") : zoneText(settings, policy.zone)],
    ["mode", isLost("mode") ? `${red("lost")}: ${settings.mode}` : settings.mode],
    ["relock", told("relock-seconds", relockSeconds, relockText(policy.relockSeconds))],
    ["master", master === null ? none("master") : `set, ${master.digits} digits`],
    [
      "density",
      told("density", densityLimit, `ρ up to ${rhoText(policy.densityLimit / DENSITY_UNITS)} by a put`),
    ],
    [
      "lockout",
      told("lockout", lockout, wait === 0 ? waits : `${waits}, ${durationText(wait * 60)} at least`),
    ],
    ["hours", settings.businessHours === null ? none("business-hours") : hoursRule(settings.businessHours)],
    ["local codes", told("local-codes", localCodes, codes)],
    [
      "clock bound",
      told("clock-bound", clockBound, `above ${count(policy.clockBound, "second")} the time is unknown`),
    ],
    ["leases", told("lease-days", settings.leaseDays, leaseText(policy.leaseDays))],
    ["sealed", sealedText(settings, lost, red)],
    ["offline", told("offline-codes", settings.offlineCodes, offlineText(settings.offlineCodes))],
    ["denied", isLost("offline-denied") ? `${red("lost")}: no offline code opens` : deniedText(settings)],
    ["reset delay", told("reset-delay", settings.resetDelay, resetText(policy.resetDelay))],
  ];
}

const SEALED: readonly string[] = ["alias", "wifi", "broker"];
const CODES_COLUMNS = 60;

const leaseText = (days: number): string => (days === 0 ? "none" : `for ${count(days, "day")}`);

const resetText = (hours: number): string =>
  hours === 0 ? "never without the owner's consent" : `after ${hours} h without the owner's consent`;

function sealedText({ sealed }: SettingsView, lost: readonly string[], red: Colours["red"]): string {
  const words = SEALED.flatMap((name) => {
    if (lost.includes(name)) return [`${name} ${red("lost")}`];
    return sealed.includes(name) ? [`${name} set`] : [];
  });
  return words.length === 0 ? "none" : words.join(", ");
}

function offlineText(policy: SettingsView["offlineCodes"]): string {
  if (policy === null || policy.kinds.length === 0) return "no code opens";
  return `${policy.kinds.join(", ")}: ${policy.indexes} of each at a time`;
}

/** Denied codes by date, in lines of a few. */
function deniedText({ offlineDenied }: SettingsView): string {
  if (offlineDenied === null || offlineDenied.length === 0) return "none";
  const codes = offlineDenied.map(({ kind, index, date }) => `${kind} ${index} of ${date}`);
  return wrapped(codes, CODES_COLUMNS).join(",\n");
}

/** A density, to three digits that count. */
export const rhoText = (rho: number): string => String(Number(rho.toPrecision(3)));

function relockText(seconds: number): string {
  return seconds === 0 ? "never by itself" : `after ${seconds} s`;
}

function zoneText({ zone, zoneTable }: SettingsView, of: Zone): string {
  if (zone === null) return "not set: UTC";
  if (zoneTable === null) return zone;
  const until = wallText(of, Date.parse(zoneTable.until) / 1000);
  return `${zone},\nwith a table of ${count(zoneTable.changes, "change")} until ${until}`;
}

function hoursRule({ schedule, firstIn, graceMinutes }: NonNullable<SettingsView["businessHours"]>): string {
  if (!firstIn) return `schedule ${schedule}, by itself`;
  const early = graceMinutes === 0 ? "" : `, ${graceMinutes} min early at most`;
  return `schedule ${schedule}, after a first-in person${early}`;
}

/** Holidays with their dates and what they do. */
export function holidaysText(holidays: readonly (HolidayView | LostHoliday)[], colours: Colours): string {
  const rows = holidays.flatMap((holiday) =>
    holiday.lost ? [] : [[String(holiday.number), holiday.first, holiday.last, holidayDeed(holiday)]],
  );
  const lost = lostNumbers(holidays);
  if (lost.length > 0) rows.push([rangesIn(lost), colours.red("lost"), "", LOST_DEED]);
  return columns(["id", "first", "last", "on these dates"], rows, [0], colours);
}

/** What a holiday does that cannot be read. */
export const LOST_DEED = "everybody but admin is refused, always";

/** Numbers in lines of a few ranges each, for a narrow column. */
const rangesIn = (numbers: readonly number[]): string =>
  wrapped(rangesText(numbers).split(", "), NUMBER_COLUMNS).join(",\n");

/** What a holiday does, in lines of at most 46 columns. */
export function holidayDeed(holiday: HolidayView): string {
  if (holiday.mode !== null) return `the mode is ${holiday.mode}`;
  return wrapped(`refused: ${rolesText(holiday.refuses)}`.split(" "), DEED_COLUMNS, " ").join("\n");
}

/** How business hours stand. `windows` are those of their schedule, null for a damaged one. */
export function hoursText(
  hours: HoursView,
  { businessHours }: SettingsView,
  windows: readonly string[] | null,
  zone: Zone,
  colours: Colours,
): string {
  const wall = (iso: string): string => wallText(zone, Date.parse(iso) / 1000);
  const rows: [string, string][] = [
    [`schedule ${businessHours?.schedule}`, windows === null ? colours.red("damaged") : windows.join("\n")],
    ["standing", STANDINGS[hours.standing] ?? hours.standing],
  ];
  if (hours.asOf !== null) rows.push(["as of", `${wall(hours.asOf)}, the last time that the lock knew`]);
  if (hours.firstIn !== null) rows.push(["first in", wall(hours.firstIn)]);
  if (hours.relocked !== null) rows.push(["relocked", wall(hours.relocked)]);
  if (hours.heldUntil !== null) rows.push(["held until", wall(hours.heldUntil)]);
  return fields(rows, colours);
}

/** How hours stand, for people. */
const STANDINGS: Readonly<Record<string, string>> = {
  waiting: "waiting for first-in",
  "unknown-time": "locked, the time was never known",
};

/** Codes that were programmed at the keypad. */
export function localCodesText(
  codes: readonly (LocalCodeView | LostLocalCode)[],
  { localCodes }: Policy,
  colours: Colours,
): string {
  const rows = codes.flatMap((code) => {
    if (code.lost) return [];
    const made = code.user === null ? "the master" : `user ${code.user}`;
    const opens = localCodes ? BACKED[code.backed] : "no: forbidden";
    return [[String(code.place), String(code.digits), made, opens]];
  });
  const lost = codes.flatMap((code) => (code.lost ? [code.place] : []));
  if (lost.length > 0) rows.push([rangesIn(lost), "", "", colours.red("lost, open nothing")]);
  return columns(["place", "digits", "made by", "opens"], rows, [0, 1], colours);
}

/** Whether a code opens, by what becomes of whoever made it. */
const BACKED = {
  yes: "yes",
  "with-time": "while the lock knows the time: its maker ends",
  no: "no: its maker may not any more",
} as const;

/** Wrong entries that count. */
export function lockoutText({ wrong, wait }: LockoutView): string {
  const entries = `${count(wrong, "wrong entry", "wrong entries")} of the keypad ${wrong === 1 ? "counts" : "count"}`;
  const waits =
    wait === 0
      ? "the next one may be made at once"
      : `the next one waits ${durationText(wait)} from power-on`;
  return paragraphs([`${entries}; ${waits}`]);
}
