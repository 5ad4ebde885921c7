// The audit of a lock's table (rule K6): where its digest is not what its acks add up to, the slots in which it differs are found by
// halving. A lock tells sums over ranges of slots and nothing of what is in them; that nothing moved meanwhile its receipts show.

import type { Crypto } from "../crypto/port";
import { equal } from "../wire/bytes";
import { addDigest, slotDigest, subtractDigest } from "../wire/digest";
import { ENTRY_BYTES, packEntry } from "../wire/entry";
import { DIGEST_BYTES } from "../wire/limits";
import { askBody } from "../wire/messages";
import type { Receipt } from "../wire/receipt";
import type { BoundLock } from "./account";
import { userIdAt } from "./directory";
import { openReceipt } from "./mail";
import type { Slot, Table } from "./table";
import { MODELS } from "./whole-table";

/** What an audit found. */
export type Audit =
  | {
      readonly isDone: true;
      /** The slots in which the lock's table is another, ascending. */
      readonly slots: readonly number[];
      /** Whether its schedules and settings are others. */
      readonly rest: boolean;
      readonly questions: number;
    }
  /** No answer, or one that is of another position or not to the question: the lock is to be synced first. */
  | { readonly isDone: false; readonly questions: number };

/** A receipt at the position of the own table, with the digest of slots `from` to before `to`; undefined where there is none. */
export type AskRange = (from: number, to: number) => Promise<Receipt | undefined>;

/** A run of leaves, `to` excluded, whose sum at the lock is known. */
interface Run {
  readonly from: number;
  readonly to: number;
  readonly sum: Uint8Array;
}

/** What ends an audit without a finding. */
class NoAnswer {}

class Search {
  questions = 0;
  readonly #own: readonly Uint8Array[];
  readonly #ask: AskRange;
  /** The lock's whole digest, known from its first answer on. */
  total: Uint8Array | undefined;

  constructor(own: readonly Uint8Array[], ask: AskRange) {
    this.#own = own;
    this.#ask = ask;
  }

  /** The lock's sum over a range of slots. */
  async sum(from: number, to: number): Promise<Uint8Array> {
    this.questions++;
    const receipt = await this.#ask(from, to);
    const { range, digest } = receipt ?? {};
    if (range === undefined || digest === undefined || range.from !== from || range.to !== to)
      throw new NoAnswer();
    this.total ??= digest.slice();
    if (!equal(this.total, digest)) throw new NoAnswer();
    return range.digest.slice();
  }

  /** Whether the lock's sum over a run is the own one. */
  agrees({ from, to, sum }: Run): boolean {
    const own = new Uint8Array(DIGEST_BYTES);
    for (const leaf of this.#own.slice(from, to)) addDigest(own, leaf);
    return equal(own, sum);
  }

  /** The two halves of a run of which the left one is asked for; the right one is what is left. */
  async halves({ from, to, sum }: Run): Promise<[Run, Run]> {
    const middle = (from + to) >> 1;
    const left = await this.sum(from, middle);
    const right = sum.slice();
    subtractDigest(right, left);
    return [
      { from, to: middle, sum: left },
      { from: middle, to, sum: right },
    ];
  }

  /** The leaves of a run that differ. */
  async *differing(run: Run): AsyncGenerator<number, void, void> {
    if (this.agrees(run)) return;
    if (run.to - run.from === 1) {
      yield run.from;
      return;
    }
    for (const half of await this.halves(run)) yield* this.differing(half);
  }
}

/**
 * Compares a lock's table of `slots` slots with the own one. Leaves of the search are the slots and, as one more, all that is no slot: so
 * one slot of 1,000 is found with 10 questions, whatever it is.
 */
export async function findDiverged(crypto: Crypto, own: Table, slots: number, ask: AskRange): Promise<Audit> {
  const leaves = Array.from({ length: slots }, (_, slot) => leafOf(crypto, own.slots.get(slot)));
  const rest = own.sum.slice();
  for (const leaf of leaves) subtractDigest(rest, leaf);
  const search = new Search([...leaves, rest], ask);
  try {
    const middle = (slots + 1) >> 1;
    const left = await search.sum(0, middle);
    const right = (search.total ?? left).slice();
    subtractDigest(right, left);
    const found: number[] = [];
    for (const run of [
      { from: 0, to: middle, sum: left },
      { from: middle, to: slots + 1, sum: right },
    ])
      for await (const leaf of search.differing(run)) found.push(leaf);
    const diverged = found.filter((leaf) => leaf < slots);
    return { isDone: true, slots: diverged, rest: found.includes(slots), questions: search.questions };
  } catch (thrown) {
    if (thrown instanceof NoAnswer) return { isDone: false, questions: search.questions };
    throw thrown;
  }
}

function leafOf(crypto: Crypto, slot: Slot | undefined): Uint8Array {
  if (slot === undefined) return new Uint8Array(DIGEST_BYTES);
  const entry = new Uint8Array(ENTRY_BYTES);
  packEntry(slot, entry, 0);
  return slotDigest(crypto, entry);
}

/** Audits a door's lock, over whatever brings questions there and answers back; see {@link findDiverged}. */
export function auditLock(
  crypto: Crypto,
  { ledger, record, door }: BoundLock,
  ask: (body: Uint8Array) => Promise<Uint8Array | undefined>,
): Promise<Audit> {
  const { log } = ledger;
  const { slots } = MODELS[door.row.profile];
  return findDiverged(crypto, log.mirror, slots, async (from, to) => {
    const answer = await ask(askBody({ first: Math.max(log.acknowledged, 1), from, to }));
    const opened = answer === undefined ? "malformed" : openReceipt(crypto, record, answer);
    if (typeof opened === "string") return undefined;
    const { epoch, applied } = opened.receipt;
    return epoch === log.epoch && applied === log.acknowledged ? opened.receipt : undefined;
  });
}

/** A question to a lock whether a user, or anyone below, has a slot (rule K7). */
export interface AbsenceQuestion {
  /** The person's user id at that lock. */
  readonly user: number;
  /** The body of an ask. */
  readonly body: Uint8Array;
}

/** The question about a person; undefined for one who never had an id there. */
export function absenceQuestion({ door, ledger }: BoundLock, person: string): AbsenceQuestion | undefined {
  const user = userIdAt(door, person);
  if (user === undefined) return undefined;
  return { user, body: askBody({ first: Math.max(ledger.log.acknowledged, 1), user }) };
}
