// The shared schedules of one lock (rules A30, T2): names of the account to ids of the lock, for the names that its credentials use.
// Equal sets of windows share an id; an edited schedule keeps its id while nobody else shares it, so that one delta moves all its users.

import { MAX_SCHEDULE_ID } from "../wire/limits";
import type { Window } from "../wire/windows";
import type { Item, SettingItem } from "./items";
import { newItem, wantAnew } from "./items";
import { packWindow, sameWindows } from "./windows";

/** One id and its windows, packed. */
export interface ScheduleItem extends Item {
  readonly id: number;
  windows: readonly number[];
  /** How many names share it. */
  names: number;
}

interface Name {
  windows: readonly number[];
  /** How many credentials and settings want it. */
  users: number;
  item?: ScheduleItem;
}

export const scheduleKey = (id: number): string => `schedule:${id}`;

/** A setting's value for the lock of this book. */
export function settingValue({ value, schedule }: SettingItem, book: ScheduleBook): Uint8Array {
  return schedule === "" ? value : Uint8Array.of(book.id(schedule), ...value.subarray(1));
}

export class ScheduleBook {
  readonly items = new Map<number, ScheduleItem>();
  readonly #names = new Map<string, Name>();
  readonly #isBusy: (id: number) => boolean;

  /** `isBusy` tells the ids that the lock holds, or may hold. */
  constructor(isBusy: (id: number) => boolean) {
    this.#isBusy = isBusy;
  }

  /** The id of a schedule that is in use, otherwise 0, as for the empty name, which is "always". */
  id(name: string): number {
    return this.#names.get(name)?.item?.id ?? 0;
  }

  /** The names that share an id. */
  namesOf(id: number): string[] {
    return [...this.#names].filter(([, { item }]) => item?.id === id).map(([name]) => name);
  }

  /** Says what a name's windows are, for the first time or anew. */
  define(name: string, windows: readonly Window[]): void {
    const packed = windows.map(packWindow);
    const known = this.#names.get(name);
    if (known === undefined) this.#names.set(name, { windows: packed, users: 0 });
    if (known === undefined || sameWindows(known.windows, packed)) return;
    known.windows = packed;
    const { item } = known;
    if (item === undefined) return;
    if (item.names === 1 && this.#equal(packed) === undefined) {
      item.windows = packed;
      wantAnew(item);
    } else {
      this.#part(known);
      this.#join(known);
    }
  }

  /** One more credential, or setting, wants the schedule. */
  enter(name: string): void {
    const known = this.#names.get(name);
    if (known === undefined) return;
    known.users++;
    if (known.item === undefined) this.#join(known);
  }

  /** One credential less wants it. */
  leave(name: string): void {
    const known = this.#names.get(name);
    if (known === undefined) return;
    known.users--;
    if (known.users === 0) this.#part(known);
  }

  #equal(windows: readonly number[]): ScheduleItem | undefined {
    return [...this.items.values()].find((item) => sameWindows(item.windows, windows));
  }

  #join(name: Name): void {
    const item = this.#equal(name.windows) ?? this.#add(name.windows);
    item.names++;
    name.item = item;
  }

  #part(name: Name): void {
    const { item } = name;
    name.item = undefined;
    if (item !== undefined && --item.names === 0) this.items.delete(item.id);
  }

  /** Takes the lowest id that the lock does not hold: slots may still name an id that is only about to be dropped. */
  #add(windows: readonly number[]): ScheduleItem {
    let id = 1;
    while (this.items.has(id) || this.#isBusy(id)) id++;
    if (id > MAX_SCHEDULE_ID) for (id = 1; this.items.has(id); ) id++;
    const item = { ...newItem(scheduleKey(id)), id, windows, names: 0 };
    this.items.set(id, item);
    return item;
  }
}
