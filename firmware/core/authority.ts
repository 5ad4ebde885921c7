// Whom the lock obeys (rules P1, P7, S11, A66): the claim that gave it an owner and the keyset of its issuers. Both are values in
// the table's log; their numbers only rise. The maker's root signs claims and nothing else, the owner's root signs keysets.

import type { ClaimKeys } from "../../protocol/crypto/derive";
import { claimKeys } from "../../protocol/crypto/derive";
import type { Crypto } from "../../protocol/crypto/port";
import { isAcceptableKey } from "../../protocol/crypto/verify";
import { equal, getU32, putU32 } from "../../protocol/wire/bytes";
import { Code } from "../../protocol/wire/codes";
import { KEY_ID_BYTES, PUBLIC_KEY_BYTES } from "../../protocol/wire/limits";
import type { Claim, IssuerKey, Keyset } from "../../protocol/wire/messages";
import type { Identity } from "../ports";
import { State } from "./storage/places";
import type { Table } from "./storage/table";

/** claim: number (4) | epoch (4) | owner's root (32) | site */
const CLAIM_HEAD = 8 + PUBLIC_KEY_BYTES;
/** keyset: number (4) | count (1) | count × (kid, public key, may) */
const KEYSET_HEAD = 5;
const KEY_BYTES = KEY_ID_BYTES + PUBLIC_KEY_BYTES + 1;
const NOTHING = new Uint8Array(0);

export class Authority {
  claimNumber = 0;
  /** The epoch of the log, 0 while there is no owner. */
  epoch = 0;
  /** The owner's root public key, empty while there is no owner. */
  owner: Uint8Array = NOTHING;
  site: Uint8Array = NOTHING;
  keysetNumber = 0;
  keys: IssuerKey[] = [];
  /** The keys derived from this claim; undefined while there is no owner. */
  derived: ClaimKeys | undefined;
  readonly #table: Table;
  readonly #crypto: Crypto;
  readonly #identity: Identity;

  constructor(table: Table, crypto: Crypto, identity: Identity) {
    this.#table = table;
    this.#crypto = crypto;
    this.#identity = identity;
  }

  get claimed(): boolean {
    return this.owner.length > 0;
  }

  /** Reads both values back after a mount. */
  restore(): void {
    const claim = this.#table.state(State.claim);
    if (claim !== undefined && claim.length > CLAIM_HEAD) this.#useClaim(claim.slice());
    // A rebase since the claim has begun another log.
    this.epoch = Math.max(this.epoch, this.#table.rebase.epoch);
    const keyset = this.#table.state(State.keyset);
    if (keyset !== undefined && keyset.length >= KEYSET_HEAD) this.#useKeyset(keyset.slice());
    if (this.claimed && this.#table.applied === 0)
      this.#table.startEpoch(this.#crypto, this.#identity.lock, this.epoch);
  }

  #useClaim(value: Uint8Array): void {
    this.claimNumber = getU32(value, 0);
    this.epoch = getU32(value, 4);
    this.owner = value.subarray(8, CLAIM_HEAD);
    this.site = value.subarray(CLAIM_HEAD);
    this.derived = claimKeys(this.#crypto, this.#identity.deviceSecret, this.claimNumber);
  }

  #useKeyset(value: Uint8Array): void {
    this.keysetNumber = getU32(value, 0);
    this.keys = [];
    for (let i = 0; i < value[4]; i++) {
      const at = KEYSET_HEAD + i * KEY_BYTES;
      const end = at + KEY_ID_BYTES + PUBLIC_KEY_BYTES;
      const kid = value.subarray(at, at + KEY_ID_BYTES);
      this.keys.push({ kid, publicKey: value.subarray(at + KEY_ID_BYTES, end), may: value[end] });
    }
  }

  /** Takes a claim ticket whose signature was verified. Returns the result code. */
  claim(claim: Claim): number {
    // Of a claim that cannot be read any more nobody knows the number: an old ticket must not pass for a new one.
    if (this.#table.hasLostState(State.claim)) return Code.storageFailed;
    if (this.claimed) {
      const again = claim.number === this.claimNumber && equal(claim.owner, this.owner);
      return again ? Code.alreadyApplied : Code.notAllowed;
    }
    if (claim.number <= this.claimNumber) return Code.replayed;
    if (!isAcceptableKey(claim.owner)) return Code.keyNotAllowed;
    const value = new Uint8Array(CLAIM_HEAD + claim.site.length);
    putU32(value, 0, claim.number);
    putU32(value, 4, this.epoch + 1);
    value.set(claim.owner, 8);
    value.set(claim.site, CLAIM_HEAD);
    if (!this.#table.commitState(State.claim, value)) return this.#table.refusal;
    this.#useClaim(value);
    this.#table.startEpoch(this.#crypto, this.#identity.lock, this.epoch);
    return Code.applied;
  }

  /** Takes a keyset whose signature was verified. Returns the result code. */
  setKeys(keyset: Keyset): number {
    if (this.#table.hasLostState(State.keyset)) return Code.storageFailed;
    const value = new Uint8Array(KEYSET_HEAD + keyset.keys.length * KEY_BYTES);
    putU32(value, 0, keyset.number);
    value[4] = keyset.keys.length;
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
    if (!this.#table.commitState(State.keyset, value)) return this.#table.refusal;
    this.#useKeyset(value);
    return Code.applied;
  }

  /** The issuer key with this id, or undefined. */
  issuer(kid: Uint8Array): IssuerKey | undefined {
    for (const key of this.keys) if (equal(key.kid, kid)) return key;
    return undefined;
  }
}
