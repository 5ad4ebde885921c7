// One lock at the other end of a line: asks, waits for the answer of that question, and remembers what else came, so that it can be told
// why there is none.

import type { Duplex } from "node:stream";
import type { Ask, ConsoleQuestions, ConsoleRefusal } from "../../firmware/console-lines";
import { Failure } from "../ui/failure";

/** An answer as it was read: its facts are what the lock says, of any shape. */
export type Reply =
  | { readonly is: "ok"; readonly ms: number; readonly facts: Readonly<Record<string, unknown>> }
  | { readonly is: "refused"; readonly why: ConsoleRefusal | string }
  | { readonly is: "failed"; readonly ms: number; readonly why: string }
  | { readonly is: "silent" };

/** The longest line that is kept: a lock's are below 1,500 bytes. */
const MAX_LINE = 4096;
const MAX_ID = 65_535;
const KEPT_LINES = 20;
const ANSWER = '{"tumbler":';

/** What came that was no answer. */
export interface Noise {
  readonly bytes: number;
  /** Bytes that are no text. */
  readonly unreadable: number;
  /** The last lines of text. */
  readonly lines: readonly string[];
}

export class LockLine {
  readonly #stream: Duplex;
  #line = "";
  #id = 0;
  #waiting: { readonly id: number; answer(reply: Reply): void; lost(error: Failure): void } | undefined;
  #lost: Failure | undefined;
  #bytes = 0;
  #unreadable = 0;
  #lines: string[] = [];

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on("data", (chunk: Buffer) => this.#read(chunk));
    const onEnd = (): void => this.#lose();
    stream.on("error", onEnd).on("close", onEnd).on("end", onEnd);
  }

  /** Asks, and waits for so many milliseconds. Throws a {@link Failure} when the line itself is gone. */
  ask<A extends Ask>(ask: A, question: ConsoleQuestions[A] & object, withinMs: number): Promise<Reply> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const id = this.#id;
    this.#id = id === MAX_ID ? 0 : id + 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#waiting?.answer({ is: "silent" }), withinMs);
      const over = (): void => {
        clearTimeout(timer);
        this.#waiting = undefined;
      };
      this.#waiting = {
        id,
        answer: (reply) => {
          over();
          resolve(reply);
        },
        lost: (error) => {
          over();
          reject(error);
        },
      };
      // A line end first: it ends whatever noise has come before.
      this.#stream.write(`\n${JSON.stringify({ id, ask, ...question })}\n`);
    });
  }

  /** What came since the last call. */
  noise(): Noise {
    const noise = { bytes: this.#bytes, unreadable: this.#unreadable, lines: this.#lines };
    this.#bytes = this.#unreadable = 0;
    this.#lines = [];
    return noise;
  }

  #lose(): void {
    this.#lost ??= new Failure("the line to the lock is gone", "is the cable still in? Then begin again");
    this.#waiting?.lost(this.#lost);
  }

  #read(chunk: Buffer): void {
    for (const byte of chunk) {
      if (byte === 0x0a || byte === 0x0d) {
        this.#end();
        continue;
      }
      this.#bytes++;
      if (byte !== 0x09 && byte !== 0x1b && (byte < 0x20 || byte > 0x7e)) this.#unreadable++;
      if (this.#line.length < MAX_LINE) this.#line += String.fromCharCode(byte);
    }
  }

  #end(): void {
    const line = this.#line;
    this.#line = "";
    // What the chip writes of its own when it starts may stand before an answer on the same line.
    const at = line.indexOf(ANSWER);
    if (at >= 0) {
      const found = replyOf(line.slice(at));
      if (found !== undefined && found.id === this.#waiting?.id) this.#waiting.answer(found.reply);
      return;
    }
    if (line.trim() === "") return;
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
  }
}

/** What a line answers; undefined for one that is broken, or answers no question of anybody's. */
function replyOf(line: string): { readonly id: number; readonly reply: Reply } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { tumbler: id, ms, ok, refused, failed } = value as Readonly<Record<string, unknown>>;
  if (typeof id !== "number") return undefined;
  if (typeof refused === "string") return { id, reply: { is: "refused", why: refused } };
  if (typeof ms !== "number") return undefined;
  if (typeof failed === "string") return { id, reply: { is: "failed", ms, why: failed } };
  if (typeof ok !== "object" || ok === null) return undefined;
  return { id, reply: { is: "ok", ms, facts: ok as Readonly<Record<string, unknown>> } };
}
