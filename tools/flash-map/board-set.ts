// What `tumbler provision --flash` makes: a folder with the files for one board, and the words about it.

import { randomFillSync } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { L500I, LOCK_1000, type Profile, profileById } from "../../firmware/core/profile";
import type { FlashImage } from "../../simulator/board/board";
import { readSecret, readWhole } from "../files";
import { Failure } from "../ui/failure";
import { hanging } from "../ui/live";
import type { Colours } from "../ui/terminal";
import { boardFiles, encryptingCommands, flashCommand, type PlacedFile } from "./board-files";
import { MAX_KEYS_FILE_BYTES, readNvsKeys } from "./dump";
import { NVS_KEY_BYTES } from "./nvs-format";
import { parseTable } from "./partition-table";

/** How a board is made. */
export interface BoardOptions {
  /** Whether the identity stays unencrypted. */
  readonly plain?: boolean;
  /** A file with NVS keys; fresh ones are made without. */
  readonly nvsKeys?: string;
  /** The board's partitions.csv; that of the profile's board without. */
  readonly partitions?: string;
}

/** A board's files, not yet written. */
export interface BoardSet {
  readonly folder: string;
  readonly partitions: string;
  readonly isPlain: boolean;
  readonly files: readonly (PlacedFile & { readonly content: Uint8Array })[];
}

const BOARDS = join(__dirname, "..", "..", "firmware", "boards");
const BOARD_NAMES = new Map([
  [LOCK_1000.id, "lock"],
  [L500I.id, "l500i"],
]);
const MAX_TABLE_BYTES = 0x10000;
const FOLDER_MODE = 0o700;

/** Where the table of a profile's board is. */
export function boardTablePath(profile: Profile): string {
  return join(BOARDS, String(BOARD_NAMES.get(profile.id)), "partitions.csv");
}

/** The files that make a board this lock. Throws a {@link Failure}. */
export function makeBoard(image: FlashImage, folder: string, options: BoardOptions): BoardSet {
  const partitions = options.partitions ?? boardTablePath(profileById(image.identity.profile) as Profile);
  const text = new TextDecoder().decode(readWhole(partitions, MAX_TABLE_BYTES));
  const isPlain = options.plain === true;
  const keys = isPlain ? undefined : keysOf(options.nvsKeys);
  const files = boardFiles(image, partitions, parseTable(partitions, text), keys).map(
    ({ name, partition, content }) => ({ path: join(folder, name), partition, content }),
  );
  return { folder, partitions, isPlain, files };
}

function keysOf(path: string | undefined): Uint8Array {
  if (path !== undefined) return readNvsKeys({ path, bytes: readSecret(path, MAX_KEYS_FILE_BYTES) }).bytes;
  return randomFillSync(new Uint8Array(NVS_KEY_BYTES));
}

/** Does `work` with a folder that is there; one that was made for it goes again when it fails. Throws a {@link Failure}. */
export function withFolder(folder: string, work: () => void): void {
  const isNew = !existsSync(folder);
  if (isNew) makeFolder(folder);
  try {
    work();
  } catch (error) {
    if (isNew && readdirSync(folder).length === 0) rmdirSync(folder);
    throw error;
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: FOLDER_MODE });
  } catch (error) {
    throw new Failure(`${folder}: ${(error as Error).message}`, "name a folder in one that exists");
  }
}

/** What --json says of it. */
export function jsonOfBoard({ folder, partitions, isPlain, files }: BoardSet): object {
  const oneLine = (command: readonly string[]): string => command.join(" ");
  return {
    folder,
    partitions,
    identity: isPlain ? "plain" : "encrypted",
    files: files.map(({ path, partition: { name, offset, size, encrypted } }) => ({
      file: path,
      partition: name,
      offset,
      size,
      encrypted,
    })),
    flash: oneLine(flashCommand(files)),
    flashEncrypting: isPlain ? null : encryptingCommands(files).map(oneLine),
  };
}

/** How the board is flashed, and what is to become of the files. */
export function textOfBoard({ folder, isPlain, files }: BoardSet, { bold }: Colours): string {
  const chapters = [bold("To flash the board, before its firmware:"), commandText(flashCommand(files))];
  if (isPlain) chapters.push(hanging(PLAIN, 0));
  else chapters.push(hanging(ENCRYPTED, 0), encryptingCommands(files).map(commandText).join("\n"));
  chapters.push(hanging(`Destroy ${folder} when the board is flashed: ${DESTROY}`, 0));
  return `${chapters.join("\n\n")}\n`;
}

const PLAIN =
  "Its identity is not encrypted: whoever has the board has the lock's secrets. It is for development, and a firmware without NVS encryption.";
const ENCRYPTED =
  "It is for a firmware with flash and NVS encryption, which encrypts what is there when it boots first; any other finds no identity. A chip that encrypts its flash already, and is in development mode, is flashed so instead:";
const DESTROY =
  "nothing needs it again, and it holds all that the lock keeps secret. The record is for the lock's issuer.";

function commandText(command: readonly string[]): string {
  return `  ${command.join(" \\\n    ")}`;
}
