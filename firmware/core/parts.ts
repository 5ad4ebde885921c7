// The parts of a lock that its inputs share, put together once at boot.

import type { Board } from "../ports";
import { LockClock } from "./clock";
import { TableDigest } from "./digest";
import { LocalCodes } from "./local-codes";
import { OfflineCodes } from "./offline-codes";
import { Policy } from "./policy";
import type { Profile } from "./profile";
import { profileById } from "./profile";
import { EventLog } from "./storage/events";
import type { MountState } from "./storage/flash-log";
import { State } from "./storage/places";
import { Table } from "./storage/table";

/** A board with the lock's state mounted on it. */
export interface Parts {
  readonly board: Board;
  readonly profile: Profile;
  readonly table: Table;
  readonly digest: TableDigest;
  readonly policy: Policy;
  readonly locals: LocalCodes;
  readonly offline: OfflineCodes;
  readonly events: EventLog;
  readonly clock: LockClock;
  /** How mounting the credentials ended. */
  readonly mountState: MountState;
  /** Whether both partitions are there; if not, the lock fails secure and waits for provisioning. */
  readonly mounted: boolean;
}

/** Mounts a board: reads only. Throws a RangeError for an identity of a profile that this firmware does not know. */
export function mountParts(board: Board): Parts {
  const profile = profileById(board.identity.profile);
  if (profile === undefined)
    throw new RangeError("identity: profile " + board.identity.profile + " is not known to this firmware");
  const table = new Table(board.credentials, profile, board.identity.lock);
  const events = new EventLog(board.events, board.crypto, board.identity.lock);
  const clock = new LockClock(board.clock);
  const policy = new Policy();
  const locals = new LocalCodes(table);
  const offline = new OfflineCodes(table);
  const mountState = table.mount();
  events.mount();
  if (mountState === "mounted") {
    const time = table.state(State.time);
    if (time !== undefined) clock.restore(time);
    policy.read(table);
    // Events say what the clock showed: the true time may have been earlier by the error bound.
    clock.resume(events.latest - policy.clockBound);
    locals.restore();
    offline.restore();
  }
  const mounted = mountState === "mounted" && events.mounted;
  const digest = new TableDigest(board.crypto);
  return { board, profile, table, digest, policy, locals, offline, events, clock, mountState, mounted };
}

/** Formats both partitions of a board for its identity: at provisioning, and nowhere else. */
export function formatParts(board: Board): void {
  const profile = profileById(board.identity.profile);
  if (profile === undefined)
    throw new RangeError("identity: profile " + board.identity.profile + " is not known to this firmware");
  new Table(board.credentials, profile, board.identity.lock).log.format();
  new EventLog(board.events, board.crypto, board.identity.lock).format();
}
