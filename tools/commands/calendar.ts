// `tumbler calendar` (rules T1, T7, T8, T9): the open hours of a schedule in a zone, day by day, as a picture or as JSON. A lock's own
// functions tell them; it needs no lock and no file.

import { type Command, InvalidArgumentError, Option } from "commander";
import { MAX_ZONE_BYTES, parseZoneSetting, type Zone } from "../../firmware/core/calendar";
import { importSchedules } from "../../protocol/issuer/import-schedules";
import type { ImportError } from "../../protocol/issuer/sheet";
import { parseWhen } from "../../protocol/issuer/when";
import { packWindow } from "../../protocol/issuer/windows";
import { zoneSetting } from "../../protocol/issuer/zone";
import { DAY_S, dayOfDate, daysInMonth } from "../../protocol/wire/civil";
import { MAX_HOLIDAY_DAYS, MAX_HOLIDAYS } from "../../protocol/wire/settings";
import type { Window } from "../../protocol/wire/windows";
import { type Dates, type Day, daysOf } from "../calendar";
import { BLOCKS, calendarText, LETTERS, type Page } from "../ui/calendar";
import { exitHelp, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";
import { isoText, localIsoText } from "../ui/time";
import { windowText } from "../ui/words";
import { intlOffset } from "../zone";

interface Options {
  readonly year: number;
  readonly month?: number;
  readonly holiday?: readonly Dates[];
  readonly plain?: boolean;
  readonly json?: boolean;
}

const FIRST_YEAR = 2000;
const LAST_YEAR = 2105;
const ZONE_WANTED =
  'wanted an IANA name such as Europe/Berlin, or a POSIX TZ string such as "CET-1CEST,M3.5.0,M10.5.0/3"';
const WINDOW_WANTED = 'wanted days and hours, such as "Mon-Fri 09:00-17:00"';

const HELP = `
A schedule is one to eight windows with semicolons between: days as a range, a
list or "daily", then hours as HH:MM-HH:MM. An end that is not after its start
is one of the next day. Hours are those of the clock on the wall, so they come
twice or not at all when it is set; what is counted is the time that passes.

Examples:
  tumbler calendar Europe/Berlin "Mon-Fri 09:00-17:00; Sat 10:00-14:00"
  tumbler calendar America/New_York "daily 22:00-06:00" --year 2027 --month 3
  tumbler calendar "<+03>-3" "mon wed fri 06:00-09:00" --json
  tumbler calendar Asia/Tokyo "Mon-Fri 08:00-18:00" \\
    --year 2027 --holiday 2027-05-03..2027-05-05 --holiday 2027-12-31
${exitHelp("shown")}`;

/** Adds the command to the program. */
export function addCalendar(program: Command, terminal: Terminal): void {
  program
    .command("calendar")
    .summary("draw the open hours of a schedule through a year")
    .description("Draws when a schedule is open through a year, with the days on which the clock is set.")
    .argument("<zone>", "an IANA name or a POSIX TZ string")
    .argument("<schedule>", 'windows, such as "Mon-Fri 09:00-17:00; Sat 10:00-14:00"')
    .addOption(
      new Option("--year <year>", `${FIRST_YEAR} to ${LAST_YEAR}`)
        .argParser(wholeNumber(FIRST_YEAR, LAST_YEAR))
        .default(new Date().getUTCFullYear(), "this year"),
    )
    .option("--month <month>", "one month by the half hour, 1 to 12", wholeNumber(1, 12))
    .option("--holiday <dates>", "YYYY-MM-DD or YYYY-MM-DD..YYYY-MM-DD, closed; repeatable", holiday)
    .option("--plain", "draw with plain characters instead of blocks")
    .option("--json", "print every day with its openings as JSON")
    .addHelpText("after", HELP)
    .action((zone: string, schedule: string, options: Options) => {
      const page = pageOf(zone, schedule, options);
      const { plain, json } = options;
      const text = json
        ? `${JSON.stringify(jsonOf(page), null, 2)}\n`
        : calendarText(page, plain ? LETTERS : BLOCKS, terminal.colours);
      terminal.out(text);
    });
}

// ---- What was asked for ----------------------------------------------------------------------------------------------------

function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,4}$/.test(text) ? Number(text) : -1;
    if (value < low || value > high) throw new InvalidArgumentError(`wanted ${low} to ${high}`);
    return value;
  };
}

/** One more `--holiday`. */
function holiday(text: string, before: readonly Dates[] = []): Dates[] {
  const ends = text.split("..").map(dayOf);
  const [first, last] = [ends[0], ends[ends.length - 1]];
  const fits = ends.length <= 2 && first !== undefined && last !== undefined && first <= last;
  if (!fits) throw new InvalidArgumentError("wanted YYYY-MM-DD, or YYYY-MM-DD..YYYY-MM-DD in this order");
  if (last - first >= MAX_HOLIDAY_DAYS)
    throw new InvalidArgumentError(`wanted at most ${MAX_HOLIDAY_DAYS} days, as a lock takes`);
  if (before.length === MAX_HOLIDAYS)
    throw new InvalidArgumentError(`wanted at most ${MAX_HOLIDAYS} holidays, as a lock takes`);
  return [...before, { first, last }];
}

function dayOf(text: string): number | undefined {
  const when = /^\d{4}-\d\d-\d\d$/.test(text) ? parseWhen(text) : undefined;
  return when && when.seconds / DAY_S;
}

function pageOf(name: string, schedule: string, { year, month, holiday: dates = [] }: Options): Page {
  const setting = zoneSettingOf(name, year);
  const zone = parseZoneSetting(setting);
  if (zone === undefined) throw new RangeError(`zone ${name}: its setting is not one that a lock takes`);
  const windows = windowsOf(schedule);
  const holidays = [...dates].sort((a, b) => a.first - b.first);
  const plan = { zone, windows: Uint32Array.from(windows, packWindow), holidays };
  const first = dayOfDate(year, month ?? 1, 1);
  const last = dayOfDate(year, month ?? 12, daysInMonth(year, month ?? 12));
  const text = Buffer.from(setting).toString("latin1").split("\0");
  return {
    name,
    zoneText: text.length === 1 ? text[0] : `${text[0]}, and a table of clock changes`,
    windows: windows.map(windowText),
    plan,
    year,
    month,
    days: daysOf(plan, { first, last }),
  };
}

/** What a lock in this zone is told, for the year and the days around it. */
function zoneSettingOf(name: string, year: number): Uint8Array {
  const posix = Uint8Array.from(Buffer.from(name, "utf8"));
  if (!posix.includes(0) && parseZoneSetting(posix) !== undefined) return posix;
  let setting: Uint8Array | undefined;
  try {
    setting = zoneSetting(name, intlOffset, year - 1, Math.min(year + 1, LAST_YEAR));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Failure(`zone ${name}: ${ZONE_WANTED}`, zoneAdvice(name));
  }
  if (setting === undefined)
    throw new Failure(
      `zone ${name}: no lock can follow its clock around ${year}`,
      "give another --year, or the zone as a POSIX TZ string",
    );
  return setting;
}

/** Names zones whose last part is the same: people say "Berlin". */
function zoneAdvice(name: string): string {
  const place = (zone: string): string | undefined => zone.toLowerCase().split("/").at(-1);
  const wanted = place(name.replaceAll(" ", "_"));
  const similar = Intl.supportedValuesOf("timeZone").filter((zone) => place(zone) === wanted);
  if (similar.length > 0) return `Did you mean ${similar.join(" or ")}?`;
  return /[0-9,]/.test(name)
    ? `a POSIX TZ string has ${MAX_ZONE_BYTES} characters at most, and with daylight saving time both its rules`
    : "";
}

/** The windows of a text, through the import of schedules: each window is a row of it. */
function windowsOf(text: string): readonly Window[] {
  const parts = text.split(/[;\n]/).map((part) => part.replaceAll("–", "-").trim());
  const rows = parts.flatMap((part, i) => {
    if (part === "") return [];
    const match = /^(.*\S)\s+([^\s-]+)\s*-\s*([^\s-]+)$/.exec(part);
    if (match === null) throw new Failure(`schedule, window ${i + 1}, "${part}": ${WINDOW_WANTED}`);
    return [{ line: i + 1, cells: ["schedule", ...match.slice(1)] }];
  });
  if (rows.length === 0) throw new Failure(`schedule "${text}": ${WINDOW_WANTED}`);
  const errors: ImportError[] = [];
  const sheet = { file: "schedule", columns: ["schedule", "days", "start", "end"], rows };
  const schedules = importSchedules(sheet, [], errors);
  if (errors.length > 0) throw new Failure(errors.map(errorText).join("\n       "));
  return schedules[0].windows;
}

function errorText({ line, column, value, wanted }: ImportError): string {
  const place = column === "schedule" ? "" : `, ${column} "${value}"`;
  return `schedule, window ${line}${place}: wanted ${wanted}`;
}

// ---- As JSON ---------------------------------------------------------------------------------------------------------------

function jsonOf({ name, zoneText, windows, plan, year, month, days }: Page): object {
  return {
    zone: { name, told: zoneText },
    windows,
    year,
    month: month ?? null,
    holidays: plan.holidays.map(({ first, last }) => ({ first: dateText(first), last: dateText(last) })),
    openSeconds: days.reduce((sum, { open }) => sum + open, 0),
    days: days.map((day) => dayJson(plan.zone, day)),
  };
}

function dayJson(zone: Zone, { day, start, end, isHoliday, openings, open, changes }: Day): object {
  const at = (seconds: number) => ({
    seconds,
    utc: isoText(seconds),
    local: localIsoText(zone, seconds),
  });
  return {
    date: dateText(day),
    seconds: end - start,
    holiday: isHoliday,
    openSeconds: open,
    openings: openings.map(({ from, until }) => ({ from: at(from), until: at(until) })),
    clockChanges: changes.map((change) => ({
      at: at(change.at),
      offsetBefore: change.before,
      offsetAfter: change.after,
    })),
  };
}

/** `2027-03-28` */
const dateText = (day: number): string => isoText(day * DAY_S).slice(0, 10);
