// Where a board keeps its identity (rule X10): one blob in an NVS partition, which NVS encrypts with keys of its own.

import { packIdentity } from "../../firmware/core/identity-record";
import type { Identity } from "../../firmware/ports";
import { blobOf, type NvsFault, unpackNvs } from "./nvs-reader";
import { packNvs } from "./nvs-writer";

const NAMESPACE = "tumbler";
const KEY = "identity";

/** The partition, `size` bytes, with this identity; plain without NVS keys. */
export function packIdentityNvs(identity: Identity, size: number, keys?: Uint8Array): Uint8Array {
  return packNvs({ namespace: NAMESPACE, key: KEY, value: packIdentity(identity) }, size, keys);
}

/** Why there is no identity record in a partition. */
export type NoIdentity = NvsFault | "no-identity";

/** The identity record in a partition, not yet judged. */
export function identityRecord(partition: Uint8Array, keys?: Uint8Array): Uint8Array | NoIdentity {
  const items = unpackNvs(partition, keys);
  if (typeof items === "string") return items;
  return blobOf(items, NAMESPACE, KEY) ?? "no-identity";
}
