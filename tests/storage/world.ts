// A table with the reference that judges it, at the begin of a workload's life: formatted, or filled. Filling is the same for all, so
// it is done once in a process.

import type { Table } from "../../firmware/core/storage/table";
import { type FaultPlan, FaultyNor } from "../../simulator/board/faulty-nor";
import type { NorImage } from "../../simulator/board/tear";
import type { Job } from "./job";
import { type Operation, ReferenceTable } from "./reference-table";
import { blankFlash, makeWorkload, perform, SIZES, tableOn, type Workload } from "./workload";

/** What a job begins with. */
export interface Setting {
  readonly workload: Workload;
  /** The operations that the job goes through. */
  readonly operations: readonly Operation[];
  /** Those that were done before. */
  readonly before: readonly Operation[];
  readonly image: NorImage;
}

/** A table that runs. */
export interface World {
  readonly flash: FaultyNor;
  readonly table: Table;
  readonly reference: ReferenceTable;
}

const settings = new Map<string, Setting>();

/** Does operations that nothing disturbs, and tells the number of each before. Throws an Error when the table refuses one. */
export function performAll(
  table: Table,
  operations: readonly Operation[],
  onOperation: (number: number) => void = () => {},
): void {
  operations.forEach((operation, i) => {
    onOperation(i);
    if (!perform(table, operation))
      throw new Error(`operation ${i} (${operation.op}) of an undisturbed workload is refused`);
  });
}

/** What the job begins with. Throws an Error when the table does not even take what fills it. */
export function settingOf({ size, mode, phase, seed }: Job): Setting {
  const key = `${size} ${mode} ${phase} ${seed}`;
  const known = settings.get(key);
  if (known !== undefined) return known;
  const workload = makeWorkload(SIZES[size], seed);
  const { operations, filled } = workload;
  const { profile } = workload.size;
  const flash = blankFlash(profile, mode, seed);
  const table = tableOn(flash, profile);
  table.log.format();
  const before = phase === "fill" ? [] : operations.slice(0, filled);
  performAll(table, before);
  const rest = phase === "fill" ? operations.slice(0, filled) : operations.slice(filled);
  const setting = { workload, operations: rest, before, image: flash.image() };
  settings.set(key, setting);
  return setting;
}

/** A reference that has done these operations. */
export function referenceAfter(operations: readonly Operation[]): ReferenceTable {
  const reference = new ReferenceTable();
  for (const operation of operations) reference.apply(operation);
  return reference;
}

/** One program operation whose bytes still stand: a record, whatever it looks like. */
export interface Written {
  readonly offset: number;
  readonly length: number;
  /** The number of the operation that it was written for. */
  readonly operation: number;
}

/** A full table after its life, with all that was ever written into its flash and still stands there. */
export interface Lived {
  readonly workload: Workload;
  readonly image: NorImage;
  /** In the order in which they were written. */
  readonly written: readonly Written[];
  /** What was done, and what the table must hold. */
  readonly operations: readonly Operation[];
  readonly reference: ReferenceTable;
}

const lives = new Map<string, Lived>();

/** The table of a job after its life. Throws an Error when the table refuses something of it. */
export function livedOf(job: Job): Lived {
  const key = `${job.size} ${job.mode} ${job.seed}`;
  const known = lives.get(key);
  if (known !== undefined) return known;
  const workload = makeWorkload(SIZES[job.size], job.seed);
  const operations = workload.operations.slice(0, workload.lived);
  const written = new Map<number, Written>();
  let operation = 0;
  const flash = blankFlash(workload.size.profile, job.mode, job.seed, {
    onOperation: ({ kind, offset, length }) => {
      if (kind === "program") written.set(offset, { offset, length, operation });
      else for (const at of written.keys()) if (at >= offset && at < offset + length) written.delete(at);
    },
  });
  const table = tableOn(flash, workload.size.profile);
  table.log.format();
  performAll(table, operations, (number) => {
    operation = number;
  });
  const lived: Lived = {
    workload,
    image: flash.image(),
    written: [...written.values()],
    operations,
    reference: referenceAfter(operations),
  };
  lives.set(key, lived);
  return lived;
}

/** Boots what the job begins with. Throws an Error when it does not mount. */
export function bootWorld(job: Job, plan: FaultPlan): World {
  const { image, before, workload } = settingOf(job);
  const flash = FaultyNor.boot(image, plan);
  const table = tableOn(flash, workload.size.profile);
  const state = table.mount();
  if (state !== "mounted") throw new Error(`the table does not mount: ${state}`);
  return { flash, table, reference: referenceAfter(before) };
}
