// The boards that firmware is built for: folders of firmware/boards with a manifest. What of them a build and its sizes need.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROFILES } from "../../firmware/core/profile";
import { Failure } from "../ui/failure";

const FOLDER = "firmware/boards";
/** Where nothing else is said: an ESP32 with 4 MB of flash, on whatever it is soldered. */
const USUAL = "lock";
const ANY_ESP32 = "esp32";
/** Of an application slot where the board's partitions cannot be read: 1,664 KiB. */
const USUAL_SLOT_BYTES = 0x1a0000;

/** A board. */
export interface BuildBoard {
  readonly name: string;
  /** Its folder as `mcconfig -p` takes it, which makes a path lower-case: relative, from the project's root. */
  readonly path: string;
  /** Bytes of an application slot. */
  readonly slotBytes: number;
}

/** Names of all boards, in order. */
export function boardNames(root: string): string[] {
  const folder = join(root, FOLDER);
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  return names.filter((name) => existsSync(join(folder, name, "manifest.json")));
}

/** The board that is asked for, by its name or by the profile that it is made for. Throws a {@link Failure} where there is none. */
export function boardFor(root: string, board?: string, profile?: string): BuildBoard {
  const names = boardNames(root);
  const byProfile = profile === undefined ? USUAL : boardOfProfile(profile);
  const asked = board === ANY_ESP32 ? USUAL : board;
  const name = asked ?? byProfile;
  if (!names.includes(name))
    throw new Failure(
      `no board ${name}`,
      names.length === 0 ? `${FOLDER} is empty` : `boards: ${names.join(", ")}`,
    );
  const partitions = partitionsOf(root, name);
  const wanted = PROFILES.find((each) => each.name === profile);
  const bytes = sizeOf(partitions, "credentials");
  if (wanted !== undefined && bytes !== undefined && bytes !== wanted.credentialBytes)
    throw new Failure(
      `board ${name} has no flash map for the profile ${wanted.name}`,
      `leave out --board, or take --board ${boardOfProfile(wanted.name)}`,
    );
  return { name, path: `./${FOLDER}/${name}`, slotBytes: sizeOf(partitions, "ota_0") ?? USUAL_SLOT_BYTES };
}

function boardOfProfile(profile: string): string {
  const known = PROFILES.find(({ name }) => name === profile);
  if (known === undefined)
    throw new Failure(`no profile ${profile}`, `profiles: ${PROFILES.map(({ name }) => name).join(", ")}`);
  return known.reader ? USUAL : known.name;
}

/** The text of a board's partition table; empty where it has none. */
function partitionsOf(root: string, name: string): string {
  const folder = join(root, FOLDER, name);
  const { build } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as {
    readonly build?: { readonly PARTITIONS_FILE?: string };
  };
  const path = join(folder, build?.PARTITIONS_FILE ?? "partitions.csv");
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** The size of a partition in ESP-IDF's table of name, type, subtype, offset, size and flags. */
function sizeOf(partitions: string, name: string): number | undefined {
  const rows = partitions.split("\n").map((line) => line.split(",").map((cell) => cell.trim()));
  const size = Number(rows.find(([first]) => first === name)?.[4]);
  return Number.isInteger(size) && size > 0 ? size : undefined;
}
