// What stands in the credential table (rules C1, C3, C6): which slot a tag names, and what is in slots, schedules, settings and the
// lock's own values. Records in flash hold the truth; memory holds where they are. Nothing here writes; a record that cannot be read
// denies its slot, in memory.

import { equal, getU32 } from "../../../protocol/wire/bytes";
import { type Entry, emptyEntry, unpackEntry } from "../../../protocol/wire/entry";
import { HEAD_BYTES, MAX_PIN_DIGITS, MAX_WINDOWS } from "../../../protocol/wire/limits";
import { SETTINGS } from "../../../protocol/wire/settings";
import type { Flash } from "../../ports";
import type { Profile } from "../profile";
import { Acks } from "./acks";
import { FlashLog } from "./flash-log";
import { Keys } from "./keys";
import { makePlaces, NOWHERE, type Places } from "./places";
import {
  bareEntry,
  HEAD,
  MAX_RECORD_BYTES,
  Record,
  recordType,
  SLOT_BYTES,
  slotOf,
  WINDOW_BYTES,
} from "./records";
import { SlotIndex } from "./slot-index";

/** How a look at a slot ended. */
export type Loaded = "ok" | "empty" | "damaged";

export class TableView {
  readonly profile: Profile;
  readonly keys: Keys;
  readonly index: SlotIndex;
  readonly log: FlashLog;
  readonly acks: Acks;
  readonly places: Places;
  /** The last applied seq of this epoch, and the chain head after it. */
  applied = 0;
  readonly head = new Uint8Array(HEAD_BYTES);
  /** Live PINs by their number of digits, for the density guard (rule C18). */
  readonly pins = new Uint16Array(MAX_PIN_DIGITS + 1);
  /** The slot that {@link load} or {@link find} looked at last. */
  readonly entry: Entry = emptyEntry();
  readonly windows = new Uint32Array(MAX_WINDOWS);
  windowCount = 0;
  /** Record under construction, or read last. */
  readonly record = new Uint8Array(MAX_RECORD_BYTES);
  /** The slot whose newest record is in #slotRecord and {@link entry}, −1 for none: one delta asks for it three times. */
  protected held = -1;
  readonly #slotRecord = new Uint8Array(SLOT_BYTES);

  constructor(flash: Flash, profile: Profile, lock: Uint8Array) {
    this.profile = profile;
    this.keys = new Keys(profile);
    this.index = new SlotIndex(profile.slots);
    this.log = new FlashLog(flash, lock, profile.id, this.keys);
    this.acks = new Acks(profile.acks);
    this.places = makePlaces(profile);
  }

  // ---- slots

  /** Reads a slot into {@link entry}. */
  load(slot: number): Loaded {
    if (slot === this.held) return "ok";
    const place = this.index.place(slot);
    if (place === 0) return "empty";
    if (this.index.isDamaged(slot)) return "damaged";
    this.held = -1;
    if (!this.readSlot(slot, this.#slotRecord)) {
      this.condemn(slot);
      return "damaged";
    }
    unpackEntry(this.#slotRecord, 0, this.entry);
    this.held = slot;
    return "ok";
  }

  /** Reads the newest record of an occupied slot into `into`. False when it is damaged or unreadable. */
  readSlot(slot: number, into: Uint8Array): boolean {
    const length = this.log.read(this.index.place(slot), into);
    const type = recordType(into, 0);
    return length > 0 && (type === Record.slot || type === Record.slotCopy) && slotOf(into, 0) === slot;
  }

  /** Denies a slot until it is put again. */
  condemn(slot: number): void {
    this.held = -1;
    if (!this.index.isDamaged(slot)) this.log.damage++;
    this.index.setPlace(slot, this.index.place(slot) || NOWHERE, true);
  }

  /** The 41 bytes of the entry that {@link load} read last, as the digest takes them. */
  loadedBytes(): Uint8Array {
    return bareEntry(this.#slotRecord, 0);
  }

  /** Reads a slot into {@link entry}, if it can be read; also one that is denied for another damage than its own. */
  private peek(slot: number): boolean {
    if (this.load(slot) === "ok") return true;
    if (this.index.place(slot) <= NOWHERE || !this.readSlot(slot, this.#slotRecord)) return false;
    unpackEntry(this.#slotRecord, 0, this.entry);
    return true;
  }

  /**
   * The slot whose credential has this tag, its entry loaded, also when it is denied as damaged; −1 for none. Reads one record
   * whether there is one or not, and compares all of a tag always (rule C6).
   */
  find(tag: Uint8Array): number {
    // A lookup always reads, or a PIN typed twice would take less time than one that is not there.
    this.held = -1;
    let slot = this.index.candidate(tag, -1);
    if (slot < 0) {
      this.log.read(this.log.decoy, this.#slotRecord);
      unpackEntry(this.#slotRecord, 0, this.entry);
      equal(this.entry.tag, tag);
      return -1;
    }
    while (slot >= 0) {
      if (this.peek(slot) && equal(this.entry.tag, tag)) return slot;
      slot = this.index.candidate(tag, slot);
    }
    return -1;
  }

  // ---- everything else

  /** Reads a schedule into {@link windows}. False when there is none, or it is damaged. */
  loadSchedule(id: number): boolean {
    this.windowCount = 0;
    const place = id <= this.profile.schedules ? this.places.schedules[id] : 0;
    if (this.readRecord(place, id, Record.schedule, Record.scheduleCopy) === 0) return false;
    this.windowCount = Math.min(this.record[3], MAX_WINDOWS);
    for (let i = 0; i < this.windowCount; i++) this.windows[i] = getU32(this.record, HEAD + WINDOW_BYTES * i);
    return true;
  }

  /** How many schedules there are. */
  get schedules(): number {
    let count = 0;
    for (const place of this.places.schedules) if (place !== 0) count++;
    return count;
  }

  hasSchedule(id: number): boolean {
    return id <= this.profile.schedules && this.places.schedules[id] !== 0;
  }

  /** The value of a setting as a view into {@link record}, valid until the next read; undefined when it was never set. */
  setting(id: number): Uint8Array | undefined {
    const place = id < SETTINGS ? this.places.settings[id] : 0;
    if (this.readRecord(place, id, Record.setting, Record.settingCopy) === 0) return undefined;
    return this.record.subarray(HEAD, HEAD + this.record[3]);
  }

  /** Whether a setting was set and cannot be read any more: then nobody knows what it was. */
  hasLost(id: number): boolean {
    return id < SETTINGS && this.places.settings[id] !== 0 && this.setting(id) === undefined;
  }

  /** A value of the lock's own as a view into {@link record}, valid until the next read; undefined when there is none. */
  state(id: number): Uint8Array | undefined {
    const { states, mirrors } = this.places;
    const isRead =
      this.readRecord(states[id], id, Record.state) > 0 || this.readRecord(mirrors[id], id, Record.state) > 0;
    return isRead ? this.record.subarray(HEAD, HEAD + this.record[3]) : undefined;
  }

  /** Whether a value of the lock's own was there once and cannot be read any more. */
  hasLostState(id: number): boolean {
    return this.places.states[id] !== 0 && this.state(id) === undefined;
  }

  /**
   * Reads the record of `id` at `place` into {@link record}. Returns its length, 0 when none stands there, or one that is neither of
   * `type` nor its copy.
   */
  readRecord(place: number, id: number, type: number, copy: number = type): number {
    if (place === 0 || place === NOWHERE) return 0;
    const length = this.log.read(place, this.record);
    const is = recordType(this.record, 0);
    return this.record[2] === id && (is === type || is === copy) ? length : 0;
  }
}
