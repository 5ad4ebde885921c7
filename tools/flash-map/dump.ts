// The lock in a dump of a board's whole flash, as esptool reads it. The dump is only ever read. A chip that encrypts its flash gives
// nothing away here: that is what it is for (rule X10).

import { unpackIdentity } from "../../firmware/core/identity-record";
import { type Profile, profileById } from "../../firmware/core/profile";
import type { Identity } from "../../firmware/ports";
import type { FlashImage } from "../../simulator/board/board";
import { identityFaultText } from "../../simulator/board/image";
import { Failure } from "../ui/failure";
import { identityRecord, type NoIdentity } from "./identity-nvs";
import { dataPartition, mapProblems, Part, partProblems } from "./lock-map";
import { unpackNvsKeys } from "./nvs-keys";
import { isTable, type Partition, type PartitionTable, readTable, TABLE_OFFSETS } from "./partition-table";

/** What a dump is read with, where it does not hold it itself. */
export interface DumpHelp {
  /** A file with NVS keys, and what stands in it. */
  readonly nvsKeys?: NamedBytes;
  /** A file with the identity's partition. */
  readonly identity?: NamedBytes;
}

export interface NamedBytes {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Chips come with whole MiB, and so do dumps of them. */
const MIB = 0x100000;
/** The largest flash that an ESP32 addresses. */
export const MAX_DUMP_BYTES = 16 * MIB;
/** Bits of a byte: above the first it is noise. Code and tables have 7 at most, noise of 3 KiB has 7.9. */
const NOISE_BITS = 7.5;
const SAMPLE_BYTES = 0xc00;
/** Keys have a sector. */
export const MAX_KEYS_FILE_BYTES = 0x1000;
/** An identity's partition has a few pages. */
export const MAX_IDENTITY_FILE_BYTES = 0x10000;
const READ_ALL = "read the whole flash: esptool read-flash 0 ALL FILE";

/** Whether bytes are a dump of a flash, rather than an image or anything else. */
export function isDump(bytes: Uint8Array): boolean {
  const isFlash = bytes.length > 0 && bytes.length % MIB === 0;
  return isFlash || TABLE_OFFSETS.some((offset) => isTable(bytes, offset));
}

/** The lock in a dump, as copies. Throws a {@link Failure} that names `path` and says what is in the way. */
export function imageOfDump({ path, bytes }: NamedBytes, help: DumpHelp): FlashImage {
  const table = tableOf(path, bytes);
  const identity = identityOf(path, bytes, table, help);
  const profile = profileById(identity.profile) as Profile;
  const [problem] = partProblems(table, profile);
  if (problem !== undefined)
    throw new Failure(
      `${path}: the identity is of a ${profile.name}, and its flash is not: ${problem}`,
      "check which board was flashed with which files",
    );
  const part = (name: string): Uint8Array => contentOf(bytes, dataPartition(table, name) as Partition);
  return { identity, credentials: part(Part.credentials), events: part(Part.events) };
}

function contentOf(bytes: Uint8Array, { offset, size }: Partition): Uint8Array {
  return new Uint8Array(bytes.subarray(offset, offset + size));
}

function tableOf(path: string, bytes: Uint8Array): PartitionTable {
  const places = TABLE_OFFSETS.map((offset) => `0x${offset.toString(16)}`).join(" or ");
  const offset = TABLE_OFFSETS.find((each) => isTable(bytes, each));
  if (offset === undefined) {
    if (isNoise(bytes))
      throw new Failure(
        `${path}: nothing but noise where the partition table stands: the chip encrypts its flash`,
        "nobody reads it from outside; ask the lock over its radio: tumbler door status",
      );
    throw new Failure(`${path}: no partition table at ${places}`, READ_ALL);
  }
  const table = readTable(bytes, offset);
  if (table === "damaged-table")
    throw new Failure(`${path}: the partition table at 0x${offset.toString(16)} is damaged`, READ_ALL);
  const [problem] = mapProblems(table, offset, MAX_DUMP_BYTES);
  if (problem !== undefined) throw new Failure(`${path}: a partition table that no chip uses: ${problem}`);
  checkParts(path, bytes, table);
  return table;
}

function checkParts(path: string, bytes: Uint8Array, table: PartitionTable): void {
  for (const name of [Part.credentials, Part.events]) {
    const partition = dataPartition(table, name);
    if (partition === undefined)
      throw new Failure(`${path}: no partition ${name} in its table`, "read the flash of a Tumbler lock");
    const end = partition.offset + partition.size;
    if (end > bytes.length)
      throw new Failure(`${path}: ends at ${bytes.length}, before its partition ${name} (${end})`, READ_ALL);
  }
}

/** Whether what stands in the place of the table is noise. */
function isNoise(bytes: Uint8Array): boolean {
  const sample = bytes.subarray(TABLE_OFFSETS[0], TABLE_OFFSETS[0] + SAMPLE_BYTES);
  const counts = new Uint32Array(256);
  for (const byte of sample) counts[byte]++;
  let bits = 0;
  for (const count of counts)
    if (count > 0) bits -= (count / sample.length) * Math.log2(count / sample.length);
  return bits > NOISE_BITS;
}

function identityOf(path: string, bytes: Uint8Array, table: PartitionTable, help: DumpHelp): Identity {
  const at = dataPartition(table, Part.identity);
  const own = at === undefined ? undefined : { path, bytes: contentOf(bytes, at) };
  const source = help.identity ?? own;
  if (source === undefined || source.bytes.every((byte) => byte === 0xff))
    throw new Failure(`${path}: no identity in it`, "name the identity it was flashed with: --identity FILE");
  const plain = identityRecord(source.bytes);
  const keys = plain === "undeciphered" ? keysOf(path, bytes, table, help) : undefined;
  const record = keys === undefined ? plain : identityRecord(source.bytes, keys.bytes);
  if (typeof record === "string") throw noIdentity(source.path, record, keys?.path);
  const identity = unpackIdentity(record);
  if (typeof identity !== "string") return identity;
  throw new Failure(`${source.path}: ${identityFaultText(identity, record)}`, "read the flash again");
}

/** The keys that were named, or those of the dump itself, which a chip that does not encrypt its flash leaves readable. */
function keysOf(
  path: string,
  bytes: Uint8Array,
  table: PartitionTable,
  { nvsKeys }: DumpHelp,
): NamedBytes | undefined {
  if (nvsKeys !== undefined) return readNvsKeys(nvsKeys);
  const at = dataPartition(table, Part.keys);
  const keys = at === undefined ? "no-keys" : unpackNvsKeys(contentOf(bytes, at));
  if (keys === "damaged-keys")
    throw new Failure(`${path}: the keys in its partition ${Part.keys} are damaged`, "add --nvs-keys FILE");
  return keys === "no-keys" ? undefined : { path, bytes: keys };
}

/** The keys in a file. Throws a {@link Failure}. */
export function readNvsKeys({ path, bytes }: NamedBytes): NamedBytes {
  const keys = unpackNvsKeys(bytes);
  if (typeof keys !== "string") return { path, bytes: keys };
  const what = keys === "no-keys" ? "erased flash, without any NVS keys" : "no NVS keys, or damaged ones";
  throw new Failure(`${path}: ${what}`, "name the nvs_keys.bin that `tumbler provision --flash` wrote");
}

function noIdentity(path: string, fault: NoIdentity, keysPath: string | undefined): Failure {
  if (fault !== "undeciphered") return new Failure(`${path}: ${FAULTS[fault]}`, "read the flash again");
  if (keysPath === undefined)
    return new Failure(`${path}: its identity is encrypted`, "name its NVS keys: --nvs-keys FILE");
  return new Failure(
    `${path}: its identity cannot be decrypted with the keys in ${keysPath}`,
    "name the nvs_keys.bin of this lock: --nvs-keys FILE",
  );
}

const FAULTS = {
  "not-nvs": "its identity is no NVS partition",
  "newer-format": "its identity is in a newer format of NVS than this program reads",
  "damaged-nvs": "its identity's NVS partition is damaged",
  "no-identity": "its identity's NVS partition holds no identity",
} as const;
