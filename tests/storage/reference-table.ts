// What a table must hold after any operations, in plain lists: no flash, no index, nothing of the code that it judges. Each operation can
// be undone, so that a test can ask "before or after?" of what a cut left.

import { entryBytes, type Slot } from "../support/reference";

export type { Slot };

/** The place of a delta in the log. */
export interface Position {
  readonly seq: number;
  /** 16 bytes. */
  readonly head: Uint8Array;
}

/** What is known of the use of a slot's credential, in the generation that it was used in. */
export interface Use {
  readonly slot: number;
  readonly generation: number;
  readonly used: boolean;
  readonly left: number;
  readonly firstUse: number;
}

/** Something that a table is asked to do. Those with a position are deltas; a delta's `code` is its answer. */
export type Operation =
  | (Position & { readonly op: "put" | "change"; readonly content: Slot; readonly code: number })
  | (Position & { readonly op: "drop"; readonly slot: number })
  | (Position & { readonly op: "revoke"; readonly slots: readonly number[] })
  | (Position & { readonly op: "refuse"; readonly code: number; readonly detail: number })
  | (Position & { readonly op: "schedule"; readonly id: number; readonly windows: readonly number[] })
  | (Position & { readonly op: "setting"; readonly id: number; readonly value: Uint8Array })
  | (Use & { readonly op: "use" })
  | { readonly op: "state"; readonly id: number; readonly value: Uint8Array }
  | { readonly op: "maintain" };

/** The answer to a delta; `fingerprint` is the first two bytes of the head after it. */
export interface Ack {
  readonly code: number;
  readonly detail: number;
  readonly fingerprint: number;
}

/** A slot, the 41 bytes of its entry, and its tag among them. */
export interface Held {
  readonly slot: Slot;
  readonly bytes: Uint8Array;
  readonly tag: Uint8Array;
}

const APPLIED = 0;
const HEAD_BYTES = 16;
const MAX_DIGITS = 10;

function heldOf(slot: Slot): Held {
  const bytes = new Uint8Array(entryBytes(slot));
  return { slot, bytes, tag: bytes.subarray(11, 23) };
}

/** Whether an operation is a delta, which takes a position. */
export function isDelta(operation: Operation): operation is Operation & Position {
  return "seq" in operation;
}

/** Things by their number; undefined where there is none. */
type List<T> = (T | undefined)[];

export class ReferenceTable {
  applied = 0;
  head: Uint8Array = new Uint8Array(HEAD_BYTES);
  readonly slots: List<Held> = [];
  readonly schedules: List<readonly number[]> = [];
  readonly settings: List<Uint8Array> = [];
  readonly states: List<Uint8Array> = [];
  /** What is known of uses, by slot. */
  readonly uses: List<Use> = [];
  /** The answer to every delta, by its seq. */
  readonly acks: List<Ack> = [];
  /** How many slots hold a PIN of each number of digits; at 0, how many hold none. */
  readonly pins: number[] = new Array(MAX_DIGITS + 1).fill(0);

  /** Does an operation. Returns what undoes it; the last one done is undone first. */
  apply(operation: Operation): () => void {
    const undo: (() => void)[] = [];
    if (isDelta(operation)) this.#take(operation, undo);
    switch (operation.op) {
      case "put":
      case "change":
        this.#hold(operation.content.slot, heldOf(operation.content), undo);
        break;
      case "drop":
        this.#hold(operation.slot, undefined, undo);
        break;
      case "revoke":
        for (const slot of operation.slots) this.#hold(slot, undefined, undo);
        break;
      case "schedule": {
        const { id, windows } = operation;
        put(this.schedules, id, windows.length > 0 ? windows : undefined, undo);
        break;
      }
      case "setting":
        put(this.settings, operation.id, operation.value, undo);
        break;
      case "use":
        put(this.uses, operation.slot, operation, undo);
        break;
      case "state":
        put(this.states, operation.id, operation.value, undo);
    }
    return () => {
      for (let i = undo.length - 1; i >= 0; i--) undo[i]();
    };
  }

  #take(delta: Operation & Position, undo: (() => void)[]): void {
    const { applied, head } = this;
    undo.push(() => {
      this.applied = applied;
      this.head = head;
    });
    this.applied = delta.seq;
    this.head = delta.head;
    const code = "code" in delta ? delta.code : APPLIED;
    const detail = delta.op === "revoke" ? delta.slots.length : delta.op === "refuse" ? delta.detail : 0;
    const fingerprint = delta.head[0] * 256 + delta.head[1];
    put(this.acks, delta.seq, { code, detail, fingerprint }, undo);
  }

  #hold(slot: number, held: Held | undefined, undo: (() => void)[]): void {
    const before = this.slots[slot];
    this.#count(before, held);
    undo.push(() => this.#count(held, before));
    put(this.slots, slot, held, undo);
  }

  #count(before: Held | undefined, after: Held | undefined): void {
    if (before !== undefined) this.pins[before.slot.digits]--;
    if (after !== undefined) this.pins[after.slot.digits]++;
  }

  /** The occupied slots, in order. */
  occupied(): Held[] {
    return this.slots.filter((held) => held !== undefined);
  }

  /** What is known of the use of an occupied slot; undefined when it was never used in its generation. */
  useOf({ slot, generation }: Slot): Use | undefined {
    const use = this.uses[slot];
    return use?.generation === generation ? use : undefined;
  }
}

/** Sets or, with undefined, takes out an item of a list. */
function put<T>(list: List<T>, number: number, value: T | undefined, undo: (() => void)[]): void {
  const before = list[number];
  list[number] = value;
  undo.push(() => {
    list[number] = before;
  });
}
