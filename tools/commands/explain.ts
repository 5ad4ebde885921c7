// `tumbler explain` (rules T17, I3): whether a credential would open the door at an instant, by which rule, and when that changes.
// The lock of the image decides; nothing is decided here. Never changes the file, never repeats a PIN.

import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { offsetAt } from "../../firmware/core/calendar";
import { type Instant, MAX_BOUND_S } from "../../firmware/core/clock";
import type { Lock, Why } from "../../firmware/core/lock";
import { instantOf, parseWhen, WHEN_WANTED } from "../../protocol/issuer/when";
import { fromHex, toHex } from "../../protocol/wire/bytes";
import { Reason, type Row, reasonRow } from "../../protocol/wire/codes";
import { MODE_NAMES } from "../../protocol/wire/deltas";
import { Kind } from "../../protocol/wire/entry";
import { MAX_CARD_BYTES, MIN_CARD_BYTES } from "../../protocol/wire/limits";
import { Trust } from "../../protocol/wire/messages";
import { mountFailure, openLock, readImage } from "../image";
import { windowsOf } from "../inspection/inspection";
import { type DamagedSlot, type SlotView, slotView } from "../inspection/slots";
import { Exit, exitHelp, Failure } from "../ui/failure";
import { termsOf } from "../ui/inspection";
import { fields } from "../ui/table";
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
${MAX_BOUND_S} seconds a lock treats the time as unknown.

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
  const clock = clockAt(now, options.bound);
  const { kind, value } = await credentialOf(lock, options, terminal);
  const answer = answerOf(lock, now, clock, lock.why(kind, value, clock));
  terminal.out(options.json ? `${JSON.stringify(jsonOf(answer), null, 2)}\n` : textOf(answer, terminal));
  terminal.exitCode = answer.reason.value === Reason.granted ? Exit.fine : Exit.wrong;
}

function instantAt(lock: Lock, text: string | undefined): number {
  if (text === undefined) return Math.floor(Date.now() / 1000);
  const when = parseWhen(text.replace(/^(\S+) (\S+)$/, "$1T$2"));
  if (when === undefined) throw new Failure(`--at ${text}: wanted ${WHEN_WANTED}`);
  return instantOf(when, "", (_zone, utcSeconds) => offsetAt(lock.zone, utcSeconds));
}

/** A bound above the policy makes the time unknown, as at the lock (rule T11). */
function clockAt(now: number, bound: number): Instant {
  return bound > MAX_BOUND_S ? { trust: Trust.unknown, now: 0, bound: 0 } : { trust: Trust.set, now, bound };
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
  readonly slot: SlotView | DamagedSlot | undefined;
  /** Of the slot's schedule; empty where it names none. */
  readonly windows: readonly string[];
  /** UTC seconds, 0 where no change is in sight. */
  readonly next: number;
  readonly nextReason: Row;
}

function answerOf(lock: Lock, now: number, clock: Instant, why: Why): Answer {
  const { table } = lock.parts;
  const slot = why.slot < 0 ? undefined : slotView(table, why.slot);
  const schedule = slot === undefined || slot.damaged ? null : slot.schedule;
  const windows = schedule !== null && table.loadSchedule(schedule) ? windowsOf(table) : [];
  const reason = rowOf(why.reason);
  return { lock, now, clock, reason, slot, windows, next: why.next, nextReason: rowOf(why.nextReason) };
}

function rowOf(reason: number): Row {
  const row = reasonRow(reason);
  if (row === undefined) throw new RangeError(`reason ${reason}: not in the table`);
  return row;
}

function jsonOf({ lock, now, clock, reason, slot, windows, next, nextReason }: Answer): object {
  const at = (utcSeconds: number) => ({
    seconds: utcSeconds,
    utc: isoText(utcSeconds),
    local: localIsoText(lock.zone, utcSeconds),
  });
  return {
    lock: toHex(lock.parts.board.identity.lock),
    at: at(now),
    clock: { known: clock.trust !== Trust.unknown, bound: clock.bound },
    granted: reason.value === Reason.granted,
    reason,
    slot: slot ?? null,
    windows,
    next: next === 0 ? null : { at: at(next), reason: nextReason },
  };
}

function textOf(answer: Answer, { colours }: Terminal): string {
  const { lock, now, clock, reason, next, nextReason } = answer;
  const isGranted = reason.value === Reason.granted;
  const title = isGranted ? colours.green("Granted") : colours.red("Refused");
  const isKnown = clock.trust !== Trust.unknown;
  const rows: [string, string][] = [
    ["at", bothClocks(lock.zone, now)],
    ["clock", isKnown ? `set, at most ${clock.bound} s off` : "unknown: its error bound is too large"],
    ["rule", `${reason.name}: ${reason.text}`],
    ["advice", reason.advice],
    ...credentialRows(answer),
  ];
  if (next === 0) rows.push(["changes", "not by itself, as far as can be seen"]);
  else
    rows.push(["changes", bothClocks(lock.zone, next)], ["then", `${nextReason.name}: ${nextReason.text}`]);
  return `${colours.bold(title)}\n\n${fields(rows, colours)}`;
}

function credentialRows({ lock, slot, windows }: Answer): [string, string][] {
  if (slot === undefined) return [["credential", whyNoSlot(lock)]];
  if (slot.damaged) return [["credential", `slot ${slot.slot}, damaged`]];
  const rows: [string, string][] = [
    ["credential", `${slot.kind} in slot ${slot.slot}, generation ${slot.generation}`],
    ["user", `${slot.user}, ${slot.role}`],
    ["terms", termsOf(slot, lock.zone).join("\n")],
  ];
  if (slot.schedule !== null) rows.push([`schedule ${slot.schedule}`, windows.join("\n") || "not readable"]);
  rows.push(["mode", MODE_NAMES[lock.mode]]);
  return rows;
}

function whyNoSlot({ authority, parts }: Lock): string {
  const { table, events } = parts;
  if (!events.mounted) return "not looked up: without an event log the lock opens for nobody";
  if (!authority.claimed) return "none: the lock has no owner";
  const slots = Array.from({ length: table.profile.slots }, (_, slot) => slot);
  const damaged = slots.filter((slot) => table.index.isDamaged(slot));
  if (damaged.length === 0) return "in no slot of this lock";
  return `in no slot that can be read; ${count(damaged.length, "slot")} damaged, see \`tumbler inspect\``;
}
