// The lock's functions in C, as JavaScript meets them: behind a bridge that behaves as the SDK's FFI does (a buffer is an ArrayBuffer and no
// view, one of a written size is not shorter, numbers are cut to their type, no argument is missing), by the manifest's own signatures.
// Behind it stands a model of a chip whose every answer can be set; what was called is kept.

import { randomFillSync } from "node:crypto";
import { CHIP_FACTS, type Native, OTA_STATE, RESET, WAKE } from "../../../firmware/device/native";
import manifest from "../../../firmware/device/native/manifest.json";
import type { Crypto } from "../../../protocol/crypto/port";
import { node } from "../../../simulator/board/crypto";

/** A function as the manifest describes it. */
export interface Signature {
  readonly arguments: readonly string[];
  readonly returns: string;
}

/** All functions of the manifest: those of every platform and the chip's. */
export const SIGNATURES: Readonly<Record<string, Signature>> = {
  ...manifest.ffi.functions,
  ...manifest.platforms.esp32.ffi.functions,
};

type Functions = Record<string, (...args: never[]) => unknown>;

/** What FFI makes of an argument; throws as it does. */
function argument(type: string, value: unknown): unknown {
  const pointer = /^(\w+)(?:\*|\[(\d+)\])$/.exec(type);
  if (pointer !== null) {
    if (!(value instanceof ArrayBuffer)) throw new TypeError("this is no ArrayBuffer instance");
    if (pointer[2] !== undefined && value.byteLength < Number(pointer[2]))
      throw new RangeError("invalid buffer size " + value.byteLength);
    return value;
  }
  if (type === "int32_t") return Number(value) | 0;
  if (type === "uint32_t") return Number(value) >>> 0;
  return Number(value);
}

/** Functions as `new FFI()` has them, over what they do. */
export function bridge<T extends object>(
  functions: T,
  names: readonly string[] = Object.keys(SIGNATURES),
): T {
  const bound: Functions = {};
  for (const name of names) {
    const { arguments: types } = SIGNATURES[name];
    const work = (functions as unknown as Record<string, (...args: unknown[]) => unknown>)[name];
    bound[name] = (...args: unknown[]) => {
      if (args.length < types.length) throw new SyntaxError("invalid index " + args.length);
      return work.apply(
        functions,
        types.map((type, i) => argument(type, args[i])),
      );
    };
  }
  return Object.freeze(bound) as unknown as T;
}

/** One call that changes something outside: its name and its arguments. */
export type Call = readonly [name: string, ...args: number[]];

/** A chip. Set its fields; {@link native} is what the firmware gets of it. */
export class ChipModel implements Native {
  readonly native: Native;
  /** Calls of whatever does something, in their order; reads and cryptography are not among them. */
  readonly calls: Call[] = [];
  crypto: Crypto = node;
  cryptoError = 0;
  randomError = 0;
  /** Milliseconds since boot. */
  now = 0;
  reset: number = RESET.powerOn;
  heap = 100_000;
  facts = new Uint8Array(CHIP_FACTS.bytes);
  /** The record, or the error of reading it: at first there is none. */
  identity: Uint8Array | number = -0x1102;
  wake: number = WAKE.none;
  /** What every call that sleeps, watches or changes pins gives. */
  powerError = 0;
  ota: number = OTA_STATE.valid;
  otaError = 0;
  running = 0;
  next = -0x105;
  /** Handles of the connections since boot, -1 for those that are over. */
  readonly handles: number[] = [];
  gapError = 0;

  constructor(settings: Partial<Omit<ChipModel, "native" | "calls" | "handles">> = {}) {
    Object.assign(this, settings);
    this.native = bridge<Native>(this);
  }

  cryptoStart(): number {
    return this.cryptoError;
  }

  sha256(out: ArrayBuffer, data: ArrayBuffer, at: number, length: number): void {
    put(out, this.crypto.sha256(bytes(data, at, length)));
  }

  hmacSha256(
    out: ArrayBuffer,
    key: ArrayBuffer,
    keyAt: number,
    keyLength: number,
    data: ArrayBuffer,
    at: number,
    length: number,
  ): void {
    put(out, this.crypto.hmacSha256(bytes(key, keyAt, keyLength), bytes(data, at, length)));
  }

  ed25519PublicKey(out: ArrayBuffer, seed: ArrayBuffer, seedAt: number): void {
    put(out, this.crypto.ed25519PublicKey(bytes(seed, seedAt, 32)));
  }

  ed25519Sign(
    out: ArrayBuffer,
    message: ArrayBuffer,
    at: number,
    length: number,
    seed: ArrayBuffer,
    seedAt: number,
  ): void {
    put(out, this.crypto.ed25519Sign(bytes(message, at, length), bytes(seed, seedAt, 32)));
  }

  ed25519Check(
    signature: ArrayBuffer,
    signatureAt: number,
    message: ArrayBuffer,
    at: number,
    length: number,
    key: ArrayBuffer,
    keyAt: number,
  ): number {
    const { crypto } = this;
    const [s, m, k] = [bytes(signature, signatureAt, 64), bytes(message, at, length), bytes(key, keyAt, 32)];
    return crypto.ed25519Verify(s, m, k) ? 1 : 0;
  }

  seal(
    out: ArrayBuffer,
    key: ArrayBuffer,
    keyAt: number,
    nonce: ArrayBuffer,
    nonceAt: number,
    aad: ArrayBuffer,
    aadAt: number,
    aadLength: number,
    plain: ArrayBuffer,
    at: number,
    length: number,
  ): void {
    const [k, n] = [bytes(key, keyAt, 32), bytes(nonce, nonceAt, 24)];
    put(out, this.crypto.seal(k, n, bytes(aad, aadAt, aadLength), bytes(plain, at, length)));
  }

  unseal(
    out: ArrayBuffer,
    key: ArrayBuffer,
    keyAt: number,
    nonce: ArrayBuffer,
    nonceAt: number,
    aad: ArrayBuffer,
    aadAt: number,
    aadLength: number,
    sealed: ArrayBuffer,
    at: number,
    length: number,
  ): number {
    const [k, n] = [bytes(key, keyAt, 32), bytes(nonce, nonceAt, 24)];
    const plain = this.crypto.unseal(k, n, bytes(aad, aadAt, aadLength), bytes(sealed, at, length));
    if (plain !== undefined) put(out, plain);
    return plain === undefined ? 0 : 1;
  }

  randomStart(): number {
    this.calls.push(["randomStart"]);
    return this.randomError;
  }

  fillRandom(buffer: ArrayBuffer, at: number, length: number): void {
    randomFillSync(bytes(buffer, at, length));
  }

  uptimeMs(): number {
    return this.now;
  }

  restart(): void {
    this.calls.push(["restart"]);
  }

  resetReason(): number {
    return this.reset;
  }

  freeHeap(): number {
    return this.heap;
  }

  chipFacts(out: ArrayBuffer): number {
    put(out, this.facts);
    return 0;
  }

  identityRead(out: ArrayBuffer): number {
    if (typeof this.identity === "number") return this.identity;
    put(out, this.identity);
    return this.identity.length;
  }

  wakeCause(): number {
    return this.wake;
  }

  lightSleep(on: number, pinsLow: number, pinsHigh: number): number {
    this.calls.push(["lightSleep", on, pinsLow, pinsHigh]);
    return this.powerError;
  }

  deepSleep(...args: [number, number, number, number, number]): number {
    this.calls.push(["deepSleep", ...args]);
    return this.powerError;
  }

  pinsAwake(low: number, high: number): number {
    this.calls.push(["pinsAwake", low, high]);
    return this.powerError;
  }

  watchdogStart(seconds: number): number {
    this.calls.push(["watchdogStart", seconds]);
    return this.powerError;
  }

  watchdogFeed(): number {
    this.calls.push(["watchdogFeed"]);
    return this.powerError;
  }

  otaState(): number {
    return this.ota;
  }

  otaAccept(): number {
    this.calls.push(["otaAccept"]);
    if (this.otaError === 0) this.ota = OTA_STATE.valid;
    return this.otaError;
  }

  otaReject(): number {
    this.calls.push(["otaReject"]);
    return this.otaError;
  }

  runningVersion(): number {
    return this.running;
  }

  nextVersion(): number {
    return this.next;
  }

  gapListen(): number {
    this.calls.push(["gapListen"]);
    return this.gapError;
  }

  gapAddress(): number {
    this.calls.push(["gapAddress"]);
    return this.gapError;
  }

  gapTaken(): void {
    this.calls.push(["gapTaken"]);
  }

  gapHandle(n: number): number {
    return this.handles[n] ?? -1;
  }

  gapTerminate(handle: number): number {
    this.calls.push(["gapTerminate", handle]);
    return this.handles.includes(handle) ? 0 : -7;
  }
}

/** The bytes that C would touch; it would not notice that they lie outside, a test does. */
function bytes(buffer: ArrayBuffer, at: number, length: number): Uint8Array {
  return new Uint8Array(buffer, at, length);
}

function put(out: ArrayBuffer, value: Uint8Array): void {
  new Uint8Array(out).set(value);
}
