// A rebase at the lock (rules S9, S4, S11): the owner's root orders a whole new table, and its parts follow, each bound to the order by
// its print. They are staged beside the table that stands, which goes on deciding and taking bundles until the last part swaps them.
// What is open is forgotten by a boot: then the order comes again, and what is staged already is not written twice. Epochs only rise.

import { equal } from "../../protocol/wire/bytes";
import type { Reader } from "../../protocol/wire/cbor";
import { Code, CodeClass, codeClass } from "../../protocol/wire/codes";
import type { Envelope } from "../../protocol/wire/cose";
import { Domain } from "../../protocol/wire/cose";
import { PART_PRINT_BYTES } from "../../protocol/wire/limits";
import { readPart, resultMessage } from "../../protocol/wire/messages";
import type { RebaseOrder } from "../../protocol/wire/payloads";
import { readRebase } from "../../protocol/wire/payloads";
import type { Desk } from "./desk";
import { Bucket } from "./envelopes";
import { RebaseItems } from "./rebase-items";
import { Secrets } from "./secrets";
import type { Session } from "./session";
import { EventKind } from "./storage/events";
import { State } from "./storage/places";
import { ORDER_PRINT_BYTES, type Order } from "./storage/rebase";

/** A rebase whose parts are awaited. */
interface Open {
  readonly order: Order;
  readonly issuedAt: number;
  /** 16 bytes for each part. */
  readonly prints: Uint8Array;
  /** What has come of the table: made only now, since a lock is rebased once in years. */
  readonly items: RebaseItems;
  /** The number of the part that is wanted. */
  next: number;
}

const countOf = ({ prints }: Open): number => prints.length / PART_PRINT_BYTES;

export class RebaseIntake {
  readonly #desk: Desk;
  #open: Open | undefined;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  // ---- the order

  /** Answers an order: with the number of the part that is wanted next, or, where there are none, with a receipt of the new table. */
  order(session: Session, request: number, reader: Reader): Uint8Array {
    const envelope = this.#desk.envelopes.read(reader);
    const rebase = envelope && readRebase(this.#desk.envelopes.payload);
    if (envelope === undefined || rebase === undefined) return resultMessage(request, Code.malformed);
    const order = this.orderOf(envelope, rebase);
    const code = this.check(session, envelope, rebase.lock, order);
    if (code !== Code.applied) return resultMessage(request, code);
    if (!this.begin(order, rebase)) return resultMessage(request, this.#desk.parts.table.refusal);
    const open = this.#open as Open;
    return countOf(open) === 0 ? this.swap(request, open) : resultMessage(request, Code.applied, open.next);
  }

  private orderOf({ payload }: Envelope, { epoch, base }: RebaseOrder): Order {
    const print = this.#desk.parts.board.crypto.sha256(payload).slice(0, ORDER_PRINT_BYTES);
    return { epoch, base, print };
  }

  private check(session: Session, envelope: Envelope, lock: Uint8Array, order: Order): number {
    const { table } = this.#desk.parts;
    if (!this.#desk.envelopes.isForUs(lock)) return Code.wrongLock;
    const { claimed, epoch, owner } = this.#desk.authority;
    if (!claimed) return Code.unclaimed;
    if (order.epoch === epoch && table.rebase.isDone(order)) return Code.alreadyApplied;
    // Nor from an order that a later one has taken the place of.
    if (order.epoch <= epoch || order.epoch < table.rebase.pending) return Code.staleEpoch;
    // Where nobody knows any more which epoch the lock was in, an old order must not pass for a new one.
    if (table.hasLostState(State.rebase)) return Code.storageFailed;
    return this.#desk.envelopes.verify(session, Bucket.mail, envelope, Domain.rebase, owner);
  }

  private begin(order: Order, { issuedAt, prints }: RebaseOrder): boolean {
    const { table } = this.#desk.parts;
    table.maintain();
    const goesOn =
      this.#open !== undefined && equal(this.#open.order.print, order.print) && !table.rebase.isSpoilt;
    if (goesOn) return true;
    this.#open = undefined;
    if (!table.rebase.begin(order)) return false;
    const { parts, authority } = this.#desk;
    const items = new RebaseItems(parts, new Secrets(parts, authority), order.base);
    this.#open = { order, issuedAt, prints, items, next: 1 };
    return true;
  }

  // ---- its parts

  /** Answers a part: with the number of the next one, the last with a receipt of the new table. */
  part(request: number, reader: Reader): Uint8Array {
    const part = readPart(reader);
    if (part === undefined) return resultMessage(request, Code.malformed);
    const open = this.#open;
    if (open === undefined || !this.#desk.authority.claimed) return resultMessage(request, Code.badState);
    if (part.number < open.next) return resultMessage(request, Code.alreadyApplied, open.next);
    if (part.number > open.next) return resultMessage(request, Code.gap, open.next);
    if (!this.isListed(open, part.number, part.bytes)) return resultMessage(request, Code.badSignature);
    this.#desk.parts.table.maintain();
    const code = open.items.take(part.bytes);
    if (code !== Code.applied) return this.failed(request, code);
    // The last one swaps; where that fails, it may come again.
    if (part.number === countOf(open)) return this.swap(request, open);
    open.items.keep();
    open.next++;
    return resultMessage(request, Code.applied, open.next);
  }

  /** Whether these bytes are part `number` of the order. */
  private isListed({ prints }: Open, number: number, bytes: Uint8Array): boolean {
    const at = (number - 1) * PART_PRINT_BYTES;
    const print = this.#desk.parts.board.crypto.sha256(bytes).subarray(0, PART_PRINT_BYTES);
    return equal(prints.subarray(at, at + PART_PRINT_BYTES), print);
  }

  /** What is wrong with the table that was ordered will not get better: it is given up. A fault of the flash may. */
  private failed(request: number, code: number): Uint8Array {
    const isWrong = codeClass(code) === CodeClass.refused && code !== Code.storageFailed;
    if (isWrong) this.#desk.parts.table.rebase.giveUp();
    // In a bad state something of what is staged is lost: the order begins anew.
    if (isWrong || code === Code.badState) this.#open = undefined;
    return resultMessage(request, code);
  }

  // ---- the swap

  private swap(request: number, open: Open): Uint8Array {
    const { table, policy, locals, board } = this.#desk.parts;
    const { items } = open;
    const code = items.check();
    if (code !== Code.applied) return this.failed(request, code);
    let isUnique = true;
    const isDone = table.rebase.commit((slot) => {
      isUnique = items.isUnique(slot);
      return isUnique;
    });
    if (!isDone) return this.failed(request, isUnique ? items.refusal : Code.duplicate);
    this.#open = undefined;
    this.#desk.authority.epoch = open.order.epoch;
    table.startEpoch(board.crypto, board.identity.lock, open.order.epoch);
    policy.read(table);
    locals.restore();
    this.#desk.diary.note(EventKind.rebased, open.order.epoch);
    this.#desk.heartbeats.bundle(open.issuedAt, true);
    return this.#desk.receipts.message(request, table.applied + 1, 0);
  }
}
