// The issuer's store in a folder: `journal`, sealed and only ever appended to, `key`, and `lock` while a process has it open. A record is
// on the disk when `append` resolves. A record at the end that was cut while it was written is dropped when the store is opened, which
// is said; damage anywhere else opens nothing and changes nothing.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { type FileHandle, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "../../protocol/issuer/ports";
import { StoreError } from "./error";
import { makeHeader, readHeader, readRecords, sealRecord } from "./journal-format";
import { loadKey } from "./key-file";
import { takeLock } from "./process-lock";

/** What was dropped from the end of a journal. */
export interface Dropped {
  /** The number of the record that was being written, counted from 0. */
  readonly record: number;
  readonly bytes: number;
}

const HEADER_ADVICE = {
  "not-a-journal":
    "this is not a journal of Tumbler; name another folder, or put the journal back from your backup",
  "newer-format": "written by a later version of Tumbler; update this one",
  "foreign-key": "sealed under another key; put the key that belongs to it beside it",
} as const;

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

export class FileStore implements Store {
  readonly path: string;
  /** What was dropped when the store was opened, undefined if nothing was. */
  readonly dropped: Dropped | undefined;
  readonly #file: FileHandle;
  readonly #key: Uint8Array;
  readonly #id: Uint8Array;
  readonly #records: readonly Uint8Array[];
  readonly #release: () => void;
  #number: number;
  #end: number;
  #isBroken = false;

  private constructor(
    path: string,
    file: FileHandle,
    key: Uint8Array,
    id: Uint8Array,
    contents: { records: Uint8Array[]; end: number; dropped: number },
    release: () => void,
  ) {
    this.path = path;
    this.#file = file;
    this.#key = key;
    this.#id = id;
    this.#records = contents.records;
    this.#number = contents.records.length;
    this.#end = contents.end;
    this.#release = release;
    this.dropped =
      contents.dropped > 0 ? { record: contents.records.length, bytes: contents.dropped } : undefined;
  }

  /** Opens the store in `folder`, which is made on first use, with its key. Throws StoreError. */
  static async open(folder: string, keyPath = join(folder, "key")): Promise<FileStore> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const release = takeLock(join(folder, "lock"));
    try {
      return await FileStore.#openLocked(folder, keyPath, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  static async #openLocked(folder: string, keyPath: string, release: () => void): Promise<FileStore> {
    const path = join(folder, "journal");
    const key = loadKey(keyPath, !existsSync(path));
    if (!existsSync(path)) await createJournal(folder, path, key);
    const file = await readFile(path);
    const id = readHeader(file, key);
    if (typeof id === "string") throw new StoreError(id, path, HEADER_ADVICE[id]);
    const { records, end, damagedAt } = readRecords(file, key, id);
    if (damagedAt !== undefined) throw damaged(path, records.length, damagedAt, file.length);
    const handle = await open(path, "r+");
    const dropped = file.length - end;
    if (dropped > 0) {
      await handle.truncate(end);
      await handle.sync();
    }
    return new FileStore(path, handle, key, id, { records, end, dropped }, release);
  }

  /** All records as they were when the store was opened. */
  async read(): Promise<readonly Uint8Array[]> {
    return this.#records;
  }

  /** Appends one record and waits until it is on the disk. After a failure nothing more is taken. One call at a time. */
  async append(record: Uint8Array): Promise<void> {
    if (this.#isBroken)
      throw new StoreError(
        "broken",
        this.path,
        "writing failed before; start again, when there is room on the disk",
      );
    const frame = sealRecord(this.#key, this.#id, this.#number, record, random);
    this.#isBroken = true;
    await writeAll(this.#file, frame, this.#end);
    await this.#file.datasync();
    this.#isBroken = false;
    this.#end += frame.length;
    this.#number++;
  }

  /** Closes the files and lets others in. */
  async close(): Promise<void> {
    this.#isBroken = true;
    await this.#file.close();
    this.#release();
  }
}

function damaged(path: string, record: number, at: number, size: number): StoreError {
  return new StoreError(
    "damaged",
    path,
    `record ${record} at byte ${at} of ${size} does not verify: it was changed, moved or is worn out. ` +
      "Keep a copy of this file, then put the journal back from your backup; a lock that was told more since will refuse it as a fork",
  );
}

/** Under another name first, so that there is never a journal without its whole header. */
async function createJournal(folder: string, path: string, key: Uint8Array): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, "w", 0o600);
  await writeAll(file, makeHeader(key, random), 0);
  await file.sync();
  await file.close();
  await rename(draft, path);
  await syncFolder(folder);
}

/** Makes names in a folder durable, where the system can: Windows opens no folders. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  await handle.sync();
  await handle.close();
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
