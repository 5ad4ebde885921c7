// Judging receipts (rules K1, K3, A47, S2, S11): what a receipt that verifies tells that is new, and what in it cannot be. Receipts come
// late, twice or never; none of that is an alarm. A lock that has gone back, another log than the signed one, and another table are.

import { equal, toHex } from "../wire/bytes";
import { Code, codeName, consumes } from "../wire/codes";
import type { DeltaFields } from "../wire/deltas";
import { Op } from "../wire/deltas";
import type { Receipt } from "../wire/receipt";
import { Trust } from "../wire/receipt";
import type { Log } from "./log";
import type { Table } from "./table";

/** What an alarm is about. */
export type AlarmKind =
  /** The lock's position is below one that it had proven: its flash was put back, or it is another device. */
  | "rolled-back"
  /** The lock applied what this issuer did not sign at that position: the issuer's store may be a restored copy. */
  | "fork"
  /** The lock is in an epoch that nobody here knows of. */
  | "foreign-epoch"
  /** The lock's table is not what its acks add up to. */
  | "divergence"
  /** An ack differs from an earlier one, or is none that a delta can have. */
  | "contradiction"
  /** The lock refused a revocation or a drop. */
  | "not-removed"
  /** The lock is said to have refused a whole new table, which is not sent again: another is to be ordered. */
  | "rebase-refused"
  /** The lock has forgotten answers that never came home, and its table shows that not all of them were "done". */
  | "lost-acks"
  /** Events that the lock gives, or gave, are not those of its signed receipts: some were changed or taken away (rule L9). */
  | "events-changed";

/** Something that a person must look at; it stands until the lock is claimed anew, "rebase-refused" until a rebase is ordered or done. */
export interface Alarm {
  readonly kind: AlarmKind;
  readonly epoch: number;
  /** A position; of "events-changed" the seq of an event. */
  readonly seq: number;
  readonly text: string;
}

/** The latest state of the lock that a receipt told, by the lock's own counters. */
export interface Mark {
  readonly epoch: number;
  readonly applied: number;
  readonly boot: number;
  readonly number: number;
  readonly nextEvent: number;
  /** UTC seconds, 0 where the lock did not know. */
  readonly time: number;
  readonly trust: number;
  readonly bound: number;
  readonly slots: number;
  readonly damaged: number;
  readonly schedules: number;
  readonly density: number;
  /** Codes that were programmed at the keypad, and the lock's digest of them, in hexadecimal (rule C24). */
  readonly localCodes: number;
  readonly localDigest: string;
}

/** What a receipt means for a log. */
export interface Verdict {
  readonly alarms: readonly Alarm[];
  /** Answers that were not known: pairs of seq and code. */
  readonly answers: readonly (readonly [number, number])[];
  /** Whether it tells of a later moment than any before. */
  readonly isLatest: boolean;
  /** Whether its position is one of this log, so that its digest may be compared. */
  readonly isOurs: boolean;
}

/** The part of a receipt that is kept. */
export function markOf(receipt: Receipt): Mark {
  const { epoch, applied, boot, number, nextEvent, time, trust, bound } = receipt;
  const { slots, damaged, schedules, density, localCodes } = receipt;
  const counts = { slots, damaged, schedules, density, localCodes, localDigest: toHex(receipt.localDigest) };
  return { epoch, applied, boot, number, nextEvent, time, trust, bound, ...counts };
}

/**
 * Whether `a` is of a later moment than `b`. The lock's counters decide: events, boots and receipts, of which one that lost power may
 * repeat the last two but never the first. A trusted clock decides where a device was exchanged and its counters are lower.
 */
export function isLater(a: Mark, b: Mark): boolean {
  const clocks = a.trust !== Trust.unknown && b.trust !== Trust.unknown;
  if (clocks && a.time - a.bound > b.time + b.bound) return true;
  if (a.boot < b.boot || a.nextEvent < b.nextEvent) return false;
  return a.boot > b.boot || a.nextEvent > b.nextEvent || a.number > b.number;
}

/** Judges a receipt against the log of its epoch, or of another one. Changes nothing. */
export function judge(log: Log, latest: Mark | undefined, receipt: Receipt): Verdict {
  const mark = markOf(receipt);
  const isLatest = latest === undefined || isLater(mark, latest);
  const { epoch, applied } = mark;
  const alarm = (kind: AlarmKind, seq: number, text: string): Alarm => ({ kind, epoch, seq, text });
  const refused = (...alarms: Alarm[]): Verdict => ({ alarms, answers: [], isLatest, isOurs: false });

  if (epoch > log.epoch)
    return refused(alarm("foreign-epoch", applied, `epoch ${epoch}, where ${log.epoch} was signed for`));
  const alarms: Alarm[] = [];
  const isBehind =
    latest !== undefined && (epoch < latest.epoch || (epoch === latest.epoch && applied < latest.applied));
  if (isBehind && isLatest)
    alarms.push(
      alarm(
        "rolled-back",
        applied,
        `at ${epoch}/${applied}, after it was at ${latest.epoch}/${latest.applied}`,
      ),
    );
  if (epoch < log.epoch) return refused(...alarms);
  const head = log.head(applied);
  if (head === undefined)
    return refused(...alarms, alarm("fork", applied, `position ${applied}, where ${log.signed} are signed`));
  if (!equal(head, receipt.head))
    return refused(...alarms, alarm("fork", applied, `another chain at position ${applied}`));
  const { answers, faults } = readAnswers(log, receipt);
  for (const [seq, text] of faults) alarms.push(alarm("contradiction", seq, text));
  const digest = log.digest(applied);
  if (digest !== undefined && !equal(digest, receipt.digest))
    alarms.push(alarm("divergence", applied, `another table at position ${applied}`));
  return { alarms, answers, isLatest, isOurs: true };
}

function readAnswers(
  log: Log,
  receipt: Receipt,
): { answers: [number, number][]; faults: [number, string][] } {
  const answers: [number, number][] = [];
  const faults: [number, string][] = [];
  receipt.codes.forEach((code, i) => {
    const seq = receipt.first + i;
    const position = log.position(seq);
    if (seq > receipt.applied || position === undefined || !consumes(code))
      faults.push([seq, `${codeName(code)} as the answer to ${seq}, with ${receipt.applied} applied`]);
    else if (position.code === undefined) answers.push([seq, code]);
    else if (position.code !== code && !position.isInferred)
      faults.push([seq, `${codeName(code)} as the answer to ${seq}, after ${codeName(position.code)}`]);
  });
  return { answers, faults };
}

/**
 * Whether the refusal of a delta only shows that an earlier one was refused, whose success it had counted on. `mirror` is the table as
 * the lock found it.
 */
export function isExplained(mirror: Table, { op, entry, id, value }: DeltaFields, code: number): boolean {
  const generation = mirror.slots.get(entry.slot)?.generation ?? 0;
  const holder = mirror.slotOfTag(op === Op.set ? value.subarray(1) : entry.tag);
  switch (code) {
    case Code.staleGeneration:
      return generation !== entry.generation;
    case Code.range:
      return op === Op.drop && generation === 0;
    case Code.duplicate:
      if (op === Op.set) return holder !== undefined;
      return mirror.isMaster(entry.tag) || (holder !== undefined && holder.slot !== entry.slot);
    case Code.scheduleInUse:
      return mirror.usesSchedule(id);
    case Code.capacity:
      return mirror.hasFreeBelow(entry.slot);
    default:
      return false;
  }
}
