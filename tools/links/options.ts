// The options by which commands reach a broker.

import type { Command } from "commander";
import { readSecret, readWhole } from "../files";
import type { LinkOptions } from "./open-link";

/** As the command line gives them. */
export interface LinkArguments {
  readonly site?: string;
  readonly ca?: string;
  readonly user?: string;
  readonly passwordFile?: string;
}

const MAX_FILE_BYTES = 65_536;

/** Adds the options to a command. */
export function addLinkOptions(command: Command): Command {
  return command
    .option("--site <name>", "the site in the broker's topics")
    .option("--ca <file>", "the certificate authority of the broker, in PEM")
    .option("--user <name>", "the user at the broker")
    .option("--password-file <file>", "a file with the user's password, of mode 600");
}

/** What they say. Throws a Failure for a file that cannot be read. */
export function linkOptionsOf({ site, ca, user, passwordFile }: LinkArguments): LinkOptions {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");
  return {
    ...(site === undefined ? {} : { site }),
    ...(ca === undefined ? {} : { ca: text(readWhole(ca, MAX_FILE_BYTES)) }),
    ...(user === undefined ? {} : { username: user }),
    ...(passwordFile === undefined
      ? {}
      : { password: text(readSecret(passwordFile, MAX_FILE_BYTES)).trim() }),
  };
}
