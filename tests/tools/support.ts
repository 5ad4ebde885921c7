// What the tests of the commands share: a lock in service as a flash image, files in a folder of their own, and the commands run in
// this process (quick) or as a child process (as people run them).

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import pc from "picocolors";
import { claimKeys, credentialTag } from "../../protocol/crypto/derive";
import { ascii, toHex } from "../../protocol/wire/bytes";
import { Setting } from "../../protocol/wire/deltas";
import { Capability, Flag, Kind, Role } from "../../protocol/wire/entry";
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

/** The longest line of a text, in columns; every character that the commands print has one. */
export function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => [...line].length));
}

/** Everything that no output may hold: PINs, tags, secrets of the lock and keys of its claim, in hexadecimal or digits. */
export function secretsOf(door: Door): string[] {
  const { crypto, identity } = door;
  const tags = Object.values(PINS).map((pin) => credentialTag(crypto, door.pinKey, Kind.pin, ascii(pin)));
  tags.push(credentialTag(crypto, door.pinKey, Kind.card, CARD));
  const keys = Object.values(claimKeys(crypto, identity.deviceSecret, 1)) as Uint8Array[];
  const secrets = [identity.seed, identity.deviceSecret, ...keys, ...tags].map(toHex);
  return [...Object.values(PINS), ...secrets];
}

/** Writes the image of a door's lock, changed by `spoil`. */
export function writeImage(path: string, door: Door, spoil?: (bytes: Uint8Array) => void): string {
  const bytes = packImage(door.board.image());
  spoil?.(bytes);
  writeFileSync(path, bytes);
  return path;
}
