// A phone at the door (rules S8, X6, X7, A61, A63, A64): it asks for a nonce, and signs an unlock or a command with it. The nonce is good for
// some seconds of this session and once, so no clock of the world is needed and nothing that was overheard opens. Its key is a
// credential like a PIN or a card: an unlock goes through the very decision of the door. What is commanded, and what is refused of it, is in
// the log.

import { equal } from "../../protocol/wire/bytes";
import type { Reader } from "../../protocol/wire/cbor";
import { Code } from "../../protocol/wire/codes";
import type { Envelope } from "../../protocol/wire/cose";
import { Domain } from "../../protocol/wire/cose";
import { Capability } from "../../protocol/wire/entry";
import { MAX_CHALLENGE_AGE_S, MAX_LOCAL_CODES } from "../../protocol/wire/limits";
import { frame, nonceBody, readEmpty, resultMessage, Type } from "../../protocol/wire/messages";
import type { Command, Unlock } from "../../protocol/wire/payloads";
import { CommandOp, readCommand, readUnlock } from "../../protocol/wire/payloads";
import { parseAlias, parseMode, Setting } from "../../protocol/wire/settings";
import type { BoltControl } from "./bolt-control";
import type { Desk } from "./desk";
import type { Doorway } from "./doorway";
import { Bucket } from "./envelopes";
import type { HoursKeeper } from "./hours-keeper";
import { cover } from "./overlay";
import { refusalsSince } from "./refusals";
import type { Reset } from "./reset";
import type { Session } from "./session";
import { EventKind, Method } from "./storage/events";

/** A lock shows where it is at most this often, in seconds. */
export const IDENTIFY_S = 5;
/** Where the result code stands in the detail of a command's event, above the op. */
const CODE_SHIFT = 8;

/** What a phone can reach behind the messages. */
export interface DoorParts {
  readonly doorway: Doorway;
  readonly bolt: BoltControl;
  readonly hours: HoursKeeper;
  readonly reset: Reset;
}

export class Phone {
  readonly #desk: Desk;
  readonly #door: DoorParts;
  /** Seconds since boot at which the lock showed where it is. */
  #identifiedAt = Number.NEGATIVE_INFINITY;

  constructor(desk: Desk, door: DoorParts) {
    this.#desk = desk;
    this.#door = door;
  }

  /** Answers a challenge with a fresh nonce, which takes the place of the last. */
  challenge(session: Session, request: number, reader: Reader): Uint8Array {
    if (!readEmpty(reader)) return resultMessage(request, Code.malformed);
    this.#desk.parts.board.random(session.challenge);
    session.challengedAt = this.#desk.parts.clock.uptime();
    return frame(Type.nonce, request, nonceBody(session.challenge));
  }

  /** Answers an identify: somebody wants to see which lock this is. */
  identify(request: number, reader: Reader): Uint8Array {
    if (!readEmpty(reader)) return resultMessage(request, Code.malformed);
    const at = this.#desk.parts.clock.uptime();
    if (at < this.#identifiedAt + IDENTIFY_S) return resultMessage(request, Code.rateLimited);
    this.#identifiedAt = at;
    this.#desk.parts.board.feedback.identify?.(at);
    return resultMessage(request, Code.applied);
  }

  /** Answers an unlock; where the door's decision refuses, the detail is the reason. */
  unlock(session: Session, request: number, reader: Reader): Uint8Array {
    const envelope = this.#desk.envelopes.read(reader);
    const unlock = envelope && readUnlock(this.#desk.envelopes.payload);
    if (envelope === undefined || unlock === undefined) return resultMessage(request, Code.malformed);
    const code = this.check(session, envelope, unlock, Domain.unlock);
    if (code !== Code.applied) return resultMessage(request, code);
    const reason = this.#door.doorway.tap(unlock.publicKey);
    return resultMessage(request, reason === 0 ? Code.applied : Code.notAllowed, reason);
  }

  /** Answers a command. */
  command(session: Session, request: number, reader: Reader): Uint8Array {
    const envelope = this.#desk.envelopes.read(reader);
    const command = envelope && readCommand(this.#desk.envelopes.payload);
    if (envelope === undefined || command === undefined) return resultMessage(request, Code.malformed);
    const code = this.check(session, envelope, command, Domain.command);
    if (code !== Code.applied) return resultMessage(request, code);
    return this.obey(request, command);
  }

  /** All that an unlock and a command have in common, up to the signature, with which the nonce is used up. */
  private check(session: Session, envelope: Envelope, phone: Unlock, domain: Uint8Array): number {
    if (!this.#desk.envelopes.isForUs(phone.lock)) return Code.wrongLock;
    if (!this.#desk.authority.claimed) return Code.unclaimed;
    if (session.challengedAt < 0 || !equal(phone.nonce, session.challenge)) return Code.replayed;
    if (this.#desk.parts.clock.uptime() - session.challengedAt > MAX_CHALLENGE_AGE_S) return Code.timeout;
    if (!this.#door.doorway.knowsPhone(phone.publicKey)) return Code.unknownKey;
    const { publicKey } = phone;
    const signed = this.#desk.envelopes.verify(session, Bucket.phone, envelope, domain, publicKey);
    if (signed === Code.applied) session.challengedAt = -1;
    return signed;
  }

  // ---- commands

  private obey(request: number, command: Command): Uint8Array {
    const { op, publicKey } = command;
    const reason = this.#door.doorway.judgePhone(publicKey);
    const { user, generation, capabilities } = this.#desk.parts.table.entry;
    const code = this.decide(command, reason, capabilities);
    // The bolt is thrown whatever happens; for all else there is an event, or it does not happen.
    const isLogged = op === CommandOp.lock || this.#desk.parts.events.hasRoom;
    const done = code !== Code.applied ? code : isLogged ? this.carryOut(command) : Code.busy;
    const refusedFor = done === Code.notAllowed ? reason : 0;
    const detail = op | (done << CODE_SHIFT);
    this.#desk.diary.done(EventKind.command, detail, Method.phone, { user, generation }, refusedFor);
    if (op === CommandOp.refusals && done === Code.applied) return this.refusals(request);
    return resultMessage(request, done, refusedFor);
  }

  /** Whether a command may be carried out: applied, or the code that says why not. */
  private decide({ op, argument }: Command, reason: number, capabilities: number): number {
    if (op < CommandOp.lock || op > CommandOp.refusals) return Code.unsupported;
    if (reason !== 0) return Code.notAllowed;
    const wanted = capabilityFor(op);
    if ((capabilities & wanted) !== wanted) return Code.keyNotAllowed;
    return isArgument(op, argument) ? Code.applied : Code.range;
  }

  private carryOut({ op, argument }: Command): number {
    const { table, policy } = this.#desk.parts;
    switch (op) {
      case CommandOp.lock:
        this.lock();
        return Code.applied;
      case CommandOp.mode:
        if (!cover(table, Setting.mode, argument)) return table.refusal;
        policy.read(table);
        return Code.applied;
      case CommandOp.rename:
        return cover(table, Setting.alias, argument) ? Code.applied : table.refusal;
      case CommandOp.resetCodes:
        return this.resetCodes();
      case CommandOp.resetLock:
        this.#door.reset.consent();
        return Code.applied;
      default:
        return Code.applied;
    }
  }

  private refusals(request: number): Uint8Array {
    const { authority, parts } = this.#desk;
    return frame(Type.refusals, request, refusalsSince(parts.events, authority.firstEvent));
  }

  /** Whatever keeps the door unlocked is over, also after a boot. */
  private lock(): void {
    const { bolt, hours } = this.#door;
    hours.relock();
    bolt.lock();
    hours.advance();
  }

  private resetCodes(): number {
    const { locals, table } = this.#desk.parts;
    let isKept = true;
    for (let place = 0; place < MAX_LOCAL_CODES; place++)
      if (locals.digits(place) > 0 && !locals.remove(place)) isKept = false;
    return isKept ? Code.applied : table.refusal;
  }
}

/** The capability that a command needs (rule X7); 0 for none. */
function capabilityFor(op: number): number {
  switch (op) {
    case CommandOp.mode:
      return Capability.setMode;
    case CommandOp.rename:
      return Capability.rename;
    case CommandOp.resetCodes:
      return Capability.resetCode;
    case CommandOp.resetLock:
      return Capability.resetLock;
    case CommandOp.refusals:
      return Capability.readLog;
    default:
      return 0;
  }
}

function isArgument(op: number, argument: Uint8Array): boolean {
  if (op === CommandOp.mode) return parseMode(argument) !== undefined;
  if (op === CommandOp.rename) return parseAlias(argument) !== undefined;
  return argument.length === 0;
}
