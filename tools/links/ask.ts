// Questions to one lock: a session of its own, in which the lock answers each with a message.

import { endOf, Round } from "../../protocol/courier/round";
import { Type } from "../../protocol/wire/messages";
import { Failure } from "../ui/failure";
import { atLock, firstRequest } from "./open-reach";
import type { LinkArguments } from "./options";
import type { Wanted } from "./reach";

/** Asks what the body of an ask says: the whole message that answers. */
export type Ask = (body: Uint8Array) => Promise<Uint8Array>;

/** A lock to be asked, what people call it, and the site that it is at. */
export interface Asked extends Wanted {
  readonly door: string;
  readonly site: string;
}

/** Connects, and runs a job with a lock that answers. Throws a {@link Failure} for a lock that does not. */
export async function askLock<T>(
  link: LinkArguments,
  asked: Asked,
  job: (ask: Ask) => Promise<T>,
): Promise<T> {
  try {
    return await atLock(link, asked, asked.door, async (open, reach) => {
      const round = new Round(open, firstRequest(reach));
      await round.hello();
      return job(async (body) => (await round.exchange(Type.ask, body)).message);
    });
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    endOf(thrown);
    throw new Failure(`${asked.door}: the lock does not answer`, "check the link, and try again");
  }
}
