// What a lock's table must be after any deltas, written once more from the rules and the layout of an entry alone: plain maps, no
// flash, no index. It judges the table of the core and shares nothing with it.

import { createHash } from "node:crypto";

/** A window: days as bits from Sunday, start minute of the day, minutes. */
export interface Window {
  readonly days: number;
  readonly start: number;
  readonly duration: number;
}

interface Terms {
  readonly role: number;
  readonly schedule?: number;
  readonly start?: number;
  readonly end?: number;
  readonly minutesAfterFirstUse?: number;
  readonly firstUseHours?: number;
  readonly capabilities?: number;
  readonly flags?: number;
}

export interface Put extends Terms {
  readonly op: "put";
  readonly slot: number;
  readonly kind: number;
  readonly tag: Uint8Array;
  readonly digits?: number;
  readonly user: number;
  readonly grantor?: number;
  readonly uses?: number;
  readonly generation?: number;
}

export interface Change extends Terms {
  readonly op: "change";
  readonly slot: number;
  readonly generation: number;
}

/** An operation, as the issuer says it. */
export type Operation =
  | Put
  | Change
  | { readonly op: "drop" | "enable" | "disable"; readonly slot: number; readonly generation: number }
  | { readonly op: "revoke"; readonly user: number }
  | { readonly op: "put-schedule"; readonly id: number; readonly windows: readonly Window[] }
  | { readonly op: "drop-schedule"; readonly id: number }
  | { readonly op: "set"; readonly setting: number; readonly value: Uint8Array }
  | { readonly op: "wipe" };

/** What is known of one slot. */
export type Slot = Required<Omit<Put, "op" | "tag">> & { readonly tag: string };

/** What a delta gives: the name of its code, and its detail. */
export interface Outcome {
  readonly code: string;
  readonly detail: number;
}

/** The clock when a delta is applied; `lapsed` is whether its bundle came too late for puts and enables. */
export interface When {
  readonly known: boolean;
  readonly now: number;
  readonly lapsed?: boolean;
}

export interface Limits {
  readonly slots: number;
  readonly schedules: number;
  readonly reader: boolean;
  readonly holidays: number;
}

const DISABLED = 1;
const MAY_PUT = 2 | 4 | 8 | 16;
const ROLES = 7;
const GUEST = 3;
/** Seven bits have a meaning. */
const CAPABILITIES = 127;
const MINUTES_A_WEEK = 7 * 1440;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const done = (code: string, detail = 0): Outcome => ({ code, detail });

export class ReferenceTable {
  readonly slots = new Map<number, Slot>();
  readonly schedules = new Map<number, readonly Window[]>();
  readonly settings = new Map<number, Uint8Array>();
  /** The outcome of every delta, the first at index 0. */
  readonly outcomes: Outcome[] = [];
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Applies the next delta. */
  apply(delta: Operation, when: When): Outcome {
    const outcome = this.#judge(delta, when);
    this.outcomes.push(outcome);
    return outcome;
  }

  #judge(delta: Operation, when: When): Outcome {
    switch (delta.op) {
      case "put":
        return this.#put(delta, when);
      case "change":
        return this.#change(delta, when);
      case "drop":
        return this.#drop(delta.slot, delta.generation);
      case "enable":
        return when.lapsed ? done("expired") : this.#switch(delta.slot, delta.generation, 0);
      case "disable":
        return this.#switch(delta.slot, delta.generation, DISABLED);
      case "revoke":
        return this.#remove(this.#family(delta.user));
      case "put-schedule":
        return this.#putSchedule(delta.id, delta.windows);
      case "drop-schedule":
        return this.#dropSchedule(delta.id);
      case "set":
        return this.#set(delta.setting, delta.value);
      case "wipe":
        return this.#remove([...this.slots.keys()]);
    }
  }

  #put(delta: Put, when: When): Outcome {
    const formal = putFormat(delta);
    if (formal !== undefined) return done(formal);
    if (when.lapsed) return done("expired");
    if (delta.slot >= this.#limits.slots) return done("capacity");
    if (delta.kind === 3 && !this.#limits.reader) return done("unsupported");
    if (this.#missesSchedule(delta)) return done("unknown-schedule");
    const wanted = slotOf(delta, this.outcomes.length + 1);
    const was = this.slots.get(delta.slot);
    if (was !== undefined && sameContent(was, wanted)) return done("unchanged");
    if ((delta.generation ?? 0) !== (was?.generation ?? 0)) return done("stale-generation");
    for (const other of this.slots.values())
      if (other.tag === wanted.tag && other.slot !== wanted.slot) return done("duplicate");
    if (this.#master?.tag === wanted.tag) return done("duplicate");
    const rest = this.density() - (was === undefined ? 0 : weight(was.digits));
    const added = weight(wanted.digits);
    // A PIN that makes guessing no easier than the one it replaces is always let in.
    if (rest + added > this.#densityLimit() && rest + added > this.density()) return done("pin-too-short");
    this.slots.set(wanted.slot, wanted);
    return done(isInstalled(wanted, when) ? "installed" : "applied");
  }

  /** The sum of live / 10^digits, in units of 10⁻¹⁰, the master's included. */
  density(): number {
    const master = weight(this.#master?.digits ?? 0);
    return [...this.slots.values()].reduce((sum, { digits }) => sum + weight(digits), master);
  }

  #missesSchedule({ schedule = 0 }: Terms): boolean {
    return schedule !== 0 && !this.schedules.has(schedule);
  }

  #meant(slot: number, generation: number): Slot | undefined {
    const was = this.slots.get(slot);
    return was?.generation === generation ? was : undefined;
  }

  #change(delta: Change, when: When): Outcome {
    const formal = termsFormat(delta);
    if (formal !== undefined) return done(formal);
    const was = this.#meant(delta.slot, delta.generation);
    if (was === undefined) return done("stale-generation");
    if (this.#missesSchedule(delta)) return done("unknown-schedule");
    const terms = termsOf(delta);
    const now: Slot = { ...was, ...terms, flags: terms.flags | (was.flags & DISABLED) };
    if (sameContent(was, now)) return done("unchanged");
    this.slots.set(now.slot, now);
    return done(isInstalled(now, when) ? "installed" : "applied");
  }

  #drop(slot: number, generation: number): Outcome {
    if (slot >= this.#limits.slots) return done("range");
    if (!this.slots.has(slot)) return done("unchanged");
    if (this.#meant(slot, generation) === undefined) return done("stale-generation");
    this.slots.delete(slot);
    return done("applied");
  }

  #switch(slot: number, generation: number, disabled: number): Outcome {
    const was = this.#meant(slot, generation);
    if (was === undefined) return done("stale-generation");
    if ((was.flags & DISABLED) === disabled) return done("unchanged");
    this.slots.set(slot, { ...was, flags: (was.flags & ~DISABLED) | disabled });
    return done("applied");
  }

  /** The slots of a user and of all below, found by growing the set of users until it grows no more. */
  #family(user: number): number[] {
    const users = new Set([user]);
    const fallen = new Set<number>();
    for (let before = -1; before !== fallen.size; ) {
      before = fallen.size;
      for (const slot of this.slots.values()) {
        if (slot.user !== user && !users.has(slot.grantor)) continue;
        fallen.add(slot.slot);
        users.add(slot.user);
      }
    }
    return [...fallen];
  }

  #remove(slots: readonly number[]): Outcome {
    for (const slot of slots) this.slots.delete(slot);
    return slots.length === 0 ? done("unchanged") : done("applied", slots.length);
  }

  #putSchedule(id: number, windows: readonly Window[]): Outcome {
    if (id > this.#limits.schedules) return done("capacity");
    if (overlap(windows)) return done("schedule-overlap");
    const was = this.schedules.get(id);
    if (was !== undefined && JSON.stringify(was) === JSON.stringify(windows)) return done("unchanged");
    this.schedules.set(id, windows);
    return done("applied");
  }

  #dropSchedule(id: number): Outcome {
    if (!this.schedules.has(id)) return done("unchanged");
    if (this.settings.get(BUSINESS_HOURS)?.[0] === id) return done("schedule-in-use");
    for (const { schedule } of this.slots.values()) if (schedule === id) return done("schedule-in-use");
    this.schedules.delete(id);
    return done("applied");
  }

  #set(setting: number, value: Uint8Array): Outcome {
    const formal = settingFormat(setting, value);
    if (formal !== undefined) return done(formal);
    if (isHoliday(setting) && setting >= HOLIDAY + this.#limits.holidays) return done("capacity");
    const was = this.settings.get(setting);
    if (was !== undefined && hex(was) === hex(value)) return done("unchanged");
    const conflict = this.#conflict(setting, Buffer.from(value));
    if (conflict !== undefined) return done(conflict);
    this.settings.set(setting, value.slice());
    return done("applied");
  }

  /** What keeps a setting in its format from being set. */
  #conflict(setting: number, value: Buffer): string | undefined {
    if (setting === MASTER && value.length > 1) {
      const tag = value.toString("hex", 1);
      for (const slot of this.slots.values()) if (slot.tag === tag) return "duplicate";
      const more = weight(value[0]) - weight(this.#master?.digits ?? 0);
      return more > 0 && this.density() + more > this.#densityLimit() ? "pin-too-short" : undefined;
    }
    const needsSchedule = setting === BUSINESS_HOURS && value[0] !== 0 && !this.schedules.has(value[0]);
    return needsSchedule ? "unknown-schedule" : undefined;
  }

  get #master(): { digits: number; tag: string } | undefined {
    const value = this.settings.get(MASTER);
    return value === undefined || value.length === 1
      ? undefined
      : { digits: value[0], tag: hex(value.slice(1)) };
  }

  #densityLimit(): number {
    const value = this.settings.get(DENSITY);
    return value === undefined ? 10 ** 7 : Buffer.from(value).readUInt32BE();
  }

  /** The digest that a receipt must carry, in hexadecimal: the sum of the SHA-256 of every item. */
  digest(): string {
    let sum = 0n;
    const add = (item: Uint8Array): void => {
      sum += BigInt("0x" + createHash("sha256").update(item).digest("hex"));
    };
    for (const slot of this.slots.values()) add(Buffer.concat([Buffer.of(1), entryBytes(slot)]));
    for (const [id, windows] of this.schedules) {
      const packed = windows.map(
        ({ days, start, duration }) => days * 2 ** 22 + start * 2 ** 11 + duration - 1,
      );
      add(Buffer.concat([Buffer.of(2, id), ...packed.map(u32)]));
    }
    for (const [id, value] of this.settings) add(Buffer.concat([Buffer.of(3, id), value]));
    return (sum % 2n ** 256n).toString(16).padStart(64, "0");
  }
}

function putFormat(delta: Put): string | undefined {
  const { kind, digits = 0, user, grantor = 0 } = delta;
  if (kind < 1 || kind > 3) return "unsupported";
  if (kind === 1 ? digits < 4 || digits > 10 : digits !== 0) return "bad-format";
  if (user === 0 || user === grantor) return "bad-format";
  return termsFormat(delta);
}

function termsFormat(terms: Terms): string | undefined {
  const { role, flags = 0, capabilities = 0, start = 0, end = 0, firstUseHours = 0 } = terms;
  if (role >= ROLES || (flags & ~MAY_PUT) !== 0 || capabilities > CAPABILITIES) return "unsupported";
  if (start !== 0 && end !== 0 && start >= end) return "range";
  if (role === GUEST && (start === 0 || end === 0)) return "bad-format";
  return firstUseHours !== 0 && start === 0 ? "bad-format" : undefined;
}

/** The zones that tests use are known by name here: the lock's own parser is judged elsewhere. */
export const ZONES = {
  good: ["UTC0", "CET-1CEST,M3.5.0,M10.5.0/3", "<AAAA>5:00:00<BBBB>4:00,M3.2.0/2:00:00,M11.1.0/2"],
  bad: ["nowhere", "?"],
};

function settingFormat(setting: number, value: Uint8Array): string | undefined {
  if (setting === 1) return ZONES.good.includes(Buffer.from(value).toString()) ? undefined : "bad-format";
  if (setting === 2) return value.length !== 1 ? "bad-format" : value[0] > 2 ? "unsupported" : undefined;
  if (setting === 3)
    return value.length !== 2 ? "bad-format" : value[0] * 256 + value[1] > 3600 ? "range" : undefined;
  // What is sealed is never so short.
  if (setting >= 11 && setting <= 13) return "bad-format";
  if (setting === DENIED) return deniedFormat(value);
  const shape = isHoliday(setting) ? HOLIDAY_SHAPE : SHAPES[setting];
  if (shape === undefined) return "unsupported";
  if (shape.mayBeNone && value.length === 1) return value[0] === 0 ? undefined : "range";
  if (value.length !== shape.length) return "bad-format";
  return shape.fits(Buffer.from(value)) ? undefined : "range";
}

const MASTER = 4;
const DENSITY = 5;
const BUSINESS_HOURS = 7;
const HOLIDAY = 16;
const DENIED = 80;
const isHoliday = (setting: number): boolean => setting >= HOLIDAY && setting < HOLIDAY + 64;

/** Up to eight groups of three bytes: which code, below 32, and its window; those of a week, from 24 on, name a Monday. */
function deniedFormat(value: Uint8Array): string | undefined {
  const text = hex(value);
  if (text.length === 2) return text === "00" ? undefined : "range";
  const groups = text.match(/.{6}/g) ?? [];
  if (groups.join("") !== text || groups.length > 8) return "bad-format";
  const isOne = (group: string): boolean => {
    const date = new Date(Number.parseInt(group.slice(2), 16) * 86_400_000);
    return group < "18" || (group < "20" && date.getUTCDay() === 1);
  };
  const areSorted = groups.every((group, i) => i === 0 || groups[i - 1] < group);
  return areSorted && groups.every(isOne) ? undefined : "range";
}

/** The length of a setting's value, which values mean something, and whether one byte 0 takes it away. */
interface Shape {
  readonly length: number;
  readonly mayBeNone?: boolean;
  readonly fits: (value: Buffer) => boolean;
}

const SHAPES: Readonly<Record<number, Shape>> = {
  [MASTER]: { length: 13, mayBeNone: true, fits: (value) => value[0] >= 4 && value[0] <= 10 },
  [DENSITY]: { length: 4, fits: (value) => value.readUInt32BE() > 0 },
  6: { length: 3, fits: (value) => value[0] >= 1 && value[0] <= 5 && value.readUInt16BE(1) <= 24 * 60 },
  [BUSINESS_HOURS]: { length: 4, fits: (value) => value[1] <= 1 && value.readUInt16BE(2) <= 12 * 60 },
  8: { length: 1, fits: (value) => value[0] <= 1 },
  9: { length: 2, fits: (value) => value.readUInt16BE() >= 1 && value.readUInt16BE() <= 3600 },
  10: { length: 2, fits: (value) => value.readUInt16BE() <= 3650 },
  14: { length: 2, fits: (value) => value[0] <= 15 && value[1] >= 1 && value[1] <= 8 },
  15: { length: 2, fits: (value) => value.readUInt16BE() <= 672 },
};

const HOLIDAY_SHAPE: Shape = {
  length: 6,
  mayBeNone: true,
  fits: (value) => {
    const [first, days] = [value.readUInt16BE(0), value.readUInt16BE(2)];
    const isBlock = value[4] >= 1 && value[4] <= 127 && value[5] === 255;
    const isMode = value[4] === 0 && value[5] <= 2;
    return days >= 1 && days <= 366 && first + days <= 65535 && (isBlock || isMode);
  },
};

function overlap(windows: readonly Window[]): boolean {
  const week = new Uint8Array(MINUTES_A_WEEK);
  for (const { days, start, duration } of windows)
    for (let day = 0; day < 7; day++)
      for (let minute = 0; minute < duration && (days >> day) % 2 === 1; minute++)
        if (week[(day * 1440 + start + minute) % MINUTES_A_WEEK]++ > 0) return true;
  return false;
}

/** 10^(10 − digits), nothing for what is no PIN. */
function weight(digits: number): number {
  return digits === 0 ? 0 : 10 ** (10 - digits);
}

function termsOf(terms: Terms): Required<Terms> {
  const { role, schedule = 0, start = 0, end = 0, capabilities = 0, flags = 0 } = terms;
  const { minutesAfterFirstUse = 0, firstUseHours = 0 } = terms;
  return { role, schedule, start, end, minutesAfterFirstUse, firstUseHours, capabilities, flags };
}

function slotOf(put: Put, generation: number): Slot {
  const { slot, kind, digits = 0, user, grantor = 0, uses = 0 } = put;
  return { slot, kind, digits, user, grantor, uses, generation, tag: hex(put.tag), ...termsOf(put) };
}

function sameContent(a: Slot, b: Slot): boolean {
  return hex(entryBytes({ ...a, generation: 0 })) === hex(entryBytes({ ...b, generation: 0 }));
}

/** A start that has not come, or cannot be told, leaves a slot installed (rule T5). */
function isInstalled({ start }: Slot, { known, now }: When): boolean {
  return start !== 0 && (!known || now < start);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The 41 bytes of an entry, from their description: bit by bit, as text of zeros and ones. It runs on engines without Node. */
export function entryBytes(slot: Slot): Uint8Array {
  const bits = (value: number, count: number): string => value.toString(2).padStart(count, "0");
  const { kind, role, minutesAfterFirstUse, digits, flags, firstUseHours, uses, tag } = slot;
  const first =
    "00000" + bits(slot.slot, 10) + bits(kind, 2) + bits(role, 3) + bits(minutesAfterFirstUse, 12);
  const second =
    bits(digits === 0 ? 0 : digits - 3, 3) + bits(flags, 5) + bits(firstUseHours, 8) + bits(uses, 16);
  const bytes = new Uint8Array(41);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Number.parseInt(first, 2));
  view.setUint32(4, Number.parseInt(second, 2));
  view.setUint8(8, slot.generation >>> 16);
  view.setUint16(9, slot.generation & 0xffff);
  for (let i = 0; i < 12; i++) view.setUint8(11 + i, Number.parseInt(tag.slice(2 * i, 2 * i + 2), 16));
  [slot.user, slot.grantor, slot.start, slot.end].forEach((word, i) => {
    view.setUint32(23 + 4 * i, word);
  });
  view.setUint8(39, slot.schedule);
  view.setUint8(40, slot.capabilities);
  return bytes;
}
