// An owner of a log: numbered values, of which the newest counts, so that a test can say for each what must be believed. It keeps the
// story of all that was written, and from that story alone the truths after damage are told.

import assert from "node:assert/strict";
import { L500I, type Profile } from "../../firmware/core/profile";
import { FlashLog, type LogKeeper, Purpose } from "../../firmware/core/storage/flash-log";
import { KeySet, Keys } from "../../firmware/core/storage/keys";
import type { LogVisitor } from "../../firmware/core/storage/log-mount";
import { putHead, Record } from "../../firmware/core/storage/records";
import type { Flash } from "../../firmware/ports";
import { NorFlash, SECTOR_BYTES } from "../../simulator/board/nor";
import { Dice, SEED } from "./dice";

export const LOCK = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
export const HEADER = 32;
export const SLOTS = 40;
/** A profile with a few slots, which one record can remove together, and 256 values that take records of any length. */
export const PROFILE: Profile = { ...L500I, slots: SLOTS, schedules: 255 };
/** The key of value 0: behind the slots and what is kept of their use. */
const FIRST_VALUE = SLOTS + SLOTS / 8;

/** The key of a value. Slots are their own keys. */
export const valueKey = (id: number): number => FIRST_VALUE + id;

/** What stands for a value of which nothing can be believed. */
export const LOST = "lost";
/** For each key that stands: the serial number of its newest record, or {@link LOST}. */
export type Truths = Map<number, number | typeof LOST>;

/** One record that its owner wrote. */
export interface Written {
  readonly effect: "set" | "remove" | "lose" | "none";
  readonly serial: number;
  readonly keys: readonly number[];
  /** The sector's number, and where in the partition the record stands, in bytes. */
  readonly sector: number;
  readonly at: number;
  readonly length: number;
}

/** All that was ever written to a log, over its reboots. */
export class Story {
  serial = 0;
  readonly written: Written[] = [];
}

interface Held {
  readonly serial: number;
  /** In units of 16 bytes; 0 for one that is lost. */
  readonly location: number;
}

const GONE: Held = { serial: -1, location: 0 };

export class Values implements LogVisitor, LogKeeper {
  readonly held = new Map<number, Held>();
  /** The serial numbers of all records seen at the mount, in order. */
  readonly seen: number[] = [];
  /** What was reported lost at the mount: the key, and whether for certain. */
  readonly reported: [key: number, certainly: boolean][] = [];
  readonly flash: Flash;
  readonly story: Story;
  readonly log: FlashLog;
  readonly keys: Keys;

  constructor(flash: Flash, story = new Story(), { profile = PROFILE, lock = LOCK } = {}) {
    this.flash = flash;
    this.story = story;
    this.keys = new Keys(profile);
    this.log = new FlashLog(flash, lock, profile.id, this.keys);
  }

  // ---- writing

  /** Writes the slot `key`, in 48 bytes. */
  put(key: number, dice: Dice): boolean {
    const record = dice.bytes(48);
    record[0] = (Record.slotCopy << 4) | (key >> 7);
    record[1] = (key & 0x7f) << 1;
    return this.#append(record, [key], "set", Purpose.ordinary);
  }

  /** Writes the value `id`, in `length` bytes. */
  write(id: number, length: number, dice: Dice, purpose: number = Purpose.ordinary): boolean {
    const record = dice.bytes(length);
    putHead(record, Record.schedule, length, id, 1);
    return this.#append(record, [valueKey(id)], "set", purpose);
  }

  /** Removes slots with one record. */
  remove(slots: readonly number[], purpose: number = Purpose.removal): boolean {
    const record = new Uint8Array(48);
    putHead(record, Record.removal, record.length, 0, 0);
    for (const slot of slots) record[10 + (slot >> 3)] |= 1 << (slot & 7);
    return this.#append(record, slots, "remove", purpose);
  }

  #append(record: Uint8Array, keys: readonly number[], effect: Written["effect"], purpose: number): boolean {
    const serial = ++this.story.serial;
    new DataView(record.buffer).setUint32(4, serial);
    const location = this.log.append(record, record.length, purpose);
    if (location === 0) return false;
    if (effect === "remove") for (const key of keys) this.log.touched.add(key);
    this.#note(location, record.length, { serial, keys, effect });
    return true;
  }

  #note(location: number, length: number, what: Pick<Written, "serial" | "keys" | "effect">): void {
    const { newest } = this.log;
    this.story.written.push({ ...what, sector: newest, at: location * 16, length });
    for (const key of what.keys)
      if (what.effect === "remove") this.held.delete(key);
      else this.held.set(key, what.effect === "set" ? { serial: what.serial, location } : GONE);
  }

  /** One random thing that an owner does: a value, a slot, now and then a removal. Half of all falls on a few of them. */
  live(dice: Dice, values = 40, slots = 16): boolean {
    const roll = dice.below(20);
    const among = (count: number): number => dice.below(roll % 2 === 0 ? 4 : count);
    if (roll === 0) return this.remove([dice.below(slots), dice.below(slots)]);
    if (roll < 6) return this.put(among(slots), dice);
    return this.write(among(values), 16 * (1 + dice.below(6)), dice);
  }

  // ---- what the log calls

  visitSector(): void {}

  visit(record: Uint8Array, offset: number, _length: number, location: number): void {
    const view = new DataView(record.buffer, record.byteOffset + offset);
    const serial = view.getUint32(4);
    this.seen.push(serial);
    switch (record[offset] >> 4) {
      case Record.slotCopy:
        this.held.set(((record[offset] & 7) << 7) | (record[offset + 1] >> 1), { serial, location });
        break;
      case Record.schedule:
        this.held.set(valueKey(record[offset + 2]), { serial, location });
        break;
      case Record.removal:
        for (const slot of slotsIn(record, offset)) this.held.delete(slot);
    }
  }

  addKeys(record: Uint8Array, offset: number, keys: KeySet): void {
    for (const slot of slotsIn(record, offset)) keys.add(slot);
  }

  visitLost(key: number, certainly: boolean): boolean {
    this.reported.push([key, certainly]);
    if (!certainly && !this.held.has(key)) return false;
    this.held.set(key, GONE);
    return true;
  }

  relocate(_number: number, from: number, to: number, atAnyCost: boolean): boolean {
    const into = new Uint8Array(240);
    for (const [key, { location, serial }] of this.held) {
      if (location < from || location >= to) continue;
      const length = this.log.read(location, into);
      if (length === 0 && !atAnyCost) return false;
      if (length === 0) {
        this.held.set(key, GONE);
        continue;
      }
      const moved = this.log.append(into, length, Purpose.compaction);
      if (moved === 0) return false;
      this.#note(moved, length, { serial, keys: [key], effect: "set" });
    }
    return this.#recordDamage();
  }

  #recordDamage(): boolean {
    const keys = [...this.held].filter(([, held]) => held === GONE).map(([key]) => key);
    if (keys.length === 0) return true;
    const set = new KeySet(this.keys.size);
    for (const key of keys) set.add(key);
    const record = new Uint8Array(240);
    const length = this.log.putKeys(record, set, true, 0);
    const location = this.log.append(record, length, Purpose.compaction);
    if (location === 0) return false;
    for (const key of keys) this.log.touched.add(key);
    this.#note(location, length, { serial: -1, keys, effect: "lose" });
    return true;
  }

  /** Housekeeping until there is none to do, in so many steps at most. */
  tidy(steps = 4 * this.log.sectors): void {
    for (let i = 0; i < steps && this.log.wantsMaintenance; i++) this.log.maintain(this);
  }

  // ---- reading

  /** What stands for every key, read back from flash. */
  truths(): Truths {
    const truths: Truths = new Map();
    const into = new Uint8Array(240);
    for (const [key, held] of this.held) {
      if (held === GONE) {
        truths.set(key, LOST);
        continue;
      }
      assert.ok(this.log.read(held.location, into) > 0, `the record of key ${key} at ${held.location}`);
      truths.set(key, new DataView(into.buffer).getUint32(4));
    }
    return truths;
  }
}

function slotsIn(removal: Uint8Array, offset: number): number[] {
  const slots: number[] = [];
  for (let slot = 0; slot < SLOTS; slot++)
    if ((removal[offset + 10 + (slot >> 3)] >> (slot & 7)) & 1) slots.push(slot);
  return slots;
}

/** Truths as lines to compare. */
export function textOf(truths: Truths): string {
  const sorted = [...truths].sort(([a], [b]) => a - b);
  return sorted.map(([key, truth]) => `${key}: ${truth}`).join("\n");
}

/** Fails with the first of what is wrong. */
export function none(wrong: readonly string[]): void {
  assert.deepEqual(wrong.slice(0, 8), [], `${wrong.length} are wrong`);
}

// ---- logs to begin with

/** A freshly formatted log. */
export function formatted<F extends Flash>(flash: F): { flash: F; values: Values; dice: Dice } {
  const values = new Values(flash);
  values.log.format();
  return { flash, values, dice: new Dice(SEED) };
}

/** A plain log on so many sectors. */
export function plain(sectors = 4): { flash: NorFlash; values: Values; dice: Dice } {
  return formatted(new NorFlash(sectors * SECTOR_BYTES));
}

/** Lives on until the newest sector has this number and at least `bytes` in it. */
export function liveUntil(values: Values, dice: Dice, sector: number, bytes = HEADER): void {
  const { log } = values;
  while (log.newest < sector || (log.newest === sector && log.offset < bytes)) {
    assert.ok(values.live(dice), "a write of an undisturbed log");
    log.maintain(values);
  }
}

/** A plain log that has gone round a few times and stands in the middle of a sector. */
export function busy(sectors = 4, laps = 3): { flash: NorFlash; values: Values; dice: Dice } {
  const made = plain(sectors);
  liveUntil(made.values, made.dice, laps * sectors, 2500);
  return made;
}

/** Boots from an image, which must mount. */
export function mounted(image: Uint8Array, story = new Story()): Values & { readonly flash: NorFlash } {
  return boot(new NorFlash(image.length, image), story);
}

/** Boots on a flash, which must mount. */
export function boot<F extends Flash>(flash: F, story = new Story()): Values & { readonly flash: F } {
  const values = new Values(flash, story);
  assert.equal(values.log.mount(values), "mounted");
  return values as Values & { readonly flash: F };
}

// ---- damage

/** Where sector `number` begins in a partition of so many sectors, in bytes. */
export const startOf = (number: number, sectors: number): number => ((number - 1) % sectors) * SECTOR_BYTES;

/** A record as it stands in a partition. */
export interface Standing {
  readonly sector: number;
  readonly at: number;
  readonly length: number;
  readonly type: number;
}

/** The records that stand in sector `number` of an undisturbed plain partition, by the lengths that they claim. */
export function recordsIn(image: Uint8Array, number: number): Standing[] {
  const start = startOf(number, image.length / SECTOR_BYTES);
  const records: Standing[] = [];
  for (let at = start + HEADER; at < start + SECTOR_BYTES; ) {
    const type = image[at] >> 4;
    if (type === 0 || type === 15) break;
    const length = type === Record.slot ? 64 : type === Record.slotCopy ? 48 : 16 * image[at + 1];
    records.push({ sector: number, at, length, type });
    at += length;
  }
  return records;
}

/** All records of the log, oldest first. */
export function allRecords(image: Uint8Array, { oldest, newest }: FlashLog): Standing[] {
  const numbers = Array.from({ length: newest - oldest + 1 }, (_, i) => oldest + i);
  return numbers.flatMap((number) => recordsIn(image, number));
}

/** Puts random bytes from `start` to before `end`; never those that stood there. */
export function ruin(image: Uint8Array, start: number, end: number, dice: Dice): void {
  for (let at = start; at < end; at++) image[at] ^= 1 + dice.below(255);
}

/** All that stands in the log, oldest first; what the log wrote for itself has no keys. */
export function contents(image: Uint8Array, { log, story }: Values): Written[] {
  const written = new Map(story.written.map((record) => [`${record.sector} ${record.at}`, record]));
  return allRecords(image, log).map(
    ({ sector, at, length, type }) =>
      written.get(`${sector} ${at}`) ?? { sector, at, length, serial: type, keys: [], effect: "none" },
  );
}

/** How much is known of a record: "exact" what it changed, by what links to it; "vague" nothing; "named" that it was the last of such. */
export type Known = "whole" | "exact" | "vague" | "named";

/**
 * What must be believed of a log with these contents when some of it is ruined. Where something is "vague", all that its sector
 * touched and that was not seen since is lost.
 */
export function believed(
  records: readonly Written[],
  newest: number,
  how: (record: Written) => Known,
): Truths {
  const truths: Truths = new Map();
  const lose = (key: number): void => void truths.set(key, LOST);
  const touched = new Set<number>();
  const since = new Set<number>();
  let sector = 0;
  let isIncomplete = false;
  const close = (): void => {
    // Of a sector that is closed the next one says what it touched; of the newest nobody knows.
    const doubtful = sector === newest ? truths.keys() : touched;
    if (isIncomplete) [...doubtful].filter((key) => !since.has(key)).forEach(lose);
    isIncomplete = false;
    touched.clear();
  };
  for (const record of records) {
    if (record.sector !== sector) close();
    sector = record.sector;
    for (const key of record.keys) touched.add(key);
    const state = how(record);
    if (state === "exact" || (state === "named" && record.effect !== "remove")) record.keys.forEach(lose);
    if (state === "vague" || state === "named") {
      isIncomplete = true;
      since.clear();
    }
    if (state !== "whole") continue;
    for (const key of record.keys) {
      since.add(key);
      if (record.effect === "set") truths.set(key, record.serial);
      else if (record.effect === "remove") truths.delete(key);
      else lose(key);
    }
  }
  close();
  return truths;
}
