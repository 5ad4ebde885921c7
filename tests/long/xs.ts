// The XS engine in the long run: on builds of both widths, whichever can be built here, the whole lives (on the narrow one in the board's heap
// and on its stack), the vectors of the protocol, and a larger slice of the storage suite than every test run takes.

import { AssertionError } from "node:assert";
import type { Command } from "commander";
import { ensureXs, widths, XsException, XsStopped } from "../xs/harness";
import { BOARD_HEAP, BOARD_STACK, liveOnXs, peakOnXs, told } from "../xs/life/live";
import { longLife, smallLife } from "../xs/life/stories";
import { sliceOnNode, sliceOnXs } from "../xs/storage/machine";
import { FAMILIES, judgeOnXs, startJudge } from "../xs/vectors/machine";
import { BadOption, numberOf, type PartReport, type Suite } from "./suite";

type Bits = Awaited<ReturnType<typeof widths>>[number];

const STRIDES = { cuts: 5, flips: 997, stuck: 7, wear: 1 };

/** One thing to do on an engine of some width: how much it tried, and what is worth knowing. */
interface Task {
  readonly name: string;
  readonly violation: string;
  readonly work: (bits: Bits, seed: number) => Promise<Omit<PartReport, "violations" | "failures">>;
}

const life = (name: string, story: typeof longLife): Task => ({
  name,
  violation: "another life than on Node, or not in the board's memory",
  work: async (bits) => {
    const teller = told(story);
    await liveOnXs(teller, { bits, heap: BOARD_HEAP, stackSlots: BOARD_STACK });
    const { all: peak } = await peakOnXs(teller, bits);
    const notes = {
      "bytes of heap": peak.bytes,
      "slots of heap": peak.slots,
      "slots of stack": peak.stackSlots,
    };
    return { states: teller.steps.length, notes };
  },
});

const TASKS: readonly Task[] = [
  life("life", longLife),
  life("small", smallLife),
  {
    name: "vectors",
    violation: "not what the vectors say",
    work: async (bits) => {
      const machine = await startJudge({ bits });
      try {
        let states = 0;
        for (const family of FAMILIES) {
          const { checks, flaws } = await judgeOnXs(machine, family);
          if (flaws.length > 0) throw new Flaw(`${family}: ${flaws.join("; ")}`);
          states += checks;
        }
        return { states, notes: {} };
      } finally {
        await machine.close();
      }
    },
  },
  {
    name: "storage",
    violation: "other flash than on Node, or a rule that broke",
    work: async (bits, seed) => {
      const wanted = await sliceOnNode(seed, STRIDES);
      const got = await sliceOnXs(seed, STRIDES, { bits });
      const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
      if (a !== b || Object.keys(got.summary.violations).length > 0) throw new Flaw(`wanted ${b}, got ${a}`);
      return { states: got.summary.states, notes: { "hash of all that was written": got.hash } };
    },
  },
];

class Flaw extends Error {}

/** Whether what was thrown says that a rule broke, and not that the suite itself cannot work. */
const isFinding = (error: unknown): error is Error =>
  error instanceof Flaw ||
  error instanceof AssertionError ||
  error instanceof XsStopped ||
  error instanceof XsException;

async function report({ name, violation, work }: Task, bits: Bits, seed: number): Promise<PartReport> {
  try {
    return { ...(await work(bits, seed)), violations: {}, failures: [] };
  } catch (error) {
    if (!isFinding(error)) throw error;
    const command = `npm run test:long -- xs --seed ${seed} --bits ${bits} --only ${name}`;
    const failures = [{ kind: name, text: error.message, command }];
    return { states: 1, violations: { [violation]: 1 }, notes: {}, failures };
  }
}

const run: Suite["run"] = async (options, seed, onStanding) => {
  const bits = numberOf(options, "bits");
  if (bits !== undefined && bits !== 32 && bits !== 64)
    throw new BadOption(`--bits: wanted 32 or 64, got ${bits}`);
  const tasks = TASKS.filter(({ name }) => (options.only ?? name) === name);
  const names = TASKS.map(({ name }) => name).join(", ");
  if (tasks.length === 0) throw new BadOption(`--only: wanted one of ${names}, got ${options.only}`);
  const here = (await widths()).filter((width) => (bits ?? width) === width);
  if (here.length === 0) throw new BadOption("--bits: the compiler here builds none (Debian: gcc-multilib)");
  const parts = new Map<string, PartReport>();
  const standing = { states: 0, violations: 0 };
  for (const width of here) {
    await ensureXs(width);
    for (const task of tasks) {
      const part = await report(task, width, seed);
      parts.set(`${task.name}-${width}`, part);
      standing.states += part.states;
      standing.violations += part.failures.length;
      onStanding({ ...standing, done: parts.size / (tasks.length * here.length) });
    }
  }
  return parts;
};

function configure(command: Command): void {
  command
    .option("--bits <n>", "the engine of this width alone: 32 or 64")
    .option("--only <part>", `one part: ${TASKS.map(({ name }) => name).join(", ")}`);
}

export const xs: Suite = {
  name: "xs",
  about: "the engine of the lock, built for 32 and 64 bits: whole lives, vectors, storage",
  configure,
  run,
};
