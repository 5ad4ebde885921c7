// Writing events (rules L1, L4, L11): what happened, with the time as far as it is known. Where it is not, the entry carries
// seconds since boot and is never rewritten.

import { type Entry, Flag } from "../../protocol/wire/entry";
import { Trust } from "../../protocol/wire/receipt";
import type { LockClock } from "./clock";
import type { EventLog, LockEvent } from "./storage/events";
import { Credential, EventKind, emptyEvent, Method } from "./storage/events";

/** What the detail of an opening says, as bits. */
export const GrantDetail = { first: 1, notify: 2 } as const;

export class Diary {
  /** The operating mode that events are stamped with. */
  mode = 0;
  /** The newest event that its owner had better hear of soon (rule L3): after a boot, for all that is known, the newest of all. */
  urgent = 0;
  /** Where the log stood when a fork was noted last; −1 when none was since boot. */
  #forkedAt = -1;
  readonly #events: EventLog;
  readonly #clock: LockClock;
  readonly #event: LockEvent = emptyEvent();

  constructor(events: EventLog, clock: LockClock) {
    this.#events = events;
    this.#clock = clock;
    this.urgent = events.next - 1;
  }

  private stamp(kind: number, method: number, reason: number, detail: number): LockEvent {
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
    return this.#events.append(this.stamp(kind, method, 0, detail));
  }

  /** Notes something that a person did beside opening, or was refused for a reason. False when it could not be committed. */
  done(
    kind: number,
    detail: number,
    method: number,
    who: { user: number; generation: number },
    reason = 0,
  ): boolean {
    const event = this.stamp(kind, method, reason, detail);
    event.user = who.user;
    event.generation = who.generation;
    return this.#events.append(event);
  }

  /**
   * Notes that a bundle from position `first` on was of another log than that which stands at `applied`. Once for each position: a courier
   * that repeats it for ever must not write the log over.
   */
  fork(applied: number, first: number): void {
    if (this.#forkedAt !== applied) this.note(EventKind.forked, first);
    this.#forkedAt = applied;
  }

  /** Notes an attempt at the door; `entry` is left out when nobody was found. False when it could not be committed. */
  attempt(reason: number, method: number, entry?: Entry, credential: number = Credential.none): boolean {
    const kind = reason === 0 ? EventKind.granted : EventKind.refused;
    return this.append(this.stamp(kind, method, reason, 0), entry, credential);
  }

  /** Notes that a credential opened; `isFirst` for its first use in this generation (rule L6). False when it could not be committed. */
  granted(method: number, entry: Entry, credential: number, isFirst: boolean): boolean {
    const isDuress = (entry.flags & Flag.duress) !== 0;
    const notifies = (entry.flags & Flag.notify) !== 0;
    const detail = (isFirst ? GrantDetail.first : 0) | (notifies ? GrantDetail.notify : 0);
    // Under duress it looks to the person at the door like any other opening (rule C16).
    const kind = isDuress ? EventKind.duress : EventKind.granted;
    const isNoted = this.append(this.stamp(kind, method, 0, detail), entry, credential);
    if (isNoted && (isDuress || notifies || credential === Credential.master)) this.isUrgent();
    return isNoted;
  }

  private isUrgent(): void {
    this.urgent = this.#events.next - 1;
  }

  /** Notes an opening under duress: to the person at the door it is like any other (rule C16). */
  duress(method: number, entry: Entry, credential: number): boolean {
    const isNoted = this.append(this.stamp(EventKind.duress, method, 0, 0), entry, credential);
    if (isNoted) this.isUrgent();
    return isNoted;
  }

  private append(event: LockEvent, entry: Entry | undefined, credential: number): boolean {
    if (entry !== undefined) {
      event.user = entry.user;
      event.generation = entry.generation;
      event.credential = credential;
    }
    return this.#events.append(event);
  }
}
