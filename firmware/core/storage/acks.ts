// The acks that a lock keeps (rule K2): code, detail and a fingerprint of the chain head for each of the last deltas, in a ring of
// 5 bytes an ack. An ack never changes once it is written. Beside each stands the sector of its newest record, so that a compaction
// carries on every ack once.

import { getU16, putU16 } from "../../../protocol/wire/bytes";
import { ACK_BYTES } from "./records";

/** In place of a code: nothing is known of this seq. */
const ABSENT = 0xff;

export class Acks {
  /** The oldest and the newest seq kept without a gap; none when `first` is above `last`. */
  first = 1;
  last = 0;
  readonly #ring: Uint8Array;
  readonly #sectors: Uint8Array;
  readonly #mask: number;
  /** Those up to this seq have come home and are not kept any more. */
  #freed = 0;

  /** `size` is a power of two. */
  constructor(size: number) {
    this.#ring = new Uint8Array(size * ACK_BYTES).fill(ABSENT);
    this.#sectors = new Uint8Array(size);
    this.#mask = size - 1;
  }

  /**
   * Keeps the ack of `seq`, whose record stands in sector `sector`. Deltas commit in order; but a mount also meets acks again that a
   * compaction wrote, in any order: one that is known does not change, one that was missing closes its gap.
   */
  put(seq: number, code: number, detail: number, fingerprint: number, sector: number): void {
    if (seq > this.last) this.advance(seq);
    if (this.last - seq > this.#mask) return;
    this.setSector(seq, sector);
    const at = (seq & this.#mask) * ACK_BYTES;
    if (this.#ring[at] !== ABSENT) return;
    this.#ring[at] = code;
    putU16(this.#ring, at + 1, detail);
    putU16(this.#ring, at + 3, fingerprint);
    const oldest = Math.max(this.#freed + 1, this.last - this.#mask);
    while (this.first > oldest && this.code(this.first - 1) !== ABSENT) this.first--;
  }

  private advance(seq: number): void {
    for (let gap = Math.max(this.last + 1, seq - this.#mask); gap <= seq; gap++)
      this.#ring[(gap & this.#mask) * ACK_BYTES] = ABSENT;
    this.first = seq === this.last + 1 ? Math.max(this.first, seq - this.#mask) : seq;
    this.last = seq;
  }

  /** The low byte of the number of the sector in which the newest record of this ack stands. */
  sector(seq: number): number {
    return this.#sectors[seq & this.#mask];
  }

  setSector(seq: number, sector: number): void {
    this.#sectors[seq & this.#mask] = sector;
  }

  has(seq: number): boolean {
    return seq >= this.first && seq <= this.last;
  }

  /** Whether the ack of the newest delta is at hand, also when it is freed: the position goes on with it. */
  get knowsLast(): boolean {
    return this.code(this.last) !== ABSENT;
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

  /** Forgets the acks up to `seq`: the issuer has seen them. */
  free(seq: number): void {
    this.#freed = Math.max(this.#freed, Math.min(seq, this.last));
    this.first = Math.max(this.first, this.#freed + 1);
  }

  /** Copies the five bytes of an ack to `bytes` at `offset`. */
  copy(seq: number, bytes: Uint8Array, offset: number): void {
    const at = (seq & this.#mask) * ACK_BYTES;
    for (let i = 0; i < ACK_BYTES; i++) bytes[offset + i] = this.#ring[at + i];
  }

  /** Forgets all, for a log that begins at `base`. */
  clear(base = 0): void {
    this.first = base + 1;
    this.last = this.#freed = base;
    this.#ring.fill(ABSENT);
  }
}
