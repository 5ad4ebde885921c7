// PINs that the issuer makes (rules C18, C19): as short as the doors allow, unbiased, never weak, each once in the account, and with
// first digits that no other code at any of its doors has.

import { ascii } from "../wire/bytes";
import { MAX_PIN_DIGITS, MIN_PIN_DIGITS } from "../wire/limits";
import { Weakness, weaknessOf } from "../wire/weakness";
import { opens } from "./directory";
import type { DoorCodes } from "./door-codes";
import { codesOnRecord } from "./door-codes";
import type { Imported } from "./import";
import { weightOf } from "./pins";
import type { Hosts } from "./ports";
import type { Known, LockProfile, PersonRow } from "./rows";
import { pinsOf } from "./rows";

/** The density up to which 30 days of guessing succeed with less than 1 %, in units of 10⁻¹⁰: one guess in 100,000 opens. */
export const GOOD_DENSITY = 100_000;
/** The bytes of a random number below this are spread evenly over the ten digits. */
const FAIR_BYTES = 250;
/** Of 10,000 beginnings a full door leaves nine in ten; so many draws fail only where there is no chance, or no randomness. */
const MAX_DRAWS = 10_000;
/** Bytes for the digits of a PIN: ten would nearly always do. */
const MAX_BYTES = 100;
/** The digits of somebody who opens no door yet: as for the first code of a door. */
const LEAST_DIGITS = 6;
/**
 * How a door is expected to fill up where its PINs are made one at a time, by its model: up to so many codes, each of so many digits. All
 * of them together stay within {@link GOOD_DENSITY}, and the last number is that of the model's slots.
 */
const GROWTH: Readonly<Record<LockProfile, readonly (readonly [number, number])[]>> = {
  "lock-1000": [
    [5, 6],
    [25, 7],
    [200, 8],
    [1000, 9],
  ],
  l500i: [[10, 6]],
};

/** A PIN that was made: told once, to be handed to the person. */
export interface MadePin {
  readonly person: string;
  readonly pin: string;
}

/** A door with the codes that stay, how many are to be made for it, and how long those must be. */
interface Place {
  readonly codes: DoorCodes;
  wanted: number;
  digits: number;
}

/** The digits of a door's code with this number, as it is expected to fill up. */
const usualDigits = (profile: LockProfile, number: number): number =>
  GROWTH[profile].find(([upTo]) => number <= upTo)?.[1] ?? MAX_PIN_DIGITS;

/** How many codes a door may have: one in each slot, and its master. */
const mostCodes = ({ row, hasMaster }: DoorCodes): number =>
  (GROWTH[row.profile].at(-1)?.[0] ?? 0) + (hasMaster ? 1 : 0);

/** What the codes add to the density that are expected at a door that has so many. */
function growthFrom(codes: DoorCodes, count: number): number {
  let density = 0;
  for (let number = count + 1; number <= mostCodes(codes); number++)
    density += weightOf(usualDigits(codes.row.profile, number));
  return density;
}

/**
 * The fewest digits with which the codes to be made at a door keep its density at or below {@link GOOD_DENSITY}, and leave room for all
 * that are expected after them. Where those that are there leave no such room, as usual for their number, and longer until there is room
 * for one of ten digits in each place that is left: that is never lost again, whatever is made or taken away, so the density stays
 * within its bound at every door of codes that were made. Where others have broken it already, one digit more than the bound would
 * take if all codes were made, so that those made hardly count.
 */
function lengthAt({ codes, wanted }: Place): number {
  const count = codes.count + wanted;
  const fits = (digits: number, toCome: number) =>
    codes.density + wanted * weightOf(digits) + toCome <= GOOD_DENSITY;
  const growth = growthFrom(codes, count);
  for (let digits = MIN_PIN_DIGITS; digits <= MAX_PIN_DIGITS; digits++)
    if (fits(digits, growth)) return digits;
  const places = Math.max(0, mostCodes(codes) - count) * weightOf(MAX_PIN_DIGITS);
  for (let digits = usualDigits(codes.row.profile, count); digits <= MAX_PIN_DIGITS; digits++)
    if (fits(digits, places)) return digits;
  let digits = MIN_PIN_DIGITS;
  while (digits < MAX_PIN_DIGITS && (codes.count + wanted) * weightOf(digits) > GOOD_DENSITY) digits++;
  return Math.min(digits + 1, MAX_PIN_DIGITS);
}

/** One digit after the other, each as likely as the others. */
function drawPin(digits: number, random: Hosts["random"]): string {
  const byte = new Uint8Array(1);
  let pin = "";
  for (let bytes = 0; pin.length < digits && bytes < MAX_BYTES; bytes++) {
    random(byte);
    if (byte[0] < FAIR_BYTES) pin += byte[0] % 10;
  }
  return pin;
}

/** A PIN for these places. Throws RangeError where none can be found. */
function makePin(
  person: string,
  places: readonly Place[],
  taken: ReadonlySet<string>,
  random: Hosts["random"],
): string {
  const digits = Math.max(LEAST_DIGITS, ...places.map((place) => place.digits));
  for (let draws = 0; draws < MAX_DRAWS; draws++) {
    const pin = drawPin(digits, random);
    const isFree = !taken.has(pin) && !places.some(({ codes }) => codes.begins(pin));
    if (pin.length === digits && isFree && weaknessOf(ascii(pin)) === Weakness.none) return pin;
  }
  throw new RangeError(`PIN of ${person}: none was found that begins as no other one at the same doors`);
}

/**
 * The people of an import without errors, each with a PIN who shall have one made, and what was made. Nothing is made for somebody whose
 * access is revoked.
 */
export function makePins(
  known: Known,
  { doors, people, wantPin }: Imported,
  random: Hosts["random"],
): { people: PersonRow[]; made: MadePin[] } {
  if (wantPin.size === 0) return { people: [...people], made: [] };
  const isLive = ({ person }: PersonRow) => !known.people.get(person)?.revoked;
  const wants = (row: PersonRow) => wantPin.has(row.person) && isLive(row);
  const places = codesOnRecord(known, doors, people).map((codes): Place => ({ codes, wanted: 0, digits: 0 }));
  const placesOf = (row: PersonRow) => places.filter(({ codes }) => opens(row, codes.row));
  const taken = new Set([...people, ...Array.from(known.people.values(), ({ row }) => row)].flatMap(pinsOf));
  for (const row of people.filter(isLive))
    for (const place of placesOf(row)) {
      if (wants(row)) place.wanted++;
      for (const pin of pinsOf(row)) place.codes.add(pin);
    }
  for (const place of places) place.digits = lengthAt(place);
  const made: MadePin[] = [];
  const complete = people.map((row) => {
    if (!wants(row)) return row;
    const own = placesOf(row);
    const pin = makePin(row.person, own, taken, random);
    taken.add(pin);
    made.push({ person: row.person, pin });
    for (const { codes } of own) codes.add(pin);
    return { ...row, pin };
  });
  return { people: complete, made };
}
