// What a lock says, read with care: its firmware may be older or newer than this program, and a line may have lost a byte.

/** An answer without something that it should have. */
export class UnlikeAnswer extends Error {}

/** The facts of one answer. */
export class Facts {
  readonly all: Readonly<Record<string, unknown>>;

  constructor(all: Readonly<Record<string, unknown>>) {
    this.all = all;
  }

  number(name: string): number {
    const value = this.all[name];
    return typeof value === "number" ? value : this.#unlike(name, "a number");
  }

  text(name: string): string {
    const value = this.all[name];
    return typeof value === "string" ? value : this.#unlike(name, "a text");
  }

  is(name: string): boolean {
    const value = this.all[name];
    return typeof value === "boolean" ? value : this.#unlike(name, "true or false");
  }

  texts(name: string): readonly string[] {
    const value = this.all[name];
    const isTexts = Array.isArray(value) && value.every((item) => typeof item === "string");
    return isTexts ? (value as string[]) : this.#unlike(name, "texts");
  }

  inner(name: string): Facts {
    const value = this.all[name];
    return typeof value === "object" && value !== null
      ? new Facts(value as Readonly<Record<string, unknown>>)
      : this.#unlike(name, "facts");
  }

  isNull(name: string): boolean {
    return this.all[name] === null;
  }

  #unlike(name: string, wanted: string): never {
    throw new UnlikeAnswer(`the answer's "${name}": wanted ${wanted}, got ${JSON.stringify(this.all[name])}`);
  }
}
