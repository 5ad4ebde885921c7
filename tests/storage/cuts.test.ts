// The slice of all cuts that every test run tries: all operations are cut at all of their bytes, every second one of them.

import assert from "node:assert/strict";
import { SEED } from "../support/dice";
import { SLICE_TIMEOUT_MS, slice } from "./slice";

/** Cut states that every test run tries at least. */
const STATES = 100_000;

describe("S2 S4 a table after a cut", function () {
  this.timeout(SLICE_TIMEOUT_MS);
  let states = 0;

  for (const [mode, where] of [
    ["plain", "on plain flash"],
    ["scrambled", "where an erased sector reads as noise"],
  ] as const)
    it(`is exactly as before or after what was in flight, and goes on, ${where} (seed ${SEED})`, async () => {
      const tally = await slice("cuts", mode);
      console.log(`      ${tally.states} states, ${tally.notes["second cuts"]} of them cut twice`);
      states += tally.states;
    });

  it("is tried in a hundred thousand states", () => assert.ok(states >= STATES, `${states} states`));
});
