// One epoch of a lock's log at the issuer (property 2 of the protocol, rules S1–S3, S13, K1): positions that are signed, in bundles whose
// deltas never change, and what the lock has acknowledged of them. A position that is signed keeps its delta for ever; its bundle may be
// signed again by a newer key. A log begins with the empty table of a claim, or with the whole table that a rebase brings (rule S9).

import type { Crypto } from "../crypto/port";
import { equal } from "../wire/bytes";
import { Reader } from "../wire/cbor";
import { genesisHead, nextHead } from "../wire/chain";
import { Code } from "../wire/codes";
import { readEnvelope } from "../wire/cose";
import type { DeltaFields } from "../wire/deltas";
import { emptyDelta, readDelta } from "../wire/deltas";
import { MAX_BUNDLE_BYTES } from "../wire/limits";
import { emptyBundle, readBundle } from "../wire/payloads";
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

/** A signed bundle as it is sent. */
export interface StoredBundle {
  readonly first: number;
  readonly count: number;
  /** The id of the key that signed it. */
  readonly kid: Uint8Array;
  /** The COSE_Sign1. */
  readonly bytes: Uint8Array;
}

/** Where a log begins that a rebase brings. */
export interface Beginning {
  /** The position before its first delta. */
  readonly base: number;
  /** The whole table that the rebase brings, with its digest. */
  readonly table: Table;
  /** What the lock has until then. */
  readonly before: Table;
}

/** What a lock is to be at a position. */
export interface Prospect {
  readonly seq: number;
  /** The chain head there, 16 bytes. */
  readonly head: Uint8Array;
  /** The table digest there, 32 bytes. */
  readonly digest: Uint8Array;
}

/** What a bundle that this issuer signed says. */
export interface BundleContent {
  readonly epoch: number;
  readonly first: number;
  readonly issuedAt: number;
  readonly kid: Uint8Array;
  readonly deltas: Uint8Array[];
}

/** The content of a bundle that this issuer signed. Throws on any other bytes. */
export function deltasOf(bundle: Uint8Array): BundleContent {
  const envelope = readEnvelope(new Reader(bundle), MAX_BUNDLE_BYTES);
  const fields = emptyBundle();
  if (envelope === undefined || !readBundle(new Reader(envelope.payload), fields))
    throw new Error("stored bundle: wanted a signed run of deltas");
  const { epoch, first, issuedAt, count, offsets } = fields;
  const deltas: Uint8Array[] = [];
  for (let i = 0; i < count; i++) deltas.push(envelope.payload.slice(offsets[i], offsets[i + 1]));
  return { epoch, first, issuedAt, kid: envelope.kid.slice(), deltas };
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
  /** The position before the first delta: 0, but in a log that a rebase began. */
  readonly base: number;
  /** Seq n at index n − base − 1. */
  readonly positions: Position[] = [];
  readonly bundles: StoredBundle[] = [];
  /** Whether a receipt has shown that the lock has the table that the log begins with; a claim needs none. */
  isBegun: boolean;
  /** Attempts to deliver the rebase that went without an answer. */
  attempts = 0;
  /** All positions up to here are acknowledged. */
  acknowledged: number;
  /** The highest position that a receipt has proven to be applied. */
  applied: number;
  /** The table by the lock's own word: after all that is acknowledged, or before the rebase as long as that is not. */
  mirror: Table;
  readonly genesis: Uint8Array;
  /** The latest time at which a bundle was signed, UTC seconds. */
  issuedAt = 0;
  readonly #crypto: Crypto;
  /** The table that the log begins with; look, do not change. */
  readonly start: Table;
  readonly #startDigest: Uint8Array;
  #projection: Table | undefined;

  constructor(crypto: Crypto, lock: Uint8Array, epoch: number, beginning?: Beginning) {
    this.#crypto = crypto;
    this.epoch = epoch;
    this.base = this.acknowledged = this.applied = beginning?.base ?? 0;
    this.genesis = genesisHead(crypto, lock, epoch);
    this.start = beginning?.table ?? new Table(crypto);
    this.#startDigest = this.start.sum.slice();
    this.isBegun = beginning === undefined;
    this.mirror = beginning?.before ?? this.start;
  }

  /** A receipt has shown that the lock is in this log: it has the table that the log begins with. */
  begin(): void {
    if (this.isBegun) return;
    this.isBegun = true;
    this.mirror = new Table(this.#crypto, this.start);
  }

  /** The last signed position. */
  get signed(): number {
    return this.base + this.positions.length;
  }

  /** The position with this seq, undefined where none is signed. */
  position(seq: number): Position | undefined {
    return this.positions[seq - this.base - 1];
  }

  /** All positions behind `seq`. */
  after(seq: number): Position[] {
    return this.positions.slice(seq - this.base);
  }

  /** The chain head after `seq`, the base being the start; undefined before it and beyond the last signed position. */
  head(seq: number): Uint8Array | undefined {
    return seq === this.base ? this.genesis : this.position(seq)?.head;
  }

  /** The table digest after `seq`, undefined while not all up to it is acknowledged. */
  digest(seq: number): Uint8Array | undefined {
    return seq === this.base ? this.#startDigest : this.position(seq)?.digest;
  }

  /**
   * The table as it will be when all that is signed is applied as it was meant. An answer counts only once all before it are known, since
   * what was refused behind a gap tells nothing of the table. It belongs to the log: look, do not keep.
   */
  projection(): Table {
    if (this.#projection === undefined) {
      this.#projection = new Table(undefined, this.isBegun ? this.mirror : this.start);
      for (const { seq, delta } of this.after(this.acknowledged))
        this.#projection.apply(seq, fieldsOf(delta), Code.applied);
    }
    return this.#projection;
  }

  /** Adds a bundle whose bytes are stored; each of its deltas serves the item that `itemOf` names for it. */
  append(bytes: Uint8Array, itemOf: (delta: DeltaFields) => { item: string; version: number }): void {
    const { epoch, first, issuedAt, kid, deltas } = deltasOf(bytes);
    if (epoch !== this.epoch || first !== this.signed + 1)
      throw new Error(`bundle of epoch ${epoch} from ${first}: wanted ${this.epoch} from ${this.signed + 1}`);
    this.issuedAt = Math.max(this.issuedAt, issuedAt);
    this.bundles.push({ first, count: deltas.length, kid, bytes });
    for (const delta of deltas) {
      const seq = this.signed + 1;
      const fields = fieldsOf(delta);
      const head = nextHead(this.#crypto, this.head(seq - 1) as Uint8Array, delta);
      const { item, version } = itemOf(fields);
      this.projection().apply(seq, fields, Code.applied);
      this.positions.push({ seq, delta, head, item, version, attempts: 0 });
    }
  }

  /** Takes a bundle in place of the one with the same deltas that another key signed (rule P7). Throws where they are not the same. */
  replace(bytes: Uint8Array): void {
    const { epoch, first, issuedAt, kid, deltas } = deltasOf(bytes);
    const index = this.bundles.findIndex((bundle) => bundle.first === first);
    const isSame =
      epoch === this.epoch &&
      this.bundles[index]?.count === deltas.length &&
      deltas.every((delta, i) => equal(delta, this.position(first + i)?.delta ?? bytes));
    if (!isSame)
      throw new Error(`bundle of epoch ${epoch} from ${first}: wanted the deltas that are signed there`);
    this.issuedAt = Math.max(this.issuedAt, issuedAt);
    this.bundles[index] = { first, count: deltas.length, kid, bytes };
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
    const position = this.position(seq);
    if (position !== undefined) position.code = code;
  }

  /**
   * Moves the mirror over all positions that are acknowledged without a gap. `before` sees each position with the mirror as the lock
   * found it.
   */
  advance(before: (position: Position, delta: DeltaFields) => void): void {
    for (let next = this.position(this.acknowledged + 1); next?.code !== undefined; ) {
      const delta = fieldsOf(next.delta);
      before(next, delta);
      this.mirror.apply(next.seq, delta, next.code);
      // The projection had counted on success.
      if (next.code !== Code.applied && next.code !== Code.installed) this.#projection = undefined;
      next.digest = this.mirror.sum.slice();
      this.acknowledged = next.seq;
      next = this.position(this.acknowledged + 1);
    }
  }

  /**
   * Takes all that is applied as done, where the lock no longer has the answers but its table is exactly what they would have made of it
   * (property 4 of the protocol). The seqs that got their answer so; undefined where the table is another.
   */
  infer(applied: number, digest: Uint8Array): number[] | undefined {
    const table = new Table(this.#crypto, this.mirror);
    const told = this.after(this.acknowledged).filter(({ seq }) => seq <= applied);
    for (const { seq, delta, code } of told) table.apply(seq, fieldsOf(delta), code ?? Code.applied);
    if (!equal(table.sum, digest)) return undefined;
    const lost = told.filter(({ code }) => code === undefined);
    for (const position of lost) {
      position.code = Code.applied;
      position.isInferred = true;
    }
    return lost.map(({ seq }) => seq);
  }

  /**
   * What the lock is to be at each position from the last acknowledged one on, if it takes what is signed as it was meant; a refusal makes
   * another table of it.
   */
  *prospects(): Generator<Prospect, void, void> {
    const table = new Table(this.#crypto, this.isBegun ? this.mirror : this.start);
    const seq = this.acknowledged;
    yield { seq, head: this.head(seq) as Uint8Array, digest: table.sum.slice() };
    for (const { seq, head, delta, code } of this.after(this.acknowledged)) {
      table.apply(seq, fieldsOf(delta), code ?? Code.applied);
      yield { seq, head, digest: table.sum.slice() };
    }
  }

  /** Positions that were signed and have no answer. */
  *unanswered(): Generator<Position, void, void> {
    for (const position of this.after(this.acknowledged)) if (position.code === undefined) yield position;
  }

  /** The first position that is applied but whose answer is not known, 0 for none. */
  get missing(): number {
    const first = this.acknowledged + 1;
    return first <= this.applied ? first : 0;
  }
}
