// A second opinion on who may open and when, for judging the lock's decision. It is written from the rules alone, imports none of the
// code that it judges, takes local time and dates from Node's Intl, and never calculates with an error bound: the true time may be any
// second from `now - bound` to `now + bound`, so it looks at each of them and refuses unless all are allowed. Slow on purpose.

/** Roles of people and of credentials that never open (rule C9). */
export type Role = "admin" | "resident" | "team" | "guest" | "prospect" | "programming-only" | "remote-only";

/** Operating modes (rules A60, M2). */
export type Mode = "normal" | "tour" | "resident";

/** What a refusal is called; "granted" where the door opens. */
export type Verdict =
  | "disabled"
  | "wrong-mode"
  | "clock-unknown"
  | "lease-over"
  | "not-yet-valid"
  | "expired"
  | "first-use-missed"
  | "holiday"
  | "outside-schedule"
  | "used-up"
  | "needs-second"
  | "granted";

/** One weekly window (rule T1): it opens on each of these days, 0 Sunday to 6 Saturday, at a minute of the day. */
export interface Opening {
  readonly days: readonly number[];
  readonly minute: number;
  /** Minutes. */
  readonly lasts: number;
}

/** All that was said of a credential. What is left out does not limit it. Instants are UTC seconds. */
export interface Credential {
  readonly role: Role;
  readonly disabled?: boolean;
  /** Opens only together with another person's (rule C15). */
  readonly dual?: boolean;
  readonly start?: number;
  readonly end?: number;
  readonly schedule?: readonly Opening[];
  readonly uses?: number;
  readonly minutesAfterFirstUse?: number;
  readonly hoursToFirstUse?: number;
  /** Good only while the lock hears of its issuer (rule S12). */
  readonly leased?: boolean;
}

/** How long a lock takes its issuer's word, and when that was given last: never, where `heard` is left out. */
export interface Lease {
  readonly days: number;
  readonly heard?: number;
}

/** What was done with it so far. */
export interface Past {
  readonly used: boolean;
  readonly usesLeft: number;
  /** When it was used first, if that is known. */
  readonly firstUse?: number;
}

/** Local dates, the last included, such as "2026-12-24". */
interface Dates {
  /** 0 to 63. It says nothing. */
  readonly number: number;
  readonly first: string;
  readonly last: string;
}

/** Dates on which the door is another (rule T7): some roles are refused, or another mode is in force, or nobody can tell which. */
export type Holiday =
  | (Dates & { readonly blocks: readonly Role[] })
  | (Dates & { readonly mode: Mode })
  | { readonly number: number; readonly unreadable: true };

/** What the lock knows of the time. */
export type Clock = "unknown" | { readonly now: number; readonly bound: number };

/** Everything that a verdict depends on. `zone` is an IANA name. */
export interface Situation {
  readonly credential: Credential;
  readonly past: Past;
  readonly mode: Mode;
  readonly zone: string;
  readonly holidays: readonly Holiday[];
  /** Left out at a lock whose credentials need no lease. */
  readonly lease?: Lease;
  /** Whether another person's credential was accepted just before (rule C15). */
  readonly second: boolean;
  readonly clock: Clock;
}

/** What an instant alone can be refused for, in the order of the decision; the last is "nothing". */
const BY_TIME: readonly Verdict[] = [
  "wrong-mode",
  "lease-over",
  "not-yet-valid",
  "expired",
  "first-use-missed",
  "holiday",
  "outside-schedule",
  "granted",
];
const [WRONG_MODE, LEASE_OVER, NOT_YET_VALID, EXPIRED, FIRST_USE_MISSED, HOLIDAY, OUTSIDE_SCHEDULE, ALLOWED] =
  BY_TIME.keys();

// ---- Local time ----------------------------------------------------------------------------------------------------------------

const DAY_MINUTES = 1440;
const WEEK_MINUTES = 7 * DAY_MINUTES;
/** 1970-01-01 was a Thursday. */
const EPOCH_MINUTE = 4 * DAY_MINUTES;
const HOUR_S = 3600;
const HOUR_MINUTES = 60;
/** So many hours are remembered for each zone: ten days and more. */
const REMEMBERED = 500;

/** The wall clock of one zone, by Intl. */
class Wall {
  readonly #format: Intl.DateTimeFormat;
  readonly #hours = new Map<number, number>();

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
  }

  #read(instant: number): number {
    const text = this.#format.format(instant * 1000);
    const shown = /^(\d\d)\/(\d\d)\/(\d{4}), (\d\d):(\d\d)$/.exec(text);
    if (shown === null) throw new Error(`Intl: wanted "06/30/2026, 09:00", got "${text}"`);
    const [, month, day, year, hour, minute] = shown.map(Number);
    return Date.UTC(year, month - 1, day, hour, minute) / 60_000;
  }

  #atHour(hour: number): number {
    let minute = this.#hours.get(hour);
    if (minute === undefined) {
      if (this.#hours.size > REMEMBERED) this.#hours.clear();
      minute = this.#read(hour * HOUR_S);
      this.#hours.set(hour, minute);
    }
    return minute;
  }

  /**
   * What the wall clock shows, as if it were UTC, in minutes since 1970. Intl is asked at each hour of UTC, and where it shows
   * anything but an hour more after an hour, at each minute of it.
   */
  minuteAt(instant: number): number {
    const hour = Math.floor(instant / HOUR_S);
    const first = this.#atHour(hour);
    const passed = Math.floor((instant - hour * HOUR_S) / 60);
    if (passed === 0) return first;
    const isEven = this.#atHour(hour + 1) === first + HOUR_MINUTES;
    return isEven ? first + passed : this.#read(instant);
  }
}

const walls = new Map<string, Wall>();

function wallOf(zone: string): Wall {
  const wall = walls.get(zone) ?? new Wall(zone);
  walls.set(zone, wall);
  return wall;
}

// ---- What the wall clock says --------------------------------------------------------------------------------------------------

/** Whether a wall clock that shows `minuteOfWeek`, from Sunday 00:00, lies in one of the openings (rules T1, T2, T9). */
function isWithin(openings: readonly Opening[], minuteOfWeek: number): boolean {
  return openings.some(({ days, minute, lasts }) =>
    days.some((day) => (minuteOfWeek - (day * DAY_MINUTES + minute) + WEEK_MINUTES) % WEEK_MINUTES < lasts),
  );
}

/** Whether an operating mode lets a role in at the door (rules C9, M2). */
function admits(mode: Mode, role: Role): boolean {
  if (role === "programming-only" || role === "remote-only") return false;
  return role !== "prospect" || mode !== "resident";
}

const isOn = (holiday: Holiday, date: string): boolean =>
  "unreadable" in holiday || (holiday.first <= date && date <= holiday.last);

/** Whether a holiday refuses a role while it is in force; one that nobody can read refuses all but administrators. */
function blocks(holiday: Holiday, role: Role): boolean {
  if ("unreadable" in holiday) return role !== "admin";
  return "blocks" in holiday && holiday.blocks.includes(role);
}

/** A schedule binds users, not administrators (rule A29). */
const bindsSchedule = (credential: Credential): boolean =>
  credential.schedule !== undefined && credential.role !== "admin";

/** What a day has to say. */
interface DayWord {
  /** Whether the modes of this date let the role in. */
  readonly admitted: boolean;
  /** Whether a holiday of this date refuses it. */
  readonly blocked: boolean;
}

function wordOfDay({ credential, mode, holidays }: Situation, day: number): DayWord {
  if (holidays.length === 0) return { admitted: admits(mode, credential.role), blocked: false };
  const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
  const today = holidays.filter((holiday) => isOn(holiday, date));
  const modes = today.flatMap((holiday) => ("mode" in holiday ? [holiday.mode] : []));
  return {
    admitted: (modes.length === 0 ? [mode] : modes).every((each) => admits(each, credential.role)),
    blocked: today.some((holiday) => blocks(holiday, credential.role)),
  };
}

/** One person's credential at one door: what the wall clock says about it, remembered while it shows the same. */
class Outlook {
  readonly #situation: Situation;
  readonly #wall: Wall;
  readonly #days = new Map<number, DayWord>();
  #minute = -1;
  #rank = 0;

  constructor(situation: Situation) {
    this.#situation = situation;
    this.#wall = wallOf(situation.zone);
  }

  /** The place in {@link BY_TIME} of what the wall clock refuses this instant for. Wall clocks turn on whole minutes of UTC. */
  rankAt(instant: number): number {
    const minute = Math.floor(instant / 60);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#rank = this.#rankOf(this.#wall.minuteAt(instant));
    }
    return this.#rank;
  }

  #rankOf(wall: number): number {
    const { credential } = this.#situation;
    const { admitted, blocked } = this.#wordOf(Math.floor(wall / DAY_MINUTES));
    if (!admitted) return WRONG_MODE;
    if (blocked) return HOLIDAY;
    if (!bindsSchedule(credential)) return ALLOWED;
    const isOpen = isWithin(credential.schedule ?? [], (wall + EPOCH_MINUTE) % WEEK_MINUTES);
    return isOpen ? ALLOWED : OUTSIDE_SCHEDULE;
  }

  #wordOf(day: number): DayWord {
    const word = this.#days.get(day) ?? wordOfDay(this.#situation, day);
    this.#days.set(day, word);
    return word;
  }
}

// ---- One instant ---------------------------------------------------------------------------------------------------------------

/** The instant from which each limit of a credential is behind, undefined where it has none. */
interface Limits {
  /** The issuer's word is over (rule S12). */
  readonly lapsed: number | undefined;
  readonly start: number | undefined;
  readonly end: number | undefined;
  /** Minutes after the first use (rule C12). */
  readonly over: number | undefined;
  /** The first use has not come in time (rule C13). */
  readonly missed: number | undefined;
}

/** The first second that is too long after the issuer's last word: the beginning of time, where none ever came. */
function lapseOf({ credential, lease }: Situation): number | undefined {
  if (!credential.leased || lease === undefined) return undefined;
  return lease.heard === undefined ? Number.NEGATIVE_INFINITY : lease.heard + lease.days * 24 * HOUR_S;
}

function limitsOf(situation: Situation): Limits {
  const { credential, past } = situation;
  const { start, end, minutesAfterFirstUse, hoursToFirstUse } = credential;
  const lasts = minutesAfterFirstUse !== undefined && past.firstUse !== undefined;
  const waits = hoursToFirstUse !== undefined && start !== undefined && !past.used;
  return {
    lapsed: lapseOf(situation),
    start,
    end,
    over: lasts ? past.firstUse + minutesAfterFirstUse * 60 : undefined,
    missed: waits ? start + hoursToFirstUse * 3600 : undefined,
  };
}

/** The place in {@link BY_TIME} of what refuses this instant, were it the true time. */
function rankAt({ lapsed, start, end, over, missed }: Limits, outlook: Outlook, instant: number): number {
  const wall = outlook.rankAt(instant);
  if (wall === WRONG_MODE) return WRONG_MODE;
  if (lapsed !== undefined && instant >= lapsed) return LEASE_OVER;
  if (start !== undefined && instant < start) return NOT_YET_VALID;
  if (end !== undefined && instant >= end) return EXPIRED;
  if (over !== undefined && instant >= over) return EXPIRED;
  if (missed !== undefined && instant >= missed) return FIRST_USE_MISSED;
  return wall;
}

/** Whether the time says anything about this credential (rules T7, T12). */
function dependsOnTime({ credential, mode, holidays, lease }: Situation): boolean {
  const { role, start, end, minutesAfterFirstUse, hoursToFirstUse } = credential;
  const limits = [start, end, minutesAfterFirstUse, hoursToFirstUse];
  if (credential.leased && lease !== undefined) return true;
  if (bindsSchedule(credential) || limits.some((limit) => limit !== undefined)) return true;
  return holidays.some(
    (holiday) =>
      blocks(holiday, role) || ("mode" in holiday && admits(holiday.mode, role) !== admits(mode, role)),
  );
}

/** What refuses whatever the time is. */
function standing(situation: Situation): Verdict | undefined {
  const { credential, mode, clock } = situation;
  if (credential.disabled) return "disabled";
  if (clock !== "unknown") return undefined;
  if (!admits(mode, credential.role)) return "wrong-mode";
  return dependsOnTime(situation) ? "clock-unknown" : undefined;
}

/** What is left to refuse when the time does not. */
function lastWord({ credential, past, second }: Situation): Verdict {
  if (credential.uses !== undefined && past.usesLeft === 0) return "used-up";
  return credential.dual && !second ? "needs-second" : "granted";
}

/** The verdict, from the refusals of every second that may be the true time. */
export function verdict(situation: Situation): Verdict {
  const before = standing(situation);
  if (before !== undefined) return before;
  if (situation.clock === "unknown") return lastWord(situation);
  const { now, bound } = situation.clock;
  const limits = limitsOf(situation);
  const outlook = new Outlook(situation);
  let worst = ALLOWED;
  for (let instant = now - bound; instant <= now + bound; instant++)
    worst = Math.min(worst, rankAt(limits, outlook, instant));
  return worst === ALLOWED ? lastWord(situation) : BY_TIME[worst];
}

// ---- What comes next -----------------------------------------------------------------------------------------------------------

const HORIZON_S = 9 * 86_400;

/** Seconds on which the same is said of a credential. */
interface Run {
  readonly from: number;
  readonly rank: number;
}

/**
 * The seconds from `from` to `until` as runs, looking at each minute of UTC, and at each second of those in which a limit lies. The
 * first run begins at `from`.
 */
function* runsOf(situation: Situation, from: number, until: number): Generator<Run> {
  const limits = limitsOf(situation);
  const outlook = new Outlook(situation);
  const minuteOf = (instant: number): number => Math.floor(instant / 60);
  const busy = new Set(Object.values(limits).map((limit) => minuteOf(limit ?? -1)));
  let before = -1;
  for (let at = from; at <= until; at = busy.has(minuteOf(at)) ? at + 1 : (minuteOf(at) + 1) * 60) {
    const rank = rankAt(limits, outlook, at);
    if (rank !== before) yield { from: at, rank };
    before = rank;
  }
}

/**
 * The first second after `now` at which the verdict is another, within the nine days that follow; undefined if there is none. Looks at
 * every minute of them, and at every second that has two runs in reach of the error bound, which stays what it is.
 */
export function nextVerdict(situation: Situation): { at: number; verdict: Verdict } | undefined {
  const { clock } = situation;
  if (clock === "unknown" || standing(situation) !== undefined) return undefined;
  const { now, bound } = clock;
  const source = runsOf(situation, now - bound, now + HORIZON_S + bound);
  const END: Run = { from: Number.POSITIVE_INFINITY, rank: ALLOWED };
  /** The runs in reach of `t`, and the one that comes after them. */
  const runs: Run[] = [source.next().value ?? END];
  let first = -1;
  for (let t = now; t <= now + HORIZON_S; ) {
    while (runs[runs.length - 1].from <= t + bound) runs.push(source.next().value ?? END);
    while (runs[1].from <= t - bound) runs.shift();
    const worst = Math.min(...runs.slice(0, -1).map(({ rank }) => rank));
    if (t === now) first = worst;
    else if (worst !== first) return { at: t, verdict: verdict({ ...situation, clock: { now: t, bound } }) };
    t = runs.length > 2 ? t + 1 : Math.max(t + 1, runs[1].from - bound);
  }
  return undefined;
}
