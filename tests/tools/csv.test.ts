// Reading CSV: the line that an editor shows, whatever stands in a cell.

import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSheet, readSheet } from "../../tools/csv";

const table = ({ columns, rows }: ReturnType<typeof parseSheet>) => [
  columns,
  ...rows.map(({ line, cells }) => [line, ...cells]),
];

describe("A51 CSV files", () => {
  it("are read with their own name, a byte order mark or not", () => {
    const folder = mkdtempSync(join(tmpdir(), "csv-"));
    const path = join(folder, "people.csv");
    writeFileSync(path, "\ufeffa,b\n1,ä\n");
    const sheet = readSheet(path);
    rmSync(folder, { recursive: true });
    assert.deepEqual([sheet.file, ...table(sheet)], ["people.csv", ["a", "b"], [2, "1", "ä"]]);
  });

  for (const [name, end] of [
    ["\\n", "\n"],
    ["\\r\\n", "\r\n"],
    ["\\r", "\r"],
  ])
    it(`keep their line numbers with line ends ${name}, empty lines and line breaks in quotes`, () => {
      const lines = ["a,b", "", '"x', 'y", 1 ', "  ", '2,"say ""hi"""', "3"];
      assert.deepEqual(table(parseSheet("f", lines.join(end))), [
        ["a", "b"],
        [3, "x\ny", "1"],
        [6, "2", 'say "hi"'],
        [7, "3"],
      ]);
    });

  it("never show what stands in a broken cell", () => {
    for (const text of ['a,b\n47"1108,2', 'a,b\n"471108']) {
      const { errors = [], rows } = parseSheet("f", text);
      assert.deepEqual([errors.length, rows.length, errors[0].line], [1, 0, 2]);
      assert.equal(JSON.stringify(errors).includes("471"), false);
    }
  });
});
