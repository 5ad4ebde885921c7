// A second opinion on who may open and when, for judging the lock's decision. It is written from the rules alone, imports none of the
// code that it judges, takes local time from Node's Intl, and never calculates with an error bound: the true time may be any second
// from `now - bound` to `now + bound`, so it looks at each of them and refuses unless all are allowed. Slow on purpose.

/** Roles of people and of credentials that never open (rule C9). */
export type Role = "admin" | "resident" | "team" | "guest" | "prospect" | "programming-only" | "remote-only";

/** Operating modes (rules A60, M2). */
export type Mode = "normal" | "tour" | "resident";

/** What a refusal is called; "granted" where the door opens. */
export type Verdict =
  | "disabled"
  | "wrong-mode"
  | "clock-unknown"
  | "not-yet-valid"
  | "expired"
  | "first-use-missed"
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
}

/** What was done with it so far. */
export interface Past {
  readonly used: boolean;
  readonly usesLeft: number;
  /** When it was used first, if that is known. */
  readonly firstUse?: number;
}

/** What the lock knows of the time. */
export type Clock = "unknown" | { readonly now: number; readonly bound: number };

/** Everything that a verdict depends on. `zone` is an IANA name. */
export interface Situation {
  readonly credential: Credential;
  readonly past: Past;
  readonly mode: Mode;
  readonly zone: string;
  readonly clock: Clock;
}

// ---- Local time ----------------------------------------------------------------------------------------------------------------

const WEEKDAYS: readonly string[] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const WEEK_MINUTES = 7 * 1440;
/** All clocks of these years change on a quarter of an hour of UTC. */
const QUARTER_S = 900;

/** The wall clock of one zone, by Intl. */
class Wall {
  readonly #format: Intl.DateTimeFormat;
  readonly #quarters = new Map<number, number>();

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
    });
  }

  /** The minute of the week that the wall clock shows, counted from Sunday 00:00. */
  minuteOfWeek(instant: number): number {
    const quarter = Math.floor(instant / QUARTER_S);
    let minute = this.#quarters.get(quarter);
    if (minute === undefined) {
      const text = this.#format.format(quarter * QUARTER_S * 1000);
      const shown = /^(\w{3}),? (\d\d):(\d\d)$/.exec(text);
      if (shown === null) throw new Error(`Intl: wanted "Mon 09:00", got "${text}"`);
      minute = WEEKDAYS.indexOf(shown[1]) * 1440 + Number(shown[2]) * 60 + Number(shown[3]);
      this.#quarters.set(quarter, minute);
    }
    return (minute + Math.floor((instant - quarter * QUARTER_S) / 60)) % WEEK_MINUTES;
  }
}

const walls = new Map<string, Wall>();

function wallOf(zone: string): Wall {
  const wall = walls.get(zone) ?? new Wall(zone);
  walls.set(zone, wall);
  return wall;
}

/** Whether a wall clock that shows `minuteOfWeek` lies in one of the openings (rules T1, T2, T9). */
function isWithin(openings: readonly Opening[], minuteOfWeek: number): boolean {
  return openings.some(({ days, minute, lasts }) =>
    days.some((day) => (minuteOfWeek - (day * 1440 + minute) + WEEK_MINUTES) % WEEK_MINUTES < lasts),
  );
}

/** The last answer of {@link isOpen}: neighbouring seconds ask the same again, and wall clocks show whole minutes of UTC. */
const last = { schedule: undefined as readonly Opening[] | undefined, zone: "", minute: -1, open: false };

/** Whether a schedule is open at an instant in UTC seconds, by the wall clock of a zone. */
function isOpen(schedule: readonly Opening[], zone: string, instant: number): boolean {
  const minute = Math.floor(instant / 60);
  if (last.minute === minute && last.schedule === schedule && last.zone === zone) return last.open;
  last.schedule = schedule;
  last.zone = zone;
  last.minute = minute;
  last.open = isWithin(schedule, wallOf(zone).minuteOfWeek(instant));
  return last.open;
}

// ---- One instant ---------------------------------------------------------------------------------------------------------------

/** What an instant alone can be refused for, in the order of the decision; the last is "nothing". */
const BY_TIME: readonly Verdict[] = [
  "not-yet-valid",
  "expired",
  "first-use-missed",
  "outside-schedule",
  "granted",
];

/** A schedule binds users, not administrators (rule A29). */
const bindsSchedule = (credential: Credential): boolean =>
  credential.schedule !== undefined && credential.role !== "admin";

/** The place in {@link BY_TIME} of what refuses this instant, were it the true time. */
function rankAt({ credential, past, zone }: Situation, instant: number): number {
  const { start, end, schedule, minutesAfterFirstUse, hoursToFirstUse } = credential;
  if (start !== undefined && instant < start) return 0;
  if (end !== undefined && instant >= end) return 1;
  if (minutesAfterFirstUse !== undefined && past.firstUse !== undefined)
    if (instant >= past.firstUse + minutesAfterFirstUse * 60) return 1;
  if (hoursToFirstUse !== undefined && start !== undefined && !past.used)
    if (instant >= start + hoursToFirstUse * 3600) return 2;
  if (schedule !== undefined && bindsSchedule(credential)) if (!isOpen(schedule, zone, instant)) return 3;
  return 4;
}

/** Whether the time says anything about this credential (rule T12). */
function dependsOnTime(credential: Credential): boolean {
  const { start, end, minutesAfterFirstUse, hoursToFirstUse } = credential;
  const limits = [start, end, minutesAfterFirstUse, hoursToFirstUse];
  return bindsSchedule(credential) || limits.some((limit) => limit !== undefined);
}

/** What refuses before the time is looked at. */
function standing({ credential, mode, clock }: Situation): Verdict | undefined {
  if (credential.disabled) return "disabled";
  if (credential.role === "programming-only" || credential.role === "remote-only") return "wrong-mode";
  if (credential.role === "prospect" && mode === "resident") return "wrong-mode";
  return clock === "unknown" && dependsOnTime(credential) ? "clock-unknown" : undefined;
}

/** What is left to refuse when the time does not. */
function lastWord({ credential, past }: Situation): Verdict {
  if (credential.uses !== undefined && past.usesLeft === 0) return "used-up";
  return credential.dual ? "needs-second" : "granted";
}

/** The verdict, from the refusals of every second that may be the true time. */
export function verdict(situation: Situation): Verdict {
  const before = standing(situation);
  if (before !== undefined) return before;
  if (situation.clock === "unknown") return lastWord(situation);
  const { now, bound } = situation.clock;
  let worst = BY_TIME.length - 1;
  for (let instant = now - bound; instant <= now + bound; instant++)
    worst = Math.min(worst, rankAt(situation, instant));
  return worst < BY_TIME.length - 1 ? BY_TIME[worst] : lastWord(situation);
}

// ---- What comes next -----------------------------------------------------------------------------------------------------------

const HORIZON_S = 9 * 86_400;

/**
 * The first second after `now` at which the verdict is another, looking at every second of the nine days that follow; undefined if
 * there is none among them. The error bound stays what it is.
 */
export function nextVerdict(situation: Situation): { at: number; verdict: Verdict } | undefined {
  const { clock } = situation;
  if (clock === "unknown" || standing(situation) !== undefined) return undefined;
  const { now, bound } = clock;
  /** When each rank was seen last: what refuses is the lowest that was seen since `t - bound`. */
  const seen: number[] = BY_TIME.map(() => -1);
  let first = -1;
  for (let latest = now - bound; latest <= now + HORIZON_S + bound; latest++) {
    seen[rankAt(situation, latest)] = latest;
    const t = latest - bound;
    if (t < now) continue;
    let worst = 0;
    while (seen[worst] < t - bound) worst++;
    if (t === now) first = worst;
    else if (worst !== first) {
      const at = { ...situation, clock: { now: t, bound } };
      return { at: t, verdict: verdict(at) };
    }
  }
  return undefined;
}
