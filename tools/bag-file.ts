// Bags as files: `<door>.bag`, mail out and receipts home. What is in one is signed or sealed, so it needs no protection but against loss.

import { type Bag, packBag, unpackBag } from "../protocol/courier/bag";
import { readWhole, writeAll } from "./files";
import { Failure } from "./ui/failure";

/** A thousand puts are 40 KB; a whole year of events 2 MB. */
const MAX_BAG_BYTES = 16 * 1024 * 1024;

/** The bag in a file. Throws a {@link Failure} for anything else. */
export function readBag(path: string): Bag {
  const bag = unpackBag(new Uint8Array(readWhole(path, MAX_BAG_BYTES)));
  if (bag === undefined) throw new Failure(`${path}: not a bag`, "name a file that `tumbler issue` wrote");
  return bag;
}

/** Writes bags, all or none. */
export function writeBags(
  bags: readonly { readonly path: string; readonly bag: Bag }[],
  replace: boolean,
): void {
  writeAll(bags.map(({ path, bag }) => ({ path, content: packBag(bag), replace })));
}
