// Flash as a log wants it: nothing throws, a read that fails is tried once more, a program is read back, an erase is looked at.

import type { Flash } from "../../ports";
import { canBeErased, isClear } from "./blank";
import { crc32 } from "./crc";

export class Device {
  /** Operations since boot that were refused, or whose result was not what it should be. */
  faults = 0;
  readonly blocks: number;
  /** The length of a block. */
  readonly blockBytes: number;
  readonly #flash: Flash;
  readonly #check: Uint8Array;

  /** `longest` is the most bytes that one program takes. */
  constructor(flash: Flash, longest: number) {
    const status = flash.status();
    this.blocks = status.blocks;
    this.blockBytes = status.blockLength;
    this.#flash = flash;
    this.#check = new Uint8Array(longest);
  }

  /** Fills `into` from `at`. False when the device reports an error twice. */
  read(into: Uint8Array, at: number): boolean {
    for (let tries = 0; tries < 2; tries++) {
      try {
        this.#flash.read(into, at);
        return true;
      } catch {
        this.faults++;
      }
    }
    return false;
  }

  /** Programs `bytes`. False when the device refused, or when something else stands there then. */
  program(bytes: Uint8Array, at: number): boolean {
    try {
      this.#flash.write(bytes, at);
    } catch {
      this.faults++;
      return false;
    }
    const check = this.#check.subarray(0, bytes.length);
    if (!this.read(check, at)) return false;
    for (let i = 0; i < bytes.length; i++) {
      if (check[i] === bytes[i]) continue;
      this.faults++;
      return false;
    }
    return true;
  }

  /** Erases a block without a look. False when the device refused. */
  erase(block: number): boolean {
    try {
      this.#flash.eraseBlock(block, block + 1);
      return true;
    } catch {
      this.faults++;
      return false;
    }
  }

  /**
   * Whether a block reads like an erased one, and twice the same. Its bytes are in `into` then. Where it does not read 0xFF,
   * that is only half of the proof: the caller looks for what must be gone.
   */
  looksErased(block: number, into: Uint8Array): boolean {
    const at = block * this.blockBytes;
    if (!this.read(into, at)) return false;
    const crc = crc32(into, 0, into.length, 0);
    if (!this.read(into, at)) return false;
    return crc === crc32(into, 0, into.length, 0) && (isClear(into, 0, into.length) || canBeErased(into));
  }
}
