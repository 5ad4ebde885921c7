// Tables without borders for 80 columns: two spaces between columns, two before the first.

import Table from "cli-table3";
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
const STYLE = { "padding-left": 2, "padding-right": 0, head: [], border: [], compact: true };
const COLUMNS = 80;
/** The longest name there is has 12 columns, and 64 hexadecimal digits still fit behind it. */
const NAME_COLUMNS = 12;

const trimmed = (text: string): string => text.replace(/[ ]+$/gm, "") + "\n";

/** Rows of a name and its value; a value may have several lines. */
export function fields(rows: readonly (readonly [string, string])[], { dim }: Colours): string {
  const table = new Table({ chars: NO_LINES, style: STYLE, colWidths: [NAME_COLUMNS + 2, null] });
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
  const table = new Table({ chars: NO_LINES, style: STYLE, colAligns });
  table.push(head.map(dim), ...rows.map((row) => [...row]));
  return trimmed(table.toString());
}

/** Paragraphs, one a line as far as 80 columns reach. */
export function paragraphs(texts: readonly string[]): string {
  const table = new Table({ chars: NO_LINES, style: STYLE, colWidths: [COLUMNS], wordWrap: true });
  for (const text of texts) table.push([text]);
  return trimmed(table.toString());
}
