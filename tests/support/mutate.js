// Runs tests against mutated modules: MUTATION is a JSON array of mutations (see mutant.ts), for example
// MUTATION='[{"file":"…","find":"…","replace":"…"}]' npx mocha -r tests/support/mutate.js tests/….test.ts
// A worker thread is mutated by the same file in its execArgv: ["-r", "./tests/support/mutate.js"].

require("ts-node/register");
const { mutateProcess } = require("./mutant.ts");

mutateProcess(JSON.parse(process.env.MUTATION ?? "[]"));
