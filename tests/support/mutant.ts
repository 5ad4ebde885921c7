// Mutants: the project's own modules with a mistake put in, to prove that the checks find it. A mutant is loaded beside the true
// modules, in a cache of its own.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { compileFunction } from "node:vm";
import { REGISTER_INSTANCE } from "ts-node";

const ROOT = join(__dirname, "../..");
const MODULE_WORDS = ["exports", "require", "module", "__filename", "__dirname"];

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

/** Compiles as the tests themselves are compiled. Throws where ts-node is not registered. */
function compile(path: string, text: string): Body {
  const service = process[REGISTER_INSTANCE];
  if (service === undefined) throw new Error("mutations: ts-node is not registered");
  return compileFunction(service.compile(text, path), MODULE_WORDS, { filename: path }) as Body;
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

/** Where the imports of a module lead, by its path and their names: the same for every mutant. */
const places = new Map<string, Map<string, string>>();

function placeOf(path: string, name: string, outside: NodeJS.Require): string {
  const known = places.get(path) ?? new Map<string, string>();
  places.set(path, known);
  const place = known.get(name) ?? outside.resolve(name);
  known.set(name, place);
  return place;
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
      const found = name.startsWith(".") ? placeOf(path, name, outside) : "";
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
