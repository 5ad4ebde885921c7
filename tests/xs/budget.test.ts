// Holds what the lock costs on its engine against what it may cost, for a full lock of a thousand slots. The figures are XS's own
// counters, so a budget that breaks breaks on every machine.

import assert from "node:assert/strict";
import { serveOnBoardHeap, type XsFigures, xsFigures } from "../bench/xs";
import { ensureXs } from "./engine";
import { BOARD_HEAP, BOARD_STACK } from "./life/live";

const KIB = 1024;

describe("F8 budgets of the lock on XS", () => {
  let figures: XsFigures = {};

  before(async function () {
    this.timeout(600_000);
    await ensureXs();
    figures = await xsFigures();
  });

  /** Asserts that a figure is at most `most`. */
  function within(name: string, most: number): void {
    const value = figures["xs." + name];
    assert.ok(value > 0 && value <= most, name + ": wanted at most " + most + ", got " + value);
  }

  it("adds at most 40 KiB to the heap after its boot, and in service", () => {
    within("heap_bytes_after_boot", 40 * KIB);
    within("heap_bytes_in_service", 40 * KIB);
  });

  it("S5 adds at most 2.25 KiB for Bluetooth, and 13.25 KiB while three centrals are in the middle of a message; nothing stays of them", () => {
    within("heap_bytes_bluetooth", 2.25 * KIB);
    // Half of it are the three rooms of 2,064 bytes in which their messages come together.
    within("heap_bytes_bluetooth_3_lines", 13.25 * KIB);
    assert.equal(figures["xs.heap_bytes_bluetooth_after"], figures["xs.heap_bytes_bluetooth"]);
  });

  it("adds at most 6 bytes to the heap for each slot, all in typed arrays", () => {
    within("heap_bytes_per_slot", 6);
    assert.equal(figures["xs.heap_objects_per_slot"], 0);
  });

  it(
    "runs in a heap of " +
      BOARD_HEAP.slots +
      " slots and " +
      BOARD_HEAP.chunkBytes / KIB +
      " KiB that cannot grow, with every line of Bluetooth in use",
    () => serveOnBoardHeap(),
  );

  it("never needs more than its board has, in a whole life with rebases: heap and stack at the worst moment", () => {
    within("peak_heap_slots", BOARD_HEAP.slots);
    within("peak_heap_chunk_bytes", BOARD_HEAP.chunkBytes);
    within("peak_heap_bytes", 16 * BOARD_HEAP.slots + BOARD_HEAP.chunkBytes);
    within("peak_stack_slots", BOARD_STACK);
  });

  for (const [lock, suffix] of [
    ["a thousand", ""],
    ["ten", "_10_slots"],
  ]) {
    it(
      "C6 looks a PIN up in the same steps whether it is there, is not, or is disabled, among " + lock,
      () => {
        for (const what of ["hit", "miss", "disabled"])
          within("compute_lookup_" + what + suffix, 1.02 * figures["xs.compute_lookup_least" + suffix]);
      },
    );

    it(
      "looks a PIN up among " +
        lock +
        " for little more than the one HMAC of its tag, and decides for less than two",
      () => {
        for (const what of ["hit", "miss", "disabled"]) {
          within("compute_lookup_" + what + suffix, 1.15 * figures["xs.compute_hmac"]);
          within("compute_decide_" + what + suffix, 2 * figures["xs.compute_hmac"]);
        }
        within("compute_decide" + suffix, 2 * figures["xs.compute_hmac"]);
      },
    );
  }

  it("verifies once and signs once for a bundle of 32", () => {
    assert.equal(figures["xs.verifications_per_bundle"], 1);
    assert.equal(figures["xs.signatures_per_bundle"], 1);
  });

  it("applies a bundle of 32, crypto aside, for less than a third of the two signatures' steps", () => {
    const signatures = figures["xs.compute_verify"] + figures["xs.compute_sign"];
    within("compute_apply_bundle_32_own", signatures / 3);
  });

  it("is at most 400 KiB of bytecode, libraries included", () => within("bytecode_bytes", 400 * KIB));
});
