// A worker of the pool: does the jobs that it is sent, one after the other, and says how far it is.

import { parentPort } from "node:worker_threads";
import type { Message, Order } from "./pool";
import { doAlone } from "./suite";

/** Milliseconds between two reports. */
const REPORT_MS = 500;

const say = (message: Message): void => parentPort!.postMessage(message);

parentPort!.on("message", ({ id, job }: Order) => {
  let reported = Date.now();
  try {
    const summary = doAlone(job, (done, found) => {
      const now = Date.now();
      if (now - reported < REPORT_MS) return;
      reported = now;
      say({ id, type: "progress", done, states: found.states, violations: found.broken });
    });
    say({ id, type: "summary", summary });
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    say({ id, type: "error", text });
  }
});
