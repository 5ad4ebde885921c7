// Tables without borders for 80 columns: two spaces between columns, two before the first.

import Table from "cli-table3";
import stringWidth from "string-width";
import type { Colours } from "./terminal";

const NO_LINES = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
} as const;
const GAP = 2;
const PIECE_ROWS = 64;
const STYLE = { "padding-left": GAP, "padding-right": 0, head: [], border: [], compact: true };
const COLUMNS = 80;
/** The longest name there is has 12 columns, and 64 hexadecimal digits still fit behind it. */
const NAME_COLUMNS = 12;
/** What fits behind a name. */
export const FIELD_COLUMNS = COLUMNS - NAME_COLUMNS - 2 * GAP;

const trimmed = (text: string): string => text.replace(/[ ]+$/gm, "") + "\n";

/** Rows of a name and its value; a value may have several lines. */
export function fields(rows: readonly (readonly [string, string])[], { dim }: Colours): string {
  const table = new Table({ chars: NO_LINES, style: STYLE, colWidths: [NAME_COLUMNS + GAP, null] });
  for (const [name, value] of rows) table.push([dim(name), value]);
  return trimmed(table.toString());
}

/** A table with a line of headings. `numbers` says which columns are numbers, by their index. */
export function columns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numbers: readonly number[],
  { dim }: Colours,
): string {
  const colAligns = head.map((_, i) => (numbers.includes(i) ? ("right" as const) : ("left" as const)));
  const colWidths = head.map(
    (name, i) => rows.reduce((most, row) => Math.max(most, widthOf(row[i])), name.length) + GAP,
  );
  const all = [head.map(dim), ...rows];
  let text = "";
  // The time that cli-table3 takes grows with the square of the rows, so it gets a long table in pieces.
  for (let at = 0; at < all.length; at += PIECE_ROWS) {
    const table = new Table({ chars: NO_LINES, style: STYLE, colAligns, colWidths });
    for (const row of all.slice(at, at + PIECE_ROWS)) table.push([...row]);
    text += trimmed(table.toString());
  }
  return text;
}

/** The columns that the widest line of a cell takes. */
function widthOf(cell: string): number {
  return Math.max(...cell.split("\n").map(stringWidth));
}

/** Paragraphs, one a line as far as 80 columns reach. */
export function paragraphs(texts: readonly string[]): string {
  const table = new Table({ chars: NO_LINES, style: STYLE, colWidths: [COLUMNS], wordWrap: true });
  for (const text of texts) table.push([text]);
  return trimmed(table.toString());
}
