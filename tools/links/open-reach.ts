// Opens the way to locks that a command line names.

import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Link } from "../../protocol/courier/link";
import { MAX_REQUEST_ID } from "../../protocol/wire/messages";
import { Failure } from "../ui/failure";
import { FolderLink } from "./folder";
import { MqttReach } from "./mqtt-reach";
import { brokerOf, folderOf, type LinkArguments, simOptions } from "./options";
import { RadioReach } from "./radio";
import type { Reach, Wanted } from "./reach";
import { SimRadio } from "./sim";

/** How long an answer is waited for. */
const ANSWER_MS = 10_000;

/** A folder holds one lock. */
function folderReach(folder: string): Reach {
  return {
    outlives: true,
    now: () => Date.now() / 1000,
    sleep: (seconds) => sleep(1000 * seconds),
    open: async () => new FolderLink(folder, ANSWER_MS),
    close: async () => {},
  };
}

/** The way to locks that is named. `site` is the locks', where it is known. Throws a {@link Failure} for what cannot be had. */
export async function openReach(link: LinkArguments, site?: string): Promise<Reach> {
  switch (link.link) {
    case "ble":
      return new RadioReach(await (await import("./bluetooth")).openBluetooth());
    case "mqtt":
      return new MqttReach(brokerOf(link, link.site ?? site));
    case "sim":
      return new RadioReach(new SimRadio(simOptions(link)));
    case "folder":
      return folderReach(folderOf(link));
  }
}

/** The first request id of a session. */
export const firstRequest = ({ outlives }: Reach): number => (outlives ? randomInt(1, MAX_REQUEST_ID) : 1);

/** A lock that somebody wants, and its site, where that is known. */
export interface Placed extends Wanted {
  readonly site?: string | undefined;
}

/**
 * Opens the way, connects to one lock for one job, and closes both. Throws a {@link Failure} where it is not to be had; `name` is what people
 * call it.
 */
export async function atLock<T>(
  way: LinkArguments,
  wanted: Placed,
  name: string,
  job: (link: Link, reach: Reach) => Promise<T>,
): Promise<T> {
  const reach = await openReach(way, wanted.site);
  try {
    const link = await reach.open(wanted);
    if (link === undefined)
      throw new Failure(`${name}: no connection to the lock`, "go nearer, wake it up, and try again");
    return await job(link, reach).finally(() => link.close());
  } finally {
    await reach.close();
  }
}
