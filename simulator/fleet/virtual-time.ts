// Time that passes only when nothing else is left to do: jobs happen in the order of their times, and those of one moment in the order in
// which they were asked for. The same jobs give the same run on every machine.

interface Job {
  readonly at: number;
  readonly run: () => void;
}

/** Resolves when everything that was ready has happened: promises that settled, and what waited for them. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

export class VirtualTime {
  /** Seconds since the beginning. */
  now: number;
  /** Ordered by time. */
  readonly #jobs: Job[] = [];

  constructor(now = 0) {
    this.now = now;
  }

  /** Does a job after so many seconds, 0 or more; what is returned calls it off. */
  after(seconds: number, run: () => void): () => void {
    const job: Job = { at: this.now + seconds, run };
    let low = 0;
    let high = this.#jobs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#jobs[middle].at <= job.at) low = middle + 1;
      else high = middle;
    }
    this.#jobs.splice(low, 0, job);
    return () => {
      const at = this.#jobs.indexOf(job);
      if (at >= 0) this.#jobs.splice(at, 1);
    };
  }

  /** Resolves after so many seconds. */
  sleep(seconds: number): Promise<void> {
    return new Promise((resolve) => void this.after(seconds, resolve));
  }

  /**
   * Lets time pass until `work` is done; rejects as it does, and with an Error when it waits for what will never happen. `pass` is waited
   * for before so many seconds are gone: whoever wants to watch sleeps in it.
   */
  async run<T>(work: Promise<T>, pass?: (seconds: number) => Promise<void>): Promise<T> {
    let isDone = false;
    const done = (): void => {
      isDone = true;
    };
    work.then(done, done);
    for (;;) {
      await settled();
      if (isDone) return work;
      const job = this.#jobs.shift();
      if (job === undefined)
        throw new Error(`nothing left to happen at ${this.now} s, and the work is not done`);
      if (pass !== undefined && job.at > this.now) await pass(job.at - this.now);
      this.now = job.at;
      job.run();
    }
  }
}
