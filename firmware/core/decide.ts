// Who may open, and when: one pure function for the door and for everyone who asks why (rule T17). The order of its checks is the
// specification: one reason per refusal, the first that fails. It sees an entry, its use, a schedule, the mode and a clock with an
// error bound, and nothing else. Windows and limits shrink by the bound, so that no grant ever falls outside the true ones.

import { Reason } from "../../protocol/wire/codes";
import { Mode } from "../../protocol/wire/deltas";
import type { Entry } from "../../protocol/wire/entry";
import { Flag, Role } from "../../protocol/wire/entry";
import { Trust } from "../../protocol/wire/messages";
import type { Zone } from "./calendar";
import type { Instant } from "./clock";
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
/** How far ahead an opening is looked for that the error bound leaves something of: what a week has in it comes again in a week. */
const SIGHT_S = 22 * 86_400;

/** The decision for a credential that was found and is whole (rules C9 to C15, A26 to A36, T4 to T6, T11, T12). */
export function decide(question: Question): number {
  const { entry } = question;
  if ((entry.flags & Flag.disabled) !== 0) return Reason.disabled;
  if (!admits(question.mode, entry.role)) return Reason.wrongMode;
  const timely = decideTime(question);
  if (timely !== Reason.granted) return timely;
  if (entry.uses > 0 && question.usage.left === 0) return Reason.usedUp;
  // A credential for two never opens by itself (rule C15).
  if ((entry.flags & Flag.dual) !== 0) return Reason.needsSecond;
  return Reason.granted;
}

/** Whether the lock's mode admits a role at the door (rules A60, C9). The roles past the prospect's never open one. */
function admits(mode: number, role: number): boolean {
  return role < Role.prospect || (role === Role.prospect && mode !== Mode.resident);
}

/** Whether an entry is restricted by a schedule: users are, administrators are not (rule A29). */
export function obeysSchedule(entry: Entry): boolean {
  return entry.schedule !== 0 && entry.role !== Role.admin;
}

/** Whether the time matters to this credential at all: when it does, an unknown clock refuses (rule T12). */
function hasTimeCondition(question: Question): boolean {
  const { entry } = question;
  if (entry.start !== 0 || entry.end !== 0 || obeysSchedule(entry)) return true;
  return entry.minutesAfterFirstUse !== 0 || entry.firstUseHours !== 0;
}

/** The instant at which an expiring-after-first-use credential ends (rule C12); 0 when it does not, or was not used yet. */
function useDeadline(question: Question): number {
  const { entry, usage } = question;
  if (entry.minutesAfterFirstUse === 0 || usage.firstUse === 0) return 0;
  return usage.firstUse + entry.minutesAfterFirstUse * MINUTE_S;
}

/** The instant by which a first use must have happened (rule C13); 0 when there is none, or it did. */
function firstUseDeadline(question: Question): number {
  const { entry, usage } = question;
  if (entry.firstUseHours === 0 || usage.used) return 0;
  return entry.start + entry.firstUseHours * HOUR_S;
}

function decideTime(question: Question): number {
  if (!hasTimeCondition(question)) return Reason.granted;
  const { entry, clock } = question;
  if (clock.trust === Trust.unknown) return Reason.clockUnknown;
  const earliest = clock.now - clock.bound;
  const latest = clock.now + clock.bound;
  if (entry.start !== 0 && earliest < entry.start) return Reason.notYetValid;
  if (entry.end !== 0 && latest >= entry.end) return Reason.expired;
  const deadline = useDeadline(question);
  if (deadline !== 0 && latest >= deadline) return Reason.expired;
  const firstUse = firstUseDeadline(question);
  if (firstUse !== 0 && latest >= firstUse) return Reason.firstUseMissed;
  if (!obeysSchedule(entry)) return Reason.granted;
  const { windows, windowCount, zone } = question;
  return openDuring(windows, windowCount, zone, earliest, latest) ? Reason.granted : Reason.outsideSchedule;
}

/** The smaller of two instants, where only those after `now` count and 0 is none. */
function sooner(best: number, candidate: number, now: number): number {
  if (candidate <= now) return best;
  return best === 0 || candidate < best ? candidate : best;
}

/** The next instant at which the schedule, its openings shrunk by the error bound at both ends, opens or closes; 0 for none in sight. */
function nextOpening(question: Question, open: boolean): number {
  const { windows, windowCount, zone, clock } = question;
  const { now, bound } = clock;
  if (open) return nextChange(windows, windowCount, zone, now + bound) - bound;
  let opens = nextChange(windows, windowCount, zone, now - bound);
  while (opens !== 0 && opens < now + SIGHT_S) {
    // An opening no longer than twice the bound has no second that is surely within it.
    if (openDuring(windows, windowCount, zone, opens, opens + 2 * bound)) return opens + bound;
    opens = nextChange(windows, windowCount, zone, opens);
  }
  return 0;
}

/** The next instant at which the decision is no longer `reason`, 0 for none in sight. Earlier checks hide what later ones wait for. */
function nextEdge(question: Question, reason: number): number {
  const { entry, clock } = question;
  const { now, bound } = clock;
  if (reason === Reason.notYetValid) return entry.start + bound;
  const isFinal = reason === Reason.expired || reason === Reason.clockUnknown;
  if (isFinal || reason === Reason.disabled || reason === Reason.wrongMode) return 0;
  let edge = sooner(0, entry.end - bound, now);
  edge = sooner(edge, useDeadline(question) - bound, now);
  edge = sooner(edge, firstUseDeadline(question) - bound, now);
  if (reason === Reason.firstUseMissed || !obeysSchedule(entry)) return edge;
  return sooner(edge, nextOpening(question, reason !== Reason.outsideSchedule), now);
}

/**
 * The decision with what comes next (rule T17): the same function, asked again at the next instant at which it changes. Supposes
 * that nobody uses the credential, and that the clock stays as good as it is.
 */
export function explain(question: Question): Explanation {
  const reason = decide(question);
  const next = nextEdge(question, reason);
  if (next === 0) return { reason, next, nextReason: reason };
  const clock: Instant = { ...question.clock, now: next };
  return { reason, next, nextReason: decide({ ...question, clock }) };
}
