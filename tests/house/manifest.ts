// manifest.json, read as Moddable's tools read it, as far as the project uses that: modules and preload, with a star at the end of a
// name for all files of a folder, and "~" for files that a star leaves out.

import { existsSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import { ROOT, textOf } from "./tree";

export interface Manifest {
  /** Every module by the name under which it is imported, with its file from the root. */
  readonly modules: ReadonlyMap<string, string>;
  /** Names of modules that are frozen into flash. */
  readonly preload: ReadonlySet<string>;
  /** What names no file, or no module. */
  readonly missing: readonly string[];
}

type Sources = string | readonly string[];

const ENDINGS = [".ts", ".js", ""];
const isModule = (name: string): boolean => /\.[jt]s$/.test(name) && !name.endsWith(".d.ts");
const listOf = (sources: Sources): readonly string[] => (typeof sources === "string" ? [sources] : sources);

/** The file of one source without a star; undefined if there is none. */
function fileOf(source: string): string | undefined {
  const path = posix.normalize(source);
  return ENDINGS.map((ending) => path + ending).find((file) => existsSync(join(ROOT, file)));
}

function addFolder(modules: Map<string, string>, prefix: string, folder: string): boolean {
  const names = existsSync(join(ROOT, folder)) ? readdirSync(join(ROOT, folder)).filter(isModule) : [];
  for (const name of names) modules.set(prefix + name.slice(0, -3), posix.join(folder, name));
  return names.length > 0;
}

export function readManifest(): Manifest {
  const manifest = JSON.parse(textOf("manifest.json")) as {
    modules: Record<string, Sources>;
    preload: readonly string[];
  };
  const modules = new Map<string, string>();
  const missing: string[] = [];
  for (const [target, sources] of Object.entries(manifest.modules)) {
    for (const source of listOf(sources)) {
      const file = target.endsWith("*") ? undefined : fileOf(source);
      const found = target.endsWith("*")
        ? addFolder(modules, target.slice(0, -1), posix.normalize(source.slice(0, -1)))
        : file !== undefined;
      if (!found) missing.push(source);
      if (file !== undefined && target !== "~" && isModule(file)) modules.set(target, file);
    }
  }
  for (const source of listOf(manifest.modules["~"] ?? []))
    for (const [name, file] of modules) if (file === fileOf(source)) modules.delete(name);
  return { modules, preload: preloadOf(manifest.preload, modules, missing), missing };
}

function preloadOf(
  patterns: readonly string[],
  modules: ReadonlyMap<string, string>,
  missing: string[],
): ReadonlySet<string> {
  const names = new Set<string>();
  for (const pattern of patterns) {
    const fits = pattern.endsWith("*")
      ? [...modules.keys()].filter((name) => name.startsWith(pattern.slice(0, -1)))
      : [...modules.keys()].filter((name) => name === pattern);
    if (fits.length === 0) missing.push("preload " + pattern);
    for (const name of fits) names.add(name);
  }
  return names;
}
