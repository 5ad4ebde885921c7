// The state of an issuer as the sum of its facts: directory and ledgers. Deterministic, without randomness, clock or signing; the journal
// replayed gives exactly the state that there was.

import type { Crypto } from "../crypto/port";
import { ascii, toHex } from "../wire/bytes";
import { Reader } from "../wire/cbor";
import { readEnvelope } from "../wire/cose";
import { Setting } from "../wire/deltas";
import type { Receipt } from "../wire/messages";
import { readReceipt } from "../wire/messages";
import type { Door } from "./directory";
import { Directory } from "./directory";
import type { SigningKey } from "./encode";
import { signingKey } from "./encode";
import type { Fact, LockRecord } from "./facts";
import type { Outcome } from "./ledger";
import { Ledger } from "./ledger";
import type { DoorRow } from "./rows";
import type { OffsetOf } from "./zone";

/** Who signs. */
export interface Signers {
  readonly site: string;
  /** The owner's root: keysets, and nothing else. */
  readonly owner: SigningKey;
  /** The issuer's key: bundles and time. */
  readonly issuer: SigningKey;
}

/** A door's lock and its ledger. */
export interface BoundLock {
  readonly door: Door;
  readonly record: LockRecord;
  readonly ledger: Ledger;
}

/** The receipt in an envelope; undefined for anything else. Looks at no signature. */
export function receiptOf(envelope: Uint8Array): Receipt | undefined {
  const read = readEnvelope(new Reader(envelope), envelope.length);
  return read === undefined ? undefined : readReceipt(new Reader(read.payload));
}

export class Account {
  signers: Signers | undefined;
  readonly directory = new Directory();
  /** By lock id in hexadecimal. */
  readonly locks = new Map<string, BoundLock>();
  readonly #crypto: Crypto;
  readonly #offsetOf: OffsetOf;

  constructor(crypto: Crypto, offsetOf: OffsetOf) {
    this.#crypto = crypto;
    this.#offsetOf = offsetOf;
  }

  /** The lock with this id. Throws RangeError where there is none. */
  lock(id: string): BoundLock {
    const bound = this.locks.get(id);
    if (bound === undefined) throw new RangeError(`lock ${id}: no door has it`);
    return bound;
  }

  /** Takes one fact; tells the positions that it answered. */
  apply(fact: Fact): Outcome[] {
    const { directory } = this;
    switch (fact.t) {
      case "account": {
        const owner = signingKey(this.#crypto, fact.owner);
        this.signers = { site: fact.site, owner, issuer: signingKey(this.#crypto, fact.issuer) };
        break;
      }
      case "door":
        this.#setDoor(fact.row);
        break;
      case "lock":
        this.#bind(directory.door(fact.door), fact.record);
        break;
      case "setting":
        directory.door(fact.door).settings.set(fact.setting, fact.value);
        this.#ledgerOf(directory.door(fact.door))?.wantSetting(fact.setting, fact.value);
        break;
      case "schedule":
        directory.schedules.set(fact.row.schedule, fact.row);
        for (const { ledger } of this.locks.values())
          ledger.defineSchedule(fact.row.schedule, fact.row.windows);
        break;
      case "users":
        for (const [handle, user] of fact.users) {
          directory.door(fact.door).users.set(handle, user);
          directory.door(fact.door).handles.set(user, handle);
        }
        break;
      case "person":
        directory.setPerson(fact.row);
        this.#refresh([fact.row.person]);
        break;
      case "switched":
        directory.person(fact.person).off = fact.off;
        this.#refresh([fact.person]);
        break;
      case "regranted":
        directory.person(fact.person).revoked = false;
        break;
      case "revoked":
        this.#revoke(fact.person);
        break;
      case "removed":
        this.#revoke(fact.person);
        directory.remove(fact.person);
        break;
      case "signed":
        this.lock(fact.lock).ledger.signed(fact.bundle);
        break;
      case "receipt":
        return this.#take(fact.lock, fact.receipt);
      case "unanswered":
        this.lock(fact.lock).ledger.unanswered();
        break;
    }
    return [];
  }

  #ledgerOf(door: Door): Ledger | undefined {
    return door.lock === undefined ? undefined : this.locks.get(toHex(door.lock.lock))?.ledger;
  }

  #setDoor(row: DoorRow): void {
    const door = this.directory.setDoor(row);
    this.#ledgerOf(door)?.wantSetting(Setting.zone, ascii(row.zoneText));
    this.#refresh([...door.users.keys()], [door]);
  }

  /** Each claim begins a new epoch with an empty table, and makes other tags of the same credentials. */
  #bind(door: Door, record: LockRecord): void {
    const id = toHex(record.lock);
    const before = this.locks.get(id);
    if (door.lock !== undefined) this.locks.delete(toHex(door.lock.lock));
    if (before !== undefined && before.door !== door) before.door.lock = undefined;
    door.lock = record;
    const ledger = new Ledger(this.#crypto, record.lock, (before?.ledger.log.epoch ?? 0) + 1);
    this.locks.set(id, { door, record, ledger });
    ledger.wantSetting(Setting.zone, ascii(door.row.zoneText));
    for (const [setting, value] of door.settings) ledger.wantSetting(setting, value);
    for (const { schedule, windows } of this.directory.schedules.values())
      ledger.defineSchedule(schedule, windows);
    this.#refresh([...this.directory.people.keys()], [door]);
  }

  /** Wants of the ledgers what the directory says of these people. */
  #refresh(handles: readonly string[], doors: Iterable<Door> = this.directory.doors.values()): void {
    for (const door of doors) {
      const ledger = this.#ledgerOf(door);
      if (ledger === undefined) continue;
      for (const handle of handles) {
        const user = door.users.get(handle);
        if (user === undefined) continue;
        ledger.want(user, handle, this.directory.contents(this.#crypto, handle, door, this.#offsetOf));
      }
    }
  }

  #revoke(handle: string): void {
    const family = this.directory.revoke(handle);
    this.#refresh(family);
    for (const door of this.directory.doors.values()) {
      const users = family.map((member) => door.users.get(member)).filter((user) => user !== undefined);
      this.#ledgerOf(door)?.revoke(users);
    }
  }

  #take(lock: string, envelope: Uint8Array): Outcome[] {
    const receipt = receiptOf(envelope);
    if (receipt === undefined) throw new Error("receipt in the journal: wanted a signed receipt");
    return this.lock(lock).ledger.take(receipt);
  }
}
