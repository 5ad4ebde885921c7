// The items of a new table as the parts of a rebase bring them (rule S9): each is checked like a delta that sets it, and staged. They come
// in one order, settings, schedules and slots, each ascending, so that nothing comes twice and what an item names has come before it;
// memory holds where the order stands, never the table. Whatever is wrong refuses the whole of it (rules C3, C18, T2).

import { equal, getU32 } from "../../protocol/wire/bytes";
import { Reader } from "../../protocol/wire/cbor";
import { Code } from "../../protocol/wire/codes";
import { checkEntry } from "../../protocol/wire/deltas";
import { Item } from "../../protocol/wire/digest";
import {
  ENTRY_BYTES,
  ENTRY_TAG,
  emptyEntry,
  Flag,
  Kind,
  packEntry,
  unpackEntry,
} from "../../protocol/wire/entry";
import {
  DENSITY_LIMIT,
  MAX_MINUTES_AFTER_FIRST_USE,
  MAX_PART_BYTES,
  MAX_SETTING_BYTES,
  MAX_WINDOWS,
  TAG_BYTES,
} from "../../protocol/wire/limits";
import {
  checkSetting,
  isHoliday,
  isSealed,
  parseDensity,
  parseHours,
  parseMaster,
  parseOffline,
  Setting,
} from "../../protocol/wire/settings";
import { areWindows, windowsOverlap } from "../../protocol/wire/windows";
import { parseZoneSetting } from "./calendar";
import { densityOf, localDensityOf, offlineDensity, weightOf } from "./density";
import type { Parts } from "./parts";
import type { Secrets } from "./secrets";
import type { Staging } from "./storage/rebase";

/** An item is a byte that says what it is, a number or an entry, and at most a setting's value. */
const MAX_ITEM_BYTES = 2 + MAX_SETTING_BYTES;
/** The places of items in their order: an item's number behind that of its kind; all slots share one, and go by their tags. */
const KIND = 0x100;
const SLOTS = 3 * KIND;
const WINDOW_BYTES = 4;

/** How far the items have come, and what has to be remembered of them. */
interface Mark {
  /** The place of the last item in the order, and the tag of the last slot. */
  place: number;
  tag: Uint8Array;
  /** The density of what came, and the limit that it may not go beyond (rule C18). */
  density: number;
  limit: number;
  /** The master's tag; zeros for no master. */
  master: Uint8Array;
  /** The schedule of the business hours, 0 for none. */
  hours: number;
}

function freshMark(): Mark {
  return {
    place: 0,
    tag: new Uint8Array(TAG_BYTES),
    density: 0,
    limit: DENSITY_LIMIT,
    master: new Uint8Array(TAG_BYTES),
    hours: 0,
  };
}

function copyMark(from: Mark, to: Mark): void {
  const { tag, master } = to;
  Object.assign(to, from);
  to.tag = tag;
  to.master = master;
  tag.set(from.tag);
  master.set(from.master);
}

export class RebaseItems {
  readonly #parts: Parts;
  readonly #secrets: Secrets;
  readonly #reader = new Reader();
  readonly #entry = emptyEntry();
  readonly #packed = new Uint8Array(ENTRY_BYTES);
  readonly #windows = new Uint32Array(MAX_WINDOWS);
  readonly #mark = freshMark();
  /** The mark at the end of the last part that was taken. */
  readonly #kept = freshMark();
  /** No generation is above it. */
  readonly #base: number;

  /** Nothing has come yet of a table whose log begins at `base`. */
  constructor(parts: Parts, secrets: Secrets, base: number) {
    this.#parts = parts;
    this.#secrets = secrets;
    this.#base = base;
  }

  /** Stages the items of one part. Returns applied, or the code of what is wrong with one, or with the flash. */
  take(part: Uint8Array): number {
    const reader = this.#reader.reset(part);
    let code: number = Code.applied;
    copyMark(this.#kept, this.#mark);
    for (let left = reader.array(MAX_PART_BYTES); left > 0 && code === Code.applied; left--) {
      const item = reader.raw(2, MAX_ITEM_BYTES);
      code = reader.ok ? this.item(item) : Code.badFormat;
    }
    return code === Code.applied && !reader.done() ? Code.badFormat : code;
  }

  /** The next part comes behind the one that was taken last; until then the same may come again. */
  keep(): void {
    copyMark(this.#mark, this.#kept);
  }

  /** What stands in the way of the table as a whole when all of it has come: applied for nothing, or a code. */
  check(): number {
    const { table, locals, policy } = this.#parts;
    const { hours, density, limit, master } = this.#mark;
    if (locals.find(master) >= 0) return Code.duplicate;
    if (hours !== 0 && !this.isScheduleStaged(hours)) return Code.unknownSchedule;
    // A limit that was lowered later takes no code away, and must not keep a table from being mended.
    const now = densityOf({ table, locals, policy });
    if (density + localDensityOf(locals) > Math.max(limit, now)) return Code.pinTooShort;
    return Code.applied;
  }

  /** Whether a slot's record is of a credential that nobody has programmed at the keypad: now, and not only when it was staged (rule C3). */
  isUnique(slot: Uint8Array): boolean {
    return this.#parts.locals.find(slot.subarray(ENTRY_TAG, ENTRY_TAG + TAG_BYTES)) < 0;
  }

  /** Why something could not be staged, or the tables not swapped. */
  get refusal(): number {
    const { table } = this.#parts;
    return table.rebase.isSpoilt ? Code.badState : table.refusal;
  }

  private item(item: Uint8Array): number {
    switch (item[0]) {
      case Item.setting:
        return this.follows(KIND + item[1]) ? this.setting(item[1], item.subarray(2)) : Code.badFormat;
      case Item.schedule:
        return this.follows(2 * KIND + item[1]) ? this.schedule(item[1], item.subarray(2)) : Code.badFormat;
      case Item.slot:
        return item.length === 1 + ENTRY_BYTES ? this.slot(item.subarray(1)) : Code.badFormat;
      default:
        return Code.badFormat;
    }
  }

  /** Whether an item that is no slot comes after the last one. */
  private follows(place: number): boolean {
    if (place <= this.#mark.place) return false;
    this.#mark.place = place;
    return true;
  }

  private result(staging: Staging): number {
    if (staging === "staged") return Code.applied;
    return staging === "taken" ? Code.badFormat : this.refusal;
  }

  // ---- settings

  private setting(id: number, value: Uint8Array): number {
    const { table, profile } = this.#parts;
    const refusal = checkSetting(id, value);
    if (refusal !== Code.applied) return refusal;
    if (isHoliday(id) && id - Setting.holiday >= profile.holidays) return Code.capacity;
    if ((id === Setting.wifi || id === Setting.broker) && !profile.network) return Code.unsupported;
    const code = this.remember(id, value);
    return code === Code.applied ? this.result(table.rebase.setting(id, value)) : code;
  }

  /** Keeps what later items go by; the code of a value that means nothing. */
  private remember(id: number, value: Uint8Array): number {
    const mark = this.#mark;
    if (id === Setting.zone) return parseZoneSetting(value) === undefined ? Code.badFormat : Code.applied;
    if (isSealed(id)) return this.#secrets.open(id, value) === undefined ? Code.badFormat : Code.applied;
    if (id === Setting.density) mark.limit = parseDensity(value) ?? mark.limit;
    const offline = id === Setting.offlineCodes ? parseOffline(value) : undefined;
    if (offline !== undefined) mark.density += offlineDensity(offline);
    if (id === Setting.businessHours) mark.hours = parseHours(value)?.schedule ?? 0;
    const master = id === Setting.master ? parseMaster(value) : undefined;
    if (master === undefined || master.digits === 0) return Code.applied;
    mark.master.set(master.tag);
    mark.density += weightOf(master.digits);
    return Code.applied;
  }

  // ---- schedules

  private schedule(id: number, bytes: Uint8Array): number {
    const { table, profile } = this.#parts;
    const count = bytes.length / WINDOW_BYTES;
    if (id === 0 || !Number.isInteger(count) || count < 1 || count > MAX_WINDOWS) return Code.badFormat;
    if (id > profile.schedules) return Code.capacity;
    for (let i = 0; i < count; i++) this.#windows[i] = getU32(bytes, WINDOW_BYTES * i);
    if (!areWindows(this.#windows, count)) return Code.range;
    if (windowsOverlap(this.#windows, count)) return Code.scheduleOverlap;
    return this.result(table.rebase.schedule(id, this.#windows, count));
  }

  private isScheduleStaged(id: number): boolean {
    const places = this.#parts.table.rebase.staged?.schedules;
    return places !== undefined && id < places.length && places[id] !== 0;
  }

  // ---- slots

  private slot(bytes: Uint8Array): number {
    const mark = this.#mark;
    const entry = this.#entry;
    unpackEntry(bytes, 0, entry);
    packEntry(entry, this.#packed, 0);
    // Bits that are a store's own say nothing here.
    if (!equal(this.#packed, bytes)) return Code.badFormat;
    if (mark.place === SLOTS && !isBefore(mark.tag, entry.tag)) return Code.badFormat;
    const code = this.checkSlot();
    if (code !== Code.applied) return code;
    mark.place = SLOTS;
    mark.tag.set(entry.tag);
    mark.density += weightOf(entry.digits);
    return this.result(this.#parts.table.rebase.slot(entry));
  }

  private checkSlot(): number {
    const entry = this.#entry;
    const { profile } = this.#parts;
    if (entry.slot >= profile.slots) return Code.capacity;
    if (entry.kind === Kind.card && !profile.reader) return Code.unsupported;
    if (entry.generation === 0 || entry.generation > this.#base) return Code.range;
    if (entry.minutesAfterFirstUse > MAX_MINUTES_AFTER_FIRST_USE) return Code.range;
    if (entry.schedule !== 0 && !this.isScheduleStaged(entry.schedule)) return Code.unknownSchedule;
    if (equal(entry.tag, this.#mark.master)) return Code.duplicate;
    // No put disables a slot, but a table may hold one that a delta has disabled.
    const { flags } = entry;
    entry.flags = flags & ~Flag.disabled;
    const code = checkEntry(entry);
    entry.flags = flags;
    return code;
  }
}

/** Whether one tag comes before another. */
function isBefore(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < TAG_BYTES; i++) if (a[i] !== b[i]) return a[i] < b[i];
  return false;
}
