// Result codes and denial reasons: the two closed tables of the protocol. A row here is the only source of the wire value, the
// name, the words a person reads and the advice. Numbers are never used again for something else (rule K8).

/** One row of a closed table. */
export interface Row {
  /** The value on the wire, in flash and in the event log. */
  readonly value: number;
  /** The kebab-case name that code, command line and documents use. */
  readonly name: string;
  /** What happened, in a few words. */
  readonly text: string;
  /** What the reader should do. */
  readonly advice: string;
}

const row = (value: number, name: string, text: string, advice: string): Row => ({
  value,
  name,
  text,
  advice,
});

/** Result codes by name. The high nibble is the class. */
export const Code = {
  applied: 0x00,
  alreadyApplied: 0x01,
  unchanged: 0x02,
  installed: 0x03,
  busy: 0x10,
  lowBattery: 0x11,
  rateLimited: 0x12,
  timeout: 0x13,
  gap: 0x20,
  needRebase: 0x21,
  unknownKey: 0x22,
  needTime: 0x23,
  unclaimed: 0x24,
  capacity: 0x30,
  duplicate: 0x31,
  staleGeneration: 0x32,
  badFormat: 0x33,
  range: 0x34,
  scheduleOverlap: 0x35,
  scheduleInUse: 0x36,
  unknownSchedule: 0x37,
  unsupported: 0x38,
  expired: 0x39,
  notAllowed: 0x3a,
  pinTooShort: 0x3b,
  storageFailed: 0x3c,
  badSignature: 0x40,
  wrongLock: 0x41,
  staleEpoch: 0x42,
  fork: 0x43,
  malformed: 0x44,
  keyNotAllowed: 0x45,
  replayed: 0x46,
  version: 0x50,
  frameOrder: 0x51,
  tooLarge: 0x52,
  badState: 0x53,
  idle: 0x54,
} as const;

/** Every result code, in order of its value. */
export const CODES: readonly Row[] = [
  row(0x00, "applied", "done", "nothing to do"),
  row(0x01, "already-applied", "was done before", "nothing to do"),
  row(0x02, "unchanged", "the lock already had exactly this", "nothing to do"),
  row(0x03, "installed", "done; becomes active later", "nothing to do; it starts by itself"),
  row(0x10, "busy", "the lock is busy", "send the same again in a moment"),
  row(0x11, "low-battery", "the battery is too low for this", "change the battery, then send the same again"),
  row(0x12, "rate-limited", "too many attempts", "wait a minute, then send the same again"),
  row(0x13, "timeout", "the lock did not finish in time", "send the same again"),
  row(0x20, "gap", "an earlier delta is missing", "send from the position that the detail names"),
  row(0x21, "need-rebase", "the lock needs a whole new table", "let the owner sign a rebase"),
  row(0x22, "unknown-key", "signed by a key that the lock does not know", "send the owner's keyset first"),
  row(0x23, "need-time", "the lock's clock is not set", "send a time answer first"),
  row(0x24, "unclaimed", "the lock has no owner yet", "send a claim ticket first"),
  row(
    0x30,
    "capacity",
    "the lock has no place left",
    "free a slot at this lock, or use a larger model; it is not sent again",
  ),
  row(0x31, "duplicate", "the credential is in use at this lock", "choose another PIN, card or phone"),
  row(
    0x32,
    "stale-generation",
    "the slot holds something newer",
    "read the issuer's record of this slot again",
  ),
  row(0x33, "bad-format", "a field is missing or not in its format", "correct the data"),
  row(0x34, "range", "a value is out of its range", "correct the data, for example a start after its end"),
  row(
    0x35,
    "schedule-overlap",
    "windows of the schedule overlap",
    "change the windows so that they touch at most",
  ),
  row(0x36, "schedule-in-use", "slots still use the schedule", "move these slots to another schedule first"),
  row(0x37, "unknown-schedule", "the lock does not have this schedule", "send the schedule before the slot"),
  row(0x38, "unsupported", "this model cannot do that", "use another kind of credential, or another model"),
  row(0x39, "expired", "the change came too late to be applied", "issue it again if it is still wanted"),
  row(0x3a, "not-allowed", "the lock's policy forbids it", "ask the owner"),
  row(0x3b, "pin-too-short", "one more PIN this short would make guessing too easy", "use a longer PIN"),
  row(0x3c, "storage-failed", "the lock's flash failed", "replace the lock; send revocations first"),
  row(0x40, "bad-signature", "the signature is wrong", "do not send it again; find out who changed it"),
  row(0x41, "wrong-lock", "meant for another lock", "carry it to the lock that it names"),
  row(0x42, "stale-epoch", "from a log that the lock has left", "fetch new mail from the issuer"),
  row(
    0x43,
    "fork",
    "the issuer signed something else at this position",
    "stop; the issuer's store may be a restored copy",
  ),
  row(0x44, "malformed", "not a message of this protocol", "update the sender"),
  row(0x45, "key-not-allowed", "the key may not sign this", "sign with a key that may"),
  row(0x46, "replayed", "an old message came again", "fetch new mail from the issuer"),
  row(0x50, "version", "no common protocol version", "update the courier or the lock"),
  row(0x51, "frame-order", "messages came out of order", "connect again"),
  row(0x52, "too-large", "the message is too large", "split it"),
  row(0x53, "bad-state", "not possible at this point of the session", "connect again"),
  row(0x54, "idle", "nothing came for too long", "connect again"),
];

/** Denial reasons by name, in the order in which a decision checks them; 0 is "granted". */
export const Reason = {
  granted: 0,
  badEntry: 1,
  lockedOut: 2,
  unknown: 3,
  damaged: 4,
  disabled: 5,
  wrongMode: 6,
  clockUnknown: 7,
  leaseOver: 8,
  notYetValid: 9,
  expired: 10,
  firstUseMissed: 11,
  holiday: 12,
  outsideSchedule: 13,
  usedUp: 14,
  needsSecond: 15,
  lowBattery: 16,
  jammed: 17,
  busy: 18,
} as const;

/** Every reason, in order of its value. */
export const REASONS: readonly Row[] = [
  row(0, "granted", "the door opens", "nothing to do"),
  row(
    1,
    "bad-entry",
    "not 4 to 10 digits, or too slow between digits",
    "enter the PIN again without a pause",
  ),
  row(2, "locked-out", "too many wrong entries", "wait, or open with a card or a phone"),
  row(3, "unknown", "this lock does not know the credential", "check the PIN; sync the door"),
  row(4, "damaged", "the slot's record is damaged", "let the issuer put the slot again"),
  row(5, "disabled", "the credential is switched off", "let the issuer enable it"),
  row(6, "wrong-mode", "the lock's mode does not admit this role", "change the lock's mode"),
  row(7, "clock-unknown", "the lock does not know the time", "sync the door, which sets its clock"),
  row(8, "lease-over", "the lock has not heard from its issuer for too long", "sync the door"),
  row(9, "not-yet-valid", "the access has not started", "wait for its start"),
  row(10, "expired", "the access has ended", "let the issuer extend it"),
  row(11, "first-use-missed", "it was not used in time for the first time", "let the issuer put it again"),
  row(12, "holiday", "closed on this day", "come back on another day"),
  row(13, "outside-schedule", "outside the hours of the schedule", "come back within the hours"),
  row(14, "used-up", "no uses are left", "let the issuer put it again"),
  row(
    15,
    "needs-second",
    "a second person must present a credential",
    "present the second within 30 seconds",
  ),
  row(16, "low-battery", "the battery is too low to open", "change the battery, or use the master"),
  row(17, "jammed", "the bolt did not move", "pull or push the door, then try again"),
  row(18, "busy", "the bolt is moving", "try again in a moment"),
];

/** The classes of result codes: what each means for whoever sent. */
export const CodeClass = { done: 0, later: 1, first: 2, refused: 3, never: 4, session: 5 } as const;

/** The class of a result code, of {@link CodeClass}. */
export function codeClass(code: number): number {
  return code >> 4;
}

/** Whether a delta answered with this code has used its position: classes "done" and "refused" have. */
export function consumes(code: number): boolean {
  const group = codeClass(code);
  return group === CodeClass.done || group === CodeClass.refused;
}

function find(rows: readonly Row[], value: number): Row | undefined {
  for (const candidate of rows) if (candidate.value === value) return candidate;
  return undefined;
}

/** The row of a result code, or undefined for a number that is not in the table. */
export function codeRow(value: number): Row | undefined {
  return find(CODES, value);
}

/** The row of a denial reason, or undefined for a number that is not in the table. */
export function reasonRow(value: number): Row | undefined {
  return find(REASONS, value);
}

/** The name of a result code; `code-<n>` for one that this version does not know. */
export function codeName(value: number): string {
  return codeRow(value)?.name ?? `code-${value}`;
}

/** The name of a denial reason; `reason-<n>` for one that this version does not know. */
export function reasonName(value: number): string {
  return reasonRow(value)?.name ?? `reason-${value}`;
}
