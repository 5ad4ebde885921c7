// Checks the checks: the storage suite, in small samples, finds every bug of a list in a core that has it, and nothing in the core as
// it is.

import assert from "node:assert/strict";
import { loadMutated, type Mutation } from "../support/mutant";
import { KNOWN_BUGS } from "./known-bugs";
import type { SampleName } from "./samples";

/** What a sample finds in a core with these mutations, undefined for nothing. */
function found(when: SampleName, mutations: readonly Mutation[]): string | undefined {
  const { SAMPLES } = loadMutated(mutations, "tests/storage/samples.ts") as typeof import("./samples");
  try {
    return SAMPLES[when]();
  } catch (error) {
    return String(error);
  }
}

describe("S4 the storage suite", function () {
  this.timeout(300_000);

  // What cuts.test.ts and damage.test.ts try on the core as it is has the samples of cuts in it, and that of stuck sectors whole.
  const isTried = (when: SampleName): boolean =>
    when.startsWith("the power goes") || when === "a sector is stuck";
  const samples = new Set(KNOWN_BUGS.map((bug) => bug.when).filter((when) => !isTried(when)));
  for (const when of samples)
    it(`finds nothing in the core as it is when ${when}`, () => assert.equal(found(when, []), undefined));

  for (const { name, when, mutations } of KNOWN_BUGS)
    it(`finds a core that ${name}, when ${when}`, () => {
      const what = found(when, mutations);
      assert.notEqual(what, undefined, "the suite does not find it");
      // A mutant that is no program proves nothing.
      assert.doesNotMatch(what!, /ReferenceError|SyntaxError/);
    });
});
