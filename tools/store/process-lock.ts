// Keeps a second process out of the store: two writers would sign one position twice. The lock is a symbolic link, which is made in one
// step with its content: the process that made it, by its id and its start time where the system tells. A lock whose process is
// gone, as after a kill, is taken over.

import { readFileSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import { StoreError } from "./error";

/** Takes the lock at `path`; returns what gives it back. Throws StoreError while another process has it. */
export function takeLock(path: string): () => void {
  const own = nameOf(process.pid);
  for (;;) {
    try {
      symlinkSync(own, path);
      return () => unlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = readHolder(path);
    if (holder !== undefined) removeStale(path, holder);
  }
}

function readHolder(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function removeStale(path: string, holder: string): void {
  const pid = Number.parseInt(holder, 10);
  if (isAlive(pid) && nameOf(pid) === holder)
    throw new StoreError(
      "in-use",
      path,
      `process ${pid} has this store open; end it first, or remove this link if you know better`,
    );
  // Moved away before it is removed: of two processes that see the same stale lock, one finds it gone.
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (readlinkSync(aside) === holder) unlinkSync(aside);
  else renameSync(aside, path);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** `pid` or `pid-start`: ids come again, above all in containers, but not with the same start. */
function nameOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the command in parentheses, may hold spaces; the start time is field 22.
    const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${pid}-${start}`;
  } catch {
    return String(pid);
  }
}
