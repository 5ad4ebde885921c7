// The last refusals, for whoever comes to see why a door stays shut (rules I2, L11): out of the event log, newest first. Nothing of it tells
// who was refused, and nothing is kept for it. Work and memory have a bound, whatever the log holds: see `EventLog.readBack`.

import { Reason } from "../../protocol/wire/codes";
import { Trust } from "../../protocol/wire/receipt";
import type { Refusal } from "../../protocol/wire/refusals";
import { RefusalsWriter } from "../../protocol/wire/refusals";
import type { EventLog, LockEvent } from "./storage/events";
import { EventKind } from "./storage/events";

/** The body of a message with the last refusals, newest first; none before event `first`, which is an earlier owner's. */
export function refusalsSince(events: EventLog, first: number): Uint8Array {
  const writer = new RefusalsWriter();
  const refusal: Refusal = { method: 0, reason: 0, count: 0, trust: 0, time: 0, boot: 0, dated: 0 };
  // The boot in which a clock was set, the first time behind the event, and when that boot was by it.
  let setBoot = -1;
  let bootedAt = 0;
  events.readBack((event) => {
    if (event.seq < first) return false;
    if (event.kind === EventKind.clockSet) {
      setBoot = event.boot;
      bootedAt = event.time - event.user;
    }
    if (!isRefusal(event)) return true;
    fill(refusal, event, event.boot === setBoot ? bootedAt : 0);
    writer.add(refusal);
    return writer.hasRoom;
  });
  return writer.body();
}

function isRefusal({ kind }: LockEvent): boolean {
  return kind === EventKind.refused || kind === EventKind.suppressed;
}

/** Takes over what an event tells of the door, and nothing of who was there; `bootedAt` in UTC seconds, 0 where it is not known. */
function fill(refusal: Refusal, event: LockEvent, bootedAt: number): void {
  // Only during a wait are entries counted instead of told one by one.
  const isCounted = event.kind === EventKind.suppressed;
  refusal.reason = isCounted ? Reason.lockedOut : event.reason;
  refusal.count = isCounted ? event.detail : 1;
  refusal.method = event.method;
  refusal.trust = event.trust;
  refusal.time = event.time;
  refusal.boot = event.boot;
  refusal.dated = event.trust === Trust.unknown && bootedAt > 0 ? bootedAt + event.time : 0;
}
