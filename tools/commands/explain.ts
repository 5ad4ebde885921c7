// `tumbler explain` (rules T17, I3): whether a credential would open the door at an instant, by which rule, and when that changes.
// The lock of the image decides; nothing is decided here. Never changes the file, never repeats a PIN.

import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { offsetAt } from "../../firmware/core/calendar";
import { type Instant, MAX_BOUND_S } from "../../firmware/core/clock";
import type { Lock, Why } from "../../firmware/core/lock";
import { PAIR_S } from "../../firmware/core/pair";
import { State } from "../../firmware/core/storage/places";
import { instantOf, parseWhen, WHEN_WANTED } from "../../protocol/issuer/when";
import { fromHex, toHex } from "../../protocol/wire/bytes";
import { Reason, type Row, reasonRow } from "../../protocol/wire/codes";
import { Kind, ROLE_NAMES, Role } from "../../protocol/wire/entry";
import { MAX_CARD_BYTES, MAX_LOCAL_CODES, MIN_CARD_BYTES } from "../../protocol/wire/limits";
import { Trust } from "../../protocol/wire/receipt";
import { MODE_NAMES, Setting } from "../../protocol/wire/settings";
import { mountFailure, openLock, readImage } from "../image";
import {
  type HolidayView,
  holidaysInForce,
  holidaysOf,
  type LostHoliday,
  lostNumbers,
} from "../inspection/holidays";
import { windowsOf } from "../inspection/inspection";
import { type LocalCodeView, localCodeView } from "../inspection/keypad";
import { type DamagedSlot, type SlotView, slotView } from "../inspection/slots";
import { Exit, exitHelp, Failure } from "../ui/failure";
import { termsOf } from "../ui/inspection";
import { rangesText, wrapped } from "../ui/numbers";
import { holidayDeed, LOST_DEED } from "../ui/settings";
import { FIELD_COLUMNS, fields } from "../ui/table";
import type { Terminal } from "../ui/terminal";
import { bothClocks, isoText, localIsoText } from "../ui/time";
import { count } from "../ui/words";

interface Options {
  readonly pin?: string;
  readonly card?: string;
  readonly at?: string;
  readonly bound: number;
  readonly json?: boolean;
}

const HELP = `
A time without Z or an offset is local at the lock. Without --at it is now.
With "--pin -" the PIN is asked for, or read from standard input, and stays out
of the shell's history. The clock is taken as set, off by --bound at most; above
its policy, ${MAX_BOUND_S} seconds unless set otherwise, the time is unknown to the lock.
How long wrong entries make a keypad wait is told by \`tumbler inspect\`.

Examples:
  tumbler explain front.img --pin - --at 2027-03-01T09:00
  tumbler explain front.img --card 04a1b2c3 --at 2027-03-01T08:00:00Z --json
${exitHelp("granted", "refused")}`;

/** Adds the command to the program. */
export function addExplain(program: Command, terminal: Terminal): void {
  program
    .command("explain")
    .summary("tell whether a credential opens the door, and why")
    .description("Tells whether a credential would open the door, by which rule, and what comes next.")
    .argument("<image>", "flash image, as `tumbler provision` makes it")
    .addOption(new Option("--pin <digits>", 'the PIN; "-" asks for it').conflicts("card"))
    .option("--card <hex>", "the card's UID in hexadecimal")
    .option("--at <time>", "the instant, such as 2027-03-01T09:00")
    .option("--bound <seconds>", "how far the lock's clock may be off", seconds, 0)
    .option("--json", "print the answer as JSON")
    .addHelpText("after", HELP)
    .action((path: string, options: Options) => explainFile(path, options, terminal));
}

function seconds(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError("wanted whole seconds, 0 to 999999");
  return Number(text);
}

async function explainFile(path: string, options: Options, terminal: Terminal): Promise<void> {
  const lock = openLock(readImage(path));
  const failure = mountFailure(path, lock);
  if (failure !== undefined) throw failure;
  const now = instantAt(lock, options.at);
  const clock = clockAt(now, options.bound, lock.parts.policy.clockBound);
  const { kind, value } = await credentialOf(lock, options, terminal);
  const answer = answerOf(lock, now, clock, lock.why(kind, value, clock));
  terminal.out(options.json ? `${JSON.stringify(jsonOf(answer), null, 2)}\n` : textOf(answer, terminal));
  terminal.exitCode = answer.reason.value === Reason.granted ? Exit.fine : Exit.wrong;
}

function instantAt(lock: Lock, text: string | undefined): number {
  if (text === undefined) return Math.floor(Date.now() / 1000);
  const when = parseWhen(text.replace(/^(\S+) (\S+)$/, "$1T$2"));
  if (when === undefined) throw new Failure(`--at ${text}: wanted ${WHEN_WANTED}`);
  return instantOf(when, "", (_zone, utcSeconds) => offsetAt(lock.parts.policy.zone, utcSeconds));
}

/** A bound above the policy makes the time unknown, as at the lock (rule T11). */
function clockAt(now: number, bound: number, most: number): Instant {
  return bound > most ? { trust: Trust.unknown, now: 0, bound: 0 } : { trust: Trust.set, now, bound };
}

async function credentialOf(
  lock: Lock,
  { pin, card }: Options,
  terminal: Terminal,
): Promise<{ kind: number; value: Uint8Array }> {
  if (card !== undefined) {
    const { name, reader } = lock.parts.profile;
    if (!reader) throw new Failure(`--card: ${name} has no card reader`, "ask about a PIN with --pin");
    return { kind: Kind.card, value: uidOf(card) };
  }
  if (pin === undefined) throw new Failure("no credential to explain", "add --pin or --card");
  const digits = pin === "-" ? (await terminal.secret("PIN: ")).trim() : pin;
  if (pin === "-" && digits === "") throw new Failure("--pin -: no PIN came from standard input");
  return { kind: Kind.pin, value: new Uint8Array(Buffer.from(digits, "utf8")) };
}

function uidOf(text: string): Uint8Array {
  const plain = text.replaceAll(":", "");
  const length = plain.length / 2;
  if (!/^([0-9a-f]{2})+$/i.test(plain) || length < MIN_CARD_BYTES || length > MAX_CARD_BYTES)
    throw new Failure(
      `--card ${text}: wanted a UID of ${MIN_CARD_BYTES} to ${MAX_CARD_BYTES} bytes in hexadecimal`,
    );
  return fromHex(plain);
}

/** The lock's answer, with all that an explanation names. */
interface Answer {
  readonly lock: Lock;
  readonly now: number;
  readonly clock: Instant;
  readonly reason: Row;
  /** Who holds the credential: a slot, a code programmed at the keypad, the master or nobody. */
  readonly holder: Why["holder"];
  readonly slot: SlotView | DamagedSlot | undefined;
  readonly code: LocalCodeView | undefined;
  /** Those that are in force, as far as they concern whoever holds it. */
  readonly holidays: readonly (HolidayView | LostHoliday)[];
  /** Of the slot's schedule; empty where it names none. */
  readonly windows: readonly string[];
  /** UTC seconds, 0 where no change is in sight. */
  readonly next: number;
  readonly nextReason: Row;
}

function answerOf(lock: Lock, now: number, clock: Instant, why: Why): Answer {
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
    holidays: holidaysInForce(lock.parts, roleOf(slot, code), clock),
    windows: schedule !== null && table.loadSchedule(schedule) ? windowsOf(table) : [],
    next: why.next,
    nextReason: rowOf(why.nextReason),
  };
}

/** The role that is asked about, undefined where nobody is, and for the master. */
function roleOf(slot: Answer["slot"], code: Answer["code"]): number | undefined {
  if (code !== undefined) return Role.team;
  return slot === undefined || slot.damaged ? undefined : ROLE_NAMES.indexOf(slot.role);
}

function rowOf(reason: number): Row {
  const row = reasonRow(reason);
  if (row === undefined) throw new RangeError(`reason ${reason}: not in the table`);
  return row;
}

function jsonOf(answer: Answer): object {
  const { lock, now, clock, reason, holder, slot, code, holidays, windows, next, nextReason } = answer;
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
    windows,
    holidays,
    next: next === 0 ? null : { at: at(next), reason: nextReason },
  };
}

function textOf(answer: Answer, { colours }: Terminal): string {
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
  const { lock, holder, slot, code, reason } = answer;
  if (holder === "master")
    return [
      ["credential", "the master"],
      ["terms", "the master opens whatever the mode and the hours are"],
    ];
  if (code !== undefined) return [...codeRows(code, answer), ...dayRows(answer)];
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
function dayRows({ lock, clock, slot, code, holidays }: Answer): [string, string][] {
  const { policy } = lock.parts;
  const role = roleOf(slot, code);
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
  if (lost > 0) texts.push(`${count(lost, "code")} of the keypad lost`);
  if (texts.length === 0) return "held by nobody: no slot, no code of the keypad, not the master";
  const lines = wrapped([...texts, "see `tumbler inspect`"], FIELD_COLUMNS);
  return ["held by nobody that can be read", lines.join(",\n")].join("\n");
}
