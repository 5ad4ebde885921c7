// The slice of the storage suite as one program, on Node and on XS: not the same sources, the same text.

import { runInNewContext } from "node:vm";
import { bundle } from "../bundle";
import { type MachineOptions, XsMachine } from "../machine";
import type { Strides, Transcript } from "./slice";

const SLICE = `
  import { transcript } from "./tests/xs/storage/slice";
  export const told = (seed, strides) => JSON.stringify(transcript(seed, strides));`;

/** What judges tables can also sum up digests, which is no matter here. */
const WITHOUT = ["node:crypto"];

const callOf = (seed: number, strides: Strides): string =>
  "bundle.told(" + seed + ", " + JSON.stringify(strides) + ")";

export async function sliceOnNode(seed: number, strides: Strides): Promise<Transcript> {
  const { code } = await bundle({ text: SLICE }, { without: WITHOUT });
  return JSON.parse(runInNewContext(code + "\n" + callOf(seed, strides)));
}

/** The same on a frozen machine. */
export async function sliceOnXs(
  seed: number,
  strides: Strides,
  options: MachineOptions = {},
): Promise<Transcript> {
  const { code } = await bundle({ text: SLICE }, { without: WITHOUT });
  const machine = await XsMachine.start({ timeoutMs: 600_000, ...options, frozen: true });
  try {
    await machine.evaluate(code);
    return JSON.parse(String((await machine.evaluate(callOf(seed, strides))).value));
  } finally {
    await machine.close();
  }
}
