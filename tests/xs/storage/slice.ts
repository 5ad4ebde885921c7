// A slice of the storage suite that an engine without a compiler to machine code gets through: the same lives, judges and rules, at moments
// far apart. What it did is told as counts and one hash over every program and erase of every flash, so that two engines can be
// compared; what broke a rule is told as in the suite. It imports no Node.

import { FaultyNor } from "../../../simulator/board/faulty-nor";
import { hash32 } from "../../../simulator/board/noise";
import { type Cut, type FlashOperation, PAGE_BYTES, tornOf } from "../../../simulator/board/power";
import { type NorImage, tear } from "../../../simulator/board/tear";
import { flips } from "../../storage/flips";
import type { Job } from "../../storage/job";
import { asViolation, Life } from "../../storage/life";
import type { Operation, ReferenceTable } from "../../storage/reference-table";
import { stuck, wear } from "../../storage/stuck";
import { type Summary, Tally } from "../../storage/summary";
import { perform } from "../../storage/workload";
import { bootWorld, settingOf } from "../../storage/world";

/** What a slice came to. */
export interface Transcript {
  readonly summary: Summary;
  /** Over all that was ever written to flash, and how much was read between. */
  readonly hash: number;
}

/** The parts of the slice: one of so many operations, bits or cases is tried. */
export interface Strides {
  readonly cuts: number;
  readonly flips: number;
  readonly stuck: number;
  readonly wear: number;
}

const PRIME = 0x01000193;
/** Cuts of an operation that is tried. */
const CUTS = 2;

/** Listens to every flash there is from here on. */
class Ear {
  hash = 0x811c9dc5;

  listen(): void {
    const ear = this;
    const { write, eraseBlock } = FaultyNor.prototype;
    FaultyNor.prototype.write = function (buffer, offset) {
      ear.#hear(this, 1, offset, buffer);
      write.call(this, buffer, offset);
    };
    FaultyNor.prototype.eraseBlock = function (start, end) {
      ear.#hear(this, 2, start * 0x10000 + end);
      eraseBlock.call(this, start, end);
    };
  }

  #hear(flash: FaultyNor, kind: number, place: number, bytes?: Uint8Array): void {
    let hash = hash32(this.hash, kind, place, flash.reads);
    if (bytes !== undefined) for (const byte of bytes) hash = Math.imul(hash ^ byte, PRIME);
    this.hash = hash >>> 0;
  }
}

/** Some cuts of an operation, in patterns and after bytes that depend on its number. */
function cutsOf({ kind, length }: FlashOperation, operation: number): Cut[] {
  const patterns = tornOf(kind);
  return Array.from({ length: CUTS }, (_, i): Cut => {
    const chance = hash32(operation, i);
    const bytes = kind === "erase" ? (chance % (length / PAGE_BYTES)) * PAGE_BYTES : chance % length;
    return { operation, bytes, torn: patterns[(chance >>> 16) % patterns.length], seed: chance };
  });
}

/** A life after a cut: everything that the suite asks of it. */
function live(image: NorImage, inFlight: Operation, reference: ReferenceTable, cut: Cut, tally: Tally): void {
  tally.states++;
  const life = new Life(image, "small", reference, { seed: cut.operation });
  try {
    life.mount();
    life.settle([inFlight], 0);
    life.recover([inFlight]);
    life.reboot();
  } catch (error) {
    const { kind, message } = asViolation(error);
    tally.violate(kind, message, `cut ${cut.operation}:${cut.bytes}:${cut.torn}`);
  } finally {
    life.end();
  }
}

/** Cuts the power in every so many operations of the table's life. */
function cuts(job: Job, tally: Tally): void {
  const { operations } = settingOf(job);
  let inFlight = operations[0];
  const world = bootWorld(job, {
    onOperation: (operation, flash) => {
      const number = flash.operations;
      if (number % job.stride !== job.stride >> 1) return;
      const before = flash.image();
      const copy = { ...operation, bytes: operation.bytes?.slice() };
      for (const cut of cutsOf(operation, number))
        live(tear(before, copy, cut), inFlight, world.reference, cut, tally);
    },
  });
  for (inFlight of operations) {
    if (!perform(world.table, inFlight)) tally.violate("refused", inFlight.op, "");
    world.reference.apply(inFlight);
  }
}

/** Goes through the slice of a seed; once in a program, since it listens to all flash. */
export function transcript(seed: number, strides: Strides): Transcript {
  const ear = new Ear();
  ear.listen();
  const tally = new Tally();
  const job = (part: keyof Strides): Job => {
    const stride = strides[part];
    return { part, size: "small", mode: "plain", phase: "life", seed, share: 0, of: 1, stride };
  };
  const progress = () => {};
  cuts(job("cuts"), tally);
  tally.add(flips(job("flips"), progress));
  tally.add(stuck(job("stuck"), progress));
  tally.add(wear(job("wear"), progress));
  return { summary: tally.toSummary(), hash: ear.hash };
}
