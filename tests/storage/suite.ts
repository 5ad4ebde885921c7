// The storage suite: which jobs there are, in the slice that every test run takes and in the long run, and what they found together.

import { cuts } from "./cuts";
import { flips } from "./flips";
import type { Job, Part, Phase, Progress } from "./job";
import { asViolation } from "./life";
import { doJobs } from "./pool";
import { ruin } from "./ruin";
import { stuck, wear } from "./stuck";
import { type Summary, Tally } from "./summary";
import type { Mode, SizeName } from "./workload";

const WORK: Record<Part, (job: Job, progress: Progress) => Summary> = { cuts, flips, stuck, wear, ruin };

/** Does a job in this thread. A table that does not even come to where the job begins breaks the rule "setting". */
export function doAlone(job: Job, progress: Progress): Summary {
  try {
    return WORK[job.part](job, progress);
  } catch (error) {
    const { kind, message } = asViolation(error);
    const tally = new Tally();
    tally.violate(`setting: ${kind}`, `${job.size}, ${job.mode}: ${message}`, "");
    return tally.toSummary();
  }
}

/** Jobs that differ in their share alone. */
export interface Item {
  readonly part: Part;
  readonly size: SizeName;
  readonly mode: Mode;
  readonly phase: Phase;
  readonly stride: number;
  readonly shares: number;
  /** What part of a run it takes, in seconds of one usual core. */
  readonly seconds: number;
}

const item = (
  part: Part,
  size: SizeName,
  mode: Mode,
  stride: number,
  shares: number,
  seconds: number,
  phase: Phase = "life",
): Item => ({ part, size, mode, phase, stride, shares, seconds });

/** What `npm test` does: a minute of two cores. */
export const SLICE: readonly Item[] = [
  item("cuts", "small", "plain", 3, 4, 65, "life"),
  item("cuts", "small", "plain", 2, 4, 25, "fill"),
  item("cuts", "small", "scrambled", 16, 4, 12, "life"),
  item("flips", "small", "plain", 61, 2, 4),
  item("flips", "small", "scrambled", 499, 1, 1),
  item("stuck", "small", "plain", 1, 2, 5),
  item("wear", "small", "plain", 1, 2, 1),
  item("ruin", "small", "plain", 5, 2, 4),
  item("ruin", "small", "scrambled", 61, 1, 1),
];

/** What the long run does: everything, of the large table too. */
export const LONG: readonly Item[] = [
  item("cuts", "full", "plain", 3, 64, 3600, "life"),
  item("cuts", "full", "plain", 32, 4, 200, "fill"),
  item("cuts", "full", "scrambled", 64, 4, 200, "life"),
  item("cuts", "small", "plain", 1, 8, 160, "life"),
  item("cuts", "small", "plain", 1, 4, 50, "fill"),
  item("cuts", "small", "scrambled", 2, 8, 80, "life"),
  item("flips", "full", "plain", 1, 64, 3600),
  item("flips", "small", "plain", 1, 8, 200),
  item("flips", "small", "scrambled", 7, 4, 40),
  item("stuck", "full", "plain", 1, 16, 600),
  item("stuck", "small", "plain", 1, 2, 5),
  item("stuck", "small", "scrambled", 1, 2, 5),
  item("wear", "full", "plain", 1, 4, 60),
  item("wear", "small", "plain", 1, 1, 1),
  item("ruin", "full", "plain", 1, 16, 300),
  item("ruin", "small", "plain", 1, 2, 20),
  item("ruin", "small", "scrambled", 1, 2, 20),
];

/** How far a run has come. */
export interface Standing {
  readonly states: number;
  readonly violations: number;
  /** From 0 to 1. */
  readonly done: number;
}

/** Does the jobs of some items. Returns what was found, by part. */
export async function doItems(
  items: readonly Item[],
  seed: number,
  onStanding: (standing: Standing) => void = () => {},
): Promise<Map<Part, Tally>> {
  const jobs: Job[] = [];
  const seconds: number[] = [];
  for (const { shares, seconds: all, ...rest } of items)
    for (let share = 0; share < shares; share++) {
      jobs.push({ ...rest, seed, share, of: shares });
      seconds.push(all / shares);
    }
  const total = seconds.reduce((sum, each) => sum + each, 0);
  const done = new Float64Array(jobs.length);
  const found = new Map<Part, Tally>();
  const all = new Tally();
  await doJobs(jobs, (number, share, summary) => {
    done[number] = share;
    if (summary !== undefined) {
      const { part } = jobs[number];
      const tally = found.get(part) ?? new Tally();
      found.set(part, tally);
      tally.add(summary);
      all.add(summary);
    }
    const weighed = done.reduce((sum, each, i) => sum + each * seconds[i], 0);
    onStanding({ states: all.states, violations: all.broken, done: weighed / total });
  });
  return found;
}
