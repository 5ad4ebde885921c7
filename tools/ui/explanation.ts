// A lock's answer to whether a credential would open its door (rule T17), in words and as JSON: by which rule, whose it is, and what comes
// next. Nothing is decided here.

import type { Instant } from "../../firmware/core/clock";
import type { Lock, Why } from "../../firmware/core/lock";
import { PAIR_S } from "../../firmware/core/pair";
import { State } from "../../firmware/core/storage/places";
import { toHex } from "../../protocol/wire/bytes";
import { Reason, type Row, reasonRow } from "../../protocol/wire/codes";
import { ROLE_NAMES, Role } from "../../protocol/wire/entry";
import { MAX_LOCAL_CODES } from "../../protocol/wire/limits";
import { Trust } from "../../protocol/wire/receipt";
import { MODE_NAMES, Setting } from "../../protocol/wire/settings";
import {
  type HolidayView,
  holidaysInForce,
  holidaysOf,
  type LostHoliday,
  lostNumbers,
} from "../inspection/holidays";
import { windowsOf } from "../inspection/inspection";
import { type LocalCodeView, localCodeView } from "../inspection/keypad";
import type { OfflineAnswer } from "../inspection/offline";
import { type DamagedSlot, type SlotView, slotView } from "../inspection/slots";
import { termsOf } from "./inspection";
import { rangesText, wrapped } from "./numbers";
import { holidayDeed, LOST_DEED } from "./settings";
import { FIELD_COLUMNS, fields } from "./table";
import type { Terminal } from "./terminal";
import { bothClocks, isoText, localIsoText } from "./time";
import { count } from "./words";

/** The lock's answer, with all that an explanation names. */
export interface Answer {
  readonly lock: Lock;
  readonly now: number;
  readonly clock: Instant;
  readonly reason: Row;
  /** Who holds the credential: a slot, a code programmed at the keypad, an offline code, the master or nobody. */
  readonly holder: Why["holder"];
  readonly slot: SlotView | DamagedSlot | undefined;
  readonly code: LocalCodeView | undefined;
  /** Also one that nobody holds because it is denied. */
  readonly offline: OfflineAnswer | undefined;
  /** Those that are in force, as far as they concern whoever holds it. */
  readonly holidays: readonly (HolidayView | LostHoliday)[];
  /** Of the slot's schedule; empty where it names none. */
  readonly windows: readonly string[];
  /** UTC seconds, 0 where no change is in sight. */
  readonly next: number;
  readonly nextReason: Row;
}

/** The answer of a lock, with what it names looked up in its table. */
export function answerOf(
  lock: Lock,
  now: number,
  clock: Instant,
  why: Why,
  offline: OfflineAnswer | undefined,
): Answer {
  const { table } = lock.parts;
  const { holder } = why;
  const slot = holder === "slot" ? slotView(table, why.slot) : undefined;
  const latest = now + clock.bound;
  const code = holder === "local" ? localCodeView(lock.parts, why.slot, latest) : undefined;
  const schedule = slot === undefined || slot.damaged ? null : slot.schedule;
  return {
    lock,
    now,
    clock,
    reason: rowOf(why.reason),
    holder,
    slot,
    code,
    offline,
    holidays: holidaysInForce(lock.parts, roleOf({ slot, code, offline }), clock),
    windows: schedule !== null && table.loadSchedule(schedule) ? windowsOf(table) : [],
    next: why.next,
    nextReason: rowOf(why.nextReason),
  };
}

/** The role that is asked about, undefined where nobody is, and for the master. */
function roleOf({ slot, code, offline }: Pick<Answer, "slot" | "code" | "offline">): number | undefined {
  if (code !== undefined) return Role.team;
  if (offline !== undefined && !offline.denied) return Role.guest;
  return slot === undefined || slot.damaged ? undefined : ROLE_NAMES.indexOf(slot.role);
}

function rowOf(reason: number): Row {
  const row = reasonRow(reason);
  if (row === undefined) throw new RangeError(`reason ${reason}: not in the table`);
  return row;
}

/** The answer as plain JSON. */
export function explanationJson(answer: Answer): object {
  const { lock, now, clock, reason, holder, slot, code, offline, holidays, windows, next, nextReason } =
    answer;
  const at = (utcSeconds: number) => ({
    seconds: utcSeconds,
    utc: isoText(utcSeconds),
    local: localIsoText(lock.parts.policy.zone, utcSeconds),
  });
  return {
    lock: toHex(lock.parts.board.identity.lock),
    at: at(now),
    clock: { known: clock.trust !== Trust.unknown, bound: clock.bound },
    granted: reason.value === Reason.granted,
    reason,
    holder,
    slot: slot ?? null,
    code: code ?? null,
    offline: offline ?? null,
    windows,
    holidays,
    next: next === 0 ? null : { at: at(next), reason: nextReason },
  };
}

/** The answer for people. */
export function explanationText(answer: Answer, { colours }: Pick<Terminal, "colours">): string {
  const { lock, now, clock, reason, next, nextReason } = answer;
  const { zone, clockBound } = lock.parts.policy;
  const isGranted = reason.value === Reason.granted;
  const title = isGranted ? colours.green("Granted") : colours.red("Refused");
  const isKnown = clock.trust !== Trust.unknown;
  const rows: [string, string][] = [
    ["at", bothClocks(zone, now)],
    [
      "clock",
      isKnown ? `set, at most ${clock.bound} s off` : `unknown: its error bound is above ${clockBound} s`,
    ],
    ["rule", `${reason.name}: ${reason.text}`],
    ["advice", reason.advice],
    ...credentialRows(answer),
  ];
  if (next === 0) rows.push(["changes", "not by itself, as far as can be seen"]);
  else rows.push(["changes", bothClocks(zone, next)], ["then", `${nextReason.name}: ${nextReason.text}`]);
  return `${colours.bold(title)}\n\n${fields(rows, colours)}`;
}

function credentialRows(answer: Answer): [string, string][] {
  const { lock, holder, slot, code, offline, reason } = answer;
  if (holder === "master")
    return [
      ["credential", "the master"],
      ["terms", "the master opens whatever the mode and the hours are"],
    ];
  if (code !== undefined) return [...codeRows(code, answer), ...dayRows(answer)];
  if (offline !== undefined) return [...offlineRows(offline), ...(offline.denied ? [] : dayRows(answer))];
  if (slot === undefined) return [["credential", whyNobody(lock)]];
  if (slot.damaged) return [["credential", `slot ${slot.slot}, damaged`]];
  const rows: [string, string][] = [
    ["credential", `${slot.kind} in slot ${slot.slot}, generation ${slot.generation}`],
    ["user", `${slot.user}, ${slot.role}`],
    ["terms", termsOf(slot, lock.parts.policy.zone).join("\n")],
  ];
  if (reason.value === Reason.needsSecond)
    rows.push(["second", `needs a second person within ${PAIR_S} s, not user ${slot.user} again`]);
  if (slot.schedule !== null)
    rows.push([`schedule ${slot.schedule}`, answer.windows.join("\n") || "not readable"]);
  return [...rows, ...dayRows(answer)];
}

function offlineRows({ kind, index, date, denied }: OfflineAnswer): [string, string][] {
  const rows: [string, string][] = [["credential", `offline code: ${kind} ${index} of ${date}`]];
  if (denied) rows.push(["denied", "by the issuer, to the end of its window"]);
  return rows;
}

/** Of a code that was programmed at the keypad: who made it, and whether it stands. */
function codeRows(
  { place, digits, user, backed }: LocalCodeView,
  { lock, clock }: Answer,
): [string, string][] {
  const { parts } = lock;
  const needsTime = backed === "with-time" && clock.trust === Trust.unknown;
  let made = user === null ? "the master" : `user ${user}`;
  if (backed === "no") made += ", who may not program any more: it fell with that";
  if (needsTime) made += ", whose access ends: nobody knows whether it did";
  const rows: [string, string][] = [
    ["credential", `code of ${digits} digits programmed at the keypad, in place ${place}`],
    ["made by", made],
  ];
  if (!parts.policy.localCodes) rows.push(["local codes", "forbidden by the lock's setting"]);
  return rows;
}

/** The holidays that are in force, and the mode. */
function dayRows(answer: Answer): [string, string][] {
  const { lock, clock, holidays } = answer;
  const { policy } = lock.parts;
  const role = roleOf(answer);
  const rows = holidays.flatMap((holiday): [string, string][] => {
    if (holiday.lost) return [];
    const { number, first, last } = holiday;
    const until = first === last ? first : `${first} until ${last}, included`;
    return [[`holiday ${number}`, `${until}\n${holidayDeed(holiday)}`]];
  });
  const lost = lostNumbers(holidays);
  const lostText = `${rangesText(lost)} lost: ${LOST_DEED}`.split(" ");
  if (lost.length > 0) rows.push(["holidays", wrapped(lostText, FIELD_COLUMNS, " ").join("\n")]);
  const isUnknown = clock.trust === Trust.unknown;
  if (isUnknown && role !== undefined && policy.holidays.concern(role, policy.mode))
    rows.push([
      "holidays",
      `${count(holidaysOf(lock.parts.table).length, "holiday")} set: nobody knows whether it is one`,
    ]);
  const others = holidays.flatMap((holiday) =>
    holiday.lost || holiday.mode === null ? [] : [`${holiday.mode} by holiday ${holiday.number}`],
  );
  return [...rows, ["mode", wrapped([MODE_NAMES[policy.mode], ...others], FIELD_COLUMNS, "; ").join(";\n")]];
}

function whyNobody({ authority, parts }: Lock): string {
  const { table, events } = parts;
  if (!events.mounted) return "not looked up: without an event log the lock opens for nobody";
  if (!authority.claimed) return "none: the lock has no owner";
  const slots = Array.from({ length: table.profile.slots }, (_, slot) => slot);
  const places = Array.from({ length: MAX_LOCAL_CODES }, (_, place) => place);
  const damaged = slots.filter((slot) => table.index.isDamaged(slot)).length;
  const lost = places.filter((place) => table.hasLostState(State.local + place)).length;
  const texts: string[] = [];
  if (damaged > 0) texts.push(`${count(damaged, "slot")} damaged`);
  if (table.hasLost(Setting.master)) texts.push("the master lost");
  if (table.hasLost(Setting.offlineDenied)) texts.push("the denied offline codes lost");
  if (lost > 0) texts.push(`${count(lost, "code")} of the keypad lost`);
  if (texts.length === 0) return "held by nobody: no slot, no code of the keypad, not the master";
  const lines = wrapped([...texts, "see `tumbler inspect`"], FIELD_COLUMNS);
  return ["held by nobody that can be read", lines.join(",\n")].join("\n");
}
