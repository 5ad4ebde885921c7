// The decision suite of the long run: what it takes, what it refuses, and that one situation alone is the same again.

import assert from "node:assert/strict";
import { situationOf } from "../support/situations";
import { tryCommand } from "./try-command";

describe("T17 the long run of the decision", () => {
  it("judges as many situations of each part as it is told to", async () => {
    const { code, out } = await tryCommand("decision --json --seed 5 --cases 40");
    const found = JSON.parse(out);
    assert.deepEqual(
      [code, found.suite, found.seed, found.states, found.violations],
      [0, "decision", 5, 80, {}],
    );
  });

  it("judges one situation alone, which is the same each time", async () => {
    const { code, out } = await tryCommand("decision --json --seed 5 --case 39");
    assert.deepEqual([code, JSON.parse(out).states], [0, 2]);
    assert.deepEqual(situationOf(5, 39), situationOf(5, 39));
    assert.notDeepEqual(situationOf(5, 39), situationOf(5, 38));
  });

  it("refuses what means nothing", async () => {
    for (const [words, wanted] of [
      ["--case x", /--case: wanted a whole number, got x/],
      ["--cases -1", /--cases: wanted a whole number, got -1/],
      ["--case 1 --cases 2", /--cases: means nothing beside --case/],
    ] as const) {
      const { code, err } = await tryCommand(`decision ${words}`);
      assert.equal(code, 2, words);
      assert.match(err, wanted);
    }
  });
});
