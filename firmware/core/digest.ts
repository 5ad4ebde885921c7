// The table digest (rule K6), kept up to date as deltas commit. After a boot it is computed some slots at a time while nobody waits:
// hashing a thousand of them has no place between power-on and the first person at the door. Who asks earlier waits for the rest.

import type { Crypto } from "../../protocol/crypto/port";
import {
  addDigest,
  scheduleDigest,
  settingDigest,
  slotDigest,
  subtractDigest,
} from "../../protocol/wire/digest";
import { DIGEST_BYTES } from "../../protocol/wire/limits";
import { SETTINGS } from "../../protocol/wire/settings";
import { slotOf } from "./storage/records";
import type { Table } from "./storage/table";

/** Whether an item joins the table or leaves it. */
export type Change = "joins" | "leaves";

export class TableDigest {
  readonly #crypto: Crypto;
  readonly #sum = new Uint8Array(DIGEST_BYTES);
  /** Slots below this are counted in. */
  #counted = 0;
  /** Whether everything is counted in: all slots, then schedules and settings. */
  #known = false;
  /** The damage that the table had found when counting began: what is found later was counted in as it was before. */
  #damage = -1;
  /** The swaps of the table until then: each puts another in its place. */
  #swaps = 0;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  private apply(hash: Uint8Array, change: Change): void {
    if (change === "joins") addDigest(this.#sum, hash);
    else subtractDigest(this.#sum, hash);
  }

  /** Counts a slot's entry of 41 bytes in or out. */
  slot(entry: Uint8Array, change: Change): void {
    if (slotOf(entry, 0) < this.#counted) this.apply(slotDigest(this.#crypto, entry), change);
  }

  /** Counts a schedule in or out. */
  schedule(id: number, windows: Uint32Array, count: number, change: Change): void {
    if (this.#known) this.apply(scheduleDigest(this.#crypto, id, windows, count), change);
  }

  /** Counts a setting in or out. */
  setting(id: number, value: Uint8Array, change: Change): void {
    if (this.#known) this.apply(settingDigest(this.#crypto, id, value), change);
  }

  private begin(table: Table): void {
    this.#damage = table.log.damage;
    this.#swaps = table.rebase.swaps;
    this.#counted = 0;
    this.#known = false;
    this.#sum.fill(0);
  }

  /** Counts in at most so many slots more, and with the last one the rest of the table. */
  advance(table: Table, slots: number): void {
    if (this.#damage !== table.log.damage || this.#swaps !== table.rebase.swaps) this.begin(table);
    if (this.#known) return;
    const end = Math.min(this.#counted + slots, table.profile.slots);
    for (let slot = this.#counted; slot < end; slot++) {
      this.#counted = slot + 1;
      if (table.load(slot) === "ok") this.slot(table.loadedBytes(), "joins");
    }
    if (end < table.profile.slots) return;
    this.#known = true;
    for (let id = 1; id <= table.profile.schedules; id++)
      if (table.loadSchedule(id)) this.schedule(id, table.windows, table.windowCount, "joins");
    for (let id = 1; id < SETTINGS; id++) {
      const value = table.setting(id);
      if (value !== undefined) this.setting(id, value, "joins");
    }
  }

  /** The digest of what the table holds, 32 bytes that belong to this object. Damaged slots are not in it, so that they show. */
  of(table: Table): Uint8Array {
    this.advance(table, table.profile.slots);
    return this.#sum;
  }
}
