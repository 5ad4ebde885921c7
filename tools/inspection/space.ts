// How many bytes of the credentials' log live, by sector and by what they are: what a compaction of that sector would have to write
// again. All the rest of a full sector is dead, and comes back with its erase. Reads only.

import { type FlashLog, Purpose } from "../../firmware/core/storage/flash-log";
import { NOWHERE } from "../../firmware/core/storage/places";
import {
  ACK_BYTES,
  ACKS_HEAD,
  ACKS_PER_RECORD,
  lengthFor,
  MAX_RECORD_BYTES,
  OUTCOME_BYTES,
  SLOT_BYTES,
  SLOT_COPY_BYTES,
  TAIL,
  UNIT,
  USAGE_RECORD_BYTES,
  WINDOW_BYTES,
} from "../../firmware/core/storage/records";
import type { Table } from "../../firmware/core/storage/table";
import type { SectorView } from "./sectors";

/** Bytes that live, by what they are. */
export interface Living {
  slots: number;
  schedules: number;
  settings: number;
  /** What is remembered of the use of slots. */
  usage: number;
  /** Claim, keyset and other values of the lock's own, with their second copies. */
  states: number;
  /** Acks that the issuer may still ask for, and the log's position. */
  acks: number;
  /** Of the table that a rebase builds. */
  staged: number;
}

/** The whole credentials partition in bytes; `lives`, `dead`, `room`, `reserve` and `toErase` add up to `bytes`. */
export interface SpaceView {
  readonly bytes: number;
  readonly lives: number;
  /** What lives, by what it is; adds up to `lives`. */
  readonly living: Readonly<Living>;
  /** Of sectors in use, what a compaction wins back: dead records, headers, and ends that were left blank. */
  readonly dead: number;
  /** Erased ahead, for deltas and whatever else comes. */
  readonly room: number;
  /** Erased ahead, and kept for revocations, refusals and the next compaction. */
  readonly reserve: number;
  /** In sectors that nothing lives in, and that are not erased yet. */
  readonly toErase: number;
  /** About so many more puts are taken before housekeeping must have made room. */
  readonly puts: number;
}

const nothing = (): Living => ({
  slots: 0,
  schedules: 0,
  settings: 0,
  usage: 0,
  states: 0,
  acks: 0,
  staged: 0,
});

/** The sum of what lives. */
export const sumOf = (living: Readonly<Living>): number =>
  Object.values(living).reduce((sum, bytes) => sum + bytes, 0);

/** What lives, by the number of its sector; nothing for sectors that are not named. */
export function livingBySector(table: Table): Map<number, Living> {
  const { index, places, log, rebase } = table;
  const bySector = new Map<number, Living>();
  const addIn = (number: number, kind: keyof Living, bytes: number): void => {
    const living = bySector.get(number) ?? nothing();
    living[kind] += bytes;
    bySector.set(number, living);
  };
  const addAll = (kind: keyof Living, all: Iterable<number>, bytesAt: (place: number) => number): void => {
    for (const place of all) if (place > NOWHERE) addIn(log.numberAt(place), kind, bytesAt(place));
  };
  const record = new Uint8Array(MAX_RECORD_BYTES);
  const whole = (place: number): number => log.read(place, record);
  /** The record without the log position that it committed; its fourth byte counts what is in it. */
  const copy = (unit: number) => (place: number) =>
    whole(place) === 0 ? 0 : lengthFor(unit * record[3], false);

  for (let slot = 0; slot < index.slots; slot++)
    if (!index.isDamaged(slot)) addAll("slots", [index.place(slot)], () => SLOT_COPY_BYTES);
  addAll("usage", places.usage, () => USAGE_RECORD_BYTES);
  addAll("schedules", places.schedules, copy(WINDOW_BYTES));
  addAll("settings", places.settings, copy(1));
  addAll("states", places.states, whole);
  addAll("states", places.mirrors, whole);
  for (const staged of Object.values(rebase.staged ?? {})) addAll("staged", staged, whole);
  addAcks(table, (number, bytes) => addIn(number, "acks", bytes));
  return bySector;
}

/** Acks go on in runs of one sector; the newest, with the position, in a record of its own. */
function addAcks({ acks, applied, log }: Table, add: (number: number, bytes: number) => void): void {
  const sectorOf = (seq: number): number => log.newest - ((log.newest - acks.sector(seq)) & 0xff);
  let where = 0;
  let run = 0;
  const end = (): void => {
    if (run > 0) add(where, Math.ceil((ACKS_HEAD + run * ACK_BYTES + TAIL) / UNIT) * UNIT);
    run = 0;
  };
  for (let seq = acks.first; seq <= acks.last; seq++) {
    const number = seq === applied ? 0 : sectorOf(seq);
    if (number !== where || run === ACKS_PER_RECORD) end();
    where = number;
    if (number > 0) run++;
  }
  end();
  if (applied > 0 && acks.has(applied)) add(sectorOf(applied), OUTCOME_BYTES);
}

/** Sums up the sectors of `log`, in which this lives. */
export function spaceOf(
  log: FlashLog,
  sectors: readonly SectorView[],
  bySector: ReadonlyMap<number, Living>,
): SpaceView {
  const living = nothing();
  for (const each of bySector.values())
    for (const kind of Object.keys(living) as (keyof Living)[]) living[kind] += each[kind];
  const bytes = log.sectors * log.sectorBytes;
  const lives = sumOf(living);
  const dead = sectors.reduce((sum, sector) => sum + sector.dead, 0);
  const toErase = sectors.filter(({ state }) => state === "free").length * log.sectorBytes;
  const erased = bytes - lives - dead - toErase;
  const forDeltas = longestFor(log, Purpose.ordinary);
  const reserve = Math.min(erased, longestFor(log, Purpose.compaction) - forDeltas);
  const puts = Math.max(0, Math.floor(forDeltas / SLOT_BYTES));
  return { bytes, lives, living, dead, room: erased - reserve, reserve, toErase, puts };
}

/** How much could be appended for a purpose without an erase; less than 0 by what is missing of what must be left. */
function longestFor(log: FlashLog, purpose: number): number {
  let most = log.sectors * log.sectorBytes;
  let least = -most;
  while (most - least > 1) {
    const length = Math.floor((least + most) / 2);
    if (log.hasRoom(length, purpose)) least = length;
    else most = length;
  }
  return least;
}
