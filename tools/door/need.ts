// What a door needs, by what its lock shows of itself over the air (rule S10) and what came home from it already. An advertisement proves nothing:
// whoever lies in it costs a visit, or puts one off.

import type { Advert } from "../../protocol/wire/advert";
import { StatusFlag, Type } from "../../protocol/wire/messages";
import { count } from "../ui/words";
import { goalOf, type WorkDoor } from "../worklist/work-list";
import type { Standing } from "./standing";

/** What a door needs. */
export interface Need {
  /** Changes that the lock does not have. */
  readonly waiting: number;
  /** Changes that it has, as far as it says, and whose answers have not come home. */
  readonly unanswered: number;
  /** Whether it has events that nobody fetched. */
  readonly events: boolean;
  readonly clockUnknown: boolean;
  /** Whether it must hear that its issuer lives, or be brought what an advertisement does not tell of: keys, a whole new table. */
  readonly papers: boolean;
  readonly unclaimed: boolean;
  readonly lowBattery: boolean;
  readonly storageFault: boolean;
}

const POSITIONS = 0x10000;
/** Mail of which neither position nor flags tell whether the lock has it. */
const PAPERS: readonly number[] = [Type.keys, Type.ask];

/** What an advertisement and a door's standing say. */
export function needOf(door: WorkDoor, standing: Standing, { applied, flags }: Advert): Need {
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const unclaimed = has(StatusFlag.unclaimed);
  const isBegun = !door.isNewTable || standing.latest?.epoch === door.epoch;
  // Only the low bits are shown; a lock that is further has all of it.
  const behind = (goalOf(door).seq - applied + POSITIONS) % POSITIONS;
  const waiting = unclaimed || !isBegun ? door.changes.length : behind < POSITIONS / 2 ? behind : 0;
  const open = door.changes.length - standing.answered;
  const papers = door.bag.mail.some(({ type }) => PAPERS.includes(type));
  return {
    waiting,
    unanswered: Math.max(0, open - waiting),
    events: has(StatusFlag.eventsWaiting) && door.bag.nextEvent > 0 && door.bag.pages.length === 0,
    clockUnknown: has(StatusFlag.clockUnknown),
    papers: unclaimed || !isBegun || (!standing.isVisited && (papers || door.isLeased)),
    unclaimed,
    lowBattery: has(StatusFlag.lowBattery),
    storageFault: has(StatusFlag.storageFault),
  };
}

/** Whether a visit would bring nothing. Clocks are set only by whoever can reach the office from the door. */
export function hasEverything(need: Need, setsClocks: boolean): boolean {
  const { waiting, unanswered, events, papers, clockUnknown } = need;
  return waiting + unanswered === 0 && !events && !papers && !(setsClocks && clockUnknown);
}

/** The order in which doors need somebody: a negative number where `a` does more than `b`. Undefined for a lock of which nothing is known. */
export function byNeed(a: Need | undefined, b: Need | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return (
    b.waiting - a.waiting ||
    b.unanswered - a.unanswered ||
    Number(b.events) - Number(a.events) ||
    Number(b.clockUnknown) - Number(a.clockUnknown) ||
    Number(b.papers) - Number(a.papers)
  );
}

/** What a door needs, in words, and what is wrong with its lock: `12 changes, events; low battery`; `up to date`. */
export function needText(need: Need): string {
  const { waiting, unanswered, events, papers, clockUnknown, unclaimed } = need;
  const needs = [
    unclaimed ? "no owner yet" : "",
    waiting > 0 ? count(waiting, "change") : "",
    unanswered > 0 ? `${count(unanswered, "answer")} to fetch` : "",
    events ? "events" : "",
    clockUnknown ? "clock unknown" : "",
  ];
  const faults = [need.lowBattery ? "low battery" : "", need.storageFault ? "storage fault" : ""];
  const [text, fault] = [needs, faults].map((parts) => parts.filter((part) => part !== "").join(", "));
  return `${text || (papers ? "keys or a sign of life" : "up to date")}${fault === "" ? "" : `; ${fault}`}`;
}
