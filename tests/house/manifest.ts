// manifest.json and what it includes of the project, read as Moddable's tools read it, as far as the project uses that: modules and preload,
// with a star at the end of a module's name for all files of a folder, and "~" for files that a star leaves out. What stands under a
// platform, and what the SDK has, is left alone.

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

/** A manifest as it is written. */
interface Written {
  readonly include?: Sources;
  readonly modules?: Readonly<Record<string, Sources>>;
  readonly preload?: readonly string[];
}

const ENDINGS = [".ts", ".js", ""];
const isModule = (name: string): boolean => /\.[jt]s$/.test(name) && !name.endsWith(".d.ts");
const listOf = (sources: Sources): readonly string[] => (typeof sources === "string" ? [sources] : sources);
const isOurs = (path: string): boolean => path.startsWith(".");

/** The file of one source without a star; undefined if there is none. */
function fileOf(path: string): string | undefined {
  return ENDINGS.map((ending) => path + ending).find((file) => existsSync(join(ROOT, file)));
}

class Reading implements Manifest {
  readonly modules = new Map<string, string>();
  readonly preload = new Set<string>();
  readonly missing: string[] = [];
  readonly #preload: string[] = [];

  constructor(path: string) {
    this.#read(path);
    for (const name of this.#preload) {
      // The tools take a star in `preload` for JavaScript, and for nothing that is written in TypeScript.
      if (this.modules.has(name)) this.preload.add(name);
      else this.missing.push("preload " + name);
    }
  }

  #read(path: string): void {
    const written = JSON.parse(textOf(path)) as Written;
    const folder = posix.dirname(path);
    for (const include of listOf(written.include ?? []).filter(isOurs))
      this.#read(posix.join(folder, include));
    const left = listOf(written.modules?.["~"] ?? []).map((source) => fileOf(posix.join(folder, source)));
    for (const [target, sources] of Object.entries(written.modules ?? {}))
      if (target !== "~")
        for (const source of listOf(sources)) this.#add(target, posix.join(folder, source), left);
    this.#preload.push(...(written.preload ?? []));
  }

  #add(target: string, source: string, left: readonly (string | undefined)[]): void {
    const found = target.endsWith("*") ? this.#folder(source.slice(0, -1)) : [fileOf(source)];
    if (found.length === 0 || found[0] === undefined) this.missing.push(source);
    for (const file of found) {
      if (file === undefined || left.includes(file) || !isModule(file)) continue;
      const name = target.endsWith("*") ? target.slice(0, -1) + posix.basename(file).slice(0, -3) : target;
      this.modules.set(name, file);
    }
  }

  #folder(folder: string): string[] {
    const names = existsSync(join(ROOT, folder)) ? readdirSync(join(ROOT, folder)).filter(isModule) : [];
    return names.map((name) => posix.join(folder, name));
  }
}

/** The project's manifest. */
export function readManifest(): Manifest {
  return new Reading("manifest.json");
}
