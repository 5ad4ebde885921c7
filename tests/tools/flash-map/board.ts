// What the tests of the flash map share: the map of the board as it is documented, and a flash laid out by it, written from the chip's
// documentation alone.

import { createHash } from "node:crypto";

/** A row of a table: name, type, subtype, offset, size, flags (1 encrypted, 2 read-only). */
export type Row = readonly [string, number, number, number, number, number];

/** The map of a 4 MB board with these sizes of credentials and events. */
export const boardRows = (credentialBytes: number, eventBytes: number): Row[] => [
  ["nvs", 1, 2, 0x11000, 0x6000, 0],
  ["nvs_keys", 1, 4, 0x17000, 0x1000, 1],
  ["otadata", 1, 0, 0x18000, 0x2000, 0],
  ["phy_init", 1, 1, 0x1a000, 0x1000, 0],
  ["identity", 1, 2, 0x1b000, 0x4000, 0],
  ["ota_0", 0, 0x10, 0x20000, 0x1a0000, 0],
  ["ota_1", 0, 0x11, 0x1c0000, 0x1a0000, 0],
  ["credentials", 1, 0x40, 0x360000, credentialBytes, 1],
  ["events", 1, 0x41, 0x390000, eventBytes, 1],
  ["coredump", 1, 3, 0x3e0000, 0x20000, 1],
];

export const LOCK_ROWS = boardRows(0x30000, 0x50000);
export const L500I_ROWS = boardRows(0x4000, 0x6000);
export const FLASH_BYTES = 0x400000;

/** The table's binary, 3072 bytes. */
export function tableBytes(rows: readonly Row[]): Buffer {
  const entries = rows.map(([name, type, subtype, offset, size, flags]) => {
    const entry = Buffer.alloc(32);
    entry.set([0xaa, 0x50, type, subtype]);
    entry.writeUInt32LE(offset, 4);
    entry.writeUInt32LE(size, 8);
    entry.write(name, 12, "latin1");
    entry.writeUInt32LE(flags, 28);
    return entry;
  });
  const body = Buffer.concat(entries);
  const md5 = createHash("md5").update(body).digest();
  const all = Buffer.concat([body, Buffer.from([0xeb, 0xeb]), Buffer.alloc(14, 0xff), md5]);
  return Buffer.concat([all, Buffer.alloc(0xc00 - all.length, 0xff)]);
}

/** A flash with a table, and parts where the table has them. */
export function flashOf(
  rows: readonly Row[],
  parts: Readonly<Record<string, Uint8Array>>,
  tableAt = 0x10000,
): Buffer {
  const flash = Buffer.alloc(FLASH_BYTES, 0xff);
  flash.set(tableBytes(rows), tableAt);
  for (const [name, content] of Object.entries(parts)) {
    const row = rows.find(([each]) => each === name);
    if (row === undefined || content.length !== row[4]) throw new Error(`${name}: no place for it`);
    flash.set(content, row[3]);
  }
  return flash;
}

const SUBTYPES = ["ota", "phy", "nvs", "coredump", "nvs_keys"];

/** The table's CSV. */
export function csvOf(rows: readonly Row[]): string {
  const lines = rows.map(([name, type, subtype, offset, size, flags]) => {
    const kind = type === 0 ? `ota_${subtype - 0x10}` : (SUBTYPES[subtype] ?? subtype);
    return [name, type === 0 ? "app" : "data", kind, offset, size, flags === 1 ? "encrypted" : ""].join(", ");
  });
  return `# Name, Type, SubType, Offset, Size, Flags\n${lines.join("\n")}\n`;
}
