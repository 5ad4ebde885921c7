// What can be told of a lock from its flash image alone, as plain values: what `tumbler inspect` prints, and what its --json gives.
// Reads only. It never holds a PIN, a tag, or a key that opens, signs or unseals something.

import { densityOf } from "../../firmware/core/density";
import type { Lock } from "../../firmware/core/lock";
import type { Profile } from "../../firmware/core/profile";
import type { MountState } from "../../firmware/core/storage/flash-log";
import type { Table } from "../../firmware/core/storage/table";
import { guessRisk } from "../../protocol/issuer/pins";
import { toHex } from "../../protocol/wire/bytes";
import { DENSITY_UNITS, MAX_GUESSES_30_DAYS } from "../../protocol/wire/limits";
import { unpackWindow } from "../../protocol/wire/windows";
import type { FlashImage } from "../../simulator/board/board";
import { isoText } from "../ui/time";
import { mayNames, windowText } from "../ui/words";
import {
  type DamageView,
  damageOf,
  damageText,
  type RebaseView,
  rebaseOf,
  type StateView,
  statesOf,
} from "./damage";
import { type EventSectorView, eventSectorViews } from "./event-sectors";
import { type EventView, type KeptEvents, readEvents } from "./events";
import { type HoursView, hoursOf, lastKnown } from "./hours";
import { type LocalCodeView, type LockoutView, type LostLocalCode, localCodesOf, lockoutOf } from "./keypad";
import { type SectorView, sectorViews } from "./sectors";
import { type SettingsView, settingsOf } from "./settings";
import { allSlots, type DamagedSlot, type SlotView } from "./slots";
import { livingBySector, type SpaceView, spaceOf } from "./space";
import { type WearView, wearOf } from "./wear";

/** A lock as its image shows it. `state` is there when the credentials could be mounted. */
export interface Inspection {
  /** Hexadecimal, as everything of bytes here. */
  readonly lock: string;
  readonly profile: Profile;
  readonly publicKey: string;
  readonly mount: MountState;
  readonly state?: State;
  /** What is wrong with the content, in words; empty for a sound image. */
  readonly problems: readonly string[];
}

export interface State {
  readonly claim: ClaimView | null;
  readonly log: { readonly epoch: number; readonly applied: number; readonly head: string };
  readonly acks: { readonly first: number; readonly last: number; readonly kept: number };
  /** The damaged and the disabled ones are among the used. */
  readonly slots: {
    readonly used: number;
    readonly free: number;
    readonly damaged: number;
    readonly disabled: number;
  };
  readonly slotList: readonly (SlotView | DamagedSlot)[];
  /** Live PINs by their number of digits. */
  readonly pins: Readonly<Record<string, number>>;
  /** The chance of one guess, of all that can be typed, and of as many as 30 days admit. */
  readonly density: { readonly rho: number; readonly guesses: number; readonly success: number };
  readonly schedules: readonly ScheduleView[];
  readonly settings: SettingsView;
  /** Null for a door without business hours. */
  readonly businessHours: HoursView | null;
  /** Codes that were programmed at the keypad. */
  readonly localCodes: readonly (LocalCodeView | LostLocalCode)[];
  readonly lockout: LockoutView;
  /** The highest signed time: no earlier one is believed again (rule T13). Null before the first. */
  readonly time: { readonly notBefore: string; readonly epoch: number } | null;
  readonly digest: string;
  /** Values of the lock's own, with how many copies of each can be read. */
  readonly states: readonly StateView[];
  /** Null unless a rebase is under way. */
  readonly rebase: RebaseView | null;
  readonly damage: DamageView;
  /** The credentials partition: all of it, its sectors by block, and their wear. */
  readonly space: SpaceView;
  readonly sectors: readonly SectorView[];
  readonly wear: WearView;
  readonly events: EventsView;
}

/** The events partition. */
export interface EventsView {
  /** Whether there is a log. */
  readonly mounted: boolean;
  /** The number of the next event. */
  readonly next: number;
  readonly boots: number;
  /** The hash chain over all events. */
  readonly head: string;
  readonly kept: KeptEvents;
  readonly last: readonly EventView[];
  readonly sectors: readonly EventSectorView[];
  readonly wear: WearView;
}

export interface ClaimView {
  readonly number: number;
  readonly site: string;
  readonly epoch: number;
  /** The owner's root public key. */
  readonly owner: string;
  readonly keyset: number;
  readonly keys: readonly { readonly kid: string; readonly may: readonly string[] }[];
}

export interface ScheduleView {
  readonly id: number;
  /** Null when its record is damaged. */
  readonly windows: readonly string[] | null;
  /** How many slots name it. */
  readonly slots: number;
}

/** Looks at a lock that was made of `image`; `events` is how many of the last events to show. */
export function inspect(lock: Lock, image: FlashImage, events: number): Inspection {
  const { board, profile, mountState } = lock.parts;
  const head = {
    lock: toHex(board.identity.lock),
    profile,
    publicKey: toHex(board.crypto.ed25519PublicKey(board.identity.seed)),
    mount: mountState,
  };
  if (mountState !== "mounted") return { ...head, problems: [`mount: ${mountState}`] };
  // A lock without an event log obeys nobody; what its flash says of its owner is told all the same.
  if (!lock.parts.events.mounted) {
    lock.authority.restore();
    lock.doorway.restore();
  }
  const state = stateOf(lock, image, events);
  return { ...head, state, problems: problemsOf(state) };
}

function stateOf(lock: Lock, image: FlashImage, events: number): State {
  const { table, digest, profile } = lock.parts;
  // Reading the slots may find more of them damaged, so all that is counted is counted after it.
  const slotList = allSlots(table);
  const damaged = slotList.flatMap((slot) => (slot.damaged ? [slot.slot] : []));
  const disabled = slotList.filter((slot) => !slot.damaged && slot.flags.includes("disabled")).length;
  const density = densityOf(lock.parts);
  const bySector = livingBySector(table);
  const sectors = sectorViews(lock.parts, image.credentials, bySector);
  return {
    claim: claimOf(lock),
    log: { epoch: lock.authority.epoch, applied: table.applied, head: toHex(table.head) },
    acks: { first: table.acks.first, last: table.acks.last, kept: table.acks.last - table.acks.first + 1 },
    slots: {
      used: slotList.length,
      free: profile.slots - slotList.length,
      damaged: damaged.length,
      disabled,
    },
    slotList,
    pins: Object.fromEntries([...table.pins.entries()].filter(([, live]) => live > 0)),
    density: {
      rho: density / DENSITY_UNITS,
      guesses: MAX_GUESSES_30_DAYS,
      success: guessRisk(density, 30),
    },
    schedules: schedulesOf(lock, slotList),
    settings: settingsOf(lock.parts),
    businessHours: hoursOf(lock.parts),
    localCodes: localCodesOf(lock.parts, lastKnown(lock.parts)),
    lockout: lockoutOf(lock),
    time: timeOf(lock),
    digest: toHex(digest.of(table)),
    states: statesOf(table),
    rebase: rebaseOf(table),
    damage: damageOf(table, damaged, sectors),
    space: spaceOf(table.log, sectors, bySector),
    sectors,
    wear: wearOf(sectors.map(({ erases }) => erases)),
    events: eventsOf(lock.parts, image.events, events),
  };
}

function eventsOf({ events: log, board }: Lock["parts"], bytes: Uint8Array, most: number): EventsView {
  const { kept, last, seqs } = readEvents(log, most);
  const sectors = eventSectorViews(board, bytes, seqs);
  return {
    mounted: log.mounted,
    next: log.next,
    boots: log.boot - 1,
    head: toHex(log.head()),
    kept,
    last,
    sectors,
    wear: wearOf(sectors.map(({ erases }) => erases)),
  };
}

function claimOf({ authority }: Lock): ClaimView | null {
  if (!authority.claimed) return null;
  const keys = authority.keys.map(({ kid, may }) => ({ kid: toHex(kid), may: mayNames(may) }));
  return {
    number: authority.claimNumber,
    site: Buffer.from(authority.site).toString("utf8"),
    epoch: authority.epoch,
    owner: toHex(authority.owner),
    keyset: authority.keysetNumber,
    keys,
  };
}

function schedulesOf({ parts }: Lock, slots: readonly (SlotView | DamagedSlot)[]): ScheduleView[] {
  const { table, profile } = parts;
  const views: ScheduleView[] = [];
  for (let id = 1; id <= profile.schedules; id++) {
    if (!table.hasSchedule(id)) continue;
    const users = slots.filter((slot) => !slot.damaged && slot.schedule === id).length;
    views.push({ id, windows: table.loadSchedule(id) ? windowsOf(table) : null, slots: users });
  }
  return views;
}

/** The windows of the schedule that the table loaded last, in words. */
export function windowsOf({ windows, windowCount }: Table): string[] {
  return Array.from(windows.subarray(0, windowCount), (packed) => {
    const window = unpackWindow(packed);
    return window === undefined ? `not a window: ${packed}` : windowText(window);
  });
}

function timeOf({ parts }: Lock): State["time"] {
  const { floor, timeEpoch } = parts.clock;
  return floor === 0 ? null : { notBefore: isoText(floor), epoch: timeEpoch };
}

function problemsOf({ damage, rebase, settings, events }: State): string[] {
  const problems = damageText(damage, rebase, settings.businessHours?.schedule ?? 0);
  const missing = events.kept.missing.map(({ first, last }) => (first === last ? first : `${first}–${last}`));
  if (missing.length > 0) problems.push(`events ${missing.join(", ")} are lost`);
  if (!events.mounted) problems.push("no event log: the lock opens for nobody until it is provisioned again");
  return problems;
}
