// Numbers of the protocol in plain words: windows of a schedule, flags and settings of a slot, the density of a table.

import { Capability, Flag, ROLE_NAMES } from "../../protocol/wire/entry";
import { May } from "../../protocol/wire/payloads";
import type { Window } from "../../protocol/wire/windows";
import { hourText } from "./time";

const DAY_MINUTES = 1440;
const EVERY_DAY = 0x7f;
/** Weeks are read from Monday on; the bit of a day counts from Sunday. */
const WEEK: readonly (readonly [string, number])[] = [
  ["Mon", 1],
  ["Tue", 2],
  ["Wed", 3],
  ["Thu", 4],
  ["Fri", 5],
  ["Sat", 6],
  ["Sun", 0],
];

/** `Mon–Fri`, `Sat, Sun`, `every day`: a mask of days, bit 0 Sunday. */
export function daysText(days: number): string {
  if (days === EVERY_DAY) return "every day";
  const runs: string[][] = [[]];
  for (const [name, bit] of WEEK) {
    if ((days >> bit) & 1) runs[runs.length - 1].push(name);
    else runs.push([]);
  }
  return runs
    .filter((run) => run.length > 0)
    .map((run) => (run.length > 2 ? `${run[0]}–${run[run.length - 1]}` : run.join(", ")))
    .join(", ");
}

/** `Mon–Fri 09:00–17:00`; an end on the day after says so. */
export function windowText({ days, start, duration }: Window): string {
  const end = start + duration;
  if (start === 0 && end === DAY_MINUTES) return `${daysText(days)} all day`;
  const until = end <= DAY_MINUTES ? hourText(end) : `${hourText(end - DAY_MINUTES)} on the day after`;
  return `${daysText(days)} ${hourText(start)}–${until}`;
}

const namesOf = (bits: Readonly<Record<string, number>>, value: number): string[] =>
  Object.entries(bits)
    .filter(([, bit]) => (value & bit) !== 0)
    .map(([name]) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));

/** The names of a slot's flags. */
export const flagNames = (flags: number): string[] => namesOf(Flag, flags);

/** The names of a slot's capabilities (rule X7). */
export const capabilityNames = (capabilities: number): string[] => namesOf(Capability, capabilities);

/** The names of what an issuer key may sign. */
export const mayNames = (may: number): string[] => namesOf(May, may);

/** A probability as per cent, with two digits that count. */
export function percentText(probability: number): string {
  if (probability === 0) return "0 %";
  const percent = probability * 100;
  return percent < 0.001 ? "less than 0.001 %" : `${Number(percent.toPrecision(2))} %`;
}

/** `1 slot`, `2 slots`; `2 entries` with a plural of its own. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}

/** `45 s`, `15 min`, `1 h`. */
export function durationText(seconds: number): string {
  if (seconds % 3600 === 0 && seconds > 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 && seconds > 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** `everybody but admin`, `team, guest`: roles by name. */
export function rolesText(names: readonly string[]): string {
  const others = ROLE_NAMES.filter((name) => !names.includes(name));
  if (others.length === 0) return "everybody";
  return others.length === 1 ? `everybody but ${others[0]}` : names.join(", ");
}
