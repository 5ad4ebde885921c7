// Reading the event log for its owner (rules L3, L9): runs of raw entries with the chain before them, so that whoever gets them computes
// the chain onwards and comes to the head that the lock signed.
//
// The header of each sector holds the chain over all events before its `first`. So between two headers lies a run of events that has to
// lead from one chain to the other; only such a run is given away, and what stands before a sector that is lost. Where it does not,
// since some of its events are lost, nobody could tell it from a log that was tampered with, and the numbers show that something is
// missing. The events of a run stand in its sector
// and, as a sector is made ready before the one before it is full, at the end of that one.
//
// The bytes are those that the chain has hashed: what an entry mends of itself is mended in both.

import type { Crypto } from "../../../protocol/crypto/port";
import { equal, getU32 } from "../../../protocol/wire/bytes";
import { HEAD_BYTES, MAX_PAGE_EVENTS } from "../../../protocol/wire/limits";
import type { Device } from "./device";
import { type EventChain, nextEventHead } from "./event-chain";
import { ENTRY_BYTES, findEntries, headerChain, headerFirst, headerNumber, seqOf } from "./event-record";
import { endOfNumbers } from "./event-sector";

/** Some events one after another, without a gap. */
export interface EventPage {
  /** The seq of the first event, or of the next one that there will be when there is none. */
  first: number;
  /** The chain over all events before it, 16 bytes. */
  head: Uint8Array;
  /** 32 bytes each. */
  entries: Uint8Array;
}

/** Where a run of events begins or ends. */
interface Anchor {
  /** Of the sector; 0 for none. */
  readonly number: number;
  /** The chain covers all events before this one. */
  readonly first: number;
  readonly chain: Uint8Array;
}

const NONE: Anchor = { number: 0, first: 0, chain: new Uint8Array(HEAD_BYTES) };
const RESTARTED = NONE.chain;

export class EventPages {
  readonly #device: Device;
  readonly #crypto: Crypto;
  readonly #seed: number;
  /** One sector, and the entries of a run, one behind the other. */
  #sector = RESTARTED;
  #entries = RESTARTED;

  constructor(device: Device, crypto: Crypto, seed: number) {
    this.#device = device;
    this.#crypto = crypto;
    this.#seed = seed;
  }

  /**
   * A page of at most {@link MAX_PAGE_EVENTS} events from the first one that stands and is not before `from`. `top` is the number of the
   * newest sector with a header, `chain` covers all events before `next`.
   */
  read(from: number, top: number, next: number, chain: EventChain): EventPage {
    const end: Anchor = { number: top + 1, first: next, chain: chain.value };
    const sectors: [Anchor, Anchor, Anchor] = [NONE, NONE, NONE];
    let page: EventPage | undefined;
    for (let number = Math.max(1, top - this.#device.blocks + 1); number <= top + 1; number++) {
      const anchor = number > top ? end : this.anchor(number);
      if (anchor === undefined) continue;
      if (sectors[2].number > 0 && anchor.first > from)
        page = this.pageOf(sectors, anchor, from, chain.restartedAt);
      if (page !== undefined) break;
      sectors.shift();
      sectors.push(anchor);
    }
    this.#sector = this.#entries = RESTARTED;
    return page ?? { first: next, head: chain.value.slice(), entries: new Uint8Array(0) };
  }

  private start(number: number): number {
    return ((number - 1) % this.#device.blocks) * this.#device.blockBytes;
  }

  private anchor(number: number): Anchor | undefined {
    const header = new Uint8Array(ENTRY_BYTES);
    if (!this.#device.read(header, this.start(number)) || headerNumber(header, this.#seed) !== number)
      return undefined;
    return { number, first: headerFirst(header), chain: headerChain(header) };
  }

  // ---- a run: the events from the last of three sectors' `first` on, to before `end`

  private pageOf(
    sectors: readonly Anchor[],
    end: Anchor,
    from: number,
    restart: number,
  ): EventPage | undefined {
    const begin = sectors[2];
    const count = this.collect(sectors, begin.first, end.first);
    const isProven = (chain: Uint8Array): boolean =>
      equal(this.chainAfter(chain, count, restart), end.chain) || equal(end.chain, RESTARTED);
    if (isProven(begin.chain)) return this.cut(begin.chain, count, from, restart);
    // Where the sector behind is lost, what is left before it goes on from the chain that it began with.
    const isWhole = begin.number === 1 || sectors[1].number === begin.number - 1;
    if (isWhole && end.number !== begin.number + 1) return this.cut(begin.chain, count, from, restart);
    return isProven(RESTARTED) ? this.cut(RESTARTED, count, from, restart) : undefined;
  }

  /** Takes the events from `first` to before `end` out of these sectors. Returns how many there are. */
  private collect(sectors: readonly Anchor[], first: number, end: number): number {
    const { blockBytes } = this.#device;
    if (this.#sector.length === HEAD_BYTES) {
      this.#sector = new Uint8Array(blockBytes);
      this.#entries = new Uint8Array(sectors.length * blockBytes);
    }
    const sector = this.#sector;
    let count = 0;
    let least = first;
    for (const { number } of sectors) {
      if (number === 0 || !this.#device.read(sector, this.start(number))) continue;
      if (headerNumber(sector, this.#seed) !== number) continue;
      const own = headerFirst(sector);
      const stands = findEntries(sector, ENTRY_BYTES, own, endOfNumbers(own, blockBytes), this.#seed);
      for (let at = ENTRY_BYTES; at < blockBytes; at += ENTRY_BYTES) {
        const seq = seqOf(sector, at);
        if (stands[at / ENTRY_BYTES] === 0 || seq < least || seq >= end) continue;
        this.#entries.set(sector.subarray(at, at + ENTRY_BYTES), count++ * ENTRY_BYTES);
        least = seq + 1;
      }
    }
    return count;
  }

  private seq(n: number): number {
    return getU32(this.#entries, n * ENTRY_BYTES + 4);
  }

  private entry(n: number): Uint8Array {
    return this.#entries.subarray(n * ENTRY_BYTES, (n + 1) * ENTRY_BYTES);
  }

  /** Whether the chain started from zeros again right before event `n` of the run. */
  private restartsAt(n: number, restart: number): boolean {
    return n > 0 && this.seq(n) >= restart && this.seq(n - 1) < restart;
  }

  /** The chain after so many events of the run; before the first one it was `chain`. */
  private chainAfter(chain: Uint8Array, count: number, restart: number): Uint8Array {
    let head = chain;
    for (let n = 0; n < count; n++) {
      if (this.restartsAt(n, restart)) head = RESTARTED;
      head = nextEventHead(this.#crypto, head, this.entry(n));
    }
    return head;
  }

  /** What of the run goes on a page; undefined for nothing. */
  private cut(chain: Uint8Array, count: number, from: number, restart: number): EventPage | undefined {
    let begin = 0;
    while (begin < count && this.seq(begin) < from) begin++;
    if (begin === count) return undefined;
    let end = begin + 1;
    while (end < count && end - begin < MAX_PAGE_EVENTS) {
      if (this.seq(end) !== this.seq(end - 1) + 1 || this.restartsAt(end, restart)) break;
      end++;
    }
    const head = this.restartsAt(begin, restart) ? RESTARTED : this.chainAfter(chain, begin, restart);
    const entries = this.#entries.slice(begin * ENTRY_BYTES, end * ENTRY_BYTES);
    return { first: this.seq(begin), head: head.slice(), entries };
  }
}
