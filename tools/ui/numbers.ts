// Many numbers in few words.

/** `48,112`: with commas, in any locale. */
export function commas(number: number): string {
  return number.toLocaleString("en-US");
}

/** Runs of consecutive numbers, of an ascending list. */
export function rangesOf(numbers: readonly number[]): { first: number; last: number }[] {
  const ranges: { first: number; last: number }[] = [];
  for (const number of numbers) {
    const run = ranges.at(-1);
    if (run !== undefined && run.last + 1 === number) run.last = number;
    else ranges.push({ first: number, last: number });
  }
  return ranges;
}

/** `4, 7–9`: an ascending list, two or more in a row as a range. */
export function rangesText(numbers: readonly number[]): string {
  return rangesOf(numbers)
    .map(({ first, last }) => (first === last ? String(first) : `${first}–${last}`))
    .join(", ");
}

/** Joins parts to lines of at most `width` columns. */
export function wrapped(parts: readonly string[], width: number, separator = ", "): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const line = lines.at(-1);
    const joined = `${line}${separator}${part}`;
    if (line !== undefined && joined.length <= width) lines[lines.length - 1] = joined;
    else lines.push(part);
  }
  return lines;
}
