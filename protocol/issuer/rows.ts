// The typed rows that an import yields, and what an import must know of the account that it adds to. Once a row is of one of these
// types, nothing downstream checks it again.

import type { Window } from "../wire/windows";
import type { When } from "./when";

/** A word that a cell can list beside others: the handle of a person, the name of a key. */
export const HANDLE = /^[\p{L}\p{N}][\p{L}\p{N}._@+-]{0,63}$/u;
export const HANDLE_WANTED = "up to 64 letters, digits or . _ @ + - that begin with a letter or a digit";
/** The name of a door or a schedule. */
export const NAME_WANTED = "a name of 1 to 64 characters";
export const isName = (text: string): boolean => text.length > 0 && text.length <= 64;

/** How mail reaches a door: over its own Wi-Fi, or in the pocket of whoever comes by. */
export const LINKS = ["wifi", "courier"] as const;
export type Link = (typeof LINKS)[number];

/** The models of lock. */
export const LOCK_PROFILES = ["lock-1000", "l500i"] as const;
export type LockProfile = (typeof LOCK_PROFILES)[number];

/** A door, and the keys that include it. */
export interface DoorRow {
  readonly door: string;
  readonly profile: LockProfile;
  readonly link: Link;
  /** An IANA name. */
  readonly zone: string;
  /** What the lock is told of the zone: the value of its setting. */
  readonly zoneValue: Uint8Array;
  readonly keys: readonly string[];
}

/** A named schedule, its windows in the order of the file. */
export interface ScheduleRow {
  readonly schedule: string;
  readonly windows: readonly Window[];
}

/** A person and the access that the person has. Empty and 0 stand for "none". */
export interface PersonRow {
  /** The handle, unique in the account. */
  readonly person: string;
  readonly name: string;
  /** One of `Role`. */
  readonly role: number;
  readonly keys: readonly string[];
  readonly pin: string;
  /** A second PIN, which opens as the first and raises a silent alarm (rule C16). */
  readonly duressPin: string;
  /** UID in lower-case hexadecimal. */
  readonly card: string;
  /** A phone's Ed25519 public key in lower-case hexadecimal (rule C7). */
  readonly phoneKey: string;
  readonly start?: When;
  readonly end?: When;
  readonly schedule: string;
  readonly uses: number;
  /** Minutes for which the access lasts after its first use (rule C12). */
  readonly minutesAfterFirstUse: number;
  /** Hours after the start within which a first use must happen (rule C13). */
  readonly firstUseHours: number;
  /** Opens only together with another person who is so too (rule C15). */
  readonly dual: boolean;
  /** Refused once the lock has not heard from its issuer for as long as the door's lease lasts (rule S12). */
  readonly lease: boolean;
  /** Whether each use is to be reported. */
  readonly notify: boolean;
  readonly grantor: string;
  readonly capabilities: number;
}

/** All that a person may type at a door. */
export const pinsOf = ({ pin, duressPin }: PersonRow): string[] =>
  [pin, duressPin].filter((code) => code !== "");

/** What an import is checked against. */
export interface Known {
  readonly doors: ReadonlyMap<string, { readonly row: DoorRow; readonly master?: string }>;
  readonly schedules: ReadonlyMap<string, unknown>;
  readonly people: ReadonlyMap<string, { readonly row: PersonRow; readonly revoked: boolean }>;
}
