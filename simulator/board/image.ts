// The flash image of a virtual lock: one file with the chip's data partitions in the order in which they stand.
//
//   identity      4 KiB   "TMID" | format (1) | profile (1) | 0 (2) | lock (8) | seed (32) | device secret (32) |
//                         maker's root (32) | crc-32 (4), the rest erased
//   credentials           as long as the profile says
//   events                as long as the profile says
//
// The reader is strict: what it takes is exactly what the writer makes. An image holds the lock's secrets, whoever stores it.

import { PROFILES, type Profile, profileById } from "../../firmware/core/profile";
import { crc32 } from "../../firmware/core/storage/crc";
import type { Identity } from "../../firmware/ports";
import { ascii, equal, getU32, putU32 } from "../../protocol/wire/bytes";
import { LOCK_ID_BYTES, PUBLIC_KEY_BYTES } from "../../protocol/wire/limits";
import type { FlashImage } from "./board";

/** The identity partition: one sector, as no erase may ever touch anything beside it. */
export const IDENTITY_BYTES = 4096;
const MAGIC = ascii("TMID");
const FORMAT = 1;
const SECRET_BYTES = 32;
const AT_FORMAT = 4;
const AT_PROFILE = 5;
const AT_LOCK = 8;
const AT_SEED = AT_LOCK + LOCK_ID_BYTES;
const AT_DEVICE_SECRET = AT_SEED + SECRET_BYTES;
const AT_MAKER_ROOT = AT_DEVICE_SECRET + SECRET_BYTES;
const AT_CRC = AT_MAKER_ROOT + PUBLIC_KEY_BYTES;
const END = AT_CRC + 4;

/** Why bytes are not an image that this version reads. */
export type ImageFault =
  | "not-an-image"
  | "newer-format"
  | "damaged-identity"
  | "unknown-profile"
  | "wrong-size";

/** What {@link unpackImage} throws; the message says what was found and what was wanted. */
export class ImageError extends Error {
  readonly fault: ImageFault;

  constructor(fault: ImageFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** The size in bytes of an image of this profile. */
export function imageBytes(profile: Profile): number {
  return IDENTITY_BYTES + profile.credentialBytes + profile.eventBytes;
}

/** The bytes of an image. Throws a RangeError when a part does not have the size that its profile says. */
export function packImage({ identity, credentials, events }: FlashImage): Uint8Array {
  const profile = profileById(identity.profile);
  if (profile === undefined) throw new RangeError(`identity: unknown profile ${identity.profile}`);
  checkLength("lock id", identity.lock, LOCK_ID_BYTES);
  checkLength("seed", identity.seed, SECRET_BYTES);
  checkLength("device secret", identity.deviceSecret, SECRET_BYTES);
  checkLength("maker's root", identity.makerRoot, PUBLIC_KEY_BYTES);
  checkLength("credentials", credentials, profile.credentialBytes);
  checkLength("events", events, profile.eventBytes);
  const bytes = new Uint8Array(imageBytes(profile)).fill(0xff);
  bytes.fill(0, 0, END);
  bytes.set(MAGIC, 0);
  bytes[AT_FORMAT] = FORMAT;
  bytes[AT_PROFILE] = profile.id;
  bytes.set(identity.lock, AT_LOCK);
  bytes.set(identity.seed, AT_SEED);
  bytes.set(identity.deviceSecret, AT_DEVICE_SECRET);
  bytes.set(identity.makerRoot, AT_MAKER_ROOT);
  putU32(bytes, AT_CRC, checksum(bytes));
  bytes.set(credentials, IDENTITY_BYTES);
  bytes.set(events, IDENTITY_BYTES + profile.credentialBytes);
  return bytes;
}

/** The parts of an image, as copies. Throws an {@link ImageError} for anything but the bytes of one whole image. */
export function unpackImage(bytes: Uint8Array): FlashImage {
  const profile = readProfile(bytes);
  const wanted = imageBytes(profile);
  if (bytes.length !== wanted) {
    const parts = `identity ${IDENTITY_BYTES}, credentials ${profile.credentialBytes}, events ${profile.eventBytes}`;
    throw wrongSize(`${wanted} bytes for ${profile.name} (${parts})`, bytes);
  }
  // Not slice, which shares memory where the bytes are a Buffer.
  const copy = (start: number, end?: number) => new Uint8Array(bytes.subarray(start, end));
  const identity: Identity = {
    lock: copy(AT_LOCK, AT_SEED),
    profile: profile.id,
    seed: copy(AT_SEED, AT_DEVICE_SECRET),
    deviceSecret: copy(AT_DEVICE_SECRET, AT_MAKER_ROOT),
    makerRoot: copy(AT_MAKER_ROOT, AT_CRC),
  };
  const eventsAt = IDENTITY_BYTES + profile.credentialBytes;
  return { identity, credentials: copy(IDENTITY_BYTES, eventsAt), events: copy(eventsAt) };
}

/** Checks the identity partition and gives its profile. */
function readProfile(bytes: Uint8Array): Profile {
  const magic = bytes.subarray(0, MAGIC.length);
  if (!equal(magic, MAGIC)) {
    const found = magic.length === 0 ? "nothing" : Buffer.from(magic).toString("hex");
    throw new ImageError(
      "not-an-image",
      `not a Tumbler image: wanted "TMID" (544d4944) at the start, got ${found}`,
    );
  }
  if (bytes.length < IDENTITY_BYTES) throw wrongSize(`an identity of ${IDENTITY_BYTES} bytes first`, bytes);
  if (bytes[AT_FORMAT] > FORMAT) {
    const text = `image of format ${bytes[AT_FORMAT]}: this version reads format ${FORMAT}`;
    throw new ImageError("newer-format", text);
  }
  const isErased = bytes.subarray(END, IDENTITY_BYTES).every((byte) => byte === 0xff);
  if (bytes[AT_FORMAT] !== FORMAT || getU32(bytes, AT_CRC) !== checksum(bytes) || !isErased)
    throw new ImageError("damaged-identity", "damaged identity: its checksum does not fit its content");
  const profile = profileById(bytes[AT_PROFILE]);
  if (profile === undefined) {
    const known = PROFILES.map(({ id, name }) => `${id} (${name})`).join(" or ");
    throw new ImageError("unknown-profile", `unknown profile ${bytes[AT_PROFILE]}: wanted ${known}`);
  }
  return profile;
}

function wrongSize(wanted: string, bytes: Uint8Array): ImageError {
  return new ImageError("wrong-size", `wrong size: wanted ${wanted}, got ${bytes.length}`);
}

function checkLength(what: string, bytes: Uint8Array, wanted: number): void {
  if (bytes.length !== wanted) throw new RangeError(`${what}: wanted ${wanted} bytes, got ${bytes.length}`);
}

function checksum(bytes: Uint8Array): number {
  return crc32(bytes, 0, AT_CRC, 0) >>> 0;
}
