// The options by which commands reach locks: one style for all of them.

import { type Command, InvalidArgumentError, Option } from "commander";
import { fromHex } from "../../protocol/wire/bytes";
import { readSecret, readWhole } from "../files";
import { Failure } from "../ui/failure";
import { parseBrokerUrl } from "./broker-url";
import type { BrokerAccess, BrokerPlaced } from "./mqtt-reach";
import type { SimOptions } from "./sim";

/** The ways to locks. */
export const LINKS = ["ble", "mqtt", "sim", "folder"] as const;

/** Who somebody is at a broker, as the command line gives it. */
export interface BrokerArguments {
  readonly ca?: string;
  readonly user?: string;
  readonly passwordFile?: string;
}

/** As the command line gives them. */
export interface LinkArguments extends BrokerArguments {
  readonly link: (typeof LINKS)[number];
  readonly broker?: string;
  readonly site?: string;
  readonly image?: readonly string[];
  readonly mtu?: number;
  readonly interval?: number;
  readonly cut?: number;
  readonly pace?: boolean;
  readonly folder?: string;
}

/** What the ways are, for help texts. */
export const LINK_HELP = `Locks are reached by --link
  ble      Bluetooth, with this machine's radio
  mqtt     a broker: --broker mqtts://HOST[:PORT], --ca, --user
  sim      virtual locks on flash images: --image FILE…, which are written back
  folder   a folder that a lock answers in: --folder DIR`;

const MAX_FILE_BYTES = 65_536;
/** Of the attribute protocol (Core Specification 5.4, Vol 3, Part F, 3.2.8), and of a connection (Vol 6, Part B, 4.5.1). */
const [MIN_MTU, MAX_MTU] = [23, 517];
const [MIN_INTERVAL_MS, MAX_INTERVAL_MS] = [7.5, 4000];

/** A parser of numbers from `least` to `most`. */
export function numberFrom(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (text.trim() === "" || !(number >= least && number <= most))
      throw new InvalidArgumentError(`Wanted a number from ${least} to ${most}.`);
    return number;
  };
}

/** Adds the options that tell who somebody is at a broker; `prefix` stands before what they say. */
export function addBrokerOptions(command: Command, prefix = ""): Command {
  return command
    .option("--ca <file>", `${prefix}the certificate authority of the broker, in PEM`)
    .option("--user <name>", `${prefix}the user at the broker`)
    .option("--password-file <file>", `${prefix}a file with the user's password, of mode 600`);
}

/** Adds the options to a command. */
export function addLinkOptions(command: Command): Command {
  command
    .addOption(new Option("--link <way>", "how locks are reached").choices(LINKS).default("ble"))
    .option("--broker <url>", "mqtt: the broker, mqtt:// or mqtts://")
    .option("--site <name>", "mqtt: the site in its topics, where nothing else tells it");
  return addBrokerOptions(command, "mqtt: ")
    .option("--image <file...>", "sim: flash images, one for each lock")
    .option("--mtu <bytes>", "sim: the MTU of the radio", numberFrom(MIN_MTU, MAX_MTU))
    .option("--interval <ms>", "sim: between connection events", numberFrom(MIN_INTERVAL_MS, MAX_INTERVAL_MS))
    .option("--cut <n>", "sim: break the first connection at packet n", numberFrom(1, 0xffff_ffff))
    .option("--pace", "sim: let time pass as it does for people")
    .option("--folder <dir>", "folder: the folder that the lock answers in");
}

const wanted = (link: string, option: string): Failure =>
  new Failure(`--link ${link}: wanted ${option} with it`, "see --help");

/** Who somebody is at a broker. Throws a {@link Failure} for a file that cannot be read. */
export function accessOf({ ca, user, passwordFile }: BrokerArguments): BrokerAccess {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");
  return {
    ...(ca === undefined ? {} : { ca: text(readWhole(ca, MAX_FILE_BYTES)) }),
    ...(user === undefined ? {} : { username: user }),
    ...(passwordFile === undefined
      ? {}
      : { password: text(readSecret(passwordFile, MAX_FILE_BYTES)).trim() }),
  };
}

/** The broker that is named, and the site in its topics. Throws a {@link Failure} for what is missing. */
export function brokerOf(link: LinkArguments, site = link.site): BrokerPlaced {
  const { broker: url } = link;
  if (url === undefined) throw wanted("mqtt", "--broker URL");
  if (parseBrokerUrl(url) === undefined)
    throw new Failure(`--broker ${url}: wanted mqtt://HOST or mqtts://HOST, with :PORT where it has another`);
  if (site === undefined) throw wanted("mqtt", "--site NAME, as in the locks' claims");
  return { url, site, ...accessOf(link) };
}

/** What they say of virtual locks. Throws a {@link Failure} where no image is named. */
export function simOptions({ image = [], mtu, interval, cut, pace }: LinkArguments): SimOptions {
  if (image.length === 0) throw wanted("sim", "--image FILE");
  return { images: image, mtu, intervalMs: interval, cut, pace };
}

/** The folder that they name. Throws a {@link Failure} where none is. */
export function folderOf({ folder }: LinkArguments): string {
  if (folder === undefined) throw wanted("folder", "--folder DIR");
  return folder;
}

/** The lock id that was given as `--lock`. Throws a {@link Failure}. */
export function lockIdOf(text: string): Uint8Array {
  if (!/^[0-9a-f]{16}$/i.test(text)) throw new Failure(`--lock ${text}: wanted 16 hexadecimal digits`);
  return fromHex(text.toLowerCase());
}
