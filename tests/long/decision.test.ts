// The decision suite of the long run: what it takes, and that one situation alone is the same again.

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
});
