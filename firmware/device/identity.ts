// The lock's identity, as provisioning put it where the chip encrypts (rule X10). A chip without one is no lock: it says why, and starts
// nothing. The bytes that were read hold every secret, so they are wiped once the identity is unpacked.

import { type IdentityFault, unpackIdentity } from "../core/identity-record";
import type { Identity } from "../ports";
import { IDENTITY_BUFFER_BYTES, type NativeIdentity } from "./native";

/** NVS has no such entry or no such namespace. */
const NOT_FOUND = -0x1102;

/** Why a chip has no identity: it was never provisioned, the record is damaged, or its memory cannot be read (with the error's number). */
export type NoIdentity = IdentityFault | "not-provisioned" | number;

/** The identity of this chip, or why it has none. */
export function readIdentity(native: NativeIdentity): Identity | NoIdentity {
  const buffer = new ArrayBuffer(IDENTITY_BUFFER_BYTES);
  const length = native.identityRead(buffer);
  if (length === NOT_FOUND) return "not-provisioned";
  if (length < 0) return length;
  const identity = unpackIdentity(new Uint8Array(buffer, 0, length));
  new Uint8Array(buffer).fill(0);
  return identity;
}

/** What is wrong, in words for whoever stands at the cable. */
export function noIdentityText(fault: NoIdentity): string {
  if (typeof fault === "number") return "the identity cannot be read: error -0x" + (-fault).toString(16);
  return fault;
}
