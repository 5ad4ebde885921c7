// What tests look at in a lock from outside: its acks, the slots that it holds, the erases of its flash.

import type { Lock } from "../../firmware/core/lock";
import { codeName } from "../../protocol/wire/codes";
import { Type } from "../../protocol/wire/messages";
import type { Receipt } from "../../protocol/wire/receipt";
import { SETTINGS } from "../../protocol/wire/settings";
import { canonical } from "./cbor";
import type { Door } from "./door";
import type { Outcome } from "./reference";

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** The receipt with the acks from `first` on. */
export function ask(door: Door, first: number): Receipt {
  if (!door.session.greeted) door.hello();
  const { receipt, result } = door.send(Type.ask, canonical(new Map([[0, first]])));
  if (receipt === undefined) throw new Error(`ask: ${result}`);
  return receipt;
}

/** The acks of a receipt. */
export function outcomes(receipt: Receipt): Outcome[] {
  const details = new Map<number, number>();
  for (let i = 0; i < receipt.details.length; i += 2) details.set(receipt.details[i], receipt.details[i + 1]);
  return Array.from(receipt.codes, (code, i) => ({ code: codeName(code), detail: details.get(i) ?? 0 }));
}

/** Every ack that the lock still keeps, and the seq of the first. */
export function keptAcks(door: Door): { first: number; acks: Outcome[] } {
  const { first, applied, codes } = ask(door, 1);
  const acks = codes.length > 0 ? outcomes(ask(door, 1)) : [];
  while (acks.length > 0 && first + acks.length <= applied)
    acks.push(...outcomes(ask(door, first + acks.length)));
  return { first, acks };
}

/** The occupied slots by number, each as the hexadecimal of its entry; "damaged" for one that cannot be read. */
export function heldSlots({ lock }: { readonly lock: Lock }): Map<number, string> {
  const { table, profile } = lock.parts;
  const slots = new Map<number, string>();
  for (let slot = 0; slot < profile.slots; slot++) {
    const loaded = table.load(slot);
    if (loaded !== "empty") slots.set(slot, loaded === "ok" ? hex(table.loadedBytes()) : loaded);
  }
  return slots;
}

/** Everything that a lock's table says, as plain values to compare: nothing of where it stands in flash. */
export function stateOf(lock: Lock): Record<string, unknown> {
  const { table, profile, digest } = lock.parts;
  const { acks, index } = table;
  const ids = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
  const bytes = (value: Uint8Array | undefined): string => (value === undefined ? "" : hex(value));
  return {
    applied: table.applied,
    head: hex(table.head),
    digest: hex(digest.of(table)),
    slots: [...heldSlots({ lock })],
    usage: [...heldSlots({ lock }).keys()].map((slot) => usageOf(lock, slot)),
    schedules: ids(profile.schedules).map((id) =>
      table.loadSchedule(id) ? [...table.windows.subarray(0, table.windowCount)] : [],
    ),
    settings: ids(SETTINGS - 1).map((id) => bytes(table.setting(id))),
    states: ids(4).map((id) => bytes(table.state(id))),
    acks: [acks.first, acks.last],
    codes: ids(acks.last - acks.first + 1).map((i) => {
      const seq = acks.first + i - 1;
      return `${acks.code(seq)} ${acks.detail(seq)} ${acks.fingerprint(seq)}`;
    }),
    counts: [index.used, index.damaged, table.schedules, ...table.pins],
  };
}

/** What is known of the use of an occupied slot. */
export function usageOf(lock: Lock, slot: number): string {
  const { table } = lock.parts;
  if (table.load(slot) !== "ok") return "damaged";
  const { generation, uses } = table.entry;
  const isKnown = table.loadUsage(slot, generation, uses);
  const { used, left, firstUse } = table.usage;
  return isKnown ? `${used} ${left} ${firstUse}` : "damaged";
}
