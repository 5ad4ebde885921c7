// Reads an NVS partition, plain or with its keys. Stricter than a chip, which drops what is damaged: here one wrong bit in anything that
// is in use, or should be erased, makes the whole partition damaged.

import {
  AT_ENTRIES,
  AT_MAP,
  decryptEntry,
  ENTRIES,
  ENTRY_BYTES,
  Entry,
  EntryState,
  entryCrc,
  Header,
  headerCrc,
  Index,
  ItemType,
  LAST_NAMESPACE,
  Long,
  NAMESPACES,
  NO_CHUNK,
  nvsCrc,
  PAGE_BYTES,
  PageState,
  VERSION,
} from "./nvs-format";

/** A value with its name. */
export interface NvsItem {
  readonly namespace: string;
  readonly key: string;
  readonly kind: "number" | "string" | "blob";
  /** Numbers as their little-endian bytes, strings with the zero at their end. */
  readonly value: Uint8Array;
}

/** Why a partition is not read. "undeciphered": no entry makes sense, as it is encrypted and no key, or not the right one, was given. */
export type NvsFault = "not-nvs" | "newer-format" | "undeciphered" | "damaged-nvs";

/** What the partition holds; nothing if it is erased. `key` has 64 bytes. Never throws on what stands in the bytes. */
export function unpackNvs(bytes: Uint8Array, key?: Uint8Array): readonly NvsItem[] | NvsFault {
  if (bytes.length === 0 || bytes.length % PAGE_BYTES !== 0) return "not-nvs";
  const pages: Page[] = [];
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    const page = new Page(bytes, at, key);
    if (page.isErased) continue;
    if (!page.hasHeader) return pages.length === 0 && page.isStrange ? "not-nvs" : "damaged-nvs";
    if (page.version !== VERSION) return page.version < VERSION ? "newer-format" : "damaged-nvs";
    pages.push(page);
  }
  const written = pages.flatMap((page) => page.written());
  if (written.length > 0 && !written.some((entry) => isEntry(entry))) return "undeciphered";
  return itemsOf(pages) ?? "damaged-nvs";
}

const isErased = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0xff);
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const isEntry = (entry: Uint8Array): boolean => viewOf(entry).getUint32(Entry.crc, true) === entryCrc(entry);

class Page {
  readonly #bytes: Uint8Array;
  readonly #at: number;
  readonly #key: Uint8Array | undefined;

  constructor(partition: Uint8Array, at: number, key: Uint8Array | undefined) {
    this.#bytes = partition.subarray(at, at + PAGE_BYTES);
    this.#at = at;
    this.#key = key;
  }

  get isErased(): boolean {
    return isErased(this.#bytes);
  }

  get #view(): DataView {
    return viewOf(this.#bytes);
  }

  get version(): number {
    return this.#bytes[Header.version];
  }

  get sequence(): number {
    return this.#view.getUint32(Header.sequence, true);
  }

  get isActive(): boolean {
    return this.#view.getUint32(Header.state, true) === PageState.active;
  }

  /** Whether this is a page that a chip reads and leaves as it is: others are left by a loss of power. */
  get hasHeader(): boolean {
    const isFull = this.#view.getUint32(Header.state, true) === PageState.full;
    const isWhole = this.#view.getUint32(Header.crc, true) === headerCrc(this.#bytes);
    return (this.isActive || isFull) && isWhole;
  }

  /** Whether nothing in it looks like a page's header. */
  get isStrange(): boolean {
    const isNumber = this.#view.getUint32(Header.crc, true) === headerCrc(this.#bytes);
    return !isNumber && !isErased(this.#bytes.subarray(Header.unused, Header.crc));
  }

  /** Whether the map has a meaning, and all that it calls empty is erased. */
  get isTidy(): boolean {
    for (let i = 0; i < ENTRIES; i++) {
      const state = this.state(i);
      if (state === EntryState.empty ? !isErased(this.#raw(i)) : !this.#isUsed(state)) return false;
    }
    return this.state(ENTRIES) === EntryState.empty && this.state(ENTRIES + 1) === EntryState.empty;
  }

  #isUsed(state: number): boolean {
    return state === EntryState.written || state === EntryState.erased;
  }

  state(i: number): number {
    return (this.#bytes[AT_MAP + (i >> 2)] >> ((i & 3) * 2)) & 3;
  }

  #raw(i: number): Uint8Array {
    const at = AT_ENTRIES + i * ENTRY_BYTES;
    return this.#bytes.subarray(at, at + ENTRY_BYTES);
  }

  entry(i: number): Uint8Array {
    const raw = this.#raw(i);
    return this.#key === undefined
      ? raw
      : decryptEntry(raw, this.#at + AT_ENTRIES + i * ENTRY_BYTES, this.#key);
  }

  /** All entries in use, values among them. */
  written(): Uint8Array[] {
    const places = Array.from({ length: ENTRIES }, (_, i) => i);
    return places.filter((i) => this.state(i) === EntryState.written).map((i) => this.entry(i));
  }
}

/** An entry that begins something, and the value behind it. */
interface Head {
  readonly namespace: number;
  readonly type: number;
  readonly chunk: number;
  readonly key: string;
  readonly entry: DataView;
  readonly value: Uint8Array;
}

/** The items of all pages; undefined if anything in them is wrong. */
function itemsOf(pages: readonly Page[]): NvsItem[] | undefined {
  const sequences = new Set(pages.map(({ sequence }) => sequence));
  if (sequences.size !== pages.length || pages.filter(({ isActive }) => isActive).length > 1)
    return undefined;
  const heads: Head[] = [];
  for (const page of pages) {
    const found = page.isTidy ? headsOf(page) : undefined;
    if (found === undefined) return undefined;
    heads.push(...found);
  }
  return joined(heads);
}

function headsOf(page: Page): Head[] | undefined {
  const heads: Head[] = [];
  for (let i = 0; i < ENTRIES; ) {
    if (page.state(i) !== EntryState.written) {
      i++;
      continue;
    }
    const span = page.entry(i)[Entry.span];
    const head = readHead(page, i, span);
    if (head === undefined) return undefined;
    heads.push(head);
    i += span;
  }
  return heads;
}

function readHead(page: Page, i: number, span: number): Head | undefined {
  const entry = page.entry(i);
  if (!isEntry(entry) || span === 0 || i + span > ENTRIES) return undefined;
  for (let k = i + 1; k < i + span; k++) if (page.state(k) !== EntryState.written) return undefined;
  const key = nameOf(entry.subarray(Entry.key, Entry.data));
  const rest = Array.from({ length: span - 1 }, (_, k) => page.entry(i + 1 + k));
  const value = contentOf(entry, rest);
  if (key === undefined || value === undefined) return undefined;
  const [namespace, type, , chunk] = entry;
  return { namespace, type, chunk, key, entry: viewOf(entry), value };
}

function nameOf(field: Uint8Array): string | undefined {
  return /^([ -~]{1,15})\0+$/.exec(Buffer.from(field).toString("latin1"))?.[1];
}

/** Numbers: the low half of their type is their length, the high half says of which kind they are. */
const NUMBER_TYPES = [0x01, 0x02, 0x04, 0x08, 0x11, 0x12, 0x14, 0x18, 0x24, 0x28];

function contentOf(entry: Uint8Array, rest: readonly Uint8Array[]): Uint8Array | undefined {
  const [, type, span, chunk] = entry;
  const isChunk = type === ItemType.blobData;
  if ((chunk === NO_CHUNK) === isChunk) return undefined;
  if (type === ItemType.string || isChunk) {
    const length = viewOf(entry).getUint16(Long.bytes, true);
    const whole = Buffer.concat(rest);
    const value = whole.subarray(0, length);
    const isWhole = span === 1 + Math.ceil(length / ENTRY_BYTES) && isErased(whole.subarray(length));
    return isWhole && viewOf(entry).getUint32(Long.crc, true) === nvsCrc(value)
      ? new Uint8Array(value)
      : undefined;
  }
  if (span !== 1) return undefined;
  if (type === ItemType.blobIndex) return new Uint8Array(0);
  return NUMBER_TYPES.includes(type)
    ? new Uint8Array(entry.subarray(Entry.data, Entry.data + (type & 0xf)))
    : undefined;
}

function joined(heads: readonly Head[]): NvsItem[] | undefined {
  const names = new Map<number, string>();
  for (const { namespace, key, value } of heads.filter((head) => head.namespace === NAMESPACES)) {
    if (value.length !== 1 || value[0] === NAMESPACES || value[0] > LAST_NAMESPACE) return undefined;
    if (names.has(value[0]) || namespace !== NAMESPACES || [...names.values()].includes(key))
      return undefined;
    names.set(value[0], key);
  }
  const items: NvsItem[] = [];
  const isData = ({ type }: Head): boolean => type === ItemType.blobData;
  const chunks = heads.filter(isData);
  let used = 0;
  for (const head of heads) {
    if (head.namespace === NAMESPACES || isData(head)) continue;
    const namespace = names.get(head.namespace);
    const parts = head.type === ItemType.blobIndex ? partsOf(head, chunks) : [head.value];
    if (namespace === undefined || parts === undefined) return undefined;
    if (items.some((item) => item.namespace === namespace && item.key === head.key)) return undefined;
    if (head.type === ItemType.blobIndex) used += parts.length;
    const kind = kindOf(head.type);
    items.push({ namespace, key: head.key, kind, value: new Uint8Array(Buffer.concat(parts)) });
  }
  // A chunk that is there twice, or belongs to nothing, is left over.
  return used === chunks.length ? items : undefined;
}

function kindOf(type: number): NvsItem["kind"] {
  if (type === ItemType.string) return "string";
  return type === ItemType.blobIndex ? "blob" : "number";
}

/** The data that belongs to an index, in order; undefined if it is not all there. */
function partsOf(index: Head, chunks: readonly Head[]): Uint8Array[] | undefined {
  const first = index.entry.getUint8(Index.first);
  const count = index.entry.getUint8(Index.chunks);
  const parts: Uint8Array[] = [];
  for (let n = first; n < first + count; n++) {
    const found = chunks.find(
      ({ namespace, key, chunk }) => namespace === index.namespace && key === index.key && chunk === n,
    );
    if (found === undefined) return undefined;
    parts.push(found.value);
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return length === index.entry.getUint32(Index.bytes, true) ? parts : undefined;
}

/** The blob of this name, if it is there. */
export function blobOf(items: readonly NvsItem[], namespace: string, key: string): Uint8Array | undefined {
  const isIt = (item: NvsItem): boolean =>
    item.kind === "blob" && item.namespace === namespace && item.key === key;
  return items.find(isIt)?.value;
}
