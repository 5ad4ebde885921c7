// The child of the kill test: changes and visits without an end, until it is killed. At the n-th write of store or lock it says so on its
// standard output and stops, so that the kill falls exactly there.

import fs from "node:fs";
import type { FileHandle } from "node:fs/promises";
import promises from "node:fs/promises";
import { World } from "./kill-world";

const [folder, seed, stopAt] = process.argv.slice(2);
const MAX_STEPS = 400;
let count = 0;

function operation(): void {
  if (++count !== Number(stopAt)) return;
  fs.writeSync(1, "!");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Calls `operation` before and after a function of a module, whatever it does. */
function surround<T extends object>(owner: T, name: keyof T): void {
  const real = owner[name] as unknown as (...args: unknown[]) => unknown;
  owner[name] = ((...args: unknown[]) => {
    operation();
    const result = real.apply(owner, args);
    operation();
    return result;
  }) as T[keyof T];
}

/** A file handle whose writes come in two halves. */
function watch(handle: FileHandle): FileHandle {
  const write = handle.write.bind(handle) as (
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ) => Promise<{ bytesWritten: number; buffer: Uint8Array }>;
  const halves = async (bytes: Uint8Array, offset: number, length: number, position: number) => {
    operation();
    const written = await write(bytes, offset, length > 1 ? length >> 1 : length, position);
    operation();
    return written;
  };
  Object.assign(handle, { write: halves });
  for (const name of ["datasync", "sync", "truncate"] as const) surround(handle, name);
  return handle;
}

const { open } = promises;
promises.open = async (...args: Parameters<typeof open>) => watch(await open(...args));
surround(promises, "rename");
for (const name of ["symlinkSync", "unlinkSync", "renameSync", "mkdirSync"] as const) surround(fs, name);

async function main(): Promise<void> {
  const world = await World.open(folder, operation, Number(seed));
  await world.setUp();
  for (let step = 0; step < MAX_STEPS; step++) {
    await world.change();
    if (step % 3 === 2) await world.visit(false);
  }
}

main().catch((error: unknown) => {
  fs.writeSync(2, String(error instanceof Error ? error.stack : error));
  process.exit(1);
});
