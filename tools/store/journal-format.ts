// The journal's bytes: a header, then one frame a record, each sealed with XChaCha20-Poly1305 under the key file's key. A record's
// number is authenticated with it, so one that is changed, moved or removed shows.
//
//   header  "tumbler journal" | format (1) | journal id (16) | nonce (24) | tag (16) of nothing, with the 32 bytes before as aad
//   frame   length (4) | its complement (4) | nonce (24) | ciphertext and tag; aad = journal id | record number (8)
//
// Only the end of the file can be torn: a record whose writing was cut was never relied on. Pure: bytes in, bytes out.

import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";

const MAGIC = Buffer.from("tumbler journal", "ascii");
const FORMAT = 1;
const ID_BYTES = 16;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;
const ID_AT = MAGIC.length + 1;
const CHECK_AT = ID_AT + ID_BYTES;
export const HEADER_BYTES = CHECK_AT + NONCE_BYTES + TAG_BYTES;
const LENGTH_BYTES = 8;
const FRAME_HEAD = LENGTH_BYTES + NONCE_BYTES;
/** A record: an import of some 100,000 people. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;
/** Disks write no less at once: what a cut write leaves out is zeros up to the border of a sector, where the file grew before. */
const SECTOR_BYTES = 512;

/** What a file is, if it is no journal that this key opens. */
export type HeaderFault = "not-a-journal" | "newer-format" | "foreign-key";

/** Fills a buffer with random bytes. */
export type Random = (length: number) => Uint8Array;

/** The first bytes of a new journal. */
export function makeHeader(key: Uint8Array, random: Random): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header[MAGIC.length] = FORMAT;
  header.set(random(ID_BYTES), ID_AT);
  const nonce = random(NONCE_BYTES);
  header.set(nonce, CHECK_AT);
  const check = xchacha20poly1305(key, nonce, header.subarray(0, CHECK_AT)).encrypt(new Uint8Array(0));
  header.set(check, CHECK_AT + NONCE_BYTES);
  return header;
}

/** The journal's id; or why it cannot be read. */
export function readHeader(file: Uint8Array, key: Uint8Array): Uint8Array | HeaderFault {
  if (file.length < HEADER_BYTES || MAGIC.compare(file, 0, MAGIC.length) !== 0) return "not-a-journal";
  if (file[MAGIC.length] > FORMAT) return "newer-format";
  const sealed = file.subarray(CHECK_AT + NONCE_BYTES, HEADER_BYTES);
  const nonce = file.subarray(CHECK_AT, CHECK_AT + NONCE_BYTES);
  const opened = unseal(key, nonce, file.subarray(0, CHECK_AT), sealed);
  return opened === undefined ? "foreign-key" : file.slice(ID_AT, CHECK_AT);
}

function unseal(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  try {
    return xchacha20poly1305(key, nonce, aad).decrypt(sealed);
  } catch {
    return undefined;
  }
}

function aadOf(id: Uint8Array, number: number): Uint8Array {
  const aad = Buffer.alloc(ID_BYTES + 8);
  aad.set(id);
  aad.writeBigUInt64BE(BigInt(number), ID_BYTES);
  return aad;
}

/** The frame of record `number`, counted from 0. Throws RangeError for more than {@link MAX_RECORD_BYTES}. */
export function sealRecord(
  key: Uint8Array,
  id: Uint8Array,
  number: number,
  record: Uint8Array,
  random: Random,
): Uint8Array {
  if (record.length > MAX_RECORD_BYTES)
    throw new RangeError(`record: ${record.length} bytes, where ${MAX_RECORD_BYTES} are the most`);
  const length = record.length + TAG_BYTES;
  const frame = Buffer.alloc(FRAME_HEAD + length);
  frame.writeUInt32BE(length, 0);
  frame.writeUInt32BE(~length >>> 0, 4);
  const nonce = random(NONCE_BYTES);
  frame.set(nonce, LENGTH_BYTES);
  frame.set(xchacha20poly1305(key, nonce, aadOf(id, number)).encrypt(record), FRAME_HEAD);
  return frame;
}

/** What a journal holds. */
export interface Contents {
  readonly records: Uint8Array[];
  /** Where the next frame goes; what stands behind it was never completely written. */
  readonly end: number;
  /** Where the record stands that does not verify although others follow, or all of it is there. */
  readonly damagedAt?: number;
}

/** Reads all records behind the header, up to the end or the first that is torn or damaged. */
export function readRecords(file: Uint8Array, key: Uint8Array, id: Uint8Array): Contents {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const records: Uint8Array[] = [];
  let at = HEADER_BYTES;
  while (at < bytes.length) {
    const rest = bytes.subarray(at);
    const size = frameSize(rest);
    if (size === "torn" || (typeof size === "number" && size > rest.length)) break;
    const frame = typeof size === "number" ? rest.subarray(0, size) : undefined;
    const record = frame && unsealFrame(frame, key, id, records.length);
    if (record === undefined) {
      const isTorn = frame?.length === rest.length && hasHole(frame, at);
      return isTorn ? { records, end: at } : { records, end: at, damagedAt: at };
    }
    records.push(record);
    at += size as number;
  }
  return { records, end: at };
}

function unsealFrame(frame: Buffer, key: Uint8Array, id: Uint8Array, number: number): Uint8Array | undefined {
  const nonce = frame.subarray(LENGTH_BYTES, FRAME_HEAD);
  return unseal(key, nonce, aadOf(id, number), frame.subarray(FRAME_HEAD));
}

/** The size of the frame at the start of `rest`, which may reach beyond it. */
function frameSize(rest: Buffer): number | "torn" | "damaged" {
  if (rest.subarray(LENGTH_BYTES).every((byte) => byte === 0)) return "torn";
  const length = rest.readUInt32BE(0);
  const isSound = rest.readUInt32BE(4) === ~length >>> 0;
  if (!isSound || length < TAG_BYTES || length > MAX_RECORD_BYTES + TAG_BYTES) return "damaged";
  return FRAME_HEAD + length;
}

/** Whether a sector's part of the frame that begins at `at` is nothing but zeros. */
function hasHole(frame: Buffer, at: number): boolean {
  for (let start = 0; start < frame.length; ) {
    const end = Math.min(frame.length, start + SECTOR_BYTES - ((at + start) % SECTOR_BYTES));
    if (frame.subarray(start, end).every((byte) => byte === 0)) return true;
    start = end;
  }
  return false;
}
