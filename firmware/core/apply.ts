// Deltas against the table (rules A2–A10, C1–C3, C18, C20, C22, A52, A53): each is planned, then committed as one record with its
// result and the log position, whatever the result is. A delta that verifies always consumes its position, so a bad one never
// blocks the revocations behind it.

import { equal } from "../../protocol/wire/bytes";
import { Code } from "../../protocol/wire/codes";
import type { DeltaFields } from "../../protocol/wire/deltas";
import { Op } from "../../protocol/wire/deltas";
import type { Entry } from "../../protocol/wire/entry";
import { ENTRY_BYTES, ENTRY_SCHEDULE, emptyEntry, Flag, Kind, packEntry } from "../../protocol/wire/entry";
import {
  checkSetting,
  isHoliday,
  isSealed,
  parseHours,
  parseMaster,
  parseOffline,
  Setting,
} from "../../protocol/wire/settings";
import { windowsOverlap } from "../../protocol/wire/windows";
import { parseZoneSetting } from "./calendar";
import { hasRoomFor, hasRoomForOffline, isTyped, type Typed } from "./density";
import type { TableDigest } from "./digest";
import { descendants } from "./family";
import type { LocalCodes } from "./local-codes";
import { isCovered, uncover } from "./overlay";
import type { Parts } from "./parts";
import type { Policy } from "./policy";
import type { Secrets } from "./secrets";
import { Purpose } from "./storage/flash-log";
import type { Removed, Table } from "./storage/table";

/** The clock as far as applying needs it. */
export interface ApplyTime {
  /** Whether the time is known at all. */
  readonly known: boolean;
  /** UTC seconds. */
  readonly now: number;
}

export class Applier {
  readonly #typed: Typed;
  readonly #secrets: Pick<Secrets, "open">;
  readonly #table: Table;
  readonly #digest: TableDigest;
  readonly #policy: Policy;
  readonly #locals: LocalCodes;
  readonly #scratch: Entry = emptyEntry();
  readonly #packed = new Uint8Array(ENTRY_BYTES);
  #seq = 0;
  #head: Uint8Array = new Uint8Array(0);

  constructor(parts: Pick<Parts, "table" | "digest" | "policy" | "locals">, secrets: Pick<Secrets, "open">) {
    this.#typed = parts;
    this.#secrets = secrets;
    this.#table = parts.table;
    this.#digest = parts.digest;
    this.#policy = parts.policy;
    this.#locals = parts.locals;
  }

  /**
   * Applies one delta whose reading ended with `code`, at position `seq` with chain head `head`. `lapsed` says that the bundle's
   * "not applied after" has passed. A delta that gives and meets a fault of the flash is consumed as storage-failed. False when
   * even that could not be written: then the position is not consumed. What a delta takes away that cannot be written is denied
   * until the next boot all the same.
   */
  apply(
    delta: DeltaFields,
    code: number,
    seq: number,
    head: Uint8Array,
    time: ApplyTime,
    lapsed: boolean,
  ): boolean {
    if (this.plan(delta, code, seq, head, time, lapsed)) return true;
    return this.#table.log.isBroken && !takesAway(delta.op) && this.refuse(Code.storageFailed);
  }

  private plan(
    delta: DeltaFields,
    code: number,
    seq: number,
    head: Uint8Array,
    time: ApplyTime,
    lapsed: boolean,
  ): boolean {
    this.#seq = seq;
    this.#head = head;
    if (code !== Code.applied) return this.refuse(code);
    switch (delta.op) {
      case Op.put:
        return lapsed ? this.refuse(Code.expired) : this.put(delta.entry, time);
      case Op.change:
        return this.change(delta.entry, time);
      case Op.drop:
        return this.drop(delta.entry);
      case Op.enable:
        return lapsed ? this.refuse(Code.expired) : this.setDisabled(delta.entry, false);
      case Op.disable:
        return this.setDisabled(delta.entry, true);
      case Op.revoke:
        return this.revoke(delta.user);
      case Op.putSchedule:
        return this.putSchedule(delta);
      case Op.dropSchedule:
        return this.dropSchedule(delta.id);
      case Op.set:
        return this.set(delta.id, delta.value);
      case Op.wipe:
        return this.wipe();
      default:
        return this.refuse(Code.unsupported);
    }
  }

  /** Consumes the position with a result that changes nothing. */
  private refuse(code: number): boolean {
    return this.#table.commitOutcome(code, 0, -1, this.#seq, this.#head);
  }

  private put(entry: Entry, time: ApplyTime): boolean {
    const table = this.#table;
    const profile = table.profile;
    if (entry.slot >= profile.slots) return this.refuse(Code.capacity);
    if (entry.kind === Kind.card && !profile.reader) return this.refuse(Code.unsupported);
    if (entry.schedule !== 0 && !table.hasSchedule(entry.schedule)) return this.refuse(Code.unknownSchedule);
    // Looked up first, so that the slot itself is what was read last.
    const other = table.find(entry.tag);
    const was = table.load(entry.slot);
    let replaced = 0;
    if (was === "ok") {
      const named = entry.generation;
      entry.generation = table.entry.generation;
      if (this.equalsLoaded(entry)) return this.refuse(Code.unchanged);
      if (named !== table.entry.generation) return this.refuse(Code.staleGeneration);
      replaced = table.entry.digits;
    } else if (was === "empty" && entry.generation !== 0) return this.refuse(Code.staleGeneration);
    const isOfOther = other >= 0 && other !== entry.slot;
    if (isOfOther || isTyped(this.#typed, entry.tag)) return this.refuse(Code.duplicate);
    if (!hasRoomFor(this.#typed, entry.digits, replaced)) return this.refuse(Code.pinTooShort);
    entry.generation = this.#seq;
    return this.commitSlot(entry, installedOr(entry, time));
  }

  private change(wanted: Entry, time: ApplyTime): boolean {
    const table = this.#table;
    if (!this.means(wanted)) return this.refuse(Code.staleGeneration);
    if (wanted.schedule !== 0 && !table.hasSchedule(wanted.schedule))
      return this.refuse(Code.unknownSchedule);
    const entry = this.copyLoaded();
    entry.role = wanted.role;
    entry.schedule = wanted.schedule;
    entry.start = wanted.start;
    entry.end = wanted.end;
    entry.minutesAfterFirstUse = wanted.minutesAfterFirstUse;
    entry.firstUseHours = wanted.firstUseHours;
    entry.capabilities = wanted.capabilities;
    entry.flags = wanted.flags | (entry.flags & Flag.disabled);
    if (this.equalsLoaded(entry)) return this.refuse(Code.unchanged);
    return this.commitSlot(entry, installedOr(entry, time));
  }

  private drop(wanted: Entry): boolean {
    const table = this.#table;
    if (wanted.slot >= table.profile.slots) return this.refuse(Code.range);
    const was = table.load(wanted.slot);
    if (was === "empty") return this.refuse(Code.unchanged);
    if (was === "ok") {
      if (table.entry.generation !== wanted.generation) return this.refuse(Code.staleGeneration);
      this.#packed.set(table.loadedBytes());
    }
    if (!table.commitOutcome(Code.applied, 0, wanted.slot, this.#seq, this.#head)) {
      table.condemn(wanted.slot);
      return false;
    }
    if (was === "ok") this.#digest.slot(this.#packed, "leaves");
    return true;
  }

  private setDisabled(wanted: Entry, disabled: boolean): boolean {
    if (!this.means(wanted)) return this.refuse(Code.staleGeneration);
    const entry = this.copyLoaded();
    const flags = disabled ? entry.flags | Flag.disabled : entry.flags & ~Flag.disabled;
    if (flags === entry.flags) return this.refuse(Code.unchanged);
    entry.flags = flags;
    if (this.commitSlot(entry, Code.applied, disabled ? Purpose.removal : Purpose.ordinary)) return true;
    if (disabled) this.#table.condemn(entry.slot);
    return false;
  }

  /** Whether the slot that a delta names holds the generation that it means; it is loaded then. */
  private means(wanted: Entry): boolean {
    const table = this.#table;
    if (wanted.slot >= table.profile.slots || table.load(wanted.slot) !== "ok") return false;
    return table.entry.generation === wanted.generation;
  }

  private copyLoaded(): Entry {
    const { tag } = this.#scratch;
    Object.assign(this.#scratch, this.#table.entry);
    this.#scratch.tag = tag;
    tag.set(this.#table.entry.tag);
    return this.#scratch;
  }

  private equalsLoaded(entry: Entry): boolean {
    packEntry(entry, this.#packed, 0);
    return equal(this.#table.loadedBytes(), this.#packed);
  }

  private commitSlot(entry: Entry, code: number, purpose: number = Purpose.ordinary): boolean {
    const table = this.#table;
    const before = table.load(entry.slot) === "ok" ? table.loadedBytes().slice() : undefined;
    if (!table.commitSlot(entry, code, this.#seq, this.#head, purpose)) return false;
    if (before !== undefined) this.#digest.slot(before, "leaves");
    packEntry(entry, this.#packed, 0);
    this.#digest.slot(this.#packed, "joins");
    return true;
  }

  private revoke(user: number): boolean {
    const bitmap = new Uint8Array(Math.ceil(this.#table.profile.slots / 8));
    const count = descendants(this.#table, user, bitmap);
    return count === 0 ? this.refuse(Code.unchanged) : this.remove(bitmap, count, "slots");
  }

  private wipe(): boolean {
    const table = this.#table;
    const bitmap = new Uint8Array(Math.ceil(table.profile.slots / 8));
    let count = 0;
    for (let slot = 0; slot < table.profile.slots; slot++) {
      if (table.index.place(slot) === 0) continue;
      bitmap[slot >> 3] |= 1 << (slot & 7);
      count++;
    }
    if (count === 0 && this.#locals.count === 0) return this.refuse(Code.unchanged);
    const isDone = this.remove(bitmap, count, "slots and codes");
    this.#locals.forget();
    return isDone;
  }

  private remove(bitmap: Uint8Array, count: number, what: Removed): boolean {
    const table = this.#table;
    // The digest loses these slots before their records are dead; if the commit fails it takes them back.
    this.countRemoved(bitmap, "leaves");
    if (table.commitRemoval(bitmap, count, what, this.#seq, this.#head)) return true;
    this.countRemoved(bitmap, "joins");
    for (let slot = 0; slot < table.profile.slots; slot++)
      if ((bitmap[slot >> 3] >> (slot & 7)) & 1) table.condemn(slot);
    return false;
  }

  private countRemoved(bitmap: Uint8Array, change: "joins" | "leaves"): void {
    const table = this.#table;
    for (let slot = 0; slot < table.profile.slots; slot++)
      if ((bitmap[slot >> 3] >> (slot & 7)) & 1 && table.load(slot) === "ok")
        this.#digest.slot(table.loadedBytes(), change);
  }

  private putSchedule(delta: DeltaFields): boolean {
    const table = this.#table;
    const { id, windows, windowCount } = delta;
    if (id > table.profile.schedules) return this.refuse(Code.capacity);
    if (windowsOverlap(windows, windowCount)) return this.refuse(Code.scheduleOverlap);
    const had = table.loadSchedule(id);
    if (had && sameWindows(windows, windowCount, table.windows, table.windowCount))
      return this.refuse(Code.unchanged);
    if (!table.commitSchedule(id, windows, windowCount, this.#seq, this.#head)) return false;
    if (had) this.#digest.schedule(id, table.windows, table.windowCount, "leaves");
    this.#digest.schedule(id, windows, windowCount, "joins");
    if (id === this.#policy.hours?.schedule) this.#policy.read(table);
    return true;
  }

  private dropSchedule(id: number): boolean {
    const table = this.#table;
    if (!table.hasSchedule(id)) return this.refuse(Code.unchanged);
    if (id === this.#policy.hours?.schedule) return this.refuse(Code.scheduleInUse);
    for (let slot = 0; slot < table.profile.slots; slot++)
      if (table.load(slot) === "ok" && table.loadedBytes()[ENTRY_SCHEDULE] === id)
        return this.refuse(Code.scheduleInUse);
    const had = table.loadSchedule(id);
    if (!table.commitSchedule(id, table.windows, 0, this.#seq, this.#head)) return false;
    if (had) this.#digest.schedule(id, table.windows, table.windowCount, "leaves");
    return true;
  }

  private set(id: number, value: Uint8Array): boolean {
    const table = this.#table;
    const refusal = checkSetting(id, value);
    if (refusal !== Code.applied) return this.refuse(refusal);
    if (isHoliday(id) && id - Setting.holiday >= table.profile.holidays) return this.refuse(Code.capacity);
    if (isOfNetwork(id) && !table.profile.network) return this.refuse(Code.unsupported);
    const before = table.setting(id)?.slice();
    const covered = isCovered(table, id);
    if (before !== undefined && equal(before, value) && !covered) return this.refuse(Code.unchanged);
    const conflict = this.conflictOf(id, value);
    if (conflict !== Code.applied) return this.refuse(conflict);
    // The issuer has the last word on what somebody has commanded at the door (rules A60, A63).
    if (covered && !uncover(table, id)) return false;
    if (!table.commitSetting(id, value, this.#seq, this.#head)) return false;
    if (before !== undefined) this.#digest.setting(id, before, "leaves");
    this.#digest.setting(id, value, "joins");
    this.#policy.read(table);
    return true;
  }

  /** Whether a setting that is well formed goes with the rest of the table (rules C3, C18, T8, T16). */
  private conflictOf(id: number, value: Uint8Array): number {
    if (id === Setting.zone) return parseZoneSetting(value) === undefined ? Code.badFormat : Code.applied;
    if (id === Setting.master) {
      const master = parseMaster(value);
      if (master === undefined || master.digits === 0) return Code.applied;
      const isTaken = this.#table.find(master.tag) >= 0 || this.#locals.find(master.tag) >= 0;
      if (isTaken) return Code.duplicate;
      const isRoom = hasRoomFor(this.#typed, master.digits, this.#policy.master.digits);
      return isRoom ? Code.applied : Code.pinTooShort;
    }
    const offline = id === Setting.offlineCodes ? parseOffline(value) : undefined;
    if (offline !== undefined && !hasRoomForOffline(this.#typed, offline)) return Code.pinTooShort;
    if (isSealed(id)) return this.#secrets.open(id, value) === undefined ? Code.badFormat : Code.applied;
    const hours = id === Setting.businessHours ? parseHours(value) : undefined;
    const isThere = hours === undefined || hours.schedule === 0 || this.#table.hasSchedule(hours.schedule);
    return isThere ? Code.applied : Code.unknownSchedule;
  }
}

/** Whether a setting means something only to a lock with a network. */
function isOfNetwork(id: number): boolean {
  return id === Setting.wifi || id === Setting.broker;
}

/** Whether a delta takes access away: that must never wait for flash that works. */
function takesAway(op: number): boolean {
  return op === Op.drop || op === Op.disable || op === Op.revoke || op === Op.wipe;
}

/** A slot whose start has not come, or cannot be told, is installed and becomes active by itself (rule T5). */
function installedOr(entry: Entry, time: ApplyTime): number {
  if (entry.start === 0) return Code.applied;
  return !time.known || time.now < entry.start ? Code.installed : Code.applied;
}

function sameWindows(a: Uint32Array, aCount: number, b: Uint32Array, bCount: number): boolean {
  if (aCount !== bCount) return false;
  for (let i = 0; i < aCount; i++) if (a[i] !== b[i]) return false;
  return true;
}
