// Where a door of a work list stands (rules A49, I4, K1), by what came home from it: a receipt counts only if the lock signed it, and gets its
// green tick only where position, chain head and table digest are those that the office expects there.

import type { Prospect } from "../../protocol/issuer/log";
import { openReceipt } from "../../protocol/issuer/mail";
import type { Change } from "../../protocol/issuer/outlook";
import { equal } from "../../protocol/wire/bytes";
import { CodeClass, codeClass } from "../../protocol/wire/codes";
import type { Receipt } from "../../protocol/wire/receipt";
import { node } from "../../simulator/board/crypto";
import { goalOf, isReported, type WorkDoor, type WorkList } from "../worklist/work-list";
import type { LatestWord } from "./events";

/** A change and the lock's answer to it. */
export interface Answer extends Change {
  /** Undefined while there is none. */
  readonly code: number | undefined;
  /** UTC seconds at which the answer was given, by the lock's clock, or by the courier's where the lock had none; 0 without an answer. */
  readonly time: number;
  /** Whether the office has it. */
  readonly isReported: boolean;
}

/** What the lock's last good receipt says of it. */
export interface Latest extends LatestWord {
  readonly receipt: Receipt;
}

/** Where a door stands. */
export interface Standing {
  readonly answers: readonly Answer[];
  readonly answered: number;
  readonly refused: readonly Answer[];
  /** Undefined before the first good receipt. */
  readonly latest: Latest | undefined;
  /** Why receipts are not the lock's own; these count for nothing. */
  readonly bad: readonly string[];
  /** Whether a visit has brought everything that the list has. */
  readonly isVisited: boolean;
}

/** Whether a code says that a delta is done. */
export const isDone = (code: number): boolean => codeClass(code) === CodeClass.done;

function expectedAt({ from, changes }: WorkDoor, seq: number): Prospect | undefined {
  return seq === from.seq ? from : changes[seq - from.seq - 1];
}

/** What a receipt of the lock says of where it stands. */
export function judge(door: WorkDoor, { epoch, applied, head, digest }: Receipt): Latest["is"] {
  const goal = goalOf(door);
  if (epoch === door.epoch && applied > goal.seq) return "ahead";
  const expected = epoch === door.epoch ? expectedAt(door, applied) : undefined;
  // A lock that still has to get a whole new table is in another log until then.
  if (expected === undefined) return epoch < door.epoch && door.isNewTable ? "on-the-way" : "other-log";
  if (!equal(head, expected.head)) return "other-log";
  if (!equal(digest, expected.digest)) return "other-table";
  return applied === goal.seq ? "expected" : "on-the-way";
}

/** Where a door of a list stands. */
export function standingOf(list: WorkList, door: WorkDoor): Standing {
  const answers = new Map<number, { code: number; time: number; isReported: boolean }>();
  const bad: string[] = [];
  let latest: Latest | undefined;
  let isVisited = false;
  for (const each of door.home) {
    if (each.kind === "visit") isVisited = each.end.outcome === "done";
    if (each.kind !== "receipt") continue;
    const opened = openReceipt(node, door, each.message);
    if (typeof opened === "string") {
      bad.push(opened);
      continue;
    }
    const { receipt } = opened;
    const { epoch, applied, first, codes } = receipt;
    const is = judge(door, receipt);
    const [time, clock] =
      receipt.time > 0 ? ([receipt.time, "lock"] as const) : ([each.at, "courier"] as const);
    latest = { epoch, seq: applied, time, clock, is, receipt };
    if (is === "other-log" || epoch !== door.epoch) continue;
    codes.forEach((code, i) => {
      const isHad = isReported(list, each) || answers.get(first + i)?.isReported === true;
      if (first + i <= applied) answers.set(first + i, { code, time, isReported: isHad });
    });
  }
  const none = { code: undefined, time: 0, isReported: false };
  const all = door.changes.map((change): Answer => ({ ...change, ...(answers.get(change.seq) ?? none) }));
  const refused = all.filter(({ code }) => code !== undefined && !isDone(code));
  const answered = all.filter(({ code }) => code !== undefined).length;
  return { answers: all, answered, refused, latest, bad, isVisited };
}
