// Where a lock is tested: asks it, and turns whatever is no answer into what became of the check that asked.

import type { Ask, ConsoleQuestions } from "../../firmware/console-lines";
import type { BoardFacts } from "./board";
import { Facts } from "./facts";
import type { LockLine, Reply } from "./lock-line";

/** What became of a check. */
export type Result = "passed" | "failed" | "skipped";

/** Ends a check. */
export class Halt extends Error {
  readonly result: Result;

  constructor(result: Result, why: string) {
    super(why);
    this.result = result;
  }
}

/** What a person is told to do; "" for nothing any more. */
export type Say = (prompt: string) => void;

/** What a bench is made of. */
export interface BenchOptions {
  readonly line: LockLine;
  readonly board: BoardFacts;
  readonly report: Facts;
  /** Seconds that a person has for each thing to do. */
  readonly waitS: number;
  /** Whether the bolt may move without anybody's having agreed. */
  readonly isAgreed: boolean;
  readonly say: Say;
}

const QUICK_MS = 3000;
/** A lock that restarted answers again in less. */
const RESTART_MS = 10_000;
const RESTART_TRY_MS = 1000;
/** The longest that a lock may be busy with a question of somebody's who has gone, and the pause between two looks. */
const [BUSY_MS, BUSY_PAUSE_MS] = [65_000, 500];

/** Questions whose answer depends on a person or on how long it was waited: they are not asked twice. */
const ONCE: readonly Ask[] = ["keypad", "card", "reset"];

export class Bench {
  readonly board: BoardFacts;
  readonly report: Facts;
  readonly waitS: number;
  readonly isAgreed: boolean;
  readonly say: Say;
  readonly #line: LockLine;
  /** Seconds since the lock's boot when it was last heard of. */
  #uptime: number;

  constructor({ line, board, report, waitS, isAgreed, say }: BenchOptions) {
    this.#line = line;
    this.board = board;
    this.report = report;
    this.waitS = waitS;
    this.isAgreed = isAgreed;
    this.say = say;
    this.#uptime = report.number("uptime");
  }

  /** The facts, and how long the lock took for them. Throws a {@link Halt} for everything else. */
  async ask<A extends Ask>(
    ask: A,
    question: ConsoleQuestions[A] & object,
    withinMs = QUICK_MS,
  ): Promise<{ readonly facts: Facts; readonly ms: number }> {
    let reply = await this.#untilFree(ask, question, withinMs);
    if (reply.is === "silent") {
      await this.#lookForRestart(withinMs);
      if (!ONCE.includes(ask)) reply = await this.#untilFree(ask, question, withinMs);
    }
    switch (reply.is) {
      case "ok":
        return { facts: new Facts(reply.facts), ms: reply.ms };
      case "failed":
        throw new Halt("failed", reply.why);
      case "silent":
        throw new Halt("failed", `no answer within ${withinMs / 1000} s`);
      default:
        throw refusal(reply.why);
    }
  }

  async #untilFree<A extends Ask>(
    ask: A,
    question: ConsoleQuestions[A] & object,
    ms: number,
  ): Promise<Reply> {
    const until = Date.now() + BUSY_MS;
    for (;;) {
      const reply = await this.#line.ask(ask, question, ms);
      if (reply.is !== "refused" || reply.why !== "busy" || Date.now() > until) return reply;
      this.say("the lock is busy with an earlier question");
      await pause(BUSY_PAUSE_MS);
    }
  }

  /** Throws when the lock has restarted since it was last heard of, or is not heard of any more. */
  async #lookForRestart(waitedMs: number): Promise<void> {
    const until = Date.now() + RESTART_MS;
    do {
      const reply = await this.#line.ask("report", {}, RESTART_TRY_MS);
      if (reply.is !== "ok") continue;
      const report = new Facts(reply.facts);
      const uptime = report.number("uptime");
      const isRestarted = uptime < this.#uptime + waitedMs / 1000 - 1;
      this.#uptime = uptime;
      if (isRestarted) throw new Halt("failed", `the lock restarted: ${report.text("resetReason")}`);
      return;
    } while (Date.now() < until);
    throw new Halt("failed", "the lock does not answer any more");
  }
}

function refusal(why: string): Halt {
  if (why === "absent") return new Halt("skipped", "not fitted");
  if (why === "claimed") return new Halt("skipped", "the lock was claimed meanwhile");
  if (why === "unknown") return new Halt("failed", "this firmware does not know the question");
  return new Halt("failed", `the lock refused: ${why}`);
}

/** Resolves after so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
