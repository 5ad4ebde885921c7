// The whole table that a rebase brings (rule S9): what is wanted, cut to what a lock of the model surely takes, since one item that it
// refuses makes it give up all of it; and a table read back from the parts that were signed.

import type { Crypto } from "../crypto/port";
import { toHex } from "../wire/bytes";
import { decode } from "../wire/cborx";
import { Kind } from "../wire/entry";
import { DENSITY_LIMIT } from "../wire/limits";
import { isHoliday, parseDensity, parseMaster, Setting } from "../wire/settings";
import { weightOf } from "./pins";
import type { LockProfile } from "./rows";
import type { Slot } from "./table";
import { Table } from "./table";

/** What a model of lock has. */
export interface Model {
  readonly slots: number;
  /** Schedules have ids from 1 to this. */
  readonly schedules: number;
  readonly holidays: number;
  readonly reader: boolean;
  /** Whether it can be told of a network. */
  readonly network: boolean;
}

export const MODELS: Readonly<Record<LockProfile, Model>> = {
  "lock-1000": { slots: 1000, schedules: 255, holidays: 64, reader: true, network: true },
  l500i: { slots: 10, schedules: 12, holidays: 8, reader: false, network: false },
};

/** The position at which the log of a rebase begins, and the generation of all that it brings. */
export const REBASE_BASE = 1;

const NOTHING = new Uint8Array(0);

/** A copy of a table with all that a lock of the model surely takes. What `has` holds already goes before what is new. */
export function fitted(table: Table, has: Table, model: Model): Table {
  const whole = new Table();
  for (const [id, windows] of table.schedules) if (id <= model.schedules) whole.schedules.set(id, windows);
  for (const [id, value] of table.settings)
    if (takesSetting(id, value, whole, model)) whole.settings.set(id, value);
  const master = parseMaster(whole.settings.get(Setting.master) ?? NOTHING);
  const limit = parseDensity(whole.settings.get(Setting.density) ?? NOTHING) ?? DENSITY_LIMIT;
  let density = master === undefined || master.digits === 0 ? 0 : weightOf(master.digits);
  const held = new Set(Array.from(has.slots.values(), ({ tag }) => toHex(tag)));
  const taken = new Set<string>();
  const isHeld = ({ tag }: Slot): boolean => held.has(toHex(tag));
  const slots = [...table.slots.values()].sort((a, b) => a.slot - b.slot);
  for (const slot of [...slots.filter(isHeld), ...slots.filter((each) => !isHeld(each))]) {
    const weight = slot.kind === Kind.pin ? weightOf(slot.digits) : 0;
    const tag = toHex(slot.tag);
    if (taken.has(tag) || !takesSlot(slot, whole, model) || density + weight > limit) continue;
    taken.add(tag);
    density += weight;
    whole.slots.set(slot.slot, { ...slot, generation: REBASE_BASE });
  }
  return whole;
}

function takesSetting(id: number, value: Uint8Array, { schedules }: Table, model: Model): boolean {
  if (isHoliday(id)) return id - Setting.holiday < model.holidays;
  if (id === Setting.wifi || id === Setting.broker) return model.network;
  return id !== Setting.businessHours || value[0] === 0 || schedules.has(value[0]);
}

function takesSlot(slot: Slot, whole: Table, model: Model): boolean {
  if (slot.slot >= model.slots || (slot.kind === Kind.card && !model.reader)) return false;
  if (slot.schedule !== 0 && !whole.schedules.has(slot.schedule)) return false;
  return !whole.isMaster(slot.tag);
}

/** The table in the parts of a rebase. Throws on any other bytes. */
export function tableOf(crypto: Crypto, parts: readonly Uint8Array[]): Table {
  const table = new Table(crypto);
  for (const part of parts) {
    const items = decode(part);
    if (!Array.isArray(items)) throw new Error("part of a rebase: wanted a list of items");
    for (const item of items) {
      if (!(item instanceof Uint8Array)) throw new Error("item of a rebase: wanted bytes");
      table.add(item);
    }
  }
  return table;
}
