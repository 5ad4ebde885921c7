// One slot as plain values, with what the lock remembers of its use. No tag and no PIN ever comes out of here.

import type { Table } from "../../firmware/core/storage/table";
import { KIND_NAMES, ROLE_NAMES } from "../../protocol/wire/entry";
import { isoText } from "../ui/time";
import { capabilityNames, flagNames } from "../ui/words";

/** An occupied slot that can be read. Times are ISO 8601 in UTC, null for none. */
export interface SlotView {
  readonly slot: number;
  readonly damaged: false;
  readonly generation: number;
  readonly kind: string;
  /** Of a PIN, null of anything else. */
  readonly digits: number | null;
  readonly role: string;
  readonly user: number;
  readonly grantor: number | null;
  readonly schedule: number | null;
  readonly start: string | null;
  readonly end: string | null;
  /** Null without limit. */
  readonly uses: { readonly left: number; readonly of: number } | null;
  readonly firstUse: string | null;
  readonly minutesAfterFirstUse: number | null;
  readonly firstUseWithinHours: number | null;
  readonly capabilities: readonly string[];
  readonly flags: readonly string[];
}

/** A slot that the lock denies because its record, or the record of its use, is damaged. */
export interface DamagedSlot {
  readonly slot: number;
  readonly damaged: true;
}

const unlessZero = (value: number): number | null => (value === 0 ? null : value);
const timeUnlessZero = (seconds: number): string | null => (seconds === 0 ? null : isoText(seconds));

/** What stands in a slot, undefined when it is empty. */
export function slotView(table: Table, slot: number): SlotView | DamagedSlot | undefined {
  const loaded = table.load(slot);
  if (loaded === "empty") return undefined;
  const { entry, usage } = table;
  if (loaded === "damaged" || !table.loadUsage(slot, entry.generation, entry.uses))
    return { slot, damaged: true };
  return {
    slot,
    damaged: false,
    generation: entry.generation,
    kind: KIND_NAMES[entry.kind],
    digits: unlessZero(entry.digits),
    role: ROLE_NAMES[entry.role],
    user: entry.user,
    grantor: unlessZero(entry.grantor),
    schedule: unlessZero(entry.schedule),
    start: timeUnlessZero(entry.start),
    end: timeUnlessZero(entry.end),
    uses: entry.uses === 0 ? null : { left: usage.left, of: entry.uses },
    firstUse: timeUnlessZero(usage.firstUse),
    minutesAfterFirstUse: unlessZero(entry.minutesAfterFirstUse),
    firstUseWithinHours: unlessZero(entry.firstUseHours),
    capabilities: capabilityNames(entry.capabilities),
    flags: flagNames(entry.flags),
  };
}

/** Every occupied slot, in order. */
export function allSlots(table: Table): (SlotView | DamagedSlot)[] {
  const views: (SlotView | DamagedSlot)[] = [];
  for (let slot = 0; slot < table.profile.slots; slot++) {
    const view = slotView(table, slot);
    if (view !== undefined) views.push(view);
  }
  return views;
}
