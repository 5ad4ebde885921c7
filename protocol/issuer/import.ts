// From sheets to typed rows (rules A1, A2, A5, A51, C19, T1, T2, T4, T8): doors, schedules and people are checked together, since people
// name keys and schedules. All faults of all files are collected; where there is one, nothing may be imported.

import type { NewDoor } from "./door-codes";
import { checkPrefixes } from "./door-codes";
import { importPeople } from "./import-people";
import { importSchedules } from "./import-schedules";
import type { DoorRow, Known, PersonRow, ScheduleRow } from "./rows";
import { HANDLE, HANDLE_WANTED, isName, LINKS, LOCK_PROFILES, NAME_WANTED } from "./rows";
import type { ImportError, Row, Sheet } from "./sheet";
import { rowsOf } from "./sheet";
import type { OffsetOf } from "./zone";
import { zoneSetting } from "./zone";

/** The files of one import; any may be left out. */
export interface Sheets {
  readonly doors?: Sheet;
  readonly schedules?: Sheet;
  /** One account, so a handle, a PIN or a card stands once in all of them. */
  readonly people?: readonly Sheet[];
}

/** What an import yields. Rows are to be used only where there are no errors. */
export interface Imported {
  readonly doors: readonly DoorRow[];
  readonly schedules: readonly ScheduleRow[];
  readonly people: readonly PersonRow[];
  /** Handles of those whose rows want a PIN that the issuer makes; their rows have none. */
  readonly wantPin: ReadonlySet<string>;
  readonly errors: readonly ImportError[];
}

/** For so many years ahead a lock is told what its clock does: longer than it goes without a visit. */
const ZONE_YEARS = 10;

/** `year` is this year; `offsetOf` throws for a zone that it does not know. */
export function importSheets(sheets: Sheets, known: Known, offsetOf: OffsetOf, year: number): Imported {
  const errors: ImportError[] = [];
  const newDoors = sheets.doors === undefined ? [] : importDoors(sheets.doors, offsetOf, year, errors);
  const doors = newDoors.map(({ door }) => door);
  const schedules =
    sheets.schedules === undefined ? [] : importSchedules(sheets.schedules, known.schedules.keys(), errors);
  const context = {
    zonesOfKeys: zonesOfKeys(known, doors),
    schedules: new Set([...known.schedules.keys(), ...schedules.map(({ schedule }) => schedule)]),
    people: known.people,
    offsetOf,
  };
  const candidates = importPeople(sheets.people ?? [], context, errors);
  checkPrefixes(known, newDoors, candidates);
  const people = candidates.map(({ person }) => person);
  const wantPin = candidates.filter(({ person, auto }) => auto && person.pin === "");
  return {
    doors,
    schedules,
    people,
    wantPin: new Set(wantPin.map(({ person }) => person.person)),
    errors: inOrder(errors),
  };
}

/** By file, in the order in which files first show a fault, and then by line. */
function inOrder(errors: readonly ImportError[]): ImportError[] {
  const files = [...new Set(errors.map(({ file }) => file))];
  const place = ({ file }: ImportError) => files.indexOf(file);
  return [...errors].sort((a, b) => place(a) - place(b) || a.line - b.line);
}

/** The zones of the doors that each key opens, after the import. */
function zonesOfKeys(known: Known, imported: readonly DoorRow[]): Map<string, Set<string>> {
  const doors = new Map([...known.doors.values()].map(({ row }) => [row.door, row]));
  for (const row of imported) doors.set(row.door, row);
  const zones = new Map<string, Set<string>>();
  for (const { keys, zone } of doors.values())
    for (const key of keys) zones.set(key, (zones.get(key) ?? new Set()).add(zone));
  return zones;
}

function importDoors(sheet: Sheet, offsetOf: OffsetOf, year: number, errors: ImportError[]): NewDoor[] {
  const seen = new Map<string, number>();
  const values = new Map<string, Uint8Array | undefined>();
  const doors: NewDoor[] = [];
  for (const row of rowsOf(sheet, ["door", "profile", "link", "zone", "keys"], [], errors)) {
    const door = row.cell("door");
    if (!isName(door)) row.fail("door", NAME_WANTED);
    else if (seen.has(door)) row.fail("door", `a door that does not stand in line ${seen.get(door)} already`);
    else seen.set(door, row.line);
    const profile = LOCK_PROFILES.find((name) => name === row.cell("profile"));
    if (profile === undefined) row.fail("profile", LOCK_PROFILES.join(" or "));
    const link = LINKS.find((name) => name === row.cell("link"));
    if (link === undefined) row.fail("link", LINKS.join(" or "));
    const zone = row.cell("zone");
    if (!values.has(zone)) values.set(zone, zoneValue(zone, offsetOf, year));
    const value = values.get(zone);
    if (value === undefined) row.fail("zone", "the IANA name of a zone, such as Europe/Berlin");
    const keys = keyWords(row);
    if (row.ok && profile !== undefined && link !== undefined && value !== undefined)
      doors.push({ row, door: { door, profile, link, zone, zoneValue: value, keys } });
  }
  return doors;
}

function keyWords(row: Row): string[] {
  const keys = row.words("keys");
  if (!keys.every((key) => HANDLE.test(key))) row.fail("keys", `names of keys, each of ${HANDLE_WANTED}`);
  return [...new Set(keys)];
}

/** What a lock is told of a zone; undefined for an unknown one, and for one whose clock a lock cannot follow. */
function zoneValue(zone: string, offsetOf: OffsetOf, year: number): Uint8Array | undefined {
  try {
    return zoneSetting(zone, offsetOf, year, year + ZONE_YEARS);
  } catch {
    return undefined;
  }
}
