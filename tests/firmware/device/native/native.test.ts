// The functions in C, three times said: as prototypes in native.h, as signatures in the manifest, as methods of interface Native. They must
// agree one to one, or the bridge passes something else than C takes. And the double of the bridge behaves as the bridge.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { CHIP_FACTS, IDENTITY_BUFFER_BYTES } from "../../../../firmware/device/native";
import manifest from "../../../../firmware/device/native/manifest.json";
import { missingForC, NativeProcess } from "../../../support/native-process";
import { ChipModel, SIGNATURES } from "../../../support/sdk/native";

const FOLDER = join(__dirname, "../../../../firmware/device/native");
const textOf = (file: string): string => readFileSync(join(FOLDER, file), "utf8");

interface Declaration {
  readonly result: string;
  readonly types: readonly string[];
  readonly names: readonly string[];
}

/** The prototypes of native.h by name, each with the file that the comment above it names. */
function prototypes(): Map<string, Declaration & { readonly file: string }> {
  const found = new Map<string, Declaration & { readonly file: string }>();
  const header = textOf("native.h");
  for (const [, file, part] of header.matchAll(/^\/\/ (\w+\.c)\n((?:(?!^\/\/ |^\/\*\*)[^\n]*\n)*)/gm))
    for (const [, result, name, list] of part.matchAll(/^(\w+) (\w+)\(([^)]*)\);/gm)) {
      const all = list.trim() === "void" ? [] : list.trim().split(/,\s*/);
      const parts = all.map((one) => /^([\w*]+) (\w+)$/.exec(one) ?? assert.fail(`${name}: ${one}`));
      found.set(name, { file, result, types: parts.map((one) => one[1]), names: parts.map((one) => one[2]) });
    }
  return found;
}

/** The methods of interface Native and of what it extends, by name, with the names of its types. */
function methods(): Map<string, Declaration> {
  const tree = ts.createSourceFile("native.ts", textOf("../native.ts"), ts.ScriptTarget.ES2022, true);
  const found = new Map<string, Declaration>();
  const interfaces = tree.statements.filter(ts.isInterfaceDeclaration);
  const native = interfaces.find(({ name }) => name.text === "Native") ?? assert.fail("no interface Native");
  const bases = native.heritageClauses?.flatMap(({ types }) => types.map((type) => type.getText())) ?? [];
  for (const { name, members } of interfaces)
    if (name.text === "Native" || bases.includes(name.text))
      for (const member of members) {
        assert.ok(ts.isMethodSignature(member), member.getText());
        const { parameters } = member;
        assert.ok(parameters.every(({ questionToken }) => questionToken === undefined));
        found.set(member.name.getText(), {
          result: member.type?.getText() ?? "",
          types: parameters.map(({ type }) => type?.getText() ?? ""),
          names: parameters.map((one) => one.name.getText()),
        });
      }
  return found;
}

const inScript = (type: string): string =>
  type === "void" ? "void" : /[*\]]$/.test(type) ? "ArrayBuffer" : "number";

describe("The lock's functions in C", () => {
  const inC = prototypes();
  const inTs = methods();

  it("are the same in the header, in the manifest and in TypeScript, argument by argument", () => {
    assert.ok(inC.size >= 30);
    assert.deepEqual([...inC.keys()].sort(), Object.keys(SIGNATURES).sort());
    assert.deepEqual([...inTs.keys()].sort(), Object.keys(SIGNATURES).sort());
    for (const [name, { arguments: types, returns }] of Object.entries(SIGNATURES)) {
      const [c, script] = [inC.get(name) ?? assert.fail(name), inTs.get(name) ?? assert.fail(name)];
      assert.equal(c.result, returns, name);
      assert.deepEqual(
        c.types,
        types.map((type) => type.replace(/\[\d+\]$/, "*")),
        name,
      );
      assert.equal(script.result, inScript(returns), name);
      assert.deepEqual(script.types, types.map(inScript), name);
      assert.deepEqual(script.names, c.names, name);
    }
  });

  it("have types that the bridge knows", () => {
    const known = /^(uint8_t(\*|\[[1-9]\d*\])|u?int32_t|double)$/;
    for (const [name, { arguments: types, returns }] of Object.entries(SIGNATURES)) {
      for (const type of types) assert.match(type, known, name);
      assert.match(returns, /^(u?int32_t|double|void)$/, name);
    }
  });

  it("are defined in the file that the header names, which the manifest builds: crypto.c everywhere, the others on the chip", () => {
    const { ffi, platforms } = manifest;
    assert.deepEqual(ffi.sources, ["./crypto.c"]);
    const chip = platforms.esp32.ffi;
    for (const [name, { file, result }] of inC) {
      const part = name in ffi.functions ? ffi : chip;
      assert.ok(part.sources.includes(`./${file}`), `${name}: ${file}`);
      assert.match(textOf(file), new RegExp(`^${result} ${name}\\([^;]*?\\)\\n\\{`, "m"), name);
    }
    for (const source of [...ffi.sources, ...chip.sources])
      assert.ok(existsSync(join(FOLDER, source)), source);
  });

  it("fill buffers whose sizes TypeScript knows", () => {
    assert.equal(SIGNATURES.identityRead.arguments[0], `uint8_t[${IDENTITY_BUFFER_BYTES}]`);
    assert.equal(SIGNATURES.chipFacts.arguments[0], `uint8_t[${CHIP_FACTS.bytes}]`);
    const places = Object.entries({
      AT_FLAGS: CHIP_FACTS.flags,
      AT_FUSED_VERSION: CHIP_FACTS.fusedVersion,
      AT_RUNNING_VERSION: CHIP_FACTS.runningVersion,
      FACTS_BYTES: CHIP_FACTS.bytes,
    });
    for (const [name, value] of places)
      assert.match(textOf("chip.c"), new RegExp(`^#define ${name} ${value}$`, "m"));
    assert.match(textOf("identity.c"), new RegExp(`^#define MAX_BYTES ${IDENTITY_BUFFER_BYTES}$`, "m"));
  });
});

describe("The double of the bridge", () => {
  const { native } = new ChipModel();
  const buffer = new ArrayBuffer(32);

  it("takes ArrayBuffers and no views of them", () => {
    for (const wrong of [
      new Uint8Array(32),
      new DataView(buffer),
      undefined,
      null,
      "",
      new SharedArrayBuffer(32),
    ])
      assert.throws(() => native.sha256(wrong as unknown as ArrayBuffer, buffer, 0, 1), TypeError);
    native.sha256(buffer, buffer, 0, 1);
  });

  it("refuses a buffer that is shorter than its written size, and takes one that is longer", () => {
    assert.throws(() => native.sha256(new ArrayBuffer(31), buffer, 0, 0), RangeError);
    assert.throws(() => native.identityRead(new ArrayBuffer(127)), RangeError);
    native.sha256(new ArrayBuffer(33), buffer, 0, 0);
  });

  it("wants all arguments, and cuts numbers to their types", () => {
    assert.throws(() => (native.sha256 as (...args: unknown[]) => void)(buffer, buffer, 0), SyntaxError);
    const model = new ChipModel();
    model.native.pinsAwake(-1, 2 ** 32 + 5);
    model.native.lightSleep(2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32);
    assert.deepEqual(model.calls, [
      ["pinsAwake", 0xffffffff, 5],
      ["lightSleep", -1, 0xffffffff, 0],
    ]);
  });

  it("answers as it was told to", () => {
    const model = new ChipModel({ wake: 2, ota: 1, powerError: -7, next: 9, now: 12.5 });
    model.handles.push(4, -1);
    const { native: chip } = model;
    assert.deepEqual(
      [chip.wakeCause(), chip.otaState(), chip.nextVersion(), chip.uptimeMs()],
      [2, 1, 9, 12.5],
    );
    assert.deepEqual([chip.gapHandle(0), chip.gapHandle(1), chip.gapHandle(2)], [4, -1, -1]);
    assert.deepEqual([chip.gapTerminate(4), chip.gapTerminate(5), chip.watchdogFeed()], [0, -7, -7]);
    assert.equal(chip.otaAccept(), 0);
    assert.equal(chip.otaState(), 2);
  });
});

describe("The process that C runs in", function () {
  this.timeout(20_000);

  it("behaves at its bridge as the double does", function () {
    const missing = missingForC("sodium.h");
    if (missing !== undefined) {
      console.log(`    skipped: ${missing}`);
      this.skip();
    }
    const process = new NativeProcess(["crypto.c"], ["cryptoStart", "sha256"]);
    try {
      const c = process.functions<Pick<ChipModel, "cryptoStart" | "sha256">>();
      assert.equal(c.cryptoStart(), 0);
      assert.throws(() => c.sha256(new ArrayBuffer(31), new ArrayBuffer(1), 0, 1), RangeError);
      assert.throws(
        () => c.sha256(new ArrayBuffer(32), new Uint8Array(1) as unknown as ArrayBuffer, 0, 1),
        TypeError,
      );
    } finally {
      process.close();
    }
  });
});
