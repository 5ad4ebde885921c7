// From checked rows to the facts that they make: what is new or differs, with the user ids and the PINs that it needs. Pure but for what
// is random in these.

import { LOCK_ID_BYTES, PUBLIC_KEY_BYTES } from "../wire/limits";
import type { Directory } from "./directory";
import type { Fact, LockRecord } from "./facts";
import { sameValue } from "./facts";
import type { Imported } from "./import";
import type { MadePin } from "./make-pins";
import { makePins } from "./make-pins";
import type { Hosts } from "./ports";
import type { Known } from "./rows";
import type { ImportError, Sheet } from "./sheet";
import { newUserIds } from "./user-ids";

/** What an import did. With errors it did nothing. */
export interface ImportResult {
  readonly errors: readonly ImportError[];
  readonly doors: number;
  readonly schedules: number;
  /** People who are new, and people whose rows differ from what was on record. */
  readonly people: number;
  /** People in the files whose access is revoked, and stays so. */
  readonly revoked: readonly string[];
  /** The PINs that were made for rows that asked for one (rule C18). This is the one time that they are told. */
  readonly generated: readonly MadePin[];
}

/** The facts of an import, none where there are errors. */
export function importChange(
  directory: Directory,
  imported: Imported,
  random: Hosts["random"],
): { facts: Fact[]; result: ImportResult } {
  const { errors } = imported;
  if (errors.length > 0)
    return { facts: [], result: { errors, doors: 0, schedules: 0, people: 0, revoked: [], generated: [] } };
  const doors = imported.doors.filter((row) => !sameValue(directory.doors.get(row.door)?.row, row));
  const schedules = imported.schedules.filter(
    (row) => !sameValue(directory.schedules.get(row.schedule), row),
  );
  const { people: complete, made } = makePins(directory, imported, random);
  const people = complete.filter((row) => !sameValue(directory.people.get(row.person)?.row, row));
  const facts: Fact[] = [
    ...doors.map((row): Fact => ({ t: "door", row })),
    ...schedules.map((row): Fact => ({ t: "schedule", row })),
    ...newUserIds(directory, doors, people, random),
    ...people.map((row): Fact => ({ t: "person", row })),
  ];
  const revoked = imported.people
    .map((row) => row.person)
    .filter((person) => directory.people.get(person)?.revoked);
  const counts = { doors: doors.length, schedules: schedules.length, people: people.length };
  return { facts, result: { errors, ...counts, revoked, generated: made } };
}

/** The cells of one row of people.csv, by column. */
export type Cells = Readonly<Record<string, string>>;

/** Why a row of a person is given, which decides whether the person must be on record. */
export type Purpose = "add" | "change" | "regrant";

const WANTED: Readonly<Record<Purpose, string>> = {
  add: "a handle that nobody has yet",
  change: "the handle of a person whose access is not revoked",
  regrant: "the handle of a person whose access is revoked",
};
/** What errors of a single row name as their file. */
const FILE = "person";

/** A sheet of one row. */
export function sheetOf(cells: Cells): Sheet {
  return { file: FILE, columns: Object.keys(cells), rows: [{ line: 1, cells: Object.values(cells) }] };
}

/** What a row of a person is checked against: somebody who gets access again is as good as new. */
export function knownFor(directory: Directory, purpose: Purpose, person: string): Known {
  if (purpose !== "regrant") return directory;
  const { doors, schedules } = directory;
  const people = new Map(directory.people);
  people.delete(person);
  return { doors, schedules, people };
}

/** The facts of one person's row; or the error, where the person is on record and should not be, or the other way round. */
export function personChange(
  directory: Directory,
  imported: Imported,
  purpose: Purpose,
  random: Hosts["random"],
): Fact[] | ImportError {
  const { person } = imported.people[0];
  const isRevoked = directory.people.get(person)?.revoked;
  const isExpected = purpose === "add" ? isRevoked === undefined : isRevoked === (purpose === "regrant");
  if (!isExpected) return { file: FILE, line: 1, column: "person", value: person, wanted: WANTED[purpose] };
  const [row] = makePins(knownFor(directory, purpose, person), imported, random).people;
  const ids = newUserIds(directory, [], [row], random);
  const regranted: Fact[] = purpose === "regrant" ? [{ t: "regranted", person: row.person }] : [];
  return [...ids, ...regranted, { t: "person", row }];
}

/** Throws RangeError for a lock record with a key that is not of its size. */
export function checkRecord({ lock, publicKey, claim, keys }: LockRecord): void {
  const isClaim = Number.isInteger(claim) && claim > 0 && claim <= 0xffffffff;
  const areKeys = [publicKey, ...Object.values(keys)].every((key) => key.length === PUBLIC_KEY_BYTES);
  if (lock.length !== LOCK_ID_BYTES || !isClaim || !areKeys)
    throw new RangeError("lock record: wanted an id of 8 bytes, keys of 32 bytes, and a claim number from 1");
}
