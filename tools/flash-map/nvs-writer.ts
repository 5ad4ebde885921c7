// Writes an NVS partition with one blob in it, as a chip would have written it: a page with the namespace, the blob's data and its index;
// the other pages erased.

import { ascii } from "../../protocol/wire/bytes";
import {
  AT_ENTRIES,
  AT_MAP,
  ENTRIES,
  ENTRY_BYTES,
  Entry,
  EntryState,
  encryptEntry,
  entryCrc,
  Header,
  headerCrc,
  Index,
  ItemType,
  Long,
  MAX_NAME,
  NAMESPACES,
  NO_CHUNK,
  nvsCrc,
  PAGE_BYTES,
  PageState,
  VERSION,
} from "./nvs-format";

/** What is written. */
export interface NvsBlob {
  /** Both of 1 to 15 characters. */
  readonly namespace: string;
  readonly key: string;
  /** 1 to {@link MAX_BLOB_BYTES} bytes. */
  readonly value: Uint8Array;
}

const NAMESPACE_NUMBER = 1;
/** Beside the data a page has the namespace's entry, the data's own and the index. */
const OTHER_ENTRIES = 3;
/** What fits one page. */
export const MAX_BLOB_BYTES = (ENTRIES - OTHER_ENTRIES) * ENTRY_BYTES;

/** A partition of `size` bytes. With `key`, of 64 bytes, its entries are encrypted. Throws a RangeError for what does not fit. */
export function packNvs(blob: NvsBlob, size: number, key?: Uint8Array): Uint8Array {
  const { namespace, value } = blob;
  if (size === 0 || size % PAGE_BYTES !== 0)
    throw new RangeError(`NVS partition: wanted pages of ${PAGE_BYTES}, got ${size}`);
  if (value.length === 0 || value.length > MAX_BLOB_BYTES)
    throw new RangeError(`NVS blob: wanted 1 to ${MAX_BLOB_BYTES} bytes, got ${value.length}`);
  const entries = [
    entryOf(NAMESPACES, ItemType.u8, 1, NO_CHUNK, namespace, (view) => {
      view.setUint8(Entry.data, NAMESPACE_NUMBER);
    }),
    ...dataEntries(blob),
    entryOf(NAMESPACE_NUMBER, ItemType.blobIndex, 1, NO_CHUNK, blob.key, (view) => {
      view.setUint32(Index.bytes, value.length, true);
      view.setUint8(Index.chunks, 1);
      view.setUint8(Index.first, 0);
    }),
  ];
  const bytes = new Uint8Array(size).fill(0xff);
  writeHeader(bytes);
  entries.forEach((entry, i) => {
    const at = AT_ENTRIES + i * ENTRY_BYTES;
    bytes.set(key === undefined ? entry : encryptEntry(entry, at, key), at);
    bytes[AT_MAP + (i >> 2)] &= ~((EntryState.empty ^ EntryState.written) << ((i & 3) * 2));
  });
  return bytes;
}

function writeHeader(page: Uint8Array): void {
  const view = new DataView(page.buffer);
  view.setUint32(Header.state, PageState.active, true);
  view.setUint32(Header.sequence, 0, true);
  view.setUint8(Header.version, VERSION);
  view.setUint32(Header.crc, headerCrc(page), true);
}

function dataEntries({ key, value }: NvsBlob): Uint8Array[] {
  const count = Math.ceil(value.length / ENTRY_BYTES);
  const head = entryOf(NAMESPACE_NUMBER, ItemType.blobData, 1 + count, 0, key, (view) => {
    view.setUint16(Long.bytes, value.length, true);
    view.setUint32(Long.crc, nvsCrc(value), true);
  });
  const data = Array.from({ length: count }, (_, i) => {
    const entry = new Uint8Array(ENTRY_BYTES).fill(0xff);
    entry.set(value.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES));
    return entry;
  });
  return [head, ...data];
}

function entryOf(
  namespace: number,
  type: number,
  span: number,
  chunk: number,
  name: string,
  fill: (view: DataView) => void,
): Uint8Array {
  if (name.length === 0 || name.length > MAX_NAME)
    throw new RangeError(`NVS name "${name}": wanted 1 to ${MAX_NAME} characters`);
  const entry = new Uint8Array(ENTRY_BYTES).fill(0xff);
  entry.set([namespace, type, span, chunk]);
  entry.fill(0, Entry.key, Entry.data);
  entry.set(ascii(name), Entry.key);
  const view = new DataView(entry.buffer);
  fill(view);
  view.setUint32(Entry.crc, entryCrc(entry), true);
  return entry;
}
