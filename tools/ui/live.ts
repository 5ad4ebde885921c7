// Lines at the end of a terminal's output that are drawn again in place, and text of at most 80 columns.

import stringWidth from "string-width";
import type { Terminal } from "./terminal";

export const COLUMNS = 80;
/** ECMA-48: erase in line (8.3.41), cursor up (8.3.22). */
const ERASE_LINE = "\x1b[2K";
const up = (rows: number): string => (rows > 0 ? `\x1b[${rows}A` : "");
/** More would leave the top of a small terminal, and what has left it cannot be drawn over. */
const MAX_ROWS = 20;

/** A text cut to a width in columns, with an ellipsis where something is missing. */
export function fitted(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let cut = "";
  for (const letter of text) {
    if (stringWidth(cut + letter) >= width) break;
    cut += letter;
  }
  return `${cut}…`;
}

/** A text filled with spaces to a width in columns, or cut to it. */
export function padded(text: string, width: number): string {
  const cut = fitted(text, width);
  return cut + " ".repeat(width - stringWidth(cut));
}

/** A text in lines of at most 80 columns; all but the first begin with so many spaces, and the first has room for as many before it. */
export function hanging(text: string, indent: number): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const joined = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && stringWidth(joined) <= COLUMNS - indent) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines.join(`\n${" ".repeat(indent)}`);
}

export class LiveArea {
  readonly #terminal: Terminal;
  #rows = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Draws these lines where the last ones were. Each must fit into a row. */
  draw(lines: readonly string[]): void {
    const more = lines.length - MAX_ROWS;
    const shown = more > 0 ? [...lines.slice(0, MAX_ROWS - 1), `  and ${more + 1} more`] : lines;
    const rows = Math.max(this.#rows, shown.length);
    const drawn = Array.from({ length: rows }, (_, i) => `${ERASE_LINE}${shown[i] ?? ""}\n`).join("");
    this.#terminal.out(`${up(this.#rows)}${drawn}${up(rows - shown.length)}`);
    this.#rows = shown.length;
  }

  /** Takes the lines away. */
  clear(): void {
    if (this.#rows > 0) this.draw([]);
  }
}
