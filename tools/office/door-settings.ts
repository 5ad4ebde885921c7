// Settings of a door by name, from the words of a command line.

import type { DoorSettings } from "../../protocol/issuer/door-settings";
import { OFFLINE_KIND_NAMES } from "../../protocol/issuer/offline";
import { MODE_NAMES, OFFLINE_KINDS, type OfflinePolicy } from "../../protocol/wire/settings";
import { type BrokerPlace, parseBrokerUrl } from "../links/broker-url";
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

function broker(value: string): BrokerPlace {
  const place = parseBrokerUrl(value);
  if (place === undefined)
    throw new Failure(`broker: got "${value}", wanted mqtt://host:port or mqtts://host:port`);
  return place;
}

/** `day,once:4`: kinds, and how many codes of each open at a time. */
function offline(value: string): OfflinePolicy {
  if (none(value)) return { kinds: 0, indexes: 1 };
  const match = /^([a-z]+(?:,[a-z]+)*):(\d)$/.exec(value);
  const places = (match?.[1] ?? "").split(",").map((name) => OFFLINE_KIND_NAMES.indexOf(name));
  if (match === null || places.includes(-1))
    throw new Failure(
      `offline-codes: got "${value}", wanted none, or kinds of ${OFFLINE_KIND_NAMES.join(", ")} and how many of each open at a time, such as day,once:4`,
    );
  const kinds = places.reduce((bits, place) => bits | OFFLINE_KINDS[place], 0);
  return { kinds, indexes: Number(match[2]) };
}

type Set = (settings: DoorSettings, door: string, value: string) => Promise<void>;

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
  mode: {
    value: MODE_NAMES.join("|"),
    set: (settings, door, value) => settings.setMode(door, mode(value)),
  },
  "relock-seconds": {
    value: "0-3600",
    set: (settings, door, value) => settings.setRelock(door, number("relock-seconds", value, seconds)),
  },
  density: {
    value: "1-4294967295",
    set: (settings, door, value) => settings.setDensity(door, number("density", value, "units of 1/10^10")),
  },
  "local-codes": {
    value: "yes|no",
    set: (settings, door, value) => settings.setLocalCodes(door, yes("local-codes", value)),
  },
  "clock-bound": {
    value: "1-3600",
    set: (settings, door, value) => settings.setClockBound(door, number("clock-bound", value, seconds)),
  },
  "lease-days": {
    value: "0-3650",
    set: (settings, door, value) => settings.setLeaseDays(door, number("lease-days", value, days)),
  },
  "offline-codes": {
    value: "KIND[,KIND...]:1-8|none; kinds are day, minutes, once, week",
    set: (settings, door, value) => settings.setOffline(door, offline(value)),
  },
  "reset-delay": {
    value: "0-672",
    set: (settings, door, value) => settings.setResetDelay(door, number("reset-delay", value, hours)),
  },
  master: {
    value: "PIN|none",
    isSecret: true,
    set: (settings, door, value) => settings.setMaster(door, none(value) ? undefined : value),
  },
  alias: { value: "1-32 bytes", set: (settings, door, value) => settings.setAlias(door, value) },
  wifi: {
    value: "NETWORK:PASSWORD",
    isSecret: true,
    set: (settings, door, value) => settings.setWifi(door, wifi(value)),
  },
  broker: {
    value: "mqtts://HOST:PORT",
    set: (settings, door, value) => settings.setBroker(door, broker(value)),
  },
};

/** Sets one of {@link DOOR_SETTINGS}; what to tell. Throws a {@link Failure} or a RangeError, and then nothing is changed. */
export async function setDoor(
  settings: DoorSettings,
  door: string,
  name: string,
  value: string,
): Promise<string> {
  const named = DOOR_SETTINGS[name];
  if (named === undefined)
    throw new Failure(`setting ${name}: wanted one of ${Object.keys(DOOR_SETTINGS).join(", ")}`);
  await named.set(settings, door, value);
  return `${door}: ${name} is set, as soon as the lock has it.`;
}
