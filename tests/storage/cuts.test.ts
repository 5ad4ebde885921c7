// The slice of all cuts that every test run tries: every second or third operation, cut after each of its bytes in each pattern.

import assert from "node:assert/strict";
import { SEED } from "../support/dice";
import { tell } from "../support/tell";
import { SLICE_TIMEOUT_MS, slice } from "./slice";
import { bootWorld, performAll, settingOf } from "./world";

/** Cut states that every test run tries at least. */
const STATES = 100_000;
/** Sectors that the large workload compacts at least. */
const COMPACTIONS = 40;

describe("S2 S4 a table after a cut", function () {
  this.timeout(SLICE_TIMEOUT_MS);
  let states = 0;

  for (const [mode, where] of [
    ["plain", "on plain flash"],
    ["scrambled", "where an erased sector reads as noise"],
  ] as const)
    it(`is exactly as before or after what was in flight, and goes on, ${where} (seed ${SEED})`, async function () {
      const tally = await slice("cuts", mode, (tried) => {
        states += tried;
      });
      tell(this, `${tally.states} states, ${tally.notes["second cuts"]} of them cut twice`);
    });

  it("is tried in a hundred thousand states", () => assert.ok(states >= STATES, `${states} states`));
});

describe("The large workload", () => {
  it("has 1000 puts, 1000 changes and 500 revokes on a full table, and goes once round the partition", () => {
    const job = { part: "cuts", size: "full", mode: "plain", phase: "life", seed: SEED } as const;
    const setting = settingOf({ ...job, share: 0, of: 1, stride: 1 });
    const counts = new Map<string, number>();
    for (const { op } of setting.operations) counts.set(op, (counts.get(op) ?? 0) + 1);
    assert.ok(counts.get("put")! >= 1000 && counts.get("change") === 1000);
    assert.ok(counts.get("drop")! + counts.get("revoke")! >= 500 && counts.get("revoke")! > 250);
    const { table, flash } = bootWorld({ ...job, share: 0, of: 1, stride: 1 }, {});
    assert.equal(table.index.used, table.profile.slots);
    performAll(table, setting.operations);
    assert.ok(flash.nor.counters.erases >= COMPACTIONS, `${flash.nor.counters.erases} erases`);
    assert.equal(flash.nor.misuse, undefined);
  });
});
