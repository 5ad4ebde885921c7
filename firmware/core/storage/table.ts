// The credential table (rules C1, C3, C20, C25, S2, S4): what the flash log means. It mounts the log into an index, answers which
// slot a tag names and what stands in it, and appends the records that deltas commit. Records hold the truth; memory holds where
// they are. A damaged slot is denied until it is put again. Nothing here decides who may open.

import type { Crypto } from "../../../protocol/crypto/port";
import { equal, getU16, getU24, getU32, putU16, putU24, putU32 } from "../../../protocol/wire/bytes";
import { genesisHead } from "../../../protocol/wire/chain";
import { Code } from "../../../protocol/wire/codes";
import type { Entry } from "../../../protocol/wire/entry";
import { emptyEntry, Kind, packEntry, unpackEntry } from "../../../protocol/wire/entry";
import { HEAD_BYTES, MAX_PIN_DIGITS, MAX_WINDOWS } from "../../../protocol/wire/limits";
import type { Flash } from "../../ports";
import type { Profile } from "../profile";
import { Acks } from "./acks";
import { Compaction } from "./compaction";
import type { MountState } from "./flash-log";
import { FlashLog, Purpose } from "./flash-log";
import { KeySet, Keys } from "./keys";
import { makePlaces, NOWHERE, type Places, SETTINGS, State } from "./places";
import { Rebase, type Staged } from "./rebase";
import {
  bareEntry,
  HEAD,
  lengthFor,
  MAX_RECORD_BYTES,
  markCopy,
  markEntry,
  OUTCOME_BYTES,
  putHead,
  putOutcome,
  putPosition,
  Record,
  recordType,
  removalBytes,
  SLOT_BYTES,
  slotOf,
  USAGE_BYTES,
  USAGE_GROUP,
  USAGE_RECORD_BYTES,
  WINDOW_BYTES,
} from "./records";
import { SlotIndex } from "./slot-index";
import { TableMount } from "./table-mount";

/** What a lock remembers of the use of one slot's credential (rules C10, C12, A69). */
export interface Usage {
  /** Whether it was ever used in this generation. */
  used: boolean;
  /** Uses left; meaningful only where the entry counts uses. */
  left: number;
  /** The earliest instant in UTC seconds at which the first use may have been, 0 when there was none, or the clock was unknown. */
  firstUse: number;
}

/** Groups of uses that are lost, and recorded anew in one step of housekeeping. */
const SETTLED_A_STEP = 4;

/** How a look at a slot ended. */
export type Loaded = "ok" | "empty" | "damaged";

export class Table {
  readonly profile: Profile;
  readonly keys: Keys;
  readonly index: SlotIndex;
  readonly log: FlashLog;
  readonly acks: Acks;
  readonly places: Places;
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
  /** The table that is being built beside this one, if any. */
  readonly rebase: Rebase;
  readonly #compaction: Compaction;

  constructor(flash: Flash, profile: Profile, lock: Uint8Array) {
    this.profile = profile;
    this.keys = new Keys(profile);
    this.index = new SlotIndex(profile.slots);
    this.log = new FlashLog(flash, lock, profile.id, this.keys);
    this.acks = new Acks(profile.acks);
    this.places = makePlaces(profile);
    this.rebase = new Rebase(this);
    this.#compaction = new Compaction(this);
  }

  // ---- mounting

  /** Reads the whole log. Writes nothing. Anything but "mounted" leaves an empty table: the lock fails secure and says so. */
  mount(): MountState {
    return new TableMount(this).mount();
  }

  // ---- reading

  /** Reads a slot into {@link entry}. */
  load(slot: number): Loaded {
    if (slot === this.#held) return "ok";
    const place = this.index.place(slot);
    if (place === 0) return "empty";
    if (this.index.isDamaged(slot)) return "damaged";
    this.#held = -1;
    if (!this.readSlot(slot, this.#slotRecord)) {
      this.condemn(slot);
      return "damaged";
    }
    unpackEntry(this.#slotRecord, 0, this.entry);
    this.#held = slot;
    return "ok";
  }

  /** Reads the newest record of an occupied slot into `into`. False when it is damaged or unreadable. */
  readSlot(slot: number, into: Uint8Array): boolean {
    const length = this.log.read(this.index.place(slot), into);
    const type = recordType(into, 0);
    return length > 0 && (type === Record.slot || type === Record.slotCopy) && slotOf(into, 0) === slot;
  }

  /** The 41 bytes of the entry that {@link load} read last, as the digest takes them. */
  loadedBytes(): Uint8Array {
    return bareEntry(this.#slotRecord, 0);
  }

  /** Reads a slot into {@link entry}, if it can be read; also one that is denied for another damage than its own. */
  #peek(slot: number): boolean {
    if (this.load(slot) === "ok") return true;
    if (this.index.place(slot) <= NOWHERE || !this.readSlot(slot, this.#slotRecord)) return false;
    unpackEntry(this.#slotRecord, 0, this.entry);
    return true;
  }

  /**
   * The slot whose credential has this tag, its entry loaded, also when it is denied as damaged; −1 for none. Reads one record whether there is one or not, and
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
      if (this.#peek(slot) && equal(this.entry.tag, tag)) return slot;
      slot = this.index.candidate(tag, slot);
    }
    return -1;
  }

  /** Reads the use of a slot whose entry has `generation` into {@link usage}. False when its record is damaged. */
  loadUsage(slot: number, generation: number, uses: number): boolean {
    this.usage.used = false;
    this.usage.left = uses;
    this.usage.firstUse = 0;
    const place = this.places.usage[Math.floor(slot / USAGE_GROUP)];
    // Where it is lost, what depended on it is condemned: who is asked about was put since.
    if (place === 0 || place === NOWHERE) return true;
    if (!this.#read(place, Record.usage, Math.floor(slot / USAGE_GROUP))) {
      this.#loseUsage(Math.floor(slot / USAGE_GROUP));
      return this.load(slot) === "ok";
    }
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
    const place = id <= this.profile.schedules ? this.places.schedules[id] : 0;
    if (place === 0 || !this.#readEither(place, Record.schedule, Record.scheduleCopy, id)) return false;
    this.windowCount = Math.min(this.record[3], MAX_WINDOWS);
    for (let i = 0; i < this.windowCount; i++) this.windows[i] = getU32(this.record, HEAD + 4 * i);
    return true;
  }

  hasSchedule(id: number): boolean {
    return id <= this.profile.schedules && this.places.schedules[id] !== 0;
  }

  /** The value of a setting as a view into {@link record}, valid until the next read; undefined when it was never set. */
  setting(id: number): Uint8Array | undefined {
    const place = id < SETTINGS ? this.places.settings[id] : 0;
    if (place === 0 || !this.#readEither(place, Record.setting, Record.settingCopy, id)) return undefined;
    return this.record.subarray(HEAD, HEAD + this.record[3]);
  }

  /** Whether a setting was set and cannot be read any more: then nobody knows what it was. */
  hasLost(id: number): boolean {
    return id < SETTINGS && this.places.settings[id] !== 0 && this.setting(id) === undefined;
  }

  /** A value of the lock's own as a view into {@link record}, valid until the next read; undefined when there is none. */
  state(id: number): Uint8Array | undefined {
    const { states, mirrors } = this.places;
    if (!this.#read(states[id], Record.state, id) && !this.#read(mirrors[id], Record.state, id))
      return undefined;
    return this.record.subarray(HEAD, HEAD + this.record[3]);
  }

  /** Whether a value of the lock's own was there once and cannot be read any more. */
  hasLostState(id: number): boolean {
    return this.places.states[id] !== 0 && this.state(id) === undefined;
  }

  /** Reads the record at `place`, which must be one of this type and number. */
  #read(place: number, type: number, id: number): boolean {
    return this.#readEither(place, type, type, id);
  }

  #readEither(place: number, type: number, copy: number, id: number): boolean {
    if (place === 0 || place === NOWHERE) return false;
    if (this.log.read(place, this.record) === 0 || this.record[2] !== id) return false;
    return recordType(this.record, 0) === type || recordType(this.record, 0) === copy;
  }

  // ---- damage

  /** Why the last commit failed, as a result code: for a fault of the flash, or for room that housekeeping will make. */
  get refusal(): number {
    return this.log.isBroken ? Code.storageFailed : Code.busy;
  }

  /** Denies a slot until it is put again. */
  condemn(slot: number): void {
    this.#held = -1;
    if (!this.index.isDamaged(slot)) this.log.damage++;
    this.index.setPlace(slot, this.index.place(slot) || NOWHERE, true);
  }

  /** Denies a slot whose use is not known any more, if anything depends on it. */
  condemnUsed(slot: number): void {
    if (this.load(slot) === "ok" && dependsOnUse(this.entry)) this.condemn(slot);
  }

  #loseUsage(group: number): void {
    this.places.usage[group] = NOWHERE;
    const end = Math.min((group + 1) * USAGE_GROUP, this.profile.slots);
    for (let slot = group * USAGE_GROUP; slot < end; slot++) this.condemnUsed(slot);
  }

  /** What cannot be read any more, and will be gone: see {@link Keys} for what the key names. */
  lose(key: number): void {
    const { keys, places } = this;
    if (key < keys.usage) this.condemn(key);
    else if (key < keys.schedules) this.#loseUsage(key - keys.usage);
    else if (key < keys.settings) places.schedules[key - keys.schedules] = NOWHERE;
    else if (key < keys.states) places.settings[key - keys.settings] = NOWHERE;
    else if (key < keys.mirrors) places.states[key - keys.states] = NOWHERE;
    if (key >= keys.schedules) this.log.damage++;
  }

  /**
   * Records all that is damaged now, so that it stays denied when the bytes that showed it are gone, or are contradicted by a newer
   * record. False when the flash refused.
   */
  recordDamage(purpose: number): boolean {
    const { index, places, keys, log } = this;
    const damaged = new KeySet(keys.size);
    for (let slot = 0; slot < index.slots; slot++) if (index.isDamaged(slot)) damaged.add(slot);
    addLost(places.schedules, keys.schedules, damaged);
    addLost(places.settings, keys.settings, damaged);
    addLost(places.states, keys.states, damaged);
    if (damaged.isEmpty) return true;
    const length = log.putKeys(this.record, damaged, true, 0);
    if (log.append(this.record, length, purpose) === 0) return false;
    for (let key = 0; key < keys.size; key++) if (damaged.has(key)) log.touched.add(key);
    return true;
  }

  // ---- committing

  #committed(seq: number, head: Uint8Array, code: number, detail: number): void {
    this.applied = this.log.position = seq;
    this.head.set(head);
    this.acks.put(seq, code, detail, getU16(head, 0), this.log.newest & 0xff);
  }

  /** Commits `entry` into its slot. `code` is applied or installed. False when the flash refused; then nothing changed. */
  commitSlot(
    entry: Entry,
    code: number,
    seq: number,
    head: Uint8Array,
    purpose: number = Purpose.ordinary,
  ): boolean {
    const was = this.load(entry.slot);
    const oldDigits = was === "ok" ? this.entry.digits : 0;
    this.record.fill(0, 0, SLOT_BYTES);
    packEntry(entry, this.record, 0);
    markEntry(this.record, 0, Record.slot, code === Code.installed);
    putPosition(this.record, SLOT_BYTES, seq, head);
    const location = this.log.append(this.record, SLOT_BYTES, purpose);
    if (location === 0) return false;
    if (was === "ok") this.index.unlink(entry.slot, this.entry.tag, 0);
    if (was === "damaged") this.index.unlinkUnread(entry.slot);
    if (oldDigits > 0) this.pins[oldDigits]--;
    if (entry.kind === Kind.pin) this.pins[entry.digits]++;
    this.#held = -1;
    this.index.setPlace(entry.slot, location);
    this.index.link(entry.slot, entry.tag, 0);
    this.#committed(seq, head, code, 0);
    // A put begins anew; but a change must not make a slot depend on a use that nobody knows any more.
    const isPut = entry.generation === seq;
    if (!isPut && this.places.usage[Math.floor(entry.slot / USAGE_GROUP)] === NOWHERE)
      this.condemnUsed(entry.slot);
    return true;
  }

  /** Commits a schedule; `count` 0 drops it. */
  commitSchedule(id: number, windows: Uint32Array, count: number, seq: number, head: Uint8Array): boolean {
    const length = lengthFor(WINDOW_BYTES * count, true);
    this.record.fill(0, 0, length);
    putHead(this.record, Record.schedule, length, id, count);
    for (let i = 0; i < count; i++) putU32(this.record, HEAD + 4 * i, windows[i]);
    putPosition(this.record, length, seq, head);
    const location = this.log.append(this.record, length);
    if (location === 0) return false;
    if (this.places.schedules[id] === 0 && count > 0) this.schedules++;
    if (this.places.schedules[id] !== 0 && count === 0) this.schedules--;
    this.places.schedules[id] = count > 0 ? location : 0;
    this.#committed(seq, head, Code.applied, 0);
    return true;
  }

  /** Commits a setting. */
  commitSetting(id: number, value: Uint8Array, seq: number, head: Uint8Array): boolean {
    const length = lengthFor(value.length, true);
    this.record.fill(0, 0, length);
    putHead(this.record, Record.setting, length, id, value.length);
    this.record.set(value, HEAD);
    putPosition(this.record, length, seq, head);
    const location = this.log.append(this.record, length);
    if (location === 0) return false;
    this.places.settings[id] = location;
    this.#committed(seq, head, Code.applied, 0);
    return true;
  }

  /** Commits the removal of every slot in `bitmap` as one record (rule C22); the ack's detail is `count`. */
  commitRemoval(bitmap: Uint8Array, count: number, seq: number, head: Uint8Array): boolean {
    const length = removalBytes(this.profile.slots);
    this.record.fill(0, 0, length);
    putHead(this.record, Record.removal, length, Code.applied, 0);
    putU16(this.record, HEAD, count);
    this.record.set(bitmap, HEAD + 2);
    putPosition(this.record, length, seq, head);
    if (this.log.append(this.record, length, Purpose.removal) === 0) return false;
    for (let slot = 0; slot < this.profile.slots; slot++) {
      if (((bitmap[slot >> 3] >> (slot & 7)) & 1) === 0) continue;
      this.log.touched.add(slot);
      this.#forget(slot);
    }
    this.#committed(seq, head, Code.applied, count);
    return true;
  }

  /** Commits a delta that sets nothing: a refusal, "unchanged", or (with `dropped` ≥ 0) the drop of one slot. */
  commitOutcome(code: number, detail: number, dropped: number, seq: number, head: Uint8Array): boolean {
    putOutcome(this.record, code, detail, dropped + 1, seq, head);
    const purpose = dropped >= 0 ? Purpose.removal : Purpose.refusal;
    if (this.log.append(this.record, OUTCOME_BYTES, purpose) === 0) return false;
    if (dropped >= 0) this.#forget(dropped);
    this.#committed(seq, head, code, detail);
    return true;
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
    const place = this.places.usage[group];
    // The uses of seven others stand in the same record: what cannot be read must not be taken for unused.
    if (place === NOWHERE && !this.recordDamage(Purpose.ordinary)) return false;
    if (place === 0) this.record.fill(0, 0, USAGE_RECORD_BYTES);
    else if (place === NOWHERE) this.#assumeUsed(group, slot);
    else if (!this.#read(place, Record.usage, group)) return false;
    putHead(this.record, Record.usage, USAGE_RECORD_BYTES, group, 0);
    const at = HEAD + (slot % USAGE_GROUP) * USAGE_BYTES;
    putU24(this.record, at, generation);
    this.record[at + 3] = usage.used ? 1 : 0;
    putU16(this.record, at + 4, usage.left);
    putU32(this.record, at + 6, usage.firstUse);
    const location = this.log.append(this.record, USAGE_RECORD_BYTES);
    if (location === 0) return false;
    this.places.usage[group] = location;
    return true;
  }

  /**
   * Begins a usage record in place of one that is lost. Who depends on it is damaged, or was put since; everybody else counts as used
   * up long ago, should anything ever depend on it. `slot` is the one at hand, if any, and stays loaded.
   */
  #assumeUsed(group: number, slot: number): void {
    this.record.fill(0, 0, USAGE_RECORD_BYTES);
    putHead(this.record, Record.usage, USAGE_RECORD_BYTES, group, 0);
    for (let i = 0; i < USAGE_GROUP; i++) {
      const other = group * USAGE_GROUP + i;
      if (other === slot || other >= this.profile.slots) continue;
      if (this.load(other) !== "ok" || dependsOnUse(this.entry)) continue;
      const at = HEAD + i * USAGE_BYTES;
      putU24(this.record, at, this.entry.generation);
      this.record[at + 3] = 1;
      putU32(this.record, at + 6, 1);
    }
    if (slot >= 0) this.load(slot);
  }

  /** Records anew some of the uses that are lost, while what shows their loss still stands. */
  #settleUsage(): void {
    const { usage } = this.places;
    let group = usage.indexOf(NOWHERE);
    if (group >= 0 && !this.recordDamage(Purpose.ordinary)) return;
    for (let times = 0; times < SETTLED_A_STEP && group >= 0; times++) {
      this.#assumeUsed(group, -1);
      const location = this.log.append(this.record, USAGE_RECORD_BYTES);
      if (location === 0) return;
      usage[group] = location;
      group = usage.indexOf(NOWHERE);
    }
  }

  /** Keeps a value of the lock's own, at most 200 bytes. */
  commitState(id: number, value: Uint8Array, purpose: number = Purpose.ordinary): boolean {
    const location = this.#appendState(id, value, false, purpose);
    if (location === 0) return false;
    this.places.states[id] = location;
    this.places.mirrors[id] = 0;
    return true;
  }

  #appendState(id: number, value: Uint8Array, copy: boolean, purpose: number): number {
    const length = lengthFor(value.length, false);
    this.record.set(value, HEAD);
    this.record.fill(0, HEAD + value.length, length);
    putHead(this.record, Record.state, length, id, value.length);
    if (copy) markCopy(this.record);
    return this.log.append(this.record, length, purpose);
  }

  /** Copies a state whose only record stands in a sector that is full: two that fail together take more than one fault. */
  #mirror(): void {
    const { states, mirrors } = this.places;
    for (let id = 0; id < states.length; id++) {
      const place = states[id];
      if (place === 0 || place === NOWHERE || mirrors[id] !== 0 || id === State.swap) continue;
      if (this.log.numberAt(place) === this.log.newest) continue;
      const value = this.state(id);
      if (value !== undefined) mirrors[id] = this.#appendState(id, value, true, Purpose.ordinary);
    }
  }

  /** Begins a log: nothing applied yet, the head that the epoch starts from. For a new claim, on a table that is empty. */
  startEpoch(crypto: Crypto, lock: Uint8Array, epoch: number): void {
    this.applied = this.log.position = 0;
    this.head.set(genesisHead(crypto, lock, epoch));
    this.acks.clear();
  }

  /** Takes the table that was staged for this one, in memory; all the log's positions and acks go with the old one. */
  adopt(staged: Staged): void {
    const { index, places, profile, keys, log } = this;
    this.#held = -1;
    index.clear();
    this.pins.fill(0);
    places.usage.fill(0);
    places.schedules.set(staged.schedules);
    places.settings.set(staged.settings);
    this.schedules = 0;
    for (const place of places.schedules) if (place !== 0) this.schedules++;
    for (let slot = 0; slot < profile.slots; slot++) {
      if (staged.slots[slot] === 0) continue;
      index.setPlace(slot, staged.slots[slot]);
      if (this.load(slot) !== "ok") continue;
      index.link(slot, this.entry.tag, 0);
      if (this.entry.kind === Kind.pin) this.pins[this.entry.digits]++;
    }
    for (let key = 0; key < keys.states; key++) log.touched.add(key);
    this.applied = log.position = 0;
    this.acks.clear();
  }

  // ---- compaction

  /** One step of housekeeping, with at most one erase; never while a credential is being decided. */
  maintain(): void {
    if (this.rebase.isUnsettled && !this.rebase.settle()) return;
    this.#settleUsage();
    this.log.maintain(this.#compaction);
    this.#mirror();
  }
}

/** Whether a decision about a slot asks for its use (rules C10, C12, A69). */
function dependsOnUse({ uses, minutesAfterFirstUse, firstUseHours }: Entry): boolean {
  return uses > 0 || minutesAfterFirstUse > 0 || firstUseHours > 0;
}

function addLost(places: Uint16Array, firstKey: number, lost: KeySet): void {
  for (let id = 0; id < places.length; id++) if (places[id] === NOWHERE) lost.add(firstKey + id);
}
