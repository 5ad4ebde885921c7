// What tests look at in a lock from outside: its acks, the slots that it holds, the erases of its flash.

import { codeName } from "../../protocol/wire/codes";
import { type Receipt, Type } from "../../protocol/wire/messages";
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
export function heldSlots(door: Door): Map<number, string> {
  const { table, profile } = door.lock.parts;
  const slots = new Map<number, string>();
  for (let slot = 0; slot < profile.slots; slot++) {
    const loaded = table.load(slot);
    if (loaded !== "empty") slots.set(slot, loaded === "ok" ? hex(table.loadedBytes()) : loaded);
  }
  return slots;
}
