// The ledger of one lock (rules A37–A41, K4, K5, S2, S9, S13, C20): what is wanted of it, what was signed for it, what it has
// acknowledged. Deterministic: the same calls in the same order give the same ledger, which is how it comes back from the journal.
// It signs nothing and sends nothing; it never changes a position that was signed.

import type { Crypto } from "../crypto/port";
import { equal } from "../wire/bytes";
import { Code, CodeClass, codeClass, codeName } from "../wire/codes";
import type { DeltaFields } from "../wire/deltas";
import { Op } from "../wire/deltas";
import { Kind } from "../wire/entry";
import { MAX_SEQ } from "../wire/limits";
import type { RebaseOrder } from "../wire/payloads";
import type { Receipt } from "../wire/receipt";
import type { Window } from "../wire/windows";
import type { BundleHead } from "./encode";
import { BundleRoom, encodeDelta } from "./encode";
import type { Content, Credential, Item, SettingItem } from "./items";
import { credentialKey, isForDuress, newItem, sameContent, settingKey, wantAnew } from "./items";
import type { Position } from "./log";
import { fieldsOf, Log } from "./log";
import type { Wants } from "./plan";
import { itemKey, plan, revocations, slotsByKey } from "./plan";
import type { Alarm, Mark, Verdict } from "./receipts";
import { isExplained, judge, markOf } from "./receipts";
import { ScheduleBook } from "./schedule-book";
import { Table } from "./table";
import type { Model } from "./whole-table";
import { fitted, REBASE_BASE } from "./whole-table";

/** How often a delta is planned again after one before it was refused. */
const MAX_RETRIES = 2;

/** Why a lock should get a whole new table. */
export type RebaseReason = "full" | "forked" | "diverged";

/** A position that got its answer. */
export interface Outcome {
  readonly seq: number;
  /** One of `Op`. */
  readonly op: number;
  /** What it served: `user:kind`, `user:kind:duress`, `schedule:id`, `setting:id`, `revoke:user`, or nothing that is still known. */
  readonly item: string;
  readonly code: number;
  readonly state: "confirmed" | "failed";
}

export class Ledger {
  readonly lock: Uint8Array;
  log: Log;
  /** No longer signed for: the lock, or this store, is not what it was. */
  isForked = false;
  latest: Mark | undefined;
  readonly alarms: Alarm[] = [];
  readonly credentials = new Map<string, Credential>();
  readonly settings = new Map<number, SettingItem>();
  readonly schedules = new ScheduleBook(
    (id) => this.log.projection().schedules.has(id) || this.log.mirror.schedules.has(id),
  );
  readonly #crypto: Crypto;
  #revokes: number[] = [];
  /** Users for whom something was signed and not revoked since. */
  readonly #known = new Set<number>();
  readonly #stuckSchedules = new Set<number>();
  /** Digests that the lock told of positions up to which not everything is acknowledged yet. */
  #checks: { readonly seq: number; readonly digest: Uint8Array }[] = [];

  /** `epoch` is the one that the lock's claim is expected to begin. */
  constructor(crypto: Crypto, lock: Uint8Array, epoch: number) {
    this.#crypto = crypto;
    this.lock = lock;
    this.log = new Log(crypto, lock, epoch);
  }

  // ---- what is wanted

  /** Wants exactly these credentials of a user, at most one of each key. Nothing changes for those that are wanted already. */
  want(user: number, who: string, contents: readonly Content[]): void {
    for (const kind of Object.values(Kind))
      for (const isDuress of [false, true]) {
        const key = credentialKey(user, kind, isDuress);
        const content = contents.find((one) => one.kind === kind && isForDuress(one) === isDuress);
        const known = this.credentials.get(key);
        if (known === undefined && content === undefined) continue;
        const credential = known ?? { ...newItem(key), user, who, kind, isDuress };
        this.credentials.set(key, credential);
        this.#set(credential, content);
      }
  }

  #set(credential: Credential, content: Content | undefined): void {
    const before = credential.content;
    if (sameContent(before, content)) return;
    this.schedules.enter(content?.schedule ?? "");
    this.schedules.leave(before?.schedule ?? "");
    credential.content = content;
    wantAnew(credential);
    // What was never signed leaves no trace.
    if (content === undefined && credential.last === 0) this.credentials.delete(credential.key);
  }

  /** Wants a setting; `schedule` names the one whose id takes the place of the value's first byte. */
  wantSetting(id: number, value: Uint8Array, schedule = ""): void {
    const item = this.settings.get(id);
    if (item !== undefined && equal(item.value, value) && item.schedule === schedule) return;
    this.schedules.enter(schedule);
    if (item === undefined) {
      this.settings.set(id, { ...newItem(settingKey(id)), id, value, schedule });
      return;
    }
    this.schedules.leave(item.schedule);
    item.value = value;
    item.schedule = schedule;
    wantAnew(item);
  }

  /** Names a schedule's windows; the lock learns them when a credential needs them. */
  defineSchedule(name: string, windows: readonly Window[]): void {
    this.schedules.define(name, windows);
  }

  /**
   * Revokes a user, given first, with everyone below, whose credentials are wanted no more already. Nothing is to be done where nothing
   * was ever signed for any of them.
   */
  revoke(users: readonly number[]): void {
    if (users.some((user) => this.#known.has(user)))
      this.#revokes.push(...revocations(users, this.log.projection()));
    for (const user of users) this.#known.delete(user);
  }

  // ---- signing

  #wants(): Wants {
    const { credentials, settings, schedules } = this;
    return { revokes: this.#revokes, credentials, settings, schedules, stuckSchedules: this.#stuckSchedules };
  }

  /** Whether something is wanted that is not signed. */
  get hasWork(): boolean {
    const first = plan(this.#wants(), this.log.projection()).next();
    return first.done !== true;
  }

  /** The deltas of the next bundle, and its head: as many as fit. Undefined when nothing is left to sign, or nothing may be. */
  next(issuedAt: number): { head: BundleHead; deltas: Uint8Array[] } | undefined {
    const { log } = this;
    const before = log.head(log.signed);
    if (this.isForked || before === undefined) return undefined;
    const head = { lock: this.lock, epoch: log.epoch, first: log.signed + 1, before, issuedAt, notAfter: 0 };
    const room = new BundleRoom(head);
    const table = new Table(undefined, log.projection());
    const deltas: Uint8Array[] = [];
    for (const delta of plan(this.#wants(), table)) {
      const bytes = encodeDelta(delta);
      const seq = head.first + deltas.length;
      if (seq > MAX_SEQ || !room.take(bytes)) break;
      deltas.push(bytes);
      table.apply(seq, fieldsOf(bytes), Code.applied);
    }
    return deltas.length > 0 ? { head, deltas } : undefined;
  }

  /** Takes a bundle that was signed again by a newer key and is stored now. */
  resigned(bundle: Uint8Array): void {
    this.log.replace(bundle);
  }

  /** Takes a bundle that was made of {@link next} and is stored now. */
  signed(bundle: Uint8Array): void {
    this.log.append(bundle, (delta) => this.#serve(delta));
    const { first } = this.log.bundles[this.log.bundles.length - 1];
    for (const { seq, item } of this.log.after(first - 1)) {
      const served = this.#item(item);
      if (served !== undefined) served.last = seq;
    }
  }

  /** The item that a delta serves; called before the delta counts in the projection. */
  #serve(delta: DeltaFields): { item: string; version: number } {
    const key = itemKey(delta, this.log.projection());
    if (delta.op === Op.put) this.#known.add(delta.entry.user);
    if (delta.op === Op.revoke) this.#revokes = this.#revokes.filter((user) => user !== delta.user);
    if (delta.op === Op.putSchedule) this.#stuckSchedules.delete(delta.id);
    return { item: key, version: this.#item(key)?.version ?? 0 };
  }

  #item(key: string): Item | undefined {
    const [kind, id] = key.split(":");
    if (kind === "schedule") return this.schedules.items.get(Number(id));
    if (kind === "setting") return this.settings.get(Number(id));
    return this.credentials.get(key);
  }

  // ---- receipts

  /** What a receipt means, whose signature was verified. */
  judge(receipt: Receipt): Verdict {
    return judge(this.log, this.latest, receipt);
  }

  /** Whether taking a receipt would change anything. */
  isNews(receipt: Receipt): boolean {
    const { alarms, answers, isLatest, isOurs } = this.judge(receipt);
    const isHigher = isOurs && (receipt.applied > this.log.applied || !this.log.isBegun);
    return isLatest || answers.length > 0 || isHigher || alarms.some((alarm) => !this.isRaised(alarm));
  }

  /** Takes a receipt whose signature was verified, and tells the positions that it answered. */
  take(receipt: Receipt): Outcome[] {
    // A claim begins an epoch above the lock's last one, and the lock may have had owners before.
    const isFirst = this.latest === undefined || this.latest.epoch < this.log.epoch;
    if (isFirst && this.log.base === 0 && receipt.epoch > this.log.epoch) this.#begin(receipt.epoch);
    const { alarms, answers, isLatest, isOurs } = this.judge(receipt);
    if (isLatest) this.latest = markOf(receipt);
    for (const alarm of alarms) this.raise(alarm);
    if (!isOurs) return [];
    const { log } = this;
    log.begin();
    log.applied = Math.max(log.applied, receipt.applied);
    for (const [seq, code] of answers) log.answer(seq, code);
    log.advance((position, delta) => this.#settle(position, delta));
    const inferred = this.#infer(receipt);
    this.#check(receipt);
    this.#sweep();
    return [...inferred, ...answers.map(([seq]) => seq)].map((seq) => {
      const { item, delta, code = Code.applied } = log.position(seq) as Position;
      const state = codeClass(code) === CodeClass.done ? "confirmed" : "failed";
      return { seq, op: fieldsOf(delta).op, item, code, state };
    });
  }

  /**
   * Deals with answers that the lock has no more. It shows in a receipt that begins behind the first missing answer and not where a
   * bundle does: asked for acks from that answer on, the lock gave the oldest that it keeps.
   */
  #infer({ applied, first, digest }: Receipt): number[] {
    const { log } = this;
    const { missing, epoch } = log;
    const isLost = missing > 0 && first > missing && log.bundleAt(first)?.first !== first;
    if (!isLost) return [];
    const inferred = log.infer(applied, digest);
    const text = `answers from ${missing} on are lost`;
    if (inferred === undefined) this.raise({ kind: "lost-acks", epoch, seq: missing, text });
    log.advance((position, delta) => this.#settle(position, delta));
    return inferred ?? [];
  }

  #begin(epoch: number): void {
    this.#turnTo(new Log(this.#crypto, this.lock, epoch));
    this.#sweep();
  }

  #turnTo(log: Log): void {
    this.log = log;
    this.#checks = [];
    this.#revokes = [];
    this.#known.clear();
    for (const item of [...this.credentials.values(), ...this.settings.values()]) item.last = 0;
  }

  // ---- rebase

  /**
   * The whole table that is wanted: with all that is signed and all that is not, but without what a lock of this model may refuse. That
   * is signed behind it, and gets its answer. Without a digest.
   */
  wholeTable(model: Model): Table {
    const table = new Table(undefined, this.log.projection());
    for (const delta of plan(this.#wants(), table))
      table.apply(REBASE_BASE, fieldsOf(encodeDelta(delta)), Code.applied);
    return fitted(table, this.log.mirror, model);
  }

  /** Takes a rebase that is stored: from here on everything is signed in its epoch (rule S9). */
  rebased({ epoch, base, issuedAt }: RebaseOrder, table: Table): void {
    if (epoch <= this.log.epoch)
      throw new Error(`rebase to epoch ${epoch}: wanted one above ${this.log.epoch}`);
    const log = new Log(this.#crypto, this.lock, epoch, { base, table, before: this.log.mirror });
    log.issuedAt = Math.max(this.log.issuedAt, issuedAt);
    this.#turnTo(log);
    for (const { user } of table.slots.values()) this.#known.add(user);
    this.#stuckSchedules.clear();
    this.isForked = false;
  }

  /** The epoch that a rebase would begin: above every one that the lock was seen in. */
  get nextEpoch(): number {
    return Math.max(this.log.epoch, this.latest?.epoch ?? 0) + 1;
  }

  /** Why only a whole new table helps here; undefined where nothing speaks for it. */
  get needsRebase(): RebaseReason | undefined {
    if (this.isForked) return "forked";
    if (this.log.signed >= MAX_SEQ && this.hasWork) return "full";
    const { epoch } = this.log;
    const isDiverged = this.alarms.some((alarm) => alarm.kind === "divergence" && alarm.epoch === epoch);
    return isDiverged ? "diverged" : undefined;
  }

  /** Whether an alarm of this kind stands already for this place. */
  isRaised({ kind, epoch, seq }: Pick<Alarm, "kind" | "epoch" | "seq">): boolean {
    return this.alarms.some((alarm) => alarm.kind === kind && alarm.epoch === epoch && alarm.seq === seq);
  }

  raise(alarm: Alarm): void {
    if (!this.isRaised(alarm)) this.alarms.push(alarm);
    if (alarm.kind === "fork" || alarm.kind === "foreign-epoch") this.isForked = true;
  }

  /** Compares digests at positions up to which everything is acknowledged now. */
  #check({ applied, digest }: Receipt): void {
    const { epoch } = this.log;
    this.#checks.push({ seq: applied, digest: digest.slice() });
    this.#checks = this.#checks.filter((told) => {
      const own = this.log.digest(told.seq);
      if (own !== undefined && !equal(own, told.digest))
        this.raise({
          kind: "divergence",
          epoch,
          seq: told.seq,
          text: `another table at position ${told.seq}`,
        });
      return own === undefined;
    });
  }

  /** Draws the consequences of a refusal; the mirror stands as the lock found its table. */
  #settle(position: Position, delta: DeltaFields): void {
    const { seq, code = Code.applied, version } = position;
    if (codeClass(code) === CodeClass.done) return;
    const item = this.#item(position.item);
    const isStale = item !== undefined && item.version !== version;
    if (isStale) return;
    if (item !== undefined && isExplained(this.log.mirror, delta, code) && item.retries < MAX_RETRIES) {
      item.retries++;
      return;
    }
    if (item !== undefined) item.failure = { version, code };
    if (delta.op === Op.dropSchedule) this.#stuckSchedules.add(delta.id);
    const removes = delta.op === Op.revoke || delta.op === Op.drop || delta.op === Op.disable;
    if (removes) {
      const { epoch } = this.log;
      this.raise({ kind: "not-removed", epoch, seq, text: `${codeName(code)} as the answer to ${seq}` });
    }
  }

  /** Forgets credentials that nobody wants and that are gone for good. */
  #sweep(): void {
    if (this.log.acknowledged < this.log.signed) return;
    const slots = slotsByKey(this.log.mirror);
    for (const { key, content } of this.credentials.values())
      if (content === undefined && !slots.has(key)) this.credentials.delete(key);
  }

  /** Whether a lock owes an answer to something that is signed. */
  get isWaiting(): boolean {
    return !this.log.isBegun || this.log.unanswered().next().done !== true;
  }

  /** An attempt to deliver what is signed ended without an answer. */
  unanswered(): void {
    if (!this.log.isBegun) this.log.attempts++;
    for (const position of this.log.unanswered()) position.attempts++;
  }
}
