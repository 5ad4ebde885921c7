// How mocha runs: one process where it is asked for single files; with --parallel, which `npm test` says, one for each core.
const { availableParallelism } = require("node:os");

module.exports = {
  require: ["ts-node/register"],
  ignore: ["tests/xs/node_modules/**"],
  reporter: "tests/support/reporter.js",
  timeout: 60_000,
  color: true,
  jobs: availableParallelism(),
};
