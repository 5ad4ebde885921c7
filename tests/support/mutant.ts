// Mutants: the project's own modules with a mistake put in, to prove that the checks find it. A mutant is loaded beside the true
// modules, in a cache of its own, or stands in for them in a child that runs a test file (see mutate.js).

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { compileFunction } from "node:vm";
import { REGISTER_INSTANCE } from "ts-node";
import ts from "typescript";

const ROOT = join(__dirname, "../..");
const MODULE_WORDS = ["exports", "require", "module", "__filename", "__dirname"];
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.CommonJS,
  esModuleInterop: true,
};
/** How the JSON reporter begins what it prints; a test may have printed before. */
const REPORT = '{\n  "stats": {';

/** A mistake: in the text of `file` (a path from the root, with "/"), `replace` stands where `find` stood. */
export interface Mutation {
  readonly file: string;
  /** Must stand in the file exactly once, so that no mutation goes stale unnoticed. */
  readonly find: string;
  readonly replace: string;
}

/** `text` of `file` with all mutations of that file. Throws an Error that names file and text where one does not fit exactly once. */
export function mutate(file: string, text: string, mutations: readonly Mutation[]): string {
  for (const { file: mutated, find, replace } of mutations) {
    if (mutated !== file) continue;
    const parts = text.split(find);
    if (parts.length !== 2)
      throw new Error(`mutation of ${file}: wanted once, found ${parts.length - 1} times: ${find}`);
    text = parts.join(replace);
  }
  return text;
}

const fileOf = (path: string): string => relative(ROOT, path).split(sep).join("/");

type Body = (...words: unknown[]) => void;

function compile(path: string, text: string): Body {
  const { outputText } = ts.transpileModule(text, { compilerOptions: OPTIONS, fileName: path });
  return compileFunction(outputText, MODULE_WORDS, { filename: path }) as Body;
}

/** Compiled modules without a mutation, by path: the same for every mutant. */
const bodies = new Map<string, Body>();

function bodyOf(path: string, mutations: readonly Mutation[]): Body {
  const file = fileOf(path);
  if (mutations.some((mutation) => mutation.file === file))
    return compile(path, mutate(file, readFileSync(path, "utf8"), mutations));
  const body = bodies.get(path) ?? compile(path, readFileSync(path, "utf8"));
  bodies.set(path, body);
  return body;
}

/**
 * The exports of the module `entry` (a path from the root, with its ending), loaded afresh with all that it imports of the project
 * and with the mutations in it. Packages and modules of Node are the usual ones. Throws an Error where a mutation does not fit, or
 * is of a file that was not loaded.
 */
export function loadMutated(mutations: readonly Mutation[], entry: string): unknown {
  const modules = new Map<string, { exports: unknown }>();
  const load = (path: string): unknown => {
    const known = modules.get(path);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    modules.set(path, module);
    const outside = createRequire(path);
    const inside = (name: string): unknown => {
      const found = name.startsWith(".") ? outside.resolve(name) : "";
      return found.endsWith(".ts") ? load(found) : outside(name);
    };
    bodyOf(path, mutations)(module.exports, inside, module, path, dirname(path));
    return module.exports;
  };
  const exports = load(join(ROOT, entry));
  for (const { file } of mutations)
    if (!modules.has(join(ROOT, file))) throw new Error(`mutation of ${file}: ${entry} does not load it`);
  return exports;
}

/** What a run of a test file said. */
export interface Run {
  /** Full titles of the tests that passed, and of those that failed. */
  readonly passed: readonly string[];
  readonly failed: readonly string[];
}

interface Report {
  readonly passes: readonly { readonly fullTitle: string }[];
  readonly failures: readonly { readonly fullTitle: string }[];
}

/**
 * Runs the tests of one file (a path from the root) in a process whose modules are mutated; with `grep` only those whose full title
 * it matches. Fails with an Error where they cannot run at all: a mutation that does not fit, or tests that do not end.
 */
export async function testsUnder(
  mutations: readonly Mutation[],
  file: string,
  grep = "",
  timeoutSeconds = 120,
): Promise<Run> {
  for (const mutation of mutations)
    mutate(mutation.file, readFileSync(join(ROOT, mutation.file), "utf8"), [mutation]);
  const args = [
    "node_modules/mocha/bin/mocha.js",
    "-r",
    "tests/support/mutate.js",
    "--reporter",
    "json",
    file,
  ];
  if (grep !== "") args.push("--grep", grep);
  const env = { ...process.env, MUTATION: JSON.stringify(mutations), FORCE_COLOR: undefined };
  const options = { cwd: ROOT, env, timeout: timeoutSeconds * 1000, maxBuffer: 1 << 28 };
  const [out, err] = await new Promise<[string, string]>((done) =>
    execFile(process.execPath, args, options, (_, ...streams) => done(streams)),
  );
  const start = out.lastIndexOf(REPORT);
  if (start < 0) throw new Error(`${file} did not run under ${env.MUTATION}:\n${out}\n${err}`);
  const { passes, failures } = JSON.parse(out.slice(start)) as Report;
  const titles = (tests: Report["passes"]): string[] => tests.map(({ fullTitle }) => fullTitle);
  return { passed: titles(passes), failed: titles(failures) };
}

/** Puts mutations into all that this process loads from now on. Throws where ts-node is not registered. */
export function mutateProcess(mutations: readonly Mutation[]): void {
  const service = process[REGISTER_INSTANCE];
  if (service === undefined) throw new Error("mutations: ts-node is not registered");
  const { compile } = service;
  service.compile = (text, path, line) => compile(mutate(fileOf(path), text, mutations), path, line);
}
