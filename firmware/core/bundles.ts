// Bundles at the lock (rules S1 to S3, S13, K2, T13): everything that can refuse one as a whole comes before any of its deltas and
// consumes nothing; then its deltas are applied one by one, each with its own commit.

import { equal } from "../../protocol/wire/bytes";
import type { Reader } from "../../protocol/wire/cbor";
import { nextHead } from "../../protocol/wire/chain";
import { Code } from "../../protocol/wire/codes";
import type { Envelope } from "../../protocol/wire/cose";
import { Domain } from "../../protocol/wire/cose";
import type { DeltaFields } from "../../protocol/wire/deltas";
import { emptyDelta, readDelta } from "../../protocol/wire/deltas";
import { HEAD_BYTES, MAX_BUNDLE_BYTES, MAX_BUNDLE_DELTAS } from "../../protocol/wire/limits";
import { resultMessage } from "../../protocol/wire/messages";
import type { Bundle } from "../../protocol/wire/payloads";
import { emptyBundle, May, readBundle } from "../../protocol/wire/payloads";
import { Trust } from "../../protocol/wire/receipt";
import { Applier } from "./apply";
import type { Desk } from "./desk";
import { Bucket } from "./envelopes";
import { Secrets } from "./secrets";
import type { Session } from "./session";
import { EventKind } from "./storage/events";

export class Bundles {
  readonly #desk: Desk;
  readonly #applier: Applier;
  readonly #bundle: Bundle = emptyBundle();
  readonly #delta: DeltaFields = emptyDelta();
  readonly #heads = new Uint8Array(MAX_BUNDLE_DELTAS * HEAD_BYTES);

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#applier = new Applier(desk.parts, new Secrets(desk.parts, desk.authority));
  }

  /** Answers a bundle. */
  take(session: Session, request: number, reader: Reader): Uint8Array {
    const start = reader.position;
    const envelope = this.#desk.envelopes.read(reader);
    if (envelope === undefined || !readBundle(this.#desk.envelopes.payload, this.#bundle))
      return resultMessage(request, Code.malformed);
    if (reader.position - start > MAX_BUNDLE_BYTES) return resultMessage(request, Code.tooLarge);
    const code = this.check(session, envelope);
    if (code === Code.gap) return resultMessage(request, code, this.#desk.parts.table.applied + 1);
    if (code !== Code.applied) {
      if (code === Code.fork) this.#desk.diary.fork(this.#desk.parts.table.applied, this.#bundle.first);
      return resultMessage(request, code);
    }
    const before = this.#desk.parts.table.applied;
    if (!this.applyNew(envelope.payload)) return resultMessage(request, this.#desk.parts.table.refusal);
    this.#desk.heartbeats.bundle(this.#bundle.issuedAt, this.#desk.parts.table.applied > before);
    return this.#desk.receipts.message(request, this.#bundle.first, this.#bundle.count);
  }

  /** Everything that can refuse a bundle as a whole. */
  private check(session: Session, envelope: Envelope): number {
    const bundle = this.#bundle;
    const { table, clock } = this.#desk.parts;
    if (!this.#desk.envelopes.isForUs(bundle.lock)) return Code.wrongLock;
    if (!this.#desk.authority.claimed) return Code.unclaimed;
    if (bundle.epoch !== this.#desk.authority.epoch)
      return bundle.epoch < this.#desk.authority.epoch ? Code.staleEpoch : Code.needRebase;
    if (bundle.first > table.applied + 1) return Code.gap;
    const chained = this.chain(envelope.payload);
    const signed = this.#desk.envelopes.verifyIssuer(
      session,
      Bucket.mail,
      envelope,
      Domain.bundle,
      May.bundle,
    );
    if (signed !== Code.applied) return signed;
    // A fork is an alarm, so only what an issuer really signed may raise one.
    if (!chained) return Code.fork;
    const isNew = bundle.first + bundle.count - 1 > table.applied;
    if (isNew && bundle.notAfter > 0 && clock.read().trust === Trust.unknown) return Code.needTime;
    return Code.applied;
  }

  /** Computes the head after each delta, and whether this is the log that the lock has applied so far. */
  private chain(payload: Uint8Array): boolean {
    const { table, board } = this.#desk.parts;
    const { first, before, count, offsets } = this.#bundle;
    let head = before;
    if (!this.agrees(first - 1, head)) return false;
    for (let i = 0; i < count; i++) {
      head = nextHead(board.crypto, head, payload.subarray(offsets[i], offsets[i + 1]));
      this.#heads.set(head, i * HEAD_BYTES);
      if (first + i <= table.applied && !this.agrees(first + i, head)) return false;
    }
    return true;
  }

  /** Whether `head` can be the lock's own after `seq`: exactly at `applied`, by its fingerprint where the ack is still kept. */
  private agrees(seq: number, head: Uint8Array): boolean {
    const { table } = this.#desk.parts;
    if (seq === table.applied) return equal(head, table.head);
    if (!table.acks.has(seq)) return true;
    return table.acks.fingerprint(seq) === ((head[0] << 8) | head[1]);
  }

  /** Applies what is new in the bundle, each delta with its own commit. False when the flash took none of it. */
  private applyNew(payload: Uint8Array): boolean {
    const { table, clock, policy } = this.#desk.parts;
    const { first, count, offsets, notAfter } = this.#bundle;
    const from = table.applied + 1;
    if (from >= first + count) return true;
    table.maintain();
    const instant = clock.read();
    const time = { known: instant.trust !== Trust.unknown, now: instant.now };
    const lapsed = notAfter > 0 && instant.now + instant.bound > notAfter;
    for (let i = from - first; i < count; i++) {
      const code = readDelta(
        this.#desk.envelopes.payload.reset(payload, offsets[i], offsets[i + 1]),
        this.#delta,
      );
      const head = this.#heads.subarray(i * HEAD_BYTES, (i + 1) * HEAD_BYTES);
      const { version } = policy;
      if (!this.#applier.apply(this.#delta, code, first + i, head, time, lapsed)) break;
      // Whoever reads the log sees when the lock became another (rules T10, L8).
      if (policy.version !== version) this.#desk.diary.note(EventKind.setting, this.#delta.id);
    }
    if (table.applied < from) return false;
    this.#desk.diary.note(EventKind.synced, table.applied);
    return true;
  }
}
