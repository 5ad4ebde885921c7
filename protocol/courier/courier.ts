// The courier (rules A44, S5 to S8): carries one lock's mail over any link, in the order time → bundles, and brings the receipts
// back. It can delay and drop, and nothing else: what it carries is signed and it reads none of it. It remembers nothing between
// sessions; to resume is to connect again, and the mailbox goes on from the status that the lock gives.

import { Reader } from "../wire/cbor";
import { codeClass, codeName } from "../wire/codes";
import { MAX_MESSAGE_BYTES } from "../wire/limits";
import type { Frame, Result, Status } from "../wire/messages";
import { frame, helloBody, MAX_REQUEST_ID, readFrame, readResult, readStatus, Type } from "../wire/messages";
import type { Link } from "./link";

/** What people call the message types, for reports. */
const STEP_NAMES = Object.fromEntries(Object.entries(Type).map(([name, type]) => [type, name]));
/** An empty map: the body of a message that says nothing. */
const NO_BODY = new Uint8Array([0xa0]);
/** A mailbox that never runs out of mail for a lock that stays as it is would keep the door's line for ever. */
const MAX_STALLED_ROUNDS = 3;

/** A message for a lock without its request number: the courier adds that. */
export interface Mail {
  /** See `Type` of the protocol. */
  readonly type: number;
  /** The encoded body. */
  readonly body: Uint8Array;
}

/** Where mail for one lock comes from and receipts go to: an issuer that is reached now, or a bag that was filled earlier. */
export interface Mailbox {
  /** What a lock with this status should be sent, in this order; nothing when it has everything. */
  mail(status: Status): Promise<readonly Mail[]>;
  /** The issuer's signed answer to the lock's nonce; undefined where the issuer cannot be reached. */
  time(nonce: Uint8Array): Promise<Uint8Array | undefined>;
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
  /** The result code with which the lock refused the time; the session went on without it. */
  readonly timeRefused?: number;
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
  timeRefused: number | undefined;
  readonly #link: Link;
  #request: number;

  constructor(link: Link, firstRequest: number) {
    this.#link = link;
    this.#request = firstRequest - 1;
  }

  /** One message and its answer; ends the session when there is none, or it is not one. */
  async exchange(type: number, body: Uint8Array): Promise<Answer> {
    const step = STEP_NAMES[type];
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

  /** Sends a signed message that is answered by a result; the code of one that is not "done". */
  async offer(type: number, body: Uint8Array): Promise<number | undefined> {
    const { result } = await this.exchange(type, body);
    if (result === undefined) throw new Ended("garbled", STEP_NAMES[type]);
    return codeClass(result.code) === 0 ? undefined : result.code;
  }

  /** The same, where anything but "done" ends the session. */
  async deliver(type: number, body: Uint8Array): Promise<void> {
    const refusal = await this.offer(type, body);
    if (refusal !== undefined) throw new Ended("refused", STEP_NAMES[type], refusal);
  }

  /** Sends a message that is answered by a receipt. */
  async fetchReceipt(type: number, body: Uint8Array): Promise<Uint8Array> {
    const answer = await this.exchange(type, body);
    if (answer.result !== undefined) throw new Ended("refused", STEP_NAMES[type], answer.result.code);
    if (answer.type !== Type.receipt) throw new Ended("garbled", STEP_NAMES[type]);
    return answer.message;
  }
}

async function hello(round: Round): Promise<Status> {
  const answer = await round.exchange(Type.hello, helloBody(MAX_MESSAGE_BYTES));
  if (answer.result !== undefined) throw new Ended("refused", "hello", answer.result.code);
  if (answer.status === undefined) throw new Ended("garbled", "hello");
  return answer.status;
}

/** Sends one piece of mail; bundles and questions are answered by a receipt, everything else by a result. */
async function send(round: Round, mailbox: Mailbox, mail: Mail): Promise<void> {
  if (mail.type !== Type.bundle && mail.type !== Type.ask) {
    await round.deliver(mail.type, mail.body);
    return;
  }
  await mailbox.receipt(await round.fetchReceipt(mail.type, mail.body));
  if (mail.type === Type.bundle) round.bundles++;
}

/** The keys by which the lock knows its issuer come before the time that this issuer signs. */
const BEFORE_TIME: readonly number[] = [Type.claim, Type.keys];

async function run(round: Round, mailbox: Mailbox): Promise<void> {
  let status = await hello(round);
  let mail = await mailbox.mail(status);
  const first = mail.filter(({ type }) => BEFORE_TIME.includes(type));
  for (const piece of first) await send(round, mailbox, piece);
  if (first.length > 0) status = await hello(round);
  const time = await mailbox.time(status.nonce);
  // Revocations do not wait for a clock.
  if (time !== undefined) round.timeRefused = await round.offer(Type.time, time);
  if (first.length > 0) mail = await mailbox.mail(status);
  for (let stalled = 0; mail.length > 0 && stalled < MAX_STALLED_ROUNDS; ) {
    for (const piece of mail) await send(round, mailbox, piece);
    // Only the lock knows what it has now.
    const { epoch, applied } = status;
    status = await hello(round);
    stalled = status.epoch === epoch && status.applied === applied ? stalled + 1 : 0;
    mail = await mailbox.mail(status);
  }
  // Everything is done; whether the lock hears the goodbye changes nothing.
  await round.exchange(Type.bye, NO_BODY).catch(endOf);
}

/**
 * Runs one session with a lock. Never throws for what a lock or a link does. On a link where the lock's session outlives the courier's,
 * `firstRequest` is a random request id, so that no answer comes from the lock's memory of an earlier courier.
 */
export async function carry(link: Link, mailbox: Mailbox, firstRequest = 1): Promise<Carried> {
  const round = new Round(link, firstRequest);
  const ended = await run(round, mailbox).then(() => undefined, endOf);
  const { bundles, bytes, timeRefused } = round;
  const done = { bundles, bytes, ...(timeRefused === undefined ? {} : { timeRefused }) };
  if (ended === undefined) return { outcome: "done", ...done };
  const { outcome, code, step } = ended;
  return { outcome, code, reason: code === undefined ? step : `${step}: ${codeName(code)}`, ...done };
}

/** What ended a session early; anything else that was thrown is a mistake of the program and goes on. */
function endOf(thrown: unknown): Ended {
  if (thrown instanceof Ended) return thrown;
  throw thrown;
}
