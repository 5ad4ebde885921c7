// What the lock costs on its engine, in XS's own counters, which are the same on every run. `compute` counts steps of the engine: one
// for each instruction, and for each step within a built-in. It says nothing of how long a step takes: one of big-integer arithmetic
// takes longer than one of bytes, so steps compare best among like things.
//
// The lock is a claimed, full one of a thousand slots, made on Node and loaded as flash images. The crypto is the portable one; on a
// lock with crypto in C its steps and its heap go away, and only `own` of a bundle stays.

import { MTU } from "../../firmware/core/bluetooth";
import { L500I, LOCK_1000, type Profile } from "../../firmware/core/profile";
import { MAX_RADIO_SESSIONS } from "../../firmware/core/session";
import { signTime } from "../../protocol/issuer/encode";
import { ascii } from "../../protocol/wire/bytes";
import { MAX_BUNDLE_DELTAS, MAX_MESSAGE_BYTES } from "../../protocol/wire/limits";
import { frame, helloBody, Type } from "../../protocol/wire/messages";
import { Setting } from "../../protocol/wire/settings";
import { Door } from "../support/door";
import { bytecodeBytes, type Heap, type XsMachine } from "../xs/harness";
import { BOARD_HEAP, peakOnXs, told } from "../xs/life/live";
import { startBesideCore } from "../xs/life/machine";
import { longLife } from "../xs/life/stories";
import { packIdentity } from "./xs-rig";

/** Named figures; names with `heap` and `bytecode` are bytes, those with `compute` steps of the engine. */
export type XsFigures = Record<string, number>;

const BESIDE = `
  import { Bench, Tape } from "./tests/bench/xs-rig";
  import { noble } from "./protocol/crypto/noble";
  import { verifySignature } from "./protocol/crypto/verify";
  export { Tape, noble, verifySignature };
  globalThis.bench = new Bench(core);
  globalThis.handleRequest = (bytes) => bench.request(bytes);`;
/** All that a lock with portable crypto runs. */
const FIRMWARE = `
  export { Lock } from "./firmware/core/lock";
  export { formatParts } from "./firmware/core/parts";
  export { noble } from "./protocol/crypto/noble";`;

const SLOTS = 1000;
const FEW_SLOTS = 10;
const COUNTED = 3;
const SCHEDULED = 4;
/** The random bytes of the rig's board. */
const NONCE = new Uint8Array(8).fill(7);
/** A bundle's message and a receipt's, about as long as they are when they are signed. */
const BUNDLE_BYTES = 1800;
const RECEIPT_BYTES = 240;
const EVERY_DAY = 127;

const pinOf = (slot: number): string => String(10_000_000 + slot * 80_021);
const literal = (bytes: Uint8Array): string => "new Uint8Array([" + Array.from(bytes).join() + "])";
const digits = (pin: string): string => literal(ascii(pin));

/** Which slots of a lock are what. */
interface Layout {
  readonly profile: Profile;
  readonly disabled: number;
  /** So many PINs are looked up of each kind: chains of the index differ in length. */
  readonly samples: number;
  /** The slot of a sample that opens. */
  readonly hit: (i: number) => number;
}

const LARGE: Layout = { profile: LOCK_1000, disabled: 500, samples: 6, hit: (i) => i * 41 + 300 };
const SMALL: Layout = { profile: L500I, disabled: 5, samples: 3, hit: (i) => i };

/** A lock with all slots filled, of which one counts its uses, one has a schedule of eight windows and some are disabled. */
function fullLock({ profile, disabled, samples }: Layout = LARGE): Door {
  const door = new Door({ profile });
  const zone = ascii("CET-1CEST,M3.5.0,M10.5.0/3");
  const windows = Array.from({ length: 8 }, (_, i) => ({ days: EVERY_DAY, start: i * 180, duration: 170 }));
  door.apply({ op: "set", setting: Setting.zone, value: zone }, { op: "put-schedule", id: 1, windows });
  const first = door.seq + 1;
  const day = { start: door.now - 3600, end: door.now + 86_400 };
  const puts = Array.from({ length: profile.slots }, (_, slot) => {
    const more = { uses: slot === COUNTED ? 1000 : 0, schedule: slot === SCHEDULED ? 1 : 0 };
    return door.pin(slot, pinOf(slot), { ...more, ...(slot === SCHEDULED ? day : {}) });
  });
  door.apply(...puts);
  for (let slot = disabled; slot < disabled + samples; slot++)
    door.apply({ op: "disable", slot, generation: first + slot });
  return door;
}

/** A bundle that replaces 32 slots from `slot` on. */
function replacing(door: Door, slot: number, firstPin: number): Uint8Array {
  const puts = Array.from({ length: MAX_BUNDLE_DELTAS }, (_, i) => {
    // The two deltas before the first put had the seqs 1 and 2.
    const more = { generation: slot + i + 3, start: door.now - 60, end: door.now + 86_400, schedule: 1 };
    return door.pin(slot + i, String(firstPin + i), more);
  });
  return door.bundle(puts);
}

/** The messages by which a lock learns the time. */
function introduction(door: Door): Uint8Array[] {
  const answer = { lock: door.identity.lock, nonce: NONCE, time: door.now, timeEpoch: 0 };
  return [
    frame(Type.hello, 1, helloBody(MAX_MESSAGE_BYTES)),
    frame(Type.time, 2, signTime(door.crypto, door.issuer, answer)),
  ];
}

/** The messages that a lock gets: it learns the time, then two bundles, of which the second is measured. */
function conversation(door: Door): Uint8Array[] {
  return [
    ...introduction(door),
    frame(Type.bundle, 3, replacing(door, 100, 20_000_000)),
    frame(Type.bundle, 4, replacing(door, 200, 30_000_000)),
  ];
}

async function load(machine: XsMachine, door: Door): Promise<void> {
  const { identity, credentials, events } = door.board.image();
  for (const part of [packIdentity(identity), credentials, events]) await machine.request(part);
}

/** Holds the conversation; gives the compute of each message. */
async function talk(machine: XsMachine, messages: readonly Uint8Array[]): Promise<number[]> {
  const computes: number[] = [];
  for (const message of messages) {
    const { bytes, meter } = await machine.meteredRequest(message);
    if (bytes.length < 4) throw new Error("bench: no answer");
    computes.push(meter.compute);
  }
  return computes;
}

const compute = async (machine: XsMachine, statements: string): Promise<number> =>
  (await machine.measure(statements)).compute;

async function run(machine: XsMachine, statements: string): Promise<number> {
  return (await machine.evaluate(statements + "; undefined")).meter.compute;
}

async function growth(machine: XsMachine, before: Heap, statements: string): Promise<number> {
  await run(machine, statements);
  return (await machine.heap()).bytes - before.bytes;
}

/** The compute of looking up PINs, the least and the most. */
async function lookups(machine: XsMachine, pins: readonly string[]): Promise<[number, number]> {
  const computes: number[] = [];
  for (const pin of pins) computes.push(await compute(machine, `bench.lookup(${digits(pin)})`));
  return [Math.min(...computes), Math.max(...computes)];
}

/** The compute of one entry at the keypad: tag, decision, commit, event and bolt. */
async function entry(machine: XsMachine, pin: string): Promise<number> {
  await run(machine, `globalThis.typed = ${digits(pin)}`);
  const steps = await run(machine, "bench.enter(typed)");
  await run(machine, "bench.lock.tick()");
  return steps;
}

/** A door at which people open, and somebody types what no slot has and what a disabled one has; names end in `suffix`. */
async function doorFigures(
  machine: XsMachine,
  { disabled, samples, hit: slotOf }: Layout,
  suffix = "",
): Promise<XsFigures> {
  const numbers = Array.from({ length: samples }, (_, i) => i);
  const pins = {
    hit: numbers.map((i) => pinOf(slotOf(i))),
    miss: numbers.map((i) => String(90_000_000 + i)),
    disabled: numbers.map((i) => pinOf(disabled + i)),
  };
  const hit = await lookups(machine, pins.hit);
  const miss = await lookups(machine, pins.miss);
  const off = await lookups(machine, pins.disabled);
  const decisions: number[] = [];
  for (const slot of [0, COUNTED, SCHEDULED])
    decisions.push(await compute(machine, `bench.open(${digits(pinOf(slot))})`));
  const figures: XsFigures = {
    "xs.compute_lookup": Math.max(hit[1], miss[1], off[1]),
    "xs.compute_lookup_hit": hit[1],
    "xs.compute_lookup_miss": miss[1],
    "xs.compute_lookup_disabled": off[1],
    "xs.compute_lookup_least": Math.min(hit[0], miss[0], off[0]),
    "xs.compute_decide": Math.max(...decisions),
    "xs.compute_decide_hit": await entry(machine, pins.hit[0]),
    "xs.compute_decide_miss": await entry(machine, pins.miss[0]),
    "xs.compute_decide_disabled": await entry(machine, pins.disabled[0]),
  };
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name + suffix, value]));
}

/** The same at the door of a ten-slot lock. */
async function smallDoorFigures(): Promise<XsFigures> {
  const door = fullLock(SMALL);
  const machine = await startBesideCore(BESIDE);
  try {
    await load(machine, door);
    await run(machine, "bench.makeBoard(); bench.boot(); bench.lock.tick()");
    await talk(machine, introduction(door));
    return await doorFigures(machine, SMALL, "_10_slots");
  } finally {
    await machine.close();
  }
}

async function signatureFigures(machine: XsMachine): Promise<XsFigures> {
  await run(machine, "globalThis.seed = new Uint8Array(32).fill(9)");
  await run(machine, "globalThis.publicKey = beside.noble.ed25519PublicKey(seed)");
  await run(machine, `globalThis.bundle = new Uint8Array(${BUNDLE_BYTES})`);
  await run(machine, "globalThis.signature = beside.noble.ed25519Sign(bundle, seed)");
  const verify = "beside.verifySignature(beside.noble, signature, bundle, publicKey)";
  return {
    "xs.compute_verify": await compute(machine, verify),
    "xs.compute_sign": await compute(
      machine,
      `beside.noble.ed25519Sign(bundle.subarray(0, ${RECEIPT_BYTES}), seed)`,
    ),
  };
}

/** One lock from its boot on. */
async function lockFigures(machine: XsMachine, messages: readonly Uint8Array[]): Promise<XsFigures> {
  await run(machine, "bench.makeBoard()");
  // What the crypto's modules make on their first use is not the lock's.
  await run(
    machine,
    "beside.noble.ed25519PublicKey(beside.noble.hmacSha256(new Uint8Array(32), new Uint8Array(9)))",
  );
  const before = await machine.heap();
  const boot = await run(machine, "bench.boot()");
  const tick = await run(machine, "bench.lock.tick()");
  const booted = await growth(machine, before, "");
  const [, , first, bundle] = await talk(machine, messages);
  const hmac = await compute(machine, `bench.hmac(${digits("123456789")})`);
  const atDoor = await doorFigures(machine, LARGE);
  const served = await growth(machine, before, "");
  return {
    "xs.compute_hmac": hmac,
    ...atDoor,
    "xs.heap_bytes_after_boot": booted,
    "xs.heap_bytes_in_service": served,
    "xs.compute_boot": boot,
    "xs.compute_first_tick": tick,
    "xs.compute_first_receipt": first - bundle,
    "xs.compute_apply_bundle_32": bundle,
  };
}

/** The same conversation with all crypto from a tape: what the lock does itself for the last bundle, and what it asks the crypto for. */
async function ownFigures(machine: XsMachine, messages: readonly Uint8Array[]): Promise<XsFigures> {
  await run(machine, "bench.makeBoard(globalThis.tape = new beside.Tape()); bench.boot(); bench.lock.tick()");
  await talk(machine, messages.slice(0, -1));
  const asked = "tape.verifications + ' ' + tape.signatures";
  const before = String((await machine.evaluate(asked)).value).split(" ");
  await talk(machine, messages.slice(-1));
  const after = String((await machine.evaluate(asked)).value).split(" ");
  await run(machine, "bench.makeBoard(new beside.Tape(tape)); bench.boot(); bench.lock.tick()");
  const computes = await talk(machine, messages);
  return {
    "xs.compute_apply_bundle_32_own": computes[computes.length - 1],
    "xs.verifications_per_bundle": Number(after[0]) - Number(before[0]),
    "xs.signatures_per_bundle": Number(after[1]) - Number(before[1]),
  };
}

/** The lock's end of Bluetooth beside a lock that has booted: with nobody near it, with three centrals in the middle of a message, and when they have gone. */
async function bluetoothFigures(machine: XsMachine): Promise<XsFigures> {
  await run(machine, "bench.makeBoard(); bench.boot(); bench.lock.tick(); bench.lock.status(bench.session)");
  await run(machine, `bench.makeRadio(${MTU}, ${MAX_RADIO_SESSIONS})`);
  const before = await machine.heap();
  const idle = await growth(machine, before, "bench.switchOn()");
  const full = await growth(machine, before, "bench.fillLines()");
  const after = await growth(machine, before, "bench.emptyLines()");
  return {
    "xs.heap_bytes_bluetooth": idle,
    "xs.heap_bytes_bluetooth_3_lines": full,
    "xs.heap_bytes_bluetooth_after": after,
  };
}

async function tableFigures(machine: XsMachine): Promise<XsFigures> {
  await run(machine, `bench.mountTable(${FEW_SLOTS})`);
  const few = await machine.heap();
  await run(machine, `bench.mountTable(${SLOTS})`);
  const all = await machine.heap();
  return {
    "xs.heap_bytes_per_slot": (all.bytes - few.bytes) / (SLOTS - FEW_SLOTS),
    "xs.heap_objects_per_slot": (all.slots - few.slots) / (SLOTS - FEW_SLOTS),
  };
}

/** What the modules of the portable crypto put into RAM when they are loaded: they cannot be preloaded. */
async function cryptoHeap(): Promise<number> {
  const machine = await startBesideCore("");
  const other = await startBesideCore('export { noble } from "./protocol/crypto/noble";');
  try {
    return (await other.heap()).bytes - (await machine.heap()).bytes;
  } finally {
    await machine.close();
    await other.close();
  }
}

/** The most that a lock ever needs at once, in all of the whole life of a thousand-slot lock. */
async function peakFigures(): Promise<XsFigures> {
  const { all, running } = await peakOnXs(told(longLife));
  return {
    "xs.peak_heap_bytes": all.bytes,
    "xs.peak_heap_bytes_running": running.bytes,
    "xs.peak_heap_slots": all.slots,
    "xs.peak_heap_chunk_bytes": all.chunkBytes,
    "xs.peak_stack_slots": all.stackSlots,
  };
}

/** Every figure, by running the lock on XS; half a minute. */
export async function xsFigures(): Promise<XsFigures> {
  const door = fullLock();
  const machine = await startBesideCore(BESIDE);
  try {
    await load(machine, door);
    const messages = conversation(door);
    const lock = await lockFigures(machine, messages);
    const signatures = await signatureFigures(machine);
    const signed = signatures["xs.compute_verify"] + signatures["xs.compute_sign"];
    return {
      ...lock,
      ...signatures,
      "xs.compute_apply_bundle_32_rest": lock["xs.compute_apply_bundle_32"] - signed,
      ...(await ownFigures(machine, messages)),
      ...(await bluetoothFigures(machine)),
      ...(await tableFigures(machine)),
      ...(await smallDoorFigures()),
      ...(await peakFigures()),
      "xs.heap_bytes_portable_crypto": await cryptoHeap(),
      "xs.bytecode_bytes": await bytecodeBytes({ text: FIRMWARE }),
    };
  } finally {
    await machine.close();
  }
}

/** Boots a full lock and lets it serve, its three lines of Bluetooth in use, in a heap that cannot grow beyond {@link BOARD_HEAP}; throws XsStopped where that is too small. */
export async function serveOnBoardHeap(): Promise<void> {
  const door = fullLock();
  const messages = conversation(door);
  let fixed: { slots: number; nativeChunkBytes: number } | undefined;
  for (let pass = 0; pass < 2; pass++) {
    const machine = await startBesideCore(BESIDE, { fixed });
    try {
      await load(machine, door);
      await run(machine, `bench.makeBoard(); bench.makeRadio(${MTU}, ${MAX_RADIO_SESSIONS})`);
      const { slots, nativeChunkBytes } = await machine.heap();
      if (fixed === undefined) {
        fixed = {
          slots: slots + BOARD_HEAP.slots,
          nativeChunkBytes: nativeChunkBytes + BOARD_HEAP.chunkBytes,
        };
        continue;
      }
      await run(machine, "bench.boot(); bench.lock.tick(); bench.switchOn(); bench.fillLines()");
      await talk(machine, messages);
      await run(machine, `bench.open(${digits(pinOf(0))})`);
    } finally {
      await machine.close();
    }
  }
}
