// Who may open, and when: one pure function for the door and for everyone who asks why (rule T17). The order of its checks is the
// specification: one reason per refusal, the first that fails. It sees an entry, its use, a schedule, the mode, the holidays, the end of
// leases and a clock with an error bound, and nothing else. Windows and limits shrink by the bound and holidays grow by it, so that no grant
// ever falls outside the true ones.

import { DAY_S } from "../../protocol/wire/civil";
import { Reason } from "../../protocol/wire/codes";
import type { Entry } from "../../protocol/wire/entry";
import { Flag, Role } from "../../protocol/wire/entry";
import { Trust } from "../../protocol/wire/receipt";
import type { Zone } from "./calendar";
import { localTime, nextTransition, offsetAt } from "./calendar";
import type { Instant } from "./clock";
import type { Holidays } from "./holidays";
import { onEachDate } from "./holidays";
import { nextChange, openDuring } from "./schedule";
import type { Usage } from "./storage/table";

/** Everything that a decision depends on. */
export interface Question {
  readonly entry: Entry;
  readonly usage: Usage;
  /** The windows of the entry's schedule; `windowCount` 0 where it names none. */
  readonly windows: Uint32Array;
  readonly windowCount: number;
  readonly zone: Zone;
  /** See `Mode` of the protocol. */
  readonly mode: number;
  readonly holidays: Holidays;
  /** UTC seconds from which credentials with the flag lease are refused, 0 for never (rule S12). */
  readonly leaseEnd: number;
  /** Whether another person's credential was accepted just before (rule C15). */
  readonly second: boolean;
  readonly clock: Instant;
}

/** The answer of {@link explain}. */
export interface Explanation {
  /** See `Reason` of the protocol. */
  reason: number;
  /** UTC seconds of the first instant at which the reason is another, 0 when none is in sight. */
  next: number;
  /** The reason from then on. */
  nextReason: number;
}

const MINUTE_S = 60;
const HOUR_S = 3600;
/** How far ahead the hours of a schedule are followed: what a week has in it comes again in a week. */
const SIGHT_S = 22 * DAY_S;

/** The decision for a credential that was found and is whole (rules C9 to C15, A26 to A36, T4 to T7, T11, T12). */
export function decide(question: Question): number {
  const { entry } = question;
  if ((entry.flags & Flag.disabled) !== 0) return Reason.disabled;
  if (!admitsRole(question)) return Reason.wrongMode;
  const timely = decideTime(question);
  if (timely !== Reason.granted) return timely;
  if (entry.uses > 0 && question.usage.left === 0) return Reason.usedUp;
  // A credential for two never opens by itself (rule C15).
  if ((entry.flags & Flag.dual) !== 0 && !question.second) return Reason.needsSecond;
  return Reason.granted;
}

/** Whether an entry is restricted by a schedule: users are, administrators are not (rule A29). */
export function obeysSchedule(entry: Entry): boolean {
  return entry.schedule !== 0 && entry.role !== Role.admin;
}

function admitsRole(question: Question): boolean {
  const { entry, mode, holidays } = question;
  return onEachDate(question, (day) => holidays.admit(entry.role, mode, day));
}

/** Whether the time matters to this credential at all: when it does, an unknown clock refuses (rule T12). */
function hasTimeCondition(question: Question): boolean {
  const { entry, mode, holidays } = question;
  if (entry.start !== 0 || entry.end !== 0 || obeysSchedule(entry)) return true;
  if (entry.minutesAfterFirstUse !== 0 || entry.firstUseHours !== 0) return true;
  if (leaseOf(question) !== 0) return true;
  return holidays.concern(entry.role, mode);
}

/** The instant at which the issuer's word is over for this credential (rule S12); 0 for never. */
function leaseOf({ entry, leaseEnd }: Question): number {
  return (entry.flags & Flag.lease) !== 0 ? leaseEnd : 0;
}

/** The instant at which an expiring-after-first-use credential ends (rule C12); 0 when it does not, or was not used yet. */
function useDeadline({ entry, usage }: Question): number {
  if (entry.minutesAfterFirstUse === 0 || usage.firstUse === 0) return 0;
  return usage.firstUse + entry.minutesAfterFirstUse * MINUTE_S;
}

/** The instant by which a first use must have happened (rule C13); 0 when there is none, or it did. */
function firstUseDeadline({ entry, usage }: Question): number {
  if (entry.firstUseHours === 0 || usage.used) return 0;
  return entry.start + entry.firstUseHours * HOUR_S;
}

function decideTime(question: Question): number {
  if (!hasTimeCondition(question)) return Reason.granted;
  const { entry, clock, holidays } = question;
  if (clock.trust === Trust.unknown) return Reason.clockUnknown;
  const earliest = clock.now - clock.bound;
  const latest = clock.now + clock.bound;
  const lease = leaseOf(question);
  if (lease !== 0 && latest >= lease) return Reason.leaseOver;
  if (entry.start !== 0 && earliest < entry.start) return Reason.notYetValid;
  if (entry.end !== 0 && latest >= entry.end) return Reason.expired;
  const deadline = useDeadline(question);
  if (deadline !== 0 && latest >= deadline) return Reason.expired;
  const firstUse = firstUseDeadline(question);
  if (firstUse !== 0 && latest >= firstUse) return Reason.firstUseMissed;
  if (!onEachDate(question, (day) => !holidays.refuse(entry.role, day))) return Reason.holiday;
  if (!obeysSchedule(entry)) return Reason.granted;
  const { windows, windowCount, zone } = question;
  return openDuring(windows, windowCount, zone, earliest, latest) ? Reason.granted : Reason.outsideSchedule;
}

/** The smaller of two instants, where only those after `now` count and 0 is none. */
function sooner(best: number, candidate: number, now: number): number {
  if (candidate <= now) return best;
  return best === 0 || candidate < best ? candidate : best;
}

/**
 * The first instant after `from` that needs a look for its date: a midnight at which a holiday begins or is over, and before it each
 * change of the offset; 0 for none. Until then the wall clock runs evenly.
 */
function nextDateEdge({ holidays, zone }: Question, from: number): number {
  if (holidays.isEmpty) return 0;
  const day = holidays.nextDate(localTime(zone, from).day);
  // Set back just after midnight, the clock brings a day again that was over.
  const midnight = day === 0 ? from + DAY_S : day * DAY_S - offsetAt(zone, from);
  const leap = nextTransition(zone, from);
  if (leap !== 0 && leap < midnight) return leap;
  return day === 0 ? 0 : midnight;
}

/**
 * The next instant after `now` at which a holiday may begin or cease to matter; 0 for none. What it refuses grows by the error
 * bound, what its mode admits shrinks, so both sides of both its edges count.
 */
function nextHoliday(question: Question, now: number): number {
  const { bound } = question.clock;
  const comes = nextDateEdge(question, now + bound);
  const goes = nextDateEdge(question, now - bound);
  const edge = comes === 0 ? 0 : comes - bound;
  return goes === 0 ? edge : sooner(edge, goes + bound, now);
}

/** The next instant after `now` at which the schedule, shrunk by the error bound, may open or close; 0 for none in sight. */
function nextHours({ windows, windowCount, zone, clock }: Question, now: number): number {
  const closes = nextChange(windows, windowCount, zone, now + clock.bound);
  const opens = nextChange(windows, windowCount, zone, now - clock.bound);
  const edge = closes === 0 ? 0 : closes - clock.bound;
  return opens === 0 ? edge : sooner(edge, opens + clock.bound, now);
}

/** The next instant after `now` at which any check may end otherwise; 0 for none. Hours are followed until `sight`. */
function nextEdge(question: Question, now: number, sight: number): number {
  const { entry, clock } = question;
  let edge = sooner(0, entry.start === 0 ? 0 : entry.start + clock.bound, now);
  edge = sooner(edge, leaseOf(question) - clock.bound, now);
  edge = sooner(edge, entry.end - clock.bound, now);
  edge = sooner(edge, useDeadline(question) - clock.bound, now);
  edge = sooner(edge, firstUseDeadline(question) - clock.bound, now);
  edge = sooner(edge, nextHoliday(question, now), now);
  // Before its start or after its end no hours change what is said of a credential.
  const isWithin = now >= entry.start && (entry.end === 0 || now < entry.end);
  if (now >= sight || !isWithin || !obeysSchedule(entry)) return edge;
  return sooner(edge, nextHours(question, now), now);
}

/**
 * The decision with what comes next (rule T17): the same function, asked again at each instant at which it may change. Supposes
 * that nobody uses the credential, and that the clock stays as good as it is.
 */
export function explain(question: Question): Explanation {
  const reason = decide(question);
  const { clock } = question;
  if (clock.trust !== Trust.unknown && reason !== Reason.disabled) {
    const sight = clock.now + SIGHT_S;
    const then = { ...clock };
    const asked = { ...question, clock: then };
    for (let at = clock.now; ; ) {
      at = nextEdge(question, at, sight);
      if (at === 0) break;
      then.now = at;
      const nextReason = decide(asked);
      if (nextReason !== reason) return { reason, next: at, nextReason };
    }
  }
  return { reason, next: 0, nextReason: reason };
}
