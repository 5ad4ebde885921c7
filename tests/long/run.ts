// `npm run test:long -- <suite>`: what takes too long for every test run.

import { runLong } from "./command";

const { stdout, stderr } = process;

runLong(process.argv.slice(2), {
  out: (text) => stdout.write(text),
  err: (text) => stderr.write(text),
  isTerminal: stderr.isTTY,
}).then((code) => {
  process.exitCode = code;
});
