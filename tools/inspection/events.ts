// The last events of a lock as plain values (rules L1, L11). An event that was written while the time was unknown keeps what it
// has: the number of its boot and the seconds since.

import type { EventLog, LockEvent } from "../../firmware/core/storage/events";
import {
  CREDENTIAL_NAMES,
  Credential,
  EVENT_NAMES,
  EventKind,
  METHOD_NAMES,
} from "../../firmware/core/storage/events";
import { reasonName } from "../../protocol/wire/codes";
import { TRUST_NAMES, Trust } from "../../protocol/wire/receipt";
import { MODE_NAMES } from "../../protocol/wire/settings";
import { isoText } from "../ui/time";

/** One event. Null where it has nothing to say. */
export interface EventView {
  readonly seq: number;
  readonly event: string;
  /** Of an attempt at the door. */
  readonly reason: string | null;
  readonly method: string;
  readonly mode: string;
  readonly trust: string;
  /** UTC seconds, null while the time was unknown. */
  readonly time: number | null;
  /** The same in ISO 8601. */
  readonly at: string | null;
  readonly boot: number;
  /** Seconds since that boot, where the time was unknown. */
  readonly uptime: number | null;
  /** Null for nobody, and for the master. */
  readonly user: number | null;
  readonly generation: number | null;
  /** What was presented: a kind of slot, "master", or "local" for a code programmed at the keypad. */
  readonly credential: string | null;
  readonly detail: number;
}

/** Which events can still be read. */
export interface KeptEvents {
  readonly count: number;
  /** The numbers of the oldest and the newest, 0 without any. */
  readonly first: number;
  readonly last: number;
  /** Numbers behind the oldest that were given and cannot be read: events that are lost. */
  readonly missing: readonly { readonly first: number; readonly last: number }[];
}

/** What {@link readEvents} found. */
export interface EventsRead {
  /** The newest events, oldest first. */
  readonly last: readonly EventView[];
  readonly kept: KeptEvents;
  /** The numbers of all. */
  readonly seqs: readonly number[];
}

/** Reads a log; `most` of the newest events are told whole. */
export function readEvents(log: EventLog, most: number): EventsRead {
  const last: EventView[] = [];
  const seqs: number[] = [];
  const missing: { first: number; last: number }[] = [];
  const goOn = (to: number): void => {
    const newest = seqs.at(-1);
    if (newest !== undefined && to > newest + 1) missing.push({ first: newest + 1, last: to - 1 });
  };
  log.read((event) => {
    goOn(event.seq);
    seqs.push(event.seq);
    last.push(eventView(event));
    if (last.length > most) last.shift();
  });
  goOn(log.next);
  return { last, kept: { count: seqs.length, first: seqs[0] ?? 0, last: seqs.at(-1) ?? 0, missing }, seqs };
}

function eventView(event: LockEvent): EventView {
  const isTimed = event.trust !== Trust.unknown;
  // Nothing that a delta puts has the generation 0: it is the master's.
  const hasUser = event.generation !== 0;
  return {
    seq: event.seq,
    event: EVENT_NAMES[event.kind] ?? `event-${event.kind}`,
    reason: isAttempt(event) ? reasonName(event.reason) : null,
    method: METHOD_NAMES[event.method] ?? `method-${event.method}`,
    mode: MODE_NAMES[event.mode] ?? `mode-${event.mode}`,
    trust: TRUST_NAMES[event.trust] ?? `trust-${event.trust}`,
    time: isTimed ? event.time : null,
    at: isTimed ? isoText(event.time) : null,
    boot: event.boot,
    uptime: isTimed ? null : event.time,
    user: hasUser ? event.user : null,
    generation: hasUser ? event.generation : null,
    credential: credentialName(event),
    detail: event.detail,
  };
}

/** Whether somebody was at the door: under duress they were let in, too. */
function isAttempt({ kind }: LockEvent): boolean {
  return kind === EventKind.granted || kind === EventKind.refused || kind === EventKind.duress;
}

/** What was presented. Of whoever calls the menu only the master is known by it, who has no generation. */
function credentialName({ kind, credential, generation }: LockEvent): string | null {
  if (credential !== Credential.none) return CREDENTIAL_NAMES[credential] ?? `credential-${credential}`;
  return kind >= EventKind.programmed && generation === 0 ? CREDENTIAL_NAMES[Credential.master] : null;
}
