// The credential table (rules C1, C3, C20, C25, S2, S4): what the flash log means. It mounts the log into an index, answers which
// slot a tag names and what stands in it, and appends the records that deltas commit. Records hold the truth; memory holds where
// they are. A damaged slot is denied until it is put again. Nothing here decides who may open.

import type { Crypto } from "../../protocol/crypto/port";
import { equal, getU16, getU24, getU32, putU16, putU24, putU32 } from "../../protocol/wire/bytes";
import { genesisHead } from "../../protocol/wire/chain";
import { Code } from "../../protocol/wire/codes";
import type { Entry } from "../../protocol/wire/entry";
import { ENTRY_BYTES, ENTRY_TAG, emptyEntry, Kind, packEntry, unpackEntry } from "../../protocol/wire/entry";
import { HEAD_BYTES, MAX_PIN_DIGITS, MAX_WINDOWS } from "../../protocol/wire/limits";
import type { Flash } from "../ports";
import { Acks } from "./acks";
import { CarriedAcks } from "./carried-acks";
import type { LogOwner, MountState } from "./flash-log";
import { FlashLog, Purpose } from "./flash-log";
import type { Profile } from "./profile";
import {
  ACK_BYTES,
  ACKS_HEAD,
  bareEntry,
  CRC_BYTES,
  commits,
  HEAD,
  lengthFor,
  MAX_RECORD_BYTES,
  markEntry,
  OUTCOME_BYTES,
  POSITION_BYTES,
  putHead,
  Record,
  recordType,
  SLOT_BYTES,
  SLOT_COPY_BYTES,
  slotOf,
  USAGE_BYTES,
  USAGE_GROUP,
  USAGE_RECORD_BYTES,
  wasInstalled,
} from "./records";
import { SlotIndex } from "./slot-index";

/** Values that the lock itself keeps beside what deltas set. */
export const State = { claim: 1, keyset: 2, time: 3, seen: 4 } as const;
const STATES = 5;
/** Settings have numbers below this. */
export const SETTINGS = 16;
/** Where a damaged slot's record stands: inside a sector header, where no record ever does, so that no compaction finds it alive. */
const NOWHERE = 1;
const SCHEDULE_PAYLOAD = MAX_WINDOWS * 4;
const SCHEDULE_BYTES = lengthFor(SCHEDULE_PAYLOAD, true);
const SCHEDULE_COPY_BYTES = lengthFor(SCHEDULE_PAYLOAD, false);

/** What a lock remembers of the use of one slot's credential (rules C10, C12, A69). */
export interface Usage {
  /** Whether it was ever used in this generation. */
  used: boolean;
  /** Uses left; meaningful only where the entry counts uses. */
  left: number;
  /** The earliest instant in UTC seconds at which the first use may have been, 0 when there was none, or the clock was unknown. */
  firstUse: number;
}

/** How a look at a slot ended. */
export type Loaded = "ok" | "empty" | "damaged";

/** What the mount needs to know of every slot once, and nobody afterwards. */
interface MountNotes {
  readonly buckets: Uint8Array;
  readonly digits: Uint8Array;
}

export class Table implements LogOwner {
  readonly profile: Profile;
  readonly index: SlotIndex;
  readonly log: FlashLog;
  readonly acks: Acks;
  /** The last applied seq of this epoch, and the chain head after it. */
  applied = 0;
  readonly head = new Uint8Array(HEAD_BYTES);
  schedules = 0;
  /** Live PINs by their number of digits, for the density guard (rule C18). */
  readonly pins = new Uint16Array(MAX_PIN_DIGITS + 1);
  /** The slot that {@link load} or {@link find} looked at last. */
  readonly entry: Entry = emptyEntry();
  readonly usage: Usage = { used: false, left: 0, firstUse: 0 };
  readonly windows = new Uint32Array(MAX_WINDOWS);
  windowCount = 0;
  /** Record under construction, or read last. */
  readonly record = new Uint8Array(MAX_RECORD_BYTES);
  readonly #slotRecord = new Uint8Array(SLOT_BYTES);
  /** The slot whose newest record is in #slotRecord and {@link entry}, −1 for none: one delta asks for it three times. */
  #held = -1;
  readonly #usageAt: Uint16Array;
  readonly #scheduleAt: Uint16Array;
  readonly #settingAt = new Uint16Array(SETTINGS);
  readonly #stateAt = new Uint16Array(STATES);
  #notes: MountNotes | undefined;
  /** While mounting: slots whose records may have been those that a gap in the positions misses. */
  #suspects: number[] = [];
  readonly #carried: CarriedAcks;

  constructor(flash: Flash, profile: Profile, lock: Uint8Array) {
    this.profile = profile;
    this.index = new SlotIndex(profile.slots);
    this.log = new FlashLog(flash, lock, profile.id);
    this.acks = new Acks(profile.acks);
    this.#carried = new CarriedAcks(this.log, this.acks, this.record);
    this.#usageAt = new Uint16Array(Math.ceil(profile.slots / USAGE_GROUP));
    this.#scheduleAt = new Uint16Array(profile.schedules + 1);
  }

  // ---- mounting

  /** Reads the whole log. Writes nothing. Anything but "mounted" leaves an empty table: the lock fails secure and says so. */
  mount(): MountState {
    const slots = this.profile.slots;
    const notes = { buckets: new Uint8Array(slots), digits: new Uint8Array(slots) };
    this.#notes = notes;
    const state = this.log.mount(this);
    this.#notes = undefined;
    if (state !== "mounted") return state;
    const tag = new Uint8Array(2);
    for (let slot = 0; slot < slots; slot++) {
      if (this.index.place(slot) === 0 || this.index.isDamaged(slot)) continue;
      tag[0] = notes.buckets[slot];
      tag[1] = this.index.fingerprint(slot);
      this.index.link(slot, tag, 0);
      if (notes.digits[slot] > 0) this.pins[notes.digits[slot]]++;
    }
    for (let id = 1; id <= this.profile.schedules; id++) if (this.#scheduleAt[id] !== 0) this.schedules++;
    return state;
  }

  visit(record: Uint8Array, offset: number, length: number, location: number): void {
    const type = recordType(record, offset);
    if (commits(type)) this.#visitPosition(record, offset, length, location);
    switch (type) {
      case Record.slot:
      case Record.slotCopy:
        this.#visitSlot(record, offset, location);
        break;
      case Record.schedule:
      case Record.scheduleCopy:
        if (record[offset + 2] <= this.profile.schedules)
          this.#scheduleAt[record[offset + 2]] = record[offset + 3] === 0 ? 0 : location;
        break;
      case Record.setting:
      case Record.settingCopy:
        if (record[offset + 2] < SETTINGS) this.#settingAt[record[offset + 2]] = location;
        break;
      case Record.removal:
        for (let slot = 0; slot < this.profile.slots; slot++)
          if ((record[offset + HEAD + 2 + (slot >> 3)] >> (slot & 7)) & 1) this.index.setPlace(slot, 0);
        break;
      case Record.outcome:
        this.#visitOutcome(record, offset);
        break;
      case Record.acks:
        this.#visitAcks(record, offset, location);
        break;
      case Record.usage:
        if (record[offset + 2] < this.#usageAt.length) this.#usageAt[record[offset + 2]] = location;
        break;
      case Record.state:
        if (record[offset + 2] < STATES) this.#stateAt[record[offset + 2]] = location;
        break;
    }
  }

  visitDamage(record: Uint8Array, offset: number, whole: boolean): void {
    const type = recordType(record, offset);
    const slot = slotOf(record, offset);
    const isKnown = slot < this.profile.slots;
    if (type === Record.slot && isKnown) this.#suspects.push(slot);
    // A commit that is missing shows in the positions behind it, and a write that was cut means nothing.
    if (!whole || commits(type)) return;
    if (type === Record.slotCopy && isKnown && this.index.place(slot) === 0) {
      this.#condemn(slot);
      return;
    }
    // Uses that were counted once are never uncounted: the slots of the group are denied.
    if (type === Record.usage && record[offset + 2] < this.#usageAt.length)
      this.#usageAt[record[offset + 2]] = NOWHERE;
    this.log.damage++;
  }

  #condemn(slot: number): void {
    this.index.setPlace(slot, NOWHERE, true);
    this.log.damage++;
  }

  #visitPosition(record: Uint8Array, offset: number, length: number, location: number): void {
    const at = offset + length - CRC_BYTES - POSITION_BYTES;
    const seq = getU24(record, at);
    if (seq > this.applied) this.#visitNext(seq);
    if (seq === this.applied) this.head.set(record.subarray(at + 3, at + 3 + HEAD_BYTES));
    const type = recordType(record, offset);
    let code: number = Code.applied;
    let detail = 0;
    if (type === Record.slot && wasInstalled(record, offset)) code = Code.installed;
    if (type === Record.removal) detail = getU16(record, offset + HEAD);
    if (type === Record.outcome) {
      code = record[offset + 2];
      detail = getU16(record, offset + HEAD + 2);
    }
    this.acks.put(seq, code, detail, getU16(record, at + 3), this.#sectorOf(location));
  }

  /** Positions are contiguous, so a committing record that is missing shows; what stood in its place was damaged, not torn. */
  #visitNext(seq: number): void {
    // A log that was never compacted begins with position 1; any other begins with whatever was left.
    const isWhole = this.applied > 0 || this.log.oldest === 1;
    const missing = isWhole ? seq - this.applied - 1 : 0;
    if (missing > 0) {
      for (const slot of this.#suspects) this.#condemn(slot);
      this.log.damage += Math.max(0, missing - this.#suspects.length);
    }
    this.#suspects.length = 0;
    this.applied = seq;
  }

  #sectorOf(location: number): number {
    return this.log.numberAt(location) & 0xff;
  }

  #visitSlot(record: Uint8Array, offset: number, location: number): void {
    const slot = slotOf(record, offset);
    if (slot >= this.profile.slots || this.#notes === undefined) return;
    this.index.setPlace(slot, location);
    this.#notes.buckets[slot] = record[offset + ENTRY_TAG];
    this.index.setFingerprint(slot, record[offset + ENTRY_TAG + 1]);
    const digits = record[offset + 4] >>> 5;
    this.#notes.digits[slot] = digits === 0 ? 0 : digits + 3;
  }

  #visitOutcome(record: Uint8Array, offset: number): void {
    const dropped = getU16(record, offset + HEAD);
    if (dropped > 0 && dropped <= this.profile.slots) this.index.setPlace(dropped - 1, 0);
  }

  #visitAcks(record: Uint8Array, offset: number, location: number): void {
    const first = getU24(record, offset + HEAD);
    const sector = this.#sectorOf(location);
    for (let i = 0; i < record[offset + 2]; i++) {
      const at = offset + ACKS_HEAD + i * ACK_BYTES;
      this.acks.put(first + i, record[at], getU16(record, at + 1), getU16(record, at + 3), sector);
    }
  }

  // ---- reading

  /** Reads a slot into {@link entry}. */
  load(slot: number): Loaded {
    if (slot === this.#held) return "ok";
    const place = this.index.place(slot);
    if (place === 0) return "empty";
    if (this.index.isDamaged(slot)) return "damaged";
    this.#held = -1;
    const length = this.log.read(place, this.#slotRecord);
    const type = recordType(this.#slotRecord, 0);
    const isSlot = length > 0 && (type === Record.slot || type === Record.slotCopy);
    if (!isSlot || slotOf(this.#slotRecord, 0) !== slot) {
      this.index.setPlace(slot, place, true);
      this.log.damage++;
      return "damaged";
    }
    unpackEntry(this.#slotRecord, 0, this.entry);
    this.#held = slot;
    return "ok";
  }

  /** The 41 bytes of the entry that {@link load} read last, as the digest takes them. */
  loadedBytes(): Uint8Array {
    return bareEntry(this.#slotRecord, 0);
  }

  /**
   * The slot whose credential has this tag, its entry loaded; −1 for none. Reads one record whether there is one or not, and
   * compares all of a tag always (rule C6).
   */
  find(tag: Uint8Array): number {
    // A lookup always reads, or a PIN typed twice would take less time than one that is not there.
    this.#held = -1;
    let slot = this.index.candidate(tag, -1);
    if (slot < 0) {
      this.log.read(this.log.decoy, this.#slotRecord);
      unpackEntry(this.#slotRecord, 0, this.entry);
      equal(this.entry.tag, tag);
      return -1;
    }
    while (slot >= 0) {
      if (this.load(slot) === "ok" && equal(this.entry.tag, tag)) return slot;
      slot = this.index.candidate(tag, slot);
    }
    return -1;
  }

  /** Reads the use of a slot whose entry has `generation` into {@link usage}. False when its record is damaged. */
  loadUsage(slot: number, generation: number, uses: number): boolean {
    this.usage.used = false;
    this.usage.left = uses;
    this.usage.firstUse = 0;
    const place = this.#usageAt[Math.floor(slot / USAGE_GROUP)];
    if (place === 0) return true;
    if (!this.#read(place, Record.usage, Math.floor(slot / USAGE_GROUP))) return false;
    const at = HEAD + (slot % USAGE_GROUP) * USAGE_BYTES;
    if (getU24(this.record, at) !== generation) return true;
    this.usage.used = this.record[at + 3] !== 0;
    this.usage.left = getU16(this.record, at + 4);
    this.usage.firstUse = getU32(this.record, at + 6);
    return true;
  }

  /** Reads a schedule into {@link windows}. False when there is none, or it is damaged. */
  loadSchedule(id: number): boolean {
    this.windowCount = 0;
    const place = id <= this.profile.schedules ? this.#scheduleAt[id] : 0;
    if (place === 0 || !this.#readEither(place, Record.schedule, Record.scheduleCopy, id)) return false;
    this.windowCount = Math.min(this.record[3], MAX_WINDOWS);
    for (let i = 0; i < this.windowCount; i++) this.windows[i] = getU32(this.record, HEAD + 4 * i);
    return true;
  }

  hasSchedule(id: number): boolean {
    return id <= this.profile.schedules && this.#scheduleAt[id] !== 0;
  }

  /** The value of a setting as a view into {@link record}, valid until the next read; undefined when it was never set. */
  setting(id: number): Uint8Array | undefined {
    const place = id < SETTINGS ? this.#settingAt[id] : 0;
    if (place === 0 || !this.#readEither(place, Record.setting, Record.settingCopy, id)) return undefined;
    return this.record.subarray(HEAD, HEAD + this.record[3]);
  }

  /** Whether a setting was set and cannot be read any more: then nobody knows what it was. */
  hasLost(id: number): boolean {
    return id < SETTINGS && this.#settingAt[id] !== 0 && this.setting(id) === undefined;
  }

  /** A value of the lock's own as a view into {@link record}, valid until the next read; undefined when there is none. */
  state(id: number): Uint8Array | undefined {
    const place = this.#stateAt[id];
    if (place === 0 || !this.#read(place, Record.state, id)) return undefined;
    return this.record.subarray(HEAD, HEAD + this.record[3]);
  }

  /** Reads the record at `place`, which must be one of this type and number. */
  #read(place: number, type: number, id: number): boolean {
    return this.#readEither(place, type, type, id);
  }

  #readEither(place: number, type: number, copy: number, id: number): boolean {
    if (this.log.read(place, this.record) === 0 || this.record[2] !== id) return false;
    return recordType(this.record, 0) === type || recordType(this.record, 0) === copy;
  }

  // ---- committing

  /** Puts the position of a committing record of `length` bytes where it belongs. */
  #position(record: Uint8Array, length: number, seq: number, head: Uint8Array): void {
    const at = length - CRC_BYTES - POSITION_BYTES;
    putU24(record, at, seq);
    record.set(head, at + 3);
  }

  #committed(seq: number, head: Uint8Array, code: number, detail: number): void {
    this.applied = seq;
    this.head.set(head);
    this.acks.put(seq, code, detail, getU16(head, 0), this.log.newest & 0xff);
  }

  /** Commits `entry` into its slot. `code` is applied or installed. False when the flash refused; then nothing changed. */
  commitSlot(entry: Entry, code: number, seq: number, head: Uint8Array): boolean {
    const was = this.load(entry.slot);
    const oldDigits = was === "ok" ? this.entry.digits : 0;
    this.record.fill(0, 0, SLOT_BYTES);
    packEntry(entry, this.record, 0);
    markEntry(this.record, 0, Record.slot, code === Code.installed);
    this.#position(this.record, SLOT_BYTES, seq, head);
    const location = this.log.append(this.record, SLOT_BYTES);
    if (location === 0) return false;
    if (was === "ok") this.index.unlink(entry.slot, this.entry.tag, 0);
    if (was === "damaged") this.index.unlinkUnread(entry.slot);
    if (oldDigits > 0) this.pins[oldDigits]--;
    if (entry.kind === Kind.pin) this.pins[entry.digits]++;
    this.#held = -1;
    this.index.setPlace(entry.slot, location);
    this.index.link(entry.slot, entry.tag, 0);
    this.#committed(seq, head, code, 0);
    return true;
  }

  /** Commits a schedule; `count` 0 drops it. */
  commitSchedule(id: number, windows: Uint32Array, count: number, seq: number, head: Uint8Array): boolean {
    this.record.fill(0, 0, SCHEDULE_BYTES);
    putHead(this.record, Record.schedule, SCHEDULE_BYTES, id, count);
    for (let i = 0; i < count; i++) putU32(this.record, HEAD + 4 * i, windows[i]);
    this.#position(this.record, SCHEDULE_BYTES, seq, head);
    const location = this.log.append(this.record, SCHEDULE_BYTES);
    if (location === 0) return false;
    if (this.#scheduleAt[id] === 0 && count > 0) this.schedules++;
    if (this.#scheduleAt[id] !== 0 && count === 0) this.schedules--;
    this.#scheduleAt[id] = count > 0 ? location : 0;
    this.#committed(seq, head, Code.applied, 0);
    return true;
  }

  /** Commits a setting. */
  commitSetting(id: number, value: Uint8Array, seq: number, head: Uint8Array): boolean {
    const length = lengthFor(value.length, true);
    this.record.fill(0, 0, length);
    putHead(this.record, Record.setting, length, id, value.length);
    this.record.set(value, HEAD);
    this.#position(this.record, length, seq, head);
    const location = this.log.append(this.record, length);
    if (location === 0) return false;
    this.#settingAt[id] = location;
    this.#committed(seq, head, Code.applied, 0);
    return true;
  }

  /** Commits the removal of every slot in `bitmap` as one record (rule C22); the ack's detail is `count`. */
  commitRemoval(bitmap: Uint8Array, count: number, seq: number, head: Uint8Array): boolean {
    const length = lengthFor(2 + bitmap.length, true);
    this.record.fill(0, 0, length);
    putHead(this.record, Record.removal, length, Code.applied, 0);
    putU16(this.record, HEAD, count);
    this.record.set(bitmap, HEAD + 2);
    this.#position(this.record, length, seq, head);
    if (this.log.append(this.record, length, Purpose.removal) === 0) return false;
    for (let slot = 0; slot < this.profile.slots; slot++)
      if ((bitmap[slot >> 3] >> (slot & 7)) & 1) this.#forget(slot);
    this.#committed(seq, head, Code.applied, count);
    return true;
  }

  /** Commits a delta that sets nothing: a refusal, "unchanged", or (with `dropped` ≥ 0) the drop of one slot. */
  commitOutcome(code: number, detail: number, dropped: number, seq: number, head: Uint8Array): boolean {
    this.#outcome(code, detail, dropped + 1, seq, head);
    const purpose = dropped >= 0 ? Purpose.removal : Purpose.ordinary;
    if (this.log.append(this.record, OUTCOME_BYTES, purpose) === 0) return false;
    if (dropped >= 0) this.#forget(dropped);
    this.#committed(seq, head, code, detail);
    return true;
  }

  #outcome(code: number, detail: number, dropped: number, seq: number, head: Uint8Array): void {
    this.record.fill(0, 0, OUTCOME_BYTES);
    putHead(this.record, Record.outcome, OUTCOME_BYTES, code, 0);
    putU16(this.record, HEAD, dropped);
    putU16(this.record, HEAD + 2, detail);
    this.#position(this.record, OUTCOME_BYTES, seq, head);
  }

  /** Takes a slot out of the index. Its record is dead from here on. */
  #forget(slot: number): void {
    const was = this.load(slot);
    if (was === "ok") {
      this.index.unlink(slot, this.entry.tag, 0);
      if (this.entry.digits > 0) this.pins[this.entry.digits]--;
    } else if (was === "damaged") this.index.unlinkUnread(slot);
    this.#held = -1;
    this.index.setPlace(slot, 0);
  }

  /** Keeps what is known of the use of a slot (rule C10): before the bolt moves. False when the flash refused. */
  commitUsage(slot: number, generation: number, usage: Usage): boolean {
    const group = Math.floor(slot / USAGE_GROUP);
    const place = this.#usageAt[group];
    if (place === 0) this.record.fill(0, 0, USAGE_RECORD_BYTES);
    // The uses of seven others stand in the same record: what cannot be read must not be forgotten.
    else if (!this.#read(place, Record.usage, group)) return false;
    putHead(this.record, Record.usage, USAGE_RECORD_BYTES, group, 0);
    const at = HEAD + (slot % USAGE_GROUP) * USAGE_BYTES;
    putU24(this.record, at, generation);
    this.record[at + 3] = usage.used ? 1 : 0;
    putU16(this.record, at + 4, usage.left);
    putU32(this.record, at + 6, usage.firstUse);
    const location = this.log.append(this.record, USAGE_RECORD_BYTES);
    if (location === 0) return false;
    this.#usageAt[group] = location;
    return true;
  }

  /** Keeps a value of the lock's own, at most 200 bytes. */
  commitState(id: number, value: Uint8Array): boolean {
    const length = lengthFor(value.length, false);
    this.record.fill(0, 0, length);
    putHead(this.record, Record.state, length, id, value.length);
    this.record.set(value, HEAD);
    const location = this.log.append(this.record, length);
    if (location === 0) return false;
    this.#stateAt[id] = location;
    return true;
  }

  /** Begins a log: nothing applied yet, the head that the epoch starts from. For a new claim, on a table that is empty. */
  startEpoch(crypto: Crypto, lock: Uint8Array, epoch: number): void {
    this.applied = 0;
    this.head.set(genesisHead(crypto, lock, epoch));
    this.acks.clear();
  }

  // ---- compaction

  relocate(record: Uint8Array, length: number, location: number): boolean {
    const type = recordType(record, 0);
    if (commits(type)) {
      const seq = getU24(record, length - CRC_BYTES - POSITION_BYTES);
      if (!this.#carried.keep(seq, this.applied)) return false;
    }
    switch (type) {
      case Record.slot:
      case Record.slotCopy:
        return this.#relocateSlot(record, location);
      case Record.schedule:
      case Record.scheduleCopy:
        return this.#relocateValue(
          record,
          Record.scheduleCopy,
          SCHEDULE_COPY_BYTES,
          this.#scheduleAt,
          location,
        );
      case Record.setting:
      case Record.settingCopy:
        return this.#relocateValue(
          record,
          Record.settingCopy,
          lengthFor(record[3], false),
          this.#settingAt,
          location,
        );
      case Record.usage:
        return this.#relocateValue(record, Record.usage, length, this.#usageAt, location);
      case Record.state:
        return this.#relocateValue(record, Record.state, length, this.#stateAt, location);
      case Record.acks:
        return this.#relocateAcks(record);
    }
    return true;
  }

  #relocateSlot(record: Uint8Array, location: number): boolean {
    const slot = slotOf(record, 0);
    if (slot >= this.profile.slots || this.index.place(slot) !== location) return true;
    markEntry(record, 0, Record.slotCopy, false);
    record.fill(0, ENTRY_BYTES, SLOT_COPY_BYTES);
    const moved = this.log.append(record, SLOT_COPY_BYTES, Purpose.compaction);
    if (moved === 0) return false;
    this.#held = -1;
    this.index.setPlace(slot, moved);
    return true;
  }

  /** Moves a record whose third byte is its number in `places`, if it is the newest of that number. */
  #relocateValue(
    record: Uint8Array,
    copy: number,
    length: number,
    places: Uint16Array,
    location: number,
  ): boolean {
    const id = record[2];
    if (id >= places.length || places[id] !== location) return true;
    const end = HEAD + (copy === Record.scheduleCopy ? SCHEDULE_PAYLOAD : record[3]);
    if (copy === Record.scheduleCopy || copy === Record.settingCopy) record.fill(0, end, length);
    putHead(record, copy, length, id, record[3]);
    const moved = this.log.append(record, length, Purpose.compaction);
    if (moved === 0) return false;
    places[id] = moved;
    return true;
  }

  #relocateAcks(record: Uint8Array): boolean {
    const first = getU24(record, HEAD);
    for (let i = 0; i < record[2]; i++) if (!this.#carried.keep(first + i, this.applied)) return false;
    return true;
  }

  relocated(): boolean {
    if (!this.#carried.flush()) return false;
    if (!this.#carried.position) return true;
    // The newest position must outlive its record: an outcome without effect carries it on, and its ack with it.
    const seq = this.applied;
    this.#outcome(this.acks.code(seq), this.acks.detail(seq), 0, seq, this.head);
    if (this.log.append(this.record, OUTCOME_BYTES, Purpose.compaction) === 0) return false;
    this.acks.setSector(seq, this.log.newest & 0xff);
    return true;
  }

  /** One step of housekeeping, with at most one erase; never while a credential is being decided. */
  maintain(): void {
    this.#carried.begin();
    this.log.maintain(this);
  }
}
