// The lock's side of the protocol: one message in, one message out (rules S1 to S3, K1, K2). Cheap checks come first and every
// input is bounded: size, well-formed CBOR, lock id, epoch, seq, chain, key known, signature, plan, commit, ack. What refuses an
// envelope is decided before any of its deltas is touched, and consumes nothing.

import { equal } from "../../protocol/wire/bytes";
import { Reader, Writer } from "../../protocol/wire/cbor";
import { nextHead } from "../../protocol/wire/chain";
import { Code, codeClass } from "../../protocol/wire/codes";
import type { Envelope } from "../../protocol/wire/cose";
import { Domain, readEnvelope, signEnvelope, verifyEnvelope } from "../../protocol/wire/cose";
import type { DeltaFields } from "../../protocol/wire/deltas";
import { emptyDelta, readDelta } from "../../protocol/wire/deltas";
import {
  HEAD_BYTES,
  MAX_BUNDLE_BYTES,
  MAX_BUNDLE_DELTAS,
  MAX_MESSAGE_BYTES,
  MAX_RECEIPT_ACKS,
  MAX_TIME_ANSWER_AGE_S,
} from "../../protocol/wire/limits";
import type { Bundle, Frame } from "../../protocol/wire/messages";
import {
  emptyBundle,
  frame,
  May,
  readAsk,
  readBundle,
  readBye,
  readClaim,
  readFrame,
  readHello,
  readKeyset,
  readResult,
  readTime,
  resultMessage,
  StatusFlag,
  Trust,
  Type,
  writeReceipt,
  writeStatus,
} from "../../protocol/wire/messages";
import { Applier } from "./apply";
import type { Authority } from "./authority";
import { densityOf } from "./density";
import type { Diary } from "./diary";
import type { Parts } from "./parts";
import type { Session } from "./session";
import { EventKind } from "./storage/events";
import { State } from "./storage/places";

/** The class of results that ask for the same bytes again. */
const LATER = 1;
const STATUS_BYTES = 64;
/** A receipt without its acks: fixed fields of at most 160 bytes; details take at most 8 bytes an ack. */
const RECEIPT_BYTES = 192;
const DETAIL_BYTES = 8;

export class Sync {
  readonly #parts: Parts;
  readonly #authority: Authority;
  readonly #diary: Diary;
  readonly #applier: Applier;
  readonly #reader = new Reader();
  readonly #payload = new Reader();
  readonly #bundle: Bundle = emptyBundle();
  readonly #delta: DeltaFields = emptyDelta();
  readonly #heads = new Uint8Array(MAX_BUNDLE_DELTAS * HEAD_BYTES);
  #receipts = 0;
  /** Where the log stood when a fork was noted last; −1 when none was since boot. */
  #forkedAt = -1;

  constructor(parts: Parts, authority: Authority, diary: Diary) {
    this.#parts = parts;
    this.#authority = authority;
    this.#diary = diary;
    this.#applier = new Applier(parts);
  }

  /** Answers one message. Whatever the bytes are, the answer is one message of the protocol. */
  receive(session: Session, message: Uint8Array): Uint8Array {
    if (message.length > MAX_MESSAGE_BYTES) return resultMessage(0, Code.tooLarge);
    const head = readFrame(this.#reader.reset(message));
    if (head === undefined) return resultMessage(0, Code.malformed);
    const repeated = session.repeated(head.request, message);
    if (repeated !== undefined) return repeated;
    const answer = this.#answer(session, head);
    if (!this.#saysLater(answer)) session.remember(head.request, message, answer);
    return answer;
  }

  /** Whether an answer asks for the same bytes again later: then they are not to be answered from memory. */
  #saysLater(answer: Uint8Array): boolean {
    if (readFrame(this.#payload.reset(answer))?.type !== Type.result) return false;
    const result = readResult(this.#payload);
    return result !== undefined && codeClass(result.code) === LATER;
  }

  #answer(session: Session, head: Frame): Uint8Array {
    if (head.type === Type.hello) return this.#hello(session, head);
    if (!session.greeted) return resultMessage(head.request, Code.badState);
    if (!this.#parts.mounted) return resultMessage(head.request, Code.storageFailed);
    switch (head.type) {
      case Type.claim:
        return resultMessage(head.request, this.#claim());
      case Type.keys:
        return resultMessage(head.request, this.#keys());
      case Type.time:
        return resultMessage(head.request, this.#time(session));
      case Type.bundle:
        return this.#takeBundle(head.request);
      case Type.ask:
        return this.#ask(head.request);
      case Type.bye:
        if (!readBye(this.#reader)) return resultMessage(head.request, Code.malformed);
        session.greeted = false;
        return resultMessage(head.request, Code.applied);
      default:
        return resultMessage(head.request, Code.frameOrder);
    }
  }

  // ---- hello and status

  #hello(session: Session, head: Frame): Uint8Array {
    const hello = readHello(this.#reader);
    if (hello === undefined) return resultMessage(head.request, Code.malformed);
    if (!hello.speaksOurs) return resultMessage(head.request, Code.version);
    session.greeted = true;
    this.#parts.board.random(session.nonce);
    session.nonceAt = this.#parts.clock.uptime();
    return this.status(session, head.request);
  }

  /** A whole status message. */
  status(session: Session, request: number): Uint8Array {
    const { table, profile, board, clock, events, mounted } = this.#parts;
    let flags = 0;
    if (!this.#authority.claimed) flags |= StatusFlag.unclaimed;
    if (clock.read().trust === Trust.unknown) flags |= StatusFlag.clockUnknown;
    const faults = table.log.faults + table.log.damage + events.faults;
    if (!mounted || faults > 0) flags |= StatusFlag.storageFault;
    const writer = new Writer(new Uint8Array(STATUS_BYTES));
    writeStatus(writer, {
      shortId: board.identity.lock.subarray(0, 4),
      epoch: this.#authority.epoch,
      applied: table.applied,
      largest: MAX_MESSAGE_BYTES,
      deltas: MAX_BUNDLE_DELTAS,
      slots: profile.slots,
      flags,
      nonce: session.nonce,
      keyset: this.#authority.keysetNumber,
      density: densityOf(this.#parts),
    });
    return frame(Type.status, request, writer.view());
  }

  // ---- envelopes

  /** Reads the one envelope that is a message's body and points the payload reader at what it carries. */
  #envelope(): Envelope | undefined {
    const envelope = readEnvelope(this.#reader, MAX_BUNDLE_BYTES);
    if (envelope === undefined || !this.#reader.done()) return undefined;
    this.#payload.reset(envelope.payload);
    return envelope;
  }

  #isForUs(lock: Uint8Array): boolean {
    return equal(lock, this.#parts.board.identity.lock);
  }

  #verify(envelope: Envelope, domain: Uint8Array, publicKey: Uint8Array): boolean {
    return verifyEnvelope(this.#parts.board.crypto, envelope, domain, publicKey);
  }

  /** Whether an issuer key of the keyset that may sign `may` signed this; the code that says why not, otherwise. */
  #verifyIssuer(envelope: Envelope, domain: Uint8Array, may: number): number {
    const key = this.#authority.issuer(envelope.kid);
    if (key === undefined) return Code.unknownKey;
    if ((key.may & may) === 0) return Code.keyNotAllowed;
    return this.#verify(envelope, domain, key.publicKey) ? Code.applied : Code.badSignature;
  }

  #claim(): number {
    const envelope = this.#envelope();
    const claim = envelope && readClaim(this.#payload);
    if (envelope === undefined || claim === undefined) return Code.malformed;
    if (!this.#isForUs(claim.lock)) return Code.wrongLock;
    if (!this.#verify(envelope, Domain.claim, this.#parts.board.identity.makerRoot)) return Code.badSignature;
    const code = this.#authority.claim(claim);
    if (code === Code.applied) this.#diary.note(EventKind.claimed, claim.number);
    return code;
  }

  #keys(): number {
    const envelope = this.#envelope();
    const keyset = envelope && readKeyset(this.#payload);
    if (envelope === undefined || keyset === undefined) return Code.malformed;
    if (!this.#isForUs(keyset.lock)) return Code.wrongLock;
    if (!this.#authority.claimed) return Code.unclaimed;
    if (!this.#verify(envelope, Domain.keys, this.#authority.owner)) return Code.badSignature;
    const code = this.#authority.setKeys(keyset);
    if (code === Code.applied) this.#diary.note(EventKind.keyset, keyset.number);
    return code;
  }

  #time(session: Session): number {
    const { clock, table } = this.#parts;
    const envelope = this.#envelope();
    const answer = envelope && readTime(this.#payload);
    if (envelope === undefined || answer === undefined) return Code.malformed;
    if (!this.#isForUs(answer.lock)) return Code.wrongLock;
    if (!this.#authority.claimed) return Code.unclaimed;
    if (session.nonceAt < 0 || !equal(answer.nonce, session.nonce)) return Code.replayed;
    const age = clock.uptime() - session.nonceAt;
    if (age > MAX_TIME_ANSWER_AGE_S) return Code.timeout;
    // Only the owner's root may turn time back, by raising the time epoch.
    const byOwner = answer.timeEpoch > clock.timeEpoch;
    if (answer.timeEpoch < clock.timeEpoch || (!byOwner && answer.time < clock.floor)) return Code.replayed;
    const code = byOwner
      ? this.#verify(envelope, Domain.time, this.#authority.owner)
        ? Code.applied
        : Code.badSignature
      : this.#verifyIssuer(envelope, Domain.time, May.time);
    if (code !== Code.applied) return code;
    session.nonceAt = -1;
    const before = clock.read();
    const correction = before.trust === Trust.unknown ? 0 : Math.abs(answer.time - before.now);
    const floor = byOwner ? answer.time : Math.max(clock.floor, answer.time);
    const state = clock.stateAfter(floor, answer.timeEpoch, answer.time);
    clock.hold(answer.time);
    if (!table.commitState(State.time, state)) return table.refusal;
    clock.restore(state);
    clock.set(answer.time, age);
    this.#diary.note(EventKind.clockSet, correction);
    return Code.applied;
  }

  // ---- bundles

  #takeBundle(request: number): Uint8Array {
    const start = this.#reader.position;
    const envelope = this.#envelope();
    if (envelope === undefined || !readBundle(this.#payload, this.#bundle))
      return resultMessage(request, Code.malformed);
    if (this.#reader.position - start > MAX_BUNDLE_BYTES) return resultMessage(request, Code.tooLarge);
    const code = this.#checkBundle(envelope);
    if (code === Code.gap) return resultMessage(request, code, this.#parts.table.applied + 1);
    if (code !== Code.applied) {
      if (code === Code.fork) this.#noteFork();
      return resultMessage(request, code);
    }
    if (!this.#applyNew(envelope.payload)) return resultMessage(request, this.#parts.table.refusal);
    return this.#receipt(request, this.#bundle.first, this.#bundle.count);
  }

  /** One event for each position at most: a courier that repeats a forked bundle for ever must not write the log over. */
  #noteFork(): void {
    const { applied } = this.#parts.table;
    if (this.#forkedAt !== applied) this.#diary.note(EventKind.forked, this.#bundle.first);
    this.#forkedAt = applied;
  }

  /** Everything that can refuse a bundle as a whole. */
  #checkBundle(envelope: Envelope): number {
    const bundle = this.#bundle;
    const { table, clock } = this.#parts;
    if (!this.#isForUs(bundle.lock)) return Code.wrongLock;
    if (!this.#authority.claimed) return Code.unclaimed;
    if (bundle.epoch !== this.#authority.epoch)
      return bundle.epoch < this.#authority.epoch ? Code.staleEpoch : Code.needRebase;
    if (bundle.first > table.applied + 1) return Code.gap;
    const chained = this.#chain(envelope.payload);
    const signed = this.#verifyIssuer(envelope, Domain.bundle, May.bundle);
    if (signed !== Code.applied) return signed;
    // A fork is an alarm, so only what an issuer really signed may raise one.
    if (!chained) return Code.fork;
    const isNew = bundle.first + bundle.count - 1 > table.applied;
    if (isNew && bundle.notAfter > 0 && clock.read().trust === Trust.unknown) return Code.needTime;
    return Code.applied;
  }

  /** Computes the head after each delta, and whether this is the log that the lock has applied so far. */
  #chain(payload: Uint8Array): boolean {
    const { table, board } = this.#parts;
    const { first, before, count, offsets } = this.#bundle;
    let head = before;
    if (!this.#agrees(first - 1, head)) return false;
    for (let i = 0; i < count; i++) {
      head = nextHead(board.crypto, head, payload.subarray(offsets[i], offsets[i + 1]));
      this.#heads.set(head, i * HEAD_BYTES);
      if (first + i <= table.applied && !this.#agrees(first + i, head)) return false;
    }
    return true;
  }

  /** Whether `head` can be the lock's own after `seq`: exactly at `applied`, by its fingerprint where the ack is still kept. */
  #agrees(seq: number, head: Uint8Array): boolean {
    const { table } = this.#parts;
    if (seq === table.applied) return equal(head, table.head);
    if (!table.acks.has(seq)) return true;
    return table.acks.fingerprint(seq) === ((head[0] << 8) | head[1]);
  }

  /** Applies what is new in the bundle, each delta with its own commit. False when the flash took none of it. */
  #applyNew(payload: Uint8Array): boolean {
    const { table, clock, policy } = this.#parts;
    const { first, count, offsets, notAfter } = this.#bundle;
    const from = table.applied + 1;
    if (from >= first + count) return true;
    table.maintain();
    const instant = clock.read();
    const time = { known: instant.trust !== Trust.unknown, now: instant.now };
    const lapsed = notAfter > 0 && instant.now + instant.bound > notAfter;
    for (let i = from - first; i < count; i++) {
      const code = readDelta(this.#payload.reset(payload, offsets[i], offsets[i + 1]), this.#delta);
      const head = this.#heads.subarray(i * HEAD_BYTES, (i + 1) * HEAD_BYTES);
      const { version } = policy;
      if (!this.#applier.apply(this.#delta, code, first + i, head, time, lapsed)) break;
      // Whoever reads the log sees when the lock became another (rules T10, L8).
      if (policy.version !== version) this.#diary.note(EventKind.setting, this.#delta.id);
    }
    if (table.applied < from) return false;
    this.#raiseFloor(this.#bundle.issuedAt);
    this.#diary.note(EventKind.synced, table.applied);
    return true;
  }

  /** What an issuer signed was signed no later than now: no time before it is believed again (rule T13). */
  #raiseFloor(issuedAt: number): void {
    const { clock, table } = this.#parts;
    const floor = clock.floorAfter(issuedAt);
    if (floor === 0) return;
    const state = clock.stateAfter(floor, clock.timeEpoch);
    if (table.commitState(State.time, state)) clock.restore(state);
  }

  // ---- receipts

  #ask(request: number): Uint8Array {
    const first = readAsk(this.#reader);
    if (first === 0) return resultMessage(request, Code.malformed);
    if (!this.#authority.claimed) return resultMessage(request, Code.unclaimed);
    // What is no longer kept takes no place from what is.
    return this.#receipt(request, Math.max(first, this.#parts.table.acks.first), MAX_RECEIPT_ACKS);
  }

  /** A whole receipt message with the acks from `first` on, as far as they are kept and at most `most`. */
  #receipt(request: number, first: number, most: number): Uint8Array {
    const { table, board, clock, events, digest, locals } = this.#parts;
    const from = Math.max(first, table.acks.first);
    const count = Math.max(0, Math.min(first + most - 1, table.applied, table.acks.last) - from + 1);
    const codes = new Uint8Array(count);
    const details: number[] = [];
    for (let i = 0; i < count; i++) {
      codes[i] = table.acks.code(from + i);
      const detail = table.acks.detail(from + i);
      if (detail > 0) details.push(i, detail);
    }
    const instant = clock.read();
    const writer = new Writer(new Uint8Array(RECEIPT_BYTES + count + details.length * DETAIL_BYTES));
    writeReceipt(writer, {
      lock: board.identity.lock,
      epoch: this.#authority.epoch,
      applied: table.applied,
      head: table.head,
      first: from,
      codes,
      details,
      number: ++this.#receipts,
      boot: events.boot,
      time: instant.now,
      trust: instant.trust,
      bound: instant.bound,
      digest: digest.of(table),
      slots: table.index.used,
      damaged: table.index.damaged,
      schedules: table.schedules,
      density: densityOf(this.#parts),
      localCodes: locals.count,
      localDigest: locals.digest(board.crypto),
      nextEvent: events.next,
      eventHead: events.head(),
    });
    const { lock, seed } = board.identity;
    return frame(
      Type.receipt,
      request,
      signEnvelope(board.crypto, Domain.receipt, lock, writer.view(), seed),
    );
  }
}
