// A visit that goes on over lost connections (rules A38, S5): the courier connects again and the lock's own status says where to go on, so
// nothing is lost and nothing done twice. Knows no link; how long it waits is all that it decides.

import { CodeClass, codeClass } from "../wire/codes";
import type { Carried, Mailbox } from "./courier";
import { carry } from "./courier";
import type { Link } from "./link";

/** Seconds before the next try after one that brought nothing, and after the second of them, and so on. */
export const BACKOFF_S: readonly number[] = [0.5, 1, 2, 4];

/** A visit to one lock. */
export interface Visiting {
  /** Connects anew; undefined where that fails. `fruitless` says how many tries before it, in a row, brought nothing. */
  open(fruitless: number): Promise<Link | undefined>;
  readonly mailbox: Mailbox;
  /** A random request id for a connection, on links where the lock's session outlives the courier's; else 1. */
  readonly firstRequest?: () => number;
  sleep(seconds: number): Promise<void>;
  /** Called when a connection is lost, with the seconds before the next try. */
  onLost?(waitS: number, attempt: number): void;
}

/** What became of a visit: as of one session, the last, with the sums of all. */
export interface Visited extends Carried {
  /** Connections that were tried. */
  readonly attempts: number;
}

/** Carries until the lock has everything, it refuses, or as many tries in a row as there are waits brought nothing. */
export async function visit({ open, mailbox, firstRequest, sleep, onLost }: Visiting): Promise<Visited> {
  let sums = { bundles: 0, bytes: 0, pages: 0 };
  for (let attempt = 1, idle = 0; ; attempt++) {
    const link = await open(idle);
    const carried: Carried =
      link === undefined
        ? { outcome: "silent", reason: "connect", bundles: 0, bytes: 0 }
        : await carry(link, mailbox, firstRequest?.()).finally(() => link.close());
    const { bundles, bytes, pages = 0 } = carried;
    sums = { bundles: sums.bundles + bundles, bytes: sums.bytes + bytes, pages: sums.pages + pages };
    idle = bundles + pages > 0 ? 0 : idle + 1;
    if (!isLost(carried) || idle > BACKOFF_S.length) return { ...carried, ...sums, attempts: attempt };
    const wait = BACKOFF_S[Math.max(0, idle - 1)];
    onLost?.(wait, attempt);
    await sleep(wait);
  }
}

/** Whether another connection may bring what this one did not. */
function isLost({ outcome, code }: Carried): boolean {
  if (outcome === "silent") return true;
  if (outcome !== "refused" || code === undefined) return false;
  return codeClass(code) === CodeClass.session || codeClass(code) === CodeClass.later;
}
