// What an issuer tells of a lock: one plain value that tools print, and by which they know that nothing is left to do.

import { toHex } from "../wire/bytes";
import type { BoundLock } from "./account";
import type { RebaseReason } from "./ledger";
import { guessRisk } from "./pins";
import { refusedRebase } from "./rebase";
import type { Alarm, Mark } from "./receipts";
import type { Link, LockProfile } from "./rows";
import type { SettingStanding, Standing, State } from "./states";
import { settingStandings, standings } from "./states";

/** The time for which a risk of guessing is told, in days. */
const RISK_DAYS = 30;

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
  /** Whether nothing is to be sent: nothing left to sign, and nothing without an answer. */
  readonly isSettled: boolean;
  /** What the latest receipt told, undefined before the first. */
  readonly latest: Mark | undefined;
  /** The chance that 30 days of guessing open the door, at the density of the latest receipt (rules C18, X1). */
  readonly guessRisk: number | undefined;
  readonly alarms: readonly Alarm[];
  /** Why the lock should get a whole new table (rule S9); undefined where nothing speaks for it. */
  readonly needsRebase: RebaseReason | undefined;
  /** How many events of the lock have come home. */
  readonly events: number;
  readonly credentials: readonly Standing[];
  /** How many credentials stand where. */
  readonly counts: Readonly<Record<State, number>>;
  readonly settings: readonly SettingStanding[];
  /** The table digest that the acks add up to, in hexadecimal. */
  readonly digest: string;
}

/** Whether nothing is to be sent. Of a whole new table that the lock has refused a person must order another first. */
export function isSettled(bound: BoundLock): boolean {
  const { ledger, wantsRebase } = bound;
  if (refusedRebase(bound) !== undefined) return true;
  return !wantsRebase && !ledger.isWaiting && !ledger.hasWork;
}

/** What a person must look at. */
export function alarmsOf(bound: BoundLock): Alarm[] {
  const refused = refusedRebase(bound);
  return refused === undefined ? [...bound.ledger.alarms] : [...bound.ledger.alarms, refused];
}

export function reportOf(lock: string, bound: BoundLock): LockReport {
  const { door, ledger, events } = bound;
  const { log } = ledger;
  const credentials = standings(ledger);
  const counts = { pending: 0, confirmed: 0, removed: 0, failed: 0, unconfirmed: 0 };
  for (const { state } of credentials) counts[state]++;
  const { profile, link } = door.row;
  const { latest } = ledger;
  return {
    lock,
    door: door.row.door,
    profile,
    link,
    epoch: log.epoch,
    signed: log.signed,
    applied: log.applied,
    acknowledged: log.acknowledged,
    isSettled: isSettled(bound),
    latest,
    guessRisk: latest === undefined ? undefined : guessRisk(latest.density, RISK_DAYS),
    alarms: alarmsOf(bound),
    needsRebase: ledger.needsRebase,
    events: events.kept.length,
    credentials,
    counts,
    settings: settingStandings(ledger),
    digest: toHex(log.mirror.sum),
  };
}
