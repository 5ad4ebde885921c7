// The one function of the project that verifies an Ed25519 signature, and the one rule for keys.
// Property 8 of the protocol: what backends judge differently is refused here, before any of them. That is
// what RFC 8032 leaves open (small-order keys, under which one signature fits many messages) or
// implementations forgive (coordinates not reduced modulo p, S not reduced modulo L). Nothing here is secret,
// so nothing is constant in time.
// What remains is the cofactor: a key's owner, and nobody else, can make signatures with a part of small
// order in R or A that a cofactored backend accepts and the others do not.

import { fromHex } from "../wire/bytes";
import type { Crypto } from "./port";

const POINT_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** p = 2²⁵⁵ − 19, little-endian as on the wire. */
const FIELD_PRIME = fromHex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
/** L, the order of the base point (RFC 8032 §5.1), little-endian. */
const GROUP_ORDER = fromHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");

/**
 * The y coordinates of the eight points whose order divides 8: 1 (the neutral point), −1 (order 2), 0 (order
 * 4, twice), and two of order 8 (twice each). A y below p has no other encoding than itself and the sign bit,
 * so "y ≥ p" and "y is one of these" refuse every form of the eight, and with y = ±1 also the two encodings
 * of x = 0 with the sign bit set.
 */
const SMALL_ORDER_Y = [
  fromHex("0100000000000000000000000000000000000000000000000000000000000000"),
  fromHex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
  fromHex("0000000000000000000000000000000000000000000000000000000000000000"),
  fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
  fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
];

/**
 * True if `signature` (64 bytes, R ‖ S) is `publicKey`'s (32 bytes) signature of `message` under RFC 8032
 * §5.1.7, with R and A canonical and not of small order and S < L. False, never an exception, on anything
 * else, wrong lengths included.
 */
export function verifySignature(
  crypto: Crypto,
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  if (!isAcceptableKey(publicKey)) return false;
  if (!isAcceptablePoint(signature.subarray(0, POINT_BYTES))) return false;
  if (!isBelow(signature.subarray(POINT_BYTES), GROUP_ORDER, 0xff)) return false;
  return crypto.ed25519Verify(signature, message, publicKey);
}

/**
 * True if a claim or a set of issuer keys may name `publicKey`: 32 bytes, canonical, not of small order. It
 * does not prove that the bytes are on the curve; under a key that is not, nothing ever verifies.
 */
export function isAcceptableKey(publicKey: Uint8Array): boolean {
  return publicKey.length === POINT_BYTES && isAcceptablePoint(publicKey);
}

function isAcceptablePoint(point: Uint8Array): boolean {
  if (!isBelow(point, FIELD_PRIME, 0x7f)) return false;
  for (const y of SMALL_ORDER_Y) if (hasY(point, y)) return false;
  return true;
}

/**
 * Compares 32-byte little-endian numbers; of the highest byte of `value` only the bits in `topMask` count.
 */
function isBelow(value: Uint8Array, limit: Uint8Array, topMask: number): boolean {
  for (let i = POINT_BYTES - 1; i >= 0; i--) {
    const byte = i === POINT_BYTES - 1 ? value[i] & topMask : value[i];
    if (byte !== limit[i]) return byte < limit[i];
  }
  return false;
}

/** True if the encoded point has the coordinate `y`, whatever its sign bit. */
function hasY(point: Uint8Array, y: Uint8Array): boolean {
  for (let i = 0; i < POINT_BYTES - 1; i++) if (point[i] !== y[i]) return false;
  return (point[POINT_BYTES - 1] & 0x7f) === y[POINT_BYTES - 1];
}
