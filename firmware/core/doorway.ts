// People at the door: from what they present to a decision, its commit and the bolt (rules C2 to C17, C24, X1 to X4). Entry format,
// lockout and lookup come first; what then decides is the pure function of decide.ts, and whoever asks why gets the same. What a
// grant uses up is committed, and its event, before the bolt moves. What a person is shown comes at the same moment whatever was
// decided.

import { credentialTag } from "../../protocol/crypto/derive";
import { equal } from "../../protocol/wire/bytes";
import { Reason } from "../../protocol/wire/codes";
import type { Entry } from "../../protocol/wire/entry";
import { Capability, Flag, Kind, Role } from "../../protocol/wire/entry";
import {
  MAX_CARD_BYTES,
  MAX_PIN_DIGITS,
  MIN_CARD_BYTES,
  MIN_PIN_DIGITS,
  PUBLIC_KEY_BYTES,
} from "../../protocol/wire/limits";
import { Trust } from "../../protocol/wire/receipt";
import type { Authority } from "./authority";
import type { BoltControl } from "./bolt-control";
import type { Instant } from "./clock";
import type { Explanation, Question } from "./decide";
import { decide, explain, obeysSchedule } from "./decide";
import type { Diary } from "./diary";
import type { HoursKeeper } from "./hours-keeper";
import { MASTER_SLOT, mayProgram } from "./local-codes";
import { Lockout } from "./lockout";
import { Pair } from "./pair";
import type { Parts } from "./parts";
import { Credential, EventKind, Method } from "./storage/events";
import { State } from "./storage/places";
import type { Usage } from "./storage/table";

/** What was decided is shown so long after the confirm key, in seconds: later than any decision takes (rule C6). */
export const FEEDBACK_S = 0.4;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const NO_USAGE: Readonly<Usage> = { used: true, left: 0, firstUse: 0 };
/** Numbers of holders beyond all slots: the codes programmed at the keypad, the offline codes, then the master. */
const FIRST_LOCAL = 0xff00;
const FIRST_OFFLINE = 0xff40;
const NOBODY = -1;

/** Who holds a credential, in words. */
export type Holder = "nobody" | "slot" | "local" | "offline" | "master";

/** The answer of {@link Doorway.why}: an explanation, and whom it is about. */
export interface Why extends Explanation {
  readonly holder: Holder;
  /** The slot, the place of a code programmed at the keypad, or the number of an offline code; −1 for anybody else. */
  readonly slot: number;
}

/** Whoever was recognised at the keypad and may be more than a visitor. */
export interface Caller {
  /** {@link MASTER_SLOT} for the master. */
  readonly slot: number;
  readonly generation: number;
  readonly user: number;
  /** May program codes (rules A17, C9). */
  readonly mayProgram: boolean;
  /** May relock, resume and hold business hours (rule T16). */
  readonly isFirstIn: boolean;
}

export class Doorway {
  readonly lockout: Lockout;
  readonly #parts: Parts;
  readonly #authority: Authority;
  readonly #diary: Diary;
  readonly #bolt: BoltControl;
  readonly #hours: HoursKeeper;
  readonly #pair = new Pair();
  /** Entries since the last one that was logged, and whether one of this wait was. */
  #unlogged = 0;
  #isWaitLogged = false;
  /** Whether the flash took no wrong entry the last time, and memory alone knows how many there were. */
  #isAdrift = false;

  constructor(parts: Parts, authority: Authority, diary: Diary, bolt: BoltControl, hours: HoursKeeper) {
    this.#parts = parts;
    this.#authority = authority;
    this.#diary = diary;
    this.#bolt = bolt;
    this.#hours = hours;
    this.lockout = new Lockout(parts.clock);
  }

  /** Takes back how many wrong entries count, after a boot. */
  restore(): void {
    const { table } = this.#parts;
    const lost = table.hasLostState(State.lockout) || table.hasLostState(State.forgiven);
    const state = table.state(State.lockout)?.slice();
    this.lockout.restore(state, table.state(State.forgiven), lost);
  }

  /** Keeps what a right entry has put right. Once a tick: nobody waits for it. */
  settle(): void {
    const { table, offline, policy, clock } = this.#parts;
    const { lockout } = this;
    offline.settle(policy, clock.read());
    // What is forgotten in the meantime is kept as well, or a power cut months later would bring it back.
    lockout.wait();
    if (lockout.forgivenUnsettled) {
      if (!table.commitState(State.forgiven, lockout.forgivenState())) return;
      lockout.forgivenSettled();
    }
    if (lockout.unsettled && table.commitState(State.lockout, lockout.state())) lockout.settled();
  }

  // ---- what a person presents

  /** A PIN as ASCII digits, to open. Returns the reason, `granted` when the door opens. */
  enter(digits: Uint8Array): number {
    return this.attempt(Kind.pin, Method.keypad, digits);
  }

  /** A card at the reader, by its UID. Returns the reason. */
  present(uid: Uint8Array): number {
    return this.attempt(Kind.card, Method.card, uid);
  }

  /** Whether a slot has this public key of a phone. */
  knowsPhone(publicKey: Uint8Array): boolean {
    return this.findPhone(publicKey) >= 0;
  }

  /** A phone whose key has signed, to open. Returns the reason. */
  tap(publicKey: Uint8Array): number {
    return this.attempt(Kind.phone, Method.phone, publicKey);
  }

  /** Whether a phone's credential would be let in, as a reason; its slot is loaded. Opens nothing, uses nothing up. */
  judgePhone(publicKey: Uint8Array): number {
    const slot = this.findPhone(publicKey);
    if (slot < 0) return Reason.unknown;
    const reason = this.judge(slot, this.question(slot, this.#parts.clock.read(), false));
    const { entry } = this.#parts.table;
    const isForced = reason === Reason.granted && (entry.flags & Flag.duress) !== 0;
    if (isForced) this.#diary.duress(Method.phone, entry, entry.kind);
    return reason;
  }

  private findPhone(publicKey: Uint8Array): number {
    const { board, table } = this.#parts;
    const keys = this.#authority.derived;
    if (keys === undefined) return NOBODY;
    return table.find(credentialTag(board.crypto, keys.pinKey, Kind.phone, publicKey));
  }

  /** A PIN as ASCII digits, to call the menu. Undefined for whoever may not. Counts as an entry, opens nothing, uses nothing up. */
  call(digits: Uint8Array): Caller | undefined {
    const holder = this.recognise(Kind.pin, Method.keypad, digits);
    if (holder < 0) return undefined;
    const caller = this.callerOf(holder);
    if (caller === undefined) this.lockout.known();
    else this.lockout.right(holder, caller.generation);
    return caller;
  }

  /** Shows what came of it at the same time after the confirm key as everything else. */
  show(isGood: boolean, enteredAt: number): void {
    const { feedback } = this.#parts.board;
    if (isGood) feedback.granted(enteredAt + FEEDBACK_S);
    else feedback.refused(enteredAt + FEEDBACK_S);
  }

  private attempt(kind: number, method: number, value: Uint8Array): number {
    const at = this.#parts.clock.uptime();
    const holder = this.recognise(kind, method, value);
    const reason = holder < 0 ? -holder : this.open(holder, method);
    this.show(reason === Reason.granted, at);
    return reason;
  }

  // ---- entry format, lockout, lookup

  /** Who holds a credential, as a number from 0; minus the reason when it is refused, which is in the log then. */
  private recognise(kind: number, method: number, value: Uint8Array): number {
    const { board, mounted } = this.#parts;
    const keys = this.#authority.derived;
    if (!this.isEntry(kind, value)) return this.refuse(Reason.badEntry, method);
    if (!mounted || keys === undefined) return this.refuse(Reason.unknown, method);
    const hindrance = method === Method.keypad ? this.hindrance() : Reason.granted;
    if (hindrance === Reason.lockedOut) return this.refuseUnlogged();
    if (hindrance !== Reason.granted) return this.refuse(hindrance, method);
    const tag = credentialTag(board.crypto, keys.pinKey, kind, value);
    const code = this.findOffline(kind, value, this.#parts.clock.read());
    const holder = this.find(tag, code);
    if (holder !== NOBODY) return holder;
    if (method === Method.keypad) this.countWrong();
    return this.refuse(Reason.unknown, method);
  }

  /**
   * What keeps an entry from being looked at, `granted` for nothing. It is kept as if it were wrong before anybody compares, so a
   * power cut gives no try (rule X1). Where the flash fails, the worst is assumed once in a power cycle: an hour's wait.
   */
  private hindrance(): number {
    const { lockout } = this;
    const { table, events } = this.#parts;
    if (lockout.wait() > 0) return Reason.lockedOut;
    if (!events.hasRoom) return Reason.busy;
    const isKept = table.commitState(State.lockout, lockout.guess());
    // No more than room is missing, which the next tick makes.
    if (!isKept && !this.#isAdrift && !table.log.isBroken) return Reason.busy;
    if (!isKept && !this.#isAdrift) lockout.restore(undefined, undefined, true);
    this.#isAdrift = !isKept;
    if (lockout.wait() > 0) return Reason.lockedOut;
    this.noteUnlogged();
    return Reason.granted;
  }

  /** Whether a value has the form that its kind has on this model (rules C2, C7). */
  private isEntry(kind: number, value: Uint8Array): boolean {
    if (kind === Kind.pin) return isPin(value);
    if (kind === Kind.phone) return value.length === PUBLIC_KEY_BYTES;
    return this.#parts.profile.reader && value.length >= MIN_CARD_BYTES && value.length <= MAX_CARD_BYTES;
  }

  /** The offline code that is typed, as a holder (rule C23). Before the table is looked at: what is there counts first. */
  private findOffline(kind: number, value: Uint8Array, clock: Instant): number {
    const { offline, policy, board } = this.#parts;
    const keys = this.#authority.derived;
    if (kind !== Kind.pin || keys === undefined) return NOBODY;
    const code = offline.find(board.crypto, keys.codeKey, value, policy, clock);
    return code < 0 ? NOBODY : FIRST_OFFLINE + code;
  }

  /**
   * The holder of a credential, its slot loaded, or {@link NOBODY}; `code` is who holds it if nobody in the table does. All of master,
   * codes and slots are looked at (rule C6).
   */
  private find(tag: Uint8Array, code: number): number {
    const { table, locals, policy } = this.#parts;
    const slot = table.find(tag);
    const place = locals.find(tag);
    const isMaster = equal(policy.master.tag, tag);
    if (slot >= 0) return slot;
    if (isMaster) return MASTER_SLOT;
    return place < 0 ? code : FIRST_LOCAL + place;
  }

  private refuse(reason: number, method: number): number {
    this.#diary.attempt(reason, method);
    return -reason;
  }

  /** Locked out: the first entry of a wait is in the log, and how many came after it; each would write an older event over (rule L7). */
  private refuseUnlogged(): number {
    if (this.#isWaitLogged) this.#unlogged++;
    else this.#diary.attempt(Reason.lockedOut, Method.keypad);
    this.#isWaitLogged = true;
    return -Reason.lockedOut;
  }

  private noteUnlogged(): void {
    if (this.#unlogged > 0) this.#diary.note(EventKind.suppressed, this.#unlogged, Method.keypad);
    this.#unlogged = 0;
    this.#isWaitLogged = false;
  }

  private countWrong(): void {
    this.lockout.wrong();
    const wait = this.lockout.wait();
    if (wait > 0) this.#diary.note(EventKind.lockout, Math.ceil(wait), Method.keypad);
  }

  // ---- the decision

  /** What is said of a holder whose question this is. The master is asked nothing (rule C17). */
  private judge(holder: number, question: Question | undefined): number {
    if (holder === MASTER_SLOT) return Reason.granted;
    if (question === undefined) return Reason.damaged;
    if (isOffline(holder)) {
      const reason = decide(question);
      return reason === Reason.granted ? this.judgeOffline(holder, question.clock) : reason;
    }
    if (holder >= FIRST_LOCAL && !this.isLocalValid(holder - FIRST_LOCAL, question.clock))
      return Reason.disabled;
    return decide(question);
  }

  private judgeOffline(holder: number, clock: Instant): number {
    return this.#parts.offline.judge(holder - FIRST_OFFLINE, clock);
  }

  private isLocalValid(place: number, { trust, now, bound }: Instant): boolean {
    const { locals, policy } = this.#parts;
    return policy.localCodes && locals.isBacked(place, trust === Trust.unknown ? undefined : now + bound);
  }

  /** What a decision depends on; undefined when a part of it cannot be read. A slot must be loaded. */
  private question(holder: number, clock: Instant, second: boolean): Question | undefined {
    const { table, policy } = this.#parts;
    const isSlot = holder < FIRST_LOCAL;
    if (isSlot && !this.isReadable(holder)) return undefined;
    return {
      entry: isSlot ? table.entry : this.entryOf(holder),
      usage: isSlot ? table.usage : NO_USAGE,
      windows: table.windows,
      windowCount: isSlot ? table.windowCount : 0,
      zone: policy.zone,
      mode: policy.mode,
      holidays: policy.holidays,
      leaseEnd: this.#authority.heard.leaseEnd(policy.leaseDays),
      second,
      clock,
    };
  }

  /** Whether all that a decision about a slot asks for can be read; then its use and its schedule are. */
  private isReadable(slot: number): boolean {
    const { table, policy } = this.#parts;
    const { entry } = table;
    if (table.index.isDamaged(slot)) return false;
    if (!table.loadUsage(slot, entry.generation, entry.uses)) return false;
    const hasWindows = table.loadSchedule(entry.schedule);
    return (hasWindows && !policy.isZoneLost) || !obeysSchedule(entry);
  }

  /** The entry of somebody who has no slot. */
  private entryOf(holder: number): Entry {
    const { locals, offline } = this.#parts;
    if (holder === MASTER_SLOT) return locals.loadMaster();
    return isOffline(holder) ? offline.load(holder - FIRST_OFFLINE) : locals.load(holder - FIRST_LOCAL);
  }

  /** Whether another person waits for this one at a door for two, and would still be let in (rule C15). The slot stays loaded. */
  private hasPartner(holder: number): boolean {
    const { table, clock } = this.#parts;
    const { flags, user } = table.entry;
    if (holder >= FIRST_LOCAL || (flags & Flag.dual) === 0) return false;
    if (!this.#pair.waitsFor(user, clock.uptime())) return false;
    const isGood = this.loadPartner() !== undefined;
    if (!isGood) this.#pair.clear();
    table.load(holder);
    return isGood;
  }

  /** The question of the one who waits, their slot loaded; undefined when they would not be let in any more. */
  private loadPartner(): Question | undefined {
    const { table, clock } = this.#parts;
    const { slot, generation } = this.#pair;
    if (table.load(slot) !== "ok" || table.entry.generation !== generation) return undefined;
    const question = this.question(slot, clock.read(), true);
    return question !== undefined && decide(question) === Reason.granted ? question : undefined;
  }

  // ---- the opening

  private open(holder: number, method: number): number {
    const second = this.hasPartner(holder);
    const question = this.question(holder, this.#parts.clock.read(), second);
    let reason = this.judge(holder, question);
    const isReady = reason === Reason.granted && question !== undefined;
    if (isReady && !this.commit(holder, question, method)) reason = Reason.busy;
    const entry = question?.entry ?? this.#parts.table.entry;
    if (method === Method.keypad) this.settleGuess(holder, entry, reason);
    const isOwn = method === Method.phone && reason === Reason.granted && entry.role === Role.admin;
    if (isOwn) this.lockout.clear();
    if (reason === Reason.granted) this.letIn(entry);
    else this.#diary.attempt(reason, method, entry, credentialOf(holder, entry));
    if (reason === Reason.needsSecond)
      this.#pair.begin(holder, entry.generation, entry.user, this.#parts.clock.uptime());
    return reason;
  }

  private settleGuess(holder: number, entry: Entry, reason: number): void {
    if (reason === Reason.granted) this.lockout.right(holder, entry.generation);
    else this.lockout.known();
  }

  private letIn(entry: Entry): void {
    this.#pair.clear();
    this.#hours.opened(isFirstIn(entry));
    this.#bolt.draw();
  }

  /** Commits what a grant uses up, then the event, both before the bolt moves (rules C10, L4). */
  private commit(holder: number, question: Question, method: number): boolean {
    if (!this.#parts.events.hasRoom) return false;
    const isFirst = !question.usage.used;
    if (holder < FIRST_LOCAL) {
      if (question.second && !this.usePartner(holder, method)) return false;
      if (!this.use(holder, question)) return false;
    }
    const { offline } = this.#parts;
    if (isOffline(holder) && !offline.use(holder - FIRST_OFFLINE, question.clock)) return false;
    const { entry } = question;
    return this.#diary.granted(method, entry, credentialOf(holder, entry), isFirst);
  }

  /** Commits the use of the one who waited, and loads the slot of the one at the door again. */
  private usePartner(holder: number, method: number): boolean {
    const { table } = this.#parts;
    const partner = this.loadPartner();
    if (partner === undefined || !this.use(this.#pair.slot, partner)) return false;
    // Of two people either may be under duress; their own attempt was no opening yet.
    const { entry } = partner;
    if ((entry.flags & Flag.duress) !== 0 && !this.#diary.duress(method, entry, entry.kind)) return false;
    if (table.load(holder) !== "ok") return false;
    return table.loadUsage(holder, table.entry.generation, table.entry.uses);
  }

  private use(slot: number, { entry, usage, clock }: Question): boolean {
    // A use while the clock was unknown has no date. The next one that has stands for it, or no deadline would ever follow.
    const isFirstDated = usage.firstUse === 0 && clock.trust !== Trust.unknown;
    if (entry.uses === 0 && usage.used && !isFirstDated) return true;
    if (entry.uses > 0) usage.left--;
    // The earliest that it can be: a deadline counted from there is never later than the true one (rules C12, T12).
    if (isFirstDated) usage.firstUse = clock.now - clock.bound;
    usage.used = true;
    return this.#parts.table.commitUsage(slot, entry.generation, usage);
  }

  // ---- the menu

  private callerOf(holder: number): Caller | undefined {
    if (holder === MASTER_SLOT)
      return { slot: MASTER_SLOT, generation: 0, user: 0, mayProgram: true, isFirstIn: true };
    if (holder >= FIRST_LOCAL) return undefined;
    const question = this.question(holder, this.#parts.clock.read(), false);
    if (question === undefined) return undefined;
    const { entry } = question;
    // A credential for programming never opens, and is judged here as the administrator's that it is.
    const programs = mayProgram(entry);
    const asked = programs ? { ...question, entry: { ...entry, role: Role.admin } } : question;
    if (decide(asked) !== Reason.granted || !(programs || isFirstIn(entry))) return undefined;
    // Whoever is forced to call the menu is forced no less than at the door.
    if ((entry.flags & Flag.duress) !== 0) this.#diary.duress(Method.keypad, entry, entry.kind);
    const { generation, user } = entry;
    return { slot: holder, generation, user, mayProgram: programs, isFirstIn: isFirstIn(entry) };
  }

  // ---- asking why

  /**
   * Whether a credential would open the door at an instant, why, and what comes next (rule T17). Changes nothing, and counts as no
   * entry. `kind` is a `Kind` of the protocol, `value` the digits or the UID.
   */
  why(kind: number, value: Uint8Array, clock: Instant): Why {
    const { board, mounted } = this.#parts;
    const keys = this.#authority.derived;
    if (!this.isEntry(kind, value)) return simply(Reason.badEntry, "nobody", -1);
    if (!mounted || keys === undefined) return simply(Reason.unknown, "nobody", -1);
    const tag = credentialTag(board.crypto, keys.pinKey, kind, value);
    const holder = this.find(tag, this.findOffline(kind, value, clock));
    if (holder === NOBODY) return simply(Reason.unknown, "nobody", -1);
    if (holder === MASTER_SLOT) return simply(Reason.granted, "master", -1);
    const question = this.question(holder, clock, false);
    if (holder < FIRST_LOCAL) {
      if (question === undefined) return simply(Reason.damaged, "slot", holder);
      return { ...explain(question), holder: "slot", slot: holder };
    }
    if (isOffline(holder)) return simply(this.judge(holder, question), "offline", holder - FIRST_OFFLINE);
    const place = holder - FIRST_LOCAL;
    if (question === undefined || !this.isLocalValid(place, clock))
      return simply(Reason.disabled, "local", place);
    return { ...this.explainLocal(place, question), holder: "local", slot: place };
  }

  /** The explanation of a code that is valid now: it falls when the credential that made it ends. */
  private explainLocal(place: number, question: Question): Explanation {
    const { locals, table } = this.#parts;
    const explanation = explain(question);
    if (locals.isBacked(place, Number.POSITIVE_INFINITY)) return explanation;
    // That has just loaded whoever made it.
    const falls = table.entry.end - question.clock.bound;
    if (explanation.next !== 0 && explanation.next <= falls) return explanation;
    return { ...explanation, next: falls, nextReason: Reason.disabled };
  }
}

/** An explanation of something that no time changes. */
function simply(reason: number, holder: Holder, slot: number): Why {
  return { reason, next: 0, nextReason: reason, holder, slot };
}

/** Whether a holder is an offline code. */
function isOffline(holder: number): boolean {
  return holder >= FIRST_OFFLINE && holder !== MASTER_SLOT;
}

function credentialOf(holder: number, entry: Entry): number {
  if (holder === MASTER_SLOT) return Credential.master;
  if (isOffline(holder)) return Credential.offline;
  return holder >= FIRST_LOCAL ? Credential.local : entry.kind;
}

/** Whether a credential begins business hours (rules T16, X7). */
function isFirstIn(entry: Entry): boolean {
  return (entry.capabilities & Capability.firstIn) !== 0;
}

/** Whether an entry at the keypad is a PIN: 4 to 10 digits (rule C2). */
export function isPin(digits: Uint8Array): boolean {
  if (digits.length < MIN_PIN_DIGITS || digits.length > MAX_PIN_DIGITS) return false;
  for (const digit of digits) if (digit < DIGIT_0 || digit > DIGIT_9) return false;
  return true;
}
