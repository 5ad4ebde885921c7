// The flash image of a virtual lock: one file with the chip's data partitions in the order in which they stand.
//
//   identity      4 KiB   the identity record, the rest erased
//   credentials           as long as the profile says
//   events                as long as the profile says
//
// The reader is strict: what it takes is exactly what the writer makes. An image holds the lock's secrets, whoever stores it.

import {
  IDENTITY_FORMAT,
  IDENTITY_RECORD_BYTES,
  type IdentityFault,
  packIdentity,
  unpackIdentity,
} from "../../firmware/core/identity-record";
import { PROFILES, type Profile, profileById } from "../../firmware/core/profile";
import type { Identity } from "../../firmware/ports";
import type { FlashImage } from "./board";

/** The identity partition: one sector, as no erase may ever touch anything beside it. */
export const IDENTITY_BYTES = 4096;
/** Where the record has the numbers that an error repeats. */
const AT_FORMAT = 4;
const AT_PROFILE = 5;

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
  const record = packIdentity(identity);
  const profile = profileById(identity.profile) as Profile;
  checkLength("credentials", credentials, profile.credentialBytes);
  checkLength("events", events, profile.eventBytes);
  const bytes = new Uint8Array(imageBytes(profile)).fill(0xff);
  bytes.set(record, 0);
  bytes.set(credentials, IDENTITY_BYTES);
  bytes.set(events, IDENTITY_BYTES + profile.credentialBytes);
  return bytes;
}

/** The parts of an image, as copies. Throws an {@link ImageError} for anything but the bytes of one whole image. */
export function unpackImage(bytes: Uint8Array): FlashImage {
  const identity = readIdentity(bytes);
  const profile = profileById(identity.profile) as Profile;
  const wanted = imageBytes(profile);
  if (bytes.length !== wanted) {
    const parts = `identity ${IDENTITY_BYTES}, credentials ${profile.credentialBytes}, events ${profile.eventBytes}`;
    throw wrongSize(`${wanted} bytes for ${profile.name} (${parts})`, bytes);
  }
  // Not slice, which shares memory where the bytes are a Buffer.
  const copy = (start: number, end?: number) => new Uint8Array(bytes.subarray(start, end));
  const eventsAt = IDENTITY_BYTES + profile.credentialBytes;
  return { identity, credentials: copy(IDENTITY_BYTES, eventsAt), events: copy(eventsAt) };
}

/** What is wrong with an identity record, in words. */
export function identityFaultText(fault: IdentityFault, record: Uint8Array): string {
  if (fault === "newer-format")
    return `identity of format ${record[AT_FORMAT]}: this version reads format ${IDENTITY_FORMAT}`;
  if (fault === "damaged-identity") return "damaged identity: its checksum does not fit its content";
  if (fault === "unknown-profile") {
    const known = PROFILES.map(({ id, name }) => `${id} (${name})`).join(" or ");
    return `unknown profile ${record[AT_PROFILE]}: wanted ${known}`;
  }
  const magic = record.subarray(0, AT_FORMAT);
  const found = magic.length === 0 ? "nothing" : Buffer.from(magic).toString("hex");
  return `not a Tumbler image: wanted "TMID" (544d4944) at the start, got ${found}`;
}

/** Checks the identity partition and gives what it holds. */
function readIdentity(bytes: Uint8Array): Identity {
  const record = bytes.subarray(0, IDENTITY_RECORD_BYTES);
  const identity = unpackIdentity(record);
  if (identity === "not-an-identity")
    throw new ImageError("not-an-image", identityFaultText(identity, record));
  if (bytes.length < IDENTITY_BYTES) throw wrongSize(`an identity of ${IDENTITY_BYTES} bytes first`, bytes);
  if (typeof identity === "string") throw new ImageError(identity, identityFaultText(identity, record));
  const isErased = bytes.subarray(IDENTITY_RECORD_BYTES, IDENTITY_BYTES).every((byte) => byte === 0xff);
  if (!isErased)
    throw new ImageError("damaged-identity", "damaged identity: wanted nothing but erased flash after it");
  return identity;
}

function wrongSize(wanted: string, bytes: Uint8Array): ImageError {
  return new ImageError("wrong-size", `wrong size: wanted ${wanted}, got ${bytes.length}`);
}

function checkLength(what: string, bytes: Uint8Array, wanted: number): void {
  if (bytes.length !== wanted) throw new RangeError(`${what}: wanted ${wanted} bytes, got ${bytes.length}`);
}
