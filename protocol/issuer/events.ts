// The events of one lock as they came home (rules L3, L9–L11): each exactly once, in order, with the hash chain over them held against
// what the lock's signed receipts tell. Where numbers jump, events are missing, and that shows. Deterministic, so it comes back from
// the journal. Events are kept as the lock wrote them; a date that was found later stands beside them.

import type { Crypto } from "../crypto/port";
import { pageAad, unsealWith } from "../crypto/seal";
import { equal, getU32 } from "../wire/bytes";
import { Reader } from "../wire/cbor";
import type { LockEvent } from "../wire/event";
import { EventKind, emptyEvent, unpackEvent } from "../wire/event";
import { EVENT_BYTES, HEAD_BYTES, MAX_PAGE_EVENTS, PAGE_HEAD_BYTES } from "../wire/limits";
import { readFrame, readPage, Type } from "../wire/messages";
import type { Receipt } from "../wire/receipt";
import { Trust } from "../wire/receipt";
import type { LockRecord } from "./facts";

/** A page as it was sealed: where it begins, the chain before it, and its entries. */
export interface Page {
  /** The seq of the first event; where there is none, that of the next one that the lock will write. */
  readonly first: number;
  /** The chain head before the first event, 16 bytes. */
  readonly before: Uint8Array;
  /** 32 bytes each, numbered without a gap. */
  readonly entries: readonly Uint8Array[];
}

/** The page in these bytes; undefined for anything else. */
export function readPlainPage(plain: Uint8Array): Page | undefined {
  const count = (plain.length - PAGE_HEAD_BYTES) / EVENT_BYTES;
  if (!Number.isInteger(count) || count < 0 || count > MAX_PAGE_EVENTS) return undefined;
  const first = getU32(plain, 0);
  const entries = Array.from({ length: count }, (_, i) =>
    plain.slice(PAGE_HEAD_BYTES + i * EVENT_BYTES, PAGE_HEAD_BYTES + (i + 1) * EVENT_BYTES),
  );
  const isRun = entries.every((entry, i) => readEvent(entry).seq === first + i);
  return first > 0 && isRun ? { first, before: plain.slice(4, PAGE_HEAD_BYTES), entries } : undefined;
}

/** The event in the 32 bytes of an entry. */
export function readEvent(entry: Uint8Array): LockEvent {
  const event = emptyEvent();
  unpackEvent(entry, 0, event);
  return event;
}

/** Why something is no page of this lock's claim. */
export type NoPage = "malformed" | "not-sealed-for-us";

/** What is sealed in a whole page message. */
export function openPage(
  crypto: Crypto,
  { lock, keys }: LockRecord,
  message: Uint8Array,
): { page: Page; plain: Uint8Array } | NoPage {
  const reader = new Reader(message);
  const sealed = readFrame(reader)?.type === Type.page ? readPage(reader) : undefined;
  if (sealed === undefined) return "malformed";
  const plain = unsealWith(crypto, keys.eventKey, pageAad(lock), sealed);
  if (plain === undefined) return "not-sealed-for-us";
  const page = readPlainPage(plain);
  return page === undefined ? "malformed" : { page, plain };
}

/** An event, and the chain head after it. */
export interface KeptEvent {
  readonly event: LockEvent;
  readonly entry: Uint8Array;
  readonly head: Uint8Array;
}

/** Events that are missing: those from `first` to before `end`, none where only the chain begins anew at `end`. */
export interface Gap {
  readonly first: number;
  readonly end: number;
}

/** An event with the time at which it happened, as far as that can be told. */
export interface DatedEvent {
  readonly event: LockEvent;
  /** UTC seconds, 0 where nothing tells it. */
  readonly date: number;
  /** Whether the lock did not know the time then, and a later setting of its clock tells it (rule L11). */
  readonly isRedated: boolean;
}

const ZEROS = new Uint8Array(HEAD_BYTES);
const text = (seq: number): string => `the events up to ${seq} are not those that the lock had signed for`;

export class EventBook {
  /** The seq of the first event that has not come home. */
  next = 1;
  readonly kept: KeptEvent[] = [];
  readonly gaps: Gap[] = [];
  /** The chain head before {@link next}; undefined while nothing has come. */
  #head: Uint8Array | undefined;
  /** What signed receipts told of positions that events have not reached yet. */
  readonly #told = new Map<number, Uint8Array>();
  readonly #crypto: Crypto;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** The chain head before event `seq`, undefined where it is not known here. */
  #headBefore(seq: number): Uint8Array | undefined {
    if (seq === this.next) return this.#head;
    const index = this.#indexOf(seq);
    const after = this.kept[index - 1];
    if (after?.event.seq === seq - 1) return after.head;
    return undefined;
  }

  /** The index of the first kept event whose seq is not below `seq`. */
  #indexOf(seq: number): number {
    let low = 0;
    let high = this.kept.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.kept[middle].event.seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The event with this number, if it came. */
  at(seq: number): KeptEvent | undefined {
    const found = this.kept[this.#indexOf(seq)];
    return found?.event.seq === seq ? found : undefined;
  }

  /** Where the events of a page, or of a receipt, contradict what is known here: the seq before which they do, 0 for nowhere. */
  conflict(page: Page): number {
    let head = page.before;
    for (let i = 0; i <= page.entries.length; i++) {
      const seq = page.first + i;
      const known = this.#headBefore(seq) ?? this.#told.get(seq);
      // A chain that begins anew behind lost events is a gap, which shows as one.
      const isRestart = i === 0 && equal(head, ZEROS);
      if (known !== undefined && !equal(known, head) && !isRestart) return seq;
      if (i < page.entries.length) head = chained(this.#crypto, head, page.entries[i]);
    }
    return 0;
  }

  /** Whether a page brings anything: an event that is not here, or the place of the next one. */
  isNews({ first, entries }: Page): boolean {
    return first + entries.length > this.next || this.#head === undefined;
  }

  /** Takes a page. The text of an alarm and the event that it is about, where it contradicts what is known. */
  take(page: Page): { seq: number; text: string } | undefined {
    const conflict = this.conflict(page);
    if (this.isNews(page)) this.#add(page);
    return conflict === 0 ? undefined : { seq: conflict, text: text(conflict) };
  }

  #add({ first, before, entries }: Page): void {
    const isFirst = this.#head === undefined;
    const begin = isFirst ? Math.min(first, ...this.#told.keys()) : this.next;
    const isRestart = !isFirst && first === this.next && !equal(before, this.#head ?? ZEROS);
    if (first > begin || isRestart) this.gaps.push({ first: begin, end: first });
    let head = before;
    for (const entry of entries) {
      const event = readEvent(entry);
      head = chained(this.#crypto, head, entry);
      if (isFirst || event.seq >= this.next) this.kept.push({ event, entry, head });
    }
    this.#head = head;
    this.next = first + entries.length;
    for (const seq of this.#told.keys()) if (seq <= this.next) this.#told.delete(seq);
  }

  /** Whether a receipt of this claim tells of another chain at a position that is known here. */
  contradicts({ nextEvent, eventHead }: Receipt): boolean {
    const known = this.#headBefore(nextEvent) ?? this.#told.get(nextEvent);
    return known !== undefined && !equal(known, eventHead);
  }

  /** Takes what a receipt of this claim tells of the chain, whose signature was verified. An alarm where the events here are others. */
  told(receipt: Receipt): { seq: number; text: string } | undefined {
    const { nextEvent, eventHead } = receipt;
    if (this.contradicts(receipt)) return { seq: nextEvent, text: text(nextEvent) };
    if (nextEvent > this.next || this.#head === undefined) this.#told.set(nextEvent, eventHead.slice());
    return undefined;
  }

  /** All events that came, dated (rule L11). */
  dated(): DatedEvent[] {
    const starts = bootTimes(this.kept);
    return this.kept.map(({ event }) => {
      if (event.trust !== Trust.unknown) return { event, date: event.time, isRedated: false };
      const start = starts.get(event.boot);
      return start === undefined
        ? { event, date: 0, isRedated: false }
        : { event, date: start + event.time, isRedated: true };
    });
  }
}

/** The chain head after an entry (rule L9). */
function chained(crypto: Crypto, head: Uint8Array, entry: Uint8Array): Uint8Array {
  const input = new Uint8Array(HEAD_BYTES + EVENT_BYTES);
  input.set(head);
  input.set(entry, HEAD_BYTES);
  return crypto.sha256(input).slice(0, HEAD_BYTES);
}

/**
 * When each boot began, in UTC seconds, of those in which the clock was set: an event of unknown time carries the seconds since then.
 * The first setting of a boot counts, since it follows upon the events that it dates.
 */
function bootTimes(kept: readonly KeptEvent[]): Map<number, number> {
  const starts = new Map<number, number>();
  for (const { event } of kept) {
    const uptime = uptimeOf(event);
    if (uptime > 0 && !starts.has(event.boot)) starts.set(event.boot, event.time - uptime);
  }
  return starts;
}

/** The uptime at which a clock was set, in seconds, 0 where the event does not tell it. It stands in the place of the user. */
function uptimeOf({ kind, user, trust }: LockEvent): number {
  return kind === EventKind.clockSet && trust !== Trust.unknown ? user : 0;
}
