// A whole table as the parts of a rebase (rule S9): the items of the table digest, settings and schedules by their numbers and then slots
// by ascending tag, which shows a lock that no tag comes twice. Each part is a CBOR array of items that fits into one message. And what became
// of it where the lock gives it up.

import type { Mail } from "../courier/courier";
import type { Crypto } from "../crypto/port";
import { equal, putU32, toHex } from "../wire/bytes";
import { encode } from "../wire/cborx";
import { CodeClass, codeClass, codeName } from "../wire/codes";
import { Item } from "../wire/digest";
import { ENTRY_BYTES, packEntry } from "../wire/entry";
import { MAX_PART_BYTES, PART_PRINT_BYTES } from "../wire/limits";
import { partBody, Type } from "../wire/messages";
import type { BoundLock, Rebase } from "./account";
import type { Ledger } from "./ledger";
import type { Alarm } from "./receipts";
import type { Slot, Table } from "./table";
import { REBASE_BASE } from "./whole-table";

/** The head of an array of at most 255 items, and that of a byte string of at most 255 bytes. */
const HEAD_BYTES = 2;

function slotItem(slot: Slot): Uint8Array {
  const item = new Uint8Array(1 + ENTRY_BYTES);
  item[0] = Item.slot;
  packEntry(slot, item, 1);
  return item;
}

function scheduleItem(id: number, windows: readonly number[]): Uint8Array {
  const item = new Uint8Array(2 + 4 * windows.length);
  item[0] = Item.schedule;
  item[1] = id;
  windows.forEach((window, i) => {
    putU32(item, 2 + 4 * i, window);
  });
  return item;
}

const byNumber = ([a]: [number, unknown], [b]: [number, unknown]): number => a - b;

/** The items of a table, in the order in which a rebase brings them. */
export function itemsOf({ slots, schedules, settings }: Table): Uint8Array[] {
  const byTag = Array.from(slots.values(), (slot): [string, Slot] => [toHex(slot.tag), slot]);
  byTag.sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...[...settings].sort(byNumber).map(([id, value]) => Uint8Array.of(Item.setting, id, ...value)),
    ...[...schedules].sort(byNumber).map(([id, windows]) => scheduleItem(id, windows)),
    ...byTag.map(([, slot]) => slotItem(slot)),
  ];
}

/** The parts of a table, each of at most 2,000 bytes; none for an empty one. */
export function partsOf(table: Table): Uint8Array[] {
  const parts: Uint8Array[][] = [];
  let room = 0;
  for (const item of itemsOf(table)) {
    const bytes = HEAD_BYTES + item.length;
    if (bytes > room) {
      parts.push([]);
      room = MAX_PART_BYTES - HEAD_BYTES;
    }
    parts[parts.length - 1].push(item);
    room -= bytes;
  }
  return parts.map((items) => encode(items));
}

/** The mail that brings a whole new table: the order, and the parts from the first one on. */
export function rebaseMail({ order, parts }: Rebase): Mail[] {
  const bodies = parts.map((part, i): Mail => ({ type: Type.part, body: partBody(i + 1, part) }));
  return [{ type: Type.rebase, body: order }, ...bodies];
}

/** Whether a refusal of a piece of mail says that the lock gives up the last whole new table, and nobody has said so before. */
export function isGivenUp({ rebase, ledger }: BoundLock, { type, body }: Mail, code: number): boolean {
  if (rebase === undefined || rebase.refusal !== undefined || codeClass(code) !== CodeClass.refused)
    return false;
  const isOf = (piece: Mail) => piece.type === type && equal(piece.body, body);
  return isUnderWay(rebase, ledger) && rebaseMail(rebase).some(isOf);
}

/** The alarm that a whole new table was refused; undefined where it was not, or the lock has it all the same. */
export function refusedRebase({ rebase, ledger }: BoundLock): Alarm | undefined {
  if (rebase?.refusal === undefined || !isUnderWay(rebase, ledger)) return undefined;
  const text = `${codeName(rebase.refusal)} as the answer to a whole new table`;
  return { kind: "rebase-refused", epoch: rebase.epoch, seq: REBASE_BASE, text };
}

/** Whether a whole new table is the last that was signed, and no receipt has come from behind it. */
const isUnderWay = ({ epoch }: Rebase, { log }: Ledger): boolean => epoch === log.epoch && !log.isBegun;

/** What a rebase order says of a part: SHA-256, cut to 16 bytes. */
export function partPrint(crypto: Crypto, part: Uint8Array): Uint8Array {
  return crypto.sha256(part).slice(0, PART_PRINT_BYTES);
}
