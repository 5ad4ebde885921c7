// Where each wish of a ledger stands, in the words that people read (rules A37–A40, K4, K5). Looks only.

import type { Credential } from "./items";
import { refusal } from "./items";
import type { Ledger } from "./ledger";
import { slotsByKey, step } from "./plan";
import type { Slot } from "./table";

/** After so many attempts without an answer a delta is unconfirmed, which is not failed (rules A38, K5). */
export const MAX_ATTEMPTS = 3;

/** A credential that is wanted no more, and is gone, is "removed". */
export type State = "pending" | "confirmed" | "removed" | "failed" | "unconfirmed";

/** Where one credential stands at one lock. */
export interface Standing {
  readonly who: string;
  readonly user: number;
  readonly kind: number;
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
    const { key, who, user, kind, content } = credential;
    const held = confirmed.get(key);
    return {
      who,
      user,
      kind,
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
  const attempts = ledger.log.positions[credential.last - 1]?.attempts ?? 0;
  return { state: attempts >= MAX_ATTEMPTS ? "unconfirmed" : "pending" };
}
