// From what is wanted and what a lock will have, to the deltas between (rules S13, A10, A30, A75): pure and lazy, so that a bundle takes
// as many as it holds and the rest is planned again when the next one is signed. Revocations, drops and disables come first. That a
// delta is not planned while its aim is reached is what makes every delta wanted once.

import { equal } from "../wire/bytes";
import type { DeltaFields } from "../wire/deltas";
import { Op } from "../wire/deltas";
import { Flag } from "../wire/entry";
import { Setting } from "../wire/settings";
import type { ChangeDelta, Delta, PutDelta, Terms } from "./encode";
import type { Content, Credential, SettingItem } from "./items";
import { keyOfSlot, refusal, settingKey } from "./items";
import type { ScheduleBook } from "./schedule-book";
import { scheduleKey, settingValue } from "./schedule-book";
import type { Slot } from "./table";
import { Table } from "./table";
import { sameWindows, unpackWindow } from "./windows";

/** All that is wanted of one lock. */
export interface Wants {
  /** Users to be revoked, in order. */
  readonly revokes: readonly number[];
  readonly credentials: ReadonlyMap<string, Credential>;
  readonly settings: ReadonlyMap<number, SettingItem>;
  readonly schedules: ScheduleBook;
  /** Ids of schedules that the lock refused to drop. */
  readonly stuckSchedules: ReadonlySet<number>;
}

const MAX_SLOT = 0xffff;
const NO_TAG = new Uint8Array(0);

function isSameCredential(slot: Slot, credential: Credential, content: Content): boolean {
  const same =
    slot.kind === content.kind &&
    slot.digits === content.digits &&
    slot.user === credential.user &&
    slot.grantor === content.grantor &&
    slot.uses === content.uses;
  return same && equal(slot.tag, content.tag);
}

function hasTerms(slot: Slot, content: Content, schedule: number): boolean {
  return (
    slot.role === content.role &&
    slot.schedule === schedule &&
    slot.start === content.start &&
    slot.end === content.end &&
    slot.capabilities === content.capabilities &&
    slot.minutesAfterFirstUse === content.minutesAfterFirstUse &&
    slot.firstUseHours === content.firstUseHours &&
    (slot.flags & ~Flag.disabled) === content.flags
  );
}

/** What a put and a change say alike. */
function termsOf(content: Content, schedule: number): Terms {
  const { role, start, end, minutesAfterFirstUse, firstUseHours, capabilities, flags } = content;
  return { role, schedule, start, end, minutesAfterFirstUse, firstUseHours, capabilities, flags };
}

function put({ user }: Credential, content: Content, schedule: number, was?: Slot): PutDelta {
  const { kind, tag, digits, grantor, uses } = content;
  const where = { slot: was?.slot ?? 0, generation: was?.generation ?? 0 };
  return { op: "put", ...where, kind, tag, digits, user, grantor, uses, ...termsOf(content, schedule) };
}

function change({ slot, generation }: Slot, content: Content, schedule: number): ChangeDelta {
  return { op: "change", slot, generation, ...termsOf(content, schedule) };
}

/**
 * The next delta that a credential needs where `slot` is what stands in its slot now; undefined when nothing is left to do. A put
 * into an empty slot names slot 0: the caller knows which is free.
 */
export function step(
  credential: Credential,
  slot: Slot | undefined,
  schedules: ScheduleBook,
): Delta | undefined {
  const { content } = credential;
  const schedule = content === undefined ? 0 : schedules.id(content.schedule);
  if (slot === undefined)
    return content === undefined || content.disabled ? undefined : put(credential, content, schedule);
  const { slot: number, generation } = slot;
  const drop: Delta = { op: "drop", slot: number, generation };
  if (content === undefined) return drop;
  // A put switches a slot on, so a credential that is off is not replaced but taken away.
  if (!isSameCredential(slot, credential, content))
    return content.disabled ? drop : put(credential, content, schedule, slot);
  const isOff = (slot.flags & Flag.disabled) !== 0;
  if (content.disabled && !isOff) return { op: "disable", slot: number, generation };
  if (!hasTerms(slot, content, schedule)) return change(slot, content, schedule);
  return isOff && !content.disabled ? { op: "enable", slot: number, generation } : undefined;
}

/**
 * Whom to revoke at a lock so that nobody of a family is left, whose head is given first. One delta does it where the lock itself can see
 * who is below; someone whose grantor has no slot there gets a delta of his own. Where no slot is left, one still proves that.
 */
export function revocations(family: readonly number[], table: Table): number[] {
  const rest = new Table(undefined, table);
  const users: number[] = [];
  for (const user of family) {
    const slots = rest.family(user);
    if (slots.length > 0) users.push(user);
    for (const slot of slots) rest.slots.delete(slot);
  }
  return users.length > 0 ? users : family.slice(0, 1);
}

/** The key of the item that a delta serves; `table` is the table that it will meet. */
export function itemKey(delta: DeltaFields, table: Table): string {
  switch (delta.op) {
    case Op.put:
      return keyOfSlot(delta.entry);
    case Op.revoke:
      return `revoke:${delta.user}`;
    case Op.putSchedule:
    case Op.dropSchedule:
      return scheduleKey(delta.id);
    case Op.set:
      return settingKey(delta.id);
    default: {
      const slot = table.slots.get(delta.entry.slot);
      return slot === undefined ? "" : keyOfSlot(slot);
    }
  }
}

/** Slots by the credential that they hold. */
export function slotsByKey(table: Table): Map<string, Slot> {
  return new Map(Array.from(table.slots.values(), (slot) => [keyOfSlot(slot), slot]));
}

/** Ids of the schedules that wanted credentials and settings name. */
function neededSchedules(wants: Wants): Set<number> {
  const needed = new Set<number>();
  for (const setting of wants.settings.values())
    if (refusal(setting) === undefined) needed.add(wants.schedules.id(setting.schedule));
  for (const credential of wants.credentials.values())
    if (credential.content !== undefined && refusal(credential) === undefined)
      needed.add(wants.schedules.id(credential.content.schedule));
  needed.delete(0);
  return needed;
}

/**
 * The deltas that lead from `table` to what is wanted, in the order in which they must be signed. The caller applies each to `table`
 * before it takes the next, and may stop at any.
 */
export function* plan(wants: Wants, table: Table): Generator<Delta, void, void> {
  for (const user of [...wants.revokes]) yield { op: "revoke", user };
  yield* planRemovals(wants, table);
  for (const setting of wants.settings.values())
    if (setting.schedule === "") yield* planSetting(setting, wants, table);
  const needed = neededSchedules(wants);
  for (const id of [...needed].sort((a, b) => a - b)) {
    const schedule = wants.schedules.items.get(id);
    if (schedule === undefined || refusal(schedule) !== undefined) continue;
    const { windows } = schedule;
    if (!sameWindows(table.schedules.get(id) ?? [], windows))
      yield { op: "put-schedule", id, windows: windows.map(unpackWindow) };
  }
  for (const setting of wants.settings.values())
    if (setting.schedule !== "") yield* planSetting(setting, wants, table);
  yield* planGrants(wants, table);
  for (const id of [...table.schedules.keys()])
    if (!needed.has(id) && !table.usesSchedule(id) && !wants.stuckSchedules.has(id))
      yield { op: "drop-schedule", id };
}

/** A setting that the lock does not have yet. */
function* planSetting(setting: SettingItem, wants: Wants, table: Table): Generator<Delta, void, void> {
  const { id } = setting;
  const value = settingValue(setting, wants.schedules);
  const has = table.settings.get(id);
  if ((has !== undefined && equal(has, value)) || refusal(setting) !== undefined) return;
  if (id === Setting.master) yield* planFree(value.subarray(1), wants, table);
  yield { op: "set", setting: id, value };
}

/** Empties the slot that holds a tag, where what it holds is going to be another anyway. */
function* planFree(tag: Uint8Array, wants: Wants, table: Table): Generator<Delta, void, void> {
  const holder = table.slotOfTag(tag);
  const owner = holder === undefined ? undefined : wants.credentials.get(keyOfSlot(holder));
  if (holder === undefined || owner?.content === undefined || refusal(owner) !== undefined) return;
  if (!equal(owner.content.tag, tag)) yield { op: "drop", slot: holder.slot, generation: holder.generation };
}

/** Drops and disables. */
function* planRemovals(wants: Wants, table: Table): Generator<Delta, void, void> {
  for (const slot of [...table.slots.values()]) {
    const credential = wants.credentials.get(keyOfSlot(slot));
    if (credential === undefined || refusal(credential) !== undefined) continue;
    const delta = step(credential, slot, wants.schedules);
    if (delta?.op === "drop" || delta?.op === "disable") yield delta;
  }
}

/** Puts, changes and enables, each into a slot of its own; those whose tag another slot still holds come last. */
function* planGrants(wants: Wants, table: Table): Generator<Delta, void, void> {
  let free = 0;
  const place = (delta: Delta): Delta => {
    if (delta.op !== "put" || delta.generation !== 0) return delta;
    while (table.slots.has(free) && free < MAX_SLOT) free++;
    return { ...delta, slot: free };
  };
  const blocked: Credential[] = [];
  const slots = slotsByKey(table);
  const tags = new Set(Array.from(table.slots.values(), ({ tag }) => String(tag)));
  for (const credential of wants.credentials.values()) {
    if (refusal(credential) !== undefined) continue;
    const slot = slots.get(credential.key);
    const delta = step(credential, slot, wants.schedules);
    if (delta === undefined) continue;
    const isNewTag = delta.op === "put" && (slot === undefined || !equal(slot.tag, delta.tag));
    if (isNewTag && tags.has(String(delta.tag))) blocked.push(credential);
    else yield place(delta);
  }
  for (const credential of blocked) yield* planBlocked(credential, wants, table, place);
}

/** A credential whose tag stands in another slot: where that slot is going to change anyway, it is emptied first. */
function* planBlocked(
  credential: Credential,
  wants: Wants,
  table: Table,
  place: (delta: Delta) => Delta,
): Generator<Delta, void, void> {
  yield* planFree(credential.content?.tag ?? NO_TAG, wants, table);
  const delta = step(credential, slotsByKey(table).get(credential.key), wants.schedules);
  if (delta !== undefined) yield place(delta);
}
