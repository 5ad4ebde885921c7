// The hash chain over all events (rule L9): SHA-256(chain ‖ entry) cut to 16 bytes, from 16 zero bytes. It is computed when somebody
// asks or nobody waits, never on the way to the bolt.
//
// Where events are lost to it, since the sector that they stood in cannot be read or found, it starts again from zeros with the first
// event behind them, as it did with the first of all. A verifier sees that the numbers jump there, that the head does not follow from
// the one before, and that it does follow from zeros: so what comes behind the gap can be trusted, and what is in it is missing.

import type { Crypto } from "../../../protocol/crypto/port";
import { HEAD_BYTES } from "../../../protocol/wire/limits";
import { ENTRY_BYTES, seqOf } from "./event-record";
import type { EventSector } from "./event-sector";

/** The chain over all events up to an entry, from the one before it: 16 bytes. */
export function nextEventHead(crypto: Crypto, head: Uint8Array, entry: Uint8Array): Uint8Array {
  const input = new Uint8Array(HEAD_BYTES + ENTRY_BYTES);
  input.set(head);
  input.set(entry, HEAD_BYTES);
  return crypto.sha256(input).subarray(0, HEAD_BYTES);
}

export class EventChain {
  /** The chain over all events before {@link end}. */
  readonly value = new Uint8Array(HEAD_BYTES);
  end = 1;
  /** The event with which it last started again since the boot, 0 for none. */
  restartedAt = 0;
  readonly #crypto: Crypto;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** Starts again with event `seq`. */
  restart(seq: number): void {
    this.value.fill(0);
    this.end = this.restartedAt = seq;
  }

  /** Goes on over the entries of a sector that it does not cover yet, `most` of them. Returns how many may follow. */
  extend(sector: EventSector, most: number): number {
    if (sector.chained >= sector.offset || most === 0) return most;
    const entries = sector.readUnchained();
    if (entries === undefined) {
      sector.chained = sector.offset;
      this.restart(this.end);
      return most;
    }
    const stands = sector.findEntries(entries, 0);
    let at = 0;
    for (; at < entries.length && most > 0; at += ENTRY_BYTES) {
      const seq = seqOf(entries, at);
      if (stands[at / ENTRY_BYTES] === 0 || seq < this.end) continue;
      this.value.set(nextEventHead(this.#crypto, this.value, entries.subarray(at, at + ENTRY_BYTES)));
      this.end = seq + 1;
      most--;
    }
    sector.chained += at;
    return most;
  }
}
