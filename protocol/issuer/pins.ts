// PINs at the issuer (rules C18, C19): which are refused as weak, what they weigh in the density of a door, and what a density means for
// someone who guesses. A delta carries no digits, so what is not refused here is refused nowhere.

import { ascii } from "../wire/bytes";
import { DENSITY_UNITS, MAX_GUESSES_A_DAY, MAX_GUESSES_AT_ONCE, MAX_PIN_DIGITS } from "../wire/limits";
import { PREFIX_DIGITS, Weakness, weaknessOf } from "../wire/weakness";

const TEXTS: Readonly<Record<number, string>> = {
  [Weakness.same]: "all digits are the same",
  [Weakness.run]: "the digits run up or down",
  [Weakness.few]: "there are fewer than 3 different digits",
  [Weakness.triple]: "a digit stands three times in a row",
  [Weakness.repeated]: "the same digits are repeated",
};

/** Why a PIN is refused as weak, undefined for one that is not. `pin` is digits only. */
export function weakness(pin: string): string | undefined {
  return TEXTS[weaknessOf(ascii(pin))];
}

/** The digits that no two live codes of a door have in common. */
export const prefixOf = (pin: string): string => pin.slice(0, PREFIX_DIGITS);

/** What a PIN of so many digits adds to the density, in units of 10⁻¹⁰. */
export const weightOf = (digits: number): number => 10 ** (MAX_PIN_DIGITS - digits);

/**
 * The chance that somebody who does nothing but guess opens the door within these days, at a density in units of 10⁻¹⁰: 1 − (1 − ρ)^n
 * for the n entries that a lockout lets a lock look at.
 */
export function guessRisk(density: number, days: number): number {
  const chance = Math.min(density / DENSITY_UNITS, 1);
  const guesses = MAX_GUESSES_AT_ONCE + days * MAX_GUESSES_A_DAY;
  return 0 - Math.expm1(guesses * Math.log1p(0 - chance));
}
