// One epoch of a lock's log at the issuer (property 2 of the protocol, rules S1–S3, S13, K1): positions that are signed, in bundles whose
// bytes never change, and what the lock has acknowledged of them. A position that is signed keeps its delta for ever.

import type { Crypto } from "../crypto/port";
import { equal } from "../wire/bytes";
import { Reader } from "../wire/cbor";
import { genesisHead, nextHead } from "../wire/chain";
import { Code } from "../wire/codes";
import { readEnvelope } from "../wire/cose";
import type { DeltaFields } from "../wire/deltas";
import { emptyDelta, readDelta } from "../wire/deltas";
import { MAX_BUNDLE_BYTES } from "../wire/limits";
import { emptyBundle, readBundle } from "../wire/messages";
import { Table } from "./table";

/** One signed delta. */
export interface Position {
  readonly seq: number;
  readonly delta: Uint8Array;
  /** The chain head after it. */
  readonly head: Uint8Array;
  /** Which item of the ledger it serves, and which version of what was wanted of it. */
  readonly item: string;
  readonly version: number;
  /** The lock's answer, undefined while there is none. */
  code?: number;
  /** Whether the answer was lost, and follows from the lock's whole table. */
  isInferred?: boolean;
  /** Attempts to deliver it that went without an answer (rules A38, K5). */
  attempts: number;
  /** The table digest after it, once this and all before it are acknowledged. */
  digest?: Uint8Array;
}

/** A signed bundle as it was first sent. */
export interface StoredBundle {
  readonly first: number;
  readonly count: number;
  /** The COSE_Sign1. */
  readonly bytes: Uint8Array;
}

/** The deltas of a bundle that this issuer signed, as views. Throws on any other bytes. */
export function deltasOf(bundle: Uint8Array): { epoch: number; first: number; deltas: Uint8Array[] } {
  const envelope = readEnvelope(new Reader(bundle), MAX_BUNDLE_BYTES);
  const fields = emptyBundle();
  if (envelope === undefined || !readBundle(new Reader(envelope.payload), fields))
    throw new Error("stored bundle: wanted a signed run of deltas");
  const { epoch, first, count, offsets } = fields;
  const deltas: Uint8Array[] = [];
  for (let i = 0; i < count; i++) deltas.push(envelope.payload.slice(offsets[i], offsets[i + 1]));
  return { epoch, first, deltas };
}

/** The fields of a delta; throws on bytes that no lock takes. */
export function fieldsOf(delta: Uint8Array): DeltaFields {
  const fields = emptyDelta();
  const code = readDelta(new Reader(delta), fields);
  if (code !== Code.applied) throw new Error(`delta: the lock's reader refuses it with code ${code}`);
  return fields;
}

export class Log {
  readonly epoch: number;
  /** Seq n at index n − 1. */
  readonly positions: Position[] = [];
  readonly bundles: StoredBundle[] = [];
  /** All positions up to here are acknowledged, and {@link mirror} is the table after them. */
  acknowledged = 0;
  /** The highest position that a receipt has proven to be applied. */
  applied = 0;
  readonly mirror: Table;
  readonly genesis: Uint8Array;
  readonly #crypto: Crypto;
  readonly #emptyDigest: Uint8Array;
  #projection: Table | undefined;

  constructor(crypto: Crypto, lock: Uint8Array, epoch: number) {
    this.#crypto = crypto;
    this.epoch = epoch;
    this.genesis = genesisHead(crypto, lock, epoch);
    this.mirror = new Table(crypto);
    this.#emptyDigest = this.mirror.sum.slice();
  }

  /** The last signed position. */
  get signed(): number {
    return this.positions.length;
  }

  /** The chain head after `seq`, 0 being the start; undefined beyond the last signed position. */
  head(seq: number): Uint8Array | undefined {
    return seq === 0 ? this.genesis : this.positions[seq - 1]?.head;
  }

  /** The table digest after `seq`, undefined while not all up to it is acknowledged. */
  digest(seq: number): Uint8Array | undefined {
    return seq === 0 ? this.#emptyDigest : this.positions[seq - 1]?.digest;
  }

  /**
   * The table as it will be when all that is signed is applied as it was meant. An answer counts only once all before it are known, since
   * what was refused behind a gap tells nothing of the table. It belongs to the log: look, do not keep.
   */
  projection(): Table {
    if (this.#projection === undefined) {
      this.#projection = new Table(undefined, this.mirror);
      for (const { seq, delta } of this.positions.slice(this.acknowledged))
        this.#projection.apply(seq, fieldsOf(delta), Code.applied);
    }
    return this.#projection;
  }

  /** Adds a bundle whose bytes are stored; each of its deltas serves the item that `itemOf` names for it. */
  append(bytes: Uint8Array, itemOf: (delta: DeltaFields) => { item: string; version: number }): void {
    const { epoch, first, deltas } = deltasOf(bytes);
    if (epoch !== this.epoch || first !== this.signed + 1)
      throw new Error(`bundle of epoch ${epoch} from ${first}: wanted ${this.epoch} from ${this.signed + 1}`);
    this.bundles.push({ first, count: deltas.length, bytes });
    for (const delta of deltas) {
      const seq = this.signed + 1;
      const fields = fieldsOf(delta);
      const head = nextHead(this.#crypto, this.head(seq - 1) as Uint8Array, delta);
      const { item, version } = itemOf(fields);
      this.projection().apply(seq, fields, Code.applied);
      this.positions.push({ seq, delta, head, item, version, attempts: 0 });
    }
  }

  /** The stored bundle that holds `seq`. */
  bundleAt(seq: number): StoredBundle | undefined {
    // Bundles are in order, so the right one is found by halving.
    let low = 0;
    let high = this.bundles.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { first, count } = this.bundles[middle];
      if (seq >= first + count) low = middle + 1;
      else high = middle;
    }
    const found = this.bundles[low];
    return found !== undefined && seq >= found.first ? found : undefined;
  }

  /** Keeps the lock's answer to `seq`, which had none. */
  answer(seq: number, code: number): void {
    this.positions[seq - 1].code = code;
  }

  /**
   * Moves the mirror over all positions that are acknowledged without a gap. `before` sees each position with the mirror as the lock
   * found it.
   */
  advance(before: (position: Position, delta: DeltaFields) => void): void {
    for (let next = this.positions[this.acknowledged]; next?.code !== undefined; ) {
      const delta = fieldsOf(next.delta);
      before(next, delta);
      this.mirror.apply(next.seq, delta, next.code);
      // The projection had counted on success.
      if (next.code !== Code.applied && next.code !== Code.installed) this.#projection = undefined;
      next.digest = this.mirror.sum.slice();
      this.acknowledged = next.seq;
      next = this.positions[this.acknowledged];
    }
  }

  /**
   * Takes all that is applied as done, where the lock no longer has the answers but its table is exactly what they would have made of it
   * (property 4 of the protocol). The seqs that got their answer so; undefined where the table is another.
   */
  infer(applied: number, digest: Uint8Array): number[] | undefined {
    const table = new Table(this.#crypto, this.mirror);
    for (const { seq, delta, code } of this.positions.slice(this.acknowledged, applied))
      table.apply(seq, fieldsOf(delta), code ?? Code.applied);
    if (!equal(table.sum, digest)) return undefined;
    const lost = this.positions.slice(this.acknowledged, applied).filter(({ code }) => code === undefined);
    for (const position of lost) {
      position.code = Code.applied;
      position.isInferred = true;
    }
    return lost.map(({ seq }) => seq);
  }

  /** Positions that were signed and have no answer. */
  *unanswered(): Iterable<Position> {
    for (const position of this.positions.slice(this.acknowledged))
      if (position.code === undefined) yield position;
  }

  /** The first position that is applied but whose answer is not known, 0 for none. */
  get missing(): number {
    const first = this.acknowledged + 1;
    return first <= this.applied ? first : 0;
  }
}
