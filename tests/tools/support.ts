// What the tests of the commands share: a lock in service as a flash image, files in a folder of their own, and the commands run in
// this process (quick) or as a child process (as people run them).

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import pc from "picocolors";
import { Key } from "../../firmware/core/keypad";
import { claimKeys, credentialTag } from "../../protocol/crypto/derive";
import { sealWith, settingAad } from "../../protocol/crypto/seal";
import type { Delta } from "../../protocol/issuer/encode";
import { makeOfflineCode, offlineCodeOn } from "../../protocol/issuer/offline";
import { ascii, toHex } from "../../protocol/wire/bytes";
import { Capability, Flag, Kind, Role } from "../../protocol/wire/entry";
import {
  Mode,
  NO_MODE,
  OfflineKind,
  offlineNumber,
  packBroker,
  packClockBound,
  packDensity,
  packHoliday,
  packHours,
  packLeaseDays,
  packLocalCodes,
  packLockout,
  packMaster,
  packNone,
  packOffline,
  packOfflineDenied,
  packRelock,
  packResetDelay,
  packWifi,
  Setting,
} from "../../protocol/wire/settings";
import { packImage } from "../../simulator/board/image";
import { main } from "../../tools/tumbler";
import { Door, type DoorOptions, MONDAY } from "../support/door";

export const BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3";
export const PINS = { resident: "135790", cleaner: "2468013579", guest: "86420", off: "975310" };
export const CARD = new Uint8Array([0x04, 0xa1, 0xb2, 0xc3]);
const HOUR_S = 3600;
const DAY_S = 86_400;
const WORKDAYS = 0b0111110;

/** What a command left behind. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. `input` is what standard input would give. */
export async function run(args: readonly string[], input = "", colours = false): Promise<Ran> {
  let out = "";
  let err = "";
  const terminal = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    colours: pc.createColors(colours),
    secret: async () => input,
    exitCode: 0,
  };
  const code = await main(args, terminal);
  return { code, out, err };
}

/** Runs a command line as a child process, without a terminal. */
export function spawn(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}, input = ""): Ran {
  const command = resolve(__dirname, "../../tools/bin/tumbler.js");
  const bare = { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, COLUMNS: undefined, ...env };
  const child = spawnSync(process.execPath, [command, ...args], { cwd, env: bare, input, encoding: "utf8" });
  return { code: child.status ?? -1, out: child.stdout, err: child.stderr };
}

/** Inside a describe: gives the path of a name in a folder of its tests' own, which is gone after them. */
export function ownFolder(): (name: string) => string {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tumbler-"));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return (name) => join(folder, name);
}

/** A lock with a zone, schedules, slots of many kinds, and people who came to it. */
export function livelyDoor(options: DoorOptions = {}): Door {
  const door = new Door(options);
  const start = MONDAY + 9 * HOUR_S;
  door.apply(
    { op: "set", setting: Setting.zone, value: ascii(BERLIN) },
    { op: "set", setting: Setting.mode, value: new Uint8Array([1]) },
    { op: "put-schedule", id: 1, windows: [{ days: WORKDAYS, start: 540, duration: 480 }] },
    {
      op: "put-schedule",
      id: 3,
      windows: [
        { days: 0b1000001, start: 1320, duration: 480 },
        { days: 0b0010000, start: 0, duration: 1440 },
      ],
    },
    door.pin(0, PINS.resident, { capabilities: Capability.grant | Capability.readLog }),
    door.pin(3, PINS.cleaner, { role: Role.team, schedule: 1, flags: Flag.notify }),
    door.pin(4, PINS.guest, { role: Role.guest, grantor: 1000, start, end: start + 2 * DAY_S, uses: 3 }),
    door.pin(5, PINS.off, { role: Role.programmingOnly, user: 4_294_967_295, firstUseHours: 255, start }),
  );
  door.apply({ op: "disable", slot: 5, generation: 8 });
  if (door.lock.parts.profile.reader) door.apply(door.card(6, CARD, { minutesAfterFirstUse: 2880 }));
  for (const pin of [PINS.resident, PINS.cleaner, "0000", PINS.off]) {
    door.type(pin);
    door.now += 60;
  }
  door.reboot();
  door.lock.tick();
  door.type(PINS.cleaner);
  return door;
}

/** What is typed at {@link strictDoor}. The master and the codes of its keypad have no slot. */
export const STRICT = {
  owner: "975311",
  guard: "286413",
  left: "640257",
  user: "135791",
  master: "11335577",
  codes: ["294857", "730461", "508142", "617930", "482906"],
} as const;

/** A delta that sets something. */
export const set = (setting: number, value: Uint8Array): Delta => ({ op: "set", setting, value });

/** The date of a holiday. */
export const dayOf = (date: string): number => Date.parse(date) / 1000 / DAY_S;

/** Calls the menu at the keypad with a code, and types these entries. */
export function menu(door: Door, code: string, ...entries: string[]): void {
  const enter = (digits: string): void => {
    for (const digit of digits) door.lock.press(Number(digit));
    door.lock.press(Key.confirm);
    door.lock.tick();
  };
  door.lock.press(Key.clear);
  door.lock.press(Key.clear);
  enter(code);
  for (const entry of entries) enter(entry);
}

/** A zone of which two changes are told one by one: until 26 March 2028, 01:00 UTC. */
function zoneWithTable(): Uint8Array {
  const [from, until, end] = ["2027-03-28", "2027-10-31", "2028-03-26"].map(
    (date) => dayOf(date) * DAY_S + HOUR_S,
  );
  const table = Buffer.alloc(10);
  table.writeUInt32BE(from);
  table.set([8, 4], 4);
  table.writeUInt16BE((until - from) / 900, 6);
  table.writeUInt16BE((end - until) / 900, 8);
  return new Uint8Array([...ascii(BERLIN), 0, ...table]);
}

/**
 * A lock of which everything is set, with codes that were programmed at its keypad: by the owner, by a guard whose access ends on
 * 1 April, by the master, and by somebody who has left since; the last one was taken away. It is 08:00 on Monday, 1 March 2027.
 */
export function strictDoor(options: DoorOptions = {}): Door {
  const door = new Door(options);
  const { crypto, pinKey } = door;
  const tag = credentialTag(crypto, pinKey, Kind.pin, ascii(STRICT.master));
  const admin = { role: Role.admin, capabilities: Capability.firstIn };
  const end = dayOf("2027-04-01") * DAY_S;
  const refusing = (date: string, days: number, roles: number): Uint8Array =>
    packHoliday({ first: dayOf(date), days, roles, mode: NO_MODE });
  const codes = door.apply(
    set(Setting.zone, zoneWithTable()),
    set(Setting.mode, new Uint8Array([Mode.tour])),
    set(Setting.relockSeconds, packRelock(7)),
    set(Setting.master, packMaster({ digits: STRICT.master.length, tag })),
    set(Setting.density, packDensity(5_000_000)),
    set(Setting.lockout, packLockout({ tries: 3, leastMinutes: 30 })),
    { op: "put-schedule", id: 1, windows: [{ days: WORKDAYS, start: 540, duration: 480 }] },
    set(Setting.businessHours, packHours({ schedule: 1, firstIn: true, graceMinutes: 30 })),
    set(Setting.localCodes, packLocalCodes(true)),
    set(Setting.clockBound, packClockBound(300)),
    set(Setting.holiday, refusing("2027-12-24", 3, 0x7e)),
    set(Setting.holiday + 3, refusing("2027-05-06", 1, (1 << Role.team) | (1 << Role.guest))),
    set(Setting.holiday + 4, packNone()),
    set(
      Setting.holiday + door.lock.parts.profile.holidays - 1,
      packHoliday({ first: dayOf("2027-05-06"), days: 2, roles: 0, mode: Mode.resident }),
    ),
    door.pin(0, STRICT.owner, admin),
    door.pin(1, STRICT.guard, { ...admin, end }),
    door.pin(2, STRICT.left, admin),
    door.pin(3, STRICT.user, { flags: Flag.dual, schedule: 1 }),
  );
  assert.deepEqual(new Set(codes), new Set(["applied"]));
  door.now = MONDAY + 7 * HOUR_S;
  door.setTime();
  const makers = [STRICT.owner, STRICT.guard, STRICT.master, STRICT.left, STRICT.owner];
  for (const [i, code] of STRICT.codes.entries()) menu(door, makers[i], "1", code, code);
  menu(door, STRICT.owner, "2", STRICT.codes[4]);
  assert.deepEqual(door.apply({ op: "drop", slot: 2, generation: 17 }), ["applied"]);
  assert.equal(door.lock.parts.locals.count, 4);
  return door;
}

/** A lock with all that {@link strictDoor} leaves unset. */
export function fullDoor(options: DoorOptions = {}): Door {
  const door = strictDoor(options);
  const { sealKey } = claimKeys(door.crypto, door.identity.deviceSecret, 1);
  const sealed = (setting: number, plain: Uint8Array) => {
    const aad = settingAad(door.identity.lock, setting);
    return set(setting, sealWith(door.crypto, sealKey, new Uint8Array(24), aad, plain));
  };
  const network = { network: ascii("cellar"), password: ascii("hunter22") };
  const broker = { host: ascii("broker.example"), port: 8883, tls: true };
  const denied = [
    [0, 0],
    [2, 2],
    [3, 1],
  ].map(([place, index]) => offlineNumber(place, index, dayOf("2027-03-01")));
  const codes = door.apply(
    set(Setting.leaseDays, packLeaseDays(7)),
    sealed(Setting.alias, ascii("Shed")),
    sealed(Setting.wifi, packWifi(network)),
    sealed(Setting.broker, packBroker(broker)),
    set(Setting.offlineCodes, packOffline({ kinds: OfflineKind.day | OfflineKind.once, indexes: 3 })),
    set(Setting.resetDelay, packResetDelay(48)),
    set(Setting.offlineDenied, packOfflineDenied(denied)),
  );
  assert.deepEqual(new Set(codes), new Set(["applied"]));
  return door;
}

/** The offline code of this index on 1 March 2027. */
export function offlineAt(door: Door, index: number, kind: number = OfflineKind.day): string {
  const { codeKey } = claimKeys(door.crypto, door.identity.deviceSecret, 1);
  const date = { year: 2027, month: 3, dayOfMonth: 1 };
  return makeOfflineCode(door.crypto, codeKey, offlineCodeOn(kind, index, date));
}

/** The longest line of a text, in columns; every character that the commands print has one. */
export function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => [...line].length));
}

/** Everything that no output may hold: PINs, tags, secrets of the lock and keys of its claim, in hexadecimal or digits. */
export function secretsOf(door: Door): string[] {
  const { crypto, identity } = door;
  const pins = [...Object.values(PINS), ...Object.values(STRICT).flat()];
  const tags = pins.map((pin) => credentialTag(crypto, door.pinKey, Kind.pin, ascii(pin)));
  tags.push(credentialTag(crypto, door.pinKey, Kind.card, CARD));
  const keys = Object.values(claimKeys(crypto, identity.deviceSecret, 1)) as Uint8Array[];
  const secrets = [identity.seed, identity.deviceSecret, ...keys, ...tags].map(toHex);
  return [...pins, ...secrets];
}

/** Writes the image of a door's lock, changed by `spoil`. */
export function writeImage(path: string, door: Door, spoil?: (bytes: Uint8Array) => void): string {
  const bytes = packImage(door.board.image());
  spoil?.(bytes);
  writeFileSync(path, bytes);
  return path;
}
