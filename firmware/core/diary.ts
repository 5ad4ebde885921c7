// Writing events (rules L1, L4, L11): what happened, with the time as far as it is known. Where it is not, the entry carries
// seconds since boot and is never rewritten.

import type { Entry } from "../../protocol/wire/entry";
import { Trust } from "../../protocol/wire/messages";
import type { LockClock } from "./clock";
import type { EventLog, LockEvent } from "./storage/events";
import { Credential, EventKind, emptyEvent, Method } from "./storage/events";

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

  /** Notes something that a person did beside opening. False when it could not be committed. */
  done(kind: number, detail: number, method: number, who: { user: number; generation: number }): boolean {
    const event = this.#stamp(kind, method, 0, detail);
    event.user = who.user;
    event.generation = who.generation;
    return this.#events.append(event);
  }

  /** Notes an attempt at the door; `entry` is left out when nobody was found. False when it could not be committed. */
  attempt(reason: number, method: number, entry?: Entry, credential: number = Credential.none): boolean {
    const kind = reason === 0 ? EventKind.granted : EventKind.refused;
    return this.#append(this.#stamp(kind, method, reason, 0), entry, credential);
  }

  /** Notes an opening under duress: to the person at the door it is like any other (rule C16). */
  duress(method: number, entry: Entry, credential: number): boolean {
    return this.#append(this.#stamp(EventKind.duress, method, 0, 0), entry, credential);
  }

  #append(event: LockEvent, entry: Entry | undefined, credential: number): boolean {
    if (entry !== undefined) {
      event.user = entry.user;
      event.generation = entry.generation;
      event.credential = credential;
    }
    return this.#events.append(event);
  }
}
