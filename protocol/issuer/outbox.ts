// What goes out to locks (rules P7, S1, S9, S12, S13): mail, in the order in which a lock can use it, answers to its questions for the time,
// signs of life. Signed bytes are stored before they are handed out, so that no position is ever signed twice with different content,
// whenever the power goes.

import type { Mail } from "../courier/courier";
import type { Crypto } from "../crypto/port";
import { Code } from "../wire/codes";
import type { Status } from "../wire/messages";
import { StatusFlag, Type } from "../wire/messages";
import type { Account } from "./account";
import { signBundle, signHeartbeat, signRebase, signTime } from "./encode";
import { sameValue } from "./facts";
import type { Journal } from "./journal";
import type { StoredBundle } from "./log";
import { deltasOf } from "./log";
import type { SignConsent } from "./mail";
import { askMail, consentOf, isGoodKey, keysetBody } from "./mail";
import { partPrint, partsOf, rebaseMail } from "./rebase";
import { MODELS, REBASE_BASE } from "./whole-table";

/** What mail is chosen by. It is not signed, so nothing but the choice depends on it. */
export type LockStatus = Pick<Status, "epoch" | "applied" | "flags" | "keyset">;

export class Outbox {
  readonly #journal: Journal;
  readonly #account: Account;
  readonly #crypto: Crypto;
  /** The last sign of life for each lock; only the lock depends on it, so it is not in the journal. */
  readonly #heartbeats = new Map<string, { epoch: number; acks: number; events: number; issuedAt: number }>();
  /** Time epochs that locks are known to be in. */
  readonly #epochTaken = new Map<string, number>();

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#account = journal.account;
    this.#crypto = journal.hosts.crypto;
  }

  /**
   * What a lock with this status should be sent now, in this order: claim and keyset where it lacks them, a whole new table where one is
   * wanted, a question for acks that were lost, and at most `most` bundles from its position on. Stored bundles go out as they are, a
   * bundle that the lock has in part as a whole; a new one is signed only when nothing stored is left. `now` is UTC seconds.
   */
  mail(lock: string, status: LockStatus, now: number, most = 1): Promise<Mail[]> {
    return this.#journal.inTurn(async () => {
      const bound = this.#account.lock(lock);
      const isUnclaimed = (status.flags & StatusFlag.unclaimed) !== 0;
      const mail: Mail[] = isUnclaimed ? [{ type: Type.claim, body: bound.record.ticket }] : [];
      if (isUnclaimed || status.keyset < this.#journal.signers.keyset)
        mail.push({ type: Type.keys, body: this.keyset(lock) });
      if (bound.wantsRebase && !isUnclaimed) await this.#signRebase(lock, now);
      const { ledger, rebase } = bound;
      const { log } = ledger;
      if (!isUnclaimed && rebase?.epoch === log.epoch && status.epoch < log.epoch)
        return rebase.refusal === undefined ? [...mail, ...rebaseMail(rebase)] : mail;
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
      if (!isGoodKey(this.#journal.signers, stored.kid)) await this.#signAgain(lock, stored, now);
      bundles.push({ type: Type.bundle, body: log.bundleAt(seq)?.bytes ?? stored.bytes });
      seq = stored.first + stored.count;
    }
    return bundles;
  }

  /** Signs and stores the next bundle. False when there is none. */
  async #sign(lock: string, now: number): Promise<boolean> {
    const next = this.#account.lock(lock).ledger.next(now);
    if (next === undefined) return false;
    const bundle = signBundle(this.#crypto, this.#journal.signers.issuer, next.head, next.deltas);
    await this.#journal.commit({ t: "signed", lock, bundle });
    return true;
  }

  /** Signs a stored bundle with the newest key: the same deltas at the same positions (rules P7, S1). */
  async #signAgain(lock: string, { first, bytes }: StoredBundle, issuedAt: number): Promise<void> {
    const { record, ledger } = this.#account.lock(lock);
    const before = ledger.log.head(first - 1);
    if (before === undefined) throw new Error(`bundle from ${first}: its log begins behind it`);
    const head = { lock: record.lock, epoch: ledger.log.epoch, first, before, issuedAt, notAfter: 0 };
    const bundle = signBundle(this.#crypto, this.#journal.signers.issuer, head, deltasOf(bytes).deltas);
    await this.#journal.commit({ t: "resigned", lock, bundle });
  }

  /** Signs and stores a whole new table. */
  async #signRebase(lock: string, issuedAt: number): Promise<void> {
    const { record, ledger, door } = this.#account.lock(lock);
    const parts = partsOf(ledger.wholeTable(MODELS[door.row.profile]));
    const head = { lock: record.lock, epoch: ledger.nextEpoch, issuedAt, base: REBASE_BASE };
    const prints = parts.map((part) => partPrint(this.#crypto, part));
    const order = signRebase(this.#crypto, this.#journal.signers.owner, head, prints);
    await this.#journal.commit({ t: "rebase", lock, order, parts });
  }

  /** The body of the claim ticket of a lock. */
  claim(lock: string): Uint8Array {
    return this.#account.lock(lock).record.ticket;
  }

  /** The body of a keyset message for a lock, signed by the owner's root. */
  keyset(lock: string): Uint8Array {
    return keysetBody(this.#crypto, this.#journal.signers, this.#account.lock(lock).record);
  }

  /** How the owner consents to a factory reset of a lock, once the lock has given its nonce; undefined where the owner does not. */
  consent(lock: string): SignConsent | undefined {
    return consentOf(this.#crypto, this.#journal.signers, this.#account.lock(lock));
  }

  /**
   * The body of an answer to the nonce of a lock's status. `now` is UTC seconds; the lock takes it for 30 seconds. `refusal` is the code
   * with which the lock refused the answer before to the same nonce: the owner's root sets a clock only into a time epoch above its own.
   */
  timeAnswer(lock: string, nonce: Uint8Array, now: number, refusal?: number): Uint8Array {
    const { record, timeEpoch } = this.#account.lock(lock);
    if (refusal === Code.unknownKey) this.#epochTaken.set(lock, timeEpoch);
    const isTaken = timeEpoch === (this.#epochTaken.get(lock) ?? 0);
    const { owner, issuer } = this.#journal.signers;
    const answer = { lock: record.lock, nonce, time: now, timeEpoch };
    return signTime(this.#crypto, isTaken ? issuer : owner, answer);
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
    return signHeartbeat(this.#crypto, this.#journal.signers.issuer, { lock: record.lock, ...heartbeat });
  }
}
