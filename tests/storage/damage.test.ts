// The slices of damage that every test run tries: flipped bits, ruined records, stuck and worn sectors.

import { SEED } from "../support/dice";
import { SLICE_TIMEOUT_MS, slice } from "./slice";

const SEEDED = `(seed ${SEED})`;

describe("S4 a table on damaged flash", function () {
  this.timeout(SLICE_TIMEOUT_MS);

  it(`with a flipped bit is as it was, or one slot is denied ${SEEDED}`, async () => {
    await slice("flips");
  });

  it(`with a flipped bit is as it was, or one slot is denied, behind encryption too ${SEEDED}`, async () => {
    await slice("flips", "scrambled");
  });

  it(`with a sector that is stuck loses nothing without a word ${SEEDED}`, async () => {
    await slice("stuck");
  });

  it(`with all sectors worn out loses nothing without a word ${SEEDED}`, async () => {
    await slice("wear");
  });

  it(`with a record, a page or a sector ruined never holds an older truth ${SEEDED}`, async () => {
    await slice("ruin");
  });

  it(`with a record, a page or a sector ruined never holds an older truth, behind encryption too ${SEEDED}`, async () => {
    await slice("ruin", "scrambled");
  });
});
