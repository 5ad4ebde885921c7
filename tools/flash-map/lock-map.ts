// What a partition table must have for a lock to run on it: nothing overlaps, everything is where the chip can use it, and each part of
// the lock has the size that its profile says and the encryption that it needs (rule X10).

import type { Profile } from "../../firmware/core/profile";
import {
  FLASH_BYTES,
  type Partition,
  type PartitionTable,
  SECTOR_BYTES,
  Subtype,
  TABLE_OFFSETS,
  Type,
} from "./partition-table";

/** The names of the parts that are a lock's own. */
export const Part = {
  identity: "identity",
  keys: "nvs_keys",
  credentials: "credentials",
  events: "events",
} as const;

const APP_ALIGNMENT = 0x10000;
const OTA_DATA_BYTES = 0x2000;
/** The least that ESP-IDF's NVS can write to, and the least that it reads. */
const NVS_BYTES = 0x3000;
const READONLY_NVS_BYTES = 0x1000;

const hex = (value: number): string => `0x${value.toString(16)}`;

/** The partition of this name, if it holds data. */
export function dataPartition(table: PartitionTable, name: string): Partition | undefined {
  return table.find((partition) => partition.name === name && partition.type === Type.data);
}

/** What is wrong with where partitions stand, a sentence each; the table itself stands at `tableOffset`. */
export function mapProblems(table: PartitionTable, tableOffset: number, flashBytes = FLASH_BYTES): string[] {
  const problems: string[] = [];
  const sorted = [...table].sort((a, b) => a.offset - b.offset);
  let before = { name: "the partition table", end: tableOffset + SECTOR_BYTES };
  for (const { name, type, offset, size } of sorted) {
    const alignment = type === Type.app ? APP_ALIGNMENT : SECTOR_BYTES;
    if (offset % alignment !== 0)
      problems.push(`${name}: wanted an offset that is a multiple of ${hex(alignment)}, got ${hex(offset)}`);
    if (size === 0 || size % SECTOR_BYTES !== 0)
      problems.push(`${name}: wanted a size that is a multiple of ${hex(SECTOR_BYTES)}, got ${hex(size)}`);
    if (offset < before.end) problems.push(`${name}: begins at ${hex(offset)}, inside ${before.name}`);
    if (offset + size > flashBytes)
      problems.push(`${name}: ends at ${hex(offset + size)}, beyond the flash of ${hex(flashBytes)}`);
    if (offset + size > before.end) before = { name, end: offset + size };
  }
  return problems;
}

/** What a table lacks for a lock to be read from it, a sentence each. */
export function partProblems(table: PartitionTable, profile: Profile): string[] {
  const problems: string[] = [];
  for (const [name, bytes] of [
    [Part.credentials, profile.credentialBytes],
    [Part.events, profile.eventBytes],
  ] as const) {
    const partition = dataPartition(table, name);
    if (partition === undefined) problems.push(lacks(name));
    else if (partition.size !== bytes) problems.push(ofSize(partition, hex(bytes), ` for ${profile.name}`));
  }
  return problems;
}

/** What a board's table lacks for a lock to run on it: also its secrets, and both places for its firmware. */
export function boardProblems(table: PartitionTable, profile: Profile): string[] {
  const problems = [...mapProblems(table, TABLE_OFFSETS[0]), ...partProblems(table, profile)];
  for (const name of [Part.credentials, Part.events, Part.keys])
    if (dataPartition(table, name)?.encrypted === false) problems.push(`${name}: wanted the flag encrypted`);
  return [...problems, ...identityProblems(table), ...updateProblems(table)];
}

function identityProblems(table: PartitionTable): string[] {
  const problems: string[] = [];
  const identity = dataPartition(table, Part.identity);
  if (identity?.subtype !== Subtype.nvs) problems.push(lacks(`${Part.identity} (data, nvs)`));
  else {
    const least = identity.readonly ? READONLY_NVS_BYTES : NVS_BYTES;
    if (identity.size < least) problems.push(ofSize(identity, `${hex(least)} or more`));
    // NVS works on entries of its own and encrypts them itself; the chip's encryption would break it.
    if (identity.encrypted)
      problems.push(`${identity.name}: wanted no flag encrypted, as NVS encrypts itself`);
  }
  const keys = dataPartition(table, Part.keys);
  if (keys?.subtype !== Subtype.nvsKeys) problems.push(lacks(`${Part.keys} (data, nvs_keys)`));
  else if (keys.size !== SECTOR_BYTES) problems.push(ofSize(keys, hex(SECTOR_BYTES)));
  return problems;
}

/** An update goes into the application that does not run (rule X14). */
function updateProblems(table: PartitionTable): string[] {
  const data = table.find(({ type, subtype }) => type === Type.data && subtype === Subtype.ota);
  const apps = [Subtype.ota0, Subtype.ota1].map((slot) =>
    table.find(({ type, subtype }) => type === Type.app && subtype === slot),
  );
  const problems: string[] = [];
  if (data === undefined) problems.push(lacks("otadata (data, ota)"));
  else if (data.size !== OTA_DATA_BYTES) problems.push(ofSize(data, hex(OTA_DATA_BYTES)));
  apps.forEach((app, i) => {
    if (app === undefined) problems.push(lacks(`ota_${i} (app, ota_${i})`));
  });
  const [first, second] = apps;
  if (first !== undefined && second !== undefined && first.size !== second.size)
    problems.push(`${second.name}: wanted ${hex(first.size)} as ${first.name} has, got ${hex(second.size)}`);
  return problems;
}

function lacks(name: string): string {
  return `no partition ${name}`;
}

function ofSize({ name, size }: Partition, wanted: string, why = ""): string {
  return `${name}: wanted ${wanted} bytes${why}, got ${hex(size)}`;
}
