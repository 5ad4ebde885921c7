// What a table lives through in the storage suites, from a seed: it is filled, then puts, changes and revokes come in chance order
// with all that a lock writes besides, and housekeeping between them. The operations are a list; whoever wants performs them.

import { LOCK_1000, type Profile } from "../../firmware/core/profile";
import { Table } from "../../firmware/core/storage/table";
import type { Flash } from "../../firmware/ports";
import { fromHex, toHex } from "../../protocol/wire/bytes";
import { Code } from "../../protocol/wire/codes";
import { emptyEntry } from "../../protocol/wire/entry";
import { type FaultPlan, FaultyNor } from "../../simulator/board/faulty-nor";
import { hash32, Noise } from "../../simulator/board/noise";
import { NorFlash, SECTOR_BYTES } from "../../simulator/board/nor";
import { ScrambledNor } from "../../simulator/board/scrambled-nor";
import { type Operation, ReferenceTable, type Slot } from "./reference-table";

/** The lock that all of these tables belong to. */
const LOCK = Uint8Array.of(0x7e, 0x57, 0, 1, 2, 3, 4, 5);

/** A profile of the suites' own: as many kinds of things as the large one, in a partition that is mounted in a fraction of the time. */
export const SMALL: Profile = {
  ...LOCK_1000,
  id: 99,
  name: "small",
  slots: 100,
  schedules: 16,
  acks: 128,
  credentialBytes: 10 * SECTOR_BYTES,
};

/** How much is done to a table. */
export interface Size {
  readonly profile: Profile;
  /** Schedules that it is filled with. */
  readonly schedules: number;
  readonly puts: number;
  readonly changes: number;
  readonly revokes: number;
}

/** The workloads by name. */
export const SIZES = {
  full: { profile: LOCK_1000, schedules: 100, puts: 1000, changes: 1000, revokes: 500 },
  small: { profile: SMALL, schedules: 16, puts: 130, changes: 130, revokes: 60 },
} as const satisfies Record<string, Size>;
export type SizeName = keyof typeof SIZES;

/** The operations of a workload. Those before `filled` fill the table; those from `lived` on revoke almost all of it. */
export interface Workload {
  readonly size: Size;
  readonly operations: readonly Operation[];
  readonly filled: number;
  /** Before this the table is full again, and the last operation is a put. */
  readonly lived: number;
}

/** Settings and states that are written; what else a lock keeps under such numbers has a meaning of its own. */
const SETTINGS = [1, 2, 3, 9, 15];
const STATES = [1, 2, 3];
const MAX_STATE_BYTES = 200;
const MAX_SETTING_BYTES = 64;
const MAX_WINDOWS = 8;
/** So often, in deltas, each of these comes between them; a step of housekeeping comes as often as with a lock that is in use. */
const EVERY = { maintain: 4, use: 3, refuse: 19, schedule: 23, setting: 41, state: 47 } as const;
/** Half of the changes fall on so many slots. */
const HOT_SLOTS = 10;

/** The chain head after the delta `seq`: here, 16 bytes that depend on it. */
export function headOf(seq: number): Uint8Array {
  return bytesOf(new Noise(0x4ead, seq), 16);
}

function bytesOf(noise: Noise, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => noise.byte());
}

class Maker {
  readonly operations: Operation[] = [];
  readonly #noise: Noise;
  readonly #size: Size;
  readonly #table = new ReferenceTable();
  #deltas = 0;

  constructor(size: Size, seed: number) {
    this.#size = size;
    this.#noise = new Noise(0x57, seed);
  }

  #add(operation: Operation): void {
    this.#table.apply(operation);
    this.operations.push(operation);
    if ("seq" in operation) this.#between(++this.#deltas);
  }

  /** What comes between two deltas. */
  #between(deltas: number): void {
    const occupied = this.#table.occupied();
    if (deltas % EVERY.use === 0 && occupied.length > 0) this.#use(this.#pick(occupied).slot);
    if (deltas % EVERY.state === 0)
      this.#add({ op: "state", id: this.#pick(STATES), value: this.#bytes(1, MAX_STATE_BYTES) });
    if (deltas % EVERY.maintain === 0) this.#add({ op: "maintain" });
  }

  get #position(): { seq: number; head: Uint8Array } {
    const seq = this.#table.applied + 1;
    return { seq, head: headOf(seq) };
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#noise.below(items.length)];
  }

  #bytes(least: number, most: number): Uint8Array {
    return bytesOf(this.#noise, least + this.#noise.below(most - least + 1));
  }

  /** What a put or a change may set: times, terms and flags. */
  #terms(): Pick<
    Slot,
    | "role"
    | "schedule"
    | "start"
    | "end"
    | "minutesAfterFirstUse"
    | "firstUseHours"
    | "capabilities"
    | "flags"
  > {
    const below = (end: number): number => this.#noise.below(end);
    const start = below(2) * this.#noise.next();
    return {
      role: below(7),
      schedule: below(this.#size.schedules + 1),
      start,
      end: below(2) * this.#noise.next(),
      minutesAfterFirstUse: below(2) * below(2881),
      firstUseHours: start === 0 ? 0 : below(256),
      capabilities: below(128),
      flags: below(32),
    };
  }

  put(slot: number): void {
    const position = this.#position;
    const kind = 1 + this.#noise.below(3);
    const content: Slot = {
      ...this.#terms(),
      slot,
      kind,
      digits: kind === 1 ? 4 + this.#noise.below(7) : 0,
      tag: toHex(bytesOf(this.#noise, 12)),
      user: 1 + this.#noise.below(0xffff_fffe),
      grantor: this.#noise.below(2) * this.#noise.next(),
      uses: this.#noise.below(2) * this.#noise.below(0x10000),
      generation: position.seq,
    };
    this.#add({ op: "put", content, code: this.#pick([Code.applied, Code.installed]), ...position });
  }

  /** A put into an empty slot, or over another where none is empty. */
  putSomewhere(): void {
    const { slots } = this.#size.profile;
    const first = this.#noise.below(slots);
    let slot = first;
    while (this.#table.slots[slot] !== undefined && (slot + 1) % slots !== first) slot = (slot + 1) % slots;
    this.put(slot);
  }

  change(): void {
    const occupied = this.#table.occupied();
    const among = this.#noise.below(2) === 0 ? occupied : occupied.slice(0, HOT_SLOTS);
    const { slot } = this.#pick(among);
    const content = { ...slot, ...this.#terms() };
    const code = this.#pick([Code.applied, Code.installed]);
    this.#add({ op: "change", content, code, ...this.#position });
  }

  /** Takes out one slot, or several at once. */
  revoke(): void {
    const occupied = this.#table.occupied().map(({ slot }) => slot.slot);
    const slot = this.#pick(occupied);
    if (this.#noise.below(3) === 0) {
      this.#add({ op: "drop", slot, ...this.#position });
      return;
    }
    const slots = new Set([slot]);
    for (let i = this.#noise.below(4); i > 0; i--) slots.add(this.#pick(occupied));
    this.#add({ op: "revoke", slots: [...slots], ...this.#position });
  }

  /** Takes out all slots but one. */
  revokeAlmostAll(): void {
    const [, ...slots] = this.#table.occupied().map(({ slot }) => slot.slot);
    this.#add({ op: "revoke", slots, ...this.#position });
  }

  refuse(): void {
    const code = this.#pick([Code.duplicate, Code.staleGeneration, Code.unchanged]);
    this.#add({ op: "refuse", code, detail: this.#noise.below(0x10000), ...this.#position });
  }

  schedule(id = 1 + this.#noise.below(this.#size.schedules), least = 0): void {
    const count = least + this.#noise.below(MAX_WINDOWS + 1 - least);
    const windows = Array.from({ length: count }, () => this.#noise.next());
    this.#add({ op: "schedule", id, windows, ...this.#position });
  }

  setting(id = this.#pick(SETTINGS)): void {
    this.#add({ op: "setting", id, value: this.#bytes(1, MAX_SETTING_BYTES), ...this.#position });
  }

  #use({ slot, generation, uses }: Slot): void {
    const before = this.#table.uses[slot];
    const left = before?.generation === generation ? before.left : uses;
    const firstUse = this.#noise.next();
    this.#add({ op: "use", slot, generation, used: true, left: Math.max(0, left - 1), firstUse });
  }

  fill(): void {
    for (const id of STATES) this.#add({ op: "state", id, value: this.#bytes(1, MAX_STATE_BYTES) });
    for (const id of SETTINGS) this.setting(id);
    for (let id = 1; id <= this.#size.schedules; id++) this.schedule(id, 1);
    for (let slot = 0; slot < this.#size.profile.slots; slot++) this.put(slot);
  }

  live(): void {
    const { puts, changes, revokes } = this.#size;
    const bag = [
      ...new Array<() => void>(puts).fill(() => this.putSomewhere()),
      ...new Array<() => void>(changes).fill(() => this.change()),
      ...new Array<() => void>(revokes).fill(() => this.revoke()),
    ];
    for (let left = bag.length; left > 0; left--) {
      const at = this.#noise.below(left);
      bag[at]();
      bag[at] = bag[left - 1];
      if (left % EVERY.refuse === 0) this.refuse();
      if (left % EVERY.schedule === 0) this.schedule();
      if (left % EVERY.setting === 0) this.setting();
    }
    for (let slot = 0; slot < this.#size.profile.slots; slot++)
      if (this.#table.slots[slot] === undefined) this.put(slot);
    while (this.operations[this.operations.length - 1].op !== "put") this.putSomewhere();
  }

  decline(): void {
    this.revokeAlmostAll();
    for (let i = 0; i < HOT_SLOTS; i++) this.putSomewhere();
  }
}

/** The operations of a workload. */
export function makeWorkload(size: Size, seed: number): Workload {
  const maker = new Maker(size, seed);
  maker.fill();
  const filled = maker.operations.length;
  maker.live();
  const lived = maker.operations.length;
  maker.decline();
  return { size, operations: maker.operations, filled, lived };
}

/** A write that is always in order: a change of the first slot that is occupied and not among `spared`, else a put. */
export function nextWrite(reference: ReferenceTable, spared: ReadonlySet<number> = new Set()): Operation {
  const seq = reference.applied + 1;
  const position = { seq, head: headOf(seq), code: Code.applied };
  const held = reference.slots.find((each) => each !== undefined && !spared.has(each.slot.slot));
  if (held !== undefined) {
    const content = { ...held.slot, capabilities: (held.slot.capabilities + 1) % 128 };
    return { op: "change", content, ...position };
  }
  const content: Slot = {
    slot: 0,
    kind: 2,
    role: 1,
    digits: 0,
    tag: toHex(bytesOf(new Noise(seq), 12)),
    user: seq,
    grantor: 0,
    uses: 0,
    generation: seq,
    schedule: 0,
    start: 0,
    end: 0,
    minutesAfterFirstUse: 0,
    firstUseHours: 0,
    capabilities: 0,
    flags: 0,
  };
  return { op: "put", content, ...position };
}

/** Changes of one slot after another, those that `spared` names left alone; each continues what was applied before it. */
export function* updates(reference: ReferenceTable, spared: ReadonlySet<number>): Generator<Operation> {
  for (;;)
    for (const { slot } of reference.occupied()) {
      if (spared.has(slot.slot)) continue;
      const seq = reference.applied + 1;
      const content = { ...reference.slots[slot.slot]!.slot, capabilities: seq % 128 };
      yield { op: "change", content, seq, head: headOf(seq), code: Code.applied };
    }
}

/** Does an operation on a table. False when the table refused. */
export function perform(table: Table, operation: Operation): boolean {
  switch (operation.op) {
    case "put":
    case "change": {
      const { content, code, seq, head } = operation;
      const entry = { ...emptyEntry(), ...content, tag: fromHex(content.tag) };
      return table.commitSlot(entry, code, seq, head);
    }
    case "drop":
      return table.commitOutcome(Code.applied, 0, operation.slot, operation.seq, operation.head);
    case "revoke": {
      const bitmap = new Uint8Array(Math.ceil(table.profile.slots / 8));
      for (const slot of operation.slots) bitmap[slot >> 3] |= 1 << (slot & 7);
      return table.commitRemoval(bitmap, operation.slots.length, "slots", operation.seq, operation.head);
    }
    case "refuse":
      return table.commitOutcome(operation.code, operation.detail, -1, operation.seq, operation.head);
    case "schedule": {
      const windows = new Uint32Array(MAX_WINDOWS);
      windows.set(operation.windows);
      const { id, seq, head } = operation;
      return table.commitSchedule(id, windows, operation.windows.length, seq, head);
    }
    case "setting":
      return table.commitSetting(operation.id, operation.value, operation.seq, operation.head);
    case "use": {
      const { slot, generation, used, left, firstUse } = operation;
      return table.commitUsage(slot, generation, { used, left, firstUse });
    }
    case "state":
      return table.commitState(operation.id, operation.value);
    case "maintain":
      table.maintain();
      return true;
  }
}

/** Whether flash is plain, or reads through encryption. */
export type Mode = "plain" | "scrambled";

/** An erased flash for a profile. */
export function blankFlash(profile: Profile, mode: Mode, seed: number, plan?: FaultPlan): FaultyNor {
  const size = profile.credentialBytes;
  const nor = mode === "plain" ? new NorFlash(size) : new ScrambledNor(size, { seed: hash32(seed) });
  return new FaultyNor(nor, plan);
}

export function tableOn(flash: Flash, profile: Profile): Table {
  return new Table(flash, profile, LOCK);
}
