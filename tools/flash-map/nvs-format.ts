// The format of an NVS partition, version 2 (ESP-IDF's "Non-Volatile Storage Library", Internals): what its writer and its reader share.
// Pages of 4096 bytes: a header, a map with two bits for each entry, 126 entries of 32 bytes. Numbers are little-endian.

import { createCipheriv, createDecipheriv } from "node:crypto";
import { crc32 } from "node:zlib";

export const PAGE_BYTES = 4096;
export const ENTRY_BYTES = 32;
export const ENTRIES = 126;
/** Where the map and the entries begin in a page. */
export const AT_MAP = 32;
export const AT_ENTRIES = 64;

/** A page's header: state (4), number in the order of writing (4), version (1), erased (19), CRC of all but the state (4). */
export const Header = { state: 0, sequence: 4, version: 8, unused: 9, crc: 28 } as const;
/** Pages go from state to state by bits that become 0. */
export const PageState = { empty: 0xffffffff, active: 0xfffffffe, full: 0xfffffffc } as const;
/** Versions count down: 0xff is the first. */
export const VERSION = 0xfe;
/** Two bits of the map; 1 never happens. */
export const EntryState = { empty: 3, written: 2, erased: 0 } as const;

/** An entry: namespace (1), type (1), span (1), chunk (1), CRC of all but itself (4), key (16), data (8). */
export const Entry = { namespace: 0, type: 1, span: 2, chunk: 3, crc: 4, key: 8, data: 24 } as const;
/** Data of an entry whose value stands in the entries after it: bytes (2), erased (2), CRC of the value (4). */
export const Long = { bytes: 24, crc: 28 } as const;
/** Data of the entry that joins the chunks of a blob: bytes (4), chunks (1), first chunk (1), erased (2). */
export const Index = { bytes: 24, chunks: 28, first: 29 } as const;
/** The types that readers and writers tell apart; others are numbers. */
export const ItemType = { u8: 0x01, string: 0x21, blobData: 0x42, blobIndex: 0x48 } as const;
/** Entries of this namespace name the others. */
export const NAMESPACES = 0;
export const LAST_NAMESPACE = 254;
export const NO_CHUNK = 0xff;
export const MAX_NAME = 15;

/** Two AES keys of 32 bytes, one for data and one for the tweak. */
export const NVS_KEY_BYTES = 64;
const TWEAK_BYTES = 16;
const CIPHER = "aes-256-xts";

/** The CRC-32 that NVS has: that of zlib, from another beginning. */
export function nvsCrc(...parts: readonly Uint8Array[]): number {
  return parts.reduce((crc, part) => crc32(part, crc), 0xffffffff);
}

/** The CRC of an entry, which leaves its own four bytes out. */
export function entryCrc(entry: Uint8Array): number {
  return nvsCrc(entry.subarray(0, Entry.crc), entry.subarray(Entry.key, ENTRY_BYTES));
}

/** The CRC of a page's header. */
export function headerCrc(page: Uint8Array): number {
  return nvsCrc(page.subarray(Header.sequence, Header.crc));
}

/** XTS-AES (IEEE 1619) with an entry as its unit, numbered by the byte of the partition at which it stands. */
export function encryptEntry(entry: Uint8Array, at: number, key: Uint8Array): Uint8Array {
  return createCipheriv(CIPHER, key, tweakOf(at)).update(entry);
}

/** Undoes {@link encryptEntry}; with another key it gives noise. */
export function decryptEntry(entry: Uint8Array, at: number, key: Uint8Array): Uint8Array {
  return createDecipheriv(CIPHER, key, tweakOf(at)).update(entry);
}

function tweakOf(at: number): Uint8Array {
  const tweak = Buffer.alloc(TWEAK_BYTES);
  tweak.writeUInt32LE(at);
  return tweak;
}
