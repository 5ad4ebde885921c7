// Where a command writes and what it may ask: the process's terminal, or a test's. Colours only for a terminal that wants them
// (https://no-color.org); commands format for 80 columns.

import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import pc from "picocolors";
import { Exit } from "./failure";

/** Formatters of picocolors; they give plain text where colours are off. */
export type Colours = ReturnType<typeof pc.createColors>;

export interface Terminal {
  /** Writes whole lines to standard output. */
  out(text: string): void;
  /** Writes whole lines to standard error. */
  err(text: string): void;
  readonly colours: Colours;
  /** Whether somebody watches, and what was written can be drawn over; left out for nobody. */
  readonly isLive?: boolean;
  /** The first line of standard input; from a terminal it is asked for with `question` and not shown while it is typed. */
  secret(question: string): Promise<string>;
  /** What the process ends with; a command sets it. */
  exitCode: number;
}

/** Whether output gets colours: an explicit wish in the environment first, else a terminal that is not dumb. */
export function wantsColours(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (env.NO_COLOR) return false;
  return Boolean(env.FORCE_COLOR) || (isTerminal && env.TERM !== "dumb");
}

/** The terminal of this process. Output to a pipe that was closed at its other end is dropped. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    colours: pc.createColors(wantsColours(env, stdout.isTTY === true)),
    isLive: stdout.isTTY === true && env.TERM !== "dumb",
    secret: (question) => firstLine(stdin, stdin.isTTY === true ? question : ""),
    exitCode: Exit.fine,
  };
}

/** The first line of a stream, empty at its end. With a question, the stream is a terminal whose echo is off meanwhile. */
function firstLine(input: NodeJS.ReadStream, question: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const isAsked = question !== "";
  if (isAsked) process.stderr.write(question);
  const lines = createInterface({ input, output: silent, terminal: isAsked });
  return new Promise((resolve) => {
    let line = "";
    lines.once("line", (text) => {
      line = text;
      lines.close();
    });
    lines.once("close", () => {
      if (isAsked) process.stderr.write("\n");
      resolve(line);
    });
  });
}
