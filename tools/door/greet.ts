// A greeting at a door: connects, checks that it is the right lock, and runs a short job there.

import { endOf, Round } from "../../protocol/courier/round";
import { equal } from "../../protocol/wire/bytes";
import { codeRow } from "../../protocol/wire/codes";
import type { Status } from "../../protocol/wire/messages";
import { firstRequest } from "../links/open-reach";
import type { Reach } from "../links/reach";
import type { WorkDoor } from "../worklist/work-list";

/** What came of a greeting. */
export interface Greeting {
  /** The lock's status; undefined where there was none. */
  readonly status: Status | undefined;
  /** Why there was none, or why the job ended early; empty where all went well. */
  readonly why: string;
}

/** Connects to a door's lock, says hello, and runs a job with what it answers. */
export async function greet(
  reach: Reach,
  door: WorkDoor,
  job: (round: Round) => Promise<void> = async () => {},
): Promise<Greeting> {
  const link = await reach.open(door);
  if (link === undefined) return { status: undefined, why: "not in range, or busy with others" };
  const round = new Round(link, firstRequest(reach));
  let status: Status | undefined;
  try {
    const heard = await round.hello();
    if (!equal(heard.shortId, door.lock.subarray(0, heard.shortId.length)))
      return { status, why: "another lock answers there" };
    status = { ...heard, nonce: heard.nonce.slice(), shortId: heard.shortId.slice() };
    await job(round);
    return { status, why: "" };
  } catch (thrown) {
    const { outcome, code, step } = endOf(thrown);
    const row = code === undefined ? undefined : codeRow(code);
    const why = row === undefined ? `no answer to "${step}" (${outcome})` : `${row.text}; ${row.advice}`;
    return { status, why };
  } finally {
    await link.close();
  }
}
