// Whom the lock obeys (rules P1, P7, S11, A66): the claim that gave it an owner, the keyset of its issuers, and what was last heard of
// them. All are values in the table's log. Numbers of claims only rise, and those of keysets within a claim. The maker's root signs
// claims and nothing else, the owner's root signs keysets.

import type { ClaimKeys } from "../../protocol/crypto/derive";
import { claimKeys } from "../../protocol/crypto/derive";
import type { Crypto } from "../../protocol/crypto/port";
import { isAcceptableKey } from "../../protocol/crypto/verify";
import { equal, getU32, putU32 } from "../../protocol/wire/bytes";
import { Code } from "../../protocol/wire/codes";
import { KEY_ID_BYTES, PUBLIC_KEY_BYTES } from "../../protocol/wire/limits";
import type { Claim, IssuerKey, Keyset } from "../../protocol/wire/payloads";
import type { Identity } from "../ports";
import type { LockClock } from "./clock";
import { Heard } from "./heard";
import { Purpose } from "./storage/flash-log";
import { State } from "./storage/places";
import type { Table } from "./storage/table";

/** claim: number (4) | epoch (4) | first event (4) | owner's root (32) | site */
const CLAIM_OWNER = 12;
const CLAIM_HEAD = CLAIM_OWNER + PUBLIC_KEY_BYTES;
/** claim without an owner: number (4) | epoch (4) | 1 (1) while a reset is not over */
const RELEASED_BYTES = 8;
/** keyset: number (4) | claim (4) | count (1) | count × (kid, public key, may) */
const KEYSET_COUNT = 8;
const KEYSET_HEAD = 9;
const KEY_BYTES = KEY_ID_BYTES + PUBLIC_KEY_BYTES + 1;
const NOTHING = new Uint8Array(0);

export class Authority {
  claimNumber = 0;
  /** The epoch of the log, 0 while there is no owner. */
  epoch = 0;
  /** The owner's root public key, empty while there is no owner. */
  owner: Uint8Array = NOTHING;
  site: Uint8Array = NOTHING;
  /** The epoch that the claim began with, and its first event: those before it are not this owner's. */
  claimEpoch = 0;
  firstEvent = 1;
  /** The keyset in force; its number counts in this claim only. */
  keysetNumber = 0;
  keys: IssuerKey[] = [];
  /** Whether a reset took the owner away and is not over yet. */
  isEnding = false;
  /** The keys derived from this claim; undefined while there is no owner. */
  derived: ClaimKeys | undefined;
  readonly heard: Heard;
  readonly #table: Table;
  readonly #crypto: Crypto;
  readonly #identity: Identity;

  constructor(table: Table, crypto: Crypto, identity: Identity) {
    this.#table = table;
    this.#crypto = crypto;
    this.#identity = identity;
    this.heard = new Heard(table);
  }

  get claimed(): boolean {
    return this.owner.length > 0;
  }

  /** The first event that has not come home to this owner's issuer, for all that the lock knows. */
  get eventCursor(): number {
    return Math.max(this.firstEvent, this.heard.events);
  }

  /** Reads all of it back after a mount. */
  restore(): void {
    const claim = this.#table.state(State.claim);
    if (claim !== undefined && claim.length > CLAIM_HEAD) this.useClaim(claim.slice());
    else if (claim !== undefined) this.useReleased(claim);
    // A rebase since the claim has begun another log.
    this.epoch = Math.max(this.epoch, this.#table.rebase.epoch);
    const keyset = this.#table.state(State.keyset);
    if (keyset !== undefined && keyset.length >= KEYSET_HEAD) this.useKeyset(keyset.slice());
    if (this.claimed && this.#table.isAtBase)
      this.#table.startEpoch(this.#crypto, this.#identity.lock, this.epoch);
    if (this.claimed) this.heard.restore(this.claimEpoch, this.epoch);
  }

  private useClaim(value: Uint8Array): void {
    this.claimNumber = getU32(value, 0);
    this.epoch = this.claimEpoch = getU32(value, 4);
    this.firstEvent = getU32(value, 8);
    this.owner = value.subarray(CLAIM_OWNER, CLAIM_HEAD);
    this.site = value.subarray(CLAIM_HEAD);
    this.derived = claimKeys(this.#crypto, this.#identity.deviceSecret, this.claimNumber);
    // Keys and what was heard are an earlier owner's.
    this.keysetNumber = 0;
    this.keys = [];
    this.heard.forget();
  }

  private useReleased(value: Uint8Array): void {
    this.claimNumber = getU32(value, 0);
    this.epoch = this.claimEpoch = getU32(value, 4);
    this.isEnding = value.length > RELEASED_BYTES;
    this.owner = this.site = NOTHING;
    this.derived = undefined;
    this.keysetNumber = 0;
    this.keys = [];
    this.heard.forget();
  }

  /** Takes the owner away: from here on the lock obeys nobody, and a reset has to {@link end}. False when the flash refused. */
  release(): boolean {
    return this.commitReleased(RELEASED_BYTES + 1);
  }

  /** A reset is over: another owner may come. False when the flash refused. */
  end(): boolean {
    return this.commitReleased(RELEASED_BYTES);
  }

  private commitReleased(length: number): boolean {
    const value = new Uint8Array(length).fill(1);
    putU32(value, 0, this.claimNumber);
    putU32(value, 4, this.epoch);
    if (!this.#table.commitState(State.claim, value, Purpose.removal)) return false;
    this.useReleased(value);
    return true;
  }

  private useKeyset(value: Uint8Array): void {
    if (getU32(value, 4) !== this.claimNumber || !this.claimed) return;
    this.keysetNumber = getU32(value, 0);
    this.keys = [];
    for (let i = 0; i < value[KEYSET_COUNT]; i++) {
      const at = KEYSET_HEAD + i * KEY_BYTES;
      const end = at + KEY_ID_BYTES + PUBLIC_KEY_BYTES;
      const kid = value.subarray(at, at + KEY_ID_BYTES);
      this.keys.push({ kid, publicKey: value.subarray(at + KEY_ID_BYTES, end), may: value[end] });
    }
  }

  /** Takes a claim ticket whose signature was verified; `firstEvent` is the next one of the event log. Returns the result code. */
  claim(claim: Claim, firstEvent: number): number {
    // Of a claim that cannot be read any more nobody knows the number: an old ticket must not pass for a new one.
    if (this.#table.hasLostState(State.claim)) return Code.storageFailed;
    if (this.claimed) {
      const again = claim.number === this.claimNumber && equal(claim.owner, this.owner);
      return again ? Code.alreadyApplied : Code.notAllowed;
    }
    if (this.isEnding) return Code.busy;
    if (claim.number <= this.claimNumber) return Code.replayed;
    if (!isAcceptableKey(claim.owner)) return Code.keyNotAllowed;
    const value = new Uint8Array(CLAIM_HEAD + claim.site.length);
    putU32(value, 0, claim.number);
    putU32(value, 4, this.epoch + 1);
    putU32(value, 8, firstEvent);
    value.set(claim.owner, CLAIM_OWNER);
    value.set(claim.site, CLAIM_HEAD);
    if (!this.#table.commitState(State.claim, value)) return this.#table.refusal;
    this.useClaim(value);
    this.#table.startEpoch(this.#crypto, this.#identity.lock, this.epoch);
    return Code.applied;
  }

  /**
   * Takes a keyset whose signature was verified. What was heard of the keys before it is first cut to what can be true, by the clock; a power
   * cut in between leaves that to the keys in force. Returns the result code.
   */
  setKeys(keyset: Keyset, clock: LockClock): number {
    if (keyset.claim !== this.claimNumber) return Code.replayed;
    if (this.#table.hasLostState(State.keyset)) return Code.storageFailed;
    const value = new Uint8Array(KEYSET_HEAD + keyset.keys.length * KEY_BYTES);
    putU32(value, 0, keyset.number);
    putU32(value, 4, keyset.claim);
    value[KEYSET_COUNT] = keyset.keys.length;
    for (let i = 0; i < keyset.keys.length; i++) {
      const key = keyset.keys[i];
      if (!isAcceptableKey(key.publicKey)) return Code.keyNotAllowed;
      const at = KEYSET_HEAD + i * KEY_BYTES;
      value.set(key.kid, at);
      value.set(key.publicKey, at + KEY_ID_BYTES);
      value[at + KEY_ID_BYTES + PUBLIC_KEY_BYTES] = key.may;
    }
    if (keyset.number <= this.keysetNumber) {
      const kept = keyset.number === this.keysetNumber ? this.#table.state(State.keyset) : undefined;
      return kept !== undefined && equal(kept, value) ? Code.alreadyApplied : Code.replayed;
    }
    if (!this.heard.cut(clock.latest, clock.earliest) || !this.#table.commitState(State.keyset, value))
      return this.#table.refusal;
    this.heard.signs++;
    this.useKeyset(value);
    return Code.applied;
  }

  /** The issuer key with this id, or undefined. */
  issuer(kid: Uint8Array): IssuerKey | undefined {
    for (const key of this.keys) if (equal(key.kid, kid)) return key;
    return undefined;
  }
}
