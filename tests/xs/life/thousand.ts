// The second half of the long life: all thousand slots are filled, a phone and codes of every kind open, events and acks come home, the
// power goes in the middle of all that writes, and the owner brings a whole new table twice.

import type { Delta } from "../../../protocol/issuer/encode";
import { partsOf } from "../../../protocol/issuer/rebase";
import { Table } from "../../../protocol/issuer/table";
import { ascii } from "../../../protocol/wire/bytes";
import { Capability, emptyEntry, Flag, Kind, Role } from "../../../protocol/wire/entry";
import { Type } from "../../../protocol/wire/messages";
import { CommandOp } from "../../../protocol/wire/payloads";
import {
  Mode,
  OfflineKind,
  packHours,
  packLockout,
  packNone,
  packOffline,
  Setting,
} from "../../../protocol/wire/settings";
import { packWindow } from "../../../protocol/wire/windows";
import type { Teller } from "./teller";

const SLOTS = 1000;
const DAY_S = 86_400;
const BASE = 5000;
/** Slots that other chapters of this file fill differently. */
const ADMIN = 7;
const PHONE = 11;
/** Counts its uses, and is good whatever the time is. */
const COUNTED = 14;
/** Operations on flash of a bundle, and bytes of them, in which the power goes. */
const CUTS = [
  [0, 0],
  [0, 17],
  [1, 64],
  [3, 9],
  [6, 5],
] as const;

export const pinOf = (slot: number): string => String(10_000_000 + slot * 80_021);
const uidOf = (slot: number): Uint8Array =>
  Uint8Array.of(4, slot >> 8, slot & 0xff, 0x5a, (slot & 0xff) ^ 0xff, 7, 1);

/** Cards and PINs, with and without terms; some with a grantor. */
function tenant(teller: Teller, slot: number): Delta {
  const more = {
    schedule: slot % 3 === 0 ? 1 : 0,
    start: slot % 4 === 0 ? teller.now - DAY_S : 0,
    end: slot % 4 === 0 ? teller.now + 30 * DAY_S : 0,
    uses: slot % 9 === 0 ? 2 : slot % 7 === 0 ? 60 : 0,
    grantor: slot % 10 === 9 ? 1000 + slot - 1 : 0,
    capabilities: slot % 8,
  };
  return slot % 5 === 0 ? teller.keycard(slot, uidOf(slot), more) : teller.pin(slot, pinOf(slot), more);
}

/** A put for each slot of the lock, in bundles of up to 32. */
export function filling(teller: Teller): void {
  teller.wait(DAY_S);
  teller.hello();
  teller.time();
  teller.apply(
    { op: "put-schedule", id: 1, windows: [{ days: 127, start: 0, duration: 1440 }] },
    { op: "set", setting: Setting.mode, value: Uint8Array.of(Mode.normal) },
    { op: "set", setting: Setting.lockout, value: packLockout({ tries: 5, leastMinutes: 0 }) },
    { op: "set", setting: Setting.localCodes, value: Uint8Array.of(1) },
    { op: "set", setting: Setting.offlineCodes, value: packOffline({ kinds: 15, indexes: 2 }) },
  );
  const puts: Delta[] = [];
  for (let slot = 0; slot < SLOTS; slot++) {
    if (slot === ADMIN)
      puts.push(teller.pin(slot, pinOf(slot), { role: Role.admin, capabilities: Capability.firstIn }));
    else if (slot === PHONE)
      puts.push(teller.handset(slot, { capabilities: Capability.setMode | Capability.readLog }));
    else puts.push(tenant(teller, slot));
  }
  teller.apply(...puts);
  teller.beat();
  for (let second = 0; second < 70; second++) teller.wait(1);
  teller.ask(teller.seq - 9);
}

/** People of all kinds, who open and do not. */
function people(teller: Teller): void {
  for (const slot of [1, 2, 9, 9, 9, 18, 499, 999]) teller.type(pinOf(slot));
  for (const slot of [0, 5, 45, 45, 45, 995]) teller.card(uidOf(slot));
  teller.type("55555555");
  teller.wait(8);
}

/** A phone, today's offline codes, and what an administrator does at the keypad. */
export function using(teller: Teller): void {
  people(teller);
  teller.unlock();
  teller.command(CommandOp.mode, Uint8Array.of(Mode.tour));
  teller.type(pinOf(1));
  teller.command(CommandOp.mode, Uint8Array.of(Mode.normal));
  teller.command(CommandOp.rename, ascii("Back door"));
  teller.whyShut();
  teller.send("identify", Type.identify, Uint8Array.of(0xa0));
  for (const kind of [
    OfflineKind.day,
    OfflineKind.minutes,
    OfflineKind.once,
    OfflineKind.once,
    OfflineKind.week,
  ])
    teller.offline(kind);
  teller.offline(OfflineKind.once, 1);
  teller.wait(20 * 60);
  teller.offline(OfflineKind.minutes);
  teller.press("**" + pinOf(ADMIN) + "#1#491827#491827#");
  teller.type("491827");
  teller.press("**" + pinOf(1) + "#1#");
  teller.press("**" + pinOf(ADMIN) + "#2#491827#");
  teller.type("491827");
  teller.apply({
    op: "set",
    setting: Setting.businessHours,
    value: packHours({ schedule: 1, firstIn: true, graceMinutes: 0 }),
  });
  teller.type(pinOf(ADMIN));
  teller.wait(2);
  teller.press("**" + pinOf(ADMIN) + "#4#");
  teller.wait(2);
  teller.apply({ op: "set", setting: Setting.businessHours, value: packNone() });
}

/** Events and acks come home, and the heartbeat says so. */
export function exporting(teller: Teller): void {
  teller.export();
  teller.beat();
  teller.hello();
  teller.ask(1);
}

/** Back after the power was gone. */
function comeBack(teller: Teller): void {
  teller.powerCycle();
  teller.tick();
  teller.hello();
}

/** Half of these change somebody, half take somebody out. */
function changes(teller: Teller, from: number, first: number): Delta[] {
  return Array.from({ length: 8 }, (_, i): Delta => {
    const slot = from + i;
    const generation = first + slot;
    if (i % 2 === 0) return { op: "change", slot, generation, role: Role.team, end: teller.now + DAY_S };
    return { op: "drop", slot, generation };
  });
}

/** The power goes in bundles, in openings, in housekeeping; what was brought is brought again. `first` is the seq of slot 0's put. */
export function losingPower(teller: Teller, first: number): void {
  CUTS.forEach(([operation, bytes], i) => {
    const bundle = teller.bundle(changes(teller, 100 + 20 * i, first));
    teller.cut(operation, bytes);
    teller.send("a bundle that is cut", Type.bundle, bundle);
    comeBack(teller);
    teller.send("the bundle once more", Type.bundle, bundle);
  });
  teller.wait(6 * 3600);
  for (let operation = 0; operation < 3; operation++) {
    teller.cut(operation, 20);
    teller.type(pinOf(COUNTED));
    teller.tick();
    comeBack(teller);
    teller.type(pinOf(COUNTED));
  }
  teller.time();
}

/** The whole table as the owner wants it: other PINs for all but a few. */
function newTable(teller: Teller, offset: number): Table {
  const table = new Table();
  for (let slot = 0; slot < SLOTS; slot++) {
    const pin = teller.pin(slot, String(20_000_000 + offset + slot * 7919));
    const { tag, user } = slot === PHONE ? teller.handset(slot) : pin;
    const more = slot === PHONE ? { kind: Kind.phone, digits: 0 } : { kind: Kind.pin, digits: 8 };
    table.slots.set(slot, {
      ...emptyEntry(),
      ...more,
      slot,
      tag,
      user,
      role: Role.resident,
      generation: 1 + slot,
      flags: slot % 50 === 49 ? Flag.disabled : 0,
      uses: slot % 100 === 3 ? 2 : 0,
      schedule: slot % 6 === 0 ? 2 : 0,
    });
  }
  const always = packWindow(127, 0, 1440) ?? 0;
  for (let id = 1; id <= 12; id++) table.schedules.set(id, [always]);
  table.settings.set(Setting.zone, ascii("CET-1CEST,M3.5.0,M10.5.0/3"));
  table.settings.set(Setting.relockSeconds, Uint8Array.of(0, 9));
  return table;
}

/** Two rebases of all slots: one as it should go, one that loses power in a part and in the swap. */
export function rebasing(teller: Teller): void {
  teller.rebase(partsOf(newTable(teller, 0)), BASE);
  for (const slot of [0, 3, 3, 3, 49, 999]) teller.type(String(20_000_000 + slot * 7919));
  teller.type(pinOf(1));
  teller.unlock();
  teller.apply(teller.pin(1, "31415926", { generation: 2 }));
  teller.type("31415926");
  for (let second = 0; second < 70; second++) teller.wait(1);
  const parts = partsOf(newTable(teller, 1));
  const cut = new Set([2, 9, parts.length]);
  teller.rebase(parts, 2 * BASE, (number) => {
    if (!cut.delete(number)) return undefined;
    teller.cut(number === parts.length ? 1 : 7, 30);
    return () => comeBack(teller);
  });
  teller.type(String(20_000_001 + 5 * 7919));
  teller.time();
  teller.apply({ op: "drop", slot: 5, generation: 6 });
  teller.type(String(20_000_001 + 5 * 7919));
  for (let second = 0; second < 70; second++) teller.wait(1);
  teller.ask(2 * BASE + 1);
}
