// Puts a life that was told to a lock on Node to others, step by step: to Node again with the portable crypto, and to XS in the heap and on
// the stack of the board, or as prompted steps whose peak is watched. Every answer must be the told one, to the last byte.
//
// What of the machine is not the lock's: built-ins, the core and the other modules (all of that is in flash on the board), the portable
// crypto's modules, and the chips of the virtual board, whose flash is an array here. They are counted in a machine in which no lock's
// code has run yet; beyond that a lock has what the board's `creation` gives it, for everything that it makes from then on: its own
// memory, messages and answers, the working memory of crypto (here the portable one's, which needs more than C), and the rig's own.

import assert from "node:assert/strict";
import { noble } from "../../../protocol/crypto/noble";
import type { Bits } from "../engine";
import type { Heap, Peak, XsMachine } from "../machine";
import * as core from "./core";
import { startPromptedRig, startRig } from "./machine";
import { rig, Step } from "./rig";
import { splitAnswer, Teller, type Told } from "./teller";

/** What the lock's board gives beside its built-ins and preloaded modules: the aim of its `creation`. */
export const BOARD_HEAP = { slots: 3_500, chunkBytes: 64 * 1024 };
/** Stack slots of the board's standard. */
export const BOARD_STACK = 512;
/** What a machine takes to load all modules as one script; preloaded into flash they need no load. */
const LOAD_STACK = 1280;
/** Steps of the engine between two samples of what is live. */
const SAMPLE = 100;
const ROW = 16;

/** A life as it was on Node, with node:crypto. */
export function told(story: (teller: Teller) => void): Teller {
  const teller = new Teller((crypto) => rig(core, crypto));
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

/** Lives it on Node again, with the portable crypto. */
export function liveOnNode({ steps }: Teller): void {
  const again = rig(core, noble);
  for (const [number, one] of steps.entries()) compare(number, one, again(one.step));
}

/** Room for a lock with chunks padded to a wider build's needs; in a heap of no more the engine collects quickly. */
const PLENTY = { slots: 8_000, chunkBytes: 256 * 1024 };

/** Where a life is lived. */
export interface Place {
  /** What the lock may make; see {@link BOARD_HEAP}. Left out, or on an engine whose slots are not the board's: plenty. */
  readonly heap?: { readonly slots: number; readonly chunkBytes: number };
  readonly stackSlots?: number;
  readonly bits?: Bits;
}

/** The steps by which the chips are made, before a lock's code has run even to format them. */
const beforeLock = ({ steps }: Teller): Told[] =>
  steps.slice(
    0,
    steps.findIndex(({ step }) => step[0] === Step.format),
  );

/** What stands in a machine with all but a lock. */
async function lockless(teller: Teller, bits: Bits | undefined, start = startRig): Promise<Heap> {
  const machine = await start({ stackSlots: LOAD_STACK, bits });
  try {
    for (const one of beforeLock(teller)) await put(machine, one, start);
    return await machine.heap();
  } finally {
    await machine.close();
  }
}

const beyond = (heap: Heap, { slots, chunkBytes }: typeof BOARD_HEAP) => ({
  slots: heap.slots + slots,
  nativeChunkBytes: heap.nativeChunkBytes + chunkBytes,
});

async function put(machine: XsMachine, { step, results }: Told, start = startRig): Promise<Uint8Array> {
  if (start === startPromptedRig) await machine.prompt(results);
  return machine.request(step);
}

/** Lives it on XS with the portable crypto. */
export async function liveOnXs(teller: Teller, place: Place = {}): Promise<void> {
  const { bits, stackSlots } = place;
  const before = place.heap && (await lockless(teller, bits));
  // The slots of a wider build are not the board's: there it only has to be the same life.
  const fixed = place.heap && before?.bits === 32 ? beyond(before, place.heap) : undefined;
  const machine = await startRig({ stackSlots: LOAD_STACK, fixed, bits, timeoutMs: 600_000 });
  try {
    if (stackSlots !== undefined) await machine.limitStack(stackSlots);
    for (const [number, one] of teller.steps.entries()) compare(number, one, await machine.request(one.step));
  } finally {
    await machine.close();
  }
}

/** The most that a lock adds to its machine. */
export interface Peaks {
  /** At any moment. At a boot the lock that is gone still stands in the machine in part, though a device begins with empty RAM: too much. */
  readonly all: Peak;
  /** Between boots. */
  readonly running: Peak;
}

const most = (a: Peak, b: Peak): Peak => ({
  slots: Math.max(a.slots, b.slots),
  chunkBytes: Math.max(a.chunkBytes, b.chunkBytes),
  bytes: Math.max(a.bytes, b.bytes),
  stackSlots: Math.max(a.stackSlots, b.stackSlots),
});

/**
 * Lives it on XS with crypto that costs nothing, and gives the most that the lock adds to the machine at once, and how deep its stack is.
 * What it ends with, the test's own reading of flash and events, is not the lock's and not watched.
 */
export async function peakOnXs(teller: Teller, bits?: Bits): Promise<Peaks> {
  const before = await lockless(teller, bits, startPromptedRig);
  const fixed = beyond(before, PLENTY);
  const machine = await startPromptedRig({ stackSlots: LOAD_STACK, fixed, bits, timeoutMs: 600_000 });
  const first = beforeLock(teller).length;
  const last = teller.steps.findIndex(({ step }) => step[0] === Step.credentials);
  const none: Peak = { slots: 0, chunkBytes: 0, bytes: 0, stackSlots: 0 };
  let [running, boots] = [none, none];
  try {
    for (const [number, one] of teller.steps.slice(0, last).entries()) {
      if (number === first) await machine.watch(SAMPLE);
      const isBoot = one.step[0] === Step.powerCycle;
      if (isBoot) running = most(running, await machine.peak(SAMPLE));
      compare(number, one, await put(machine, one, startPromptedRig));
      if (isBoot) boots = most(boots, await machine.peak(SAMPLE));
    }
    running = most(running, await machine.peak());
  } finally {
    await machine.close();
  }
  const added = ({ slots, chunkBytes, bytes, stackSlots }: Peak): Peak => ({
    slots: slots - before.slots,
    chunkBytes: chunkBytes - before.chunkBytes,
    bytes: bytes - before.bytes,
    stackSlots,
  });
  return { all: added(most(running, boots)), running: added(running) };
}
