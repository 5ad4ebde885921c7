// Who may enter where (rules A7, A14, A15, A25, A52–A56): people, doors, the keys that join them, and who let whom in. It is the account's
// side of things, where people have names; for a lock it only answers which credentials someone shall have there.

import { credentialTag, TAG_KIND } from "../crypto/derive";
import type { Crypto } from "../crypto/port";
import { ascii, fromHex } from "../wire/bytes";
import { Flag, Kind } from "../wire/entry";
import type { LockRecord } from "./facts";
import type { Content } from "./items";
import type { HoursPlan } from "./policies";
import type { DoorRow, PersonRow, ScheduleRow } from "./rows";
import { instantOf } from "./when";
import type { OffsetOf } from "./zone";

/** A door with what is known of its lock. */
export interface Door {
  row: DoorRow;
  lock?: LockRecord;
  /** The user ids of people at this door's lock, random and of no other meaning (property 6 of the protocol). */
  readonly users: Map<string, number>;
  /** Whose id it is or was: attribution outlives the person's record (rule A57). */
  readonly handles: Map<number, string>;
  /** Settings that are the same bytes at any lock. */
  readonly settings: Map<number, Uint8Array>;
  /** Settings that are sealed for the lock, as they were said (rules X5, A63). */
  readonly sealed: Map<number, Uint8Array>;
  /** The PIN that opens whatever the hours are, empty once it was taken away (rule C17). */
  master?: string;
  /** When the door unlocks itself, with an empty schedule once that was taken away (rule T16). */
  hours?: HoursPlan;
}

/** A person on record. */
export interface Person {
  row: PersonRow;
  revoked: boolean;
  /** Switched off: kept at the locks, and refused there. */
  off: boolean;
}

export class Directory {
  readonly doors = new Map<string, Door>();
  readonly schedules = new Map<string, ScheduleRow>();
  readonly people = new Map<string, Person>();

  setDoor(row: DoorRow): Door {
    const known = this.doors.get(row.door);
    const door = known ?? {
      row,
      users: new Map(),
      handles: new Map(),
      settings: new Map(),
      sealed: new Map(),
    };
    door.row = row;
    this.doors.set(row.door, door);
    return door;
  }

  setPerson(row: PersonRow): void {
    const known = this.people.get(row.person);
    this.people.set(row.person, { row, revoked: known?.revoked ?? false, off: known?.off ?? false });
  }

  /** The door of this name. Throws RangeError where there is none. */
  door(name: string): Door {
    const door = this.doors.get(name);
    if (door === undefined) throw new RangeError(`door ${name}: there is none of this name`);
    return door;
  }

  /** The person with this handle. Throws RangeError where there is none. */
  person(handle: string): Person {
    const person = this.people.get(handle);
    if (person === undefined) throw new RangeError(`person ${handle}: there is nobody with this handle`);
    return person;
  }

  /** A person and everyone whose access comes from that person, nearest first. */
  family(handle: string): string[] {
    const family = [handle];
    for (const above of family)
      for (const { row } of this.people.values())
        if (row.grantor === above && !family.includes(row.person)) family.push(row.person);
    return family;
  }

  /** Marks a person and everyone below as revoked, and tells who they are, nearest first. */
  revoke(handle: string): string[] {
    const family = this.family(handle);
    for (const member of family) this.person(member).revoked = true;
    return family;
  }

  /** Forgets a person. Guests stay on record, revoked. */
  remove(handle: string): void {
    this.people.delete(handle);
    for (const door of this.doors.values()) door.users.delete(handle);
  }

  /** The credentials that a person shall have at a door whose lock is known; none without a key, or after a revocation. */
  contents(crypto: Crypto, handle: string, door: Door, offsetOf: OffsetOf): Content[] {
    const person = this.people.get(handle);
    if (person === undefined || door.lock === undefined) return [];
    if (person.revoked || !opens(person.row, door.row)) return [];
    const { row, off } = person;
    const { pinKey } = door.lock.keys;
    const instant = (when: PersonRow["start"]) =>
      when === undefined ? 0 : instantOf(when, door.row.zone, offsetOf);
    const terms = {
      role: row.role,
      grantor: door.users.get(row.grantor) ?? 0,
      schedule: row.schedule,
      start: instant(row.start),
      end: instant(row.end),
      uses: row.uses,
      minutesAfterFirstUse: row.minutesAfterFirstUse,
      firstUseHours: row.firstUseHours,
      capabilities: row.capabilities,
      flags: (row.dual ? Flag.dual : 0) | (row.lease ? Flag.lease : 0) | (row.notify ? Flag.notify : 0),
      disabled: off,
    };
    // Where the zone of a door has changed since, an end may have come before its start there: no time is left to grant.
    if (terms.end > 0 && terms.end <= terms.start) return [];
    const contents: Content[] = [];
    const addPin = (pin: string, flags: number) => {
      const tag = credentialTag(crypto, pinKey, TAG_KIND.typed, ascii(pin));
      contents.push({ ...terms, kind: Kind.pin, tag, digits: pin.length, flags });
    };
    if (row.pin !== "") addPin(row.pin, terms.flags);
    if (row.duressPin !== "") addPin(row.duressPin, terms.flags | Flag.duress);
    if (row.card !== "") {
      const tag = credentialTag(crypto, pinKey, TAG_KIND.card, fromHex(row.card));
      contents.push({ ...terms, kind: Kind.card, tag, digits: 0 });
    }
    if (row.phoneKey !== "") {
      const tag = credentialTag(crypto, pinKey, TAG_KIND.phone, fromHex(row.phoneKey));
      contents.push({ ...terms, kind: Kind.phone, tag, digits: 0 });
    }
    return contents;
  }
}

/** The user id that is, or was, a person's at a door; undefined for one who never had one there. */
export function userIdAt({ handles }: Door, person: string): number | undefined {
  return [...handles].find(([, handle]) => handle === person)?.[0];
}

/** Whether one of a person's keys includes a door. */
export function opens(person: PersonRow, door: DoorRow): boolean {
  return person.keys.some((key) => door.keys.includes(key));
}
