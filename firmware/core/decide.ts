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
import type { Usage } from "./table";

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

/** How many instants are looked at before a next change counts as out of sight. */
const MAX_STEPS = 64;
const MINUTE_S = 60;
const HOUR_S = 3600;

/** The decision for a credential that was found and is whole (rules C9 to C14, A26 to A36, T4 to T6, T11, T12). */
export function decide(question: Question): number {
  const { entry } = question;
  if ((entry.flags & Flag.disabled) !== 0) return Reason.disabled;
  if (!admits(question.mode, entry.role)) return Reason.wrongMode;
  const timely = decideTime(question);
  if (timely !== Reason.granted) return timely;
  if (entry.uses > 0 && question.usage.left === 0) return Reason.usedUp;
  return Reason.granted;
}

/** Whether the lock's mode admits a role at the door (rules A60, C9). */
function admits(mode: number, role: number): boolean {
  if (role === Role.programmingOnly || role === Role.remoteOnly) return false;
  return role !== Role.prospect || mode !== Mode.resident;
}

/** A schedule restricts users, not administrators (rule A29). */
function obeysSchedule(entry: Entry): boolean {
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

/** The next instant at which the decision could change, 0 for none. */
function nextEdge(question: Question): number {
  const { entry, clock } = question;
  const { now, bound } = clock;
  let edge = 0;
  if (entry.start !== 0) edge = sooner(edge, entry.start + bound, now);
  if (entry.end !== 0) edge = sooner(edge, entry.end - bound, now);
  const deadline = useDeadline(question);
  if (deadline !== 0) edge = sooner(edge, deadline - bound, now);
  const firstUse = firstUseDeadline(question);
  if (firstUse !== 0) edge = sooner(edge, firstUse - bound, now);
  if (!obeysSchedule(entry)) return edge;
  const { windows, windowCount, zone } = question;
  // What is open at both ends of the error bound changes when either end passes an edge of a window.
  const late = nextChange(windows, windowCount, zone, now - bound);
  if (late !== 0) edge = sooner(edge, late + bound, now);
  const early = nextChange(windows, windowCount, zone, now + bound);
  if (early !== 0) edge = sooner(edge, early - bound, now);
  return edge;
}

/** The decision with what comes next (rule T17): the same function, asked again at every instant where it could change. */
export function explain(question: Question): Explanation {
  const reason = decide(question);
  const none = { reason, next: 0, nextReason: reason };
  if (question.clock.trust === Trust.unknown) return none;
  const clock: Instant = { ...question.clock };
  const later: Question = { ...question, clock };
  for (let step = 0; step < MAX_STEPS; step++) {
    const edge = nextEdge(later);
    if (edge === 0) return none;
    clock.now = edge;
    const nextReason = decide(later);
    if (nextReason !== reason) return { reason, next: edge, nextReason };
  }
  return none;
}
