// A lock of a flash image or of a dump of a whole flash, to be asked and never to be changed: its flash refuses to be written, its clock
// stands at power-on.

import { Lock } from "../firmware/core/lock";
import type { Board, Flash, FlashStatus } from "../firmware/ports";
import type { FlashImage } from "../simulator/board/board";
import { node } from "../simulator/board/crypto";
import { ImageError, unpackImage } from "../simulator/board/image";
import { SECTOR_BYTES } from "../simulator/board/nor";
import { readSecret, readWhole } from "./files";
import {
  type DumpHelp,
  imageOfDump,
  isDump,
  MAX_DUMP_BYTES,
  MAX_IDENTITY_FILE_BYTES,
  MAX_KEYS_FILE_BYTES,
  type NamedBytes,
} from "./flash-map/dump";
import { Failure } from "./ui/failure";

/** Files that a dump of a flash is read with, where it does not say all by itself. */
export interface DumpFiles {
  readonly nvsKeys?: string;
  readonly identity?: string;
}

const DUMP_ADVICE = "make an image of it: tumbler sim --from DUMP --out IMAGE";

/** The image in a file, which may be written back. Throws a {@link Failure} when the file cannot be read or is no image. */
export function readImage(path: string): FlashImage {
  const bytes = readWhole(path, MAX_DUMP_BYTES);
  if (isImage(bytes) || !isDump(bytes)) return imageOf(path, bytes);
  throw new Failure(`${path}: is a dump of a whole flash, which is never written to`, DUMP_ADVICE);
}

/** The lock in a file that is only looked at: an image, or a dump of a whole flash. Throws a {@link Failure}. */
export function readFlash(path: string, files: DumpFiles = {}): FlashImage {
  const bytes = readWhole(path, MAX_DUMP_BYTES);
  if (!isImage(bytes) && isDump(bytes)) return imageOfDump({ path, bytes }, helpIn(files));
  const named = files.nvsKeys ?? files.identity;
  const image = imageOf(path, bytes);
  if (named === undefined) return image;
  throw new Failure(`${path}: is an image, which has its identity in plain`, `leave ${named} out`);
}

function helpIn({ nvsKeys, identity }: DumpFiles): DumpHelp {
  const read = (path: string | undefined, limit: number): NamedBytes | undefined =>
    path === undefined ? undefined : { path, bytes: readSecret(path, limit) };
  return { nvsKeys: read(nvsKeys, MAX_KEYS_FILE_BYTES), identity: read(identity, MAX_IDENTITY_FILE_BYTES) };
}

const isImage = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.subarray(0, 4)).toString("latin1") === "TMID";

function imageOf(path: string, bytes: Uint8Array): FlashImage {
  try {
    return unpackImage(bytes);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new Failure(`${path}: ${error.message}`, ADVICE[error.fault]);
  }
}

const ADVICE = {
  "not-an-image": "name a file that `tumbler provision` wrote, or a dump of a lock's whole flash",
  "newer-format": "use a newer version of this program",
  "damaged-identity":
    "read the flash again, or provision the lock anew; without its identity it opens for nobody",
  "unknown-profile": "use a newer version of this program",
  "wrong-size": "read the flash again, from the identity to the end of the events",
} as const;

/** Flash that can be read. Whoever tries to change it has made a mistake. */
class ReadOnlyFlash implements Flash {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(buffer: Uint8Array, offset: number): void {
    buffer.set(this.#bytes.subarray(offset, offset + buffer.length));
  }

  write(): never {
    throw new Error("read-only flash: written to");
  }

  eraseBlock(): never {
    throw new Error("read-only flash: erased");
  }

  status(): FlashStatus {
    const size = this.#bytes.length;
    return { size, blockLength: SECTOR_BYTES, blocks: size / SECTOR_BYTES };
  }
}

/** A board that has the image's flash and nothing that moves. */
export function readOnlyBoard(image: FlashImage): Board {
  const nothing = () => {};
  return {
    identity: image.identity,
    credentials: new ReadOnlyFlash(image.credentials),
    events: new ReadOnlyFlash(image.events),
    crypto: node,
    clock: { uptime: () => 0, driftPpm: 0 },
    bolt: { draw: nothing, throw: nothing },
    feedback: { granted: nothing, refused: nothing },
    random: (buffer) => void crypto.getRandomValues(buffer),
  };
}

/** The lock that boots from the image. It may have mounted or not; see `lock.parts`. */
export function openLock(image: FlashImage): Lock {
  return new Lock(readOnlyBoard(image));
}

/** Says why a lock of an image did not mount, undefined when it did. */
export function mountFailure(path: string, lock: Lock): Failure | undefined {
  const { mountState } = lock.parts;
  if (mountState === "mounted") return undefined;
  const [what, advice] = MOUNT_FAILURES[mountState];
  return new Failure(`${path}: ${what} (${mountState})`, advice);
}

const MOUNT_FAILURES = {
  unformatted: [
    "the credentials partition was never formatted, or is ruined",
    "provision the lock; it opens for nobody until then",
  ],
  "newer-format": [
    "the credentials partition was written by a newer firmware",
    "use a newer version of this program",
  ],
  foreign: [
    "the credentials partition is not of the lock that the identity names",
    "check which dumps were put together",
  ],
} as const;
