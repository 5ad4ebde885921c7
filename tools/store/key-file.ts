// The key file: 32 random bytes in hexadecimal, for the owner's eyes only (mode 0600). Whoever has it and the journal has the account,
// so a key that others may read is refused, not mended: nobody knows who has read it.

import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { StoreError } from "./error";

const KEY_BYTES = 32;
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;
const FORM = /^[0-9a-f]{64}\n?$/;

/** The key in the file; makes it on first use, while `mayCreate` says that nothing is sealed yet. Throws StoreError. */
export function loadKey(path: string, mayCreate: boolean): Uint8Array {
  if (!existsSync(path)) {
    if (!mayCreate)
      throw new StoreError(
        "key-missing",
        path,
        "the journal's key is not here; put it back from your backup",
      );
    createKey(path);
  }
  const file = openSync(path, "r");
  try {
    // Windows has no such modes, and shows 0666 for every file.
    const mode = fstatSync(file).mode & 0o777;
    if (process.platform !== "win32" && (mode & OTHERS) !== 0)
      throw new StoreError(
        "key-exposed",
        path,
        `others may use this key (mode ${mode.toString(8)}, wanted 600); run: chmod 600 ${path}`,
      );
    const text = readFileSync(file, "ascii");
    if (!FORM.test(text))
      throw new StoreError(
        "key-damaged",
        path,
        "wanted 64 hexadecimal digits; put the key back from your backup",
      );
    return new Uint8Array(Buffer.from(text.slice(0, 2 * KEY_BYTES), "hex"));
  } finally {
    closeSync(file);
  }
}

/** Under another name first, so that there is never half a key. */
function createKey(path: string): void {
  const draft = `${path}.new`;
  const file = openSync(draft, "w", OWNER_ONLY);
  writeSync(file, `${randomBytes(KEY_BYTES).toString("hex")}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(draft, path);
}
