// A judge of Ed25519 for the tests, written from RFC 8032 §5.1 and §6 alone: slow, whole-number arithmetic on
// the curve's own equations. It imports nothing of the code that it judges. Small order is found here by
// doubling three times, a canonical encoding by encoding again; the project's rule instead compares bytes, so
// each is the other's proof.

import { createHash } from "node:crypto";

const P = 2n ** 255n - 19n;
export const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * power(121666n, P - 2n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);

/** A point as x = X/Z and y = Y/Z. */
export interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
}

export const NEUTRAL: Point = { x: 0n, y: 1n, z: 1n };
export const BASE: Point = decode(bytesOf(mod(4n * power(5n, P - 2n)))) as Point;

function mod(a: bigint, m: bigint = P): bigint {
  const r = a % m;
  return r < 0n ? r + m : r;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (base = mod(base); exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % P;
    base = (base * base) % P;
  }
  return result;
}

/**
 * The complete addition law of −x² + y² = 1 + dx²y², with one common denominator (RFC 8032's law before its
 * T).
 */
export function add(a: Point, b: Point): Point {
  const zz = mod(a.z * b.z);
  const xx = mod(a.x * b.x);
  const yy = mod(a.y * b.y);
  const cross = mod(D * xx * yy);
  const square = zz * zz;
  const minus = mod(square - cross);
  const plus = mod(square + cross);
  return {
    x: mod(zz * minus * (a.x * b.y + a.y * b.x)),
    y: mod(zz * plus * (yy + xx)),
    z: mod(minus * plus),
  };
}

export function multiply(scalar: bigint, point: Point): Point {
  let sum = NEUTRAL;
  for (; scalar > 0n; scalar >>= 1n) {
    if (scalar & 1n) sum = add(sum, point);
    point = add(point, point);
  }
  return sum;
}

export function negate(point: Point): Point {
  return { x: mod(-point.x), y: point.y, z: point.z };
}

export function isNeutral(point: Point): boolean {
  return mod(point.x) === 0n && mod(point.y - point.z) === 0n;
}

/** Little-endian, `length` bytes. */
export function bytesOf(value: bigint, length = 32): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 255n);
  return bytes;
}

export function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** RFC 8032 §5.1.2. */
export function encode(point: Point): Uint8Array {
  const inverse = power(point.z, P - 2n);
  const x = mod(point.x * inverse);
  return bytesOf(mod(point.y * inverse) | ((x & 1n) << 255n));
}

/**
 * RFC 8032 §5.1.3, but forgiving: y is taken modulo p, and the sign of x = 0 is not looked at. Undefined off
 * the curve.
 */
export function decode(bytes: Uint8Array): Point | undefined {
  const number = numberOf(bytes);
  const y = mod(number & (2n ** 255n - 1n));
  const square = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x - square) !== 0n) x = mod(x * ROOT_OF_MINUS_ONE);
  if (mod(x * x - square) !== 0n) return undefined;
  if ((x & 1n) !== number >> 255n) x = mod(-x);
  return { x, y, z: 1n };
}

export function isSmallOrder(point: Point): boolean {
  return isNeutral(multiply(8n, point));
}

export function challenge(r: Uint8Array, key: Uint8Array, message: Uint8Array): bigint {
  const digest = createHash("sha512").update(r).update(key).update(message).digest();
  return numberOf(digest) % L;
}

/** Why a signature is refused, in the order of the checks; "none" if it is not. */
export type Flaw =
  | "none"
  | "length"
  | "not-canonical"
  | "not-on-curve"
  | "small-order"
  | "s-range"
  | "equation";

/**
 * The flaw of one encoded point under the project's rule. A point may be off the curve as far as a check of
 * bytes goes.
 */
export function pointFlaw(bytes: Uint8Array): Flaw {
  if (bytes.length !== 32) return "length";
  if ((numberOf(bytes) & (2n ** 255n - 1n)) >= P) return "not-canonical";
  const point = decode(bytes);
  if (point === undefined) return "not-on-curve";
  if (Buffer.compare(encode(point), bytes) !== 0) return "not-canonical";
  return isSmallOrder(point) ? "small-order" : "none";
}

/**
 * The flaw of a signature under the project's rule: RFC 8032 §5.1.7 without the cofactor, and no point of
 * small order.
 */
export function signatureFlaw(signature: Uint8Array, message: Uint8Array, key: Uint8Array): Flaw {
  if (signature.length !== 64) return "length";
  const r = signature.subarray(0, 32);
  const s = numberOf(signature.subarray(32));
  for (const point of [key, r]) {
    const flaw = pointFlaw(point);
    if (flaw !== "none") return flaw;
  }
  if (s >= L) return "s-range";
  return isNeutral(remainder(s, r, key, message)) ? "none" : "equation";
}

/**
 * True if the signature would pass where the equation is multiplied by the cofactor and small order is not
 * refused.
 */
export function holdsCofactored(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean {
  const s = numberOf(signature.subarray(32));
  return isSmallOrder(remainder(s, signature.subarray(0, 32), key, message));
}

/** S·B − R − k·A. */
function remainder(s: bigint, r: Uint8Array, key: Uint8Array, message: Uint8Array): Point {
  const k = challenge(r, key, message);
  const right = add(decode(r) as Point, multiply(k, decode(key) as Point));
  return add(multiply(s, BASE), negate(right));
}
