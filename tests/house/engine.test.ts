// Holds all that runs on a lock to what the lock's engine has: no parser, no built-in that the linker took away or that is frozen, nothing
// newer than what the tests could run. The rule itself is tested by offences that are planted.

import assert from "node:assert/strict";
import ts from "typescript";
import { engineFlaws } from "./engine";
import { SOURCES, treeOf } from "./tree";

const ON_A_LOCK = /^(protocol\/(wire|crypto)|firmware)\//;
/** Below these, what only the issuer and the courier use. */
const NOT_ON_A_LOCK = ["protocol/wire/cborx.ts"];

const flawsOf = (text: string): string[] =>
  engineFlaws(ts.createSourceFile("planted.ts", text, ts.ScriptTarget.ESNext, true));

/** Each line by itself is an offence. */
const OFFENCES = [
  ...['eval("1")', 'new Function("return 1")', 'Function("return 1")()', "(() => {}).constructor('1')"],
  ...["const f = eval;", "new Intl.NumberFormat()", "Temporal.Now.instant()", "new TextEncoder()"],
  ...["new TextDecoder()", "structuredClone({})", "setTimeout(() => {}, 1)", "queueMicrotask(() => {})"],
  ...["Buffer.from([])", "console.log(1)", "new WeakRef({})", "Atomics.load(a, 0)", "fetch('x')"],
  ...["Math[name](1)", 'Math["min"](1)', "globalThis[name]", "Array.prototype[name]", "Number[name]"],
  ...[
    "Reflect.get(Math, name)",
    "Reflect.ownKeys(Array.prototype)",
    "Object.keys(Math)",
    "const all = { Math };",
  ],
  ...["const { [name]: f } = JSON;", "list.toSorted()", "list.toReversed()", "Object.groupBy(list, f)"],
  ...["set.union(other)", "Promise.withResolvers()", "buffer.transfer()", "text.isWellFormed()"],
  ...["RegExp.escape(text)", "bytes.toBase64()", "/\\p{L}/u.test(text)", "/[a&&b]/v.test(text)"],
  ...["Array.prototype.extra = 1;", "delete Math.random;", "Object.defineProperty(Array.prototype, 'x', {})"],
  ...["class E extends Error { constructor() { super(); this.name = 'E'; } }", "o.__proto__ = p;"],
  ...["import(name)", "Object.setPrototypeOf(o, null)"],
];

/** None of these is one. */
const FINE = [
  ...["Math.min(1, 2)", "table[name]", "Object.keys(table)", "new Uint8Array(4)[0]", "JSON.stringify({})"],
  ...[
    "const eval_ = 1;",
    "options.console.port",
    "const { fetch } = options; fetch(1);",
    "/^a+$/u.test(text)",
  ],
  ...[
    "import type { Event } from './event'; const e: Event = f();",
    "list.slice().sort()",
    "list.findLast(f)",
  ],
  ...[
    "globalThis.abort = () => {};",
    "class L { constructor() { this.name = 'L'; } }",
    "Array.from(list, f)",
  ],
  ...["const kinds = { Date: 1, eval: 2 };", "class A { eval() {} }"],
];

describe("The house: what runs on a lock", () => {
  it("names nothing that the engine of a board lacks, by no computed name, and changes nothing that is frozen", () => {
    const sources = SOURCES.filter(
      (path) => ON_A_LOCK.test(path) && !path.endsWith(".d.ts") && !NOT_ON_A_LOCK.includes(path),
    );
    assert.ok(sources.length > 80, sources.length + " sources");
    assert.deepEqual(
      sources.flatMap((path) => engineFlaws(treeOf(path))),
      [],
    );
  });

  for (const text of OFFENCES)
    it("is told of " + text, () => assert.notDeepEqual(flawsOf(text), [], "not found"));

  for (const text of FINE) it("may say " + text, () => assert.deepEqual(flawsOf(text), []));
});
