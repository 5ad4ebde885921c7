// The acks that a lock keeps (rule K2): code, detail and a fingerprint of the chain head for each of the last deltas, in a ring of
// 5 bytes an ack. An ack never changes once it is written.

import { getU16, putU16 } from "../../protocol/wire/bytes";
import { ACK_BYTES } from "./records";

export class Acks {
  /** The oldest and the newest seq kept; none when `first` is above `last`. */
  first = 1;
  last = 0;
  readonly #ring: Uint8Array;
  readonly #mask: number;

  /** `size` is a power of two. */
  constructor(size: number) {
    this.#ring = new Uint8Array(size * ACK_BYTES);
    this.#mask = size - 1;
  }

  /**
   * Keeps the ack of `seq`. Seqs come in order; but a mount also meets one again, which changes nothing, or the one just
   * before the oldest kept, written again by a compaction.
   */
  put(seq: number, code: number, detail: number, fingerprint: number): void {
    const kept = this.last >= this.first;
    if (kept && seq === this.first - 1 && this.last - seq <= this.#mask) {
      this.first = seq;
    } else {
      if (kept && seq <= this.last) return;
      if (seq !== this.last + 1) this.first = seq;
      this.last = seq;
      if (this.last - this.first > this.#mask) this.first = this.last - this.#mask;
    }
    const at = (seq & this.#mask) * ACK_BYTES;
    this.#ring[at] = code;
    putU16(this.#ring, at + 1, detail);
    putU16(this.#ring, at + 3, fingerprint);
  }

  has(seq: number): boolean {
    return seq >= this.first && seq <= this.last;
  }

  code(seq: number): number {
    return this.#ring[(seq & this.#mask) * ACK_BYTES];
  }

  detail(seq: number): number {
    return getU16(this.#ring, (seq & this.#mask) * ACK_BYTES + 1);
  }

  fingerprint(seq: number): number {
    return getU16(this.#ring, (seq & this.#mask) * ACK_BYTES + 3);
  }

  /** Copies the five bytes of an ack to `bytes` at `offset`. */
  copy(seq: number, bytes: Uint8Array, offset: number): void {
    const at = (seq & this.#mask) * ACK_BYTES;
    for (let i = 0; i < ACK_BYTES; i++) bytes[offset + i] = this.#ring[at + i];
  }

  /** Forgets everything before `seq`: the issuer has seen it. */
  forgetBefore(seq: number): void {
    if (seq > this.first) this.first = Math.min(seq, this.last + 1);
  }

  /** Forgets all, for a new epoch. */
  clear(): void {
    this.first = 1;
    this.last = 0;
  }
}
