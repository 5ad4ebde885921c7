// An installer's round (rules A44, S5, S7, S10): visits each door of a work list that is in range and needs it, the most needy first, and
// leaves out those whose locks show that they have everything.

import type { Mailbox } from "../../protocol/courier/courier";
import { toHex } from "../../protocol/wire/bytes";
import type { Reach } from "../links/reach";
import { unreported, type WorkDoor, type WorkList } from "../worklist/work-list";
import type { SkippedEvent, SummaryEvent, Tell, VisitedEvent } from "./events";
import { hasEverything, type Need } from "./need";
import { scan } from "./scan";
import { standingOf } from "./standing";
import { visitDoor } from "./visit";

/** A round. */
export interface Round {
  readonly list: WorkList;
  /** The doors that are meant. */
  readonly doors: readonly WorkDoor[];
  readonly reach: Reach;
  /** How long locks are looked for. */
  readonly seconds: number;
  /** Whether doors are visited that seem to need nothing. */
  readonly all: boolean;
  /** The office's answer to a door's nonce, where it can be had from there. */
  readonly timeOf?: (door: WorkDoor) => Mailbox["time"];
  readonly signal?: AbortSignal;
  readonly tell: Tell;
}

/** Does a round, and tells all that happens. */
export async function syncDoors(round: Round): Promise<SummaryEvent> {
  const { list, doors, reach, timeOf, signal, tell } = round;
  const { visits, skipped } = await whom(round);
  const events: (VisitedEvent | SkippedEvent)[] = [];
  const skip = (event: SkippedEvent): void => {
    events.push(event);
    tell(event);
  };
  skipped.forEach(skip);
  for (const door of visits) {
    if (signal?.aborted === true) {
      skip(skippedEvent(list, door, "interrupted"));
      continue;
    }
    const time = timeOf?.(door);
    events.push(
      await visitDoor({ list, door, reach, tell, signal, ...(time === undefined ? {} : { time }) }),
    );
  }
  const summary = sumUp(events, unreported(list, doors));
  tell(summary);
  return summary;
}

function skippedEvent(list: WorkList, door: WorkDoor, why: SkippedEvent["why"], need?: Need): SkippedEvent {
  const { refused } = standingOf(list, door);
  return {
    event: "skipped",
    door: door.door,
    lock: toHex(door.lock),
    why,
    refused: refused.length,
    clockUnknown: need?.clockUnknown ?? null,
  };
}

/** Whom to visit, in which order, and whom not. Nobody looks longer than until all are seen. */
async function whom({ list, doors, reach, seconds, all, timeOf, signal }: Round): Promise<{
  readonly visits: readonly WorkDoor[];
  readonly skipped: readonly SkippedEvent[];
}> {
  const enough = new AbortController();
  const seen = await scan({
    list,
    reach,
    seconds,
    signal: AbortSignal.any([enough.signal, ...(signal === undefined ? [] : [signal])]),
    tell: () => {},
    onChange: (all) => {
      if (doors.every((each) => all.some(({ door }) => door === each))) enough.abort();
    },
  });
  // Where locks do not show themselves, all that can be done is to ask.
  if (seen === undefined) return { visits: doors, skipped: [] };
  const visits: WorkDoor[] = [];
  const skipped: SkippedEvent[] = [];
  for (const { door, need } of seen) {
    if (door === undefined || need === undefined || !doors.includes(door)) continue;
    if (all || !hasEverything(need, timeOf !== undefined)) visits.push(door);
    else skipped.push(skippedEvent(list, door, "has-everything", need));
  }
  const near = seen.map(({ door }) => door);
  for (const door of doors.filter((each) => !near.includes(each)))
    skipped.push(skippedEvent(list, door, "not-in-range"));
  return { visits, skipped };
}

/** Whether a visit left nothing to be looked at. */
export const isFine = ({ outcome, refused, done, of, latest }: VisitedEvent): boolean =>
  outcome === "done" &&
  refused === 0 &&
  done === of &&
  latest?.is !== "other-log" &&
  latest?.is !== "other-table";

function sumUp(events: readonly (VisitedEvent | SkippedEvent)[], open: number): SummaryEvent {
  const visited = events.filter((event) => event.event === "visited");
  const skipped = events.filter((event) => event.event === "skipped");
  const skips = (why: SkippedEvent["why"]): number => skipped.filter((event) => event.why === why).length;
  const has = skipped.filter(({ why }) => why === "has-everything");
  const refusedBefore = has.filter(({ refused }) => refused > 0).length;
  const fine = visited.filter(isFine).length;
  return {
    event: "summary",
    fine,
    skipped: has.length - refusedBefore,
    wrong: visited.length - fine + skips("interrupted") + refusedBefore,
    notInRange: skips("not-in-range"),
    unreported: open,
  };
}
