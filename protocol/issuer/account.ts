// The state of an issuer as the sum of its facts: directory and ledgers. Deterministic, without randomness, clock or signing; the journal
// replayed gives exactly the state that there was.

import type { Crypto } from "../crypto/port";
import { toHex } from "../wire/bytes";
import { Reader } from "../wire/cbor";
import { readEnvelope } from "../wire/cose";
import type { Receipt } from "../wire/messages";
import { readReceipt } from "../wire/messages";
import { Setting } from "../wire/settings";
import type { Door } from "./directory";
import { Directory } from "./directory";
import type { SigningKey } from "./encode";
import { signingKey } from "./encode";
import type { Fact, LockRecord } from "./facts";
import type { Outcome } from "./ledger";
import { Ledger } from "./ledger";
import { hoursValue, masterValue } from "./policies";
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
      case "setting":
      case "master":
      case "hours":
      case "users":
        this.#applyAt(directory.door(fact.door), fact);
        break;
      case "schedule":
        directory.schedules.set(fact.row.schedule, fact.row);
        for (const { ledger } of this.locks.values())
          ledger.defineSchedule(fact.row.schedule, fact.row.windows);
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

  /** Takes a fact about one door. */
  #applyAt(door: Door, fact: Extract<Fact, { readonly door: string }>): void {
    switch (fact.t) {
      case "lock":
        this.#bind(door, fact.record);
        break;
      case "setting":
        door.settings.set(fact.setting, fact.value);
        this.#ledgerOf(door)?.wantSetting(fact.setting, fact.value);
        break;
      case "master":
        door.master = fact.pin;
        this.#wantMaster(door);
        break;
      case "hours":
        door.hours = fact.hours;
        this.#wantHours(door);
        break;
      case "users":
        for (const [handle, user] of fact.users) {
          door.users.set(handle, user);
          door.handles.set(user, handle);
        }
        break;
    }
  }

  #ledgerOf(door: Door): Ledger | undefined {
    return door.lock === undefined ? undefined : this.locks.get(toHex(door.lock.lock))?.ledger;
  }

  #setDoor(row: DoorRow): void {
    const door = this.directory.setDoor(row);
    this.#ledgerOf(door)?.wantSetting(Setting.zone, row.zoneValue);
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
    ledger.wantSetting(Setting.zone, door.row.zoneValue);
    for (const [setting, value] of door.settings) ledger.wantSetting(setting, value);
    for (const { schedule, windows } of this.directory.schedules.values())
      ledger.defineSchedule(schedule, windows);
    this.#wantMaster(door);
    this.#wantHours(door);
    this.#refresh([...this.directory.people.keys()], [door]);
  }

  #wantMaster(door: Door): void {
    const ledger = this.#ledgerOf(door);
    if (ledger === undefined || door.lock === undefined || door.master === undefined) return;
    ledger.wantSetting(Setting.master, masterValue(this.#crypto, door.lock.keys.pinKey, door.master));
  }

  #wantHours(door: Door): void {
    const { hours } = door;
    if (hours !== undefined)
      this.#ledgerOf(door)?.wantSetting(Setting.businessHours, hoursValue(hours), hours.schedule);
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
