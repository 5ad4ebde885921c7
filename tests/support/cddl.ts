// A validator for the part of CDDL (RFC 8610) that protocol.cddl is written in: what judges its vectors independently of every reader of
// the project. It imports nothing of it. Supported: type and group choices, generics, maps, arrays, occurrences, ranges, integers, texts,
// byte strings in hexadecimal, `&` enumerations, and the controls .size, .bits and .cbor. Anything else in a file is an Error.

import type * as Cborg from "cborg";
import { isAccepted } from "./cbor";

// cborg exports itself to `import` alone, and tests run as CommonJS; Node takes the file by its path.
const cborg = require("../../node_modules/cborg/cborg.js") as typeof Cborg;

// ---- the file's parts

interface Name {
  readonly kind: "name";
  readonly name: string;
  readonly args: readonly Type[];
}

type Single =
  | Name
  | { readonly kind: "value"; readonly value: number | string | Uint8Array }
  | { readonly kind: "range"; readonly low: number; readonly high: number }
  | { readonly kind: "map" | "array" | "enumeration"; readonly group: Group }
  | { readonly kind: "control"; readonly control: string; readonly target: Type; readonly by: Type };

/** The choices, of which one must match. */
type Type = readonly Single[];

interface Entry {
  readonly min: number;
  readonly max: number;
  readonly key: Type | undefined;
  /** What stands there: a type, or a group in parentheses. */
  readonly content: Type | { readonly group: Group };
}

/** The choices, each a sequence of entries. */
type Group = readonly (readonly Entry[])[];

interface Rule {
  readonly parameters: readonly string[];
  readonly body: Type | { readonly group: Group };
}

const isGroup = (content: Type | { readonly group: Group }): content is { readonly group: Group } =>
  "group" in content;

// ---- reading a file

const TOKEN =
  /\s+|;[^\n]*|h'[0-9a-f]*'|"[^"\\]*"|-?0x[0-9a-f]+|-?\d+|[A-Za-z@_$](?:[-.]*[A-Za-z0-9@_$])*|\.\.|\.[a-z]+|=>|\/\/|[=:,?*+&/()[\]{}<>]/gy;

function tokens(text: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    const match = TOKEN.exec(text);
    if (match === null) throw new Error(`cddl: not understood: ${text.slice(at, at + 30)}`);
    if (!/^[\s;]/.test(match[0])) found.push(match[0]);
  }
  return found;
}

const isName = (token: string | undefined): token is string =>
  token !== undefined && /^[A-Za-z@_$]/.test(token);
const isNumber = (token: string | undefined): boolean => token !== undefined && /^-?\d/.test(token);

class Parser {
  readonly rules = new Map<string, Rule>();
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
    while (this.#at < this.#tokens.length) this.#rule();
  }

  #peek(ahead = 0): string | undefined {
    return this.#tokens[this.#at + ahead];
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at++;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token))
      throw new Error(`cddl: wanted ${token}, got ${this.#tokens.slice(this.#at, this.#at + 6).join(" ")}`);
  }

  #next(): string {
    const token = this.#peek();
    if (token === undefined) throw new Error("cddl: the file ends too early");
    this.#at++;
    return token;
  }

  #rule(): void {
    const name = this.#next();
    if (!isName(name) || this.rules.has(name)) throw new Error(`cddl: no new rule: ${name}`);
    const parameters: string[] = [];
    if (this.#take("<")) {
      do parameters.push(this.#next());
      while (this.#take(","));
      this.#expect(">");
    }
    this.#expect("=");
    this.rules.set(name, { parameters, body: this.#body() });
  }

  /** A rule's right side is a type where it can be one, else a group in parentheses. */
  #body(): Type | { group: Group } {
    const start = this.#at;
    try {
      const type = this.#type();
      if (this.#peek() === undefined || this.#peek(1) === "=" || this.#peek(1) === "<") return type;
    } catch (error) {
      if (this.#tokens[start] !== "(") throw error;
    }
    this.#at = start;
    this.#expect("(");
    return { group: this.#group(")") };
  }

  #type(): Type {
    const choices: Single[] = [];
    do choices.push(...this.#choice());
    while (this.#take("/"));
    return choices;
  }

  #choice(): Type {
    const target = this.#single();
    const control = this.#peek();
    if (control === undefined || !/^\.[a-z]+$/.test(control)) return target;
    this.#at++;
    return [{ kind: "control", control, target, by: this.#single() }];
  }

  #single(): Type {
    const token = this.#next();
    if (token === "(") {
      const type = this.#type();
      this.#expect(")");
      return type;
    }
    if (token === "{") return [{ kind: "map", group: this.#group("}") }];
    if (token === "[") return [{ kind: "array", group: this.#group("]") }];
    if (token === "&") {
      this.#expect("(");
      return [{ kind: "enumeration", group: this.#group(")") }];
    }
    if (token.startsWith('"')) return [{ kind: "value", value: token.slice(1, -1) }];
    if (token.startsWith("h'"))
      return [{ kind: "value", value: new Uint8Array(Buffer.from(token.slice(2, -1), "hex")) }];
    if (isNumber(token)) return [this.#number(Number(token))];
    if (isName(token)) return [this.#name(token)];
    throw new Error(`cddl: no type: ${token}`);
  }

  #number(low: number): Single {
    if (!this.#take("..")) return { kind: "value", value: low };
    return { kind: "range", low, high: Number(this.#next()) };
  }

  #name(name: string): Name {
    const args: Type[] = [];
    if (this.#take("<")) {
      do args.push(this.#type());
      while (this.#take(","));
      this.#expect(">");
    }
    return { kind: "name", name, args };
  }

  #group(end: string): Group {
    const choices: Entry[][] = [[]];
    while (!this.#take(end)) {
      if (this.#take("//")) choices.push([]);
      else {
        choices[choices.length - 1].push(this.#entry());
        this.#take(",");
      }
    }
    return choices;
  }

  #entry(): Entry {
    const occurs = this.#occurrence();
    if (this.#take("(")) return { ...occurs, key: undefined, content: { group: this.#group(")") } };
    if (isName(this.#peek()) && this.#peek(1) === ":") {
      const label = this.#next();
      this.#at++;
      return { ...occurs, key: [{ kind: "value", value: label }], content: this.#type() };
    }
    const first = this.#type();
    const hasKey = this.#take(":") || this.#take("=>");
    return hasKey
      ? { ...occurs, key: first, content: this.#type() }
      : { ...occurs, key: undefined, content: first };
  }

  #occurrence(): { min: number; max: number } {
    if (this.#take("?")) return { min: 0, max: 1 };
    if (this.#take("+")) return { min: 1, max: Number.POSITIVE_INFINITY };
    const hasMin = isNumber(this.#peek()) && this.#peek(1) === "*";
    if (!hasMin && this.#peek() !== "*") return { min: 1, max: 1 };
    const min = hasMin ? Number(this.#next()) : 0;
    this.#expect("*");
    // `* 128..255 => any` is a key behind an occurrence without a maximum; `1*32 delta` has one.
    const hasMax = isNumber(this.#peek()) && !["..", ":", "=>"].includes(this.#peek(1) ?? "");
    return { min, max: hasMax ? Number(this.#next()) : Number.POSITIVE_INFINITY };
  }
}

// ---- matching

/** What the parameters of a generic rule stand for, and where that was written. */
type Scope = ReadonlyMap<string, { readonly type: Type; readonly scope: Scope }>;
const NO_SCOPE: Scope = new Map();

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);
const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

const PRELUDE: ReadonlyMap<string, (value: unknown) => boolean> = new Map<
  string,
  (value: unknown) => boolean
>([
  ["any", () => true],
  ["uint", (value) => isInteger(value) && value >= 0],
  ["int", isInteger],
  ["bstr", isBytes],
  ["tstr", (value) => typeof value === "string"],
  ["bool", (value) => typeof value === "boolean"],
  ["true", (value) => value === true],
  ["nil", (value) => value === null],
]);

const isSame = (a: unknown, b: unknown): boolean =>
  isBytes(a) && isBytes(b) ? Buffer.from(a).equals(Buffer.from(b)) : a === b;

/** A CDDL file that values can be held against. */
export class Cddl {
  readonly rules: ReadonlyMap<string, Rule>;

  /** Throws an Error on a file that it does not understand. */
  constructor(text: string) {
    this.rules = new Parser(text).rules;
  }

  /** Whether `bytes` are one core-deterministic CBOR item that `rule` describes. */
  accepts(rule: string, bytes: Uint8Array): boolean {
    return isAccepted(bytes) && this.matches(rule, cborg.decode(bytes, { useMaps: true }));
  }

  /** Whether `rule` describes a decoded value, with maps as Map. */
  matches(rule: string, value: unknown): boolean {
    return this.#named({ kind: "name", name: rule, args: [] }, value, NO_SCOPE);
  }

  /** The names and numbers of an enumeration. */
  enumeration(rule: string): [string, number][] {
    const body = this.rules.get(rule)?.body;
    const only = body === undefined || isGroup(body) ? undefined : body[0];
    if (only?.kind !== "enumeration") throw new Error(`cddl: ${rule} is no enumeration`);
    return only.group[0].map(({ key, content }) => [
      String(literalOf(key)),
      Number(literalOf(content as Type)),
    ]);
  }

  #type(type: Type, value: unknown, scope: Scope): boolean {
    return type.some((single) => this.#single(single, value, scope));
  }

  #single(single: Single, value: unknown, scope: Scope): boolean {
    switch (single.kind) {
      case "name":
        return this.#named(single, value, scope);
      case "value":
        return isSame(value, single.value);
      case "range":
        return isInteger(value) && value >= single.low && value <= single.high;
      case "map":
        return value instanceof Map && this.#map(single.group, value, scope);
      case "array":
        return Array.isArray(value) && this.#sequence(single.group, value, 0, scope).includes(value.length);
      case "enumeration":
        return single.group[0].some(({ content }) => this.#type(content as Type, value, scope));
      case "control":
        return (
          this.#type(single.target, value, scope) && this.#control(single.control, single.by, value, scope)
        );
    }
  }

  #named({ name, args }: Name, value: unknown, scope: Scope): boolean {
    const bound = scope.get(name);
    if (bound !== undefined) return this.#type(bound.type, value, bound.scope);
    const rule = this.rules.get(name);
    if (rule === undefined) {
      const test = PRELUDE.get(name);
      if (test === undefined) throw new Error(`cddl: no rule ${name}`);
      return test(value);
    }
    if (isGroup(rule.body)) throw new Error(`cddl: ${name} is a group`);
    return this.#type(
      rule.body,
      value,
      new Map(rule.parameters.map((p, i) => [p, { type: args[i], scope }])),
    );
  }

  #control(control: string, by: Type, value: unknown, scope: Scope): boolean {
    switch (control) {
      case ".size":
        return this.#type(by, isBytes(value) ? value.length : Buffer.byteLength(String(value)), scope);
      case ".bits":
        return [...Array(31).keys()].every(
          (bit) => (Number(value) >>> bit) % 2 === 0 || this.#type(by, bit, scope),
        );
      case ".cbor":
        return (
          isBytes(value) && isAccepted(value) && this.#type(by, cborg.decode(value, { useMaps: true }), scope)
        );
      default:
        throw new Error(`cddl: no control ${control}`);
    }
  }

  /** The group that an entry without a key stands for, if it is one. */
  #groupOf({ key, content }: Entry): Group | undefined {
    if (isGroup(content)) return content.group;
    const only = content[0];
    if (key !== undefined || only.kind !== "name") return undefined;
    const body = this.rules.get(only.name)?.body;
    return body !== undefined && isGroup(body) ? body.group : undefined;
  }

  /** Where a sequence can end that begins at `at`: every way to match is followed. */
  #sequence(group: Group, values: readonly unknown[], at: number, scope: Scope): number[] {
    return group.flatMap((entries) => {
      let ends = [at];
      for (const entry of entries)
        ends = [...new Set(ends.flatMap((end) => this.#repeat(entry, values, end, scope)))];
      return ends;
    });
  }

  #repeat(entry: Entry, values: readonly unknown[], at: number, scope: Scope): number[] {
    const ends: number[] = [];
    let current = [at];
    for (let times = 0; current.length > 0; times++) {
      if (times >= entry.min) ends.push(...current);
      if (times === entry.max) break;
      const inner = this.#groupOf(entry);
      current = current.flatMap((end) => {
        if (inner !== undefined)
          return this.#sequence(inner, values, end, scope).filter((next) => next > end);
        return end < values.length && this.#type(entry.content as Type, values[end], scope) ? [end + 1] : [];
      });
    }
    return ends;
  }

  #map(group: Group, map: ReadonlyMap<unknown, unknown>, scope: Scope): boolean {
    return this.#flat(group).some((entries) => {
      const left = new Map(map);
      return entries.every((entry) => this.#pairs(entry, left, scope)) && left.size === 0;
    });
  }

  /** Takes the pairs of one entry out of `left`; false where there are too few or too many, or a value does not match. */
  #pairs({ key, content, min, max }: Entry, left: Map<unknown, unknown>, scope: Scope): boolean {
    if (key === undefined) throw new Error("cddl: an entry of a map without a key");
    const mine = [...left].filter(([candidate]) => this.#type(key, candidate, scope));
    for (const [candidate] of mine) left.delete(candidate);
    const isFine = mine.every(([, value]) => this.#type(content as Type, value, scope));
    return isFine && mine.length >= min && mine.length <= max;
  }

  /** A group with the groups inside it written out: all its choices as plain lists of entries. */
  #flat(group: Group): Entry[][] {
    return group.flatMap((entries) => {
      let lists: Entry[][] = [[]];
      for (const entry of entries) {
        const inner = this.#groupOf(entry);
        const ways = inner === undefined ? [[entry]] : this.#flat(inner);
        lists = lists.flatMap((list) => ways.map((way) => [...list, ...way]));
      }
      return lists;
    });
  }
}

function literalOf(type: Type | undefined): number | string | Uint8Array {
  const only = type?.[0];
  if (only?.kind !== "value") throw new Error("cddl: no value");
  return only.value;
}
