// Who would be let in, offline (rules I3, T17): a virtual lock gets the table of a work list as a whole new table, and its very core decides.
// Credentials are made up for it, one for each slot: neither the list nor this knows a PIN.

import { randomFillSync } from "node:crypto";
import type { Instant } from "../../firmware/core/clock";
import { PROFILES } from "../../firmware/core/profile";
import { credentialTag } from "../../protocol/crypto/derive";
import type { DoorTable } from "../../protocol/issuer/door-table";
import { type SigningKey, signingKey, signRebase } from "../../protocol/issuer/encode";
import type { LockRecord } from "../../protocol/issuer/facts";
import { partPrint, partsOf } from "../../protocol/issuer/rebase";
import { Table } from "../../protocol/issuer/table";
import { REBASE_BASE } from "../../protocol/issuer/whole-table";
import { ascii, putU32 } from "../../protocol/wire/bytes";
import { Reader } from "../../protocol/wire/cbor";
import { Code, CodeClass, codeClass, codeName } from "../../protocol/wire/codes";
import { Kind } from "../../protocol/wire/entry";
import { MAX_MESSAGE_BYTES, MAX_PIN_DIGITS, PUBLIC_KEY_BYTES } from "../../protocol/wire/limits";
import {
  frame,
  helloBody,
  MAX_REQUEST_ID,
  partBody,
  readFrame,
  readResult,
  Type,
} from "../../protocol/wire/messages";
import { Trust } from "../../protocol/wire/receipt";
import { node } from "../../simulator/board/crypto";
import { VirtualLock } from "../../simulator/fleet/virtual-lock";
import { provisionLock } from "../provisioning";
import { type Answer, answerOf } from "../ui/explanation";
import { Failure } from "../ui/failure";

/** The epoch of the whole new table, above that of the claim. */
const EPOCH = 2;
/** A virtual lock makes room while it is asked again. */
const MAX_TRIES = 100;
const CARD_BYTES = 4;
const SITE = "what-if";

/** A lock that has the table, and nobody at its door. */
export class TableLock {
  readonly #virtual: VirtualLock;
  readonly #record: LockRecord;
  readonly #kinds = new Map<number, number>();
  #request = 0;

  /**
   * Makes the lock with this id. Its issuer was heard last at `issuedAt`, UTC seconds, which leases count from. Throws a {@link Failure}
   * for a table that no lock takes.
   */
  constructor(lock: Uint8Array, { profile, items }: DoorTable, issuedAt: number) {
    const random = (buffer: Uint8Array): void => void randomFillSync(buffer);
    const fresh = (): SigningKey => {
      const seed = new Uint8Array(32);
      random(seed);
      return signingKey(node, seed);
    };
    const [maker, owner] = [fresh(), fresh()];
    const number = PROFILES.find(({ name }) => name === profile)!.id;
    const made = { profile: number, maker, owner: owner.publicKey, site: SITE, random, lock };
    const { image, record } = provisionLock(made);
    this.#record = record;
    this.#virtual = new VirtualLock({ image, crypto: node, world: { now: () => issuedAt }, random });
    this.#say(Type.hello, helloBody(MAX_MESSAGE_BYTES));
    this.#say(Type.claim, record.ticket);
    const parts = partsOf(this.#tableOf(items));
    const prints = parts.map((part) => partPrint(node, part));
    const order = { lock, epoch: EPOCH, issuedAt, base: REBASE_BASE };
    this.#say(Type.rebase, signRebase(node, owner, order, prints));
    parts.forEach((part, i) => void this.#say(Type.part, partBody(i + 1, part)));
  }

  /** The table, with the tags of made-up credentials. */
  #tableOf(items: readonly Uint8Array[]): Table {
    const table = new Table();
    try {
      for (const item of items) table.add(item);
    } catch (error) {
      throw new Failure(`work list: ${String(error)}`, "fetch it from the office again");
    }
    const { pinKey } = this.#record.keys;
    for (const [number, slot] of table.slots) {
      this.#kinds.set(number, slot.kind);
      const tag = credentialTag(node, pinKey, slot.kind, credentialFor(slot.kind, number));
      table.slots.set(number, { ...slot, tag });
    }
    return table;
  }

  #say(type: number, body: Uint8Array): void {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      this.#request = (this.#request + 1) & MAX_REQUEST_ID;
      const reader = new Reader(this.#virtual.receive(frame(type, this.#request, body)));
      if (readFrame(reader)?.type !== Type.result) return;
      const code = readResult(reader)?.code ?? Code.malformed;
      if (codeClass(code) === CodeClass.done) return;
      if (codeClass(code) !== CodeClass.later)
        throw new Failure(
          `work list: no table that a lock takes: ${codeName(code)}`,
          "fetch it from the office again",
        );
    }
    throw new Failure("work list: its table does not fit into a lock", "fetch it from the office again");
  }

  get lock(): VirtualLock["lock"] {
    return this.#virtual.lock;
  }

  /** Whether the credential of a slot would open the door at an instant, UTC seconds, by a clock that is right, and what comes next. */
  ask(slot: number, at: number): Answer {
    const clock: Instant = { trust: Trust.set, now: at, bound: 0 };
    const kind = this.#kinds.get(slot) ?? Kind.pin;
    const why = this.lock.why(kind, credentialFor(kind, slot), clock);
    return answerOf(this.lock, at, clock, why, undefined);
  }
}

/** A credential for a slot, another for each. */
function credentialFor(kind: number, slot: number): Uint8Array {
  if (kind === Kind.pin) return ascii(String(slot).padStart(MAX_PIN_DIGITS, "0"));
  const value = new Uint8Array(kind === Kind.phone ? PUBLIC_KEY_BYTES : CARD_BYTES);
  putU32(value, 0, slot);
  return value;
}
