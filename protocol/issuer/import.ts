// From sheets to typed rows (rules A1, A2, A5, A51, C19, T1, T2, T4): doors, schedules and people are checked together, since people
// name keys and schedules. All faults of all files are collected; where there is one, nothing may be imported.

import { MAX_SETTING_BYTES } from "../wire/limits";
import { importPeople } from "./import-people";
import { importSchedules } from "./import-schedules";
import type { DoorRow, Known, PersonRow, ScheduleRow } from "./rows";
import { HANDLE, HANDLE_WANTED, isName, LINKS, LOCK_PROFILES, NAME_WANTED } from "./rows";
import type { ImportError, Row, Sheet } from "./sheet";
import { rowsOf } from "./sheet";
import type { OffsetOf } from "./zone";
import { posixZone } from "./zone";

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
  readonly errors: readonly ImportError[];
}

/** For so many years ahead a zone must follow one rule: longer than a lock goes without a visit. */
const ZONE_YEARS = 10;

/** `year` is this year; `offsetOf` throws for a zone that it does not know. */
export function importSheets(sheets: Sheets, known: Known, offsetOf: OffsetOf, year: number): Imported {
  const errors: ImportError[] = [];
  const doors = sheets.doors === undefined ? [] : importDoors(sheets.doors, offsetOf, year, errors);
  const schedules =
    sheets.schedules === undefined ? [] : importSchedules(sheets.schedules, known.schedules.keys(), errors);
  const context = {
    zonesOfKeys: zonesOfKeys(known, doors),
    schedules: new Set([...known.schedules.keys(), ...schedules.map(({ schedule }) => schedule)]),
    people: known.people,
    offsetOf,
  };
  const people = importPeople(sheets.people ?? [], context, errors);
  return { doors, schedules, people, errors: inOrder(errors) };
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

function importDoors(sheet: Sheet, offsetOf: OffsetOf, year: number, errors: ImportError[]): DoorRow[] {
  const seen = new Map<string, number>();
  const texts = new Map<string, string | undefined>();
  const doors: DoorRow[] = [];
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
    if (!texts.has(zone)) texts.set(zone, zoneText(zone, offsetOf, year));
    const text = texts.get(zone);
    if (text === undefined)
      row.fail("zone", "the IANA name of a zone with yearly rules, such as Europe/Berlin");
    const keys = keyWords(row);
    if (row.ok && profile !== undefined && link !== undefined && text !== undefined)
      doors.push({ door, profile, link, zone, zoneText: text, keys });
  }
  return doors;
}

function keyWords(row: Row): string[] {
  const keys = row.words("keys");
  if (!keys.every((key) => HANDLE.test(key))) row.fail("keys", `names of keys, each of ${HANDLE_WANTED}`);
  return [...new Set(keys)];
}

/** What a lock is told of a zone; undefined for an unknown one, and for one that no POSIX TZ text describes. */
function zoneText(zone: string, offsetOf: OffsetOf, year: number): string | undefined {
  try {
    const text = posixZone(zone, offsetOf, year, year + ZONE_YEARS);
    return text !== undefined && text.length <= MAX_SETTING_BYTES ? text : undefined;
  } catch {
    return undefined;
  }
}
