// People from sheets (rules A1, A2, A5, A15, A17, C2, C7, C10, C19, T4): each row by itself, then what rows say of each other and of
// people who are there already: handles, PINs and cards that stand once in the account, grantors that exist and never form a ring.

import { Capability, Role } from "../wire/entry";
import {
  MAX_CARD_BYTES,
  MAX_PIN_DIGITS,
  MAX_U32,
  MAX_USES,
  MIN_CARD_BYTES,
  MIN_PIN_DIGITS,
} from "../wire/limits";
import { weakness } from "./pins";
import type { Known, PersonRow } from "./rows";
import { HANDLE, HANDLE_WANTED } from "./rows";
import type { ImportError, Row, Sheet } from "./sheet";
import { rowsOf } from "./sheet";
import type { When } from "./when";
import { instantOf, parseWhen, WHEN_WANTED } from "./when";
import type { OffsetOf } from "./zone";

const REQUIRED = ["person", "name", "role", "keys"];
const OPTIONAL = ["pin", "card", "start", "end", "schedule", "uses", "grantor", "capabilities"];

/** The roles that a file may give. */
const ROLES: ReadonlyMap<string, number> = new Map([
  ["admin", Role.admin],
  ["resident", Role.resident],
  ["team", Role.team],
  ["guest", Role.guest],
  ["prospect", Role.prospect],
]);

const CAPABILITIES: ReadonlyMap<string, number> = new Map([
  ["grant", Capability.grant],
  ["reset-code", Capability.resetCode],
  ["reset-lock", Capability.resetLock],
  ["read-log", Capability.readLog],
  ["rename", Capability.rename],
  ["set-mode", Capability.setMode],
  ["first-in", Capability.firstIn],
]);

/** What people are checked against. */
export interface PeopleContext {
  /** The zones of the doors that each key opens. */
  readonly zonesOfKeys: ReadonlyMap<string, ReadonlySet<string>>;
  readonly schedules: ReadonlySet<string>;
  readonly people: Known["people"];
  readonly offsetOf: OffsetOf;
}

const listed = (names: Iterable<string>): string =>
  [...names].sort().join(", ") || "none, since there is none";

export function importPeople(
  sheets: readonly Sheet[],
  context: PeopleContext,
  errors: ImportError[],
): PersonRow[] {
  const rows = sheets.flatMap((sheet) => rowsOf(sheet, REQUIRED, OPTIONAL, errors));
  const people = rows.map((row) => ({ row, person: readPerson(row, context) }));
  checkUnique(rows, context.people);
  checkGrantors(rows, context.people);
  return people.map(({ person }) => person);
}

function readPerson(row: Row, context: PeopleContext): PersonRow {
  const role = ROLES.get(row.cell("role"));
  if (role === undefined) row.fail("role", `one of ${listed(ROLES.keys())}`);
  const schedule = row.cell("schedule");
  if (schedule !== "" && !context.schedules.has(schedule))
    row.fail("schedule", `a schedule: ${listed(context.schedules)}`);
  const keys = readKeys(row, context);
  return {
    person: readHandle(row),
    name: row.cell("name"),
    role: role ?? Role.guest,
    keys,
    pin: readPin(row),
    card: readCard(row),
    ...readTimes(row, role, keys, context),
    schedule,
    uses: readUses(row),
    grantor: row.cell("grantor"),
    capabilities: readCapabilities(row),
  };
}

function readHandle(row: Row): string {
  const handle = row.cell("person");
  if (!HANDLE.test(handle)) row.fail("person", `a handle of ${HANDLE_WANTED}`);
  return handle;
}

function readKeys(row: Row, context: PeopleContext): string[] {
  const keys = row.words("keys");
  const isKnown = keys.every((key) => context.zonesOfKeys.has(key));
  if (!isKnown) row.fail("keys", `keys that a door names: ${listed(context.zonesOfKeys.keys())}`);
  return [...new Set(keys)];
}

function readPin(row: Row): string {
  const pin = row.cell("pin");
  if (pin === "") return pin;
  const isPin = /^[0-9]+$/.test(pin) && pin.length >= MIN_PIN_DIGITS && pin.length <= MAX_PIN_DIGITS;
  if (!isPin) row.fail("pin", `${MIN_PIN_DIGITS} to ${MAX_PIN_DIGITS} digits`);
  const weak = isPin ? weakness(pin) : undefined;
  if (weak !== undefined) row.fail("pin", `a PIN that is harder to guess; in this one ${weak}`);
  return pin;
}

function readCard(row: Row): string {
  const card = row.cell("card").toLowerCase();
  const bytes = card.length / 2;
  if (card !== "" && !(/^([0-9a-f]{2})+$/.test(card) && bytes >= MIN_CARD_BYTES && bytes <= MAX_CARD_BYTES))
    row.fail("card", `a UID of ${MIN_CARD_BYTES} to ${MAX_CARD_BYTES} bytes, two hexadecimal digits each`);
  return card;
}

function readUses(row: Row): number {
  const text = row.cell("uses");
  if (text === "") return 0;
  const uses = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (uses < 1 || uses > MAX_USES)
    row.fail("uses", `a number from 1 to ${MAX_USES}, or nothing for any number`);
  return uses;
}

function readCapabilities(row: Row): number {
  let mask = 0;
  for (const word of row.words("capabilities")) {
    const capability = CAPABILITIES.get(word);
    if (capability === undefined) {
      row.fail("capabilities", `some of ${listed(CAPABILITIES.keys())}`);
      return 0;
    }
    mask |= capability;
  }
  return mask;
}

function readWhen(row: Row, column: string): When | undefined {
  const text = row.cell(column);
  const when = text === "" ? undefined : parseWhen(text);
  if (text !== "" && when === undefined) row.fail(column, WHEN_WANTED);
  return when;
}

function readTimes(
  row: Row,
  role: number | undefined,
  keys: readonly string[],
  context: PeopleContext,
): { start?: When; end?: When } {
  const start = readWhen(row, "start");
  const end = readWhen(row, "end");
  if (role === Role.guest) {
    if (row.cell("start") === "") row.fail("start", "a start, since a guest's access is for a time");
    if (row.cell("end") === "") row.fail("end", "an end, since a guest's access is for a time");
  }
  if (
    start !== undefined &&
    end !== undefined &&
    !isAfter(start, end, zonesOf(keys, context), context.offsetOf)
  )
    row.fail("end", "an end after the start");
  return { start, end };
}

function zonesOf(keys: readonly string[], context: PeopleContext): Set<string> {
  return new Set(keys.flatMap((key) => [...(context.zonesOfKeys.get(key) ?? [])]));
}

/** Whether the end lies after the start at every door that it is about. */
function isAfter(start: When, end: When, zones: ReadonlySet<string>, offsetOf: OffsetOf): boolean {
  if (zones.size === 0) return start.seconds < end.seconds;
  return [...zones].every((zone) => {
    const from = instantOf(start, zone, offsetOf);
    return from > 0 && from < instantOf(end, zone, offsetOf) && instantOf(end, zone, offsetOf) <= MAX_U32;
  });
}

/** Handles, PINs and cards stand once; a person who is there already may come again with the own ones. */
function checkUnique(rows: readonly Row[], people: Known["people"]): void {
  const comes = new Set(rows.map((row) => row.cell("person")));
  for (const column of ["person", "pin", "card"] as const) {
    const taken = new Map<string, string>();
    for (const { row } of people.values())
      if (column !== "person" && !comes.has(row.person)) taken.set(row[column], `${row.person} has it`);
    for (const row of rows) {
      const value = column === "card" ? row.cell(column).toLowerCase() : row.cell(column);
      const where = taken.get(value);
      if (value !== "" && where !== undefined)
        row.fail(column, `a ${column === "pin" ? "PIN" : column} that stands once in the account; ${where}`);
      else taken.set(value, `it stands in ${row.file}, line ${row.line}`);
    }
  }
}

function checkGrantors(rows: readonly Row[], people: Known["people"]): void {
  const grantorOf = new Map<string, string>();
  for (const { row } of people.values()) grantorOf.set(row.person, row.grantor);
  for (const row of rows) grantorOf.set(row.cell("person"), row.cell("grantor"));
  for (const row of rows) {
    const grantor = row.cell("grantor");
    if (grantor === "") continue;
    if (!grantorOf.has(grantor))
      row.fail("grantor", "the handle of a person in these files or in the account");
    else if (people.get(grantor)?.revoked) row.fail("grantor", "a person whose access is not revoked");
    else if (isInRing(row.cell("person"), grantorOf))
      row.fail("grantor", "a person whose own access does not come from this one");
  }
}

/** Whether following grantors from `person` comes back to `person`. */
function isInRing(person: string, grantorOf: ReadonlyMap<string, string>): boolean {
  const passed = new Set<string>();
  let at = grantorOf.get(person) ?? "";
  while (at !== "" && !passed.has(at)) {
    if (at === person) return true;
    passed.add(at);
    at = grantorOf.get(at) ?? "";
  }
  return false;
}
