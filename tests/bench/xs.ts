// What the lock costs on its engine, in XS's own counters, which are the same on every run. `compute` counts steps of the engine: one
// for each instruction, and for each step within a built-in. It says nothing of how long a step takes: one of big-integer arithmetic
// takes longer than one of bytes, so steps compare best among like things.
//
// The lock is a claimed, full one of a thousand slots, made on Node and loaded as flash images. The crypto is the portable one; on a
// lock with crypto in C its steps and its heap go away, and only `own` of a bundle stays.

import { MTU } from "../../firmware/core/bluetooth";
import { MAX_RADIO_SESSIONS } from "../../firmware/core/session";
import { signTime } from "../../protocol/issuer/encode";
import { ascii } from "../../protocol/wire/bytes";
import { MAX_BUNDLE_DELTAS, MAX_MESSAGE_BYTES } from "../../protocol/wire/limits";
import { frame, helloBody, Type } from "../../protocol/wire/messages";
import { Setting } from "../../protocol/wire/settings";
import { Door } from "../support/door";
import { bytecodeBytes, type Heap, type XsMachine } from "../xs/harness";
import { startBesideCore } from "../xs/life/machine";
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
/** So many PINs are looked up of each kind: chains of the index differ in length. */
const SAMPLES = 6;
const COUNTED = 3;
const SCHEDULED = 4;
const DISABLED = 500;
/** The random bytes of the rig's board. */
const NONCE = new Uint8Array(8).fill(7);
/** A bundle's message and a receipt's, about as long as they are when they are signed. */
const BUNDLE_BYTES = 1800;
const RECEIPT_BYTES = 240;
const EVERY_DAY = 127;

const pinOf = (slot: number): string => String(10_000_000 + slot * 80_021);
const literal = (bytes: Uint8Array): string => "new Uint8Array([" + Array.from(bytes).join() + "])";
const digits = (pin: string): string => literal(ascii(pin));

/** A lock with all slots filled, of which one counts its uses, one has a schedule of eight windows and six are disabled. */
function fullLock(): Door {
  const door = new Door();
  const zone = ascii("CET-1CEST,M3.5.0,M10.5.0/3");
  const windows = Array.from({ length: 8 }, (_, i) => ({ days: EVERY_DAY, start: i * 180, duration: 170 }));
  door.apply({ op: "set", setting: Setting.zone, value: zone }, { op: "put-schedule", id: 1, windows });
  const first = door.seq + 1;
  const day = { start: door.now - 3600, end: door.now + 86_400 };
  const puts = Array.from({ length: SLOTS }, (_, slot) => {
    const more = { uses: slot === COUNTED ? 1000 : 0, schedule: slot === SCHEDULED ? 1 : 0 };
    return door.pin(slot, pinOf(slot), { ...more, ...(slot === SCHEDULED ? day : {}) });
  });
  door.apply(...puts);
  for (let slot = DISABLED; slot < DISABLED + SAMPLES; slot++)
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

/** The messages that a lock gets: it learns the time, then two bundles, of which the second is measured. */
function conversation(door: Door): Uint8Array[] {
  const answer = { lock: door.identity.lock, nonce: NONCE, time: door.now, timeEpoch: 0 };
  return [
    frame(Type.hello, 1, helloBody(MAX_MESSAGE_BYTES)),
    frame(Type.time, 2, signTime(door.crypto, door.issuer, answer)),
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

/** The compute of looking up so many PINs, the least and the most. */
async function lookups(machine: XsMachine, pin: (i: number) => string): Promise<[number, number]> {
  const computes: number[] = [];
  for (let i = 0; i < SAMPLES; i++) computes.push(await compute(machine, `bench.lookup(${digits(pin(i))})`));
  return [Math.min(...computes), Math.max(...computes)];
}

async function doorFigures(machine: XsMachine): Promise<XsFigures> {
  const hmac = await compute(machine, `bench.hmac(${digits("123456789")})`);
  const hit = await lookups(machine, (i) => pinOf(i * 41 + 300));
  const miss = await lookups(machine, (i) => String(90_000_000 + i));
  const disabled = await lookups(machine, (i) => pinOf(DISABLED + i));
  const decisions: number[] = [];
  for (const slot of [0, COUNTED, SCHEDULED])
    decisions.push(await compute(machine, `bench.open(${digits(pinOf(slot))})`));
  return {
    "xs.compute_hmac": hmac,
    "xs.compute_lookup": Math.max(hit[1], miss[1], disabled[1]),
    "xs.compute_lookup_hit": hit[1],
    "xs.compute_lookup_miss": miss[1],
    "xs.compute_lookup_disabled": disabled[1],
    "xs.compute_lookup_least": Math.min(hit[0], miss[0], disabled[0]),
    "xs.compute_decide": Math.max(...decisions),
  };
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
  const atDoor = await doorFigures(machine);
  const served = await growth(machine, before, "");
  return {
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

/** Every figure, by running the lock on XS; a few seconds. */
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
      "xs.heap_bytes_portable_crypto": await cryptoHeap(),
      "xs.bytecode_bytes": await bytecodeBytes({ text: FIRMWARE }),
    };
  } finally {
    await machine.close();
  }
}

/** What the lock's board gives beside its built-ins and preloaded modules: the aim of its `creation`. */
export const BOARD_HEAP = { slots: 3_500, chunkBytes: 64 * 1024 };

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
