// The menu at the keypad (rules A17, C19, C24, T16). Whoever calls it has half a minute for one command: its number, the confirm key,
// and what it asks for, each with the confirm key. Administrators and the master program codes of the lock's own; first-in people
// relock, resume and hold the business hours. Nothing typed here is kept or logged but as a tag.
//
//   1 ✓ code ✓ code ✓   a new code      4 ✓           relock, until resumed or the next opening
//   2 ✓ code ✓          takes one away  5 ✓           resume
//   3 ✓ 3 ✓             takes all away  6 ✓ hours ✓   hold open for 1 to 24 hours

import { credentialTag } from "../../protocol/crypto/derive";
import { equal } from "../../protocol/wire/bytes";
import { Kind } from "../../protocol/wire/entry";
import { MAX_LOCAL_CODES } from "../../protocol/wire/limits";
import { weaknessOf } from "../../protocol/wire/weakness";
import type { Authority } from "./authority";
import { hasRoomFor, isTyped } from "./density";
import type { Diary } from "./diary";
import type { Caller } from "./doorway";
import { isPin } from "./doorway";
import type { HoursKeeper } from "./hours-keeper";
import type { Parts } from "./parts";
import { EventKind, Method } from "./storage/events";

/** How long the menu waits for the next entry, in seconds. */
export const MENU_S = 30;
const HOUR_S = 3600;
const MAX_HOLD_HOURS = 24;
const DIGIT_0 = 0x30;

/** Commands of the menu. */
export const Command = { add: 1, remove: 2, removeAll: 3, relock: 4, resume: 5, hold: 6 } as const;
const NOTHING = new Uint8Array(0);
/** Waiting for the number of a command. */
const NO_COMMAND = 0;

export class Programming {
  readonly #parts: Parts;
  readonly #authority: Authority;
  readonly #diary: Diary;
  readonly #hours: HoursKeeper;
  #caller: Caller | undefined;
  #until = 0;
  #command: number = NO_COMMAND;
  /** The new code as it was typed the first time. */
  #code = NOTHING;

  constructor(parts: Parts, authority: Authority, diary: Diary, hours: HoursKeeper) {
    this.#parts = parts;
    this.#authority = authority;
    this.#diary = diary;
    this.#hours = hours;
  }

  /** Begins a command for whoever called. */
  open(caller: Caller): void {
    this.#caller = caller;
    this.#command = NO_COMMAND;
    this.wait();
  }

  /** Whether the next entry is for the menu. */
  get isOpen(): boolean {
    if (this.#caller !== undefined && this.#parts.clock.uptime() > this.#until) this.close();
    return this.#caller !== undefined;
  }

  /** Forgets the caller and what was typed. */
  close(): void {
    this.#caller = undefined;
    this.#code = NOTHING;
  }

  private wait(): void {
    this.#until = this.#parts.clock.uptime() + MENU_S;
  }

  /** Takes an entry, ASCII digits. Returns whether it was good: a command that is over was carried out then. */
  enter(digits: Uint8Array): boolean {
    const caller = this.#caller;
    if (caller === undefined) return false;
    this.wait();
    if (this.#command === NO_COMMAND) return this.choose(caller, numberOf(digits));
    if (this.#command === Command.add && this.#code.length === 0) return this.keepCode(digits);
    const isDone = this.finish(caller, digits);
    this.close();
    return isDone;
  }

  /** Takes the number of a command; those that ask for nothing more are carried out. */
  private choose(caller: Caller, command: number): boolean {
    const isProgramming = command >= Command.add && command <= Command.removeAll;
    const isHours = command >= Command.relock && command <= Command.hold;
    const mayDo = (isProgramming && caller.mayProgram) || (isHours && caller.isFirstIn);
    if (mayDo && command !== Command.relock && command !== Command.resume) {
      this.#command = command;
      return true;
    }
    this.close();
    if (!mayDo) return false;
    const isDone = command === Command.relock ? this.#hours.relock() : this.#hours.resume();
    return isDone && this.noteHours(caller, command);
  }

  private keepCode(digits: Uint8Array): boolean {
    if (!isPin(digits)) {
      this.close();
      return false;
    }
    this.#code = digits.slice();
    return true;
  }

  private finish(caller: Caller, digits: Uint8Array): boolean {
    switch (this.#command) {
      case Command.add:
        return equal(this.#code, digits) && this.add(caller, digits);
      case Command.remove:
        return this.remove(caller, digits);
      case Command.removeAll:
        return numberOf(digits) === Command.removeAll && this.removeAll(caller);
      default:
        return this.hold(caller, numberOf(digits));
    }
  }

  private add(caller: Caller, digits: Uint8Array): boolean {
    const { table, locals, policy } = this.#parts;
    const tag = this.tagOf(digits);
    if (tag === undefined || !policy.localCodes || weaknessOf(digits) !== 0) return false;
    const isTaken = table.find(tag) >= 0 || isTyped(this.#parts, tag);
    if (isTaken || !hasRoomFor(this.#parts, digits.length, 0)) return false;
    const place = locals.add(tag, digits.length, caller);
    if (place < 0) return false;
    this.#diary.done(EventKind.programmed, place, Method.keypad, caller);
    return true;
  }

  private remove(caller: Caller, digits: Uint8Array): boolean {
    const tag = isPin(digits) ? this.tagOf(digits) : undefined;
    const place = tag === undefined ? -1 : this.#parts.locals.find(tag);
    return place >= 0 && this.removeAt(caller, place);
  }

  private removeAll(caller: Caller): boolean {
    const { locals } = this.#parts;
    let isDone = true;
    for (let place = 0; place < MAX_LOCAL_CODES; place++)
      if (locals.digits(place) > 0 && !this.removeAt(caller, place)) isDone = false;
    return isDone;
  }

  private removeAt(caller: Caller, place: number): boolean {
    const isKept = this.#parts.locals.remove(place);
    this.#diary.done(EventKind.unprogrammed, place, Method.keypad, caller);
    return isKept;
  }

  private hold(caller: Caller, hours: number): boolean {
    const isDone = hours >= 1 && hours <= MAX_HOLD_HOURS && this.#hours.hold(hours * HOUR_S);
    return isDone && this.noteHours(caller, Command.hold);
  }

  /** Notes who told the business hours what; the detail is the command. */
  private noteHours(caller: Caller, command: number): boolean {
    this.#diary.done(EventKind.hours, command, Method.keypad, caller);
    return true;
  }

  private tagOf(digits: Uint8Array): Uint8Array | undefined {
    const keys = this.#authority.derived;
    return keys && credentialTag(this.#parts.board.crypto, keys.pinKey, Kind.pin, digits);
  }
}

/** A number of one or two digits, 0 for anything else. */
function numberOf(digits: Uint8Array): number {
  if (digits.length === 0 || digits.length > 2) return 0;
  let value = 0;
  for (const digit of digits) value = value * 10 + digit - DIGIT_0;
  return value;
}
