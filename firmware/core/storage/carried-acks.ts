// Acks whose records a compaction erases (rule K2): they are written again, in runs, so that the same ack stays obtainable until the
// issuer has seen it.

import { putU24 } from "../../../protocol/wire/bytes";
import type { Acks } from "./acks";
import { type FlashLog, Purpose } from "./flash-log";
import { ACK_BYTES, ACKS_HEAD, ACKS_PER_RECORD, HEAD, putHead, Record, TAIL, UNIT } from "./records";

export class CarriedAcks {
  readonly #log: FlashLog;
  readonly #acks: Acks;
  readonly #record: Uint8Array;
  /** The run that waits to be written; none when `#first` is 0. */
  #first = 0;
  #last = 0;

  /** `record` is a buffer for the longest record, free to be overwritten during a compaction. */
  constructor(log: FlashLog, acks: Acks, record: Uint8Array) {
    this.#log = log;
    this.#acks = acks;
    this.#record = record;
  }

  /** A compaction begins. */
  begin(): void {
    this.#first = this.#last = 0;
  }

  /** Takes an ack into the run that waits; they come in order. False when a run could not be written. */
  keep(seq: number): boolean {
    const isFull = this.#last - this.#first + 1 >= ACKS_PER_RECORD;
    if ((seq !== this.#last + 1 || isFull) && !this.flush()) return false;
    if (this.#first === 0) this.#first = seq;
    this.#last = seq;
    return true;
  }

  /** Writes the run that waits. False when the flash refused. */
  flush(): boolean {
    const first = this.#first;
    if (first === 0) return true;
    const count = this.#last - first + 1;
    this.#first = this.#last = 0;
    const record = this.#record;
    const length = Math.ceil((ACKS_HEAD + count * ACK_BYTES + TAIL) / UNIT) * UNIT;
    record.fill(0, 0, length);
    putHead(record, Record.acks, length, count, 0);
    putU24(record, HEAD, first);
    for (let i = 0; i < count; i++) this.#acks.copy(first + i, record, ACKS_HEAD + i * ACK_BYTES);
    if (this.#log.append(record, length, Purpose.compaction) === 0) return false;
    for (let i = 0; i < count; i++) this.#acks.setSector(first + i, this.#log.newest & 0xff);
    return true;
  }
}
