// Functions in C in a process of their own, called one after another: a program around them is made from the manifest's signatures, as the
// SDK's tool makes its glue, and speaks over two pipes. Every buffer is as long as it says and no longer, so that the address sanitizer sees
// a byte too many, and all of them come back, so that a test sees which were written.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bridge, SIGNATURES } from "./sdk/native";

const FOLDER = join(__dirname, "../../firmware/device/native");

/** The C of one function's case: reads the arguments, calls it, writes the result and all buffers. */
function caseOf(name: string, index: number): string {
  const { arguments: types, returns } = SIGNATURES[name];
  const isPointer = (type: string) => /[*\]]$/.test(type);
  const read = types.map((type, i) =>
    isPointer(type)
      ? `uint32_t n${i} = number(); uint8_t* a${i} = malloc(n${i}); take(a${i}, n${i});`
      : `uint32_t a${i} = number();`,
  );
  const call = `${name}(${types.map((_, i) => "a" + i).join(", ")})`;
  const give = types.map((type, i) => (isPointer(type) ? `give(a${i}, n${i}); free(a${i});` : ""));
  const result = returns === "void" ? `${call}; uint32_t r = 0;` : `uint32_t r = (uint32_t)${call};`;
  return `case ${index}: { ${read.join(" ")} ${result} give(&r, 4); ${give.join(" ")} break; }`;
}

function programOf(names: readonly string[]): string {
  return `#include "native.h"
#include <stdio.h>
#include <stdlib.h>
static void take(void* to, uint32_t length) { if (length > 0 && fread(to, length, 1, stdin) != 1) exit(0); }
static void give(const void* from, uint32_t length) { if (length > 0 && fwrite(from, length, 1, stdout) != 1) exit(1); }
static uint32_t number(void) { uint32_t value; take(&value, 4); return value; }
int main(void) {
  for (;;) {
    switch (number()) { ${names.map(caseOf).join("\n")} default: return 2; }
    fflush(stdout);
  }
}
`;
}

/** What is missing on this machine, or undefined. */
export function missingForC(header: string): string | undefined {
  const cc = spawnSync("cc", ["-fsyntax-only", "-x", "c", "-", ...flags("--cflags")], {
    input: `#include <${header}>\n`,
  });
  if (cc.error !== undefined) return "no C compiler (cc)";
  return cc.status === 0 ? undefined : `no <${header}> (Debian: libsodium-dev)`;
}

function flags(what: "--cflags" | "--libs"): string[] {
  const found = spawnSync("pkg-config", [what, "libsodium"], { encoding: "utf8" });
  if (found.status === 0) return found.stdout.split(/\s+/).filter((flag) => flag !== "");
  return what === "--libs" ? ["-lsodium"] : [];
}

/** A running process with functions of some C files of the firmware; `options` are the compiler's, for what stands around them. */
export class NativeProcess {
  readonly #folder = mkdtempSync(join(tmpdir(), "tumbler-native-"));
  readonly #names: readonly string[];
  readonly #input: number;
  readonly #output: number;

  constructor(sources: readonly string[], names: readonly string[], options: readonly string[] = []) {
    this.#names = names;
    const path = (name: string) => join(this.#folder, name);
    writeFileSync(path("program.c"), programOf(names));
    const files = [path("program.c"), ...sources.map((source) => join(FOLDER, source))];
    const strict = ["-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined"];
    const recover = ["-fno-sanitize-recover=all", "-fno-sanitize=nonnull-attribute"];
    const more = [...flags("--cflags"), "-o", path("program"), ...files, ...flags("--libs")];
    execFileSync("cc", [...strict, ...recover, "-I" + FOLDER, ...options, ...more]);
    execFileSync("mkfifo", [path("in"), path("out")]);
    const child = spawn("sh", ["-c", 'exec "$0" < "$1" > "$2"', path("program"), path("in"), path("out")], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    child.unref();
    this.#input = openSync(path("in"), "w");
    this.#output = openSync(path("out"), "r");
  }

  /** The functions, behind the bridge. */
  functions<T extends object>(): T {
    const entries = this.#names.map((name, index) => [
      name,
      (...args: (number | ArrayBuffer)[]) => this.#call(index, args),
    ]);
    return bridge(Object.fromEntries(entries) as T, this.#names);
  }

  close(): void {
    closeSync(this.#input);
    closeSync(this.#output);
    rmSync(this.#folder, { recursive: true });
  }

  #call(index: number, args: readonly (number | ArrayBuffer)[]): number {
    const parts = [word(index)];
    for (const arg of args)
      if (typeof arg === "number") parts.push(word(arg));
      else parts.push(word(arg.byteLength), Buffer.from(new Uint8Array(arg)));
    writeSync(this.#input, Buffer.concat(parts));
    const result = this.#read(4).readInt32LE();
    for (const arg of args) if (typeof arg !== "number") new Uint8Array(arg).set(this.#read(arg.byteLength));
    return result;
  }

  #read(length: number): Buffer {
    const all = Buffer.alloc(length);
    for (let at = 0; at < length; ) {
      const count = readSync(this.#output, all, at, length - at, null);
      if (count === 0) throw new Error("the C program ended");
      at += count;
    }
    return all;
  }
}

function word(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value >>> 0);
  return buffer;
}
