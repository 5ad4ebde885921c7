// Makes one script out of TypeScript modules, for the XS engine. Whatever needs Node, or a package's Node form, fails here.

import { join } from "node:path";
import { build } from "esbuild";

const ROOT = join(__dirname, "../..");

/** What to bundle: the path of a module from the project's root, or the text of one whose imports start there ("./protocol/…"). */
export type Entry = string | { text: string };

export interface Bundle {
  /** A strict script that defines one global, the object of the entry's exports. */
  code: string;
  /** The length of `code` in bytes. */
  bytes: number;
}

/**
 * Bundles `entry` with all its imports under the global name `globalName`.
 * Throws esbuild's error, which names file and import, on anything that is not plain ECMAScript: node: modules, missing packages.
 */
export async function bundle(entry: Entry, { globalName = "bundle" } = {}): Promise<Bundle> {
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
  });
  const [{ text, contents }] = result.outputFiles;
  return { code: text, bytes: contents.length };
}
