// A link through files: a request is `<n>.request` in a folder, its answer `<n>.answer`. For locks on another machine that share a
// folder, for a memory stick, and for looking at every message. Files appear whole: they are written beside and renamed.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Answering, Link } from "../../protocol/courier/link";

const POLL_MS = 20;

function writeWhole(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
}

/** The courier's end. An answer that does not appear within `timeoutMs` counts as none. */
export class FolderLink implements Link {
  readonly #folder: string;
  readonly #timeoutMs: number;
  #next = 1;
  #open = true;

  constructor(folder: string, timeoutMs: number) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#timeoutMs = timeoutMs;
  }

  async request(message: Uint8Array): Promise<Uint8Array | undefined> {
    const name = String(this.#next++).padStart(6, "0");
    const answer = join(this.#folder, `${name}.answer`);
    rmSync(answer, { force: true });
    writeWhole(join(this.#folder, `${name}.request`), message);
    for (let waited = 0; this.#open && waited < this.#timeoutMs; waited += POLL_MS) {
      if (existsSync(answer)) {
        const bytes = new Uint8Array(readFileSync(answer));
        rmSync(answer);
        return bytes;
      }
      await sleep(POLL_MS);
    }
    return undefined;
  }

  async pause(seconds: number): Promise<void> {
    await sleep(seconds * 1000);
  }

  async close(): Promise<void> {
    this.#open = false;
  }
}

/** The lock's end: answers every request that lies in the folder, in order. Returns how many there were. */
export function answerFolder(folder: string, answering: Answering): number {
  const requests = readdirSync(folder)
    .filter((name) => name.endsWith(".request"))
    .sort();
  for (const name of requests) {
    const path = join(folder, name);
    const answer = answering(new Uint8Array(readFileSync(path)));
    rmSync(path);
    writeWhole(path.replace(/request$/, "answer"), answer);
  }
  return requests.length;
}
