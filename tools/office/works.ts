// What can be done at an issuer's office: each work takes plain values and gives a reply, so that it is the same for a command that opens
// the store itself and for one that asks the process which has it open.

import { brokerPassword } from "../../protocol/crypto/derive";
import type { Sheets } from "../../protocol/issuer/import";
import type { Issuer } from "../../protocol/issuer/issuer";
import type { MadePin } from "../../protocol/issuer/make-pins";
import type { LockReport } from "../../protocol/issuer/report";
import { toHex } from "../../protocol/wire/bytes";
import { node } from "../../simulator/board/crypto";
import { parseRecord } from "../lock-record";
import { Exit, Failure } from "../ui/failure";
import { errorLines } from "../ui/import-errors";
import { count } from "../ui/words";
import { setDoor } from "./door-settings";
import { type OfflineRequest, offlineWork } from "./offline-codes";
import { reportText } from "./report-text";

/** What a work says: lines for a person, a value for --json, and how the command ends. */
export interface Reply {
  readonly text: string;
  readonly value: unknown;
  readonly exitCode: number;
}

/** A work by its name, with what it needs. */
export type Request =
  | { readonly work: "begin"; readonly site: string }
  | { readonly work: "import"; readonly sheets: Sheets }
  | { readonly work: "bind"; readonly door: string; readonly path: string; readonly record: string }
  | { readonly work: "revoke" | "remove" | "disable" | "enable"; readonly person: string }
  | { readonly work: "set"; readonly door: string; readonly name: string; readonly value: string }
  | OfflineRequest
  | { readonly work: "rotate" }
  | { readonly work: "rebase" | "reset"; readonly door: string }
  | { readonly work: "show" | "broker-users"; readonly door: string | undefined };

const done = (text: string, value: unknown, exitCode: number = Exit.fine): Reply => ({
  text: `${text}\n`,
  value,
  exitCode,
});

/** Does a work. `now` is UTC seconds. Throws a {@link Failure} for what a person has to mend; then nothing has changed. */
export async function doWork(issuer: Issuer, request: Request, now: number): Promise<Reply> {
  try {
    return await doOne(issuer, request, now);
  } catch (error) {
    // The issuer says what was wrong and what it wanted; nothing was written.
    if (error instanceof RangeError) throw new Failure(error.message, "nothing was changed");
    throw error;
  }
}

function doOne(issuer: Issuer, request: Request, now: number): Promise<Reply> {
  if (request.work !== "begin" && !issuer.isBegun)
    throw new Failure("this store has no account yet", "begin one: tumbler issuer begin --site NAME");
  switch (request.work) {
    case "begin":
      return begin(issuer, request.site);
    case "import":
      return importSheets(issuer, request.sheets, now);
    case "bind":
      return bind(issuer, request);
    case "revoke":
    case "remove":
    case "disable":
    case "enable":
      return changePerson(issuer, request.work, request.person);
    case "set":
      return setDoor(issuer.settings, request.door, request.name, request.value).then((text) =>
        done(text, { door: request.door, setting: request.name }),
      );
    case "offline-code":
      return offlineWork(issuer, request, now).then(({ lines, value, exitCode }) =>
        done(lines.join("\n"), value, exitCode),
      );
    case "rotate":
      return issuer
        .rotateKeys()
        .then(() => done("A new issuer key signs from now on; locks learn it with their next mail.", {}));
    case "rebase":
      return issuer
        .rebase(lockOf(issuer, request.door))
        .then(() => done(rebaseText(issuer, request.door), { door: request.door }));
    case "reset":
      return issuer.consentToReset(lockOf(issuer, request.door)).then(() =>
        done(
          `${request.door}: the next session over its broker consents to a factory reset, no work list does; the reset itself is done at the lock.`,
          {
            door: request.door,
          },
        ),
      );
    case "show":
      return Promise.resolve(show(issuer, request.door));
    case "broker-users":
      return Promise.resolve(brokerUsers(issuer, request.door));
  }
}

async function begin(issuer: Issuer, site: string): Promise<Reply> {
  if (issuer.isBegun)
    throw new Failure(`this store is the account of site ${issuer.signers.site}`, "name another folder");
  await issuer.begin(site);
  const owner = toHex(issuer.signers.owner.publicKey);
  return done(
    `Began the account of site ${site}. Locks are provisioned for the owner with the public key\n${owner}`,
    {
      site,
      owner,
    },
  );
}

async function importSheets(issuer: Issuer, sheets: Sheets, now: number): Promise<Reply> {
  const { errors, doors, schedules, people, revoked, generated } = await issuer.importSheets(sheets, now);
  if (errors.length > 0)
    throw new Failure(
      `${errorLines(errors)}\n${count(errors.length, "error")} in the files; nothing was imported`,
      "correct them and import again",
    );
  const lines = [
    `Imported: ${count(doors, "door")}, ${count(schedules, "schedule")}, ${count(people, "person", "people")} new or changed.`,
    ...revoked.map((person) => `${person}: access is revoked, and stays so`),
    ...generated.map(({ person, pin }: MadePin) => `${person}: PIN ${pin}, told here and never again`),
  ];
  return done(lines.join("\n"), { doors, schedules, people, revoked, generated });
}

async function bind(issuer: Issuer, request: Extract<Request, { work: "bind" }>): Promise<Reply> {
  const { door } = request;
  const { record, profile, site, owner } = parseRecord(request.path, request.record);
  const { signers, directory } = issuer;
  if (toHex(owner) !== toHex(signers.owner.publicKey))
    throw new Failure(
      `${request.path}: the claim ticket names another owner`,
      `provision the lock with --owner ${toHex(signers.owner.publicKey)}`,
    );
  if (site !== signers.site)
    throw new Failure(
      `${request.path}: the claim ticket is of site ${site}, this account is ${signers.site}`,
      `provision the lock with --site ${signers.site}`,
    );
  const row = directory.doors.get(door)?.row;
  if (row !== undefined && row.profile !== profile.name)
    throw new Failure(
      `${request.path}: a lock of model ${profile.name}; the door ${door} has a ${row.profile}`,
      "correct the door's row, or take the other lock",
    );
  const lock = toHex(record.lock);
  const had = directory.doors.get(door)?.lock;
  const before = had && toHex(had.lock);
  const from = issuer.locks.includes(lock) ? issuer.doorOf(lock) : undefined;
  await issuer.bindLock(door, record);
  const lines = [
    `${door} has lock ${lock} now.`,
    ...(before === undefined || before === lock
      ? []
      : [`It had lock ${before} before, which no door has now.`]),
    ...(from === undefined || from === door ? [] : [`${from} had it before, and has no lock now.`]),
    ...(from === undefined
      ? []
      : [
          "The lock was bound already: what is signed from now on is for its next claim,",
          `after a factory reset. Without one it needs: tumbler issuer rebase ${door}`,
        ]),
  ];
  return done(lines.join("\n"), { door, lock, lockBefore: before ?? null, doorBefore: from ?? null });
}

/** Nobody can say above which epoch of a lock that was never heard a new table would be. */
function rebaseText(issuer: Issuer, door: string): string {
  const text = `${door}: its next mail is a whole new table.`;
  if (issuer.report(lockOf(issuer, door)).latest !== undefined) return text;
  return `${text}\nNo receipt of its lock is here yet: a work list has the table once one is handed in.`;
}

const DEEDS = {
  revoke: "loses all access, and so does everyone below",
  remove: "loses all access, and is no longer on record",
  disable: "is switched off",
  enable: "is switched on",
} as const;

async function changePerson(issuer: Issuer, work: keyof typeof DEEDS, person: string): Promise<Reply> {
  if (work === "revoke") await issuer.revoke(person);
  else if (work === "remove") await issuer.remove(person);
  else await issuer.switchPerson(person, work === "disable");
  return done(`${person} ${DEEDS[work]}, as soon as the locks have it.`, { person, work });
}

/** The id of a door's lock in hexadecimal. Throws a {@link Failure} for a door without one. */
export function lockOf(issuer: Issuer, door: string): string {
  const { doors } = issuer.directory;
  if (!doors.has(door))
    throw new Failure(`door ${door}: there is none of this name`, `there ${namesText([...doors.keys()])}`);
  const { lock } = issuer.directory.door(door);
  if (lock === undefined)
    throw new Failure(`door ${door}: has no lock yet`, `bind one: tumbler issuer bind ${door} RECORD`);
  return toHex(lock.lock);
}

/** More names than these are counted. */
const MAX_NAMES = 8;

/** `is front`, `are front, back and 20 more`; `is none: …`. */
function namesText(names: readonly string[]): string {
  if (names.length === 0) return "is none: tumbler issuer import --doors FILE";
  const more = names.length - MAX_NAMES;
  const text = names.slice(0, MAX_NAMES).join(", ") + (more > 0 ? ` and ${more} more` : "");
  return `${names.length === 1 ? "is" : "are"} ${text}`;
}

/** The doors that have no lock yet. */
export const doorsWithoutLock = ({ directory }: Issuer): string[] =>
  [...directory.doors].filter(([, { lock }]) => lock === undefined).map(([name]) => name);

/** The locks of one door, or of all doors that have one. */
function locksOf(issuer: Issuer, door: string | undefined): string[] {
  return door === undefined ? issuer.locks : [lockOf(issuer, door)];
}

function show(issuer: Issuer, door: string | undefined): Reply {
  const reports: LockReport[] = locksOf(issuer, door).map((id) => issuer.report(id));
  const isAlarmed = reports.some(({ alarms }) => alarms.length > 0);
  const { site, owner } = issuer.signers;
  const without = door === undefined ? doorsWithoutLock(issuer) : [];
  const value = { site, owner: toHex(owner.publicKey), locks: reports, doorsWithoutLock: without };
  return { text: reportText(site, reports, without), value, exitCode: isAlarmed ? Exit.wrong : Exit.fine };
}

/** How a lock logs in at the broker of its site (rule X5). */
export interface BrokerUser {
  readonly door: string;
  /** The lock's id in hexadecimal. */
  readonly user: string;
  readonly password: string;
}

function brokerUsers(issuer: Issuer, door: string | undefined): Reply {
  const users = locksOf(issuer, door).map((user): BrokerUser => {
    const name = issuer.doorOf(user);
    const { linkKey } = issuer.directory.door(name).lock!.keys;
    return { door: name, user, password: brokerPassword(node, linkKey) };
  });
  if (users.length === 0)
    throw new Failure("no door has a lock yet", "bind one: tumbler issuer bind DOOR RECORD");
  return {
    text: users.map(({ user, password }) => `${user}:${password}\n`).join(""),
    value: users,
    exitCode: Exit.fine,
  };
}
