// `tumbler explain` (rules T17, I3): whether a credential would open the door at an instant, by which rule, and when that changes.
// The lock of the image decides; nothing is decided here. Never changes the file, never repeats a PIN.

import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { offsetAt } from "../../firmware/core/calendar";
import { type Instant, MAX_BOUND_S } from "../../firmware/core/clock";
import type { Lock } from "../../firmware/core/lock";
import { instantOf, parseWhen, WHEN_WANTED } from "../../protocol/issuer/when";
import { fromHex } from "../../protocol/wire/bytes";
import { Reason } from "../../protocol/wire/codes";
import { Kind } from "../../protocol/wire/entry";
import { MAX_CARD_BYTES, MIN_CARD_BYTES } from "../../protocol/wire/limits";
import { Trust } from "../../protocol/wire/receipt";
import { identityOption, nvsKeysOption } from "../flash-map/options";
import { type DumpFiles, mountFailure, openLock, readFlash } from "../image";
import { offlineAsked } from "../inspection/offline";
import { answerOf, explanationJson, explanationText } from "../ui/explanation";
import { Exit, exitHelp, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";

interface Options extends DumpFiles {
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
    .argument("<image>", "flash image, as `tumbler provision` makes it, or a dump of a board's flash")
    .addOption(new Option("--pin <digits>", 'the PIN; "-" asks for it').conflicts("card"))
    .option("--card <hex>", "the card's UID in hexadecimal")
    .option("--at <time>", "the instant, such as 2027-03-01T09:00")
    .option("--bound <seconds>", "how far the lock's clock may be off", seconds, 0)
    .addOption(nvsKeysOption())
    .addOption(identityOption())
    .option("--json", "print the answer as JSON")
    .addHelpText("after", HELP)
    .action((path: string, options: Options) => explainFile(path, options, terminal));
}

function seconds(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError("wanted whole seconds, 0 to 999999");
  return Number(text);
}

async function explainFile(path: string, options: Options, terminal: Terminal): Promise<void> {
  const lock = openLock(readFlash(path, options));
  const failure = mountFailure(path, lock);
  if (failure !== undefined) throw failure;
  const now = instantAt(lock, options.at);
  const clock = clockAt(now, options.bound, lock.parts.policy.clockBound);
  const { kind, value } = await credentialOf(lock, options, terminal);
  const why = lock.why(kind, value, clock);
  const answer = answerOf(lock, now, clock, why, offlineAsked(lock, why, value, clock));
  terminal.out(
    options.json
      ? `${JSON.stringify(explanationJson(answer), null, 2)}\n`
      : explanationText(answer, terminal),
  );
  terminal.exitCode = answer.reason.value === Reason.granted ? Exit.fine : Exit.wrong;
}

/** The instant that is meant, local at the lock where it names no offset; now where none is named. Throws a {@link Failure}. */
export function instantAt(lock: Lock, text: string | undefined): number {
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
