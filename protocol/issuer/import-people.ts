// People from sheets (rules A1, A2, A5, A15, A17, C2, C7, C10, C12, C13, C15, C16, C19, T4, X7): each row by itself, then what rows say of each other and of
// people who are there already: handles, PINs and cards that stand once in the account, grantors that exist and never form a ring. That
// the first digits of PINs stand once at a door is the doors' part.

import { isAcceptableKey } from "../crypto/verify";
import { fromHex } from "../wire/bytes";
import { Capability, Role } from "../wire/entry";
import {
  MAX_CARD_BYTES,
  MAX_FIRST_USE_HOURS,
  MAX_MINUTES_AFTER_FIRST_USE,
  MAX_PIN_DIGITS,
  MAX_U32,
  MAX_USES,
  MIN_CARD_BYTES,
  MIN_PIN_DIGITS,
  PUBLIC_KEY_BYTES,
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
const OPTIONAL = [
  ...["pin", "card", "start", "end", "schedule", "uses", "grantor", "capabilities"],
  ...["duress-pin", "first-use-hours", "minutes-after-first-use", "dual", "notify", "lease", "phone-key"],
];

/** Columns with what is typed at a door. */
export const PIN_COLUMNS = ["pin", "duress-pin"] as const;
type PinColumn = (typeof PIN_COLUMNS)[number];

/** What stands once in the account, by the columns that it may stand in. */
const UNIQUE: readonly { readonly what: string; readonly columns: readonly UniqueColumn[] }[] = [
  { what: "person", columns: ["person"] },
  { what: "PIN", columns: PIN_COLUMNS },
  { what: "card", columns: ["card"] },
  { what: "phone key", columns: ["phone-key"] },
];
type UniqueColumn = "person" | "card" | "phone-key" | PinColumn;

/** In place of a PIN: one that the issuer makes, where the person has none that can stay (rule C18). */
const AUTO = "auto";

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

/** A row of a person, and what it says. */
export interface Candidate {
  readonly row: Row;
  person: PersonRow;
  /** Whether the issuer shall see to the PIN. */
  readonly auto: boolean;
}

const listed = (names: Iterable<string>): string =>
  [...names].sort().join(", ") || "none, since there is none";

export function importPeople(
  sheets: readonly Sheet[],
  context: PeopleContext,
  errors: ImportError[],
): Candidate[] {
  const rows = sheets.flatMap((sheet) => rowsOf(sheet, REQUIRED, OPTIONAL, errors));
  const candidates = rows.map((row): Candidate => {
    return { row, person: readPerson(row, context), auto: row.cell("pin") === AUTO };
  });
  checkUnique(candidates, context.people);
  checkGrantors(rows, context.people);
  return candidates;
}

/** The PIN of a column. */
export const pinIn = (person: PersonRow, column: PinColumn): string =>
  column === "pin" ? person.pin : person.duressPin;

/** Takes away the PIN that cannot stay: the issuer makes another one, or the row is at fault. */
export function refusePin(candidate: Candidate, column: PinColumn, wanted: string): void {
  if (column === "pin" && candidate.auto) candidate.person = { ...candidate.person, pin: "" };
  else candidate.row.fail(column, wanted);
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
    pin: readPin(row, context.people),
    duressPin: readDuressPin(row),
    card: readCard(row),
    phoneKey: readPhoneKey(row),
    ...readTimes(row, role, keys, context),
    schedule,
    uses: readCount(row, "uses", MAX_USES, "any number"),
    minutesAfterFirstUse: readCount(row, "minutes-after-first-use", MAX_MINUTES_AFTER_FIRST_USE, "any time"),
    firstUseHours: readCount(row, "first-use-hours", MAX_FIRST_USE_HOURS, "any time"),
    dual: readYes(row, "dual"),
    notify: readYes(row, "notify"),
    lease: readYes(row, "lease"),
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

function readPin(row: Row, people: Known["people"]): string {
  const pin = row.cell("pin");
  if (pin === "") return pin;
  if (pin === AUTO) {
    const own = people.get(row.cell("person"))?.row.pin ?? "";
    return weakness(own) === undefined ? own : "";
  }
  return readDigits(row, "pin", `, or "${AUTO}"`);
}

function readDuressPin(row: Row): string {
  if (row.cell("duress-pin") === "") return "";
  if (row.cell("pin") === "") row.fail("pin", "a PIN, since the one for duress stands beside it");
  return readDigits(row, "duress-pin", "");
}

function readDigits(row: Row, column: PinColumn, or: string): string {
  const pin = row.cell(column);
  const isPin = /^[0-9]+$/.test(pin) && pin.length >= MIN_PIN_DIGITS && pin.length <= MAX_PIN_DIGITS;
  if (!isPin) row.fail(column, `${MIN_PIN_DIGITS} to ${MAX_PIN_DIGITS} digits${or}`);
  const weak = isPin ? weakness(pin) : undefined;
  if (weak !== undefined) row.fail(column, `a PIN that is harder to guess; in this one ${weak}`);
  return pin;
}

function readCard(row: Row): string {
  const card = row.cell("card").toLowerCase();
  const bytes = card.length / 2;
  if (card !== "" && !(/^([0-9a-f]{2})+$/.test(card) && bytes >= MIN_CARD_BYTES && bytes <= MAX_CARD_BYTES))
    row.fail("card", `a UID of ${MIN_CARD_BYTES} to ${MAX_CARD_BYTES} bytes, two hexadecimal digits each`);
  return card;
}

function readPhoneKey(row: Row): string {
  const key = row.cell("phone-key").toLowerCase();
  const isKey = new RegExp(`^[0-9a-f]{${2 * PUBLIC_KEY_BYTES}}$`).test(key) && isAcceptableKey(fromHex(key));
  if (key !== "" && !isKey)
    row.fail("phone-key", "an Ed25519 public key, 64 hexadecimal digits, as the phone shows it");
  return key;
}

function readCount(row: Row, column: string, most: number, unlimited: string): number {
  const text = row.cell(column);
  if (text === "") return 0;
  const count = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > most) row.fail(column, `a number from 1 to ${most}, or nothing for ${unlimited}`);
  return count;
}

function readYes(row: Row, column: string): boolean {
  const text = row.cell(column);
  if (!["yes", "no", ""].includes(text)) row.fail(column, "yes or no, or nothing for no");
  return text === "yes";
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
  } else if (row.cell("first-use-hours") !== "" && row.cell("start") === "")
    row.fail("start", "a start, since the hours for a first use count from it");
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
function checkUnique(candidates: readonly Candidate[], people: Known["people"]): void {
  const comes = new Set(candidates.map(({ person }) => person.person));
  const stay = [...people.values()].filter(({ row }) => !comes.has(row.person));
  for (const { what, columns } of UNIQUE) {
    const taken = new Map<string, string>();
    for (const { row } of stay)
      for (const column of columns) taken.set(valueIn(row, column), `${row.person} has it`);
    for (const candidate of candidates)
      for (const column of columns) {
        const { row, person } = candidate;
        const value = valueIn(person, column);
        const where = value === "" ? undefined : taken.get(value);
        const wanted = `a ${what} that stands once in the account; ${where}`;
        if (where === undefined) taken.set(value, `it stands in ${row.file}, line ${row.line}`);
        else if (column === "pin" || column === "duress-pin") refusePin(candidate, column, wanted);
        else row.fail(column, wanted);
      }
  }
}

function valueIn(person: PersonRow, column: UniqueColumn): string {
  if (column === "phone-key") return person.phoneKey;
  return column === "person" || column === "card" ? person[column] : pinIn(person, column);
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
