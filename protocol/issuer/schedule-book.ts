// The shared schedules of one lock (rules A30, T2): names of the account to ids of the lock. Equal sets of windows share an id; an
// edited schedule keeps its id while nobody else shares it, so that one delta moves all its users.

import { MAX_SCHEDULE_ID } from "../wire/limits";
import type { Window } from "./encode";
import type { Item } from "./items";
import { newItem, wantAnew } from "./items";
import { packWindow, sameWindows } from "./windows";

/** One id and its windows, packed. */
export interface ScheduleItem extends Item {
  readonly id: number;
  windows: readonly number[];
  readonly names: Set<string>;
}

export const scheduleKey = (id: number): string => `schedule:${id}`;

export class ScheduleBook {
  readonly items = new Map<number, ScheduleItem>();
  readonly #idOf = new Map<string, number>();

  /** The id of a schedule, 0 for the empty name, which is "always". */
  id(name: string): number {
    return this.#idOf.get(name) ?? 0;
  }

  /** Names the windows of a schedule, for the first time or anew. `isBusy` tells the ids that the lock may still hold. */
  define(name: string, windows: readonly Window[], isBusy: (id: number) => boolean): void {
    const packed = windows.map(packWindow);
    const own = this.items.get(this.id(name));
    if (own !== undefined && sameWindows(own.windows, packed)) return;
    const equal = [...this.items.values()].find((item) => sameWindows(item.windows, packed));
    if (own?.names.size === 1 && equal === undefined) {
      own.windows = packed;
      wantAnew(own);
      return;
    }
    this.#leave(name);
    const item = equal ?? this.#add(packed, isBusy);
    item.names.add(name);
    this.#idOf.set(name, item.id);
  }

  #leave(name: string): void {
    const item = this.items.get(this.id(name));
    item?.names.delete(name);
    if (item?.names.size === 0) this.items.delete(item.id);
  }

  /** Takes the lowest id that the lock does not hold: another's users may still name an id that is only about to be dropped. */
  #add(windows: readonly number[], isBusy: (id: number) => boolean): ScheduleItem {
    let id = 1;
    while (this.items.has(id) || isBusy(id)) id++;
    if (id > MAX_SCHEDULE_ID) for (id = 1; this.items.has(id); ) id++;
    const item = { ...newItem(scheduleKey(id)), id, windows, names: new Set<string>() };
    this.items.set(id, item);
    return item;
  }
}
