// The courier (rules A44, S5 to S8): carries one lock's mail over any link, in the order time → bundles, and brings the receipts
// back. It can delay and drop, and nothing else: what it carries is signed and it reads none of it. It remembers nothing between
// sessions; to resume is to connect again and read `applied`.

import { Reader } from "../wire/cbor";
import { codeClass, codeName } from "../wire/codes";
import { MAX_MESSAGE_BYTES, MAX_SEQ } from "../wire/limits";
import type { Result, Status } from "../wire/messages";
import {
  askMessage,
  frame,
  helloMessage,
  readFrame,
  readResult,
  readStatus,
  StatusFlag,
  Type,
} from "../wire/messages";
import type { Link } from "./link";

/** A signed bundle with what its envelope says on the outside: where in the log it stands. */
export interface Letter {
  /** The seq of its first delta. */
  readonly first: number;
  /** How many deltas it holds. */
  readonly count: number;
  /** The signed bytes. */
  readonly bytes: Uint8Array;
}

/** Where mail for one lock comes from and receipts go to: an issuer that is reached now, or a bag that was filled earlier. */
export interface Mailbox {
  /** The claim ticket, for a lock without an owner; undefined if there is none. */
  claim(): Promise<Uint8Array | undefined>;
  /** The newest keyset and its number; undefined if there is none. */
  keyset(): Promise<{ number: number; bytes: Uint8Array } | undefined>;
  /** The issuer's signed answer to the lock's nonce; undefined where the issuer cannot be reached. */
  time(nonce: Uint8Array): Promise<Uint8Array | undefined>;
  /** The bundle that holds the seq `next` of `epoch`; undefined when the lock has everything. */
  bundle(epoch: number, next: number): Promise<Letter | undefined>;
  /** The first seq of `epoch` that the lock has applied but whose ack never came back; undefined when there is none. */
  missing(epoch: number, applied: number): Promise<number | undefined>;
  /** Takes a receipt as the lock sent it: a whole message. */
  receipt(message: Uint8Array): Promise<void>;
}

/** How a session ended. */
export interface Carried {
  /** `done`: the lock has everything · `silent`: no answer · `refused`: see `code` · `garbled`: the answer was none. */
  readonly outcome: "done" | "silent" | "refused" | "garbled";
  /** The result code of a refusal. */
  readonly code?: number;
  /** Its name and what it answered, for people. */
  readonly reason?: string;
  /** Bundles that were answered by a receipt. */
  readonly bundles: number;
  /** Bytes of all messages both ways. */
  readonly bytes: number;
}

interface Answer {
  readonly type: number;
  readonly message: Uint8Array;
  readonly result?: Result;
  readonly status?: Status;
}

/** What ends a session early. */
class Ended {
  readonly outcome: Carried["outcome"];
  readonly code: number | undefined;
  readonly step: string;

  constructor(outcome: Carried["outcome"], step: string, code?: number) {
    this.outcome = outcome;
    this.step = step;
    this.code = code;
  }
}

class Round {
  bundles = 0;
  bytes = 0;
  readonly #link: Link;
  #request = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  get nextRequest(): number {
    this.#request = (this.#request + 1) & 0xffff;
    return this.#request;
  }

  /** One message and its answer; ends the session when there is none, or it is not one. */
  async exchange(step: string, message: Uint8Array): Promise<Answer> {
    this.bytes += message.length;
    const answer = await this.#link.request(message);
    if (answer === undefined) throw new Ended("silent", step);
    this.bytes += answer.length;
    const reader = new Reader(answer);
    const head = readFrame(reader);
    if (head === undefined) throw new Ended("garbled", step);
    if (head.type === Type.status) return { type: head.type, message: answer, status: readStatus(reader) };
    if (head.type === Type.result) return { type: head.type, message: answer, result: readResult(reader) };
    return { type: head.type, message: answer };
  }

  /** Sends a signed message that is answered by a result; ends the session when the result is not "done". */
  async deliver(step: string, type: number, body: Uint8Array): Promise<void> {
    const { result } = await this.exchange(step, frame(type, this.nextRequest, body));
    if (result === undefined) throw new Ended("garbled", step);
    if (codeClass(result.code) !== 0) throw new Ended("refused", step, result.code);
  }

  /** Sends a message that is answered by a receipt. */
  async fetchReceipt(step: string, message: Uint8Array): Promise<Uint8Array> {
    const answer = await this.exchange(step, message);
    if (answer.result !== undefined) throw new Ended("refused", step, answer.result.code);
    if (answer.type !== Type.receipt) throw new Ended("garbled", step);
    return answer.message;
  }
}

async function hello(round: Round): Promise<Status> {
  const answer = await round.exchange("hello", helloMessage(round.nextRequest, MAX_MESSAGE_BYTES));
  if (answer.result !== undefined) throw new Ended("refused", "hello", answer.result.code);
  if (answer.status === undefined) throw new Ended("garbled", "hello");
  return answer.status;
}

/** Owner and keys come first: without them the lock accepts nothing. */
async function introduce(round: Round, mailbox: Mailbox, status: Status): Promise<Status> {
  if ((status.flags & StatusFlag.unclaimed) !== 0) {
    const claim = await mailbox.claim();
    if (claim !== undefined) await round.deliver("claim", Type.claim, claim);
  }
  const keyset = await mailbox.keyset();
  if (keyset !== undefined && keyset.number > status.keyset)
    await round.deliver("keys", Type.keys, keyset.bytes);
  // A claim begins an epoch, so what the lock is has to be asked again.
  return (status.flags & StatusFlag.unclaimed) !== 0 ? hello(round) : status;
}

async function run(round: Round, mailbox: Mailbox): Promise<void> {
  const status = await introduce(round, mailbox, await hello(round));
  const time = await mailbox.time(status.nonce);
  if (time !== undefined) await round.deliver("time", Type.time, time);
  const missing = await mailbox.missing(status.epoch, status.applied);
  if (missing !== undefined)
    await mailbox.receipt(await round.fetchReceipt("ask", askMessage(round.nextRequest, missing)));
  let next = status.applied + 1;
  while (next <= MAX_SEQ) {
    const letter = await mailbox.bundle(status.epoch, next);
    if (letter === undefined) break;
    const message = frame(Type.bundle, round.nextRequest, letter.bytes);
    await mailbox.receipt(await round.fetchReceipt("bundle", message));
    round.bundles++;
    next = letter.first + letter.count;
  }
  const bye = frame(Type.bye, round.nextRequest, new Uint8Array([0xa0]));
  await round.exchange("bye", bye);
}

/** Runs one session with a lock. Never throws for what a lock or a link does. */
export async function carry(link: Link, mailbox: Mailbox): Promise<Carried> {
  const round = new Round(link);
  try {
    await run(round, mailbox);
    return { outcome: "done", bundles: round.bundles, bytes: round.bytes };
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
    const reason = error.code === undefined ? error.step : `${error.step}: ${codeName(error.code)}`;
    const { outcome, code } = error;
    return { outcome, code, reason, bundles: round.bundles, bytes: round.bytes };
  }
}
