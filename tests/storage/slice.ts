// What a test of the storage suite does: its part of the slice, which must break no rule. A failure shows what broke, and the command
// that repeats it.

import assert from "node:assert/strict";
import { SEED } from "../support/dice";
import type { Part } from "./job";
import { doItems, SLICE } from "./suite";
import type { Tally } from "./summary";
import type { Mode } from "./workload";

/** Milliseconds that a part may take on a busy machine. */
export const SLICE_TIMEOUT_MS = 600_000;

/** Tries the slice of one part in one mode; tells `onStates` how many states it has. Fails with every rule that was broken. */
export async function slice(
  part: Part,
  mode: Mode = "plain",
  onStates: (states: number) => void = () => {},
): Promise<Tally> {
  const items = SLICE.filter((item) => item.part === part && item.mode === mode);
  const tally = (await doItems(items, SEED)).get(part)!;
  onStates(tally.states);
  const counts = Object.entries(tally.violations).map(([kind, count]) => `${count} × ${kind}`);
  const lines = tally.failures.map(
    ({ kind, text, command }) => `${kind}: ${text.slice(0, 300)}\n    ${command}`,
  );
  assert.equal(tally.broken, 0, [`${tally.states} states`, ...counts, ...lines].join("\n"));
  return tally;
}
