// User ids: how people go at a lock. Random per lock and person, so that no two locks, and no courier, can tell that two users are one
// person (property 6 of the protocol, rule L5). Never 0, and never an id that the lock has seen with somebody else.

import { getU32 } from "../wire/bytes";
import type { Directory } from "./directory";
import { opens } from "./directory";
import type { Fact } from "./facts";
import type { Hosts } from "./ports";
import type { DoorRow, PersonRow } from "./rows";

/** The facts that give an id to those who get a slot, or let somebody in, at a door where they have none; rows are about to change. */
export function newUserIds(
  directory: Directory,
  doors: readonly DoorRow[],
  people: readonly PersonRow[],
  random: Hosts["random"],
): Fact[] {
  const allDoors = new Map(Array.from(directory.doors.values(), ({ row }) => [row.door, row]));
  for (const row of doors) allDoors.set(row.door, row);
  const everyone = new Map(Array.from(directory.people.values(), ({ row }) => [row.person, row]));
  for (const row of people) everyone.set(row.person, row);
  // A door with other keys concerns everyone; otherwise only those whose rows change.
  const changed = new Set(doors.map(({ door }) => door));
  const facts: Fact[] = [];
  for (const door of allDoors.values()) {
    const candidates = changed.has(door.door) ? everyone.values() : people;
    const users = idsAt(directory, door, candidates, random);
    if (users.length > 0) facts.push({ t: "users", door: door.door, users });
  }
  return facts;
}

function idsAt(
  directory: Directory,
  door: DoorRow,
  people: Iterable<PersonRow>,
  random: Hosts["random"],
): [string, number][] {
  const known = directory.doors.get(door.door);
  const taken = new Set(known?.handles.keys());
  const users = new Map<string, number>();
  for (const row of people) {
    if (!opens(row, door)) continue;
    for (const handle of [row.person, row.grantor])
      if (handle !== "" && !known?.users.has(handle) && !users.has(handle))
        users.set(handle, freshId(taken, random));
  }
  return [...users];
}

function freshId(taken: Set<number>, random: Hosts["random"]): number {
  const bytes = new Uint8Array(4);
  do random(bytes);
  while (getU32(bytes, 0) === 0 || taken.has(getU32(bytes, 0)));
  taken.add(getU32(bytes, 0));
  return getU32(bytes, 0);
}
