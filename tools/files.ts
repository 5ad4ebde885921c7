// Files of the tools: read whole, with errors that say what to do; written whole or not at all, secrets for their owner alone.

import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { resolve } from "node:path";
import { Failure } from "./ui/failure";

/** A file to be written. All files that these tools write hold secrets, so all get mode 0600. */
export interface NewFile {
  readonly path: string;
  readonly content: Uint8Array | string;
  /** Whether a file of this name is replaced; otherwise it stops everything. */
  readonly replace: boolean;
}

const SECRET_MODE = 0o600;
/** Answers of file systems that have no hard links. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "";

/** What a system call's error means, for the path that it was about. */
function failureOf(path: string, error: unknown): Failure {
  const code = codeOf(error);
  if (code === "ENOENT") return new Failure(`${path}: no such file or folder`, "check the name");
  if (code === "EACCES" || code === "EPERM")
    return new Failure(`${path}: no permission`, "check the owner and the mode of file and folder");
  if (code === "EISDIR") return new Failure(`${path}: is a folder`, "name a file");
  if (code === "ENOSPC") return new Failure(`${path}: no space left on the device`);
  return new Failure(`${path}: ${error instanceof Error ? error.message : String(error)}`);
}

/** The content of a regular file of at most `limit` bytes. Throws a {@link Failure} otherwise. */
export function readWhole(path: string, limit: number): Uint8Array {
  try {
    const { size } = readable(path);
    if (size > limit) throw new Failure(`${path}: has ${size} bytes, wanted ${limit} at most`);
    return readFileSync(path);
  } catch (error) {
    throw error instanceof Failure ? error : failureOf(path, error);
  }
}

function readable(path: string): { size: number; mode: number } {
  const status = statSync(path);
  if (status.isDirectory()) throw new Failure(`${path}: is a folder`, "name a file");
  if (!status.isFile()) throw new Failure(`${path}: is not a regular file`, "name a file");
  return status;
}

/** Like {@link readWhole}, for a secret: it must be its owner's alone. */
export function readSecret(path: string, limit: number): Uint8Array {
  const bytes = readWhole(path, limit);
  const mode = statSync(path).mode & 0o777;
  if (process.platform !== "win32" && (mode & 0o077) !== 0)
    throw new Failure(
      `${path}: others may read this secret: wanted mode 600, got ${mode.toString(8).padStart(3, "0")}`,
      `run: chmod 600 ${path}`,
    );
  return bytes;
}

/**
 * Writes all files, or none: each is complete on disk under a name of its own before the first gets its real one. Throws a
 * {@link Failure} with nothing changed when a name is taken that may not be replaced, or two files share one.
 */
export function writeAll(files: readonly NewFile[]): void {
  refuseTaken(files);
  const drafts: string[] = [];
  const placed: string[] = [];
  let at = "";
  try {
    for (const file of files) {
      at = file.path;
      const draft = `${file.path}.${process.pid}-${drafts.length}.tmp`;
      drafts.push(draft);
      writeDraft(file, draft);
    }
    files.forEach((file, i) => {
      at = file.path;
      place(drafts[i], file);
      if (!file.replace) placed.push(file.path);
    });
  } catch (error) {
    for (const path of [...drafts, ...placed]) rmSync(path, { force: true });
    throw codeOf(error) === "EEXIST" ? taken(at) : failureOf(at, error);
  }
}

function refuseTaken(files: readonly NewFile[]): void {
  const paths = files.map(({ path }) => resolve(path));
  const twice = paths.findIndex((path, i) => paths.indexOf(path) !== i);
  if (twice >= 0)
    throw new Failure(`${files[twice].path}: named for two files`, "give each file its own name");
  for (const { path, replace } of files) if (!replace && existsSync(path)) throw taken(path);
}

function taken(path: string): Failure {
  return new Failure(
    `${path}: exists already, and is not overwritten`,
    "choose another name, or replace it with --force",
  );
}

function writeDraft({ content }: NewFile, draft: string): void {
  const descriptor = openSync(draft, "wx", SECRET_MODE);
  try {
    fchmodSync(descriptor, SECRET_MODE);
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Gives a draft its name. A link, unlike a renaming, never replaces what came to stand there meanwhile. */
function place(draft: string, { path, replace }: NewFile): void {
  if (!replace) {
    try {
      linkSync(draft, path);
      rmSync(draft);
      return;
    } catch (error) {
      if (!NO_LINKS.includes(codeOf(error))) throw error;
    }
  }
  renameSync(draft, path);
}
