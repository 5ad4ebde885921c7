// The state of an issuer as the sum of its facts: directory and ledgers. Deterministic, without randomness, clock or signing; the journal
// replayed gives exactly the state that there was.

import type { Crypto } from "../crypto/port";
import { toHex } from "../wire/bytes";
import { Reader } from "../wire/cbor";
import { readEnvelope } from "../wire/cose";
import { MAX_KEYS } from "../wire/limits";
import { readRebase } from "../wire/payloads";
import type { Receipt } from "../wire/receipt";
import { readReceipt } from "../wire/receipt";
import { Setting } from "../wire/settings";
import type { Door } from "./directory";
import { Directory } from "./directory";
import type { SigningKey } from "./encode";
import { signingKey } from "./encode";
import { EventBook, readPlainPage } from "./events";
import type { Fact, LockRecord } from "./facts";
import type { Outcome } from "./ledger";
import { Ledger } from "./ledger";
import { hoursValue, masterValue } from "./policies";
import type { DoorRow } from "./rows";
import { tableOf } from "./whole-table";
import type { OffsetOf } from "./zone";

/** Who signs. */
export interface Signers {
  readonly site: string;
  /** The owner's root: keysets, raised time epochs, rebases and consents to a reset. */
  readonly owner: SigningKey;
  /** The issuer's newest key: bundles, heartbeats and time. */
  readonly issuer: SigningKey;
  /** Keys before it that are still good; nothing new is signed with them. */
  readonly earlier: readonly SigningKey[];
  /** The number of the keyset with these keys (rule P7). */
  readonly keyset: number;
}

/** A door's lock, its ledger, and its events. */
export interface BoundLock {
  readonly door: Door;
  readonly record: LockRecord;
  readonly ledger: Ledger;
  readonly events: EventBook;
  /** The epoch that the ledger began with: what is of an earlier one is of an earlier claim. */
  readonly firstEpoch: number;
  timeEpoch: number;
  /** Whether the next mail is to be a whole new table. */
  wantsRebase: boolean;
  /** The last one that was signed. */
  rebase?: Rebase;
  /** Whether the owner consents to a factory reset. */
  consentsToReset: boolean;
}

/** A whole new table as it was signed: bodies of messages. */
export interface Rebase {
  readonly epoch: number;
  readonly order: Uint8Array;
  readonly parts: readonly Uint8Array[];
  /** The result code with which the lock is said to have given it up. */
  refusal?: number;
}

type LockFact = Extract<Fact, { readonly lock: string }>;

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
        const issuer = signingKey(this.#crypto, fact.issuer);
        this.signers = { site: fact.site, owner, issuer, earlier: [], keyset: 1 };
        break;
      }
      case "keys":
        this.#rotate(signingKey(this.#crypto, fact.issuer), fact.keepsOld);
        break;
      case "door":
        this.#setDoor(fact.row);
        break;
      case "lock":
      case "setting":
      case "master":
      case "hours":
      case "users":
      case "sealed":
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
      default:
        return this.#applyTo(this.lock(fact.lock), fact);
    }
    return [];
  }

  /** Takes a fact about one lock. */
  #applyTo(bound: BoundLock, fact: LockFact): Outcome[] {
    const { ledger } = bound;
    switch (fact.t) {
      case "signed":
        ledger.signed(fact.bundle);
        break;
      case "resigned":
        ledger.resigned(fact.bundle);
        break;
      case "receipt":
        return this.#take(bound, fact.receipt);
      case "unanswered":
        ledger.unanswered();
        break;
      case "page":
        takePage(bound, fact.page);
        break;
      case "time-epoch":
        bound.timeEpoch = fact.epoch;
        break;
      case "rebase-wanted":
        bound.wantsRebase = true;
        if (bound.rebase !== undefined) bound.rebase.refusal = undefined;
        break;
      case "rebase-refused":
        if (bound.rebase !== undefined) bound.rebase.refusal = fact.code;
        break;
      case "rebase":
        takeRebase(this.#crypto, bound, fact.order, fact.parts);
        break;
      case "reset":
        bound.consentsToReset = fact.consents;
        break;
    }
    return [];
  }

  #rotate(issuer: SigningKey, keepsOld: boolean): void {
    const { signers } = this;
    if (signers === undefined) throw new Error("keys in the journal: there is no account yet");
    const earlier = keepsOld ? [signers.issuer, ...signers.earlier].slice(0, MAX_KEYS - 1) : [];
    this.signers = { ...signers, issuer, earlier, keyset: signers.keyset + 1 };
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
      case "sealed":
        door.sealed.set(fact.setting, fact.plain);
        if (fact.value.length > 0) this.#ledgerOf(door)?.wantSetting(fact.setting, fact.value);
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
    const firstEpoch = before?.ledger.nextEpoch ?? 1;
    const ledger = new Ledger(this.#crypto, record.lock, firstEpoch);
    const events = new EventBook(this.#crypto);
    // The time epoch of a lock outlives its claims.
    const timeEpoch = before?.timeEpoch ?? 0;
    const wishes = { wantsRebase: false, consentsToReset: false };
    this.locks.set(id, { door, record, ledger, events, firstEpoch, timeEpoch, ...wishes });
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

  #take({ ledger, events, firstEpoch }: BoundLock, envelope: Uint8Array): Outcome[] {
    const receipt = receiptOf(envelope);
    if (receipt === undefined) throw new Error("receipt in the journal: wanted a signed receipt");
    const outcomes = ledger.take(receipt);
    const changed = receipt.epoch < firstEpoch ? undefined : events.told(receipt);
    if (changed !== undefined) raiseChanged(ledger, changed);
    return outcomes;
  }
}

function raiseChanged(ledger: Ledger, changed: { readonly seq: number; readonly text: string }): void {
  ledger.raise({ kind: "events-changed", epoch: ledger.log.epoch, ...changed });
}

function takePage({ ledger, events }: BoundLock, plain: Uint8Array): void {
  const page = readPlainPage(plain);
  if (page === undefined) throw new Error("page in the journal: wanted a run of events");
  const changed = events.take(page);
  if (changed !== undefined) raiseChanged(ledger, changed);
}

function takeRebase(crypto: Crypto, bound: BoundLock, order: Uint8Array, parts: readonly Uint8Array[]): void {
  const envelope = readEnvelope(new Reader(order), order.length);
  const fields = envelope && readRebase(new Reader(envelope.payload));
  if (fields === undefined) throw new Error("rebase in the journal: wanted a signed order");
  bound.ledger.rebased(fields, tableOf(crypto, parts));
  bound.rebase = { epoch: fields.epoch, order, parts };
  bound.wantsRebase = false;
}
