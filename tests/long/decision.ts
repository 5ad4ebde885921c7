// The decision in the long run: more random situations than every test run has time for, against the reference (rule T17); or one of them
// alone, which is how a failure is repeated.

import { setImmediate } from "node:timers/promises";
import type { Command } from "commander";
import { explanationFlaw, judgeDecision } from "../support/judge-decision";
import { situationOf } from "../support/situations";
import { BadOption, numberOf, type PartReport, type Suite } from "./suite";

interface Part {
  readonly name: string;
  /** Situations without `--cases`. */
  readonly cases: number;
  /** What is wrong in situation `n` of a seed; undefined for nothing. */
  readonly flawIn: (seed: number, n: number) => string | undefined;
}

/** They take about the same time. */
const PARTS: readonly Part[] = [
  { name: "decide", cases: 2_000_000, flawIn: (seed, n) => judgeDecision(situationOf(seed, n)).flaw },
  { name: "explain", cases: 50_000, flawIn: (seed, n) => explanationFlaw(situationOf(seed, n)) },
];
const VIOLATION = "differs from the reference";
/** So many failures are told of each part. */
const TOLD = 10;
/** Situations between two looks at the rest of the process. */
const BREATH = 500;

/** Judges `count` situations from `first` on; notes after some of them how many were judged, how many were broken. */
async function judge(
  { name, flawIn }: Part,
  seed: number,
  first: number,
  count: number,
  note: (states: number, broken: number) => void,
): Promise<PartReport> {
  const failures: PartReport["failures"][number][] = [];
  let broken = 0;
  for (let i = 0; i < count; i++) {
    const text = flawIn(seed, first + i);
    if (text !== undefined && broken++ < TOLD) {
      const command = `npm run test:long -- decision --seed ${seed} --case ${first + i}`;
      failures.push({ kind: name, text, command });
    }
    if (i % BREATH !== 0) continue;
    note(i + 1, broken);
    await setImmediate();
  }
  const violations: Record<string, number> = broken === 0 ? {} : { [VIOLATION]: broken };
  return { states: count, violations, notes: {}, failures };
}

const run: Suite["run"] = async (options, seed, onStanding) => {
  const only = numberOf(options, "case");
  const cases = numberOf(options, "cases");
  if (only !== undefined && cases !== undefined) throw new BadOption("--cases: means nothing beside --case");
  const parts = new Map<string, PartReport>();
  const before = { states: 0, violations: 0 };
  for (const part of PARTS) {
    const count = only === undefined ? (cases ?? part.cases) : 1;
    const report = await judge(part, seed, only ?? 0, count, (states, broken) =>
      onStanding({
        states: before.states + states,
        violations: before.violations + broken,
        done: (parts.size + states / count) / PARTS.length,
      }),
    );
    parts.set(part.name, report);
    before.states += count;
    before.violations += report.violations[VIOLATION] ?? 0;
  }
  return parts;
};

function configure(command: Command): void {
  command
    .option("--cases <n>", "so many situations of each part instead of the usual ones")
    .option("--case <n>", "this situation alone");
}

export const decision: Suite = {
  name: "decision",
  about: "the decision and its explanation against the reference, in random situations",
  configure,
  run,
};
