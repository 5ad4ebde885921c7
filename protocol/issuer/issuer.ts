// The issuer (rules A37–A57, K1–K5, S1–S3, S13): the one object that tools talk to. Every change is written to the journal before it
// has any effect, and signed bytes are stored before they are handed out, so that no position is ever signed twice with different
// content, whenever the power goes. Changes are made one after another, in the order of the calls.

import type { Mail } from "../courier/courier";
import { equal } from "../wire/bytes";
import { DAY_S, dateOfDay, floorDiv } from "../wire/civil";
import type { Status } from "../wire/messages";
import { StatusFlag, Type } from "../wire/messages";
import type { LockoutPolicy } from "../wire/settings";
import { packLocalCodes, packNone, Setting } from "../wire/settings";
import type { Signers } from "./account";
import { Account } from "./account";
import type { Cells, ImportResult, Purpose } from "./changes";
import { checkRecord, importChange, knownFor, personChange, sheetOf } from "./changes";
import type { Directory } from "./directory";
import { signBundle } from "./encode";
import type { Fact, LockRecord } from "./facts";
import { decodeFacts, encodeFacts, sameValue } from "./facts";
import type { Imported, Sheets } from "./import";
import { importSheets } from "./import";
import type { Outcome } from "./ledger";
import type { NoReceipt } from "./mail";
import { askMail, KEYSET_NUMBER, keysetBody, openReceipt, timeBody } from "./mail";
import type { HolidayPlan, HoursPlan } from "./policies";
import {
  checkHours,
  checkMaster,
  clockBoundValue,
  densityValue,
  directValue,
  holidaySetting,
  holidayValue,
  lockoutValue,
  modeValue,
  NO_HOURS,
  relockValue,
} from "./policies";
import type { Hosts } from "./ports";
import type { Alarm } from "./receipts";
import type { LockReport } from "./report";
import { reportOf } from "./report";
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

/** What mail is chosen by. It is not signed, so nothing but the choice depends on it. */
export type LockStatus = Pick<Status, "epoch" | "applied" | "flags" | "keyset">;

const SEED_BYTES = 32;
const NOTHING = new Uint8Array(0);
const SITE = /^[a-z0-9-]{1,16}$/;

export class Issuer {
  readonly #hosts: Hosts;
  readonly #account: Account;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(hosts: Hosts) {
    this.#hosts = hosts;
    this.#account = new Account(hosts.crypto, hosts.offsetOf);
  }

  /** The issuer that the journal in `hosts.store` tells of; an empty journal gives one without an account. */
  static async open(hosts: Hosts): Promise<Issuer> {
    const issuer = new Issuer(hosts);
    for (const record of await hosts.store.read())
      for (const fact of decodeFacts(record)) issuer.#account.apply(fact);
    return issuer;
  }

  // ---- the account

  /** Begins the account, with fresh keys. `site` is 1 to 16 of a–z, 0–9 and "-": it is part of topics. */
  begin(site: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#account.signers !== undefined) throw new Error("begin: there is an account already");
      if (!SITE.test(site)) throw new RangeError(`site ${site}: wanted 1 to 16 of a-z, 0-9 and "-"`);
      await this.#commit({ t: "account", site, owner: this.#seed(), issuer: this.#seed() });
    });
  }

  /** Whether {@link begin} was ever called. */
  get isBegun(): boolean {
    return this.#account.signers !== undefined;
  }

  /** Site and keys. Throws before {@link begin}. */
  get signers(): Signers {
    const { signers } = this.#account;
    if (signers === undefined) throw new Error("signers: there is no account yet");
    return signers;
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
    return this.#inTurn(async () => {
      const imported = this.#check(sheets, this.directory, now);
      const { facts, result } = importChange(this.directory, imported, this.#hosts.random);
      await this.#commit(...facts);
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
    return this.#inTurn(async () => {
      if (!this.directory.person(person).revoked) await this.#commit({ t: "revoked", person });
    });
  }

  /** As {@link revoke}, and the record of the person goes (rule A54). */
  remove(person: string): Promise<void> {
    return this.#inTurn(async () => {
      this.directory.person(person);
      await this.#commit({ t: "removed", person });
    });
  }

  /** Switches a person's credentials off, or on again (rule A75). */
  switchPerson(person: string, off: boolean): Promise<void> {
    return this.#inTurn(async () => {
      if (this.directory.person(person).off !== off) await this.#commit({ t: "switched", person, off });
    });
  }

  /** Names the lock of a door, or claims it anew after a reset: then everything is signed again in a new epoch. RangeError on keys of other sizes. */
  bindLock(door: string, record: LockRecord): Promise<void> {
    return this.#inTurn(async () => {
      this.directory.door(door);
      checkRecord(record);
      await this.#commit({ t: "lock", door, record });
    });
  }

  // ---- settings of doors; each rejects with a RangeError what no lock takes, and changes nothing where it is set so already

  /** Sets one of `Setting` as bytes, but the zone, which comes with the door, and what {@link setMaster} and {@link setHours} set. */
  set(door: string, setting: number, value: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const has = this.directory.door(door).settings.get(setting);
      const before = has ?? (setting >= Setting.holiday ? packNone() : NOTHING);
      if (!equal(directValue(setting, value), before))
        await this.#commit({ t: "setting", door, setting, value });
    });
  }

  /** The operating mode, of `Mode` (rule A60). */
  async setMode(door: string, mode: number): Promise<void> {
    await this.set(door, Setting.mode, modeValue(mode));
  }

  /** After how many seconds the bolt is thrown again: 0 for never, up to 3600 (rule M6). */
  async setRelock(door: string, seconds: number): Promise<void> {
    await this.set(door, Setting.relockSeconds, relockValue(seconds));
  }

  /** The highest density that a put may bring about, in units of 10⁻¹⁰ (rule C18). */
  async setDensity(door: string, limit: number): Promise<void> {
    await this.set(door, Setting.density, densityValue(limit));
  }

  /** How strict the keypad is with wrong entries (rule X1). */
  async setLockout(door: string, policy: LockoutPolicy): Promise<void> {
    await this.set(door, Setting.lockout, lockoutValue(policy));
  }

  /** Whether codes may be programmed at the keypad (rule C24). */
  async setLocalCodes(door: string, allowed: boolean): Promise<void> {
    await this.set(door, Setting.localCodes, packLocalCodes(allowed));
  }

  /** The error above which the lock's clock counts as unknown, in seconds, 1 to 3600 (rule T11). */
  async setClockBound(door: string, seconds: number): Promise<void> {
    await this.set(door, Setting.clockBound, clockBoundValue(seconds));
  }

  /** Holiday `n` of 0 to 63, undefined for none (rule T7). */
  async setHoliday(door: string, n: number, holiday: HolidayPlan | undefined): Promise<void> {
    await this.set(door, holidaySetting(n), holidayValue(holiday));
  }

  /** The PIN that opens whatever the hours and the mode are, undefined for none (rule C17). */
  setMaster(door: string, pin: string | undefined): Promise<void> {
    return this.#inTurn(async () => {
      const at = this.directory.door(door);
      if (pin !== undefined) checkMaster(this.directory, at, pin);
      if ((pin ?? "") !== (at.master ?? "")) await this.#commit({ t: "master", door, pin: pin ?? "" });
    });
  }

  /** The hours in which the door unlocks itself, undefined for none (rule T16). Their schedule stays at the lock as long. */
  setHours(door: string, hours: HoursPlan | undefined): Promise<void> {
    return this.#inTurn(async () => {
      const at = this.directory.door(door);
      if (hours !== undefined) checkHours(this.directory, hours);
      if (!sameValue(hours ?? NO_HOURS, at.hours ?? NO_HOURS))
        await this.#commit({ t: "hours", door, hours: hours ?? NO_HOURS });
    });
  }

  // ---- mail

  /**
   * What a lock with this status should be sent now, in this order: claim and keyset where it lacks them, a question for acks that were
   * lost, and at most `most` bundles from its position on. Stored bundles go out as they are, a bundle that the lock has in part as a
   * whole; a new one is signed only when nothing stored is left. `now` is UTC seconds.
   */
  mail(lock: string, status: LockStatus, now: number, most = 1): Promise<Mail[]> {
    return this.#inTurn(async () => {
      const { ledger, record } = this.#account.lock(lock);
      const { log } = ledger;
      const isUnclaimed = (status.flags & StatusFlag.unclaimed) !== 0;
      const mail: Mail[] = isUnclaimed ? [{ type: Type.claim, body: record.ticket }] : [];
      if (isUnclaimed || status.keyset < KEYSET_NUMBER)
        mail.push({ type: Type.keys, body: this.keyset(lock) });
      const isFresh = isUnclaimed && log.acknowledged === 0;
      const isOurs = !isUnclaimed && status.epoch === log.epoch;
      const applied = isOurs ? status.applied : 0;
      // Only a signed receipt can tell of another epoch, of acks that got lost, or of positions that were never signed here.
      if (!isUnclaimed && (!isOurs || applied > log.acknowledged)) mail.push(askMail(log.acknowledged + 1));
      if (!isFresh && !isOurs) return mail;
      return [...mail, ...(await this.#bundles(lock, applied + 1, now, most))];
    });
  }

  async #bundles(lock: string, from: number, now: number, most: number): Promise<Mail[]> {
    const { ledger } = this.#account.lock(lock);
    const bundles: Mail[] = [];
    for (let seq = from; bundles.length < most && !ledger.isForked; ) {
      if (seq > ledger.log.signed + 1 || (seq > ledger.log.signed && !(await this.#sign(lock, now)))) break;
      const bundle = ledger.log.bundleAt(seq);
      if (bundle === undefined) break;
      bundles.push({ type: Type.bundle, body: bundle.bytes });
      seq = bundle.first + bundle.count;
    }
    return bundles;
  }

  /** Signs and stores the next bundle. False when there is none. */
  async #sign(lock: string, now: number): Promise<boolean> {
    const next = this.#account.lock(lock).ledger.next(now);
    if (next === undefined) return false;
    const bundle = signBundle(this.#hosts.crypto, this.signers.issuer, next.head, next.deltas);
    await this.#commit({ t: "signed", lock, bundle });
    return true;
  }

  /** The body of the claim ticket of a lock. */
  claim(lock: string): Uint8Array {
    return this.#account.lock(lock).record.ticket;
  }

  /** The body of a keyset message for a lock, signed by the owner's root. */
  keyset(lock: string): Uint8Array {
    return keysetBody(this.#hosts.crypto, this.signers, this.#account.lock(lock).record.lock);
  }

  /** The body of an answer to the nonce of a lock's status. `now` is UTC seconds; the lock takes it for 30 seconds. */
  timeAnswer(lock: string, nonce: Uint8Array, now: number): Uint8Array {
    return timeBody(this.#hosts.crypto, this.signers, this.#account.lock(lock).record.lock, nonce, now);
  }

  /**
   * Takes a whole receipt message that came from a lock by any way and however late. One that is not the lock's own changes nothing;
   * one that tells nothing new is not kept.
   */
  receive(lock: string, message: Uint8Array): Promise<Received> {
    return this.#inTurn(async () => {
      const { ledger, record } = this.#account.lock(lock);
      const opened = openReceipt(this.#hosts.crypto, record, message);
      if (typeof opened === "string") return { refused: opened };
      if (!ledger.isNews(opened.receipt)) return { outcomes: [], alarms: [] };
      const before = ledger.alarms.length;
      const outcomes = await this.#commit({ t: "receipt", lock, receipt: opened.envelope });
      return { outcomes, alarms: ledger.alarms.slice(before) };
    });
  }

  /** An attempt to deliver what is signed for a lock ended without an answer; the third makes it unconfirmed. */
  attemptFailed(lock: string): Promise<void> {
    return this.#inTurn(async () => {
      const { log } = this.#account.lock(lock).ledger;
      for (const _ of log.unanswered()) {
        await this.#commit({ t: "unanswered", lock });
        return;
      }
    });
  }

  /** Where everything stands at one lock. */
  report(lock: string): LockReport {
    return reportOf(lock, this.#account.lock(lock));
  }

  // ---- the journal

  /** Changes wait for each other, so that each is decided on the state that the one before it left. */
  #inTurn<T>(job: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(job, job);
    this.#turn = turn;
    return turn;
  }

  /** Writes facts down, and then takes them as they will be read: state is what the journal says, and nothing else. */
  async #commit(...facts: Fact[]): Promise<Outcome[]> {
    if (facts.length === 0) return [];
    const record = encodeFacts(facts);
    await this.#hosts.store.append(record);
    return decodeFacts(record).flatMap((fact) => this.#account.apply(fact));
  }

  #seed(): Uint8Array {
    const seed = new Uint8Array(SEED_BYTES);
    this.#hosts.random(seed);
    return seed;
  }

  #check(sheets: Sheets, known: Known, now: number): Imported {
    const { year } = dateOfDay(floorDiv(now, DAY_S));
    return importSheets(sheets, known, this.#hosts.offsetOf, year);
  }

  #setPerson(cells: Cells, now: number, purpose: Purpose): Promise<readonly ImportError[]> {
    return this.#inTurn(async () => {
      const known = knownFor(this.directory, purpose, (cells.person ?? "").trim());
      const imported = this.#check({ people: [sheetOf(cells)] }, known, now);
      if (imported.errors.length > 0) return imported.errors;
      const change = personChange(this.directory, imported, purpose, this.#hosts.random);
      if (!Array.isArray(change)) return [change];
      await this.#commit(...change);
      return [];
    });
  }
}
