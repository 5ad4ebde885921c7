// How a door is (rule I1), from what its lock signs and what it only says. Nothing is taken for granted: what no lock of this version
// tells is unknown, and never fine.

import { profileById } from "../../firmware/core/profile";
import { eventsIn } from "../../protocol/courier/courier";
import { openReceipt } from "../../protocol/issuer/mail";
import { Item } from "../../protocol/wire/digest";
import { type Status, StatusFlag } from "../../protocol/wire/messages";
import { Feature, type Receipt, TRUST_NAMES, Trust } from "../../protocol/wire/receipt";
import { Setting } from "../../protocol/wire/settings";
import { node } from "../../simulator/board/crypto";
import { wrapped } from "../ui/numbers";
import { columns } from "../ui/table";
import type { Terminal } from "../ui/terminal";
import { isoText } from "../ui/time";
import { count, durationText } from "../ui/words";
import { goalOf, type WorkDoor } from "../worklist/work-list";
import { judge, type Latest } from "./standing";

/** `signed`: under the lock's own key, which was checked · `said`: anybody on the way could have made it up · `none`: nothing is known. */
export type Word = "signed" | "said" | "none";
export type Verdict = "fine" | "wrong" | "unknown";

/** One thing that was looked at. */
export interface CheckLine {
  readonly what: string;
  readonly verdict: Verdict;
  readonly word: Word;
  readonly text: string;
}

/** What a check goes by. */
export interface CheckInput {
  readonly door: WorkDoor;
  readonly status: Status;
  /** The whole message that answered the question; undefined where there was none. */
  readonly receipt: Uint8Array | undefined;
  /** UTC seconds, by the clock of this machine. */
  readonly now: number;
  /** How many changes of the list the lock has refused, as far as is known here. */
  readonly refused?: number;
}

/** This machine's own clock is off by less. */
const OWN_BOUND_S = 60;
/** From here on it is told in minutes how far a clock is off. */
const MINUTES_FROM_S = 300;
const MINUTE_S = 60;
const TEXT_COLUMNS = 52;
const MARKS: Readonly<Record<Verdict, string>> = { fine: "✓", wrong: "✗", unknown: "?" };
const SENSOR = "whether the door is closed is not told";

const line = (what: string, verdict: Verdict, word: Word, text: string): CheckLine => ({
  what,
  verdict,
  word,
  text,
});
const unknown = (what: string, text = "unknown"): CheckLine => line(what, "unknown", "none", text);

/** What is known of a door. */
export function checkDoor({ door, status, receipt: message, now, refused = 0 }: CheckInput): CheckLine[] {
  const opened = message === undefined ? undefined : openReceipt(node, door, message);
  const receipt = typeof opened === "object" ? opened.receipt : undefined;
  return [
    ownerLine(status, opened),
    ...(receipt === undefined ? unsignedLines() : signedLines(door, receipt, now, refused)),
    zoneLine(door, receipt),
    syncLine(door),
    keysetLine(door, status),
    flashLine(status),
    (status.flags & StatusFlag.lowBattery) !== 0
      ? line("battery", "wrong", "said", "low: change it")
      : unknown("battery"),
    unknown("motor"),
    sensorLine(receipt),
  ];
}

/** The worst of all. */
export const isSound = (lines: readonly CheckLine[]): boolean =>
  lines.every(({ verdict }) => verdict !== "wrong");

function ownerLine({ flags }: Status, opened: ReturnType<typeof openReceipt> | undefined): CheckLine {
  if ((flags & StatusFlag.unclaimed) !== 0)
    return line("identity", "wrong", "said", "no owner yet: sync the door");
  if (opened === undefined) return unknown("identity", "it signed nothing");
  if (typeof opened === "string")
    return line("identity", "wrong", "none", `not the lock of the list: ${opened}`);
  return line("identity", "fine", "signed", "the lock of the work list");
}

/** What only a receipt tells. */
const unsignedLines = (): CheckLine[] =>
  ["position", "table", "clock", "slots", "model", "firmware", "features", "events"].map((what) =>
    unknown(what),
  );

function signedLines(door: WorkDoor, receipt: Receipt, now: number, refused: number): CheckLine[] {
  const is = judge(door, receipt);
  return [
    positionLine(door, receipt, is),
    tableLine(door, receipt, is, refused),
    clockLine(receipt, now),
    slotsLine(receipt),
    ...aboutLines(door, receipt),
    eventsLine(door, receipt),
  ];
}

function positionLine(door: WorkDoor, { epoch, applied }: Receipt, is: Latest["is"]): CheckLine {
  const goal = goalOf(door);
  const at = `${applied} in epoch ${epoch}`;
  switch (is) {
    case "other-log":
      return line("position", "wrong", "signed", `${at}: not what the office signed; tell the office`);
    case "ahead":
      return line(
        "position",
        "unknown",
        "signed",
        `${at}, ${applied - goal.seq} ahead: the work list is older`,
      );
    default:
      if (epoch < door.epoch) return line("position", "wrong", "signed", `${at}: a whole new table waits`);
      return applied < goal.seq
        ? line("position", "wrong", "signed", `${at}, ${goal.seq - applied} behind: sync the door`)
        : line("position", "fine", "signed", `${at}, as expected`);
  }
}

function tableLine(door: WorkDoor, { epoch }: Receipt, is: Latest["is"], refused: number): CheckLine {
  if (is === "other-table" && refused > 0)
    return line(
      "table",
      "unknown",
      "signed",
      `without ${count(refused, "refused change")}: only the office can compare it; hand in, then \`tumbler audit ${door.door}\``,
    );
  if (is === "other-table")
    return line(
      "table",
      "wrong",
      "signed",
      "its digest is not that of the office: hand in, then `tumbler audit`",
    );
  if (is === "ahead" || is === "other-log" || epoch !== door.epoch)
    return line("table", "unknown", "signed", "nothing to compare its digest with");
  return line("table", "fine", "signed", "its digest is that of the office at this position");
}

function clockLine({ time, trust, bound }: Receipt, now: number): CheckLine {
  if (trust === Trust.unknown)
    return line("clock", "wrong", "signed", "unknown: sync the door where the office can be reached");
  const ahead = Math.round(time - now);
  const text = `${TRUST_NAMES[trust]}, at most ${durationText(bound)} off by its own account`;
  if (Math.abs(ahead) <= bound + OWN_BOUND_S) return line("clock", "fine", "signed", text);
  const seconds = Math.abs(ahead);
  const rounded = seconds < MINUTES_FROM_S ? seconds : MINUTE_S * Math.round(seconds / MINUTE_S);
  const off = `${durationText(rounded)} ${ahead > 0 ? "ahead of" : "behind"} this machine`;
  return line("clock", "wrong", "signed", `${text}, and ${off}`);
}

function slotsLine({ slots, damaged, about }: Receipt): CheckLine {
  const all = profileById(about?.profile ?? 0)?.slots;
  const free = all === undefined ? `${slots} full` : `${all - slots} of ${all} free`;
  if (damaged === 0) return line("slots", "fine", "signed", free);
  return line("slots", "wrong", "signed", `${free}, ${damaged} damaged: let the issuer put them again`);
}

function aboutLines({ facts }: WorkDoor, { about }: Receipt): CheckLine[] {
  if (about === undefined) return ["model", "firmware", "features"].map((what) => unknown(what));
  const { profile, firmware, features } = about;
  const name = profileById(profile)?.name ?? `model ${profile}`;
  const wanted = facts.table.profile;
  const names = Object.entries(Feature)
    .filter(([, bit]) => (features & bit) !== 0)
    .map(([feature]) => feature.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));
  return [
    name === wanted
      ? line("model", "fine", "signed", name)
      : line("model", "wrong", "signed", `${name}; the office takes it for ${wanted}`),
    line("firmware", "fine", "signed", Buffer.from(firmware).toString("utf8")),
    line("features", "fine", "signed", names.join(", ") || "none"),
  ];
}

function eventsLine({ bag }: WorkDoor, { nextEvent }: Receipt): CheckLine {
  if (bag.nextEvent === 0) return unknown("events");
  const next = bag.pages.reduce((seq, page) => seq + (eventsIn(page) ?? 0), bag.nextEvent);
  const waiting = Math.max(0, nextEvent - next);
  return line(
    "events",
    "fine",
    "signed",
    waiting === 0 ? "none waiting" : `${waiting} waiting to be fetched`,
  );
}

/** The zone that the office set: that the lock has it follows from the digest alone. */
function zoneLine(door: WorkDoor, receipt: Receipt | undefined): CheckLine {
  const item = door.facts.table.items.find(([what, id]) => what === Item.setting && id === Setting.zone);
  if (item === undefined) return unknown("zone", "none set by the office: UTC");
  const zone = Buffer.from(item.subarray(2)).toString("latin1").split("\0")[0];
  const isThere = receipt !== undefined && judge(door, receipt) === "expected";
  return isThere
    ? line("zone", "fine", "signed", zone)
    : unknown("zone", `${zone} by the list; not what the lock signed last`);
}

/** The newest receipt that the office has, or that came home since; only the lock's own count. */
function syncLine(door: WorkDoor): CheckLine {
  let last = door.facts.lastSync;
  for (const each of door.home) {
    const opened = each.kind === "receipt" ? openReceipt(node, door, each.message) : undefined;
    if (typeof opened === "object") last = Math.max(last, opened.receipt.time || each.at);
  }
  if (last === 0) return unknown("last sync", "no receipt so far");
  return line("last sync", "fine", "signed", isoText(last));
}

function keysetLine({ facts }: WorkDoor, { keyset }: Status): CheckLine {
  if (keyset === facts.keyset) return line("keyset", "fine", "said", `${keyset}, as expected`);
  return keyset < facts.keyset
    ? line("keyset", "wrong", "said", `${keyset}, the office has ${facts.keyset}: sync the door`)
    : line("keyset", "unknown", "said", `${keyset}, the work list has ${facts.keyset}: the list is older`);
}

function flashLine({ flags }: Status): CheckLine {
  return (flags & StatusFlag.storageFault) === 0
    ? line("flash", "fine", "said", "no fault since power-on")
    : line("flash", "wrong", "said", "a fault: sync the door, and watch it");
}

function sensorLine(receipt: Receipt | undefined): CheckLine {
  const features = receipt?.about?.features;
  if (features === undefined) return unknown("sensor");
  return unknown(
    "sensor",
    `${(features & Feature.doorSensor) === 0 ? "no sensor" : "has a sensor"}: ${SENSOR}`,
  );
}

/** A check for people. */
export function checkText(
  door: string,
  lines: readonly CheckLine[],
  { colours }: Pick<Terminal, "colours">,
): string {
  const paint = { fine: colours.green, wrong: colours.red, unknown: colours.yellow };
  const rows = lines.map(({ what, verdict, word, text }) => [
    paint[verdict](MARKS[verdict]),
    what,
    wrapped(text.split(" "), TEXT_COLUMNS, " ").join("\n"),
    word === "none" ? "" : word,
  ]);
  const wrong = lines.filter(({ verdict }) => verdict === "wrong").length;
  const blank = lines.filter(({ verdict }) => verdict === "unknown").length;
  const end = wrong === 0 ? "nothing wrong" : `${count(wrong, "thing")} wrong`;
  const title = wrong === 0 ? colours.green(end) : colours.red(end);
  return `${colours.bold(door)}: ${title}, ${blank} unknown\n\n${columns(["", "what", "how it is", "by"], rows, [], colours)}
  signed: under the lock's own key, checked. said: anybody on the way could
  have made it up.\n`;
}
