// `npm run firmware`: builds the firmware with an installed Moddable SDK, flashes it, and watches its serial port. It says exactly what
// is missing before it begins, and runs the SDK's own mcconfig for all the rest.

import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { Command } from "commander";
import { report } from "../tumbler";
import { Exit, exitHelp, Failure } from "../ui/failure";
import { COLUMNS, hanging } from "../ui/live";
import { commas } from "../ui/numbers";
import { fields } from "../ui/table";
import type { Terminal } from "../ui/terminal";
import { type BuildBoard, boardFor } from "./boards";
import { type Finding, findSdk, type Machine, type Sdk, which } from "./sdk";

interface Options {
  readonly board?: string;
  readonly profile?: string;
  readonly port?: string;
  readonly debug?: boolean;
  readonly release?: boolean;
  readonly dryRun?: boolean;
}

const ACTIONS = { build: "build", flash: "deploy", monitor: "xsbug" } as const;
type Action = keyof typeof ACTIONS;

const IMAGE = "xs_esp32.bin";
/** Of a file system's clock: an image that is older than the build by more was not made by it. */
const CLOCK_STEP_MS = 2000;
const HELP = `
Needs Moddable's SDK 8.2 and ESP-IDF 6.0, where MODDABLE and IDF_PATH say or
where xs-dev puts them; \`npm run firmware -- check\` tells what is there. The
factory's test wants a release build: in a debug build the serial port is the
debugger's. --board esp32 is an ESP32 on a board of any maker, wired as the
board "lock" (firmware/boards/lock/manifest.json has its pins).

Examples:
  npm run firmware -- check
  npm run firmware -- build --board lock
  npm run firmware -- flash --board lock --port /dev/ttyUSB0
  npm run firmware -- monitor --debug --port /dev/ttyUSB0
${exitHelp("done", "something is missing (check), or the image does not fit")}`;

/** Runs one command line on this machine. Resolves to the exit code; never throws. */
export async function main(args: readonly string[], terminal: Terminal, machine: Machine): Promise<number> {
  const program = new Command("npm run firmware --");
  program
    .description("Builds the lock's firmware, flashes it, and watches it.")
    .exitOverride()
    .configureHelp({ minWidthToWrap: 24 })
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      getOutHelpWidth: () => COLUMNS,
      getErrHelpWidth: () => COLUMNS,
    })
    .showHelpAfterError("(add --help to see how it is used)")
    .addHelpText("after", HELP);
  addAction(program, "build", "build the firmware, and tell its size", terminal, machine);
  addAction(program, "flash", "write what was built into a lock", terminal, machine);
  addAction(
    program,
    "monitor",
    "watch a lock's serial port, with the debugger for --debug",
    terminal,
    machine,
  );
  program
    .command("check")
    .description("tell what a build needs, what is there, and how to get the rest")
    .option("--json", "print it as JSON")
    .action(({ json }: { readonly json?: boolean }) => check(json === true, terminal, machine));
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    terminal.exitCode = report(error, terminal);
  }
  return terminal.exitCode;
}

function addAction(
  program: Command,
  action: Action,
  description: string,
  terminal: Terminal,
  machine: Machine,
): void {
  program
    .command(action)
    .description(description)
    .option("--board <name>", "a folder of firmware/boards, or esp32 (default: lock)")
    .option("--profile <name>", "in place of --board: lock-1000, l500i")
    .option("--port <path>", "the serial port; else the SDK looks for one")
    .option("--debug", "with the debugger")
    .option("--release", "without it, as locks leave the factory (default)")
    .option("--dry-run", "print the command and what is missing, and run nothing")
    .action((options: Options) => perform(action, options, terminal, machine));
}

function check(json: boolean, terminal: Terminal, machine: Machine): void {
  const { findings } = findSdk(machine);
  const isWhole = !findings.some(({ is }) => is === "missing");
  if (json) terminal.out(`${JSON.stringify({ ready: isWhole, findings }, null, 2)}\n`);
  else {
    const { green, red, yellow } = terminal.colours;
    const colour = { found: green, missing: red, other: yellow };
    for (const { name, is, what, how } of findings) {
      const head = `${colour[is]({ found: "found", missing: "missing", other: "other" }[is].padEnd(8))} ${name.padEnd(13)}`;
      terminal.out(`  ${head}${hanging(what, INDENT)}\n`);
      if (how !== "") terminal.out(`${" ".repeat(INDENT)}${hanging(`→ ${how}`, INDENT)}\n`);
    }
    terminal.out(isWhole ? "\nReady to build.\n" : "\nNot ready to build.\n");
  }
  terminal.exitCode = isWhole ? Exit.fine : Exit.wrong;
}

const INDENT = 24;

async function perform(
  action: Action,
  options: Options,
  terminal: Terminal,
  machine: Machine,
): Promise<void> {
  if (options.debug === true && options.release === true)
    throw new Failure("--debug and --release are two builds", "leave one out");
  const board = boardFor(machine.root, options.board, options.profile);
  const sdk = findSdk(machine);
  const debug = options.debug === true;
  const lacking = [...sdk.findings, ...debuggerOf(action, debug, sdk, machine)];
  const args = argumentsOf(action, debug, board);
  if (options.dryRun === true) {
    const port = options.port === undefined ? "" : `UPLOAD_PORT=${options.port} `;
    terminal.out(`${port}mcconfig ${args.join(" ")}\n`);
    for (const finding of lacking) if (finding.is !== "found") terminal.err(findingText(finding));
    return;
  }
  const isLacking = lacking.filter(({ is }) => is === "missing");
  if (isLacking.length > 0) throw lack(action, isLacking);
  for (const finding of lacking) if (finding.is === "other") terminal.err(findingText(finding));
  const image = imageOf(sdk, board, debug, machine.root);
  if (action === "flash" && !existsSync(image)) {
    const again = `npm run firmware -- build --board ${board.name}${debug ? " --debug" : ""}`;
    throw new Failure(`nothing was built yet for the board ${board.name}`, `run: ${again}`);
  }
  refusePort(options.port);
  const began = Date.now();
  await mcconfig(
    args,
    { ...sdk.env, ...(options.port === undefined ? {} : { UPLOAD_PORT: options.port }) },
    machine,
  );
  if (action === "build") tellSize(image, began, board, terminal);
}

/** What mcconfig is called with, in the project's folder. A release build is one without -d. */
function argumentsOf(action: Action, debug: boolean, { path }: BuildBoard): string[] {
  return [...(debug ? ["-d"] : []), "-m", "-p", `esp32:${path}`, "-t", ACTIONS[action], "manifest.json"];
}

/** What the debugger needs beside the rest. */
function debuggerOf(action: Action, debug: boolean, { env, moddable }: Sdk, { root }: Machine): Finding[] {
  if (action !== "monitor" || !debug || moddable === "" || root === "") return [];
  return ["serial2xsbug", "xsbug"]
    .filter((name) => which(name, env.PATH ?? "") === undefined)
    .map((name) => ({
      name,
      is: "missing" as const,
      what: "the SDK's debugger is not built",
      how: `make in ${moddable}/build/makefiles, or monitor a release build: leave out --debug`,
    }));
}

function lack(action: Action, findings: readonly Finding[]): Failure {
  const lines = findings.map(({ name, what, how }) => `  ${name}: ${what}\n    → ${how}`);
  return new Failure(
    `cannot ${action}: this is missing\n${lines.join("\n")}`,
    "npm run firmware -- check tells what is there",
  );
}

const findingText = ({ name, is, what, how }: Finding): string =>
  `${is === "missing" ? "missing" : "warning"}: ${name}: ${what}\n  → ${how}\n`;

function refusePort(port: string | undefined): void {
  if (port === undefined || process.platform === "win32" || existsSync(port)) return;
  throw new Failure(`${port}: no such port`, "is the cable in? Names of ports: ls /dev/tty*");
}

/** Runs mcconfig to its end, with this terminal. Throws a {@link Failure} when it fails. */
async function mcconfig(args: readonly string[], env: NodeJS.ProcessEnv, { root }: Machine): Promise<void> {
  // Ctrl-C is for what runs in the terminal, a monitor for one; this program ends after it.
  const onInterrupt = (): void => {};
  process.on("SIGINT", onInterrupt);
  try {
    const program = which("mcconfig", env.PATH ?? "") ?? "mcconfig";
    const code = await new Promise<number | null>((resolve, reject) => {
      const child = spawn(program, args, { cwd: root, env, stdio: "inherit" });
      child.on("error", reject).on("exit", resolve);
    });
    if (code !== 0)
      throw new Failure(`mcconfig ended with ${code ?? "a signal"}`, "what it wrote above says why");
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

/** Where the SDK puts the image that an application slot holds. */
function imageOf({ moddable }: Sdk, { name }: BuildBoard, debug: boolean, root: string): string {
  return join(moddable, "build/bin/esp32", name, debug ? "debug" : "release", basename(root), IMAGE);
}

/** Tells how much of its slot an image takes. The SDK's make goes on after some errors, so an image may be of an older build. */
function tellSize(image: string, began: number, { slotBytes }: BuildBoard, terminal: Terminal): void {
  const status = statSync(image, { throwIfNoEntry: false });
  if (status === undefined || status.mtimeMs < began - CLOCK_STEP_MS)
    throw new Failure(`the build made no ${image}`, "what mcconfig wrote above says why");
  const { size } = status;
  const share = ((100 * size) / slotBytes).toFixed(1);
  const rows: [string, string][] = [
    ["image", image],
    ["size", `${commas(size)} bytes`],
    ["slot", `${commas(slotBytes)} bytes (${slotBytes / 1024} KiB), ${share} % taken`],
  ];
  terminal.out(`\n${fields(rows, terminal.colours)}`);
  if (size <= slotBytes) return;
  terminal.err(`error: the image is ${commas(size - slotBytes)} bytes too large for its slot\n`);
  terminal.exitCode = Exit.wrong;
}
