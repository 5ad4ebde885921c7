// What somebody has set by a command at the door (rules A60, A61, A63): the mode and the name. They are values of the lock's own, in
// front of the settings that deltas set and no part of the table digest; a delta for such a setting takes away what stands in front of
// it. What is lost of a mode lets in the fewest.

import { Mode, parseMode, Setting } from "../../protocol/wire/settings";
import { State } from "./storage/places";
import type { Table } from "./storage/table";

const NOTHING = new Uint8Array(0);

/** The state that stands in front of a setting, 0 for none. */
function stateOver(setting: number): number {
  if (setting === Setting.mode) return State.mode;
  return setting === Setting.alias ? State.alias : 0;
}

/** The mode that was commanded; undefined where the setting counts. */
export function commandedMode(table: Table): number | undefined {
  const value = table.state(State.mode);
  if (value === undefined) return table.hasLostState(State.mode) ? Mode.resident : undefined;
  return value.length === 0 ? undefined : (parseMode(value) ?? Mode.resident);
}

/** The name that was commanded, in UTF-8; undefined where the setting counts. */
export function commandedAlias(table: Table): Uint8Array | undefined {
  const value = table.state(State.alias);
  return value === undefined || value.length === 0 ? undefined : value.slice();
}

/** Puts a value in front of the mode or the alias. False when the flash refused. */
export function cover(table: Table, setting: number, value: Uint8Array): boolean {
  return table.commitState(stateOver(setting), value);
}

/** Whether a value stands in front of a setting, or stood there and is lost. */
export function isCovered(table: Table, setting: number): boolean {
  const id = stateOver(setting);
  if (id === 0 || table.places.states[id] === 0) return false;
  const value = table.state(id);
  return value === undefined || value.length > 0;
}

/** Takes away what stands in front of a setting. False when the flash refused. */
export function uncover(table: Table, setting: number): boolean {
  return table.commitState(stateOver(setting), NOTHING);
}
