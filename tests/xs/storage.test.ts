// Proves rule F1 for the storage: a slice of its suite, cuts, flipped bits, stuck and worn sectors, does on XS what it does on Node, to every
// program and erase of flash, and breaks no rule there.

import assert from "node:assert/strict";
import { ensureXs } from "./engine";
import { sliceOnNode, sliceOnXs } from "./storage/machine";

const SEED = 1;
const STRIDES = { cuts: 37, flips: 4001, stuck: 61, wear: 5 };

describe("F1 a slice of the storage suite on XS", () => {
  before(async function () {
    this.timeout(600_000);
    await ensureXs();
  });

  it("writes and erases the same, and breaks no rule", async function () {
    this.timeout(300_000);
    const wanted = await sliceOnNode(SEED, STRIDES);
    assert.deepEqual(wanted.summary.violations, {});
    assert.ok(wanted.summary.states > 100, "states: " + wanted.summary.states);
    assert.deepEqual(await sliceOnXs(SEED, STRIDES), wanted);
  });

  it("depends on all that is written: another seed gives another hash", async () => {
    const few = { cuts: 1000, flips: 100_000, stuck: 1000, wear: 1000 };
    const [one, other] = [await sliceOnNode(SEED, few), await sliceOnNode(SEED + 1, few)];
    assert.notEqual(one.hash, other.hash);
  });
});
