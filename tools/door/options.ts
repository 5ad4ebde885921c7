// What all commands at a door share: how locks are reached, and the work list that says which doors there are.

import type { Command } from "commander";
import { addLinkOptions, type LinkArguments } from "../links/options";

/** As the command line gives them. */
export interface WorkArguments {
  /** A file that `tumbler issue` wrote. */
  readonly work: string;
  readonly json?: boolean;
}

/** As the command line gives them, for doors that are visited. */
export interface DoorArguments extends LinkArguments, WorkArguments {}

/** Adds the option of those who want to read it by machine. */
export function addJsonOption(command: Command): Command {
  return command.option("--json", "print JSON, one object a line");
}

/** Adds the option that names a work list. */
export function addWorkOption(command: Command): Command {
  return addJsonOption(
    command.requiredOption("--work <file>", "the work list, a secret file from the office"),
  );
}

/** Adds the options of a command that visits doors of a work list. */
export function addDoorOptions(command: Command): Command {
  return addLinkOptions(addWorkOption(command));
}

/** Runs a job with a signal that comes with the first Ctrl-C; a second one ends the process as usual. */
export async function untilInterrupted<T>(job: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort();
  process.once("SIGINT", onInterrupt);
  try {
    return await job(stop.signal);
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}
