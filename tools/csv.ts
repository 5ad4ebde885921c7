// Reads a CSV file (RFC 4180, with or without a byte order mark) into a sheet: cells as text, each row with its line in the file. It
// judges nothing but the form of CSV itself; what the cells mean is the issuer's import.

import { basename } from "node:path";
import { CsvError, parse } from "csv-parse/sync";
import type { Sheet } from "../protocol/issuer/sheet";
import { readWhole } from "./files";

interface Parsed {
  readonly info: { readonly lines: number };
  readonly record: string[];
}

/** A building of a hundred thousand people fits. */
const MAX_SHEET_BYTES = 64 * 1024 * 1024;

/** The sheet of a file, under its base name. Throws a Failure when it cannot be read; a fault of the content is an error of the sheet. */
export function readSheet(path: string): Sheet {
  return parseSheet(basename(path), Buffer.from(readWhole(path, MAX_SHEET_BYTES)).toString("utf8"));
}

/** The sheet of a text. The first row that is not empty names the columns. */
export function parseSheet(file: string, text: string): Sheet {
  try {
    // The library counts a line break of two characters twice where it stands in quotes.
    const parsed = parse(text.replace(/\r\n?/g, "\n"), {
      bom: true,
      info: true,
      recordDelimiter: "\n",
      relaxColumnCount: true,
      skipEmptyLines: true,
      trim: true,
    }) as unknown as Parsed[];
    const rows = parsed.map(({ info, record }) => ({ line: firstLine(info.lines, record), cells: record }));
    if (rows.length === 0) return empty(file, 1, "", "a first line with the names of the columns");
    return { file, columns: rows[0].cells, rows: rows.slice(1) };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // The message of the library would repeat what stands in the file, PINs included.
    const { lines } = error as unknown as { lines?: number };
    const fault = error.code.toLowerCase().replaceAll("_", "-");
    return empty(
      file,
      lines ?? 1,
      fault,
      "CSV: a cell with a quote in it stands in quotes, with the quote doubled",
    );
  }
}

/** A record is told with its last line; line breaks inside quotes are part of its cells. */
function firstLine(last: number, cells: readonly string[]): number {
  return cells.reduce((line, cell) => line - (cell.match(/\n/g)?.length ?? 0), last);
}

function empty(file: string, line: number, value: string, wanted: string): Sheet {
  return { file, columns: [], rows: [], errors: [{ file, line, column: "", value, wanted }] };
}
