// Errors of imported files as lines for a person.

import type { ImportError } from "../../protocol/issuer/sheet";

/** Every error with its place, as lines. */
export function errorLines(errors: readonly ImportError[]): string {
  return errors
    .map(({ file, line, column, value, wanted }) => {
      const place = column === "" ? `${file}, line ${line}` : `${file}, line ${line}, column ${column}`;
      return `${place}: got ${value === "" ? "nothing" : `"${value}"`}, wanted ${wanted}`;
    })
    .join("\n");
}
