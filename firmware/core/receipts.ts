// What a lock signs (rules K1, K2, A47): acks, where its log stands, its clock, the digest of its table, its events, and what it was
// asked to state beside that.

import type { Reader } from "../../protocol/wire/cbor";
import { Writer } from "../../protocol/wire/cbor";
import { Code } from "../../protocol/wire/codes";
import { Domain, signEnvelope } from "../../protocol/wire/cose";
import { addDigest, slotDigest } from "../../protocol/wire/digest";
import { DIGEST_BYTES, MAX_RECEIPT_ACKS } from "../../protocol/wire/limits";
import type { Ask } from "../../protocol/wire/messages";
import { frame, readAsk, resultMessage, Type } from "../../protocol/wire/messages";
import type { About, RangeDigest, Receipt } from "../../protocol/wire/receipt";
import { Feature, writeReceipt } from "../../protocol/wire/receipt";
import type { Authority } from "./authority";
import { densityOf } from "./density";
import { descendants } from "./family";
import { Bucket, type Gate } from "./gate";
import type { Parts } from "./parts";
import type { Session } from "./session";
import { FIRMWARE } from "./version";

/** A receipt without its acks: fixed fields of at most 160 bytes; details take at most 8 bytes an ack. */
const RECEIPT_BYTES = 192;
/** What it was asked to state beside: 14 + 43 + 38 bytes at most. */
const STATED_BYTES = 96;
const DETAIL_BYTES = 8;

/** What a lock states because it was asked to. */
type Stated = Pick<Receipt, "absence" | "range" | "about">;
const NOTHING: Stated = {};

export class Receipts {
  readonly #parts: Parts;
  readonly #authority: Authority;
  readonly #gate: Gate;
  #number = 0;

  constructor(parts: Parts, authority: Authority, gate: Gate) {
    this.#parts = parts;
    this.#authority = authority;
    this.#gate = gate;
  }

  /** Answers an ask. Anybody may ask and a signature costs much, so it goes through the gate (rule X5). */
  ask(session: Session, request: number, reader: Reader): Uint8Array {
    const ask = readAsk(reader);
    if (ask === undefined) return resultMessage(request, Code.malformed);
    if (!this.#authority.claimed) return resultMessage(request, Code.unclaimed);
    if (!this.#gate.enter(session, Bucket.ask, this.#parts.clock.uptime()))
      return resultMessage(request, Code.rateLimited);
    // What is no longer kept takes no place from what is.
    const first = Math.max(ask.first, this.#parts.table.acks.first);
    return this.message(request, first, MAX_RECEIPT_ACKS, this.state(ask));
  }

  private state({ user, from, to, about }: Ask): Stated {
    return {
      absence: user > 0 ? { user, slots: this.slotsBelow(user) } : undefined,
      range: to > 0 ? this.range(from, to) : undefined,
      about: about ? this.about() : undefined,
    };
  }

  /** How many slots a user and everyone below have (rule K7). */
  private slotsBelow(user: number): number {
    const { table, profile } = this.#parts;
    return descendants(table, user, new Uint8Array(Math.ceil(profile.slots / 8)));
  }

  /** The sum over some slots as they stand in the table digest (rule K6). */
  private range(from: number, to: number): RangeDigest {
    const { table, profile, board } = this.#parts;
    const digest = new Uint8Array(DIGEST_BYTES);
    const end = Math.min(to, profile.slots);
    for (let slot = from; slot < end; slot++)
      if (table.load(slot) === "ok") addDigest(digest, slotDigest(board.crypto, table.loadedBytes()));
    return { from, to, digest };
  }

  /** What this lock is (rule P4). */
  private about(): About {
    const { profile, board } = this.#parts;
    let features = 0;
    if (profile.reader) features |= Feature.reader;
    if (board.door !== undefined) features |= Feature.doorSensor;
    if (board.clock.held !== undefined) features |= Feature.heldClock;
    if (profile.network) features |= Feature.network;
    return { profile: profile.id, firmware: FIRMWARE, features };
  }

  /** A whole receipt message with the acks from `first` on, as far as they are kept and at most `most`. */
  message(request: number, first: number, most: number, stated: Stated = NOTHING): Uint8Array {
    const { table, board, clock, events, digest, locals } = this.#parts;
    const from = Math.max(first, table.acks.first);
    const count = Math.max(0, Math.min(first + most - 1, table.applied, table.acks.last) - from + 1);
    const codes = new Uint8Array(count);
    const details: number[] = [];
    for (let i = 0; i < count; i++) {
      codes[i] = table.acks.code(from + i);
      const detail = table.acks.detail(from + i);
      if (detail > 0) details.push(i, detail);
    }
    const instant = clock.read();
    const room = RECEIPT_BYTES + STATED_BYTES + count + details.length * DETAIL_BYTES;
    const writer = new Writer(new Uint8Array(room));
    writeReceipt(writer, {
      lock: board.identity.lock,
      epoch: this.#authority.epoch,
      applied: table.applied,
      head: table.head,
      first: from,
      codes,
      details,
      number: ++this.#number,
      boot: events.boot,
      time: instant.now,
      trust: instant.trust,
      bound: instant.bound,
      digest: digest.of(table),
      slots: table.index.used,
      damaged: table.index.damaged,
      schedules: table.schedules,
      density: densityOf(this.#parts),
      localCodes: locals.count,
      localDigest: locals.digest(board.crypto),
      nextEvent: events.next,
      eventHead: events.head(),
      ...stated,
    });
    const { lock, seed } = board.identity;
    return frame(
      Type.receipt,
      request,
      signEnvelope(board.crypto, Domain.receipt, lock, writer.view(), seed),
    );
  }
}
