// The lock's side of the protocol: one message in, one message out (rules S1 to S3, K1, K2). Cheap checks come first and every
// input is bounded: size, well-formed CBOR, lock id, epoch, seq, chain, key known, signature, plan, commit, ack. Here is what is true of
// every message; what each kind does is in a module of its own.

import { Reader, Writer } from "../../protocol/wire/cbor";
import { Code, codeClass } from "../../protocol/wire/codes";
import { MAX_BUNDLE_DELTAS, MAX_MESSAGE_BYTES } from "../../protocol/wire/limits";
import type { Frame } from "../../protocol/wire/messages";
import {
  frame,
  readEmpty,
  readFrame,
  readHello,
  readResult,
  resultMessage,
  StatusFlag,
  Type,
  writeStatus,
} from "../../protocol/wire/messages";
import { Trust } from "../../protocol/wire/receipt";
import type { Authority } from "./authority";
import { Bundles } from "./bundles";
import { densityOf } from "./density";
import type { Diary } from "./diary";
import { Envelopes } from "./envelopes";
import { Heartbeats } from "./heartbeats";
import { Ownership } from "./ownership";
import { Pages } from "./pages";
import type { Parts } from "./parts";
import type { DoorParts } from "./phone";
import { Phone } from "./phone";
import { RebaseIntake } from "./rebase-intake";
import { Receipts } from "./receipts";
import type { Reset } from "./reset";
import { Secrets } from "./secrets";
import type { Session } from "./session";

/** The class of results that ask for the same bytes again. */
const LATER = 1;
const STATUS_BYTES = 64;
/** Messages that are done once: taken again, they are answered otherwise. */
const PROOFS: readonly number[] = [
  Type.claim,
  Type.keys,
  Type.time,
  Type.heartbeat,
  Type.unlock,
  Type.command,
];

export class Sync {
  readonly #parts: Parts;
  readonly #authority: Authority;
  readonly #heartbeats: Heartbeats;
  readonly #receipts: Receipts;
  #rebase: RebaseIntake | undefined;
  readonly #diary: Diary;
  readonly #envelopes: Envelopes;
  readonly #phone: Phone;
  readonly #reset: Reset;
  readonly #reader = new Reader();

  constructor(parts: Parts, authority: Authority, diary: Diary, door: DoorParts) {
    this.#parts = parts;
    this.#authority = authority;
    const envelopes = new Envelopes(parts, authority);
    this.#envelopes = envelopes;
    this.#phone = new Phone(parts, authority, diary, envelopes, door);
    this.#reset = door.reset;
    this.#diary = diary;
    this.#heartbeats = new Heartbeats(parts, authority, envelopes);
    this.#receipts = new Receipts(parts, authority);
  }

  /** Answers one message. Whatever the bytes are, the answer is one message of the protocol. */
  receive(session: Session, message: Uint8Array): Uint8Array {
    if (session.closed) return this.#hangUp(message);
    if (message.length > MAX_MESSAGE_BYTES) return resultMessage(0, Code.tooLarge);
    const head = readFrame(this.#reader.reset(message));
    if (head === undefined) return resultMessage(0, Code.malformed);
    const repeated = session.repeated(head.request, message);
    if (repeated !== undefined) return repeated;
    const { applied } = this.#parts.table;
    const answer = this.#answer(session, head);
    if (this.#parts.table.applied > applied || this.#isProof(head.type, answer)) session.known = true;
    if (!this.#saysLater(answer)) session.remember(head.request, message, answer);
    return answer;
  }

  /** Whether an answer shows that the message was signed for this lock now: what anyone may have overheard proves nothing (rule X5). */
  #isProof(type: number, answer: Uint8Array): boolean {
    if (!PROOFS.includes(type)) return false;
    const reader = new Reader(answer);
    return readFrame(reader)?.type === Type.result && readResult(reader)?.code === Code.applied;
  }

  /** What every message of a session that is over is answered. */
  #hangUp(message: Uint8Array): Uint8Array {
    return resultMessage(readFrame(this.#reader.reset(message))?.request ?? 0, Code.idle);
  }

  /** Whether an answer asks for the same bytes again later: then they are not to be answered from memory. */
  #saysLater(answer: Uint8Array): boolean {
    const reader = new Reader(answer);
    if (readFrame(reader)?.type !== Type.result) return false;
    const result = readResult(reader);
    return result !== undefined && codeClass(result.code) === LATER;
  }

  #answer(session: Session, head: Frame): Uint8Array {
    const { request, type } = head;
    const reader = this.#reader;
    if (type === Type.hello) return this.#hello(session, head);
    if (!session.greeted) return resultMessage(request, Code.badState);
    if (!this.#parts.mounted) return resultMessage(request, Code.storageFailed);
    switch (type) {
      case Type.claim:
        return resultMessage(request, this.#ownership().claim(session, reader));
      case Type.keys:
        return resultMessage(request, this.#ownership().keys(session, reader));
      case Type.time:
        return resultMessage(request, this.#ownership().time(session, reader));
      case Type.bundle:
        return this.#bundles().take(session, request, reader);
      case Type.heartbeat:
        return resultMessage(request, this.#heartbeats.take(session, reader));
      case Type.rebase:
        return this.#rebaseIntake().order(session, request, reader);
      case Type.part:
        return this.#rebaseIntake().part(request, reader);
      case Type.reset:
        return resultMessage(request, this.#reset.take(session, reader, this.#envelopes));
      case Type.challenge:
        return this.#phone.challenge(session, request, reader);
      case Type.unlock:
        return this.#phone.unlock(session, request, reader);
      case Type.command:
        return this.#phone.command(session, request, reader);
      case Type.identify:
        return this.#phone.identify(request, reader);
      case Type.ask:
        return this.#receipts.ask(request, reader);
      case Type.fetch:
        return new Pages(this.#parts, this.#authority).fetch(request, reader);
      case Type.bye:
        if (!readEmpty(reader)) return resultMessage(request, Code.malformed);
        session.greeted = false;
        return resultMessage(request, Code.applied);
      default:
        return resultMessage(request, Code.frameOrder);
    }
  }

  // What is made for a message that comes seldom, or needs much for a moment: a lock has no memory to keep it.

  #ownership(): Ownership {
    return new Ownership(this.#parts, this.#authority, this.#diary, this.#envelopes);
  }

  #bundles(): Bundles {
    const secrets = new Secrets(this.#parts, this.#authority);
    return new Bundles(
      this.#parts,
      this.#authority,
      this.#diary,
      this.#envelopes,
      this.#receipts,
      this.#heartbeats,
      secrets,
    );
  }

  /** Kept from the first order on: it remembers what has come. */
  #rebaseIntake(): RebaseIntake {
    this.#rebase ??= new RebaseIntake(
      this.#parts,
      this.#authority,
      this.#diary,
      this.#envelopes,
      this.#receipts,
      this.#heartbeats,
      new Secrets(this.#parts, this.#authority),
    );
    return this.#rebase;
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

  /**
   * Whether events wait that no heartbeat has covered, and whether any of them is urgent (rule L3). Of that no stranger at the door may
   * hear: it would tell an opening under duress from any other (rule C16).
   */
  #eventFlags(session: Session): number {
    const { eventCursor } = this.#authority;
    if (this.#parts.events.next <= eventCursor) return 0;
    const isTrusted = session.known || session.medium === "network";
    return isTrusted && this.#diary.urgent >= eventCursor
      ? StatusFlag.eventsWaiting | StatusFlag.urgent
      : StatusFlag.eventsWaiting;
  }

  /** A whole status message. */
  status(session: Session, request: number): Uint8Array {
    const { table, profile, board, clock, events, mounted } = this.#parts;
    let flags = 0;
    if (!this.#authority.claimed) flags |= StatusFlag.unclaimed;
    if (clock.read().trust === Trust.unknown) flags |= StatusFlag.clockUnknown;
    const faults = table.log.faults + table.log.damage + events.faults;
    if (!mounted || faults > 0) flags |= StatusFlag.storageFault;
    if (this.#authority.claimed) flags |= this.#eventFlags(session);
    const writer = new Writer(new Uint8Array(STATUS_BYTES));
    writeStatus(writer, {
      shortId: board.identity.lock.subarray(0, 4),
      epoch: this.#authority.claimed ? this.#authority.epoch : 0,
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
}
