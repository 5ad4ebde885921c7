// Where the newest record of every value that is no slot stands, in units of 16 bytes; 0 for none. Slots have an index of their own.

import { MAX_LOCAL_CODES } from "../../../protocol/wire/limits";
import { SETTINGS } from "../../../protocol/wire/settings";
import type { Profile } from "../profile";
import { USAGE_GROUP } from "./records";

/** Values that the lock itself keeps beside what deltas set. */
export const State = {
  claim: 1,
  keyset: 2,
  time: 3,
  seen: 4,
  rebase: 5,
  swap: 6,
  lockout: 7,
  forgiven: 8,
  hours: 9,
  /** The first of the codes that are programmed at the keypad. */
  local: 10,
} as const;
/** States have numbers below this. */
export const STATES = State.local + MAX_LOCAL_CODES;
/** Where a lost record stands: inside a sector header, where no record ever does, so that no compaction finds it alive. */
export const NOWHERE = 1;

/** Places by the number of a group of slots, of a schedule, a setting or a state. */
export interface Places {
  readonly usage: Uint16Array;
  readonly schedules: Uint16Array;
  readonly settings: Uint16Array;
  readonly states: Uint16Array;
  /** Second copies of states, in other sectors than the first: without claim and keyset the lock would obey nobody. */
  readonly mirrors: Uint16Array;
}

/** The places of an empty table. */
export function makePlaces(profile: Profile): Places {
  return {
    usage: new Uint16Array(Math.ceil(profile.slots / USAGE_GROUP)),
    schedules: new Uint16Array(profile.schedules + 1),
    settings: new Uint16Array(SETTINGS),
    states: new Uint16Array(STATES),
    mirrors: new Uint16Array(STATES),
  };
}
