// A slot's entry: everything that deltas say of one slot, in 41 bytes. These bytes are what the lock keeps in flash and what the
// table digest is made of, so both ends of the wire share them. Nothing here is secret: a PIN is present only as its keyed tag.
//
//   0  u32  0 (5 bits: a store's own) | slot (10) | kind (2) | role (3) | minutes after first use (12)
//   4  u32  digits (3) | flags (5) | first-use hours (8) | uses (16)
//   8  u24  generation
//  11  12   tag
//  23  u32  user        27  u32  grantor, 0 none
//  31  u32  start, 0 none        35  u32  end, 0 none
//  39  u8   schedule, 0 always        40  u8   capabilities

import { getU24, getU32, putU24, putU32 } from "./bytes";
import { TAG_BYTES } from "./limits";

export const ENTRY_BYTES = 41;
/** Where the generation begins in a packed entry. */
export const ENTRY_GENERATION = 8;
/** Where an entry keeps its tag. */
export const ENTRY_TAG = 11;
/** Where an entry keeps its user. */
export const ENTRY_USER = 23;
/** Where an entry keeps its grantor. */
export const ENTRY_GRANTOR = 27;
/** Where an entry keeps its schedule. */
export const ENTRY_SCHEDULE = 39;

/** Kinds of credential (rule C7). Kind 1 is everything typed at the keypad. */
export const Kind = { pin: 1, phone: 2, card: 3 } as const;
export const KIND_NAMES: readonly string[] = ["none", "pin", "phone", "card"];

/** Roles (rule C9). */
export const Role = {
  admin: 0,
  resident: 1,
  team: 2,
  guest: 3,
  prospect: 4,
  programmingOnly: 5,
  remoteOnly: 6,
} as const;
export const ROLE_NAMES: readonly string[] = [
  "admin",
  "resident",
  "team",
  "guest",
  "prospect",
  "programming-only",
  "remote-only",
];

/** Flags of a slot. `disabled` is set by its own deltas only; the others come with a put or a change. */
export const Flag = { disabled: 1, dual: 2, duress: 4, lease: 8, notify: 16 } as const;
/** The flags that a put or a change may set. */
export const PUT_FLAGS = Flag.dual | Flag.duress | Flag.lease | Flag.notify;

/** Capability bits (rule X7). */
export const Capability = {
  grant: 1,
  resetCode: 2,
  resetLock: 4,
  readLog: 8,
  rename: 16,
  setMode: 32,
  firstIn: 64,
} as const;
export const ALL_CAPABILITIES = 0x7f;

/** One slot as numbers. A lock keeps one and fills it again and again; times are UTC seconds, 0 where there is none. */
export interface Entry {
  slot: number;
  kind: number;
  role: number;
  minutesAfterFirstUse: number;
  /** 4..10 for a PIN, 0 for any other kind. */
  digits: number;
  flags: number;
  firstUseHours: number;
  /** 0 is without limit. */
  uses: number;
  /** The seq of the put that filled the slot (rule C20). */
  generation: number;
  tag: Uint8Array;
  user: number;
  grantor: number;
  start: number;
  end: number;
  schedule: number;
  capabilities: number;
}

/** An entry with nothing in it, to be filled. */
export function emptyEntry(): Entry {
  return {
    slot: 0,
    kind: 0,
    role: 0,
    minutesAfterFirstUse: 0,
    digits: 0,
    flags: 0,
    firstUseHours: 0,
    uses: 0,
    generation: 0,
    tag: new Uint8Array(TAG_BYTES),
    user: 0,
    grantor: 0,
    start: 0,
    end: 0,
    schedule: 0,
    capabilities: 0,
  };
}

/** Writes `entry` as 41 bytes at `offset`; the store's own 5 bits become 0. Values must be in range. */
export function packEntry(entry: Entry, bytes: Uint8Array, offset: number): void {
  // Shifts of more than 26 bits of slot would reach the sign bit; the store's bits above stay 0, so this never happens.
  putU32(
    bytes,
    offset,
    (entry.slot << 17) | (entry.kind << 15) | (entry.role << 12) | entry.minutesAfterFirstUse,
  );
  const digits = entry.digits === 0 ? 0 : entry.digits - 3;
  putU32(
    bytes,
    offset + 4,
    ((digits << 29) | (entry.flags << 24) | (entry.firstUseHours << 16) | entry.uses) >>> 0,
  );
  putU24(bytes, offset + 8, entry.generation);
  bytes.set(entry.tag, offset + ENTRY_TAG);
  putU32(bytes, offset + ENTRY_USER, entry.user);
  putU32(bytes, offset + ENTRY_GRANTOR, entry.grantor);
  putU32(bytes, offset + 31, entry.start);
  putU32(bytes, offset + 35, entry.end);
  bytes[offset + ENTRY_SCHEDULE] = entry.schedule;
  bytes[offset + 40] = entry.capabilities;
}

/** Fills `entry` from 41 bytes at `offset`; the store's own bits are left out. The tag is copied. */
export function unpackEntry(bytes: Uint8Array, offset: number, entry: Entry): void {
  const first = getU32(bytes, offset);
  entry.slot = (first >>> 17) & 0x3ff;
  entry.kind = (first >>> 15) & 3;
  entry.role = (first >>> 12) & 7;
  entry.minutesAfterFirstUse = first & 0xfff;
  const second = getU32(bytes, offset + 4);
  const digits = second >>> 29;
  entry.digits = digits === 0 ? 0 : digits + 3;
  entry.flags = (second >>> 24) & 0x1f;
  entry.firstUseHours = (second >>> 16) & 0xff;
  entry.uses = second & 0xffff;
  entry.generation = getU24(bytes, offset + 8);
  for (let i = 0; i < TAG_BYTES; i++) entry.tag[i] = bytes[offset + ENTRY_TAG + i];
  entry.user = getU32(bytes, offset + ENTRY_USER);
  entry.grantor = getU32(bytes, offset + ENTRY_GRANTOR);
  entry.start = getU32(bytes, offset + 31);
  entry.end = getU32(bytes, offset + 35);
  entry.schedule = bytes[offset + ENTRY_SCHEDULE];
  entry.capabilities = bytes[offset + 40];
}
