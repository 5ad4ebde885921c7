// Fuzzed messages in the long run (rules X8, S1): more than every test run has time for, to locks in every state; or those of one lock up
// to a certain one, which is how a failure is repeated.

import { setImmediate } from "node:timers/promises";
import type { Command } from "commander";
import { FuzzRound, ROUND, STATE_NAMES } from "../support/fuzz";
import { BadOption, numberOf, type PartReport, type Suite } from "./suite";

const MESSAGES = 1_000_000;
const VIOLATION = "wrongly answered, or obeyed";
/** So many failures are told of each state. */
const TOLD = 10;

interface Found {
  states: number;
  violations: Record<string, number>;
  notes: { "with a good signature": number };
  failures: PartReport["failures"][number][];
}

/** Sends the first `count` messages of a round, and adds what was found. Returns how many were wrongly answered. */
function fuzzRound(seed: number, round: number, count: number, found: Map<string, Found>): number {
  const lock = new FuzzRound(seed, round);
  const part = found.get(lock.state) ?? {
    states: 0,
    violations: {},
    notes: { "with a good signature": 0 },
    failures: [],
  };
  found.set(lock.state, part);
  let broken = 0;
  const tell = (text: string | undefined, message: number): void => {
    if (text === undefined) return;
    broken++;
    part.violations[VIOLATION] = (part.violations[VIOLATION] ?? 0) + 1;
    const command = `npm run test:long -- fuzz --seed ${seed} --case ${round * ROUND + message}`;
    if (part.failures.length < TOLD) part.failures.push({ kind: lock.state, text, command });
  };
  for (let message = 0; message < count; message++) tell(lock.step(), message);
  tell(lock.end(), count - 1);
  part.states += count;
  part.notes["with a good signature"] += lock.good;
  return broken;
}

/** Sends `messages` of a seed from the beginning. Tells after each lock how many were sent, and how many were wrongly answered. */
export async function fuzz(
  seed: number,
  messages: number,
  onRound: (states: number, violations: number) => void = () => {},
): Promise<ReadonlyMap<string, PartReport>> {
  const found = new Map<string, Found>();
  let violations = 0;
  for (let sent = 0; sent < messages; sent += ROUND) {
    const count = Math.min(ROUND, messages - sent);
    violations += fuzzRound(seed, sent / ROUND, count, found);
    onRound(sent + count, violations);
    await setImmediate();
  }
  return found;
}

const run: Suite["run"] = async (options, seed, onStanding) => {
  const only = numberOf(options, "case");
  const cases = numberOf(options, "cases");
  if (only !== undefined && cases !== undefined) throw new BadOption("--cases: means nothing beside --case");
  if (only === undefined) {
    const messages = cases ?? MESSAGES;
    return fuzz(seed, messages, (states, violations) =>
      onStanding({ states, violations, done: states / messages }),
    );
  }
  const found = new Map<string, Found>();
  fuzzRound(seed, Math.floor(only / ROUND), (only % ROUND) + 1, found);
  return found;
};

function configure(command: Command): void {
  command
    .option("--cases <n>", `so many messages instead of the usual ones, ${ROUND} to each lock`)
    .option("--case <n>", "this message alone, and those that came to the same lock before it");
}

export const fuzzing: Suite = {
  name: "fuzz",
  about: `any bytes at all, to locks that are: ${STATE_NAMES.join(", ")}`,
  configure,
  run,
};
