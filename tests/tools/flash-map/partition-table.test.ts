// The chip's partition table: ESP-IDF's CSV and binary are read, and nothing that is not quite one.

import assert from "node:assert/strict";
import fc from "fast-check";
import { isTable, type Partition, parseTable, readTable } from "../../../tools/flash-map/partition-table";
import { Failure } from "../../../tools/ui/failure";
import { csvOf, LOCK_ROWS, type Row, tableBytes } from "./board";

const partitionOf = ([name, type, subtype, offset, size, flags]: Row): Partition => ({
  name,
  type,
  subtype,
  offset,
  size,
  encrypted: (flags & 1) !== 0,
  readonly: (flags & 2) !== 0,
});
const LOCK = LOCK_ROWS.map(partitionOf);

function refused(text: string, message: RegExp): void {
  assert.throws(
    () => parseTable("p.csv", text),
    (error: unknown) => {
      assert.ok(error instanceof Failure, String(error));
      assert.match(error.message, message);
      return true;
    },
  );
}

describe("A partition table as CSV", () => {
  it("is read, with comments, empty lines, spaces, and either end of line", () => {
    assert.deepEqual(parseTable("p.csv", csvOf(LOCK_ROWS)), LOCK);
    const text =
      "\n# a comment, with commas,,,\r\n\r\n  nvs ,data,nvs,0x9000 , 24K\r\nown,0x40,7,64K,0x1000,encrypted:readonly";
    assert.deepEqual(parseTable("p.csv", text), [
      partitionOf(["nvs", 1, 2, 0x9000, 0x6000, 0]),
      partitionOf(["own", 0x40, 7, 0x10000, 0x1000, 3]),
    ]);
  });

  it("has sizes in bytes, hexadecimal, K and M", () => {
    for (const [text, bytes] of [
      ["4096", 4096],
      ["0x1000", 4096],
      ["0XaB000", 0xab000],
      ["4K", 4096],
      ["1m", 1 << 20],
      ["0x2K", 2048],
    ] as const)
      assert.equal(parseTable("p.csv", `a,data,nvs,0,${text}`)[0].size, bytes, text);
    for (const text of ["", "-4096", "4 K", "4G", "0x", "1.5M", "4KB", "N/A", "0x123456789"])
      refused(`a,data,nvs,0,${text}`, /^p\.csv:1: size ".*": wanted bytes such as/);
  });

  it("has the types and subtypes that ESP-IDF has", () => {
    const subtypes: [string, string, number][] = [
      ["app", "factory", 0],
      ["app", "test", 0x20],
      ["app", "ota_0", 0x10],
      ["app", "ota_15", 0x1f],
      ["data", "ota", 0],
      ["data", "nvs_keys", 4],
      ["data", "undefined", 6],
      ["data", "0xfe", 0xfe],
      ["0xFE", "254", 254],
      ["64", "0", 0],
    ];
    for (const [type, subtype, value] of subtypes)
      assert.equal(parseTable("p.csv", `a,${type},${subtype},0,4K`)[0].subtype, value);
    for (const type of ["", "App", "2", "0x3f", "0xff", "256", "bootloader"])
      refused(`a,${type},0,0,4K`, /:1: type ".*": wanted app, data or 0x40 to 0xfe/);
    for (const [type, subtype] of [
      ["app", "ota_16"],
      ["app", "nvs"],
      ["data", "factory"],
      ["data", "ota_0"],
      ["data", ""],
      ["data", "0xff"],
      ["data", "toString"],
      ["0x40", "nvs"],
    ])
      refused(`a,${type},${subtype},0,4K`, /:1: subtype ".*": wanted a name that ESP-IDF has/);
  });

  it("is refused with the line of what is wrong", () => {
    const good = "# head\nnvs,data,nvs,0x9000,24K\n";
    refused(
      `${good}a,data,nvs,0`,
      /^p\.csv:3: wanted name, type, subtype, offset, size and flags, got 4 columns$/,
    );
    refused(`${good}a,data,nvs,0,4K,,`, /^p\.csv:3: .*got 7 columns$/);
    refused(`${good}nvs,data,nvs,0,4K`, /^p\.csv:3: nvs: stands in a line above already$/);
    refused(`${good}\n,data,nvs,0,4K`, /^p\.csv:4: name "": wanted 1 to 15/);
    refused(`${good}sixteen-letters-,data,nvs,0,4K`, /^p\.csv:3: name "sixteen-letters-"/);
    refused(`${good}a,data,nvs,,4K`, /^p\.csv:3: offset "": wanted bytes/);
    refused(`${good}a,data,nvs,0,4K,secret`, /^p\.csv:3: flag "secret": wanted encrypted or readonly/);
    refused("# nothing\n", /^p\.csv: no partition in it$/);
    assert.equal(parseTable("p.csv", "fifteen-letters,data,nvs,0,4K").length, 1);
  });

  it("is never an exception of the program, whatever stands in it", () => {
    const cell = fc.oneof(fc.string(), fc.constantFrom("data", "nvs", "0x1000", "4K", "encrypted", "a"));
    const line = fc.array(cell, { maxLength: 7 }).map((cells) => cells.join(","));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
        try {
          parseTable("p.csv", lines.join("\n"));
        } catch (error) {
          assert.ok(error instanceof Failure, String(error));
        }
      }),
    );
  });
});

describe("A partition table in a flash", () => {
  it("is read where it stands", () => {
    const flash = Buffer.concat([Buffer.alloc(0x8000, 0xff), tableBytes(LOCK_ROWS)]);
    assert.ok(isTable(flash, 0x8000));
    assert.deepEqual(readTable(flash, 0x8000), LOCK);
    assert.ok(!isTable(flash, 0));
    assert.ok(!isTable(flash, 0x8020 + 0xc00));
    assert.ok(!isTable(flash.subarray(0, -1), 0x8000), "one byte short");
  });

  it("holds as many partitions as fit, with their MD5 behind them", () => {
    const rows = Array.from({ length: 95 }, (_, i): Row => [`p${i}`, 1, 6, 0x11000 + i * 0x1000, 0x1000, 2]);
    assert.deepEqual(readTable(tableBytes(rows), 0), rows.map(partitionOf));
    const full = tableBytes(rows);
    full.copy(full, 95 * 32, 0, 32);
    assert.equal(readTable(full, 0), "damaged-table");
  });

  it("is refused with any single bit flipped", () => {
    const good = tableBytes(LOCK_ROWS);
    const used = 8 * 32 * (LOCK_ROWS.length + 1);
    // Of what is erased one bit of each byte does.
    for (let bit = 0; bit < 8 * good.length; bit += bit < used ? 1 : 9) {
      const bytes = Buffer.from(good);
      bytes[bit >> 3] ^= 1 << (bit & 7);
      assert.equal(readTable(bytes, 0), "damaged-table", `bit ${bit}`);
    }
  });

  it("is refused without its MD5, and with names or flags that none has", () => {
    const noMd5 = tableBytes(LOCK_ROWS);
    noMd5.fill(0xff, LOCK_ROWS.length * 32, (LOCK_ROWS.length + 1) * 32);
    assert.equal(readTable(noMd5, 0), "damaged-table");
    for (const row of [
      ["a\0b", 1, 2, 0, 4096, 0] as const,
      ["", 1, 2, 0, 4096, 0] as const,
      ["a", 1, 2, 0, 4096, 4] as const,
    ])
      assert.equal(readTable(tableBytes([row]), 0), "damaged-table");
  });
});
