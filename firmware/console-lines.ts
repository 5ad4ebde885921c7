// What a lock and the factory's tool say to each other over the lock's serial port: types alone. A request is one line of JSON in ASCII of
// at most 96 bytes, and so is its answer, of any length; lines of a lock that begin otherwise than an answer are no answers (its chip
// writes of its own when it boots). Nothing here is a secret, and nothing that a claimed lock says would help to open it.

/** What is asked, and what the question says beside its name. */
export interface ConsoleQuestions {
  report: unknown;
  crypto: unknown;
  /** 1 to 64 bytes. */
  random: { readonly bytes: number };
  flash: unknown;
  /** Waits for so many seconds, 1 to 60, for whatever comes next. */
  keypad: { readonly seconds: number };
  card: { readonly seconds: number };
  reset: { readonly seconds: number };
  bolt: { readonly to: "draw" | "throw" };
  door: unknown;
  handle: unknown;
  feedback: { readonly show: "granted" | "refused" | "identify" };
  battery: unknown;
  rtc: unknown;
  wifi: unknown;
  bluetooth: unknown;
  /** 1 to 10 seconds. */
  sleep: { readonly seconds: number };
  watchdog: unknown;
}

/** The name of a question. */
export type Ask = keyof ConsoleQuestions;

/** A request. `id`, 0 to 65535, comes back with the answer. */
export type ConsoleRequest<A extends Ask = Ask> = {
  readonly id: number;
  readonly ask: A;
} & ConsoleQuestions[A];

/** Where the bolt is, by its switches: "jammed" when it did not arrive, "fault" when the switches contradict each other. */
export type BoltState = "drawn" | "thrown" | "between" | "moving" | "jammed" | "fault";

/** Public facts of a lock, claimed or not. What is null is not known, or not there. */
export interface LockReport {
  /** The version of the firmware (rule P4). */
  readonly firmware: string;
  readonly board: string;
  /** The name of the profile; null without an identity. */
  readonly profile: string | null;
  /** In hexadecimal; null without an identity. */
  readonly lock: string | null;
  readonly publicKey: string | null;
  /** Whether the flash of this lock was read without damage that matters; null without an identity. */
  readonly mounted: boolean | null;
  readonly claimed: boolean;
  /** Seconds since boot. */
  readonly uptime: number;
  readonly resetReason: string;
  /** What was thrown since boot, and where last. */
  readonly faults: number;
  readonly lastFault: string;
  /** Bytes. */
  readonly freeHeap: number;
  readonly flashEncryption: boolean;
  readonly secureBoot: boolean;
  /** Below this no image is taken (rule X14). */
  readonly securityVersion: number;
  readonly batteryMv: number | null;
  readonly bolt: BoltState | null;
  readonly doorClosed: boolean | null;
  /** UTC seconds of the clock with a supply of its own; 0 when it was never set. */
  readonly rtc: number | null;
  readonly advertising: boolean;
  readonly network: "none" | "off" | "joining" | "joined";
}

/** A partition, read from end to end. */
export interface FlashFacts {
  readonly size: number;
  readonly blockLength: number;
  readonly blocks: number;
  /** Bytes that could be read. */
  readonly read: number;
}

/** What is answered to each question. */
export interface ConsoleAnswers {
  report: LockReport;
  /** Names of what gave the right answer and of what did not. */
  crypto: { readonly backend: string; readonly passed: readonly string[]; readonly wrong: readonly string[] };
  /** In hexadecimal. */
  random: { readonly bytes: string };
  flash: { readonly credentials: FlashFacts; readonly events: FlashFacts };
  /** A number of firmware/core/keypad.ts; null for none. It does not count as typed. */
  keypad: { readonly key: number | null };
  /** The length of its UID in bytes; null for no card. */
  card: { readonly uidBytes: number | null };
  reset: { readonly pressed: boolean };
  bolt: { readonly state: BoltState };
  door: { readonly closed: boolean };
  handle: { readonly turned: boolean };
  feedback: { readonly shown: true };
  battery: { readonly mv: number };
  /** Whether it had been set, and by how many seconds it went on in two. */
  rtc: { readonly wasSet: boolean; readonly ticked: number };
  wifi: { readonly networks: number };
  bluetooth: { readonly advertising: boolean };
  sleep: { readonly sleptMs: number };
  /** Seconds; 0 when it is off. */
  watchdog: { readonly seconds: number };
}

/**
 * Why a question gets no facts: the lock is claimed and answers `report` alone; another question is being answered; there is no such part;
 * the line was too long, not a request, of an unknown question, or of one with a wrong argument.
 */
export type ConsoleRefusal =
  | "claimed"
  | "busy"
  | "absent"
  | "too-long"
  | "not-a-request"
  | "unknown"
  | "bad-argument";

/** An answer. Every one begins with `{"tumbler":`, the request's id; null where there was none to be read. */
export type ConsoleReply =
  /** `ms`: how long it took. */
  | { readonly tumbler: number; readonly ms: number; readonly ok: ConsoleAnswers[Ask] }
  | { readonly tumbler: number | null; readonly refused: ConsoleRefusal }
  | { readonly tumbler: number; readonly ms: number; readonly failed: string };
