// A chip's partition table, in both forms that ESP-IDF has (its "Partition Tables" guide): the CSV that a board is built with, and the
// binary that a dump of the flash holds. Both readers are strict; a lock's map names every place, so the CSV may leave none out.

import { createHash } from "node:crypto";
import { Failure } from "../ui/failure";

/** A piece of the flash. */
export interface Partition {
  /** 1 to 15 characters. */
  readonly name: string;
  /** 0 for an application, 1 for data; others are a project's own. */
  readonly type: number;
  readonly subtype: number;
  /** Both in bytes. */
  readonly offset: number;
  readonly size: number;
  /** Whether flash encryption covers it. */
  readonly encrypted: boolean;
  readonly readonly: boolean;
}

/** Partitions in the order of the table. */
export type PartitionTable = readonly Partition[];

export const SECTOR_BYTES = 0x1000;
/** What a 4 MB chip has. */
export const FLASH_BYTES = 0x400000;
/** Where tables stand: a signed bootloader that encrypts needs the room below the first, others leave it at the second. */
export const TABLE_OFFSETS = [0x10000, 0x8000] as const;

export const Type = { app: 0, data: 1 } as const;
export const Subtype = { ota: 0, nvs: 2, nvsKeys: 4, ota0: 0x10, ota1: 0x11 } as const;

const APP_SUBTYPES: Readonly<Record<string, number>> = { factory: 0, test: 0x20 };
const OTA_SLOTS = 16;
const DATA_SUBTYPES: Readonly<Record<string, number>> = {
  ota: Subtype.ota,
  phy: 1,
  nvs: Subtype.nvs,
  coredump: 3,
  nvs_keys: Subtype.nvsKeys,
  efuse: 5,
  undefined: 6,
};
/** The first type and subtype that are a project's own, and the last. */
const FIRST_OWN = 0x40;
const LAST_OWN = 0xfe;
const NAME = /^[A-Za-z0-9_-]{1,15}$/;

/** The table in a CSV. `path` is named in errors, with the line. Throws a {@link Failure}. */
export function parseTable(path: string, text: string): PartitionTable {
  const table: Partition[] = [];
  text.split(/\r?\n/).forEach((line, i) => {
    if (/^\s*(#|$)/.test(line)) return;
    const wrong = (message: string): Failure => new Failure(`${path}:${i + 1}: ${message}`);
    const partition = parseLine(line, wrong);
    if (table.some(({ name }) => name === partition.name))
      throw wrong(`${partition.name}: stands in a line above already`);
    table.push(partition);
  });
  if (table.length === 0) throw new Failure(`${path}: no partition in it`);
  return table;
}

type Wrong = (message: string) => Failure;

function parseLine(line: string, wrong: Wrong): Partition {
  const cells = line.split(",").map((cell) => cell.trim());
  if (cells.length < 5 || cells.length > 6)
    throw wrong(`wanted name, type, subtype, offset, size and flags, got ${cells.length} columns`);
  const [name, typeText, subtypeText, offset, size, flags = ""] = cells;
  if (!NAME.test(name)) throw wrong(`name "${name}": wanted 1 to 15 letters, digits, "_" or "-"`);
  const type = parseType(typeText, wrong);
  return {
    name,
    type,
    subtype: parseSubtype(type, subtypeText, wrong),
    offset: parseBytes("offset", offset, wrong),
    size: parseBytes("size", size, wrong),
    ...parseFlags(flags, wrong),
  };
}

function parseType(text: string, wrong: Wrong): number {
  if (text === "app") return Type.app;
  if (text === "data") return Type.data;
  const value = parseByte(text);
  const isOwn = value !== undefined && value >= FIRST_OWN && value <= LAST_OWN;
  if (value === Type.app || value === Type.data || isOwn) return value;
  throw wrong(`type "${text}": wanted app, data or 0x40 to 0xfe`);
}

function parseSubtype(type: number, text: string, wrong: Wrong): number {
  const value = parseByte(text);
  if (value !== undefined && value <= LAST_OWN) return value;
  const slot = /^ota_(\d{1,2})$/.exec(text)?.[1];
  if (type === Type.app && slot !== undefined && Number(slot) < OTA_SLOTS) return Subtype.ota0 + Number(slot);
  const names = type === Type.app ? APP_SUBTYPES : type === Type.data ? DATA_SUBTYPES : {};
  if (Object.hasOwn(names, text)) return names[text];
  throw wrong(`subtype "${text}": wanted a name that ESP-IDF has for this type, or 0 to 0xfe`);
}

function parseByte(text: string): number | undefined {
  return /^(0x[0-9a-f]{1,2}|\d{1,3})$/i.test(text) ? Number(text) : undefined;
}

function parseBytes(what: string, text: string, wrong: Wrong): number {
  const match = /^(0x[0-9a-f]{1,8}|\d{1,10})([KM]?)$/i.exec(text);
  if (match === null) throw wrong(`${what} "${text}": wanted bytes such as 0x4000, 16384, 16K or 1M`);
  const unit = { "": 1, K: 1024, M: 1024 * 1024 }[match[2].toUpperCase()] as number;
  return Number(match[1]) * unit;
}

function parseFlags(text: string, wrong: Wrong): { encrypted: boolean; readonly: boolean } {
  const flags = text === "" ? [] : text.split(":").map((flag) => flag.trim());
  for (const flag of flags)
    if (flag !== "encrypted" && flag !== "readonly")
      throw wrong(`flag "${flag}": wanted encrypted or readonly, with ":" between both`);
  return { encrypted: flags.includes("encrypted"), readonly: flags.includes("readonly") };
}

// The binary: 32 bytes for each partition, little-endian: magic (2), type (1), subtype (1), offset (4), size (4), name (16), flags (4);
// then a row with the MD5 of all that is above it, then erased flash.
const ROW_BYTES = 32;
const TABLE_BYTES = 0xc00;
const MAGIC = 0x50aa;
const MD5_MAGIC = 0xebeb;
const AT_NAME = 12;
const NAME_BYTES = 16;
const AT_FLAGS = 28;
const AT_MD5 = 16;
const ENCRYPTED = 1;
const READONLY = 2;

/** Whether a partition table begins at this place. */
export function isTable(flash: Uint8Array, offset: number): boolean {
  return flash.length >= offset + TABLE_BYTES && viewOf(flash, offset).getUint16(0, true) === MAGIC;
}

/** The table that begins at `offset` of the flash; "damaged-table" for anything but what ESP-IDF's own tool writes, MD5 included. */
export function readTable(flash: Uint8Array, offset: number): PartitionTable | "damaged-table" {
  const table: Partition[] = [];
  for (let at = 0; at < TABLE_BYTES; at += ROW_BYTES) {
    const row = viewOf(flash, offset + at);
    const magic = row.getUint16(0, true);
    if (magic === MD5_MAGIC) return isSealed(flash.subarray(offset), at) ? table : "damaged-table";
    const partition = magic === MAGIC ? readRow(row) : undefined;
    if (partition === undefined) return "damaged-table";
    table.push(partition);
  }
  return "damaged-table";
}

function viewOf(flash: Uint8Array, offset: number): DataView {
  return new DataView(flash.buffer, flash.byteOffset + offset, ROW_BYTES);
}

function readRow(row: DataView): Partition | undefined {
  const label = Buffer.from(row.buffer, row.byteOffset + AT_NAME, NAME_BYTES).toString("latin1");
  const name = label.replace(/\0+$/, "");
  const flags = row.getUint32(AT_FLAGS, true);
  if (!NAME.test(name) || (flags & ~(ENCRYPTED | READONLY)) !== 0) return undefined;
  return {
    name,
    type: row.getUint8(2),
    subtype: row.getUint8(3),
    offset: row.getUint32(4, true),
    size: row.getUint32(8, true),
    encrypted: (flags & ENCRYPTED) !== 0,
    readonly: (flags & READONLY) !== 0,
  };
}

/** Whether the row at `at` is the MD5 of the rows above it, and nothing follows. */
function isSealed(table: Uint8Array, at: number): boolean {
  const md5 = createHash("md5").update(table.subarray(0, at)).digest();
  const isErased = (start: number, end: number): boolean =>
    table.subarray(start, end).every((byte) => byte === 0xff);
  return (
    md5.equals(table.subarray(at + AT_MD5, at + ROW_BYTES)) &&
    isErased(at + 2, at + AT_MD5) &&
    isErased(at + ROW_BYTES, TABLE_BYTES)
  );
}
