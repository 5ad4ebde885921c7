// The command behind `npm run test:long -- <suite>`. Progress goes to stderr; a table, or with --json one line of JSON, to stdout. The
// exit code is 0 only when no rule was broken, 2 for arguments that mean nothing.

import { Command, CommanderError } from "commander";
import { sumOf } from "../storage/summary";
import { decision } from "./decision";
import { fuzzing } from "./fuzz";
import { storage } from "./storage";
import { BadOption, type Options, type PartReport, type Standing, type Suite } from "./suite";
import { xs } from "./xs";

const SUITES: readonly Suite[] = [storage, decision, fuzzing, xs];

const EXIT = { fine: 0, broken: 1, misused: 2 } as const;
const DEFAULT_SEED = 1;
const HINT = "(--help shows what there is)";
/** Of what a state broke, so many characters are shown; --json has all of it. */
const SHOWN = 300;
/** Milliseconds between two lines of progress: on a terminal one line is written over. */
const REPORT_MS = { terminal: 500, file: 15_000 } as const;

/** Where the command writes. */
export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether `err` is a terminal, on which a line can be written over. */
  readonly isTerminal: boolean;
}

const inWords = (value: number): string => value.toLocaleString("en-US");

function timeLeft(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  return seconds < 90 ? `${Math.ceil(seconds)} s left` : `${Math.ceil(seconds / 60)} min left`;
}

/** Writes how far a suite is, from time to time. Returns what notes a standing, and what ends the line. */
function progressOf(
  suite: Suite,
  { err, isTerminal }: Streams,
): { note: (standing: Standing) => void; end: () => void } {
  const begun = Date.now();
  let last: Standing = { states: 0, violations: 0, done: 0 };
  const write = (): void => {
    const { states, violations, done } = last;
    const left = timeLeft((((Date.now() - begun) / 1000) * (1 - done)) / done);
    const line = [
      `${suite.name} ${Math.floor(done * 100)} %`,
      `${inWords(states)} states`,
      `${inWords(violations)} violations`,
      left,
    ].join("   ");
    err(isTerminal ? `\r${line.padEnd(78)}` : `${line}\n`);
  };
  const timer = setInterval(write, isTerminal ? REPORT_MS.terminal : REPORT_MS.file);
  return {
    note: (standing) => {
      last = standing;
    },
    end: () => {
      clearInterval(timer);
      if (isTerminal) err("\n");
    },
  };
}

function tableOf(parts: ReadonlyMap<string, PartReport>): string {
  const lines: string[] = [];
  for (const [name, { states, violations, notes, failures }] of parts) {
    lines.push(`${name.padEnd(10)} ${inWords(states).padStart(12)} states`);
    for (const [what, count] of Object.entries(notes))
      lines.push(`${"".padEnd(10)} ${inWords(count).padStart(12)} ${what}`);
    lines.push(`${"".padEnd(10)} ${inWords(sumOf(violations)).padStart(12)} violations`);
    for (const [kind, count] of Object.entries(violations))
      lines.push(`${"".padEnd(10)} ${inWords(count).padStart(12)} × ${kind}`);
    for (const { kind, text, command } of failures)
      lines.push(`  ${kind}: ${text.slice(0, SHOWN)}`, `    ${command}`);
  }
  return lines.join("\n");
}

function jsonOf(suite: Suite, seed: number, seconds: number, parts: ReadonlyMap<string, PartReport>): string {
  const violations: Record<string, number> = {};
  let states = 0;
  for (const [name, part] of parts) {
    states += part.states;
    for (const [kind, count] of Object.entries(part.violations)) violations[`${name}: ${kind}`] = count;
  }
  return JSON.stringify({
    suite: suite.name,
    seed,
    states,
    violations,
    seconds,
    parts: Object.fromEntries(parts),
  });
}

/** Runs one suite. Returns the exit code. */
async function runSuite(suite: Suite, options: Options, streams: Streams): Promise<number> {
  if (!/^\d{1,9}$/.test(String(options.seed)))
    throw new BadOption(`--seed: wanted a whole number, got ${options.seed}`);
  const seed = Number(options.seed);
  const begun = Date.now();
  const progress = progressOf(suite, streams);
  const parts = await suite.run(options, seed, progress.note).finally(progress.end);
  const seconds = Math.round((Date.now() - begun) / 1000);
  streams.out(`${options.json === true ? jsonOf(suite, seed, seconds, parts) : tableOf(parts)}\n`);
  const broken = [...parts.values()].reduce((sum, { violations }) => sum + sumOf(violations), 0);
  return broken === 0 ? EXIT.fine : EXIT.broken;
}

/** Does what the words of a command line say. Returns the exit code. */
export async function runLong(words: readonly string[], streams: Streams): Promise<number> {
  let code: number = EXIT.misused;
  const program = new Command("npm run test:long --")
    .description("The suites that take too long for every test run.")
    .showHelpAfterError(HINT);
  const write = { writeOut: streams.out, writeErr: streams.err };
  program.exitOverride().configureOutput(write);
  for (const suite of SUITES) {
    const command = program.command(suite.name).description(suite.about);
    command
      .option("--json", "one line of JSON at the end of stdout")
      .option("--seed <n>", "another workload", String(DEFAULT_SEED));
    suite.configure(command);
    command.allowExcessArguments(false).action(async (options) => {
      code = await runSuite(suite, options, streams);
    });
  }
  try {
    await program.parseAsync(words, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 && words.length > 0 ? EXIT.fine : EXIT.misused;
    if (!(error instanceof BadOption)) throw error;
    streams.err(`error: ${error.message}\n${HINT}\n`);
    return EXIT.misused;
  }
}
