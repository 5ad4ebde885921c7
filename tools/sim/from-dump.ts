// The image of a lock of the field, from a dump of its flash. The dump is only read.

import { profileById } from "../../firmware/core/profile";
import { toHex } from "../../protocol/wire/bytes";
import { packImage } from "../../simulator/board/image";
import { writeAll } from "../files";
import { type DumpFiles, mountFailure, openLock, readFlash } from "../image";

/** Writes the image, and tells of it and what it is good for. Throws a Failure with nothing written. */
export function imageFromDump(from: string, out: string, options: DumpFiles & { force?: boolean }): string {
  const image = readFlash(from, options);
  const failure = mountFailure(from, openLock(image));
  if (failure !== undefined) throw failure;
  writeAll([{ path: out, content: packImage(image), replace: options.force === true }]);
  const { lock, profile } = image.identity;
  return [
    `${out}: lock ${toHex(lock)}, ${profileById(profile)?.name}, as it was in ${from}`,
    `look into it:    tumbler inspect ${out}`,
    `ask about a PIN: tumbler explain ${out} --pin -`,
    `run it:          tumbler sim ${out} --bluez`,
    "",
  ].join("\n");
}
