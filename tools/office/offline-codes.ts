// Offline codes at the office (rule C23): makes one for somebody, denies one, and allows it again. Making changes nothing at the issuer or
// the lock: the same words give the same code, to whoever asks.

import { opens } from "../../protocol/issuer/directory";
import type { Issuer } from "../../protocol/issuer/issuer";
import {
  deniedIn,
  isAmong,
  isOver,
  lastDay,
  makeOfflineCode,
  OFFLINE_KIND_NAMES,
  offlineCodeOn,
  offlineText,
} from "../../protocol/issuer/offline";
import { pinsOf } from "../../protocol/issuer/rows";
import { instantOf, parseWhen } from "../../protocol/issuer/when";
import { toHex } from "../../protocol/wire/bytes";
import { DAY_S, dateOfDay, floorDiv } from "../../protocol/wire/civil";
import { codeName } from "../../protocol/wire/codes";
import {
  MAX_OFFLINE_INDEXES,
  OFFLINE_KINDS,
  type OfflineCode,
  parseOffline,
  Setting,
  settingName,
} from "../../protocol/wire/settings";
import { node } from "../../simulator/board/crypto";
import { Exit, Failure } from "../ui/failure";
import { dateText, dayText, isoText } from "../ui/time";
import { intlOffset } from "../zone";

/** What is said of one offline code, in the words of a command line. */
export interface OfflineRequest {
  readonly work: "offline-code";
  readonly deed: "make" | "deny" | "allow";
  readonly door: string;
  readonly kind: string;
  readonly index: string;
  /** YYYY-MM-DD at the door; undefined for today there. */
  readonly date: string | undefined;
}

/** What became of it: lines for a person, a value for --json, and how the command ends. */
export interface OfflineReply {
  readonly lines: readonly string[];
  readonly value: object;
  readonly exitCode: number;
}

/** Makes, denies or allows a code. Throws a {@link Failure} or a RangeError, and then nothing is changed. */
export async function offlineWork(
  issuer: Issuer,
  request: OfflineRequest,
  now: number,
): Promise<OfflineReply> {
  const { door, deed } = request;
  const code = codeOf(issuer, request, now);
  if (deed === "make") return make(issuer, door, code, now);
  const wasDenied = isAmong(code, deniedAt(issuer, door));
  if (deed === "deny") await issuer.settings.denyOffline(door, code, now);
  else await issuer.settings.allowOffline(door, code, now);
  const isDenied = deed === "deny";
  const denied = deniedAt(issuer, door).map(offlineText);
  return {
    lines: [`${door}: ${offlineText(code)} ${deedText(isDenied, wasDenied)}`],
    value: { door, ...namesOf(code), denied: isDenied, changed: isDenied !== wasDenied, list: denied },
    exitCode: Exit.fine,
  };
}

function deedText(isDenied: boolean, wasDenied: boolean): string {
  if (isDenied === wasDenied) return isDenied ? "was denied already." : "was not denied.";
  const deed = isDenied ? "is denied to the end of its window" : "is not denied any more";
  return `${deed}, as soon as the lock has it.`;
}

/** What a command says, as the code that it means. */
function codeOf(issuer: Issuer, { door, kind, index, date }: OfflineRequest, now: number): OfflineCode {
  const { zone } = issuer.directory.door(door).row;
  const place = OFFLINE_KIND_NAMES.indexOf(kind);
  if (place < 0) throw new Failure(`--kind: got "${kind}", wanted ${OFFLINE_KIND_NAMES.join(", ")}`);
  if (!/^\d$/.test(index) || Number(index) >= MAX_OFFLINE_INDEXES)
    throw new Failure(`--index: got "${index}", wanted 0 to ${MAX_OFFLINE_INDEXES - 1}`);
  const today = floorDiv(now + intlOffset(zone, now), DAY_S);
  const text = date ?? dateText(today);
  const when = /^\d{4}-\d\d-\d\d$/.test(text) ? parseWhen(text) : undefined;
  if (when === undefined)
    throw new Failure(`--date: got "${text}", wanted a date YYYY-MM-DD of 2000 to 2105, such as 2027-03-01`);
  return offlineCodeOn(OFFLINE_KINDS[place], Number(index), dateOfDay(when.seconds / DAY_S));
}

const namesOf = (code: OfflineCode) => ({
  kind: OFFLINE_KIND_NAMES[OFFLINE_KINDS.indexOf(code.kind)],
  index: code.index,
  first: dateText(code.window),
  last: dateText(lastDay(code)),
});

const deniedAt = (issuer: Issuer, door: string): readonly OfflineCode[] =>
  deniedIn(issuer.directory.door(door).settings.get(Setting.offlineDenied));

function make(issuer: Issuer, door: string, code: OfflineCode, now: number): OfflineReply {
  const { row, lock } = issuer.directory.door(door);
  if (lock === undefined)
    throw new Failure(`door ${door}: has no lock yet`, `bind one: tumbler issuer bind ${door} RECORD`);
  const digits = makeOfflineCode(node, lock.keys.codeKey, code);
  const missing = notSwitchedOn(issuer, door, code);
  const warnings = [...missing, ...warningsOf(issuer, door, code, digits, now)];
  const midnight = (day: number): string =>
    isoText(instantOf({ seconds: day * DAY_S, local: true }, row.zone, intlOffset));
  const window = `${windowText(code)}, by the clock in ${row.zone}`;
  return {
    lines: [
      digits,
      `${door}: ${window}`,
      ...(missing.length === 0 ? [`${door}: ${offlineText(code)} is switched on`] : []),
      ...warnings.map((text) => `warning: ${text}`),
    ],
    value: {
      door,
      ...namesOf(code),
      code: digits,
      zone: row.zone,
      from: midnight(code.window),
      until: midnight(lastDay(code) + 1),
      window,
      switchedOn: missing.length === 0,
      warnings,
    },
    exitCode: warnings.length === 0 ? Exit.fine : Exit.wrong,
  };
}

function windowText(code: OfflineCode): string {
  const first = dayText(code.window);
  switch (namesOf(code).kind) {
    case "minutes":
      return `opens on ${first}, 00:00 to 24:00, for 15 minutes after its first use`;
    case "once":
      return `opens on ${first}, 00:00 to 24:00, once`;
    case "week":
      return `opens from ${first} 00:00 to ${dayText(lastDay(code))} 24:00, any number of times`;
    default:
      return `opens on ${first}, 00:00 to 24:00, any number of times`;
  }
}

/** What is missing at a door for a code, with what to do; nothing where its kind and its index are switched on. */
function notSwitchedOn(issuer: Issuer, door: string, code: OfflineCode): string[] {
  const value = issuer.directory.door(door).settings.get(Setting.offlineCodes);
  const { kinds, indexes } = (value && parseOffline(value)) ?? { kinds: 0, indexes: 0 };
  if ((kinds & code.kind) !== 0 && code.index < indexes) return [];
  const wanted = OFFLINE_KIND_NAMES.filter((_, place) => ((kinds | code.kind) & OFFLINE_KINDS[place]) !== 0);
  const { kind, index } = namesOf(code);
  const what = (kinds & code.kind) === 0 ? `kind ${kind}` : `index ${index} of the kinds that are`;
  const most = Math.max(indexes, index + 1);
  return [
    `${what} is not switched on at ${door}: tumbler issuer set ${door} offline-codes ${wanted.join(",")}:${most}`,
  ];
}

/** What else somebody should know who gives out a code, each with what to do. */
function warningsOf(issuer: Issuer, door: string, code: OfflineCode, digits: string, now: number): string[] {
  const texts = unconfirmed(issuer, door);
  if (isAmong(code, deniedAt(issuer, door)))
    texts.push(`${offlineText(code)} is denied at ${door}: give out another index, or allow it again`);
  if (isOver(code, issuer.directory.door(door).row.zone, intlOffset, now))
    texts.push("its window is over: give another date");
  if (isTyped(issuer, door, digits)) texts.push("it is somebody's PIN: give out another index");
  return texts;
}

/** What a lock has not taken yet of the settings that offline codes depend on. */
function unconfirmed(issuer: Issuer, door: string): string[] {
  const { lock } = issuer.directory.door(door);
  const names = [Setting.offlineCodes, Setting.offlineDenied].map(settingName);
  const settings = lock === undefined ? [] : issuer.report(toHex(lock.lock)).settings;
  const standing = settings.filter(({ setting }) => names.includes(setting));
  return standing.flatMap(({ setting, state, code }) => {
    if (state === "confirmed") return [];
    if (state === "failed") return [`the lock of ${door} has refused ${setting}: ${codeName(code ?? 0)}`];
    return [`the lock of ${door} has not confirmed ${setting} yet: it opens as soon as the lock has it`];
  });
}

/** Whether digits are the PIN of somebody at a door, or its master. */
function isTyped(issuer: Issuer, door: string, digits: string): boolean {
  const { row: at, master } = issuer.directory.door(door);
  if (master === digits) return true;
  for (const { row, revoked } of issuer.directory.people.values())
    if (!revoked && opens(row, at) && pinsOf(row).includes(digits)) return true;
  return false;
}
