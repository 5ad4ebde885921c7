// Deltas: the operations that a bundle carries, each `[op, {key: value}]`. Here are their numbers, shared by both ends, and the
// lock's reader, which turns one into numbers with every field checked. What the numbers mean for the table is the table's part.
// A delta that is well formed never stops a bundle: a field that is wrong gives a result code of class "refused" instead.

import type { Reader } from "./cbor";
import { Code } from "./codes";
import type { Entry } from "./entry";
import { ALL_CAPABILITIES, emptyEntry, Kind, PUT_FLAGS, Role } from "./entry";
import {
  FIRST_EXTENSION_KEY,
  MAX_FIRST_USE_HOURS,
  MAX_MINUTES_AFTER_FIRST_USE,
  MAX_PAIRS,
  MAX_PIN_DIGITS,
  MAX_SCHEDULE_ID,
  MAX_SEQ,
  MAX_SETTING_BYTES,
  MAX_U32,
  MAX_USES,
  MAX_WINDOWS,
  MIN_PIN_DIGITS,
  TAG_BYTES,
} from "./limits";
import { packWindow } from "./windows";

/** Operations. A number that is not here is consumed as unsupported. */
export const Op = {
  put: 1,
  change: 2,
  drop: 3,
  enable: 4,
  disable: 5,
  revoke: 6,
  putSchedule: 7,
  dropSchedule: 8,
  set: 11,
  wipe: 12,
} as const;

/** Keys of put and change. */
export const Field = {
  slot: 0,
  kind: 1,
  tag: 2,
  digits: 3,
  user: 4,
  role: 5,
  grantor: 6,
  schedule: 7,
  start: 8,
  end: 9,
  uses: 10,
  minutesAfterFirstUse: 11,
  firstUseHours: 12,
  capabilities: 13,
  flags: 14,
  /** put: the generation that it replaces; change, drop, enable, disable: the generation that it means. */
  generation: 15,
} as const;

/** One delta as numbers, read into the same object again and again. Which fields count depends on `op`. */
export interface DeltaFields {
  op: number;
  /** put and change: the new content; `generation` is the one that the delta names, 0 for a put into an empty slot. */
  entry: Entry;
  /** revoke: the user. */
  user: number;
  /** Schedule id or setting. */
  id: number;
  windows: Uint32Array;
  windowCount: number;
  /** A view into the bundle. */
  value: Uint8Array;
}

const NOTHING = new Uint8Array(0);
/** A bit per key below 32, for "which were present". */
type Keys = number;

/** A delta with nothing in it, to be filled by {@link readDelta}. */
export function emptyDelta(): DeltaFields {
  return {
    op: 0,
    entry: emptyEntry(),
    user: 0,
    id: 0,
    windows: new Uint32Array(MAX_WINDOWS),
    windowCount: 0,
    value: NOTHING,
  };
}

function clear(entry: Entry): void {
  entry.slot = entry.kind = entry.role = entry.minutesAfterFirstUse = entry.digits = entry.flags = 0;
  entry.firstUseHours = entry.uses = entry.generation = entry.user = entry.grantor = 0;
  entry.start = entry.end = entry.schedule = entry.capabilities = 0;
  entry.tag.fill(0);
}

function readEntryField(reader: Reader, key: number, entry: Entry): void {
  switch (key) {
    case Field.slot:
      entry.slot = reader.uint(0xffff);
      break;
    case Field.kind:
      entry.kind = reader.uint(0xff);
      break;
    case Field.tag:
      entry.tag.set(reader.raw(TAG_BYTES));
      break;
    case Field.digits:
      entry.digits = reader.uint(0xff);
      break;
    case Field.user:
      entry.user = reader.uint(MAX_U32);
      break;
    case Field.role:
      entry.role = reader.uint(0xff);
      break;
    case Field.grantor:
      entry.grantor = reader.uint(MAX_U32);
      break;
    case Field.schedule:
      entry.schedule = reader.uint(MAX_SCHEDULE_ID);
      break;
    case Field.start:
      entry.start = reader.uint(MAX_U32);
      break;
    case Field.end:
      entry.end = reader.uint(MAX_U32);
      break;
    case Field.uses:
      entry.uses = reader.uint(MAX_USES);
      break;
    case Field.minutesAfterFirstUse:
      entry.minutesAfterFirstUse = reader.uint(MAX_MINUTES_AFTER_FIRST_USE);
      break;
    case Field.firstUseHours:
      entry.firstUseHours = reader.uint(MAX_FIRST_USE_HOURS);
      break;
    case Field.capabilities:
      entry.capabilities = reader.uint(0xff);
      break;
    case Field.flags:
      entry.flags = reader.uint(0xff);
      break;
    case Field.generation:
      entry.generation = reader.uint(MAX_SEQ);
      break;
    default:
      skipExtension(reader, key);
  }
}

/** Keys from 128 up may come from a later version and are ignored; an unknown one below is critical (rule X9). */
function skipExtension(reader: Reader, key: number): void {
  if (key < FIRST_EXTENSION_KEY) reader.fail();
  else reader.skip();
}

function readEntry(reader: Reader, entry: Entry): Keys {
  clear(entry);
  let keys = 0;
  let key = -1;
  for (let n = reader.map(MAX_PAIRS); n > 0 && reader.ok; n--) {
    key = reader.key(key);
    readEntryField(reader, key, entry);
    if (key < 32) keys |= 1 << key;
  }
  return keys;
}

const bit = (key: number): Keys => 1 << key;
const NAMED: Keys = bit(Field.slot) | bit(Field.generation);
const PUT_NEEDS: Keys =
  bit(Field.slot) | bit(Field.kind) | bit(Field.tag) | bit(Field.user) | bit(Field.role);
const CHANGE_NEEDS: Keys = NAMED | bit(Field.role);
const CHANGE_TAKES: Keys =
  CHANGE_NEEDS |
  bit(Field.schedule) |
  bit(Field.start) |
  bit(Field.end) |
  bit(Field.minutesAfterFirstUse) |
  bit(Field.firstUseHours) |
  bit(Field.capabilities) |
  bit(Field.flags);

/** What put and change have in common: role, flags, times (rules A5, A36, C9, T4). */
function checkTerms(entry: Entry): number {
  if (entry.role > Role.remoteOnly) return Code.unsupported;
  if ((entry.flags & ~PUT_FLAGS) !== 0) return Code.unsupported;
  if ((entry.capabilities & ~ALL_CAPABILITIES) !== 0) return Code.unsupported;
  if (entry.start !== 0 && entry.end !== 0 && entry.start >= entry.end) return Code.range;
  if (entry.role === Role.guest && (entry.start === 0 || entry.end === 0)) return Code.badFormat;
  if (entry.firstUseHours !== 0 && entry.start === 0) return Code.badFormat;
  return Code.applied;
}

/** What a put must make of a slot, whatever else is in the table: applied, or the code of what is wrong with it. */
export function checkEntry(entry: Entry): number {
  if (entry.kind < Kind.pin || entry.kind > Kind.card) return Code.unsupported;
  if (entry.kind === Kind.pin) {
    if (entry.digits < MIN_PIN_DIGITS || entry.digits > MAX_PIN_DIGITS) return Code.badFormat;
  } else if (entry.digits !== 0) return Code.badFormat;
  if (entry.user === 0 || entry.user === entry.grantor) return Code.badFormat;
  return checkTerms(entry);
}

function checkPut(entry: Entry, keys: Keys): number {
  return (keys & PUT_NEEDS) === PUT_NEEDS ? checkEntry(entry) : Code.badFormat;
}

function checkChange(entry: Entry, keys: Keys): number {
  if ((keys & CHANGE_NEEDS) !== CHANGE_NEEDS || (keys & ~CHANGE_TAKES) !== 0) return Code.badFormat;
  return checkTerms(entry);
}

function readRevoke(reader: Reader, delta: DeltaFields): number {
  delta.user = 0;
  let key = -1;
  for (let n = reader.map(MAX_PAIRS); n > 0 && reader.ok; n--) {
    key = reader.key(key);
    if (key === Field.user) delta.user = reader.uint(MAX_U32);
    else skipExtension(reader, key);
  }
  return delta.user === 0 ? Code.badFormat : Code.applied;
}

/** Windows come as `[days, start minute, duration in minutes]` (rule T1). */
function readWindows(reader: Reader, delta: DeltaFields): void {
  delta.windowCount = reader.array(MAX_WINDOWS);
  for (let i = 0; i < delta.windowCount && reader.ok; i++) {
    if (reader.array(3) !== 3) reader.fail();
    const days = reader.uint(127);
    const start = reader.uint(1439);
    const duration = reader.uint(1440);
    const packed = packWindow(days, start, duration);
    if (packed === undefined) reader.fail();
    else delta.windows[i] = packed;
  }
}

function readSchedule(reader: Reader, delta: DeltaFields): number {
  delta.id = delta.windowCount = 0;
  let key = -1;
  for (let n = reader.map(MAX_PAIRS); n > 0 && reader.ok; n--) {
    key = reader.key(key);
    if (key === 0) delta.id = reader.uint(MAX_SCHEDULE_ID);
    else if (key === 1 && delta.op === Op.putSchedule) readWindows(reader, delta);
    else skipExtension(reader, key);
  }
  if (delta.id === 0) return Code.badFormat;
  return delta.op === Op.putSchedule && delta.windowCount === 0 ? Code.badFormat : Code.applied;
}

function readSet(reader: Reader, delta: DeltaFields): number {
  delta.id = 0;
  delta.value = NOTHING;
  let key = -1;
  for (let n = reader.map(MAX_PAIRS); n > 0 && reader.ok; n--) {
    key = reader.key(key);
    if (key === 0) delta.id = reader.uint(0xff);
    else if (key === 1) delta.value = reader.raw(1, MAX_SETTING_BYTES);
    else skipExtension(reader, key);
  }
  return delta.id === 0 || delta.value.length === 0 ? Code.badFormat : Code.applied;
}

function readWipe(reader: Reader): number {
  let key = -1;
  for (let n = reader.map(MAX_PAIRS); n > 0 && reader.ok; n--) {
    key = reader.key(key);
    skipExtension(reader, key);
  }
  return Code.applied;
}

function readBody(reader: Reader, delta: DeltaFields): number {
  switch (delta.op) {
    case Op.put:
      return checkPut(delta.entry, readEntry(reader, delta.entry));
    case Op.change:
      return checkChange(delta.entry, readEntry(reader, delta.entry));
    case Op.drop:
    case Op.enable:
    case Op.disable:
      return readEntry(reader, delta.entry) === NAMED ? Code.applied : Code.badFormat;
    case Op.revoke:
      return readRevoke(reader, delta);
    case Op.putSchedule:
    case Op.dropSchedule:
      return readSchedule(reader, delta);
    case Op.set:
      return readSet(reader, delta);
    case Op.wipe:
      return readWipe(reader);
    default:
      return Code.unsupported;
  }
}

/**
 * Whether the next item has the form of a delta, `[op, {…}]`, whatever the op; the reader moves behind it. An item that has not
 * makes the whole bundle malformed.
 */
export function skipDelta(reader: Reader): boolean {
  if (reader.array(2) !== 2) reader.fail();
  reader.uint(0xffff);
  if (reader.peek() !== 5) reader.fail();
  // Message, envelope, payload and delta list nest around it; eight levels are allowed in all, three are used.
  reader.skip(5);
  return reader.ok;
}

/**
 * Reads one delta whose form {@link skipDelta} has seen. Returns `Code.applied` when every field is in its format, else the
 * code of class "refused" that the delta's ack shall carry. The reader may stand anywhere afterwards.
 */
export function readDelta(reader: Reader, delta: DeltaFields): number {
  reader.array(2);
  delta.op = reader.uint(0xffff);
  const code = readBody(reader, delta);
  if (code === Code.unsupported) return code;
  return reader.ok ? code : Code.badFormat;
}
