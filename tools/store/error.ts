// Why the issuer's store cannot be used. Every message says what was found and what a person can do; in none of these cases was
// anything overwritten.

/** What is wrong. */
export type StoreFault =
  /** Another process has the store open. */
  | "in-use"
  /** There is a journal, and no key for it. */
  | "key-missing"
  /** Others may read the key file. */
  | "key-exposed"
  /** The key file does not hold a key. */
  | "key-damaged"
  /** The journal was sealed under another key. */
  | "foreign-key"
  | "not-a-journal"
  /** Written by a later version. */
  | "newer-format"
  /** A record in the middle does not verify: changed, moved, removed or worn out. */
  | "damaged"
  /** Writing failed before; the store must be opened anew. */
  | "broken";

export class StoreError extends Error {
  readonly fault: StoreFault;
  /** The file that it is about. */
  readonly path: string;

  constructor(fault: StoreFault, path: string, message: string) {
    super(`${path}: ${message}`);
    this.fault = fault;
    this.path = path;
  }
}
