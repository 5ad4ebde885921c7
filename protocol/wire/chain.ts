// The chain over deltas: head n = SHA-256(head n-1 ‖ delta n), cut to 16 bytes, from a genesis head that binds lock and epoch
// (property 2 of the protocol, rules S1, S2). Equal heads at a position mean equal logs up to it. Both ends compute it; neither
// end ever takes a head from the other without comparing.

import type { Crypto } from "../crypto/port";
import { ascii, putU32 } from "./bytes";
import { HEAD_BYTES, LOCK_ID_BYTES } from "./limits";

const GENESIS = ascii("tumbler/1 head");

/** The head before the first delta of an epoch: 16 bytes of SHA-256("tumbler/1 head" ‖ lock ‖ epoch, four bytes). `lock` is 8 bytes. */
export function genesisHead(crypto: Crypto, lock: Uint8Array, epoch: number): Uint8Array {
  const input = new Uint8Array(GENESIS.length + LOCK_ID_BYTES + 4);
  input.set(GENESIS);
  input.set(lock, GENESIS.length);
  putU32(input, GENESIS.length + LOCK_ID_BYTES, epoch);
  return crypto.sha256(input).subarray(0, HEAD_BYTES);
}

/** The head after `delta`, the delta's bytes as they stand in a bundle. A fresh array; `head` (16 bytes) stays as it is. */
export function nextHead(crypto: Crypto, head: Uint8Array, delta: Uint8Array): Uint8Array {
  const input = new Uint8Array(HEAD_BYTES + delta.length);
  input.set(head);
  input.set(delta, HEAD_BYTES);
  return crypto.sha256(input).subarray(0, HEAD_BYTES);
}
