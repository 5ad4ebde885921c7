// Makes one script out of TypeScript modules, for the XS engine. Whatever needs Node, or a package's Node form, fails here.

import { join } from "node:path";
import { build, type Plugin } from "esbuild";

const ROOT = join(__dirname, "../..");

/** What to bundle: the path of a module from the project's root, or the text of one whose imports start there ("./protocol/…"). */
export type Entry = string | { text: string };

export interface Bundle {
  /** A strict script that defines one global, the object of the entry's exports. */
  code: string;
  /** The length of `code` in bytes. */
  bytes: number;
}

/** Modules of which nothing is used. */
function empty(names: readonly string[]): Plugin {
  return {
    name: "empty",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /.*/ }, ({ path }) =>
        names.includes(path) ? { path, namespace: "empty" } : undefined,
      );
      onLoad({ filter: /.*/, namespace: "empty" }, () => ({ contents: "module.exports = {};" }));
    },
  };
}

/**
 * Bundles `entry` with all its imports under the global name `globalName`. Modules named in `without` are there and empty: whatever uses
 * one of them when it runs fails.
 * Throws esbuild's error, which names file and import, on anything that is not plain ECMAScript: node: modules, missing packages.
 */
export async function bundle(
  entry: Entry,
  { globalName = "bundle", without = [] }: { globalName?: string; without?: readonly string[] } = {},
): Promise<Bundle> {
  const result = await build({
    absWorkingDir: ROOT,
    ...(typeof entry === "string"
      ? { entryPoints: [join(ROOT, entry)] }
      : { stdin: { contents: entry.text, resolveDir: ROOT, loader: "ts" as const, sourcefile: "entry.ts" } }),
    bundle: true,
    write: false,
    platform: "neutral",
    mainFields: ["module", "main"],
    format: "iife",
    globalName,
    target: "es2022",
    charset: "ascii",
    legalComments: "none",
    logLevel: "silent",
    plugins: [empty(without)],
  });
  const [{ text, contents }] = result.outputFiles;
  return { code: text, bytes: contents.length };
}
