// Work lists: one file for any number of doors, with all that an installer needs there without a network, and what comes home from them. One
// JSON object a line: a head, a line for each door, and behind them a line for each thing that came home, added as it comes, so that a
// machine that dies loses at most the line that it was writing; a lock gives that again. Link keys and names make it a secret.

import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, writeFileSync } from "node:fs";
import { type Bag, packBag, unpackBag } from "../../protocol/courier/bag";
import type { Prospect } from "../../protocol/issuer/log";
import type { Change } from "../../protocol/issuer/outlook";
import { toHex } from "../../protocol/wire/bytes";
import { DIGEST_BYTES, HEAD_BYTES, LOCK_ID_BYTES, PUBLIC_KEY_BYTES } from "../../protocol/wire/limits";
import { type NewFile, readSecret } from "../files";
import { Failure } from "../ui/failure";
import { type DoorFacts, factsJson, readFacts } from "./door-facts";
import { FieldError, Fields } from "./fields";

/** One door of a work list. */
export interface WorkDoor {
  readonly door: string;
  /** 8 bytes. */
  readonly lock: Uint8Array;
  /** What its receipts are verified with. */
  readonly publicKey: Uint8Array;
  /** What it is recognised by over Bluetooth. */
  readonly linkKey: Uint8Array;
  /** Where it is to be in the end: the epoch, and `changes` or `from` for the position. */
  readonly epoch: number;
  readonly from: Prospect;
  readonly changes: readonly Change[];
  readonly isNewTable: boolean;
  readonly isLeased: boolean;
  /** What else the office knows of it. */
  readonly facts: DoorFacts;
  /** Mail out; receipts and pages of `home` are in it as well. */
  readonly bag: Bag;
  /** What came home, in order. */
  readonly home: KeptHome[];
}

/** How a visit ended, as a line of what came home. */
export interface VisitEnd {
  /** As of a session. */
  readonly outcome: string;
  readonly reason?: string;
}

/** One thing that came home: a receipt, a page of events, mail that the lock refused, or how a visit ended. */
export type Home = {
  /** UTC seconds of the courier's clock. */
  readonly at: number;
} & (
  | { readonly kind: "receipt" | "page"; readonly message: Uint8Array }
  /** `mail` counts in the bag. */
  | { readonly kind: "refused"; readonly mail: number; readonly code: number }
  | { readonly kind: "visit"; readonly end: VisitEnd }
);

/** A thing that came home, and its place among all of the list. */
export type KeptHome = Home & { readonly place: number };

/** A work list as it is in its file. */
export interface WorkList {
  readonly path: string;
  readonly site: string;
  /** UTC seconds. */
  readonly madeAt: number;
  readonly doors: readonly WorkDoor[];
  /** How many things came home, and how many of them, the first ones, the office has. */
  homeCount: number;
  reportedCount: number;
  /** Lines behind the doors that are none: writing one was cut, or somebody changed it. */
  readonly damaged: number;
}

/** Whether the office has something that came home. */
export const isReported = ({ reportedCount }: WorkList, { place }: KeptHome): boolean =>
  place < reportedCount;

/** The receipts and pages of these doors that the office does not have yet. */
export function unreported(list: WorkList, doors: readonly WorkDoor[] = list.doors): number {
  const all = doors.flatMap(({ home }) => home);
  return all.filter((each) => (each.kind === "receipt" || each.kind === "page") && !isReported(list, each))
    .length;
}

/** Where a door's lock is to be in the end. */
export const goalOf = ({ from, changes }: WorkDoor): Prospect => changes.at(-1) ?? from;

const FORMAT = "tumbler work list 1";
/** A thousand doors with a thousand changes each would be 300 MB; nobody visits them in a day. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;
const ADVICE = "name a file that `tumbler issue` wrote";

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const digestOf = (lines: readonly string[]): string =>
  createHash("sha256").update(lines.join("\n")).digest("hex");

// ---- the office's part

function doorLine(work: WorkDoor): string {
  const { door, lock, publicKey, linkKey, epoch, from, changes, isNewTable, isLeased, facts, bag } = work;
  const mark = ({ seq, head, digest }: Prospect) => ({ seq, head: toHex(head), digest: toHex(digest) });
  return JSON.stringify({
    door,
    lock: toHex(lock),
    publicKey: toHex(publicKey),
    linkKey: toHex(linkKey),
    epoch,
    from: mark(from),
    changes: changes.map((change) => ({ ...mark(change), text: change.text })),
    isNewTable,
    isLeased,
    facts: factsJson(facts),
    bag: base64(packBag({ ...bag, receipts: [], pages: [] })),
  });
}

/** The file of a new work list, in which nothing has come home. */
export function workFile(
  path: string,
  { site, madeAt, doors }: Pick<WorkList, "site" | "madeAt" | "doors">,
  replace: boolean,
): NewFile {
  const lines = doors.map(doorLine);
  const head = { format: FORMAT, site, madeAt, doors: lines.length, digest: digestOf(lines) };
  return { path, content: `${[JSON.stringify(head), ...lines].join("\n")}\n`, replace };
}

function readMark(fields: Fields): Prospect {
  const head = fields.hex("head", HEAD_BYTES);
  return { seq: fields.uint("seq"), head, digest: fields.hex("digest", DIGEST_BYTES) };
}

function readDoor(fields: Fields): WorkDoor {
  const lock = fields.hex("lock", LOCK_ID_BYTES);
  const bag = unpackBag(fields.base64("bag"));
  if (bag === undefined || toHex(bag.lock) !== toHex(lock)) throw new FieldError("bag", "mail of this lock");
  return {
    door: fields.text("door"),
    lock,
    publicKey: fields.hex("publicKey", PUBLIC_KEY_BYTES),
    linkKey: fields.hex("linkKey", 32),
    epoch: fields.uint("epoch"),
    from: readMark(fields.fields("from")),
    changes: fields.list("changes").map((each) => ({ ...readMark(each), text: each.text("text") })),
    isNewTable: fields.flag("isNewTable"),
    isLeased: fields.flag("isLeased"),
    facts: readFacts(fields.fields("facts")),
    bag,
    home: [],
  };
}

/** The work list in a file. Throws a {@link Failure} for anything else, and for one that others may read. */
export function readWorkList(path: string): WorkList {
  const text = Buffer.from(readSecret(path, MAX_FILE_BYTES)).toString("utf8");
  const lines = text.split("\n");
  const head = headOf(path, lines[0]);
  const doorLines = lines.slice(1, 1 + head.doors);
  if (doorLines.length < head.doors || digestOf(doorLines) !== head.digest)
    throw new Failure(
      `${path}: damaged: its doors are not what the office wrote`,
      "fetch it from the office again",
    );
  const list = { path, site: head.site, madeAt: head.madeAt, homeCount: 0, reportedCount: 0, damaged: 0 };
  try {
    const doors = doorLines.map((line) => readDoor(Fields.parse(line)));
    return withHome({ ...list, doors }, lines.slice(1 + head.doors));
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new Failure(`${path}: ${error.message}`, ADVICE);
  }
}

function headOf(path: string, line: string): { site: string; madeAt: number; doors: number; digest: string } {
  try {
    const fields = Fields.parse(line);
    const format = fields.text("format");
    if (format !== FORMAT && format.startsWith("tumbler work list "))
      throw new Failure(`${path}: of another version: ${format}`, "use the version that the office uses");
    if (format !== FORMAT) throw new FieldError("format", FORMAT);
    return {
      site: fields.text("site"),
      madeAt: fields.uint("madeAt"),
      doors: fields.uint("doors"),
      digest: fields.text("digest"),
    };
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new Failure(`${path}: not a work list`, ADVICE);
  }
}

// ---- what comes home

type HomeLine = { readonly lock: string; readonly home: Home } | { readonly reported: number };

function homeText({ lock, home }: { readonly lock: Uint8Array; readonly home: Home }): string {
  const { at, kind } = home;
  const head = { lock: toHex(lock), at, kind };
  if (home.kind === "refused") return JSON.stringify({ ...head, mail: home.mail, code: home.code });
  if (home.kind === "visit") return JSON.stringify({ ...head, ...home.end });
  return JSON.stringify({ ...head, message: base64(home.message) });
}

function readHomeLine(fields: Fields): HomeLine {
  if (fields.has("reported")) return { reported: fields.uint("reported") };
  const lock = toHex(fields.hex("lock", LOCK_ID_BYTES));
  const at = fields.uint("at");
  const kind = fields.text("kind");
  switch (kind) {
    case "receipt":
    case "page":
      return { lock, home: { at, kind, message: fields.base64("message") } };
    case "refused":
      return { lock, home: { at, kind, mail: fields.uint("mail"), code: fields.uint("code") } };
    case "visit": {
      const reason = fields.has("reason") ? { reason: fields.text("reason") } : {};
      return { lock, home: { at, kind, end: { outcome: fields.text("outcome"), ...reason } } };
    }
    default:
      throw new FieldError("kind", "receipt, page, refused or visit");
  }
}

/** The list with what came home to it. A line that is none is counted and passed over: a lock keeps its answers until the office has them. */
function withHome(list: WorkList, lines: readonly string[]): WorkList {
  let damaged = 0;
  for (const line of lines.filter((each) => each !== "")) {
    try {
      const read = readHomeLine(Fields.parse(line));
      if ("reported" in read) list.reportedCount = Math.min(read.reported, list.homeCount);
      else {
        const door = list.doors.find(({ lock }) => toHex(lock) === read.lock);
        if (door === undefined) damaged++;
        else take(list, door, read.home);
      }
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      damaged++;
    }
  }
  return { ...list, damaged };
}

function take(list: WorkList, { home: all, bag }: WorkDoor, home: Home): void {
  all.push({ ...home, place: list.homeCount++ });
  if (home.kind === "receipt") bag.receipts.push(home.message);
  if (home.kind === "page") bag.pages.push(home.message);
}

/** Adds lines to a file, on disk when it returns. A line that was cut before them stays what it is. */
function append(path: string, text: string): void {
  const descriptor = openSync(path, "a");
  try {
    // An empty line is none; without this the first line would continue one that was cut.
    writeFileSync(descriptor, `\n${text}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Keeps what came home from a door: in the list, and on disk when it returns. */
export function bringHome(list: WorkList, door: WorkDoor, home: Home): void {
  append(list.path, homeText({ lock: door.lock, home }));
  take(list, door, home);
}

/** Notes that the office has all that came home. */
export function markReported(list: WorkList): void {
  append(list.path, JSON.stringify({ reported: list.homeCount }));
  list.reportedCount = list.homeCount;
}

/** The doors of these names, all without any. Throws a {@link Failure} for a name that is not in the list. */
export function doorsOf(list: WorkList, names: readonly string[]): readonly WorkDoor[] {
  if (names.length === 0) return list.doors;
  return [...new Set(names)].map((name) => {
    const door = list.doors.find((each) => each.door === name);
    if (door !== undefined) return door;
    const known = list.doors.map((each) => each.door).join(", ");
    throw new Failure(`door ${name}: not in ${list.path}`, `it has ${known === "" ? "no door" : known}`);
  });
}
