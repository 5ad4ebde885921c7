// What an owner sets at doors: each setting is judged, written to the journal, and wanted of the door's lock. Secret ones are sealed for the
// lock here, once: what was sealed is what the table digest counts.

import { sealWith, settingAad } from "../crypto/seal";
import { equal } from "../wire/bytes";
import { SEAL_NONCE_BYTES } from "../wire/limits";
import type { LockoutPolicy, OfflineCode, OfflinePolicy } from "../wire/settings";
import { packLocalCodes, packNone, Setting } from "../wire/settings";
import type { Directory } from "./directory";
import type { Fact, LockRecord } from "./facts";
import { sameValue } from "./facts";
import type { Journal } from "./journal";
import { deniedIn, deniedValue, isAmong, isOver, offlineText } from "./offline";
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

const NOTHING = new Uint8Array(0);

/**
 * The settings of doors. Each method rejects with a RangeError what no lock takes, and a door that there is not; it changes nothing where
 * it is set so already.
 */
export class DoorSettings {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Sets one of `Setting` as bytes, but the zone, which comes with the door, and what {@link setMaster} and {@link setHours} set. */
  set(door: string, setting: number, value: Uint8Array): Promise<void> {
    return this.#journal.inTurn(async () => {
      const has = this.#directory.door(door).settings.get(setting);
      const before = has ?? (setting >= Setting.holiday ? packNone() : NOTHING);
      if (!equal(directValue(setting, value), before))
        await this.#journal.commit({ t: "setting", door, setting, value });
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

  /**
   * Denies one offline code to the end of its window (rule C23); the others of its kind stay as they are. Those that are over go from the list.
   * `now` is UTC seconds. Rejects also where the code is over itself, and where the lock keeps no more of them.
   */
  denyOffline(door: string, code: OfflineCode, now: number): Promise<void> {
    return this.#setDenied(door, now, (live, isDone) => {
      if (isDone(code))
        throw new RangeError(`${offlineText(code)} at ${door}: it is over, and opens nothing any more`);
      return isAmong(code, live) ? live : [...live, code];
    });
  }

  /** Takes back {@link denyOffline}. */
  allowOffline(door: string, code: OfflineCode, now: number): Promise<void> {
    return this.#setDenied(door, now, (live) => live.filter((other) => !isAmong(other, [code])));
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

  /** Holiday `n` of 0 to 63, undefined for none (rule T7). */
  async setHoliday(door: string, n: number, holiday: HolidayPlan | undefined): Promise<void> {
    await this.set(door, holidaySetting(n), holidayValue(holiday));
  }

  /** The PIN that opens whatever the hours and the mode are, undefined for none (rule C17). */
  setMaster(door: string, pin: string | undefined): Promise<void> {
    return this.#journal.inTurn(async () => {
      const at = this.#directory.door(door);
      if (pin !== undefined) checkMaster(this.#directory, at, pin);
      if ((pin ?? "") !== (at.master ?? ""))
        await this.#journal.commit({ t: "master", door, pin: pin ?? "" });
    });
  }

  /** The hours in which the door unlocks itself, undefined for none (rule T16). Their schedule stays at the lock as long. */
  setHours(door: string, hours: HoursPlan | undefined): Promise<void> {
    return this.#journal.inTurn(async () => {
      const at = this.#directory.door(door);
      if (hours !== undefined) checkHours(this.#directory, hours);
      if (!sameValue(hours ?? NO_HOURS, at.hours ?? NO_HOURS))
        await this.#journal.commit({ t: "hours", door, hours: hours ?? NO_HOURS });
    });
  }

  /** The secret settings of a door, sealed for the lock of a record: for a door that gets another lock, or another claim of it. */
  sealedFor(door: string, record: LockRecord): Fact[] {
    return Array.from(this.#directory.door(door).sealed, ([setting, plain]): Fact => {
      return { t: "sealed", door, setting, plain, value: this.#seal(record, setting, plain) };
    });
  }

  /** Makes another list of denied codes of the one that there is, without those that are over. */
  #setDenied(
    door: string,
    now: number,
    change: (live: readonly OfflineCode[], isDone: (code: OfflineCode) => boolean) => readonly OfflineCode[],
  ): Promise<void> {
    return this.#journal.inTurn(async () => {
      const { settings, row } = this.#directory.door(door);
      const before = settings.get(Setting.offlineDenied);
      const isDone = (code: OfflineCode) => isOver(code, row.zone, this.#journal.hosts.offsetOf, now);
      const live = deniedIn(before).filter((code) => !isDone(code));
      const value = deniedValue(change(live, isDone));
      if (!equal(value, before ?? packNone()))
        await this.#journal.commit({ t: "setting", door, setting: Setting.offlineDenied, value });
    });
  }

  get #directory(): Directory {
    return this.#journal.account.directory;
  }

  #setSealed(door: string, setting: number, plain: Uint8Array): Promise<void> {
    return this.#journal.inTurn(async () => {
      const at = this.#directory.door(door);
      if (equal(at.sealed.get(setting) ?? NOTHING, plain)) return;
      await this.#journal.commit({
        t: "sealed",
        door,
        setting,
        plain,
        value: this.#seal(at.lock, setting, plain),
      });
    });
  }

  #seal(record: LockRecord | undefined, setting: number, plain: Uint8Array): Uint8Array {
    if (record === undefined) return NOTHING;
    const { crypto } = this.#journal.hosts;
    const nonce = this.#journal.random(SEAL_NONCE_BYTES);
    return sealWith(crypto, record.keys.sealKey, nonce, settingAad(record.lock, setting), plain);
  }
}
