// Random situations at a door, told twice: to the reference in its words, and to the lock as a question. They crowd where decisions
// change: at the second of a limit or an edge of a window, give or take the error bound and one, and around changes of the clock.

import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Zone } from "../../firmware/core/calendar";
import { nextTransition, parseTransitions, parseZone, withTransitions } from "../../firmware/core/calendar";
import type { Question } from "../../firmware/core/decide";
import { lockZone } from "../../protocol/issuer/zone";
import { MODE_NAMES } from "../../protocol/wire/deltas";
import { emptyEntry, Flag, ROLE_NAMES } from "../../protocol/wire/entry";
import { Trust } from "../../protocol/wire/messages";
import { packWindow } from "../../protocol/wire/windows";
import { intlOffset } from "../../tools/zone";
import type { Credential, Mode, Opening, Past, Role, Situation } from "./reference-decision";

const DAY_S = 86_400;
const FROM = Date.UTC(2024, 0, 8) / 1000;
const UNTIL = Date.UTC(2037, 0, 1) / 1000;

/** Zones with every kind of change: none, an hour, half an hour, two hours, at midnight, backwards, by table. */
export const ZONES: ReadonlyMap<string, Zone> = new Map(
  [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Katmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
  ].map((name) => [name, zoneOf(name)]),
);
const ZONE_NAMES = [...ZONES.keys()];

function zoneOf(name: string): Zone {
  const told = lockZone(name, intlOffset, 2024, 2037);
  const zone = told && parseZone(Uint8Array.from(Buffer.from(told.text)));
  if (told === undefined || zone === undefined) throw new Error(`zone: no lock can follow ${name}`);
  return told.transitions === undefined ? zone : withTransitions(zone, parseTransitions(told.transitions));
}

/** A seed from the environment variable SEED, else a new one; tests show it in their names. */
export const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);

/** Chance, from a seed. */
export class Dice {
  readonly #generator;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return uniformInt(this.#generator, low, high);
  }

  /** True in so many of a hundred cases. */
  percent(chance: number): boolean {
    return this.between(1, 100) <= chance;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)];
  }
}

/** An instant, often within hours of a change of the zone's clock. */
function randomInstant(dice: Dice, zone: string): number {
  const instant = dice.between(FROM, UNTIL);
  if (dice.percent(50)) return instant;
  const change = nextTransition(ZONES.get(zone)!, instant);
  return change === 0 || change > UNTIL ? instant : change + dice.between(-3 * 3600, 3 * 3600);
}

/** A window; half of them open or close within minutes of the wall clock at `instant`. */
function randomOpening(dice: Dice, zone: string, instant: number): Opening {
  const days = [0, 1, 2, 3, 4, 5, 6].filter(() => dice.percent(40));
  const lasts = dice.percent(40) ? dice.between(1, 45) : dice.between(1, 1440);
  const wall = new Date((instant + intlOffset(zone, instant)) * 1000);
  if (days.length === 0 || dice.percent(50)) days.push(wall.getUTCDay());
  if (dice.percent(50)) return { days, minute: dice.between(0, 1439), lasts };
  const edge = wall.getUTCHours() * 60 + wall.getUTCMinutes() + dice.between(-3, 3);
  const minute = (dice.percent(50) ? edge : edge - lasts) + 2 * 1440;
  return { days, minute: minute % 1440, lasts };
}

/** Something near `instant`: to the second, within minutes, or within days. */
function near(dice: Dice, instant: number): number {
  return instant + dice.pick([0, dice.between(-1300, 1300), dice.between(-12 * DAY_S, 12 * DAY_S)]);
}

function randomCredential(dice: Dice, zone: string, instant: number): Credential {
  const start = dice.percent(45) ? near(dice, instant) : undefined;
  const end = dice.percent(40) ? near(dice, instant) : undefined;
  const openings = () => {
    const count = dice.pick([1, 1, 2, 3, dice.between(4, 8)]);
    return Array.from({ length: count }, () => randomOpening(dice, zone, instant));
  };
  const roles: readonly string[] = dice.percent(90) ? ROLE_NAMES.slice(0, 5) : ROLE_NAMES;
  return {
    role: dice.pick(roles) as Role,
    disabled: dice.percent(4),
    dual: dice.percent(5),
    start,
    end: end !== undefined && start !== undefined && end <= start ? start + dice.between(1, 7200) : end,
    schedule: dice.percent(60) ? openings() : undefined,
    uses: dice.percent(30) ? dice.pick([1, 2, 65_535]) : undefined,
    minutesAfterFirstUse: dice.percent(25) ? dice.pick([1, 15, dice.between(1, 2880)]) : undefined,
    hoursToFirstUse:
      start !== undefined && dice.percent(40) ? dice.pick([1, 24, dice.between(1, 255)]) : undefined,
  };
}

function randomPast(dice: Dice, credential: Credential, instant: number): Past {
  const used = dice.percent(60);
  const uses = credential.uses ?? 0;
  const usesLeft = used ? dice.pick([0, Math.max(0, uses - 1)]) : uses;
  if (!used || dice.percent(10)) return { used, usesLeft };
  const minutes = credential.minutesAfterFirstUse ?? 0;
  return { used, usesLeft, firstUse: near(dice, instant - minutes * 60) };
}

/** The instants at which limits of a credential lie, and `instant` itself at the full minute. */
function anchors({ start, end, hoursToFirstUse, minutesAfterFirstUse }: Credential, past: Past): number[] {
  const firstUse = past.firstUse === undefined ? undefined : past.firstUse + (minutesAfterFirstUse ?? 0) * 60;
  const missed = start === undefined ? undefined : start + (hoursToFirstUse ?? 0) * 3600;
  return [start, end, firstUse, missed].filter((limit) => limit !== undefined);
}

/** A random situation. */
export function randomSituation(dice: Dice): Situation {
  const zone = dice.pick(ZONE_NAMES);
  const instant = randomInstant(dice, zone);
  const credential = randomCredential(dice, zone, instant);
  const past = randomPast(dice, credential, instant);
  const mode = dice.pick(MODE_NAMES) as Mode;
  if (dice.percent(6)) return { credential, past, mode, zone, clock: "unknown" };
  const bound = dice.pick([0, 0, 0, dice.between(1, 3), dice.between(1, 60), dice.between(1, 600)]);
  const minute = Math.floor(instant / 60) * 60;
  const anchor = dice.pick([instant, minute, minute, ...anchors(credential, past)]);
  const away = dice.pick([0, 0, bound, bound, -bound, -bound, dice.between(-900, 900)]);
  return { credential, past, mode, zone, clock: { now: anchor + away + dice.between(-1, 1), bound } };
}

/** The same situation as the lock is asked about it. A known clock was set or held, which makes no difference. */
export function questionOf({ credential, past, mode, zone, clock }: Situation): Question {
  const entry = emptyEntry();
  const openings = credential.schedule ?? [];
  const windows = new Uint32Array(8);
  openings.forEach(({ days, minute, lasts }, i) => {
    const mask = days.reduce((bits, day) => bits | (1 << day), 0);
    const packed = packWindow(mask, minute, lasts);
    if (packed === undefined) throw new Error("window: out of range");
    windows[i] = packed;
  });
  entry.role = ROLE_NAMES.indexOf(credential.role);
  entry.flags = (credential.disabled ? Flag.disabled : 0) | (credential.dual ? Flag.dual : 0);
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
    zone: ZONES.get(zone)!,
    mode: MODE_NAMES.indexOf(mode),
    clock: instant,
  };
}
