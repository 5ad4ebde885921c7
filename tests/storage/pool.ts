// Workers that share the jobs of a suite, one for each core. They are started once and left waiting; a process ends without them.

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Job } from "./job";
import { type Summary, sumOf } from "./summary";

/** How far a job has come: the part of it that is done, from 0 to 1, and what was counted. */
export interface Course {
  readonly done: number;
  readonly states: number;
  readonly violations: number;
}

/** What a worker says of the job that it was given. */
export type Message = { readonly id: number } & (
  | ({ readonly type: "progress" } & Course)
  | { readonly type: "summary"; readonly summary: Summary }
  | { readonly type: "error"; readonly text: string }
);

/** What a worker is sent. Its answers carry the same id: whoever asked before may have given up. */
export interface Order {
  readonly id: number;
  readonly job: Job;
}

/** Is told how far job `number` has come. */
export type OnJob = (number: number, course: Course) => void;

const workers: Worker[] = [];
let orders = 0;

function workerAt(number: number): Worker {
  workers[number] ??= new Worker(join(__dirname, "worker.ts"), { execArgv: ["-r", "ts-node/register"] });
  workers[number].unref();
  return workers[number];
}

/** Does one job. Fails with an Error that says what the worker failed with. */
function doJob(worker: Worker, job: Job, onProgress: (course: Course) => void): Promise<Summary> {
  const id = orders++;
  return new Promise((resolve, reject) => {
    const end = (finish: () => void): void => {
      worker.off("message", hear).off("error", fail);
      finish();
    };
    const fail = (error: Error): void => end(() => reject(error));
    const hear = (message: Message): void => {
      if (message.id !== id) return;
      if (message.type === "progress") onProgress(message);
      else if (message.type === "summary") end(() => resolve(message.summary));
      else end(() => reject(new Error(message.text)));
    };
    worker.on("message", hear).on("error", fail);
    worker.postMessage({ id, job } satisfies Order);
  });
}

/** Does jobs, each core one at a time. Fails with the first Error of a worker. */
export async function doJobs(jobs: readonly Job[], onJob: OnJob = () => {}): Promise<Summary[]> {
  const summaries: Summary[] = [];
  let next = 0;
  const work = async (worker: Worker): Promise<void> => {
    while (next < jobs.length) {
      const number = next++;
      summaries[number] = await doJob(worker, jobs[number], (course) => onJob(number, course));
      const { states, violations } = summaries[number];
      onJob(number, { done: 1, states, violations: sumOf(violations) });
    }
  };
  const count = Math.min(jobs.length, availableParallelism());
  await Promise.all(Array.from({ length: count }, (_, i) => work(workerAt(i))));
  return summaries;
}
