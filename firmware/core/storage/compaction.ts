// Compacting the table: what lives in the oldest sector is appended again before it is erased. The index says what lives; nothing
// changes but its place. What cannot be read any more is recorded as damaged, so that it stays denied when its bytes are gone.

import { ENTRY_BYTES } from "../../../protocol/wire/entry";
import { CarriedAcks } from "./carried-acks";
import { type LogKeeper, Purpose } from "./flash-log";
import { NOWHERE } from "./places";
import { placesOf } from "./rebase";
import {
  HEAD,
  lengthFor,
  markEntry,
  OUTCOME_BYTES,
  putHead,
  putOutcome,
  Record,
  SLOT_COPY_BYTES,
  WINDOW_BYTES,
} from "./records";
import type { Table } from "./table";

export class Compaction implements LogKeeper {
  readonly #table: Table;
  readonly #carried: CarriedAcks;
  #from = 0;
  #to = 0;
  #atAnyCost = false;

  constructor(table: Table) {
    this.#table = table;
    this.#carried = new CarriedAcks(table.log, table.acks, table.record);
  }

  relocate(number: number, from: number, to: number, atAnyCost: boolean): boolean {
    const { places } = this.#table;
    this.#from = from;
    this.#to = to;
    this.#atAnyCost = atAnyCost;
    return (
      this.slots() &&
      this.values(places.usage, Record.usage, Record.usage) &&
      this.values(places.schedules, Record.schedule, Record.scheduleCopy) &&
      this.values(places.settings, Record.setting, Record.settingCopy) &&
      this.stagedCopies() &&
      this.states() &&
      this.values(places.states, Record.state, Record.state) &&
      this.#table.recordDamage(Purpose.compaction) &&
      this.acks(number)
    );
  }

  private isHere(place: number): boolean {
    return place >= this.#from && place < this.#to;
  }

  private slots(): boolean {
    const { index, log, record } = this.#table;
    for (let slot = 0; slot < index.slots; slot++) {
      if (index.isDamaged(slot) || !this.isHere(index.place(slot))) continue;
      if (!this.#table.readSlot(slot, record)) {
        if (!this.#atAnyCost) return false;
        this.#table.condemn(slot);
        continue;
      }
      markEntry(record, 0, Record.slotCopy, false);
      record.fill(0, ENTRY_BYTES, SLOT_COPY_BYTES);
      const moved = log.append(record, SLOT_COPY_BYTES, Purpose.compaction);
      if (moved === 0) return false;
      index.setPlace(slot, moved);
    }
    return true;
  }

  /** Moves records whose third byte is their number in `places`. */
  private values(places: Uint16Array, type: number, copy: number): boolean {
    const { log, record } = this.#table;
    for (let id = 0; id < places.length; id++) {
      if (!this.isHere(places[id])) continue;
      const length = this.#table.readRecord(places[id], id, type, copy);
      if (length === 0) {
        if (!this.#atAnyCost) return false;
        this.lose(places, id);
        continue;
      }
      const size = type === copy ? length : this.shorten(copy, id);
      const moved = log.append(record, size, Purpose.compaction);
      if (moved === 0) return false;
      places[id] = moved;
    }
    return true;
  }

  /** What cannot be read any more, and will be gone. */
  private lose(places: Uint16Array, id: number): void {
    const { places: all, uses, log } = this.#table;
    if (places === all.usage) {
      uses.lose(id);
      return;
    }
    places[id] = NOWHERE;
    log.damage++;
  }

  /** What a rebase has staged goes on as it is; what of it cannot be read any more keeps the rebase from its end. */
  private stagedCopies(): boolean {
    const { rebase, log, record } = this.#table;
    if (rebase.staged === undefined) return true;
    for (const places of placesOf(rebase.staged)) {
      for (let id = 0; id < places.length; id++) {
        if (!this.isHere(places[id])) continue;
        const length = log.read(places[id], record);
        if (length === 0 && !this.#atAnyCost) return false;
        places[id] = length === 0 ? NOWHERE : log.append(record, length, Purpose.compaction);
        if (places[id] === 0) return false;
      }
    }
    return true;
  }

  /** Makes the record at hand its own copy, which commits nothing. Returns its length. */
  private shorten(copy: number, id: number): number {
    const { record } = this.#table;
    const count = record[3];
    const payload = copy === Record.scheduleCopy ? WINDOW_BYTES * count : count;
    const length = lengthFor(payload, false);
    record.fill(0, HEAD + payload, length);
    putHead(record, copy, length, id, count);
    return length;
  }

  /** Where one of two copies of a state goes, the other is the first from then on; housekeeping copies it again. */
  private states(): boolean {
    const { states, mirrors } = this.#table.places;
    for (let id = 0; id < states.length; id++) {
      if (mirrors[id] !== 0 && this.isHere(states[id])) states[id] = mirrors[id];
      if (mirrors[id] === states[id] || this.isHere(mirrors[id])) mirrors[id] = 0;
    }
    return true;
  }

  /** Acks whose newest record is about to go, and the newest position, which must outlive its record. */
  private acks(number: number): boolean {
    const { acks, applied, head, log, record } = this.#table;
    this.#carried.begin();
    for (let seq = acks.first; seq <= acks.last; seq++)
      if (acks.sector(seq) === (number & 0xff) && seq !== applied && !this.#carried.keep(seq)) return false;
    if (!this.#carried.flush()) return false;
    // Also one that was freed: the position is in it.
    if (applied === 0 || !acks.knowsLast || acks.sector(applied) !== (number & 0xff)) return true;
    // An outcome without effect carries the position on, and its ack with it.
    putOutcome(record, acks.code(applied), acks.detail(applied), 0, applied, head);
    if (log.append(record, OUTCOME_BYTES, Purpose.compaction) === 0) return false;
    acks.setSector(applied, log.newest & 0xff);
    return true;
  }
}
