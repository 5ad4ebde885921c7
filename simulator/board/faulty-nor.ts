// Flash with faults, all of them told in advance: a supply that goes in the middle of an operation, pages whose erase was cut, sectors
// that are stuck or worn out, reads that fail once. What it does depends on its plan alone, so every run can be repeated. It stands
// before a strict flash, and what reaches the cells obeys that one's rules.

import type { Flash, FlashStatus } from "../../firmware/ports";
import { Noise } from "./noise";
import { BLOCK_BYTES, NorFlash, SECTOR_BYTES } from "./nor";
import { type Cut, type FlashOperation, PAGE_BYTES, POWER_CUT, type Power } from "./power";
import { ScrambledNor, spoilBlock } from "./scrambled-nor";
import { type NorImage, type ShakyPage, tear } from "./tear";

/** What the device reports when an operation fails. */
export class FlashFault extends Error {}

/** How a sector fails. "silent": programs and erases do nothing and report success. */
export const FAULT_KINDS = ["program-error", "erase-error", "read-error", "silent"] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** A sector that fails from some moment on. */
export interface SectorFault {
  readonly kind: FaultKind;
  /** Its number; every sector where it is left out. */
  readonly sector?: number;
  /** From this program or erase of the flash on, counted from 0; from the first where it is left out. */
  readonly from?: number;
  /** Bytes that take all the same before a program or an erase fails; none where it is left out. */
  readonly done?: number;
}

/** Sectors that last for so many erases each, and then fail. */
export interface Wear {
  readonly erases: number;
  readonly kind: FaultKind;
}

/** The faults of a flash. */
export interface FaultPlan {
  readonly power?: Power;
  readonly sectors?: readonly SectorFault[];
  readonly wear?: Wear;
  /** Numbers of reads, from 0, that fail once. */
  readonly readErrors?: readonly number[];
  /** What flickering bits depend on. */
  readonly seed?: number;
  /** Sees each program and erase before it happens, with the flash as it is before. */
  readonly onOperation?: (operation: FlashOperation, flash: FaultyNor) => void;
}

export class FaultyNor implements Flash {
  /** The flash behind: its counters and its misuse are of interest. */
  readonly nor: NorFlash;
  /** Programs and erases begun, failed ones too. */
  operations = 0;
  reads = 0;
  readonly #plan: FaultPlan;
  readonly #faults: SectorFault[];
  readonly #noise: Noise;
  #shaky: ShakyPage[] = [];

  /** Stands before `nor`, which goes on to hold the cells. */
  constructor(nor: NorFlash, plan: FaultPlan = {}) {
    this.nor = nor;
    this.#plan = plan;
    this.#faults = [...(plan.sectors ?? [])];
    this.#noise = new Noise(plan.seed ?? 0);
  }

  /** A boot: a flash with what another one left (copied). */
  static boot(image: NorImage, plan: FaultPlan = {}): FaultyNor {
    const { bytes, scramble } = image;
    const nor =
      scramble === undefined
        ? new NorFlash(bytes.length, bytes)
        : new ScrambledNor(bytes.length, { content: { bytes, scramble } });
    const flash = new FaultyNor(nor, plan);
    for (const page of image.shaky) flash.#meet(page);
    return flash;
  }

  /** What a power cycle leaves, a copy. */
  image(): NorImage {
    const { nor } = this;
    const shaky = this.#shaky.map((page) => ({ ...page, mask: page.mask.slice() }));
    if (!(nor instanceof ScrambledNor)) return { bytes: nor.bytes.slice(), shaky };
    const { seed, erases, programmed } = nor.scramble;
    const scramble = { seed, erases: erases.slice(), programmed: programmed.slice() };
    return { bytes: nor.bytes.slice(), shaky, scramble };
  }

  get bytes(): Uint8Array {
    return this.nor.bytes;
  }

  /** From now on a sector fails. */
  fail(fault: SectorFault): void {
    this.#faults.push(fault);
  }

  /** No sector fails any more. */
  heal(): void {
    this.#faults.length = 0;
  }

  read(buffer: Uint8Array, offset: number): void {
    this.#plan.power?.check();
    const number = this.reads++;
    if (this.#plan.readErrors?.includes(number)) throw new FlashFault(`read ${number} fails`);
    if (this.#faultOf("read-error", offset, buffer.length) !== undefined)
      throw new FlashFault(`read at ${offset} fails`);
    this.nor.read(buffer, offset);
    if (this.#shaky.length === 0) return;
    for (const page of this.#shaky) if (page.kind === "flickers") this.#flicker(page, buffer, offset);
  }

  write(buffer: Uint8Array, offset: number): void {
    const operation = { kind: "program", offset, length: buffer.length, bytes: buffer } as const;
    this.#begin(operation);
    const failing = this.#faultOf("program-error", offset, buffer.length);
    if (failing !== undefined) this.#break(operation, failing.done ?? 0);
    if (this.#faultOf("silent", offset, buffer.length) !== undefined) return;
    this.nor.write(buffer, offset);
    for (const page of this.#shaky) this.#settle(page, buffer, offset);
  }

  eraseBlock(start: number, end: number): void {
    const offset = start * SECTOR_BYTES;
    const operation = { kind: "erase", offset, length: (end - start) * SECTOR_BYTES } as const;
    this.#begin(operation);
    const failing = this.#faultOf("erase-error", offset, operation.length);
    if (failing !== undefined) this.#break(operation, failing.done ?? 0);
    for (let sector = start; sector < end; sector++) {
      const at = sector * SECTOR_BYTES;
      if (this.#faultOf("silent", at, SECTOR_BYTES) !== undefined) continue;
      this.nor.eraseBlock(sector, sector + 1);
      this.#shaky = this.#shaky.filter((page) => page.offset < at || page.offset >= at + SECTOR_BYTES);
    }
  }

  status(): FlashStatus {
    return this.nor.status();
  }

  // ---- operations that do not end well

  #begin(operation: FlashOperation): void {
    this.#plan.power?.check();
    this.#plan.onOperation?.(operation, this);
    this.operations++;
    const cut = this.#plan.power?.begin(operation);
    if (cut === undefined) return;
    this.#tear(operation, cut);
    throw POWER_CUT;
  }

  #break(operation: FlashOperation, bytes: number): never {
    this.#tear(operation, { operation: this.operations - 1, bytes, torn: "clean" });
    throw new FlashFault(`${operation.kind} at ${operation.offset} fails`);
  }

  #tear(operation: FlashOperation, cut: Cut): void {
    const after = tear(this.image(), operation, cut);
    this.nor.bytes.set(after.bytes);
    if (this.nor instanceof ScrambledNor && after.scramble !== undefined) {
      this.nor.scramble.erases.set(after.scramble.erases);
      this.nor.scramble.programmed.set(after.scramble.programmed);
    }
    this.#shaky = [...after.shaky];
  }

  /** The fault of this kind that an access to these bytes meets. */
  #faultOf(kind: FaultKind, offset: number, length: number): SectorFault | undefined {
    const { wear } = this.#plan;
    if (this.#faults.length === 0 && wear?.kind !== kind) return undefined;
    const last = Math.floor((offset + Math.max(length, 1) - 1) / SECTOR_BYTES);
    // The operation that goes on is counted already; a read lies between two.
    const now = kind === "read-error" ? this.operations : this.operations - 1;
    for (let sector = Math.floor(offset / SECTOR_BYTES); sector <= last; sector++) {
      for (const fault of this.#faults) {
        const isHere = fault.sector === undefined || fault.sector === sector;
        if (fault.kind === kind && isHere && now >= (fault.from ?? 0)) return fault;
      }
      if (wear?.kind === kind && this.nor.sectorErases[sector] >= wear.erases) return { kind, sector };
    }
    return undefined;
  }

  // ---- pages whose erase was cut

  /** Takes over a page from the image that this flash boots from. */
  #meet(page: ShakyPage): void {
    const boots = page.boots + 1;
    if (page.kind === "falls" && boots > 1) this.#fall(page);
    else this.#shaky.push({ ...page, mask: page.mask.slice(), boots });
  }

  #fall({ offset, mask }: ShakyPage): void {
    const { nor } = this;
    for (let i = 0; i < PAGE_BYTES; i++) {
      if (mask[i] === 0) continue;
      if (nor instanceof ScrambledNor) spoilBlock(nor.bytes, offset + i, this.#noise);
      else nor.bytes[offset + i] &= ~mask[i];
    }
  }

  /** What a read of `buffer` at `at` gives of a page that flickers. */
  #flicker({ offset, mask }: ShakyPage, buffer: Uint8Array, at: number): void {
    const start = Math.max(offset, at);
    const end = Math.min(offset + PAGE_BYTES, at + buffer.length);
    const isScrambled = this.nor instanceof ScrambledNor;
    for (let i = start; i < end; i++) {
      if (mask[i - offset] === 0) continue;
      const flips = this.#noise.byte() & mask[i - offset];
      if (!isScrambled) buffer[i - at] ^= flips;
      else if (flips !== 0) this.#spoil(buffer, i, at);
    }
  }

  /** Behind encryption one bit that flickers spoils all of its block. */
  #spoil(buffer: Uint8Array, cell: number, at: number): void {
    const start = cell - (cell % BLOCK_BYTES);
    for (let i = Math.max(start, at); i < Math.min(start + BLOCK_BYTES, at + buffer.length); i++)
      buffer[i - at] = this.#noise.byte();
  }

  /** A bit that is programmed holds from then on; one that is left to read 1 does as it did. */
  #settle({ offset, mask }: ShakyPage, buffer: Uint8Array, at: number): void {
    if (this.nor instanceof ScrambledNor) return;
    const end = Math.min(offset + PAGE_BYTES, at + buffer.length);
    for (let i = Math.max(offset, at); i < end; i++) mask[i - offset] &= buffer[i - at];
  }
}
