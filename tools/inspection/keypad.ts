// What a lock knows of its keypad, as plain values: the codes that were programmed there (rule C24) and the wrong entries that count
// (rules X1 to X3). No tag ever comes out of here.

import type { Lock } from "../../firmware/core/lock";
import type { Parts } from "../../firmware/core/parts";
import { State } from "../../firmware/core/storage/places";
import { MAX_LOCAL_CODES } from "../../protocol/wire/limits";

/** A code that was programmed at the keypad. */
export interface LocalCodeView {
  readonly place: number;
  readonly lost: false;
  readonly digits: number;
  /** Whose credential made it; null for the master. */
  readonly user: number | null;
  /** Whether that credential still stands; "with-time": while the lock knows the time, since the credential ends. */
  readonly backed: "yes" | "with-time" | "no";
}

/** A code that cannot be read any more. It opens nothing. */
export interface LostLocalCode {
  readonly place: number;
  readonly lost: true;
}

/** Wrong entries that count, and for how long they make the next one wait. */
export interface LockoutView {
  readonly wrong: number;
  /** Seconds from power-on; less once the lock knows the time. */
  readonly wait: number;
}

/** All codes, by place. `latest` is the latest that it may be, in UTC seconds. */
export function localCodesOf(parts: Parts, latest: number): (LocalCodeView | LostLocalCode)[] {
  const codes: (LocalCodeView | LostLocalCode)[] = [];
  for (let place = 0; place < MAX_LOCAL_CODES; place++) {
    if (parts.locals.digits(place) > 0) codes.push(localCodeView(parts, place, latest));
    else if (parts.table.hasLostState(State.local + place)) codes.push({ place, lost: true });
  }
  return codes;
}

/** The code in a place where there is one. */
export function localCodeView({ locals }: Parts, place: number, latest: number): LocalCodeView {
  const { digits, user, generation } = locals.load(place);
  const withTime = locals.isBacked(place, latest) ? "with-time" : "no";
  return {
    place,
    lost: false,
    digits,
    // No slot has the generation 0: it is the master's.
    user: generation === 0 ? null : user,
    backed: locals.isBacked(place, undefined) ? "yes" : withTime,
  };
}

/** The lockout as it is at power-on. */
export function lockoutOf({ doorway }: Lock): LockoutView {
  return { wrong: doorway.lockout.count, wait: Math.ceil(doorway.lockout.wait()) };
}
