// The use of credentials (rules C10, C12, A69): records of eight slots each. Uses that were counted once are never uncounted: where
// a record is lost, the slots that depend on it are denied until they are put again.

import { getU16, getU24, getU32, putU16, putU24, putU32 } from "../../../protocol/wire/bytes";
import type { Entry } from "../../../protocol/wire/entry";
import { Purpose } from "./flash-log";
import { NOWHERE } from "./places";
import { HEAD, putHead, Record, USAGE_BYTES, USAGE_GROUP, USAGE_RECORD_BYTES } from "./records";
import type { Table } from "./table";

/** What a lock remembers of the use of one slot's credential. */
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

export class Uses {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** Whether the use of a slot was recorded, and is not known any more. */
  areLost(slot: number): boolean {
    return this.#table.places.usage[groupOf(slot)] === NOWHERE;
  }

  /** See {@link Table.loadUsage}. */
  load(slot: number, generation: number, uses: number): boolean {
    const { places, record, usage } = this.#table;
    usage.used = false;
    usage.left = uses;
    usage.firstUse = 0;
    const group = groupOf(slot);
    const place = places.usage[group];
    // Where it is lost, what depended on it is condemned: who is asked about was put since.
    if (place === 0 || place === NOWHERE) return true;
    if (!this.read(group)) {
      this.lose(group);
      return this.#table.load(slot) === "ok";
    }
    const at = offsetOf(slot);
    if (getU24(record, at) !== generation) return true;
    usage.used = record[at + 3] !== 0;
    usage.left = getU16(record, at + 4);
    usage.firstUse = getU32(record, at + 6);
    return true;
  }

  private read(group: number): boolean {
    return this.#table.readRecord(this.#table.places.usage[group], group, Record.usage) > 0;
  }

  /** See {@link Table.commitUsage}. */
  commit(slot: number, generation: number, usage: Usage): boolean {
    const group = groupOf(slot);
    const place = this.#table.places.usage[group];
    // The uses of seven others stand in the same record: what cannot be read must not be taken for unused.
    if (place === NOWHERE && !this.#table.recordDamage(Purpose.ordinary)) return false;
    if (place === 0) this.begin(group);
    else if (place === NOWHERE) this.assumeUsed(group, slot);
    else if (!this.read(group)) return false;
    this.put(slot, generation, usage.used, usage.left, usage.firstUse);
    return this.append(group);
  }

  private begin(group: number): void {
    const { record } = this.#table;
    record.fill(0, 0, USAGE_RECORD_BYTES);
    putHead(record, Record.usage, USAGE_RECORD_BYTES, group, 0);
  }

  private put(slot: number, generation: number, used: boolean, left: number, firstUse: number): void {
    const { record } = this.#table;
    const at = offsetOf(slot);
    putU24(record, at, generation);
    record[at + 3] = used ? 1 : 0;
    putU16(record, at + 4, left);
    putU32(record, at + 6, firstUse);
  }

  private append(group: number): boolean {
    const { log, places, record } = this.#table;
    const location = log.append(record, USAGE_RECORD_BYTES);
    if (location > 0) places.usage[group] = location;
    return location > 0;
  }

  // ---- uses that are lost

  /** The uses of a group cannot be read any more. */
  lose(group: number): void {
    const { places, profile } = this.#table;
    places.usage[group] = NOWHERE;
    const end = Math.min((group + 1) * USAGE_GROUP, profile.slots);
    for (let slot = group * USAGE_GROUP; slot < end; slot++) this.condemnUsed(slot);
  }

  /** Denies a slot whose use is not known any more, if anything depends on it. */
  condemnUsed(slot: number): void {
    if (this.#table.load(slot) === "ok" && dependsOnUse(this.#table.entry)) this.#table.condemn(slot);
  }

  /**
   * Begins a record in place of one that is lost. Who depends on it is damaged, or was put since; everybody else counts as used up
   * long ago, should anything ever depend on it. `slot` is the one at hand, if any, and stays loaded.
   */
  private assumeUsed(group: number, slot: number): void {
    const table = this.#table;
    this.begin(group);
    const end = Math.min((group + 1) * USAGE_GROUP, table.profile.slots);
    for (let other = group * USAGE_GROUP; other < end; other++)
      if (other !== slot && table.load(other) === "ok" && !dependsOnUse(table.entry))
        this.put(other, table.entry.generation, true, 0, 1);
    if (slot >= 0) table.load(slot);
  }

  /** One step of housekeeping: records anew some of the uses that are lost, while what shows their loss still stands. */
  settle(): void {
    const { usage } = this.#table.places;
    let group = usage.indexOf(NOWHERE);
    if (group >= 0 && !this.#table.recordDamage(Purpose.ordinary)) return;
    for (let times = 0; times < SETTLED_A_STEP && group >= 0; times++) {
      this.assumeUsed(group, -1);
      if (!this.append(group)) return;
      group = usage.indexOf(NOWHERE);
    }
  }
}

function groupOf(slot: number): number {
  return Math.floor(slot / USAGE_GROUP);
}

/** Where the use of a slot stands in the record of its group. */
function offsetOf(slot: number): number {
  return HEAD + (slot % USAGE_GROUP) * USAGE_BYTES;
}

/** Whether a decision about a slot asks for its use (rules C10, C12, C13). */
export function dependsOnUse({ uses, minutesAfterFirstUse, firstUseHours }: Entry): boolean {
  return uses > 0 || minutesAfterFirstUse > 0 || firstUseHours > 0;
}
