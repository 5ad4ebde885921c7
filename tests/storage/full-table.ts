// A table with every slot occupied, updated and looked after as a lock does it, on a flash that counts: what wear, endurance and
// memory are measured on. It remembers what each slot must hold, so a run can end with the proof that it does.

import { Applier } from "../../firmware/core/apply";
import { TableDigest } from "../../firmware/core/digest";
import { LocalCodes } from "../../firmware/core/local-codes";
import { Policy } from "../../firmware/core/policy";
import { LOCK_1000, type Profile } from "../../firmware/core/profile";
import { Table } from "../../firmware/core/storage/table";
import { getU32, putU32 } from "../../protocol/wire/bytes";
import { Code } from "../../protocol/wire/codes";
import { emptyDelta, Op } from "../../protocol/wire/deltas";
import { emptyEntry, Kind, Role } from "../../protocol/wire/entry";
import { HEAD_BYTES, MAX_PIN_DIGITS, MAX_WINDOWS } from "../../protocol/wire/limits";
import { Setting } from "../../protocol/wire/settings";
import { node } from "../../simulator/board/crypto";
import { NorFlash } from "../../simulator/board/nor";
import { Dice } from "../support/dice";

/** A bundle's deltas at most; the lock takes one step of housekeeping for each bundle, and one for each tick. */
export const BUNDLE = 32;

/** What is noted of a use. */
const USE = { used: true, left: 7, firstUse: 1 };
/** Steps of housekeeping that a full partition may need. */
const STEPS = 4;
/** As long as a zone gets. */
const SETTING_BYTES = 48;
const YEAR_S = 31_536_000;

export class FullTable {
  /** The id of the lock whose table it is. */
  static readonly LOCK = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  readonly profile: Profile;
  readonly dice: Dice;
  flash: NorFlash;
  table: Table;
  /** The generation that each slot must hold, 0 where it must be empty. */
  readonly generations: Uint32Array;
  /** The generation in which each slot was last used. */
  readonly #used: Uint32Array;
  readonly #entry = emptyEntry();
  readonly #head = new Uint8Array(HEAD_BYTES);

  constructor(profile: Profile = LOCK_1000, dice: Dice = new Dice()) {
    this.profile = profile;
    this.dice = dice;
    this.flash = new NorFlash(profile.credentialBytes);
    this.table = new Table(this.flash, profile, FullTable.LOCK);
    this.table.log.format();
    this.generations = new Uint32Array(profile.slots);
    this.#used = new Uint32Array(profile.slots);
    for (let slot = 0; slot < profile.slots; slot++) {
      if (!this.put(slot)) throw new Error(`slot ${slot} was refused`);
      this.table.maintain();
    }
  }

  /** The next position of the log; heads are numbers here, since nothing below the protocol knows what they mean. */
  #next(): number {
    const seq = this.table.applied + 1;
    putU32(this.#head, HEAD_BYTES - 4, seq);
    this.#head[0] = seq & 0xff;
    return seq;
  }

  /** Users form one family of users 1 to all but one, each with two guests; the last user stands alone. */
  grantorOf(user: number): number {
    return user < this.profile.slots ? user >> 1 : 0;
  }

  /** Whether someone is `user` or has access from them. */
  isBelow(user: number, someone: number): boolean {
    while (someone > user) someone = this.grantorOf(someone);
    return someone === user;
  }

  /** The tag of the put at `seq`: no other put has it. */
  #tag(seq: number, into: Uint8Array): void {
    putU32(into, 0, Math.imul(seq, 0x9e3779b1) >>> 0);
    putU32(into, 4, seq);
  }

  /** Puts a new credential into a slot, occupied or not. False when the table refused. */
  put(slot: number): boolean {
    const seq = this.#next();
    const entry = this.#entry;
    Object.assign(entry, {
      slot,
      kind: Kind.pin,
      role: Role.resident,
      digits: MAX_PIN_DIGITS,
      user: slot + 1,
    });
    Object.assign(entry, {
      generation: seq,
      start: seq,
      end: seq + YEAR_S,
      grantor: this.grantorOf(slot + 1),
    });
    this.#tag(seq, entry.tag);
    if (!this.table.commitSlot(entry, Code.applied, seq, this.#head)) return false;
    this.generations[slot] = seq;
    return true;
  }

  /** Fills all else that a table holds to its limits: schedules, settings, the use of every slot. */
  lade(): this {
    const windows = Uint32Array.from({ length: MAX_WINDOWS }, (_, i) => i + 1);
    const value = new Uint8Array(SETTING_BYTES);
    const { table, profile } = this;
    const { schedules, slots } = profile;
    const done = (isDone: boolean): void => {
      if (!isDone) throw new Error("a full table has no room for what is no slot");
      table.maintain();
    };
    for (let id = 1; id <= schedules; id++)
      done(table.commitSchedule(id, windows, MAX_WINDOWS, this.#next(), this.#head));
    for (const id of Object.values(Setting)) done(table.commitSetting(id, value, this.#next(), this.#head));
    for (let slot = 0; slot < slots; slot++) done(this.use(slot));
    return this;
  }

  /** Notes a use of the credential in a slot. False when the table refused. */
  use(slot: number): boolean {
    if (!this.table.commitUsage(slot, this.generations[slot], USE)) return false;
    this.#used[slot] = this.generations[slot];
    return true;
  }

  /** Empties a slot. False when the table refused. */
  drop(slot: number): boolean {
    if (!this.table.commitOutcome(Code.applied, 0, slot, this.#next(), this.#head)) return false;
    this.generations[slot] = 0;
    return true;
  }

  /** Consumes a position without an effect. False when the table refused. */
  refuse(): boolean {
    return this.table.commitOutcome(Code.duplicate, 0, -1, this.#next(), this.#head);
  }

  /** Revokes a user with everyone below, at any depth, as a delta does it. Gives the count of slots, −1 when the table refused. */
  revoke(user: number): number {
    const delta = { ...emptyDelta(), op: Op.revoke, user };
    const seq = this.#next();
    const { table } = this;
    const digest = new TableDigest(node);
    const applier = new Applier(
      { table, digest, policy: new Policy(), locals: new LocalCodes(table) },
      { open: (_, value) => value },
    );
    const clock = { known: false, now: 0 };
    if (!applier.apply(delta, Code.applied, seq, this.#head, clock, false)) return -1;
    for (let slot = 0; slot < this.profile.slots; slot++)
      if (this.isBelow(user, slot + 1)) this.generations[slot] = 0;
    return this.table.acks.detail(seq);
  }

  /** A power cycle: a table from copied flash bytes. */
  reboot(): void {
    this.flash = new NorFlash(this.flash.bytes.length, this.flash.bytes);
    this.table = new Table(this.flash, this.profile, FullTable.LOCK);
    const state = this.table.mount();
    if (state !== "mounted") throw new Error(`mount: ${state}`);
  }

  /** Slots that hold anything but what they must, or were used otherwise. */
  wrongSlots(): number[] {
    return [...this.generations.keys()].filter((slot) => !this.#isRight(slot, this.generations[slot]));
  }

  #isRight(slot: number, generation: number): boolean {
    const loaded = this.table.load(slot);
    if (generation === 0) return loaded === "empty";
    const { entry, usage } = this.table;
    const tag = new Uint8Array(entry.tag.length);
    this.#tag(generation, tag);
    const isEntry = entry.slot === slot && entry.generation === generation && entry.user === slot + 1;
    if (loaded !== "ok" || !isEntry || getU32(entry.tag, 0) !== getU32(tag, 0)) return false;
    if (!this.table.loadUsage(slot, generation, 0)) return false;
    return usage.used === (this.#used[slot] === generation) && (!usage.used || usage.left === USE.left);
  }

  /** The first seq whose ack is not what it was, of as many as the profile keeps; 0 for none. */
  wrongAck(): number {
    const { acks, applied } = this.table;
    for (let seq = Math.max(1, applied - this.profile.acks + 1); seq <= applied; seq++)
      if (!acks.has(seq) || acks.code(seq) !== Code.applied || acks.fingerprint(seq) !== (seq & 0xff) << 8)
        return seq;
    return 0;
  }
}

/** Updates of single slots, as many as are asked for, a step of housekeeping before each `step` of them. */
export function update(full: FullTable, updates: number, slotOf: (dice: Dice) => number, step = 8): void {
  for (let i = 0; i < updates; i++) {
    if (i % step === 0) full.table.maintain();
    const slot = slotOf(full.dice);
    if (!full.put(slot)) throw new Error(`update ${i}: slot ${slot} was refused`);
  }
}

/**
 * Updates, deletes and uses of a full table, a step of housekeeping before each `step` of them: by default as in bundles as large as
 * they may be, with no tick between. Each deleted slot is put again by the next delta, so the table stays full but for one. Throws at
 * the first refusal, and when in the end, after a reboot, any slot, use or ack is something else than it must.
 */
export function endure(operations: number, full = new FullTable(), step = BUNDLE): void {
  const { dice, profile } = full;
  let emptied = -1;
  for (let i = 0; i < operations; i++) {
    if (i % step === 0) full.table.maintain();
    const slot = emptied >= 0 ? emptied : dice.below(profile.slots);
    const name = emptied >= 0 ? "put" : dice.pick(WORKS);
    if (!full[name](slot)) throw new Error(`operation ${i}: ${name} of slot ${slot} was refused`);
    emptied = name === "drop" ? slot : -1;
  }
  full.reboot();
  const [slots, ack] = [full.wrongSlots(), full.wrongAck()];
  if (slots.length > 0) throw new Error(`after ${operations} operations these slots are wrong: ${slots}`);
  if (ack > 0) throw new Error(`after ${operations} operations the ack ${ack} is wrong`);
}

/** What is done to a full table; most of it are updates. */
const WORKS = ["put", "put", "put", "put", "put", "put", "drop", "drop", "drop", "use"] as const;

/** A full table whose partition takes no ordinary record any more, since nobody looked after it. */
export function packed(): FullTable {
  const full = new FullTable();
  while (full.put(full.dice.below(full.profile.slots)));
  while (full.refuse());
  return full;
}

/** Revokes four times in a partition that is full. Says what is wrong: each must be one program and no erase, and hold. */
export function revokeWhenPacked(): string | undefined {
  const full = packed();
  for (const user of [full.profile.slots - 1, 7, 2, 1]) {
    const before = { ...full.flash.counters };
    if (full.revoke(user) <= 0) return `the revoke of user ${user} was refused`;
    const programs = full.flash.counters.programs - before.programs;
    const erases = full.flash.counters.erases - before.erases;
    if (programs !== 1 || erases !== 0) return `${programs} programs, ${erases} erases for one revoke`;
  }
  full.reboot();
  const wrong = full.wrongSlots();
  return wrong.length > 0 ? `these slots are wrong: ${wrong}` : undefined;
}

/** Looks after a partition that is full, until it takes a put again. Says what is wrong: no step may erase more than once. */
export function lookAfterPacked(): string | undefined {
  const full = packed();
  for (let step = 0; step < STEPS; step++) {
    const before = full.flash.counters.erases;
    full.table.maintain();
    const erases = full.flash.counters.erases - before;
    if (erases > 1) return `${erases} erases in one step of housekeeping`;
    if (full.put(0)) return undefined;
  }
  return `no put after ${STEPS} steps of housekeeping`;
}
