// The summary: what every door holds by its own flash, what the issuer knows by verified receipts, and whether the day ended as it was
// expected to. A success that was expected to fail is as wrong as a failure that was not.

import { Lock } from "../../firmware/core/lock";
import type { Issuer } from "../../protocol/issuer/issuer";
import { toHex } from "../../protocol/wire/bytes";
import { codeName } from "../../protocol/wire/codes";
import { KIND_NAMES } from "../../protocol/wire/entry";
import { VirtualBoard } from "../../simulator/board/board";
import { node } from "../../simulator/board/crypto";
import type { Building } from "./building";
import type { DayRecord } from "./day";
import type { Expectation } from "./script";

/** One door at the end of the day. */
export interface DoorSummary {
  readonly door: string;
  readonly lock: string;
  readonly profile: string;
  readonly link: string;
  /** Slots used and their limit, from the lock's flash. */
  readonly slots: number;
  readonly capacity: number;
  /** The log position, from the lock's flash. */
  readonly applied: number;
  /** Credentials by state, from verified receipts. */
  readonly confirmed: number;
  readonly removed: number;
  readonly pending: number;
  readonly unconfirmed: number;
  /** Who failed, and with which code. */
  readonly failed: readonly { readonly who: string; readonly kind: string; readonly code: string }[];
  /** Table digests: what the flash holds, and what the acks add up to at the issuer. */
  readonly digest: string;
  readonly issuerDigest: string;
  readonly digestsEqual: boolean;
  readonly alarms: readonly string[];
}

/** Everything at the end. */
export interface Summary {
  readonly doors: readonly DoorSummary[];
  readonly attempts: { readonly granted: number; readonly refused: number };
  /** What was not as expected, in words; empty when all was. */
  readonly differences: readonly string[];
  readonly ok: boolean;
}

function summarizeDoor(issuer: Issuer, building: Building, name: string): DoorSummary {
  const door = building.doors.get(name);
  if (door === undefined) throw new Error(`summary: no door ${name}`);
  const report = issuer.report(door.id);
  // A new lock from the flash bytes alone: what it mounts is what there is.
  const image = door.virtual.board.image();
  const world = { now: () => 0 };
  const { parts } = new Lock(new VirtualBoard({ image, crypto: node, world, random: (b) => b.fill(0) }));
  const digest = toHex(parts.digest.of(parts.table));
  const failed = report.credentials
    .filter(({ state }) => state === "failed")
    .map(({ who, kind, code }) => ({ who, kind: KIND_NAMES[kind], code: codeName(code ?? 0) }));
  return {
    door: name,
    lock: door.id,
    profile: report.profile,
    link: report.link,
    slots: parts.table.index.used,
    capacity: parts.profile.slots,
    applied: parts.table.applied,
    confirmed: report.counts.confirmed,
    removed: report.counts.removed,
    pending: report.counts.pending,
    unconfirmed: report.counts.unconfirmed,
    failed,
    digest,
    issuerDigest: report.digest,
    digestsEqual: digest === report.digest,
    alarms: report.alarms.map(({ kind, text }) => `${kind}: ${text}`),
  };
}

/** Compares what failed with what was expected to. */
function credentialDifferences(doors: readonly DoorSummary[], expected: readonly Expectation[]): string[] {
  const wanted = expected.filter(({ kind }) => kind === "credential");
  const differences: string[] = [];
  for (const { door, failed, pending, unconfirmed } of doors) {
    for (const { who, kind, code } of failed)
      if (!wanted.some((row) => row.subject === who && row.door === door && row.outcome === code))
        differences.push(`${who}'s ${kind} at ${door} failed with ${code}, which was not expected`);
    if (pending + unconfirmed > 0)
      differences.push(`${door}: ${pending} credentials are pending and ${unconfirmed} unconfirmed`);
  }
  for (const { file, line, subject, door, outcome } of wanted) {
    const failures = doors.find((candidate) => candidate.door === door)?.failed ?? [];
    if (!failures.some(({ who, code }) => who === subject && code === outcome))
      differences.push(`${file}, line ${line}: ${subject} at ${door} was expected to fail with ${outcome}`);
  }
  return differences;
}

function attemptDifferences(record: DayRecord, expected: readonly Expectation[]): string[] {
  const wanted = new Map(
    expected.filter(({ kind }) => kind === "attempt").map(({ subject, outcome }) => [subject, outcome]),
  );
  const differences: string[] = [];
  for (const { step, reason, opened } of record.attempts) {
    const outcome = wanted.get(step.id) ?? "granted";
    if (reason !== outcome)
      differences.push(
        `${step.id}: ${step.who || "a stranger"} at ${step.door}: expected ${outcome}, got ${reason}`,
      );
    if (opened !== (reason === "granted"))
      differences.push(`${step.id}: the lock said ${reason}, but the bolt was ${opened ? "" : "not "}drawn`);
  }
  return differences;
}

function doorDifferences(
  doors: readonly DoorSummary[],
  record: DayRecord,
  expected: readonly Expectation[],
): string[] {
  const wanted = new Set(expected.filter(({ kind }) => kind === "door").map(({ subject }) => subject));
  const differences: string[] = [];
  for (const { door, digestsEqual, alarms } of doors) {
    if (!digestsEqual) differences.push(`${door}: the table digests of lock and issuer differ`);
    for (const alarm of alarms) differences.push(`${door}: alarm: ${alarm}`);
    if (record.unconfirmed.has(door) !== wanted.has(door))
      differences.push(
        wanted.has(door)
          ? `${door} was expected to be unconfirmed after three attempts, and never was`
          : `${door} was unconfirmed after three attempts, which was not expected`,
      );
  }
  return differences;
}

/** The summary of a day. */
export function summarize(
  issuer: Issuer,
  building: Building,
  record: DayRecord,
  expected: readonly Expectation[],
): Summary {
  const doors = [...building.doors.keys()].map((name) => summarizeDoor(issuer, building, name));
  const granted = record.attempts.filter(({ reason }) => reason === "granted").length;
  const differences = [
    ...credentialDifferences(doors, expected),
    ...attemptDifferences(record, expected),
    ...doorDifferences(doors, record, expected),
  ];
  const attempts = { granted, refused: record.attempts.length - granted };
  return { doors, attempts, differences, ok: differences.length === 0 };
}
