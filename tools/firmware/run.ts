// What `npm run firmware` runs.

import { homedir } from "node:os";
import { resolve } from "node:path";
import { processTerminal } from "../ui/terminal";
import { main } from "./command";

const { argv, env, platform } = process;
const root = resolve(__dirname, "../..");
void main(argv.slice(2), processTerminal(), { env, home: homedir(), platform, root }).then((code) => {
  process.exitCode = code;
});
