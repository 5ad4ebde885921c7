// The lock as a whole: inputs come one at a time and call ports; it never waits, and starts nothing of its own but through
// `tick`. A boot reads and moves nothing; a lock is made from its flash bytes alone. When in doubt the door stays locked from
// outside, and nothing here can block the inside handle.

import { credentialTag } from "../../protocol/crypto/derive";
import { getU16 } from "../../protocol/wire/bytes";
import { Reason } from "../../protocol/wire/codes";
import { Mode, Setting } from "../../protocol/wire/deltas";
import { Kind } from "../../protocol/wire/entry";
import {
  MAX_CARD_BYTES,
  MAX_PIN_DIGITS,
  MIN_CARD_BYTES,
  MIN_PIN_DIGITS,
  PUBLIC_KEY_BYTES,
} from "../../protocol/wire/limits";
import { Trust } from "../../protocol/wire/messages";
import type { Board } from "../ports";
import { Authority } from "./authority";
import type { Zone } from "./calendar";
import { parseZone, UTC0 } from "./calendar";
import type { Instant } from "./clock";
import type { Explanation, Question } from "./decide";
import { decide, explain, obeysSchedule } from "./decide";
import { Diary } from "./diary";
import type { Pressed } from "./keypad";
import { Keypad } from "./keypad";
import type { Parts } from "./parts";
import { mountParts } from "./parts";
import { Session } from "./session";
import { EventKind, Method } from "./storage/events";
import { Sync } from "./sync";

/** A door locks itself again after this many seconds, unless its setting says otherwise (rule M6). */
const DEFAULT_RELOCK_S = 5;
const NEVER = Number.POSITIVE_INFINITY;
/** Slots that the table digest takes in a tick: too few for a person at the door to notice, and a full lock is through in a minute. */
const DIGEST_SLOTS_A_TICK = 16;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** The answer of {@link Lock.why}: an explanation, and the slot it is about, −1 when no slot has the credential. */
export interface Why extends Explanation {
  slot: number;
}

export class Lock {
  readonly parts: Parts;
  readonly authority: Authority;
  readonly #diary: Diary;
  readonly #sync: Sync;
  readonly #keypad = new Keypad();
  #zone: Zone = UTC0;
  /** Whether the zone was set and cannot be read any more: then no schedule can be judged. */
  #zoneLost = false;
  #mode: number = Mode.normal;
  #relockSeconds = DEFAULT_RELOCK_S;
  /** Seconds since boot at which the bolt is thrown again. At once after a boot: a power cut may have left it drawn (rule M7). */
  #relockAt = 0;
  #bootNoted = false;

  /** Boots from the board's flash. Writes nothing and moves nothing (rule M11). */
  constructor(board: Board) {
    this.parts = mountParts(board);
    this.authority = new Authority(this.parts.table, board.crypto, board.identity);
    this.#diary = new Diary(this.parts.events, this.parts.clock);
    this.#sync = new Sync(this.parts, this.authority, this.#diary);
    if (this.parts.mounted) {
      this.authority.restore();
      this.#readSettings();
    }
    if (this.#relockSeconds === 0) this.#relockAt = NEVER;
  }

  #readSettings(): void {
    const { table } = this.parts;
    const zone = table.setting(Setting.zone);
    this.#zone = (zone && parseZone(zone)) ?? UTC0;
    this.#zoneLost = table.hasLost(Setting.zone);
    const mode = table.setting(Setting.mode);
    // A mode that cannot be read any more is taken for the one that admits the fewest.
    this.#mode = table.hasLost(Setting.mode) ? Mode.resident : (mode?.[0] ?? Mode.normal);
    const relock = table.setting(Setting.relockSeconds);
    this.#relockSeconds = relock === undefined ? DEFAULT_RELOCK_S : getU16(relock, 0);
    this.#diary.mode = this.#mode;
  }

  get zone(): Zone {
    return this.#zone;
  }

  get mode(): number {
    return this.#mode;
  }

  // ---- links

  /** A new connection, of whatever link. */
  open(): Session {
    return new Session();
  }

  /** Answers one message with one message; see {@link Sync}. */
  receive(session: Session, message: Uint8Array): Uint8Array {
    const answer = this.#sync.receive(session, message);
    if (this.#sync.takeSettingsChanged()) this.#readSettings();
    return answer;
  }

  /** The status that a lock shows unasked, for a link that announces it. */
  status(session: Session): Uint8Array {
    return this.#sync.status(session, 0);
  }

  // ---- the door

  /** One key of the pad. When it completes an entry, that entry is decided; the reason is `undefined` until then. */
  press(key: number): number | undefined {
    const pressed: Pressed = this.#keypad.press(key, this.parts.clock.uptime());
    return pressed === "entered" ? this.enterPin(this.#keypad.entry) : undefined;
  }

  /** A PIN as ASCII digits. Returns the reason, `granted` when the door opens. */
  enterPin(digits: Uint8Array): number {
    return this.#attempt(Kind.pin, Method.keypad, digits);
  }

  /** A card at the reader, by its UID. Returns the reason. */
  presentCard(uid: Uint8Array): number {
    return this.#attempt(Kind.card, Method.card, uid);
  }

  /** Whether a value has the form that its kind has on this model (rules C2, C7). */
  #isEntry(kind: number, value: Uint8Array): boolean {
    if (kind === Kind.pin) return isPin(value);
    if (kind === Kind.phone) return value.length === PUBLIC_KEY_BYTES;
    return this.parts.profile.reader && value.length >= MIN_CARD_BYTES && value.length <= MAX_CARD_BYTES;
  }

  #refuse(reason: number, method: number): number {
    this.#diary.attempt(reason, method, undefined);
    this.parts.board.feedback.refused();
    return reason;
  }

  #attempt(kind: number, method: number, value: Uint8Array): number {
    const { table, clock, board } = this.parts;
    const keys = this.authority.derived;
    if (!this.#isEntry(kind, value)) return this.#refuse(Reason.badEntry, method);
    if (!this.parts.mounted || keys === undefined) return this.#refuse(Reason.unknown, method);
    const slot = table.find(credentialTag(board.crypto, keys.pinKey, kind, value));
    if (slot < 0) return this.#refuse(Reason.unknown, method);
    const question = this.#question(slot, clock.read());
    let reason: number = question === undefined ? Reason.damaged : decide(question);
    if (question !== undefined && reason === Reason.granted && !this.#commit(slot, question, method))
      reason = Reason.busy;
    if (question !== undefined && reason === Reason.granted) {
      this.#draw();
      return reason;
    }
    this.#diary.attempt(reason, method, table.entry);
    board.feedback.refused();
    return reason;
  }

  /** What a decision about the loaded slot depends on; undefined when a part of it cannot be read. */
  #question(slot: number, clock: Instant): Question | undefined {
    const { table } = this.parts;
    const { entry } = table;
    if (table.index.isDamaged(slot)) return undefined;
    if (!table.loadUsage(slot, entry.generation, entry.uses)) return undefined;
    const hasWindows = table.loadSchedule(entry.schedule);
    if ((!hasWindows || this.#zoneLost) && obeysSchedule(entry)) return undefined;
    const { usage, windows, windowCount } = table;
    return { entry, usage, windows, windowCount, zone: this.#zone, mode: this.#mode, clock };
  }

  /** Commits what a grant uses up, then the event, both before the bolt moves (rules C10, L4). */
  #commit(slot: number, question: Question, method: number): boolean {
    const { table, events } = this.parts;
    const { entry, usage, clock } = question;
    if (!events.hasRoom) return false;
    // A use while the clock was unknown has no date. The next one that has stands for it, or no deadline would ever follow.
    const isFirstDated = usage.firstUse === 0 && clock.trust !== Trust.unknown;
    if (entry.uses > 0 || !usage.used || isFirstDated) {
      if (entry.uses > 0) usage.left--;
      // The earliest that it can be: a deadline counted from there is never later than the true one (rules C12, T12).
      if (isFirstDated) usage.firstUse = clock.now - clock.bound;
      usage.used = true;
      if (!table.commitUsage(slot, entry.generation, usage)) return false;
    }
    return this.#diary.attempt(Reason.granted, method, entry);
  }

  #draw(): void {
    const { board, clock } = this.parts;
    board.bolt.draw();
    board.feedback.granted();
    this.#relockAt = this.#relockSeconds > 0 ? clock.uptime() + this.#relockSeconds : NEVER;
  }

  /**
   * Whether a credential would open the door at an instant, why, and what comes next (rule T17). Changes nothing. `kind` is a
   * `Kind` of the protocol, `value` the digits or the UID.
   */
  why(kind: number, value: Uint8Array, clock: Instant): Why {
    const { table, board } = this.parts;
    const keys = this.authority.derived;
    const found = { next: 0, nextReason: Reason.unknown, reason: Reason.unknown, slot: -1 };
    if (!this.#isEntry(kind, value))
      return { ...found, reason: Reason.badEntry, nextReason: Reason.badEntry };
    if (!this.parts.mounted || keys === undefined) return found;
    const slot = table.find(credentialTag(board.crypto, keys.pinKey, kind, value));
    if (slot < 0) return found;
    const question = this.#question(slot, clock);
    if (question === undefined) return { next: 0, nextReason: Reason.damaged, reason: Reason.damaged, slot };
    return { ...explain(question), slot };
  }

  // ---- time passing

  /** Everything that a lock does by itself: relocking, and one step of housekeeping. Call it about once a second. */
  tick(): void {
    const { table, events } = this.parts;
    this.#relock();
    if (!this.parts.mounted) return;
    if (!events.maintain()) table.maintain();
    this.parts.digest.advance(table, DIGEST_SLOTS_A_TICK);
    if (!this.#bootNoted) this.#bootNoted = this.#diary.note(EventKind.boot, events.boot, Method.auto);
  }

  /** Throws the bolt when it is time (rules M6, M11). At boot nobody knows whether it was drawn, so that is no event. */
  #relock(): void {
    const { clock, board } = this.parts;
    if (clock.uptime() < this.#relockAt) return;
    const opened = this.#relockAt > 0;
    this.#relockAt = NEVER;
    board.bolt.throw();
    if (opened) this.#diary.note(EventKind.relocked, 0, Method.auto);
  }
}

function isPin(digits: Uint8Array): boolean {
  if (digits.length < MIN_PIN_DIGITS || digits.length > MAX_PIN_DIGITS) return false;
  for (const digit of digits) if (digit < DIGIT_0 || digit > DIGIT_9) return false;
  return true;
}
