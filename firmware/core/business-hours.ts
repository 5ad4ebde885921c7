// Business hours (rules T16, A34): on a schedule the door unlocks by itself, stays unlocked, and locks at the end.
//
// An opening is a longest run of time in which the schedule is open: touching windows are one opening, a window that comes twice
// where the clock goes back is two, and a schedule that never closes is one opening without end. The door is unlocked only where
// the whole error bound of the clock lies inside (rule T12), and never while the clock is unknown.
//
// First-In: an opening waits until a first-in person has opened the door. That counts for the one opening to which the moment
// surely belongs: the one that it lies in, else the next, if that begins within the grace period. No moment counts for two.
// Relocked, an opening stays locked until it is resumed or over. A hold keeps the door unlocked until an instant, inside the hours
// and outside of them; whoever asks for one is first in, too, and takes back a relock.
//
// A holiday takes hours away: it ends an opening, so that what is left of one behind it waits for the next first-in person, and
// inside of hours that are taken away nobody is first in. It leaves a relock, and a hold, since that is what somebody on the spot
// wants, and is over within a day. An unknown clock locks, and ends a hold, but not one that a power cut interrupted: that waits
// for the time, as an opening does.
//
// What is remembered is the moment at which somebody acted, with its error bound, and never which opening that was: it follows
// from the schedule in force. So the bound, the time of a correction and a boot make no difference, and after a change of schedule
// or zone all is as if it had been so from the start. A moment whose opening is over, or that belongs to none, is forgotten.
//
// It must never move a bolt or ask for the time; an ordinary tick costs a few comparisons.

import { equal, getU16, getU32, putU16, putU32 } from "../../protocol/wire/bytes";
import { DAY_S } from "../../protocol/wire/civil";
import { MAX_WINDOWS } from "../../protocol/wire/limits";
import { Trust } from "../../protocol/wire/receipt";
import type { HoursPolicy } from "../../protocol/wire/settings";
import { MAX_CLOCK_BOUND_S } from "../../protocol/wire/settings";
import type { Zone } from "./calendar";
import { UTC0 } from "./calendar";
import type { Instant } from "./clock";
import { nextChange, openDuring } from "./schedule";

/** What counts at one moment. Whoever cannot read the zone gives an unknown clock or `closed`. */
export interface HoursView {
  readonly clock: Instant;
  readonly zone: Zone;
  /** The schedule of the policy; `windowCount` 0 when it cannot be read: then nothing opens, and nothing is forgotten. */
  readonly windows: Uint32Array;
  readonly windowCount: number;
  /** Whether a holiday is in force, or cannot be read: the hours do not happen. */
  readonly closed: boolean;
}

/** How the hours stand. The door is to be unlocked in `open` and `held`. */
export const Standing = {
  off: "off",
  /** Outside of the hours, on a holiday, or not surely inside. */
  closed: "closed",
  /** Inside, and nobody was first in yet. */
  waiting: "waiting",
  open: "open",
  relocked: "relocked",
  held: "held",
  unknownTime: "unknown-time",
} as const;
export type Standing = (typeof Standing)[keyof typeof Standing];

/** The longest hold, from the moment of the command. */
export const MAX_HOLD_S = DAY_S;
/** Bytes of {@link BusinessHours.state}: mark u8, its moment u32 and width u16, hold: asked for at u32, until u32. */
const STATE_BYTES = 15;
const MINUTE_S = 60;
const NEVER = Number.POSITIVE_INFINITY;
/** In place of the end of an opening: there is no opening. */
const NONE = 0;

/** What somebody did to an opening. */
const Mark = { none: 0, started: 1, relocked: 2 } as const;

/** A schedule around one instant, kept until another one is asked for that lies beyond the next edge. */
class Timetable {
  /** Whether the schedule is open from the instant of the last {@link seek} until {@link edge}. */
  open = false;
  /** The first instant at which it is not so any more. */
  edge = NEVER;
  /** The edge after that one. */
  after = NEVER;
  readonly #windows = new Uint32Array(MAX_WINDOWS);
  #count = 0;
  #zone: Zone = UTC0;
  #from = NEVER;

  /** Takes the schedule and the zone in force, and says whether one of them is another than before. */
  load(windows: Uint32Array, count: number, zone: Zone): boolean {
    let isSame = zone === this.#zone && count === this.#count;
    for (let i = 0; i < count && isSame; i++) isSame = windows[i] === this.#windows[i];
    if (isSame) return false;
    for (let i = 0; i < count; i++) this.#windows[i] = windows[i];
    this.#count = count;
    this.#zone = zone;
    this.#from = NEVER;
    return true;
  }

  /** Goes to an instant, in UTC seconds. */
  seek(instant: number): void {
    if (instant >= this.#from && instant < this.edge) return;
    this.#from = instant;
    this.open = openDuring(this.#windows, this.#count, this.#zone, instant, instant);
    this.edge = this.edgeAfter(instant);
    this.after = this.edge === NEVER ? NEVER : this.edgeAfter(this.edge);
  }

  private edgeAfter(instant: number): number {
    const change = nextChange(this.#windows, this.#count, this.#zone, instant);
    return change === 0 ? NEVER : change;
  }

  /** Whether all of `from` to `to` lies in one opening. */
  isInside(from: number, to: number): boolean {
    this.seek(from);
    return this.open && to < this.edge;
  }

  /** The end of the opening to which all of `from` to `to` belongs, be it `grace` seconds early; `NONE` for none. */
  endOfOpening(from: number, to: number, grace: number): number {
    this.seek(from);
    if (!this.open && (this.edge === NEVER || from < this.edge - grace)) return NONE;
    const end = this.open ? this.edge : this.after;
    return to < end ? end : NONE;
  }
}

export class BusinessHours {
  readonly #timetable = new Timetable();
  #policy: HoursPolicy | undefined;
  #standing: Standing = Standing.off;
  #mark: number = Mark.none;
  /** The moment of the mark: the true time was between these, both included. */
  #markFrom = 0;
  #markTo = 0;
  /** The opening that the mark belongs to: its start, 0 when the mark was made inside, and its end, which tells it from all others. */
  #markStart = 0;
  #markEnd = NONE;
  #isLocated = true;
  /** The earliest that a hold can have been asked for, and when it ends, 0 for no hold. */
  #heldFrom = 0;
  #heldUntil = 0;
  /** Whether what was kept is lost, and nobody knows yet which opening that concerns. */
  #isInDoubt = false;
  /** Whether the time was known since the boot. */
  #hadTime = false;
  #stored: Uint8Array = new Uint8Array(STATE_BYTES);
  #unsettled = false;

  /** Takes the policy; undefined, or schedule 0, turns the hours off. */
  configure(policy: HoursPolicy | undefined): void {
    const before = this.#policy;
    this.#policy = policy === undefined || policy.schedule === 0 ? undefined : policy;
    this.#isLocated = false;
    if (this.#policy === undefined) this.#standing = Standing.off;
    else if (before === undefined) this.#standing = Standing.unknownTime;
  }

  // ---- what outlives a boot

  /**
   * Takes back what {@link state} gave, undefined for nothing. What is `lost`, or has another form, may have been a relock: then the
   * opening of the next known moment counts as relocked.
   */
  restore(stored: Uint8Array | undefined, lost = false): void {
    const isWhole = stored !== undefined && isState(stored);
    const bytes = isWhole ? stored : new Uint8Array(STATE_BYTES);
    this.#isInDoubt = lost || (stored !== undefined && !isWhole);
    this.#mark = bytes[0];
    this.#markFrom = getU32(bytes, 1);
    this.#markTo = this.#markFrom + getU16(bytes, 5);
    this.#heldFrom = getU32(bytes, 7);
    this.#heldUntil = getU32(bytes, 11);
    this.#isLocated = false;
    this.#stored = bytes.slice();
    this.#unsettled = false;
  }

  /** What to store, 15 bytes. */
  state(): Uint8Array {
    const bytes = new Uint8Array(STATE_BYTES);
    bytes[0] = this.#mark;
    putU32(bytes, 1, this.#markFrom);
    putU16(bytes, 5, this.#markTo - this.#markFrom);
    putU32(bytes, 7, this.#heldFrom);
    putU32(bytes, 11, this.#heldUntil);
    return bytes;
  }

  /** Whether {@link state} differs from what is stored. */
  get unsettled(): boolean {
    return this.#unsettled;
  }

  /** To be called when {@link state} is stored. */
  settled(): void {
    this.#stored = this.state();
    this.#unsettled = false;
  }

  // ---- what happens

  /** How the hours stood when something was last asked or told. */
  get standing(): Standing {
    return this.#standing;
  }

  /**
   * Whether the door is to be unlocked now. Call it about once a second. After a boot it may say so at once, so whoever may not move
   * the bolt then has to look at the answer, not at a change of it.
   */
  advance(view: HoursView): boolean {
    this.take(view);
    return this.isUnlocked();
  }

  /** Somebody opened the door by an ordinary grant. `isFirstIn`: with the capability to begin an opening (rule X7). */
  opened(view: HoursView, isFirstIn: boolean): void {
    if (!this.take(view) || !isFirstIn || this.#policy?.firstIn !== true) return;
    const end = this.openingOf(view);
    if (end !== NONE && end !== this.#markEnd) this.setMark(Mark.started, view.clock, end);
    this.judge(view);
  }

  /**
   * A first-in person locks the door again: ends a hold, and keeps the opening locked until it is resumed, also one that somebody
   * came early for. False, and nothing done, when the door is not unlocked by the hours, nor about to be.
   */
  relock(view: HoursView): boolean {
    if (!this.take(view)) return false;
    const end = this.openingOf(view);
    const isMarked = end !== NONE && end === this.#markEnd;
    const isAbout = isMarked && this.#mark === Mark.started;
    if (!this.isUnlocked() && !isAbout) return false;
    this.endHold();
    if (isMarked || (end !== NONE && this.#timetable.open)) this.setMark(Mark.relocked, view.clock, end);
    this.judge(view);
    return true;
  }

  /** A first-in person takes a relock back. False, and nothing done, when the opening of this moment is not relocked. */
  resume(view: HoursView): boolean {
    if (!this.take(view)) return false;
    const end = this.openingOf(view);
    if (this.#mark !== Mark.relocked || end === NONE || end !== this.#markEnd) return false;
    this.setMark(Mark.started, view.clock, end);
    this.judge(view);
    return true;
  }

  /**
   * A first-in person holds the door unlocked until an instant, in UTC seconds; a new hold takes the place of the last. False, and
   * nothing done, when the time is unknown, the instant has perhaps passed, or is more than {@link MAX_HOLD_S} ahead.
   */
  holdUntil(view: HoursView, until: number): boolean {
    if (!this.take(view)) return false;
    const { now, bound } = view.clock;
    if (!(until > now + bound && until - now <= MAX_HOLD_S)) return false;
    this.#heldFrom = now - bound;
    this.#heldUntil = until;
    const end = this.openingOf(view);
    const isStarted = this.#mark === Mark.started && end === this.#markEnd;
    if (end !== NONE && !isStarted) this.setMark(Mark.started, view.clock, end);
    this.changed();
    this.judge(view);
    return true;
  }

  // ---- how it works

  /** Takes what counts now, and forgets what is over. Returns whether hours are kept here and the time is known. */
  private take(view: HoursView): boolean {
    if (this.#policy === undefined) {
      this.#standing = Standing.off;
      this.forgetMark();
      this.endHold();
      return false;
    }
    if (view.clock.trust === Trust.unknown) {
      this.#standing = Standing.unknownTime;
      if (this.#hadTime) this.endHold();
      return false;
    }
    this.#hadTime = true;
    const isOther = this.#timetable.load(view.windows, view.windowCount, view.zone);
    if (isOther || !this.#isLocated) this.locateMark();
    this.forgetPast(view);
    if (this.#isInDoubt) this.assumeRelock(view);
    this.judge(view);
    return true;
  }

  /** Fails secure: nobody is to find a door unlocked that a person has locked. */
  private assumeRelock(view: HoursView): void {
    this.#isInDoubt = false;
    const end = this.openingOf(view);
    if (end !== NONE) this.setMark(Mark.relocked, view.clock, end);
    this.#unsettled = true;
  }

  /** Finds the opening that the mark belongs to. */
  private locateMark(): void {
    this.#isLocated = true;
    this.#markEnd = NONE;
    if (this.#mark === Mark.none) return;
    this.placeMark(this.#timetable.endOfOpening(this.#markFrom, this.#markTo, this.grace()));
  }

  /** Notes the mark's opening while the timetable is where the mark is. */
  private placeMark(end: number): void {
    this.#markStart = this.#timetable.open ? 0 : this.#timetable.edge;
    this.#markEnd = end;
  }

  private forgetPast({ clock, closed, windowCount }: HoursView): void {
    const earliest = clock.now - clock.bound;
    const latest = clock.now + clock.bound;
    // What is yet to come was noted by a clock that was wrong.
    if (earliest >= this.#heldUntil || this.#heldFrom > latest) this.endHold();
    if (windowCount === 0) return;
    const isTaken = closed && this.#mark === Mark.started && earliest >= this.#markStart;
    if (isTaken || earliest >= this.#markEnd || this.#markFrom > latest) this.forgetMark();
  }

  private grace(): number {
    return (this.#policy?.graceMinutes ?? 0) * MINUTE_S;
  }

  /** The end of the opening that this moment surely belongs to, `NONE` for none; then the timetable is at this moment. */
  private openingOf({ clock, closed }: HoursView): number {
    const { now, bound } = clock;
    const end = this.#timetable.endOfOpening(now - bound, now + bound, this.grace());
    return closed && this.#timetable.open ? NONE : end;
  }

  /** Marks the opening that {@link #openingOf} has just found. */
  private setMark(mark: number, { now, bound }: Instant, end: number): void {
    this.#mark = mark;
    this.#markFrom = now - bound;
    this.#markTo = now + bound;
    this.placeMark(end);
    this.changed();
  }

  private forgetMark(): void {
    if (this.#mark === Mark.none) return;
    this.#mark = Mark.none;
    this.#markFrom = 0;
    this.#markTo = 0;
    this.#markEnd = NONE;
    this.changed();
  }

  private endHold(): void {
    if (this.#heldUntil === 0) return;
    this.#heldFrom = 0;
    this.#heldUntil = 0;
    this.changed();
  }

  private changed(): void {
    this.#unsettled = !equal(this.state(), this.#stored);
  }

  private isUnlocked(): boolean {
    return this.#standing === Standing.open || this.#standing === Standing.held;
  }

  /** Brings {@link standing} up to date, when hours are kept here and the time is known. */
  private judge({ clock, closed }: HoursView): void {
    const latest = clock.now + clock.bound;
    const isInside = this.#timetable.isInside(clock.now - clock.bound, latest) && !closed;
    const mark = this.#markEnd === this.#timetable.edge ? this.#mark : Mark.none;
    if (latest < this.#heldUntil) this.#standing = Standing.held;
    else if (!isInside) this.#standing = Standing.closed;
    else if (mark === Mark.relocked) this.#standing = Standing.relocked;
    else if (this.#policy?.firstIn === true && mark !== Mark.started) this.#standing = Standing.waiting;
    else this.#standing = Standing.open;
  }
}

/** Whether bytes have the form of a state. */
function isState(bytes: Uint8Array): boolean {
  if (bytes.length !== STATE_BYTES || bytes[0] > Mark.relocked) return false;
  const from = getU32(bytes, 7);
  const until = getU32(bytes, 11);
  if (until === 0) return from === 0;
  return until > from && until - from <= MAX_HOLD_S + MAX_CLOCK_BOUND_S;
}
