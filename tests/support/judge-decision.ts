// Holds the lock's decision and its explanation against the reference (rule T17): one situation at a time, in words.

import { decide, type Explanation, explain } from "../../firmware/core/decide";
import { reasonName } from "../../protocol/wire/codes";
import type { Clock, Situation } from "./reference-decision";
import { nextVerdict, verdict } from "./reference-decision";
import { edgesOf, PLACES, questionOf } from "./situations";

const DAY_S = 86_400;

/** UTC seconds of a date and time such as "2026-06-01T12:00:00Z". */
export const utc = (text: string): number => Date.parse(text) / 1000;

/** A situation in which a resident without limits stands at a lock in UTC, in normal mode and without holidays. */
export function situation(more: Partial<Situation> & { readonly clock: Clock }): Situation {
  const past = { used: false, usesLeft: 0 };
  const ordinary = { past, mode: "normal", zone: "UTC", holidays: [], second: false } as const;
  return { credential: { role: "resident" }, ...ordinary, ...more };
}

/** The lock's decision. */
export const reasonOf = (one: Situation): string => reasonName(decide(questionOf(one)));

/** The lock's explanation in words; `next` is an ISO date, or "never". */
export function explained(one: Situation): { reason: string; next: string; after: string } {
  const { reason, next, nextReason } = explain(questionOf(one));
  const date = next === 0 ? "never" : new Date(next * 1000).toISOString();
  return { reason: reasonName(reason), next: date, after: reasonName(nextReason) };
}

/** The lock's decision, with what is wrong with it; undefined for nothing. */
export function judgeDecision(one: Situation): { reason: string; flaw: string | undefined } {
  const reason = reasonOf(one);
  const wanted = verdict(one);
  return {
    reason,
    flaw: reason === wanted ? undefined : `${reason}, wanted ${wanted}: ${JSON.stringify(one)}`,
  };
}

/** Instants beside which an explanation has to be right: limits and midnights give or take the error bound, and what it names itself. */
function probesOf(one: Situation, now: number, bound: number, next: number): number[] {
  const edges = [next, ...edgesOf(one).flatMap((edge) => [edge - bound, edge, edge + bound])];
  const probes = edges.flatMap((edge) => [edge - 1, edge, edge + 1]);
  // Where it is not known that the zone is that of Intl, nothing is asked.
  return probes.filter((probe) => probe > now && probe < PLACES.get(one.zone)!.until);
}

/** The first probe at which a reason is another than the explanation leaves it; undefined for none. */
function probeFlaw(one: Situation, { reason, next, nextReason }: Explanation): string | undefined {
  if (one.clock === "unknown") return undefined;
  const { now, bound } = one.clock;
  for (const probe of probesOf(one, now, bound, next)) {
    if (next !== 0 && probe > next) continue;
    const found = verdict({ ...one, clock: { now: probe, bound } });
    const told = reasonName(probe === next ? nextReason : reason);
    if (found !== told) return `${told}, wanted ${found} at ${probe}`;
  }
  return undefined;
}

/**
 * What is wrong with the explanation; undefined for nothing: its reason, its next change against a brute force over nine days, and
 * the reasons one second around each limit, far or near.
 */
export function explanationFlaw(one: Situation): string | undefined {
  const told = explain(questionOf(one));
  const { reason, next, nextReason } = told;
  const says = { reason: reasonName(reason), next, after: reasonName(nextReason) };
  const because = (wanted: unknown): string =>
    `${JSON.stringify(says)}, wanted ${JSON.stringify(wanted)}: ${JSON.stringify(one)}`;
  if (says.reason !== verdict(one)) return because(verdict(one));
  if ((next === 0) !== (says.after === says.reason)) return because("a change that is one");
  if (one.clock === "unknown") return next === 0 ? undefined : because("nothing in sight");
  const wanted = nextVerdict(one);
  const isRight =
    wanted === undefined
      ? next === 0 || next > one.clock.now + 9 * DAY_S
      : next === wanted.at && says.after === wanted.verdict;
  if (!isRight) return because(wanted ?? "nothing in nine days");
  const flaw = probeFlaw(one, told);
  return flaw && because(flaw);
}
