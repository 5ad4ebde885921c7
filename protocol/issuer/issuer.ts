// The issuer (rules A37–A57, K1–K5, S1–S3, S13): the one object that tools talk to. Every change is written to the journal before it
// has any effect, and signed bytes are stored before they are handed out, so that no position is ever signed twice with different
// content, whenever the power goes. Changes are made one after another, in the order of the calls.

import type { Mail } from "../courier/courier";
import { sealWith, settingAad } from "../crypto/seal";
import { equal } from "../wire/bytes";
import { DAY_S, dateOfDay, floorDiv } from "../wire/civil";
import { Code } from "../wire/codes";
import { MAX_U32, SEAL_NONCE_BYTES } from "../wire/limits";
import type { Status } from "../wire/messages";
import { StatusFlag, Type } from "../wire/messages";
import type { LockoutPolicy, OfflinePolicy } from "../wire/settings";
import { packLocalCodes, packNone, Setting } from "../wire/settings";
import type { Signers } from "./account";
import { Account } from "./account";
import type { Audit } from "./audit";
import { absenceBody, auditLock } from "./audit";
import type { Cells, ImportResult, Purpose } from "./changes";
import { checkRecord, importChange, knownFor, personChange, sheetOf } from "./changes";
import type { Directory } from "./directory";
import { signBundle, signHeartbeat, signRebase, signTime } from "./encode";
import type { DatedEvent, Gap, NoPage } from "./events";
import { openPage } from "./events";
import type { Fact, LockRecord } from "./facts";
import { decodeFacts, encodeFacts, sameValue } from "./facts";
import type { Imported, Sheets } from "./import";
import { importSheets } from "./import";
import type { Outcome } from "./ledger";
import type { StoredBundle } from "./log";
import { deltasOf } from "./log";
import type { NoReceipt } from "./mail";
import { askMail, isGoodKey, keysetBody, openReceipt, rebaseMail, resetMail } from "./mail";
import type { BrokerPlan, HolidayPlan, HoursPlan, WifiPlan } from "./policies";
import {
  aliasValue,
  brokerValue,
  checkHours,
  checkMaster,
  clockBoundValue,
  densityValue,
  directValue,
  holidaySetting,
  holidayValue,
  leaseDaysValue,
  lockoutValue,
  modeValue,
  NO_HOURS,
  offlineValue,
  relockValue,
  resetDelayValue,
  wifiValue,
} from "./policies";
import type { Hosts } from "./ports";
import { partPrint, partsOf } from "./rebase";
import type { Alarm } from "./receipts";
import type { LockReport } from "./report";
import { reportOf } from "./report";
import type { Known } from "./rows";
import type { ImportError } from "./sheet";
import { MODELS, REBASE_BASE } from "./whole-table";

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

/** What mail is chosen by. It is not signed, so nothing but the choice depends on it. */
export type LockStatus = Pick<Status, "epoch" | "applied" | "flags" | "keyset">;

const SEED_BYTES = 32;
const MAX_TIME_EPOCH = 0xffff;
const NOTHING = new Uint8Array(0);
const SITE = /^[a-z0-9-]{1,16}$/;

export class Issuer {
  readonly #hosts: Hosts;
  readonly #account: Account;
  #turn: Promise<unknown> = Promise.resolve();
  /** The last sign of life for each lock; only the lock depends on it, so it is not in the journal. */
  readonly #heartbeats = new Map<string, { epoch: number; acks: number; events: number; issuedAt: number }>();
  /** Time epochs that locks are known to be in. */
  readonly #epochTaken = new Map<string, number>();

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
      const { sealed } = this.directory.door(door);
      checkRecord(record);
      const again = Array.from(sealed, ([setting, plain]): Fact => {
        return { t: "sealed", door, setting, plain, value: this.#seal(record, setting, plain) };
      });
      await this.#commit({ t: "lock", door, record }, ...again);
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

  /** For how many days the word of the issuer is good for those with the flag lease, 0 for ever (rule S12). */
  async setLeaseDays(door: string, days: number): Promise<void> {
    await this.set(door, Setting.leaseDays, leaseDaysValue(days));
  }

  /** Which offline codes open (rule C23). */
  async setOffline(door: string, policy: OfflinePolicy): Promise<void> {
    await this.set(door, Setting.offlineCodes, offlineValue(policy));
  }

  /** After how many hours of power a reset at the lock happens without consent, 0 for never (rule X11). */
  async setResetDelay(door: string, hours: number): Promise<void> {
    await this.set(door, Setting.resetDelay, resetDelayValue(hours));
  }

  /** The lock's name (rule A63); only the lock reads it. */
  async setAlias(door: string, alias: string): Promise<void> {
    await this.#setSealed(door, Setting.alias, aliasValue(alias));
  }

  /** The network that the lock is in; an empty password for an open one. */
  async setWifi(door: string, wifi: WifiPlan): Promise<void> {
    await this.#setSealed(door, Setting.wifi, wifiValue(wifi));
  }

  /** The broker of the site. */
  async setBroker(door: string, broker: BrokerPlan): Promise<void> {
    await this.#setSealed(door, Setting.broker, brokerValue(broker));
  }

  /** Sealed once: what was sealed is what the table digest counts. */
  #setSealed(door: string, setting: number, plain: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const at = this.directory.door(door);
      if (equal(at.sealed.get(setting) ?? NOTHING, plain)) return;
      await this.#commit({ t: "sealed", door, setting, plain, value: this.#seal(at.lock, setting, plain) });
    });
  }

  #seal(record: LockRecord | undefined, setting: number, plain: Uint8Array): Uint8Array {
    if (record === undefined) return NOTHING;
    const nonce = new Uint8Array(SEAL_NONCE_BYTES);
    this.#hosts.random(nonce);
    const { crypto } = this.#hosts;
    return sealWith(crypto, record.keys.sealKey, nonce, settingAad(record.lock, setting), plain);
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

  // ---- keys and clocks

  /**
   * Makes a fresh key, with which everything is signed from now on (rule P7). The keys before it are good no more, unless `keepsOld`: then
   * what couriers carry already still opens. Locks learn of it with their next mail.
   */
  rotateKeys(keepsOld = false): Promise<void> {
    return this.#inTurn(async () => {
      if (this.signers.keyset === MAX_U32) throw new RangeError("keys: no number is left for another keyset");
      await this.#commit({ t: "keys", issuer: this.#seed(), keepsOld });
    });
  }

  /** Lets the owner's root set the clock of a lock, also back: mends what a wrong clock of an issuer has done (rule T13). */
  raiseTimeEpoch(lock: string): Promise<void> {
    return this.#inTurn(async () => {
      const epoch = this.#account.lock(lock).timeEpoch + 1;
      if (epoch > MAX_TIME_EPOCH) throw new RangeError("time epoch: none is left");
      await this.#commit({ t: "time-epoch", lock, epoch });
    });
  }

  /** The owner consents to a factory reset of a lock, which is done at the lock itself, or does so no more (rule X11). */
  consentToReset(lock: string, consents = true): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#account.lock(lock).consentsToReset !== consents)
        await this.#commit({ t: "reset", lock, consents });
    });
  }

  /** The next mail for a lock begins with a whole new table, signed then (rule S9). */
  rebase(lock: string): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#account.lock(lock).wantsRebase) await this.#commit({ t: "rebase-wanted", lock });
    });
  }

  // ---- mail

  /**
   * What a lock with this status should be sent now, in this order: claim and keyset where it lacks them, a whole new table where one is
   * wanted, a question for acks that were lost, and at most `most` bundles from its position on. Stored bundles go out as they are, a
   * bundle that the lock has in part as a whole; a new one is signed only when nothing stored is left. `now` is UTC seconds.
   */
  mail(lock: string, status: LockStatus, now: number, most = 1): Promise<Mail[]> {
    return this.#inTurn(async () => {
      const bound = this.#account.lock(lock);
      const isUnclaimed = (status.flags & StatusFlag.unclaimed) !== 0;
      const mail: Mail[] = isUnclaimed ? [{ type: Type.claim, body: bound.record.ticket }] : [];
      if (isUnclaimed || status.keyset < this.signers.keyset)
        mail.push({ type: Type.keys, body: this.keyset(lock) });
      if (bound.wantsRebase && !isUnclaimed) await this.#signRebase(lock, now);
      const { ledger, rebase } = bound;
      const { log } = ledger;
      if (!isUnclaimed && rebase?.epoch === log.epoch && status.epoch < log.epoch)
        return [...mail, ...rebaseMail(rebase)];
      const isFresh = isUnclaimed && log.acknowledged === 0;
      const isOurs = !isUnclaimed && status.epoch === log.epoch;
      const applied = isOurs ? status.applied : 0;
      // Only a signed receipt can tell of another epoch, of acks that got lost, or of positions that were never signed here.
      if (!isUnclaimed && (!isOurs || !log.isBegun || applied > log.acknowledged))
        mail.push(askMail(log.acknowledged + 1));
      if (!isFresh && !isOurs) return mail;
      return [...mail, ...(await this.#bundles(lock, applied + 1, now, most))];
    });
  }

  async #bundles(lock: string, from: number, now: number, most: number): Promise<Mail[]> {
    const { ledger } = this.#account.lock(lock);
    const bundles: Mail[] = [];
    for (let seq = from; bundles.length < most && !ledger.isForked; ) {
      const { log } = ledger;
      if (seq > log.signed + 1 || (seq > log.signed && !(await this.#sign(lock, now)))) break;
      const stored = log.bundleAt(seq);
      if (stored === undefined) break;
      if (!isGoodKey(this.signers, stored.kid)) await this.#signAgain(lock, stored, now);
      bundles.push({ type: Type.bundle, body: log.bundleAt(seq)?.bytes ?? stored.bytes });
      seq = stored.first + stored.count;
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

  /** Signs a stored bundle with the newest key: the same deltas at the same positions (rules P7, S1). */
  async #signAgain(lock: string, { first, bytes }: StoredBundle, issuedAt: number): Promise<void> {
    const { record, ledger } = this.#account.lock(lock);
    const before = ledger.log.head(first - 1);
    if (before === undefined) throw new Error(`bundle from ${first}: its log begins behind it`);
    const head = { lock: record.lock, epoch: ledger.log.epoch, first, before, issuedAt, notAfter: 0 };
    const bundle = signBundle(this.#hosts.crypto, this.signers.issuer, head, deltasOf(bytes).deltas);
    await this.#commit({ t: "resigned", lock, bundle });
  }

  /** Signs and stores a whole new table. */
  async #signRebase(lock: string, issuedAt: number): Promise<void> {
    const { crypto } = this.#hosts;
    const { record, ledger, door } = this.#account.lock(lock);
    const parts = partsOf(ledger.wholeTable(MODELS[door.row.profile]));
    const head = { lock: record.lock, epoch: ledger.nextEpoch, issuedAt, base: REBASE_BASE };
    const prints = parts.map((part) => partPrint(crypto, part));
    const order = signRebase(crypto, this.signers.owner, head, prints);
    await this.#commit({ t: "rebase", lock, order, parts });
  }

  /** The body of the claim ticket of a lock. */
  claim(lock: string): Uint8Array {
    return this.#account.lock(lock).record.ticket;
  }

  /** The body of a keyset message for a lock, signed by the owner's root. */
  keyset(lock: string): Uint8Array {
    return keysetBody(this.#hosts.crypto, this.signers, this.#account.lock(lock).record);
  }

  /** What a session brings once, beside {@link mail}: the owner's consent to a factory reset. */
  errands(lock: string): Mail[] {
    return resetMail(this.#hosts.crypto, this.signers, this.#account.lock(lock));
  }

  /**
   * The body of an answer to the nonce of a lock's status. `now` is UTC seconds; the lock takes it for 30 seconds. `refusal` is the code
   * with which the lock refused the answer before to the same nonce: the owner's root sets a clock only into a time epoch above its own.
   */
  timeAnswer(lock: string, nonce: Uint8Array, now: number, refusal?: number): Uint8Array {
    const { record, timeEpoch } = this.#account.lock(lock);
    if (refusal === Code.unknownKey) this.#epochTaken.set(lock, timeEpoch);
    const isTaken = timeEpoch === (this.#epochTaken.get(lock) ?? 0);
    const { owner, issuer } = this.signers;
    const answer = { lock: record.lock, nonce, time: now, timeEpoch };
    return signTime(this.#hosts.crypto, isTaken ? issuer : owner, answer);
  }

  /**
   * The body of a sign of life (rules S12, K2, L3): up to where receipts and events have come home. Undefined where nothing may be signed.
   * A later one never tells an earlier time, and never the same time for other numbers.
   */
  heartbeat(lock: string, now: number): Uint8Array | undefined {
    const { record, ledger, events } = this.#account.lock(lock);
    const { log, isForked } = ledger;
    if (isForked) return undefined;
    const last = this.#heartbeats.get(lock);
    const numbers = { epoch: log.epoch, acks: log.acknowledged, events: events.next };
    const isSame = last !== undefined && sameValue({ ...numbers, issuedAt: last.issuedAt }, last);
    const least = Math.max(log.issuedAt, isSame ? last.issuedAt - 1 : (last?.issuedAt ?? 0)) + 1;
    const heartbeat = { ...numbers, issuedAt: Math.max(now, least) };
    this.#heartbeats.set(lock, heartbeat);
    return signHeartbeat(this.#hosts.crypto, this.signers.issuer, { lock: record.lock, ...heartbeat });
  }

  /**
   * Takes a whole receipt message that came from a lock by any way and however late. One that is not the lock's own changes nothing;
   * one that tells nothing new is not kept.
   */
  receive(lock: string, message: Uint8Array): Promise<Received> {
    return this.#inTurn(async () => {
      const { ledger, events, record } = this.#account.lock(lock);
      const opened = openReceipt(this.#hosts.crypto, record, message);
      if (typeof opened === "string") return { refused: opened };
      const { receipt, envelope } = opened;
      if (!ledger.isNews(receipt) && !events.contradicts(receipt)) return { outcomes: [], alarms: [] };
      const before = ledger.alarms.length;
      const outcomes = await this.#commit({ t: "receipt", lock, receipt: envelope });
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
    return this.#inTurn(async () => {
      const { ledger, events, record } = this.#account.lock(lock);
      const opened = openPage(this.#hosts.crypto, record, message);
      if (typeof opened === "string") return { refused: opened };
      const { page, plain } = opened;
      const [known, gaps, raised] = [events.kept.length, events.gaps.length, ledger.alarms.length];
      const seq = events.conflict(page);
      const alarm = { kind: "events-changed", epoch: ledger.log.epoch, seq } as const;
      if (events.isNews(page) || (seq > 0 && !ledger.isRaised(alarm)))
        await this.#commit({ t: "page", lock, page: plain });
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

  /** The body of the question whether a person, or anyone below, has a slot at a lock; undefined for one who never had an id there (rule K7). */
  absenceQuestion(lock: string, person: string): Uint8Array | undefined {
    return absenceBody(this.#account.lock(lock), person);
  }

  /** An attempt to deliver what is signed for a lock ended without an answer; the third makes it unconfirmed. */
  attemptFailed(lock: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#account.lock(lock).ledger.isWaiting) await this.#commit({ t: "unanswered", lock });
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
