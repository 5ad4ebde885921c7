// The crypto port over the functions in C: they take buffers and offsets and check nothing, so whatever can be wrong with lengths is found
// here. Results are fresh arrays; inputs are never changed or kept.

import type { Crypto } from "../../protocol/crypto/port";
import type { NativeCrypto } from "./native";
import { isCryptoRight } from "./self-test";

const HASH_BYTES = 32;
const SEED_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const SEAL_KEY_BYTES = 32;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;

/**
 * The crypto of a board: the C where it starts and gives the right answers, and otherwise what `portable` loads, which takes seconds for a
 * signature and 10 KB of memory, and computes the same. A lock that is slow is better than one that opens for nobody.
 */
export function boardCrypto(native: NativeCrypto, portable: () => Crypto): Crypto {
  try {
    const crypto = nativeCrypto(native);
    if (isCryptoRight(crypto)) return crypto;
  } catch {
    // Whatever it was: the other one is there.
  }
  return portable();
}

/** The port in C. Throws an Error where the library does not start. */
export function nativeCrypto(native: NativeCrypto): Crypto {
  const error = native.cryptoStart();
  if (error !== 0) throw new Error("libsodium does not start: " + error);
  return new NativeBackend(native);
}

class NativeBackend implements Crypto {
  readonly name = "libsodium";
  readonly #native: NativeCrypto;

  constructor(native: NativeCrypto) {
    this.#native = native;
  }

  sha256(data: Uint8Array): Uint8Array {
    const out = new Uint8Array(HASH_BYTES);
    this.#native.sha256(out.buffer, bufferOf(data), data.byteOffset, data.length);
    return out;
  }

  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
    const out = new Uint8Array(HASH_BYTES);
    this.#native.hmacSha256(
      out.buffer,
      bufferOf(key),
      key.byteOffset,
      key.length,
      bufferOf(data),
      data.byteOffset,
      data.length,
    );
    return out;
  }

  ed25519PublicKey(seed: Uint8Array): Uint8Array {
    check("Ed25519 seed", seed, SEED_BYTES);
    const out = new Uint8Array(PUBLIC_KEY_BYTES);
    this.#native.ed25519PublicKey(out.buffer, bufferOf(seed), seed.byteOffset);
    return out;
  }

  ed25519Sign(message: Uint8Array, seed: Uint8Array): Uint8Array {
    check("Ed25519 seed", seed, SEED_BYTES);
    const out = new Uint8Array(SIGNATURE_BYTES);
    const { byteOffset, length } = message;
    this.#native.ed25519Sign(
      out.buffer,
      bufferOf(message),
      byteOffset,
      length,
      bufferOf(seed),
      seed.byteOffset,
    );
    return out;
  }

  ed25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
    if (signature.length !== SIGNATURE_BYTES || publicKey.length !== PUBLIC_KEY_BYTES) return false;
    const isGood = this.#native.ed25519Check(
      bufferOf(signature),
      signature.byteOffset,
      bufferOf(message),
      message.byteOffset,
      message.length,
      bufferOf(publicKey),
      publicKey.byteOffset,
    );
    return isGood === 1;
  }

  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
    checkSealing(key, nonce);
    const out = new Uint8Array(plain.length + TAG_BYTES);
    this.#native.seal(
      out.buffer,
      bufferOf(key),
      key.byteOffset,
      bufferOf(nonce),
      nonce.byteOffset,
      bufferOf(aad),
      aad.byteOffset,
      aad.length,
      bufferOf(plain),
      plain.byteOffset,
      plain.length,
    );
    return out;
  }

  unseal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (key.length !== SEAL_KEY_BYTES || nonce.length !== NONCE_BYTES) return undefined;
    if (sealed.length < TAG_BYTES) return undefined;
    const out = new Uint8Array(sealed.length - TAG_BYTES);
    const isOpen = this.#native.unseal(
      out.buffer,
      bufferOf(key),
      key.byteOffset,
      bufferOf(nonce),
      nonce.byteOffset,
      bufferOf(aad),
      aad.byteOffset,
      aad.length,
      bufferOf(sealed),
      sealed.byteOffset,
      sealed.length,
    );
    return isOpen === 1 ? out : undefined;
  }
}

/** No array of a lock is shared between threads. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.buffer as ArrayBuffer;
}

function checkSealing(key: Uint8Array, nonce: Uint8Array): void {
  check("key", key, SEAL_KEY_BYTES);
  check("nonce", nonce, NONCE_BYTES);
}

function check(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length)
    throw new RangeError(what + ": wanted " + length + " bytes, got " + bytes.length);
}
