// The storage suite: which jobs there are, in the slice that every test run takes and in the long run, and what they found together.

import { cuts } from "./cuts";
import { flips } from "./flips";
import type { Job, Part, Phase, Progress } from "./job";
import { asViolation } from "./life";
import { type Course, doJobs } from "./pool";
import { ruin } from "./ruin";
import { stuck, wear } from "./stuck";
import { type Summary, Tally } from "./summary";
import type { Mode, SizeName } from "./workload";

const WORK: Record<Part, (job: Job, progress: Progress) => Summary> = { cuts, flips, stuck, wear, ruin };

/** Does a job in this thread. A table that does not even come to where the job begins breaks the rule "begin". */
export function doAlone(job: Job, progress: Progress): Summary {
  try {
    return WORK[job.part](job, progress);
  } catch (error) {
    const { kind, message } = asViolation(error);
    const tally = new Tally();
    tally.violate(`begin: ${kind}`, `${job.size}, ${job.mode}: ${message}`, "");
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
  item("cuts", "small", "plain", 3, 4, 65),
  item("cuts", "small", "plain", 2, 4, 25, "fill"),
  item("cuts", "small", "scrambled", 20, 4, 12),
  item("flips", "small", "plain", 61, 2, 4),
  item("flips", "small", "scrambled", 499, 1, 1),
  item("stuck", "small", "plain", 1, 2, 5),
  item("wear", "small", "plain", 1, 2, 1),
  item("ruin", "small", "plain", 5, 2, 4),
  item("ruin", "small", "scrambled", 61, 1, 1),
];

/** What the long run does: everything, of the large table too. */
export const LONG: readonly Item[] = [
  item("flips", "full", "plain", 1, 64, 6000),
  item("cuts", "full", "plain", 4, 64, 4000),
  item("cuts", "full", "plain", 32, 4, 150, "fill"),
  item("cuts", "full", "scrambled", 64, 8, 300),
  item("cuts", "small", "plain", 1, 8, 210),
  item("cuts", "small", "plain", 1, 4, 30, "fill"),
  item("cuts", "small", "scrambled", 2, 8, 100),
  item("flips", "small", "plain", 1, 8, 120),
  item("flips", "small", "scrambled", 7, 4, 20),
  item("stuck", "full", "plain", 1, 16, 150),
  item("stuck", "small", "plain", 1, 2, 5),
  item("stuck", "small", "scrambled", 1, 2, 5),
  item("wear", "full", "plain", 1, 4, 10),
  item("wear", "small", "plain", 1, 1, 1),
  item("ruin", "full", "plain", 1, 16, 700),
  item("ruin", "small", "plain", 1, 4, 12),
  item("ruin", "small", "scrambled", 1, 4, 15),
];

/** Does the jobs of some items. Returns what was found, by part. */
export async function doItems(
  items: readonly Item[],
  seed: number,
  onStanding: (standing: Course) => void = () => {},
): Promise<Map<Part, Tally>> {
  const jobs: Job[] = [];
  const seconds: number[] = [];
  for (const { shares, seconds: all, ...rest } of items)
    for (let share = 0; share < shares; share++) {
      jobs.push({ ...rest, seed, share, of: shares });
      seconds.push(all / shares);
    }
  const total = seconds.reduce((sum, each) => sum + each, 0);
  const courses = jobs.map((): Course => ({ done: 0, states: 0, violations: 0 }));
  const summaries = await doJobs(jobs, (number, course) => {
    courses[number] = course;
    onStanding({
      states: courses.reduce((sum, { states }) => sum + states, 0),
      violations: courses.reduce((sum, { violations }) => sum + violations, 0),
      done: courses.reduce((sum, { done }, i) => sum + done * seconds[i], 0) / total,
    });
  });
  const found = new Map<Part, Tally>();
  summaries.forEach((summary, number) => {
    const { part } = jobs[number];
    const tally = found.get(part) ?? new Tally();
    found.set(part, tally);
    tally.add(summary);
  });
  return found;
}
