// What a rule of the product is to its table: what it demands, and the proofs that the lock keeps it. A proof is a test that exists
// beside a bug that somebody might put into the core one day, and that turns this very test red.

import type { Mutation } from "../support/mutant";

/** A bug, and the test that finds it. */
export interface Proof {
  /** What the core with the bug does, as the end of "It …". */
  readonly bug: string;
  /** The test's file, a path from the root. */
  readonly file: string;
  /** A part of the full title of exactly one test in it. */
  readonly title: string;
  readonly mutation: Mutation;
}

export interface Rule {
  readonly id: string;
  readonly demands: string;
  readonly proofs: readonly Proof[];
}

/** A rule with its proofs. */
export function rule(id: string, demands: string, ...proofs: Proof[]): Rule {
  return { id, demands, proofs };
}

/** A test: its file below tests/ without ".test.ts", and a part of its title. */
export type Named = readonly [string, string];

/** The proof by a test that finds a bug of one place: in `module`, `replace` stands where `find` stood, once. */
export function finds([test, title]: Named, bug: string, module: string, find: string, replace = ""): Proof {
  return { bug, file: `tests/${test}.test.ts`, title, mutation: { file: `${module}.ts`, find, replace } };
}
