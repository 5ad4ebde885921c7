// The `tumbler` command: wires its subcommands, turns errors into messages and exit codes, and does nothing else.

import { Command, CommanderError } from "commander";
import { StoreError } from "./store/error";
import { Exit, Failure } from "./ui/failure";
import { processTerminal, type Terminal } from "./ui/terminal";

/** A subcommand adds itself to the program. */
type Add = (program: Command, terminal: Terminal) => void;

/** The subcommands, in the order of the help. Only what a command line needs is loaded: all of them together take seconds. */
const COMMANDS: Readonly<Record<string, () => Promise<Add>>> = {
  demo: async () => (await import("./commands/demo")).addDemo,
  provision: async () => (await import("./commands/provision")).addProvision,
  "factory-test": async () => (await import("./commands/factory-test")).addFactoryTest,
  inspect: async () => (await import("./commands/inspect")).addInspect,
  explain: async () => (await import("./commands/explain")).addExplain,
  calendar: async () => (await import("./commands/calendar")).addCalendar,
  issuer: async () => (await import("./commands/issuer")).addIssuer,
  issue: async () => (await import("./commands/issue")).addIssue,
  deliver: async () => (await import("./commands/door-sync")).addDeliver,
  receipts: async () => (await import("./commands/receipts")).addReceipts,
  serve: async () => (await import("./commands/serve")).addServe,
  "broker-user": async () => (await import("./commands/broker-user")).addBrokerUser,
  audit: async () => (await import("./commands/audit")).addAudit,
  proof: async () => (await import("./commands/proof")).addProof,
  sim: async () => (await import("./commands/sim")).addSim,
  door: async () => (await import("./commands/door")).addDoor,
};
const HELP_COLUMNS = 80;
/** Descriptions are wrapped in a column as narrow as this. */
const HELP_TEXT_COLUMNS = 24;

/** The program, writing to `terminal`, with these subcommands. */
async function makeProgram(terminal: Terminal, commands: readonly string[]): Promise<Command> {
  const program = new Command("tumbler");
  program
    .description(
      "Tools for Tumbler locks: run a building of them, provision them, look into their flash, and ask why a door stays shut.",
    )
    .exitOverride()
    .configureHelp({ minWidthToWrap: HELP_TEXT_COLUMNS })
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      getOutHelpWidth: () => HELP_COLUMNS,
      getErrHelpWidth: () => HELP_COLUMNS,
    })
    .showHelpAfterError("(add --help to see how it is used)");
  for (const name of commands) (await COMMANDS[name]())(program, terminal);
  return program;
}

/** Runs one command line, without the names of node and script. Resolves to the exit code; never throws. */
export async function main(args: readonly string[], terminal = processTerminal()): Promise<number> {
  const all = Object.keys(COMMANDS);
  const named = all.filter((name) => name === args[0]);
  try {
    const program = await makeProgram(terminal, named.length > 0 ? named : all);
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    terminal.exitCode = report(error, terminal);
  }
  return terminal.exitCode;
}

/** Says what went wrong, unless that was said already. Returns the exit code. */
export function report(error: unknown, terminal: Terminal): number {
  // The parser has written its message by itself; help that was asked for is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.fine : Exit.unusable;
  if (error instanceof Failure) {
    terminal.err(`error: ${error.message}\n`);
    if (error.advice !== "") terminal.err(`(${error.advice})\n`);
    return Exit.unusable;
  }
  if (error instanceof StoreError) {
    terminal.err(`error: ${error.message}\n`);
    return Exit.unusable;
  }
  terminal.err(`a fault of this program: ${error instanceof Error ? error.stack : String(error)}\n`);
  return Exit.fault;
}
