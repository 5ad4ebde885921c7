// The lock's side of the protocol: one message in, one message out (rules S1 to S3, K1, K2). Cheap checks come first and every
// input is bounded: size, well-formed CBOR, lock id, epoch, seq, chain, key known, signature, plan, commit, ack. Here is what is true of
// every message; what each kind does is in a module of its own.

import { Reader, Writer } from "../../protocol/wire/cbor";
import { Code, CodeClass, codeClass } from "../../protocol/wire/codes";
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
import type { Desk } from "./desk";
import type { Diary } from "./diary";
import { Envelopes } from "./envelopes";
import { Gate } from "./gate";
import { Heartbeats } from "./heartbeats";
import { Ownership } from "./ownership";
import { Pages } from "./pages";
import type { Parts } from "./parts";
import type { DoorParts } from "./phone";
import { Phone } from "./phone";
import { RebaseIntake } from "./rebase-intake";
import { Receipts } from "./receipts";
import type { Reset } from "./reset";
import type { Session } from "./session";

const STATUS_BYTES = 64;
const NOTHING = new Uint8Array(0);
/**
 * Messages that are done once: where they are applied they were signed for this lock now, while what anyone may have overheard proves
 * nothing (rule X5).
 */
const PROOFS: readonly number[] = [
  Type.claim,
  Type.keys,
  Type.time,
  Type.heartbeat,
  Type.reset,
  Type.unlock,
  Type.command,
];

export class Sync {
  readonly #desk: Desk;
  readonly #rebase: RebaseIntake;
  readonly #phone: Phone;
  readonly #reset: Reset;
  readonly #gate = new Gate();
  readonly #reader = new Reader();

  constructor(parts: Parts, authority: Authority, diary: Diary, door: DoorParts) {
    const envelopes = new Envelopes(parts, authority, this.#gate);
    const receipts = new Receipts(parts, authority, this.#gate);
    const heartbeats = new Heartbeats(parts, authority, envelopes);
    this.#desk = { parts, authority, diary, envelopes, receipts, heartbeats };
    this.#phone = new Phone(this.#desk, door);
    this.#rebase = new RebaseIntake(this.#desk);
    this.#reset = door.reset;
  }

  /** Answers one message. Whatever the bytes are, the answer is one message of the protocol. */
  receive(session: Session, message: Uint8Array): Uint8Array {
    if (session.closed) return this.hangUp(message);
    if (message.length > MAX_MESSAGE_BYTES) return resultMessage(0, Code.tooLarge);
    const head = readFrame(this.#reader.reset(message));
    if (head === undefined) return resultMessage(0, Code.malformed);
    const repeated = session.repeated(head.request, message);
    if (repeated !== undefined) return repeated;
    const { applied } = this.#desk.parts.table;
    const answer = this.answer(session, head);
    // Readers that still stood on it would keep the message in memory until the next one.
    this.#reader.reset(NOTHING);
    this.#desk.envelopes.payload.reset(NOTHING);
    const code = codeOf(answer);
    // What one of them asks for is told where it is applied.
    const isProof = PROOFS.includes(head.type) && (code ?? Code.applied) === Code.applied;
    const isNew = isProof || this.#desk.parts.table.applied > applied;
    if (isNew) session.known = true;
    this.#gate.settle(isNew, this.#desk.parts.clock.uptime());
    // What asks for the same bytes again later is not to be answered from memory then.
    if (code === undefined || codeClass(code) !== CodeClass.later)
      session.remember(head.request, message, answer);
    return answer;
  }

  /** What every message of a session that is over is answered. */
  private hangUp(message: Uint8Array): Uint8Array {
    return resultMessage(readFrame(this.#reader.reset(message))?.request ?? 0, Code.idle);
  }

  private answer(session: Session, head: Frame): Uint8Array {
    const { request, type } = head;
    const reader = this.#reader;
    if (type === Type.hello) return this.hello(session, head);
    if (!session.greeted) return resultMessage(request, Code.badState);
    if (!this.#desk.parts.mounted) return resultMessage(request, Code.storageFailed);
    switch (type) {
      case Type.claim:
        // Made for one message: of what comes seldom, or needs much for a moment, a lock has no memory to keep.
        return resultMessage(request, new Ownership(this.#desk).claim(session, reader));
      case Type.keys:
        return resultMessage(request, new Ownership(this.#desk).keys(session, reader));
      case Type.time:
        return resultMessage(request, new Ownership(this.#desk).time(session, reader));
      case Type.bundle:
        return new Bundles(this.#desk).take(session, request, reader);
      case Type.heartbeat:
        return resultMessage(request, this.#desk.heartbeats.take(session, reader));
      case Type.rebase:
        return this.#rebase.order(session, request, reader);
      case Type.part:
        return this.#rebase.part(request, reader);
      case Type.reset:
        return resultMessage(request, this.#reset.take(session, reader, this.#desk.envelopes));
      case Type.challenge:
        return this.#phone.challenge(session, request, reader);
      case Type.unlock:
        return this.#phone.unlock(session, request, reader);
      case Type.command:
        return this.#phone.command(session, request, reader);
      case Type.identify:
        return this.#phone.identify(request, reader);
      case Type.ask:
        return this.#desk.receipts.ask(session, request, reader);
      case Type.fetch:
        return new Pages(this.#desk.parts, this.#desk.authority).fetch(request, reader);
      case Type.bye:
        if (!readEmpty(reader)) return resultMessage(request, Code.malformed);
        session.greeted = false;
        return resultMessage(request, Code.applied);
      default:
        return resultMessage(request, Code.frameOrder);
    }
  }

  // ---- hello and status

  private hello(session: Session, head: Frame): Uint8Array {
    const hello = readHello(this.#reader);
    if (hello === undefined) return resultMessage(head.request, Code.malformed);
    if (!hello.speaksOurs) return resultMessage(head.request, Code.version);
    session.greeted = true;
    this.#desk.parts.board.random(session.nonce);
    session.nonceAt = this.#desk.parts.clock.uptime();
    return this.status(session, head.request);
  }

  /**
   * Whether events wait that no heartbeat has covered, and whether any of them is urgent (rule L3). Of that no stranger at the door may
   * hear: it would tell an opening under duress from any other (rule C16).
   */
  private eventFlags(session: Session): number {
    const { eventCursor } = this.#desk.authority;
    if (this.#desk.parts.events.next <= eventCursor) return 0;
    const isTrusted = session.known || session.medium === "network";
    return isTrusted && this.#desk.diary.urgent >= eventCursor
      ? StatusFlag.eventsWaiting | StatusFlag.urgent
      : StatusFlag.eventsWaiting;
  }

  /** A whole status message. */
  status(session: Session, request: number): Uint8Array {
    const { table, profile, board, clock, events, mounted } = this.#desk.parts;
    let flags = 0;
    if (!this.#desk.authority.claimed) flags |= StatusFlag.unclaimed;
    if (clock.read().trust === Trust.unknown) flags |= StatusFlag.clockUnknown;
    const faults = table.log.faults + table.log.damage + events.faults;
    if (!mounted || faults > 0) flags |= StatusFlag.storageFault;
    if (this.#desk.authority.claimed) flags |= this.eventFlags(session);
    const writer = new Writer(new Uint8Array(STATUS_BYTES));
    writeStatus(writer, {
      shortId: board.identity.lock.subarray(0, 4),
      epoch: this.#desk.authority.claimed ? this.#desk.authority.epoch : 0,
      applied: table.applied,
      largest: MAX_MESSAGE_BYTES,
      deltas: MAX_BUNDLE_DELTAS,
      slots: profile.slots,
      flags,
      nonce: session.nonce,
      keyset: this.#desk.authority.keysetNumber,
      density: densityOf(this.#desk.parts),
    });
    return frame(Type.status, request, writer.view());
  }
}

/** The code of an answer that is a result; undefined for any other. */
function codeOf(answer: Uint8Array): number | undefined {
  const reader = new Reader(answer);
  return readFrame(reader)?.type === Type.result ? readResult(reader)?.code : undefined;
}
