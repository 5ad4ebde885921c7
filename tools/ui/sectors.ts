// The sectors of a partition as a picture in plain characters: a column for each, filled from below with what it holds, and under it
// its state, its wear and the number of its block. Colours add nothing that the characters do not say.

import { SECTOR_BYTES } from "../../simulator/board/nor";
import type { EventSectorView } from "../inspection/event-sectors";
import type { SectorView } from "../inspection/sectors";
import { RATED_ERASES, type WearView } from "../inspection/wear";
import { commas, wrapped } from "./numbers";
import type { Colours } from "./terminal";
import { count, percentText } from "./words";

/** What sectors are filled with. */
export const Fill = { lives: "#", dead: "-", erased: ".", reserve: "r", toErase: ":", lost: "?" } as const;
const LETTERS = { head: "H", live: "L", ready: "R", free: "F", bad: "B", lost: "?" } as const;
const MEANINGS = {
  head: "head: written now",
  live: "live: in use",
  ready: "ready: erased ahead",
  free: "free: to be erased",
  bad: "bad: left out",
  lost: "lost: not readable",
} as const;
type State = keyof typeof LETTERS;
/** States that say that something is wrong. */
const FAULTS = /bad|lost|[B?]/g;

/** A sector in the picture: what fills it from below, and which share of it (0 to 1). */
interface Column {
  readonly block: number;
  readonly state: State;
  readonly erases: number;
  readonly stack: readonly (readonly [string, number])[];
}

/** Rows of a column. */
const CREDENTIAL_ROWS = 8;
const EVENT_ROWS = 4;
const MOST_COLUMNS = 50;
const GROUP = 10;
/** So few sectors get columns that have room for words. */
const WIDE = 8;
const WIDE_COLUMNS = 7;
const LABEL_COLUMNS = 9;
const LINE_COLUMNS = 76;

/** Paints a character of a picture. */
export function paint(colours: Colours, glyphs: string): string {
  const { green, yellow, dim, cyan, red } = colours;
  const brushes: Readonly<Record<string, (text: string) => string>> = {
    [Fill.lives]: green,
    [Fill.dead]: yellow,
    [Fill.erased]: dim,
    [Fill.reserve]: cyan,
    [Fill.toErase]: dim,
    [Fill.lost]: red,
  };
  return glyphs.replace(/([^ ])\1*/g, (run) => (brushes[run[0]] ?? String)(run));
}

/** The credentials partition: what lives, what is dead, what is erased. */
export function credentialPicture(sectors: readonly SectorView[], wear: WearView, colours: Colours): string {
  const whole = sectors.map((sector): Column => {
    const { block, state, erases, live, dead, used } = sector;
    if (state !== "head" && state !== "live") return { block, state, erases, stack: [[glyphOf(state), 1]] };
    const filled = state === "head" ? live + dead : used;
    const rest = state === "head" ? Fill.erased : " ";
    const stack = [
      [Fill.lives, live / SECTOR_BYTES],
      [Fill.dead, (filled - live) / SECTOR_BYTES],
      [rest, 1],
    ] as const;
    return { block, state, erases, stack };
  });
  const legend = ["# lives", "- dead, comes back by compaction", ". erased", ": to be erased"];
  return pictureOf(whole, CREDENTIAL_ROWS, wear, legend, colours);
}

/** The events partition: all that is written lives until its sector is erased. */
export function eventPicture(sectors: readonly EventSectorView[], wear: WearView, colours: Colours): string {
  const whole = sectors.map(({ block, state, erases, fill }): Column => {
    if (state !== "head" && state !== "live") return { block, state, erases, stack: [[glyphOf(state), 1]] };
    const rest = state === "head" ? Fill.erased : " ";
    return {
      block,
      state,
      erases,
      stack: [
        [Fill.lives, fill],
        [rest, 1],
      ],
    };
  });
  return pictureOf(whole, EVENT_ROWS, wear, ["# events", ". erased", ": to be erased"], colours);
}

function glyphOf(state: State): string {
  if (state === "ready") return Fill.erased;
  return state === "free" ? Fill.toErase : Fill.lost;
}

function pictureOf(
  whole: readonly Column[],
  rows: number,
  wear: WearView,
  legend: readonly string[],
  colours: Colours,
): string {
  const bands = Math.ceil(whole.length / MOST_COLUMNS);
  const most = Math.ceil(whole.length / bands / GROUP) * GROUP;
  const isWide = whole.length <= WIDE;
  const lines: string[] = [];
  for (let at = 0; at < whole.length; at += most)
    lines.push(...bandOf(whole.slice(at, at + most), isWide, rows, colours));
  const states = (Object.keys(LETTERS) as State[]).filter((state) =>
    whole.some((one) => one.state === state),
  );
  const letters = states.map((state) => `${isWide ? "" : LETTERS[state]} ${MEANINGS[state]}`.trim());
  const down = isWide ? [] : ["numbers read downwards"];
  for (const texts of [legend, [...letters, ...down]])
    for (const text of wrapped(texts, LINE_COLUMNS, "   ")) lines.push(`  ${colours.dim(text)}`);
  return `${lines.join("\n")}\n  ${wearText(wear)}\n`;
}

/** One line of columns with all that stands under them. */
function bandOf(band: readonly Column[], isWide: boolean, rows: number, colours: Colours): string[] {
  const columns = (cell: (column: Column) => string): string =>
    band
      .map((column, i) => cell(column) + (isWide || i % GROUP === GROUP - 1 ? " " : ""))
      .join("")
      .trimEnd();
  const line = (label: string, text: string): string =>
    `  ${colours.dim(label)}${" ".repeat(LABEL_COLUMNS - label.length)}${text}`.trimEnd();
  const width = isWide ? WIDE_COLUMNS : 1;
  const lines: string[] = [];
  for (let row = rows; row > 0; row--) {
    const filled = columns(({ stack }) => glyphAt(stack, row, rows).repeat(width));
    lines.push(line("", paint(colours, filled)));
  }
  const numbers = (label: string, of: (column: Column) => number): void => {
    const digits = isWide ? 1 : String(Math.max(...band.map(of))).length;
    for (let digit = 0; digit < digits; digit++) {
      const text = columns((column) =>
        isWide ? String(of(column)).padEnd(width) : String(of(column)).padStart(digits)[digit],
      );
      lines.push(line(digit === 0 ? label : "", text));
    }
  };
  const states = columns(({ state }) => (isWide ? state.padEnd(width) : LETTERS[state]));
  lines.push(line("state", states.replace(FAULTS, colours.red)));
  numbers("erases", ({ erases }) => erases);
  numbers("block", ({ block }) => block);
  return lines;
}

/** What a column shows in a row, counted from 1 at the bottom. What there is at all is shown, if only a little. */
function glyphAt(stack: Column["stack"], row: number, rows: number): string {
  let share = 0;
  for (const [glyph, part] of stack) {
    share += part;
    if (part > 0 && Math.ceil(share * rows) >= row) return glyph;
  }
  return " ";
}

function wearText({ least, most, spread, share }: WearView): string {
  const times = least === most ? count(most, "time") : `${commas(least)} to ${commas(most)} times`;
  const used = `${percentText(share)} of the ${commas(RATED_ERASES)} that a block takes`;
  return `wear: erased ${times}, spread ${spread}; ${used}`;
}
