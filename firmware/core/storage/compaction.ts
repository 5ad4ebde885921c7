// Compacting the table: which records of the oldest sector live, and how they are carried on before it is erased. What is written
// again is what stood there; nothing changes but its place.

import { getU24 } from "../../../protocol/wire/bytes";
import { ENTRY_BYTES } from "../../../protocol/wire/entry";
import { CarriedAcks } from "./carried-acks";
import { type LogKeeper, Purpose } from "./flash-log";
import { SCHEDULE_COPY_BYTES, SCHEDULE_PAYLOAD } from "./places";
import {
  CRC_BYTES,
  commits,
  HEAD,
  lengthFor,
  markEntry,
  OUTCOME_BYTES,
  POSITION_BYTES,
  putHead,
  putOutcome,
  Record,
  recordType,
  SLOT_COPY_BYTES,
  slotOf,
} from "./records";
import type { Table } from "./table";

export class Compaction implements LogKeeper {
  readonly #table: Table;
  readonly #carried: CarriedAcks;

  constructor(table: Table) {
    this.#table = table;
    this.#carried = new CarriedAcks(table.log, table.acks, table.record);
  }

  /** A step of housekeeping begins. */
  begin(): void {
    this.#carried.begin();
  }

  relocate(record: Uint8Array, length: number, location: number): boolean {
    const { places } = this.#table;
    const type = recordType(record, 0);
    if (commits(type)) {
      const seq = getU24(record, length - CRC_BYTES - POSITION_BYTES);
      if (!this.#carried.keep(seq, this.#table.applied)) return false;
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
          places.schedules,
          location,
        );
      case Record.setting:
      case Record.settingCopy:
        return this.#relocateValue(
          record,
          Record.settingCopy,
          lengthFor(record[3], false),
          places.settings,
          location,
        );
      case Record.usage:
        return this.#relocateValue(record, Record.usage, length, places.usage, location);
      case Record.state:
        return this.#relocateValue(record, Record.state, length, places.states, location);
      case Record.acks:
        return this.#relocateAcks(record);
    }
    return true;
  }

  #relocateSlot(record: Uint8Array, location: number): boolean {
    const slot = slotOf(record, 0);
    if (slot >= this.#table.profile.slots || this.#table.index.place(slot) !== location) return true;
    markEntry(record, 0, Record.slotCopy, false);
    record.fill(0, ENTRY_BYTES, SLOT_COPY_BYTES);
    const moved = this.#table.log.append(record, SLOT_COPY_BYTES, Purpose.compaction);
    if (moved === 0) return false;
    this.#table.index.setPlace(slot, moved);
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
    const moved = this.#table.log.append(record, length, Purpose.compaction);
    if (moved === 0) return false;
    places[id] = moved;
    return true;
  }

  #relocateAcks(record: Uint8Array): boolean {
    const first = getU24(record, HEAD);
    for (let i = 0; i < record[2]; i++) if (!this.#carried.keep(first + i, this.#table.applied)) return false;
    return true;
  }

  relocated(): boolean {
    if (!this.#carried.flush()) return false;
    if (!this.#carried.position) return true;
    // The newest position must outlive its record: an outcome without effect carries it on, and its ack with it.
    const seq = this.#table.applied;
    putOutcome(
      this.#table.record,
      this.#table.acks.code(seq),
      this.#table.acks.detail(seq),
      0,
      seq,
      this.#table.head,
    );
    if (this.#table.log.append(this.#table.record, OUTCOME_BYTES, Purpose.compaction) === 0) return false;
    this.#table.acks.setSector(seq, this.#table.log.newest & 0xff);
    return true;
  }
}
