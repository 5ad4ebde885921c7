// A day at the doors as a file: who does what at which door and when, and a second file with what must not succeed. Both are
// checked as a whole before anything starts; every fault says where it stands and what was wanted.

import type { ImportError, Sheet } from "../../protocol/issuer/sheet";
import { rowsOf } from "../../protocol/issuer/sheet";
import { parseWhen, WHEN_WANTED, type When } from "../../protocol/issuer/when";
import { CODES, CodeClass, codeClass, REASONS } from "../../protocol/wire/codes";
import { MODE_NAMES } from "../../protocol/wire/settings";

/** What can happen in a day. */
export const ACTIONS = [
  "pin",
  "card",
  "sync",
  "visit",
  "off-air",
  "on-air",
  "power-cut",
  "revoke",
  "delete",
  "mode",
  "holiday",
  "master",
] as const;
export type Action = (typeof ACTIONS)[number];

/** One line of the day. */
export interface Step {
  readonly id: string;
  readonly when: When;
  /** Empty where it is about no door, or about all. */
  readonly door: string;
  /** A handle, or empty for a stranger. */
  readonly who: string;
  readonly action: Action;
  /** Digits, a UID in hexadecimal, a mode, the date of a holiday. */
  readonly value: string;
}

/** One line of what must fail. */
export interface Expectation {
  readonly file: string;
  readonly line: number;
  readonly kind: "credential" | "attempt" | "door";
  /** A handle, the id of a step, or a door. */
  readonly subject: string;
  readonly door: string;
  /** The name of a code or reason, or "unconfirmed". */
  readonly outcome: string;
}

/** Actions that are about no one door; all others are. */
const ANYWHERE: readonly Action[] = ["sync", "revoke", "delete"];
const OF_SOMEONE: readonly Action[] = ["revoke", "delete"];
const DATE_CHARACTERS = "YYYY-MM-DD".length;

/** What is wanted of the value of a step; undefined where it is good. */
function valueWanted(action: Action, value: string): string | undefined {
  switch (action) {
    case "pin":
      return /^\d{1,16}$/.test(value) ? undefined : "the digits that are typed";
    case "card":
      return /^([0-9a-fA-F]{2})+$/.test(value) ? undefined : "a UID in hexadecimal";
    case "mode":
      return MODE_NAMES.includes(value) ? undefined : `one of ${MODE_NAMES.join(", ")}`;
    case "holiday": {
      const isDate = value.length === DATE_CHARACTERS && parseWhen(value) !== undefined;
      return value === "" || isDate ? undefined : "a date YYYY-MM-DD, or nothing for no holiday";
    }
    case "master":
      return /^(\d{4,10})?$/.test(value) ? undefined : "4 to 10 digits, or nothing for no master";
    default:
      return undefined;
  }
}

/** What a step may name. */
export interface Names {
  readonly doors: ReadonlySet<string>;
  readonly people: ReadonlySet<string>;
}

/** The steps of a day in the order of the file, which must be the order of time. */
export function readDay(sheet: Sheet, names: Names, errors: ImportError[]): Step[] {
  const steps: Step[] = [];
  const ids = new Map<string, number>();
  let last = 0;
  for (const row of rowsOf(sheet, ["id", "time", "door", "who", "action", "value"], [], errors)) {
    const id = row.cell("id");
    if (id === "") row.fail("id", "a name for this line");
    else if (ids.has(id)) row.fail("id", `an id that does not stand in line ${ids.get(id)} already`);
    ids.set(id, row.line);
    const when = parseWhen(row.cell("time"));
    if (when === undefined) row.fail("time", WHEN_WANTED);
    else if (when.seconds < last) row.fail("time", "a time not before the line above");
    else last = when.seconds;
    const action = ACTIONS.find((name) => name === row.cell("action"));
    if (action === undefined) {
      row.fail("action", `one of ${ACTIONS.join(", ")}`);
      continue;
    }
    const door = row.cell("door");
    const isAnywhere = ANYWHERE.includes(action);
    if (isAnywhere ? door !== "" : !names.doors.has(door))
      row.fail("door", isAnywhere ? "nothing: this is about no one door" : "the name of a door");
    const who = row.cell("who");
    if (OF_SOMEONE.includes(action) ? !names.people.has(who) : who !== "" && !names.people.has(who))
      row.fail("who", "the handle of a person");
    const value = row.cell("value");
    const wanted = valueWanted(action, value);
    if (wanted !== undefined) row.fail("value", wanted);
    if (row.ok && when !== undefined) steps.push({ id, when, door, who, action, value });
  }
  return steps;
}

const refusals = (): string[] =>
  CODES.filter(({ value }) => codeClass(value) === CodeClass.refused).map(({ name }) => name);
const denials = (): string[] => REASONS.filter(({ value }) => value !== 0).map(({ name }) => name);

/** What must fail, and how; nothing else may. */
export function readExpected(
  sheet: Sheet,
  names: Names,
  steps: readonly Step[],
  errors: ImportError[],
): Expectation[] {
  const attempts = new Set(
    steps.filter(({ action }) => action === "pin" || action === "card").map(({ id }) => id),
  );
  const expectations: Expectation[] = [];
  for (const row of rowsOf(sheet, ["kind", "subject", "door", "outcome"], [], errors)) {
    const [kind, subject, door, outcome] = ["kind", "subject", "door", "outcome"].map((name) =>
      row.cell(name),
    );
    if (kind === "credential") {
      if (!names.people.has(subject)) row.fail("subject", "the handle of a person");
      if (!names.doors.has(door)) row.fail("door", "the name of a door");
      if (!refusals().includes(outcome)) row.fail("outcome", `one of ${refusals().join(", ")}`);
    } else if (kind === "attempt") {
      if (!attempts.has(subject)) row.fail("subject", "the id of a line of the day with pin or card");
      if (door !== "") row.fail("door", "nothing: the line of the day names the door");
      if (!denials().includes(outcome)) row.fail("outcome", `one of ${denials().join(", ")}`);
    } else if (kind === "door") {
      if (!names.doors.has(subject)) row.fail("subject", "the name of a door");
      if (outcome !== "unconfirmed") row.fail("outcome", "unconfirmed");
    } else row.fail("kind", "credential, attempt or door");
    if (row.ok) {
      const { file, line } = row;
      expectations.push({ file, line, kind: kind as Expectation["kind"], subject, door, outcome });
    }
  }
  return expectations;
}
