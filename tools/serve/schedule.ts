// When a lock is due for a session: at once when it shows up or something is wanted of it, again with growing pauses while it does not
// answer, and now and then though nothing is wanted, for its lease and its events. Pure; times in seconds.

/** Pauses after sessions in a row that had no answer; the last repeats. */
const PAUSES_S: readonly number[] = [1, 2, 4, 8, 15, 30, 60, 120, 300];

/** What is known of one lock's line. */
export interface Line {
  /** When the next session is due; infinite for a lock that has shown up nowhere and has nothing waiting. */
  dueAt: number;
  /** Sessions in a row without an answer. */
  failures: number;
  isBusy: boolean;
}

/** A line that was never used: due at once. */
export const newLine = (): Line => ({ dueAt: 0, failures: 0, isBusy: false });

/** Something is wanted, or the lock showed up: it is due now, unless it is in its pauses and did not show up. */
export function poke(line: Line, now: number, showedUp: boolean): void {
  if (showedUp) line.failures = 0;
  if (line.failures === 0) line.dueAt = Math.min(line.dueAt, now);
}

/** A session has ended. `isSettled`: nothing waits; then the lock is due again in `idleS`. */
export function sessionEnded(
  line: Line,
  now: number,
  answered: boolean,
  isSettled: boolean,
  idleS: number,
): void {
  line.isBusy = false;
  line.failures = answered ? 0 : line.failures + 1;
  const pause = PAUSES_S[Math.min(line.failures, PAUSES_S.length) - 1] ?? PAUSES_S[0];
  line.dueAt = now + (answered && isSettled ? idleS : pause);
}
