// Writing events (rules L1, L4, L11): what happened, with the time as far as it is known. Where it is not, the entry carries
// seconds since boot and is never rewritten.

import type { Entry } from "../../protocol/wire/entry";
import { Trust } from "../../protocol/wire/messages";
import type { LockClock } from "./clock";
import type { EventLog, LockEvent } from "./storage/events";
import { EventKind, emptyEvent, Method } from "./storage/events";

export class Diary {
  /** The operating mode that events are stamped with. */
  mode = 0;
  readonly #events: EventLog;
  readonly #clock: LockClock;
  readonly #event: LockEvent = emptyEvent();

  constructor(events: EventLog, clock: LockClock) {
    this.#events = events;
    this.#clock = clock;
  }

  #stamp(kind: number, method: number, reason: number, detail: number): LockEvent {
    const event = this.#event;
    const instant = this.#clock.read();
    event.kind = kind;
    event.method = method;
    event.reason = reason;
    event.detail = detail;
    event.trust = instant.trust;
    event.time = instant.trust === Trust.unknown ? Math.floor(this.#clock.uptime()) : instant.now;
    event.mode = this.mode;
    event.user = event.generation = event.credential = 0;
    return event;
  }

  /** Notes something that no credential did. False when it could not be committed. */
  note(kind: number, detail: number, method: number = Method.link): boolean {
    return this.#events.append(this.#stamp(kind, method, 0, detail));
  }

  /** Notes an attempt at the door; `entry` is undefined when no slot was found. False when it could not be committed. */
  attempt(reason: number, method: number, entry: Entry | undefined): boolean {
    const event = this.#stamp(reason === 0 ? EventKind.granted : EventKind.refused, method, reason, 0);
    if (entry !== undefined) {
      event.user = entry.user;
      event.generation = entry.generation;
      event.credential = entry.kind;
    }
    return this.#events.append(event);
  }
}
