// Typed access to an object of JSON. An error names the field and what was wanted, and never repeats a value: there are secrets among them.

import { fromHex } from "../../protocol/wire/bytes";
import { MAX_U32 } from "../../protocol/wire/limits";

/** A field that is not there, or not what it has to be. */
export class FieldError extends Error {
  constructor(name: string, wanted: string) {
    super(`${name}: wanted ${wanted}`);
  }
}

const HEX = /^([0-9a-f]{2})*$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;

  private constructor(value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new FieldError("line", "an object");
    this.#values = value as Record<string, unknown>;
  }

  /** The object in a line of text. */
  static parse(line: string): Fields {
    try {
      return new Fields(JSON.parse(line));
    } catch {
      throw new FieldError("line", "a JSON object");
    }
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#values, name);
  }

  text(name: string): string {
    const value = this.#values[name];
    if (typeof value !== "string" || value === "") throw new FieldError(name, "a text");
    return value;
  }

  uint(name: string): number {
    const value = this.#values[name];
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > MAX_U32)
      throw new FieldError(name, "a whole number");
    return value;
  }

  flag(name: string): boolean {
    const value = this.#values[name];
    if (typeof value !== "boolean") throw new FieldError(name, "true or false");
    return value;
  }

  hex(name: string, length: number): Uint8Array {
    const value = this.#values[name];
    if (typeof value !== "string" || value.length !== 2 * length || !HEX.test(value))
      throw new FieldError(name, `${length} bytes in hexadecimal`);
    return fromHex(value);
  }

  base64(name: string): Uint8Array {
    const value = this.#values[name];
    if (typeof value !== "string" || value.length % 4 !== 0 || !BASE64.test(value))
      throw new FieldError(name, "bytes in base64");
    return new Uint8Array(Buffer.from(value, "base64"));
  }

  fields(name: string): Fields {
    return new Fields(this.#values[name]);
  }

  list(name: string): Fields[] {
    const value = this.#values[name];
    if (!Array.isArray(value)) throw new FieldError(name, "a list");
    return value.map((each) => new Fields(each));
  }
}
