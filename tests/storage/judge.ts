// Compares a table with what it must hold, read back through what a lock reads: exactly, as after a cut; or as after damage, where a
// thing may be gone as long as the table says so.

import type { Table } from "../../firmware/core/storage/table";
import { toHex } from "../../protocol/wire/bytes";
import type { Held, Operation, ReferenceTable, Slot, Use } from "./reference-table";

/** Something that is not as it must be: in a word, and for a person. */
export interface Difference {
  readonly kind: string;
  readonly text: string;
}

/** Of what must follow from what was read already, every so many are read all the same: another share at each position. */
const STRIDE = 8;

const hex = (bytes: Uint8Array | undefined): string => (bytes === undefined ? "nothing" : toHex(bytes));

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const differs = (kind: string, what: string, wanted: unknown, got: unknown): Difference => ({
  kind,
  text: `${what}: wanted ${wanted}, got ${got}`,
});

// ---- exactly

/** How a table is compared. */
export interface Comparing {
  /** Every so many slots are read; all where it is left out. */
  readonly every?: number;
  /** A slot that is known to be damaged. */
  readonly except?: number;
}

/** The first difference between a table and what it must hold, undefined for none. */
export function difference(
  table: Table,
  reference: ReferenceTable,
  comparing: Comparing = {},
): Difference | undefined {
  return (
    positionDiffers(table, reference) ??
    slotsDiffer(table, reference, comparing) ??
    valuesDiffer(table, reference) ??
    acksDiffer(table, reference) ??
    (comparing.except === undefined ? countsDiffer(table, reference) : undefined)
  );
}

function positionDiffers(table: Table, { applied, head }: ReferenceTable): Difference | undefined {
  if (table.applied !== applied) return differs("position", "position", applied, table.applied);
  return equal(table.head, head) ? undefined : differs("position", "head", hex(head), hex(table.head));
}

function slotsDiffer(
  table: Table,
  reference: ReferenceTable,
  { every = 1, except }: Comparing,
): Difference | undefined {
  for (let slot = reference.applied % every; slot < table.profile.slots; slot += every) {
    if (slot === except) continue;
    const held = reference.slots[slot];
    const always = (slot + reference.applied) % STRIDE === 0;
    const found = slotDiffers(table, slot, held) ?? (held && accessDiffers(table, held, reference, always));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether the use of a slot is known, and its tag leads to it; `always` also asks for what can hardly be otherwise. */
function accessDiffers(
  table: Table,
  { slot, tag }: Held,
  reference: ReferenceTable,
  always: boolean,
): Difference | undefined {
  const use = reference.useOf(slot);
  if (
    (use !== undefined || always) &&
    !(table.loadUsage(slot.slot, slot.generation, slot.uses) && isUse(table, slot, use))
  )
    return differs("use", `use of slot ${slot.slot}`, JSON.stringify(use), JSON.stringify(table.usage));
  const found = always ? table.find(tag) : slot.slot;
  return found === slot.slot ? undefined : differs("index", `the slot of tag ${slot.tag}`, slot.slot, found);
}

/** Whether one slot is exactly this, or empty where undefined. */
export function slotDiffers(table: Table, slot: number, held: Held | undefined): Difference | undefined {
  const loaded = table.load(slot);
  if (loaded === "empty" && held === undefined) return undefined;
  if (loaded === "ok" && held !== undefined && equal(table.loadedBytes(), held.bytes)) return undefined;
  const got = loaded === "ok" ? hex(table.loadedBytes()) : loaded;
  return differs("slot", `slot ${slot}`, held === undefined ? "empty" : hex(held.bytes), got);
}

/** Whether what was loaded last is this use, or none where undefined. */
function isUse({ usage }: Table, { uses }: Slot, use: Use | undefined): boolean {
  const { used, left, firstUse } = use ?? { used: false, left: uses, firstUse: 0 };
  return usage.used === used && usage.left === left && usage.firstUse === firstUse;
}

function isSchedule({ windows, windowCount }: Table, wanted: readonly number[]): boolean {
  if (windowCount !== wanted.length) return false;
  for (let i = 0; i < windowCount; i++) if (windows[i] !== wanted[i]) return false;
  return true;
}

function scheduleOf(table: Table, id: number): string {
  return table.loadSchedule(id) ? table.windows.subarray(0, table.windowCount).join() : "nothing";
}

function valuesDiffer(table: Table, reference: ReferenceTable): Difference | undefined {
  for (let id = 1; id <= table.profile.schedules; id++) {
    const wanted = reference.schedules[id];
    const isThere = table.hasSchedule(id);
    const isThis = wanted !== undefined && table.loadSchedule(id) && isSchedule(table, wanted);
    if (wanted === undefined ? isThere : !isThis)
      return differs("schedule", `schedule ${id}`, wanted, isThere ? scheduleOf(table, id) : "nothing");
  }
  for (let id = 0; id < 16; id++) {
    const wanted = reference.settings[id];
    const got = table.setting(id);
    if (wanted === undefined || got === undefined ? wanted !== got : !equal(wanted, got))
      return differs("setting", `setting ${id}`, hex(wanted), hex(got));
  }
  for (const [id, wanted] of reference.states.entries()) {
    if (wanted === undefined) continue;
    const got = table.state(id);
    if (got === undefined || !equal(got, wanted))
      return differs("state", `state ${id}`, hex(wanted), hex(got));
  }
  return undefined;
}

function acksDiffer({ acks, profile }: Table, reference: ReferenceTable): Difference | undefined {
  for (let seq = Math.max(1, reference.applied - profile.acks + 1); seq <= reference.applied; seq++) {
    const wanted = reference.acks[seq]!;
    if (!acks.has(seq)) return differs("ack", `ack ${seq}`, JSON.stringify(wanted), "nothing");
    const { code, detail, fingerprint } = wanted;
    if (acks.code(seq) !== code || acks.detail(seq) !== detail || acks.fingerprint(seq) !== fingerprint) {
      const got = `${acks.code(seq)} ${acks.detail(seq)} ${acks.fingerprint(seq)}`;
      return differs("ack", `ack ${seq}`, `${code} ${detail} ${fingerprint}`, got);
    }
  }
  return undefined;
}

function countsDiffer(table: Table, reference: ReferenceTable): Difference | undefined {
  const used = reference.pins.reduce((sum, count) => sum + count);
  const schedules = reference.schedules.filter((windows) => windows !== undefined).length;
  const wanted = [used, 0, schedules, ...reference.pins.slice(1)];
  const got = [table.index.used, table.index.damaged, table.schedules, ...table.pins.subarray(1)];
  return wanted.join() === got.join() ? undefined : differs("index", "counts", wanted, got);
}

// ---- as after damage

/** The slots of which a lock refuses a change: those that are damaged, and those that it does not hold. */
export function unsoundSlots(table: Table): Set<number> {
  const unsound = new Set<number>();
  for (let slot = 0; slot < table.index.slots; slot++) if (table.load(slot) !== "ok") unsound.add(slot);
  return unsound;
}

/** What may be true besides the newest truth: effects of operations of which nobody knows whether they took. */
export interface Doubt {
  /** Operations that were refused, or whose record was the last of the log and is ruined. */
  readonly operations: readonly Operation[];
  /** What the table held before them. */
  readonly before?: ReferenceTable;
}

const NO_DOUBT: Doubt = { operations: [] };

/** What a table made of damage: how much it says is damaged, and everything that is silently not what it must be. */
export interface Verdict {
  /** Slots that are denied. */
  readonly damaged: readonly number[];
  readonly differences: readonly Difference[];
}

/** Judges a table after damage: nothing may be an older truth, nothing that was taken away may be back, nothing may be gone unsaid. */
export function judge(table: Table, reference: ReferenceTable, doubt: Doubt = NO_DOUBT): Verdict {
  const differences: Difference[] = [];
  const damaged: number[] = [];
  for (let slot = 0; slot < table.profile.slots; slot++) {
    const held = reference.slots[slot];
    if (table.load(slot) === "damaged") damaged.push(slot);
    else judgeSlot(table, slot, held, doubt, differences);
    if (held !== undefined && !damaged.includes(slot)) judgeUse(table, held, reference, doubt, differences);
  }
  for (const slot of damaged) {
    const held = reference.slots[slot];
    if (held === undefined || isDenied(table, held)) continue;
    differences.push(
      differs("damaged-but-open", `tag of slot ${slot}`, "nothing that opens", table.load(slot)),
    );
  }
  judgeValues(table, reference, doubt, differences);
  // What is not said of a thing is said of the whole: the status of the lock shows these three.
  const isReported = table.log.damage + table.log.faults + table.index.damaged > 0;
  if (table.applied !== reference.applied && !isReported && !isDoubtful(table.applied, doubt))
    differences.push(differs("position", "position", reference.applied, table.applied));
  return { damaged, differences };
}

/** Whether the tag of a damaged slot leads to nothing, or to that slot, which is damaged still. */
export function isDenied(table: Table, { slot, tag }: Held): boolean {
  const found = table.find(tag);
  return found < 0 || (found === slot.slot && table.load(found) === "damaged");
}

function isDoubtful(applied: number, { operations, before }: Doubt): boolean {
  return before?.applied === applied || operations.some((each) => "seq" in each && each.seq === applied);
}

function judgeSlot(
  table: Table,
  slot: number,
  held: Held | undefined,
  doubt: Doubt,
  differences: Difference[],
): void {
  const found = slotDiffers(table, slot, held);
  if (found === undefined) return;
  const others = doubt.operations.filter((operation) => touches(operation, slot));
  if (others.length > 0 && doubt.before !== undefined)
    if (slotDiffers(table, slot, doubt.before.slots[slot]) === undefined) return;
  for (const other of others) {
    const isThis = other.op === "put" || other.op === "change";
    const loaded = table.load(slot);
    if (!isThis && loaded === "empty") return;
    if (isThis && loaded === "ok" && table.entry.tag.length > 0 && isContent(table, other)) return;
  }
  const isLost = table.load(slot) === "empty";
  if (isLost && mayMiss(table)) return;
  // That something is damaged is said then, but not what.
  const lost = table.log.damage > 0 ? "lost-not-named" : "lost";
  const kind = isLost ? lost : held === undefined ? "resurrected" : "stale";
  differences.push({ ...found, kind });
}

/**
 * Whether a table says that things may be missing which it cannot name: of the newest sector no list of keys exists yet, so whoever
 * loses part of it counts more losses than half of what stands.
 */
function mayMiss({ log, index }: Table): boolean {
  return log.damage * 2 > index.used;
}

function touches(operation: Operation, slot: number): boolean {
  if (operation.op === "put" || operation.op === "change") return operation.content.slot === slot;
  if (operation.op === "drop") return operation.slot === slot;
  return operation.op === "revoke" && operation.slots.includes(slot);
}

/** Whether the slot that was loaded last holds what this put or change sets. */
function isContent({ entry }: Table, { content }: Extract<Operation, { op: "put" | "change" }>): boolean {
  return Object.entries(content).every(([name, value]) => {
    const got = entry[name as keyof typeof entry];
    return got instanceof Uint8Array ? hex(got) === value : got === value;
  });
}

function judgeUse(
  table: Table,
  { slot }: Held,
  reference: ReferenceTable,
  { operations, before }: Doubt,
  differences: Difference[],
): void {
  // Where nothing depends on it, nobody asks. Uses that cannot be read deny the slot.
  if (slot.uses + slot.minutesAfterFirstUse + slot.firstUseHours === 0) return;
  if (table.load(slot.slot) !== "ok") return;
  if (!table.loadUsage(slot.slot, slot.generation, slot.uses)) return;
  const wanted = reference.useOf(slot);
  if (isUse(table, slot, wanted)) return;
  // What is lost may count as used up long ago: that denies.
  const { used, left, firstUse } = table.usage;
  if (table.log.damage > 0 && used && left === 0 && firstUse === 1) return;
  const others = operations.filter((each) => each.op === "use" && each.slot === slot.slot) as Use[];
  if (others.some((use) => isUse(table, slot, use))) return;
  if (others.length > 0 && before !== undefined && isUse(table, slot, before.useOf(slot))) return;
  differences.push(
    differs("stale-use", `use of slot ${slot.slot}`, JSON.stringify(wanted), JSON.stringify(table.usage)),
  );
}

/** Whether a value is gone without a word, or is one that it must not be. */
const goneOr = (what: string, got: string): string => `${got === "nothing" ? "lost" : "stale"}-${what}`;

function judgeValues(
  table: Table,
  reference: ReferenceTable,
  { operations, before }: Doubt,
  differences: Difference[],
): void {
  const other = (op: string, id: number): boolean =>
    operations.some((each) => each.op === op && "id" in each && each.id === id);
  for (let id = 1; id <= table.profile.schedules; id++) {
    const got = scheduleOf(table, id);
    const allowed = [reference.schedules[id]?.join() ?? "nothing"];
    if (other("schedule", id)) allowed.push(before?.schedules[id]?.join() ?? "nothing");
    for (const each of operations)
      if (each.op === "schedule" && each.id === id) allowed.push(each.windows.join() || "nothing");
    // A schedule that cannot be read, or is not there, refuses who is bound by it.
    const isReported = got === "nothing" && (table.hasSchedule(id) || mayMiss(table));
    if (!isReported && !allowed.includes(got))
      differences.push(differs(goneOr("schedule", got), `schedule ${id}`, allowed[0], got));
  }
  for (let id = 0; id < 16; id++) {
    const got = hex(table.setting(id));
    const allowed = [hex(reference.settings[id])];
    if (other("setting", id)) allowed.push(hex(before?.settings[id]));
    for (const each of operations) if (each.op === "setting" && each.id === id) allowed.push(hex(each.value));
    if (!table.hasLost(id) && !allowed.includes(got))
      differences.push(differs(goneOr("setting", got), `setting ${id}`, allowed[0], got));
  }
  for (const [id, value] of reference.states.entries()) {
    if (value === undefined) continue;
    const got = hex(table.state(id));
    const allowed = [hex(value)];
    if (other("state", id)) allowed.push(hex(before?.states[id]));
    for (const each of operations) if (each.op === "state" && each.id === id) allowed.push(hex(each.value));
    if (!table.hasLostState(id) && !allowed.includes(got))
      differences.push(differs(goneOr("state", got), `state ${id}`, allowed[0], got));
  }
}
