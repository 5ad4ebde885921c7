// Schedules from a sheet (rules T1, T2): each row is a window, the rows of one name are one schedule, and the windows of a schedule
// may touch but not overlap.

import { MAX_SCHEDULE_ID, MAX_WINDOWS } from "../wire/limits";
import type { Window } from "../wire/windows";
import type { ScheduleRow } from "./rows";
import { isName, NAME_WANTED } from "./rows";
import type { ImportError, Row, Sheet } from "./sheet";
import { rowsOf } from "./sheet";
import { overlap } from "./windows";

const DAY_MINUTES = 1440;
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const EVERY_DAY = 0x7f;

/** `known` are the names that the account has already: there are as many schedules in it as a lock has ids. */
export function importSchedules(sheet: Sheet, known: Iterable<string>, errors: ImportError[]): ScheduleRow[] {
  const schedules = new Map<string, Window[]>();
  const names = new Set(known);
  for (const row of rowsOf(sheet, ["schedule", "days", "start", "end"], [], errors)) {
    const name = row.cell("schedule");
    if (!isName(name)) row.fail("schedule", NAME_WANTED);
    const window = readWindow(row);
    const windows = schedules.get(name) ?? [];
    if (!row.ok || window === undefined) continue;
    if (windows.length === MAX_WINDOWS) row.fail("schedule", `at most ${MAX_WINDOWS} windows in a schedule`);
    else if (overlap([...windows, window]))
      row.fail("start", "a window that does not overlap another of its schedule; touching is fine");
    else if (names.size === MAX_SCHEDULE_ID && !names.has(name))
      row.fail("schedule", `at most ${MAX_SCHEDULE_ID} schedules in the account`);
    else schedules.set(name, [...windows, window]);
    if (row.ok) names.add(name);
  }
  return Array.from(schedules, ([schedule, windows]) => ({ schedule, windows }));
}

function readWindow(row: Row): Window | undefined {
  const days = readDays(row.cell("days"));
  if (days === 0) row.fail("days", 'days such as "daily", "mon-fri", "sat" or "mon wed fri"');
  const start = readMinute(row.cell("start"));
  if (start < 0 || start === DAY_MINUTES) row.fail("start", "a time HH:MM from 00:00 to 23:59");
  const end = readMinute(row.cell("end"));
  if (end < 0) row.fail("end", "a time HH:MM from 00:00 to 24:00");
  if (!row.ok) return undefined;
  // An end that is not after its start is one of the next day.
  return { days, start, duration: end > start ? end - start : end + DAY_MINUTES - start };
}

/** Minutes of the day, −1 for what is not a time. */
function readMinute(text: string): number {
  const match = /^(\d\d):(\d\d)$/.exec(text);
  const minute = match === null ? -1 : Number(match[1]) * 60 + Number(match[2]);
  return match !== null && Number(match[2]) < 60 && minute <= DAY_MINUTES ? minute : -1;
}

/** A mask of days, Sunday first; 0 for what names no days. */
function readDays(text: string): number {
  const words = text
    .toLowerCase()
    .split(/[\s,;]+/)
    .filter((word) => word !== "");
  if (words.length === 1 && words[0] === "daily") return EVERY_DAY;
  let mask = 0;
  for (const word of words) {
    const days = readRange(word);
    if (days === 0) return 0;
    mask |= days;
  }
  return mask;
}

/** `mon` or `mon-fri`; a range may run over the end of the week. */
function readRange(word: string): number {
  const ends = word.split("-").map((name) => DAYS.indexOf(name));
  if (ends.length > 2 || ends.includes(-1)) return 0;
  const [first, last] = [ends[0], ends[ends.length - 1]];
  let mask = 0;
  for (let day = first; ; day = (day + 1) % 7) {
    mask |= 1 << day;
    if (day === last) return mask;
  }
}
