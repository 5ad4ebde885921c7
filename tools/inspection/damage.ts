// What of a lock's credentials is lost, by name, what the lock makes of it, and what to do about it. Reads only.

import { NOWHERE, State } from "../../firmware/core/storage/places";
import { MAX_RECORD_BYTES, Record, recordType, USAGE_GROUP } from "../../firmware/core/storage/records";
import type { Table } from "../../firmware/core/storage/table";
import { MAX_LOCAL_CODES } from "../../protocol/wire/limits";
import { rangesText } from "../ui/numbers";
import { count } from "../ui/words";
import type { SectorView } from "./sectors";
import { lostSettings } from "./settings";

/** All that is lost; empty lists for a sound lock. */
export interface DamageView {
  /** Losses that the lock found in its log, also of what was replaced since. One record may count more than once. */
  readonly losses: number;
  /** Blocks in use of which nothing can be read. */
  readonly blocks: readonly number[];
  /** Slots that are denied, by number. */
  readonly slots: readonly number[];
  /** Slots whose uses and first use are forgotten; those that depend on them are among the damaged. */
  readonly usage: readonly number[];
  /** Schedules by number. */
  readonly schedules: readonly number[];
  /** Settings by name: "zone", "holiday-3". */
  readonly settings: readonly string[];
  /** Values of the lock's own; see {@link StateView}. */
  readonly states: readonly string[];
}

/** A value that the lock keeps for itself: "claim", "keyset", "time" and the like; "local-4" is a code programmed at the keypad. */
export interface StateView {
  readonly name: string;
  /** How many of its copies can be read: 2, 1 before its sector is full, 0 when it is lost. */
  readonly copies: number;
}

/** A table that is being built beside the one that decides (rule S9). */
export interface RebaseView {
  /** The epoch that it begins. */
  readonly epoch: number;
  /** What is staged of it. */
  readonly slots: number;
  readonly schedules: number;
  readonly settings: number;
  /** Staged records that cannot be read any more: with any, it must begin again. */
  readonly lost: number;
}

const idsOf = <T>(items: readonly T[], isOne: (item: T, id: number) => boolean): number[] =>
  items.flatMap((item, id) => (isOne(item, id) ? [id] : []));

/** All that is lost. `damaged` are the slots that cannot be read. */
export function damageOf(
  table: Table,
  damaged: readonly number[],
  sectors: readonly SectorView[],
): DamageView {
  const { places, log, profile } = table;
  const groups = idsOf([...places.usage], (place) => place === NOWHERE);
  const slotsOf = (group: number): number[] =>
    Array.from({ length: USAGE_GROUP }, (_, i) => group * USAGE_GROUP + i).filter(
      (slot) => slot < profile.slots,
    );
  return {
    blocks: sectors.filter(({ state }) => state === "lost").map(({ block }) => block),
    slots: damaged,
    usage: groups.flatMap(slotsOf),
    schedules: idsOf([...places.schedules], (place, id) => place !== 0 && !table.loadSchedule(id)),
    settings: lostSettings(table),
    states: statesOf(table).flatMap(({ name, copies }) => (copies === 0 ? [name] : [])),
    // Reading all of that may have found more of it.
    losses: log.damage,
  };
}

/** What the names of holidays among the settings, and of codes programmed at the keypad among the values of the lock's own, begin with. */
const HOLIDAY = "holiday-";
const LOCAL = "local-";

/** All values by name. What a rebase leaves for a moment is none of them. */
function namedStates(): [string, number][] {
  const { swap: _, local, ...others } = State;
  const places = Array.from({ length: MAX_LOCAL_CODES }, (_, place) => place);
  return [
    ...Object.entries(others),
    ...places.map((place): [string, number] => [LOCAL + place, local + place]),
  ];
}

/** The values that the lock keeps, or kept until they were lost; a code that was taken away is none. */
export function statesOf({ places, log }: Table): StateView[] {
  const record = new Uint8Array(MAX_RECORD_BYTES);
  const isRead = (place: number, id: number): boolean =>
    place > NOWHERE &&
    log.read(place, record) > 0 &&
    recordType(record, 0) === Record.state &&
    record[2] === id;
  const isTakenAway = (id: number): boolean =>
    id >= State.local && isRead(places.states[id], id) && record[3] === 0;
  return namedStates()
    .filter(([, id]) => places.states[id] !== 0 && !isTakenAway(id))
    .map(([name, id]) => ({
      name,
      copies: [places.states[id], places.mirrors[id]].filter((place) => isRead(place, id)).length,
    }));
}

/** The rebase that is under way, null for none. */
export function rebaseOf({ rebase, log }: Table): RebaseView | null {
  const { staged, pending } = rebase;
  if (staged === undefined || pending === 0) return null;
  const record = new Uint8Array(MAX_RECORD_BYTES);
  const isRead = (place: number): boolean => place > NOWHERE && log.read(place, record) > 0;
  const standing = (places: Uint16Array): number => [...places].filter(isRead).length;
  const slots = standing(staged.slots);
  const schedules = standing(staged.schedules);
  const settings = standing(staged.settings);
  const all = [...staged.slots, ...staged.schedules, ...staged.settings].filter((place) => place !== 0);
  return { epoch: pending, slots, schedules, settings, lost: all.length - slots - schedules - settings };
}

/** What a lost value of the lock's own means for the door, and what to do. */
const LOST_STATES: Readonly<Record<string, string>> = {
  claim: "the claim is lost: the lock opens for nobody until it is provisioned again",
  keyset: "the keyset is lost: the lock takes nothing of any issuer until it is provisioned again",
  time: "the earliest time to believe is lost: set the lock's time, so that no older one is believed",
  heard:
    "what was heard of the issuer last is lost: leases are over, and nothing counts as seen, until it is heard of again",
  rebase: "what is known of the last rebase is lost: let the issuer put the whole table again",
  lockout: "the count of wrong entries is lost: the worst is assumed: an hour's wait",
  forgiven:
    "whose wrong entries were forgiven is lost: the worst is assumed: an hour's wait, and nobody is forgiven for a day",
  hours:
    "what is known of the business hours is lost: nobody was first in, and no relock and no hold is in force",
  mode: "the mode that somebody commanded is lost: the lock is in resident mode until a mode is commanded or set again",
  alias: "the name that somebody commanded is lost: the lock goes by the name that is set",
  offline:
    "what is known of used offline codes is lost: those for once and for minutes open nothing until the day is over",
};

/** The same of a lost setting. */
const LOST_SETTINGS: Readonly<Record<string, string>> = {
  zone: "the setting zone is lost: slots with a schedule are denied until the zone is set again, and the door does not unlock itself",
  mode: "the setting mode is lost: the lock is in resident mode until a mode is set again",
  "relock-seconds": "the setting relock-seconds is lost: the lock's default holds until it is set again",
  master: "the master is lost: it opens nothing until it is set again",
  density: "the setting density is lost: the usual limit holds until it is set again",
  lockout: "the setting lockout is lost: the first wrong entry begins a wait until it is set again",
  "business-hours":
    "the setting business-hours is lost: the door does not unlock itself until they are set again",
  "local-codes":
    "the setting local-codes is lost: codes programmed at the keypad open nothing until it is set again",
  "clock-bound":
    "the setting clock-bound is lost: above an error of one second the time is unknown until it is set again",
  "lease-days": "the setting lease-days is lost: leases last one day until it is set again",
  alias: "the setting alias is lost: the lock has no name until it is set again",
  wifi: "the setting wifi is lost: the lock finds no network until it is set again",
  broker: "the setting broker is lost: the lock finds no broker until it is set again",
  "offline-codes": "the setting offline-codes is lost: no offline code opens until it is set again",
  "reset-delay": "the setting reset-delay is lost: a reset needs the owner's consent until it is set again",
  "offline-denied":
    "the setting offline-denied is lost: no offline code opens until it is set again, since any may be denied",
};

/** The numbers in the names that begin so. */
function numbersOf(names: readonly string[], prefix: string): number[] {
  return names.filter((name) => name.startsWith(prefix)).map((name) => Number(name.slice(prefix.length)));
}

function holidaysText(numbers: readonly number[]): string[] {
  if (numbers.length === 0) return [];
  const deed = "everybody but administrators is refused until";
  if (numbers.length === 1) return [`holiday ${numbers[0]} is lost: ${deed} it is put again`];
  return [`holidays ${rangesText(numbers)} are lost: ${deed} they are put again`];
}

function localCodesText(places: readonly number[]): string[] {
  if (places.length === 0) return [];
  const where = "of the codes programmed at the keypad";
  if (places.length === 1) return [`place ${places[0]} ${where} is lost: that code opens nothing`];
  return [`places ${rangesText(places)} ${where} are lost: those codes open nothing`];
}

/** What is lost, in words with what to do; none for a sound lock. `hours` is the schedule of the business hours, 0 for none. */
export function damageText(damage: DamageView, rebase: RebaseView | null, hours: number): string[] {
  const { losses, blocks, slots, usage, schedules, settings, states } = damage;
  const texts: string[] = [];
  if (blocks.length > 0)
    texts.push(`${count(blocks.length, "sector")} of the credentials lost, in block ${rangesText(blocks)}`);
  if (slots.length > 0) {
    const them = slots.length === 1 ? "it" : "them";
    const what = `${count(slots.length, "slot")} damaged and denied until the issuer puts ${them} again`;
    texts.push(`${what}: ${rangesText(slots)}`);
  }
  for (const id of schedules) {
    const door = id === hours ? ", and the door does not unlock itself," : "";
    texts.push(`schedule ${id} is damaged: its slots are denied${door} until it is put again`);
  }
  for (const name of settings)
    if (!name.startsWith(HOLIDAY)) texts.push(LOST_SETTINGS[name] ?? `the setting ${name} is lost`);
  texts.push(...holidaysText(numbersOf(settings, HOLIDAY)));
  for (const name of states)
    if (!name.startsWith(LOCAL)) texts.push(LOST_STATES[name] ?? `the value ${name} is lost`);
  texts.push(...localCodesText(numbersOf(states, LOCAL)));
  if (usage.length > 0) texts.push(`what was known of the use of these slots is lost: ${rangesText(usage)}`);
  if (rebase !== null && rebase.lost > 0)
    texts.push(`${count(rebase.lost, "record")} of the rebase under way lost: it must begin again`);
  if (texts.length === 0 && losses > 0)
    texts.push(`${count(losses, "record")} of the log lost; no slot, schedule or setting misses anything`);
  return texts;
}
