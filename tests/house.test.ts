// Holds the tree to the rules of the house, on the syntax tree where it is about code. Each test shows every place that breaks its
// rule. What a rule allows beyond itself stands in a list here, with the reason.

import assert from "node:assert/strict";
import { builtinModules } from "node:module";
import { posix } from "node:path";
import ts from "typescript";
import { readManifest } from "./house/manifest";
import { ambientUses, moduleState } from "./house/purity";
import { FILES, importsOf, nodesOf, placeOf, SOURCES, textOf, treeOf } from "./house/tree";

/** From the top of the house down: a layer imports itself and what is below. */
const LAYERS = ["tests/", "tools/", "simulator/", "firmware/", "protocol/"];
/** What may be imported by code that a lock runs. */
const CORE = ["protocol/wire/", "protocol/crypto/", "firmware/core/"];
/** Modules below CORE that only the issuer and the courier use. */
const NOT_ON_THE_LOCK = ["protocol/wire/cborx.ts"];
/** Packages, by the folder that may import them. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  "firmware/core/": /^$/,
  "protocol/wire/": /^cbor-x\//,
  "protocol/crypto/": /^@noble\/(ciphers|ed25519|hashes)/,
  "protocol/": /^(cbor-x|@noble\/[a-z0-9]+)(\/|$)/,
};
const MAX_FILE_LINES = 600;
const MAX_FUNCTION_LINES = 60;
const isPure = (path: string): boolean => path.startsWith("protocol/") || path.startsWith("firmware/core/");
const PURE = SOURCES.filter(isPure);
const layerOf = (path: string): number => LAYERS.findIndex((layer) => path.startsWith(layer));
const linesOf = (text: string): number => text.split("\n").length - 1;

/** Fails with every offender, one a line. */
function none(offenders: readonly string[]): void {
  assert.deepEqual(offenders, []);
}

describe("The house: which way imports point", () => {
  it("sees the whole tree", () => {
    for (const path of ["firmware/core/lock.ts", "protocol/wire/cbor.ts", "tests/house.test.ts"])
      assert.ok(SOURCES.includes(path), path);
  });

  it("points them one way: tests, tools, simulator, firmware, protocol", () => {
    const offenders: string[] = [];
    for (const from of SOURCES)
      for (const { path, node } of importsOf(from))
        if (path !== undefined && layerOf(from) >= 0 && layerOf(path) < layerOf(from) && layerOf(path) >= 0)
          offenders.push(placeOf(node) + " imports " + path);
    none(offenders);
  });

  it("keeps wire and crypto apart from issuer and courier", () => {
    const above = /^protocol\/(issuer|courier)\//;
    const offenders: string[] = [];
    for (const from of SOURCES.filter((path) => /^protocol\/(wire|crypto)\//.test(path)))
      for (const { path, node } of importsOf(from))
        if (path !== undefined && above.test(path)) offenders.push(placeOf(node) + " imports " + path);
    none(offenders);
  });

  it("lets nothing but the device itself and its tests import firmware/device", () => {
    const offenders: string[] = [];
    for (const from of SOURCES.filter((path) => !/^(firmware\/device|tests)\//.test(path)))
      for (const { path, node } of importsOf(from))
        if (path?.startsWith("firmware/device")) offenders.push(placeOf(node) + " imports " + path);
    none(offenders);
  });

  it("imports no file that is not there", () => {
    const offenders: string[] = [];
    for (const from of SOURCES)
      for (const { path, node } of importsOf(from))
        if (path !== undefined && !FILES.includes(path) && !path.includes("node_modules"))
          offenders.push(placeOf(node) + " imports " + path);
    none(offenders);
  });
});

describe("The house: protocol and core are pure", () => {
  it("imports no host module, and only the packages of its folder", () => {
    const offenders: string[] = [];
    for (const from of PURE) {
      const folder = Object.keys(PACKAGES).find((each) => from.startsWith(each)) ?? "";
      for (const { name, path, node } of importsOf(from)) {
        if (path !== undefined) continue;
        const isHost = name.startsWith("node:") || builtinModules.includes(name);
        if (isHost || !PACKAGES[folder].test(name)) offenders.push(placeOf(node) + " imports " + name);
      }
    }
    none(offenders);
  });

  it("names nothing of a host, a clock or chance", () => none(PURE.flatMap(ambientUses)));

  it("keeps no state of its own in a module that a lock runs", () => {
    const core = PURE.filter((path) => CORE.some((folder) => path.startsWith(folder)));
    none(core.filter((path) => !NOT_ON_THE_LOCK.includes(path)).flatMap(moduleState));
  });
});

describe("The house: the manifest", () => {
  /** What the chip starts: the one file that imports modules of the SDK, which are declared beside it. */
  const MAIN = "firmware/device/main.ts";
  /** What is not frozen into flash: that, and the portable crypto, which is loaded only where the C fails. */
  const IN_RAM = /^(firmware\/device\/(main|portable)|protocol\/crypto\/noble|@noble\/.*)$/;
  const declarations = FILES.filter((path) => path.startsWith("firmware/device/types/"))
    .map(textOf)
    .join("\n");
  const DECLARED = new Set(
    Array.from(declarations.matchAll(/^declare module "([^"]+)"/gm), ([, name]) => name),
  );
  const { modules, preload, missing } = readManifest();
  const nameOf = new Map(Array.from(modules, ([name, file]) => [file, name]));

  /** What a module, a package's own too, imports when it runs: the specifier, and the name of the module that it means. */
  function runtimeImports(file: string): { name: string; module: string | undefined }[] {
    const imports = importsOf(file).filter(({ typeOnly }) => !typeOnly);
    return imports.map(({ name }) => {
      if (!name.startsWith(".")) {
        const bare = name.replace(/\.js$/, "");
        return { name, module: modules.has(bare) ? bare : undefined };
      }
      const path = posix.join(posix.dirname(file), name);
      return { name, module: nameOf.get(path) ?? nameOf.get(path + ".ts") };
    });
  }

  it("names nothing that does not exist", () => none(missing));

  it("has every module of the core", () => {
    none(SOURCES.filter((path) => path.startsWith("firmware/core/") && !nameOf.has(path)));
  });

  it("has every module that one of its modules imports, and the SDK's for main alone", () => {
    const offenders: string[] = [];
    for (const file of modules.values())
      for (const { name, module } of runtimeImports(file))
        if (module === undefined && !(file === MAIN && DECLARED.has(name)))
          offenders.push(file + " imports " + name);
    none(offenders);
  });

  it("preloads the core, the device and all that they import", () => {
    const offenders: string[] = [];
    for (const name of preload)
      for (const { name: imported, module } of runtimeImports(modules.get(name) ?? ""))
        if (module === undefined || !preload.has(module)) offenders.push(name + " imports " + imported);
    none([...offenders, ...[...modules.keys()].filter((name) => !IN_RAM.test(name) && !preload.has(name))]);
  });

  it("leaves in RAM what works in buffers of its module: the hashes, and the crypto that imports them", () => {
    none([...preload].filter((name) => IN_RAM.test(name)));
  });
});

describe("The house: style", () => {
  it("keeps files of protocol and core to " + MAX_FILE_LINES + " lines", () => {
    const long = PURE.filter((path) => linesOf(textOf(path)) > MAX_FILE_LINES);
    none(long.map((path) => path + ": " + linesOf(textOf(path))));
  });

  it("keeps functions of protocol and core to " + MAX_FUNCTION_LINES + " lines", () => {
    const offenders: string[] = [];
    for (const path of PURE)
      for (const node of nodesOf(treeOf(path)))
        if (ts.isFunctionLike(node) && linesOf(node.getText()) + 1 > MAX_FUNCTION_LINES)
          offenders.push(placeOf(node) + ": " + (linesOf(node.getText()) + 1));
    none(offenders);
  });

  it("gives no class that a lock runs a private method: XS makes room for each of them in every instance, and keeps the last one", () => {
    const isPrivateMethod = (node: ts.Node): boolean =>
      (ts.isMethodDeclaration(node) || ts.isAccessor(node)) && ts.isPrivateIdentifier(node.name);
    const onLock = [...new Set(readManifest().modules.values())];
    none(onLock.flatMap((path) => nodesOf(treeOf(path)).filter(isPrivateMethod).map(placeOf)));
  });

  it("opens every TypeScript file with a comment that says what it is", () => {
    none(SOURCES.filter((path) => !/^(#![^\n]*\n)?\/[/*]/.test(textOf(path))));
  });

  it("says nothing of work to be done or of where it is done", () => {
    // Written apart, so that this file does not break its own rule.
    const words = ["TO" + "DO", "FIX" + "ME", "/wo" + "rk/", "shared/" + "design", "behaviour" + ".md"];
    const offenders: string[] = [];
    for (const path of FILES)
      for (const [i, line] of textOf(path).split("\n").entries())
        for (const word of words) if (line.includes(word)) offenders.push(path + ":" + (i + 1) + " " + word);
    none(offenders);
  });
});

describe("The house: its documents", () => {
  const scripts = Object.keys(JSON.parse(textOf("package.json")).scripts);
  const BLOCK = /^```(?:sh|bash|shell|console)\n([\s\S]*?)^```/gm;

  /** Lines of a document's shell blocks, without a prompt. */
  function commandsOf(path: string): string[] {
    const blocks = Array.from(textOf(path).matchAll(BLOCK), ([, block]) => block);
    return blocks.flatMap((block) => block.split("\n")).map((line) => line.replace(/^\$ /, "").trim());
  }

  it("names only npm scripts that exist in its commands", () => {
    const offenders: string[] = [];
    for (const path of FILES.filter((each) => each.endsWith(".md")))
      for (const command of commandsOf(path))
        for (const [, named] of command.matchAll(/\bnpm (?:run(?: --?\S+)* )?([a-z][\w:-]*)/g))
          if (!["ci", "install", "i", "exec", "x", ...scripts].includes(named))
            offenders.push(path + ": " + command);
    none(offenders);
  });
});
