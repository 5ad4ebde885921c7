// Proves rule F1: the core computes on XS, the engine of the lock, what it computes on Node, to the last byte. A life is told to a
// lock on Node with node:crypto; then its steps, and nothing else, are put to Node and to XS with the portable crypto.

import assert from "node:assert/strict";
import { noble } from "../../protocol/crypto/noble";
import { node } from "../../simulator/board/crypto";
import { ensureXs } from "./engine";
import * as core from "./life/core";
import { startRig } from "./life/machine";
import { type Rig, rig, Step } from "./life/rig";
import { longLife, smallLife } from "./life/stories";
import { splitAnswer, Teller, type Told } from "./life/teller";

/** What the machine takes to load all modules as one script; frozen into flash they load otherwise. */
const STACK_SLOTS = 1280;
const ROW = 16;

/** Every decision that the core can come to. */
const REASONS = [
  ...[
    "granted",
    "bad-entry",
    "unknown",
    "damaged",
    "disabled",
    "wrong-mode",
    "clock-unknown",
    "not-yet-valid",
  ],
  ...["expired", "first-use-missed", "outside-schedule", "used-up", "busy"],
  ...["locked-out", "holiday", "needs-second"],
];

function told(story: (teller: Teller) => void): Teller {
  const teller = new Teller(rig(core, node));
  story(teller);
  return teller;
}

/** Rows of bytes with their offsets, as many as there are about the first difference of two. */
function rowsAbout(bytes: Uint8Array, other: Uint8Array): string[] {
  const first = bytes.findIndex((byte, i) => byte !== other[i]);
  const start = Math.max(0, Math.floor(first / ROW) - 2) * ROW;
  const rows: string[] = [];
  for (let at = start; at < Math.min(start + 6 * ROW, bytes.length); at += ROW)
    rows.push(
      at.toString(16).padStart(6, "0") + " " + Buffer.from(bytes.subarray(at, at + ROW)).toString("hex"),
    );
  return rows;
}

/** What a person reads of an answer when it is not that of Node. */
function readable({ step, label }: Told, answer: Uint8Array, other: Uint8Array): object {
  const { seen, bytes } = splitAnswer(answer);
  const text = step[0] === Step.diary || step[0] === Step.why;
  const shown = text ? JSON.parse(Buffer.from(bytes).toString()) : rowsAbout(bytes, splitAnswer(other).bytes);
  return { label, length: bytes.length, shown, seen: JSON.parse(seen) };
}

function compare(number: number, one: Told, answer: Uint8Array): void {
  if (Buffer.compare(answer, one.answer) === 0) return;
  const wanted = readable(one, one.answer, answer);
  assert.deepEqual(readable(one, answer, one.answer), wanted, "step " + number + ", " + one.label);
  assert.fail("step " + number + ", " + one.label + ": the answers differ");
}

async function livesOnXs(teller: Teller): Promise<void> {
  const machine = await startRig({ stackSlots: STACK_SLOTS });
  try {
    for (const [number, one] of teller.steps.entries()) compare(number, one, await machine.request(one.step));
  } finally {
    await machine.close();
  }
}

function livesOnNode(teller: Teller): void {
  const again: Rig = rig(core, noble);
  for (const [number, one] of teller.steps.entries()) compare(number, one, again(one.step));
}

describe("F1 one life, byte for byte the same", () => {
  before(async function () {
    this.timeout(600_000);
    await ensureXs();
  });

  it("comes to every decision and goes through compactions", () => {
    const long = told(longLife);
    assert.deepEqual([...long.reasons].sort(), [...REASONS].sort());
    const small = told(smallLife);
    const erases = small.steps.map(
      ({ answer }) => JSON.parse(splitAnswer(answer).seen).credentials?.erases ?? 0,
    );
    assert.ok(Math.max(...erases) >= 2, "compactions of a board: " + Math.max(...erases));
  });

  for (const [name, story] of [
    ["a thousand-slot lock", longLife],
    ["a ten-slot lock", smallLife],
  ] as const) {
    it("of " + name + " on Node, with the portable crypto", () => livesOnNode(told(story)));
    it("of " + name + " on XS, frozen, with a small stack", () => livesOnXs(told(story)));
  }
});
