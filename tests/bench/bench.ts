// `npm run bench`: speeds, sizes and counts, with their units; `-- --json` prints one object of named figures on the last line. Times
// depend on the machine and its load: compare two things of one run. Counts, of flash and from XS, are the same on every run.

import { missingPrograms } from "../support/mosquitto";
import { BLE_UNITS, bleFigures } from "./ble";
import { DECIDE_UNITS, decideFigures } from "./decide";
import { type Figures, nodeFigures, UNITS } from "./figures";
import { FLASH_UNITS, flashFigures } from "./flash";
import { LINK_UNITS, linkFigures } from "./links";
import { xsFigures } from "./xs";

const WORDS = `usage: npm run bench [-- --json] [--no-xs]

  --json   one JSON object of named figures on the last line
  --no-xs  leave out what needs make and a C compiler
  --quick  measure the wear of flash and the brokers over a tenth of the updates
`;
const OPTIONS = ["--json", "--no-xs", "--quick", "--help"];

/** Counts as they are; of others enough digits to compare, and no more. */
const rounded = (value: number): string =>
  String(Number.isInteger(value) ? value : Number(value.toPrecision(5)));

/** XS counts steps of its engine, bytes, or how often something is done. */
function unitOf(name: string): string {
  if (name.includes("compute")) return "steps";
  const named = UNITS[name] ?? DECIDE_UNITS[name] ?? FLASH_UNITS[name] ?? LINK_UNITS[name] ?? BLE_UNITS[name];
  return named ?? (name.includes("bytes") ? "bytes" : "times");
}

function lineOf(name: string, value: number | null): string {
  const shown = value === null ? "–" : rounded(value);
  const unit = value === null ? `not measured: this machine has no ${missingPrograms()}` : unitOf(name);
  return `${name.padEnd(36)} ${shown.padStart(12)} ${unit}\n`;
}

async function bench(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => !OPTIONS.includes(arg));
  if (unknown !== undefined || args.includes("--help")) {
    process.stderr.write(unknown === undefined ? WORDS : `unknown option ${unknown}\n${WORDS}`);
    return unknown === undefined ? 0 : 2;
  }
  const figures: Figures = {
    ...nodeFigures(),
    ...decideFigures(),
    ...(await flashFigures(args.includes("--quick"))),
    ...(await linkFigures(args.includes("--quick"))),
    ...(await bleFigures()),
  };
  if (!args.includes("--no-xs")) Object.assign(figures, await xsFigures());
  for (const [name, value] of Object.entries(figures)) process.stdout.write(lineOf(name, value));
  if (args.includes("--json")) process.stdout.write(`${JSON.stringify(figures)}\n`);
  return 0;
}

bench(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
