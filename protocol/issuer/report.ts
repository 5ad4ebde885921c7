// What an issuer tells of a lock: one plain value that tools print, and by which they know that nothing is left to do.

import { toHex } from "../wire/bytes";
import type { BoundLock } from "./account";
import type { Alarm, Mark } from "./receipts";
import type { Link, LockProfile } from "./rows";
import type { Standing, State } from "./states";
import { standings } from "./states";

/** Where everything stands at one lock. */
export interface LockReport {
  /** The lock id in hexadecimal. */
  readonly lock: string;
  readonly door: string;
  readonly profile: LockProfile;
  readonly link: Link;
  readonly epoch: number;
  /** Positions that are signed, that are known to be applied, and up to which every answer is known. */
  readonly signed: number;
  readonly applied: number;
  readonly acknowledged: number;
  /** Whether nothing is left to sign and nothing without an answer. */
  readonly isSettled: boolean;
  /** What the latest receipt told, undefined before the first. */
  readonly latest: Mark | undefined;
  readonly alarms: readonly Alarm[];
  readonly credentials: readonly Standing[];
  /** How many credentials stand where. */
  readonly counts: Readonly<Record<State, number>>;
  /** The table digest that the acks add up to, in hexadecimal. */
  readonly digest: string;
}

export function reportOf(lock: string, { door, ledger }: BoundLock): LockReport {
  const { log } = ledger;
  const credentials = standings(ledger);
  const counts = { pending: 0, confirmed: 0, removed: 0, failed: 0, unconfirmed: 0 };
  for (const { state } of credentials) counts[state]++;
  const { profile, link } = door.row;
  return {
    lock,
    door: door.row.door,
    profile,
    link,
    epoch: log.epoch,
    signed: log.signed,
    applied: log.applied,
    acknowledged: log.acknowledged,
    isSettled: log.acknowledged === log.signed && !ledger.hasWork,
    latest: ledger.latest,
    alarms: [...ledger.alarms],
    credentials,
    counts,
    digest: toHex(log.mirror.sum),
  };
}
