#!/usr/bin/env node
"use strict";
// The `tumbler` command: loads the TypeScript sources as they stand.
require("ts-node").register({ dir: __dirname, transpileOnly: true });
require("../tumbler.ts");
