// How mocha runs: one process where it is asked for single files; with --parallel, which `npm test` says, one for each core, and then the
// files that take longest come first, so that no core is left alone with one of them at the end.
const { readdirSync } = require("node:fs");
const { availableParallelism } = require("node:os");

const LONGEST_FIRST = [
  "tests/storage/cuts.test.ts",
  "tests/tools/store/kill.test.ts",
  "tests/xs/life.test.ts",
  "tests/xs/budget.test.ts",
  "tests/xs/vectors.test.ts",
  "tests/storage/known-bugs.test.ts",
  "tests/xs/storage.test.ts",
  "tests/sync/interleaving.test.ts",
];

function allTests() {
  const files = readdirSync("tests", { recursive: true })
    .map((name) => "tests/" + name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".test.ts") && !name.includes("node_modules/"))
    .sort();
  const first = LONGEST_FIRST.filter((name) => files.includes(name));
  return [...first, ...files.filter((name) => !first.includes(name))];
}

const isWhole = process.argv.includes("--parallel") && !process.argv.some((arg) => arg.includes(".test.ts"));

module.exports = {
  require: ["ts-node/register"],
  reporter: "tests/support/reporter.js",
  timeout: 60_000,
  color: true,
  jobs: availableParallelism(),
  ...(isWhole ? { spec: allTests() } : { ignore: ["tests/xs/node_modules/**"] }),
};
