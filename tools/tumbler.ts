// The `tumbler` command: wires its subcommands, turns errors into messages and exit codes, and does nothing else.

import { Command, CommanderError } from "commander";
import { addDemo } from "./commands/demo";
import { addExplain } from "./commands/explain";
import { addInspect } from "./commands/inspect";
import { addProvision } from "./commands/provision";
import { Exit, Failure } from "./ui/failure";
import { processTerminal, type Terminal } from "./ui/terminal";

/** The whole program, writing to `terminal`. */
export function makeProgram(terminal: Terminal): Command {
  const program = new Command("tumbler");
  program
    .description(
      "Tools for Tumbler locks: run a building of them, provision them, look into their flash, and ask why a door stays shut.",
    )
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .showHelpAfterError("(add --help to see how it is used)");
  addDemo(program, terminal);
  addProvision(program, terminal);
  addInspect(program, terminal);
  addExplain(program, terminal);
  return program;
}

/** Runs one command line, without the names of node and script. Resolves to the exit code; never throws. */
export async function main(args: readonly string[], terminal = processTerminal()): Promise<number> {
  try {
    await makeProgram(terminal).parseAsync(args, { from: "user" });
  } catch (error) {
    terminal.exitCode = report(error, terminal);
  }
  return terminal.exitCode;
}

/** Says what went wrong, unless that was said already. Returns the exit code. */
function report(error: unknown, terminal: Terminal): number {
  // The parser has written its message by itself; help that was asked for is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.fine : Exit.unusable;
  if (error instanceof Failure) {
    terminal.err(`error: ${error.message}\n`);
    if (error.advice !== "") terminal.err(`(${error.advice})\n`);
    return Exit.unusable;
  }
  terminal.err(`a fault of this program: ${error instanceof Error ? error.stack : String(error)}\n`);
  return Exit.fault;
}
