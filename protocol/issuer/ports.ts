// What an issuer needs of its host: somewhere to keep its journal, and what a pure module cannot have by itself.

import type { Crypto } from "../crypto/port";
import type { OffsetOf } from "./zone";

/** Where the journal is kept. Records hold secrets: a store seals them. */
export interface Store {
  /** All records, oldest first. */
  read(): Promise<readonly Uint8Array[]>;
  /** Keeps one record. Once it resolves, the record survives a loss of power; if it rejects, the issuer must be opened anew. */
  append(record: Uint8Array): Promise<void>;
}

/** The host of an issuer. */
export interface Hosts {
  readonly crypto: Crypto;
  readonly store: Store;
  /** Fills `buffer` with random bytes. */
  random(buffer: Uint8Array): void;
  readonly offsetOf: OffsetOf;
}
