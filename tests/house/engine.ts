// What a syntax tree tells of a module's fitness for the lock's engine: XS as it is linked for a board. There the parser is gone, the linker
// takes away every built-in that the code does not name, what is left is frozen, and hosts' globals are not there unless a module brings them.
// The tests' own XS is older than the board's: what is newer than ES2023 could not be run before it is flashed. It follows names within
// one file.

import ts from "typescript";
import { nodesOf, placeOf } from "./tree";

/** The engine's own parser and realms, which a linked board has not; hosts' globals; threads. */
const ABSENT = new Set([
  ...["eval", "Function", "AsyncFunction", "GeneratorFunction", "Compartment", "ModuleSource"],
  ...[
    "Intl",
    "Temporal",
    "WebAssembly",
    "TextEncoder",
    "TextDecoder",
    "structuredClone",
    "Buffer",
    "process",
  ],
  ...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"],
  ...["queueMicrotask", "performance", "crypto", "fetch", "URL", "URLSearchParams", "Blob", "WebSocket"],
  ...[
    "Worker",
    "AbortController",
    "AbortSignal",
    "Event",
    "EventTarget",
    "atob",
    "btoa",
    "console",
    "window",
  ],
  ...["navigator", "document", "require", "module", "exports", "__dirname", "__filename", "global"],
  ...["SharedArrayBuffer", "Atomics", "WeakRef", "FinalizationRegistry", "Iterator", "Float16Array"],
  ...["DisposableStack", "AsyncDisposableStack", "SuppressedError"],
]);

/** Built-ins that a lock has. */
const BUILT_INS = new Set([
  ...[
    "Object",
    "Array",
    "String",
    "Number",
    "Boolean",
    "BigInt",
    "Symbol",
    "Math",
    "JSON",
    "Reflect",
    "Proxy",
  ],
  ...[
    "Map",
    "Set",
    "WeakMap",
    "WeakSet",
    "Promise",
    "RegExp",
    "Date",
    "ArrayBuffer",
    "DataView",
    "globalThis",
  ],
  ...["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array"],
  ...["Uint32Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"],
  ...["Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError"],
]);

/** Of these nothing is ever wanted but a member by its name. */
const NAMESPACES = new Set(["Math", "JSON", "Reflect", "globalThis"]);

/** Members that are newer than ES2023, or that the tests' engine lacks although they are not. */
const NEWER = new Set([
  ...["toSorted", "toSpliced", "toReversed", "groupBy", "fromAsync", "isWellFormed", "toWellFormed"],
  ...["transfer", "transferToFixedLength", "resize", "waitAsync", "withResolvers", "isError", "escape"],
  ...["union", "intersection", "difference", "symmetricDifference", "isSubsetOf", "isSupersetOf"],
  ...["isDisjointFrom", "getFloat16", "setFloat16", "f16round", "sumPrecise", "getOrInsert"],
  ...["getOrInsertComputed", "setFromHex", "setFromBase64", "toBase64", "fromBase64", "rawJSON", "isRawJSON"],
]);

/** Members that lead to the parser, or to a prototype that is frozen. */
const FORBIDDEN = new Set([
  "__proto__",
  "__defineGetter__",
  "__defineSetter__",
  "setPrototypeOf",
  "caller",
  "callee",
]);

/** Properties of characters: the engine of a board is built without their tables. */
const PATTERN = /\\[pP]\{/;

/** Whether an identifier stands for a value of its own, and is not a member's name, a key, a label or a part of a type. */
function isValue(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isQualifiedName(parent) || ts.isTypeNode(parent) || ts.isTypeParameterDeclaration(parent))
    return false;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  if (ts.isBindingElement(parent) && parent.propertyName === node) return false;
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent) || ts.isImportClause(parent)) return false;
  const isNamed = "name" in parent && parent.name === node && !ts.isShorthandPropertyAssignment(parent);
  return !isNamed && !ts.isLabeledStatement(parent) && !ts.isBreakOrContinueStatement(parent);
}

/** Names that a file declares somewhere: a built-in of that name is hidden there. */
function declaredIn(tree: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  for (const node of nodesOf(tree)) {
    const declares =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isClassDeclaration(node) ||
      ts.isImportSpecifier(node) ||
      ts.isImportClause(node) ||
      ts.isNamespaceImport(node);
    if (declares && node.name !== undefined && ts.isIdentifier(node.name)) names.add(node.name.text);
  }
  return names;
}

/** The built-in at the start of `Name.a.b`; undefined for anything else. */
function builtInOf(node: ts.Expression, declared: ReadonlySet<string>): string | undefined {
  let inner = node;
  while (ts.isPropertyAccessExpression(inner)) inner = inner.expression;
  return ts.isIdentifier(inner) && BUILT_INS.has(inner.text) && !declared.has(inner.text)
    ? inner.text
    : undefined;
}

function nameFlaw(node: ts.Identifier, declared: ReadonlySet<string>): string | undefined {
  const { text, parent } = node;
  if (declared.has(text) || !isValue(node)) return undefined;
  if (ABSENT.has(text)) return text + ": not on a lock";
  const isBase = ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent);
  return NAMESPACES.has(text) && !isBase ? text + ": handed on as a value" : undefined;
}

function memberFlaw({ name, parent }: ts.PropertyAccessExpression): string | undefined {
  if (NEWER.has(name.text)) return "." + name.text + ": newer than what is tested";
  if (FORBIDDEN.has(name.text)) return "." + name.text + ": not on a frozen engine";
  const isCalled = (ts.isCallExpression(parent) || ts.isNewExpression(parent)) && name.text === "constructor";
  return isCalled ? ".constructor(): the way to the parser" : undefined;
}

/** Built-ins whose members are reached by a computed name: `Math[x]`, `Array.prototype[x]`, `Reflect.get(Math, x)`. */
function accessFlaw(node: ts.Node, declared: ReadonlySet<string>): string | undefined {
  if (ts.isElementAccessExpression(node)) {
    const built = builtInOf(node.expression, declared);
    return built && built + "[…]: the linker cannot see what is named";
  }
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  const { expression, name } = node.expression;
  const isReflect =
    builtInOf(expression, declared) === "Reflect" && ["get", "has", "ownKeys"].includes(name.text);
  const isReached = node.arguments.some((argument) => builtInOf(argument, declared) !== undefined);
  return isReflect && isReached ? "Reflect." + name.text + "() of a built-in" : undefined;
}

function targetOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment
      ? node.left
      : undefined;
  }
  if (ts.isDeleteExpression(node)) return node.expression;
  const definer =
    ts.isCallExpression(node) && /^(Object|Reflect)\.(define|assign)/.test(node.expression.getText());
  return definer ? node.arguments[0] : undefined;
}

/** The class around a node. */
function classAround(node: ts.Node): ts.ClassLikeDeclaration | undefined {
  for (let outer = node.parent; outer !== undefined; outer = outer.parent)
    if (ts.isClassLike(outer)) return outer;
  return undefined;
}

/** Writes to what is frozen: a built-in or its prototype, or the name of an error. */
function writeFlaw(node: ts.Node, declared: ReadonlySet<string>): string | undefined {
  const target = targetOf(node);
  if (target === undefined) return undefined;
  const built = builtInOf(target, declared);
  if (built !== undefined && built !== "globalThis") return built + ": changed, though it is frozen";
  if (target.getText() !== "this.name") return undefined;
  const base = classAround(node)?.heritageClauses?.[0]?.getText() ?? "";
  return /\bextends \w*Error\b/.test(base) ? "this.name: of an error, which is frozen" : undefined;
}

function otherFlaw(node: ts.Node): string | undefined {
  if (ts.isRegularExpressionLiteral(node)) {
    const flags = node.text.slice(node.text.lastIndexOf("/") + 1);
    return /[vd]/.test(flags) || PATTERN.test(node.text)
      ? node.text + ": beyond the engine's expressions"
      : undefined;
  }
  const isImport = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  if (isImport && !ts.isStringLiteralLike(node.arguments[0]))
    return "import(…): the linker cannot see what is named";
  return ts.isWithStatement(node) ? "with" : undefined;
}

/** Places where a module cannot run on a lock, or could not be shown to, each with what is wrong. */
export function engineFlaws(tree: ts.SourceFile): string[] {
  const declared = declaredIn(tree);
  const flaws: string[] = [];
  for (const node of nodesOf(tree)) {
    const found = [
      ts.isIdentifier(node) ? nameFlaw(node, declared) : undefined,
      ts.isPropertyAccessExpression(node) ? memberFlaw(node) : undefined,
      accessFlaw(node, declared),
      writeFlaw(node, declared),
      otherFlaw(node),
    ];
    for (const flaw of found) if (flaw !== undefined) flaws.push(placeOf(node) + " " + flaw);
  }
  return flaws;
}
