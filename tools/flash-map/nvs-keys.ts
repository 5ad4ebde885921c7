// The partition that NVS keeps its keys in (ESP-IDF's "NVS Encryption"): key (32), tweak's key (32), CRC-32 (4), the rest erased.
// Whoever has it reads every NVS partition of its chip.

import { equal } from "../../protocol/wire/bytes";
import { NVS_KEY_BYTES, nvsCrc } from "./nvs-format";
import { SECTOR_BYTES } from "./partition-table";

/** Why bytes are no keys. */
export type KeysFault = "no-keys" | "damaged-keys";

/** The partition with these keys; an erased one without. */
export function packNvsKeys(keys: Uint8Array | undefined): Uint8Array {
  const bytes = new Uint8Array(SECTOR_BYTES).fill(0xff);
  if (keys === undefined) return bytes;
  if (keys.length !== NVS_KEY_BYTES)
    throw new RangeError(`NVS keys: wanted ${NVS_KEY_BYTES} bytes, got ${keys.length}`);
  bytes.set(keys);
  new DataView(bytes.buffer).setUint32(NVS_KEY_BYTES, nvsCrc(keys), true);
  return bytes;
}

/** The keys in a partition, 64 bytes as a copy; "no-keys" if it is erased. */
export function unpackNvsKeys(bytes: Uint8Array): Uint8Array | KeysFault {
  if (bytes.length !== SECTOR_BYTES) return "damaged-keys";
  if (bytes.every((byte) => byte === 0xff)) return "no-keys";
  const keys = new Uint8Array(bytes.subarray(0, NVS_KEY_BYTES));
  const half = NVS_KEY_BYTES / 2;
  // XTS with two equal keys is none (IEEE 1619), and no library takes them.
  if (equal(keys.subarray(0, half), keys.subarray(half))) return "damaged-keys";
  return equal(packNvsKeys(keys), bytes) ? keys : "damaged-keys";
}
