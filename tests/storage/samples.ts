// Small samples of the storage suites, each of which finds some kinds of bugs in a second or two. Whoever loads this module with a bug
// in the core gets suites that run on that core.

import { L500I } from "../../firmware/core/profile";
import { State } from "../../firmware/core/storage/places";
import { SECTOR_BYTES } from "../../simulator/board/nor";
import { uniform } from "../bench/flash";
import { Dice } from "../support/dice";
import { BusyDoor } from "./busy-door";
import { endure, FullTable, lookAfterPacked, revokeWhenPacked, update } from "./full-table";
import type { Job, Only } from "./job";
import { doAlone } from "./suite";
import { bootWorld, performAll, settingOf } from "./world";

/** What was found first, for a person; undefined for nothing. */
type Found = string | undefined;

const JOB = { size: "small", phase: "life", seed: 1, share: 0, of: 1, stride: 1 } as const;
const PLAIN: Omit<Job, "part"> = { ...JOB, mode: "plain" };
const SCRAMBLED: Omit<Job, "part"> = { ...JOB, mode: "scrambled" };
/** So many cases are tried before it is asked whether that is enough. */
const SHARES = 16;

function find(job: Job): Found {
  const { failures } = doAlone(job, () => {});
  return failures.length > 0 ? `${failures[0].kind}: ${failures[0].text}` : undefined;
}

/** Goes through jobs until one finds something. */
function firstOf(jobs: Iterable<Job>): Found {
  for (const job of jobs) {
    const found = find(job);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Every `stride`-th case of a suite. */
function every(stride: number, job: Job): Found {
  return firstOf(Array.from({ length: SHARES }, (_, share) => ({ ...job, stride, share, of: SHARES })));
}

/** Single states of a suite. */
function each(states: readonly Only[], job: Job): Found {
  return firstOf(states.map((only) => ({ ...job, only })));
}

interface Done {
  readonly number: number;
  readonly isErase: boolean;
  readonly isHeader: boolean;
}

/** What a job's workload does on flash when nothing disturbs it. */
function operationsOf(job: Job): Done[] {
  const done: Done[] = [];
  const { table } = bootWorld(job, {
    onOperation: ({ kind, offset }, { operations: number }) => {
      const isErase = kind === "erase";
      done.push({ number, isErase, isHeader: !isErase && offset % SECTOR_BYTES === 0 });
    },
  });
  performAll(table, settingOf(job).operations);
  return done;
}

/** Cuts in some of the operations, `only` in some of their bytes. */
function cut(base: Omit<Job, "part">, isMeant: (operation: Done) => boolean, only: Only = {}): Found {
  const job: Job = { ...base, part: "cuts" };
  const meant = operationsOf(job).filter(isMeant);
  return each(
    meant.map(({ number }) => ({ ...only, operation: number })),
    job,
  );
}

/** Whole sectors, ruined or unreadable. */
function ruinSectors(): Found {
  const job: Job = { ...PLAIN, part: "ruin" };
  const sectors = settingOf(job).image.bytes.length / SECTOR_BYTES;
  const states = ["sector-unreadable", "sector-garbage"].flatMap((how) =>
    Array.from({ length: sectors }, (_, sector) => ({ at: sector * SECTOR_BYTES, how })),
  );
  return each(states, job);
}

/** A revocation of many slots whose sector is ruined when the log has moved on: none of these may open again. */
function ruinRevocation(): Found {
  const full = new FullTable();
  const { log, profile } = full.table;
  full.revoke(1);
  const { newest } = log;
  while (log.newest === newest) full.put(profile.slots - 1);
  const block = (newest - 1) % log.sectors;
  full.flash.bytes.fill(0, block * SECTOR_BYTES, (block + 1) * SECTOR_BYTES);
  full.reboot();
  const back = full.wrongSlots().filter((slot) => full.table.load(slot) === "ok");
  return back.length > 0 ? `these slots are back: ${back}` : undefined;
}

/** A value of the lock's own, one of whose sectors is ruined when the log has moved on: it must still be there. */
function ruinClaim(): Found {
  const full = new FullTable();
  const value = full.dice.bytes(40);
  full.table.commitState(State.claim, value);
  const { log } = full.table;
  const { newest } = log;
  while (log.newest < newest + 2) update(full, 8, uniform);
  const block = (newest - 1) % log.sectors;
  full.flash.bytes.fill(0, block * SECTOR_BYTES, (block + 1) * SECTOR_BYTES);
  full.reboot();
  const read = Buffer.from(full.table.state(State.claim) ?? []).toString("hex");
  return read === Buffer.from(value).toString("hex") ? undefined : `the claim is lost: got ${read}`;
}

function busyDoor(): Found {
  const busy = new BusyDoor(new Dice(1));
  busy.work(40);
  return busy.breaches[0];
}

/** Each tells what it finds first, or throws it. */
export const SAMPLES = {
  "the power goes between two operations": () =>
    cut(PLAIN, ({ number }) => number % 7 === 0, { bytes: 0, torn: "clean" }),
  "the power goes while a record is written": () => cut(PLAIN, ({ number }) => number % 97 === 3),
  "the power goes while a sector is opened": () =>
    cut(PLAIN, ({ isHeader, number }) => isHeader && number < 250),
  "the power goes when a scrambled sector begins to be opened": () =>
    cut(SCRAMBLED, ({ isHeader }) => isHeader, { bytes: 0 }),
  "the power goes while a sector is erased": () =>
    cut(PLAIN, ({ isErase, number }) => isErase && number < 400),
  "the power goes while a scrambled sector is erased": () => cut(SCRAMBLED, ({ isErase }) => isErase),
  "a bit flips": () => every(211, { ...PLAIN, part: "flips" }),
  "a record is ruined": () => every(7, { ...PLAIN, part: "ruin" }),
  "a sector is ruined": ruinSectors,
  "the sector of a revocation is ruined": ruinRevocation,
  "the sector of the claim is ruined": ruinClaim,
  "a sector is stuck": () => every(1, { ...PLAIN, part: "stuck" }),
  "a scrambled sector is stuck": () => every(1, { ...SCRAMBLED, part: "stuck" }),
  "a full partition is revoked from": revokeWhenPacked,
  "a full partition is looked after": lookAfterPacked,
  "a full table is in use": () => void endure(4000, new FullTable().lade(), 16),
  "ten slots are in use": () => void endure(1000, new FullTable(L500I), 4),
  "people are at a busy door": busyDoor,
} as const satisfies Record<string, () => Found>;

export type SampleName = keyof typeof SAMPLES;
