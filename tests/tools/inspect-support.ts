// What the tests of `tumbler inspect` share: locks whose flash was used for long, and a reader for the pictures that it prints.

import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { Code } from "../../protocol/wire/codes";
import { emptyEntry, Kind } from "../../protocol/wire/entry";
import { IDENTITY_BYTES } from "../../simulator/board/image";
import type { State } from "../../tools/inspection/inspection";
import type { Door } from "../support/door";
import { run } from "./support";

export const SECTOR = 4096;
const UNIT = 16;
const HEAD = new Uint8Array(16);

/** Puts a card into a slot, straight into the table: as good for the flash as a signed delta, and quicker. False when refused. */
export function put(door: Door, slot: number): boolean {
  const { table } = door.lock.parts;
  const entry = emptyEntry();
  const seq = table.applied + 1;
  Object.assign(entry, { slot, kind: Kind.card, user: 1000 + slot, generation: seq });
  new DataView(entry.tag.buffer, entry.tag.byteOffset).setUint32(0, crc32(String(slot)));
  entry.tag[4] = slot >> 8;
  entry.tag[5] = slot & 0xff;
  return table.commitSlot(entry, Code.applied, seq, HEAD);
}

/** So many puts into slots that `next` names, with housekeeping as a lock does it. */
export function wear(door: Door, updates: number, next: (update: number) => number): void {
  for (let update = 0; update < updates; update++) {
    for (let tries = 0; !put(door, next(update)); tries++) {
      assert.ok(tries < 100, `put ${update} of ${updates}`);
      door.lock.parts.table.maintain();
    }
    if (update % 8 === 0) door.lock.parts.table.maintain();
  }
}

/** Fills a block of the credentials in an image. */
export function ruinBlock(bytes: Uint8Array, block: number): void {
  const at = IDENTITY_BYTES + block * SECTOR;
  bytes.fill(0, at, at + SECTOR);
}

/** Ruins the record at `place` of the credentials in an image, beyond what a lock can mend. */
export function ruinRecord(bytes: Uint8Array, place: number): void {
  const at = IDENTITY_BYTES + place * UNIT;
  for (const offset of [5, 6, 9]) bytes[at + offset] ^= 0x11;
}

/** What `inspect` says of an image: its page, its JSON, and the exit code of both. */
export async function look(
  path: string,
): Promise<{ out: string; code: number; state: State; problems: string[] }> {
  const { out, code } = await run(["inspect", path]);
  const json = await run(["inspect", path, "--json"]);
  assert.equal(json.code, code);
  const { state, problems } = JSON.parse(json.out);
  return { out, code, state, problems };
}

/** The lines of the section whose title begins so. */
export function section(out: string, title: string): string[] {
  const lines = out.split("\n");
  const at = lines.findIndex((line) => line.startsWith(title));
  assert.ok(at >= 0, title);
  const end = lines.indexOf("", at);
  return lines.slice(at + 1, end < 0 ? undefined : end);
}

/** A column of a picture: what it is filled with, from below. */
export interface Column {
  readonly fill: string;
  readonly state: string;
  readonly erases: number;
  readonly block: number;
}

const TEXT_AT = 11;
const GROUP = 10;
const WIDE_COLUMNS = 8;
const STATES = { H: "head", L: "live", R: "ready", F: "free", B: "bad", "?": "lost" } as const;

/** Reads the picture in a section back, by nothing but its characters. */
export function readPicture(out: string, title: string): Column[] {
  const columns: Column[] = [];
  let band: { label: string; text: string }[] = [];
  for (const line of section(out, title)) {
    const label = line.slice(0, TEXT_AT).trim();
    if (!["", "state", "erases", "block"].includes(label)) break;
    const text = line.slice(TEXT_AT);
    const isNext = label === "" && !/^[\d ]+$/.test(text) && band.some((row) => row.label === "block");
    if (isNext) columns.push(...readBand(band));
    band = isNext ? [] : band;
    // Under a label its further digits follow.
    const above = band.at(-1)?.label ?? "";
    band.push({ label: label === "" ? above : label, text });
  }
  return [...columns, ...readBand(band)];
}

function readBand(rows: readonly { label: string; text: string }[]): Column[] {
  const named = (label: string): string[] =>
    rows.filter((row) => row.label === label).map(({ text }) => text);
  const [states] = named("state");
  if (/[a-z]/.test(states))
    return Array.from(states.matchAll(/\S+/g), ([state], i) => {
      const cell = (text: string): string => text.slice(i * WIDE_COLUMNS, (i + 1) * WIDE_COLUMNS).trim();
      const fill = named("").map((text) => {
        assert.match(cell(text).padEnd(1), /^(.)\1*$/);
        return cell(text).padEnd(1)[0];
      });
      const [erases, block] = [named("erases"), named("block")].map(([text]) => Number(cell(text)));
      return { fill: fill.reverse().join("").trimEnd(), state, erases, block };
    });
  return Array.from(states.replace(/ /g, ""), (letter, i) => {
    const down = (label: string): string[] =>
      named(label).map((text) => text[i + Math.floor(i / GROUP)] ?? " ");
    return {
      fill: down("").reverse().join("").trimEnd(),
      state: STATES[letter as keyof typeof STATES],
      erases: Number(down("erases").join("")),
      block: Number(down("block").join("")),
    };
  });
}

/** Reads the map of slots back: a character for each. */
export function readSlotMap(out: string): string {
  let cells = "";
  for (const line of section(out, "Slots, ")) {
    const row = /^ *(\d+) {2}(.*)$/.exec(line);
    if (row === null) break;
    assert.equal(Number(row[1]), cells.length);
    const free = /^to (\d+) free$/.exec(row[2]);
    cells += free === null ? row[2].replace(/ /g, "") : ".".repeat(Number(free[1]) + 1 - cells.length);
  }
  return cells;
}

const ROWS = 8;

/** What a column must show of a sector: what there is at all shows, if only a little. */
function fillOf({ state, live, dead, used }: State["sectors"][number]): string {
  const height = (bytes: number): number => Math.ceil((bytes * ROWS) / SECTOR);
  if (state === "ready") return ".".repeat(ROWS);
  if (state === "free") return ":".repeat(ROWS);
  if (state === "bad" || state === "lost") return "?".repeat(ROWS);
  const filled = height(state === "head" ? live + dead : used);
  const column = "#".repeat(height(live)).padEnd(filled, "-");
  return state === "head" ? column.padEnd(ROWS, ".") : column;
}

/** Fails unless the picture of the credentials says what the JSON says. */
export function checkPicture(out: string, { sectors }: State): void {
  const wanted = sectors.map((sector) => {
    const { block, erases, state } = sector;
    return { fill: fillOf(sector), state, erases, block };
  });
  assert.deepEqual(readPicture(out, "Sectors of the credentials"), wanted);
}
