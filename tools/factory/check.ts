// What a check of the factory's test is, and what it gives.

import type { Bench } from "./bench";

/** A value that was measured, and what it must be. */
export interface Measured {
  /** In words, for a person. */
  readonly measured: string;
  readonly bound: string;
  readonly isWithin: boolean;
  /** For a machine. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** One check. */
export interface Check {
  readonly name: string;
  /** What it looks at, for the help. */
  readonly what: string;
  /** What a person has to do; left out for nothing. */
  readonly hands?: string;
  /** Whether a claimed lock can be checked: its report is all there is to be asked. */
  readonly fromReport?: boolean;
  /** Throws a Halt where nothing could be measured. */
  run(bench: Bench): Promise<Measured>;
}
