// Flips every single bit of a full partition at rest. In the newest record of a slot that may at most cost that slot: damaged and
// denied. Anywhere else it must have no effect at all.
//
// Every flip is mounted. A mount that finds every record where the sound one found it reads what the sound one reads, but for the
// record that the bit is in; so only that one is read again. Whatever is found elsewhere is compared entirely.

import type { Table } from "../../firmware/core/storage/table";
import { FaultyNor } from "../../simulator/board/faulty-nor";
import { commandOf, isMine, type Job, type Progress } from "./job";
import { type Difference, difference, isDenied, slotDiffers, unsoundSlots } from "./judge";
import { asViolation, Violation } from "./life";
import { type Summary, Tally } from "./summary";
import { nextWrite, perform, tableOn } from "./workload";
import { type Lived, livedOf, type Written } from "./world";

/** The record that bytes belong to: of a slot, of something else that lives, or of nothing that matters any more. */
type Owner = { readonly slot: number } | "value" | "nothing";

/** A bit is also followed through a life (housekeeping, a write, a boot) so often: a prime, so that it comes to every place of a byte. */
const FOLLOWED = 61;
const UNIT = 16;
/** Steps of housekeeping after a boot. */
const TICKS = 4;

/** Whether two mounts found everything at the same place: position, answers, slots and all else. */
function agree(a: Table, b: Table): boolean {
  const { index, acks, head, pins } = a;
  if (a.applied !== b.applied || a.schedules !== b.schedules) return false;
  if (a.log.newest !== b.log.newest || a.log.offset !== b.log.offset) return false;
  if (index.used !== b.index.used || index.damaged !== b.index.damaged) return false;
  if (acks.first !== b.acks.first || acks.last !== b.acks.last) return false;
  if (!same(head, b.head) || !same(pins, b.pins)) return false;
  const places = Object.values(b.places) as Uint16Array[];
  if (!Object.values(a.places).every((list: Uint16Array, i) => same(list, places[i]))) return false;
  for (let slot = 0; slot < index.slots; slot++)
    if (index.place(slot) !== b.index.place(slot) || index.isDamaged(slot)) return false;
  for (let seq = acks.first; seq <= acks.last; seq++)
    if (
      acks.code(seq) !== b.acks.code(seq) ||
      acks.detail(seq) !== b.acks.detail(seq) ||
      acks.fingerprint(seq) !== b.acks.fingerprint(seq)
    )
      return false;
  return true;
}

function same(a: Uint8Array | Uint16Array, b: Uint8Array | Uint16Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
}

class Flipper {
  readonly tally = new Tally();
  readonly #job: Job;
  readonly #lived: Lived;
  readonly #sound: Table;
  /** By the number of a unit of flash. */
  readonly #owners: Owner[];

  constructor(job: Job) {
    this.#job = job;
    this.#lived = livedOf(job);
    const table = this.#boot(undefined).table;
    const state = table.mount();
    if (state !== "mounted") throw new Violation("mount", `the sound table: ${state}`);
    const differs = difference(table, this.#lived.reference);
    if (differs !== undefined) throw new Violation(differs.kind, `the sound table: ${differs.text}`);
    this.#sound = table;
    this.#owners = this.#findOwners(table);
  }

  run(progress: Progress): void {
    const { only } = this.#job;
    const bits = this.#lived.image.bytes.length * 8;
    for (let bit = 0; bit < bits; bit++) {
      if (only?.bit === undefined ? !isMine(this.#job, bit) : only.bit !== bit) continue;
      this.#flip(bit);
      if (this.tally.states % 256 === 0) progress(bit / bits, this.tally);
    }
  }

  #findOwners(table: Table): Owner[] {
    const owners: Owner[] = new Array(this.#lived.image.bytes.length / UNIT).fill("nothing");
    const claim = (place: number, owner: Owner): void => {
      const at = place * UNIT;
      const holds = ({ offset, length }: Written): boolean => offset <= at && at < offset + length;
      const record = this.#lived.written.find(holds);
      if (record === undefined) throw new Violation("index", `nothing was written at ${at}`);
      owners.fill(owner, record.offset / UNIT, (record.offset + record.length) / UNIT);
    };
    for (const list of Object.values(table.places) as Uint16Array[])
      for (const place of list) if (place !== 0) claim(place, "value");
    for (let slot = 0; slot < table.index.slots; slot++)
      if (table.index.place(slot) !== 0) claim(table.index.place(slot), { slot });
    return owners;
  }

  #boot(bit: number | undefined): { flash: FaultyNor; table: Table } {
    const flash = FaultyNor.boot(this.#lived.image);
    // Behind encryption this is a bit of what is read; a flipped cell spoils a block, which is ruin.
    if (bit !== undefined) flash.bytes[bit >>> 3] ^= 1 << (bit & 7);
    return { flash, table: tableOn(flash, this.#lived.workload.size.profile) };
  }

  #flip(bit: number): void {
    this.tally.states++;
    const owner = this.#owners[Math.floor(bit / 8 / UNIT)];
    const { flash, table } = this.#boot(bit);
    try {
      const state = table.mount();
      if (state !== "mounted") throw new Violation("mount", state);
      if (flash.operations > 0) throw new Violation("mount-wrote", `${flash.operations} operations`);
      this.#compare(table, owner);
      if (this.tally.states % FOLLOWED === 0 || this.#job.only?.bit === bit)
        this.#follow(flash, table, owner);
    } catch (error) {
      const { kind, message } = asViolation(error);
      const where = typeof owner === "object" ? `record of slot ${owner.slot}` : `record of ${owner}`;
      this.tally.violate(kind, `bit ${bit}, ${where}: ${message}`, commandOf(this.#job, { bit }));
    }
  }

  /** Holds a table to what a flip in a record of `owner` may do. */
  #compare(table: Table, owner: Owner): void {
    const { reference } = this.#lived;
    const slot = typeof owner === "object" ? owner.slot : undefined;
    if (slot !== undefined && table.load(slot) === "damaged") {
      this.tally.note("denied");
      if (!isDenied(table, reference.slots[slot]!)) throw new Violation("damaged-but-open", `slot ${slot}`);
      this.#throw(difference(table, reference, { except: slot }));
      return;
    }
    if (owner === "value" || !agree(table, this.#sound)) this.#throw(difference(table, reference));
    else if (slot !== undefined) this.#throw(slotDiffers(table, slot, reference.slots[slot]));
  }

  #throw(differs: Difference | undefined): void {
    if (differs !== undefined) throw new Violation(differs.kind, differs.text);
  }

  /** Goes on with a flipped bit: what it did must not grow. */
  #follow(flash: FaultyNor, table: Table, owner: Owner): void {
    const { reference, workload } = this.#lived;
    this.tally.note("followed");
    for (let tick = 0; tick < TICKS; tick++) table.maintain();
    const next = nextWrite(reference, unsoundSlots(table));
    if (!perform(table, next)) throw new Violation("next-write", `${next.op} is refused`);
    if (flash.nor.misuse !== undefined) throw new Violation("misuse", flash.nor.misuse.message);
    const undo = reference.apply(next);
    try {
      const later = tableOn(FaultyNor.boot(flash.image()), workload.size.profile);
      const state = later.mount();
      if (state !== "mounted") throw new Violation("mount after a reboot", state);
      const slot = typeof owner === "object" && later.load(owner.slot) === "damaged" ? owner.slot : undefined;
      this.#throw(difference(later, reference, { except: slot }));
    } finally {
      undo();
    }
  }
}

/** Tries this share of all flips. */
export function flips(job: Job, progress: Progress): Summary {
  const flipper = new Flipper(job);
  flipper.run(progress);
  return flipper.tally.toSummary();
}
