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
  /** What was heard of the issuer last, and what has come home to it. */
  heard: 4,
  rebase: 5,
  swap: 6,
  lockout: 7,
  forgiven: 8,
  hours: 9,
  /** The first of the codes that are programmed at the keypad. */
  local: 10,
  /** The mode and the name that somebody has set by a command, in front of their settings. */
  mode: 20,
  alias: 21,
  /** Offline codes that were used, on the last day that one was. */
  offline: 22,
} as const;
/** The codes of the keypad have numbers below this. */
export const LOCALS_END = State.local + MAX_LOCAL_CODES;
/** Without these a lock cannot go on, so they are kept twice; all others have a safe answer when they are lost. */
export const VITAL: readonly number[] = [State.claim, State.keyset, State.time, State.rebase];
/** States have numbers below this. */
export const STATES = 23;

/** Whether a value of the lock's own outlives its owner: nothing that was used up under one may come back under the next (rule X11). */
export function outlivesOwner(id: number): boolean {
  return id === State.claim || id === State.time || id === State.rebase || id === State.swap;
}

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
