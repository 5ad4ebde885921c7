// Cuts the power in every operation that a workload does on flash, after every byte and in every pattern, and once more in every
// operation of every different recovery.

import type { FaultyNor } from "../../simulator/board/faulty-nor";
import { hash32 } from "../../simulator/board/noise";
import { type Cut, type FlashOperation, PAGE_BYTES, tornOf } from "../../simulator/board/power";
import { type NorImage, tear } from "../../simulator/board/tear";
import { commandOf, isMine, type Job, type Only, type Progress } from "./job";
import { asViolation, Life } from "./life";
import type { Operation, ReferenceTable } from "./reference-table";
import { type Summary, Tally } from "./summary";
import { perform } from "./workload";
import { bootWorld, settingOf } from "./world";

/** What a cut left: an image, and what may be known of the operations that were in flight. */
interface State {
  readonly image: NorImage;
  readonly pending: readonly Operation[];
  /** So many of them were done for certain. */
  readonly confirmed: number;
  readonly cuts: readonly Cut[];
}

/** A moment of a recovery: the flash before an operation of it, and how many operations in flight were done by then. */
interface Moment {
  readonly image: NorImage;
  readonly operation: FlashOperation;
  readonly confirmed: number;
}

/** All cuts of one operation that differ. */
function cutsOf({ kind, length }: FlashOperation, operation: number, seed: number): Cut[] {
  const cuts: Cut[] = [];
  const step = kind === "erase" ? PAGE_BYTES : 1;
  for (let bytes = 0; bytes <= length; bytes += step)
    for (const torn of tornOf(kind)) {
      const isNothing = bytes === 0 && kind === "program" && torn === "weak";
      const isAll = bytes === length && torn !== "clean" && (kind === "erase" || torn !== "weak");
      if (!isNothing && !isAll) cuts.push({ operation, bytes, torn, seed });
    }
  return cuts;
}

/** Cuts of one operation of a recovery: just begun, half done and all but done, the patterns in turn. */
function secondCutsOf(
  { kind, length }: FlashOperation,
  operation: number,
  turn: number,
  seed: number,
): Cut[] {
  const patterns = tornOf(kind);
  const isErase = kind === "erase";
  const places = isErase ? [0, length / 2, length - PAGE_BYTES] : [1, Math.floor(length / 2), length - 1];
  return places.map((bytes, i) => ({ operation, bytes, torn: patterns[(turn + i) % patterns.length], seed }));
}

/** Whether a repeated run is about this cut. */
function isMeant({ bytes, torn }: Cut, only: Omit<Only, "second"> | undefined): boolean {
  return (only?.bytes ?? bytes) === bytes && (only?.torn ?? torn) === torn;
}

class Explorer {
  readonly tally = new Tally();
  readonly #job: Job;
  readonly #progress: Progress;
  #reference!: ReferenceTable;
  /** Recoveries that were cut already since the first cut came to another operation, by what they do on flash. */
  readonly #shapes = new Set<number>();

  constructor(job: Job, progress: Progress) {
    this.#job = job;
    this.#progress = progress;
  }

  run(): void {
    const { operations } = settingOf(this.#job);
    let inFlight = operations[0];
    let done = 0;
    const { table, reference, flash } = bootWorld(this.#job, {
      onOperation: (operation, before) => this.#meet(before, operation, inFlight),
    });
    this.#reference = reference;
    for (inFlight of operations) {
      if (!perform(table, inFlight))
        this.tally.violate("refused", `${inFlight.op}, number ${done}`, commandOf(this.#job, {}));
      reference.apply(inFlight);
      this.#progress(++done / operations.length, this.tally);
    }
    if (this.#job.share > 0) return;
    this.tally.note("operations on flash", flash.operations);
    this.tally.note("erases", flash.nor.counters.erases);
  }

  /** An operation of the workload is about to change flash: every end that it may come to is tried. */
  #meet(flash: FaultyNor, operation: FlashOperation, inFlight: Operation): void {
    const { only, seed } = this.#job;
    const number = flash.operations;
    if (only?.operation === undefined ? !isMine(this.#job, number) : only.operation !== number) return;
    this.#shapes.clear();
    const before = flash.image();
    for (const cut of cutsOf(operation, number, seed))
      if (isMeant(cut, only))
        this.#first({ image: tear(before, operation, cut), pending: [inFlight], confirmed: 0, cuts: [cut] });
  }

  #first(state: State): void {
    let shape = 0;
    const seen = ({ offset, length, kind }: FlashOperation): void => {
      shape = hash32(shape, offset, length, kind.length);
    };
    if (this.#try(state, seen) === undefined || this.#shapes.has(shape)) return;
    this.#shapes.add(shape);
    this.#cutRecovery(state, shape);
  }

  /** Recovers from a state once more, and cuts that in each of its operations. */
  #cutRecovery(state: State, shape: number): void {
    const moments: Moment[] = [];
    const next = this.#try(state, (operation, flash, confirmed) => {
      const copy = { ...operation, bytes: operation.bytes?.slice() };
      moments.push({ image: flash.image(), operation: copy, confirmed });
    });
    this.tally.note("recoveries that were cut");
    this.tally.states--;
    const pending = [...state.pending, next!];
    const only = this.#job.only?.second;
    moments.forEach(({ image, operation, confirmed }, number) => {
      if ((only?.operation ?? number) !== number) return;
      for (const cut of secondCutsOf(operation, number, shape & 0xff, this.#job.seed)) {
        if (!isMeant(cut, only)) continue;
        this.tally.note("second cuts");
        this.#try({ image: tear(image, operation, cut), pending, confirmed, cuts: [...state.cuts, cut] });
      }
    });
  }

  /** Tries one state. Shows what its recovery does on flash; returns the write behind it, undefined when a rule was broken. */
  #try(
    { image, pending, confirmed, cuts }: State,
    onOperation?: (operation: FlashOperation, flash: FaultyNor, confirmed: number) => void,
  ): Operation | undefined {
    this.tally.states++;
    const life = new Life(image, this.#job.size, this.#reference, {
      seed: cuts[0].operation,
      onOperation: onOperation && ((operation, flash) => onOperation(operation, flash, life.confirmed)),
    });
    try {
      life.mount();
      life.settle(pending, confirmed);
      const next = life.recover(pending);
      life.reboot();
      return next;
    } catch (error) {
      const { kind, message } = asViolation(error);
      const [{ operation, bytes, torn }, second] = cuts;
      const command = commandOf(this.#job, { operation, bytes, torn, second });
      this.tally.violate(second === undefined ? kind : `${kind}, after a second cut`, message, command);
      return undefined;
    } finally {
      life.end();
    }
  }
}

/** Tries this share of all states that a cut may leave. */
export function cuts(job: Job, progress: Progress): Summary {
  const explorer = new Explorer(job, progress);
  explorer.run();
  return explorer.tally.toSummary();
}
