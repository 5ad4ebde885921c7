// X10, X14: what a board's flash must have for a lock, and that the boards of this project have it, at the places that are documented.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { L500I, LOCK_1000 } from "../../../firmware/core/profile";
import { boardTablePath } from "../../../tools/flash-map/board-set";
import { boardProblems, mapProblems, partProblems } from "../../../tools/flash-map/lock-map";
import { type PartitionTable, parseTable } from "../../../tools/flash-map/partition-table";
import { csvOf, L500I_ROWS, LOCK_ROWS, type Row } from "./board";

const tableOf = (rows: readonly Row[]): PartitionTable => parseTable("p.csv", csvOf(rows));

/** The rows with one of them changed, or without it. */
function changed(name: string, change: Partial<Record<number, Row[number]>> | undefined): Row[] {
  return LOCK_ROWS.flatMap((row) => {
    if (row[0] !== name) return [row];
    return change === undefined ? [] : [row.map((cell, i) => change[i] ?? cell) as unknown as Row];
  });
}

describe("X10 the flash of a board", () => {
  for (const [profile, rows] of [
    [LOCK_1000, LOCK_ROWS],
    [L500I, L500I_ROWS],
  ] as const) {
    const path = boardTablePath(profile);
    const table = parseTable(path, readFileSync(path, "utf8"));

    it(`of ${profile.name} has all that its lock needs, in 4 MB`, () => {
      assert.deepEqual(boardProblems(table, profile), []);
    });

    it(`of ${profile.name} is laid out as documented`, () => {
      const isFlag = (flag: boolean, value: number): number => (flag ? value : 0);
      const found = table.map(
        ({ name, type, subtype, offset, size, encrypted }): Row => [
          name,
          type,
          subtype,
          offset,
          size,
          isFlag(encrypted, 1),
        ],
      );
      assert.deepEqual(found, rows);
    });
  }

  it("of one profile does not do for the other", () => {
    const problems = [
      "credentials: wanted 0x4000 bytes for l500i, got 0x30000",
      "events: wanted 0x6000 bytes for l500i, got 0x50000",
    ];
    assert.deepEqual(partProblems(tableOf(LOCK_ROWS), L500I), problems);
    assert.deepEqual(boardProblems(tableOf(LOCK_ROWS), L500I), problems);
  });

  const CASES: [string, Partial<Record<number, Row[number]>> | undefined, RegExp][] = [
    ["credentials", undefined, /^no partition credentials$/],
    ["events", undefined, /^no partition events$/],
    ["events", { 1: 0, 2: 0x12 }, /^no partition events$/],
    ["identity", undefined, /^no partition identity \(data, nvs\)$/],
    ["identity", { 2: 4 }, /^no partition identity \(data, nvs\)$/],
    ["identity", { 4: 0x2000 }, /^identity: wanted 0x3000 or more bytes, got 0x2000$/],
    ["identity", { 5: 1 }, /^identity: wanted no flag encrypted/],
    ["nvs_keys", undefined, /^no partition nvs_keys \(data, nvs_keys\)$/],
    ["nvs_keys", { 5: 0 }, /^nvs_keys: wanted the flag encrypted$/],
    ["credentials", { 5: 0 }, /^credentials: wanted the flag encrypted$/],
    ["events", { 5: 0 }, /^events: wanted the flag encrypted$/],
    ["otadata", undefined, /^no partition otadata \(data, ota\)$/],
    ["otadata", { 4: 0x1000 }, /^otadata: wanted 0x2000 bytes, got 0x1000$/],
    ["ota_1", undefined, /^no partition ota_1 \(app, ota_1\)$/],
    ["ota_1", { 4: 0x190000 }, /^ota_1: wanted 0x1a0000 as ota_0 has, got 0x190000$/],
    [
      "ota_1",
      { 3: 0x1c8000, 4: 0x190000 },
      /^ota_1: wanted an offset that is a multiple of 0x10000, got 0x1c8000$/,
    ],
    [
      "phy_init",
      { 3: 0x1a800, 4: 0x800 },
      /^phy_init: wanted an offset that is a multiple of 0x1000, got 0x1a800$/,
    ],
    ["phy_init", { 4: 0x800 }, /^phy_init: wanted a size that is a multiple of 0x1000, got 0x800$/],
    ["phy_init", { 4: 0 }, /^phy_init: wanted a size that is a multiple of 0x1000, got 0x0$/],
    ["phy_init", { 4: 0x2000 }, /^identity: begins at 0x1b000, inside phy_init$/],
    ["nvs", { 3: 0x10000 }, /^nvs: begins at 0x10000, inside the partition table$/],
    ["coredump", { 4: 0x21000 }, /^coredump: ends at 0x401000, beyond the flash of 0x400000$/],
  ];
  for (const [name, change, wanted] of CASES)
    it(`is refused where ${name} is ${change === undefined ? "missing" : `changed in ${JSON.stringify(change)}`}`, () => {
      const problems = boardProblems(tableOf(changed(name, change)), LOCK_1000);
      assert.ok(
        problems.some((problem) => wanted.test(problem)),
        problems.join("\n"),
      );
    });

  it("sees a partition inside one that begins far before it", () => {
    const rows: Row[] = [
      ["wide", 1, 6, 0x20000, 0x100000, 0],
      ["a", 1, 6, 0x30000, 0x1000, 0],
      ["b", 1, 6, 0x40000, 0x1000, 0],
    ];
    assert.deepEqual(mapProblems(tableOf(rows), 0x10000), [
      "a: begins at 0x30000, inside wide",
      "b: begins at 0x40000, inside wide",
    ]);
  });

  it("may be as large as its chip, with the table at either place", () => {
    const rows: Row[] = [["last", 1, 6, 0x7ff000, 0x1000, 0]];
    assert.equal(mapProblems(tableOf(rows), 0x8000).length, 1);
    assert.deepEqual(mapProblems(tableOf(rows), 0x8000, 0x800000), []);
    assert.deepEqual(mapProblems(tableOf([["first", 1, 2, 0x9000, 0x1000, 0]]), 0x8000), []);
  });
});
