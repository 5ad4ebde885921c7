// The live codes of each door, its master among them (rules A21, C18, C19): no two have their first digits in common, so that a slip at one
// code is never another one. Errors name doors, never the other person.

import { opens } from "./directory";
import type { Candidate } from "./import-people";
import { PIN_COLUMNS, pinIn, refusePin } from "./import-people";
import { prefixOf, weightOf } from "./pins";
import type { DoorRow, Known, PersonRow } from "./rows";
import { pinsOf } from "./rows";
import type { Row } from "./sheet";

/** A row of a door, and what it says. */
export interface NewDoor {
  readonly row: Row;
  readonly door: DoorRow;
}

/** The codes of one door. */
export class DoorCodes {
  readonly row: DoorRow;
  readonly hasMaster: boolean;
  count = 0;
  /** Their density, in units of 10⁻¹⁰. */
  density = 0;
  readonly #prefixes = new Set<string>();

  constructor(row: DoorRow, hasMaster: boolean) {
    this.row = row;
    this.hasMaster = hasMaster;
  }

  /** Counts a code; false, with nothing counted, where another one begins so. */
  add(pin: string): boolean {
    if (this.begins(pin)) return false;
    this.#prefixes.add(prefixOf(pin));
    this.count++;
    this.density += weightOf(pin.length);
    return true;
  }

  /** Whether a code of the door begins with the first digits of this one. */
  begins(pin: string): boolean {
    return this.#prefixes.has(prefixOf(pin));
  }
}

/** What is wanted of a code that begins as another one at a door. */
export const prefixWanted = (door: string): string =>
  `a PIN whose first four digits begin no other code at the door ${door}`;

/**
 * The codes at the doors that an import concerns, as it leaves them, but for those of the people in it. `clashes` is called for each door
 * with people on record whose codes cannot stand beside each other.
 */
export function codesOnRecord(
  known: Known,
  newDoors: readonly DoorRow[],
  people: readonly PersonRow[],
  clashes: (door: DoorRow) => void = () => {},
): DoorCodes[] {
  const rows = new Map(Array.from(known.doors.values(), ({ row }) => [row.door, row]));
  for (const row of newDoors) rows.set(row.door, row);
  const keys = new Set(people.flatMap((row) => row.keys));
  const concerned = [...rows.values()].filter(
    (row) => newDoors.includes(row) || row.keys.some((key) => keys.has(key)),
  );
  const comes = new Set(people.map(({ person }) => person));
  const stay = [...known.people.values()].filter(({ row, revoked }) => !revoked && !comes.has(row.person));
  return concerned.map((row) => {
    const master = known.doors.get(row.door)?.master ?? "";
    const codes = new DoorCodes(row, master !== "");
    const pins = stay.filter((person) => opens(person.row, row)).flatMap((person) => pinsOf(person.row));
    const all = master === "" ? pins : [master, ...pins];
    if (all.filter((pin) => !codes.add(pin)).length > 0) clashes(row);
    return codes;
  });
}

/** The PINs of rows that come must fit into every door that they open, and those on record into a door whose keys change. */
export function checkPrefixes(
  known: Known,
  doors: readonly NewDoor[],
  candidates: readonly Candidate[],
): void {
  const newRows = doors.map(({ door }) => door);
  const people = candidates.map(({ person }) => person);
  const all = codesOnRecord(known, newRows, people, (clashing) => {
    const keys = known.doors.get(clashing.door)?.row.keys ?? [];
    const changed = doors.find(({ door }) => door === clashing && String(door.keys) !== String(keys));
    changed?.row.fail("keys", "keys of people whose PINs do not begin with the same four digits");
  });
  for (const candidate of candidates) {
    const { row, person } = candidate;
    if (!row.ok || known.people.get(person.person)?.revoked) continue;
    const concerned = all.filter((codes) => opens(person, codes.row));
    for (const column of PIN_COLUMNS) {
      const pin = pinIn(person, column);
      const clash = pin === "" ? undefined : concerned.find((codes) => codes.begins(pin));
      if (clash !== undefined) refusePin(candidate, column, prefixWanted(clash.row.door));
      else if (pin !== "") for (const codes of concerned) codes.add(pin);
    }
  }
}
