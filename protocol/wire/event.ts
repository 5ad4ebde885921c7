// What an event is (rules L1, L11), and how it stands in the 32 bytes of an entry, which are the same in the lock's flash and on a page that it
// gives out, so that the hash chain over them can be computed at both ends. What else stands in an entry is the store's own.
//
// hint (2 bits), kind (6) | reason | method (4), hint (2), trust (2) | credential (4), mode (4) | seq (4) | time (4) |
// boot, low (2) | generation (3) | user (4) | detail (4) | boot, high (7 bits), the store's own (1) | the store's own (2) | crc (4)

import { getU16, getU24, getU32 } from "./bytes";
import { KIND_NAMES, Kind } from "./entry";

/** Kinds of event. */
export const EventKind = {
  boot: 1,
  granted: 2,
  refused: 3,
  synced: 4,
  clockSet: 5,
  claimed: 6,
  keyset: 7,
  forked: 8,
  relocked: 9,
  setting: 10,
  lockout: 11,
  suppressed: 12,
  duress: 13,
  unlocked: 14,
  programmed: 15,
  unprogrammed: 16,
  hours: 17,
  command: 18,
  reset: 19,
  resetAsked: 20,
  rebased: 21,
} as const;
export const EVENT_NAMES: readonly string[] = [
  "none",
  "boot",
  "granted",
  "refused",
  "synced",
  "clock-set",
  "claimed",
  "keyset",
  "forked",
  "relocked",
  "setting",
  "lockout",
  "suppressed",
  "duress",
  "unlocked",
  "programmed",
  "unprogrammed",
  "hours",
  "command",
  "reset",
  "reset-asked",
  "rebased",
];

/** What was presented: a `Kind` of the protocol, or what no delta puts into a slot. */
export const Credential = { none: 0, ...Kind, master: 4, local: 5, offline: 6 } as const;
export const CREDENTIAL_NAMES: readonly string[] = [...KIND_NAMES, "master", "local", "offline"];

/** How a person or a message came. */
export const Method = { none: 0, keypad: 1, card: 2, phone: 3, link: 4, auto: 5 } as const;
export const METHOD_NAMES: readonly string[] = ["none", "keypad", "card", "phone", "link", "auto"];

/** One event. `time` is UTC seconds, or seconds since boot where the trust is unknown (rule L11). */
export interface LockEvent {
  seq: number;
  kind: number;
  reason: number;
  method: number;
  trust: number;
  mode: number;
  time: number;
  boot: number;
  user: number;
  generation: number;
  credential: number;
  detail: number;
}

/** An event with nothing in it, to be filled. */
export function emptyEvent(): LockEvent {
  return {
    seq: 0,
    kind: 0,
    reason: 0,
    method: 0,
    trust: 0,
    mode: 0,
    time: 0,
    boot: 0,
    user: 0,
    generation: 0,
    credential: 0,
    detail: 0,
  };
}

/** Takes an event out of the 32 bytes of an entry; looks at no checksum. */
export function unpackEvent(bytes: Uint8Array, at: number, event: LockEvent): void {
  event.kind = kindOf(bytes, at);
  event.reason = bytes[at + 1];
  event.method = bytes[at + 2] >>> 4;
  event.trust = bytes[at + 2] & 3;
  event.credential = bytes[at + 3] >>> 4;
  event.mode = bytes[at + 3] & 15;
  event.seq = seqOf(bytes, at);
  event.time = getU32(bytes, at + 8);
  event.boot = bootOf(bytes, at);
  event.generation = getU24(bytes, at + 14);
  event.user = getU32(bytes, at + 17);
  event.detail = getU32(bytes, at + 21);
}

/** The kind of an entry. */
export const kindOf = (bytes: Uint8Array, at: number): number => bytes[at] & 63;
/** Its number. */
export const seqOf = (bytes: Uint8Array, at: number): number => getU32(bytes, at + 4);
/** The boot in which it happened. */
export const bootOf = (bytes: Uint8Array, at: number): number =>
  ((bytes[at + 25] >>> 1) << 16) | getU16(bytes, at + 12);
