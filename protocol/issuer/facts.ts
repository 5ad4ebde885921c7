// The facts of the journal: everything that ever changed an account, each written down before it has any effect. The state is what
// these facts add up to, so whatever is random or comes from outside stands in them. Seeds, keys and PINs are among it: a record is
// for the store to seal, and for nobody else to see.

import type { ClaimKeys } from "../crypto/derive";
import { equal } from "../wire/bytes";
import type { CborValue } from "../wire/cborx";
import { decode, encode } from "../wire/cborx";
import type { HoursPlan } from "./policies";
import type { DoorRow, PersonRow, ScheduleRow } from "./rows";

/** What provisioning and the maker tell of the lock at a door. */
export interface LockRecord {
  /** 8 bytes. */
  readonly lock: Uint8Array;
  /** The lock's Ed25519 public key. */
  readonly publicKey: Uint8Array;
  /** The number of the claim that the ticket is for. */
  readonly claim: number;
  /** The claim ticket that the maker's root signed. */
  readonly ticket: Uint8Array;
  /** The keys of this claim. */
  readonly keys: ClaimKeys;
}

/** One fact. `lock` is the lock id in hexadecimal, `person` a handle, `door` a door's name. */
export type Fact =
  /** The account begins: the seeds of the owner's root and of the issuer's key. */
  | { readonly t: "account"; readonly site: string; readonly owner: Uint8Array; readonly issuer: Uint8Array }
  /** A door is as this row says. */
  | { readonly t: "door"; readonly row: DoorRow }
  /** A door has this lock from now on. */
  | { readonly t: "lock"; readonly door: string; readonly record: LockRecord }
  | {
      readonly t: "setting";
      readonly door: string;
      readonly setting: number;
      readonly value: Uint8Array;
    }
  /** The master of a door is this PIN, none where it is empty. */
  | { readonly t: "master"; readonly door: string; readonly pin: string }
  /** A door unlocks itself so; never where the schedule is empty. */
  | { readonly t: "hours"; readonly door: string; readonly hours: HoursPlan }
  | { readonly t: "schedule"; readonly row: ScheduleRow }
  /** The user ids by which people go at the lock of a door. */
  | { readonly t: "users"; readonly door: string; readonly users: readonly (readonly [string, number])[] }
  /** A person is as this row says. */
  | { readonly t: "person"; readonly row: PersonRow }
  /** A person's credentials are switched off, or on again. */
  | { readonly t: "switched"; readonly person: string; readonly off: boolean }
  /** A person and everyone below lose all access. */
  | { readonly t: "revoked"; readonly person: string }
  | { readonly t: "regranted"; readonly person: string }
  /** As revoked, and the record of the person is gone. */
  | { readonly t: "removed"; readonly person: string }
  /** A bundle was signed: the COSE_Sign1. */
  | { readonly t: "signed"; readonly lock: string; readonly bundle: Uint8Array }
  /** A receipt came whose signature is the lock's: the COSE_Sign1. */
  | { readonly t: "receipt"; readonly lock: string; readonly receipt: Uint8Array }
  /** An attempt to deliver what is signed had no answer. */
  | { readonly t: "unanswered"; readonly lock: string }
  /** From now on a key of this seed signs; the one before it stays good only where `keepsOld` says so. */
  | { readonly t: "keys"; readonly issuer: Uint8Array; readonly keepsOld: boolean }
  /** A bundle was signed again by a newer key: the same deltas at the same positions. */
  | { readonly t: "resigned"; readonly lock: string; readonly bundle: Uint8Array }
  /** Time answers for a lock are of this time epoch. */
  | { readonly t: "time-epoch"; readonly lock: string; readonly epoch: number }
  /** A secret setting of a door, as it was said and as it was sealed for the door's lock; empty while there is no lock. */
  | {
      readonly t: "sealed";
      readonly door: string;
      readonly setting: number;
      readonly plain: Uint8Array;
      readonly value: Uint8Array;
    }
  /** A page of events came: what was sealed in it. */
  | { readonly t: "page"; readonly lock: string; readonly page: Uint8Array }
  /** A lock shall get a whole new table. */
  | { readonly t: "rebase-wanted"; readonly lock: string }
  /** A whole new table was signed: the COSE_Sign1 that orders it, and its parts. */
  | {
      readonly t: "rebase";
      readonly lock: string;
      readonly order: Uint8Array;
      readonly parts: readonly Uint8Array[];
    }
  /** A lock is said to have given up the last whole new table, with this code. */
  | { readonly t: "rebase-refused"; readonly lock: string; readonly code: number }
  /** The owner consents to a factory reset of a lock, or does so no more. */
  | { readonly t: "reset"; readonly lock: string; readonly consents: boolean };

/** One record of the journal: the facts of one change, which hold together or not at all. */
export function encodeFacts(facts: readonly Fact[]): Uint8Array {
  return encode(toCbor(facts));
}

/** The facts of a record that {@link encodeFacts} made. Throws on any other bytes. */
export function decodeFacts(record: Uint8Array): Fact[] {
  const value = decode(record);
  if (!Array.isArray(value)) throw new Error("record of the journal: wanted a list of facts");
  return value.map(fromCbor) as Fact[];
}

/** Whether two rows are one, whatever the order of their fields. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equal(encode(toCbor(a)), encode(toCbor(b)));
}

function toCbor(value: unknown): CborValue {
  if (Array.isArray(value)) return value.map(toCbor);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value as CborValue;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return new Map(fields.map(([name, field]) => [name, toCbor(field)]));
}

function fromCbor(value: CborValue): unknown {
  if (Array.isArray(value)) return value.map(fromCbor);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries(Array.from(value, ([name, field]) => [name, fromCbor(field)]));
}
