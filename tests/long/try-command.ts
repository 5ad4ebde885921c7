// Runs the command of the long run in this process, as its tests do.

import { runLong } from "./command";

/** What a run of the command came to. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command with these words, which blanks part: its exit code, and what it wrote. */
export async function tryCommand(words: string): Promise<Ran> {
  let [out, err] = ["", ""];
  const code = await runLong(words === "" ? [] : words.split(" "), {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    isTerminal: false,
  });
  return { code, out, err };
}
