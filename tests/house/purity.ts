// What a syntax tree tells of a module's purity: which globals of its host it names, and which state of its own it keeps and changes.
// It follows names within one file; what another function does with an array that it is given, it can't see.

import ts from "typescript";
import { nodesOf, placeOf, treeOf } from "./tree";

/** Names that only a host, a clock or chance gives; a lock's engine lacks them, or the core must not use them. */
const AMBIENT = new Set([
  ...["Buffer", "process", "console", "global", "window", "navigator", "document", "require", "module"],
  ...["Date", "Intl", "Temporal", "performance", "WebAssembly", "SharedArrayBuffer", "Atomics"],
  ...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"],
  ...["queueMicrotask", "structuredClone", "TextEncoder", "TextDecoder", "fetch", "WebSocket", "Worker"],
  ...["URL", "Blob", "AbortController", "AbortSignal", "EventTarget", "WeakRef", "FinalizationRegistry"],
  ...["eval", "Function", "globalThis", "atob", "btoa", "__dirname", "__filename"],
]);

/** Whether an identifier stands for a value, and is not a member's name, a key, a label or a part of a type. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) || ts.isQualifiedName(parent))
    return parent.getFirstToken() === node;
  if (ts.isTypeNode(parent) || ts.isTypeParameterDeclaration(parent)) return false;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  const isNamed = "name" in parent && parent.name === node && !ts.isShorthandPropertyAssignment(parent);
  return !isNamed && !ts.isImportSpecifier(parent) && !ts.isExportSpecifier(parent);
}

/** All names that a file declares somewhere: a global of that name is hidden there. */
function declaredIn(tree: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  for (const node of nodesOf(tree)) {
    const isBinding = ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node);
    const isOther =
      ts.isFunctionDeclaration(node) ||
      ts.isClassDeclaration(node) ||
      ts.isImportSpecifier(node) ||
      ts.isImportClause(node);
    if ((isBinding || isOther) && node.name !== undefined && ts.isIdentifier(node.name))
      names.add(node.name.text);
  }
  return names;
}

/** Places where a file names an ambient global, or Math.random. */
export function ambientUses(path: string): string[] {
  const tree = treeOf(path);
  const declared = declaredIn(tree);
  const uses: string[] = [];
  for (const node of nodesOf(tree)) {
    if (!ts.isIdentifier(node) || declared.has(node.text) || !isReference(node)) continue;
    const isRandom = node.text === "Math" && /^Math\s*\.\s*random\b/.test(node.parent.getText());
    if (AMBIENT.has(node.text) || isRandom) uses.push(placeOf(node) + " " + node.text);
  }
  return uses;
}

const MUTATORS = new Set([
  ...["set", "fill", "copyWithin", "sort", "reverse", "push", "pop", "shift", "unshift", "splice"],
  ...["add", "delete", "clear"],
]);

/** The names that a module declares with const at its top level. */
function constantsOf(tree: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  for (const statement of tree.statements)
    if (ts.isVariableStatement(statement))
      for (const { name } of statement.declarationList.declarations)
        if (ts.isIdentifier(name)) names.add(name.text);
  return names;
}

/** The identifier at the start of `a.b[c].d`. */
function rootOf(node: ts.Expression): ts.Identifier | undefined {
  let inner = node;
  while (
    ts.isPropertyAccessExpression(inner) ||
    ts.isElementAccessExpression(inner) ||
    ts.isNonNullExpression(inner)
  )
    inner = inner.expression;
  return inner !== node && ts.isIdentifier(inner) ? inner : undefined;
}

/** What a node writes to, if it writes into something: the target of an assignment, of ++ and --, or of a mutating call. */
function writtenBy(node: ts.Node): ts.Identifier | undefined {
  if (ts.isBinaryExpression(node)) {
    const operator = node.operatorToken.kind;
    const assigns = operator >= ts.SyntaxKind.FirstAssignment && operator <= ts.SyntaxKind.LastAssignment;
    return assigns ? rootOf(node.left) : undefined;
  }
  if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
    const counts =
      node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken;
    return counts ? rootOf(node.operand) : undefined;
  }
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  return MUTATORS.has(node.expression.name.text) ? rootOf(node.expression) : undefined;
}

/** Whether `name` at this node is the module's, not a parameter's or a local's of a function around it. */
function isModuleLevel(node: ts.Node, name: string): boolean {
  for (let scope = node.parent; scope !== undefined && !ts.isSourceFile(scope); scope = scope.parent)
    if (ts.isFunctionLike(scope) && declaredHere(scope, name)) return false;
  return true;
}

function declaredHere(scope: ts.SignatureDeclaration, name: string): boolean {
  return nodesOf(scope).some((node) => {
    const binds = ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node);
    return binds && ts.isIdentifier(node.name) && node.name.text === name;
  });
}

/** State that a module keeps beside its objects and changes: let and var at its top level, static fields, constants written into. */
export function moduleState(path: string): string[] {
  const tree = treeOf(path);
  const constants = constantsOf(tree);
  const state: string[] = [];
  for (const statement of tree.statements)
    if (ts.isVariableStatement(statement) && (statement.declarationList.flags & ts.NodeFlags.Const) === 0)
      state.push(placeOf(statement) + " let or var at the top level");
  for (const node of nodesOf(tree)) {
    const isField = ts.isPropertyDeclaration(node) && ts.getModifiers(node)?.some(isStatic);
    if (isField && !ts.getModifiers(node)?.some(isReadonly)) state.push(placeOf(node) + " static field");
    const written = writtenBy(node);
    if (written !== undefined && constants.has(written.text) && isModuleLevel(node, written.text))
      state.push(placeOf(node) + " writes into " + written.text);
  }
  return state;
}

const isStatic = (modifier: ts.Modifier): boolean => modifier.kind === ts.SyntaxKind.StaticKeyword;
const isReadonly = (modifier: ts.Modifier): boolean => modifier.kind === ts.SyntaxKind.ReadonlyKeyword;
