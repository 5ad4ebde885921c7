// What a decision costs (rules C6, T8): microseconds of an attempt at the keypad by the number of slots and by what it finds, reads of
// flash, and local time against Intl. Times are medians of one run, only good for comparing within it; reads are counts.

import { performance } from "node:perf_hooks";
import { localTime, parseZoneSetting } from "../../firmware/core/calendar";
import { isOpen } from "../../firmware/core/schedule";
import { zoneSetting } from "../../protocol/issuer/zone";
import { packWindow } from "../../protocol/wire/windows";
import { intlOffset } from "../../tools/zone";
import { Door } from "../support/door";
import type { Figures } from "./figures";

/** What each figure is measured in. */
export const DECIDE_UNITS: Readonly<Record<string, string>> = {
  "decide.flash_reads": "reads",
  "calendar.ns": "ns",
  "calendar.ratio_to_intl": "of Intl's time",
  ...Object.fromEntries(
    [10, 100, 1000].flatMap((slots) =>
      ["hit", "miss", "disabled"].map((what) => [`decide.us.${slots}.${what}`, "µs"]),
    ),
  ),
};

const ATTEMPTS = 400;
const WARM_UP = 100;
const HOUR_S = 3600;
/** Eight digits, all different from slot to slot; an even slot opens, an odd one is disabled. */
const pinOf = (slot: number): string => String(20_000_000 + slot * 7919);
const wrongPinOf = (i: number): string => String(90_000_000 + i * 31);

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1];
}

/** A lock whose slots are all taken, each under the same schedule; every other one is disabled. */
function fullDoor(slots: number): Door {
  const door = new Door();
  door.apply({ op: "put-schedule", id: 1, windows: [{ days: 127, start: 0, duration: 1440 }] });
  const numbers = Array.from({ length: slots }, (_, slot) => slot);
  door.apply(...numbers.map((slot) => door.pin(slot, pinOf(slot), { schedule: 1 })));
  const disabled = numbers.filter((slot) => slot % 2 === 1);
  door.apply(...disabled.map((slot) => ({ op: "disable" as const, slot, generation: slot + 2 })));
  return door;
}

/** Microseconds of an attempt, its commits included; housekeeping is left to the ticks between. */
function attemptMicroseconds(door: Door, digits: (i: number) => string): number {
  const times: number[] = [];
  for (let i = 0; i < WARM_UP + ATTEMPTS; i++) {
    const pin = digits(i);
    const start = performance.now();
    door.type(pin);
    if (i >= WARM_UP) times.push((performance.now() - start) * 1000);
    // An hour, so that wrong entries are forgotten and the next one is looked at.
    door.now += HOUR_S;
    door.setTime();
    for (let tick = 0; tick < 3; tick++) door.lock.tick();
  }
  return median(times);
}

/** Reads of flash by one attempt that opens, what was programmed being read back included. */
function readsOfHit(door: Door): number {
  const { credentials, events } = door.board;
  const before = credentials.counters.reads + events.counters.reads;
  door.type(pinOf(0));
  return credentials.counters.reads + events.counters.reads - before;
}

const ZONES = [
  "Europe/Berlin",
  "America/New_York",
  "Africa/Casablanca",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
];
const INSTANTS = 20_000;
const FROM = Date.UTC(2027, 0, 1) / 1000;
const NINE_TO_FIVE = Uint32Array.of(packWindow(0b0111110, 540, 480) ?? 0);

/** Nanoseconds of one "is it open?" by the lock's calendar and by Intl, on the same instants; they must agree. */
function calendarFigures(): Figures {
  let ours = 0;
  let theirs = 0;
  for (const name of ZONES) {
    const setting = zoneSetting(name, intlOffset, 2027, 2028);
    const zone = setting && parseZoneSetting(setting);
    if (zone === undefined) throw new Error(`bench: no lock can follow ${name}`);
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    const instants = Array.from({ length: INSTANTS }, (_, i) => FROM + i * 1571);
    const local = localTime(zone, FROM);
    const byLock = (instant: number): boolean => {
      localTime(zone, instant, local);
      return isOpen(NINE_TO_FIVE, 1, local.weekday, local.minute);
    };
    const byIntl = (instant: number): boolean => {
      const [day, time] = format
        .format(instant * 1000)
        .replace(",", "")
        .split(" ");
      return day[0] !== "S" && time >= "09:00" && time < "17:00";
    };
    for (const instant of instants.slice(0, 2000))
      if (byLock(instant) !== byIntl(instant)) throw new Error(`bench: ${name} at ${instant}`);
    let start = performance.now();
    for (const instant of instants) byLock(instant);
    ours += performance.now() - start;
    start = performance.now();
    for (const instant of instants) byIntl(instant);
    theirs += performance.now() - start;
  }
  const count = ZONES.length * INSTANTS;
  return { "calendar.ns": (ours / count) * 1e6, "calendar.ratio_to_intl": ours / theirs };
}

/** All figures of the decision. */
export function decideFigures(): Figures {
  const figures: Figures = {};
  for (const slots of [10, 100, 1000]) {
    const door = fullDoor(slots);
    const half = slots / 2;
    figures[`decide.us.${slots}.hit`] = attemptMicroseconds(door, (i) => pinOf(2 * (i % half)));
    figures[`decide.us.${slots}.miss`] = attemptMicroseconds(door, wrongPinOf);
    figures[`decide.us.${slots}.disabled`] = attemptMicroseconds(door, (i) => pinOf(2 * (i % half) + 1));
    figures["decide.flash_reads"] = readsOfHit(door);
  }
  return { ...figures, ...calendarFigures() };
}
