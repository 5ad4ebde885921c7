#!/usr/bin/env node

// The `tumbler` command: loads the TypeScript sources as they stand.
require("ts-node").register({ dir: __dirname, transpileOnly: true });
require("../tumbler.ts")
  .main(process.argv.slice(2))
  .then((code) => {
    process.exitCode = code;
  });
