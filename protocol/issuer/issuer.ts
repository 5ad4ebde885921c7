// The issuer (rules A37–A57, K1–K7): the one object that tools talk to: people and doors, what is set at doors, what goes out to locks, and
// what comes home from them. Every change is written to the journal before it has any effect.

import type { Mail } from "../courier/courier";
import { DAY_S, dateOfDay, floorDiv } from "../wire/civil";
import { MAX_U32 } from "../wire/limits";
import type { Head } from "../wire/topics";
import type { Account, Signers } from "./account";
import type { AbsenceQuestion, Audit } from "./audit";
import { absenceQuestion, auditLock } from "./audit";
import type { Cells, ImportResult, Purpose } from "./changes";
import { checkRecord, importChange, knownFor, personChange, sheetOf } from "./changes";
import type { Directory } from "./directory";
import { DoorSettings } from "./door-settings";
import type { DoorTable } from "./door-table";
import { doorTableOf } from "./door-table";
import type { DatedEvent, Gap, NoPage } from "./events";
import { openPage } from "./events";
import type { LockRecord } from "./facts";
import type { Imported, Sheets } from "./import";
import { importSheets } from "./import";
import { Journal } from "./journal";
import type { Outcome } from "./ledger";
import type { NoReceipt } from "./mail";
import { openReceipt } from "./mail";
import { Outbox } from "./outbox";
import type { Outlook } from "./outlook";
import { outlookOf } from "./outlook";
import type { Hosts } from "./ports";
import { isGivenUp, refusedRebase } from "./rebase";
import type { Alarm } from "./receipts";
import type { LockReport } from "./report";
import { alarmsOf, isSettled, reportOf } from "./report";
import type { Known } from "./rows";
import type { ImportError } from "./sheet";

/** What became of a receipt. */
export type Received =
  | { readonly refused: NoReceipt }
  | {
      readonly refused?: undefined;
      readonly outcomes: readonly Outcome[];
      readonly alarms: readonly Alarm[];
    };

/** What became of a page of events. */
export type TakenPage =
  | { readonly refused: NoPage }
  | {
      readonly refused?: undefined;
      /** How many were new. */
      readonly events: number;
      readonly gaps: readonly Gap[];
      readonly alarms: readonly Alarm[];
      /** The seq of the event that is wanted next. */
      readonly next: number;
    };

const SEED_BYTES = 32;
const MAX_TIME_EPOCH = 0xffff;
const SITE = /^[a-z0-9-]{1,16}$/;

export class Issuer {
  /** What is set at doors. */
  readonly settings: DoorSettings;
  /** What goes out to locks. */
  readonly outbox: Outbox;
  readonly #journal: Journal;
  readonly #hosts: Hosts;
  readonly #account: Account;

  private constructor(journal: Journal) {
    this.settings = new DoorSettings(journal);
    this.outbox = new Outbox(journal);
    this.#journal = journal;
    this.#hosts = journal.hosts;
    this.#account = journal.account;
  }

  /** The issuer that the journal in `hosts.store` tells of; an empty journal gives one without an account. */
  static async open(hosts: Hosts): Promise<Issuer> {
    return new Issuer(await Journal.open(hosts));
  }

  // ---- the account

  /** Begins the account, with fresh keys. `site` is 1 to 16 of a–z, 0–9 and "-": it is part of topics. */
  begin(site: string): Promise<void> {
    return this.#journal.inTurn(async () => {
      if (this.#account.signers !== undefined) throw new Error("begin: there is an account already");
      if (!SITE.test(site)) throw new RangeError(`site ${site}: wanted 1 to 16 of a-z, 0-9 and "-"`);
      const [owner, issuer] = [this.#journal.random(SEED_BYTES), this.#journal.random(SEED_BYTES)];
      await this.#journal.commit({ t: "account", site, owner, issuer });
    });
  }

  /** Whether {@link begin} was ever called. */
  get isBegun(): boolean {
    return this.#account.signers !== undefined;
  }

  /** Site and keys. Throws before {@link begin}. */
  get signers(): Signers {
    return this.#journal.signers;
  }

  /** People, doors and schedules, to look at. */
  get directory(): Directory {
    return this.#account.directory;
  }

  /** The ids of all locks, in hexadecimal. */
  get locks(): string[] {
    return [...this.#account.locks.keys()];
  }

  // ---- people and doors

  /**
   * Takes doors, schedules and people from files, all or nothing: new ones, and those that differ. Nobody is removed by not being
   * there, and nobody who is revoked comes back. `now` is UTC seconds.
   */
  importSheets(sheets: Sheets, now: number): Promise<ImportResult> {
    return this.#journal.inTurn(async () => {
      const imported = this.#check(sheets, this.directory, now);
      const { facts, result } = importChange(this.directory, imported, this.#hosts.random);
      await this.#journal.commit(...facts);
      return result;
    });
  }

  /**
   * Adds a person, given as the cells of a row of people.csv. The errors, none when it is done. A PIN that was asked for as "auto" stands
   * in the directory then.
   */
  addPerson(cells: Cells, now: number): Promise<readonly ImportError[]> {
    return this.#setPerson(cells, now, "add");
  }

  /** Replaces the row of a person who is on record. The errors, none when it is done. */
  changePerson(cells: Cells, now: number): Promise<readonly ImportError[]> {
    return this.#setPerson(cells, now, "change");
  }

  /** Gives access again to a person who was revoked; guests below stay revoked. The errors, none when it is done. */
  regrant(cells: Cells, now: number): Promise<readonly ImportError[]> {
    return this.#setPerson(cells, now, "regrant");
  }

  /** Ends all access of a person and of everyone below; the records stay (rules A52, A53, A55). */
  revoke(person: string): Promise<void> {
    return this.#journal.inTurn(async () => {
      if (!this.directory.person(person).revoked) await this.#journal.commit({ t: "revoked", person });
    });
  }

  /** As {@link revoke}, and the record of the person goes (rule A54). */
  remove(person: string): Promise<void> {
    return this.#journal.inTurn(async () => {
      this.directory.person(person);
      await this.#journal.commit({ t: "removed", person });
    });
  }

  /** Switches a person's credentials off, or on again (rule A75). */
  switchPerson(person: string, off: boolean): Promise<void> {
    return this.#journal.inTurn(async () => {
      if (this.directory.person(person).off !== off)
        await this.#journal.commit({ t: "switched", person, off });
    });
  }

  /** Names the lock of a door, or claims it anew after a reset: then everything is signed again in a new epoch. RangeError on keys of other sizes. */
  bindLock(door: string, record: LockRecord): Promise<void> {
    return this.#journal.inTurn(async () => {
      checkRecord(record);
      const again = this.settings.sealedFor(door, record);
      await this.#journal.commit({ t: "lock", door, record }, ...again);
    });
  }

  // ---- keys and clocks

  /**
   * Makes a fresh key, with which everything is signed from now on (rule P7). The keys before it are good no more, unless `keepsOld`: then
   * what couriers carry already still opens. Locks learn of it with their next mail.
   */
  rotateKeys(keepsOld = false): Promise<void> {
    return this.#journal.inTurn(async () => {
      if (this.signers.keyset === MAX_U32) throw new RangeError("keys: no number is left for another keyset");
      await this.#journal.commit({ t: "keys", issuer: this.#journal.random(SEED_BYTES), keepsOld });
    });
  }

  /** Lets the owner's root set the clock of a lock, also back: mends what a wrong clock of an issuer has done (rule T13). */
  raiseTimeEpoch(lock: string): Promise<void> {
    return this.#journal.inTurn(async () => {
      const epoch = this.#account.lock(lock).timeEpoch + 1;
      if (epoch > MAX_TIME_EPOCH) throw new RangeError("time epoch: none is left");
      await this.#journal.commit({ t: "time-epoch", lock, epoch });
    });
  }

  /** The owner consents to a factory reset of a lock, which is done at the lock itself, or does so no more (rule X11). */
  consentToReset(lock: string, consents = true): Promise<void> {
    return this.#journal.inTurn(async () => {
      if (this.#account.lock(lock).consentsToReset !== consents)
        await this.#journal.commit({ t: "reset", lock, consents });
    });
  }

  /** The next mail for a lock begins with a whole new table, signed then (rule S9). */
  rebase(lock: string): Promise<void> {
    return this.#journal.inTurn(async () => {
      if (!this.#account.lock(lock).wantsRebase) await this.#journal.commit({ t: "rebase-wanted", lock });
    });
  }

  // ---- what comes home

  /**
   * Takes a whole receipt message that came from a lock by any way and however late. One that is not the lock's own changes nothing;
   * one that tells nothing new is not kept.
   */
  receive(lock: string, message: Uint8Array): Promise<Received> {
    return this.#journal.inTurn(async () => {
      const { ledger, events, record } = this.#account.lock(lock);
      const opened = openReceipt(this.#hosts.crypto, record, message);
      if (typeof opened === "string") return { refused: opened };
      const { receipt, envelope } = opened;
      if (!ledger.isNews(receipt) && !events.contradicts(receipt)) return { outcomes: [], alarms: [] };
      const before = ledger.alarms.length;
      const outcomes = await this.#journal.commit({ t: "receipt", lock, receipt: envelope });
      return { outcomes, alarms: ledger.alarms.slice(before) };
    });
  }

  // ---- events

  /** The seq of the first event of a lock that has not come home (rule L3). */
  nextEvent(lock: string): number {
    return this.#account.lock(lock).events.next;
  }

  /**
   * Takes a whole page message that came from a lock by any way and however late (rules L3, L9, L10). Each event is kept once; a page that
   * brings none that is new changes nothing.
   */
  takePage(lock: string, message: Uint8Array): Promise<TakenPage> {
    return this.#journal.inTurn(async () => {
      const { ledger, events, record } = this.#account.lock(lock);
      const opened = openPage(this.#hosts.crypto, record, message);
      if (typeof opened === "string") return { refused: opened };
      const { page, plain } = opened;
      const [known, gaps, raised] = [events.kept.length, events.gaps.length, ledger.alarms.length];
      const seq = events.conflict(page);
      const alarm = { kind: "events-changed", epoch: ledger.log.epoch, seq } as const;
      if (events.isNews(page) || (seq > 0 && !ledger.isRaised(alarm)))
        await this.#journal.commit({ t: "page", lock, page: plain });
      return {
        events: events.kept.length - known,
        gaps: events.gaps.slice(gaps),
        alarms: ledger.alarms.slice(raised),
        next: events.next,
      };
    });
  }

  /** The events of a lock that came home, dated as far as that can be (rule L11), and what is missing among them. */
  events(lock: string): { readonly events: readonly DatedEvent[]; readonly gaps: readonly Gap[] } {
    const { events } = this.#account.lock(lock);
    return { events: events.dated(), gaps: [...events.gaps] };
  }

  /** Finds the slots in which a lock is not what its acks add up to (rule K6). `ask` sends the body of a question and gives the answer. */
  audit(lock: string, ask: (body: Uint8Array) => Promise<Uint8Array | undefined>): Promise<Audit> {
    return auditLock(this.#hosts.crypto, this.#account.lock(lock), ask);
  }

  /** The question whether a person, or anyone below, has a slot at a lock; undefined for one who never had an id there (rule K7). */
  absenceQuestion(lock: string, person: string): AbsenceQuestion | undefined {
    return absenceQuestion(this.#account.lock(lock), person);
  }

  /** An attempt to deliver what is signed for a lock ended without an answer; the third makes it unconfirmed. */
  attemptFailed(lock: string): Promise<void> {
    return this.#journal.inTurn(async () => {
      if (this.#account.lock(lock).ledger.isWaiting) await this.#journal.commit({ t: "unanswered", lock });
    });
  }

  /**
   * A lock is said to have refused a piece of mail. A whole new table that it gave up is not sent again until one is ordered anew, and that
   * is an alarm, which is given; undefined where it is none, or not the first. Nobody has signed the refusal: whoever carries mail can make
   * it up, as they can drop the mail.
   */
  refused(lock: string, piece: Mail, code: number): Promise<Alarm | undefined> {
    return this.#journal.inTurn(async () => {
      const bound = this.#account.lock(lock);
      if (!isGivenUp(bound, piece, code)) return undefined;
      await this.#journal.commit({ t: "rebase-refused", lock, code });
      return refusedRebase(bound);
    });
  }

  // ---- where things stand

  /** The name of a lock's door. */
  doorOf(lock: string): string {
    return this.#account.lock(lock).door.row.door;
  }

  /** Whether nothing is to be sent to a lock: nothing left to sign, and nothing without an answer. */
  isSettled(lock: string): boolean {
    return isSettled(this.#account.lock(lock));
  }

  /** What a person must look at. */
  alarms(lock: string): readonly Alarm[] {
    return alarmsOf(this.#account.lock(lock));
  }

  /** The position of the last delta that is signed for a lock. */
  head(lock: string): Head {
    const { log } = this.#account.lock(lock).ledger;
    return { epoch: log.epoch, seq: log.signed };
  }

  /** What is signed for a lock and not acknowledged, delta by delta, and what it makes of the lock. */
  outlook(lock: string): Outlook {
    return outlookOf(this.directory, this.#account.lock(lock));
  }

  /** The table that a lock is to have once it has applied all that is signed, without anything that opens. */
  doorTable(lock: string): DoorTable {
    return doorTableOf(this.directory, this.#account.lock(lock));
  }

  /** Where everything stands at one lock. */
  report(lock: string): LockReport {
    return reportOf(lock, this.#account.lock(lock));
  }

  #check(sheets: Sheets, known: Known, now: number): Imported {
    const { year } = dateOfDay(floorDiv(now, DAY_S));
    return importSheets(sheets, known, this.#hosts.offsetOf, year);
  }

  #setPerson(cells: Cells, now: number, purpose: Purpose): Promise<readonly ImportError[]> {
    return this.#journal.inTurn(async () => {
      const known = knownFor(this.directory, purpose, (cells.person ?? "").trim());
      const imported = this.#check({ people: [sheetOf(cells)] }, known, now);
      if (imported.errors.length > 0) return imported.errors;
      const change = personChange(this.directory, imported, purpose, this.#hosts.random);
      if (!Array.isArray(change)) return [change];
      await this.#journal.commit(...change);
      return [];
    });
  }
}
