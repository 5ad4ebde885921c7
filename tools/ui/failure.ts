// What goes wrong in a command for reasons that its user can mend, and the exit codes of all commands.

import { hanging } from "./live";

/** Exit codes: fine, also "granted"; something is wrong with what was looked at, also "refused"; it could not be looked at at all. */
export const Exit = { fine: 0, wrong: 1, unusable: 2, fault: 3 } as const;

/** The exit codes of a command for its help text; `wrong` where it has a use for that one. */
export function exitHelp(fine: string, wrong?: string): string {
  const codes = wrong === undefined ? `0 ${fine}` : `0 ${fine}; 1 ${wrong}`;
  return `\n${hanging(`Exit codes: ${codes};`, 0)}\n2 usage, or not readable; 3 a fault of the program itself.\n`;
}

/** An error of usage or of the outside world: what, where and what was wanted, and what to do about it. */
export class Failure extends Error {
  /** What to do, as a sentence without its full stop; empty where the message says it. */
  readonly advice: string;

  constructor(message: string, advice = "") {
    super(message);
    this.advice = advice;
  }
}
