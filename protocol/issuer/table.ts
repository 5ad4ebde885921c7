// What stands in a lock's table after the deltas that it has acknowledged, as far as deltas set it: the issuer's own copy. Whether a
// delta took effect is the lock's word, never decided here; so an honest lock has exactly this table, and its digest proves it (rules
// A47, K6).

import type { Crypto } from "../crypto/port";
import { equal, getU32 } from "../wire/bytes";
import { Code } from "../wire/codes";
import type { DeltaFields } from "../wire/deltas";
import { Op } from "../wire/deltas";
import { addDigest, Item, scheduleDigest, settingDigest, slotDigest, subtractDigest } from "../wire/digest";
import type { Entry } from "../wire/entry";
import { ENTRY_BYTES, emptyEntry, Flag, packEntry, unpackEntry } from "../wire/entry";
import { DIGEST_BYTES } from "../wire/limits";
import { Setting } from "../wire/settings";

/** One slot; never changed once it is in a table, so tables may share it. */
export type Slot = Readonly<Entry>;

/** The mirror of one lock's table. */
export class Table {
  readonly slots: Map<number, Slot>;
  /** Packed windows by schedule id. */
  readonly schedules: Map<number, readonly number[]>;
  readonly settings: Map<number, Uint8Array>;
  /** The table digest; means nothing in a table without crypto. */
  readonly sum = new Uint8Array(DIGEST_BYTES);
  readonly #crypto: Crypto | undefined;

  /** An empty table, or a copy of `from`. Only one with `crypto` keeps its digest. */
  constructor(crypto?: Crypto, from?: Table) {
    this.#crypto = crypto;
    this.slots = new Map(from?.slots);
    this.schedules = new Map(from?.schedules);
    this.settings = new Map(from?.settings);
    if (from !== undefined) this.sum.set(from.sum);
  }

  /** Whether a slot below this one is empty. */
  hasFreeBelow(slot: number): boolean {
    for (let free = 0; free < slot; free++) if (!this.slots.has(free)) return true;
    return false;
  }

  /** Does what the delta at `seq` did if the lock answered it with `code`. Returns how many slots it removed. */
  apply(seq: number, delta: DeltaFields, code: number): number {
    if (code !== Code.applied && code !== Code.installed) return 0;
    const { slot } = delta.entry;
    const was = this.slots.get(slot);
    switch (delta.op) {
      case Op.put:
        this.#setSlot({ ...delta.entry, tag: delta.entry.tag.slice(), generation: seq });
        return 0;
      case Op.change:
        if (was !== undefined) this.#setSlot(changed(was, delta.entry));
        return 0;
      case Op.enable:
        if (was !== undefined) this.#setSlot({ ...was, flags: was.flags & ~Flag.disabled });
        return 0;
      case Op.disable:
        if (was !== undefined) this.#setSlot({ ...was, flags: was.flags | Flag.disabled });
        return 0;
      case Op.drop:
        return this.#removeSlots([slot]);
      case Op.revoke:
        return this.#removeSlots(this.family(delta.user));
      case Op.wipe:
        return this.#removeSlots([...this.slots.keys()]);
      case Op.putSchedule:
        this.#setSchedule(delta.id, Array.from(delta.windows.subarray(0, delta.windowCount)));
        return 0;
      case Op.dropSchedule:
        this.#setSchedule(delta.id, undefined);
        return 0;
      case Op.set:
        this.#setSetting(delta.id, delta.value.slice());
        return 0;
      default:
        return 0;
    }
  }

  /** Adds one item of the table digest, as the parts of a rebase hold them. Throws on any other bytes. */
  add(item: Uint8Array): void {
    const [what, id] = item;
    if (what === Item.slot && item.length === 1 + ENTRY_BYTES) {
      const slot = emptyEntry();
      unpackEntry(item, 1, slot);
      this.#setSlot(slot);
    } else if (what === Item.schedule && item.length % 4 === 2) {
      const windows: number[] = [];
      for (let at = 2; at < item.length; at += 4) windows.push(getU32(item, at));
      this.#setSchedule(id, windows);
    } else if (what === Item.setting && item.length > 2) this.#setSetting(id, item.slice(2));
    else throw new Error("item of a table: wanted a slot, a schedule or a setting");
  }

  /** The slots of a user and of everyone below, by the grantors that the slots themselves name (rule C22). */
  family(user: number): number[] {
    const users = new Set([user]);
    const found = new Set<number>();
    for (let before = -1; before < found.size; ) {
      before = found.size;
      for (const [number, slot] of this.slots) {
        if (found.has(number) || !(users.has(slot.user) || users.has(slot.grantor))) continue;
        found.add(number);
        users.add(slot.user);
      }
    }
    return [...found];
  }

  /** The slot that holds a credential, undefined for none. */
  slotOfTag(tag: Uint8Array): Slot | undefined {
    for (const slot of this.slots.values()) if (slot.tag.every((byte, i) => byte === tag[i])) return slot;
    return undefined;
  }

  /** Whether the master is this credential. */
  isMaster(tag: Uint8Array): boolean {
    const master = this.settings.get(Setting.master)?.subarray(1);
    return master !== undefined && equal(master, tag);
  }

  /** Whether any slot, or the business hours, name the schedule. */
  usesSchedule(id: number): boolean {
    if (this.settings.get(Setting.businessHours)?.[0] === id) return true;
    for (const slot of this.slots.values()) if (slot.schedule === id) return true;
    return false;
  }

  #count(change: (sum: Uint8Array, hash: Uint8Array) => void, hash: (crypto: Crypto) => Uint8Array): void {
    if (this.#crypto !== undefined) change(this.sum, hash(this.#crypto));
  }

  #setSlot(slot: Slot): void {
    this.#removeSlots([slot.slot]);
    this.slots.set(slot.slot, slot);
    this.#count(addDigest, (crypto) => slotDigest(crypto, packed(slot)));
  }

  #removeSlots(numbers: readonly number[]): number {
    for (const number of numbers) {
      const slot = this.slots.get(number);
      if (slot === undefined) continue;
      this.slots.delete(number);
      this.#count(subtractDigest, (crypto) => slotDigest(crypto, packed(slot)));
    }
    return numbers.length;
  }

  #setSchedule(id: number, windows: readonly number[] | undefined): void {
    const was = this.schedules.get(id);
    if (was !== undefined) this.#count(subtractDigest, (crypto) => scheduleDigest(crypto, id, was));
    if (windows === undefined) this.schedules.delete(id);
    else {
      this.schedules.set(id, windows);
      this.#count(addDigest, (crypto) => scheduleDigest(crypto, id, windows));
    }
  }

  #setSetting(id: number, value: Uint8Array): void {
    const was = this.settings.get(id);
    if (was !== undefined) this.#count(subtractDigest, (crypto) => settingDigest(crypto, id, was));
    this.settings.set(id, value);
    this.#count(addDigest, (crypto) => settingDigest(crypto, id, value));
  }
}

/** A slot after a change: its terms are replaced as a whole; credential, user, uses and generation stay, and so does "disabled". */
function changed(was: Slot, terms: Entry): Slot {
  const { role, schedule, start, end, minutesAfterFirstUse, firstUseHours, capabilities } = terms;
  const flags = terms.flags | (was.flags & Flag.disabled);
  return { ...was, role, schedule, start, end, minutesAfterFirstUse, firstUseHours, capabilities, flags };
}

function packed(slot: Slot): Uint8Array {
  const bytes = new Uint8Array(ENTRY_BYTES);
  packEntry(slot, bytes, 0);
  return bytes;
}
