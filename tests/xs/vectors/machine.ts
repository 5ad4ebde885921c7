// The judge of the vectors in a machine: frozen as on a lock, the vectors as the text of a program.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startWith, type XsMachine } from "../harness";
import type { MachineOptions } from "../machine";
import type { Verdict } from "./judge";

const FOLDER = join(__dirname, "../../../protocol/vectors");
const JUDGE = `
  import { judge } from "./tests/xs/vectors/judge";
  import { noble } from "./protocol/crypto/noble";
  export const verdict = (family, vectors) => JSON.stringify(judge(family, vectors, noble));`;

/** The families, which are the names of the files. */
export const FAMILIES: readonly string[] = [
  ...["cbor", "derive", "ed25519", "chain", "digest", "events", "bluetooth", "messages", "envelopes"],
  ...["deltas", "sessions"],
];

const textOf = (name: string): string => readFileSync(join(FOLDER, name + ".json"), "utf8");

/** What the judge takes for a family, as JSON. */
export function vectorsOf(family: string): string {
  if (family !== "deltas") return textOf(family);
  const parts = ["deltas", "messages", "envelopes"].map((name) => JSON.stringify(name) + ": " + textOf(name));
  return "{" + parts.join() + "}";
}

/** A machine with the judge. The caller closes it. */
export function startJudge(options: MachineOptions = {}): Promise<XsMachine> {
  return startWith({ text: JUDGE }, { timeoutMs: 300_000, ...options, frozen: true });
}

/** What the judge in a machine says of a family. */
export async function judgeOnXs(machine: XsMachine, family: string): Promise<Verdict> {
  const call = "bundle.verdict(" + JSON.stringify(family) + ", " + vectorsOf(family) + ")";
  return JSON.parse(String((await machine.evaluate(call)).value));
}
