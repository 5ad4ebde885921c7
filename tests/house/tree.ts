// The project's files as the house rules see them: paths from the root, their text, and TypeScript's syntax tree of them.

import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";

export const ROOT = join(__dirname, "../..");
/** What is not the project's own text: installed, built or made by running it. */
const FOREIGN = new Set(["node_modules", ".git", ".cache", "coverage", "building"]);
const BINARY = /\.(png|jpg|ico|woff2?|gz|bin)$/;

/** Every file below `folder`, as paths from the root, in order. */
function walk(folder: string): string[] {
  const paths: string[] = [];
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) {
      // "building" is what a demo makes at the root; an example may have the name further down.
      if (!FOREIGN.has(entry.name) || (entry.name === "building" && folder !== "")) paths.push(...walk(path));
    } else if (!BINARY.test(entry.name)) paths.push(path);
  }
  return paths.sort();
}

/** All text files of the project. */
export const FILES: readonly string[] = walk("");
/** All of its TypeScript. */
export const SOURCES: readonly string[] = FILES.filter((path) => path.endsWith(".ts"));

const texts = new Map<string, string>();
const trees = new Map<string, ts.SourceFile>();

export function textOf(path: string): string {
  let text = texts.get(path);
  if (text === undefined) {
    text = readFileSync(join(ROOT, path), "utf8");
    texts.set(path, text);
  }
  return text;
}

export function treeOf(path: string): ts.SourceFile {
  let tree = trees.get(path);
  if (tree === undefined) {
    tree = ts.createSourceFile(path, textOf(path), ts.ScriptTarget.ESNext, true);
    trees.set(path, tree);
  }
  return tree;
}

/** `path:line` of a node, for a person to find it. */
export function placeOf(node: ts.Node): string {
  const tree = node.getSourceFile();
  return tree.fileName + ":" + (tree.getLineAndCharacterOfPosition(node.getStart()).line + 1);
}

/** Every node of a tree, the outer ones first. */
export function nodesOf(root: ts.Node): ts.Node[] {
  const nodes: ts.Node[] = [root];
  // forEachChild stops at a truthy result; push would give one.
  ts.forEachChild(root, (child) => void nodes.push(...nodesOf(child)));
  return nodes;
}

/** One import, or export from elsewhere, of a module. */
export interface Import {
  /** The specifier as it stands. */
  readonly name: string;
  /** The imported file of the project; undefined for a package. */
  readonly path: string | undefined;
  /** Whether it is gone when the program runs. */
  readonly typeOnly: boolean;
  readonly node: ts.Node;
}

function specifierOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  const call = ts.isCallExpression(node);
  const dynamic = call && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  const required = call && ts.isIdentifier(node.expression) && node.expression.text === "require";
  return dynamic || required ? node.arguments[0] : undefined;
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  if (!ts.isImportDeclaration(node) || node.importClause === undefined) return false;
  const { isTypeOnly, name, namedBindings } = node.importClause;
  if (isTypeOnly) return true;
  if (name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly);
}

/** The file that a relative specifier names: itself, with .ts, or the folder's index.ts; itself if there is none. */
function resolve(from: string, name: string): string {
  const path = posix.join(posix.dirname(from), name);
  return [path, path + ".ts", path + "/index.ts"].find((each) => FILES.includes(each)) ?? path;
}

/** What a file imports, `require` and dynamic imports included. */
export function importsOf(path: string): Import[] {
  const imports: Import[] = [];
  for (const node of nodesOf(treeOf(path))) {
    const specifier = specifierOf(node);
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) continue;
    const name = specifier.text;
    const own = name.startsWith(".") ? resolve(path, name) : undefined;
    imports.push({ name, path: own, typeOnly: isTypeOnly(node), node });
  }
  return imports;
}
