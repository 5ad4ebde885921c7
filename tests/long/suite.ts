// What a suite of the long run is: it adds its own options to its command, and does what they say.

import type { Command } from "commander";

/** How far a suite has come. */
export interface Standing {
  readonly states: number;
  readonly violations: number;
  /** From 0 to 1. */
  readonly done: number;
}

/** One part of what a suite found. */
export interface PartReport {
  readonly states: number;
  /** How often each rule was broken. */
  readonly violations: Readonly<Record<string, number>>;
  /** Counts of other things worth knowing. */
  readonly notes: Readonly<Record<string, number>>;
  /** The first states that broke a rule, each with the command that repeats it. */
  readonly failures: readonly { readonly kind: string; readonly text: string; readonly command: string }[];
}

/** Options by name, as the command line has them. */
export type Options = Readonly<Record<string, string | boolean | undefined>>;

/** A suite of the long run. */
export interface Suite {
  readonly name: string;
  readonly about: string;
  /** Adds the options of its own. */
  readonly configure: (command: Command) => void;
  /** Tries everything that `options` ask for. Throws a {@link BadOption} for what they cannot mean. */
  readonly run: (
    options: Options,
    seed: number,
    onStanding: (standing: Standing) => void,
  ) => Promise<ReadonlyMap<string, PartReport>>;
}

/** An option that cannot mean anything: the message says what was wanted and what came. */
export class BadOption extends Error {}

/** An option that is a whole number; undefined where it is not given. */
export function numberOf(options: Options, name: string): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  if (!/^\d{1,9}$/.test(String(value))) throw new BadOption(`--${name}: wanted a whole number, got ${value}`);
  return Number(value);
}
