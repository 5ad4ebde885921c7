// What a courier's visit is to make of a lock (rules A49, I4): each delta that has no answer yet, in the words of people, and the position,
// chain head and table digest after it. Whoever carries the mail can tell by it whether a receipt says what it should. Looks only.

import { Code } from "../wire/codes";
import type { DeltaFields } from "../wire/deltas";
import { Op } from "../wire/deltas";
import { Kind } from "../wire/entry";
import { Setting, settingName } from "../wire/settings";
import type { BoundLock } from "./account";
import type { Directory, Door } from "./directory";
import { isForDuress } from "./items";
import type { Ledger } from "./ledger";
import type { Prospect } from "./log";
import { fieldsOf } from "./log";
import type { Slot } from "./table";
import { Table } from "./table";

/** One delta that waits for its answer. */
export interface Change extends Prospect {
  /** What it is, such as "PIN of Dora". */
  readonly text: string;
}

/** What a lock is to become. */
export interface Outlook {
  readonly epoch: number;
  /** Where it stands before the first change, as far as is acknowledged; where a whole new table begins, if that has to come first. */
  readonly from: Prospect;
  readonly changes: readonly Change[];
  /** Whether a whole new table has to come first. */
  readonly isNewTable: boolean;
  /** Whether the lock refuses some people unless it hears from its issuer every few days (rule S12). */
  readonly isLeased: boolean;
}

/** Where a lock is to be led by what is signed for it. */
export function outlookOf(directory: Directory, { door, ledger }: BoundLock): Outlook {
  const { log } = ledger;
  const [from, ...prospects] = log.prospects();
  const table = new Table(undefined, log.isBegun ? log.mirror : log.start);
  const changes = prospects.map((prospect): Change => {
    const { delta: bytes, code = Code.applied } = log.position(prospect.seq)!;
    const delta = fieldsOf(bytes);
    const text = textOf(delta, table, ledger, (user) => nameOf(directory, door, user));
    table.apply(prospect.seq, delta, code);
    return { ...prospect, text };
  });
  const lease = table.settings.get(Setting.leaseDays);
  const isLeased = lease?.some((byte) => byte !== 0) === true;
  return { epoch: log.epoch, from, changes, isNewTable: !log.isBegun, isLeased };
}

/** The name of a user of a door, who may have left. */
function nameOf({ people }: Directory, { handles }: Door, user: number): string {
  const handle = handles.get(user);
  return handle === undefined ? `user ${user}` : (people.get(handle)?.row.name ?? handle);
}

type NameOf = (user: number) => string;

const KINDS: Readonly<Record<number, string>> = {
  [Kind.pin]: "PIN",
  [Kind.phone]: "phone",
  [Kind.card]: "card",
};

function credentialText(slot: Pick<Slot, "kind" | "flags" | "user">, name: NameOf): string {
  const kind = KINDS[slot.kind] ?? `kind ${slot.kind}`;
  return `${isForDuress(slot) ? `duress ${kind}` : kind} of ${name(slot.user)}`;
}

/** What a change to a slot does, behind what it does it to. */
const DEEDS: Readonly<Record<number, string>> = {
  [Op.change]: "other terms",
  [Op.drop]: "taken away",
  [Op.enable]: "switched on",
  [Op.disable]: "switched off",
};

/** A delta in words; `table` is the table that it will meet. */
function textOf(delta: DeltaFields, table: Table, { schedules }: Ledger, name: NameOf): string {
  const { op, entry, id, user } = delta;
  const schedule = (): string => {
    const names = schedules.namesOf(id);
    return `schedule ${names.length > 0 ? names.join(", ") : id}`;
  };
  switch (op) {
    case Op.put:
      return `${credentialText(entry, name)}${table.slots.has(entry.slot) ? ", replaced" : ""}`;
    case Op.revoke:
      return `all access of ${name(user)}, and of everyone below, revoked`;
    case Op.putSchedule:
      return schedule();
    case Op.dropSchedule:
      return `${schedule()} taken away`;
    case Op.set:
      return `setting ${settingName(id)}`;
    case Op.wipe:
      return "all access taken away";
    default: {
      const slot = table.slots.get(entry.slot);
      const what = slot === undefined ? `slot ${entry.slot}` : credentialText(slot, name);
      return `${what}, ${DEEDS[op] ?? "changed"}`;
    }
  }
}
