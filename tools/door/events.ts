// What happens at doors, one object for each thing: printed as it is with --json, and told in words otherwise. What is not known is null,
// never 0.

/** A green tick (rule I4): the lock's own signed word that it is where the office expects it to be. */
export interface Tick {
  readonly epoch: number;
  readonly seq: number;
  /** The table digest, in hexadecimal. */
  readonly digest: string;
  /** UTC seconds, and whose clock said so. */
  readonly time: number;
  readonly clock: "lock" | "courier";
}

/** Where a lock's last good receipt says that it is. */
export interface LatestWord extends Omit<Tick, "digest"> {
  /**
   * `expected`: position, chain and table are those of the office's books · `on-the-way`: so far · `other-table`: something was refused, or
   * the table is another, which only the office can tell · `ahead`: further than the list goes · `other-log`: not what the office has signed.
   */
  readonly is: "expected" | "on-the-way" | "other-table" | "ahead" | "other-log";
}

/** A lock was seen for the first time, or shows something else than before. */
export interface SeenEvent {
  readonly event: "seen";
  /** As this machine names the radio. */
  readonly radio: string;
  /** `door`: of the work list · `unowned`: no owner has it, and it is not in the list · `unknown`: somebody's. */
  readonly is: "door" | "unowned" | "unknown";
  readonly door: string | null;
  /** The lock id in hexadecimal; the first 6 bytes of an unowned lock. */
  readonly lock: string | null;
  /** Changes that wait for it; null for a lock that is not in the list. */
  readonly waiting: number | null;
  /** Changes that it has and whose answers did not come home. */
  readonly unanswered: number | null;
  readonly events: boolean | null;
  readonly clockUnknown: boolean;
  readonly lowBattery: boolean;
  readonly storageFault: boolean;
  /** All that in words; null for a lock that is not in the list. */
  readonly needs: string | null;
  /** Smoothed, in dBm. */
  readonly signal: number | null;
}

/** A lock that was seen is heard no more. */
export interface GoneEvent {
  readonly event: "gone";
  readonly radio: string;
  readonly door: string | null;
}

/** The steps of a visit, in the order in which they come. */
export const STEPS = [
  "connect",
  "hello",
  "claim",
  "keys",
  "time",
  "rebase",
  "answers",
  "changes",
  "sign of life",
  "events",
] as const;
export type StepName = (typeof STEPS)[number];

/** A visit is at a step; `done` of `of` changes have their answers. */
export interface StepEvent {
  readonly event: "step";
  readonly door: string;
  readonly step: StepName;
  readonly done: number;
  readonly of: number;
  /** Of a whole new table, the part that is on its way, and how many there are. */
  readonly part?: number;
  readonly parts?: number;
}

/** A connection was lost, or could not be had; the next try comes after a wait. */
export interface LostEvent {
  readonly event: "lost";
  readonly door: string;
  readonly attempt: number;
  readonly waitS: number;
  readonly done: number;
  readonly of: number;
}

/** A lock answered a change. */
export interface AnswerEvent {
  readonly event: "answer";
  readonly door: string;
  readonly lock: string;
  readonly seq: number;
  readonly change: string;
  readonly code: string;
  readonly done: boolean;
  /** What the code says, and what to do. */
  readonly text: string;
  readonly advice: string;
  /** UTC seconds. */
  readonly time: number;
}

/** Something came that says to be a receipt and is not the lock's own. */
export interface ForgedEvent {
  readonly event: "not-a-receipt";
  readonly door: string;
  readonly why: string;
}

/** A door is not visited, and why. */
export interface SkippedEvent {
  readonly event: "skipped";
  readonly door: string;
  readonly lock: string;
  readonly why: "has-everything" | "not-in-range" | "interrupted";
  /** Changes that were refused on an earlier visit. */
  readonly refused: number;
  /** Whether the lock shows that its clock is not set; null where it was not seen. */
  readonly clockUnknown: boolean | null;
}

/** A visit is over. */
export interface VisitedEvent {
  readonly event: "visited";
  readonly door: string;
  readonly lock: string;
  /** As of a session, of which only "done" is good, or "interrupted". */
  readonly outcome: "done" | "silent" | "refused" | "garbled" | "interrupted";
  /** What went wrong, and what to do about it; null where nothing did. */
  readonly reason: string | null;
  readonly advice: string | null;
  readonly done: number;
  readonly of: number;
  readonly refused: number;
  /** Whether the lock has signed that it has the whole new table of the list. */
  readonly newTable: boolean;
  /** How many events came home. */
  readonly events: number;
  /** What the lock refused without ending the visit. */
  readonly alsoRefused: readonly {
    readonly what: "time" | "sign of life";
    readonly code: string;
    readonly text: string;
  }[];
  readonly attempts: number;
  /** Null where the lock's last good receipt is not what the office expects in the end. */
  readonly tick: Tick | null;
  /** What that receipt says, and how it compares; null before the first. */
  readonly latest: LatestWord | null;
}

/** The end: how many doors came out how, and what the office does not have yet. */
export interface SummaryEvent {
  readonly event: "summary";
  readonly fine: number;
  readonly skipped: number;
  readonly wrong: number;
  readonly notInRange: number;
  readonly unreported: number;
}

export type DoorEvent =
  | SeenEvent
  | GoneEvent
  | StepEvent
  | LostEvent
  | AnswerEvent
  | ForgedEvent
  | SkippedEvent
  | VisitedEvent
  | SummaryEvent;

/** Who is told of what happens. */
export type Tell = (event: DoorEvent) => void;
