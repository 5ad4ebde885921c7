// The office's end of a work list: writes what is to be done at doors, and takes what came home from them.

import { randomInt } from "node:crypto";
import type { Issuer, Received, TakenPage } from "../../protocol/issuer/issuer";
import { emptyBag, fillBag } from "../../protocol/issuer/mailbox";
import type { Alarm } from "../../protocol/issuer/receipts";
import { fromHex, toHex } from "../../protocol/wire/bytes";
import { codeName, codeRow } from "../../protocol/wire/codes";
import { MAX_REQUEST_ID } from "../../protocol/wire/messages";
import { wallClock } from "../office/office";
import { lockOf } from "../office/works";
import { Failure } from "../ui/failure";
import { factsOf } from "./door-facts";
import { isReported, type WorkDoor, type WorkList } from "./work-list";

/** Signs all that is wanted of a door's lock; what is to be done there. */
export async function workAtDoor(issuer: Issuer, door: string): Promise<WorkDoor> {
  const lock = lockOf(issuer, door);
  const { publicKey, keys } = issuer.directory.door(door).lock!;
  const delivery = { issuer, lock, now: wallClock, firstRequest: randomInt(1, MAX_REQUEST_ID) };
  const bag = await fillBag(delivery);
  // Behind the bag, since that is what signs.
  const outlook = issuer.outlook(lock);
  const facts = factsOf(issuer, lock);
  return { door, lock: fromHex(lock), publicKey, linkKey: keys.linkKey, ...outlook, facts, bag, home: [] };
}

/** A change that the lock refused. */
export interface Failed {
  readonly seq: number;
  readonly item: string;
  /** In the words of the work list; null where it does not have it. */
  readonly change: string | null;
  readonly code: string;
  /** What the code says. */
  readonly text: string;
}

/** What became of what came home from one door. */
export interface Handed {
  readonly door: string;
  readonly lock: string;
  readonly receipts: number;
  /** Why receipts and pages were not taken. */
  readonly refused: readonly string[];
  readonly confirmed: number;
  readonly failed: readonly Failed[];
  readonly alarms: readonly string[];
  readonly events: number;
}

/** Hands in what came home from a door of a list. Twice changes nothing. */
export async function handIn(issuer: Issuer, list: WorkList, work: WorkDoor): Promise<Handed> {
  const { door, bag, home } = work;
  const lock = toHex(work.lock);
  if (!issuer.locks.includes(lock))
    throw new Failure(
      `door ${door}: lock ${lock} is none of this account`,
      "hand it in at the office that wrote the list",
    );
  const refused: string[] = [];
  const failed: Failed[] = [];
  const alarms: string[] = [];
  let confirmed = 0;
  let events = 0;
  const alarm = ({ kind, text }: Alarm): void => void alarms.push(`${kind}: ${text}`);
  const onReceipt = (received: Received): void => {
    if (received.refused !== undefined) return void refused.push(received.refused);
    for (const { seq, item, code, state } of received.outcomes)
      if (state === "confirmed") confirmed++;
      else {
        const change = work.changes.find((each) => each.seq === seq)?.text ?? null;
        const name = codeName(code);
        failed.push({ seq, item, change, code: name, text: codeRow(code)?.text ?? name });
      }
    received.alarms.forEach(alarm);
  };
  const onPage = (taken: TakenPage): void => {
    if (taken.refused !== undefined) return void refused.push(`page: ${taken.refused}`);
    events += taken.events;
    taken.alarms.forEach(alarm);
  };
  await emptyBag({ issuer, lock, onReceipt, onPage }, bag);
  for (const each of home.filter((one) => !isReported(list, one))) {
    if (each.kind === "visit" && each.end.outcome === "silent") await issuer.attemptFailed(lock);
    const piece = each.kind === "refused" ? bag.mail[each.mail] : undefined;
    if (each.kind !== "refused" || piece === undefined) continue;
    const raised = await issuer.refused(lock, piece, each.code);
    if (raised !== undefined) alarm(raised);
  }
  return { door, lock, receipts: bag.receipts.length, refused, confirmed, failed, alarms, events };
}
