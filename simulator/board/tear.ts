// What a cut leaves in flash: a pure function of the image before an operation, the operation, and the cut. So a test that has seen an
// operation once can look at every end that it may come to.

import { Noise } from "./noise";
import { BLOCK_BYTES, SECTOR_BYTES } from "./nor";
import { type Cut, type FlashOperation, PAGE_BYTES } from "./power";
import { fillErased, type Scramble, spoilBlock } from "./scrambled-nor";

/** A page whose erase was cut, as long as it is not erased again. */
export interface ShakyPage {
  /** Its begin, in bytes from that of the partition. */
  readonly offset: number;
  /** "flickers": each read gives the bits of `mask` anew. "falls": at the second boot they become 0. */
  readonly kind: "flickers" | "falls";
  /** {@link PAGE_BYTES} of bits. */
  readonly mask: Uint8Array;
  /** Boots since the cut. */
  readonly boots: number;
}

/** All that a flash keeps without power. */
export interface NorImage {
  readonly bytes: Uint8Array;
  readonly shaky: readonly ShakyPage[];
  /** Where the flash is scrambled: what it keeps beside its bytes. */
  readonly scramble?: Scramble;
}

/** The image of a flash that was never cut. */
export function steady(bytes: Uint8Array): NorImage {
  return { bytes, shaky: [] };
}

/** An image that is being made. */
type Draft = NorImage & { shaky: ShakyPage[] };

function copyOf({ bytes, shaky, scramble }: NorImage): Draft {
  if (scramble === undefined) return { bytes: bytes.slice(), shaky: [...shaky] };
  const { seed, erases, programmed } = scramble;
  const copy = { seed, erases: erases.slice(), programmed: programmed.slice() };
  return { bytes: bytes.slice(), shaky: [...shaky], scramble: copy };
}

/** The flash after `operation` on `before` was cut; `before` stays as it is. The operation must be one that the device allows. */
export function tear(before: NorImage, operation: FlashOperation, cut: Cut): NorImage {
  const after = copyOf(before);
  const noise = new Noise(cut.seed ?? 0, cut.operation, cut.bytes, cut.torn.length, cut.torn.charCodeAt(0));
  if (operation.kind === "erase") tearErase(after, operation, cut, noise);
  else if (after.scramble === undefined) tearProgram(after.bytes, operation, untaken(operation, cut, noise));
  else tearScrambled(after.bytes, after.scramble, operation, untaken(operation, cut, noise), noise);
  return after;
}

// ---- programs

/** The bits of each byte of a program that did not take. */
function untaken({ length, bytes }: FlashOperation, cut: Cut, noise: Noise): Uint8Array {
  const reached = Math.min(cut.bytes, length);
  const mask = new Uint8Array(length).fill(0xff, reached);
  if (cut.torn === "half-byte" && reached < length) mask[reached] = noise.byte();
  if (cut.torn === "scattered")
    for (let i = reached; i < length; i++) mask[i] = noise.byte() | noise.byte() | noise.byte();
  if (cut.torn === "weak") weaken(mask.subarray(0, reached), bytes!, noise);
  return mask;
}

/** Sets one, two, three or, just as often, many bits of `mask`, the few among those that `data` clears. */
function weaken(mask: Uint8Array, data: Uint8Array, noise: Noise): void {
  let few = noise.below(4);
  if (few === 0) for (let i = 0; i < mask.length; i++) mask[i] |= noise.sparse(4);
  for (let tries = 64; few > 0 && tries > 0 && mask.length > 0; tries--) {
    const at = noise.below(mask.length);
    const bit = 1 << noise.below(8);
    if ((data[at] & bit) !== 0 || (mask[at] & bit) !== 0) continue;
    mask[at] |= bit;
    few--;
  }
}

function tearProgram(bytes: Uint8Array, operation: FlashOperation, missing: Uint8Array): void {
  const { offset, bytes: data } = operation;
  for (let i = 0; i < missing.length; i++) bytes[offset + i] &= data![i] | missing[i];
}

/** Behind encryption a block is programmed, untouched or spoilt. */
function tearScrambled(
  bytes: Uint8Array,
  { programmed }: Scramble,
  { offset, length, bytes: data }: FlashOperation,
  missing: Uint8Array,
  noise: Noise,
): void {
  for (let start = 0; start < length; start += BLOCK_BYTES) {
    const block = missing.subarray(start, start + BLOCK_BYTES);
    if (block.every((byte) => byte === 0xff)) continue;
    const isWhole = block.every((byte) => byte === 0) && programmed[(offset + start) / BLOCK_BYTES] === 0;
    if (isWhole) bytes.set(data!.subarray(start, start + BLOCK_BYTES), offset + start);
    else spoilBlock(bytes, offset + start, noise);
    programmed[(offset + start) / BLOCK_BYTES] = 1;
  }
}

// ---- erases

function tearErase(after: Draft, { offset, length }: FlashOperation, cut: Cut, noise: Noise): void {
  const reached = offset + Math.floor(Math.min(cut.bytes, length) / PAGE_BYTES) * PAGE_BYTES;
  const isUnderWay = reached < offset + length && cut.torn !== "clean";
  const touched = isUnderWay ? reached + PAGE_BYTES : reached;
  if (after.scramble !== undefined)
    for (let at = offset; at < touched; at += SECTOR_BYTES) after.scramble.erases[at / SECTOR_BYTES]++;
  eraseBytes(after, offset, reached);
  if (isUnderWay) tearPage(after, reached, cut, noise);
}

function eraseBytes(image: Draft, start: number, end: number): void {
  const { bytes, scramble, shaky } = image;
  if (scramble === undefined) bytes.fill(0xff, start, end);
  else fillErased(bytes, start, end, scramble);
  scramble?.programmed.fill(0, start / BLOCK_BYTES, end / BLOCK_BYTES);
  for (let i = shaky.length - 1; i >= 0; i--)
    if (shaky[i].offset >= start && shaky[i].offset < end) shaky.splice(i, 1);
}

function tearPage(image: Draft, offset: number, { torn }: Cut, noise: Noise): void {
  const { bytes, scramble, shaky } = image;
  const end = offset + PAGE_BYTES;
  if (torn === "nearly" || torn === "weak") eraseBytes(image, offset, end);
  else scramble?.programmed.fill(1, offset / BLOCK_BYTES, end / BLOCK_BYTES);
  if (torn === "random") {
    for (let at = offset; at < end; at++) bytes[at] = noise.byte();
    return;
  }
  const mask = new Uint8Array(PAGE_BYTES);
  if (torn === "unstable") for (let i = 0; i < PAGE_BYTES; i++) mask[i] = noise.byte();
  else if (torn === "weak") weaken(mask, new Uint8Array(PAGE_BYTES), noise);
  else for (let i = 1 + noise.below(3); i > 0; i--) mask[noise.below(PAGE_BYTES)] |= 1 << noise.below(8);
  shaky.push({ offset, kind: torn === "weak" ? "falls" : "flickers", mask, boots: 0 });
}
