// A table as it comes out of a CSV file, before anything of it is believed: columns are checked against those that are known, rows
// against their number of cells. Every fault becomes an error that says where it is and what was wanted; none stops the rest.

/** Columns whose cells no error shows. */
const SECRET_COLUMNS = ["pin", "duress-pin"];

/** A fault of a file. `column` is empty where it is not about one cell. */
export interface ImportError {
  readonly file: string;
  /** Counts from 1, the line of the column names. */
  readonly line: number;
  readonly column: string;
  /** What stands there; digits of a PIN as asterisks. */
  readonly value: string;
  readonly wanted: string;
}

/** One file, taken apart but not read. */
export interface Sheet {
  readonly file: string;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly line: number; readonly cells: readonly string[] }[];
  /** What already went wrong, such as a quote that never ends. */
  readonly errors?: readonly ImportError[];
}

/** One row with a cell for each of the known columns, those that the file leaves out being empty. */
export class Row {
  readonly file: string;
  readonly line: number;
  readonly #cells: ReadonlyMap<string, string>;
  readonly #errors: ImportError[];
  #failed = false;

  constructor(file: string, line: number, cells: ReadonlyMap<string, string>, errors: ImportError[]) {
    this.file = file;
    this.line = line;
    this.#cells = cells;
    this.#errors = errors;
  }

  /** Whether nothing was wrong with it so far. */
  get ok(): boolean {
    return !this.#failed;
  }

  cell(column: string): string {
    return this.#cells.get(column) ?? "";
  }

  /** The words of a cell that lists several, separated by spaces, commas or semicolons. */
  words(column: string): string[] {
    return this.cell(column)
      .split(/[\s,;]+/)
      .filter((word) => word !== "");
  }

  /** Reports the cell of `column`. */
  fail(column: string, wanted: string): void {
    const cell = this.cell(column);
    const value = SECRET_COLUMNS.includes(column) ? "*".repeat(cell.length) : cell;
    this.#failed = true;
    this.#errors.push({ file: this.file, line: this.line, column, value, wanted });
  }
}

const listed = (names: Iterable<string>): string => [...names].join(", ");

function checkColumns(sheet: Sheet, required: readonly string[], known: readonly string[]): ImportError[] {
  const fault = (column: string, value: string, wanted: string): ImportError => ({
    file: sheet.file,
    line: 1,
    column,
    value,
    wanted,
  });
  const unknown = sheet.columns.filter((column) => !known.includes(column));
  const missing = required.filter((column) => !sheet.columns.includes(column));
  const twice = sheet.columns.filter((column, i) => sheet.columns.indexOf(column) < i);
  return [
    ...unknown.map((column) => fault(column, column, `one of the columns ${listed(known)}`)),
    ...missing.map((column) => fault(column, "", `a column ${column}`)),
    ...twice.map((column) => fault(column, column, `the column ${column} once`)),
  ];
}

/**
 * The rows of a sheet, with its faults added to `errors`. Rows with too few or too many cells are left out, and all rows where a
 * required column is missing.
 */
export function rowsOf(
  sheet: Sheet,
  required: readonly string[],
  optional: readonly string[],
  errors: ImportError[],
): Row[] {
  errors.push(...(sheet.errors ?? []));
  if (sheet.columns.length === 0 && sheet.errors !== undefined) return [];
  errors.push(...checkColumns(sheet, required, [...required, ...optional]));
  if (required.some((column) => !sheet.columns.includes(column))) return [];
  const rows: Row[] = [];
  for (const { line, cells } of sheet.rows) {
    if (cells.length !== sheet.columns.length) {
      const wanted = `${sheet.columns.length} cells, as many as there are columns`;
      errors.push({ file: sheet.file, line, column: "", value: `${cells.length} cells`, wanted });
      continue;
    }
    const named = new Map(sheet.columns.map((column, i) => [column, cells[i].trim()]));
    rows.push(new Row(sheet.file, line, named, errors));
  }
  return rows;
}
