// Mounting the table: what each record of the log means for the index, oldest first, and what a record that is missing means. Reads
// only; what it needs of every slot once is gone when it ends. A flipped or lost record must never turn into an older truth.

import { getU16, getU24 } from "../../../protocol/wire/bytes";
import { Code } from "../../../protocol/wire/codes";
import { ENTRY_GENERATION, ENTRY_TAG } from "../../../protocol/wire/entry";
import { HEAD_BYTES } from "../../../protocol/wire/limits";
import type { MountState } from "./flash-log";
import type { KeySet } from "./keys";
import type { LogVisitor } from "./log-mount";
import { LOCALS_END, NOWHERE, outlivesOwner, STATES, State } from "./places";
import { isClearing } from "./rebase";
import {
  ACK_BYTES,
  ACKS_HEAD,
  commits,
  HEAD,
  isCopy,
  isStaged,
  POSITION_BYTES,
  Record,
  recordType,
  slotOf,
  TAIL,
  USAGE_GROUP,
  wasInstalled,
} from "./records";
import type { Table } from "./table";

const NOTHING = new Uint8Array(0);
/** How far the low byte of a position may lie behind what is known: deltas that were lost are applied again. */
const BEHIND = 64;

export class TableMount implements LogVisitor {
  readonly #table: Table;
  /** Of each slot's newest tag the first byte, the digits of its PIN, and whether its use is lost; let go when the mount ends. */
  #buckets: Uint8Array;
  #digits: Uint8Array;
  #useless: Uint8Array;
  /** Slots that a swap gave a record which was staged before: what the index needs of it is read in the end. */
  #unread: Uint8Array;
  /** What positions are counted from: the last one, or that of the sector's header. */
  #base = 0;
  /** The low byte of the number of the sector at hand. */
  #sector = 0;

  constructor(table: Table) {
    this.#table = table;
    this.#buckets = new Uint8Array(table.profile.slots);
    this.#digits = new Uint8Array(table.profile.slots);
    this.#useless = new Uint8Array(table.profile.slots);
    this.#unread = new Uint8Array(table.profile.slots);
  }

  /** Reads the whole log into the table, which is empty. */
  mount(): MountState {
    const table = this.#table;
    const state = table.log.mount(this);
    if (state !== "mounted") return state;
    const tag = new Uint8Array(2);
    for (let slot = 0; slot < table.profile.slots; slot++) {
      if (table.index.place(slot) === 0 || table.index.isDamaged(slot)) continue;
      if (this.#unread[slot] !== 0 && !this.read(slot)) continue;
      tag[0] = this.#buckets[slot];
      tag[1] = table.index.fingerprint(slot);
      table.index.link(slot, tag);
      if (this.#digits[slot] > 0) table.pins[this.#digits[slot]]++;
      if (this.#useless[slot] !== 0) table.uses.condemnUsed(slot);
    }
    this.#buckets = this.#digits = this.#useless = this.#unread = NOTHING;
    // Where nothing was applied since a rebase, only the record of that says where the log stands.
    if (table.applied < table.rebase.base) this.startAt(table.rebase.base);
    table.log.position = table.applied;
    return state;
  }

  /** The log begins at `base`: nothing of it was applied yet. */
  private startAt(base: number): void {
    this.#table.applied = this.#base = base;
    this.#table.acks.clear(base);
  }

  /** Reads what a swap made the slot's record. False when it is damaged. */
  private read(slot: number): boolean {
    if (this.#table.load(slot) !== "ok") return false;
    const { tag, digits } = this.#table.entry;
    this.#buckets[slot] = tag[0];
    this.#table.index.setFingerprint(slot, tag[1]);
    this.#digits[slot] = digits;
    return true;
  }

  visitSector(number: number, position: number): void {
    this.#sector = number & 0xff;
    this.#base = Math.max(this.#table.applied, position);
  }

  visit(record: Uint8Array, offset: number, length: number, location: number): void {
    const { places, profile } = this.#table;
    const type = recordType(record, offset);
    const id = record[offset + 2];
    if (isStaged(record, offset)) {
      this.visitStaged(type, type === Record.slotCopy ? slotOf(record, offset) : id, location);
      return;
    }
    if (commits(type)) this.visitPosition(record, offset, length);
    switch (type) {
      case Record.slot:
      case Record.slotCopy:
        this.visitSlot(record, offset, location);
        break;
      case Record.schedule:
      case Record.scheduleCopy:
        if (id <= profile.schedules) places.schedules[id] = record[offset + 3] === 0 ? 0 : location;
        break;
      case Record.setting:
      case Record.settingCopy:
        if (id < places.settings.length) places.settings[id] = location;
        break;
      case Record.removal:
        this.visitRemoval(record, offset);
        break;
      case Record.outcome:
        this.visitOutcome(record, offset);
        break;
      case Record.acks:
        this.visitAcks(record, offset);
        break;
      case Record.usage:
        this.visitUsage(id, location);
        break;
      case Record.state:
        this.visitState(id, isCopy(record, offset), location);
        if (id === State.rebase && this.#table.rebase.visitValue(record, offset + HEAD))
          this.startAt(this.#table.rebase.base);
        if (id === State.swap) this.visitSwap(record, offset);
    }
  }

  private visitStaged(type: number, id: number, location: number): void {
    const { rebase } = this.#table;
    if (type === Record.slotCopy) rebase.visitStaged("slots", id, location);
    else rebase.visitStaged(type === Record.scheduleCopy ? "schedules" : "settings", id, location);
  }

  private visitSwap(record: Uint8Array, offset: number): void {
    const { rebase, index, places, profile } = this.#table;
    const staged = rebase.visitSwap(record, offset + HEAD);
    index.clear();
    for (let slot = 0; slot < profile.slots; slot++) {
      const place = staged?.slots[slot] ?? 0;
      if (place !== 0) index.setPlace(slot, place, place === NOWHERE);
    }
    this.#unread.fill(1);
    this.#useless.fill(0);
    places.usage.fill(0);
    places.schedules.fill(0);
    places.settings.fill(0);
    if (staged !== undefined) {
      places.schedules.set(staged.schedules);
      places.settings.set(staged.settings);
    } else
      for (let id = 0; id < STATES; id++) if (!outlivesOwner(id)) places.states[id] = places.mirrors[id] = 0;
    this.startAt(rebase.base);
  }

  addKeys(record: Uint8Array, offset: number, keys: KeySet): void {
    if (recordType(record, offset) === Record.state) {
      // A swap changes the table, and what is known of rebases; a reset the lock's own values as well.
      const { states, mirrors } = this.#table.keys;
      keys.addBelow(states);
      keys.add(states + State.rebase);
      for (let id = 0; isClearing(record, offset + HEAD) && id < STATES; id++) {
        if (outlivesOwner(id)) continue;
        keys.add(states + id);
        keys.add(mirrors + id);
      }
      return;
    }
    forEachRemoved(record, offset, this.#table.profile.slots, (slot) => keys.add(slot));
    if (!isWipe(record, offset)) return;
    const { states } = this.#table.keys;
    for (let id: number = State.local; id < LOCALS_END; id++) keys.add(states + id);
  }

  visitLost(key: number, certainly: boolean): boolean {
    const { index, keys, places, rebase } = this.#table;
    // It may as well have been staged: then the new table would have it damaged.
    const { staged } = rebase;
    if (key < keys.usage) {
      losePlace(staged?.slots, key, certainly);
      if (!certainly && index.place(key) === 0) return false;
      index.setPlace(key, NOWHERE, true);
      return true;
    }
    // A slot that may be lost is none; but that nothing was used, set or claimed yet must be known.
    if (key < keys.schedules) return this.loseUsage(key - keys.usage);
    if (key < keys.settings) {
      losePlace(staged?.schedules, key - keys.schedules, certainly);
      return losePlace(places.schedules, key - keys.schedules, certainly);
    }
    if (key < keys.states) {
      losePlace(staged?.settings, key - keys.settings, certainly);
      return losePlace(places.settings, key - keys.settings, true);
    }
    // A copy that is lost takes nothing with it, while what it is a copy of still stands.
    if (key >= keys.mirrors)
      return (
        places.states[key - keys.mirrors] === 0 && losePlace(places.states, key - keys.mirrors, certainly)
      );
    if (key === keys.states + State.rebase) rebase.visitLost();
    places.mirrors[key - keys.states] = 0;
    return losePlace(places.states, key - keys.states, true);
  }

  /** Uses that were counted once are never uncounted: what depends on them is denied until it is put again. */
  private loseUsage(group: number): boolean {
    losePlace(this.#table.places.usage, group, true);
    this.#useless.fill(1, group * USAGE_GROUP, (group + 1) * USAGE_GROUP);
    return true;
  }

  private visitUsage(group: number, location: number): void {
    const { places } = this.#table;
    if (group >= places.usage.length) return;
    places.usage[group] = location;
    this.#useless.fill(0, group * USAGE_GROUP, (group + 1) * USAGE_GROUP);
  }

  private visitState(id: number, copy: boolean, location: number): void {
    const { places } = this.#table;
    if (id >= places.states.length) return;
    const stands = places.states[id] !== 0 && places.states[id] !== NOWHERE;
    places.mirrors[id] = copy && stands ? location : 0;
    if (!copy || !stands) places.states[id] = location;
  }

  private visitPosition(record: Uint8Array, offset: number, length: number): void {
    const at = offset + length - TAIL - POSITION_BYTES;
    const base = this.#base;
    const seq = Math.max(0, base + ((record[at] - base + BEHIND) & 0xff) - BEHIND);
    const table = this.#table;
    this.#base = table.applied = seq;
    table.head.set(record.subarray(at + 1, at + 1 + HEAD_BYTES));
    const type = recordType(record, offset);
    let code: number = Code.applied;
    let detail = 0;
    if (type === Record.slot && wasInstalled(record, offset)) code = Code.installed;
    if (type === Record.removal) detail = getU16(record, offset + HEAD);
    if (type === Record.outcome) {
      code = record[offset + 2];
      detail = getU16(record, offset + HEAD + 2);
    }
    table.acks.put(seq, code, detail, getU16(record, at + 1), this.#sector);
  }

  private visitSlot(record: Uint8Array, offset: number, location: number): void {
    const slot = slotOf(record, offset);
    if (slot >= this.#table.profile.slots) return;
    this.#table.index.setPlace(slot, location);
    this.#buckets[slot] = record[offset + ENTRY_TAG];
    this.#table.index.setFingerprint(slot, record[offset + ENTRY_TAG + 1]);
    const digits = record[offset + 4] >>> 5;
    this.#digits[slot] = digits === 0 ? 0 : digits + 3;
    this.#unread[slot] = 0;
    // A put begins a new generation, whose use is known: there was none.
    const isPut =
      recordType(record, offset) === Record.slot && getU24(record, offset + ENTRY_GENERATION) === this.#base;
    if (isPut) this.#useless[slot] = 0;
  }

  private visitRemoval(record: Uint8Array, offset: number): void {
    const { index, places, profile } = this.#table;
    forEachRemoved(record, offset, profile.slots, (slot) => index.setPlace(slot, 0));
    if (!isWipe(record, offset)) return;
    places.states.fill(0, State.local, LOCALS_END);
    places.mirrors.fill(0, State.local, LOCALS_END);
  }

  private visitOutcome(record: Uint8Array, offset: number): void {
    const dropped = getU16(record, offset + HEAD);
    if (dropped > 0 && dropped <= this.#table.profile.slots) this.#table.index.setPlace(dropped - 1, 0);
  }

  private visitAcks(record: Uint8Array, offset: number): void {
    const first = getU24(record, offset + HEAD);
    for (let i = 0; i < record[offset + 2]; i++) {
      const at = offset + ACKS_HEAD + i * ACK_BYTES;
      this.#table.acks.put(
        first + i,
        record[at],
        getU16(record, at + 1),
        getU16(record, at + 3),
        this.#sector,
      );
    }
  }
}

/** Whether a removal takes the codes programmed at the keypad, too. */
function isWipe(removal: Uint8Array, offset: number): boolean {
  return removal[offset + 3] !== 0;
}

function forEachRemoved(
  removal: Uint8Array,
  offset: number,
  slots: number,
  see: (slot: number) => void,
): void {
  const bitmap = offset + HEAD + 2;
  for (let first = 0; first < slots; first += 8) {
    const bits = removal[bitmap + (first >> 3)];
    for (let bit = 0; bits >> bit > 0; bit++) if ((bits >> bit) & 1 && first + bit < slots) see(first + bit);
  }
}

/** Whether something is lost where `id` stands. */
function losePlace(places: Uint16Array | undefined, id: number, certainly: boolean): boolean {
  if (places === undefined || (!certainly && places[id] === 0)) return false;
  places[id] = NOWHERE;
  return true;
}
