// Workers that share the jobs of a suite, one for each core. They are started once and left waiting; a process ends without them.

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Job } from "./job";
import type { Summary } from "./summary";

/** What a worker says of the job that it was given. */
export type Message = { readonly id: number } & (
  | { readonly type: "progress"; readonly done: number }
  | { readonly type: "summary"; readonly summary: Summary }
  | { readonly type: "error"; readonly text: string }
);

/** What a worker is sent. Its answers carry the same id: whoever asked before may have given up. */
export interface Order {
  readonly id: number;
  readonly job: Job;
}

/** Is told how far job `number` has come, and what it found once it has ended. */
export type OnJob = (number: number, done: number, summary: Summary | undefined) => void;

/** A process that runs mutated modules has mutated workers. */
const REGISTER =
  process.env.MUTATION === undefined ? "ts-node/register" : join(__dirname, "../support/mutate.js");

const workers: Worker[] = [];
let orders = 0;

function workerAt(number: number): Worker {
  workers[number] ??= new Worker(join(__dirname, "worker.ts"), { execArgv: ["-r", REGISTER] });
  workers[number].unref();
  return workers[number];
}

/** Does one job. Fails with an Error that says what the worker failed with. */
function doJob(worker: Worker, job: Job, onProgress: (done: number) => void): Promise<Summary> {
  const id = orders++;
  return new Promise((resolve, reject) => {
    const end = (finish: () => void): void => {
      worker.off("message", hear).off("error", fail);
      finish();
    };
    const fail = (error: Error): void => end(() => reject(error));
    const hear = (message: Message): void => {
      if (message.id !== id) return;
      if (message.type === "progress") onProgress(message.done);
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
      summaries[number] = await doJob(worker, jobs[number], (done) => onJob(number, done, undefined));
      onJob(number, 1, summaries[number]);
    }
  };
  const count = Math.min(jobs.length, availableParallelism());
  await Promise.all(Array.from({ length: count }, (_, i) => work(workerAt(i))));
  return summaries;
}
