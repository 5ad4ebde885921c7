// The options of every command that reads a dump of a whole flash.

import { Option } from "commander";

/** For a dump that does not hold the NVS keys of its identity. */
export const nvsKeysOption = (): Option =>
  new Option("--nvs-keys <file>", "NVS keys of a dump's identity, where it has none itself");

/** For a dump that does not hold its identity. */
export const identityOption = (): Option =>
  new Option("--identity <file>", "the lock's identity.bin, for a dump that has no identity");
