// What a real board is flashed with (rules P1, X10): a file for each partition that makes it this lock, and the command that writes them.

import { profileById } from "../../firmware/core/profile";
import type { FlashImage } from "../../simulator/board/board";
import { Failure } from "../ui/failure";
import { packIdentityNvs } from "./identity-nvs";
import { boardProblems, dataPartition, Part } from "./lock-map";
import { packNvsKeys } from "./nvs-keys";
import type { Partition, PartitionTable } from "./partition-table";

/** What goes into one partition. */
export interface BoardFile {
  readonly name: string;
  readonly partition: Partition;
  readonly content: Uint8Array;
}

/**
 * The files of a lock, in the order in which they stand in the flash. Without NVS keys its identity is plain, and its partition for keys
 * erased. Throws a {@link Failure} that names `path` when no lock can run with this table.
 */
export function boardFiles(
  image: FlashImage,
  path: string,
  table: PartitionTable,
  keys: Uint8Array | undefined,
): BoardFile[] {
  const profile = profileById(image.identity.profile);
  if (profile === undefined) throw new RangeError(`identity: unknown profile ${image.identity.profile}`);
  const [problem] = boardProblems(table, profile);
  if (problem !== undefined) throw new Failure(`${path}: ${problem}`, "name the partitions.csv of the board");
  const file = (part: string, content: (size: number) => Uint8Array): BoardFile => {
    const partition = dataPartition(table, part) as Partition;
    return { name: `${part}.bin`, partition, content: content(partition.size) };
  };
  const files = [
    file(Part.keys, () => packNvsKeys(keys)),
    file(Part.identity, (size) => packIdentityNvs(image.identity, size, keys)),
    file(Part.credentials, () => image.credentials),
    file(Part.events, () => image.events),
  ];
  return files.sort((a, b) => a.partition.offset - b.partition.offset);
}

const ESPTOOL = "esptool --chip esp32 --port PORT --baud 460800";

/** A file that was written, and where it goes. */
export interface PlacedFile {
  readonly path: string;
  readonly partition: Partition;
}

/** The command that writes files into a chip that does not encrypt its flash yet; the chip encrypts them when it first boots. */
export function flashCommand(files: readonly PlacedFile[]): string[] {
  return [`${ESPTOOL} write-flash`, ...files.map(placed)];
}

/**
 * The commands for a chip that encrypts its flash already and still lets files be written so (development mode): what the chip encrypts
 * has to be written through its encryption, what encrypts itself must not.
 */
export function encryptingCommands(files: readonly PlacedFile[]): string[][] {
  const through = files.filter(({ partition }) => partition.encrypted);
  const beside = files.filter(({ partition }) => !partition.encrypted);
  return [
    [`${ESPTOOL} write-flash --encrypt`, ...through.map(placed)],
    [`${ESPTOOL} write-flash`, ...beside.map(placed)],
  ];
}

function placed({ path, partition }: PlacedFile): string {
  const quoted = /^[\w./:@%+=,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
  return `0x${partition.offset.toString(16)} ${quoted}`;
}
