// What a test has to tell besides that it passed. Where files run side by side, a line on stdout would stand anywhere; a title stands
// with its file.

/** Adds what was measured to the title of the test that runs, of which `context` is the `this`. */
export function tell({ test }: Mocha.Context, told: string): void {
  if (test !== undefined) test.title += ` — ${told}`;
}
