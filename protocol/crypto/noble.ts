// The portable backend of the crypto port, for any engine, XS within a lock's heap included: RFC 8032 §5.1
// over the Point class of @noble/ed25519 and the hashes of @noble/hashes.
// It must never multiply the library's base point, nor call its sign(), verify() or getPublicKey(), which do:
// the first such multiplication builds a table of 4,224 points, megabytes that a lock does not have.
// On Moddable this module cannot be preloaded: SHA-2 of @noble/hashes keeps its message schedule in typed
// arrays of its module, and buffers of a preloaded module are read-only flash.

import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { Point } from "@noble/ed25519";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { equal } from "../wire/bytes";
import type { Crypto } from "./port";

/** The order of the base point, RFC 8032's L. */
const ORDER = Point.CURVE().n;
/** Below 2²⁵³ lies ORDER, so a reduced scalar has this many bits. */
const SCALAR_BITS = 253;
const TWICE_BASE = Point.BASE.double();
/** The inverse of 2 modulo ORDER. */
const HALF = (ORDER + 1n) / 2n;

/**
 * scalar·B for secret scalars. The library takes its table when the point equals B; 2B is another point of
 * the same group, and scalar·B = (scalar/2)·2B.
 *
 * What of this is constant in time: the order of operations (256 rounds of one addition and one doubling
 * whatever the scalar). What is not: BigInt arithmetic itself, the inversion when the point is encoded, and
 * memory. An attacker who can time single signatures of this backend to microseconds may learn about the key;
 * a lock that must withstand him signs in C.
 *
 * Throws RangeError on a multiple of ORDER, which a hash gives once in 2²⁵² times.
 */
function timesBase(scalar: bigint): Point {
  return TWICE_BASE.multiply((scalar * HALF) % ORDER, true);
}

/**
 * s·B + k·point for public 32-byte little-endian scalars below ORDER, both in one ladder. Its time depends on
 * the scalars.
 */
function timesBasePlus(s: Uint8Array, k: Uint8Array, point: Point): Point {
  const both = Point.BASE.add(point);
  let sum = Point.ZERO;
  for (let bit = SCALAR_BITS - 1; bit >= 0; bit--) {
    sum = sum.double();
    const inS = (s[bit >> 3] >> (bit & 7)) & 1;
    const inK = (k[bit >> 3] >> (bit & 7)) & 1;
    if (inS && inK) sum = sum.add(both);
    else if (inS) sum = sum.add(Point.BASE);
    else if (inK) sum = sum.add(point);
  }
  return sum;
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  return value;
}

function toLittleEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  for (let i = 0; i < 32; i++) {
    bytes[i] = Number(value & 255n);
    value >>= 8n;
  }
  return bytes;
}

/** SHA-512 of the parts one after another, as a number modulo ORDER. */
function hashToScalar(...parts: Uint8Array[]): bigint {
  const hash = sha512.create();
  for (const part of parts) hash.update(part);
  return fromLittleEndian(hash.digest()) % ORDER;
}

/** RFC 8032 §5.1.5: the secret scalar (reduced modulo ORDER) and the prefix of the nonce hash. */
function expand(seed: Uint8Array): { scalar: bigint; prefix: Uint8Array } {
  if (seed.length !== 32) throw new RangeError("Ed25519 seed: wanted 32 bytes, got " + seed.length);
  const hash = sha512(seed);
  hash[0] &= 0xf8;
  hash[31] = (hash[31] & 0x7f) | 0x40;
  return { scalar: fromLittleEndian(hash.subarray(0, 32)) % ORDER, prefix: hash.subarray(32) };
}

/** RFC 8032 §5.1.6. */
function sign(message: Uint8Array, seed: Uint8Array): Uint8Array {
  const { scalar, prefix } = expand(seed);
  const publicKey = timesBase(scalar).toBytes();
  const nonce = hashToScalar(prefix, message);
  const pointR = timesBase(nonce).toBytes();
  const challenge = hashToScalar(pointR, publicKey, message);
  const signature = new Uint8Array(64);
  signature.set(pointR);
  signature.set(toLittleEndian((nonce + challenge * scalar) % ORDER), 32);
  return signature;
}

/**
 * RFC 8032 §5.1.7 without the cofactor, as OpenSSL does it: the encoding of S·B − k·A must be the 32 bytes of
 * R, and k is reduced modulo ORDER. A signature whose R or A carries a part of small order may fail here and
 * pass under a backend that multiplies by the cofactor (libsodium after 1.0.22, ZIP-215); only the key's
 * owner can make one.
 */
function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  const pointR = signature.subarray(0, 32);
  const s = signature.subarray(32);
  if (fromLittleEndian(s) >= ORDER) return false;
  const minusA = Point.fromBytes(publicKey).negate();
  const k = toLittleEndian(hashToScalar(pointR, publicKey, message));
  return equal(timesBasePlus(s, k, minusA).toBytes(), pointR);
}

/** The backend of everything that is neither a lock with C nor a large fleet. */
export const noble: Crypto = {
  name: "noble",
  sha256: (data) => sha256(data),
  hmacSha256: (key, data) => hmac(sha256, key, data),
  ed25519PublicKey: (seed) => timesBase(expand(seed).scalar).toBytes(),
  ed25519Sign: sign,
  ed25519Verify(signature, message, publicKey) {
    try {
      return verify(signature, message, publicKey);
    } catch {
      // The library throws on bytes that are no point of the curve.
      return false;
    }
  },
  seal: (key, nonce, aad, plain) => xchacha20poly1305(key, nonce, aad).encrypt(plain),
  unseal(key, nonce, aad, sealed) {
    try {
      return xchacha20poly1305(key, nonce, aad).decrypt(sealed);
    } catch {
      // So the library says that the tag is another, and also that there is none.
      return undefined;
    }
  },
};
