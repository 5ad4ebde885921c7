// The command of the long run: what it takes, what it refuses, and what it says of one state.

import assert from "node:assert/strict";
import { tryCommand } from "./try-command";

describe("The long run", () => {
  it("shows what there is", async () => {
    for (const words of ["--help", "storage --help"]) {
      const { code, out } = await tryCommand(words);
      assert.equal(code, 0);
      assert.match(out, /storage/);
      assert.match(out, /--help/);
    }
  });

  it("refuses what means nothing, with code 2 and what was wanted", async () => {
    const cases: readonly [string, RegExp][] = [
      ["", /Usage/],
      ["nope", /unknown command 'nope'/],
      ["storage more", /too many arguments/],
      ["storage --nope", /unknown option '--nope'/],
      ["storage --seed x", /--seed: wanted a whole number, got x/],
      ["storage --only everything", /--only: wanted one of cuts, flips, stuck, wear, ruin, got everything/],
      ["storage --stride 0", /--stride: wanted 1 or more/],
      ["storage --only cuts --torn badly", /--torn: wanted one of clean/],
      ["storage --only cuts --operation 1 --second 3:4", /--second: wanted operation:bytes:pattern, got 3:4/],
      ["storage --only cuts --operation 1 --second 3:4:badly", /--second: wanted one of/],
      ["storage --bit 7", /--only: wanted the part/],
      ["storage --only wear --mode scrambled", /leave nothing to try/],
      ["storage --only flips --size small --bit 999999999", /name no state that there is/],
      ["xs --bits 16", /--bits: wanted 32 or 64, got 16/],
      ["xs --only lives", /--only: wanted one of life, small, vectors, storage, got lives/],
    ];
    const ofCases = (suite: string): [string, RegExp][] => [
      [`${suite} --case x`, /--case: wanted a whole number, got x/],
      [`${suite} --cases -1`, /--cases: wanted a whole number, got -1/],
      [`${suite} --case 1 --cases 2`, /--cases: means nothing beside --case/],
    ];
    for (const [words, wanted] of [...cases, ...ofCases("fuzz"), ...ofCases("decision")]) {
      const { code, out, err } = await tryCommand(words);
      assert.equal(code, 2, words);
      assert.equal(out, "", words);
      assert.match(err, wanted);
    }
  });

  it("tries one state, and says in its last line what it found", async () => {
    const state = "--only cuts --size small --phase fill --operation 3 --bytes 5 --torn clean";
    const { code, out } = await tryCommand(`storage --json --seed 7 ${state}`);
    const found = JSON.parse(out.trim().split("\n").at(-1) ?? "");
    assert.deepEqual([found.suite, found.seed, found.violations], ["storage", 7, {}]);
    assert.ok(found.states > 1, "the state, and what its recovery is cut to");
    assert.equal(found.parts.cuts.states, found.states);
    assert.equal(code, 0);
  });

  it("tries one state, and tells a person", async () => {
    const { code, out } = await tryCommand("storage --only flips --size small --mode plain --bit 1000");
    assert.equal(code, 0);
    assert.match(out, /^flips +1 states\n/);
    assert.match(out, / 0 violations\n$/);
  });
});
