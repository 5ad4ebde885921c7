// Random situations at a door, told twice: to the reference in its words, and to the lock as a question. They crowd where decisions
// change: at the second of a limit, an edge of a window or the midnight of a holiday, give or take the error bound and one, and around
// changes of the clock and of the year.

import type { Zone } from "../../firmware/core/calendar";
import {
  localTime,
  nextTransition,
  offsetAt,
  parseTransitions,
  parseZone,
  withTransitions,
} from "../../firmware/core/calendar";
import type { Question } from "../../firmware/core/decide";
import { Holidays } from "../../firmware/core/holidays";
import { lockZone } from "../../protocol/issuer/zone";
import { emptyEntry, Flag, ROLE_NAMES } from "../../protocol/wire/entry";
import { Trust } from "../../protocol/wire/receipt";
import { MAX_HOLIDAYS, MODE_NAMES, NO_MODE } from "../../protocol/wire/settings";
import { packWindow } from "../../protocol/wire/windows";
import { intlOffset } from "../../tools/zone";
import { Dice } from "./dice";
import type { Credential, Holiday, Lease, Mode, Opening, Past, Role, Situation } from "./reference-decision";

const DAY_S = 86_400;
const HOUR_S = 3600;

/** A zone as a lock has it, and the years, in UTC seconds, in which that is the zone of Intl. */
export interface Place {
  readonly zone: Zone;
  readonly from: number;
  readonly until: number;
}

const yearStart = (year: number): number => Date.UTC(year, 0, 1) / 1000;

function zoneOf(name: string, fromYear: number, toYear: number): Zone {
  const told = lockZone(name, intlOffset, fromYear, toYear);
  const zone = told && parseZone(Uint8Array.from(Buffer.from(told.text)));
  if (told === undefined || zone === undefined) throw new Error(`zone: no lock can follow ${name}`);
  return told.transitions === undefined ? zone : withTransitions(zone, parseTransitions(told.transitions));
}

/** Samoa around the Friday that it left out, 2011-12-30: by a table, since no rules say that. */
function samoa(): Place {
  const text = "<+13>-13<+14>,M9.5.0/3,M4.1.0/4";
  const changes = ["2011-09-24T14:00:00Z", "2011-12-30T10:00:00Z", "2012-03-31T14:00:00Z"];
  const at = Uint32Array.from(changes, (change) => Date.parse(change) / 1000);
  const zone = parseZone(Uint8Array.from(Buffer.from(text)));
  if (zone === undefined) throw new Error(`zone: no lock can follow ${text}`);
  const table = { at, even: -10 * HOUR_S, odd: 14 * HOUR_S };
  return { zone: withTransitions(zone, table), from: at[0] + 20 * DAY_S, until: yearStart(2013) };
}

/** Zones with every kind of change: none, an hour, half an hour, two hours, at midnight, backwards, by table. */
export const PLACES: ReadonlyMap<string, Place> = new Map([
  ...[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "America/Havana",
    "America/Nuuk",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Katmandu",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
  ].map((name): [string, Place] => {
    const zone = zoneOf(name, 2024, 2037);
    return [name, { zone, from: yearStart(2024) + 20 * DAY_S, until: yearStart(2037) }];
  }),
  // Its clock went back at one minute past midnight, into the day before.
  [
    "America/St_Johns",
    { zone: zoneOf("America/St_Johns", 2007, 2010), from: yearStart(2007), until: yearStart(2011) },
  ],
  ["Pacific/Apia", samoa()],
]);
const PLACE_NAMES = [...PLACES.keys()];

/** An instant, often within hours of a change of the zone's clock or of the year. */
function randomInstant(dice: Dice, zone: string): number {
  const place = PLACES.get(zone)!;
  const instant = dice.between(place.from, place.until);
  if (dice.chance(0.4)) return instant;
  const year = yearStart(new Date(instant * 1000).getUTCFullYear());
  const change = dice.chance(0.1) ? year : nextTransition(place.zone, instant);
  const isKnown = place.from < change && change < place.until;
  return isKnown ? change + dice.between(-3 * HOUR_S, 3 * HOUR_S) : instant;
}

/** A window; half of them open or close within minutes of the wall clock at `instant`. */
function randomOpening(dice: Dice, zone: string, instant: number): Opening {
  const days = [0, 1, 2, 3, 4, 5, 6].filter(() => dice.chance(0.4));
  const lasts = dice.chance(0.4) ? dice.between(1, 45) : dice.between(1, 1440);
  const wall = localTime(PLACES.get(zone)!.zone, instant);
  if (days.length === 0 || dice.chance(0.5)) days.push(wall.weekday);
  if (dice.chance(0.5)) return { days, minute: dice.between(0, 1439), lasts };
  const edge = wall.minute + dice.between(-3, 3);
  const minute = (dice.chance(0.5) ? edge : edge - lasts) + 2 * 1440;
  return { days, minute: minute % 1440, lasts };
}

/** Something near `instant`: to the second, within minutes, or within days. */
function near(dice: Dice, instant: number): number {
  return instant + dice.pick([0, dice.between(-1300, 1300), dice.between(-12 * DAY_S, 12 * DAY_S)]);
}

function randomCredential(dice: Dice, zone: string, instant: number): Credential {
  const start = dice.chance(0.45) ? near(dice, instant) : undefined;
  const end = dice.chance(0.4) ? near(dice, instant) : undefined;
  const openings = () => {
    const count = dice.pick([1, 1, 2, 3, dice.between(4, 8)]);
    return Array.from({ length: count }, () => randomOpening(dice, zone, instant));
  };
  const roles: readonly string[] = dice.chance(0.9) ? ROLE_NAMES.slice(0, 5) : ROLE_NAMES;
  return {
    role: dice.pick(roles) as Role,
    disabled: dice.chance(0.04),
    dual: dice.chance(0.05),
    start,
    end: end !== undefined && start !== undefined && end <= start ? start + dice.between(1, 7200) : end,
    schedule: dice.chance(0.6) ? openings() : undefined,
    uses: dice.chance(0.3) ? dice.pick([1, 2, 65_535]) : undefined,
    minutesAfterFirstUse: dice.chance(0.25) ? dice.pick([1, 15, dice.between(1, 2880)]) : undefined,
    hoursToFirstUse:
      start !== undefined && dice.chance(0.4) ? dice.pick([1, 24, dice.between(1, 255)]) : undefined,
    leased: dice.chance(0.3),
  };
}

/** None, or one that often ends near `instant`. */
function randomLease(dice: Dice, instant: number): Lease | undefined {
  if (dice.chance(0.5)) return undefined;
  const days = dice.pick([1, 7, dice.between(1, 400)]);
  return dice.chance(0.08)
    ? { days }
    : { days, heard: near(dice, instant) - dice.pick([days, days, 0]) * DAY_S };
}

function randomPast(dice: Dice, credential: Credential, instant: number): Past {
  const used = dice.chance(0.6);
  const uses = credential.uses ?? 0;
  const usesLeft = used ? dice.pick([0, Math.max(0, uses - 1)]) : uses;
  if (!used || dice.chance(0.1)) return { used, usesLeft };
  const minutes = credential.minutesAfterFirstUse ?? 0;
  return { used, usesLeft, firstUse: near(dice, instant - minutes * 60) };
}

const dates: string[] = [];

/** The date of a day since 1970-01-01, such as "2026-12-24"; dates come again and again. */
function dateOf(day: number): string {
  dates[day] ??= new Date(day * DAY_S * 1000).toISOString().slice(0, 10);
  return dates[day];
}

/** Days since 1970-01-01. */
const dayOf = (date: string): number => Date.parse(date) / 1000 / DAY_S;

/** A holiday; most begin or end within a day of the date on the wall at `instant`. */
function randomHoliday(dice: Dice, zone: string, instant: number, number: number): Holiday {
  if (dice.chance(0.02)) return { number, unreadable: true };
  const today = localTime(PLACES.get(zone)!.zone, instant).day;
  const days = dice.pick([1, 1, 1, 2, 3, dice.between(1, 14), dice.between(1, 366), 366]);
  const away = dice.pick([0, 0, 1, -days, -days, 1 - days, dice.between(-9, 9), dice.between(-400, 400)]);
  const dates = { number, first: dateOf(today + away), last: dateOf(today + away + days - 1) };
  if (dice.chance(0.4)) return { ...dates, mode: dice.pick(MODE_NAMES) as Mode };
  const all = ROLE_NAMES as readonly Role[];
  const some = all.filter(() => dice.chance(0.4));
  const blocks = dice.chance(0.5) || some.length === 0 ? all.slice(1) : some;
  return { ...dates, blocks };
}

/** None, some or many, with numbers all over the place. */
function randomHolidays(dice: Dice, zone: string, instant: number): Holiday[] {
  if (dice.chance(0.55)) return [];
  const count = dice.chance(0.01) ? dice.between(5, MAX_HOLIDAYS) : dice.pick([1, 1, 1, 2, 2, 3, 4]);
  const numbers = new Set<number>();
  while (numbers.size < count) numbers.add(dice.below(MAX_HOLIDAYS));
  return Array.from(numbers, (number) => randomHoliday(dice, zone, instant, number));
}

/** The instants at which limits of a credential lie, and the midnights of holidays; near a change of the clock, two guesses of one. */
export function edgesOf({ credential, past, zone, holidays, lease }: Omit<Situation, "clock">): number[] {
  const { start, end, hoursToFirstUse, minutesAfterFirstUse } = credential;
  const over = past.firstUse === undefined ? undefined : past.firstUse + (minutesAfterFirstUse ?? 0) * 60;
  const missed = start === undefined ? undefined : start + (hoursToFirstUse ?? 0) * HOUR_S;
  const lapse = lease?.heard === undefined ? undefined : lease.heard + lease.days * DAY_S;
  const days = holidays.flatMap((one) => ("first" in one ? [dayOf(one.first), dayOf(one.last) + 1] : []));
  const midnights = days.flatMap((day) =>
    [-DAY_S, DAY_S].map((away) => day * DAY_S - offsetAt(PLACES.get(zone)!.zone, day * DAY_S + away)),
  );
  return [...new Set([start, end, over, missed, lapse, ...midnights])].filter((edge) => edge !== undefined);
}

/** Random situation number `n` of a seed, for whoever wants one again. */
export const situationOf = (seed: number, n: number): Situation =>
  randomSituation(new Dice(seed * 1_000_003 + n));

function randomSituation(dice: Dice): Situation {
  const zone = dice.pick(PLACE_NAMES);
  const instant = randomInstant(dice, zone);
  const credential = randomCredential(dice, zone, instant);
  const past = randomPast(dice, credential, instant);
  const holidays = randomHolidays(dice, zone, instant);
  const said = {
    credential,
    past,
    mode: dice.pick(MODE_NAMES) as Mode,
    zone,
    holidays,
    lease: randomLease(dice, instant),
    second: dice.chance(0.4),
  };
  if (dice.chance(0.06)) return { ...said, clock: "unknown" };
  const large = dice.chance(0.03) ? dice.between(600, 3600) : dice.between(1, 600);
  const bound = dice.pick([0, 0, 0, dice.between(1, 3), dice.between(1, 60), large]);
  const minute = Math.floor(instant / 60) * 60;
  const edges = edgesOf(said).filter((edge) => Math.abs(edge - instant) < 15 * DAY_S);
  const anchor = dice.pick([instant, minute, minute, ...edges]);
  const away = dice.pick([0, 0, bound, bound, -bound, -bound, dice.between(-900, 900)]);
  return { ...said, clock: { now: anchor + away + dice.between(-1, 1), bound } };
}

/** The mask of days or roles with these numbers. */
const maskOf = (numbers: readonly number[]): number =>
  numbers.reduce((bits, number) => bits | (1 << number), 0);

const NO_HOLIDAYS = new Holidays();

function holidaysOf(said: readonly Holiday[]): Holidays {
  if (said.length === 0) return NO_HOLIDAYS;
  const holidays = new Holidays();
  for (const holiday of said) {
    if ("unreadable" in holiday) {
      holidays.put(holiday.number, undefined);
      continue;
    }
    const first = dayOf(holiday.first);
    const roles = "blocks" in holiday ? maskOf(holiday.blocks.map((role) => ROLE_NAMES.indexOf(role))) : 0;
    const mode = "mode" in holiday ? MODE_NAMES.indexOf(holiday.mode) : NO_MODE;
    holidays.put(holiday.number, { first, days: dayOf(holiday.last) + 1 - first, roles, mode });
  }
  return holidays;
}

/** As a lock has it: 0 for no end, and 1 where it never heard anything. */
function leaseEndOf(lease: Lease | undefined): number {
  if (lease === undefined) return 0;
  return lease.heard === undefined ? 1 : lease.heard + lease.days * DAY_S;
}

/** The same situation as the lock is asked about it. A known clock was set or held, which makes no difference. */
export function questionOf(situation: Situation): Question {
  const { credential, past, mode, zone, clock } = situation;
  const entry = emptyEntry();
  const openings = credential.schedule ?? [];
  const windows = new Uint32Array(8);
  openings.forEach(({ days, minute, lasts }, i) => {
    const packed = packWindow(maskOf(days), minute, lasts);
    if (packed === undefined) throw new Error("window: out of range");
    windows[i] = packed;
  });
  entry.role = ROLE_NAMES.indexOf(credential.role);
  entry.flags = (credential.disabled ? Flag.disabled : 0) | (credential.dual ? Flag.dual : 0);
  if (credential.leased) entry.flags |= Flag.lease;
  entry.schedule = credential.schedule === undefined ? 0 : 7;
  entry.start = credential.start ?? 0;
  entry.end = credential.end ?? 0;
  entry.uses = credential.uses ?? 0;
  entry.minutesAfterFirstUse = credential.minutesAfterFirstUse ?? 0;
  entry.firstUseHours = credential.hoursToFirstUse ?? 0;
  const instant =
    clock === "unknown"
      ? { trust: Trust.unknown, now: 0, bound: 0 }
      : { trust: clock.now % 2 === 0 ? Trust.set : Trust.held, ...clock };
  return {
    entry,
    usage: { used: past.used, left: past.usesLeft, firstUse: past.firstUse ?? 0 },
    windows,
    windowCount: openings.length,
    zone: PLACES.get(zone)!.zone,
    mode: MODE_NAMES.indexOf(mode),
    holidays: holidaysOf(situation.holidays),
    leaseEnd: leaseEndOf(situation.lease),
    second: situation.second,
    clock: instant,
  };
}
