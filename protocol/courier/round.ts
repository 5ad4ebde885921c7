// One session with a lock as an exchange of messages: request numbers, what counts as an answer, and trying again where a lock asks for
// that. Knows the types of messages and nothing of what is in them.

import { Reader } from "../wire/cbor";
import { Code, CodeClass, codeClass } from "../wire/codes";
import { MAX_MESSAGE_BYTES } from "../wire/limits";
import type { Frame, Result, Status } from "../wire/messages";
import { frame, helloBody, MAX_REQUEST_ID, readFrame, readResult, readStatus, Type } from "../wire/messages";
import type { Link } from "./link";

/** What people call the message types, for reports. */
const STEP_NAMES = Object.fromEntries(Object.entries(Type).map(([name, type]) => [type, name]));
/** The name of a message type. */
export const stepName = (type: number): string => STEP_NAMES[type] ?? String(type);
/** A lock that is busy, or wants fewer attempts, is asked again so often, after so many seconds each. */
const MAX_TRIES = 6;
const PAUSE_S = 2;

/** How a session, or one thing in it, ended. */
export type Outcome = "done" | "silent" | "refused" | "garbled";

/** The answer to a message. */
export interface Answer {
  readonly type: number;
  /** The whole message. */
  readonly message: Uint8Array;
  readonly result?: Result;
  readonly status?: Status;
}

/** What ends a session early. */
export class Ended {
  readonly outcome: Exclude<Outcome, "done">;
  readonly code: number | undefined;
  /** What the result said beside its code. */
  readonly detail: number;
  readonly step: string;

  constructor(outcome: Exclude<Outcome, "done">, step: string, code?: number, detail = 0) {
    this.outcome = outcome;
    this.step = step;
    this.code = code;
    this.detail = detail;
  }
}

/** The messages of one session. */
export class Round {
  /** Of all messages both ways. */
  bytes = 0;
  readonly #link: Link;
  #request: number;

  constructor(link: Link, firstRequest: number) {
    this.#link = link;
    this.#request = firstRequest - 1;
  }

  /** One message and its answer; ends the session when there is none, or it is not one. */
  async exchange(type: number, body: Uint8Array): Promise<Answer> {
    let answer = await this.#once(type, body);
    for (let tries = 1; isLater(answer) && this.#link.pause !== undefined && tries < MAX_TRIES; tries++) {
      await this.#link.pause(PAUSE_S);
      answer = await this.#once(type, body);
    }
    return answer;
  }

  async #once(type: number, body: Uint8Array): Promise<Answer> {
    const step = stepName(type);
    this.#request = (this.#request + 1) & MAX_REQUEST_ID;
    const message = frame(type, this.#request, body);
    this.bytes += message.length;
    const answer = await this.#link.request(message);
    if (answer === undefined) throw new Ended("silent", step);
    this.bytes += answer.length;
    const reader = new Reader(answer);
    const head = readFrame(reader);
    if (head === undefined || !this.#isAnswer(head)) throw new Ended("garbled", step);
    if (head.type === Type.status) return { type: head.type, message: answer, status: readStatus(reader) };
    if (head.type === Type.result) return { type: head.type, message: answer, result: readResult(reader) };
    return { type: head.type, message: answer };
  }

  /** Whether an answer is that of the last request; a lock that could not read the frame of one does not know its number. */
  #isAnswer({ type, request }: Frame): boolean {
    return request === this.#request || (type === Type.result && request === 0);
  }

  /** Sends a message that is answered by a result; the code of one that is not "done". */
  async offer(type: number, body: Uint8Array): Promise<number | undefined> {
    const { result } = await this.exchange(type, body);
    if (result === undefined) throw new Ended("garbled", stepName(type));
    return codeClass(result.code) === CodeClass.done ? undefined : result.code;
  }

  /** Sends a message that is answered by one of some type, or by a result that is "done"; anything else ends the session. */
  async deliver(type: number, body: Uint8Array, ...answers: number[]): Promise<Answer> {
    const answer = await this.exchange(type, body);
    const { result } = answer;
    if (result === undefined && !answers.includes(answer.type)) throw new Ended("garbled", stepName(type));
    const isDone = result === undefined || codeClass(result.code) === CodeClass.done;
    if (!isDone) throw new Ended("refused", stepName(type), result.code, result.detail);
    return answer;
  }

  /** Begins the session, or begins it anew. */
  async hello(): Promise<Status> {
    const { result, status } = await this.exchange(Type.hello, helloBody(MAX_MESSAGE_BYTES));
    if (result !== undefined) throw new Ended("refused", "hello", result.code);
    if (status === undefined) throw new Ended("garbled", "hello");
    return status;
  }
}

/** Whether a lock wants the same again in a moment. */
function isLater({ result }: Answer): boolean {
  return result?.code === Code.busy || result?.code === Code.rateLimited;
}

/** What ended a session early; anything else that was thrown is a mistake of the program and goes on. */
export function endOf(thrown: unknown): Ended {
  if (thrown instanceof Ended) return thrown;
  throw thrown;
}
