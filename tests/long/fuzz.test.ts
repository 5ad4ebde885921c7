// The fuzz suite of the long run: what it takes, and that one message alone is the same again.

import assert from "node:assert/strict";
import { FuzzRound } from "../support/fuzz";
import { tryCommand } from "./try-command";

describe("X8 the long run of fuzzed messages", () => {
  it("sends as many messages as it is told to", async () => {
    const { code, out } = await tryCommand("fuzz --json --seed 5 --cases 1200");
    const found = JSON.parse(out);
    assert.deepEqual(
      [code, found.suite, found.seed, found.states, found.violations],
      [0, "fuzz", 5, 1200, {}],
    );
    assert.deepEqual(
      Object.values<{ states: number }>(found.parts).map(({ states }) => states),
      [1000, 200],
    );
  });

  it("sends one message alone after those before it, which is the same each time", async () => {
    const { code, out } = await tryCommand("fuzz --json --seed 5 --case 2039");
    assert.deepEqual([code, JSON.parse(out).states], [0, 40]);
    const rounds = [new FuzzRound(5, 1), new FuzzRound(5, 1)];
    for (let i = 0; i < 200; i++) for (const round of rounds) assert.equal(round.step(), undefined);
    assert.equal(rounds[0].good, rounds[1].good);
  });
});
