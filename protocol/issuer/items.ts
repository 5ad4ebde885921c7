// What is wanted of a lock, item by item: a credential of a user, a schedule, a setting. Each change of what is wanted is a new version;
// a final refusal sticks to the version that it answered, so it is never tried again by itself and yet never stands in the way of what
// a person wants next (rules A4, A41, K5).

import { toHex } from "../wire/bytes";
import { Flag } from "../wire/entry";
import type { Slot } from "./table";

/** One thing that a lock shall have, or shall not have any more. */
export interface Item {
  /** Unique within the ledger of a lock. */
  readonly key: string;
  /** Rises with each change of what is wanted. */
  version: number;
  /** The last refusal, and the version that it answered. */
  failure?: { readonly version: number; readonly code: number };
  /** How often this version was refused because an earlier delta had not done what was expected of it. */
  retries: number;
  /** The seq of the last signed delta that serves it, 0 for none. */
  last: number;
}

/** A new item, wanted for the first time. */
export const newItem = (key: string): Item => ({ key, version: 1, retries: 0, last: 0 });

/** Something else is wanted of the item. */
export function wantAnew(item: Item): void {
  item.version++;
  item.retries = 0;
}

/** The code with which the lock refused what is wanted now, undefined if it did not. */
export function refusal(item: Item): number | undefined {
  return item.failure?.version === item.version ? item.failure.code : undefined;
}

/** A credential as a slot shall hold it. Times are UTC seconds, 0 where there is none. */
export interface Content {
  /** One of `Kind`. */
  readonly kind: number;
  readonly tag: Uint8Array;
  readonly digits: number;
  readonly role: number;
  /** The grantor's user id at this lock, 0 for none. */
  readonly grantor: number;
  /** The name of a schedule, empty for always. */
  readonly schedule: string;
  readonly start: number;
  readonly end: number;
  readonly uses: number;
  readonly minutesAfterFirstUse: number;
  readonly firstUseHours: number;
  readonly capabilities: number;
  /** Of `Flag`, but for `disabled`. */
  readonly flags: number;
  /** Kept, and refused with "disabled" (rule A75). */
  readonly disabled: boolean;
}

/** A credential of a user at this lock; wanted while it has content. */
export interface Credential extends Item {
  readonly user: number;
  readonly kind: number;
  /** Whether it is the code that raises a silent alarm (rule C16). */
  readonly isDuress: boolean;
  /** Whose it is, in the issuer's own words; no lock learns it. */
  readonly who: string;
  content?: Content;
}

/** The key of a credential: a user has one of each kind at a lock, and one more of a kind for duress. */
export const credentialKey = (user: number, kind: number, isDuress: boolean): string =>
  isDuress ? `${user}:${kind}:duress` : `${user}:${kind}`;

/** Whether a credential is one for duress. No delta ever changes that, so that a slot keeps its key. */
export const isForDuress = ({ flags }: { readonly flags: number }): boolean => (flags & Flag.duress) !== 0;

/** The key of the credential that stands in a slot. */
export const keyOfSlot = (slot: Slot): string => credentialKey(slot.user, slot.kind, isForDuress(slot));

/** Whether two wishes are one. */
export function sameContent(a: Content | undefined, b: Content | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const text = (content: Content) => JSON.stringify({ ...content, tag: toHex(content.tag) });
  return text(a) === text(b);
}

/** The key of a setting. */
export const settingKey = (id: number): string => `setting:${id}`;

/** A setting of the lock. */
export interface SettingItem extends Item {
  readonly id: number;
  value: Uint8Array;
  /** The name of the schedule whose id is the first byte of the value; empty where there is none in it. */
  schedule: string;
}
