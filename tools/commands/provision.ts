// `tumbler provision` (rules P1, P6, X10): makes a new lock as files, its flash image or what a real board is flashed with, and the record
// for its issuer. Screen and --json show no secret at all.

import { randomFillSync } from "node:crypto";
import { Point } from "@noble/ed25519";
import type { Command } from "commander";
import { Option } from "commander";
import { LOCK_1000, PROFILES, type Profile } from "../../firmware/core/profile";
import { keyId } from "../../protocol/crypto/derive";
import { isAcceptableKey } from "../../protocol/crypto/verify";
import { fromHex, toHex } from "../../protocol/wire/bytes";
import { LOCK_ID_BYTES, PUBLIC_KEY_BYTES } from "../../protocol/wire/limits";
import { node } from "../../simulator/board/crypto";
import { imageBytes, packImage } from "../../simulator/board/image";
import { type NewFile, writeAll } from "../files";
import { type BoardSet, jsonOfBoard, makeBoard, textOfBoard, withFolder } from "../flash-map/board-set";
import { type FoundKey, findKey } from "../key-file";
import { type RecordFile, recordText } from "../lock-record";
import { provisionLock } from "../provisioning";
import { Exit, exitHelp, Failure } from "../ui/failure";
import { fields } from "../ui/table";
import type { Terminal } from "../ui/terminal";
import { count } from "../ui/words";

interface Options {
  readonly profile: string;
  readonly out?: string;
  readonly flash?: string;
  readonly plain?: boolean;
  readonly nvsKeys?: string;
  readonly partitions?: string;
  readonly record: string;
  readonly site: string;
  readonly makerKey: string;
  readonly owner?: string;
  readonly ownerKey?: string;
  readonly lockId?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const SITE = /^[a-z0-9-]{1,16}$/;
const HELP = `
The image is the whole flash of a new lock, the record is for its issuer: the
lock's public key, a claim ticket for the owner, and the keys of that claim.
All files are secrets and get mode 600. A key file that does not exist is made;
one that exists is used, and never overwritten. Keep the maker's key: it signs
the claims of all your locks. Key files are PKCS #8 in PEM, as OpenSSL has them.

--out makes an image for virtual locks, --flash the files for a real board: its
NVS keys, its identity encrypted with them, credentials and events. The command
that flashes them is printed. A board whose flash is never encrypted keeps its
NVS keys where anybody reads them; --plain does without, for development.

Examples:
  tumbler provision --out front.img --record front.record.json \\
      --owner-key owner.key
  tumbler provision --profile l500i --out shed.img --record shed.record.json \\
      --site north --owner 2d1f…(64 hexadecimal digits)
  tumbler provision --flash front-board --record front.record.json \\
      --owner-key owner.key
${exitHelp("provisioned")}`;

/** Adds the command to the program. */
export function addProvision(program: Command, terminal: Terminal): void {
  const profiles = PROFILES.map(({ name }) => name);
  program
    .command("provision")
    .summary("make a new lock: its flash image and its issuer's record")
    .description("Makes a new lock: identity, formatted flash image, and the record for its issuer.")
    .option("--out <file>", "where the flash image for a virtual lock goes")
    .option("--flash <folder>", "where the files for a real board go")
    .requiredOption("--record <file>", "where the issuer's record goes")
    .addOption(new Option("--profile <name>", "model of lock").choices(profiles).default(LOCK_1000.name))
    .option("--site <name>", 'site of the claim, 1 to 16 of a-z, 0-9 and "-"', "main")
    .option("--maker-key <file>", "the maker's private key; made when absent", "maker.key")
    .addOption(new Option("--owner <hex>", "the public key of the owner's root").conflicts("ownerKey"))
    .option("--owner-key <file>", "the owner's private key; made when absent")
    .option("--lock-id <hex>", "lock id, 16 hexadecimal digits; random by default")
    .option("--partitions <file>", "the board's partitions.csv; by default that of the profile's board")
    .addOption(
      new Option(
        "--nvs-keys <file>",
        "take these NVS keys for the board; fresh ones are made otherwise",
      ).conflicts("plain"),
    )
    .option("--plain", "leave the board's identity unencrypted: for development alone")
    .option("--force", "replace an image, a record and a board's files that exist")
    .option("--json", "print what was made as JSON")
    .addHelpText("after", HELP)
    .action((options: Options) => {
      provision(options, terminal);
    });
}

function provision(options: Options, terminal: Terminal): void {
  const profile = PROFILES.find(({ name }) => name === options.profile) as Profile;
  checkOptions(options);
  const lock =
    options.lockId === undefined ? undefined : hexOption("--lock-id", options.lockId, LOCK_ID_BYTES);
  const maker = findKey(options.makerKey);
  const owner = findOwner(options);
  const { site } = options;
  const random = (buffer: Uint8Array) => void randomFillSync(buffer);
  const { publicKey } = owner;
  const made = provisionLock({ profile: profile.id, maker: maker.key, owner: publicKey, site, random, lock });
  const record: RecordFile = { record: made.record, profile, site, owner: publicKey };
  const board = options.flash === undefined ? undefined : makeBoard(made.image, options.flash, options);
  const replace = options.force === true;
  const files: NewFile[] = [{ path: options.record, content: recordText(record), replace }];
  if (options.out !== undefined)
    files.unshift({ path: options.out, content: packImage(made.image), replace });
  for (const { path, content } of board?.files ?? []) files.push({ path, content, replace });
  for (const key of [maker, owner.file]) if (key?.made !== undefined) files.push(key.made);
  if (options.flash === undefined) writeAll(files);
  else withFolder(options.flash, () => writeAll(files));
  const report = { options, record, maker, ownerKey: owner.file, board };
  terminal.out(options.json ? jsonOf(report) : summaryOf(report, terminal));
  terminal.exitCode = Exit.fine;
}

function checkOptions({ site, out, flash, plain, nvsKeys, partitions }: Options): void {
  if (!SITE.test(site)) throw new Failure(`--site ${site}: wanted 1 to 16 of a-z, 0-9 and "-"`);
  if (out === undefined && flash === undefined)
    throw new Failure(
      "no place for the lock",
      "add --out with a file for a virtual lock, or --flash with a folder for a real board",
    );
  const named = { "--plain": plain, "--nvs-keys": nvsKeys, "--partitions": partitions };
  for (const [name, value] of Object.entries(named))
    if (value !== undefined && flash === undefined)
      throw new Failure(`${name}: says how a real board is made`, "add --flash with a folder for its files");
}

function hexOption(name: string, text: string, length: number): Uint8Array {
  if (!/^[0-9a-f]*$/i.test(text) || text.length !== 2 * length)
    throw new Failure(`${name} ${text}: wanted ${2 * length} hexadecimal digits`);
  return fromHex(text);
}

function findOwner({ owner, ownerKey }: Options): { publicKey: Uint8Array; file?: FoundKey } {
  if (ownerKey !== undefined) {
    const file = findKey(ownerKey);
    return { publicKey: file.key.publicKey, file };
  }
  if (owner === undefined)
    throw new Failure(
      "no owner: a claim ticket names one",
      "add --owner with a public key, or --owner-key with a file, which is made when absent",
    );
  const publicKey = hexOption("--owner", owner, PUBLIC_KEY_BYTES);
  if (!isAcceptableKey(publicKey) || !isOnCurve(publicKey))
    throw new Failure(`--owner ${owner}: not an Ed25519 public key`, "check its digits");
  return { publicKey };
}

/** Half of all typing errors give bytes that are no point: a lock whose owner they were would obey nobody. */
function isOnCurve(publicKey: Uint8Array): boolean {
  try {
    Point.fromBytes(publicKey);
    return true;
  } catch {
    return false;
  }
}

interface Report {
  readonly options: Options;
  readonly record: RecordFile;
  readonly maker: FoundKey;
  readonly ownerKey: FoundKey | undefined;
  readonly board: BoardSet | undefined;
}

function jsonOf({ options, record: file, maker, ownerKey, board }: Report): string {
  const { record, profile, site, owner } = file;
  const keyFile = (key: FoundKey | undefined) =>
    key === undefined ? null : { file: key.path, made: key.made !== undefined };
  const value = {
    lock: toHex(record.lock),
    profile: profile.name,
    publicKey: toHex(record.publicKey),
    claim: { number: record.claim, site, owner: toHex(owner) },
    image: options.out ?? null,
    board: board === undefined ? null : jsonOfBoard(board),
    record: options.record,
    makerKey: keyFile(maker),
    ownerKey: keyFile(ownerKey),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

function summaryOf({ options, record, maker, ownerKey, board }: Report, { colours }: Terminal): string {
  const { profile, site, owner } = record;
  const { lock, publicKey, claim } = record.record;
  const rows: [string, string][] = [
    [
      "profile",
      `${profile.name}, ${count(profile.slots, "slot")}, ${profile.reader ? "with" : "no"} card reader`,
    ],
    ["lock id", toHex(lock)],
    ["public key", toHex(publicKey)],
    ["claim", `ticket ${claim} of site ${site}, for the owner with key ${toHex(keyId(node, owner))}`],
    ["record", `${options.record}: for the issuer, with the keys of claim ${claim}`],
    ["maker's key", keyText(maker)],
  ];
  if (ownerKey !== undefined) rows.push(["owner's key", keyText(ownerKey)]);
  if (options.out !== undefined) {
    const size = `${imageBytes(profile) / 1024} KiB`;
    rows.splice(4, 0, ["image", `${options.out}, ${size}: the lock's flash, with its secrets`]);
  }
  const title = colours.bold(`Provisioned lock ${toHex(lock)}`);
  const flashing = board === undefined ? "" : `\n${textOfBoard(board, colours)}`;
  return `${title}\n\n${fields(rows, colours)}${flashing}\nAll of these files are secrets; their mode is 600.\n`;
}

function keyText({ path, made }: FoundKey): string {
  return made === undefined ? path : `${path}, made now: keep it`;
}
