// What a suite is told to do, as plain data that a worker can be sent, and the command that a person repeats one state with.

import type { FaultKind } from "../../simulator/board/faulty-nor";
import type { Cut } from "../../simulator/board/power";
import type { Tally } from "./summary";
import type { Mode, SizeName } from "./workload";

/** The suites. */
export const PARTS = ["cuts", "flips", "stuck", "wear", "ruin"] as const;
export type Part = (typeof PARTS)[number];

/** The part of a workload in which cuts are tried: while the table is filled, or after it. */
export type Phase = "fill" | "life";

/** The one state that a run is about; what is left out is not restricted. */
export interface Only {
  readonly operation?: number;
  readonly bytes?: number;
  readonly torn?: string;
  /** A second cut, while recovering from the first. */
  readonly second?: { readonly operation: number; readonly bytes: number; readonly torn: string };
  readonly bit?: number;
  readonly sector?: number;
  readonly kind?: FaultKind;
  readonly onset?: number;
  readonly erases?: number;
  /** The begin of what is ruined, and how. */
  readonly at?: number;
  readonly how?: string;
}

/** One share of a suite. */
export interface Job {
  readonly part: Part;
  readonly size: SizeName;
  readonly mode: Mode;
  readonly phase: Phase;
  readonly seed: number;
  /** The number of this share, and how many there are. */
  readonly share: number;
  readonly of: number;
  /** Every so many operations, bits or records are tried. */
  readonly stride: number;
  readonly only?: Only;
}

/** Is told how much of its job, from 0 to 1, a share has done, and what it found so far. */
export type Progress = (done: number, found: Tally) => void;

/** A cut as one word of a command. */
export const cutWord = ({ operation, bytes, torn }: Cut): string => `${operation}:${bytes}:${torn}`;

/** The command that repeats one state of a job. */
export function commandOf(job: Job, only: Only): string {
  const words = ["npm run test:long -- storage", "--seed", job.seed, "--only", job.part];
  words.push("--size", job.size, "--mode", job.mode);
  if (job.part === "cuts") words.push("--phase", job.phase);
  for (const [name, value] of Object.entries(only))
    if (value !== undefined)
      words.push(`--${name}`, typeof value === "object" ? cutWord(value as Cut) : value);
  return words.join(" ");
}

/** Whether item `number` of a suite belongs to this share. */
export function isMine({ share, of, stride }: Job, number: number): boolean {
  return number % stride === 0 && (number / stride) % of === share;
}
