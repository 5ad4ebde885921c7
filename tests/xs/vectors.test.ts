// Proves rule F1 by the protocol's own vectors: the code of a lock gives on XS, its engine, what stands in every file of protocol/vectors. The
// judge runs in the machine; here only what it found is looked at.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { noble } from "../../protocol/crypto/noble";
import { VECTOR_FOLDER } from "../vectors/generate";
import { ensureXs } from "./engine";
import type { XsMachine } from "./machine";
import { judge } from "./vectors/judge";
import { FAMILIES, judgeOnXs, startJudge, vectorsOf } from "./vectors/machine";

const TIMEOUT_MS = 300_000;

/** A change of one character, and the family that it must be found in. */
const LIES: readonly (readonly [family: string, text: string, lie: string])[] = [
  ["cbor", '"hex":"00"', '"hex":"1800"'],
  ["derive", "ceac1d37", "ceac1d38"],
  ["chain", "f2df654c", "f2df654d"],
  ["digest", "0273dab8", "0273dab9"],
  ["bluetooth", "4001001406", "4001001506"],
  ["deltas", '"code":"unchanged"', '"code":"applied"'],
];

describe("F1 the vectors on XS", () => {
  let machine: XsMachine;

  before(async function () {
    this.timeout(600_000);
    await ensureXs();
    machine = await startJudge();
  });

  after(() => machine?.close());

  it("are all there", () => {
    assert.deepEqual(FAMILIES.map((family) => family + ".json").sort(), readdirSync(VECTOR_FOLDER).sort());
  });

  for (const family of FAMILIES)
    it("hold for " + family, async function () {
      this.timeout(TIMEOUT_MS);
      const { checks, flaws } = await judgeOnXs(machine, family);
      assert.deepEqual(flaws, []);
      assert.ok(checks >= 9, checks + " checks");
    });

  it("are judged indeed: a lie in one of them is found", function () {
    this.timeout(TIMEOUT_MS);
    for (const [family, text, lie] of LIES) {
      const changed = vectorsOf(family).replace(text, lie);
      assert.notEqual(changed, vectorsOf(family), family);
      assert.notDeepEqual(judge(family, JSON.parse(changed), noble).flaws, [], family);
    }
  });
});
