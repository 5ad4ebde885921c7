// Settings of a door by name, from the words of a command line.

import type { Issuer } from "../../protocol/issuer/issuer";
import { MODE_NAMES } from "../../protocol/wire/settings";
import { Failure } from "../ui/failure";

/** A number in the words of a command line. Throws a {@link Failure} that says what was wanted. */
function number(name: string, value: string, wanted: string): number {
  if (!/^\d{1,10}$/.test(value)) throw new Failure(`${name}: got "${value}", wanted ${wanted}`);
  return Number(value);
}

const none = (value: string): boolean => value === "none";

function yes(name: string, value: string): boolean {
  if (value !== "yes" && value !== "no") throw new Failure(`${name}: got "${value}", wanted yes or no`);
  return value === "yes";
}

function mode(value: string): number {
  const found = MODE_NAMES.indexOf(value);
  if (found < 0) throw new Failure(`mode: got "${value}", wanted ${MODE_NAMES.join(", ")}`);
  return found;
}

/** `network:password`; without a colon, an open network. */
function wifi(value: string): { network: string; password: string } {
  const at = value.indexOf(":");
  return at < 0
    ? { network: value, password: "" }
    : { network: value.slice(0, at), password: value.slice(at + 1) };
}

/** `mqtt://host:port` or `mqtts://host:port`. */
function broker(value: string): { host: string; port: number; tls: boolean } {
  const match = /^(mqtts?):\/\/([^:/]+)(?::(\d{1,5}))?$/.exec(value);
  if (match === null)
    throw new Failure(`broker: got "${value}", wanted mqtt://host:port or mqtts://host:port`);
  const tls = match[1] === "mqtts";
  return { host: match[2], port: match[3] === undefined ? (tls ? 8883 : 1883) : Number(match[3]), tls };
}

type Set = (issuer: Issuer, door: string, value: string) => Promise<void>;

interface Named {
  /** What the value looks like, for help and errors. */
  readonly value: string;
  /** Whether the value is read without showing it. */
  readonly isSecret?: boolean;
  readonly set: Set;
}

const days = "a number of days, 0 for no lease";
const seconds = "a number of seconds";
const hours = "a number of hours, 0 for never";

/** The settings that can be given by name. */
export const DOOR_SETTINGS: Readonly<Record<string, Named>> = {
  mode: { value: MODE_NAMES.join("|"), set: (issuer, door, value) => issuer.setMode(door, mode(value)) },
  "relock-seconds": {
    value: "0-3600",
    set: (issuer, door, value) => issuer.setRelock(door, number("relock-seconds", value, seconds)),
  },
  density: {
    value: "1-4294967295",
    set: (issuer, door, value) => issuer.setDensity(door, number("density", value, "units of 1/10^10")),
  },
  "local-codes": {
    value: "yes|no",
    set: (issuer, door, value) => issuer.setLocalCodes(door, yes("local-codes", value)),
  },
  "clock-bound": {
    value: "1-3600",
    set: (issuer, door, value) => issuer.setClockBound(door, number("clock-bound", value, seconds)),
  },
  "lease-days": {
    value: "0-3650",
    set: (issuer, door, value) => issuer.setLeaseDays(door, number("lease-days", value, days)),
  },
  "reset-delay": {
    value: "0-672",
    set: (issuer, door, value) => issuer.setResetDelay(door, number("reset-delay", value, hours)),
  },
  master: {
    value: "PIN|none",
    isSecret: true,
    set: (issuer, door, value) => issuer.setMaster(door, none(value) ? undefined : value),
  },
  alias: { value: "1-32 bytes", set: (issuer, door, value) => issuer.setAlias(door, value) },
  wifi: {
    value: "NETWORK:PASSWORD",
    isSecret: true,
    set: (issuer, door, value) => issuer.setWifi(door, wifi(value)),
  },
  broker: { value: "mqtts://HOST:PORT", set: (issuer, door, value) => issuer.setBroker(door, broker(value)) },
};

/** Sets one of {@link DOOR_SETTINGS}; what to tell. Throws a {@link Failure} or a RangeError, and then nothing is changed. */
export async function setDoor(issuer: Issuer, door: string, name: string, value: string): Promise<string> {
  const named = DOOR_SETTINGS[name];
  if (named === undefined)
    throw new Failure(`setting ${name}: wanted one of ${Object.keys(DOOR_SETTINGS).join(", ")}`);
  await named.set(issuer, door, value);
  return `${door}: ${name} is set, as soon as the lock has it.`;
}
