// Gets the XS engine: installs @agoric/xsnap, which ships XS's C sources, from its own lock file, and builds our worker with
// them (native/). Nothing but the tests asks for it, and npm's install scripts have no part in it.
// The result is one program in .cache/, named by all that it is made of, and made aside; of several processes that want it, one makes it.
//
// It builds for 32 bits where the compiler can (Debian: gcc-multilib), because a slot then has the board's 16 bytes.
// XS_BITS=64 or =32 insists on one; CC names another compiler.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

const CACHE = join(__dirname, ".cache");
const NATIVE = join(__dirname, "native");
const INPUTS = ["package-lock.json", "native/makefile", "native/platform.h", "native/worker.c"];
const BUILD_TOOLS_MISSING =
  "The tests on the XS engine need make and a C compiler. On Debian: apt-get install build-essential";

const WAIT_MS = 500;
const ABANDONED_MS = 10 * 60_000;

/** The width of an engine's pointers. */
export type Bits = 32 | 64;

const paths = new Map<Bits | undefined, Promise<string>>();

/**
 * Installs and builds the engine unless that was done before with the same lock file, sources and compiler; says on
 * stderr what it does. About a minute the first time. Throws an Error that says what to install if make or the compiler is missing.
 */
export async function ensureXs(bits?: Bits): Promise<void> {
  await workerPath(bits);
}

/** The program of the built engine, of a width or of that which every test uses; see ensureXs. */
export function workerPath(bits?: Bits): Promise<string> {
  const path = paths.get(bits) ?? findOrBuild(bits);
  paths.set(bits, path);
  return path;
}

/** Which widths can be built here, the board's first. Throws as {@link ensureXs} does. */
export async function widths(): Promise<Bits[]> {
  const compiler = await compilerOf();
  const bits: Bits[] = [];
  for (const one of [32, 64] as const) if (await canLink([...compiler, "-m" + one])) bits.push(one);
  return bits;
}

async function findOrBuild(bits: Bits | undefined): Promise<string> {
  const compiler = await chooseCompiler(bits);
  const worker = join(CACHE, "xs-worker-" + (await fingerprint(compiler)));
  const turn = worker + ".making";
  while (!existsSync(worker)) {
    if (!takeTurn(turn)) await sleep(WAIT_MS);
    else await make(worker, compiler).finally(() => rmSync(turn, { recursive: true, force: true }));
  }
  return worker;
}

/** Whether this process is the one that makes it. What a process left that was killed counts for some minutes. */
function takeTurn(turn: string): boolean {
  mkdirSync(CACHE, { recursive: true });
  const since = statSync(turn, { throwIfNoEntry: false })?.mtimeMs;
  if (since !== undefined && Date.now() - since > ABANDONED_MS)
    rmSync(turn, { recursive: true, force: true });
  try {
    mkdirSync(turn);
    return true;
  } catch {
    return false;
  }
}

async function make(worker: string, compiler: string[]): Promise<void> {
  const folder = mkdtempSync(join(CACHE, "building-"));
  try {
    await install(folder);
    await build(folder, compiler);
    renameSync(join(folder, "xs-worker"), worker);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compilerOf(): Promise<string[]> {
  const compiler = (process.env.CC ?? "cc").split(" ");
  await requireTool("make", ["--version"]);
  await requireTool(compiler[0], ["--version"]);
  return compiler;
}

async function chooseCompiler(wanted: Bits | undefined): Promise<string[]> {
  const compiler = await compilerOf();
  const bits = wanted ?? process.env.XS_BITS;
  if (bits) return [...compiler, "-m" + bits];
  return (await canLink([...compiler, "-m32"])) ? [...compiler, "-m32"] : compiler;
}

async function requireTool(tool: string, args: string[]): Promise<void> {
  try {
    await run(tool, args);
  } catch (error) {
    throw new Error(BUILD_TOOLS_MISSING + " (" + tool + " does not run)", { cause: error });
  }
}

async function canLink([compiler, ...flags]: string[]): Promise<boolean> {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "probe-"));
  try {
    const source = join(folder, "probe.c");
    writeFileSync(source, '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n');
    await run(compiler, [...flags, source, "-o", join(folder, "probe")]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fingerprint(compiler: string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const input of INPUTS) hash.update(readFileSync(join(__dirname, input)));
  const { stdout } = await run(compiler[0], ["--version"]);
  hash.update([...compiler, stdout, process.platform, process.arch].join("\n"));
  return hash.digest("hex").slice(0, 16);
}

async function install(folder: string): Promise<void> {
  say("installing the sources of XS (once)");
  for (const file of ["package.json", "package-lock.json"]) cpSync(join(__dirname, file), join(folder, file));
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
  });
}

async function build(folder: string, compiler: string[]): Promise<void> {
  say("building XS with " + compiler.join(" ") + " (once, up to a minute)");
  const started = Date.now();
  await run("make", [
    "--jobs=" + availableParallelism(),
    "--file=" + join(NATIVE, "makefile"),
    "PACKAGE=" + join(folder, "node_modules/@agoric/xsnap"),
    "OUT=" + folder,
    "CC=" + compiler.join(" "),
  ]);
  say("built in " + Math.round((Date.now() - started) / 1000) + " s");
}

function say(what: string): void {
  process.stderr.write("XS engine: " + what + "\n");
}
