// How a lock shows itself over Bluetooth before anybody connects (rules S7, S10): an id that only those with its link key can tell from any
// other, and a hint whether a visit is worth it. Nothing here is proof: whoever lies in it costs a courier a connection.

import type { Crypto } from "../crypto/port";
import { ascii, equal, getU16, getU32, putU16, putU32 } from "./bytes";
import { LOCK_ID_BYTES, VERSION } from "./limits";

/** The GATT service of a lock and its characteristics. */
export const Gatt = {
  service: "7cb31d00-5f0e-4c67-9d0b-6e0a35a4d7c1",
  /** Segments to the lock: write, and write without response. */
  inbox: "7cb31d01-5f0e-4c67-9d0b-6e0a35a4d7c1",
  /** Segments from the lock: notify. */
  outbox: "7cb31d02-5f0e-4c67-9d0b-6e0a35a4d7c1",
  /** What the lock is: read, see {@link packInfo}. */
  info: "7cb31d03-5f0e-4c67-9d0b-6e0a35a4d7c1",
} as const;

/** An id is new after so many seconds of uptime: whoever passes twice cannot tell that it is the same lock. */
export const ROTATION_S = 900;
/** The random part of an id, and the part that follows from it under the link key. */
export const ROTATING_BYTES = 3;
const ID_BYTES = 2 * ROTATING_BYTES;
const ADVERT_BYTES = ID_BYTES + 3;
const INFO_BYTES = 17;
const ADVERT_INFO = ascii("tumbler/1 advert");

/** What a lock advertises. */
export interface Advert {
  /** 6 bytes: see {@link rotatingId}; of a lock without an owner the first six of its lock id. */
  readonly id: Uint8Array;
  /** The low 16 bits of `applied`. */
  readonly applied: number;
  /** As in a status. */
  readonly flags: number;
}

/** The id that random bytes make under a link key: random (3) ‖ HMAC-SHA256(linkKey, "tumbler/1 advert" ‖ random)[0..3). */
export function rotatingId(crypto: Crypto, linkKey: Uint8Array, random: Uint8Array): Uint8Array {
  const input = new Uint8Array(ADVERT_INFO.length + ROTATING_BYTES);
  input.set(ADVERT_INFO);
  input.set(random, ADVERT_INFO.length);
  const id = new Uint8Array(ID_BYTES);
  id.set(random);
  id.set(crypto.hmacSha256(linkKey, input).subarray(0, ROTATING_BYTES), ROTATING_BYTES);
  return id;
}

/** Whether the lock with this link key may have this id; one in 16 million others has it, too. */
export function isIdOf(crypto: Crypto, linkKey: Uint8Array, id: Uint8Array): boolean {
  return equal(rotatingId(crypto, linkKey, id.subarray(0, ROTATING_BYTES)), id);
}

/** The service data of an advertisement, 9 bytes: id (6) ‖ low bits of applied u16 ‖ flags. */
export function packAdvert({ id, applied, flags }: Advert): Uint8Array {
  const bytes = new Uint8Array(ADVERT_BYTES);
  bytes.set(id);
  putU16(bytes, ID_BYTES, applied & 0xffff);
  bytes[ID_BYTES + 2] = flags;
  return bytes;
}

/** Reads what {@link packAdvert} made; undefined for anything else. */
export function readAdvert(bytes: Uint8Array): Advert | undefined {
  if (bytes.length !== ADVERT_BYTES) return undefined;
  return { id: bytes.slice(0, ID_BYTES), applied: getU16(bytes, ID_BYTES), flags: bytes[ID_BYTES + 2] };
}

/** What a lock tells of itself to whoever connects. */
export interface Info {
  /** The number of its profile. */
  readonly profile: number;
  /** The first 4 bytes of its id. */
  readonly shortId: Uint8Array;
  /** 0 while it has no owner. */
  readonly epoch: number;
  readonly applied: number;
  /** As in a status. */
  readonly flags: number;
  /** The largest segment in bytes that this connection takes now: MTU − 3. */
  readonly largest: number;
}

const SHORT_ID_BYTES = LOCK_ID_BYTES / 2;

/** The value of `info`, 17 bytes: version ‖ profile ‖ short id (4) ‖ epoch u32 ‖ applied u32 ‖ flags ‖ largest segment u16. */
export function packInfo({ profile, shortId, epoch, applied, flags, largest }: Info): Uint8Array {
  const bytes = new Uint8Array(INFO_BYTES);
  bytes[0] = VERSION;
  bytes[1] = profile;
  bytes.set(shortId, 2);
  putU32(bytes, 6, epoch);
  putU32(bytes, 10, applied);
  bytes[14] = flags;
  putU16(bytes, 15, largest);
  return bytes;
}

/** Reads what {@link packInfo} made; undefined for anything else, and for another version. */
export function readInfo(bytes: Uint8Array): Info | undefined {
  if (bytes.length !== INFO_BYTES || bytes[0] !== VERSION) return undefined;
  return {
    profile: bytes[1],
    shortId: bytes.slice(2, 2 + SHORT_ID_BYTES),
    epoch: getU32(bytes, 6),
    applied: getU32(bytes, 10),
    flags: bytes[14],
    largest: getU16(bytes, 15),
  };
}
