// The factory's test of one lock over its serial port: greets it, runs the checks one after the other, and gives a record of all values.

import type { Duplex } from "node:stream";
import { isoText } from "../ui/time";
import { Bench, Halt, type Result, type Say } from "./bench";
import { boardOf } from "./board";
import type { Check } from "./check";
import { type Facts, UnlikeAnswer } from "./facts";
import { greet } from "./greet";
import { HAND_CHECKS } from "./hand-checks";
import { LockLine } from "./lock-line";
import { OWN_CHECKS, OWN_FIRMWARE } from "./own-checks";

/** All checks, in their order: what needs no hand first, the bolt last. */
export const CHECKS: readonly Check[] = [...OWN_CHECKS, ...HAND_CHECKS];

/** What became of a check. */
export interface Outcome {
  readonly name: string;
  readonly result: Result;
  /** Why it was skipped, or could not be measured. */
  readonly why?: string;
  readonly measured?: string;
  readonly bound?: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Milliseconds that it took, a person's included. */
  readonly ms: number;
}

/** A test that was done. */
export interface FactoryRecord {
  readonly tool: string;
  readonly port: string;
  readonly firmware: string;
  readonly board: string;
  readonly profile: string | null;
  /** In hexadecimal; null for a lock without an identity. */
  readonly lock: string | null;
  readonly publicKey: string | null;
  readonly claimed: boolean;
  /** UTC, by this machine's clock. */
  readonly beganAt: string;
  readonly endedAt: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Whether every check passed, or was about something that is not fitted or not wanted. */
  readonly isFine: boolean;
  readonly checks: readonly Outcome[];
}

/** How a lock is tested. */
export interface FactoryOptions {
  readonly port: string;
  /** The board that the lock has to have; that which it says it is, if left out. */
  readonly board?: string;
  /** Names of checks; all if left out. */
  readonly only?: readonly string[];
  readonly waitS: number;
  readonly isAgreed: boolean;
  /** Whether the board is for development, so that nothing of it is protected. */
  readonly isDevelopment: boolean;
  /** How long it is tried to get a first answer, in milliseconds. */
  readonly greetMs?: number;
}

/** Is told how the test goes. */
export interface FactoryWatcher {
  greeted(report: Facts): void;
  begins(check: Check, number: number, of: number): void;
  readonly say: Say;
  ended(outcome: Outcome): void;
}

export const CLAIMED = "the lock is claimed, and tells nothing but its report";

/** Tests the lock at the other end of a line. Throws a Failure when it does not answer, or the line is gone. */
export async function factoryTest(
  stream: Duplex,
  options: FactoryOptions,
  watcher: FactoryWatcher,
): Promise<FactoryRecord> {
  const line = new LockLine(stream);
  const beganAt = Date.now();
  const report = await greet(line, options.port, options.greetMs);
  const claimed = report.is("claimed");
  watcher.greeted(report);
  const bench = new Bench({
    line,
    report,
    board: boardOf(options.board ?? report.text("board")),
    waitS: options.waitS,
    isAgreed: options.isAgreed,
    say: watcher.say,
  });
  const checks = CHECKS.filter(({ name }) => options.only?.includes(name) ?? true);
  const outcomes: Outcome[] = [];
  for (const [i, check] of checks.entries()) {
    watcher.begins(check, i + 1, checks.length);
    const outcome = await outcomeOf(check, bench, unwanted(check, claimed, options));
    watcher.say("");
    watcher.ended(outcome);
    outcomes.push(outcome);
  }
  const count = (result: Result): number => outcomes.filter((outcome) => outcome.result === result).length;
  const textOrNull = (name: string): string | null => (report.isNull(name) ? null : report.text(name));
  return {
    tool: OWN_FIRMWARE,
    port: options.port,
    firmware: report.text("firmware"),
    board: report.text("board"),
    profile: textOrNull("profile"),
    lock: textOrNull("lock"),
    publicKey: textOrNull("publicKey"),
    claimed,
    beganAt: isoText(Math.floor(beganAt / 1000)),
    endedAt: isoText(Math.floor(Date.now() / 1000)),
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
    isFine: count("failed") === 0 && !outcomes.some(({ why }) => why === CLAIMED),
    checks: outcomes,
  };
}

/** Why a check is not even begun; undefined where it is. */
function unwanted(
  { name, fromReport }: Check,
  claimed: boolean,
  { isDevelopment }: FactoryOptions,
): string | undefined {
  if (claimed && fromReport !== true) return CLAIMED;
  return name === "protection" && isDevelopment ? "a board for development" : undefined;
}

async function outcomeOf(check: Check, bench: Bench, why: string | undefined): Promise<Outcome> {
  const { name } = check;
  const began = Date.now();
  if (why !== undefined) return { name, result: "skipped", why, values: {}, ms: 0 };
  try {
    const { isWithin, ...measured } = await check.run(bench);
    return { name, result: isWithin ? "passed" : "failed", ...measured, ms: Date.now() - began };
  } catch (error) {
    const isKnown = error instanceof Halt || error instanceof UnlikeAnswer;
    if (!isKnown) throw error;
    const result = error instanceof Halt ? error.result : "failed";
    return { name, result, why: error.message, values: {}, ms: Date.now() - began };
  }
}
