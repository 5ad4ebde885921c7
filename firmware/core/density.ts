// The density ρ (rule C18): the chance that one guess at the keypad opens the door. The sum of 1 / 10^digits over everything that can
// be typed: PINs of slots, codes programmed at the keypad, offline codes, the master. Counted in units of 10⁻¹⁰, the weight of ten digits.

import { OFFLINE_DIGITS } from "../../protocol/crypto/offline";
import { equal } from "../../protocol/wire/bytes";
import { MAX_LOCAL_CODES, MAX_PIN_DIGITS } from "../../protocol/wire/limits";
import type { OfflinePolicy } from "../../protocol/wire/settings";
import type { LocalCodes } from "./local-codes";
import { offlineCount } from "./offline-codes";
import type { Policy } from "./policy";
import type { Table } from "./storage/table";

/** 10^(10 − digits) by the number of digits; 0 where there are none. */
const WEIGHTS: readonly number[] = [0, 0, 0, 0, 1e6, 1e5, 1e4, 1e3, 1e2, 10, 1];

/** What one code of so many digits adds to the density, 0 for none. */
export const weightOf = (digits: number): number => WEIGHTS[digits];

/** What is typed at a door. */
export interface Typed {
  readonly table: Table;
  readonly locals: LocalCodes;
  readonly policy: Policy;
}

/** The density of the codes programmed at the keypad alone. */
export function localDensityOf(locals: LocalCodes): number {
  let sum = 0;
  for (let place = 0; place < MAX_LOCAL_CODES; place++) sum += WEIGHTS[locals.digits(place)];
  return sum;
}

/** The density of all that can be typed. */
export function densityOf({ table, locals, policy }: Typed): number {
  let sum = WEIGHTS[policy.master.digits] + localDensityOf(locals);
  for (let digits = 0; digits <= MAX_PIN_DIGITS; digits++) sum += table.pins[digits] * WEIGHTS[digits];
  return sum + offlineDensity(policy.offline);
}

/** The density of the offline codes that a policy lets in. */
export function offlineDensity(offline: OfflinePolicy): number {
  return offlineCount(offline) * WEIGHTS[OFFLINE_DIGITS];
}

/** Whether the master or a code programmed at the keypad has this tag (rule C3). */
export function isTyped({ locals, policy }: Typed, tag: Uint8Array): boolean {
  return equal(policy.master.tag, tag) || locals.find(tag) >= 0;
}

/** Whether a code may come in the place of one: it may never raise the density above the limit of the lock. */
export function hasRoomFor(typed: Typed, digits: number, replaced: number): boolean {
  return isRoomFor(typed, WEIGHTS[digits] - WEIGHTS[replaced]);
}

/** The same for the offline codes of a policy, in the place of those that there are. */
export function hasRoomForOffline(typed: Typed, offline: OfflinePolicy): boolean {
  return isRoomFor(typed, offlineDensity(offline) - offlineDensity(typed.policy.offline));
}

function isRoomFor(typed: Typed, more: number): boolean {
  return more <= 0 || densityOf(typed) + more <= typed.policy.densityLimit;
}
