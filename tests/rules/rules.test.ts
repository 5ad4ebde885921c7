// Holds the table of rules to what it says: every rule has a proof, every test that it names exists, and each bug turns the very test
// red that it is named beside, by an assertion.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mutate } from "../support/mutant";
import { NamedTests } from "./named-test";
import type { Proof } from "./rule";
import { RULES } from "./rules";

const ROOT = join(__dirname, "../..");
/** What the lock's credentials, times, guessing and links are judged by. C21 does not exist. */
const WANTED: readonly string[] = [
  ...["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13", "C14", "C15", "C16"],
  ...["C17", "C18", "C19", "C20", "C22", "C23", "C24", "C25"],
  ...["T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "T13", "T14", "T15", "T16"],
  "T17",
  ...["X1", "X2", "X3", "X4", "X5", "X6", "X7", "X11"],
  ...["S12", "K2", "L3", "I2"],
];
const PROOFS = RULES.flatMap(({ id, proofs }) => proofs.map((proof) => ({ id, proof })));

/** The tests of a file as they are, loaded once. */
const known = new Map<string, NamedTests>();

function testsOf(file: string): NamedTests {
  const tests = known.get(file) ?? new NamedTests(file, []);
  known.set(file, tests);
  return tests;
}

/** The full title of the one test that a proof names. Fails where there is none, or more than one. */
function titleOf({ file, title }: Proof): string {
  const titles = testsOf(file).titles.filter((full) => full.includes(title));
  assert.equal(titles.length, 1, `${file} has ${titles.length} tests of "${title}", wanted one`);
  return titles[0];
}

describe("The table of rules", function () {
  this.timeout(120_000);

  it("has every rule once, in words and with a proof", () => {
    assert.deepEqual([...RULES.map(({ id }) => id)].sort(), [...WANTED].sort());
    for (const { id, demands, proofs } of RULES) assert.ok(demands !== "" && proofs.length > 0, id);
  });

  it("has no bug twice beside the same test", () => {
    const seen = PROOFS.map(({ proof }) => JSON.stringify([proof.file, proof.title, proof.mutation]));
    assert.deepEqual(
      seen.filter((text, i) => seen.indexOf(text) !== i),
      [],
    );
  });

  it("has bugs whose text stands in the core exactly once", () => {
    const stale = PROOFS.flatMap(({ id, proof: { bug, mutation } }) => {
      try {
        mutate(mutation.file, readFileSync(join(ROOT, mutation.file), "utf8"), [mutation]);
        return [];
      } catch (error) {
        return [`rule ${id}, "${bug}": ${(error as Error).message}`];
      }
    });
    assert.deepEqual(stale, []);
  });

  it("names tests that exist, each by a part of one title", () => {
    for (const { proof } of PROOFS) titleOf(proof);
  });
});

describe("The tests that the rules name", function () {
  this.timeout(120_000);

  for (const file of new Set(PROOFS.map(({ proof }) => proof.file)))
    it(`are green with the core as it is: ${file}`, async () => {
      const titles = [
        ...new Set(PROOFS.filter(({ proof }) => proof.file === file).map(({ proof }) => titleOf(proof))),
      ];
      const outcomes = await testsOf(file).run(titles);
      const red = outcomes.filter(({ error }) => error !== undefined);
      assert.deepEqual([red.map(({ title }) => title), outcomes.length], [[], titles.length]);
      known.delete(file);
    });
});

describe("The proofs of the rules", function () {
  this.timeout(120_000);

  for (const { id, proof } of PROOFS)
    it(`${id}: "${proof.title}" finds a core that ${proof.bug}`, async () => {
      const { file, mutation, title } = proof;
      const tests = new NamedTests(file, [mutation]);
      const titles = tests.titles.filter((full) => full.includes(title));
      const outcomes = await tests.run(titles);
      const said = outcomes.map(({ title: full, error }) => `${full}: ${error ?? "green"}`).join("\n");
      const where = `rule ${id}, ${mutation.file}, ${file}`;
      assert.ok(outcomes.length === 1 && titles.includes(outcomes[0].title), `${where}:\n${said}`);
      // A core that cannot run, a hook that fails or a test that does not end proves nothing.
      assert.ok(
        outcomes[0].error instanceof assert.AssertionError,
        `${where}: not found by an assertion:\n${said}`,
      );
    });
});
