// Where each wish of a ledger stands, in the words that people read (rules A37–A40, K4, K5). Looks only.

import { equal } from "../wire/bytes";
import { settingName } from "../wire/settings";
import type { Credential, Item } from "./items";
import { refusal } from "./items";
import type { Ledger } from "./ledger";
import { slotsByKey, step } from "./plan";
import { settingValue } from "./schedule-book";
import type { Slot, Table } from "./table";

/** After so many attempts without an answer a delta is unconfirmed, which is not failed (rules A38, K5). */
export const MAX_ATTEMPTS = 3;
const NOTHING = new Uint8Array(0);

/** A credential that is wanted no more, and is gone, is "removed". */
export type State = "pending" | "confirmed" | "removed" | "failed" | "unconfirmed";

/** Where one credential stands at one lock. */
export interface Standing {
  readonly who: string;
  readonly user: number;
  readonly kind: number;
  /** Whether it is the person's code for duress (rule C16). */
  readonly isDuress: boolean;
  readonly isWanted: boolean;
  readonly state: State;
  /** The code of a refusal. */
  readonly code?: number;
  /** Where the lock holds it by its own word; −1 when it does not. */
  readonly slot: number;
  /** 0 when the lock does not hold it. */
  readonly generation: number;
}

/** Where every credential of a ledger stands, in the order in which they were first wanted. */
export function standings(ledger: Ledger): Standing[] {
  const planned = slotsByKey(ledger.log.projection());
  const confirmed = slotsByKey(ledger.log.mirror);
  return Array.from(ledger.credentials.values(), (credential) => {
    const { key, who, user, kind, isDuress, content } = credential;
    const held = confirmed.get(key);
    return {
      who,
      user,
      kind,
      isDuress,
      isWanted: content !== undefined,
      ...stateOf(ledger, credential, planned.get(key), held),
      slot: held?.slot ?? -1,
      generation: held?.generation ?? 0,
    };
  });
}

function stateOf(
  ledger: Ledger,
  credential: Credential,
  planned: Slot | undefined,
  confirmed: Slot | undefined,
): { state: State; code?: number } {
  const code = refusal(credential);
  if (code !== undefined) return { state: "failed", code };
  if (step(credential, planned, ledger.schedules) !== undefined) return { state: "pending" };
  if (step(credential, confirmed, ledger.schedules) === undefined)
    return { state: credential.content === undefined ? "removed" : "confirmed" };
  return { state: unanswered(ledger, credential) };
}

/** What is signed and has no answer yet. */
function unanswered(ledger: Ledger, { last }: Item): State {
  const { log } = ledger;
  const attempts = log.position(last)?.attempts ?? log.attempts;
  return attempts >= MAX_ATTEMPTS ? "unconfirmed" : "pending";
}

/** Where one setting stands at one lock. */
export interface SettingStanding {
  /** As in `settingName`. */
  readonly setting: string;
  readonly state: State;
  /** The code of a refusal. */
  readonly code?: number;
}

/** Where every setting of a ledger stands, in the order in which they were first wanted. */
export function settingStandings(ledger: Ledger): SettingStanding[] {
  const { mirror } = ledger.log;
  const projection = ledger.log.projection();
  return Array.from(ledger.settings.values(), (item) => {
    const setting = settingName(item.id);
    const code = refusal(item);
    if (code !== undefined) return { setting, state: "failed", code };
    const value = settingValue(item, ledger.schedules);
    const has = (table: Table) => equal(table.settings.get(item.id) ?? NOTHING, value);
    if (has(mirror) && has(projection)) return { setting, state: "confirmed" };
    return { setting, state: has(projection) ? unanswered(ledger, item) : "pending" };
  });
}
