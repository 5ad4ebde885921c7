// The identity record (rule X10): what provisioning makes of a lock's identity, and a board keeps where the chip encrypts.
//
//   "TMID" | format (1) | profile (1) | 0 (2) | lock (8) | seed (32) | device secret (32) | maker's root (32) | crc-32 (4)
//
// The reader is strict: what it takes is exactly what the writer makes. It never gives a part of an identity that is damaged.

import { ascii, equal, getU32, putU32 } from "../../protocol/wire/bytes";
import { LOCK_ID_BYTES, PUBLIC_KEY_BYTES } from "../../protocol/wire/limits";
import type { Identity } from "../ports";
import { profileById } from "./profile";
import { crc32 } from "./storage/crc";

const MAGIC = ascii("TMID");
const SECRET_BYTES = 32;
const AT_FORMAT = 4;
const AT_PROFILE = 5;
const AT_RESERVED = 6;
const AT_LOCK = 8;
const AT_SEED = AT_LOCK + LOCK_ID_BYTES;
const AT_DEVICE_SECRET = AT_SEED + SECRET_BYTES;
const AT_MAKER_ROOT = AT_DEVICE_SECRET + SECRET_BYTES;
const AT_CRC = AT_MAKER_ROOT + PUBLIC_KEY_BYTES;

/** The format that this version writes, and the only one that it reads. */
export const IDENTITY_FORMAT = 1;
/** The length of a record: 116 bytes. */
export const IDENTITY_RECORD_BYTES = AT_CRC + 4;

/** Why bytes are not an identity that this version reads. */
export type IdentityFault = "not-an-identity" | "newer-format" | "damaged-identity" | "unknown-profile";

/** The record of an identity. Throws a RangeError for a part of another length and for an unknown profile. */
export function packIdentity(identity: Identity): Uint8Array {
  if (profileById(identity.profile) === undefined)
    throw new RangeError("identity: unknown profile " + identity.profile);
  const bytes = new Uint8Array(IDENTITY_RECORD_BYTES);
  bytes.set(MAGIC, 0);
  bytes[AT_FORMAT] = IDENTITY_FORMAT;
  bytes[AT_PROFILE] = identity.profile;
  put(bytes, AT_LOCK, "lock id", identity.lock, LOCK_ID_BYTES);
  put(bytes, AT_SEED, "seed", identity.seed, SECRET_BYTES);
  put(bytes, AT_DEVICE_SECRET, "device secret", identity.deviceSecret, SECRET_BYTES);
  put(bytes, AT_MAKER_ROOT, "maker's root", identity.makerRoot, PUBLIC_KEY_BYTES);
  putU32(bytes, AT_CRC, checksum(bytes));
  return bytes;
}

/**
 * The identity in the bytes of one record, as copies, or what is wrong with them. The magic decides first, so that a newer record is
 * called newer whatever its length; a record of this format has {@link IDENTITY_RECORD_BYTES} and no byte more.
 */
export function unpackIdentity(bytes: Uint8Array): Identity | IdentityFault {
  if (!equal(bytes.subarray(0, AT_FORMAT), MAGIC)) return "not-an-identity";
  if (bytes.length > AT_FORMAT && bytes[AT_FORMAT] > IDENTITY_FORMAT) return "newer-format";
  const isWhole = bytes.length === IDENTITY_RECORD_BYTES && bytes[AT_FORMAT] === IDENTITY_FORMAT;
  if (!isWhole || getU32(bytes, AT_CRC) !== checksum(bytes)) return "damaged-identity";
  if (bytes[AT_RESERVED] !== 0 || bytes[AT_RESERVED + 1] !== 0) return "damaged-identity";
  if (profileById(bytes[AT_PROFILE]) === undefined) return "unknown-profile";
  return {
    lock: copy(bytes, AT_LOCK, AT_SEED),
    profile: bytes[AT_PROFILE],
    seed: copy(bytes, AT_SEED, AT_DEVICE_SECRET),
    deviceSecret: copy(bytes, AT_DEVICE_SECRET, AT_MAKER_ROOT),
    makerRoot: copy(bytes, AT_MAKER_ROOT, AT_CRC),
  };
}

function put(bytes: Uint8Array, offset: number, what: string, part: Uint8Array, length: number): void {
  if (part.length !== length)
    throw new RangeError(what + ": wanted " + length + " bytes, got " + part.length);
  bytes.set(part, offset);
}

/** Not slice, which shares memory where the bytes are a host's own kind of array. */
function copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

function checksum(bytes: Uint8Array): number {
  return crc32(bytes, 0, AT_CRC, 0) >>> 0;
}
