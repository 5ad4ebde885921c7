// Open hours as pictures for 80 columns: a year with a block for each day, as high as the day is open, and a week or a month by the
// half hour. Colours add nothing that the characters do not say.

import { dateOfDay, weekdayOfDay } from "../../protocol/wire/civil";
import { type Cell, type ClockChange, cellsOf, type Day, type Plan, weekdayCells } from "../calendar";
import { commas, wrapped } from "./numbers";
import { fields } from "./table";
import type { Colours } from "./terminal";
import { isoText } from "./time";
import { count } from "./words";

/** What to show: the days of a year, or of one of its months. */
export interface Page {
  /** The zone as it was asked for. */
  readonly name: string;
  /** The zone as a lock is told it for this year. */
  readonly zoneText: string;
  readonly windows: readonly string[];
  readonly plan: Plan;
  readonly year: number;
  /** 1 to 12; undefined for the whole year. */
  readonly month: number | undefined;
  readonly days: readonly Day[];
}

/** What pictures are made of. */
export interface Glyphs {
  /** Heights of a day that is open at all, the lowest first. */
  readonly levels: readonly string[];
  readonly closed: string;
  readonly open: string;
  readonly partly: string;
  /** Half hours that come twice because the clock is set back. */
  readonly openTwice: string;
  readonly closedTwice: string;
}
export const BLOCKS: Glyphs = {
  levels: [..."▁▂▃▄▅▆▇█"],
  closed: "·",
  open: "█",
  partly: "▌",
  openTwice: "▓",
  closedTwice: ":",
};
/** For terminals and fonts without blocks. */
export const LETTERS: Glyphs = {
  levels: [..."_-~=+*%#"],
  closed: ".",
  open: "#",
  partly: "+",
  openTwice: "%",
  closedTwice: ":",
};
const HOLIDAY = "x";
const CHANGED = "!";

const WEEK = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS = "January February March April May June July August September October November December".split(
  " ",
);
const CELL_MINUTES = 30;
const CELLS_PER_MARK = 6;
const LONGEST_MONTH = 31;
const LINE_COLUMNS = 76;
/** Heights told in the legend. */
const MOST_HEIGHTS = 5;

const two = (value: number): string => String(value).padStart(2, "0");

/** `8 h`, `7.5 h`: to two digits behind the point. */
const hoursText = (seconds: number): string => `${commas(Number((seconds / 3600).toFixed(2)))} h`;

const weekdayText = (day: number): string => WEEK[(weekdayOfDay(day) + 6) % 7];

/** `Sun 2027-03-28` */
function dateText(day: number): string {
  const { year, month, dayOfMonth } = dateOfDay(day);
  return `${weekdayText(day)} ${year}-${two(month)}-${two(dayOfMonth)}`;
}

/** The whole page. */
export function calendarText(page: Page, glyphs: Glyphs, colours: Colours): string {
  const { name, zoneText, windows, year, month } = page;
  const when = month === undefined ? String(year) : `${MONTHS[month - 1]} ${year}`;
  const sections = [
    `${colours.bold(`${name} in ${when}`)}\n\n${fields(
      [
        ["zone", zoneText],
        ["open", windows.join("\n")],
      ],
      colours,
    )}`,
    month === undefined ? yearPicture(page, glyphs, colours) : monthPicture(page, glyphs, colours),
  ];
  if (month === undefined) sections.push(weekPicture(page.plan, glyphs, colours));
  sections.push(...changesText(page.days, colours), ...holidaysText(page, colours), sumText(page.days));
  return sections.join("\n");
}

// ---- The year ------------------------------------------------------------------------------------------------------------

function yearPicture({ days }: Page, glyphs: Glyphs, colours: Colours): string {
  const longest = Math.max(...days.map(({ open }) => open));
  const numbers = Array.from({ length: LONGEST_MONTH }, (_, i) => {
    const isTold = i === 0 || i % 5 === 4;
    return (isTold ? String(i + 1) : "").padEnd(2);
  });
  const lines = MONTHS.map((name, i) => {
    const own = days.filter(({ day }) => dateOfDay(day).month === i + 1);
    const cells = own.map((day) => painted(glyphOf(day, longest, glyphs), colours) + signOf(day, colours));
    const pad = "  ".repeat(LONGEST_MONTH - own.length);
    return `  ${colours.dim(name.slice(0, 3))}  ${cells.join("")}${pad}${sumOf(own).padStart(9)}`;
  });
  const legend = wrapped(yearLegend(days, longest, glyphs), LINE_COLUMNS, "   ");
  return [
    `       ${colours.dim(numbers.join("").trimEnd())}`,
    ...lines,
    ...legend.map((line) => `  ${colours.dim(line)}`),
    "",
  ].join("\n");
}

const sumOf = (days: readonly Day[]): string => hoursText(days.reduce((sum, { open }) => sum + open, 0));

function glyphOf({ open, isHoliday }: Day, longest: number, { levels, closed }: Glyphs): string {
  if (isHoliday) return HOLIDAY;
  if (open === 0) return closed;
  return levels[Math.max(1, Math.round((open / longest) * levels.length)) - 1];
}

const signOf = ({ changes }: Day, { yellow }: Colours): string =>
  changes.length === 0 ? " " : yellow(CHANGED);

/** What each glyph means; of the heights the tallest, where there are many. */
function yearLegend(days: readonly Day[], longest: number, glyphs: Glyphs): string[] {
  const heights = new Map<number, string>();
  for (const day of days) if (day.open > 0) heights.set(day.open, glyphOf(day, longest, glyphs));
  const told = [...heights].sort(([a], [b]) => b - a);
  const legend = told.slice(0, MOST_HEIGHTS).map(([open, glyph]) => `${glyph} ${hoursText(open)}`);
  if (told.length > MOST_HEIGHTS) legend.push("and less");
  if (days.some(({ open, isHoliday }) => open === 0 && !isHoliday)) legend.push(`${glyphs.closed} closed`);
  return [...legend, ...signLegend(days)];
}

function signLegend(days: readonly Day[]): string[] {
  const legend: string[] = [];
  if (days.some(({ isHoliday }) => isHoliday)) legend.push(`${HOLIDAY} holiday`);
  if (days.some(({ changes }) => changes.length > 0)) legend.push(`${CHANGED} the clock changes`);
  return legend;
}

// ---- By the half hour ----------------------------------------------------------------------------------------------------

/** The hours above cells of half an hour. */
function hoursLine(indent: number, { dim }: Colours): string {
  const marks = Array.from({ length: 9 }, (_, i) => String(i * 3).padEnd(CELLS_PER_MARK));
  return " ".repeat(indent) + dim(marks.join("").trimEnd());
}

function cellGlyph({ minutes, open }: Cell, glyphs: Glyphs): string {
  if (minutes === 0) return " ";
  const isTwice = minutes > CELL_MINUTES;
  if (open === 0) return isTwice ? glyphs.closedTwice : glyphs.closed;
  if (open < minutes) return glyphs.partly;
  return isTwice ? glyphs.openTwice : glyphs.open;
}

function cellsText(cells: readonly Cell[], glyphs: Glyphs, colours: Colours): string {
  return painted(cells.map((cell) => cellGlyph(cell, glyphs)).join(""), colours);
}

/** Open green, closed dim, holidays cyan. */
function painted(text: string, { green, dim, cyan }: Colours): string {
  return text.replace(/[·.:]+|x+|[^·.: x]+/g, (run) => {
    if (/^[·.:]/.test(run)) return dim(run);
    return run[0] === HOLIDAY ? cyan(run) : green(run);
  });
}

/** A week in which the clock is not set. */
function weekPicture({ windows }: Plan, glyphs: Glyphs, colours: Colours): string {
  const week = WEEK.map((_, i) => weekdayCells(windows, (i + 1) % 7, CELL_MINUTES));
  const lines = week.map((cells, i) => {
    const open = cells.reduce((sum, cell) => sum + cell.open, 0) * 60;
    return `  ${colours.dim(WEEK[i])}  ${cellsText(cells, glyphs, colours)}${hoursText(open).padStart(9)}`;
  });
  const legend = cellLegend(week.flat(), glyphs);
  const title = colours.bold("A week by the half hour");
  return [title, hoursLine(7, colours), ...lines, `  ${colours.dim(legend.join("   "))}`, ""].join("\n");
}

function monthPicture({ plan, days }: Page, glyphs: Glyphs, colours: Colours): string {
  const rows = days.map((day) => ({ day, cells: cellsOf(plan, day, CELL_MINUTES) }));
  const lines = rows.map(({ day, cells }) => {
    const label = `${weekdayText(day.day)} ${String(dateOfDay(day.day).dayOfMonth).padStart(2)}`;
    const hours = day.isHoliday
      ? painted(HOLIDAY.repeat(cells.length), colours)
      : cellsText(cells, glyphs, colours);
    const sign = day.changes.length === 0 ? "" : ` ${signOf(day, colours)}`;
    return `  ${colours.dim(label)}  ${hours}${hoursText(day.open).padStart(9)}${sign}`;
  });
  const cells = rows.filter(({ day }) => !day.isHoliday).flatMap((row) => row.cells);
  const legend = wrapped([...cellLegend(cells, glyphs), ...signLegend(days)], LINE_COLUMNS, "   ");
  return [hoursLine(10, colours), ...lines, ...legend.map((line) => `  ${colours.dim(line)}`), ""].join("\n");
}

/** What the glyphs of these cells mean. */
function cellLegend(cells: readonly Cell[], glyphs: Glyphs): string[] {
  const shown = new Set(cells.map((cell) => cellGlyph(cell, glyphs)));
  const meanings: [string, string][] = [
    [glyphs.open, "open"],
    [glyphs.partly, "a part of the half hour"],
    [glyphs.closed, "closed"],
    [glyphs.openTwice, "open, comes twice"],
    [glyphs.closedTwice, "closed, comes twice"],
  ];
  const legend = meanings.filter(([glyph]) => shown.has(glyph)).map(([glyph, text]) => `${glyph} ${text}`);
  return shown.has(" ") ? [...legend, "blank: the clock leaps over it"] : legend;
}

// ---- In words ------------------------------------------------------------------------------------------------------------

function changesText(days: readonly Day[], colours: Colours): string[] {
  const lines = days.flatMap((day) =>
    day.changes.map((change) => {
      const length = hoursText(day.end - day.start);
      return `  ${dateText(day.day)}  ${changeText(change)}, a day of ${length}; open ${hoursText(day.open)}`;
    }),
  );
  return lines.length === 0 ? [] : [`${colours.bold("The clock changes")}\n${lines.join("\n")}\n`];
}

/** `02:00 → 03:00`, with dates where they are two. */
function changeText({ at, before, after }: ClockChange): string {
  const [from, to] = [isoText(at + before), isoText(at + after)].map((text) => text.replace(/(:00)?Z$/, ""));
  if (from.slice(0, 10) === to.slice(0, 10)) return `${from.slice(11)} → ${to.slice(11)}`;
  return `${from.replace("T", " ")} → ${to.replace("T", " ")}`;
}

function holidaysText({ plan, days, year, month }: Page, colours: Colours): string[] {
  const lines = plan.holidays.map(({ first, last }) => {
    const shown = days.filter(({ day }) => day >= first && day <= last).length;
    const when = month === undefined ? String(year) : `${MONTHS[month - 1]} ${year}`;
    const dates = first === last ? dateText(first) : `${dateText(first)} to ${dateText(last)}`;
    return `  ${dates}  ${shown === 0 ? `not in ${when}` : `closed, ${count(shown, "day")}`}`;
  });
  return lines.length === 0 ? [] : [`${colours.bold("Holidays")}\n${lines.join("\n")}\n`];
}

function sumText(days: readonly Day[]): string {
  const open = days.filter((day) => day.open > 0).length;
  return `Open ${sumOf(days)}, on ${open} of ${count(days.length, "day")}.\n`;
}
