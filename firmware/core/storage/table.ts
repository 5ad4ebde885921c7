// The credential table (rules C1, C3, C20, C25, S2, S4): what the flash log means. It mounts the log into an index, and appends the
// records that deltas commit; how it is read is in table-view.ts. A damaged slot is denied until it is put again. Nothing here decides
// who may open.

import type { Crypto } from "../../../protocol/crypto/port";
import { getU16, putU16 } from "../../../protocol/wire/bytes";
import { genesisHead } from "../../../protocol/wire/chain";
import { Code } from "../../../protocol/wire/codes";
import { type Entry, Kind, packEntry } from "../../../protocol/wire/entry";
import type { Flash } from "../../ports";
import type { Profile } from "../profile";
import { Compaction } from "./compaction";
import { type MountState, Purpose } from "./flash-log";
import { KeySet } from "./keys";
import { LOCALS_END, NOWHERE, outlivesOwner, STATES, State, VITAL } from "./places";
import { Rebase, type Staged } from "./rebase";
import {
  HEAD,
  markCopy,
  markEntry,
  OUTCOME_BYTES,
  putHead,
  putOutcome,
  putPosition,
  putSchedule,
  putValue,
  Record,
  removalBytes,
  SLOT_BYTES,
} from "./records";
import { TableMount } from "./table-mount";
import { TableView } from "./table-view";
import { type Usage, Uses } from "./uses";

export type { Usage } from "./uses";

/** What a removal takes: slots alone, or the codes programmed at the keypad as well. */
export type Removed = "slots" | "slots and codes";

export class Table extends TableView {
  /** What {@link loadUsage} read last. */
  readonly usage: Usage = { used: false, left: 0, firstUse: 0 };
  readonly uses: Uses;
  /** The table that is being built beside this one, if any. */
  readonly rebase: Rebase;
  readonly #compaction: Compaction;

  constructor(flash: Flash, profile: Profile, lock: Uint8Array) {
    super(flash, profile, lock);
    this.uses = new Uses(this);
    this.rebase = new Rebase(this);
    this.#compaction = new Compaction(this);
  }

  // ---- mounting

  /** Reads the whole log. Writes nothing. Anything but "mounted" leaves an empty table: the lock fails secure and says so. */
  mount(): MountState {
    return new TableMount(this).mount();
  }

  // ---- damage

  /** Why the last commit failed, as a result code: for a fault of the flash, or for room that housekeeping will make. */
  get refusal(): number {
    return this.log.isBroken ? Code.storageFailed : Code.busy;
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
    log.touched.addAll(damaged);
    return true;
  }

  // ---- committing

  private committed(seq: number, head: Uint8Array, code: number, detail: number): void {
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
    // Looked at before the flash changes: who is in the slot must be known, or be damaged, whatever becomes of the write.
    this.load(entry.slot);
    this.record.fill(0, 0, SLOT_BYTES);
    packEntry(entry, this.record, 0);
    markEntry(this.record, 0, Record.slot, code === Code.installed);
    putPosition(this.record, SLOT_BYTES, seq, head);
    const location = this.log.append(this.record, SLOT_BYTES, purpose);
    if (location === 0) return false;
    this.forget(entry.slot);
    this.index.setPlace(entry.slot, location);
    this.enter(entry);
    this.committed(seq, head, code, 0);
    // A put begins anew; but a change must not make a slot depend on a use that nobody knows any more.
    const isPut = entry.generation === seq;
    if (!isPut && this.uses.areLost(entry.slot)) this.uses.condemnUsed(entry.slot);
    return true;
  }

  /** Commits a schedule; `count` 0 drops it. */
  commitSchedule(id: number, windows: Uint32Array, count: number, seq: number, head: Uint8Array): boolean {
    const length = putSchedule(this.record, Record.schedule, id, windows, count);
    putPosition(this.record, length, seq, head);
    const location = this.log.append(this.record, length);
    if (location === 0) return false;
    this.places.schedules[id] = count > 0 ? location : 0;
    this.committed(seq, head, Code.applied, 0);
    return true;
  }

  /** Commits a setting. */
  commitSetting(id: number, value: Uint8Array, seq: number, head: Uint8Array): boolean {
    const length = putValue(this.record, Record.setting, id, value);
    putPosition(this.record, length, seq, head);
    const location = this.log.append(this.record, length);
    if (location === 0) return false;
    this.places.settings[id] = location;
    this.committed(seq, head, Code.applied, 0);
    return true;
  }

  /** Commits the removal of every slot in `bitmap` as one record (rule C22); the ack's detail is `count`. */
  commitRemoval(bitmap: Uint8Array, count: number, what: Removed, seq: number, head: Uint8Array): boolean {
    const { keys, places } = this;
    const length = removalBytes(this.profile.slots);
    const isWipe = what === "slots and codes";
    this.record.fill(0, 0, length);
    putHead(this.record, Record.removal, length, Code.applied, isWipe ? 1 : 0);
    putU16(this.record, HEAD, count);
    this.record.set(bitmap, HEAD + 2);
    putPosition(this.record, length, seq, head);
    if (this.log.append(this.record, length, Purpose.removal) === 0) return false;
    for (let slot = 0; slot < this.profile.slots; slot++) {
      if (((bitmap[slot >> 3] >> (slot & 7)) & 1) === 0) continue;
      this.log.touched.add(slot);
      this.forget(slot);
    }
    for (let id: number = State.local; isWipe && id < LOCALS_END; id++) {
      places.states[id] = places.mirrors[id] = 0;
      this.log.touched.add(keys.states + id);
    }
    this.committed(seq, head, Code.applied, count);
    return true;
  }

  /** Commits a delta that sets nothing: a refusal, "unchanged", or (with `dropped` ≥ 0) the drop of one slot. */
  commitOutcome(code: number, detail: number, dropped: number, seq: number, head: Uint8Array): boolean {
    putOutcome(this.record, code, detail, dropped + 1, seq, head);
    const purpose = dropped >= 0 ? Purpose.removal : Purpose.refusal;
    if (this.log.append(this.record, OUTCOME_BYTES, purpose) === 0) return false;
    if (dropped >= 0) this.forget(dropped);
    this.committed(seq, head, code, detail);
    return true;
  }

  /** Makes an entry findable, and counts it. */
  private enter(entry: Entry): void {
    this.index.link(entry.slot, entry.tag);
    if (entry.kind === Kind.pin) this.pins[entry.digits]++;
  }

  /** Takes a slot out of the index. Its record is dead from here on. */
  private forget(slot: number): void {
    const was = this.load(slot);
    if (was === "ok") {
      this.index.unlink(slot, this.entry.tag);
      if (this.entry.digits > 0) this.pins[this.entry.digits]--;
    } else if (was === "damaged") this.index.unlinkUnread(slot);
    this.held = -1;
    this.index.setPlace(slot, 0);
  }

  /** Reads the use of a slot whose entry has `generation` into {@link usage}. False when its record is damaged. */
  loadUsage(slot: number, generation: number, uses: number): boolean {
    return this.uses.load(slot, generation, uses);
  }

  /** Keeps what is known of the use of a slot (rule C10): before the bolt moves. False when the flash refused. */
  commitUsage(slot: number, generation: number, usage: Usage): boolean {
    return this.uses.commit(slot, generation, usage);
  }

  /** Keeps a value of the lock's own, at most 200 bytes. */
  commitState(id: number, value: Uint8Array, purpose: number = Purpose.ordinary): boolean {
    const location = this.appendState(id, value, false, purpose);
    if (location === 0) return false;
    this.places.states[id] = location;
    this.places.mirrors[id] = 0;
    return true;
  }

  private appendState(id: number, value: Uint8Array, copy: boolean, purpose: number): number {
    const length = putValue(this.record, Record.state, id, value);
    if (copy) markCopy(this.record);
    return this.log.append(this.record, length, purpose);
  }

  /** Copies a vital state whose only record stands in a sector that is full: two that fail together take more than one fault. */
  private mirror(): void {
    const { states, mirrors } = this.places;
    for (const id of VITAL) {
      const place = states[id];
      if (place === 0 || place === NOWHERE || mirrors[id] !== 0) continue;
      if (this.log.numberAt(place) === this.log.newest) continue;
      const value = this.state(id);
      if (value !== undefined) mirrors[id] = this.appendState(id, value, true, Purpose.ordinary);
    }
  }

  /** Whether nothing was ever set in this table, as after provisioning: then a new owner may begin a log. */
  get isFresh(): boolean {
    const { index, places, rebase } = this;
    const isEmpty = index.used === 0 && this.schedules === 0 && !places.settings.some((place) => place !== 0);
    return isEmpty && this.applied === 0 && rebase.base === 0 && rebase.pending === 0;
  }

  /** Whether nothing was applied since the log began: with a claim, or with a rebase at the base of its order. */
  get isAtBase(): boolean {
    return this.applied === this.rebase.base;
  }

  /** Begins a log: nothing applied yet, the head that the epoch starts from. For a new claim, on a fresh table, and for a rebase. */
  startEpoch(crypto: Crypto, lock: Uint8Array, epoch: number): void {
    this.applied = this.log.position = this.rebase.base;
    this.head.set(genesisHead(crypto, lock, epoch));
    this.acks.clear(this.applied);
  }

  /** Forgets the lock's own values that do not outlive an owner, in memory. */
  forgetOwn(): void {
    const { places, keys, log } = this;
    for (let id = 0; id < STATES; id++) {
      if (outlivesOwner(id)) continue;
      places.states[id] = places.mirrors[id] = 0;
      log.touched.add(keys.states + id);
      log.touched.add(keys.mirrors + id);
    }
  }

  /** Takes the table that was staged for this one, in memory; positions and acks go with the old one, and the new log begins at `base`. */
  adopt(staged: Staged, base: number): void {
    const { index, places, profile, keys, log } = this;
    this.held = -1;
    index.clear();
    this.pins.fill(0);
    places.usage.fill(0);
    places.schedules.set(staged.schedules);
    places.settings.set(staged.settings);
    for (let slot = 0; slot < profile.slots; slot++) {
      if (staged.slots[slot] === 0) continue;
      index.setPlace(slot, staged.slots[slot]);
      if (this.load(slot) === "ok") this.enter(this.entry);
    }
    log.touched.addBelow(keys.states);
    log.touched.add(keys.states + State.rebase);
    this.applied = log.position = base;
    this.acks.clear(base);
  }

  // ---- compaction

  /** One step of housekeeping, with at most one erase; never while a credential is being decided. */
  maintain(): void {
    if (this.rebase.isUnsettled && !this.rebase.settle()) return;
    this.uses.settle();
    this.log.maintain(this.#compaction);
    this.mirror();
  }
}

function addLost(places: Uint16Array, firstKey: number, lost: KeySet): void {
  for (let id = 0; id < places.length; id++) if (places[id] === NOWHERE) lost.add(firstKey + id);
}
