// What the office knows of a door beside its mail, as a section of a work list: how its lock is to stand, for `tumbler door check`, and who is
// to be let in when, for `tumbler door what-if` (rules I1, I3). Nothing that opens is in it.

import type { DoorTable, Holder } from "../../protocol/issuer/door-table";
import type { Issuer } from "../../protocol/issuer/issuer";
import { LOCK_PROFILES } from "../../protocol/issuer/rows";
import { FieldError, type Fields } from "./fields";

/** What the office knows of a door's lock. */
export interface DoorFacts {
  /** The number of the keyset that the lock is to have. */
  readonly keyset: number;
  /** When the newest receipt that the office has was written, UTC seconds by the lock's clock; 0 for none. */
  readonly lastSync: number;
  readonly table: DoorTable;
}

/** What the office knows of a lock. After the signing of what is to go there. */
export function factsOf(issuer: Issuer, lock: string): DoorFacts {
  const lastSync = issuer.report(lock).latest?.time ?? 0;
  return { keyset: issuer.signers.keyset, lastSync, table: issuer.doorTable(lock) };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** The section as plain JSON. */
export function factsJson({ keyset, lastSync, table }: DoorFacts): object {
  const { profile, items, holders } = table;
  const slots = (numbers: readonly number[]) => numbers.map((slot) => ({ slot }));
  return {
    keyset,
    lastSync,
    profile,
    items: items.map((item) => ({ item: base64(item) })),
    holders: holders.map((holder) => ({ ...holder, slots: slots(holder.slots) })),
  };
}

/** The section of these fields. Throws a FieldError. */
export function readFacts(fields: Fields): DoorFacts {
  const name = fields.text("profile");
  const profile = LOCK_PROFILES.find((known) => known === name);
  if (profile === undefined) throw new FieldError("profile", LOCK_PROFILES.join(" or "));
  const items = fields.list("items").map((each) => each.base64("item"));
  const holders = fields.list("holders").map((each): Holder => {
    const slots = each.list("slots").map((one) => one.uint("slot"));
    return { person: each.text("person"), name: each.text("name"), slots };
  });
  return {
    keyset: fields.uint("keyset"),
    lastSync: fields.uint("lastSync"),
    table: { profile, items, holders },
  };
}
