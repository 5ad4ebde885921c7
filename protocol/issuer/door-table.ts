// What a lock's table is to be after its next sync, for whoever asks at the door who would be let in, and when (rules I3, T17): terms,
// schedules and settings, and whose slots they are. Nothing that opens is in it: no tag, no master, no sealed setting. Looks only.

import { TAG_BYTES } from "../wire/limits";
import { isSealed, Setting } from "../wire/settings";
import type { BoundLock } from "./account";
import type { Directory } from "./directory";
import { itemsOf } from "./rebase";
import type { LockProfile } from "./rows";
import { Table } from "./table";
import { fitted, MODELS } from "./whole-table";

/** Somebody with credentials at a door. */
export interface Holder {
  /** The handle. */
  readonly person: string;
  readonly name: string;
  readonly slots: readonly number[];
}

/** A lock's table without its tags. */
export interface DoorTable {
  readonly profile: LockProfile;
  /** Items as of the table digest; in the place of each tag stands the number of the slot. */
  readonly items: readonly Uint8Array[];
  readonly holders: readonly Holder[];
}

/** The table of a lock once it has applied all that is signed, as far as a lock of its model surely takes it. */
export function doorTableOf(directory: Directory, { door, ledger }: BoundLock): DoorTable {
  const { profile } = door.row;
  const wanted = ledger.log.projection();
  const table = new Table(undefined, fitted(wanted, wanted, MODELS[profile]));
  for (const id of [...table.settings.keys()])
    if (isSealed(id) || id === Setting.master) table.settings.delete(id);
  const slots = new Map<string, number[]>();
  for (const [number, slot] of table.slots) {
    table.slots.set(number, { ...slot, tag: placeholder(number) });
    const handle = door.handles.get(slot.user);
    if (handle !== undefined) slots.set(handle, [...(slots.get(handle) ?? []), number]);
  }
  const holders = Array.from(slots, ([person, numbers]) => {
    const name = directory.people.get(person)?.row.name ?? person;
    return { person, name, slots: numbers.sort((a, b) => a - b) };
  });
  return { profile, items: itemsOf(table), holders };
}

/** What stands in the place of a slot's tag. */
function placeholder(slot: number): Uint8Array {
  const tag = new Uint8Array(TAG_BYTES);
  tag[TAG_BYTES - 2] = slot >>> 8;
  tag[TAG_BYTES - 1] = slot;
  return tag;
}
