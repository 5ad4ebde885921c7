// The courier (rules A44, S5 to S8): carries one lock's mail over any link, in the order time → whole table → bundles → sign of life, and brings
// receipts and events back. It can delay and drop, and nothing else: what it carries is signed and it reads none of it. It remembers
// nothing between sessions; to resume is to connect again, and the mailbox goes on from the status that the lock gives.

import { equal } from "../wire/bytes";
import { Reader } from "../wire/cbor";
import { Code, codeName } from "../wire/codes";
import { EVENT_BYTES, PAGE_HEAD_BYTES, SEAL_NONCE_BYTES, SEAL_TAG_BYTES } from "../wire/limits";
import type { Status } from "../wire/messages";
import { emptyBody, fetchBody, readFrame, readPage, StatusFlag, Type } from "../wire/messages";
import type { Link } from "./link";
import type { Outcome } from "./round";
import { Ended, endOf, Round, stepName } from "./round";

/** A mailbox that never runs out of mail for a lock that stays as it is would keep the door's line for ever. */
const MAX_STALLED_ROUNDS = 3;
/** More pages than the largest event log fills. */
const MAX_PAGES = 256;

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
  /**
   * The issuer's signed answer to the lock's nonce; undefined where the issuer cannot be reached. `refusal` is the code with which the lock
   * refused the answer before to the same nonce.
   */
  time(nonce: Uint8Array, refusal?: number): Promise<Uint8Array | undefined>;
  /** Takes a receipt as the lock sent it: a whole message. */
  receipt(message: Uint8Array): Promise<void>;
  /** The issuer's sign of life for a lock with this status; undefined where there is none. */
  heartbeat?(status: Status): Promise<Uint8Array | undefined>;
  /** The seq of the first event that has not come home. Without it no events are fetched. */
  nextEvent?(): Promise<number>;
  /** Takes a page of events as the lock sent it: a whole message. The seq of the event that is wanted next, where the page can be opened. */
  page?(message: Uint8Array): Promise<number | undefined>;
  /** Told of mail that the lock refused. Whoever carries mail can make that up, so only people are to believe it. */
  refused?(piece: Mail, code: number): Promise<void>;
  /** The owner's consent to a factory reset, signed in answer to the lock's nonce as the time is; left out where there is none. */
  consent?(nonce: Uint8Array): Promise<Uint8Array>;
}

/** How a session ended. */
export interface Carried {
  /** `done`: the lock has everything · `silent`: no answer · `refused`: see `code` · `garbled`: the answer was none. */
  readonly outcome: Outcome;
  /** The result code of a refusal. */
  readonly code?: number;
  /** Its name and what it answered, for people. */
  readonly reason?: string;
  /** The result code with which the lock refused the time; the session went on without it. */
  readonly timeRefused?: number;
  /** The result code with which it refused the sign of life; the session went on. */
  readonly heartbeatRefused?: number;
  /** The result code with which it refused the consent to a reset. */
  readonly consentRefused?: number;
  /** Bundles that were answered by a receipt. */
  readonly bundles: number;
  /** Pages of events that came, left out where none did. */
  readonly pages?: number;
  /** Bytes of all messages both ways. */
  readonly bytes: number;
}

/** What happened in a session beside its end. */
interface Tally {
  bundles: number;
  pages: number;
  timeRefused?: number;
  heartbeatRefused?: number;
  consentRefused?: number;
}

/** What a lock answers by a receipt, the order of a rebase only where it has no parts, and a part only where it is the last. */
const BY_RECEIPT: readonly number[] = [Type.bundle, Type.ask, Type.rebase, Type.part];
/** What a lock may answer by a result that is "done" as well. */
const BY_RESULT: readonly number[] = [Type.rebase, Type.part];

/** One session: a lock and the mailbox that mail for it comes from. */
class Visit {
  readonly tally: Tally = { bundles: 0, pages: 0 };
  readonly #round: Round;
  readonly #mailbox: Mailbox;

  constructor(round: Round, mailbox: Mailbox) {
    this.#round = round;
    this.#mailbox = mailbox;
  }

  async run(): Promise<void> {
    let status = await this.#round.hello();
    let mail = await this.#mailbox.mail(status);
    const first = mail.filter(({ type }) => BEFORE_TIME.includes(type));
    await this.#sendAll(first);
    if (first.length > 0) status = await this.#round.hello();
    await this.#setClock(status.nonce.slice());
    if (first.length > 0) mail = await this.#mailbox.mail(status);
    for (let stalled = 0; mail.length > 0 && stalled < MAX_STALLED_ROUNDS; ) {
      await this.#sendAll(mail);
      // Only the lock knows what it has now.
      const { epoch, applied } = status;
      status = await this.#round.hello();
      stalled = status.epoch === epoch && status.applied === applied ? stalled + 1 : 0;
      mail = await this.#mailbox.mail(status);
    }
    await this.#signOfLife(status);
    if ((status.flags & StatusFlag.eventsWaiting) !== 0) await this.#fetchEvents();
    await this.#consent();
    // Everything is done; whether the lock hears the goodbye changes nothing.
    await this.#round.exchange(Type.bye, emptyBody()).catch(endOf);
  }

  /** Sends mail in its order. A lock that has parts of a rebase already says which it wants next. */
  async #sendAll(mail: readonly Mail[]): Promise<void> {
    let skipped = 0;
    for (const piece of mail) {
      if (piece.type === Type.part && skipped-- > 0) continue;
      const wanted = await this.#send(piece);
      if (piece.type === Type.rebase) skipped = wanted > 0 ? wanted - 1 : Number.POSITIVE_INFINITY;
    }
  }

  /** Sends one piece of mail; the detail of a result that answered it, otherwise 0. */
  async #send(piece: Mail): Promise<number> {
    const { type, body } = piece;
    const answers = BY_RECEIPT.includes(type) ? [Type.receipt] : [];
    const {
      type: answered,
      message,
      result,
    } = await this.#round.deliver(type, body, ...answers).catch((thrown) => this.#refused(piece, thrown));
    if (answered === Type.receipt) await this.#mailbox.receipt(message);
    else if (answers.length > 0 && !BY_RESULT.includes(type)) throw new Ended("garbled", stepName(type));
    if (type === Type.bundle) this.tally.bundles++;
    return result?.detail ?? 0;
  }

  /** Tells the mailbox of a refusal, which ends the session as any other end does. */
  async #refused(piece: Mail, thrown: unknown): Promise<never> {
    const { outcome, code } = endOf(thrown);
    if (outcome === "refused" && code !== undefined) await this.#mailbox.refused?.(piece, code);
    throw thrown;
  }

  /** Revocations do not wait for a clock, so a refusal ends nothing. */
  async #setClock(nonce: Uint8Array): Promise<void> {
    const time = await this.#mailbox.time(nonce);
    if (time === undefined) return;
    let refusal = await this.#round.offer(Type.time, time);
    // Whether the lock is in the owner's newest time epoch already, only the lock knows.
    const other = refusal === Code.unknownKey ? await this.#mailbox.time(nonce, refusal) : undefined;
    if (other !== undefined && !equal(other, time)) refusal = await this.#round.offer(Type.time, other);
    if (refusal !== undefined) this.tally.timeRefused = refusal;
  }

  async #signOfLife(status: Status): Promise<void> {
    const body = await this.#mailbox.heartbeat?.(status);
    if (body === undefined) return;
    const refusal = await this.#round.offer(Type.heartbeat, body);
    if (refusal !== undefined) this.tally.heartbeatRefused = refusal;
  }

  /**
   * Brings the owner's consent to a reset: last, since what the lock still had to tell is nobody's after it, and with a nonce of its own,
   * since the time has used the other up.
   */
  async #consent(): Promise<void> {
    const { consent } = this.#mailbox;
    if (consent === undefined) return;
    const { nonce } = await this.#round.hello();
    const body = await consent.call(this.#mailbox, nonce.slice());
    const refusal = await this.#round.offer(Type.reset, body);
    if (refusal !== undefined) this.tally.consentRefused = refusal;
  }

  /** Fetches events until none is left. A page is sealed: all that shows of it is its length. */
  async #fetchEvents(): Promise<void> {
    const { nextEvent, page } = this.#mailbox;
    if (nextEvent === undefined || page === undefined) return;
    let next = await nextEvent.call(this.#mailbox);
    while (this.tally.pages < MAX_PAGES) {
      const { type, message } = await this.#round.exchange(Type.fetch, fetchBody(next));
      if (type !== Type.page) return;
      const count = eventsIn(message);
      if (count === undefined) throw new Ended("garbled", stepName(Type.fetch));
      const wanted = (await page.call(this.#mailbox, message)) ?? next + count;
      this.tally.pages++;
      if (count === 0 || wanted <= next) return;
      next = wanted;
    }
  }
}

/** How many events are on a page; undefined for a message that is none. */
export function eventsIn(message: Uint8Array): number | undefined {
  const reader = new Reader(message);
  const sealed = readFrame(reader) === undefined ? undefined : readPage(reader);
  if (sealed === undefined) return undefined;
  return Math.floor((sealed.length - SEAL_NONCE_BYTES - SEAL_TAG_BYTES - PAGE_HEAD_BYTES) / EVENT_BYTES);
}

/** The keys by which the lock knows its issuer come before the time that this issuer signs. */
const BEFORE_TIME: readonly number[] = [Type.claim, Type.keys];

/**
 * Runs one session with a lock. Never throws for what a lock or a link does. On a link where the lock's session outlives the courier's,
 * `firstRequest` is a random request id, so that no answer comes from the lock's memory of an earlier courier.
 */
export async function carry(link: Link, mailbox: Mailbox, firstRequest = 1): Promise<Carried> {
  const round = new Round(link, firstRequest);
  const visit = new Visit(round, mailbox);
  const ended = await visit.run().then(() => undefined, endOf);
  const { pages, ...tally } = visit.tally;
  const done = { ...tally, bytes: round.bytes, ...(pages > 0 ? { pages } : {}) };
  if (ended === undefined) return { outcome: "done", ...done };
  const { outcome, code, step } = ended;
  return { outcome, code, reason: code === undefined ? step : `${step}: ${codeName(code)}`, ...done };
}
